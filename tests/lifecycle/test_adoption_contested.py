"""Adoption where requests overlap, arrive twice and late, or ask for something else: each case was wrong once."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cdk_healthomics_handler.names import OwnershipTag
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.stage import Stage, stack_id_of
from tests.lifecycle.test_adoption import NAME, PRESENT, STARTED, adopting, by_hand, is_as_it_was, is_owned, physical_id
from tests.lifecycle.world import Delivery, Sent, World

GOING = {"PENDING", "STARTING", "RUNNING"}


@pytest.fixture(params=range(3))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Of several seeds; the handler logs in this process, and nobody reads it."""
    logging.disable(logging.CRITICAL)
    made = World(request.param)
    with made.installed():
        yield made
    logging.disable(logging.NOTSET)


def update(stage: Stage, run: str, before: Any, after: Any) -> dict[str, Any]:
    return stage.do("Update", after, PhysicalResourceId=run, OldResourceProperties=before)


class TestADeploymentThatFails:
    def test_without_rollback_leaves_a_run_that_the_next_one_never_cancels(self, world: World) -> None:
        run = world.stranger(NAME, asked=STARTED)
        stack, good = Stack(world, STACK_ID, Delivery), []

        def lives() -> None:
            good.append(stack.deploy({"One": adopting(run)}, sibling_fails=0.3, rollback=False))
            good.append(stack.deploy({"One": {**PRESENT, "Priority": "7"}}, sibling_fails=0.3))

        world.play(lives)
        assert good == [False, False]
        assert run.status in GOING, world.trace

    def test_after_the_run_was_replaced_goes_back_to_it_though_its_create_arrives_once_more(self, world: World) -> None:
        run = world.stranger(NAME, asked=STARTED)
        good: list[bool] = []
        first = [Delivery(0.2, 100.0)]
        stack = Stack(world, STACK_ID, lambda: first.pop() if first else Delivery())
        slow = {**PROPERTIES, "WaitFor": "COMPLETED", "ServiceTimeout": "200"}

        def lives() -> None:
            good.append(stack.deploy({"One": adopting(run)}))
            good.append(stack.deploy({"One": adopting(run, Priority="7"), "Two": slow}))

        world.play(lives)
        assert good == [True, False]
        assert stack.resources["One"].physical_id == physical_id(run), world.trace

    @pytest.mark.parametrize("call", [3, 4])
    def test_and_whose_functions_all_died_leaves_no_run_though_the_rollback_retains(
        self, world: World, call: int
    ) -> None:
        run = world.stranger(NAME, asked=STARTED)
        killed: list[Delivery] = []
        stack = Stack(world, STACK_ID, lambda: killed.pop() if killed else Delivery())

        def lives() -> None:
            stack.deploy({"One": adopting(run)})
            killed.append(Delivery(killed_at=(call, 1, 1)))
            stack.deploy({"One": {**PRESENT, "Priority": "7"}}, sibling_fails=20.0)

        world.play(lives)
        world.play(lambda: stack.deploy({"One": PRESENT}))
        world.play(stack.delete)
        assert world.active() == [], world.trace


