"""The report: a table for a terminal, Markdown to attach to an issue, and JSON that keeps what was observed."""

import json
import re
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from verify_aws.questions import QUESTIONS
from verify_aws.verdicts import Verdict

HEADINGS: Final = ("asked", "assumed", "seen", "what follows")
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_LEAST_WIDTH: Final = 100


class Report:
    """Every answer so far; it is written after each one, so that none is lost.

    Args:
        folder: where ``report.md`` and ``report.json`` are; earlier answers in them are kept.
        about: the region, versions and the like.
    """

    def __init__(self, folder: Path, about: Mapping[str, str]) -> None:
        self._markdown, self._json = folder / "report.md", folder / "report.json"
        self._about = about
        folder.mkdir(parents=True, exist_ok=True)
        before = json.loads(self._json.read_text(encoding="utf-8")) if self._json.exists() else {}
        same = before.get("about", {}).get("region") == about.get("region")
        self._answers: dict[str, dict[str, Any]] = before.get("answers", {}) if same else {}
        self.left: Sequence[str] = ()

    @property
    def path(self) -> Path:
        """What is attached to an issue."""
        return self._markdown

    def add(self, question: str, observed: Mapping[str, Any]) -> Verdict:
        """Keep an answer."""
        self._answers[question] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "observed": dict(observed)}
        self.write()
        return QUESTIONS[question].verdict(observed)

    def rows(self) -> list[tuple[str, Verdict]]:
        """Each answered question's id and verdict, in the order of questions."""
        return [
            (each, QUESTIONS[each].verdict(self._answers[each]["observed"]))
            for each in QUESTIONS
            if each in self._answers
        ]

    def write(self) -> None:
        """Write both files; the account's number is in neither."""
        told = {
            "about": self._about,
            "answers": {
                each: self._answers[each]
                | {
                    "outcome": verdict.outcome,
                    "seen": verdict.seen,
                    "follows": verdict.follows,
                    "heldBy": verdict.held_by,
                }
                for each, verdict in self.rows()
            },
            "leftBehind": list(self.left),
        }
        self._json.write_text(masked(json.dumps(told, indent=2)) + "\n", encoding="utf-8")
        self._markdown.write_text(masked(self._as_markdown()), encoding="utf-8")

    def _as_markdown(self) -> str:
        lines = ["# What AWS does", "", *(f"- {name}: {value}" for name, value in self._about.items()), ""]
        lines += [_row((*HEADINGS, "held by")), _row(["---"] * 5)]
        for each, verdict in self.rows():
            question = QUESTIONS[each]
            held = ", ".join(f"`{test}`" for test in verdict.held_by)
            asked = f"{question.asks} (`{each}`)"
            assumed = f"{question.assumed} ({question.home})"
            seen = f"**{verdict.outcome}**: {verdict.seen}"
            lines.append(_row((asked, assumed, seen, verdict.follows, held)))
        unasked = [each for each in QUESTIONS if each not in self._answers]
        lines += ["", f"Not asked: {', '.join(unasked) or 'nothing'}."]
        lines += ["", f"Left behind: {'; '.join(self.left) or 'nothing'}.", ""]
        return "\n".join(lines)

    def table(self, width: int | None = None) -> str:
        """The table for a terminal."""
        width = max(_LEAST_WIDTH, width or shutil.get_terminal_size((140, 24)).columns)
        column = (width - 3 * 3) // 4
        rows: list[Sequence[str]] = [HEADINGS]
        for each, verdict in self.rows():
            question = QUESTIONS[each]
            seen = f"[{verdict.outcome}] {verdict.seen}"
            held = ", ".join(re.split(r"::|/", test)[-1] for test in verdict.held_by)
            follows = f"{verdict.follows} (held by {held})" if held else verdict.follows
            rows.append((question.asks, question.assumed, masked(seen), follows))
        line = "-+-".join(["-" * column] * 4)
        return "\n".join(f"{_cells(row, column)}\n{line}" for row in rows)


def masked(text: str) -> str:
    """A text without the account's number."""
    return _ACCOUNT.sub("<account>", text)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _cells(row: Sequence[str], column: int) -> str:
    wrapped = [textwrap.wrap(cell, column) or [""] for cell in row]
    height = max(len(each) for each in wrapped)
    padded = [each + [""] * (height - len(each)) for each in wrapped]
    return "\n".join(" | ".join(part.ljust(column) for part in line).rstrip() for line in zip(*padded, strict=True))
