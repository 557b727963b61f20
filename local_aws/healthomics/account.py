"""What all resources of the account share: settings, clock, quotas, and who is told of changes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from .settings import Clock, Settings

if TYPE_CHECKING:
    from .resources import Resource


class StoredObject(NamedTuple):
    """An object of S3."""

    etag: str
    body: bytes


@dataclass
class _Bucket:
    """The calls of one operation that may be made now."""

    left: float
    at: float
    credit: float = 0.0
    """What batches may make now."""
    wanted: bool = False
    """Whether batches want more."""

    def fill(self, rate: float, most: float, now: float) -> None:
        """Add what the time since the last look allows; of that, batches get half and what others leave."""
        gained = (now - self.at) * rate
        others = min(most - self.left, gained / 2 if self.wanted else gained)
        self.credit += gained - others if self.wanted else 0.0
        self.left += others
        self.at = now


@dataclass
class Account:
    """The account, in one region."""

    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    region: str = "us-east-1"
    account: str = "123456789012"
    on_status: Callable[["Resource"], None] = lambda _changed: None
    """Told of each change of a status."""
    random: Random = field(default_factory=Random)
    """Draws how late an answer is."""
    read_object: Callable[[str], StoredObject | None] = lambda _uri: None
    """Reads an object of S3 by its URI; None: there is none."""
    monotonic: Callable[[], float] = time.monotonic
    """The time by which quotas are filled again."""
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def told_at(self) -> float:
        """The moment whose truth an answer tells: now, or as long ago as the settings allow."""
        return self.clock.now() - self.random.uniform(0, self.settings.lag)

    def spend(self, operation: str) -> bool:
        """Make a call where the operation's quota allows it; whether it does."""
        rate = self._rate(operation)
        if rate is None:
            return True
        bucket = self._filled(operation, rate)
        allowed = bucket.left >= 1.0
        bucket.left -= 1.0 if allowed else 0.0
        return allowed

    def share(self, operation: str, wanted: int) -> int:
        """How many of the calls that a batch wants to make it may make now; it asks again until it wants no more."""
        rate = self._rate(operation)
        if rate is None:
            return wanted
        bucket = self._filled(operation, rate)
        shared = min(wanted, int(bucket.credit))
        bucket.wanted = shared < wanted
        bucket.credit = bucket.credit - shared if bucket.wanted else 0.0
        return shared

    def limited(self, operation: str) -> bool:
        """Whether an operation has a quota."""
        return self._rate(operation) is not None

    def _rate(self, operation: str) -> float | None:
        return {"StartRun": self.settings.start_rate, **self.settings.quotas}.get(operation)

    def _filled(self, operation: str, rate: float) -> _Bucket:
        most, now = max(1.0, rate), self.monotonic()
        bucket = self._buckets.setdefault(operation, _Bucket(most, now))
        bucket.fill(rate, most, now)
        return bucket
