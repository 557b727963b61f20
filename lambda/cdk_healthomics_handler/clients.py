"""The AWS clients, each made when it is first needed and kept for the next event of a warm function."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.config import Config
from botocore.endpoint_provider import RuleSetStandardLibrary

from cdk_healthomics_handler.healthomics import HealthOmics
from cdk_healthomics_handler.loader import Loader
from cdk_healthomics_handler.names import SERVICE
from cdk_healthomics_handler.schedule import Schedule

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

MODELS: Final = Path(__file__).parent.parent / "models"
"""Beside this package in the asset, read before botocore's own: a model that may be newer, and is cut to its use."""
CONFIG: Final = Config(
    connect_timeout=2,  # each of the addresses of a name may take so long; in the region it takes milliseconds
    read_timeout=15,
    retries={"total_max_attempts": 1, "mode": "standard"},  # lifecycle decides whether to try again
)


@cache
def healthomics() -> HealthOmics:
    """HealthOmics."""
    return HealthOmics(_client(SERVICE))


@cache
def cloudformation() -> "CloudFormationClient":
    """CloudFormation."""
    client: CloudFormationClient = _client("cloudformation")
    return client


@cache
def schedule() -> Schedule:
    """EventBridge."""
    return Schedule(_client("events"))


def domain() -> str:
    """The domain of the region's services, such as ``amazonaws.com.cn``."""
    partitions = RuleSetStandardLibrary(_session().get_component("data_loader").load_data("partitions"))
    return str(partitions.aws_partition(region())["dnsSuffix"])


def region() -> str:
    """The function's region, as its clients have it."""
    return str(_session().get_config_variable("region") or "")


def _client(service: str) -> Any:
    return _session().create_client(service, config=CONFIG)


@cache
def _session() -> botocore.session.Session:
    # Not boto3's, which is this one with S3's transfers imported as well: a tenth of a cold start.
    session = botocore.session.get_session()
    session.register_component("data_loader", Loader(extra_search_paths=[str(MODELS)] if MODELS.is_dir() else []))
    return session
