"""What can be set of the local HealthOmics service. All durations are seconds of its own clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, Self

QUOTAS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("CancelRun", "DeleteRun", "GetRun", "ListRuns", "GetRunTask", "ListRunTasks"), 10.0),
    **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), 5.0),
    **dict.fromkeys(("StartRunBatch", "CancelRunBatch", "DeleteRunBatch", "DeleteBatch"), 10.0),
    **dict.fromkeys(("GetBatch", "ListBatch", "ListRunsInBatch"), 10.0),
}
"""Calls a second as AWS sets them at first (User Guide, "API quotas"); of batches it tells none: as many as GetRun."""


class Token(StrEnum):
    """What StartRun and StartRunBatch do with a known requestId. AWS documents only that nothing starts twice."""

    REPLAY = "replay"
    """Answers as it did before."""
    CONFLICT = "conflict"
    """ConflictException."""


class CancelOfFinished(StrEnum):
    """What CancelRun says of a finished run, CancelRunBatch of one that it cannot cancel. AWS does not document it."""

    CONFLICT = "conflict"
    VALIDATION = "validation"
    NOT_FOUND = "not-found"


@dataclass
class Settings:
    """The service's behaviour; every field may be changed while it runs."""

    token: Token = Token.REPLAY
    token_remembered: float | None = None
    """For how long a requestId is known; None: for ever, 0: not at all."""
    token_ends_with_run: bool = False
    """Whether a requestId is forgotten when its run, or batch, has ended."""
    cancel_of_finished: CancelOfFinished = CancelOfFinished.CONFLICT
    rerun_has_tags: bool = False
    """Whether a run that is started from another has that one's tags beside its own. AWS does not document it."""
    default_storage: str | None = None
    """What GetRun tells of a run without a storage type; None: nothing. AWS's own pages disagree."""
    group_runs: int | None = None
    """How many runs of a run group are at work at once, the others stay PENDING; None: all."""
    group_high_first: bool = True
    """Whether of those the one with the higher priority starts first. AWS's own pages disagree."""
    event_lacks: frozenset[str] = frozenset()
    """Fields that are not in the detail of events."""
    pending: float = 5.0
    starting: float = 10.0
    running: float = 3600.0
    stopping: float = 2.0
    """How long a run stays in each status; a cancelled one is STOPPING for the last."""
    batch_creating: float = 2.0
    batch_pending: float = 5.0
    """How long a batch stays in each status; the others last as long as quotas and runs make them."""
    cancelled_with_active_runs: bool = True
    """Whether a batch is CANCELLED while a run that it could not cancel goes on; else it is STOPPING until all its runs
    have ended. AWS does not document it."""
    start_rate: float | None = 1.0
    """StartRun's quota in calls a second of real time; None: no quota. Batches share it, as they do CancelRun's and
    DeleteRun's: half is theirs, and what others leave of the rest."""
    quotas: Mapping[str, float] = field(default_factory=dict)
    """Calls a second of real time, by operation; those that are not here have no quota."""
    lag: float = 0.0
    """GetRun, ListRuns, GetBatch, ListBatch may tell what was true so long ago at most; each answer draws how long."""
    missing_is_denied: bool = False
    """Whether GetRun and GetBatch of what does not exist are denied, as policies with conditions on tags make it."""
    cancel_needs_tag: str | None = None
    """A tag without which CancelRun of a run is denied, also where there is none, as a policy's condition makes it."""
    unknown_workflows: frozenset[str] = frozenset()
    """Ids of workflows that do not exist; every other does."""

    @classmethod
    def names(cls) -> list[str]:
        """The names of the settings."""
        return [each.name for each in fields(cls)]

    def change(self, values: Mapping[str, Any]) -> None:
        """Change settings by name.

        Raises:
            ValueError: there is no such setting, or a value is none of those allowed.
        """
        unknown = sorted(values.keys() - set(self.names()))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such setting; there are {', '.join(self.names())}")
        recast: dict[str, Callable[[Any], Any]] = {
            "token": Token,
            "cancel_of_finished": CancelOfFinished,
            "unknown_workflows": frozenset,
            "event_lacks": frozenset,
        }
        for name, value in values.items():
            setattr(self, name, recast[name](value) if name in recast else value)


@dataclass
class Clock:
    """A clock that runs ``speed`` times as fast as the wall's, and can be put forward."""

    speed: float = 1.0
    _ahead: float = 0.0
    _started: float = field(default_factory=time.time)

    def now(self) -> float:
        """Seconds since the epoch, by this clock."""
        return self._started + (time.time() - self._started) * self.speed + self._ahead

    def advance(self, seconds: float) -> Self:
        """Put the clock forward."""
        self._ahead += seconds
        return self
