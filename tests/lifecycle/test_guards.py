"""Each rule of docs/adr/0011-who-is-right.md has a guard in the code; taken out, the tests of this folder notice.

A promise that no test holds is no promise. Where random lives notice, they do; where it is a matter of time or of what
people did to tags, a single test does.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cdk_healthomics_handler import decision, identity, lifecycle, outcomes, standing
from cdk_healthomics_handler.healthomics import HealthOmics, Hunt
from cdk_healthomics_handler.names import RELEASED
from cdk_healthomics_handler.pace import Pace
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Gone
from tests.lifecycle import test_adoption
from tests.lifecycle import test_who_is_right as rows
from tests.lifecycle.test_overlapping import COMMON, Overlapping
from tests.lifecycle.world import World


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The handler logs in this process, thousands of lines that nobody reads."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def random_token(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity, "token", lambda *_: str(uuid4()))


def no_uuid_check(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(HealthOmics, "read", lambda self, physical_id: self._get(physical_id.run_id))


def no_search(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Hunt, "go_on", lambda _: ())


def no_ownership_check(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "belongs_to", lambda *_: True)


def no_release_mark(patch: pytest.MonkeyPatch) -> None:
    tag = HealthOmics.tag

    def without(self: Any, run: Any, add: Any, remove: Any = ()) -> None:
        if RELEASED not in add.values():
            tag(self, run, add, remove)

    patch.setattr(HealthOmics, "tag", without)


def rule_1_one_look_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(standing.Observed, "believed", lambda *_: True)


def rule_2_a_named_run_is_not_spared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(standing.Observed, "names", lambda *_: False)


def rule_3_no_mark_is_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "claimed_after", lambda *_: False)
    patch.setattr(Run, "kept_beside", lambda *_: False)


def rule_3_a_sweep_goes_by_no_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "older_than", lambda *_: True)
    patch.setattr(Run, "claimed_after", lambda *_: False)


def rule_4_a_run_knows_no_original(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "replaces", None)


def rule_5_the_end_does_not_sweep(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "_sweep_all", lambda *_: None)


def rule_5_a_kept_run_does_not_sweep(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "_sweep_newer", lambda *_: None)


def rule_6_not_found_is_gone(patch: pytest.MonkeyPatch) -> None:
    def find(self: Any, physical_id: Any) -> Any:
        return self.healthomics.read(physical_id) or Gone.GONE

    patch.setattr(lifecycle.Lifecycle, "_find", find)


def rule_7_nothing_is_taken_back(patch: pytest.MonkeyPatch) -> None:
    def withdraw(request: Any, run: Any, seen: Any) -> Any:
        return outcomes.overtaken(request, run, seen, "so be it")

    patch.setattr(decision, "_withdraw", withdraw)


def rule_8_an_unknown_status_is_an_end(patch: pytest.MonkeyPatch) -> None:
    known = {"PENDING", "STARTING", "RUNNING", "STOPPING"}
    patch.setattr(Run, "active", property(lambda self: self.status in known))


def rule_9_a_search_starts_over(patch: pytest.MonkeyPatch) -> None:
    def go_on(self: Hunt) -> Any:
        names = list(self._names)
        try:
            return search(self)
        except Exception:
            self._names, self._token, self._ids = names, "", []
            self._found.clear()
            self._strangers.clear()
            raise

    search = Hunt.go_on
    patch.setattr(Hunt, "go_on", go_on)


def rule_10_every_definition_is_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity, "comparable", lambda _: True)


def rule_11_everybody_tries_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pace, "turn", lambda self, refusals, *_: self.pause(refusals))


LIVES = [
    random_token,
    no_search,
    no_ownership_check,
    rule_2_a_named_run_is_not_spared,
    rule_5_the_end_does_not_sweep,
]


@pytest.mark.parametrize("take_out", LIVES, ids=lambda guard: guard.__name__)
def test_random_lives_notice_without(take_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out(monkeypatch)
    some = settings(COMMON, max_examples=400, stateful_step_count=15, phases=[Phase.generate], derandomize=True)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Overlapping, settings=some)


def an_adopted_run_is_as_any_other(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Run, "adopted", property(lambda _: False))


def nothing_is_given_back_by_who_was_overtaken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(standing.Observed, "deletes", lambda *_: False)
    patch.setattr(standing.Observed, "overtakes", lambda *_: False)


@pytest.mark.parametrize("take_out", [an_adopted_run_is_as_any_other, nothing_is_given_back_by_who_was_overtaken])
def test_lives_of_an_adopted_run_notice_without(take_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        _ = [test_adoption.live(number) for number in range(test_adoption.LIVES)]


def twenty_of_one_name(account: rows.Make) -> None:
    rows.TestNamesThatAreShared.test_what_creates_left_that_were_never_heard_of_is_swept(
        rows.TestNamesThatAreShared(), rows.shared_names(account, 20)
    )


ROWS = [
    (no_uuid_check, rows.TestStrangers().test_who_have_the_id_of_a_deleted_run_are_left_alone),
    (no_release_mark, rows.TestAnOriginalThatIsAtItsEnd().test_is_not_gone_back_to_after_its_cleanup),
    (
        rule_1_one_look_is_believed,
        rows.TestALookThatIsSecondsOld().test_of_an_earlier_life_of_the_resource_does_not_fail_its_create,
    ),
    (
        rule_3_no_mark_is_read,
        lambda account: (
            rows.TestAForwardUpdateInItsRollback().test_finds_the_rollbacks_mark_and_leaves_the_original_alone(
                account, begins_after=70.0, rolled_back_after=2.0, lag=5.0
            )
        ),
    ),
    (
        rule_3_a_sweep_goes_by_no_order,
        lambda account: rows.TestALateDuplicate().test_of_an_update_leaves_a_newer_ones_run_alone(account, 33.0),
    ),
    (
        rule_4_a_run_knows_no_original,
        lambda account: rows.TestAnOriginalThatIsAtItsEnd().test_is_gone_back_to_whatever_its_status(account, "FAILED"),
    ),
    (
        rule_5_a_kept_run_does_not_sweep,
        rows.TestAForwardUpdateInItsRollback().test_that_was_killed_is_swept_by_the_rollback,
    ),
    (rule_6_not_found_is_gone, rows.TestARunThatIsNotVisibleYet().test_is_found_by_its_delete),
    (
        rule_7_nothing_is_taken_back,
        rows.TestARequestThatDiesAfterItWasGivenUp().test_a_create_is_found_by_its_token_and_cancelled,
    ),
    (rule_8_an_unknown_status_is_an_end, rows.TestAStatusThatNobodyKnows().test_is_an_active_one_to_a_delete),
    (rule_9_a_search_starts_over, twenty_of_one_name),
    (
        rule_10_every_definition_is_compared,
        lambda account: rows.TestTheTagsThatSomebodyChanged().test_the_definition_is_healed_where_nothing_changed(
            account, None
        ),
    ),
    (
        rule_11_everybody_tries_at_once,
        rows.TestCreatesInACrowd().test_share_start_runs_quota_with_others,
    ),
]


@pytest.mark.parametrize(("take_out", "row"), ROWS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_single_case_notices_without(take_out: Any, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(**settings: Any) -> World:
        world = World(**settings)
        stage.enter_context(world.installed())
        return world

    with ExitStack() as stage:
        row(make)  # as it is, all is well
    take_out(monkeypatch)
    with ExitStack() as stage, pytest.raises(AssertionError):
        row(make)
