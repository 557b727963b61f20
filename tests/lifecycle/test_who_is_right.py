"""Requests that overlap, looks that lag, names that are shared: each way in which a run was lost once, one by one.

The world is :mod:`tests.lifecycle.world`; what is random in it comes from a fixed seed. The rules are in
docs/adr/0011-who-is-right.md.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from cdk_healthomics_handler.names import OwnershipTag
from local_aws.healthomics import QUOTAS, Fault, Kind
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.world import Delivery, Sent, World

CHANGED: Mapping[str, Any] = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}
FURTHER: Mapping[str, Any] = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":96}'}
TAGGED: Mapping[str, Any] = {**PROPERTIES, "Tags": {"a": "1"}}
NAME = f"Genomes-{LOGICAL_ID}"
KILLED = Delivery(killed_at=(1, 1, 1))

Make = Callable[..., World]


@pytest.fixture
def account() -> Iterator[Make]:
    """Makes the world of a test."""
    logging.disable(logging.CRITICAL)  # thousands of lines that nobody reads
    with ExitStack() as stack:

        def make(**settings: Any) -> World:
            world = World(**settings)
            stack.enter_context(world.installed())
            return world

        yield make
    logging.disable(logging.NOTSET)


def operations(world: World) -> list[str]:
    """The calls that have reached HealthOmics."""
    return [call.operation for call in world.service.journal]


class Play:
    """One resource, whose requests are sent one by one: each overlaps with what the test wants it to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.named = ""
        self.cleanups: list[Sent] = []

    def send(
        self, kind: str, asked: Mapping[str, Any] = PROPERTIES, how: Delivery | None = None, **fields: Any
    ) -> Sent:
        """Send a request as CloudFormation does; a cleanup is not to be seen at the resource."""
        physical_id = fields.get("PhysicalResourceId", "")
        cleanup = kind == "Delete" and physical_id != self.named and "/" in self.named
        if not cleanup:
            self.world.cloudformation.show(STACK_ID, LOGICAL_ID, f"{kind.upper()}_IN_PROGRESS", physical_id)
        sent = self.world.send(kind, asked, how, **fields)
        self.cleanups += [sent] if cleanup else []
        return sent

    def update(
        self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], how: Delivery | None = None
    ) -> Sent:
        return self.send("Update", new, how, PhysicalResourceId=physical_id, OldResourceProperties=dict(old))

    def answer(self, sent: Sent, limit: float = 3600.0) -> Sent:
        """Wait for an answer, and take it as CloudFormation does."""
        assert self.world.timeline.until(lambda: sent.answer, limit), "no answer came"
        self.take(sent)
        return sent

    def take(self, sent: Sent) -> None:
        if sent in self.cleanups:
            return
        kind = sent.event["RequestType"].upper()
        self.named = sent.physical_id
        status = f"{kind}_{'COMPLETE' if sent.succeeded else 'FAILED'}"
        self.world.cloudformation.show(STACK_ID, LOGICAL_ID, status, sent.physical_id)

    def give_up(self, sent: Sent) -> None:
        """CloudFormation has moved on: whatever this request answers, nobody hears it."""
        sent.given_up = True

    def create(self, asked: Mapping[str, Any] = PROPERTIES, how: Delivery | None = None) -> str:
        sent = self.answer(self.send("Create", asked, how))
        assert sent.succeeded, sent.answer
        self.world.timeline.sleep(30)
        return sent.physical_id

    def sleep(self, seconds: float) -> None:
        self.world.timeline.sleep(seconds)


def play(world: World, script: Callable[[Play], object]) -> None:
    """Let a script play, and wait until nothing is under way."""
    world.play(lambda: script(Play(world)))


def started(world: World) -> int:
    return len(world.service.runs())


