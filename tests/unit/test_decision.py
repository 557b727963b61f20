"""The decision, row by row of docs/lifecycle.md: pure, no AWS."""

import ast
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

import cdk_healthomics_handler
from cdk_healthomics_handler.decision import (
    Answer,
    AskCloudFormation,
    Cancel,
    Gone,
    Read,
    Release,
    Schedule,
    Search,
    Seen,
    Silence,
    Standing,
    Start,
    Tag,
    Unschedule,
    Wait,
    decide,
)
from cdk_healthomics_handler.event import PhysicalId, Request
from cdk_healthomics_handler.names import RELEASED, Attribute, OwnershipTag
from cdk_healthomics_handler.run import ACTIVE, TERMINAL, Run
from tests.events import MEMBERS, MODEL, NOW, PROPERTIES, new_request, new_run, wanted

CURRENT = new_run("1000001", age=600)
CHANGED = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}
MADE_UP = "none-1234"
LATER = Silence("EventBridge invokes the function again", waiting=True)


def update(properties: Mapping[str, Any], old: Mapping[str, Any] = PROPERTIES, run: Run = CURRENT) -> Request:
    request_id = "update-1" if run is CURRENT else "rollback-1"
    return new_request(
        "Update", properties, PhysicalResourceId=str(run.physical_id), OldResourceProperties=old, RequestId=request_id
    )


def delete(physical_id: str = str(CURRENT.physical_id), **properties: str) -> Request:
    return new_request("Delete", {**PROPERTIES, **properties}, PhysicalResourceId=physical_id, RequestId="delete-1")


def step(request: Request, **seen: object) -> object:
    asked = None if request.type == "Delete" else wanted(request)
    return decide(request, asked, replace(Seen(), **seen))  # type: ignore[arg-type]


class TestCreate:
    def test_a_fresh_create_starts_the_run_at_once(self) -> None:
        action = step(new_request())
        assert isinstance(action, Start)
        assert action.request["requestId"] == "Genomes/VariantCalling4F2A/11111111-2222-4333-8444-555555555555"

    def test_a_started_run_is_answered_with_every_attribute(self) -> None:
        run = new_run()
        action = step(new_request(), started=run)
        assert isinstance(action, Answer)
        assert action.succeeded
        assert action.physical_id == "1000001/uuid-1000001"
        assert set(action.attributes) == set(Attribute)
        assert all(action.attributes.values())

    def test_a_late_create_asks_cloudformation_first(self) -> None:
        assert isinstance(step(new_request(), late=True), AskCloudFormation)

    def test_a_late_create_looks_for_its_run_before_it_starts_one(self) -> None:
        action = step(new_request(), late=True, uncertain=True, standing=Standing.CURRENT)
        assert isinstance(action, Search)
        assert action.started_since_request

    def test_a_run_found_by_its_token_is_the_answer(self) -> None:
        action = step(new_request(), late=True, uncertain=True, standing=Standing.CURRENT, found=(new_run(),))
        assert isinstance(action, Answer)
        assert action.physical_id == "1000001/uuid-1000001"

    def test_a_run_of_another_request_is_not_taken_for_this_ones(self) -> None:
        other = new_run(request_id="another token")
        action = step(new_request(), late=True, uncertain=True, standing=Standing.CURRENT, found=(other,))
        assert isinstance(action, Start)

    def test_nothing_is_started_once_cloudformation_has_moved_on(self) -> None:
        action = step(new_request(), late=True, standing=Standing.OVERTAKEN)
        assert isinstance(action, Answer)
        assert not action.succeeded
        assert action.physical_id is None

    def test_a_run_started_too_late_is_cancelled_again(self) -> None:
        run = new_run()
        assert isinstance(step(new_request(), late=True, started=run), AskCloudFormation)
        action = step(new_request(), late=True, started=run, standing=Standing.OVERTAKEN)
        assert isinstance(action, Cancel)
        assert action.run == run
        after = step(new_request(), late=True, started=run, standing=Standing.OVERTAKEN, cancelled=frozenset({run.id}))
        assert isinstance(after, Answer)
        assert not after.succeeded
        assert after.physical_id == str(run.physical_id)

    @pytest.mark.parametrize(("policy", "cancelled"), [("Retain", False), ("RetainExceptOnCreate", True)])
    def test_a_retained_run_started_too_late_is_cancelled_only_where_the_policy_says_so(
        self, policy: str, *, cancelled: bool
    ) -> None:
        request = new_request(properties={**PROPERTIES, "RemovalPolicy": policy})
        action = step(request, late=True, started=new_run(), standing=Standing.OVERTAKEN)
        assert isinstance(action, Cancel) is cancelled
        if not cancelled:
            assert isinstance(action, Answer)
            assert action.why.endswith("moved on, but the removal policy says that run 1000001 stays.")

    def test_a_refused_create_has_no_id(self) -> None:
        action = step(new_request(), failure="StartRun was refused: ValidationException: no")
        assert action == Answer("StartRun was refused: ValidationException: no", succeeded=False, physical_id=None)

    def test_a_create_that_fails_after_its_start_names_the_run(self) -> None:
        action = step(new_request(), started=new_run(), failure="broken")
        assert action == Answer("broken", succeeded=False, physical_id="1000001/uuid-1000001")

    def test_properties_that_ask_for_no_run_never_become_a_deletion(self) -> None:
        action = decide(new_request(), None, Seen(failure="Priority: must be a whole number"))
        assert action == Answer("Priority: must be a whole number", succeeded=False, physical_id=None)


