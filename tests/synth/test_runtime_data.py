"""The data that the function has instead of botocore's own: smaller, and the same for all that the function does."""

from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from cdk_healthomics import runtime_data
from cdk_healthomics.asset import code_folder
from cdk_healthomics_handler.names import OPERATIONS, SERVICE, SERVICES

LARGEST_ASSET = 134 * 1024
"""Bytes of AwsCustomResource's, unpacked."""


@cache
def client(service: str, region: str, data: str | None) -> Any:
    session = botocore.session.Session()
    if data:
        session.set_config_variable("data_path", data)
    return session.create_client(
        service, region_name=region, aws_access_key_id="test", aws_secret_access_key="test", config=Config()
    )


def cut(service: str = SERVICE, region: str = "us-east-1") -> Any:
    return client(service, region, str(code_folder() / "models"))


def whole(service: str = SERVICE, region: str = "us-east-1") -> Any:
    return client(service, region, None)


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-west-1", "ap-southeast-1", "cn-north-1", "us-gov-west-1", "zz-new-1"]
)
@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_where_botocore_says_in_every_partition(service: str, region: str) -> None:
    ours, theirs = cut(service, region), whole(service, region)
    assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    assert ours.meta.partition == theirs.meta.partition
    assert ours._request_signer.region_name == theirs._request_signer.region_name


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_function_calls_is_as_in_botocores_model(operation: str) -> None:
    def shape(part: Any, seen: tuple[str, ...] = ()) -> Any:
        if part is None or part.name in seen:
            return part and part.name
        deeper = (*seen, part.name)
        members = {name: shape(each, deeper) for name, each in getattr(part, "members", {}).items()}
        inner = [shape(getattr(part, name), deeper) for name in ("member", "key", "value") if hasattr(part, name)]
        plain = {name: value for name, value in part.metadata.items() if name != "documentation"}
        return (part.type_name, plain, part.serialization, members, inner)

    ours, theirs = (each.meta.service_model.operation_model(operation) for each in (cut(), whole()))
    assert ours.http == theirs.http
    assert shape(ours.input_shape) == shape(theirs.input_shape)
    assert shape(ours.output_shape) == shape(theirs.output_shape)


def test_a_member_that_is_named_like_a_text_of_the_model_is_kept() -> None:
    document = {"members": {"documentation": {"shape": "String", "documentation": "<p>Help</p>"}}}
    assert runtime_data.bare(document) == {"members": {"documentation": {"shape": "String"}}}


def test_every_operation_that_the_handler_calls_is_there_and_no_other() -> None:
    assert cut().meta.service_model.operation_names == list(OPERATIONS)


def test_what_is_packed_tells_neither_when_nor_by_which_system_or_python() -> None:
    packed = [content for path, content in runtime_data.files() if path.endswith(".gz")]
    # RFC 1952: no flags, no time, best compression, system unknown. Python 3.11 names Unix, 3.13 names none.
    assert {content[:10] for content in packed} == {bytes.fromhex("1f8b08 00 00000000 02 ff")}


def test_the_asset_is_no_larger_than_that_of_aws_custom_resource() -> None:
    assert sum(path.stat().st_size for path in code_folder().rglob("*") if path.is_file()) <= LARGEST_ASSET
