"""Faults on order: what goes wrong with the next calls."""

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

from .model import OPERATIONS


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLING = "throttling"
    INTERNAL = "internal"
    TIMEOUT = "timeout"
    ACCESS_DENIED = "access-denied"
    FORBIDDEN = "forbidden"
    """Denied by an organisation's policy: for good."""
    ROLE_NOT_ASSUMABLE = "role-not-assumable"
    DROP_BEFORE = "drop-before"
    """The connection is lost before the service did its work."""
    DROP_AFTER = "drop-after"
    """The connection is lost after the service did its work."""
    HANG_BEFORE = "hang-before"
    """No answer for ``hang`` seconds, then the connection is lost; nothing was done."""
    HANG_AFTER = "hang-after"
    """As HANG_BEFORE, but the work was done."""


ANSWERS: dict[Kind, tuple[str, str]] = {
    Kind.THROTTLING: ("ThrottlingException", "Rate exceeded"),
    Kind.INTERNAL: ("InternalServerException", "Internal server error"),
    Kind.TIMEOUT: ("RequestTimeoutException", "The request timed out"),
    Kind.ACCESS_DENIED: (
        "AccessDeniedException",
        (
            "User: arn:aws:sts::123456789012:assumed-role/provider/function is not authorized to perform: "
            "omics:{operation} on resource: arn:aws:omics:us-east-1:123456789012:run/* because no identity-based "
            "policy allows the omics:{operation} action"
        ),
    ),
    Kind.FORBIDDEN: (
        "AccessDeniedException",
        (
            "User: arn:aws:sts::123456789012:assumed-role/provider/function is not authorized to perform: "
            "omics:{operation} on resource: arn:aws:omics:us-east-1:123456789012:run/* with an explicit deny in a "
            "service control policy"
        ),
    ),
    Kind.ROLE_NOT_ASSUMABLE: ("ValidationException", "HealthOmics cannot assume the role that was given"),
}
"""The kinds that the service itself answers; the others are the connection's."""


@dataclass
class Fault:
    """One thing that goes wrong, for a number of calls or a time."""

    operation: str
    kind: Kind
    times: int | None = 1
    """How many calls it meets; None: all of them, for as long as it lasts."""
    seconds: float | None = None
    """How long it lasts, from its first call on; None: until it has met ``times`` calls."""
    hang: float = 5.0
    _first: float | None = field(default=None, repr=False)

    def meets(self) -> bool:
        """Whether it meets a call that comes now; counts that call."""
        now = time.monotonic()
        self._first = now if self._first is None else self._first
        if self.seconds is not None and now - self._first > self.seconds:
            return False
        if self.times is not None:
            if self.times <= 0:
                return False
            self.times -= 1
        return True


class Faults:
    """The faults on order, met in that order."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def order(self, *faults: Fault) -> None:
        """Let things go wrong.

        Raises:
            ValueError: a fault is for an operation that there is not: it would never be met.
        """
        unknown = sorted({fault.operation for fault in faults} - set(OPERATIONS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such operation; there are {', '.join(OPERATIONS)}")
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Let nothing more go wrong."""
        with self._lock:
            self._faults.clear()

    def meeting(self, operation: str) -> Fault | None:
        """The fault that a call of this operation meets now."""
        with self._lock:
            return next((fault for fault in self._faults if fault.operation == operation and fault.meets()), None)
