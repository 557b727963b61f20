"""``make bench``: measure everything, print it, and put it into docs/performance.md.

    python -m benchmarks [functions | synthesis | cohorts | deploys | throttle | waiting] …

With names, only those are measured and printed, and the documents are left as they are.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from benchmarks import cohorts, deploys, functions, plot, report, synthesis, throttle, waiting
from benchmarks.report import Budget, Table
from docs import marked


class Part(NamedTuple):
    """One benchmark."""

    measure: Callable[[], Any]
    tables: Callable[[Any], Mapping[str, Table]]
    """Of what was measured, by their names in the document."""
    budgets: Callable[[Any], list[Budget]] = lambda _: []


PARTS: Final[Mapping[str, Part]] = {
    "functions": Part(functions.measure, lambda made: {"functions": functions.table(made)}, functions.budgets),
    "synthesis": Part(synthesis.measure, lambda made: {"synthesis": synthesis.table(made)}, synthesis.budgets),
    "cohorts": Part(
        lambda: throttle.quietly(cohorts.measure), lambda made: {"cohorts": cohorts.table(made)}, cohorts.budgets
    ),
    "waiting": Part(
        lambda: throttle.quietly(waiting.table), lambda made: {"waiting": made[0]}, lambda made: list(made[1])
    ),
    "deploys": Part(deploys.measure, lambda made: {"deploys": deploys.table(made)}),
    "throttle": Part(
        lambda: (throttle.quietly(throttle.table), throttle.quietly(throttle.operations)),
        lambda made: {"throttle": made[0], "operations": made[1]},
    ),
}


def main(names: Sequence[str]) -> None:
    """Measure those that are named; all of them, and write them down, where none is."""
    tables: dict[str, Table] = {}
    held: list[Budget] = []
    made: dict[str, Any] = {}

    def tell(name: str, table: Table) -> None:
        tables[name] = table
        print(f"\n{name}\n\n{table}", flush=True)

    for name in names or PARTS:
        part = PARTS[name]
        made[name] = part.measure()
        held += part.budgets(made[name])
        for title, table in part.tables(made[name]).items():
            tell(title, table)
    if held:
        tell("budgets", report.budgets(held))
    if not names:
        for name, table in tables.items():
            marked.write(report.PAGE, name, str(table))
        plot.functions_and_synthesis(made["functions"], made["synthesis"])
        print(f"\nWritten to {report.PAGE} and {plot.PICTURE}.")


if __name__ == "__main__":
    known = ", ".join(PARTS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"{known}; all of them where none is")
    given = parser.parse_args()
    if unknown := sorted(set(given.name) - set(PARTS)):
        parser.error(f"no such benchmark: {', '.join(unknown)}. There are {known}.")
    main(given.name)
