"""Documents (parameters, engine settings) on their way into the template: one JSON string each, exactly as written.

JSON is written here, by Python: 1.0 stays 1.0, null stays null, and a whole number above 2^53 keeps its last digit.
Only CDK tokens go through ``Stack.to_json_string``, each by itself: it escapes what they resolve to, but it is
JavaScript, which could not hold the rest of the document exactly.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from json import JSONEncoder
from typing import Any, Final

from aws_cdk import Stack

from cdk_healthomics.tokens import is_token, is_unknown

PARAMETERS_LIMIT: Final = 50_000
"""Bytes; HealthOmics' fixed quota on a run's parameters (User Guide)."""
_encode: Final = JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode


def document_problems(argument: str, document: Any, limit: int | None) -> list[str]:
    """What keeps a document from reaching HealthOmics as it was written."""
    if is_unknown(document):
        return []
    if not isinstance(document, Mapping):
        return [f"{argument} was a {type(document).__name__}: must be a dict, which becomes a JSON object"]
    try:
        return list(_unwritable(argument, document)) or list(_too_long(argument, document, limit))
    except RecursionError:
        return [f"{argument} holds itself, or is nested hundreds of levels deep: must be flatter"]


def written(stack: Stack, document: Any) -> str:
    """The document as one JSON string, which may hold tokens."""
    return "".join(_json(document, stack.to_json_string))


def well_formed(text: str) -> bool:
    """Whether a text is valid Unicode; a lone surrogate can be written neither to a template nor to the API."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json(value: Any, of_token: Callable[[Any], str]) -> Iterator[str]:
    """A value as JSON, in pieces; ``of_token`` writes the tokens."""
    if is_token(value):
        yield of_token(value)
    elif isinstance(value, Mapping):
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            yield "," if index else ""
            yield from _json(key, of_token)
            yield ":"
            yield from _json(item, of_token)
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "["
        for index, item in enumerate(value):
            yield "," if index else ""
            yield from _json(item, of_token)
        yield "]"
    else:
        yield _encode(value)


def _too_long(argument: str, document: Any, limit: int | None) -> Iterator[str]:
    if limit is None or any(is_unknown(part) for part in _parts(document)):
        return
    size = len("".join(_json(document, _encode)).encode())
    if size > limit:
        yield (
            f"{argument} is {size:,} bytes as JSON: must be at most {limit:,}; put them into a file on S3, and give "
            "parameters_uri"
        )


def _parts(value: Any) -> Iterator[Any]:
    """The keys of a document, and its values that hold no others; lists of tokens count as such."""
    if isinstance(value, Mapping):
        yield from value
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, (list, tuple)) and not is_token(value):
        for item in value:
            yield from _parts(item)
    else:
        yield value


def _unwritable(path: str, value: Any) -> Iterator[str]:
    """What JSON does not have, each with its path as a person would type it."""
    if is_token(value):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{path} has the key {key!r}: must be text, for keys of JSON objects are"
            elif not well_formed(key):
                yield f"{path} has the key {key!r}: must be valid Unicode, without lone surrogates"
            yield from _unwritable(f"{path}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _unwritable(f"{path}[{index}]", item)
    else:
        yield from _unwritable_leaf(path, value)


def _unwritable_leaf(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if not well_formed(value):
            yield f"{path} was {value!r}: must be valid Unicode, without lone surrogates"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{path} was {value!r}: must be a finite number, for JSON has no other"
    elif value is not None and not isinstance(value, int):
        yield f"{path} was a {type(value).__name__}: must be text, a number, True, False, None, a list or a dict"
