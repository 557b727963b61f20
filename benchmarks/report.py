"""Tables and budgets as Markdown, for docs/performance.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass(frozen=True)
class Table:
    """What one benchmark prints."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True)
class Budget:
    """A ratio within one run, or a number, that we hold ourselves to."""

    what: str
    allowed: float
    measured: float

    @property
    def row(self) -> tuple[str, str, str, str]:
        """A line of the table of budgets."""
        return (
            self.what,
            f"≤ {self.allowed:g}",
            f"{self.measured:.2f}" if isinstance(self.measured, float) else str(self.measured),
            "yes" if self.measured <= self.allowed else "no",
        )


def budgets(held: Sequence[Budget]) -> Table:
    """The table of budgets."""
    return Table(("what", "allowed", "measured", "held"), [each.row for each in held])


def spread(values: Sequence[float], digits: int = 0) -> str:
    """A median, and in brackets the smallest and the largest value."""
    low, middle, high = min(values), median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
