"""What botocore's model says of the values of members: types, limits, patterns and enums, in a person's words."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cdk_healthomics import model
from cdk_healthomics.documents import well_formed
from cdk_healthomics.messages import shown
from cdk_healthomics.tokens import is_unknown
from cdk_healthomics_handler.names import RUN_TAGS, SESSION_POLICY, TAG_PREFIX, OwnershipTag

_MOST_TAGS: Final = 50
"""HealthOmics allows so many a run (User Guide, quotas)."""
_OWN_TAGS: Final[Mapping[str, int]] = {"tags": len(OwnershipTag), RUN_TAGS: 1}
"""How many of them are ours, by member: the runs of a batch are known by their stack only."""
_RESERVED: Final = ("aws:", TAG_PREFIX)


def problems(arguments: Mapping[str, Any], shapes: Mapping[str, tuple[str, Any]], prefix: str = "") -> Iterator[str]:
    """What is wrong with arguments by the shapes of their members; documents are left to ``documents.py``.

    Args:
        arguments: by name, those that were left out left out.
        shapes: of each argument the member that it stands for, and its shape (:func:`model.shapes`).
        prefix: of the arguments' names, as a person would type it.
    """
    for argument, (member, shape) in shapes.items():
        if argument not in arguments or member in _OTHER_TYPES:
            continue
        value = arguments[argument]
        # A map is no token itself: it is merged with the tags of the scopes. Its texts may be.
        if member in _OWN_TAGS:
            yield from tags(f"{prefix}{argument}", value, shape, own=_OWN_TAGS[member])
        elif shape.type_name in _BY_TYPE and not is_unknown(value):
            yield from _BY_TYPE[shape.type_name](f"{prefix}{argument}", value, shape)


def text(argument: str, value: Any, shape: Any) -> Iterator[str]:
    """What is wrong with a text."""
    limits = shape.metadata
    if not isinstance(value, str):
        yield f"{argument} was {shown(value)}: must be text; write it in quotes"
        return
    if "enum" in limits:
        if value not in limits["enum"]:
            yield f"{argument} was {shown(str(value))}: must be one of {', '.join(limits['enum'])}"
        return
    shortest, longest = limits.get("min", 0), limits.get("max")
    if len(value) < shortest or (longest and len(value) > longest):
        yield f"{argument} was {shown(value)}, {len(value)} characters long: must have {shortest} to {longest}"
    elif "pattern" in limits and not model.fits(limits["pattern"], value):
        yield f"{argument} was {shown(value)}: must match {limits['pattern']}"


def _whole_number(argument: str, value: Any, shape: Any) -> Iterator[str]:
    lowest, highest = shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        yield f"{argument} was {shown(value)}: must be a whole number from {lowest} to {highest}"


def _boolean(argument: str, value: Any, _: Any) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{argument} was {shown(value)}: must be True or False"


def tags(argument: str, value: Any, shape: Any, *, own: int) -> Iterator[str]:
    """What is wrong with tags, of which so many are this construct's own beside them."""
    if not isinstance(value, Mapping):
        yield f"{argument} was {shown(value)}: must be a dict of text to text"
        return
    yield from too_many(argument, len(value), own=own)
    for key, given in value.items():
        at = f"{argument}[{shown(key)}]"
        yield from (f"the key of {problem}" for problem in _tag_part(at, key, shape.key.metadata))
        yield from _tag_part(at, given, shape.value.metadata)
        if isinstance(key, str) and key.lower().startswith(_RESERVED):
            yield f"the key of {at} begins with a reserved prefix: must not begin with {' or '.join(_RESERVED)}"


def too_many(argument: str, number: int, *, own: int) -> Iterator[str]:
    """What is wrong with so many tags."""
    most = _MOST_TAGS - own
    if number > most:
        yield (
            f"{argument} has {number} tags: must be at most {most}, for HealthOmics allows {_MOST_TAGS} a run and "
            f"{own} {'is' if own == 1 else 'are'} this construct's own; leave {number - most} out"
        )


def _tag_part(at: str, value: Any, limits: Mapping[str, int]) -> Iterator[str]:
    if is_unknown(value):
        return
    wrong = list(written_text(at, value))
    yield from wrong
    if not wrong and not limits["min"] <= len(value) <= limits["max"]:
        yield f"{at} is {len(value)} characters long: must have {limits['min']} to {limits['max']}"


def written_text(at: str, value: Any) -> Iterator[str]:
    """What is wrong with a text that may be any."""
    if not isinstance(value, str):
        yield f"{at} was {shown(value)}: must be text; write it in quotes"
    elif not well_formed(value):
        yield f"{at} was {shown(value)}: must be valid Unicode, without lone surrogates"


_BY_TYPE: Final[Mapping[str, Callable[[str, Any, Any], Iterator[str]]]] = {
    "string": text,
    "integer": _whole_number,
    "boolean": _boolean,
}
_OTHER_TYPES: Final = frozenset({"roleArn", SESSION_POLICY})
"""Members whose arguments take a construct or a document; ``checks.py`` looks at them."""
