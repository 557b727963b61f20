"""The links that wait on after a run's own resource: over HTTP, with the real handler, whatever fails on the way."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cdk_healthomics_handler.names import LINK_TYPE, Attribute
from local_aws.healthomics import Kind
from local_aws.healthomics.runs import StoredRun
from local_aws.healthomics.service import Response
from tests.events import PROPERTIES
from tests.lifecycle.stage import Stage

HOUR = 3600
WAITING: Mapping[str, Any] = {
    **PROPERTIES,
    "ServiceTimeout": str(HOUR),
    "WaitFor": "COMPLETED",
    "Timeout": str(3 * HOUR),
}
CHANGED: Mapping[str, Any] = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}
SHORT = "3"
"""A ServiceTimeout of so many seconds is nearly over when the function begins."""


def link_of(physical_id: str, hours: int = 2, **changed: str) -> dict[str, Any]:
    told = {"ServiceToken": PROPERTIES["ServiceToken"], "ServiceTimeout": str(HOUR), "WaitFor": "COMPLETED"}
    ends = {"Run": physical_id, "Until": str(hours * HOUR), "Timeout": str(3 * HOUR)}
    return {**told, **ends, **changed}


def send(stage: Stage, request_type: str, asked: Mapping[str, Any], name: str = "Wait2Hours", **fields: Any) -> Any:
    event = stage.event(request_type, asked, LogicalResourceId=name, ResourceType=LINK_TYPE, **fields)
    assert stage.deliver(event)[-1].error is None
    return event


def started(stage: Stage) -> tuple[StoredRun, str]:
    """A run that its stack has started, and its physical id."""
    physical_id = stage.create()
    (run,) = stage.service.active()
    return run, physical_id


def replaced(stage: Stage, physical_id: str) -> str:
    """The physical id of the run that an Update starts in the place of another."""
    answer = stage.do("Update", CHANGED, PhysicalResourceId=physical_id, OldResourceProperties=PROPERTIES)
    return str(answer["PhysicalResourceId"])


def test_the_run_s_own_resource_hands_over_when_its_hour_is_nearly_over(stage: Stage) -> None:
    event = stage.event("Create", {**WAITING, "ServiceTimeout": SHORT})
    stage.deliver(event)
    answer = stage.answer(event)
    (run,) = stage.service.active()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", f"{run.id}/{run.uuid}")
    assert stage.eventbridge.rules() == []


class TestALink:
    def test_waits_until_its_run_has_completed(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id))
        stage.minute()
        assert stage.answers(event) == []
        stage.service.end(run.id, "COMPLETED")
        stage.minute()
        answer = stage.answer(event)
        assert answer["Status"] == "SUCCESS"
        assert answer["PhysicalResourceId"] == f"wait-{event['RequestId']}"
        assert set(answer["Data"]) == set(Attribute)
        assert stage.eventbridge.rules() == []

    def test_fails_when_its_run_fails_and_leaves_the_run_to_its_own_resource(self, stage: Stage) -> None:
        stage.service.fail_next("RUN_TASK_FAILED", "Task main exited with 1")
        run, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id))
        stage.service.end(run.id, "FAILED")
        stage.minute()
        answer = stage.answer(event)
        assert answer["Status"] == "FAILED"
        assert "RUN_TASK_FAILED: Task main exited with 1" in answer["Reason"]
        assert stage.calls("CancelRun") == 0
        assert stage.eventbridge.rules() == []

    def test_goes_on_to_the_next_when_its_own_hour_is_nearly_over(self, stage: Stage) -> None:
        _, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id, ServiceTimeout=SHORT))
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []

    def test_that_is_the_last_fails_when_the_time_is_over(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id, 3, ServiceTimeout=SHORT))
        why = f"Run {run.id} is still RUNNING, not COMPLETED, at the end of the 10800 s that CloudFormation waits. "
        assert stage.answer(event)["Reason"].startswith(why)
        assert stage.service.active() == [run]

    def test_that_is_deleted_while_it_waits_leaves_no_rule(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id))
        (late,) = stage.eventbridge.due()
        gone = send(stage, "Delete", link_of(physical_id), PhysicalResourceId=f"wait-{event['RequestId']}")
        assert stage.answer(gone)["Status"] == "SUCCESS"
        stage.send(late)
        assert stage.eventbridge.rules() == []
        assert stage.service.active() == [run]

    def test_waits_anew_when_its_run_was_replaced(self, stage: Stage) -> None:
        _, old = started(stage)
        first = send(stage, "Create", link_of(old))
        new = replaced(stage, old)
        fields: dict[str, Any] = {
            "PhysicalResourceId": f"wait-{first['RequestId']}",
            "OldResourceProperties": link_of(old),
        }
        event = send(stage, "Update", link_of(new), **fields)
        (due,) = stage.eventbridge.due()
        assert due["RequestId"] == event["RequestId"]
        stage.service.end(new.partition("/")[0], "COMPLETED")
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"

    def test_answers_at_once_when_its_run_was_gone_back_to(self, stage: Stage) -> None:
        _, old = started(stage)
        new = replaced(stage, old)
        back = stage.do("Update", PROPERTIES, PhysicalResourceId=new, OldResourceProperties=CHANGED)
        assert back["PhysicalResourceId"] == old
        fields: dict[str, Any] = {"PhysicalResourceId": "wait-1", "OldResourceProperties": link_of(new)}
        event = send(stage, "Update", link_of(old), **fields)
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []

    def test_answers_at_once_when_its_run_had_failed_before_it_was_kept(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        stage.service.end(run.id, "FAILED")
        tagged = {**PROPERTIES, "Tags": {"a": "1"}}
        stage.do("Update", tagged, PhysicalResourceId=physical_id, OldResourceProperties=PROPERTIES)
        assert stage.answer(send(stage, "Create", link_of(physical_id)))["Status"] == "SUCCESS"

    def test_beside_another_waits_for_its_own_time(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        two = [send(stage, "Create", link_of(physical_id), name) for name in ("OneWait2Hours", "OtherWait2Hours")]
        assert len(stage.eventbridge.rules()) == 2
        stage.service.end(run.id, "COMPLETED")
        stage.minute()
        assert [stage.answer(event)["Status"] for event in two] == ["SUCCESS", "SUCCESS"]
        assert stage.eventbridge.rules() == []


class TestWhateverFails:
    @pytest.mark.parametrize("kind", [Kind.THROTTLING, Kind.INTERNAL, Kind.DROP_AFTER, Kind.ACCESS_DENIED])
    def test_a_look_is_tried_again(self, stage: Stage, kind: Kind) -> None:
        run, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id))
        stage.service.end(run.id, "COMPLETED")
        stage.fault("GetRun", kind, times=2)
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"

    def test_the_event_arrives_twice(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        event = send(stage, "Create", link_of(physical_id))
        stage.deliver(event)
        assert len(stage.eventbridge.due()) == 1
        stage.service.end(run.id, "COMPLETED")
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []

    def test_event_bridge_refuses_its_target_and_a_later_delivery_leaves_no_rule(self, stage: Stage) -> None:
        run, physical_id = started(stage)
        refused = Response(400, {}, json.dumps({"__type": "ManagedRuleException", "message": "no"}).encode())
        stage.eventbridge.instead["PutTargets"] = [refused]
        event = send(stage, "Create", link_of(physical_id))
        assert stage.answer(event)["Status"] == "FAILED"
        stage.service.end(run.id, "COMPLETED")
        again = send(stage, "Create", link_of(physical_id), age=60.0)
        assert stage.answer(again)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []
