"""Batches that take longer to cancel than a function may run, on the virtual clock of :mod:`tests.lifecycle.world`."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.events import PROPERTIES, STACK_ID
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.world import FUNCTION_TIME, Delivery, World

RUNS = 100
COHORT: Mapping[str, Any] = {
    **PROPERTIES,
    "InlineSettings": json.dumps([{"runSettingId": f"sample-{number}"} for number in range(RUNS)]),
}
HOUR = 3600.0


def deployed(world: World) -> Stack:
    """A stack whose batch has submitted all its runs."""
    stack = Stack(world, STACK_ID, Delivery)
    world.play(lambda: stack.deploy({"Cohort": COHORT}))
    world.play(lambda: world.timeline.sleep(60))
    assert len(world.service.active()) == RUNS
    return stack


def deletes(world: World) -> list[str]:
    """How each Delete was answered."""
    answers = [sent.answer for sent in world.sent if sent.event["RequestType"] == "Delete"]
    return [answer["Status"] if answer else "" for answer in answers]


@pytest.mark.parametrize("left", [0, RUNS], ids=["by HealthOmics", "one by one"])
def test_a_delete_that_outlasts_its_function_goes_on_until_no_run_is_active(left: int) -> None:
    world = World(quotas={"CancelRun": 0.08})
    with world.installed():
        stack = deployed(world)
        world.service.refuse_next("CancelRun", times=left)
        began = world.timeline.now
        world.play(stack.delete)
        assert deletes(world) == ["SUCCESS"]
        assert not world.service.active()
        assert world.eventbridge.rules() == []
        assert FUNCTION_TIME < world.sent[-1].heard_at - began < HOUR


def test_one_that_outlasts_cloudformation_s_hour_says_so_and_the_next_delete_goes_on() -> None:
    world = World(quotas={"CancelRun": 0.02})
    with world.installed():
        stack = deployed(world)
        world.play(stack.delete)
        assert deletes(world) == ["FAILED", "SUCCESS"]
        (told,) = (sent.answer["Reason"] for sent in world.sent if sent.answer and sent.answer["Status"] == "FAILED")
        assert "CancelRunBatch was accepted, but batch " in told
        assert told.endswith(". Delete the stack again.")
        assert not world.service.active()
        assert world.eventbridge.rules() == []


def test_one_that_somebody_deletes_meanwhile_is_done() -> None:
    world = World(quotas={"CancelRun": 0.08})
    with world.installed():
        stack = deployed(world)

        def gone() -> None:
            (batch,) = world.service.batches()
            world.end(batch, "CANCELLED")

        world.timeline.call(gone, FUNCTION_TIME + 100)
        world.play(stack.delete)
        assert deletes(world) == ["SUCCESS"]
        assert world.eventbridge.rules() == []
