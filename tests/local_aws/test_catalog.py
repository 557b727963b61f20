"""What runs name, through the real client: its members are those of botocore's model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_aws import definitions
from local_aws.healthomics import HealthOmics
from local_aws.healthomics.model import MODEL, NOUNS
from local_aws.mends import resource_handlers
from tests.events import ROLE_ARN

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient

MADE: dict[str, dict[str, Any]] = {
    "Workflow": {"name": "greeting", "engine": "WDL", "definitionZip": b"PK", "main": "greeting.wdl"},
    "WorkflowVersion": {"workflowId": "1", "versionName": "v2", "description": "second", "definitionZip": b"PK"},
    "RunGroup": {"name": "night", "maxRuns": 2},
    "RunCache": {"name": "kept", "cacheS3Location": "s3://bucket/cache"},
    "Configuration": {
        "name": "isolated",
        "runConfigurations": {"vpcConfig": {"subnetIds": ["subnet-0123456789abcdef0"]}},
    },
    "SequenceStore": {"name": "reads", "eTagAlgorithmFamily": "MD5up"},
    "ReferenceStore": {"name": "references", "description": "GRCh38"},
}
KEYS = {"WorkflowVersion": ("workflowId", "versionName"), "Configuration": ("name",)}
SHOWN_AS = {"cacheS3Location": "cacheS3Uri"}


class Asked:
    """The operations for one kind."""

    def __init__(self, client: "OmicsClient", noun: str) -> None:
        self.client, self.noun = client, noun
        self.made = self.do("Create", **MADE[noun], tags={"team": "genomics"})
        described = {**MADE[noun], **self.made}
        self.key = {name: described[name] for name in KEYS.get(noun, ("id",))}

    def do(self, verb: str, **given: Any) -> dict[str, Any]:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in f"{verb}{self.noun}")
        call: Callable[..., dict[str, Any]] = getattr(self.client, name.lstrip("_") + ("s" if verb == "List" else ""))
        return call(**given)

    def listed(self, **given: Any) -> list[str]:
        scope = {"workflowId": "1"} if self.noun == "WorkflowVersion" else {}
        (items,) = (value for value in self.do("List", **scope, **given).values() if isinstance(value, list))
        return [each["arn"] for each in items]


@pytest.fixture(params=NOUNS)
def asked(client: "OmicsClient", request: pytest.FixtureRequest) -> Asked:
    return Asked(client, request.param)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as error:
        call()
    return str(error.value.response["Error"]["Code"])


def test_it_is_shown_as_it_was_made_and_listed(asked: Asked) -> None:
    shown = asked.do("Get", **asked.key)
    output = MODEL.operation_model(f"Get{asked.noun}").output_shape
    given = {SHOWN_AS.get(name, name): value for name, value in MADE[asked.noun].items()}
    expected = {name: value for name, value in given.items() if name in getattr(output, "members", {})}
    assert {name: shown[name] for name in expected} == expected
    tags = asked.client.list_tags_for_resource(resourceArn=shown["arn"])["tags"]
    assert (shown["arn"], tags) == (asked.made["arn"], {"team": "genomics"})
    assert shown.get("tags", tags) == tags
    assert shown.get("status", "ACTIVE") == "ACTIVE"
    assert asked.listed() == [shown["arn"]]


def test_it_is_changed_tagged_and_deleted(asked: Asked) -> None:
    if f"Update{asked.noun}" in MODEL.operation_names:
        asked.do("Update", **asked.key, **({"name": "other"} if asked.noun == "RunGroup" else {"description": "other"}))
        shown = asked.do("Get", **asked.key)
        assert shown["name" if asked.noun == "RunGroup" else "description"] == "other"
    asked.client.tag_resource(resourceArn=asked.made["arn"], tags={"more": "1"})
    tags = asked.client.list_tags_for_resource(resourceArn=asked.made["arn"])["tags"]
    assert tags == {"team": "genomics", "more": "1"}
    asked.do("Delete", **asked.key)
    assert asked.listed() == []
    assert code(lambda: asked.do("Get", **asked.key)) == "ResourceNotFoundException"
    assert code(lambda: asked.do("Delete", **asked.key)) == "ResourceNotFoundException"


def test_a_known_request_makes_nothing_new_and_a_name_is_taken_once(client: "OmicsClient") -> None:
    first, again = (client.create_run_group(name="night", requestId="token")["id"] for _ in range(2))
    assert first == again
    assert len(client.list_run_groups()["items"]) == 1
    client.create_configuration(**MADE["Configuration"])
    assert code(lambda: client.create_configuration(**MADE["Configuration"])) == "ConflictException"


def test_lists_are_filtered_and_come_in_pages(client: "OmicsClient") -> None:
    for index in range(12):
        client.create_workflow(name=f"workflow-{index % 2}", requestId=str(index))
    pages = list(client.get_paginator("list_workflows").paginate(name="workflow-1"))
    assert [len(page["items"]) for page in pages] == [6]
    assert [len(page["items"]) for page in client.get_paginator("list_workflows").paginate()] == [10, 2]
    assert client.list_workflows(type="READY2RUN")["items"] == []


def test_stores_are_filtered_by_what_they_show_and_by_nothing_else(client: "OmicsClient") -> None:
    ids = [client.create_sequence_store(name=f"reads-{index % 2}")["id"] for index in range(4)]
    pages = client.get_paginator("list_sequence_stores").paginate(
        filter={"name": "reads-1", "status": "ACTIVE"}, PaginationConfig={"PageSize": 1}
    )
    assert [[each["id"] for each in page["sequenceStores"]] for page in pages] == [[ids[1]], [ids[3]]]
    with pytest.raises(ClientError, match="does not filter by createdAfter here"):
        client.list_sequence_stores(filter={"createdAfter": "2026-01-01T00:00:00Z"})


@pytest.mark.parametrize(("noun", "member"), [("RunGroup", "runGroupId"), ("Configuration", "configurationName")])
def test_it_cannot_be_deleted_while_a_run_uses_it(
    client: "OmicsClient", service: HealthOmics, noun: str, member: str
) -> None:
    asked = Asked(client, noun)
    (key,) = asked.key.values()
    request: dict[str, Any] = {"workflowId": "1", "roleArn": ROLE_ARN, "outputUri": "s3://bucket/runs", member: key}
    run_id = client.start_run(**request)["id"]
    assert code(lambda: asked.do("Delete", **asked.key)) == "ConflictException"
    service.end(run_id, "COMPLETED")
    asked.do("Delete", **asked.key)


def test_what_a_stack_makes_is_shown_until_the_stack_deletes_it(client: "OmicsClient", service: HealthOmics) -> None:
    definitions.install(service)
    handlers = resource_handlers()["AWS::Omics::Workflow"]
    physical_id, attributes = handlers["create"]("Logical", {"Name": "greeting", "Tags": {"team": "genomics"}}, "Stack")
    shown = client.get_workflow(id=physical_id)
    assert (shown["name"], shown["arn"], shown["uuid"]) == ("greeting", attributes["Arn"], attributes["Uuid"])
    handlers["delete"](physical_id, {})
    assert client.list_workflows()["items"] == []
    handlers["delete"](physical_id, {})
