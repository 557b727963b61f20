"""The decision, row by row of docs/lifecycle.md: pure, no AWS."""

import ast
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

import cdk_healthomics_handler
from cdk_healthomics_handler import identity
from cdk_healthomics_handler.actions import (
    Answer,
    AskCloudFormation,
    Cancel,
    Read,
    ReadAgain,
    ReadOriginal,
    ReadTasks,
    Reclaim,
    Release,
    Schedule,
    Search,
    Silence,
    Start,
    Tag,
    Unschedule,
    Wait,
)
from cdk_healthomics_handler.decision import decide
from cdk_healthomics_handler.event import PhysicalId, Request
from cdk_healthomics_handler.kind import RUN
from cdk_healthomics_handler.mark import LONG_AGO, Did, Mark
from cdk_healthomics_handler.names import RELEASED, Attribute, OwnershipTag
from cdk_healthomics_handler.run import FailedTask, Run
from cdk_healthomics_handler.seen import Gone, Seen
from cdk_healthomics_handler.standing import UNTOLD, Observed
from tests.events import MEMBERS, MODEL, NOW, PROPERTIES, new_request, new_run, wanted

CURRENT = new_run("1000001", age=600)
CHANGED = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}
MADE_UP = "Genomes-VariantCalling-1234"
LATER = Silence("EventBridge invokes the function again")
ACTIVE = ("PENDING", "STARTING", "RUNNING", "STOPPING", "A_STATUS_TO_COME")
WAITS = Observed("CREATE_IN_PROGRESS", NOW, "")
MOVED_ON = Observed("DELETE_IN_PROGRESS", NOW + timedelta(seconds=5), MADE_UP)


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


def mark(did: Did, request_id: str, *, seconds: float = 0.0) -> str:
    """A mark of a request that was sent so long after NOW, when all requests here are sent."""
    return str(Mark(NOW + timedelta(seconds=seconds), did, "SUBMITTED", request_id))


def tagged(run: Run, **tags: str) -> Run:
    return run.tagged({OwnershipTag[name.upper()].value: value for name, value in tags.items()}, ())


def kept_by(request: Request, run: Run = CURRENT) -> Run:
    """The run with the mark of a request that keeps it, and what heals with it."""
    asked = wanted(request)
    return tagged(run, newest_request=mark(Did.KEPT, request.request_id), definition=asked.definition)


