"""``make bench``: measure everything, print it, and put it into docs/performance.md.

    python -m benchmarks [functions | synthesis | deploys | throttle | waiting] …

With names, only those are measured and printed, and the documents are left as they are.
"""

import argparse
from collections.abc import Sequence

from benchmarks import deploys, functions, plot, report, synthesis, throttle, waiting
from benchmarks.report import Table
from docs import marked


def main(names: Sequence[str]) -> None:
    """Measure those that are named; all of them, and write them down, where none is."""
    tables: dict[str, Table] = {}
    held: list[report.Budget] = []
    figures = made = None

    def tell(name: str, table: Table) -> None:
        tables[name] = table
        print(f"\n{name}\n\n{table}", flush=True)

    if not names or "functions" in names:
        figures = functions.measure()
        held += functions.budgets(figures)
        tell("functions", functions.table(figures))
    if not names or "synthesis" in names:
        made = synthesis.measure()
        held += synthesis.budgets(made)
        tell("synthesis", synthesis.table(made))
    if not names or "waiting" in names:
        hour, kept = throttle.quietly(waiting.table)
        held += kept
        tell("waiting", hour)
    if held:
        tell("budgets", report.budgets(held))
    if not names or "deploys" in names:
        tell("deploys", deploys.table(deploys.measure()))
    if not names or "throttle" in names:
        tell("throttle", throttle.quietly(throttle.table))
        tell("operations", throttle.quietly(throttle.operations))
    if figures and made and not names:
        for name, table in tables.items():
            marked.write(report.PAGE, name, str(table))
        plot.functions_and_synthesis(figures, made)
        print(f"\nWritten to {report.PAGE} and {plot.PICTURE}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "name", nargs="*", help="functions, synthesis, deploys, throttle or waiting; all of them where none is"
    )
    given = parser.parse_args()
    known = {"functions", "synthesis", "deploys", "throttle", "waiting"}
    if unknown := sorted(set(given.name) - set(known)):
        parser.error(f"no such benchmark: {', '.join(unknown)}. There are {', '.join(known)}.")
    main(given.name)
