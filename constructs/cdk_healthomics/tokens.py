"""Whether a value is a CDK token, so that nothing can be told of it before deployment.

Each question to the CDK goes to another process, so only what looks like a token is asked about.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import CfnParameter, Stack, Token

_NUMBER_TOKENS: Final = -1e200
"""The CDK writes a token that stands for a number as a number far below this."""


def is_token(value: Any) -> bool:
    """Whether a value is a token, or text or a number that holds one. Lists are asked as a whole."""
    if isinstance(value, str):
        asked = "${Token[" in value
    elif isinstance(value, float):
        asked = math.isfinite(value) and value < _NUMBER_TOKENS
    elif isinstance(value, list):
        asked = any(isinstance(item, str) and "#{Token[" in item for item in value)
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
