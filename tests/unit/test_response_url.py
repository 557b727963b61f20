"""Where an answer may go: pure."""

import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.endpoint_provider import RuleSetStandardLibrary
from hypothesis import given
from hypothesis import strategies as st

from cdk_healthomics_handler.response_url import host, is_cloudformations

PARTITIONS = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_bytes())
REGIONS = [
    (region, partition["outputs"]["dnsSuffix"])
    for partition in PARTITIONS["partitions"]
    for region in partition["regions"]
    if "global" not in region
]
WAYS = [
    "https://{bucket}.s3.amazonaws.com/stack%7Cid?X-Amz-Signature=1",
    "https://{bucket}.s3.us-east-1.amazonaws.com/stack",
    "https://{bucket}.s3-us-east-1.amazonaws.com/stack",
    "https://{bucket}.s3-external-1.amazonaws.com/stack",
    "https://{bucket}.s3.dualstack.us-east-1.amazonaws.com/stack",
    "https://{bucket}.s3-fips.us-east-1.amazonaws.com/stack",
    "https://{bucket}.s3-fips.dualstack.us-east-1.amazonaws.com/stack",
    "https://{bucket}.s3-fips-us-east-1.amazonaws.com/stack",
    "https://{bucket}.s3.us-east-1.amazonaws.com:443/stack",
    "HTTPS://{bucket}.S3.us-east-1.AMAZONAWS.com/stack",
    "https://s3.amazonaws.com/{bucket}/stack",
    "https://s3.us-east-1.amazonaws.com/{bucket}/stack",
    "https://s3-us-east-1.amazonaws.com/{bucket}/stack",
    "https://s3.dualstack.us-east-1.amazonaws.com/{bucket}/stack",
]
BUCKET = "cloudformation-custom-resource-response-useast1"
ELSEWHERE = [
    "",
    "nonsense",
    "https://",
    "https://[",
    "https://example.com/stack",
    f"https://example.com/{BUCKET}/stack",
    f"https://{BUCKET}.s3.amazonaws.com.example.com/stack",
    f"https://{BUCKET}.s3.amazonaws.com@example.com/stack",
    f"https://example.com\\@{BUCKET}.s3.amazonaws.com/stack",
    f"https://example.com#@{BUCKET}.s3.amazonaws.com/stack",
    f"https://{BUCKET}.s3.amazonaws.com\n.example.com/stack",
    f"https://{BUCKET}xs3.amazonaws.com/stack",
    f"https://{BUCKET}.s3.amazonaws.com.cn/stack",
    f"https://{BUCKET}.s3.us-west-2.amazonaws.com/stack",
    f"https://{BUCKET}.s3-1234.us-east-1.elb.amazonaws.com/stack",
    f"https://{BUCKET}-mine.s3.amazonaws.com/stack",
    f"https://mine.{BUCKET}.s3.amazonaws.com/stack",
    "https://mine.s3.amazonaws.com/stack",
    f"https://s3.amazonaws.com/mine/{BUCKET}/stack",
    f"https://s3.amazonaws.com/{BUCKET}-mine/stack",
    f"https://s3.amazonaws.com/{BUCKET}/../mine/stack",
    f"https://{BUCKET}.s3.amazonaws.com:8443/stack",
    f"http://{BUCKET}.s3.amazonaws.com/stack",
    f"ftp://{BUCKET}.s3.amazonaws.com/stack",
    "http://127.0.0.1:4566/stack",
    "http://169.254.169.254/stack",
]


def accepted(url: str, *, region: str = "us-east-1", endpoint: str = "") -> bool:
    def domain() -> str:
        library: Any = RuleSetStandardLibrary(PARTITIONS)
        return str(library.aws_partition(region)["dnsSuffix"])

    return is_cloudformations(url, region=region, domain=domain, endpoint=endpoint)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_which_s3_is_named_is_accepted(way: str) -> None:
    assert accepted(way.format(bucket=BUCKET))


@pytest.mark.parametrize(("region", "suffix"), REGIONS)
def test_in_every_region_of_every_partition(region: str, suffix: str) -> None:
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    for s3 in (f"s3.{region}.{suffix}", f"s3-{region}.{suffix}"):
        assert accepted(f"https://{bucket}.{s3}/stack", region=region)
        assert accepted(f"https://{s3}/{bucket}/stack", region=region)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_nothing_else_is(url: str) -> None:
    assert not accepted(url)


@given(url=st.text() | st.from_regex(r"https?://[^/]*/.*"))
def test_whatever_the_text_is(url: str) -> None:
    assert not accepted(url)
    host(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566/a", "https://localhost:1/a", "http://[::1]:4566/a"])
def test_loopback_is_where_the_function_was_told_that_aws_is_there(url: str) -> None:
    assert accepted(url, endpoint="http://127.0.0.1:4566")
    assert accepted(url, endpoint="https://localhost:4566")
    assert not accepted(url)
    assert not accepted(url, endpoint="https://vpce-1.omics.us-east-1.vpce.amazonaws.com")
    assert not accepted("http://127.0.0.1.example.com/a", endpoint="http://127.0.0.1:4566")


def test_the_host_is_told_without_the_credential() -> None:
    assert host("https://user:word@evil.example/path?X-Amz-Signature=secret") == "evil.example"
