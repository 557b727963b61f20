"""What can be set of the local HealthOmics service. All durations are seconds of its own clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self


class Token(StrEnum):
    """What StartRun does with a requestId that it knows. AWS documents only that no second run starts."""

    REPLAY = "replay"
    """Answers as it did before."""
    CONFLICT = "conflict"
    """ConflictException."""


class CancelOfFinished(StrEnum):
    """What CancelRun says of a finished run. AWS does not document it."""

    CONFLICT = "conflict"
    VALIDATION = "validation"
    NOT_FOUND = "not-found"


@dataclass
class Settings:
    """The service's behaviour; every field may be changed while it runs."""

    token: Token = Token.REPLAY
    token_remembered: float | None = None
    """For how long a requestId is known; None: for ever, 0: not at all."""
    cancel_of_finished: CancelOfFinished = CancelOfFinished.CONFLICT
    pending: float = 5.0
    starting: float = 10.0
    running: float = 3600.0
    stopping: float = 2.0
    """How long a run stays in each status; a cancelled one is STOPPING for the last."""
    start_rate: float | None = 1.0
    """StartRun's quota in calls a second of real time; None: no quota."""
    quotas: Mapping[str, float] = field(default_factory=dict)
    """Calls a second of real time, by operation; those that are not here have no quota."""
    lag: float = 0.0
    """GetRun and ListRuns may tell what was true so long ago at most; each answer draws how long."""
    missing_is_denied: bool = False
    """Whether GetRun of a run that does not exist is denied, as policies with conditions on tags make it."""
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