def replaced_by(request: Request, run: Run = CURRENT) -> Run:
    """The run with the mark of a request that sets out to replace it."""
    name = str(wanted(request).start_run["name"])
    return tagged(run, replaced_by=str(identity.mark(request, Did.REPLACES, name)))


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
        times = {Attribute.STARTED_AT, Attribute.STOPPED_AT, Attribute.DURATION_SECONDS}
        assert {name for name, value in action.attributes.items() if not value} == times, "it was not waited for"

    def test_one_that_may_have_started_a_run_looks_for_it_by_its_token_first(self) -> None:
        action = step(new_request(), late=True, uncertain=True)
        assert isinstance(action, Search)
        assert action.of_request

    def test_a_late_create_asks_cloudformation_before_it_starts_anything(self) -> None:
        assert isinstance(step(new_request(), late=True), AskCloudFormation)
        assert isinstance(step(new_request(), late=True, observed=WAITS), Start)

    def test_a_run_found_by_its_token_is_the_answer(self) -> None:
        action = step(new_request(), late=True, uncertain=True, observed=WAITS, found=(new_run(),))
        assert isinstance(action, Answer)
        assert action.physical_id == "1000001/uuid-1000001"

    def test_of_several_with_its_token_the_oldest_that_is_what_was_asked_for_is_its_own(self) -> None:
        copy, own = new_run("1000002"), new_run("1000001", age=5)
        other = replace(new_run("1000000", age=9), asked={"roleArn": "arn:aws:iam::123456789012:role/theirs"})
        action = step(new_request(), uncertain=True, found=(copy, own, other))
        assert isinstance(action, Answer)
        assert action.physical_id == str(own.physical_id)

    def test_a_run_of_another_request_is_not_taken_for_this_ones(self) -> None:
        other = new_run(request_id="another token")
        assert isinstance(step(new_request(), uncertain=True, found=(other,)), Start)

    def test_nothing_is_started_once_cloudformation_has_moved_on(self) -> None:
        action = step(new_request(), late=True, observed=MOVED_ON)
        assert isinstance(action, Answer)
        assert not action.succeeded
        assert action.physical_id.startswith("none-")

    def test_a_run_started_too_late_is_cancelled_again(self) -> None:
        run = new_run()
        assert isinstance(step(new_request(), late=True, started=run), AskCloudFormation)
        action = step(new_request(), late=True, started=run, observed=MOVED_ON)
        assert isinstance(action, Cancel)
        assert action.run == run
        after = step(new_request(), late=True, started=run, observed=MOVED_ON, cancelled=frozenset({run.id}))
        assert isinstance(after, Answer)
        assert not after.succeeded
        assert after.physical_id == str(run.physical_id)

    def test_a_run_that_cloudformation_names_is_nobodys_to_cancel(self) -> None:
        run = new_run()
        named = Observed("CREATE_COMPLETE", NOW + timedelta(seconds=5), str(run.physical_id))
        action = step(new_request(), late=True, started=run, observed=named)
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_run_that_a_newer_request_has_kept_is_not_cancelled_either(self) -> None:
        run = tagged(new_run(), newest_request=mark(Did.KEPT, "update-1", seconds=60))
        assert isinstance(step(new_request(), late=True, started=run, observed=MOVED_ON), Answer)

    @pytest.mark.parametrize(("policy", "cancelled"), [("Retain", False), ("RetainExceptOnCreate", True)])
    def test_a_retained_run_started_too_late_is_cancelled_only_where_the_policy_says_so(
        self, policy: str, *, cancelled: bool
    ) -> None:
        request = new_request(properties={**PROPERTIES, "RemovalPolicy": policy})
        action = step(request, late=True, started=new_run(), observed=MOVED_ON)
        assert isinstance(action, Cancel) is cancelled
        if not cancelled:
            assert isinstance(action, Answer)
            assert action.why.endswith("moved on, but the removal policy says that run 1000001 stays.")

    @pytest.mark.parametrize(("uncertain", "begins"), [(False, "none-"), (True, "unsettled-")])
    def test_the_id_of_a_refused_create_says_whether_anything_can_have_been_started(
        self, begins: str, *, uncertain: bool
    ) -> None:
        action = step(new_request(), failure="StartRun was refused: ValidationException: no", uncertain=uncertain)
        made_up = begins + "11111111-2222-4333-8444-555555555555"
        assert action == Answer("StartRun was refused: ValidationException: no", succeeded=False, physical_id=made_up)

    def test_a_create_that_fails_after_its_start_names_the_run(self) -> None:
        action = step(new_request(), started=new_run(), failure="broken")
        assert action == Answer("broken", succeeded=False, physical_id="1000001/uuid-1000001")

    @pytest.mark.parametrize("seen", [{"late": True, "failure": "no word from CloudFormation"}, {"answered": True}])
    def test_a_run_that_nobody_knows_to_be_wanted_is_taken_back(self, seen: dict[str, Any]) -> None:
        run = new_run()
        assert isinstance(step(new_request(), started=run, **seen), Cancel)
        after = step(new_request(), started=run, cancelled=frozenset({run.id}), **seen)
        assert isinstance(after, Answer)
        assert (after.succeeded, after.physical_id) == (False, str(run.physical_id))

    def test_properties_that_ask_for_no_run_never_become_a_deletion(self) -> None:
        action = decide(new_request(), None, Seen(failure="Priority: must be a whole number"))
        assert isinstance(action, Answer)
        assert (action.why, action.succeeded) == ("Priority: must be a whole number", False)
        assert action.physical_id.startswith("none-")


