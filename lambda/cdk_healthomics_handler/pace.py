"""How long to wait, and when to give up. All durations are seconds."""

import math
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cdk_healthomics_handler.names import RUNS_VARIABLE, START_RATE_VARIABLE, START_RUN

QUOTAS: Final[Mapping[str, float]] = {START_RUN: 1.0, "TagResource": 5.0}
"""Calls a second that an account has (User Guide, API quotas); of those that are not here it has 10."""
_QUOTA: Final = 10.0


def quota_of(operation: str) -> float:
    """Calls a second that the account has of an operation, as far as is known."""
    told = os.environ.get(START_RATE_VARIABLE, "") if operation == START_RUN else ""
    return float(told) if told else QUOTAS.get(operation, _QUOTA)


def runs_in_stack() -> int:
    """How many runs the stack has: so many may share a quota at this moment."""
    told = os.environ.get(RUNS_VARIABLE, "")
    return int(told) if told.isdecimal() and int(told) else 1


@dataclass(frozen=True)
class Pace:
    """The handler's sense of time; tests shorten it."""

    lag: float = 5.0
    """How old an answer of HealthOmics' or CloudFormation's may be: what one has accepted is visible after that."""
    grace: float = 10.0
    """A StartRun accepted within this time of its request is found by the sweep of the Delete that follows; one
    accepted later asks CloudFormation whether it is still wanted. Longer than :attr:`lag`, so that no run slips through
    between the two."""
    poll: float = 2.0
    """Between the first two looks at a run that is stopping; each time half as much again, so that many runs share
    GetRun's quota."""
    idle: float = 15.0
    """Between two looks inside the function at a run that is waited for, at most; they begin like those at a run that
    is stopping."""
    crowding: float = 55.0
    """EventBridge lets the function look at all runs at the same moment; the looks are spread over so long at most."""
    quickest: float = 0.7
    """The mean pause after a first refusal that no quota was the reason of."""
    slowest: float = 5.0
    """The mean pause after many."""
    crowd: float = 2.0
    """The shortest window for the next try after throttling, in calls of the quota."""
    slot: float = 1.05
    """Tries after throttling begin at multiples of this, in calls of the quota: each meets a fresh allowance."""
    trust: float = 120.0
    """For how long CloudFormation's word that a request is current holds before another StartRun."""
    reachable: float = 35.0
    """For how long an endpoint is tried that cannot be reached, and a denied GetRun before ListRuns is asked. With one
    more pause and try it is less than a minute until what is missing is told."""
    next_look: float = 120.0
    """So long after one look, the next by EventBridge's rule has come for certain; a request that ends before is waited
    for inside the function."""
    hand_over: float = 30.0
    """Kept free at the end of an invocation whose work another will go on with: for two calls to EventBridge."""
    look: float = 55.0
    """How long one look may try; the next comes after a minute."""
    reserve: float = 20.0
    """Kept free at the end of the function's time: one call that hangs, and the answer."""
    last: float = 1.0
    """Before the function's end, when even CancelRun is not tried any more."""

    @property
    def settled(self) -> float:
        """So long after a request began to be worked on, what older ones have started unasked is visible."""
        return self.grace + self.lag

    def poll_pause(self, polls: int, runs: int, *, stopping: bool) -> float:
        """The pause before a further look at a run that is stopping, or else that is waited for."""
        longest = max(self.poll if stopping else self.idle, runs / _QUOTA * 2)
        return float(min(self.poll * 1.5 ** min(polls - 1, 20), longest))

    def spread(self, began: float, runs: int, rate: float) -> float:
        """The pause before each look at a run: the looks at all runs of the stack come evenly, not by chance.

        Quotas have them begin to be waited for one after the other, so that is their order among the looks, too.

        Args:
            began: when the run began to be waited for, in seconds since the epoch.
            runs: of the stack: so many may be looked at at one moment.
            rate: so many a second begin to be waited for.
        """
        window = min(self.crowding, (runs - 1) / _QUOTA * 5.5)
        return began * rate % window if window > 0 else 0.0

    def pause(self, refusals: int) -> float:
        """The pause before the next try after a refusal that no quota was the reason of, with jitter."""
        mean = min(self.slowest, self.quickest * 1.25 ** min(refusals - 1, 20))
        return mean * random.uniform(0.5, 1.5)  # noqa: S311 - jitter is no secret

    def turn(self, refusals: int, operation: str, runs: int, age: float) -> float:
        """The pause before the next try after throttling: a place in a window that grows with each refusal.

        The window is never longer than what the other runs of the stack can still need of the quota, so a run waits no
        longer than it must, and a lone one hardly at all. See docs/performance.md.

        Args:
            refusals: how often this call has been throttled.
            operation: whose quota it is.
            runs: how many runs of the stack may be waiting for it.
            age: seconds since the request was sent: for so long the others have been served.
        """
        quota = quota_of(operation)
        ahead = runs / quota
        ahead_still = max(ahead * 1.1 - age, age / 20)
        window = max(self.crowd / quota, min(ahead * 4.0 ** min(refusals, 5) / 32, ahead_still / 1.3))
        return random.uniform(0, window)  # noqa: S311 - jitter is no secret

    def until_slot(self, operation: str, now: float) -> float:
        """The time until a further try of a throttled call may begin.

        Where all begin at the same moments, each of these meets a fresh allowance.

        Args:
            operation: whose quota it is.
            now: seconds since the epoch.
        """
        slot = self.slot / quota_of(operation)
        return math.ceil(now / slot) * slot - now


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
    function_ends: float = 0.0
    """When the last call may begin that stops a run, by :attr:`monotonic`."""
    runs: int = 1
    """How many runs the stack has."""
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
        clock = cls(pace, 0.0, 0.0, sent_at, runs=runs_in_stack())
        clock.start(remaining=remaining, service_timeout=service_timeout, look=look)
        return clock

    def start(self, *, remaining: float, service_timeout: float, look: bool = False) -> None:
        """Begin: see :meth:`of`."""
        self.started = self.monotonic()
        # A short timeout leaves the time of one StartRun before the answer must be on its way.
        waits = service_timeout - self.age() - min(self.pace.reserve, service_timeout / 5)
        self.request_ends = self.started + max(0.0, waits)
        self.ends = min(self.started + max(0.0, remaining - self.pace.reserve), self.request_ends)
        self.function_ends = self.started + max(0.0, remaining - self.pace.last)
        if look and not self.closing:
            # The next look comes in time, however long this one takes.
            self.ends, self.request_ends = min(self.ends, self.started + self.pace.look), math.inf

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
    def leaving(self) -> bool:
        """Whether the invocation ends soon, and EventBridge could let the function go on before the request must."""
        return self.monotonic() + self.pace.hand_over >= self.ends and not self.closing

    @property
    def over(self) -> bool:
        """Whether it is too late for another call."""
        return self.monotonic() >= self.ends

    @property
    def dead(self) -> bool:
        """Whether it is too late even for a call that stops a run: the function ends."""
        return self.monotonic() >= self.function_ends

    def pause(self, refusals: int, throttled: str | None) -> None:
        """Wait before the next try.

        Args:
            refusals: how often the call has been refused.
            throttled: the operation whose quota was the reason; None: there was another.
        """
        if throttled is None:
            self.wait(self.pace.pause(refusals))
        else:
            self.wait(self.pace.turn(refusals, throttled, self.runs, self.age()))

    def await_slot(self, operation: str) -> None:
        """Wait until a further try of a throttled call may begin."""
        self.wait(self.pace.until_slot(operation, self.now().timestamp()))

    def poll(self, polls: int, *, stopping: bool) -> None:
        """Wait before a further look at a run that is stopping, or else that is waited for."""
        self.wait(self.pace.poll_pause(polls, self.runs, stopping=stopping))

    def spread(self, *, after_start: bool) -> float:
        """Seconds from EventBridge's minute to each look at a run that is waited for from now on.

        Args:
            after_start: whether StartRun's quota has spread these moments; else earlier looks have.
        """
        return self.pace.spread(self.now().timestamp(), self.runs, quota_of(START_RUN) if after_start else 1.0)

    def wait(self, seconds: float) -> None:
        """Sleep, at most until the end; after it, at most until the function's."""
        ends = self.function_ends if self.over else self.ends
        self.sleep(max(0.0, min(seconds, ends - self.monotonic())))
