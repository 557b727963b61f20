"""A resource that waits for its run: through EventBridge, whatever fails, with nothing left behind."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cdk_healthomics_handler.names import Attribute
from local_aws.healthomics import Fault, Kind, Order
from local_aws.healthomics.runs import StoredRun
from local_aws.healthomics.service import Response
from tests.events import PROPERTIES
from tests.lifecycle.stage import Stage

WAITING: Mapping[str, Any] = {**PROPERTIES, "WaitFor": "COMPLETED"}
CHANGED: Mapping[str, Any] = {**WAITING, "Parameters": '{"sample_name":"NA12878","scatter":48}'}
LOGS = "Its logs are in log group /aws/omics/WorkflowLog, streams run/{0} and run/{0}/engine."
PAGE = "https://us-east-1.console.aws.amazon.com/omics/home?region=us-east-1#/runs/"
MADE_UP = "Genomes_VariantCalling_ABCD1234"
LOST = Response(0, {}, b"", Fault("PutRule", Kind.DROP_AFTER))
HUNG = Response(0, {}, b"", Fault("PutRule", Kind.HANG_AFTER, hang=0.5))


def refused(code: str) -> Response:
    return Response(400, {}, json.dumps({"__type": code, "message": "not now"}).encode())


def running(stage: Stage) -> StoredRun:
    (run,) = stage.service.active()
    return run


def begin(stage: Stage, request_type: str = "Create", properties: Mapping[str, Any] = WAITING, **fields: Any) -> Any:
    """A request whose run is waited for: nothing is answered yet."""
    event = stage.event(request_type, properties, **fields)
    assert stage.deliver(event)[-1].error is None
    assert stage.answers(event) == []
    return event


def end(stage: Stage, status: str = "COMPLETED") -> StoredRun:
    run = running(stage)
    stage.service.end(run.id, status)
    return run


class TestARunIsWaitedFor:
    def test_until_it_has_completed_and_no_rule_is_left(self, stage: Stage) -> None:
        event = begin(stage)
        stage.minute()
        assert stage.answers(event) == []
        run = end(stage)
        stage.minute()
        answer = stage.answer(event)
        assert answer["Status"] == "SUCCESS"
        assert answer["PhysicalResourceId"] == f"{run.id}/{run.uuid}"
        assert set(answer["Data"]) == set(Attribute)
        assert answer["Data"]["Status"] == "COMPLETED"
        assert answer["Data"]["RunOutputUri"] == f"s3://bucket/runs/{run.id}"
        assert answer["Data"]["ConsoleUrl"] == f"{PAGE}{run.id}"
        began = run.when("RUNNING")  # it may have ended before
        assert answer["Data"]["StartedAt"] == (f"{began:%Y-%m-%dT%H:%M:%SZ}" if began else "")
        assert answer["Data"]["StoppedAt"] == f"{datetime.fromtimestamp(run.since, UTC):%Y-%m-%dT%H:%M:%SZ}"
        assert stage.eventbridge.rules() == []
        assert stage.eventbridge.calls == ["PutRule", "PutTargets", "RemoveTargets", "DeleteRule"]
        assert [call.operation for call in stage.service.journal] == ["StartRun", "GetRun", "GetRun"]
        assert "X-Amz-Date" not in "".join(stage.logs)
        assert "NA12878" not in "".join(stage.logs)

    def test_and_no_look_asks_cloudformation_anything(self, stage: Stage) -> None:
        event = begin(stage)
        stage.cloudformation.refuses = True
        stage.minute()
        end(stage)
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.cloudformation.asked == 0

    def test_until_it_runs(self, stage: Stage) -> None:
        event = begin(stage, properties={**PROPERTIES, "WaitFor": "RUNNING"})
        run = running(stage)
        stage.until(lambda: next(each.status for each in stage.service.runs() if each.id == run.id) == "RUNNING")
        stage.minute()
        assert stage.answer(event)["Data"]["Status"] == "RUNNING"
        assert stage.eventbridge.rules() == []

    def test_whatever_the_size_of_its_parameters_and_the_length_of_its_id(self, stage: Stage) -> None:
        document = json.dumps({"sample": "x" * 49_900})
        event = begin(stage, properties={**WAITING, "Parameters": document}, LogicalResourceId="L" * 255)
        event["ResponseURL"] += "&X-Amz-Security-Token=" + "s" * 2500
        stage.send(event)
        (poll,) = stage.eventbridge.due()
        assert "Parameters" not in poll["ResourceProperties"]
        end(stage)
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []

    def test_when_an_update_has_replaced_it(self, stage: Stage) -> None:
        first = stage.create()
        old = running(stage)
        event = begin(stage, "Update", CHANGED, PhysicalResourceId=first, OldResourceProperties=WAITING)
        (new,) = (run for run in stage.service.active() if run.id != old.id)
        stage.service.end(new.id, "COMPLETED")
        stage.minute()
        answer = stage.answer(event)
        assert answer["Status"] == "SUCCESS"
        assert answer["PhysicalResourceId"] == f"{new.id}/{new.uuid}"

    def test_when_only_the_waiting_has_changed(self, stage: Stage) -> None:
        first = stage.create()
        event = begin(stage, "Update", WAITING, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        end(stage)
        stage.minute()
        assert stage.answer(event)["PhysicalResourceId"] == first


def test_the_rule_carries_the_runs_tags_and_the_event_does_not(stage: Stage) -> None:
    tags = {"cost-center": "42", "patient": "none"}
    begin(stage, properties={**WAITING, "Tags": tags})
    assert stage.eventbridge.tags() == [tags]
    (event,) = stage.eventbridge.due()
    assert "Tags" not in event["ResourceProperties"]


class TestThereIsNothingToWaitFor:
    def test_where_the_run_had_completed(self, stage: Stage) -> None:
        first = stage.create()
        end(stage)
        tagged = {**WAITING, "Tags": {"a": "1"}}
        assert (
            stage.do("Update", tagged, PhysicalResourceId=first, OldResourceProperties=WAITING)["Status"] == "SUCCESS"
        )
        assert stage.eventbridge.calls == ["DeleteRule"]  # whatever an older request may have left

    def test_where_the_run_that_is_kept_had_failed_or_the_stack_could_never_be_updated(self, stage: Stage) -> None:
        first = stage.create()
        end(stage, "FAILED")
        tagged = {**WAITING, "Tags": {"a": "1"}}
        answer = stage.do("Update", tagged, PhysicalResourceId=first, OldResourceProperties=WAITING)
        assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "FAILED")
        assert "PutRule" not in stage.eventbridge.calls

    def test_when_a_rollback_goes_back_to_a_run_that_was_good_enough(self, stage: Stage) -> None:
        first = stage.create()
        second = stage.do(
            "Update", {**CHANGED, "WaitFor": "SUBMITTED"}, PhysicalResourceId=first, OldResourceProperties=PROPERTIES
        )
        back = stage.do(
            "Update", WAITING, PhysicalResourceId=second["PhysicalResourceId"], OldResourceProperties=CHANGED
        )
        assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", first)
        assert "PutRule" not in stage.eventbridge.calls

    def test_when_it_is_submitted_only(self, stage: Stage) -> None:
        stage.create({**PROPERTIES, "WaitFor": "SUBMITTED"})
        assert stage.eventbridge.calls == []


class TestTheRunEndsOtherwise:
    def test_it_fails_and_the_person_is_told_why(self, stage: Stage) -> None:
        stage.service.fail_next("RUN_TASK_FAILED", "A task has failed")
        stage.service.tasks_of_next(Order("align", fails=("TASK_OOM", "Jane Roe's reads")), Order("sort"))
        event = begin(stage)
        run = running(stage)
        stage.service.end(run.id, "FAILED")
        stage.minute()
        answer = stage.answer(event)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", f"{run.id}/{run.uuid}")
        why = f"Run {run.id} is FAILED: RUN_TASK_FAILED: A task has failed. "
        stream = f"run/{run.id}/task/{run.tasks[0].id}"
        task = f"Task align failed: TASK_OOM: Jane Roe's reads (log stream {stream}). "
        assert answer["Reason"] == f"{why}{task}{LOGS.format(run.id)} {PAGE}{run.id}"
        assert "Jane Roe" not in "".join(stage.logs)
        assert stage.eventbridge.rules() == []

    def test_it_is_cancelled_by_somebody(self, stage: Stage) -> None:
        event = begin(stage)
        run = end(stage, "CANCELLED")
        stage.minute()
        assert stage.answer(event)["Reason"] == f"Run {run.id} is CANCELLED. {LOGS.format(run.id)} {PAGE}{run.id}"
        assert stage.calls("ListRunTasks") == 0

    def test_it_is_deleted_by_somebody(self, stage: Stage) -> None:
        event = begin(stage)
        run = end(stage, "DELETED")
        stage.minute()
        assert stage.answer(event)["Reason"] == f"Run {run.id} was deleted while it was waited for."
        assert stage.eventbridge.rules() == []

    def test_it_takes_longer_than_cloudformation_waits_and_no_rule_was_worth_while(self, stage: Stage) -> None:
        event = stage.event("Create", {**WAITING, "ServiceTimeout": "3"})
        stage.send(event)
        run = running(stage)
        answer = stage.answer(event)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", f"{run.id}/{run.uuid}")
        expected = f"Run {run.id} is still RUNNING, not COMPLETED, at the end of the 3 s that CloudFormation waits. "
        assert answer["Reason"].startswith(expected + "https://us-east-1.console.aws.amazon.com/omics/")
        assert stage.eventbridge.calls == []

    def test_it_takes_longer_than_cloudformation_waits_at_the_last_look(self, stage: Stage) -> None:
        event = begin(stage, properties={**WAITING, "ServiceTimeout": "60"}, age=52.0)
        stage.until(lambda: stage.service.runs()[-1].status == "RUNNING")
        while not stage.answers(event):
            stage.minute()
        assert "is still RUNNING, not COMPLETED" in stage.answer(event)["Reason"]
        assert stage.eventbridge.rules() == []

    def test_it_fails_while_the_function_itself_waits(self, stage: Stage) -> None:
        first = stage.create()
        event = stage.event(
            "Update",
            {**WAITING, "ServiceTimeout": "3"},
            PhysicalResourceId=first,
            OldResourceProperties=PROPERTIES,
        )
        pending = stage.begin(event)
        stage.until(lambda: stage.calls("GetRun") > 2)
        end(stage, "FAILED")
        assert pending.result().error is None
        assert "is FAILED" in stage.answer(event)["Reason"]


class TestTheResourceIsDeleted:
    def test_while_it_is_waited_for(self, stage: Stage) -> None:
        begin(stage)
        run = running(stage)
        (late,) = stage.eventbridge.due()
        answer = stage.do("Delete", WAITING, PhysicalResourceId=f"{run.id}/{run.uuid}")
        assert answer["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []
        assert stage.service.active() == []
        stage.send(late)  # a look that was under way
        assert stage.eventbridge.rules() == []

    def test_when_the_create_never_answered(self, stage: Stage) -> None:
        begin(stage)
        assert stage.do("Delete", WAITING, PhysicalResourceId=MADE_UP)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []
        assert stage.service.active() == []

    def test_though_events_may_no_longer_be_changed(self, stage: Stage) -> None:
        first = stage.create(PROPERTIES)
        stage.eventbridge.instead["DeleteRule"] = [refused("AccessDeniedException")] * 9
        assert stage.do("Delete", WAITING, PhysicalResourceId=first)["Status"] == "SUCCESS"
        assert stage.service.active() == []

    def test_late_and_where_cloudformation_may_not_be_asked(self, stage: Stage) -> None:
        begin(stage, age=700)
        stage.cloudformation.refuses = True
        run = running(stage)
        event = stage.event("Delete", WAITING, PhysicalResourceId=f"{run.id}/{run.uuid}", age=600)
        stage.deliver(event)
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.service.active() == []
        assert stage.eventbridge.rules() == []

    def test_long_ago_and_made_anew_its_rule_stays(self, stage: Stage) -> None:
        late = stage.event("Delete", WAITING, PhysicalResourceId="1/gone", age=600, current=False)
        begin(stage)
        stage.send(late)
        assert len(stage.eventbridge.due()) == 1


class TestNobodyWaitsAnyMore:
    def test_when_an_update_that_has_added_the_waiting_is_rolled_back(self, stage: Stage) -> None:
        first = stage.create()
        event = begin(stage, "Update", WAITING, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        back = stage.do("Update", PROPERTIES, PhysicalResourceId=first, OldResourceProperties=WAITING)
        assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", first)
        assert stage.eventbridge.rules() == []
        assert stage.answers(event) == []

    def test_when_that_rollback_is_never_heard_of_and_the_stack_is_deleted(self, stage: Stage) -> None:
        first = stage.create()
        begin(stage, "Update", WAITING, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        assert stage.do("Delete", PROPERTIES, PhysicalResourceId=first)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []
        assert stage.service.active() == []

    def test_the_end_of_an_old_request_leaves_a_newer_one_alone(self, stage: Stage) -> None:
        first = stage.create()
        begin(stage, "Update", WAITING, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        newer = begin(stage, "Update", WAITING, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        older, _ = stage.eventbridge.due()
        stage.service.end(running(stage).id, "COMPLETED")
        stage.send(older)
        (left,) = stage.eventbridge.due()
        assert left["RequestId"] == newer["RequestId"]
        stage.minute()
        assert stage.answer(newer)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []


class TestEventBridgeFails:
    @pytest.mark.parametrize("operation", ["PutRule", "PutTargets"])
    @pytest.mark.parametrize(
        "code", ["AccessDeniedException", "ThrottlingException", "LimitExceededException", "InternalException"]
    )
    def test_at_the_beginning_and_the_run_is_waited_for(self, stage: Stage, operation: str, code: str) -> None:
        stage.eventbridge.instead[operation] = [refused(code)] * 2
        event = begin(stage)
        end(stage)
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.calls("StartRun") == 1

    def test_for_good_and_the_person_is_told_with_the_runs_id(self, stage: Stage) -> None:
        stage.eventbridge.instead["PutRule"] = [refused("ManagedRuleException")]
        event = stage.event("Create", WAITING)
        stage.send(event)
        run = running(stage)
        answer = stage.answer(event)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", f"{run.id}/{run.uuid}")
        assert answer["Reason"].startswith("PutRule was refused: ManagedRuleException: not now")

    def test_to_take_a_target_and_says_so_in_its_answer(self, stage: Stage) -> None:
        entry = {"TargetId": "t", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "not now"}
        failed = json.dumps({"FailedEntryCount": 1, "FailedEntries": [entry]}).encode()
        stage.eventbridge.instead["PutTargets"] = [Response(200, {}, failed)]
        event = begin(stage)
        end(stage)
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"

    @pytest.mark.parametrize("operation", ["RemoveTargets", "DeleteRule"])
    @pytest.mark.parametrize("failure", [refused("InternalException"), LOST], ids=["refused", "lost"])
    def test_at_the_end_and_the_next_look_or_the_delete_cleans_up(
        self, stage: Stage, operation: str, failure: Response
    ) -> None:
        event = begin(stage)
        run = end(stage)
        where = stage.eventbridge.after if failure is LOST else stage.eventbridge.instead
        where[operation] = [failure]
        stage.minute()
        assert stage.answers(event)[0]["Status"] == "SUCCESS"
        stage.minute()
        stage.do("Delete", WAITING, PhysicalResourceId=f"{run.id}/{run.uuid}")
        assert stage.eventbridge.rules() == []


class TestTheFunctionIsKilled:
    def kill_during(self, stage: Stage, operation: str, send: Callable[[], object]) -> None:
        """Kill the function when EventBridge has done the operation, before its answer arrives."""
        stage.eventbridge.after[operation] = [HUNG]
        before = stage.eventbridge.calls.count(operation)
        pending = stage.pool.submit(send)
        stage.until(lambda: stage.eventbridge.calls.count(operation) > before)
        stage.function.kill()
        pending.result()

    @pytest.mark.parametrize("operation", ["PutRule", "PutTargets"])
    def test_while_it_begins_to_wait_and_lambda_delivers_again(self, stage: Stage, operation: str) -> None:
        event = stage.event("Create", WAITING)
        self.kill_during(stage, operation, lambda: stage.send(event))
        stage.send(event)
        end(stage)
        stage.minute()
        assert {answer["Status"] for answer in stage.answers(event)} == {"SUCCESS"}
        assert stage.calls("StartRun") == 2  # the second is answered with the first's run
        assert stage.eventbridge.rules() == []

    @pytest.mark.parametrize("operation", ["PutRule", "PutTargets"])
    def test_each_time_that_it_begins_to_wait_and_the_delete_cleans_up(self, stage: Stage, operation: str) -> None:
        event = stage.event("Create", WAITING)
        for _ in range(3):
            self.kill_during(stage, operation, lambda: stage.send(event))
        assert stage.eventbridge.rules()
        stage.do("Delete", WAITING, PhysicalResourceId=MADE_UP)
        assert stage.eventbridge.rules() == []
        assert stage.service.active() == []

    @pytest.mark.parametrize("operation", ["RemoveTargets", "DeleteRule"])
    def test_at_the_last_look_and_lambda_delivers_it_again(self, stage: Stage, operation: str) -> None:
        event = begin(stage)
        end(stage)
        (look,) = stage.eventbridge.due()
        self.kill_during(stage, operation, lambda: stage.send(look))
        stage.send(look)
        assert {answer["Status"] for answer in stage.answers(event)} == {"SUCCESS"}
        assert stage.eventbridge.rules() == []


class TestTheAnswerIsNotTaken:
    def test_and_the_next_look_answers_again(self, stage: Stage) -> None:
        event = begin(stage)
        end(stage)
        stage.cloudformation.ears += [Response(503, {}, b"")] * 21
        stage.minute()
        assert stage.answers(event) == []
        assert len(stage.eventbridge.due()) == 1
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []

    def test_until_cloudformation_has_stopped_waiting(self, stage: Stage) -> None:
        event = begin(stage, properties={**WAITING, "ServiceTimeout": "60"}, age=52.0)
        stage.cloudformation.ears += [Response(403, {}, b"")] * 100_000
        while stage.eventbridge.rules():
            stage.minute()
        assert stage.answers(event) == []


class TestALookFails:
    @pytest.mark.parametrize("kind", [Kind.THROTTLING, Kind.INTERNAL, Kind.DROP_AFTER, Kind.ACCESS_DENIED])
    def test_and_tries_again(self, stage: Stage, kind: Kind) -> None:
        event = begin(stage)
        end(stage)
        stage.fault("GetRun", kind, times=2)
        stage.minute()
        assert stage.answer(event)["Status"] == "SUCCESS"