class TestUpdate:
    def test_the_current_run_is_read_first(self) -> None:
        action = step(update(PROPERTIES))
        assert isinstance(action, Read)
        assert action.physical_id == PhysicalId("1000001", "uuid-1000001")

    @pytest.mark.parametrize("status", sorted(ACTIVE | TERMINAL - {"DELETED"}))
    def test_a_run_with_the_wanted_definition_stays_whatever_its_status(self, status: str) -> None:
        action = step(update(PROPERTIES), current=replace(CURRENT, status=status), found=())
        assert isinstance(action, Answer)
        assert action.physical_id == str(CURRENT.physical_id)
        assert action.attributes["Status"] == status

    def test_only_tags_change_in_place(self) -> None:
        before = {**PROPERTIES, "Tags": {"keep": "1", "change": "1", "drop": "1"}}
        current = new_run(of=new_request(properties=before))
        request = update({**PROPERTIES, "Tags": {"keep": "1", "change": "2", "new": "1"}}, before)
        action = step(request, current=current, found=())
        assert isinstance(action, Tag)
        assert action.add == {"change": "2", "new": "1"}
        assert action.remove == ("drop",)
        assert isinstance(step(request, current=current, found=(), tagged=True), Answer)

    def test_tags_that_others_put_on_the_run_stay(self) -> None:
        current = replace(CURRENT, tags={**CURRENT.tags, "cost-centre": "someone else's"})
        assert isinstance(step(update(PROPERTIES), current=current, found=()), Answer)

    def test_a_changed_definition_starts_a_new_run_after_asking_and_looking(self) -> None:
        request = update(CHANGED)
        assert isinstance(step(request, current=CURRENT), AskCloudFormation)
        asked = {"standing": Standing.CURRENT, "rolling_back": False}
        search = step(request, current=CURRENT, **asked)
        assert isinstance(search, Search)
        assert search.statuses == ACTIVE
        action = step(request, current=CURRENT, found=(CURRENT,), **asked)
        assert isinstance(action, Start)
        assert action.request["requestId"] == "Genomes/VariantCalling4F2A/update-1"

    def test_a_rerun_trigger_starts_the_same_run_anew(self) -> None:
        request = update({**PROPERTIES, "RerunTrigger": "2"})
        asked = {"standing": Standing.CURRENT, "rolling_back": False}
        assert isinstance(step(request, current=CURRENT, found=(), **asked), Start)

    def test_a_replacement_is_answered_with_the_new_id_when_cloudformation_still_waits(self) -> None:
        request = update(CHANGED)
        new = new_run("1000002", of=request)
        assert isinstance(step(request, current=CURRENT, found=(), started=new), AskCloudFormation)
        action = step(request, current=CURRENT, found=(), started=new, standing=Standing.CURRENT)
        assert isinstance(action, Answer)
        assert action.physical_id == "1000002/uuid-1000002"

    def test_a_replacement_that_cloudformation_no_longer_waits_for_is_cancelled(self) -> None:
        request = update(CHANGED)
        new = new_run("1000002", of=request)
        action = step(request, current=CURRENT, found=(), started=new, standing=Standing.OVERTAKEN)
        assert isinstance(action, Cancel)
        assert action.run == new

    @pytest.mark.parametrize("status", ["RUNNING", "COMPLETED"])
    def test_a_rollback_after_a_replacement_adopts_the_original(self, status: str) -> None:
        new = new_run("1000002", of=update(CHANGED))
        original = replace(CURRENT, status=status)
        request = update(PROPERTIES, CHANGED, run=new)
        search = step(request, current=new, rolling_back=True)
        assert isinstance(search, Search)
        assert status in search.statuses
        assert search.until == wanted(request).definition
        action = step(request, current=new, found=(new, original), rolling_back=True)
        assert isinstance(action, Answer)
        assert action.physical_id == str(original.physical_id)

    @pytest.mark.parametrize(
        "original",
        [
            replace(CURRENT, status="CANCELLED"),
            replace(CURRENT, status="FAILED"),
            replace(CURRENT, tags={**CURRENT.tags, OwnershipTag.DEFINITION: RELEASED}),
        ],
        ids=["cancelled", "failed", "released"],
    )
    def test_a_run_that_is_spent_is_not_adopted(self, original: Run) -> None:
        new = new_run("1000002", of=update(CHANGED))
        request = update(PROPERTIES, CHANGED, run=new)
        asked = {"standing": Standing.CURRENT, "rolling_back": True}
        assert isinstance(step(request, current=new, found=(new, original), **asked), Start)

    @pytest.mark.parametrize("policy", [{}, {"RemovalPolicy": "Retain"}], ids=["destroy", "retain"])
    def test_an_old_run_is_adopted_only_in_a_rollback(self, policy: dict[str, str]) -> None:
        new = new_run("1000002", of=update(CHANGED))
        request = update({**PROPERTIES, **policy}, CHANGED, run=new)
        forward = step(request, current=new, found=(CURRENT,), standing=Standing.CURRENT, rolling_back=False)
        assert isinstance(forward, Start)
        back = step(request, current=new, found=(CURRENT,), standing=Standing.CURRENT, rolling_back=True)
        assert isinstance(back, Answer)
        assert back.physical_id == str(CURRENT.physical_id)

    def test_a_newer_run_that_nobody_answered_for_is_cancelled_once_cloudformation_was_asked(self) -> None:
        stray = new_run("1000002", of=update(CHANGED))
        request = update(PROPERTIES, CHANGED)
        assert isinstance(step(request, current=CURRENT, found=(stray,)), AskCloudFormation)
        action = step(request, current=CURRENT, found=(stray,), standing=Standing.CURRENT)
        assert isinstance(action, Cancel)
        assert action.run == stray

    def test_where_the_current_run_is_gone_a_stray_is_what_the_old_properties_asked_for(self) -> None:
        request = update(PROPERTIES, CHANGED)
        stray = new_run("1000002", of=update(CHANGED))
        other = new_run("1000003", of=update({**PROPERTIES, "Priority": "1"}))
        new = new_run("1000004", of=request, request_id="unlike")
        found = (stray, other)
        action = step(request, current=Gone.GONE, found=found, started=new, standing=Standing.CURRENT)
        assert isinstance(action, Cancel)
        assert action.run == stray
        after = step(
            request,
            current=Gone.GONE,
            found=found,
            started=new,
            standing=Standing.CURRENT,
            cancelled=frozenset({stray.id}),
        )
        assert isinstance(after, Answer)

    def test_an_older_run_is_not_taken_for_a_stray(self) -> None:
        older = new_run("1000000", of=update(CHANGED), age=6000)
        assert isinstance(step(update(PROPERTIES), current=CURRENT, found=(older,)), Answer)

    @pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
    def test_retained_runs_are_never_swept(self, policy: str) -> None:
        request = update({**PROPERTIES, "RemovalPolicy": policy})
        stray = new_run("1000002", of=update(CHANGED))
        assert isinstance(step(request, current=CURRENT, found=(stray,), standing=Standing.CURRENT), Answer)

    def test_a_late_update_that_was_overtaken_touches_nothing(self) -> None:
        request = update({**PROPERTIES, "Tags": {"old": "news"}})
        assert isinstance(step(request, late=True), AskCloudFormation)
        action = step(request, late=True, standing=Standing.OVERTAKEN)
        assert isinstance(action, Answer)
        assert not action.succeeded

    def test_a_deleted_run_whose_definition_has_not_changed_is_not_started_anew(self) -> None:
        action = step(update({**PROPERTIES, "Tags": {"a": "b"}}), current=Gone.GONE)
        assert isinstance(action, Answer)
        assert action.physical_id == str(CURRENT.physical_id)
        assert action.attributes == {
            "RunId": "1000001",
            "RunArn": "arn:aws:omics:us-east-1:123456789012:run/1000001",
            "RunUuid": "uuid-1000001",
            "RunOutputUri": "s3://bucket/runs/1000001",
            "Status": "DELETED",
        }

    def test_a_failed_update_keeps_the_id_that_the_event_came_with(self) -> None:
        action = step(update(CHANGED), current=CURRENT, failure="refused")
        assert action == Answer("refused", succeeded=False, physical_id=str(CURRENT.physical_id))

    def test_a_failed_update_that_started_a_run_names_it(self) -> None:
        new = new_run("1000002", of=update(CHANGED))
        action = step(update(CHANGED), current=CURRENT, started=new, failure="broken")
        assert action == Answer("broken", succeeded=False, physical_id=str(new.physical_id))


