"""The page of a run in the AWS console. Standard library only."""

from collections.abc import Mapping
from typing import Final

DOMAINS: Final[Mapping[str, str]] = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""The console's domain, by partition. HealthOmics itself is in the first one only (botocore's endpoints)."""


def page_of_run(domain: str, region: str, run_id: str) -> str:
    """The URL of a run's page; each part may be a token."""
    return f"https://{region}.{domain}/omics/home?region={region}#/runs/{run_id}"


def page_at(arn: str, run_id: str) -> str:
    """The URL of a run's page by its ARN; nothing where the ARN tells no partition whose console is known."""
    _, partition, _, region, *_ = f"{arn}::::".split(":")
    return page_of_run(DOMAINS[partition], region, run_id) if partition in DOMAINS and region else ""