class TestAWaitInVain:
    """The Create has adopted the run, and its time is over before the run has completed."""

    def waits(self, world: World) -> tuple[Any, dict[str, Any], Sent]:
        run = world.stranger(NAME, asked=STARTED)
        before = adopting(run, WaitFor="COMPLETED", ServiceTimeout="60")
        sent: list[Sent] = []

        def script() -> None:
            world.cloudformation.show(STACK_ID, LOGICAL_ID, "CREATE_IN_PROGRESS", "")
            sent.append(world.send("Create", before))
            world.timeline.until(lambda: sent[0].answer)
            world.cloudformation.show(STACK_ID, LOGICAL_ID, "CREATE_FAILED", sent[0].physical_id)
            world.timeline.sleep(30)

        world.play(script)
        return run, before, sent[0]

    def test_tells_the_run_s_id(self, world: World) -> None:
        run, _, sent = self.waits(world)
        assert not sent.succeeded
        assert sent.physical_id == physical_id(run)

    @pytest.mark.parametrize("after", [{**PRESENT, "Priority": "7"}, {**PRESENT, "Priority": "high"}])
    def test_is_no_reason_for_a_later_request_to_cancel_it(self, world: World, after: dict[str, Any]) -> None:
        run, before, create = self.waits(world)

        def script() -> None:
            world.cloudformation.show(STACK_ID, LOGICAL_ID, "UPDATE_IN_PROGRESS", create.physical_id)
            named = create.physical_id
            sent = world.send("Update", after, PhysicalResourceId=named, OldResourceProperties=before)
            world.timeline.until(lambda: sent.answer)
            world.cloudformation.show(STACK_ID, LOGICAL_ID, "DELETE_IN_PROGRESS", sent.physical_id)
            world.send("Delete", after, PhysicalResourceId=sent.physical_id)

        world.play(script)
        assert is_as_it_was(run), world.trace

    @pytest.mark.parametrize("after", [PRESENT, {**PRESENT, "Priority": "7"}])
    def test_or_an_answer_that_was_lost_gives_it_to_no_request_that_does_not_name_it(
        self, world: World, after: dict[str, Any]
    ) -> None:
        run = world.stranger(NAME, asked=STARTED)
        before = adopting(run)
        sent: list[Sent] = []

        def script() -> None:
            world.cloudformation.show(STACK_ID, LOGICAL_ID, "CREATE_IN_PROGRESS", "")
            world.send("Create", before).given_up = True
            world.timeline.sleep(30)
            made_up = "Genomes-Run-1ABC"
            world.cloudformation.show(STACK_ID, LOGICAL_ID, "UPDATE_IN_PROGRESS", made_up)
            sent.append(world.send("Update", after, PhysicalResourceId=made_up, OldResourceProperties=before))

        world.play(script)
        assert is_as_it_was(run), world.trace
        assert sent[0].succeeded
        assert sent[0].physical_id != physical_id(run)


class TestTwoAtOnce:
    def test_of_one_stack_do_not_both_get_the_run(self, world: World) -> None:
        run = world.stranger(NAME, asked=STARTED)
        stack, good = Stack(world, STACK_ID, Delivery), []
        world.play(lambda: good.append(stack.deploy({"One": adopting(run), "Two": adopting(run)})))
        assert good == [False], world.trace
        assert is_as_it_was(run)

    def test_of_two_stacks_do_not_both_get_the_run(self, world: World) -> None:
        run = world.stranger(NAME, asked=STARTED)
        stacks = [Stack(world, each, Delivery) for each in (STACK_ID, stack_id_of("Exomes"))]
        good: list[bool] = []

        def deploy(stack: Stack) -> None:
            good.append(stack.deploy({"One": adopting(run)}))

        def both() -> None:
            tasks = [world.timeline.begin(partial(deploy, stack)) for stack in stacks]
            world.timeline.until(lambda: all(task.ended for task in tasks))

        world.play(both)
        assert sorted(good) == [False, True], world.trace
        assert run.status in GOING


class TestALateDuplicateOfTheCreate:
    def test_touches_nothing_that_an_update_has_written(self, stage: Stage) -> None:
        run = by_hand(stage)
        before = adopting(run, Tags={"project": "old"})
        create = stage.event("Create", before, age=60)
        stage.send(create)
        update(stage, physical_id(run), before, adopting(run, Tags={"project": "new"}))
        tags = dict(run.tags)
        stage.send(create)
        assert run.tags == tags

    def test_does_not_take_from_a_rollback_what_it_goes_back_to(self, stage: Stage) -> None:
        run = by_hand(stage)
        before = adopting(run)
        after = {**before, "Priority": "7"}
        create = stage.event("Create", before, age=60)
        stage.send(create)
        new = update(stage, physical_id(run), before, after)["PhysicalResourceId"]
        stage.send(create)
        assert update(stage, new, after, before)["PhysicalResourceId"] == physical_id(run)


