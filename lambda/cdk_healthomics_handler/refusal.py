"""What an error of a call means: whether trying again can help, and what a person is told."""

import re
from enum import Enum, auto
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

Error = ClientError | BotoCoreError
"""Everything that a boto3 client raises."""


class Refusal(Enum):
    """How a call failed."""

    NOT_YET = auto()
    """Refused without a trace, but later it may be accepted: a permission or role that has not arrived."""
    THROTTLED = auto()
    """Refused without a trace: a quota that others use as well."""
    UNREACHABLE = auto()
    """Nothing was sent: there is no such endpoint, or no way to it."""
    SILENT = auto()
    """It was sent, and no answer came: the service is slow, or something in between lets nothing through."""
    UNCERTAIN = auto()
    """Nobody knows whether the service did its work: the connection was lost, or the service failed."""
    CONFLICT = auto()
    """Something else stands in the way now: on StartRun, perhaps a run that this token started."""
    GONE = auto()
    """What the call names does not exist."""
    DENIED = auto()
    """Somebody forbids it: a service control policy, a boundary, an endpoint's policy."""
    FINAL = auto()
    """Trying again cannot help."""


_THROTTLED: Final = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
    | {"LimitExceededException", "ConcurrentModificationException"}  # EventBridge's: so many rules, so many at once
)
_ACCESS_DENIED: Final = frozenset({"AccessDeniedException", "AccessDenied"})
_UNKNOWN_CALLER: Final = frozenset({"UnrecognizedClientException", "InvalidClientTokenId"})
_FORBIDDEN: Final = re.compile(
    r"with an explicit deny|because no (?!identity-based)[\w ]+ policy allows|because no permissions boundary"
)
"""How IAM says that not a permission of the function's own is missing, which may be on its way (IAM User Guide)."""
_UNCERTAIN: Final = frozenset(
    {"InternalServerException", "InternalException", "RequestTimeoutException", "RequestTimeout"}
)
_NO_ROLE_YET: Final = re.compile(
    r"\bassumed?\b.{0,80}\brole\b|\brole\b.{0,300}\bassumed?\b|\bsts:AssumeRole\b", re.IGNORECASE | re.DOTALL
)
"""A role that was made seconds ago cannot be assumed yet; by which code HealthOmics says so is not documented."""
_PARAMETER: Final = re.compile(
    r'^(?:Invalid \w+ for parameter |\w+ (?:required )?parameter in [\w.]+: ")(\w+)', re.MULTILINE
)
_SERVER_ERROR: Final = 500
_TOO_MANY_REQUESTS: Final = 429


def classify(error: Error) -> Refusal:
    """Tell how a call failed."""
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError, SSLError)):
        return Refusal.UNREACHABLE
    if isinstance(error, ReadTimeoutError):
        return Refusal.SILENT
    if isinstance(error, (HTTPClientError, NoConnectionError)):  # lost connections
        return Refusal.UNCERTAIN
    if not isinstance(error, ClientError):
        return Refusal.FINAL
    told, message = code(error), str(error.response.get("Error", {}).get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if told in _THROTTLED or status == _TOO_MANY_REQUESTS:
        return Refusal.THROTTLED
    if told in _ACCESS_DENIED:
        return Refusal.DENIED if _FORBIDDEN.search(message) else Refusal.NOT_YET
    if told in _UNKNOWN_CALLER or _NO_ROLE_YET.search(message):
        return Refusal.NOT_YET
    if told in _UNCERTAIN or status >= _SERVER_ERROR:
        return Refusal.UNCERTAIN
    return {"ConflictException": Refusal.CONFLICT, "ResourceNotFoundException": Refusal.GONE}.get(told, Refusal.FINAL)


def words(error: Error) -> str:
    """The service's own words, for the person at ``cdk deploy``."""
    if isinstance(error, ParamValidationError):
        # Its own words quote what was given: tag values, session policies.
        named = ", ".join(sorted(set(_PARAMETER.findall(str(error))))) or "a parameter"
        return f"StartRun was not sent: {named}: not as botocore's model of the API allows (ParamValidationError)."
    if not isinstance(error, ClientError):
        return str(error)
    told = error.response.get("Error", {})
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    told_by = f" (AWS request {request_id})" if request_id else ""
    return f"{error.operation_name} was refused: {told.get('Code', '?')}: {told.get('Message', '')}{told_by}"


def code(error: Error) -> str:
    """What a log may hold of an error: its code, never its message, which may quote a parameter."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "?"))
    return type(error).__name__
