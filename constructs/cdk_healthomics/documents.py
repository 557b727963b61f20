"""Documents (parameters, engine settings) on their way into the template: one JSON string each, exactly as written.

JSON is written here, by Python: 1.0 stays 1.0, null stays null, and a whole number above 2^53 keeps its last digit.
What is known at deployment only is null there, and travels beside it (``late.py``): it never becomes part of JSON text.
"""

import math
from collections.abc import Iterator, Mapping
from json import JSONEncoder
from typing import Any, Final

from cdk_healthomics.tokens import LIST_IN_TEXT, is_token, is_unknown
from cdk_healthomics.values import write

PARAMETERS_LIMIT: Final = 50_000
"""Bytes; HealthOmics' fixed quota on a run's parameters (User Guide)."""
_as_sent: Final = JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode
"""The document that HealthOmics counts: in the template it is in ASCII, and longer."""


def document_problems(argument: str, document: Any, limit: int | None, file: str) -> list[str]:
    """What keeps a document from reaching HealthOmics as it was written.

    Args:
        argument: as a person typed it.
        document: its value.
        limit: how many bytes of JSON it may be; None: any.
        file: what may be given instead, when it is put into a file on S3.
    """
    if is_unknown(document):
        return []
    if not isinstance(document, Mapping):
        return [f"{argument} was a {type(document).__name__}: must be a dict, which becomes a JSON object"]
    try:
        return list(_unwritable(argument, document)) or list(_too_long(argument, document, limit, file))
    except RecursionError:
        return [f"{argument} holds itself, or is nested hundreds of levels deep: must be flatter"]


def late_parts(document: Any) -> list[Any]:
    """What of a document is known at deployment only."""
    return [part for part in _parts(document) if is_token(part)]


def written(document: Any) -> str:
    """A document of which nothing is known at deployment only, as JSON in ASCII."""
    return write(document, lambda *_: False)


def well_formed(text: str) -> bool:
    """Whether a text is valid Unicode; a lone surrogate can be written neither to a template nor to the API."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_long(argument: str, document: Any, limit: int | None, file: str) -> Iterator[str]:
    if limit is None or any(is_unknown(part) for part in _parts(document)):
        return
    size = len(_as_sent(_plain(document)).encode())
    if size > limit:
        yield (
            f"{argument} is {size:,} bytes as JSON: must be at most {limit:,}; put them into a file on S3, and give "
            f"{file}"
        )


def _plain(value: Any) -> Any:
    """A document of dicts and lists, which the encoder knows."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _parts(value: Any) -> Iterator[Any]:
    """The values of a document that hold no others; lists of tokens count as such."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, (list, tuple)) and not is_token(value):
        for item in value:
            yield from _parts(item)
    else:
        yield value


def _unwritable(path: str, value: Any) -> Iterator[str]:
    """What JSON does not have, each with its path as a person would type it."""
    if isinstance(value, str) and LIST_IN_TEXT in value:
        yield (
            f"{path} holds an item of a list that is known at deployment only: must be the whole list by itself, or "
            "Fn.select(index, list)"
        )
    elif is_token(value):
        return
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{path} has the key {key!r}: must be text, for keys of JSON objects are"
            elif not well_formed(key):
                yield f"{path} has the key {key!r}: must be valid Unicode, without lone surrogates"
            elif is_token(key):
                yield (
                    f"{path} has the key {key!r}, which is known at deployment only: must be written out, for whoever "
                    "sets it could name another member"
                )
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
