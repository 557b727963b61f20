"""The local HealthOmics service, and the real client that reaches it over HTTP."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from local_aws.healthomics import Clock, HealthOmics, Settings
from local_aws.loopback import serving

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient


@pytest.fixture
def service() -> HealthOmics:
    return HealthOmics(Settings(start_rate=None), Clock(speed=0.0))


@pytest.fixture
def client(service: HealthOmics, monkeypatch: pytest.MonkeyPatch) -> Iterator["OmicsClient"]:
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    with serving(service.handle) as url:
        yield boto3.client(
            "omics",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=0.5),
        )
