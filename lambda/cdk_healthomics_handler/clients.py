"""The AWS clients, each made when it is first needed and kept for the next event of a warm function."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from cdk_healthomics_handler.healthomics import HealthOmics
from cdk_healthomics_handler.names import SERVICE
from cdk_healthomics_handler.schedule import Schedule

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

MODELS: Final = Path(__file__).parent.parent / "models"
"""Beside this package in the asset: HealthOmics' model, newer than that of the runtime's boto3, and cut to its use."""
CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=15,
    retries={"total_max_attempts": 1, "mode": "standard"},  # lifecycle decides whether to try again
)

if MODELS.is_dir():
    os.environ["AWS_DATA_PATH"] = str(MODELS)


@cache
def healthomics() -> HealthOmics:
    """HealthOmics."""
    return HealthOmics(boto3.client(SERVICE, config=CONFIG))


@cache
def cloudformation() -> "CloudFormationClient":
    """CloudFormation."""
    return boto3.client("cloudformation", config=CONFIG)


@cache
def schedule() -> Schedule:
    """EventBridge."""
    return Schedule(boto3.client("events", config=CONFIG))
