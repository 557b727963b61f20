"""Many requests at once under the account's quotas, on one virtual clock.

    python -m benchmarks throttle

Each request is the handler's real lifecycle with its real pace, boto3's clients and crhelper, in the world of
tests/lifecycle/world.py: a call takes 20 to 120 ms there, every operation has HealthOmics' quota, DescribeStackResource
ten a second. Ideal is what StartRun's quota allows. What is printed was measured in this run.
"""

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from statistics import median
from typing import Any, Final, TypeVar
from unittest.mock import patch
from uuid import UUID

from benchmarks.report import Table
from cdk_healthomics_handler.names import START_RATE_VARIABLE
from local_aws.healthomics import QUOTAS
from tests.events import PROPERTIES, STACK_ID
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.world import Delivery, World

DESCRIBES: Final = 10.0
SEEDS: Final = (1, 2, 3)
"""Of the random numbers; the medians are shown."""
LATENCY: Final = (0.02, 0.12)
"""Seconds, at least and at most."""
CREATES: Final = (20, 60, 200, 400)
MANY: Final = 200
NEIGHBOURS: Final = 20
"""StartRun calls of another pipeline of the account, spread over the time of the Creates."""
ATTEMPTS: Final = 3
Told = TypeVar("Told")
CHANGED: Final = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}


@dataclass
class Measured:
    """What so many requests at once took."""

    seconds: float = 0.0
    failed: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    neighbours: int = 0
    function_seconds: float = 0.0


def measured_by(world: World, work: Callable[[], object], neighbours: int = 0) -> Measured:
    """Let work be done, beside so many calls of somebody else's, and tell what it took."""
    measured = Measured()
    before = len(world.service.journal), world.cloudformation.calls, len(world.sent)
    worked, began = world.function_seconds, world.timeline.now
    task = world.timeline.begin(work)
    for number in range(neighbours):
        after = (number + 0.5) / neighbours * world.runs / (world.service.settings.start_rate or 1.0)
        world.timeline.begin(lambda: _neighbour(world, measured), after)
    world.timeline.run(task)
    world.timeline.run()
    measured.calls = Counter(call.operation for call in world.service.journal[before[0] :])
    measured.calls["StartRun"] -= world.others
    measured.calls["DescribeStackResource"] = world.cloudformation.calls - before[1]
    measured.seconds = max(sent.heard_at for sent in world.sent[before[2] :]) - began
    measured.failed = sum(not sent.succeeded for sent in world.sent[before[2] :])
    measured.function_seconds = world.function_seconds - worked
    return measured


def _neighbour(world: World, measured: Measured) -> None:
    """One StartRun of somebody else's, tried as boto3's standard mode does."""
    token = str(UUID(int=world.random.getrandbits(128), version=4))
    request = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b", "requestId": token}
    for attempt in range(ATTEMPTS):
        world.others += 1
        response = world.service.handle("POST", "/run", "", json.dumps(request).encode())
        if response and response.status == HTTPStatus.CREATED:
            measured.neighbours += 1
            return
        world.timeline.sleep(world.random.random() * 2**attempt)


def account(runs: int, rate: float = 1.0, seed: int = 1) -> tuple[World, Stack]:
    """An account with HealthOmics' and CloudFormation's quotas, and a stack of so many runs to be."""
    world = World(seed, runs=runs, start_rate=rate, quotas=QUOTAS)
    world.latency = LATENCY
    world.cloudformation.rate = DESCRIBES
    return world, Stack(world, STACK_ID, Delivery)


def _ids(runs: int) -> list[str]:
    return [f"Run{number}" for number in range(runs)]


def creates(runs: int, rate: float = 1.0, *, neighbours: int = 0, seed: int = 1) -> Measured:
    """So many Creates at once."""
    world, stack = account(runs, rate, seed)
    told = {START_RATE_VARIABLE: f"{rate:g}"} if rate != 1.0 else {}
    with patch.dict(os.environ, told), world.installed():
        return measured_by(world, lambda: stack.deploy(dict.fromkeys(_ids(runs), PROPERTIES)), neighbours)


def later(work: Callable[[Stack], object]) -> Measured:
    """Another operation of a stack with many runs."""
    world, stack = account(MANY)
    with world.installed():
        world.play(lambda: stack.deploy(dict.fromkeys(_ids(MANY), PROPERTIES)))
        return measured_by(world, lambda: work(stack))


def table(numbers: tuple[int, ...] = CREATES) -> Table:
    """Creates at once, alone and beside a neighbour."""
    header = (
        "Creates at once",
        "quota of StartRun, a second",
        "seconds",
        "÷ ideal",
        "failed",
        "StartRun a run",
        "DescribeStackResource a run",
        f"of {NEIGHBOURS} others got through",
    )
    rows = []
    for runs, rate in [*((number, 1.0) for number in numbers), (max(numbers[-2:][0], 20), 10.0)]:
        alone = [creates(runs, rate, seed=seed) for seed in SEEDS]
        beside = [creates(runs, rate, seed=seed, neighbours=NEIGHBOURS).neighbours for seed in SEEDS]
        ideal = (runs - max(1.0, rate)) / rate
        seconds = median(each.seconds for each in alone)
        shares = [
            f"{median(each.calls[operation] for each in alone) / runs:.1f}"
            for operation in ("StartRun", "DescribeStackResource")
        ]
        failed = str(sum(each.failed for each in alone))
        figures = (f"{seconds:.0f}", f"{seconds / ideal:.2f}", failed, *shares, f"{median(beside):g}")
        rows.append((str(runs), f"{rate:g}", *figures))
    return Table(header, rows)


def _tagged(stack: Stack) -> None:
    stack.deploy({each: {**PROPERTIES, "Tags": {"a": "1"}} for each in stack.resources})


WORKS: Final[Mapping[str, Callable[[Stack], Any]]] = {
    "updates of tags": _tagged,
    "replacements, their cleanup included": lambda stack: stack.deploy(dict.fromkeys(stack.resources, CHANGED)),
    "Deletes": lambda stack: stack.delete(),
}


def operations() -> Table:
    """What else a stack with many runs does at once."""
    rows = []
    for name, work in WORKS.items():
        measured = later(work)
        counted = ", ".join(f"{each} {number}" for each, number in sorted(measured.calls.items()) if number)
        rows.append((f"{MANY} {name}", f"{measured.seconds:.0f}", str(measured.failed), counted))
    return Table(("at once", "seconds", "failed", "calls"), rows)


def quietly(measure: Callable[[], Told]) -> Told:
    """What is measured, without the handler's logs."""
    logging.disable(logging.CRITICAL)
    try:
        return measure()
    finally:
        logging.disable(logging.NOTSET)