class TestAForwardUpdateInItsRollback:
    @pytest.mark.parametrize("lag", [0.0, 5.0])
    @pytest.mark.parametrize("rolled_back_after", [1.0, 2.0, 3.0])
    @pytest.mark.parametrize("begins_after", [0.2, 1.0, 2.5, 5.0, 12.0, 70.0])
    def test_finds_the_rollbacks_mark_and_leaves_the_original_alone(
        self, account: Make, begins_after: float, rolled_back_after: float, lag: float
    ) -> None:
        world = account(lag=lag)
        world.cloudformation.lag = lag
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            forward = it.update(first[0], PROPERTIES, CHANGED, Delivery(after=begins_after))
            it.sleep(rolled_back_after)
            it.give_up(forward)
            back = it.answer(it.update(first[0], CHANGED, PROPERTIES))
            assert (back.succeeded, back.physical_id) == (True, first[0])

        play(world, script)
        assert world.active() == first
        assert world.cloudformation.calls == 0

    @pytest.mark.parametrize("slow", [5.0, 14.0, 40.0])
    def test_whose_start_run_hangs_is_found_or_finds_out(self, account: Make, slow: float) -> None:
        world = account(lag=5.0)
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            world.slow["StartRun"] = [slow]
            forward = it.update(first[0], PROPERTIES, CHANGED)
            it.sleep(2)
            it.give_up(forward)
            assert it.answer(it.update(first[0], CHANGED, PROPERTIES)).physical_id == first[0]

        play(world, script)
        assert world.active() == first

    def test_that_was_killed_is_swept_by_the_rollback(self, account: Make) -> None:
        world = account(lag=5.0)
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            forward = it.update(first[0], PROPERTIES, CHANGED, Delivery(killed_at=(3, 1, 1)))
            it.sleep(5)
            it.give_up(forward)
            back = it.answer(it.update(first[0], CHANGED, PROPERTIES))
            assert back.physical_id == first[0]
            it.sleep(10)
            assert world.active() == first

        play(world, script)

    @pytest.mark.parametrize("seed", range(6))
    def test_that_was_killed_before_anybody_could_see_its_mark_is_swept_by_the_rollback(
        self, account: Make, seed: int
    ) -> None:
        world = account(seed=seed, lag=5.0)
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            forward = it.update(first[0], PROPERTIES, CHANGED, Delivery(killed_at=(3, 1, 1)))
            it.sleep(1)
            it.give_up(forward)
            assert it.answer(it.update(first[0], CHANGED, PROPERTIES)).physical_id == first[0]

        play(world, script)
        assert started(world) == 2
        assert world.active() == first

    def test_in_a_stack_of_twenty_leaves_nothing(self, account: Make) -> None:
        world = account(runs=20, start_rate=1.0, quotas=QUOTAS, lag=3.0)
        late = iter([0.2, 1.0, 2.0, 3.0, 5.0] * 100)
        stack = Stack(world, STACK_ID, lambda: Delivery(after=next(late)))
        ids = [f"Run{number}" for number in range(20)]

        def script() -> None:
            assert stack.deploy(dict.fromkeys(ids, PROPERTIES))
            assert not stack.deploy(dict.fromkeys(ids, CHANGED), sibling_fails=3.0)

        world.play(script)
        assert sorted(world.active()) == sorted(resource.physical_id for resource in stack.resources.values())
        assert all(world.run(each).request["parameters"]["scatter"] == 24 for each in world.active())


class TestTwoDeliveriesAtTheSameMoment:
    @pytest.mark.parametrize("slow", [3.0, 14.0, 60.0])
    def test_of_a_create_the_slower_leaves_the_run_alone(self, account: Make, slow: float) -> None:
        world = account()
        world.slow["StartRun"] = [0.1, slow]
        made = []
        play(world, lambda it: made.append(it.create(how=Delivery(twice_after=0.2))))
        assert world.active() == made

    @pytest.mark.parametrize("slow", [3.0, 14.0, 60.0])
    def test_of_an_update_the_slower_leaves_the_run_alone(self, account: Make, slow: float) -> None:
        world = account()
        new = []

        def script(it: Play) -> None:
            first = it.create()
            world.slow["StartRun"] = [0.1, slow]
            new.append(it.answer(it.update(first, PROPERTIES, CHANGED, Delivery(twice_after=0.2))).physical_id)
            assert it.answer(it.send("Delete", PROPERTIES, PhysicalResourceId=first)).succeeded

        play(world, script)
        assert world.active() == new