class TestAnUpdateThatNamesARun:
    """Whatever else it changes, it starts none."""

    def test_and_was_refused_is_refused_again(self, stage: Stage) -> None:
        own = stage.create(PRESENT)
        after = adopting(by_hand(stage), Priority="7")
        assert update(stage, own, PRESENT, after)["Status"] == "FAILED"
        starts = stage.calls("StartRun")
        assert update(stage, own, after, {**after, "Tags": {"try": "2"}})["Status"] == "FAILED"
        assert stage.calls("StartRun") == starts

    def test_that_the_resource_had_before(self, stage: Stage) -> None:
        asked = [{**PRESENT, "RemovalPolicy": "RetainExceptOnCreate", "Priority": str(each)} for each in range(3)]
        first = stage.create(asked[0])
        second = update(stage, first, asked[0], asked[1])["PhysicalResourceId"]
        third = update(stage, second, asked[1], asked[2])["PhysicalResourceId"]
        starts = stage.calls("StartRun")
        answer = update(stage, third, asked[2], {**asked[0], "AdoptRunId": first.partition("/")[0]})
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", third)
        assert answer["Reason"].endswith("Give the run to a construct with another id.")
        assert stage.calls("StartRun") == starts

    def test_with_the_tags_of_its_past_goes_back_to_nobody_else_s(self, stage: Stage) -> None:
        kept = {**PRESENT, "RemovalPolicy": "RetainExceptOnCreate"}
        seven = {**kept, "Priority": "7"}
        theirs = stack_id_of("Exomes")
        first = stage.create(kept, StackId=theirs)
        second = stage.do("Update", seven, StackId=theirs, PhysicalResourceId=first, OldResourceProperties=kept)
        (run,) = (each for each in stage.service.runs() if physical_id(each) == second["PhysicalResourceId"])
        del run.tags[OwnershipTag.STACK_ID]
        adopted = adopting(run, Priority="7")
        assert stage.create(adopted) == physical_id(run)
        assert update(stage, physical_id(run), adopted, kept)["PhysicalResourceId"] not in {first, physical_id(run)}


def test_the_cleanup_of_a_create_that_was_refused_leaves_the_next_ones_run(stage: Stage) -> None:
    run = by_hand(stage)
    wrong = adopting(run, WorkflowId="7")
    made_up = stage.do("Create", wrong)["PhysicalResourceId"]
    assert update(stage, made_up, wrong, adopting(run))["PhysicalResourceId"] == physical_id(run)
    stage.do("Delete", wrong, PhysicalResourceId=made_up)
    assert is_owned(run)


def test_a_rollback_may_name_what_was_replaced_and_let_go(stage: Stage) -> None:
    run = by_hand(stage)
    before = adopting(run)
    second = {**before, "Priority": "7"}
    new = update(stage, stage.create(before), before, second)["PhysicalResourceId"]
    del run.tags[OwnershipTag.STACK_ID]
    without = {name: value for name, value in second.items() if name != "AdoptRunId"} | {"Tags": {"project": "1000G"}}
    assert update(stage, new, second, without)["PhysicalResourceId"] == new
    assert update(stage, new, without, second)["Status"] == "SUCCESS"


@pytest.mark.parametrize("given", ["", "run-7", " 7", "arn:aws:omics:us-east-1:123456789012:run/1234567"])
def test_what_is_no_id_starts_nothing_and_is_told(stage: Stage, given: str) -> None:
    starts = stage.calls("StartRun")
    answer = stage.do("Create", {**PRESENT, "RemovalPolicy": "RetainExceptOnCreate", "AdoptRunId": given})
    assert answer["Reason"] == f"AdoptRunId was {given!r}: must be the id of a run, which is digits only."
    assert stage.calls("StartRun") == starts


def test_names_are_compared_as_they_are_and_session_policies_as_json(stage: Stage) -> None:
    policy = '{"Version":"2012-10-17","Statement":[]}'
    run = stage.foreign_run(name="by hand", asked={**STARTED, "sessionPolicy": policy})
    assert stage.do("Create", adopting(run, Name="byhand"))["Status"] == "FAILED"
    same = '{"Statement": [], "Version": "2012-10-17"}'
    assert stage.create(adopting(run, Name="by hand", SessionPolicy=same)) == physical_id(run)
