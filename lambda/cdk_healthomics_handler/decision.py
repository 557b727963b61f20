"""What to do next with an event: a pure function of the request and of what has been seen so far.

No AWS and no clock: :func:`decide` returns one frozen action, ``lifecycle`` carries it out, adds what it saw and asks
again, until the action is an :class:`Outcome`. The table that this implements is docs/lifecycle.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from cdk_healthomics_handler.event import PhysicalId, Request, RequestType
from cdk_healthomics_handler.names import RELEASED, OwnershipTag, RemovalPolicy
from cdk_healthomics_handler.run import ACTIVE, ADOPTABLE, CANCELLED, DELETED, REACHED, Run
from cdk_healthomics_handler.start_run import Wanted


class Gone(Enum):
    """The run of the physical id no longer exists, or its id now belongs to a run with another uuid."""

    GONE = auto()


class Standing(Enum):
    """What CloudFormation does with the resource now."""

    CURRENT = auto()
    """It still waits for the answer to this request."""
    OVERTAKEN = auto()
    """It has given this request up: it rolls the resource back, or deletes it."""


@dataclass(frozen=True)
class Seen:
    """What this invocation has seen and done so far."""

    current: Run | Gone | None = None
    """The run of the event's physical id; None: not looked yet."""
    found: tuple[Run, ...] | None = None
    """The resource's runs that the last search found, newest first; None: not searched (or to be searched again)."""
    thorough: bool = False
    """The last search began so late that it shows whatever a Create cut short may have started unasked."""
    started: Run | None = None
    """The run that StartRun answered with."""
    standing: Standing | None = None
    """None: CloudFormation was not asked, or not since the last StartRun."""
    rolling_back: bool | None = None
    """Whether the stack was rolling back an update when CloudFormation was asked."""
    late: bool = False
    """The request was sent so long ago that CloudFormation may have given it up (or it cannot be told when)."""
    uncertain: bool = False
    """A StartRun with this request's token may have been accepted without our having seen its answer."""
    cancelled: frozenset[str] = frozenset()
    """The ids of the runs whose CancelRun was accepted."""
    tagged: bool = False
    """The tags of the kept run are as wanted, or the finished run's release was tried."""
    failure: str | None = None
    """Why nothing more can be tried."""
    waited: bool = False
    """A run was given time inside this invocation."""
    closing: bool = False
    """The request's time will be over before EventBridge could let the function look again."""
    scheduled: bool = False
    """EventBridge will let the function look again."""
    unscheduled: bool = False
    """No rule of the resource's is left, or it was tried to remove it."""


@dataclass(frozen=True)
class Action:
    """One step, and why."""

    why: str


@dataclass(frozen=True)
class Read(Action):
    """GetRun of the physical id's run."""

    physical_id: PhysicalId


@dataclass(frozen=True)
class Search(Action):
    """ListRuns by this resource's names, then GetRun of those that can matter."""

    statuses: frozenset[str]
    """Those in which a run matters."""
    started_since_request: bool = False
    """Whether a run that is no older than the request matters in any status: it may be this request's own."""
    until: str | None = None
    """Look no further than to a run with this definition: names may be shared by thousands of finished runs."""
    pause: bool = False
    """Wait before looking again."""


class AskCloudFormation(Action):
    """Learn whether CloudFormation still waits for the answer to this request."""


@dataclass(frozen=True)
class Start(Action):
    """StartRun."""

    request: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class OfRun(Action):
    """A step with one run. Steps without further fields are no dataclasses of their own: to make one takes time."""

    run: Run


class Cancel(OfRun):
    """CancelRun."""


class Wait(OfRun):
    """Give the run time, then look again."""


@dataclass(frozen=True)
class Tag(OfRun):
    """TagResource and UntagResource on a run that is kept."""

    add: Mapping[str, str] = field(repr=False)
    remove: tuple[str, ...] = ()


class Release(OfRun):
    """Mark a finished run whose resource goes away, so that no later Update adopts it."""


class Schedule(OfRun):
    """Let EventBridge invoke the function every minute, to look at the run again."""


