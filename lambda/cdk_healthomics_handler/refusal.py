"""What an error of a call means: whether trying again can help, and what a person is told."""

import re
from enum import Enum, auto
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

Error = ClientError | BotoCoreError
"""Everything that a boto3 client raises."""


class Refusal(Enum):
    """How a call failed."""

    NOT_YET = auto()
    """Refused without a trace, but later it may be accepted: a quota, a permission or role that has not arrived."""
    UNCERTAIN = auto()
    """Nobody knows whether the service did its work: the connection was lost, or the service failed."""
    CONFLICT = auto()
    """Something else stands in the way now: on StartRun, perhaps a run that this token started."""
    GONE = auto()
    """What the call names does not exist."""
    FINAL = auto()
    """Trying again cannot help."""


_NOT_YET: Final = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
    | {"LimitExceededException", "ConcurrentModificationException"}  # EventBridge's: so many rules, so many at once
    | {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId"}
)
_UNCERTAIN: Final = frozenset(
    {"InternalServerException", "InternalException", "RequestTimeoutException", "RequestTimeout"}
)
_NO_ROLE_YET: Final = re.compile(r"\bassum", re.IGNORECASE)
"""A role that was made seconds ago cannot be assumed yet; by which code HealthOmics says so is not documented."""
_SERVER_ERROR: Final = 500
_TOO_MANY_REQUESTS: Final = 429


def classify(error: Error) -> Refusal:
    """Tell how a call failed."""
    if isinstance(error, (HTTPClientError, NoConnectionError)):  # refused, lost and timed-out connections
        return Refusal.UNCERTAIN
    if not isinstance(error, ClientError):
        return Refusal.FINAL
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_YET or status == _TOO_MANY_REQUESTS:
        return Refusal.NOT_YET
    if code in _UNCERTAIN or status >= _SERVER_ERROR:
        return Refusal.UNCERTAIN
    if code == "ConflictException":
        return Refusal.CONFLICT
    if code == "ResourceNotFoundException":
        return Refusal.GONE
    if _NO_ROLE_YET.search(error.response.get("Error", {}).get("Message", "")):
        return Refusal.NOT_YET
    return Refusal.FINAL


def words(error: Error) -> str:
    """The service's own words, for the person at ``cdk deploy``."""
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
