"""Why a run has failed: which tasks the answer tells, and that it comes in time without them, on a virtual clock."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.healthomics import Fault, Kind, Order
from local_aws.healthomics.service import StoredRun
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID
from tests.lifecycle.world import World

WAITED = 130.0
"""Seconds that CloudFormation waits: the function itself waits all that time."""
OOM = ("TASK_OOM", "Killed")
OPERATIONS = ["ListRunTasks", "GetRunTask"]


class Failing(World):
    """A world in which a run that is waited for fails after a minute."""

    def create(self, *tasks: Order) -> tuple[StoredRun, str]:
        """A Create; its run, and the reason of its answer."""
        self.service.fail_next("RUN_TASK_FAILED", "A task has failed")
        self.service.tasks_of_next(*tasks)
        self.cloudformation.show(STACK_ID, LOGICAL_ID, "CREATE_IN_PROGRESS", "")
        waiting = {**PROPERTIES, "WaitFor": "COMPLETED", "ServiceTimeout": f"{WAITED:.0f}"}
        began = self.timeline.now
        self.play(lambda: self.send("Create", waiting))
        (sent,) = self.sent
        assert sent.answer
        assert sent.heard_at - began < WAITED
        (run,) = self.service.runs()
        assert (sent.answer["Status"], sent.answer["PhysicalResourceId"]) == ("FAILED", f"{run.id}/{run.uuid}")
        reason: str = sent.answer["Reason"]
        assert reason.startswith(f"Run {run.id} is FAILED: RUN_TASK_FAILED: A task has failed. ")
        assert reason.endswith(f"#/runs/{run.id}")
        return run, reason

    def fault(self, operation: str, kind: Kind, times: int | None = None) -> None:
        """Let calls of an operation go wrong, those that hang for as long as a client waits."""
        self.service.faults.order(Fault(operation, kind, times=times, hang=15.0))


@pytest.fixture
def world() -> Iterator[Failing]:
    logging.disable(logging.CRITICAL)  # lines that nobody reads
    world = Failing(running=60.0)
    with world.installed():
        yield world
    logging.disable(logging.NOTSET)


def named(reason: str) -> list[str]:
    """The tasks that are told, in their order."""
    return [part.split(" ", 1)[0] for part in reason.split(". Task ")[1:]]


def fails(name: str, running: float = 20.0, **how: Any) -> Order:
    return Order(name, running=running, fails=OOM, **how)


def test_the_three_that_failed_first_are_told_in_that_order(world: Failing) -> None:
    fine = (Order("fine", running=1.0), Order("known", cached=True), Order("cut-short", running=999.0))
    tasks = (fails("d", 14), *fine, fails("b", 12), fails("c", 13), fails("a", 1, after=10))
    run, reason = world.create(*tasks)
    assert named(reason) == ["a", "b", "c"]
    ids = {task.order.name: task.id for task in run.tasks}
    assert f"Task b failed: TASK_OOM: Killed (log stream run/{run.id}/task/{ids['b']}). " in reason
    assert (world.calls("ListRunTasks"), world.calls("GetRunTask")) == (1, 3)


def test_of_more_than_a_page_of_them_too(world: Failing) -> None:
    _, reason = world.create(*(fails(f"late-{index}") for index in range(150)), fails("first", 1), fails("second", 2))
    assert named(reason)[:2] == ["first", "second"]
    assert (world.calls("ListRunTasks"), world.calls("GetRunTask")) == (2, 3)


def test_a_run_that_failed_before_it_had_any_costs_one_call(world: Failing) -> None:
    _, reason = world.create()
    assert named(reason) == []
    assert (world.calls("ListRunTasks"), world.calls("GetRunTask")) == (1, 0)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", [Kind.THROTTLING, Kind.INTERNAL, Kind.TIMEOUT, Kind.ACCESS_DENIED, Kind.DROP_AFTER])
def test_a_call_that_is_refused_is_tried_again(world: Failing, operation: str, kind: Kind) -> None:
    world.fault(operation, kind, times=3)
    _, reason = world.create(fails("align"))
    assert named(reason) == ["align"]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("kind", "calls"),
    [(Kind.THROTTLING, 4), (Kind.ACCESS_DENIED, 4), (Kind.DROP_BEFORE, 4), (Kind.FORBIDDEN, 1), (Kind.HANG_BEFORE, 3)],
)
def test_after_a_few_tries_the_reason_comes_without_what_cannot_be_read(
    world: Failing, operation: str, kind: Kind, calls: int
) -> None:
    world.fault(operation, kind)
    _, reason = world.create(fails("align"))
    assert named(reason) == []
    assert world.calls(operation) == calls


def test_what_was_read_before_a_call_is_refused_for_good_is_told(world: Failing) -> None:
    read: list[str] = []
    answer = world.service.handle

    def handle(method: str, path: str, query: str, body: bytes) -> Any:
        if "/task/" in path:
            read.append(path)
            if len(read) == 2:
                world.fault("GetRunTask", Kind.FORBIDDEN)
        return answer(method, path, query, body)

    world.service.handle = handle  # type: ignore[method-assign]
    _, reason = world.create(fails("a", 1), fails("b", 2), fails("c", 3))
    assert named(reason) == ["a"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_run_that_is_gone_meanwhile_is_told_without_them(world: Failing, operation: str) -> None:
    answer = world.service.handle

    def handle(method: str, path: str, query: str, body: bytes) -> Any:
        if path.endswith("/task") if operation == "ListRunTasks" else "/task/" in path:
            (run,) = world.service.runs()
            world.service.end(run.id, "DELETED")
        return answer(method, path, query, body)

    world.service.handle = handle  # type: ignore[method-assign]
    _, reason = world.create(fails("align"))
    assert named(reason) == []
    assert world.calls(operation) == 1