class TestALookThatIsSecondsOld:
    @pytest.mark.parametrize("age", [16.0, 30.0])
    def test_does_not_fail_a_create_that_is_late(self, account: Make, age: float) -> None:
        world = account()
        world.cloudformation.late = [age]
        made: list[Sent] = []
        play(world, lambda it: made.append(it.answer(it.send("Create", how=Delivery(after=15.0)))))
        assert made[0].succeeded
        assert world.active() == [made[0].physical_id]

    def test_of_an_earlier_life_of_the_resource_does_not_fail_its_create(self, account: Make) -> None:
        world = account()
        made = []

        def script(it: Play) -> None:
            first = it.create()
            it.answer(it.send("Delete", PhysicalResourceId=first))
            it.sleep(5)
            world.cloudformation.late = [17.0]
            made.append(it.answer(it.send("Create", how=Delivery(after=15.0))))

        play(world, script)
        assert made[0].succeeded
        assert world.active() == [made[0].physical_id]

    def test_does_not_make_a_cleanup_cancel_the_new_run(self, account: Make) -> None:
        world = account()
        new = []

        def script(it: Play) -> None:
            first = it.create()
            new.append(it.answer(it.update(first, PROPERTIES, CHANGED)).physical_id)
            world.cloudformation.late = [4.0]
            assert it.answer(it.send("Delete", PROPERTIES, PhysicalResourceId=first)).succeeded

        play(world, script)
        assert world.active() == new

    def test_is_not_needed_for_an_update_or_its_rollback(self, account: Make) -> None:
        world = account()
        world.cloudformation.denied = True
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            new = it.answer(it.update(first[0], PROPERTIES, CHANGED))
            assert new.succeeded
            assert it.answer(it.update(new.physical_id, CHANGED, PROPERTIES)).physical_id == first[0]

        play(world, script)
        assert world.cloudformation.calls == 0


def shared_names(account: Make, number: int) -> tuple[World, Stack]:
    """So many runs of one name, or one run beside sixty strangers of its name."""
    world = account(runs=number, start_rate=1.0, quotas=QUOTAS)
    for _ in range(60 if number == 1 else 0):
        world.stranger("cohort")
    stack = Stack(world, STACK_ID, Delivery)
    world.play(lambda: stack.deploy({f"Run{each}": {**PROPERTIES, "Name": "cohort"} for each in range(number)}))
    return world, stack


class TestNamesThatAreShared:
    @pytest.fixture(params=["twenty runs of one name", "one run beside sixty strangers"])
    def shared(self, account: Make, request: pytest.FixtureRequest) -> tuple[World, Stack]:
        return shared_names(account, 20 if request.param.startswith("twenty") else 1)

    @staticmethod
    def deploy(shared: tuple[World, Stack], change: Mapping[str, Any], **how: Any) -> None:
        world, stack = shared
        before = world.timeline.now
        asked = {each: {**resource.properties, **change} for each, resource in stack.resources.items()}
        took = []

        def script() -> None:
            assert stack.deploy(asked, **how) is ("sibling_fails" not in how)
            took.append(world.timeline.now - before)

        world.play(script)
        assert took[0] < 120 + how.get("sibling_fails", 0)
        mine = [f"{run.id}/{run.uuid}" for run in world.service.active() if run.tags]
        assert sorted(mine) == sorted(each.physical_id for each in stack.resources.values())

    def test_tags_are_updated(self, shared: tuple[World, Stack]) -> None:
        self.deploy(shared, {"Tags": {"a": "1"}})
        assert shared[0].calls("ListRuns") == 0

    def test_runs_are_replaced(self, shared: tuple[World, Stack]) -> None:
        self.deploy(shared, {"Parameters": CHANGED["Parameters"]})

    def test_a_replacement_is_rolled_back(self, shared: tuple[World, Stack]) -> None:
        self.deploy(shared, {"Parameters": CHANGED["Parameters"]}, sibling_fails=60.0)

    def test_what_creates_left_that_were_never_heard_of_is_swept(self, shared: tuple[World, Stack]) -> None:
        world, stack = shared
        took: list[float] = []

        def script() -> None:
            begun = world.timeline.now
            ids = [resource.physical_id for resource in stack.resources.values()]
            sent = [
                world.send(
                    "Delete", resource.properties, LogicalResourceId=each, PhysicalResourceId=f"Genomes-{each}-ABCD"
                )
                for each, resource in stack.resources.items()
            ]
            for each in stack.resources:
                world.cloudformation.show(STACK_ID, each, "DELETE_IN_PROGRESS", f"Genomes-{each}-ABCD")
            assert world.timeline.until(lambda: all(each.succeeded for each in sent), 600)
            took.append(world.timeline.now - begun)
            assert not set(ids) & set(world.active())

        world.play(script)
        assert took[0] < 120
        assert all(run.status != "CANCELLED" for run in world.service.runs() if not run.tags)


class TestARunThatIsNotVisibleYet:
    def test_is_found_by_its_delete(self, account: Make) -> None:
        world = account(lag=8.0, seed=3)

        def script(it: Play) -> None:
            sent = it.answer(it.send("Create"))
            assert it.answer(it.send("Delete", PhysicalResourceId=sent.physical_id)).succeeded

        for _ in range(6):
            play(world, script)
        assert world.active() == []

    def test_is_found_by_a_change_of_its_tags(self, account: Make) -> None:
        world = account(lag=8.0, seed=3)

        def script(it: Play) -> None:
            sent = it.answer(it.send("Create"))
            it.sleep(1)
            assert it.answer(it.update(sent.physical_id, PROPERTIES, TAGGED)).physical_id == sent.physical_id
            assert world.run(sent.physical_id).tags["a"] == "1"

        for _ in range(6):
            play(world, script)


