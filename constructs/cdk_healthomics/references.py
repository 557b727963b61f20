"""Texts that would not arrive as they are meant: references that nobody resolves, and names of Python objects."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import SecretValue

_SECRET: Final = re.compile(r"\{\{resolve:(?:secretsmanager|ssm-secure):[^}]*(?:\}\})?")
_OBJECT: Final = re.compile(r"<[\w.]+ object at 0x[0-9a-fA-F]+>")
"""What ``str()`` and an f-string make of a Python object that has no text of its own, as the CDK's have none."""
_PUBLIC: Final = "must be no secret, for whoever may read the run may read it"
_LATER: Final = "…"
"""Stands for what is known at deployment only."""
_PARAMETERS: Final = re.compile(r"(the key of )?(run_settings\[.*\]\.)?parameters\b(?!_)")
_ELSEWHERE: Final = "write the value itself, or an {{resolve:ssm:…}} reference"


def problems(path: str, value: Any, file: str) -> Iterator[str]:
    """What is wrong with the texts of a value: of an argument, or what the CDK has resolved one to.

    Args:
        path: of the value, as a person would type it.
        value: text, or what holds texts; anything else is passed by.
        file: what may be given instead of parameters, when they are put into a file on S3.
    """
    remedy = f"put it into a file on S3, and give {file}" if _PARAMETERS.match(path) else _ELSEWHERE
    yield from _problems(path, value, remedy)


def _problems(path: str, value: Any, remedy: str) -> Iterator[str]:
    if isinstance(value, SecretValue):
        yield f"{path} is a SecretValue: {_PUBLIC}; {remedy}"
    elif isinstance(value, str):
        yield from _of_text(path, value, remedy)
    elif isinstance(value, Mapping):
        yield from _of_map(path, value, remedy)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _problems(f"{path}[{index}]", item, remedy)


def _of_map(path: str, value: Mapping[Any, Any], remedy: str) -> Iterator[str]:
    joined = _joined(value)
    if joined is not None:
        yield from _of_text(path, joined, remedy)
        return
    for name, item in value.items():
        if isinstance(name, str):
            yield from _of_text(f"the key of {path}[{name!r}]", name, remedy)
        if isinstance(name, str) and name.startswith("Fn::") and isinstance(item, list):
            for argument in item:
                yield from _problems(path, argument, remedy)
        else:
            yield from _problems(f"{path}[{name!r}]", item, remedy)


def _of_text(path: str, text: str, remedy: str) -> Iterator[str]:
    secret = _SECRET.search(text)
    if secret:
        yield (
            f"{path} holds {secret[0]}: must hold no secretsmanager and no ssm-secure reference, for CloudFormation "
            f"resolves neither for custom resources, and the run would get the reference; {remedy}"
        )
    nameless = _OBJECT.search(text)
    if nameless and "SecretValue" in nameless[0]:
        yield f"{path} holds {nameless[0]}: {_PUBLIC}; {remedy}"
    elif nameless:
        yield (
            f"{path} holds {nameless[0]}, which is no value: must be the object itself, or Token.as_string(…) of it "
            "inside a text"
        )


def _joined(value: Mapping[str, Any]) -> str | None:
    """The text of an Fn::Join, as far as it is known: a reference may be put together of pieces."""
    match value:
        case {"Fn::Join": [str(delimiter), list(parts)]} if len(value) == 1:
            return delimiter.join(part if isinstance(part, str) else _LATER for part in parts)
        case _:
            return None
