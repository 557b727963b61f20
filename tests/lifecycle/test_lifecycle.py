"""The healthy ways of a run, the real handler in a process of its own against HealthOmics over HTTP."""

import json
from typing import Any

from cdk_healthomics_handler.names import Attribute
from tests.events import PROPERTIES
from tests.lifecycle.stage import Stage, stack_id_of

CHANGED = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}


def test_create_starts_a_run_in_one_call_and_answers_every_attribute(stage: Stage) -> None:
    properties = {
        **PROPERTIES,
        "Priority": "5",
        "Tags": {"project": "1000G"},
        "Parameters": json.dumps({"seed": 2**53 + 1, "half": 1.0, "no": None, "yes": True, "nested": {"a": [1, "1"]}}),
    }
    answer = stage.do("Create", properties)
    (run,) = stage.service.active()
    assert [call.operation for call in stage.service.journal] == ["StartRun"]
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == f"{run.id}/{run.uuid}"
    assert answer["Data"] == {
        "RunId": run.id,
        "RunArn": run.arn,
        "RunUuid": run.uuid,
        "RunOutputUri": f"s3://bucket/runs/{run.id}",
        "Status": "PENDING",
        "ConsoleUrl": f"https://us-east-1.console.aws.amazon.com/omics/home?region=us-east-1#/runs/{run.id}",
        "StartedAt": "",
        "StoppedAt": "",
        "DurationSeconds": "",
    }
    assert set(answer["Data"]) == set(Attribute)
    assert run.request["priority"] == 5
    assert json.dumps(run.request["parameters"]) == properties["Parameters"]
    assert run.tags["project"] == "1000G"


def test_delete_cancels_the_run_in_three_calls_sees_that_no_other_is_left_and_waits_until_it_has_stopped(
    stage: Stage,
) -> None:
    physical_id = stage.create()
    stage.service.journal.clear()
    answer = stage.do("Delete", PhysicalResourceId=physical_id)
    assert answer["Status"] == "SUCCESS"
    assert [run.status for run in stage.service.runs()][-1] == "CANCELLED"
    operations = [call.operation for call in stage.service.journal]
    assert operations[:2] == ["GetRun", "CancelRun"]
    assert set(operations[2:]) <= {"ListRuns", "GetRun"}
    assert operations.count("ListRuns") == 1


def test_a_change_of_tags_keeps_the_run(stage: Stage) -> None:
    before = {**PROPERTIES, "Tags": {"keep": "1", "drop": "1"}}
    physical_id = stage.create(before)
    after = {**PROPERTIES, "Tags": {"keep": "2", "new": "1"}}
    answer = stage.do("Update", after, PhysicalResourceId=physical_id, OldResourceProperties=before)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == physical_id
    assert set(answer["Data"]) == set(Attribute)
    (run,) = stage.service.active()
    own = {key: value for key, value in run.tags.items() if not key.startswith("cdk-healthomics:")}
    assert own == {"keep": "2", "new": "1"}


def replace(stage: Stage, physical_id: str, after: dict[str, Any], before: Any = PROPERTIES) -> str:
    answer = stage.do("Update", after, PhysicalResourceId=physical_id, OldResourceProperties=before)
    assert answer["Status"] == "SUCCESS", answer["Reason"]
    return str(answer["PhysicalResourceId"])


def test_a_change_of_parameters_starts_a_new_run_and_the_cleanup_cancels_the_old(stage: Stage) -> None:
    old = stage.create()
    new = replace(stage, old, CHANGED)
    assert new != old
    assert len(stage.service.active()) == 2
    assert stage.do("Delete", PhysicalResourceId=old)["Status"] == "SUCCESS"
    assert [f"{run.id}/{run.uuid}" for run in stage.service.active()] == [new]


def test_a_to_b_to_a_starts_a_new_run_each_time(stage: Stage) -> None:
    first = stage.create()
    stage.service.end(first.partition("/")[0], "COMPLETED")
    second = replace(stage, first, CHANGED)
    stage.do("Delete", PhysicalResourceId=first)
    third = replace(stage, second, dict(PROPERTIES), CHANGED)
    assert len({first, second, third}) == 3