class TestCreatesInACrowd:
    @pytest.mark.parametrize("describes", [2.0, 5.0])
    def test_of_which_one_fails_leave_nothing(self, account: Make, describes: float) -> None:
        world = account(runs=80, start_rate=1.0, quotas=QUOTAS)
        world.cloudformation.rate = describes
        world.cloudformation.lag = 4.0
        stack = Stack(world, STACK_ID, Delivery)
        asked = {f"Run{number}": PROPERTIES for number in range(80)}
        world.play(lambda: stack.deploy(asked, sibling_fails=35.0))
        assert stack.resources == {}
        assert world.active() == []

    def test_share_start_runs_quota_with_others(self, account: Make) -> None:
        world = account(runs=60, start_rate=1.0, quotas=QUOTAS)
        stack = Stack(world, STACK_ID, Delivery)
        began = world.timeline.now

        def script() -> None:
            assert stack.deploy({f"Run{number}": PROPERTIES for number in range(60)})

        world.play(script)
        assert max(sent.heard_at for sent in world.sent) - began < 59 * 1.5
        assert world.calls("StartRun") < 60 * 7
        assert world.cloudformation.calls < 60 * 4


class TestARequestThatDiesAfterItWasGivenUp:
    def test_a_create_is_found_by_its_token_and_cancelled(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            world.slow["StartRun"] = [40.0]
            sent = it.send("Create", how=Delivery(killed_at=(1, None, None)))
            it.sleep(3)
            it.give_up(sent)
            assert it.answer(it.send("Delete", PhysicalResourceId="Genomes-VariantCalling-A1B2")).succeeded

        play(world, script)
        assert started(world) == 1
        assert world.active() == []

    def test_an_update_is_found_by_its_token_and_cancelled(self, account: Make) -> None:
        world = account()
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            world.slow["StartRun"] = [40.0]
            sent = it.update(first[0], PROPERTIES, CHANGED, Delivery(killed_at=(3, None, None)))
            it.sleep(3)
            it.give_up(sent)
            assert it.answer(it.update(first[0], CHANGED, PROPERTIES)).physical_id == first[0]

        play(world, script)
        assert started(world) == 2
        assert world.active() == first

    @pytest.mark.parametrize("kind", ["Create", "Update"])
    def test_one_that_was_answered_while_start_run_hung_is_cancelled(self, account: Make, kind: str) -> None:
        world = account()
        kept: list[str] = []

        def script(it: Play) -> None:
            how = Delivery(remaining=30.0)
            if kind == "Create":
                world.slow["StartRun"] = [26.0]
                sent = it.answer(it.send("Create", how=how))
                assert sent.physical_id.startswith("unsettled-")
            else:
                kept.append(it.create())
                world.slow["StartRun"] = [26.0]
                sent = it.answer(it.update(kept[0], PROPERTIES, CHANGED, how))
            assert not sent.succeeded
            it.sleep(60)
            assert world.active() == kept

        play(world, script)
        assert started(world) == 1 + len(kept)


class TestAFailedCreateThatIsMadeAnew:
    @pytest.mark.parametrize("later", [0.5, 12.0, 60.0])
    def test_its_delete_leaves_the_new_run_alone(self, account: Make, later: float) -> None:
        world = account()
        made = []

        def script(it: Play) -> None:
            world.service.faults.order(Fault("StartRun", Kind.FORBIDDEN))
            failed = it.answer(it.send("Create"))
            assert failed.physical_id.startswith("none-")
            it.sleep(30)
            sent = it.answer(it.send("Create"))
            made.append(sent.physical_id)
            it.sleep(later)
            before = len(world.service.journal)
            assert it.answer(it.send("Delete", PhysicalResourceId=failed.physical_id)).succeeded
            assert len(world.service.journal) == before, "nothing was started, so nothing is looked for"

        play(world, script)
        assert world.active() == made

    @pytest.mark.parametrize("later", [0.5, 12.0])
    def test_its_delete_cancels_what_that_create_has_started_and_no_more(self, account: Make, later: float) -> None:
        world = account()
        made = []

        def script(it: Play) -> None:
            world.service.faults.order(Fault("StartRun", Kind.DROP_AFTER), Fault("ListRuns", Kind.FORBIDDEN))
            failed = it.answer(it.send("Create"))
            assert failed.physical_id.startswith("unsettled-")
            assert len(world.active()) == 1
            it.sleep(30)
            made.append(it.answer(it.send("Create")).physical_id)
            it.sleep(later)
            assert it.answer(it.send("Delete", PhysicalResourceId=failed.physical_id)).succeeded

        play(world, script)
        assert world.active() == made
        assert started(world) == 2

    @pytest.mark.parametrize("lag", [0.0, 5.0])
    def test_that_was_never_heard_of_is_swept_beside_the_new_one(self, account: Make, lag: float) -> None:
        world = account(lag=lag)
        world.cloudformation.lag = lag
        made = []

        def script(it: Play) -> None:
            it.give_up(it.send("Create", how=KILLED))
            it.sleep(400)
            made.append(it.answer(it.send("Create")).physical_id)
            it.sleep(1)
            assert it.answer(it.send("Delete", PhysicalResourceId="Genomes-VariantCalling-A1B2")).succeeded

        play(world, script)
        assert world.active() == made
        assert started(world) == 2


class TestTheEndOfAResource:
    @pytest.mark.parametrize("renamed", [False, True])
    def test_sweeps_what_an_update_left_that_was_never_heard_of(self, account: Make, *, renamed: bool) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            changed = {**CHANGED, **({"Name": "another"} if renamed else {})}
            it.give_up(it.update(first, PROPERTIES, changed, Delivery(killed_at=(3, 3, 3))))
            it.sleep(400)
            assert len(world.active()) == 2
            assert it.answer(it.send("Delete", PhysicalResourceId=first)).succeeded

        play(world, script)
        assert world.active() == []

    def test_sweeps_a_run_whose_cleanup_was_given_up(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            new = it.answer(it.update(first, PROPERTIES, CHANGED)).physical_id
            it.sleep(30)
            for _ in range(3):
                it.give_up(it.send("Delete", how=Delivery(killed_at=(1, 1, 1)), PhysicalResourceId=first))
                it.sleep(400)
            assert len(world.active()) == 2
            assert it.answer(it.send("Delete", CHANGED, PhysicalResourceId=new)).succeeded

        play(world, script)
        assert world.active() == []


class TestWithoutRollback:
    WAITING: Mapping[str, Any] = {**CHANGED, "WaitFor": "COMPLETED", "ServiceTimeout": "100"}

    def fails_while_it_is_waited_for(self, it: Play) -> tuple[str, str]:
        first = it.create()
        sent = it.update(first, PROPERTIES, self.WAITING)
        it.world.timeline.until(lambda: len(it.world.active()) == 2, 60)
        (new,) = set(it.world.active()) - {first}
        it.sleep(30)
        it.world.service.end(new.partition("/")[0], "FAILED")
        assert not it.answer(sent).succeeded
        assert sent.physical_id == new
        it.sleep(30)
        return first, new

    @pytest.mark.parametrize("old", ["what was tried", "what was good"])
    def test_going_back_goes_back_to_the_original(self, account: Make, old: str) -> None:
        world = account()

        def script(it: Play) -> None:
            first, failed = self.fails_while_it_is_waited_for(it)
            before = self.WAITING if old == "what was tried" else PROPERTIES
            back = it.answer(it.update(failed, before, PROPERTIES))
            assert (back.succeeded, back.physical_id) == (True, first)
            assert it.answer(it.send("Delete", self.WAITING, PhysicalResourceId=failed)).succeeded
            assert world.active() == [first]

        play(world, script)
        assert started(world) == 2

    def test_going_back_that_is_taken_back_itself_leaves_the_original_to_the_cleanup(self, account: Make) -> None:
        """CloudFormation may never clean up the original, so who cleans up the run that replaced it must."""
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            second = it.answer(it.update(first, PROPERTIES, CHANGED)).physical_id
            it.sleep(30)
            back = it.update(second, CHANGED, PROPERTIES)
            it.give_up(back)  # another resource has failed
            it.sleep(60)
            third = it.answer(it.update(second, PROPERTIES, FURTHER)).physical_id
            assert third not in {first, second}
            it.sleep(30)
            cleanup = it.send("Delete", CHANGED, PhysicalResourceId=second)
            world.timeline.until(lambda: cleanup.answer, 600)
            assert cleanup.succeeded
            assert world.active() == [third]

        play(world, script)

    @pytest.mark.parametrize("old", ["what was tried", "what was good"])
    def test_another_try_starts_another_run_and_can_still_be_rolled_back(self, account: Make, old: str) -> None:
        world = account()

        def script(it: Play) -> None:
            first, failed = self.fails_while_it_is_waited_for(it)
            before = self.WAITING if old == "what was tried" else PROPERTIES
            sent = it.update(failed, before, self.WAITING)
            world.timeline.until(lambda: len(world.active()) == 2, 60)
            (again,) = set(world.active()) - {first}
            it.sleep(20)
            world.service.end(again.partition("/")[0], "COMPLETED")
            assert it.answer(sent).succeeded
            assert sent.physical_id == again
            back = it.answer(it.update(again, self.WAITING, PROPERTIES))
            assert back.physical_id == first

        play(world, script)
        assert started(world) == 3


class TestAnOriginalThatIsAtItsEnd:
    @pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "COMPLETED"])
    def test_is_gone_back_to_whatever_its_status(self, account: Make, status: str) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            world.service.end(first.partition("/")[0], status)
            new = it.answer(it.update(first, PROPERTIES, CHANGED)).physical_id
            back = it.answer(it.update(new, CHANGED, PROPERTIES))
            assert (back.succeeded, back.physical_id) == (True, first)
            assert it.answer(it.send("Delete", CHANGED, PhysicalResourceId=new)).succeeded

        play(world, script)
        assert started(world) == 2
        assert world.active() == []

    def test_is_not_gone_back_to_after_its_cleanup(self, account: Make) -> None:
        world = account()
        again = []

        def script(it: Play) -> None:
            first = it.create()
            new = it.answer(it.update(first, PROPERTIES, CHANGED)).physical_id
            it.answer(it.send("Delete", PhysicalResourceId=first))
            it.sleep(30)
            again.append(it.answer(it.update(new, CHANGED, PROPERTIES)).physical_id)
            assert again[0] not in {first, new}

        play(world, script)
        assert started(world) == 3

    def test_is_not_gone_back_to_after_another_s_cleanup_has_swept_it(self, account: Make) -> None:
        """As where ``--no-rollback`` puts its own cleanup off."""
        world = account()
        third = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":96}'}
        again = []

        def script(it: Play) -> None:
            first = it.create()
            new = it.answer(it.update(first, PROPERTIES, CHANGED)).physical_id
            it.sleep(30)
            newest = it.answer(it.update(new, CHANGED, third)).physical_id
            it.sleep(2)
            assert it.answer(it.update(newest, third, CHANGED)).physical_id == new
            it.answer(it.send("Delete", third, PhysicalResourceId=newest))
            it.sleep(30)
            assert world.active() == [new]
            again.append(it.answer(it.update(new, CHANGED, PROPERTIES)).physical_id)
            assert again[0] not in {first, new, newest}

        play(world, script)
        assert again[0] in world.active()


