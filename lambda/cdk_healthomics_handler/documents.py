"""Documents on their way out of the event: the JSON text, and what is known at deployment only put into its places.

What CloudFormation puts in never was part of the JSON text: no quote, backslash or line break in it can change the
document. CloudFormation hands every scalar over as a string, so each value comes with its type. Standard library only.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from cdk_healthomics_handler.names import ValueType

BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}
"""Truth values as CloudFormation writes them."""
ROOT: Final = "#"
"""The place of the document itself."""
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_ABSENT: Final = object()


class MisfitError(ValueError):
    """A value does not fit the type that the construct has told; the message says where, and never the value."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place: Final = place
        self.problem: Final = problem


def pointer(parent: str, step: str | int) -> str:
    """The place of a member or an item: a JSON pointer (RFC 6901) as a URI's fragment, in ASCII."""
    escaped = str(step).replace("~", "~0").replace("/", "~1")
    return f"{parent}/{json.dumps(escaped)[1:-1]}"


def number(text: str) -> int | float:
    """The number that a text tells: a whole one where it looks like one.

    Raises:
        ValueError: it tells none, or one that JSON does not have.
    """
    if _WHOLE.fullmatch(text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    return value


def filled(text: str, values: Mapping[str, Any]) -> Any:
    """The document of a JSON text, with each value in its place; None where CloudFormation leaves all of it out.

    Raises:
        MisfitError: a value does not fit its type.
        ValueError, TypeError, LookupError: the properties have not the form that the construct gives them.
    """
    document = _filled(text, values)
    return None if document is _ABSENT else document


def _filled(text: str, values: Mapping[str, Any]) -> Any:
    holder = {"": json.loads(text)}
    changed: dict[int, Any] = {}
    for place, value in values.items():
        holds, step = _find(holder, place)
        try:
            holds[step] = _typed(value)
        except MisfitError as inner:
            raise MisfitError(place + inner.place.removeprefix(ROOT), inner.problem) from None
        if holds[step] is _ABSENT:
            changed[id(holds)] = holds
    # When all are in: a place is told by the position that it has in the text.
    for holds in changed.values():
        if isinstance(holds, list):
            holds[:] = [item for item in holds if item is not _ABSENT]
        else:
            for name in [name for name, item in holds.items() if item is _ABSENT]:
                del holds[name]
    return holder.get("", _ABSENT)


def _find(holder: dict[str, Any], place: str) -> tuple[Any, Any]:
    """What holds a place, and the name or position that the place has there."""
    holds: Any = holder
    step: Any = ""
    for escaped in place.split("/")[1:]:
        holds = holds[step]
        name = json.loads(f'"{escaped}"').replace("~1", "/").replace("~0", "~")
        step = int(name) if isinstance(holds, list) else name
    holds[step]
    return holds, step


def _typed(value: Mapping[str, Any]) -> Any:
    """A value with the type that the construct has told; without any, CloudFormation has left it out."""
    if ValueType.JSON in value:
        return _filled(value[ValueType.JSON], value.get(ValueType.VALUES, {}))
    if ValueType.JOINED in value:
        texts = [_typed(part) for part in value[ValueType.JOINED]]
        return "".join(text for text in texts if text is not _ABSENT)
    for kind, cast in _CASTS.items():
        if kind in value:
            return _cast(value[kind], cast)
    if value and ValueType.NO_VALUE not in value:
        raise KeyError("a value of a type that this version does not know")
    return _ABSENT


def _cast(value: Any, cast: Callable[[str], Any]) -> Any:
    """A scalar with its type, or each scalar of a list or map."""
    if isinstance(value, list):
        return [_cast(item, cast) for item in value]
    if isinstance(value, Mapping):
        return {name: _cast(item, cast) for name, item in value.items()}
    try:
        return cast(value)
    except (ValueError, KeyError) as error:
        raise MisfitError(ROOT, f"{_TOLD[cast]} ({type(error).__name__})") from None


def _boolean(text: str) -> bool:
    return BOOLEANS[text]


_CASTS: Final[Mapping[ValueType, Callable[[str], Any]]] = {
    ValueType.TEXT: str,
    ValueType.NUMBER: number,
    ValueType.BOOLEAN: _boolean,
}
_TOLD: Final[Mapping[Any, str]] = {number: "must be a number", _boolean: "must be true or false"}
