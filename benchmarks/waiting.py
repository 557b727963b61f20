"""What an hour of waiting costs: calls and time of the function, on one virtual clock.

    python -m benchmarks waiting

The runs of one stack, each waited for until it completes, an hour after it began to run: at its own resource, then at
the first link. As unkind as EventBridge may be: the minutes of all rules begin at the same second. CloudFormation goes
on from an answer to the next link within a second. What is counted are the looks and what EventBridge is asked for. The
world, its quotas and its latency are those of the table of many requests at once. What is printed was measured in this
run.
"""

from collections import Counter
from http import HTTPStatus
from itertools import pairwise
from typing import Any, Final

from benchmarks.report import Budget, Table
from benchmarks.throttle import DESCRIBES, LATENCY
from local_aws.healthomics import QUOTAS
from tests.events import PROPERTIES, STACK_ID
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.world import Delivery, World

HOUR: Final = 3600.0
NUMBERS: Final = (1, 100)
_MOST_CALLS: Final = 70
_SOME: Final = 10.0
_TWO_MINUTES: Final = 120.0
"""A look that is lost leaves a longer gap; those of a link begin at another moment of the minute than those before."""
_OF_WAITING: Final = {"GetRun", "PutRule", "PutTargets", "RemoveTargets", "DeleteRule", "ListTargetsByRule"}
_HALF_OF_GET_RUN: Final = QUOTAS["GetRun"] / 2
_ASKED: Final[dict[str, Any]] = {**PROPERTIES, "WaitFor": "COMPLETED", "ServiceTimeout": "3600", "Timeout": "7200"}
_HEADER: Final = (
    "runs at once",
    "failed",
    "calls a run and hour",
    "of them GetRun",
    "GetRun a second, in the busiest ten seconds",
    "seconds between two looks at a run, at most",
    "function seconds a run",
    "seconds from a run's end to the answer",
)


def measure(runs: int) -> tuple[Counter[str], World]:
    """Deploy so many runs that are waited for."""
    world = World(1, runs=runs, start_rate=1.0, quotas=QUOTAS, running=HOUR)
    world.latency = LATENCY
    world.cloudformation.rate = DESCRIBES
    world.minutes_are_shared = True
    stack = Stack(world, STACK_ID, Delivery, attention=1.0)
    with world.installed():
        world.play(lambda: stack.deploy({f"Run{number}": _ASKED for number in range(runs)}))
    return Counter(call.operation for call in world.called), world


def table(numbers: tuple[int, ...] = NUMBERS) -> tuple[Table, list[Budget]]:
    """An hour of waiting, and whether it keeps the goals."""
    rows, held = [], []
    for runs in numbers:
        calls, world = measure(runs)
        looks = [call.at for call in world.called if call.operation == "GetRun"]
        busiest = max(sum(at <= each < at + _SOME for each in looks) for at in looks) / _SOME
        waiting = sum(number for operation, number in calls.items() if operation in _OF_WAITING)
        each = waiting / (sum(_waited(world)) / HOUR)
        gap = _longest_gap(world)
        lags = sorted(_lags(world))
        failed = sum(not sent.succeeded for sent in world.sent)
        figures = (
            f"{each:.1f}",
            f"{calls['GetRun'] / runs:.1f}",
            f"{busiest:.1f}",
            f"{gap:.0f}",
            f"{world.function_seconds / runs:.0f}",
        )
        rows.append((str(runs), str(failed), *figures, f"{lags[len(lags) // 2]:.0f} ({lags[-1]:.0f} at most)"))
        held.append(Budget(f"calls in an hour of waiting for a run, {runs} at once", _MOST_CALLS, each))
        held.append(Budget(f"seconds between two looks at a run, {runs} at once", _TWO_MINUTES, gap))
        held.append(Budget(f"GetRun a second, in the busiest ten seconds, {runs} at once", _HALF_OF_GET_RUN, busiest))
    return Table(_HEADER, rows), held


def _longest_gap(world: World) -> float:
    """The longest time between two looks at the same run that it was seen in; the first comes after its start."""
    seen = {f"/run/{run.id}": [run.history[0][0]] for run in world.service.runs()}
    for call in world.called:
        if call.operation == "GetRun" and call.status == HTTPStatus.OK:
            seen[call.path].append(call.at)
    return max(later - earlier for times in seen.values() for earlier, later in pairwise(times))


def _waited(world: World) -> list[float]:
    """For how long each run was waited for."""
    return [HOUR + lag for lag in _lags(world)]


def _lags(world: World) -> list[float]:
    """How long after the end of each run its stack has heard of it."""
    heard: dict[str, float] = {}
    for sent in world.sent:
        run_id = sent.event["ResourceProperties"].get("Run", sent.physical_id)
        heard[run_id] = max(heard.get(run_id, 0.0), sent.heard_at)
    ended = {f"{run.id}/{run.uuid}": run.history[-1][0] for run in world.service.runs()}
    return [heard[run_id] - at for run_id, at in ended.items()]