class TestUpdate:
    def test_the_current_run_is_read_first(self) -> None:
        action = step(update(PROPERTIES))
        assert isinstance(action, Read)
        assert action.physical_id == PhysicalId("1000001", "uuid-1000001")

    @pytest.mark.parametrize("status", sorted({*ACTIVE, *RUN.terminal} - {"DELETED"}))
    def test_a_run_with_the_wanted_definition_stays_whatever_its_status(self, status: str) -> None:
        request = update(PROPERTIES)
        action = step(request, current=kept_by(request, replace(CURRENT, status=status)))
        assert isinstance(action, Answer)
        assert action.physical_id == str(CURRENT.physical_id)
        assert action.attributes["Status"] == status

    def test_a_kept_run_is_marked_and_nothing_is_searched(self) -> None:
        request = update(PROPERTIES)
        action = step(request, current=CURRENT)
        assert isinstance(action, Tag)
        assert action.add == {OwnershipTag.NEWEST_REQUEST: "2026-11-23T12:00:00Z kept SUBMITTED update-1"}

    def test_only_tags_change_in_place(self) -> None:
        before = {**PROPERTIES, "Tags": {"keep": "1", "change": "1", "drop": "1"}}
        current = new_run(of=new_request(properties=before), age=600)
        request = update({**PROPERTIES, "Tags": {"keep": "1", "change": "2", "new": "1"}}, before)
        action = step(request, current=current)
        assert isinstance(action, Tag)
        assert action.add.items() >= {"change": "2", "new": "1"}.items()
        assert action.remove == ("drop",)
        assert isinstance(step(request, current=current.tagged(action.add, action.remove)), Answer)

    def test_tags_that_others_put_on_the_run_stay(self) -> None:
        request = update(PROPERTIES)
        current = kept_by(request).tagged({"cost-centre": "someone else's"}, ())
        assert isinstance(step(request, current=current), Answer)

    @pytest.mark.parametrize("definition", ["", "another version's"])
    def test_where_nothing_has_changed_the_definition_is_healed(self, definition: str) -> None:
        request = update({**PROPERTIES, "Tags": {"a": "1"}})
        action = step(request, current=tagged(CURRENT, definition=definition))
        assert isinstance(action, Tag)
        assert action.add[OwnershipTag.DEFINITION] == wanted(request).definition

    def test_a_definition_of_this_version_is_believed_whatever_the_properties_were(self) -> None:
        current = tagged(CURRENT, definition=wanted(update(CHANGED)).definition)
        action = step(update({**PROPERTIES, "Tags": {"a": "1"}}), current=current)
        assert isinstance(action, Tag)
        assert OwnershipTag.REPLACED_BY in action.add

    def test_a_replacement_marks_the_run_before_it_starts_another(self) -> None:
        request = update(CHANGED)
        action = step(request, current=CURRENT)
        assert isinstance(action, Tag)
        name = "Genomes-VariantCalling4F2A"
        assert action.add == {OwnershipTag.REPLACED_BY: f"2026-11-23T12:00:00Z replaces SUBMITTED update-1 {name}"}
        start = step(request, current=replaced_by(request))
        assert isinstance(start, Start)
        assert start.request["requestId"] == "Genomes/VariantCalling4F2A/update-1"
        assert start.request["tags"][OwnershipTag.REPLACES] == str(CURRENT.physical_id)  # type: ignore[index]

    def test_a_rerun_trigger_starts_the_same_run_anew(self) -> None:
        request = update({**PROPERTIES, "RerunTrigger": "2"})
        assert isinstance(step(request, current=replaced_by(request)), Start)

    def test_a_replacement_looks_at_the_old_run_again_before_it_is_answered(self) -> None:
        request = update(CHANGED)
        new = new_run("1000002", of=request)
        assert isinstance(step(request, started=new), ReadAgain)
        action = step(request, current=replaced_by(request), started=new)
        assert isinstance(action, Answer)
        assert action.physical_id == "1000002/uuid-1000002"

    @pytest.mark.parametrize("seconds", [0, 1, 3])
    def test_a_replacement_that_a_newer_request_has_kept_the_old_run_against_is_cancelled(self, seconds: int) -> None:
        request = update(CHANGED)
        new = new_run("1000002", of=request)
        kept = tagged(replaced_by(request), newest_request=mark(Did.KEPT, "rollback-1", seconds=seconds))
        action = step(request, current=kept, started=new)
        assert isinstance(action, Cancel)
        assert action.run == new
        assert not isinstance(step(request, current=kept), Start)

    def test_an_older_request_that_has_kept_the_run_is_no_reason_to_stop(self) -> None:
        request = update(CHANGED)
        kept = tagged(replaced_by(request), newest_request=mark(Did.KEPT, "update-0", seconds=-60))
        assert isinstance(step(request, current=kept), Start)

    def test_a_newer_replacement_overtakes(self) -> None:
        current = tagged(CURRENT, replaced_by=mark(Did.REPLACES, "update-2", seconds=5))
        for request in (update(CHANGED), update({**PROPERTIES, "Tags": {"a": "1"}})):
            action = step(request, current=current)
            assert isinstance(action, Answer)
            assert (action.succeeded, action.physical_id) == (False, str(CURRENT.physical_id))

    def test_where_an_older_request_has_written_over_the_mark_it_is_written_again_and_what_that_started_swept(
        self,
    ) -> None:
        request = update(CHANGED)
        new = new_run("1000002", of=request, newest_request=mark(Did.STARTED, "update-1"))
        older = Mark(NOW - timedelta(seconds=9), Did.REPLACES, "SUBMITTED", "update-0")
        again = step(request, current=tagged(CURRENT, replaced_by=str(older)), started=new, rival=older)
        assert isinstance(again, Tag)
        marked = {"current": replaced_by(request), "started": new, "rival": older}
        assert isinstance(step(request, **marked), Search)
        stray = new_run("1000003", of=request, request_id="update-0", age=3)
        action = step(request, found=(stray, new), **marked)
        assert isinstance(action, Cancel)
        assert action.run == stray

    @pytest.mark.parametrize("change", [{"definition": RELEASED}, {}], ids=["released", "cancelled"])
    def test_where_the_old_runs_resource_may_be_gone_cloudformation_is_asked(self, change: dict[str, str]) -> None:
        request = update(CHANGED)
        new = new_run("1000002", of=request)
        old = tagged(replace(replaced_by(request), status="CANCELLED"), **change)
        assert isinstance(step(request, current=old, started=new), AskCloudFormation)
        named = Observed("UPDATE_COMPLETE", NOW + timedelta(seconds=5), str(new.physical_id))
        assert isinstance(step(request, current=old, started=new, observed=named), Answer)
        gone = Observed("DELETE_IN_PROGRESS", NOW + timedelta(seconds=5), str(CURRENT.physical_id))
        assert isinstance(step(request, current=old, started=new, observed=gone), Cancel)

    @pytest.mark.parametrize("status", ["RUNNING", "COMPLETED", "FAILED", "CANCELLED"])
    def test_a_rollback_after_a_replacement_goes_back_to_the_original_whatever_its_status(self, status: str) -> None:
        forward = update(CHANGED)
        new = new_run("1000002", of=forward, replaces=str(CURRENT.physical_id))
        request = update(PROPERTIES, CHANGED, run=new)
        read = step(request, current=new)
        assert isinstance(read, ReadOriginal)
        assert read.physical_id == CURRENT.physical_id
        original = kept_by(request, replaced_by(forward, replace(CURRENT, status=status)))
        action = step(request, current=new, original=original)
        assert isinstance(action, Answer)
        assert (action.succeeded, action.physical_id) == (True, str(CURRENT.physical_id))

    def test_an_original_that_was_released_is_not_gone_back_to(self) -> None:
        new = new_run("1000002", of=update(CHANGED), replaces=str(CURRENT.physical_id))
        request = update(PROPERTIES, CHANGED, run=new)
        action = step(request, current=new, original=tagged(CURRENT, definition=RELEASED))
        assert isinstance(action, Tag)
        assert OwnershipTag.REPLACED_BY in action.add

    def test_a_run_that_ended_otherwise_than_was_waited_for_is_not_kept_but_replaced(self) -> None:
        waiting = {**CHANGED, "WaitFor": "COMPLETED"}
        started = str(Mark(NOW, Did.STARTED, "COMPLETED", "update-0"))
        original = str(CURRENT.physical_id)
        failed = new_run("1000002", of=update(waiting), status="FAILED", newest_request=started, replaces=original)
        request = update(waiting, waiting, run=failed)
        action = step(request, current=replaced_by(request, failed), original=CURRENT)
        assert isinstance(action, Start)
        assert action.request["tags"][OwnershipTag.REPLACES] == original  # type: ignore[index]

    def test_a_newer_run_that_nobody_answered_for_is_swept_after_the_mark_is_written(self) -> None:
        killed = update(CHANGED)
        stray = new_run("1000002", of=killed, newest_request=mark(Did.STARTED, "update-1"))
        request = replace(update(PROPERTIES, CHANGED), request_id="rollback-1")
        current = replaced_by(killed)
        assert isinstance(step(request, current=current), Tag)
        kept = kept_by(request, current)
        assert isinstance(step(request, current=kept), Search)
        action = step(request, current=kept, found=(stray,))
        assert isinstance(action, Cancel)
        assert action.run == stray
        again = step(request, current=kept, found=())
        assert isinstance(again, Search)
        assert again.pause
        clear = step(request, current=kept, found=(), thorough=True)
        assert isinstance(clear, Tag)
        assert clear.remove == (OwnershipTag.REPLACED_BY,)

    def test_to_go_back_sweeps_what_a_killed_update_of_the_newer_run_has_left(self) -> None:
        forward = update(CHANGED)
        new = new_run("1000002", of=forward, replaces=str(CURRENT.physical_id))
        new = tagged(new, replaced_by=mark(Did.REPLACES, "update-2", seconds=-3))
        stray = new_run("1000003", of=update({**PROPERTIES, "Priority": "1"}), request_id="update-2")
        request = update(PROPERTIES, CHANGED, run=new)
        original = kept_by(request, replaced_by(forward))
        assert isinstance(step(request, current=new, original=original), Search)
        action = step(request, current=new, original=original, found=(stray, new))
        assert isinstance(action, Cancel)
        assert action.run == stray

    @pytest.mark.parametrize(
        "run",
        [
            new_run("1000002", age=6000),
            new_run("1000002", newest_request=mark(Did.STARTED, "update-2", seconds=5)),
        ],
        ids=["older than the kept one", "of a newer request"],
    )
    def test_other_runs_are_not_taken_for_strays(self, run: Run) -> None:
        request = replace(update(PROPERTIES, CHANGED), request_id="rollback-1")
        kept = kept_by(request, replaced_by(update(CHANGED)))
        assert isinstance(step(request, current=kept, found=(run,), thorough=True), Tag)

    @pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
    def test_retained_runs_are_never_swept(self, policy: str) -> None:
        retained = {"RemovalPolicy": policy}
        request = replace(update({**PROPERTIES, **retained}, {**CHANGED, **retained}), request_id="rollback-1")
        kept = kept_by(request, replaced_by(update(CHANGED)))
        assert not isinstance(step(request, current=kept), (Search, Cancel))

    @pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
    def test_what_was_started_without_a_policy_is_swept_though_the_rollback_has_one(self, policy: str) -> None:
        request = replace(update({**PROPERTIES, "RemovalPolicy": policy}, CHANGED), request_id="rollback-1")
        kept = kept_by(request, replaced_by(update(CHANGED)))
        assert isinstance(step(request, current=kept), Search)

    def test_an_overtaken_update_that_may_have_started_a_run_looks_for_it(self) -> None:
        request = update(CHANGED)
        kept = tagged(CURRENT, newest_request=mark(Did.KEPT, "rollback-1", seconds=1))
        assert isinstance(step(request, current=kept, uncertain=True), Search)
        run = new_run("1000002", of=request)
        assert isinstance(step(request, current=kept, uncertain=True, found=(run,)), Cancel)

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
            "ConsoleUrl": "https://us-east-1.console.aws.amazon.com/omics/home?region=us-east-1#/runs/1000001",
            "StartedAt": "",
            "StoppedAt": "",
            "DurationSeconds": "",
        }

    def test_where_the_current_run_is_gone_what_others_have_started_tells_who_is_right(self) -> None:
        request = update(CHANGED)
        gone: dict[str, Any] = {"current": Gone.GONE}
        assert isinstance(step(request, **gone), Search)
        assert isinstance(step(request, found=(), **gone), Start)
        new = new_run("1000002", of=request)
        again = step(request, started=new, **gone)
        assert isinstance(again, Search)
        assert again.pause
        newer = new_run("1000003", of=request, newest_request=mark(Did.STARTED, "update-2", seconds=5))
        assert isinstance(step(request, started=new, found=(new, newer), **gone), Cancel)
        older = new_run("1000004", of=request, request_id="update-0", age=60)
        sweep = step(request, started=new, found=(new, older), **gone)
        assert isinstance(sweep, Cancel)
        assert sweep.run == older
        assert isinstance(step(request, started=new, found=(new,), **gone), Answer)

    def test_a_failed_update_keeps_the_id_that_the_event_came_with(self) -> None:
        action = step(update(CHANGED), current=CURRENT, failure="refused")
        assert action == Answer("refused", succeeded=False, physical_id=str(CURRENT.physical_id))

    def test_a_failed_update_that_started_a_run_names_it_or_takes_it_back(self) -> None:
        new = new_run("1000002", of=update(CHANGED))
        named = Answer("broken", succeeded=False, physical_id=str(new.physical_id))
        assert step(update(CHANGED), current=CURRENT, started=new, failure="broken") == named
        assert isinstance(step(update(CHANGED), started=new, failure="broken"), Cancel)
        cancelled = frozenset({new.id})
        assert step(update(CHANGED), started=new, failure="broken", cancelled=cancelled) == named


