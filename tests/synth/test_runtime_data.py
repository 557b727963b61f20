"""The data that the function has instead of botocore's own: smaller, and the same for all that the function does."""

import io
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from cdk_healthomics import model, runtime_data
from cdk_healthomics.asset import code_folder
from cdk_healthomics_handler.loader import Loader
from cdk_healthomics_handler.names import BATCH_OPERATIONS, OPERATIONS, SERVICE, SERVICES

LARGEST_ASSET = 87 * 1024
"""Bytes of AwsCustomResource's, zipped as it is stored and loaded (docs/performance.md)."""


CALLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    SERVICE: ("get_run", {"id": "1"}),
    "tags": ("tag_resource", {"resourceArn": "arn", "tags": {}}),  # HealthOmics again, at another host
    "cloudformation": ("describe_stack_resource", {"StackName": "a", "LogicalResourceId": "b"}),
    "events": ("delete_rule", {"Name": "a"}),
}
"""A call of the function's for each host that it has to do with."""
NEW = ["zz-new-1", "eu-new-9", "cn-new-7", "us-gov-new-3"]
"""Regions that botocore does not know yet."""
REGIONS = [*NEW, *(region for partition in model.endpoints()["partitions"] for region in partition["regions"])]
VARIANTS = [
    Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual) for fips in (False, True) for dual in (False, True)
]
SIGNED_FOR = re.compile(r"Credential=test/\d+/([^,]+)")


@cache
def session(data: str | None) -> botocore.session.Session:
    made = botocore.session.Session()
    if data:
        made.register_component("data_loader", Loader(extra_search_paths=[data]))
    return made


def client(service: str, data: str | None, region: str = "us-east-1", config: Config | None = None) -> Any:
    return session(data).create_client(
        service, region_name=region, aws_access_key_id="test", aws_secret_access_key="test", config=config
    )


def cut() -> Any:
    return client(SERVICE, str(code_folder() / "models"))


def whole() -> Any:
    return client(SERVICE, None)


class Stop(Exception):  # noqa: N818 - no error
    """Nothing is sent."""


def address(call: str, data: str | None, region: str, config: Config) -> tuple[str, ...]:
    """Where a call goes and what it is signed for, and the partition; or why it cannot be sent."""
    sent: list[tuple[str, ...]] = []

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        (signed_for,) = SIGNED_FOR.findall(str(request.headers["Authorization"]))
        sent.append((request.url, signed_for, made.meta.partition))
        raise Stop

    operation, arguments = CALLS[call]
    service = call if call in SERVICES else SERVICE
    try:
        made = client(service, data, region, config)
        made.meta.events.register("before-send.*", stop)
        with suppress(Stop):
            getattr(made, operation)(**arguments)
    except BotoCoreError as error:
        return (type(error).__name__,)
    return sent[0]


@pytest.mark.parametrize("call", CALLS)
def test_each_call_goes_where_botocore_sends_it_in_every_region_and_variant(call: str) -> None:
    ours = str(code_folder() / "models")
    addresses = {
        (region, index): address(call, ours, region, VARIANTS[index]) for region in REGIONS for index in range(4)
    }
    for (region, index), found in addresses.items():
        assert found == address(call, None, region, VARIANTS[index]), (region, index)
    assert len({found[0] for found in addresses.values()}) > len(REGIONS), "the variants differ"


def test_fips_endpoints_are_chosen_by_the_variable_of_all_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    ours = str(code_folder() / "models")
    hosts = {call: urlsplit(address(call, ours, "us-east-1", Config())[0]).netloc for call in CALLS}
    assert hosts == {
        SERVICE: "workflows-omics-fips.us-east-1.amazonaws.com",
        "tags": "tags-omics-fips.us-east-1.amazonaws.com",
        "cloudformation": "cloudformation-fips.us-east-1.amazonaws.com",
        "events": "events-fips.us-east-1.amazonaws.com",
    }


@pytest.mark.parametrize("operation", [*OPERATIONS, *BATCH_OPERATIONS])
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
    assert cut().meta.service_model.operation_names == [*OPERATIONS, *BATCH_OPERATIONS]


def test_what_is_packed_tells_neither_when_nor_by_which_system_or_python() -> None:
    packed = [content for path, content in runtime_data.files() if path.endswith(".gz")]
    # RFC 1952: no flags, no time, best compression, system unknown. Python 3.11 names Unix, 3.13 names none.
    assert {content[:10] for content in packed} == {bytes.fromhex("1f8b08 00 00000000 02 ff")}


def test_the_asset_is_no_larger_than_that_of_aws_custom_resource() -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(code_folder().rglob("*")):
            archive.write(path)
    assert len(zipped.getvalue()) <= LARGEST_ASSET
