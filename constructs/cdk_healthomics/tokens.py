"""CDK tokens: whether a value is one, so that nothing can be told of it before deployment, and what its form says.

Each question to the CDK goes to another process, so only what looks like a token is asked about.
"""

import math
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from aws_cdk import CfnParameter, ResolutionTypeHint, Stack, Token

_NUMBER_TOKENS: Final = -1e200
"""The CDK writes a token that stands for a number as a number far below this."""
_NUMBER_IN_TEXT: Final = re.compile(r"-1\.\d{10,16}e\+289")
"""Such a number in an f-string; the CDK finds it there by this pattern."""
_WHOLE_TEXT: Final = re.compile(r"\$\{Token\[[^\]]+\]\}")
REFERENCE: Final = re.compile(r"\{\{resolve:[a-z-]+:")
"""The beginning of a dynamic reference: CloudFormation puts in what it names, as with a token."""
LIST_IN_TEXT: Final = "#{Token["
"""The beginning of an item of a list token; in a text the CDK cannot resolve it."""
_PLACEHOLDER: Final = "dummy-value-for-"
"""How the text begins that ``StringParameter.value_from_lookup`` gives until the CLI has looked the parameter up."""


class Form(Enum):
    """What the form of a token says of its value."""

    TEXT = auto()
    """Text by itself, as ``Token.as_string`` and most attributes of constructs."""
    WITHIN_TEXT = auto()
    """A part of a text."""
    NUMBER = auto()
    """A number, as ``Token.as_number`` and ``CfnParameter.value_as_number``."""
    LIST = auto()
    """A list, as ``Token.as_list`` and ``CfnParameter.value_as_list``."""
    ANY = auto()
    """Nothing: an ``IResolvable``, as ``Fn.condition_if``, or a part of one."""


def is_unknown(value: Any) -> bool:
    """Whether a value is a token, or holds a placeholder of a look-up: the CLI synthesizes again when it knows more."""
    return (isinstance(value, str) and _PLACEHOLDER in value) or is_token(value)


def is_token(value: Any) -> bool:
    """Whether a value is a token, or text that holds one or a dynamic reference. Lists are asked as a whole."""
    if isinstance(value, str):
        return _in_text(value)
    if isinstance(value, float):
        asked = math.isfinite(value) and value < _NUMBER_TOKENS
    elif isinstance(value, list):
        asked = any(isinstance(item, str) and LIST_IN_TEXT in item for item in value)
    else:
        asked = hasattr(value, "resolve")
    return asked and bool(Token.is_unresolved(value))


def possible(stack: Stack, value: Any) -> Iterator[Any]:
    """What a token may become, as far as the finished app tells: both branches of an Fn::If, a parameter's values."""
    resolved = stack.resolve(value)
    match resolved:
        case {"Fn::If": [_, *branches]}:
            for branch in branches:
                yield from possible(stack, branch)
        case {"Ref": name}:
            for each in stack.node.find_all():
                if isinstance(each, CfnParameter) and stack.resolve(each.logical_id) == name:
                    default = [] if each.default is None else [each.default]
                    yield from each.allowed_values or default
        case _ if resolved is not None and not isinstance(resolved, Mapping):
            yield resolved


@lru_cache(maxsize=1024)
def _in_text(text: str) -> bool:
    if REFERENCE.search(text) or _NUMBER_IN_TEXT.search(text):
        return True
    return "${Token[" in text and bool(Token.is_unresolved(text))


def form_of(token: Any) -> Form:
    """The form of what :func:`is_token`."""
    if isinstance(token, str):
        return Form.TEXT if _WHOLE_TEXT.fullmatch(token) else Form.WITHIN_TEXT
    if isinstance(token, float):
        return Form.NUMBER
    if isinstance(token, list):
        return Form.LIST
    # Of others it says STRING where nothing is known.
    return Form.NUMBER if getattr(token, "type_hint", None) == ResolutionTypeHint.NUMBER else Form.ANY
