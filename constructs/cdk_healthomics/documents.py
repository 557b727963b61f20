"""Documents (parameters, engine settings) on their way into the template: one JSON string each, exactly as written.

A document without CDK tokens is written by ``json.dumps``: 1.0 stays 1.0, null stays null, and a whole number above
2^53 keeps its last digit. One with tokens must go through ``Stack.to_json_string``, which escapes what they resolve to,
but is JavaScript: what that cannot hold exactly is refused by name.
"""

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import Stack

from cdk_healthomics.tokens import is_token

PARAMETERS_LIMIT: Final = 50_000
"""Bytes; HealthOmics' fixed quota on a run's parameters (User Guide)."""
_EXACT: Final = 2**53
_PLAIN: Final = 1e21
"""JavaScript writes a float below this without exponent or point, so it would arrive as a whole number."""


def document_problems(argument: str, document: Any, limit: int | None) -> list[str]:
    """What keeps a document from reaching HealthOmics as it was written."""
    if is_token(document):
        return []
    if not isinstance(document, Mapping):
        return [f"{argument} was a {type(document).__name__}: must be a dict, which becomes a JSON object"]
    found = list(_unwritable(argument, document))
    if found:
        return found
    if _has_tokens(document):
        return list(_inexact(argument, document))
    size = len(_dumps(document).encode())
    if limit is not None and size > limit:
        return [f"{argument} is {size:,} bytes as JSON: must be at most {limit:,}; put large inputs into a file on S3"]
    return []


def written(stack: Stack, document: Any) -> str:
    """The document as one JSON string."""
    if is_token(document) or _has_tokens(document):
        return stack.to_json_string(document)
    return _dumps(document)


def _dumps(document: Any) -> str:
    return json.dumps(document, allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The parts of a document that hold no others, each with its path as a person would type it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{path}[{key!r}]", item)
    elif isinstance(value, (list, tuple)) and not is_token(value):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    else:
        yield path, value


def _mappings(path: str, value: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    if isinstance(value, Mapping):
        yield path, value
        for key, item in value.items():
            yield from _mappings(f"{path}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _mappings(f"{path}[{index}]", item)


def _unwritable(argument: str, document: Any) -> Iterator[str]:
    """What JSON does not have."""
    for path, mapping in _mappings(argument, document):
        for key in mapping:
            if not isinstance(key, str):
                yield f"{path} has the key {key!r}: must be text, for keys of JSON objects are"
    for path, value in _leaves(argument, document):
        if isinstance(value, str) and any(unicodedata.category(each) == "Cs" for each in value):
            yield f"{path} was {value!r}: must be valid Unicode, without lone surrogates"
        elif isinstance(value, float) and not math.isfinite(value):
            yield f"{path} was {value!r}: must be a finite number, for JSON has no other"
        elif value is not None and not isinstance(value, (str, int, float)) and not is_token(value):
            yield f"{path} was a {type(value).__name__}: must be text, a number, True, False, None, a list or a dict"


def _inexact(argument: str, document: Any) -> Iterator[str]:
    """What JavaScript, and so ``Stack.to_json_string``, cannot hold exactly."""
    why = "cannot be kept exactly in a document that has CDK tokens"
    for path, value in _leaves(argument, document):
        if is_token(value):
            continue
        if value is None:
            yield f"{path} was None: {why}; leave it out, or give the tokens' values"
        elif isinstance(value, int) and abs(value) > _EXACT:
            yield f"{path} was {value}: {why}, being above 2**53; write it as text"
        elif isinstance(value, float) and value.is_integer() and abs(value) < _PLAIN:
            yield f"{path} was {value!r}: {why} and would arrive as {int(value)}; write it as {int(value)} or as text"


def _has_tokens(document: Any) -> bool:
    return any(is_token(value) for _, value in _leaves("", document)) or any(
        is_token(key) for _, mapping in _mappings("", document) for key in mapping
    )