class TestDelete:
    @pytest.mark.parametrize("status", sorted(ACTIVE))
    def test_an_active_run_is_cancelled_and_waited_for(self, status: str) -> None:
        current = replace(CURRENT, status=status)
        assert isinstance(step(delete(), current=current), Cancel)
        assert isinstance(step(delete(), current=current, cancelled=frozenset({current.id})), Wait)

    def test_a_cancelled_run_needs_no_mark(self) -> None:
        action = step(delete(), current=replace(CURRENT, status="CANCELLED"))
        assert isinstance(action, Answer)
        assert action.succeeded

    @pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
    def test_a_finished_run_is_released_and_not_cancelled(self, status: str) -> None:
        current = replace(CURRENT, status=status)
        assert isinstance(step(delete(), current=current), Release)
        action = step(delete(), current=current, tagged=True)
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_released_run_is_left_alone(self) -> None:
        released = new_run(status="COMPLETED", definition=RELEASED)
        assert isinstance(step(delete(), current=released), Answer)

    def test_a_finished_run_of_somebody_elses_is_not_marked(self) -> None:
        foreign = new_run(status="COMPLETED", stack_id="another stack")
        assert isinstance(step(delete(), current=foreign), Answer)

    def test_nothing_happens_to_a_run_that_is_gone_or_has_another_uuid(self) -> None:
        action = step(delete(), current=Gone.GONE)
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_made_up_id_starts_a_search(self) -> None:
        action = step(delete(MADE_UP))
        assert isinstance(action, Search)
        assert action.statuses == ACTIVE

    def test_every_active_run_of_the_resource_is_cancelled(self) -> None:
        runs = (new_run("1000001"), new_run("1000002", status="PENDING"), new_run("1000003", status="COMPLETED"))
        first = step(delete(MADE_UP), found=runs)
        assert isinstance(first, Cancel)
        assert first.run.id == "1000001"
        second = step(delete(MADE_UP), found=runs, cancelled=frozenset({"1000001"}))
        assert isinstance(second, Cancel)
        assert second.run.id == "1000002"
        third = step(delete(MADE_UP), found=runs, cancelled=frozenset({"1000001", "1000002"}))
        assert isinstance(third, Search)
        assert third.pause

    def test_the_sweep_looks_again_for_a_create_that_is_at_its_start(self) -> None:
        again = step(delete(MADE_UP), found=())
        assert isinstance(again, Search)
        assert again.pause
        assert isinstance(step(delete(MADE_UP), found=(), thorough=True), Answer)

    def test_a_late_sweep_spares_a_resource_that_was_made_anew(self) -> None:
        assert isinstance(step(delete(MADE_UP), found=(CURRENT,), late=True), AskCloudFormation)
        action = step(delete(MADE_UP), found=(CURRENT,), late=True, standing=Standing.OVERTAKEN)
        assert isinstance(action, Answer)
        assert action.succeeded

    @pytest.mark.parametrize("physical_id", [str(CURRENT.physical_id), MADE_UP])
    def test_a_retained_run_is_left_alone(self, physical_id: str) -> None:
        action = step(delete(physical_id, RemovalPolicy="Retain"))
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_retain_on_update_or_delete_still_cancels_what_a_failed_create_started(self) -> None:
        request = delete(RemovalPolicy="RetainExceptOnCreate")
        assert isinstance(step(request, current=CURRENT), Cancel)

    def test_a_delete_that_cannot_go_on_says_why(self) -> None:
        action = step(delete(), current=CURRENT, failure="still STOPPING")
        assert action == Answer("still STOPPING", succeeded=False, physical_id=str(CURRENT.physical_id))