class Unschedule(Action):
    """Remove the resource's EventBridge rule, whatever request it was made for."""


@dataclass(frozen=True)
class Silence(Action):
    """The end of an invocation that answers nothing."""

    waiting: bool
    """Whether EventBridge goes on letting the function look again."""


@dataclass(frozen=True)
class Answer(Action):
    """The end: what CloudFormation is told."""

    succeeded: bool
    physical_id: str | None
    """None: the Create has no run; Delete will come with an id that is not ours."""
    attributes: Mapping[str, str] = field(default_factory=dict)


Outcome = Answer | Silence
"""What ends an invocation."""


def decide(request: Request, wanted: Wanted | None, seen: Seen) -> Action:
    """The next action.

    Args:
        request: what CloudFormation asks for.
        wanted: the run that it asks for; None on Delete, on a second look, and where the properties ask for no valid
            one.
        seen: what this invocation has seen and done so far.
    """
    if request.polls:
        return _look_again(request, seen)
    if request.type is RequestType.DELETE:
        return _stop_waiting(request, seen) or _delete(request, seen)
    if seen.failure or wanted is None:
        return _failed(request, seen.started or (_started_before(wanted, seen) if wanted else None), seen.failure)
    if request.type is RequestType.UPDATE:
        return _update(request, wanted, seen)
    return _create(request, wanted, seen)


def _create(request: Request, wanted: Wanted, seen: Seen) -> Action:
    run = seen.started or _started_before(wanted, seen)
    if run is None:
        return _start(wanted, seen)
    return (
        _stand_by(request, run, seen, ask=seen.late)
        or _await(request, run, seen)
        or _succeeded("the run is started", run)
    )


def _update(request: Request, wanted: Wanted, seen: Seen) -> Action:
    physical_id = PhysicalId.parse(request.physical_id)
    if seen.late and seen.standing is None:
        # A late duplicate must neither bring old tags back nor take a later update's run for a stray.
        return AskCloudFormation("does it still wait for this answer?")
    if seen.standing is Standing.OVERTAKEN and not seen.started:
        return _overtaken(None)
    if physical_id and seen.current is None:
        return Read("what does the resource have now?", physical_id)
    current = seen.current if isinstance(seen.current, Run) else None
    if current and current.defined_by(wanted.definition):
        return _keep(request, wanted, current, seen)
    if physical_id and seen.current is Gone.GONE and wanted.old_definition == wanted.definition:
        gone = Run.gone(request, physical_id)
        return _succeeded("the run was deleted, and nothing that defines it has changed", gone)

    run = seen.started or _started_before(wanted, seen)
    if run is None:
        if seen.rolling_back is None:
            return AskCloudFormation("does the stack go forward, or back to a run that it had before?")
        if seen.found is None:
            statuses = ADOPTABLE if seen.rolling_back else ACTIVE
            return Search(
                "was the wanted run started before?", statuses, started_since_request=True, until=wanted.definition
            )
        original = next((each for each in seen.found if _adoptable(each, wanted, seen)), None)
        if original and seen.rolling_back:
            return (
                _sweep_strays(request, wanted, current, original, seen)
                or _retag(wanted, original, seen)
                or _succeeded("the run it had before is back", original)
            )
        return _start(wanted, seen, ask=True)
    return (
        _stand_by(request, run, seen, ask=True)
        or _sweep_strays(request, wanted, current, run, seen)
        or _await(request, run, seen)
        or _succeeded("the new run is started; it replaces the old one", run)
    )


def _keep(request: Request, wanted: Wanted, current: Run, seen: Seen) -> Action:
    if not request.retains and seen.found is None:
        return Search("did an update start a run that was never heard of?", ACTIVE)
    return (
        _sweep_strays(request, wanted, current, current, seen)
        or _retag(wanted, current, seen)
        or (None if current.ended and not seen.waited else _await(request, current, seen))
        or _succeeded("nothing that defines the run has changed", current)
    )