class TestALateDuplicate:
    @pytest.mark.parametrize("begins_after", [31.0, 33.0, 50.0, 90.0])
    def test_of_an_update_leaves_a_newer_ones_run_alone(self, account: Make, begins_after: float) -> None:
        world = account()
        newest = []

        def script(it: Play) -> None:
            first = it.create()
            it.answer(it.update(first, PROPERTIES, TAGGED, Delivery(twice_after=begins_after)))
            it.sleep(30)
            world.slow["StartRun"] = [5.0]
            newest.append(it.answer(it.update(first, TAGGED, CHANGED)).physical_id)
            it.answer(it.send("Delete", TAGGED, PhysicalResourceId=first))

        play(world, script)
        assert world.active() == newest

    def test_of_a_cleanup_leaves_alone_a_run_that_was_gone_back_to(self, account: Make) -> None:
        world = account()
        first = []

        def script(it: Play) -> None:
            first.append(it.create())
            world.service.faults.order(Fault("CancelRun", Kind.FORBIDDEN, times=9))
            new = it.answer(it.update(first[0], PROPERTIES, CHANGED)).physical_id
            it.sleep(30)
            how = Delivery(twice_after=100.0)
            it.answer(it.send("Delete", PROPERTIES, how, PhysicalResourceId=first[0]))
            it.sleep(30)
            assert it.answer(it.update(new, CHANGED, PROPERTIES)).physical_id == first[0]
            world.service.faults.clear()

        play(world, script)
        assert first[0] in world.active()


