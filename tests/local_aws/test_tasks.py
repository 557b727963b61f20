"""The tasks of the local HealthOmics' runs, through the real client over HTTP."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_aws.healthomics import Fault, HealthOmics, Kind, Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_omics import OmicsClient

START: dict[str, Any] = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b/r", "requestId": "t", "name": "n"}
QUEUE = 15.0
"""Seconds until a run is RUNNING."""


def started(client: "OmicsClient", service: HealthOmics, *orders: Order) -> str:
    service.tasks_of_next(*orders)
    return client.start_run(**START)["id"]


def listed(client: "OmicsClient", run_id: str, **asked: Any) -> dict[str, str]:
    pages = client.get_paginator("list_run_tasks").paginate(id=run_id, **asked)
    return {task["name"]: task["status"] for page in pages for task in page["items"]}


def refused(call: Any, **asked: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        call(**asked)
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_tasks_start_run_end_and_are_cached_while_their_run_runs(client: "OmicsClient", service: HealthOmics) -> None:
    run_id = started(
        client,
        service,
        Order("align", starting=5, running=60),
        Order("known", cached=True),
        Order("sort", after=70, fails=("TASK_OOM", "Killed")),
    )
    assert listed(client, run_id) == {}
    service.clock.advance(QUEUE)
    assert listed(client, run_id) == {"align": "STARTING", "known": "COMPLETED"}
    service.clock.advance(5)
    assert listed(client, run_id) == {"align": "RUNNING", "known": "COMPLETED"}
    service.clock.advance(60)
    assert listed(client, run_id) == {"align": "COMPLETED", "known": "COMPLETED"}
    service.clock.advance(70)
    assert listed(client, run_id)["sort"] == "FAILED"
    assert listed(client, run_id, status="FAILED") == {"sort": "FAILED"}
    assert client.get_run(id=run_id)["status"] == "RUNNING"


def test_a_task_is_shown_whole_by_its_id_and_in_part_in_a_list(client: "OmicsClient", service: HealthOmics) -> None:
    run_id = started(client, service, Order("sort", fails=("TASK_OOM", "Killed")))
    service.clock.advance(9999)
    (item,) = client.list_run_tasks(id=run_id)["items"]
    task = client.get_run_task(id=run_id, taskId=item["taskId"])
    assert (task["failureReason"], task["statusMessage"]) == ("TASK_OOM", "Killed")
    assert task["logStream"].endswith(
        f":log-group:/aws/omics/WorkflowLog:log-stream:run/{run_id}/task/{task['taskId']}"
    )
    assert (task["stopTime"] - task["startTime"]).total_seconds() == 60
    assert {"failureReason", "statusMessage", "logStream"} & item.keys() == set()
    assert (item["uuid"], item["cacheHit"], item["stopTime"]) == (task["uuid"], False, task["stopTime"])


@pytest.mark.parametrize(
    ("end", "align", "sort"),
    [
        ("COMPLETED", "COMPLETED", "COMPLETED"),
        ("FAILED", "CANCELLED", "FAILED"),
        ("CANCELLED", "CANCELLED", "CANCELLED"),
    ],
)
def test_no_task_outlives_its_run(client: "OmicsClient", service: HealthOmics, end: str, align: str, sort: str) -> None:
    fails = ("TASK_OOM", "Killed")
    run_id = started(client, service, Order("align"), Order("sort", fails=fails), Order("call", after=3000))
    service.clock.advance(QUEUE + 1)
    service.tick()
    service.end(run_id, end)
    service.clock.advance(9999)
    assert listed(client, run_id) == {"align": align, "sort": sort}
    assert all("stopTime" in task for task in client.list_run_tasks(id=run_id)["items"])


def test_what_has_failed_a_run_that_never_ran_is_shown(client: "OmicsClient", service: HealthOmics) -> None:
    run_id = started(client, service, Order("import", fails=("IMPORT_FAILED", "no such file")), Order("align"))
    service.end(run_id, "FAILED")
    assert listed(client, run_id) == {"import": "FAILED"}


def test_they_are_listed_in_pages_as_long_as_the_model_allows(client: "OmicsClient", service: HealthOmics) -> None:
    run_id = started(client, service, *(Order(f"shard-{index}") for index in range(112)))
    service.clock.advance(QUEUE)
    first = client.list_run_tasks(id=run_id, maxResults=100)
    rest = client.list_run_tasks(id=run_id, maxResults=100, startingToken=first["nextToken"])
    assert (len(first["items"]), len(rest["items"])) == (100, 12)
    assert "nextToken" not in rest
    assert len(listed(client, run_id)) == 112
    assert len(client.list_run_tasks(id=run_id)["items"]) < 100
    message = "less than or equal to 100"
    with pytest.raises(ClientError, match=message):
        client.list_run_tasks(id=run_id, maxResults=101)
    with pytest.raises(ClientError, match="startingToken 'next' is none that ListRunTasks gave"):
        client.list_run_tasks(id=run_id, startingToken="next")


def test_of_what_does_not_exist_nothing_is_shown(client: "OmicsClient", service: HealthOmics) -> None:
    run_id = started(client, service, Order("align"))
    assert refused(client.get_run_task, id=run_id, taskId="404") == ("ResourceNotFoundException", 404)
    assert refused(client.list_run_tasks, id="404") == ("ResourceNotFoundException", 404)
    service.end(run_id, "DELETED")
    assert refused(client.list_run_tasks, id=run_id) == ("ResourceNotFoundException", 404)
    service.clock.advance(QUEUE)
    other = client.start_run(**{**START, "requestId": "other"})["id"]
    assert listed(client, other) == {}, "the tasks were those of one run"


@pytest.mark.parametrize("operation", ["ListRunTasks", "GetRunTask"])
def test_they_have_quotas_and_meet_faults_like_any_call(
    client: "OmicsClient", service: HealthOmics, operation: str
) -> None:
    run_id = started(client, service, Order("align"))
    service.clock.advance(QUEUE)
    (task,) = client.list_run_tasks(id=run_id)["items"]
    calls: dict[str, Callable[[], object]] = {
        "ListRunTasks": lambda: client.list_run_tasks(id=run_id),
        "GetRunTask": lambda: client.get_run_task(id=run_id, taskId=task["taskId"]),
    }
    call = calls[operation]
    service.faults.order(Fault(operation, Kind.ACCESS_DENIED))
    assert refused(call) == ("AccessDeniedException", 403)
    service.monotonic = lambda: 0.0
    service.settings.quotas = {operation: 10.0}
    for _ in range(10):
        call()
    assert refused(call) == ("ThrottlingException", 429)
    assert service.journal[-1].run_id == run_id