class TestDelete:
    @pytest.mark.parametrize("status", [each for each in ACTIVE if each != "STOPPING"])
    def test_an_active_run_is_cancelled_and_waited_for(self, status: str) -> None:
        current = replace(CURRENT, status=status)
        assert isinstance(step(delete(), current=current), Cancel)
        cancelled = frozenset({current.id})
        search = step(delete(), current=current, cancelled=cancelled)
        assert isinstance(search, Search)
        assert search.pause
        assert isinstance(step(delete(), current=current, cancelled=cancelled, found=()), Wait)

    def test_one_that_somebody_has_cancelled_is_waited_for(self) -> None:
        stopping = replace(CURRENT, status="STOPPING")
        assert isinstance(step(delete(), current=stopping), Search)
        assert isinstance(step(delete(), current=stopping, found=()), Wait)

    @pytest.mark.parametrize("tags", [{}, {OwnershipTag.STACK_ID.value: "another stack"}], ids=["gone", "another's"])
    def test_a_run_whose_tag_was_taken_off_is_tagged_before_it_is_cancelled(self, tags: Mapping[str, str]) -> None:
        untagged = replace(CURRENT, tags=tags)
        named = Observed("DELETE_IN_PROGRESS", NOW, str(CURRENT.physical_id))
        action = step(delete(), current=untagged, observed=named)
        assert isinstance(action, Reclaim)
        assert action.run == untagged
        assert isinstance(step(delete(), current=CURRENT, observed=named), Cancel)

    def test_a_started_run_that_is_nobodys_is_tagged_before_it_is_cancelled(self) -> None:
        untagged = replace(new_run("1000002"), tags={})
        action = step(new_request(), started=untagged, late=True, observed=MOVED_ON)
        assert isinstance(action, Reclaim)

    def test_under_a_name_that_many_may_share_nothing_is_searched_for_without_a_reason(self) -> None:
        request, cancelled = delete(Name="cohort"), frozenset({CURRENT.id})
        assert isinstance(step(request, current=CURRENT, cancelled=cancelled), Wait)
        marked = replaced_by(update(CHANGED))
        action = step(request, current=marked, cancelled=cancelled, released=frozenset({marked.id}))
        assert isinstance(action, Search)
        assert action.after == CURRENT.created

    def test_a_cancelled_run_needs_no_mark(self) -> None:
        action = step(delete(), current=replace(CURRENT, status="CANCELLED"), found=())
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_run_that_was_to_be_replaced_is_released_before_others_are_looked_for(self) -> None:
        current = replaced_by(update(CHANGED))
        assert isinstance(step(delete(), current=current, cancelled=frozenset({current.id})), Release)

    @pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
    def test_a_finished_run_is_released_and_not_cancelled(self, status: str) -> None:
        current = replace(CURRENT, status=status)
        assert isinstance(step(delete(), current=current), Release)
        action = step(delete(), current=current, released=frozenset({current.id}), found=())
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_released_run_is_left_alone(self) -> None:
        released = new_run(status="COMPLETED", definition=RELEASED)
        assert isinstance(step(delete(), current=released, found=()), Answer)

    @pytest.mark.parametrize("status", ["RUNNING", "COMPLETED"])
    def test_a_run_without_our_tags_is_touched_only_where_cloudformation_names_it(self, status: str) -> None:
        foreign = new_run(status=status, stack_id="another stack")
        assert isinstance(step(delete(), current=foreign), AskCloudFormation)
        other = Observed("DELETE_IN_PROGRESS", NOW, "2/b")
        assert isinstance(step(delete(), current=foreign, observed=other), Answer)
        named = Observed("DELETE_IN_PROGRESS", NOW, str(foreign.physical_id))
        action = step(delete(), current=foreign, observed=named)
        assert isinstance(action, Reclaim if status == "RUNNING" else Search)

    def test_a_run_that_a_newer_request_has_kept_is_left_alone(self) -> None:
        kept = tagged(CURRENT, newest_request=mark(Did.KEPT, "update-2", seconds=60))
        assert isinstance(step(delete(), current=kept), Answer)

    def test_nothing_is_left_of_a_run_that_is_gone_or_has_another_uuid(self) -> None:
        assert isinstance(step(delete(), current=Gone.GONE), Search)
        action = step(delete(), current=Gone.GONE, found=())
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_what_the_current_run_has_replaced_is_looked_at(self) -> None:
        old = new_run("1000000", age=6000)
        current = tagged(CURRENT, replaces=str(old.physical_id))
        seen: dict[str, Any] = {"current": current, "cancelled": frozenset({current.id})}
        assert isinstance(step(delete(), **seen), ReadOriginal)
        seen |= {"original": old, "found": ()}
        assert isinstance(step(delete(), **seen), AskCloudFormation)
        ends = Observed("DELETE_IN_PROGRESS", NOW, str(current.physical_id))
        action = step(delete(), observed=ends, **seen)
        assert isinstance(action, Cancel)
        assert action.run == old

    def test_the_cleanup_of_a_replaced_run_leaves_alone_the_one_that_cloudformation_names(self) -> None:
        forward = update(CHANGED)
        new = new_run("1000002", of=forward, newest_request=mark(Did.STARTED, "update-1"))
        current = replace(replaced_by(forward), status="CANCELLED")
        named = Observed("UPDATE_COMPLETE", NOW, str(new.physical_id))
        seen: dict[str, Any] = {"current": current, "released": frozenset({current.id}), "found": (new,)}
        assert isinstance(step(delete(), **seen), AskCloudFormation)
        action = step(delete(), observed=named, **seen)
        assert isinstance(action, Answer)
        assert action.succeeded

    @pytest.mark.parametrize(
        "observed",
        [
            Observed("UPDATE_COMPLETE", NOW, str(CURRENT.physical_id)),
            Observed("UPDATE_IN_PROGRESS", NOW, "1000002/uuid-1000002"),
            UNTOLD,
        ],
        ids=["named", "not yet named", "nobody can be asked"],
    )
    def test_a_run_that_was_gone_back_to_is_spared(self, observed: Observed) -> None:
        action = step(delete("1000002/uuid-1000002"), observed=observed, **self.gone_back())
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_run_that_was_gone_back_to_without_anybody_hearing_of_it_ends_with_its_resource(self) -> None:
        asked = step(delete("1000002/uuid-1000002"), **self.gone_back())
        assert isinstance(asked, AskCloudFormation)
        assert asked.optional
        end = Observed("DELETE_IN_PROGRESS", NOW, "1000002/uuid-1000002")
        action = step(delete("1000002/uuid-1000002"), observed=end, **self.gone_back())
        assert isinstance(action, Cancel)
        assert action.run.id == CURRENT.id

    def test_an_original_that_was_never_cleaned_up_may_not_be_the_only_one_whatever_the_name(self) -> None:
        named = {**PROPERTIES, "Name": "cohort"}
        run = new_run("1000003", of=new_request("Create", named), replaces=str(CURRENT.physical_id))
        seen: dict[str, Any] = {"current": replace(run, status="CANCELLED"), "cancelled": frozenset({run.id})}
        action = step(delete(str(run.physical_id), Name="cohort"), original=CURRENT, **seen)
        assert isinstance(action, Search)
        assert action.after == LONG_AGO
        gone = step(delete(str(run.physical_id), Name="cohort"), original=replace(CURRENT, status="CANCELLED"), **seen)
        assert isinstance(gone, Answer)

    @staticmethod
    def gone_back() -> dict[str, Any]:
        """A replacement that is cancelled, and its original, which an Update has gone back to since."""
        back = tagged(CURRENT, newest_request=mark(Did.KEPT, "rollback-1", seconds=-5))
        forward = replace(update(CHANGED), request_id="update-1")
        started = mark(Did.STARTED, "update-1", seconds=-9)
        new = new_run("1000002", of=forward, newest_request=started, replaces=str(CURRENT.physical_id))
        return {"current": replace(new, status="CANCELLED"), "original": back, "found": (back,)}

    def test_an_id_that_says_that_nothing_was_started_needs_nothing(self) -> None:
        action = step(delete("none-1234"))
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_an_id_that_names_a_create_concerns_that_creates_run_only(self) -> None:
        other = new_run("1000001")
        orphan = new_run("1000002", newest_request=mark(Did.STARTED, "1234", seconds=-60))
        assert isinstance(step(delete("unsettled-1234")), Search)
        action = step(delete("unsettled-1234"), found=(other, orphan))
        assert isinstance(action, Cancel)
        assert action.run == orphan
        assert isinstance(step(delete("unsettled-1234"), found=(other,), thorough=True), Answer)

    def test_an_id_of_cloudformations_own_sweeps_every_older_run_but_the_one_it_names(self) -> None:
        named, older, newer = new_run("1000001"), new_run("1000002", age=9), new_run("1000003", age=-60)
        seen: dict[str, Any] = {"found": (newer, named, older)}
        assert isinstance(step(delete(MADE_UP)), Search)
        assert isinstance(step(delete(MADE_UP), **seen), AskCloudFormation)
        seen["observed"] = Observed("CREATE_COMPLETE", NOW, str(named.physical_id))
        action = step(delete(MADE_UP), **seen)
        assert isinstance(action, Cancel)
        assert action.run == older
        seen["cancelled"] = frozenset({older.id})
        assert isinstance(step(delete(MADE_UP), **seen), Release)
        assert isinstance(step(delete(MADE_UP), released=frozenset({older.id}), **seen), Wait)

    def test_the_sweep_looks_again_for_a_create_that_is_at_its_start(self) -> None:
        again = step(delete(MADE_UP), found=())
        assert isinstance(again, Search)
        assert again.pause
        assert isinstance(step(delete(MADE_UP), found=(), thorough=True), Answer)

    @pytest.mark.parametrize("physical_id", [str(CURRENT.physical_id), MADE_UP])
    def test_a_retained_run_is_left_alone(self, physical_id: str) -> None:
        action = step(delete(physical_id, RemovalPolicy="Retain"))
        assert isinstance(action, Answer)
        assert action.succeeded

    def test_a_run_that_its_resource_left_is_cancelled_with_a_later_one_of_that_id_unless_its_tag_is_off(self) -> None:
        left, later = new_run("1000001", age=600), new_run("1000002", age=60, status="CANCELLED")
        request = delete(str(later.physical_id))
        observed = Observed("DELETE_IN_PROGRESS", NOW, str(later.physical_id))
        seen: dict[str, Any] = {"current": later, "observed": observed}
        action = step(request, found=(left, later), **seen)
        assert isinstance(action, Cancel)
        assert action.run == left
        untagged = left.tagged({}, (OwnershipTag.STACK_ID,))
        assert isinstance(step(request, found=(untagged, later), **seen), Answer)

    def test_retain_on_update_or_delete_still_cancels_what_a_failed_create_started(self) -> None:
        request = delete(RemovalPolicy="RetainExceptOnCreate")
        assert isinstance(step(request, current=CURRENT), Cancel)

    def test_a_delete_that_cannot_go_on_says_why(self) -> None:
        action = step(delete(), current=CURRENT, failure="still STOPPING")
        assert action == Answer("still STOPPING", succeeded=False, physical_id=str(CURRENT.physical_id))


