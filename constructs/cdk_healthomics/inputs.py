"""A file of a workflow's inputs, read as strictly as JSON is meant: what a person would not see is told."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from cdk_healthomics.messages import listed

_WORDS: Final = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number"} | {
    float: "a number",
    type(None): "null",
}
"""What JSON calls what Python makes of it."""


def read_parameters(path: str | Path) -> dict[str, Any]:
    """The workflow's inputs, from a JSON file, for ``HealthOmicsRun(parameters=…)``.

    Args:
        path: of a file in UTF-8, with or without a byte order mark, that holds one JSON object.

    Raises:
        ValueError: there is no such file, it does not hold one JSON object, or a key is there twice; the message tells
            which, or where.
    """
    repeated: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return dict(pairs)

    try:
        parameters = json.loads(Path(path).read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except OSError as error:
        raise ValueError(f"the file cannot be read ({error.strerror})") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the file does not hold JSON ({_trailing_comma(error) or error})") from None
    except ValueError as error:
        raise ValueError(f"the file does not hold JSON ({error})") from None
    except RecursionError:
        raise ValueError("the file is nested hundreds of levels deep, and must be flatter") from None
    if not isinstance(parameters, dict):
        raise ValueError(f"the file holds {_WORDS[type(parameters)]}, not a JSON object")  # noqa: TRY004 - bad input
    if repeated:
        keys, them = ("the key", "it") if len(repeated) == 1 else ("keys", "each of them")
        raise ValueError(
            f"the file has {keys} {listed(repeated)} more than once in one object, and {them} must be once"
        )
    return parameters


def _trailing_comma(error: json.JSONDecodeError) -> str | None:
    """Where the comma is that ends a list; Python's own words for it depend on its version."""
    before = error.doc[: error.pos + 1].rstrip(" \t\r\n]}")
    after = error.doc[len(before) :].lstrip()
    if not before.endswith(",") or not after.startswith(("]", "}")):
        return None
    comma = len(before) - 1
    line, column = before.count("\n") + 1, comma - before.rfind("\n")
    return f"a comma before the closing {after[0]}: line {line} column {column}"
