"""Pieces of messages: values and names as a person typed them, cut where they are long."""

import json
from collections.abc import Collection
from itertools import islice
from typing import Any, Final

_SHOWN: Final = 80
_NAMES: Final = 10
_LATER: Final = "…"


def shown(value: Any) -> str:
    """A value as a person typed it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def listed(names: Collection[Any]) -> str:
    """Names as a person typed them; of many the first few, and how many more there are."""
    first = ", ".join(shown(name) for name in islice(names, _NAMES))
    return first if len(names) <= _NAMES else f"{first} and {len(names) - _NAMES} more"


def policy(document: Any) -> str:
    """A policy or statement that the CDK has resolved, as JSON text: what is known at deployment only as ``${…}``."""
    return json.dumps(_readable(document), ensure_ascii=False)


def _readable(value: Any) -> Any:
    match value:
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(str(_readable(part)) for part in parts)
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case dict() if any(key.startswith("Fn::") for key in value):
            return _LATER
        case dict():
            return {key: _readable(item) for key, item in value.items()}
        case list():
            return [_readable(item) for item in value]
    return value
