"""What a stack full of runs costs at synth time: whole processes, beside what a user would pick instead.

    python -m benchmarks synthesis

CPU time of the app's process and of the Node process behind it. The rounds are interleaved; each figure is a median.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import stack_app
from benchmarks.peers import unpack_handlers
from benchmarks.report import Budget, Table, spread

RUNS: Final = (1, 50, 200, 400)
ROUNDS: Final = 3
NAMES: Final = {
    "bare": "no run",
    "run": "HealthOmicsRun",
    "custom": "AwsCustomResource",
    "provider": "Provider framework",
    "plain": "crhelper, boto3 bundled",
}
MOST_RESOURCES: Final = 500
"""In a stack: CloudFormation's quota, by which the CDK refuses to synthesize."""


@dataclass
class Synthesis:
    """So many runs of one kind."""

    kind: str
    runs: int
    seconds: list[float] = field(default_factory=list)
    """CPU time of each round."""
    resources: int = 0
    """In the template."""
    size: int = 0
    """Bytes of the template without white space; 0: too many resources for a template."""


def measure(runs: tuple[int, ...] = RUNS, rounds: int = ROUNDS) -> list[Synthesis]:
    """Synthesize every kind with so many runs, and so often."""
    made: list[Synthesis] = []
    with tempfile.TemporaryDirectory() as folder:
        handlers = Path(folder) / "handlers"
        handlers.mkdir()
        unpack_handlers(handlers)
        _synthesize(Synthesis("run", 1), Path(folder), handlers)  # the first one also fills the machine's file cache
        for number in runs:
            these = [Synthesis(kind, number) for kind in stack_app.KINDS]
            for _ in range(rounds):
                for each in these:
                    with tempfile.TemporaryDirectory() as out:
                        _synthesize(each, Path(out), handlers)
            made += these
    return made


def table(made: list[Synthesis]) -> Table:
    """The figures side by side."""
    columns = (
        "runs",
        "construct",
        "CPU, s",
        "÷ no run",
        "ms a run beyond no run",
        "resources",
        "template bytes a run",
    )
    rows = []
    for each in made:
        bare = _bare(made, each.runs)
        if not each.size:
            rows.append((str(each.runs), NAMES[each.kind], f"more than {MOST_RESOURCES} resources", "", "", "", ""))
            continue
        middle = median(each.seconds)
        of_runs = each.kind != "bare"
        rows.append(
            (
                str(each.runs),
                NAMES[each.kind],
                spread(each.seconds, 2),
                f"{middle / bare:.2f}",
                f"{(middle - bare) / each.runs * 1000:.1f}" if of_runs else "",
                str(each.resources),
                f"{each.size / each.runs:,.0f}" if of_runs else "",
            )
        )
    return Table(columns, rows)


def budgets(made: list[Synthesis]) -> list[Budget]:
    """What we hold ourselves to."""
    allowed = {1: 1.2, 50: 1.3, 200: 1.45}
    ours = {each.runs: each for each in made if each.kind == "run"}
    plain = {each.runs: each for each in made if each.kind == "plain"}
    most = max(ours)
    return [
        *(
            Budget(f"synth CPU ÷ no run, runs: {runs}", most_allowed, median(ours[runs].seconds) / _bare(made, runs))
            for runs, most_allowed in allowed.items()
            if runs in ours
        ),
        Budget("template bytes a run ÷ those of plain crhelper", 1.4, ours[most].size / plain[most].size),
    ]


def _bare(made: list[Synthesis], runs: int) -> float:
    return next(median(each.seconds) for each in made if each.kind == "bare" and each.runs == runs)


def _synthesize(each: Synthesis, out: Path, handlers: Path) -> None:
    errors = out / "errors"
    command = [sys.executable, stack_app.__file__, each.kind, str(each.runs), str(out), "Cohort", str(handlers)]
    with errors.open("w") as said, subprocess.Popen(command, stderr=said) as process:  # noqa: S603 - ours
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        if "is greater than allowed maximum" in errors.read_text():
            return
        raise RuntimeError(f"{each.kind} with {each.runs} runs could not be synthesized:\n{errors.read_text()}")
    template = json.loads((out / "Cohort.template.json").read_text())
    each.seconds.append(usage.ru_utime + usage.ru_stime)
    each.resources = len(template["Resources"])
    each.size = len(json.dumps(template, separators=(",", ":")))
