"""How long to wait, and when to give up. All durations are seconds."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Pace:
    """The handler's sense of time; tests shorten it."""

    grace: float = 10.0
    """A StartRun accepted within this time of its request is found by the sweep of the Delete that follows; one
    accepted later asks CloudFormation whether it is still wanted. Together no run slips through between the two."""
    poll: float = 2.0
    """Between two looks at a run that is stopping."""
    quickest: float = 0.7
    """The mean pause after a first refusal."""
    slowest: float = 5.0
    """The mean pause after many."""
    growth: float = 30.0
    """The mean pause is the time since the first refusal, divided by this: many resources that share a quota of one
    StartRun a second then use nearly all of it, and few calls are wasted."""
    trust: float = 30.0
    """For how long CloudFormation's word that a request is current holds before another StartRun."""
    next_look: float = 120.0
    """So long after one look, the next by EventBridge's rule has come for certain; a request that ends before is waited
    for inside the function."""
    look: float = 45.0
    """How long one look may try; the next comes after a minute."""
    reserve: float = 20.0
    """Kept free at the end of the function's time: one call that hangs, and the answer."""

    def pause(self, trying_for: float) -> float:
        """The pause before the next try, with jitter."""
        mean = min(self.slowest, max(self.quickest, trying_for / self.growth))
        return mean * random.uniform(0.5, 1.5)  # noqa: S311 - jitter is no secret


def age(sent_at: datetime | None, now: datetime) -> float:
    """Seconds since CloudFormation sent a request; 0 where that cannot be told, or the clocks disagree."""
    return max(0.0, (now - sent_at).total_seconds()) if sent_at else 0.0


@dataclass
class Clock:
    """The time of one invocation."""

    pace: Pace
    started: float
    """When the invocation began, by :attr:`monotonic`."""
    ends: float
    """When no new call may begin, by :attr:`monotonic`."""
    sent_at: datetime | None
    """When CloudFormation sent the request; None where it cannot be told."""
    request_ends: float = 0.0
    """When the request must be answered at the latest, by :attr:`monotonic`."""
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(
        cls, pace: Pace, *, remaining: float, service_timeout: float, sent_at: datetime | None, look: bool = False
    ) -> "Clock":
        """Set the clock at the beginning of an invocation.

        Args:
            pace: the handler's sense of time.
            remaining: seconds until Lambda stops the function.
            service_timeout: seconds that CloudFormation waits for an answer.
            sent_at: when CloudFormation sent the request.
            look: whether this is one of many looks at a run.
        """
        started = time.monotonic()
        clock = cls(pace, started, started, sent_at)
        waits = service_timeout - clock.age() - min(pace.reserve, service_timeout / 5)
        clock.request_ends = started + max(0.0, waits)
        clock.ends = min(started + max(0.0, remaining - pace.reserve), clock.request_ends)
        if look and not clock.closing:
            # The next look comes in time, however long this one takes.
            clock.ends, clock.request_ends = min(clock.ends, started + pace.look), math.inf
        return clock

    def age(self) -> float:
        """Seconds since CloudFormation sent the request; 0 where that cannot be told, or the clocks disagree."""
        return age(self.sent_at, self.now())

    @property
    def late(self) -> bool:
        """Whether CloudFormation may have given the request up meanwhile."""
        return self.sent_at is None or self.age() > self.pace.grace

    @property
    def elapsed(self) -> float:
        """Seconds since the invocation began."""
        return self.monotonic() - self.started

    @property
    def closing(self) -> bool:
        """Whether the request must be answered before EventBridge could let the function look again."""
        return self.monotonic() + self.pace.next_look >= self.request_ends

    @property
    def over(self) -> bool:
        """Whether it is too late for another call."""
        return self.monotonic() >= self.ends

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until the end; False where the time is over then."""
        self.sleep(max(0.0, min(seconds, self.ends - self.monotonic())))
        return not self.over
