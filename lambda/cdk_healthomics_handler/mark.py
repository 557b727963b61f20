"""The marks that requests leave on a run: who started or kept it, who set out to replace it. Standard library only.

CloudFormation sends a new request while an older one is still being worked on. What orders them is when they were
sent, and where both can see one run, its mark tells the older that there is a newer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Self

from cdk_healthomics_handler.names import WaitFor

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Did(StrEnum):
    """What the request does with the run."""

    STARTED = "started"
    ADOPTED = "adopted"
    """It was started elsewhere. Until a later request keeps it, it is given back and never cancelled."""
    KEPT = "kept"
    """It stays, or is again, the resource's run."""
    REPLACES = "replaces"
    """It sets out to start another run in its place."""


class Goal(NamedTuple):
    """How far a run must come: a :class:`WaitFor`, and of a batch how many of its runs may fail: ``COMPLETED:3``."""

    wait_for: str
    may_fail: int = 0

    def __str__(self) -> str:
        return f"{self.wait_for}:{self.may_fail}" if self.may_fail else self.wait_for

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what :meth:`__str__` wrote."""
        wait_for, _, may_fail = text.partition(":")
        return cls(wait_for, int(may_fail) if may_fail.isdecimal() else 0)


@dataclass(frozen=True)
class Mark:
    """One request's mark: ``<when sent> <what it does> <how far it waits> <its RequestId> [<its run's name>]``."""

    sent_at: datetime
    did: Did
    wait_for: str
    request_id: str
    name: str = ""
    """Of the run that is to replace this one: it may be another than the events to come tell."""

    def __str__(self) -> str:
        sent_at = f"{self.sent_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return " ".join([sent_at, self.did, self.wait_for, self.request_id, *([self.name] if self.name else [])])

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a mark; None where there is none, or somebody else wrote it."""
        try:
            sent_at, did, wait_for, request_id, *name = text.split(" ", 4)
            return cls(datetime.fromisoformat(sent_at).astimezone(UTC), Did(did), wait_for, request_id, *name)
        except ValueError:
            return None

    @property
    def waits(self) -> bool:
        """Whether the request waits until the run has come further than StartRun."""
        return self.wait_for != WaitFor.SUBMITTED