def test_the_statuses_are_those_of_the_model() -> None:
    assert set(MODEL.shape_for("RunStatus").metadata["enum"]) == ACTIVE | TERMINAL
    assert not ACTIVE & TERMINAL
    assert MEMBERS["requestId"].metadata["max"] == 128


def _imports(module: str) -> set[str]:
    folder = Path(str(cdk_healthomics_handler.__file__)).parent
    tree = ast.parse((folder / f"{module}.py").read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return named | {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def test_the_decision_and_all_that_it_imports_need_the_standard_library_only() -> None:
    seen: set[str] = set()
    todo = ["decision"]
    while todo:
        module = todo.pop()
        for name in _imports(module):
            top, _, rest = name.partition(".")
            assert top not in {"boto3", "botocore", "crhelper", "aws_cdk", "urllib3", "time"}, f"{module}: {name}"
            ours = rest.partition(".")[0]
            if top == "cdk_healthomics_handler" and ours and ours not in seen:
                seen.add(ours)
                todo.append(ours)
    assert {"event", "identity", "names", "run", "start_run"} <= seen


class TestWaiting:
    WAITING: ClassVar[Mapping[str, Any]] = {**PROPERTIES, "WaitFor": "COMPLETED"}

    def look(self, **seen: object) -> object:
        event = new_request("Create", self.WAITING).poll(CURRENT.physical_id, NOW)
        return decide(Request.of(event), None, replace(Seen(late=True), **seen))  # type: ignore[arg-type]

    def test_a_started_run_is_looked_at_again_later(self) -> None:
        request, run = new_request("Create", self.WAITING), new_run(status="PENDING")
        assert isinstance(step(request, started=run), Schedule)
        assert step(request, started=run, scheduled=True) == Silence(
            "EventBridge invokes the function again", waiting=True
        )

    def test_it_is_waited_for_here_where_the_time_is_nearly_over(self) -> None:
        assert isinstance(step(new_request("Create", self.WAITING), started=new_run(), closing=True), Wait)

    @pytest.mark.parametrize(("wait_for", "status"), [("RUNNING",) * 2, ("RUNNING", "COMPLETED"), ("COMPLETED",) * 2])
    def test_a_run_that_is_there_already_is_answered_at_once(self, wait_for: str, status: str) -> None:
        request = new_request("Create", {**PROPERTIES, "WaitFor": wait_for})
        action = step(request, started=new_run(status=status))
        assert isinstance(action, Answer)
        assert action.succeeded

    @pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "DELETED"])
    def test_a_run_that_ends_otherwise_fails_with_its_id_and_its_logs(self, status: str) -> None:
        run = replace(new_run(status=status), failure_reason="WHY", status_message="How.")
        action = self.look(current=run)
        assert isinstance(action, Answer)
        assert (action.succeeded, action.physical_id) == (False, str(run.physical_id))
        assert action.why.startswith(f"Run {run.id} is {status}: WHY: How. Its logs are in log group /aws/omics/")

    def test_a_look_reads_then_asks_whether_anybody_waits(self) -> None:
        assert self.look() == Read("has it come as far as it is waited for?", CURRENT.physical_id)
        assert isinstance(self.look(current=CURRENT), AskCloudFormation)
        assert self.look(current=CURRENT, standing=Standing.OVERTAKEN) == Silence(
            "CloudFormation has moved on", waiting=False
        )
        still = self.look(current=CURRENT, standing=Standing.CURRENT)
        assert still == Silence("EventBridge invokes the function again", waiting=True)
        assert isinstance(self.look(current=CURRENT, standing=Standing.CURRENT, closing=True), Wait)

    def test_a_look_that_fails_is_followed_by_another_until_the_time_is_over(self) -> None:
        assert isinstance(self.look(failure="GetRun was refused"), Silence)
        action = self.look(failure="GetRun was refused", closing=True)
        assert isinstance(action, Answer)
        assert (action.why, action.physical_id) == ("GetRun was refused", str(CURRENT.physical_id))

    def test_an_update_asks_first_whether_the_stack_rolls_back_and_then_does_not_wait(self) -> None:
        request = update(self.WAITING, PROPERTIES)
        assert isinstance(step(request, current=CURRENT, found=()), AskCloudFormation)
        assert isinstance(step(request, current=CURRENT, found=(), rolling_back=False), Schedule)
        back = step(request, current=CURRENT, found=(), rolling_back=True)
        assert isinstance(back, Answer)
        assert back.succeeded

    def test_a_kept_run_that_had_failed_does_not_fail_an_update_but_one_that_fails_meanwhile_does(self) -> None:
        request, failed = update(self.WAITING, PROPERTIES), replace(CURRENT, status="FAILED")
        had_failed = step(request, current=failed, found=(), rolling_back=False)
        fails_now = step(request, current=failed, found=(), rolling_back=False, waited=True)
        assert isinstance(had_failed, Answer)
        assert isinstance(fails_now, Answer)
        assert (had_failed.succeeded, fails_now.succeeded) == (True, False)

    def test_a_delete_first_removes_the_rule_unless_it_comes_late_and_the_resource_lives_again(self) -> None:
        request = delete(WaitFor="COMPLETED")
        assert isinstance(step(request), Unschedule)
        assert isinstance(step(request, unscheduled=True), Read)
        assert isinstance(step(request, late=True), AskCloudFormation)
        assert isinstance(step(request, late=True, standing=Standing.OVERTAKEN), Read)
        assert isinstance(step(delete()), Read)

    def test_what_goes_through_eventbridge_is_short_and_comes_back_whole(self) -> None:
        long = {**self.WAITING, "Parameters": "x" * 50_000, "ServiceTimeout": "600"}
        request = new_request("Create", long, signed_at=None, response_url="https://127.0.0.1/" + "s" * 3000)
        event = json.loads(json.dumps(request.poll(CURRENT.physical_id, NOW)))
        assert len(json.dumps(event)) < 8192
        back = Request.of(event)
        assert back.polls
        assert (back.physical_id, back.request_id) == (str(CURRENT.physical_id), request.request_id)
        assert (back.wait_for, back.service_timeout, back.sent_at) == ("COMPLETED", 600, NOW)
        assert back.response_url not in repr(back)
