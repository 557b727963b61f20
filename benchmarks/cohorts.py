"""Cohorts: so many runs as resources of their own, and as one batch.

    python -m benchmarks cohorts

Synthesis is whole processes: CPU time, and the most memory that Python and Node have taken together. To deploy and to
destroy is as in :mod:`benchmarks.throttle`: the real handler on a virtual clock, under the account's quotas. Ideal is
what the quotas of StartRun and CancelRun allow.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil

from benchmarks import cohort_app
from benchmarks.report import Budget, Table
from benchmarks.throttle import Measured, account, measured_by
from local_aws.healthomics import QUOTAS, StoredObject
from tests.events import PROPERTIES

SINGLE: Final = (20, 200, 495)
BATCHES: Final = (495, 10_000, 100_000)
ROUNDS: Final = 3
_BETWEEN_LOOKS: Final = 0.02
_MEGABYTE: Final = 1e6
_SETTINGS: Final = "s3://assets/settings.json"
_LARGE: Final = 10_000
_LOOK: Final = 10.0


@dataclass
class Synthesis:
    """What so many runs of one kind cost at synth."""

    seconds: list[float] = field(default_factory=list)
    """CPU time of Python and Node."""
    memory: list[float] = field(default_factory=list)
    """Megabytes, of both together."""
    size: int = 0
    """Bytes of the template."""


@dataclass
class Cohort:
    """So many runs as one kind of resource."""

    kind: str
    runs: int
    synthesis: Synthesis = field(default_factory=Synthesis)
    created: Measured = field(default_factory=Measured)
    submitted: float = 0.0
    """Seconds until HealthOmics has started all runs."""
    destroyed: Measured = field(default_factory=Measured)
    deletes: int = 0
    """How many times the stack had to be deleted."""
    stopping: float = 0.0
    """Seconds that a run takes from its CancelRun to its end."""

    @property
    def slowest_start(self) -> float:
        """Seconds, as StartRun's quota allows: one a second, of which the first is there."""
        return self.runs - 1.0

    @property
    def slowest_cancel(self) -> float:
        """Seconds, as CancelRun's quota allows, of which a second's worth is there, and until the last has stopped."""
        return max(0.0, self.runs / QUOTAS["CancelRun"] - 1.0) + self.stopping


def measure(single: tuple[int, ...] = SINGLE, batches: tuple[int, ...] = BATCHES, rounds: int = ROUNDS) -> list[Cohort]:
    """Synthesize, deploy and destroy each; the first is an empty stack, which is synthesized only."""
    cohorts = [Cohort("none", 0), *(Cohort("run", runs) for runs in single), *(Cohort("batch", n) for n in batches)]
    for _ in range(rounds):
        for each in cohorts:
            _synthesize(each)
    for each in cohorts[1:]:
        _live(each)
    return cohorts


def table(cohorts: list[Cohort]) -> Table:
    """The figures side by side."""
    columns = (
        "runs",
        "as",
        "synth, CPU s",
        "memory beyond an empty stack, MB",
        "template, bytes",
        "answered after, s",
        "all started after, s",
        "÷ ideal",
        "calls to HealthOmics",
        "function s",
        "destroyed after, s",
        "÷ ideal",
        "calls to HealthOmics",
        "function s",
    )
    empty, *others = cohorts
    return Table(columns, [_row(each, empty) for each in others])


def budgets(cohorts: list[Cohort]) -> list[Budget]:
    """What we hold ourselves to."""
    empty = cohorts[0]
    batches = {each.runs: each for each in cohorts if each.kind == "batch"}
    least, most, large = batches[min(batches)], batches[max(batches)], batches[_LARGE]
    quota = large.runs / QUOTAS["CancelRun"]
    return [
        Budget(f"synth CPU of a batch of {most.runs:,}, s", 60, median(most.synthesis.seconds)),
        Budget(f"memory of a batch of {most.runs:,} at synth, MB", 500, _beyond(most, empty)),
        Budget(
            f"template of a batch of {most.runs:,} ÷ of {least.runs}", 1.01, most.synthesis.size / least.synthesis.size
        ),
        Budget(f"calls at the Create of a batch of {most.runs:,}", 1, sum(most.created.calls.values())),
        Budget(
            f"cancel of a batch of {_LARGE:,} ÷ what CancelRun's quota allows", 1.25, large.destroyed.seconds / quota
        ),
    ]


def _row(each: Cohort, empty: Cohort) -> tuple[str, ...]:
    again = f" ({each.deletes} Deletes)" if each.kind == "batch" and each.deletes > 1 else ""
    return (
        f"{each.runs:,}",
        "one batch" if each.kind == "batch" else "runs",
        f"{median(each.synthesis.seconds):.1f}",
        f"{_beyond(each, empty):.0f}",
        f"{each.synthesis.size:,}",
        f"{each.created.seconds:,.0f}",
        f"{each.submitted:,.0f}",
        f"{each.submitted / each.slowest_start:.2f}",
        f"{_calls(each.created):,}",
        f"{each.created.function_seconds:,.0f}",
        f"{each.destroyed.seconds:,.0f}{again}",
        f"{each.destroyed.seconds / each.slowest_cancel:.2f}",
        f"{_calls(each.destroyed):,}",
        f"{each.destroyed.function_seconds:,.0f}",
    )


def _beyond(each: Cohort, empty: Cohort) -> float:
    return median(each.synthesis.memory) - median(empty.synthesis.memory)


def _calls(measured: Measured) -> int:
    """To HealthOmics."""
    return measured.calls.total() - measured.calls["DescribeStackResource"]


def _synthesize(each: Cohort) -> None:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, cohort_app.__file__, each.kind, str(each.runs), out]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
        watched, peak = psutil.Process(process.pid), 0.0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _resident(watched))
            time.sleep(_BETWEEN_LOOKS)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
        each.synthesis.seconds.append(usage.ru_utime + usage.ru_stime)
        each.synthesis.memory.append(peak / _MEGABYTE)
        template = json.loads((Path(out) / f"{cohort_app.STACK}.template.json").read_text())
        each.synthesis.size = len(json.dumps(template, separators=(",", ":")))


def _resident(process: psutil.Process) -> int:
    """Bytes that it and its children have."""
    total = 0
    for one in (process, *_children(process)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _live(each: Cohort) -> None:
    is_batch = each.kind == "batch"
    world, stack = account(1 if is_batch else each.runs)
    if is_batch:
        settings = json.dumps([{"runSettingId": f"NA{number:06}"} for number in range(each.runs)]).encode()
        world.service.read_object = lambda _: StoredObject("etag", settings)
        wanted: dict[str, Any] = {"Cohort": {**PROPERTIES, "S3UriSettings": _SETTINGS}}
    else:
        wanted = {f"Run{number}": PROPERTIES for number in range(each.runs)}
    each.stopping = world.service.settings.stopping
    with world.installed():
        began = world.timeline.now

        def deploy() -> None:
            stack.deploy(wanted)
            world.timeline.until(lambda: len(world.service.runs()) == each.runs, longest=_LOOK)

        each.created = measured_by(world, deploy)
        each.submitted = max(run.created for run in world.service.runs()) - began
        before = len(world.sent)
        each.destroyed = measured_by(world, stack.delete)
        each.deletes = len(world.sent) - before
        if left := world.service.active():
            raise RuntimeError(f"{len(left)} runs were left")
