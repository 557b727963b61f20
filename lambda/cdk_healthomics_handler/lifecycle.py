"""From a request to its answer: ask the decision, carry out what it says, add what was seen, until it is the answer."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cdk_healthomics_handler import cloudformation, journal, start_run
from cdk_healthomics_handler.decision import (
    Action,
    Answer,
    AskCloudFormation,
    Cancel,
    Gone,
    Outcome,
    Read,
    Release,
    Schedule,
    Search,
    Seen,
    Silence,
    Standing,
    Start,
    Tag,
    Unschedule,
    Wait,
    decide,
)
from cdk_healthomics_handler.event import Request, RequestType
from cdk_healthomics_handler.healthomics import LONG_AGO, HealthOmics
from cdk_healthomics_handler.names import RELEASED, OwnershipTag
from cdk_healthomics_handler.pace import Clock
from cdk_healthomics_handler.refusal import Error, Refusal, classify, words
from cdk_healthomics_handler.run import DELETED, Run
from cdk_healthomics_handler.start_run import Wanted

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from cdk_healthomics_handler.schedule import Schedule as EventBridge

_UNSCHEDULES: Final = 3
_ASKS_AFTER_START: Final = 3
_BEFORE: Final = timedelta(seconds=60)
"""By how much a run may seem older than the request that it was started for."""
_LASTING: Final = frozenset({Refusal.FINAL, Refusal.GONE})


@dataclass
class Lifecycle:
    """One request on its way to its answer."""

    request: Request
    healthomics: HealthOmics
    cloudformation: Callable[[], "CloudFormationClient"]
    """Called only where CloudFormation must be asked: most requests need no client of it."""
    schedule: Callable[[], "EventBridge"]
    """Called only where a run is waited for."""
    clock: Clock
    remember: Callable[[Run], None]
    """Told of a run at once when it is started; must not raise."""
    seen: Seen = field(default_factory=Seen)
    _wanted: Wanted | None = None
    _names: tuple[str, ...] = ()
    _phase: str | None = None
    _asked_at: float = 0.0
    _asks_failed: int = 0
    _refusals: int = 0
    _first_refusal: float = 0.0
    _last_words: str = ""

    def outcome(self) -> Outcome:
        """Work on the request until its end. What a call raises is part of the answer, never raised."""
        self._read_properties()
        self.seen = replace(self.seen, uncertain=self.clock.late)
        while True:
            self._look_at_clock()
            action = decide(self.request, self._wanted, self.seen)
            journal.decided(action, self.seen)
            if isinstance(action, (Answer, Silence)):
                return action
            if self.clock.over:
                self.seen = replace(self.seen, failure=self._why_given_up(action))
                continue
            try:
                self._carry_out(action)
            except (ClientError, BotoCoreError) as error:
                self._refused(action, error)

    def _read_properties(self) -> None:
        if self.request.polls:
            return
        members = self.healthomics.members
        self._names = start_run.names(self.request, members)
        if self.request.type is RequestType.DELETE:
            return
        try:
            self._wanted = start_run.wanted(self.request, members)
        except ValueError as error:
            self.seen = replace(self.seen, failure=str(error))

    def _look_at_clock(self) -> None:
        self.seen = replace(self.seen, late=self.clock.late, closing=self.clock.closing)
        stale = self.clock.elapsed - self._asked_at > self.clock.pace.trust
        if stale and self.seen.standing is Standing.CURRENT and self.seen.started is None:
            self.seen = replace(self.seen, standing=None)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Read(physical_id=physical_id):
                self.seen = replace(self.seen, current=self.healthomics.read(physical_id))
            case Search():
                self._search(action)
            case AskCloudFormation():
                self._ask()
            case Wait(run=run):
                self.clock.wait(self.clock.pace.poll)
                self._saw(self._now(run))
                self.seen = replace(self.seen, waited=True)
            case _:
                self._change(action)

    def _change(self, action: Action) -> None:
        match action:
            case Start(request=request):
                self._started(self.healthomics.start(request))
            case Cancel(run=run):
                self._cancel(run)
            case Schedule(run=run):
                self.schedule().put(self.request, run, self.clock.now())
                self.seen = replace(self.seen, scheduled=True)
            case Unschedule():
                self.schedule().remove_all(self.request)
                self.seen = replace(self.seen, unscheduled=True)
            case Tag(run=run, add=add, remove=remove):
                self.healthomics.tag(run, add, remove)
                self.seen = replace(self.seen, tagged=True)
            case Release(run=run):
                self.healthomics.tag(run, {OwnershipTag.DEFINITION: RELEASED})
                self.seen = replace(self.seen, tagged=True)
            case _:
                raise NotImplementedError(type(action).__name__)

    def _started(self, run: Run) -> None:
        self.remember(run)
        self.seen = replace(self.seen, started=run, standing=None)

    def _search(self, action: Search) -> None:
        if action.pause:
            stopping = any(run.active for run in self.seen.found or ())
            rest_of_grace = self.clock.pace.grace - self.clock.elapsed
            self.clock.wait(self.clock.pace.poll if stopping else rest_of_grace)
        thorough = self.clock.elapsed >= self.clock.pace.grace
        since = None
        if action.started_since_request:
            since = self.request.sent_at - _BEFORE if self.request.sent_at else LONG_AGO
        found = self.healthomics.search(self.request, self._names, action.statuses, since, action.until)
        self.seen = replace(self.seen, found=found, thorough=thorough)

    def _ask(self) -> None:
        observed = cloudformation.observe(self.cloudformation(), self.request)
        standing = cloudformation.judge(self.request, observed, self._phase, late=self.seen.late)
        self._phase = self._phase or observed.stack_status
        self._asked_at = self.clock.elapsed
        rolling_back = observed.stack_status == cloudformation.ROLLING_BACK
        self.seen = replace(self.seen, standing=standing, rolling_back=rolling_back)

    def _cancel(self, run: Run) -> None:
        try:
            self.healthomics.cancel(run)
        except ClientError as error:
            if classify(error) in {Refusal.NOT_YET, Refusal.UNCERTAIN}:
                raise
            # How a finished run is refused is not documented: its status tells, not the error's code.
            now = self._now(run)
            if now.active:
                raise
            self._saw(now)
        else:
            self.seen = replace(self.seen, cancelled=self.seen.cancelled | {run.id})

    def _now(self, run: Run) -> Run:
        now = self.healthomics.read(run.physical_id)
        return replace(run, status=DELETED) if isinstance(now, Gone) else now

    def _saw(self, run: Run) -> None:
        """A run's status has changed: put it where the old one was."""
        current, started, found = self.seen.current, self.seen.started, self.seen.found
        self.seen = replace(
            self.seen,
            current=run if isinstance(current, Run) and current.id == run.id else current,
            started=run if started and started.id == run.id else started,
            found=found and tuple(run if each.id == run.id else each for each in found),
        )

    def _refused(self, action: Action, error: Error) -> None:
        refusal = classify(error)
        journal.refused(action, error, refusal)
        self._last_words = words(error)
        if isinstance(action, Release) and refusal not in {Refusal.NOT_YET, Refusal.UNCERTAIN}:
            # A finished run costs nothing: better an unmarked run than a stack stuck in DELETE_FAILED.
            self.seen = replace(self.seen, tagged=True)
            return
        if isinstance(action, Unschedule) and (refusal is Refusal.FINAL or self._refusals >= _UNSCHEDULES):
            # Nobody waits in all likelihood, and where no run of the stack waits any more, it is not allowed.
            self.seen = replace(self.seen, unscheduled=True)
            return
        if isinstance(action, Tag) and refusal is Refusal.GONE:
            self.seen = replace(self.seen, current=None, found=None)  # somebody deleted the run meanwhile: look again
        elif isinstance(action, Schedule) and refusal is Refusal.GONE:
            pass  # an older request's end took the rule away in between: put it anew
        elif refusal in _LASTING and not isinstance(action, Cancel):
            self.seen = replace(self.seen, failure=self._last_words)
            return
        if isinstance(action, Start) and refusal is not Refusal.NOT_YET:
            self.seen = replace(self.seen, uncertain=True, found=None)
        if isinstance(action, AskCloudFormation) and self.seen.started:
            self._asks_failed += 1
            if self._asks_failed >= _ASKS_AFTER_START:
                self.seen = replace(self.seen, standing=Standing.CURRENT)
                return
        if not self._refusals:
            self._first_refusal = self.clock.elapsed
        self._refusals += 1
        self.clock.wait(self.clock.pace.pause(self.clock.elapsed - self._first_refusal))

    def _why_given_up(self, action: Action) -> str:
        """What a person is told when the time of the request is over."""
        spent = f"{self.clock.elapsed:.0f} s"
        if isinstance(action, (Wait, Search)) and self.seen.cancelled:
            runs = ", ".join(sorted(self.seen.cancelled))
            return f"CancelRun was accepted, but run {runs} was still stopping after {spent}. Delete the stack again."
        run = self.seen.started or self.seen.current
        if self.seen.waited and isinstance(run, Run) and self.request.type is not RequestType.DELETE:
            return (
                f"Run {run.id} is still {run.status}, not {self.request.wait_for}, at the end of the "
                f"{self.request.service_timeout} s that CloudFormation waits."
            )
        if self._refusals:
            return f"{self._last_words} (tried for {spent}, {self._refusals} times refused)"
        return f"The time for this request was over after {spent}, before {type(action).__name__} could be carried out."