def _await(request: Request, run: Run, seen: Seen) -> Action | None:
    """The next step until the run is where the user wants to wait for it. None: there is nothing to wait for."""
    if run.status in REACHED[request.wait_for]:
        return None
    if request.type is RequestType.UPDATE and seen.rolling_back is None:
        return AskCloudFormation("does the stack go forward, or back to what was good enough before?")
    if seen.rolling_back:
        return None
    if run.ended:
        return _ended(run)
    if seen.closing:
        return Wait("its end comes before EventBridge could invoke the function again", run)
    if not seen.scheduled:
        return Schedule(f"the run is not {request.wait_for} yet", run)
    return Silence("EventBridge invokes the function again", waiting=True)


def _look_again(request: Request, seen: Seen) -> Action:
    """EventBridge has invoked the function to look at a run that is waited for."""
    physical_id = PhysicalId.parse(request.physical_id)
    if seen.failure and seen.closing:
        return _failed(request, None, seen.failure)
    if seen.failure or physical_id is None:
        return Silence("the run could not be looked at; EventBridge invokes the function again", waiting=True)
    if seen.current is None:
        return Read("has it come as far as it is waited for?", physical_id)
    if isinstance(seen.current, Gone):
        return _failed(request, None, f"Run {physical_id.run_id} was deleted while it was waited for.")
    run = seen.current
    if run.status in REACHED[request.wait_for]:
        return _succeeded(f"the run is {run.status}", run)
    if run.ended:
        return _ended(run)
    if seen.standing is None:
        return AskCloudFormation("does it still wait for this run?")
    if seen.standing is Standing.OVERTAKEN:
        return Silence("CloudFormation has moved on", waiting=False)
    if seen.closing:
        return Wait("its end comes before EventBridge could invoke the function again", run)
    return Silence("EventBridge invokes the function again", waiting=True)


def _stop_waiting(request: Request, seen: Seen) -> Action | None:
    """A run that is deleted is waited for no longer. None: nobody waits."""
    if not request.waits or seen.failure or seen.unscheduled or seen.standing is Standing.OVERTAKEN:
        return None
    if seen.late and seen.standing is None:
        return AskCloudFormation("has the resource been made anew, and waits for its run?")
    return Unschedule("nobody waits for the run any longer")


def _retag(wanted: Wanted, run: Run, seen: Seen) -> Action | None:
    """Bring the user's tags of a run that stays up to date. None: they are."""
    ours = {OwnershipTag.REQUEST_ID, OwnershipTag.DEFINITION}
    add = {key: value for key, value in wanted.tags.items() if key not in ours and run.tags.get(key) != value}
    remove = tuple(sorted((wanted.old_tags & run.tags.keys()) - wanted.tags.keys()))
    if seen.tagged or not (add or remove):
        return None
    return Tag("the run stays; its tags change", run, add, remove)


def _start(wanted: Wanted, seen: Seen, *, ask: bool = False) -> Action:
    """StartRun, unless CloudFormation has moved on or the run is there already."""
    if (seen.late or ask) and seen.standing is None:
        return AskCloudFormation("does it still wait for this run?")
    if seen.standing is Standing.OVERTAKEN:
        return _overtaken(None)
    if seen.uncertain and seen.found is None:
        return Search("was this request's run started before?", frozenset(), started_since_request=True)
    return Start("no run has this token", wanted.start_run)


def _stand_by(request: Request, run: Run, seen: Seen, *, ask: bool) -> Action | None:
    """After a StartRun that CloudFormation may no longer wait for: ask, and take it back. None: all is well."""
    if ask and seen.standing is None:
        return AskCloudFormation("does it still wait for this run?")
    if seen.standing is not Standing.OVERTAKEN:
        return None
    if request.retains and not _undoes_a_create(request):
        return _overtaken(run, f"but the removal policy says that run {run.id} stays")
    if run.active and run.id not in seen.cancelled:
        return Cancel("CloudFormation has moved on: nobody would ever cancel this run", run)
    return _overtaken(run)


