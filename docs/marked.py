"""The parts of a document that a command writes: between two marks that name them."""

import re
from pathlib import Path


def write(page: Path, name: str, content: str) -> None:
    """Put ``content`` between the marks of this name.

    Raises:
        ValueError: the page does not have these marks exactly once.
    """
    page.write_text(_with(page, name, content), encoding="utf-8")


def is_written(page: Path, name: str, content: str) -> bool:
    """Whether that is there already."""
    return _with(page, name, content) == page.read_text(encoding="utf-8")


def _with(page: Path, name: str, content: str) -> str:
    begin, end = f"<!-- {name}: made by a command -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    text, found = pattern.subn(lambda _: f"{begin}\n{content}\n{end}", page.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"{page} has {found} parts between `{begin}` and `{end}`; must have one.")
    return text
