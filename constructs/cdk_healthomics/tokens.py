"""Whether a value is a CDK token, or another that nothing can be told of yet.

Each question to the CDK goes to another process, so only what looks like a token is asked about.
"""

import math
from typing import Any, Final

from aws_cdk import Token

_NUMBER_TOKENS: Final = -1e200
"""The CDK writes a token that stands for a number as a number far below this."""
_PLACEHOLDER: Final = "dummy-value-for-"
"""How the text begins that ``StringParameter.value_from_lookup`` gives until the CLI has looked the parameter up."""


def is_unknown(value: Any) -> bool:
    """Whether a value is a token, or holds a placeholder of a look-up: the CLI synthesizes again when it knows more."""
    return (isinstance(value, str) and _PLACEHOLDER in value) or is_token(value)


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