def _sweep_strays(request: Request, wanted: Wanted, current: Run | None, answered: Run, seen: Seen) -> Action | None:
    """Cancel a run that an Update started and was never heard of again. None: there is none.

    It is newer than the current run. Where that is gone, it is what the old properties ask for: a rollback swaps them.
    """
    if request.retains:
        return None
    known = {answered.id, *seen.cancelled, *({current.id} if current else ())}
    for run in seen.found or ():
        if not run.active or run.id in known:
            continue
        if current and current.created and run.created:
            stray = run.created > current.created
        else:
            stray = wanted.old_definition is not None and run.defined_by(wanted.old_definition)
        if stray and seen.standing is None:
            return AskCloudFormation("is this run a stray, or a later update's?")
        if stray:
            return Cancel("an update started it and was never heard of again", run)
    return None


def _delete(request: Request, seen: Seen) -> Action:
    if request.removal_policy == RemovalPolicy.RETAIN:
        return Answer("the removal policy says that the run stays", succeeded=True, physical_id=request.physical_id)
    if seen.failure:
        return _failed(request, None, seen.failure)
    physical_id = PhysicalId.parse(request.physical_id)
    if physical_id is None:
        return _sweep_all(request, seen)
    if seen.current is None:
        return Read("is there anything to cancel?", physical_id)
    if isinstance(seen.current, Gone):
        return Answer("the run is gone", succeeded=True, physical_id=request.physical_id)
    if seen.current.active and seen.current.id in seen.cancelled:
        return Wait("the run is stopping", seen.current)
    if seen.current.active:
        return Cancel("its resource goes away", seen.current)
    # A cancelled run is never adopted, so it needs no mark.
    released = seen.tagged or seen.current.defined_by(RELEASED) or seen.current.status in {CANCELLED, DELETED}
    if seen.current.belongs_to(request) and not released:
        return Release("the run had finished; its resource goes away", seen.current)
    return Answer("the run is at its end", succeeded=True, physical_id=request.physical_id)


def _sweep_all(request: Request, seen: Seen) -> Action:
    """The Create failed or was cut short, so the id is made up: cancel whatever it may have started."""
    if seen.found is None:
        return Search("the id is not ours: did a Create start a run?", ACTIVE)
    active = [run for run in seen.found if run.active]
    if active and seen.late and seen.standing is None:
        return AskCloudFormation("are these a cut-short Create's runs, or has the resource been made anew?")
    if seen.standing is Standing.OVERTAKEN:
        return Answer("the resource was made anew", succeeded=True, physical_id=request.physical_id)
    for run in active:
        if run.id not in seen.cancelled:
            return Cancel("a Create started it and was never heard of again", run)
    if active:
        return Search("the runs are stopping", ACTIVE, pause=True)
    if not seen.thorough:
        return Search("a Create may still be at its StartRun", ACTIVE, pause=True)
    return Answer("no run of this resource is left", succeeded=True, physical_id=request.physical_id)


def _started_before(wanted: Wanted, seen: Seen) -> Run | None:
    """The run that an earlier delivery of this request started."""
    return next((run for run in seen.found or () if run.started_by(wanted.token)), None)


def _adoptable(run: Run, wanted: Wanted, seen: Seen) -> bool:
    return run.defined_by(wanted.definition) and run.status in ADOPTABLE and run.id not in seen.cancelled


def _undoes_a_create(request: Request) -> bool:
    return request.type is RequestType.CREATE and request.removal_policy == RemovalPolicy.RETAIN_EXCEPT_ON_CREATE


def _succeeded(why: str, run: Run) -> Answer:
    return Answer(why, succeeded=True, physical_id=str(run.physical_id), attributes=run.attributes)


def _ended(run: Run) -> Answer:
    return Answer(run.end, succeeded=False, physical_id=str(run.physical_id))


def _overtaken(run: Run | None, outcome: str = "so no run was left for it") -> Answer:
    text = f"CloudFormation has given this request up and moved on, {outcome}."
    return Answer(text, succeeded=False, physical_id=str(run.physical_id) if run else None)


def _failed(request: Request, run: Run | None, why: str | None) -> Answer:
    physical_id = str(run.physical_id) if run else request.physical_id
    return Answer(why or "The properties ask for no valid run.", succeeded=False, physical_id=physical_id)
