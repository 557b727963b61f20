"""The links of a run that is waited for longer than an hour: what each does with its requests, and with its looks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cdk_healthomics_handler.actions import (
    Answer,
    AskCloudFormation,
    Read,
    ReadOriginal,
    ReadTasks,
    Schedule,
    Silence,
    Unschedule,
    Wait,
)
from cdk_healthomics_handler.decision import decide
from cdk_healthomics_handler.event import PhysicalId, Request
from cdk_healthomics_handler.mark import Did, Mark
from cdk_healthomics_handler.names import LINK_TYPE, Attribute, OwnershipTag
from cdk_healthomics_handler.run import FailedTask, Run
from cdk_healthomics_handler.seen import Gone, Seen
from cdk_healthomics_handler.standing import Observed
from tests.events import NOW, PROPERTIES, new_event, new_request, new_run

RUN = new_run(age=7000)
OTHER = new_run("1000002", age=90)
OWN_ID = "wait-11111111-2222-4333-8444-555555555555"
ASKED: Mapping[str, Any] = {
    "ServiceToken": PROPERTIES["ServiceToken"],
    "ServiceTimeout": "3600",
    "Run": str(RUN.physical_id),
    "WaitFor": "COMPLETED",
    "Until": "7200",
    "Timeout": "10800",
}
LAST: Mapping[str, Any] = {**ASKED, "Until": "10800"}
FIRST: Mapping[str, Any] = {**PROPERTIES, "ServiceTimeout": "3600", "WaitFor": "COMPLETED", "Timeout": "10800"}


def create(asked: Mapping[str, Any] = ASKED) -> Request:
    return new_request("Create", asked, ResourceType=LINK_TYPE)


def update(asked: Mapping[str, Any] = ASKED, old: Mapping[str, Any] = ASKED) -> Request:
    fields = {"ResourceType": LINK_TYPE, "PhysicalResourceId": OWN_ID, "OldResourceProperties": old}
    return new_request("Update", asked, **fields)


def look(asked: Mapping[str, Any] = ASKED) -> Request:
    return Request.of(create(asked).poll(RUN.physical_id))


def step(request: Request, **seen: object) -> object:
    return decide(request, None, replace(Seen(unscheduled=True, tasks=()), **seen))  # type: ignore[arg-type]


def answer(request: Request, *, succeeded: bool, **seen: object) -> Answer:
    action = step(request, **seen)
    assert isinstance(action, Answer), action
    assert action.succeeded is succeeded
    assert action.physical_id == OWN_ID
    assert set(action.attributes) == (set(Attribute) if succeeded else set())
    return action


def kept(run: Run, *, ended_after: float, status: str = "FAILED") -> Run:
    """A run that an Update has kept, and that ended so many seconds after that was sent."""
    newest = str(Mark(NOW, Did.KEPT, "COMPLETED", "update"))
    ended = replace(run, status=status, stopped_at=NOW + timedelta(seconds=ended_after))
    return ended.tagged({OwnershipTag.NEWEST_REQUEST: newest}, ())


@pytest.mark.parametrize(
    ("status", "has_begun", "reached"),
    [
        ("RUNNING", True, True),
        ("COMPLETED", True, True),
        ("A_STATUS_TO_COME", True, True),
        ("A_STATUS_TO_COME", False, False),
        ("STARTING", True, False),
        ("STOPPING", True, False),
        ("FAILED", True, False),
    ],
)
def test_a_run_with_a_status_that_nobody_knows_runs_if_it_has_left_the_queue(
    status: str, *, has_begun: bool, reached: bool
) -> None:
    run = replace(RUN, status=status, started=NOW if has_begun else None)
    assert run.reached("RUNNING") is reached
    assert run.reached("COMPLETED") is (status == "COMPLETED")


class TestALinkThatIsMade:
    def test_looks_at_the_run_that_it_is_told(self) -> None:
        action = step(create())
        assert isinstance(action, Read)
        assert action.physical_id == RUN.physical_id

    def test_answers_at_once_where_the_run_has_completed(self) -> None:
        done = answer(create(), succeeded=True, current=replace(RUN, status="COMPLETED"))
        assert done.attributes[Attribute.STATUS] == "COMPLETED"

    def test_fails_at_once_where_the_run_has_ended_otherwise(self) -> None:
        failed = replace(RUN, status="FAILED")
        assert isinstance(step(create(), current=failed, tasks=None), ReadTasks)
        told = answer(create(), succeeded=False, current=failed, tasks=(FailedTask("align", "TASK_OOM"),)).why
        assert "is FAILED. Task align failed: TASK_OOM." in told

    def test_waits_where_it_has_not(self) -> None:
        assert isinstance(step(create(), current=RUN), Schedule)
        assert isinstance(step(create(), current=RUN, scheduled=True), Silence)

    def test_succeeds_where_the_run_had_failed_before_it_was_kept(self) -> None:
        answer(create(), succeeded=True, current=kept(RUN, ended_after=-1))
        answer(create(), succeeded=False, current=kept(RUN, ended_after=1))
        answer(create(), succeeded=False, current=replace(kept(RUN, ended_after=0), stopped_at=None))

    def test_fails_where_the_run_was_deleted(self) -> None:
        told = answer(create(), succeeded=False, current=Gone.GONE).why
        assert told == f"Run {RUN.id} was deleted while it was waited for."

    def test_asks_cloudformation_first_where_it_is_late(self) -> None:
        assert isinstance(step(create(), current=RUN, late=True), AskCloudFormation)
        waits = Observed("CREATE_IN_PROGRESS", NOW, "")
        assert isinstance(step(create(), current=RUN, late=True, observed=waits), Schedule)
        moved_on = Observed("DELETE_IN_PROGRESS", NOW + timedelta(seconds=9), OWN_ID)
        assert "moved on" in answer(create(), succeeded=False, current=RUN, late=True, observed=moved_on).why

    def test_says_what_it_was_told_where_that_is_no_run(self) -> None:
        told = answer(create({**ASKED, "Run": "Genomes-Run-1"}), succeeded=False).why
        assert told == "Run was 'Genomes-Run-1': must be the physical id of a run."

    def test_says_why_it_could_not_look(self) -> None:
        assert answer(create(), succeeded=False, failure="GetRun was refused").why == "GetRun was refused"


class TestALinkThatIsUpdated:
    def test_first_takes_away_what_older_requests_have_left(self) -> None:
        assert isinstance(step(update(), unscheduled=False), Unschedule)

    def test_waits_anew_where_the_run_was_replaced(self) -> None:
        replaced = update({**ASKED, "Run": str(OTHER.physical_id)})
        action = step(replaced, current=OTHER)
        assert isinstance(action, ReadOriginal)
        assert action.physical_id == RUN.physical_id
        assert isinstance(step(replaced, current=OTHER, original=RUN), Schedule)
        assert isinstance(step(replaced, current=OTHER, original=Gone.GONE), Schedule)

    def test_answers_at_once_where_the_run_was_gone_back_to(self) -> None:
        replacement = OTHER.tagged({OwnershipTag.REPLACES: str(RUN.physical_id)}, ())
        back = update(ASKED, {**ASKED, "Run": str(OTHER.physical_id)})
        answer(back, succeeded=True, current=RUN, original=replacement)
        answer(back, succeeded=True, current=kept(RUN, ended_after=-1), original=replacement)

    def test_answers_at_once_where_the_run_was_kept_and_somebody_has_deleted_it(self) -> None:
        assert answer(update(), succeeded=True, current=Gone.GONE).attributes[Attribute.STATUS] == "DELETED"

    def test_waits_where_the_run_is_the_same_and_goes_on(self) -> None:
        assert isinstance(step(update(ASKED, {**ASKED, "WaitFor": "RUNNING"}), current=RUN), Schedule)

    @pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
    def test_answers_at_once_where_an_update_is_taken_back_that_had_changed_nothing(self, status: str) -> None:
        answer(update(), succeeded=True, current=kept(RUN, ended_after=5, status=status))


class TestALinkThatIsDeleted:
    def test_takes_away_what_waits_and_touches_no_run(self) -> None:
        request = new_request("Delete", ASKED, ResourceType=LINK_TYPE, PhysicalResourceId=OWN_ID)
        assert isinstance(step(request, unscheduled=False), Unschedule)
        action = step(request)
        assert isinstance(action, Answer)
        assert (action.succeeded, action.physical_id) == (True, OWN_ID)


class TestALook:
    def test_has_all_that_the_link_was_told(self) -> None:
        again = look()
        assert again.polls
        assert (again.watched, again.link_id, again.followed) == (RUN.physical_id, OWN_ID, True)
        assert again.request_id == create().request_id

    def test_hands_over_shortly_before_the_links_own_hour_is_over(self) -> None:
        assert isinstance(step(look(), current=RUN), Silence)
        assert "next link" in answer(look(), succeeded=True, current=RUN, closing=True).why

    def test_of_the_last_link_waits_to_the_end(self) -> None:
        assert isinstance(step(look(LAST), current=RUN, closing=True), Wait)
        answer(look(LAST), succeeded=False, current=RUN, closing=True, failure="Run … is still RUNNING")

    def test_fails_at_once_where_the_run_fails(self) -> None:
        answer(look(), succeeded=False, current=replace(RUN, status="CANCELLED"))


class TestTheRunsOwnResource:
    def test_hands_over_when_its_hour_is_over(self) -> None:
        request = new_request("Create", FIRST)
        again = Request.of(request.poll(RUN.physical_id))
        action = step(again, current=RUN, closing=True)
        assert isinstance(action, Answer)
        assert (action.succeeded, action.physical_id) == (True, str(RUN.physical_id))

    @pytest.mark.parametrize("asked", [FIRST, ASKED, LAST])
    def test_and_its_links_know_who_is_last(self, asked: Mapping[str, Any]) -> None:
        request = new_request("Create", asked, ResourceType=LINK_TYPE if "Run" in asked else "Custom::HealthOmicsRun")
        assert request.followed is (asked is not LAST)
        assert request.timeout == 10800

    def test_without_links_waits_as_long_as_cloudformation_does(self) -> None:
        request = new_request("Create", {**PROPERTIES, "ServiceTimeout": "600", "WaitFor": "COMPLETED"})
        assert (request.followed, request.timeout) == (False, 600)


def test_the_id_of_a_link_is_never_taken_for_a_runs() -> None:
    assert PhysicalId.parse(OWN_ID) is None
    assert Request.of(new_event("Create", ASKED, ResourceType=LINK_TYPE)).link_id == OWN_ID
