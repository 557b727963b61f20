"""Batches: the real handler in a process of its own against HealthOmics over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cdk_healthomics_handler.names import BATCH_TYPE, LINK_TYPE, BatchAttribute, OwnershipTag
from local_aws.healthomics import Kind
from local_aws.healthomics.batch import StoredBatch
from local_aws.healthomics.tasks import Order
from tests.events import ROLE_ARN, STACK_ID
from tests.lifecycle.stage import Stage, staged

SETTINGS = [{"runSettingId": f"NA1287{number}", "priority": number, "runTags": {"sex": "f"}} for number in range(4)]
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "WorkflowId": "1234567",
    "RoleArn": ROLE_ARN,
    "OutputUri": "s3://bucket/cohort",
    "Priority": "5",
    "Parameters": '{"ref":"s3://bucket/ref.fa"}',
    "Tags": {"project": "1000G", "owner": "me"},
    "RunTags": {"owner": "you"},
    "InlineSettings": json.dumps(SETTINGS),
}
WAITING = {**PROPERTIES, "WaitFor": "COMPLETED"}
CHANGED = {**PROPERTIES, "Priority": "6"}
IN_SHORT = {**PROPERTIES, "ServiceTimeout": "4"}
BATCH: dict[str, Any] = {"ResourceType": BATCH_TYPE}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(batch_creating=0.3, batch_pending=0.1) as stage:
        yield stage


def batches(stage: Stage) -> list[StoredBatch]:
    return stage.service.batches()


def active(stage: Stage) -> list[str]:
    return [run.id for run in stage.service.active()]


def settled(stage: Stage) -> None:
    """Wait until the newest batch has runs."""
    stage.until(lambda: batches(stage)[-1].status == "INPROGRESS")


def test_create_starts_a_batch_in_one_call_and_answers_every_attribute(stage: Stage) -> None:
    answer = stage.do("Create", PROPERTIES, **BATCH)
    (batch,) = batches(stage)
    assert [call.operation for call in stage.service.journal] == ["StartRunBatch"]
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert answer["PhysicalResourceId"] == f"{batch.id}/{batch.uuid}"
    assert answer["Data"] == {
        "BatchId": batch.id,
        "BatchArn": batch.arn,
        "BatchUuid": batch.uuid,
        "Status": "CREATING",
        "TotalRuns": "",
        "FailedRuns": "",
    }
    assert set(answer["Data"]) == set(BatchAttribute)
    assert batch.request["batchName"] == "Genomes-VariantCalling4F2A"
    assert batch.request["batchRunSettings"] == {"inlineSettings": SETTINGS}
    default = batch.request["defaultRunSetting"]
    assert default["priority"] == 5
    assert default["parameters"] == {"ref": "s3://bucket/ref.fa"}
    assert default["runTags"] == {"project": "1000G", "owner": "you", OwnershipTag.STACK_ID: STACK_ID}
    assert batch.tags.items() >= {"project": "1000G", "owner": "me", OwnershipTag.STACK_ID: STACK_ID}.items()


def test_a_create_that_is_delivered_twice_starts_one_batch(stage: Stage) -> None:
    event = stage.event("Create", PROPERTIES, **BATCH)
    stage.deliver(event)
    stage.deliver(event)
    assert len(batches(stage)) == 1
    assert len({answer["PhysicalResourceId"] for answer in stage.answers(event)}) == 1


def test_a_create_whose_answer_is_lost_has_one_batch(stage: Stage) -> None:
    stage.fault("StartRunBatch", Kind.DROP_AFTER)
    stage.create(PROPERTIES, **BATCH)
    assert len(batches(stage)) == 1


def test_a_change_of_tags_keeps_the_batch(stage: Stage) -> None:
    physical_id = stage.create(PROPERTIES, **BATCH)
    after = {**PROPERTIES, "Tags": {"project": "2000G"}}
    answer = stage.do("Update", after, PhysicalResourceId=physical_id, OldResourceProperties=PROPERTIES, **BATCH)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    (batch,) = batches(stage)
    own = {key: value for key, value in batch.tags.items() if not key.startswith("cdk-healthomics:")}
    assert own == {"project": "2000G"}


@pytest.mark.parametrize(
    "change",
    [{"Priority": "6"}, {"RunTags": {"owner": "she"}}, {"InlineSettings": json.dumps(SETTINGS[1:])}],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_what_defines_it_starts_a_new_batch_and_the_cleanup_cancels_the_old(
    stage: Stage, change: dict[str, Any]
) -> None:
    old = stage.create(PROPERTIES, **BATCH)
    settled(stage)
    after = {**PROPERTIES, **change}
    answer = stage.do("Update", after, PhysicalResourceId=old, OldResourceProperties=PROPERTIES, **BATCH)
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert answer["PhysicalResourceId"] != old
    assert stage.do("Delete", PROPERTIES, PhysicalResourceId=old, **BATCH)["Status"] == "SUCCESS"
    assert batches(stage)[0].status == "CANCELLED"
    settled(stage)
    assert len(active(stage)) == len(json.loads(after["InlineSettings"]))


def test_a_rollback_goes_back_to_the_batch_it_had(stage: Stage) -> None:
    old = stage.create(PROPERTIES, **BATCH)
    new = stage.do("Update", CHANGED, PhysicalResourceId=old, OldResourceProperties=PROPERTIES, **BATCH)
    back = stage.do(
        "Update",
        PROPERTIES,
        PhysicalResourceId=new["PhysicalResourceId"],
        OldResourceProperties=CHANGED,
        **BATCH,
    )
    assert back["PhysicalResourceId"] == old
    stage.do("Delete", CHANGED, PhysicalResourceId=new["PhysicalResourceId"], **BATCH)
    assert len(batches(stage)) == 2
    settled_ids = [batch.id for batch in batches(stage) if batch.status not in {"STOPPING", "CANCELLED"}]
    assert settled_ids == [old.partition("/")[0]]


@pytest.mark.parametrize(
    ("status", "so"),
    [
        ("CREATING", {}),
        ("PENDING", {"batch_pending": 3600.0}),
        ("SUBMITTING", {"start_rate": 1.0}),
        ("INPROGRESS", {}),
        ("STOPPING", {"stopping": 0.5}),
        ("CANCELLED", {}),
        ("PROCESSED", {"running": 0.05}),
    ],
)
def test_delete_leaves_no_active_run_in_whichever_status_the_batch_is(status: str, so: dict[str, Any]) -> None:
    with staged(**{"batch_creating": 0.3, "batch_pending": 0.1, **so}) as stage:
        physical_id = stage.create(PROPERTIES, **BATCH)
        (batch,) = batches(stage)
        if status in {"STOPPING", "CANCELLED"}:
            settled(stage)
            stage.service.handle("POST", "/runBatch/cancel", "", json.dumps({"batchId": batch.id}).encode())
        stage.until(lambda: batches(stage)[0].status == status)
        answer = stage.do("Delete", PROPERTIES, PhysicalResourceId=physical_id, **BATCH)
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        assert batches(stage)[0].status == ("PROCESSED" if status == "PROCESSED" else "CANCELLED")
        assert not active(stage)


def test_delete_cancels_one_by_one_the_runs_that_their_batch_could_not(stage: Stage) -> None:
    physical_id = stage.create(PROPERTIES, **BATCH)
    settled(stage)
    stage.service.refuse_next("CancelRun", times=3)
    answer = stage.do("Delete", PROPERTIES, PhysicalResourceId=physical_id, **BATCH)
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert stage.calls("CancelRun") == 3
    assert not active(stage)


def test_a_delete_that_is_out_of_time_is_gone_on_with_by_the_next(stage: Stage) -> None:
    physical_id = stage.create(PROPERTIES, **BATCH)
    settled(stage)
    stage.service.refuse_next("CancelRun", times=3)
    stage.fault("CancelRun", Kind.THROTTLING, times=10_000)
    answer = stage.do("Delete", IN_SHORT, PhysicalResourceId=physical_id, **BATCH)
    assert answer["Status"] == "FAILED"
    assert "is CANCELLED, but not all of its runs after" in answer["Reason"]
    assert len(active(stage)) == 3
    stage.service.faults.clear()
    assert stage.do("Delete", PROPERTIES, PhysicalResourceId=physical_id, **BATCH)["Status"] == "SUCCESS"
    assert not active(stage)


def test_delete_of_a_batch_that_stays_creating_says_so() -> None:
    with staged(batch_creating=3600.0) as stage:
        physical_id = stage.create(PROPERTIES, **BATCH)
        answer = stage.do("Delete", IN_SHORT, PhysicalResourceId=physical_id, **BATCH)
        assert answer["Status"] == "FAILED"
        assert "cannot be cancelled: it was still CREATING after" in answer["Reason"]


def test_a_retained_batch_goes_on(stage: Stage) -> None:
    kept = {**PROPERTIES, "RemovalPolicy": "Retain"}
    physical_id = stage.create(kept, **BATCH)
    settled(stage)
    assert stage.do("Delete", kept, PhysicalResourceId=physical_id, **BATCH)["Status"] == "SUCCESS"
    assert len(active(stage)) == len(SETTINGS)


def test_delete_of_a_batch_whose_id_belongs_to_another_by_now_leaves_that_one(stage: Stage) -> None:
    physical_id = stage.create(PROPERTIES, **BATCH)
    stage.do("Delete", PROPERTIES, PhysicalResourceId=physical_id, **BATCH)
    batch_id = batches(stage)[0].id
    stage.service.handle("DELETE", f"/runBatch/{batch_id}", "", b"")
    stage.service.reuse_id(batch_id)
    stage.create(PROPERTIES, LogicalResourceId="Other", **BATCH)
    settled(stage)
    again = stage.do("Delete", PROPERTIES, PhysicalResourceId=physical_id, **BATCH)
    assert (again["Status"], batches(stage)[-1].id) == ("SUCCESS", batch_id)
    assert len(active(stage)) == len(SETTINGS)


def test_delete_of_a_batch_that_is_gone_and_denied_is_decided_by_the_list() -> None:
    with staged(missing_is_denied=True) as stage:
        answer = stage.do("Delete", PROPERTIES, PhysicalResourceId="7999999/some-uuid", **BATCH)
        assert answer["Status"] == "SUCCESS", answer["Reason"]


def test_delete_of_a_lost_batch_finds_and_cancels_it(stage: Stage) -> None:
    stage.create(PROPERTIES, **BATCH)
    settled(stage)
    stage.cloudformation.named.clear()  # the answer to its Create was never heard of
    answer = stage.do("Delete", PROPERTIES, PhysicalResourceId="unknown", **BATCH)
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert not active(stage)


def test_delete_leaves_the_batch_of_another_resource(stage: Stage) -> None:
    mine = stage.create(PROPERTIES, **BATCH)
    stage.create(PROPERTIES, LogicalResourceId="Other", **BATCH)
    settled(stage)
    stage.do("Delete", PROPERTIES, PhysicalResourceId=mine, **BATCH)
    assert len(active(stage)) == len(SETTINGS)


def waited(stage: Stage, properties: dict[str, Any]) -> dict[str, Any]:
    """The answer to a Create that waits."""
    event = stage.event("Create", properties, **BATCH)
    stage.deliver(event)

    def answered() -> bool:
        stage.minute()
        return bool(stage.answers(event))

    stage.until(answered, limit=30)
    return stage.answer(event)


def test_a_batch_is_waited_for_until_it_is_processed() -> None:
    with staged(batch_creating=0.3, batch_pending=0.1, running=0.2) as stage:
        answer = waited(stage, WAITING)
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        assert answer["Data"]["Status"] == "PROCESSED"
        assert (answer["Data"]["TotalRuns"], answer["Data"]["FailedRuns"]) == ("4", "0")


@pytest.mark.parametrize(("may_fail", "status"), [("2", "SUCCESS"), ("1", "FAILED")])
def test_so_many_runs_may_fail_or_not_be_submitted(may_fail: str, status: str) -> None:
    with staged(batch_creating=0.3, batch_pending=0.1, running=0.2) as stage:
        stage.service.refuse_next("StartRun", times=2)
        answer = waited(stage, {**WAITING, "MaxFailedRuns": may_fail})
        assert answer["Status"] == status, answer["Reason"]
        if status == "FAILED":
            assert "2 of its 4 runs failed" in answer["Reason"]
            told = "NA12870 could not be submitted: AccessDeniedException: The role may not do this."
            assert f"{told} {told.replace('70', '71')}" in answer["Reason"]


def test_the_reason_names_the_first_runs_that_failed_with_their_tasks_and_how_many_more() -> None:
    with staged(batch_creating=0.3, batch_pending=0.1, running=0.2) as stage:
        stage.service.tasks_of_next(Order("align", running=0.1, fails=("TASK_OOM", "Killed")))
        for _ in SETTINGS:
            stage.service.fail_next()
        reason = waited(stage, WAITING)["Reason"]
    (batch,), runs = batches(stage), stage.service.runs()
    assert reason.startswith(f"Batch {batch.id} is PROCESSED. 4 of its 4 runs failed, were cancelled or could not be ")
    for run, setting in zip(runs[:3], SETTINGS, strict=False):
        assert f"{setting['runSettingId']} (run {run.id}) is FAILED: RUN_TASK_FAILED: Task main exited" in reason
    assert reason.count("Task align failed: TASK_OOM: Killed (log stream run/") == 1
    assert reason.endswith("And 1 more.")


@pytest.mark.parametrize("operation", ["ListRunsInBatch", "ListRuns", "GetRun", "ListRunTasks"])
def test_what_cannot_be_read_of_failed_runs_is_left_out_of_the_reason(operation: str) -> None:
    with staged(batch_creating=0.3, batch_pending=0.1, running=0.2) as stage:
        for _ in SETTINGS:
            stage.service.fail_next()
        stage.fault(operation, Kind.FORBIDDEN)
        answer = waited(stage, WAITING)
    assert answer["Status"] == "FAILED"
    assert "4 of its 4 runs failed, were cancelled or could not be submitted." in answer["Reason"]


def test_a_batch_that_fails_at_its_submission_is_told_with_its_reason(stage: Stage) -> None:
    stage.service.fail_next_batch("ETAG", "s3UriConfigs have changed since calling StartRunBatch")
    answer = waited(stage, WAITING)
    assert answer["Status"] == "FAILED"
    assert "is FAILED: s3UriConfigs have changed since calling StartRunBatch." in answer["Reason"]
    assert stage.do("Delete", WAITING, PhysicalResourceId=answer["PhysicalResourceId"], **BATCH)["Status"] == "SUCCESS"


def test_a_link_waits_on_for_the_batch(stage: Stage) -> None:
    physical_id = stage.create(PROPERTIES, **BATCH)
    settled(stage)
    link = {
        "ServiceToken": PROPERTIES["ServiceToken"],
        "Batch": physical_id,
        "WaitFor": "COMPLETED",
        "ServiceTimeout": "3600",
        "Until": "7200",
        "Timeout": "7200",
    }
    event = stage.event("Create", link, ResourceType=LINK_TYPE, LogicalResourceId="Link")
    stage.deliver(event)
    stage.minute()
    assert not stage.answers(event)
    stage.service.settings.change({"running": 0.0})
    stage.until(lambda: batches(stage)[0].status == "PROCESSED")
    stage.minute()
    answer = stage.answer(event)
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    assert (answer["Data"]["Status"], answer["Data"]["TotalRuns"]) == ("PROCESSED", "4")
    assert [call.operation for call in stage.service.journal if call.operation.startswith("Start")] == ["StartRunBatch"]
