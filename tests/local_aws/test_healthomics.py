"""The local HealthOmics service, through the real client over HTTP."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from local_aws.healthomics import CancelOfFinished, Fault, HealthOmics, Kind, Settings, Token

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient

START: dict[str, Any] = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b/r", "requestId": "t", "name": "n"}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_run_moves_through_its_statuses_on_the_services_clock(client: "OmicsClient", service: HealthOmics) -> None:
    seen: list[str] = []
    service.on_status = lambda run: seen.append(run.status)
    run = client.start_run(**START)
    for seconds, status in [(5, "STARTING"), (10, "RUNNING"), (3600, "COMPLETED"), (9999, "COMPLETED")]:
        service.clock.advance(seconds)
        assert client.get_run(id=run["id"])["status"] == status
    assert seen == ["PENDING", "STARTING", "RUNNING", "COMPLETED"]


def test_a_cancelled_run_stops_for_a_while(client: "OmicsClient", service: HealthOmics) -> None:
    run = client.start_run(**START)
    client.cancel_run(id=run["id"])
    assert client.get_run(id=run["id"])["status"] == "STOPPING"
    service.clock.advance(2)
    assert client.get_run(id=run["id"])["status"] == "CANCELLED"


def test_a_run_can_be_made_to_fail(client: "OmicsClient", service: HealthOmics) -> None:
    service.fail_next("IMPORT_FAILED", "no such file")
    run = client.start_run(**START)
    service.clock.advance(9999)
    failed = client.get_run(id=run["id"])
    assert (failed["status"], failed["failureReason"], failed["statusMessage"]) == (
        "FAILED",
        "IMPORT_FAILED",
        "no such file",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"workflowId": "x"}, "Value at 'workflowId' failed to satisfy constraint"),
        ({"logLevel": "LOUD"}, "Member must satisfy enum value set"),
        ({"priority": 100001}, "Member must have value less than or equal to 100000"),
        ({"name": "a\tb"}, "Member must satisfy regular expression pattern"),
        ({"tags": {"k": "v" * 257}}, "Value at 'tags.k' failed to satisfy constraint"),
        ({"tags": {f"k{i}": "v" for i in range(51)}}, "at most 50 tags"),
        ({"runId": "1"}, "Exactly one of workflowId and runId"),
        ({"parameters": {}, "parametersUri": "s3://bucket/inputs.json"}, "either parameters or parametersUri"),
    ],
)
def test_a_request_that_breaks_the_model_is_refused(client: "OmicsClient", change: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as error:
        client.start_run(**{**START, **change})
    assert words in str(error.value)


def test_a_member_that_the_model_does_not_know_is_refused(service: HealthOmics) -> None:
    response = service.handle("POST", "/run", "", b'{"roleArn":"arn:x","outputUri":"s3://b","requestId":"r","extra":1}')
    assert response
    assert response.status == 400
    assert b"Value at 'extra' failed to satisfy constraint: Member is not known" in response.body


def test_a_known_token_replays_conflicts_or_is_forgotten(client: "OmicsClient", service: HealthOmics) -> None:
    first = client.start_run(**START)
    assert client.start_run(**START)["id"] == first["id"]
    service.settings.token = Token.CONFLICT
    with pytest.raises(ClientError) as error:
        client.start_run(**START)
    assert code(error) == "ConflictException"
    service.settings.token_remembered = 60
    service.clock.advance(61)
    assert client.start_run(**START)["id"] != first["id"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (CancelOfFinished.CONFLICT, "ConflictException"),
        (CancelOfFinished.VALIDATION, "ValidationException"),
        (CancelOfFinished.NOT_FOUND, "ResourceNotFoundException"),
    ],
)
def test_cancelling_a_finished_run_is_refused_as_set(
    client: "OmicsClient", service: HealthOmics, how: CancelOfFinished, expected: str
) -> None:
    run = client.start_run(**START)
    service.end(run["id"], "COMPLETED")
    service.settings.cancel_of_finished = how
    with pytest.raises(ClientError) as error:
        client.cancel_run(id=run["id"])
    assert code(error) == expected


def test_start_run_has_a_quota(client: "OmicsClient", service: HealthOmics) -> None:
    service.settings.start_rate = 0.001
    client.start_run(**START)
    with pytest.raises(ClientError) as error:
        client.start_run(**{**START, "requestId": "other"})
    assert code(error) == "ThrottlingException"


def test_runs_are_listed_by_name_in_pages_and_without_tags(client: "OmicsClient") -> None:
    for index in range(12):
        client.start_run(**{**START, "requestId": str(index), "tags": {"a": "b"}})
    client.start_run(**{**START, "requestId": "x", "name": "other"})
    pages = list(client.get_paginator("list_runs").paginate(name="n"))
    items = [item for page in pages for item in page["items"]]
    assert len(pages) > 1
    assert len({item["id"] for item in items}) == 12
    assert all("tags" not in item for item in items)


def test_tags_are_added_read_and_removed(client: "OmicsClient") -> None:
    run = client.start_run(**{**START, "tags": {"a": "1"}})
    client.tag_resource(resourceArn=run["arn"], tags={"b": "2"})
    client.untag_resource(resourceArn=run["arn"], tagKeys=["a"])
    assert client.list_tags_for_resource(resourceArn=run["arn"])["tags"] == {"b": "2"}
    assert client.get_run(id=run["id"])["tags"] == {"b": "2"}


def test_a_token_that_list_runs_did_not_give_is_refused(client: "OmicsClient") -> None:
    with pytest.raises(ClientError, match="startingToken 'next' is none that ListRuns gave") as error:
        client.list_runs(startingToken="next")
    assert code(error) == "ValidationException"


@pytest.mark.parametrize(("part", "other"), [(":run/", ":workflow/"), ("123456789012", "999999999999")])
def test_tags_of_another_resource_with_a_runs_id_are_not_the_runs(client: "OmicsClient", part: str, other: str) -> None:
    run = client.start_run(**START)
    with pytest.raises(ClientError) as error:
        client.tag_resource(resourceArn=run["arn"].replace(part, other), tags={"a": "1"})
    assert code(error) == "ResourceNotFoundException"
    assert client.get_run(id=run["id"])["tags"] == {}


def test_the_journal_tells_which_run_each_call_was_about(client: "OmicsClient", service: HealthOmics) -> None:
    run = client.start_run(**START)
    client.get_run(id=run["id"])
    client.tag_resource(resourceArn=run["arn"], tags={"a": "1"})
    client.list_runs()
    with pytest.raises(ClientError):
        client.cancel_run(id="404")
    service.faults.order(Fault("GetRun", Kind.DROP_BEFORE))
    with pytest.raises(ConnectionClosedError):
        client.get_run(id=run["id"])
    assert [(call.operation, call.status, call.run_id) for call in service.journal] == [
        ("StartRun", 201, run["id"]),
        ("GetRun", 200, run["id"]),
        ("TagResource", 204, run["id"]),
        ("ListRuns", 200, None),
        ("CancelRun", 404, "404"),
        ("GetRun", 0, run["id"]),
    ]


@pytest.mark.parametrize(
    ("kind", "status", "expected", "words"),
    [
        (Kind.THROTTLING, 429, "ThrottlingException", "Rate exceeded"),
        (Kind.INTERNAL, 500, "InternalServerException", "Internal server error"),
        (Kind.TIMEOUT, 408, "RequestTimeoutException", "timed out"),
        (
            Kind.ACCESS_DENIED,
            403,
            "AccessDeniedException",
            "is not authorized to perform: omics:StartRun on resource: arn:aws:omics:us-east-1:123456789012:run/*",
        ),
        (Kind.ROLE_NOT_ASSUMABLE, 400, "ValidationException", "cannot assume the role"),
    ],
)
def test_a_fault_is_answered_as_the_service_would_and_then_it_is_over(
    client: "OmicsClient", service: HealthOmics, kind: Kind, status: int, expected: str, words: str
) -> None:
    service.faults.order(Fault("StartRun", kind))
    with pytest.raises(ClientError) as error:
        client.start_run(**START)
    assert code(error) == expected
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert words in str(error.value)
    assert service.runs() == []
    assert client.start_run(**START)["id"]


def test_a_fault_that_nothing_could_meet_is_refused(service: HealthOmics) -> None:
    with pytest.raises(ValueError, match="StartRuns: no such operation; there are StartRun, GetRun"):
        service.faults.order(Fault("StartRuns", Kind.INTERNAL))


def test_the_id_of_a_deleted_run_may_be_used_again(client: "OmicsClient", service: HealthOmics) -> None:
    run = client.start_run(**START)
    service.end(run["id"], "COMPLETED")
    client.delete_run(id=run["id"])
    with pytest.raises(ClientError) as error:
        client.get_run(id=run["id"])
    assert code(error) == "ResourceNotFoundException"
    service.reuse_id(run["id"])
    again = client.start_run(**{**START, "requestId": "other"})
    assert again["id"] == run["id"]
    assert again["uuid"] != run["uuid"]
    assert client.start_run(**START)["uuid"] == run["uuid"], "a token stands for its own run, not for its id"


@pytest.mark.parametrize(("kind", "runs"), [(Kind.DROP_BEFORE, 0), (Kind.DROP_AFTER, 1)])
def test_a_lost_connection_is_really_lost(client: "OmicsClient", service: HealthOmics, kind: Kind, runs: int) -> None:
    service.faults.order(Fault("StartRun", kind))
    with pytest.raises(ConnectionClosedError):
        client.start_run(**START)
    assert len(service.runs()) == runs


@pytest.mark.parametrize(("kind", "runs"), [(Kind.HANG_BEFORE, 0), (Kind.HANG_AFTER, 1)])
def test_a_hanging_connection_really_hangs(client: "OmicsClient", service: HealthOmics, kind: Kind, runs: int) -> None:
    service.faults.order(Fault("StartRun", kind, hang=1.0))
    with pytest.raises(ReadTimeoutError):
        client.start_run(**START)
    assert len(service.runs()) == runs


def test_a_setting_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="volume: no such setting; there are token, token_remembered, token_ends"):
        Settings().change({"volume": 11})