def test_a_resource_that_is_removed_and_added_again_gets_a_new_run(stage: Stage) -> None:
    first = stage.create()
    stage.do("Delete", PhysicalResourceId=first)
    assert stage.create() != first
    assert len(stage.service.active()) == 1


def test_stacks_with_the_same_logical_id_do_not_share_a_run(stage: Stage) -> None:
    one = stage.create()
    other = stage.create(StackId=stack_id_of("Exomes"))
    assert one != other
    stage.do("Delete", PhysicalResourceId=one)
    assert [f"{run.id}/{run.uuid}" for run in stage.service.active()] == [other]


def test_a_rollback_after_a_failed_update_keeps_the_run(stage: Stage) -> None:
    physical_id = stage.create()
    refused = {**CHANGED, "LogLevel": "LOUD"}
    failed = stage.do("Update", refused, PhysicalResourceId=physical_id, OldResourceProperties=PROPERTIES)
    assert failed["Status"] == "FAILED"
    assert failed["PhysicalResourceId"] == physical_id
    assert "Value at 'logLevel' failed to satisfy constraint" in failed["Reason"]
    back = stage.do("Update", PhysicalResourceId=physical_id, OldResourceProperties=refused)
    assert back["PhysicalResourceId"] == physical_id
    assert len(stage.service.active()) == 1


def test_a_rollback_after_a_replacement_adopts_the_original_and_the_new_one_is_cancelled(stage: Stage) -> None:
    original = stage.create()
    new = replace(stage, original, CHANGED)
    back = stage.do("Update", PhysicalResourceId=new, OldResourceProperties=CHANGED)
    assert back["PhysicalResourceId"] == original
    assert stage.do("Delete", CHANGED, PhysicalResourceId=new)["Status"] == "SUCCESS"
    assert [f"{run.id}/{run.uuid}" for run in stage.service.active()] == [original]
    assert stage.calls("StartRun") == 2


def test_what_the_service_refuses_reaches_the_person_in_its_own_words(stage: Stage) -> None:
    stage.service.settings.unknown_workflows = frozenset({"404"})
    answer = stage.do("Create", {**PROPERTIES, "WorkflowId": "404"})
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("StartRun was refused: ResourceNotFoundException: Workflow 404 does not exist")
    assert answer["PhysicalResourceId"] == f"none-{answer['RequestId']}"
    assert stage.service.active() == []


def test_properties_of_the_wrong_type_start_nothing(stage: Stage) -> None:
    answer = stage.do("Create", {**PROPERTIES, "Priority": "high"})
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "Priority: must be a whole number (ValueError)."
    assert stage.calls("StartRun") == 0


def test_logs_tell_the_decisions_and_hold_no_secret_of_the_request(stage: Stage) -> None:
    stage.logs.clear()
    secret = {
        **PROPERTIES,
        "Parameters": '{"patient":"Jane Roe"}',
        "EngineSettings": '{"key":"opensesame"}',
        "SessionPolicy": '{"Version":"2012-10-17","Statement":[],"Id":"topsecret"}',
        "Tags": {"patient": "John Doe"},
    }
    physical_id = stage.create(secret)
    stage.do("Update", {**secret, "Tags": {}}, PhysicalResourceId=physical_id, OldResourceProperties=secret)
    stage.do("Create", {**secret, "LogLevel": "Jane Roe"})
    stage.do("Delete", secret, PhysicalResourceId=physical_id)
    log = "".join(stage.logs)
    lines = [json.loads(line) for line in log.splitlines()]
    decisions = [line for line in lines if isinstance(line["message"], dict) and "decision" in line["message"]]
    assert {"Start", "Tag", "Cancel", "Answer"} <= {line["message"]["decision"] for line in decisions}
    assert all(line["LogicalResourceId"] and line["RequestId"] and line["StackId"] for line in decisions)
    for word in ("Jane Roe", "John Doe", "opensesame", "topsecret", "X-Amz", "/answers/"):
        assert word not in log, word