def test_the_statuses_are_those_of_the_model() -> None:
    statuses = set(MODEL.shape_for("RunStatus").metadata["enum"])
    assert set(ACTIVE) - {"A_STATUS_TO_COME"} == statuses - RUN.terminal
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
        event = new_request("Create", self.WAITING).poll(CURRENT.physical_id)
        return decide(Request.of(event), None, replace(Seen(late=True), **seen))  # type: ignore[arg-type]

    def test_a_started_run_is_looked_at_again_later(self) -> None:
        request, run = new_request("Create", self.WAITING), new_run(status="PENDING")
        assert isinstance(step(request, started=run), Schedule)
        assert step(request, started=run, scheduled=True) == LATER

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
        action = self.look(current=run, tasks=())
        assert isinstance(action, Answer)
        assert (action.succeeded, action.physical_id) == (False, str(run.physical_id))
        assert action.why.startswith(f"Run {run.id} is {status}: WHY: How. Its logs are in log group /aws/omics/")

    def test_a_failed_runs_tasks_are_read_before_the_answer_and_told_in_it(self) -> None:
        run = new_run(status="FAILED")
        assert isinstance(self.look(current=run), ReadTasks)
        action = self.look(current=run, tasks=(FailedTask("align", "TASK_OOM"),))
        assert isinstance(action, Answer)
        assert "Task align failed: TASK_OOM." in action.why

    @pytest.mark.parametrize("status", ["CANCELLED", "DELETED"])
    def test_of_a_run_that_somebody_stopped_no_task_is_to_blame(self, status: str) -> None:
        assert isinstance(self.look(current=new_run(status=status)), Answer)

    def test_a_look_reads_the_run_and_asks_nobody(self) -> None:
        assert self.look() == Read("has it come as far as it is waited for?", CURRENT.physical_id)
        assert self.look(current=CURRENT) == LATER
        assert isinstance(self.look(current=CURRENT, closing=True), Wait)

    def test_a_look_that_fails_is_followed_by_another_until_the_time_is_over(self) -> None:
        assert isinstance(self.look(failure="GetRun was refused"), Silence)
        action = self.look(failure="GetRun was refused", closing=True)
        assert isinstance(action, Answer)
        assert (action.why, action.physical_id) == ("GetRun was refused", str(CURRENT.physical_id))

    def test_an_update_that_adds_the_waiting_waits_and_its_rollback_takes_the_rule_away(self) -> None:
        forward = update(self.WAITING, PROPERTIES)
        marked = tagged(CURRENT, newest_request=str(Mark(NOW, Did.KEPT, "COMPLETED", "update-1")))
        assert isinstance(step(forward, current=marked), Schedule)
        back = replace(update(PROPERTIES, self.WAITING), request_id="rollback-1")
        assert isinstance(step(back, current=kept_by(back)), Unschedule)
        assert isinstance(step(back, current=kept_by(back), unscheduled=True), Answer)

    def test_to_go_back_waits_for_nothing(self) -> None:
        new = new_run("1000002", of=update(CHANGED), replaces=str(CURRENT.physical_id))
        request = update(self.WAITING, CHANGED, run=new)
        original = tagged(CURRENT, newest_request=str(Mark(NOW, Did.KEPT, "COMPLETED", "rollback-1")))
        assert isinstance(step(request, current=new, original=original), Answer)

    def test_a_kept_run_that_had_failed_does_not_fail_an_update_but_one_that_fails_meanwhile_does(self) -> None:
        request = update(self.WAITING, PROPERTIES)
        failed = replace(CURRENT, status="FAILED")
        failed = tagged(failed, newest_request=str(Mark(NOW, Did.KEPT, "COMPLETED", "update-1")))
        had_failed = step(request, current=failed)
        fails_now = step(request, current=failed, waited=True, tasks=())
        assert isinstance(had_failed, Answer)
        assert isinstance(fails_now, Answer)
        assert (had_failed.succeeded, fails_now.succeeded) == (True, False)

    @pytest.mark.parametrize("status", ["A_STATUS_TO_COME", "PENDING"])
    def test_who_waits_for_nothing_never_waits(self, status: str) -> None:
        assert isinstance(step(new_request(), started=new_run(status=status)), Answer)

    def test_a_delete_removes_the_rule_after_the_run_is_cancelled(self) -> None:
        request, cancelled = delete(WaitFor="COMPLETED"), frozenset({CURRENT.id})
        assert isinstance(step(request, current=CURRENT), Cancel)
        assert isinstance(step(request, current=CURRENT, cancelled=cancelled), Unschedule)
        marked = tagged(CURRENT, newest_request=str(Mark(NOW, Did.KEPT, "COMPLETED", "update-1")))
        assert isinstance(step(delete(), current=marked, cancelled=cancelled), Unschedule)

    def test_what_goes_through_eventbridge_is_short_and_comes_back_whole(self) -> None:
        long = {**self.WAITING, "Parameters": "x" * 50_000, "ServiceTimeout": "600"}
        request = new_request("Create", long, signed_at=None, response_url="https://127.0.0.1/" + "s" * 3000)
        request = replace(request, heard_at=NOW)
        event = json.loads(json.dumps(request.poll(CURRENT.physical_id)))
        assert len(json.dumps(event)) < 8192
        back = Request.of(event)
        assert back.polls
        assert (back.physical_id, back.request_id) == (str(CURRENT.physical_id), request.request_id)
        assert (back.wait_for, back.service_timeout, back.sent_at) == ("COMPLETED", 600, NOW)
        assert back.response_url not in repr(back)
