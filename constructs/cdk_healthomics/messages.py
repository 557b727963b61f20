"""Pieces of messages: values and names as a person typed them, cut where they are long."""

from collections.abc import Collection
from itertools import islice
from typing import Any, Final

_SHOWN: Final = 80
_NAMES: Final = 10


def shown(value: Any) -> str:
    """A value as a person typed it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def listed(names: Collection[Any]) -> str:
    """Names as a person typed them; of many the first few, and how many more there are."""
    first = ", ".join(shown(name) for name in islice(names, _NAMES))
    return first if len(names) <= _NAMES else f"{first} and {len(names) - _NAMES} more"
