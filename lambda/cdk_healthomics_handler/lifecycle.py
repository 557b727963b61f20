"""From a request to its answer: ask the decision, carry out what it says, add what was seen, until it is the answer."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cdk_healthomics_handler import cloudformation, journal, reason, start_run
from cdk_healthomics_handler.actions import (
    Action,
    Answer,
    AskCloudFormation,
    Cancel,
    CancelRuns,
    GiveBack,
    Outcome,
    Read,
    ReadAdopted,
    ReadAgain,
    ReadOriginal,
    ReadTasks,
    Reclaim,
    Release,
    Schedule,
    Search,
    Silence,
    Start,
    Tag,
    Unschedule,
    Wait,
)
from cdk_healthomics_handler.decision import decide
from cdk_healthomics_handler.event import PhysicalId, Request, RequestType
from cdk_healthomics_handler.healthomics import FailedTasks, HealthOmics, Hunt
from cdk_healthomics_handler.kind import DELETED
from cdk_healthomics_handler.names import RELEASED, OwnershipTag
from cdk_healthomics_handler.pace import Clock
from cdk_healthomics_handler.reach import Reach
from cdk_healthomics_handler.refusal import Error, Refusal, classify, words
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.runs_of_batch import FailedRuns, RunsLeft
from cdk_healthomics_handler.seen import Gone, Seen
from cdk_healthomics_handler.standing import UNTOLD, Observed
from cdk_healthomics_handler.start_run import Wanted

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

    from cdk_healthomics_handler.schedule import Schedule as EventBridge

_ENDURED: Final = 3
"""The refusals of a step that the answer can do without; after one more it is left out."""
_PASSING: Final = frozenset(
    {Refusal.NOT_YET, Refusal.THROTTLED, Refusal.UNCERTAIN, Refusal.SILENT, Refusal.UNREACHABLE}
)
_LASTING: Final = frozenset({Refusal.FINAL, Refusal.DENIED, Refusal.GONE})


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
    remember: Callable[[Run], bool]
    """Told of a run at once when it is started, and tells whether the request is answered already; must not raise."""
    seen: Seen = field(default_factory=Seen)
    _wanted: Wanted | None = None
    _names: tuple[str, ...] = ()
    _hunt: Hunt | None = None
    """A search that a refused call has interrupted."""
    _left: RunsLeft | None = None
    """What CancelRunBatch has left, as far as it is cancelled."""
    _tasks: FailedTasks | FailedRuns | None = None
    """Those of the run that has failed, or a batch's failed runs, as far as they are read."""
    _strangers: set[str] = field(default_factory=set)
    """The ids of runs that were read and are not the resource's."""
    _looked: tuple[float, Observed] | None = None
    """When CloudFormation was asked last, and what it said."""
    _read_at: float = 0.0
    """When the run that may be marked was read."""
    _marked_at: float = 0.0
    """When this request's mark was written on a run."""
    _reach: Reach = field(init=False)
    _polls: int = 0
    _refused: Counter[type[Action]] = field(default_factory=Counter)
    """How many times each kind of action was refused since it last succeeded."""
    _tried_at: float = 0.0
    """When the last try of an action began."""
    _refused_since: float = 0.0
    """When the first of the tries began that were refused one after the other."""
    _last_words: str = ""

    def __post_init__(self) -> None:
        self._reach = Reach(self.clock.pace.reachable)

    def outcome(self) -> Outcome:
        """Work on the request until its end. What a call raises is part of the answer, never raised."""
        self._read_properties()
        self.seen = replace(self.seen, uncertain=self.clock.late)
        self.clock.wait(self.request.turn)
        while True:
            self._look_at_clock()
            action = decide(self.request, self._wanted, self.seen)
            journal.decided(action, self.seen)
            if isinstance(action, (Answer, Silence)):
                return action
            if self._out_of_time(action):
                if isinstance(action, ReadTasks):
                    self._leave_tasks()
                    continue
                if self.seen.failure:
                    return self._cut_short()
                self.seen = replace(self.seen, failure=self._why_given_up(action))
                continue
            self._tried_at = self.clock.elapsed
            try:
                self._carry_out(action)
            except (ClientError, BotoCoreError) as error:
                self._was_refused(action, error)

    def _read_properties(self) -> None:
        if self.request.polls or self.request.link_id:
            return
        members = self.healthomics.members(self.request.kind)
        self._names = start_run.names(self.request, members)
        if self.request.type is RequestType.DELETE:
            return
        try:
            self._wanted = start_run.wanted(self.request, members)
        except ValueError as error:
            self.seen = replace(self.seen, failure=str(error))

    def _look_at_clock(self) -> None:
        clock = self.clock
        self.seen = replace(self.seen, late=clock.late, closing=clock.closing, leaving=clock.leaving)
        asked_at, _ = self._looked or (0.0, None)
        if self.seen.observed and not self.seen.started and self.clock.elapsed - asked_at > self.clock.pace.trust:
            self.seen = replace(self.seen, observed=None)

    def _out_of_time(self, action: Action) -> bool:
        """Whether it is too late for an action. To stop a run is never too late as long as the function lives.

        What is left of a batch may be too much for that: the answer tells of it in time, and the next Delete goes on.
        """
        stops = isinstance(action, Cancel) or (self.request.type is RequestType.DELETE and type(action) is Read)
        return self.clock.dead if stops else self.clock.over

    def _cut_short(self) -> Answer:
        run = self.seen.started
        physical_id = str(run.physical_id) if run else self.request.link_id or self.request.physical_id or ""
        return Answer(self.seen.failure or "", succeeded=False, physical_id=physical_id)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Read():
                self._read(action)
            case Search():
                self._search(action)
            case ReadTasks(run=run):
                self._tasks = self._tasks or self.healthomics.failures(run)
                if self._tasks.go_on():
                    self._leave_tasks()
            case AskCloudFormation():
                self._ask(action)
            case Wait(run=run):
                self._poll(stopping=self.request.type is RequestType.DELETE)
                self._saw(self._now(run))
                self.seen = replace(self.seen, waited=True)
            case Tag() if self.clock.elapsed - self._read_at > self.clock.pace.lag:
                # Somebody may have marked the run since: a mark is written on what was read a moment ago.
                self._look_anew()
                return
            case _:
                self._change(action)
        self._reach.did(action)
        del self._refused[type(action)]

    def _change(self, action: Action) -> None:
        match action:
            case Start(request=request):
                if self._refused[Start]:
                    self.clock.await_slot(self.request.kind.start)
                self._started(self.healthomics.start(self.request.kind, request))
            case Cancel(run=run):
                self._cancel(run)
            case CancelRuns(run=run):
                self._cancel_left(run)
            case Reclaim(run=run):
                self._reclaim(run)
            case Schedule(run=run):
                self.schedule().put(self.request, run, self.clock.spread(after_start=not self.request.link_id))
                self.seen = replace(self.seen, scheduled=True)
            case Unschedule():
                self.schedule().remove_until(self.request)
                self.seen = replace(self.seen, unscheduled=True)
            case Tag():
                self._tag(action)
            case Release(run=run):
                self._release(run, gives_back=isinstance(action, GiveBack))
            case _:
                raise NotImplementedError(type(action).__name__)

    def _release(self, run: Run, *, gives_back: bool) -> None:
        released: dict[str, str] = {OwnershipTag.DEFINITION: RELEASED}
        self.healthomics.tag(run, released)
        if gives_back:
            ours = tuple(sorted(run.tags.keys() & set(OwnershipTag) - released.keys()))
            self.healthomics.tag(run, {}, ours)
            self._saw(run.tagged(released, ours))
            others = self.seen.found and tuple(each for each in self.seen.found if each.id != run.id)
            self.seen = replace(self.seen, found=others)  # it is none of the resource's any more
        self._left_behind(run)

    def _left_behind(self, run: Run) -> None:
        self.seen = replace(self.seen, released=self.seen.released | {run.id})

    def _tag(self, action: Tag) -> None:
        self.healthomics.tag(action.run, action.add, action.remove)
        self._marked_at = self.clock.elapsed
        self._saw(action.run.tagged(action.add, action.remove))
        if self.seen.adopted:
            self.seen = replace(self.seen, adopted=None)  # another resource may have adopted it at the same moment
        if self.seen.started:
            self.seen = replace(self.seen, current=None, found=None)

    def _started(self, run: Run) -> None:
        answered = self.remember(run)
        self._looked = self._hunt = None
        self.seen = replace(self.seen, started=run, observed=None, current=None, found=None, answered=answered)

    def _read(self, action: Read) -> None:
        if isinstance(action, ReadAgain) or (isinstance(action, ReadAdopted) and self._marked_at):
            # What a newer request wrote beside our mark is visible by then (docs/adr/0011-who-is-right.md).
            self.clock.wait(self._marked_at + 3 * self.clock.pace.lag - self.clock.elapsed)
        if isinstance(action, ReadAdopted) and action.pause:
            self.clock.wait(self._settled_at - self.clock.elapsed)
        now = self._find(action.physical_id)
        self._read_at = self.clock.elapsed
        if isinstance(action, ReadOriginal):
            self.seen = replace(self.seen, original=now)
            return
        if isinstance(action, ReadAdopted):
            self.seen = replace(self.seen, adopted=now)
            return
        mark = now.replaced_by if isinstance(now, Run) else None
        own = mark is not None and mark.request_id == self.request.request_id
        again = own and not self._marked_at  # an earlier delivery's mark: it may have started a run
        rival = self.seen.rival if own else mark or self.seen.rival
        self.seen = replace(self.seen, current=now, rival=rival, uncertain=self.seen.uncertain or again)

    def _find(self, physical_id: PhysicalId) -> Run | Gone:
        """GetRun; a run that was started a moment ago may not be visible yet."""
        for _ in range(2):
            found = self.healthomics.read(self.request.kind, physical_id)
            if found is not None:
                return found
            self.clock.wait(self.clock.pace.lag)
        return self.healthomics.read(self.request.kind, physical_id) or Gone.GONE

    def _leave_tasks(self) -> None:
        """Read no more failed tasks: what is read by now is told."""
        self.seen = replace(self.seen, tasks=self._tasks.read if self._tasks else ())

    def _search(self, action: Search) -> None:
        settled_at = self._settled_at
        if self._hunt is None:
            if action.pause:
                runs = [run for run in (self.seen.current, *(self.seen.found or ())) if isinstance(run, Run)]
                if any(run.active and run.id in self.seen.cancelled for run in runs):
                    self._poll(stopping=True)
                else:
                    self.clock.wait(settled_at - self.clock.elapsed)
            known = [run for run in (self.seen.current, self.seen.original) if isinstance(run, Run)]
            marks = [self.seen.rival, *(run.replaced_by for run in known)]
            names = dict.fromkeys([*self._names, *(mark.name for mark in marks if mark and mark.name)])
            self._hunt = self.healthomics.hunt(self.request, names, self._strangers, action)
            self.seen = replace(self.seen, thorough=self.clock.elapsed >= settled_at)
        self.seen = replace(self.seen, found=self._hunt.go_on())
        current = self.seen.current
        if isinstance(current, Run) and (listed := self._hunt.ended.get(current.id)):
            self._saw(replace(current, status=listed))  # what GetRun would tell as well
        self._hunt = None

    @property
    def _settled_at(self) -> float:
        """From when on a look shows whatever an older request may have done unasked, and this one."""
        return max(self.clock.pace.settled, self._marked_at + 2 * self.clock.pace.lag)

    def _ask(self, action: AskCloudFormation) -> None:
        """Ask CloudFormation; what would take a run away from somebody is believed when it was told twice."""
        observed = cloudformation.observe(self.cloudformation(), self.request)
        earlier = self._looked[1] if self._looked else None
        self._looked = (self.clock.elapsed, observed)
        if not observed.believed(self.request, action.run, earlier):
            self.clock.wait(self.clock.pace.lag)
            return
        self.seen = replace(self.seen, observed=observed)

    def _cancel(self, run: Run) -> None:
        try:
            self.healthomics.cancel(run)
        except ClientError as error:
            refusal = classify(error)
            if refusal in _PASSING and refusal is not Refusal.NOT_YET:
                raise
            # How a finished run is refused is not documented: its status tells, not the error's code. What is denied
            # may lack our tag: its tags tell, too.
            now = self._now(run)
            self._saw(now)
            if now.active and not now.stopped:
                raise
        else:
            self.seen = replace(self.seen, cancelled=self.seen.cancelled | {run.id})

    def _cancel_left(self, batch: Run) -> None:
        self._left = self._left or self.healthomics.runs_left(batch)
        if self._left.go_on():
            self._left = None
            self._poll(stopping=True)
            self._saw(self._now(batch))

    def _reclaim(self, run: Run) -> None:
        tags: dict[str, str] = {
            OwnershipTag.STACK_ID: self.request.stack_id,
            OwnershipTag.LOGICAL_ID: self.request.logical_id,
        }
        try:
            self.healthomics.tag(run, tags)
        except ClientError as error:
            if classify(error) is not Refusal.GONE:
                raise
            self._saw(self._now(run))
        else:
            self._saw(run.tagged(tags, ()))

    def _look_anew(self) -> None:
        self.seen = replace(self.seen, current=None, original=None, adopted=None)

    def _now(self, run: Run) -> Run:
        now = self._find(run.physical_id)
        return replace(run, status=DELETED) if isinstance(now, Gone) else now

    def _poll(self, *, stopping: bool) -> None:
        self._polls += 1
        self.clock.poll(self._polls, stopping=stopping)

    def _saw(self, run: Run) -> None:
        """A run has changed: put it where the old one was."""
        seen = self.seen
        self.seen = replace(
            seen,
            current=run if isinstance(seen.current, Run) and seen.current.id == run.id else seen.current,
            original=run if isinstance(seen.original, Run) and seen.original.id == run.id else seen.original,
            adopted=run if isinstance(seen.adopted, Run) and seen.adopted.id == run.id else seen.adopted,
            started=run if seen.started and seen.started.id == run.id else seen.started,
            found=seen.found and tuple(run if each.id == run.id else each for each in seen.found),
        )

    def _was_refused(self, action: Action, error: Error) -> None:
        refusal = classify(error)
        journal.refused(action, error, refusal)
        self._last_words = words(error)
        kind = type(action)
        if isinstance(error, ClientError):
            self._reach.heard(action)
        if not self._refused[kind]:
            self._refused_since = self._tried_at
        missing = self._reach.is_missing(action, refusal, began=self._tried_at, now=self.clock.elapsed)
        if self._passes_over(action, refusal, missing=missing) or self._looks_elsewhere(action, refusal):
            return
        if isinstance(action, Start) and refusal in {Refusal.UNCERTAIN, Refusal.SILENT, Refusal.CONFLICT}:
            self.seen = replace(self.seen, uncertain=True, found=None)
        self._refused[kind] += 1
        lasting = refusal in _LASTING and not (isinstance(action, Cancel) and refusal is not Refusal.DENIED)
        if lasting or missing:
            untold = isinstance(action, AskCloudFormation) and action.optional
            self.seen = replace(self.seen, **({"observed": UNTOLD} if untold else {"failure": self._last_words}))
            return
        quota_of = error.operation_name if isinstance(error, ClientError) and refusal is Refusal.THROTTLED else None
        self.clock.pause(self._refused[kind], quota_of)

    def _passes_over(self, action: Action, refusal: Refusal, *, missing: bool) -> bool:
        """Whether a refused step is left out: better an unmarked run than a stack stuck in DELETE_FAILED."""
        if isinstance(action, Release) and (missing or refusal not in _PASSING):
            self._left_behind(action.run)
            return True
        if refusal not in _LASTING and not missing and self._refused[type(action)] < _ENDURED:
            return False
        if isinstance(action, Unschedule):
            self.seen = replace(self.seen, unscheduled=True)
            return True
        if isinstance(action, ReadTasks):
            self._leave_tasks()
            return True
        return False

    def _looks_elsewhere(self, action: Action, refusal: Refusal) -> bool:
        """Whether something else is to be looked at before the step is tried again."""
        if isinstance(action, Tag) and refusal is Refusal.GONE:
            self._look_anew()  # somebody deleted the run
            self.seen = replace(self.seen, found=None)
            self.clock.pause(1, None)
            return True
        if isinstance(action, Schedule) and refusal is Refusal.GONE:
            self.clock.pause(1, None)  # an older request's end took the rule away: put it anew
            return True
        denied = refusal in {Refusal.NOT_YET, Refusal.DENIED} and self.request.type is RequestType.DELETE
        if type(action) is Read and denied and self._denied_for_long(refusal):
            # With conditions on tags, a run that does not exist is denied, not missing; ListRuns knows.
            try:
                if not self.healthomics.lists_active(self.request.kind, self._names, action.physical_id.run_id):
                    self.seen = replace(self.seen, current=Gone.GONE)
                    return True
            except (ClientError, BotoCoreError) as listing:
                journal.refused(action, listing, classify(listing))
        return False

    def _denied_for_long(self, refusal: Refusal) -> bool:
        trying_for = self.clock.elapsed - self._refused_since
        return refusal is Refusal.DENIED or trying_for > self.clock.pace.reachable

    def _why_given_up(self, action: Action) -> str:
        spent = self.clock.age() if self.request.polls else self.clock.elapsed
        return reason.of_giving_up(
            action, self.request, self.seen, spent=spent, refused=self._refused.total(), last_words=self._last_words
        )