class TestACreateThatBeganToWait:
    def test_and_was_killed_after_its_delete_leaves_no_rule(self, account: Make) -> None:
        world = account()
        waiting = {**PROPERTIES, "WaitFor": "COMPLETED"}

        def script(it: Play) -> None:
            # Killed when it has made its rule, before that has a target: StartRun is its first call.
            create = it.send("Create", waiting, Delivery(after=4.0, killed_at=(2, None, None)))
            it.sleep(1)
            it.give_up(create)
            it.answer(it.send("Delete", waiting, PhysicalResourceId="Genomes-VariantCalling-1234"))

        play(world, script)
        assert world.active() == []
        assert [call.operation for call in world.called if call.operation == "PutRule"] == ["PutRule"]
        assert world.eventbridge.rules() == []


class TestAStatusThatNobodyKnows:
    def test_is_an_active_one_to_a_delete(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            world.service.end(first.partition("/")[0], "THROTTLING_DOWN")
            assert it.answer(it.send("Delete", PhysicalResourceId=first)).succeeded

        play(world, script)
        assert world.calls("CancelRun") == 1
        assert world.active() == []


class TestADeleteOutOfTime:
    def test_has_sent_its_cancel_run(self, account: Make) -> None:
        world = account()
        asked = {**PROPERTIES, "ServiceTimeout": "60"}

        def script(it: Play) -> None:
            first = it.create(asked)
            sent = it.send("Delete", asked, Delivery(after=300.0), PhysicalResourceId=first)
            it.answer(sent)

        play(world, script)
        assert world.calls("CancelRun") == 1
        assert world.active() == []


class TestTheTagsThatSomebodyChanged:
    @pytest.mark.parametrize("definition", [None, "0a1b2c", "v1:0a1b2c"])
    def test_the_definition_is_healed_where_nothing_changed(self, account: Make, definition: str | None) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            tags = world.run(first).tags
            healthy = tags.pop(OwnershipTag.DEFINITION)
            if definition:
                tags[OwnershipTag.DEFINITION] = definition
            assert it.answer(it.update(first, PROPERTIES, TAGGED)).physical_id == first
            assert world.run(first).tags[OwnershipTag.DEFINITION] == healthy
            assert world.run(first).tags["a"] == "1"

        play(world, script)
        assert started(world) == 1

    def test_a_resource_that_got_another_logical_id_keeps_its_run(self, account: Make) -> None:
        world = account()
        moved: dict[str, Any] = {"LogicalResourceId": "Moved", "StackId": STACK_ID}

        def script(it: Play) -> None:
            first = it.create()
            fields = {**moved, "PhysicalResourceId": first}
            world.cloudformation.show(STACK_ID, "Moved", "UPDATE_IN_PROGRESS", first)
            sent = world.send("Update", TAGGED, OldResourceProperties=dict(PROPERTIES), **fields)
            world.timeline.until(lambda: sent.answer)
            assert sent.physical_id == first
            assert world.run(first).tags[OwnershipTag.LOGICAL_ID] == "Moved"
            world.cloudformation.show(STACK_ID, "Moved", "DELETE_IN_PROGRESS", first)
            gone = world.send("Delete", TAGGED, **fields)
            world.timeline.until(lambda: gone.answer)
            assert gone.succeeded

        play(world, script)
        assert started(world) == 1
        assert world.active() == []


class TestWhatNobodyWillAllow:
    @pytest.mark.parametrize("operation", ["StartRun", "ListRuns"])
    def test_is_told_within_a_minute(self, account: Make, operation: str) -> None:
        world = account()
        kind = Kind.FORBIDDEN
        world.service.faults.order(Fault(operation, kind, times=None))
        after = 15.0 if operation == "ListRuns" else 0.2  # a late request looks for what an earlier delivery started

        def script(it: Play) -> None:
            sent = it.answer(it.send("Create", how=Delivery(after=after)), 60 + after)
            assert not sent.succeeded
            assert sent.answer
            assert f"{operation} was refused: AccessDeniedException" in sent.answer["Reason"]
            assert "explicit deny" in sent.answer["Reason"]

        play(world, script)
        assert world.calls(operation) == 1

    def test_a_question_to_cloudformation_takes_back_what_was_started(self, account: Make) -> None:
        world = account()
        world.cloudformation.denied = True

        def script(it: Play) -> None:
            sent = it.answer(it.send("Create", how=Delivery(after=15.0)), 75)
            assert sent.answer
            assert "DescribeStackResource was refused: AccessDenied" in sent.answer["Reason"]

        play(world, script)
        assert world.active() == []

    def test_an_endpoint_that_does_not_exist_is_named(self, account: Make) -> None:
        world = account()
        world.unreachable = {"workflows-omics"}
        failed = []

        def script(it: Play) -> None:
            sent = it.answer(it.send("Create"), 60)
            assert sent.answer
            assert "https://workflows-omics" in sent.answer["Reason"] or "omics.us-east-1" in sent.answer["Reason"]
            failed.append(sent.physical_id)
            assert it.answer(it.send("Delete", PhysicalResourceId=failed[0]), 10).succeeded

        world.unreachable |= {"workflows-omics", "omics"}
        play(world, script)
        assert failed[0].startswith("none-")
        assert len(world.trace) < 60, "tried for a minute, not for a quarter of an hour"

    def test_get_run_of_a_run_that_is_gone_is_decided_by_list_runs(self, account: Make) -> None:
        world = account(missing_is_denied=True)

        def script(it: Play) -> None:
            first = it.create()
            for status in ("COMPLETED", "DELETED"):
                world.service.end(first.partition("/")[0], status)
            assert it.answer(it.send("Delete", PhysicalResourceId=first), 120).succeeded

        play(world, script)

    def test_get_run_of_a_run_that_is_active_is_not_taken_for_gone(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            world.service.faults.order(Fault("GetRun", Kind.FORBIDDEN, times=None))
            sent = it.answer(it.send("Delete", PhysicalResourceId=first), 120)
            assert not sent.succeeded

        play(world, script)


class TestStrangers:
    def copied(self, world: World, physical_id: str) -> str:
        run = world.run(physical_id)
        copy = world.stranger(run.request["name"])
        copy.tags.update(run.tags)
        return f"{copy.id}/{copy.uuid}"

    def test_who_copy_tags_and_name_are_not_taken_for_the_resources_run(self, account: Make) -> None:
        world = account(token_remembered=0.0)
        copies = []

        def script(it: Play) -> None:
            sent = it.send("Create", how=Delivery(killed_at=(1, None, None)))
            it.sleep(10)
            (real,) = world.active()
            copies.append(self.copied(world, real))
            assert it.answer(sent).physical_id == real

        play(world, script)
        assert copies[0] in world.active()

    def test_are_not_cancelled_by_a_delete_with_their_id(self, account: Make) -> None:
        world = account()
        others = world.stranger("theirs")

        def script(it: Play) -> None:
            forged = f"{others.id}/{others.uuid}"
            it.create()
            sent = world.send("Delete", PROPERTIES, PhysicalResourceId=forged)
            world.timeline.until(lambda: sent.answer)
            assert sent.succeeded

        play(world, script)
        assert len(world.active()) == 2

    def test_who_have_the_id_of_a_deleted_run_are_left_alone(self, account: Make) -> None:
        world = account()
        theirs = []

        def script(it: Play) -> None:
            first = it.create()
            run_id = first.partition("/")[0]
            for status in ("COMPLETED", "DELETED"):
                world.service.end(run_id, status)
            world.service.reuse_id(run_id)
            # The worst case: it carries our resource's tags.
            run = world.stranger("theirs", stack_id=STACK_ID, logical_id=LOGICAL_ID)
            theirs.append(f"{run.id}/{run.uuid}")
            assert run.id == run_id
            assert it.answer(it.send("Delete", PhysicalResourceId=first)).succeeded

        play(world, script)
        assert world.active() == theirs

    def test_whose_tags_were_taken_off_a_delete_cancels_what_cloudformation_names(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            world.run(first).tags.clear()
            assert it.answer(it.send("Delete", PhysicalResourceId=first)).succeeded

        play(world, script)
        assert world.active() == []
        tagged, cancelled = (operations(world).index(name) for name in ("TagResource", "CancelRun"))
        assert tagged < cancelled, "it could not be cancelled without its tag"

    def test_who_take_the_tag_off_between_a_look_and_cancel_run_do_not_keep_the_run(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            world.slow["CancelRun"] = [10.0]
            sent = it.send("Delete", PhysicalResourceId=first)
            it.sleep(5)
            world.run(first).tags.clear()
            assert it.answer(sent, 120).succeeded

        play(world, script)
        assert world.active() == []
        after = operations(world)[operations(world).index("CancelRun") :]
        assert [each for each in after if each not in {"GetRun", "ListRuns"}] == [
            "CancelRun",
            "TagResource",
            "CancelRun",
        ]

    def test_who_delete_a_run_between_a_look_and_cancel_run_leave_nothing_to_be_denied(self, account: Make) -> None:
        world = account()

        def script(it: Play) -> None:
            first = it.create()
            world.slow["CancelRun"] = [10.0]
            sent = it.send("Delete", PhysicalResourceId=first)
            it.sleep(5)
            world.service.end(first.partition("/")[0], "DELETED")
            assert it.answer(sent, 120).succeeded

        play(world, script)
        assert operations(world).count("CancelRun") == 1
