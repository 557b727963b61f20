"""What a stack makes on the local AWS beside its runs: workflows, run groups, stores, rules of ECR's registry."""

import json
from typing import Any

import pytest

from local_aws import definitions
from local_aws.healthomics import HealthOmics, Settings
from local_aws.healthomics.model import MODEL, ServiceError
from local_aws.mends import resource_handlers
from tests.events import ROLE_ARN

VALID: dict[str, dict[str, Any]] = {
    "Workflow": {"Name": "greeting", "ParameterTemplate": {"Sample": {"Description": "who", "Optional": True}}},
    "WorkflowVersion": {"WorkflowId": "1", "VersionName": "v2"},
    "RunGroup": {"Name": "group", "MaxRuns": 2},
    "RunCache": {"CacheS3Location": "s3://bucket/cache"},
    "Configuration": {
        "Name": "isolated",
        "RunConfigurations": {"VpcConfig": {"SubnetIds": ["subnet-0123456789abcdef0"]}},
    },
    "SequenceStore": {"Name": "reads", "ETagAlgorithmFamily": "MD5up", "S3AccessPolicy": {"Statement": []}},
    "ReferenceStore": {"Name": "references", "SseConfig": {"Type": "KMS"}},
}
OF_ECR: dict[str, tuple[dict[str, Any], str]] = {
    "RegistryPolicy": ({"PolicyText": {"Version": "2012-10-17", "Statement": []}}, "000000000000"),
    "PullThroughCacheRule": (
        {"EcrRepositoryPrefix": "quay", "UpstreamRegistry": "quay", "UpstreamRegistryUrl": "registry.example"},
        "quay",
    ),
    "RepositoryCreationTemplate": (
        {"Prefix": "quay", "AppliedFor": ["PULL_THROUGH_CACHE"], "ResourceTags": [{"Key": "a", "Value": "b"}]},
        "quay",
    ),
}


@pytest.fixture
def service() -> HealthOmics:
    made = HealthOmics(Settings(start_rate=None))
    definitions.install(made)
    return made


def create(kind: str, properties: dict[str, Any], service: str = "Omics") -> tuple[str, dict[str, Any]]:
    made: tuple[str, dict[str, Any]] = resource_handlers()[f"AWS::{service}::{kind}"]["create"](
        "Logical", properties, "Stack"
    )
    return made


def test_what_the_api_can_change_is_changed_in_place_and_the_rest_replaces(service: HealthOmics) -> None:
    update = resource_handlers()["AWS::Omics::Workflow"]["update"]
    before = {**VALID["Workflow"], "Tags": {"a": "1", "b": "1"}}
    physical_id, attributes = create("Workflow", before)
    renamed = {**before, "Name": "welcome", "Tags": {"b": "2"}}
    assert update(physical_id, before, renamed, "Stack") == (physical_id, attributes)
    shown = service.do("GetWorkflow", {"id": physical_id})
    assert (shown["name"], shown["tags"]) == ("welcome", {"b": "2"})
    other, _ = update(physical_id, renamed, {**renamed, "Main": "other.wdl"}, "Stack")
    assert other != physical_id
    without = {name: value for name, value in renamed.items() if name != "Name"}
    assert update(physical_id, renamed, without, "Stack")[0] != physical_id
    assert "update" not in resource_handlers()["AWS::Omics::Configuration"], "the API changes none"


@pytest.mark.usefixtures("service")
def test_what_names_one_is_never_changed_in_place() -> None:
    workflow, _ = create("Workflow", VALID["Workflow"])
    first = {"WorkflowId": workflow, "VersionName": "v1", "Description": "a"}
    physical_id, _ = create("WorkflowVersion", first)
    update = resource_handlers()["AWS::Omics::WorkflowVersion"]["update"]
    assert update(physical_id, first, {**first, "Description": "b"}, "Stack")[0] == physical_id
    assert update(physical_id, first, {**first, "VersionName": "v2"}, "Stack")[0] != physical_id


@pytest.mark.parametrize("kind", VALID)
def test_what_is_made_has_an_arn_and_what_the_api_answers(service: HealthOmics, kind: str) -> None:
    physical_id, attributes = create(kind, VALID[kind])
    assert physical_id
    assert attributes["Arn"].startswith(f"arn:aws:omics:{service.region}:{service.account}:")
    answered = getattr(MODEL.operation_model(f"Create{kind}").output_shape, "members", {})
    assert {"id", "uuid", "status"} & set(answered) == {name.lower() for name in attributes} & {"id", "uuid", "status"}


@pytest.mark.parametrize("kind", ["SequenceStore", "ReferenceStore"])
def test_the_id_of_a_store_is_its_ref_and_an_attribute(service: HealthOmics, kind: str) -> None:
    del service
    physical_id, attributes = create(kind, VALID[kind])
    assert physical_id.isdecimal()
    assert attributes[f"{kind}Id"] == physical_id
    if kind == "SequenceStore":
        assert attributes["S3Uri"].endswith(f"/sequenceStore/{physical_id}/")


@pytest.mark.parametrize("kind", OF_ECR)
def test_what_ecrs_registry_holds_is_made_and_checked_as_its_api_does(service: HealthOmics, kind: str) -> None:
    properties, ref = OF_ECR[kind]
    assert create(kind, properties, "ECR")[0] == ref.replace("000000000000", service.account)
    with pytest.raises(ServiceError, match="validation error"):
        create(kind, {}, "ECR")


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        ("RunGroup", {"MaxRuns": 0}, "Member must have value greater than or equal to 1"),
        ("RunCache", {}, "Value at 'cacheS3Location' failed to satisfy constraint: Member must not be null"),
        ("Workflow", {"Nam": "greeting"}, "Value at 'nam' failed to satisfy constraint: Member is not known"),
    ],
)
def test_properties_that_break_the_model_are_refused(
    service: HealthOmics, kind: str, properties: dict[str, Any], message: str
) -> None:
    del service
    with pytest.raises(ServiceError, match=message):
        create(kind, properties)


@pytest.mark.parametrize(("kind", "member"), [("RunGroup", "runGroupId"), ("Configuration", "configurationName")])
def test_it_cannot_be_deleted_while_a_run_uses_it(service: HealthOmics, kind: str, member: str) -> None:
    physical_id, _ = create(kind, VALID[kind])
    request = {"workflowId": "1", "roleArn": ROLE_ARN, "outputUri": "s3://bucket/runs", "requestId": "r"}
    started = service.handle("POST", "/run", "", json.dumps({**request, member: physical_id}).encode())
    assert started
    run_id = json.loads(started.body)["id"]
    delete = resource_handlers()[f"AWS::Omics::{kind}"]["delete"]
    with pytest.raises(ServiceError, match=f"cannot be deleted while runs use it: {run_id}"):
        delete(physical_id, {})
    service.end(run_id, "COMPLETED")
    delete(physical_id, {})
