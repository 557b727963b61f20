"""The part of the decision that waits: for a run, at its own resource and at links, and for the end of a batch.

CloudFormation waits at most an hour for one resource, so each further hour has a resource of its own, a link. A link
starts, tags and cancels nothing: it follows the run whose id it has.
"""

from dataclasses import replace

from cdk_healthomics_handler.actions import (
    Action,
    AskCloudFormation,
    CancelRuns,
    Read,
    ReadOriginal,
    ReadTasks,
    Schedule,
    Silence,
    Unschedule,
    Wait,
)
from cdk_healthomics_handler.event import PhysicalId, Request, RequestType
from cdk_healthomics_handler.outcomes import done, ended, failed, overtaken, succeeded
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Gone, Seen


def await_run(request: Request, run: Run, seen: Seen) -> Action | None:
    """The next step until the run is where the user wants to wait for it. None: there is nothing to wait for."""
    over = run.reached(request.goal) or run.ended or (seen.closing and request.followed)
    if over and (stop := _stop_earlier(request, seen)):
        return stop
    if run.reached(request.goal):
        return None
    if run.status in run.kind.explained and seen.tasks is None:
        return ReadTasks("what in it has failed?", run)
    if run.ended:
        return ended(request, run, seen)
    if seen.closing and request.followed:
        return succeeded(request, f"the run is {run.status}; the next link waits on", run)
    if seen.closing:
        return Wait("its end comes before EventBridge could invoke the function again", run)
    if not seen.scheduled:
        return Schedule(f"the run is not {request.wait_for} yet", run)
    return Silence("EventBridge invokes the function again")


def stand_back(request: Request, run: Run | None, seen: Seen, outcome: str) -> Action:
    """The end of a request that a newer one has overtaken."""
    return _stop_earlier(request, seen) or overtaken(request, run, seen, outcome)


def _stop_earlier(request: Request, seen: Seen) -> Action | None:
    """Take away what an earlier delivery of this request may have left at EventBridge. None: nothing is left."""
    begun = request.waits and seen.late and not seen.scheduled and not seen.unscheduled
    return Unschedule("an earlier delivery may have begun to wait") if begun else None


def stop_waiting(seen: Seen) -> Action | None:
    """Take away what older requests have left at EventBridge. None: nothing is left."""
    return None if seen.unscheduled else Unschedule("no older request waits for a run any longer")


def look_again(request: Request, seen: Seen) -> Action:
    """EventBridge has invoked the function to look at a run that is waited for, until it or the request's time ends."""
    watched = request.watched
    if seen.failure and seen.closing:
        return failed(request, None, seen, seen.failure)
    if seen.failure or watched is None:
        return Silence("the run could not be looked at; EventBridge invokes the function again")
    if seen.current is None:
        return Read("has it come as far as it is waited for?", watched)
    if request.type is RequestType.DELETE:
        return _see_to_its_end(request, seen.current, seen)
    if isinstance(seen.current, Gone):
        return _deleted(request, watched, seen)
    run = seen.current
    return await_run(request, run, replace(seen, scheduled=True)) or succeeded(request, f"the run is {run.status}", run)


def _see_to_its_end(request: Request, run: Run | Gone, seen: Seen) -> Action:
    """A batch whose Delete has outlasted its function: EventBridge lets it go on until none of its runs is active."""
    if isinstance(run, Gone) or not run.active:
        return done(request, "no run of this batch is left")
    if run.ended:
        return CancelRuns("it is at its end, and some of its runs are not", run)
    if seen.closing:
        return Wait("its end comes before EventBridge could invoke the function again", run)
    return Silence("it is stopping; EventBridge invokes the function again")


def in_time(request: Request, action: Action, seen: Seen) -> Action:
    """An action; instead of one of a Delete that may outlast this invocation, EventBridge is asked to let it go on."""
    if request.type is not RequestType.DELETE or request.polls or not seen.leaving:
        return action
    if not isinstance(action, (CancelRuns, Wait)) or not action.run.kind.holds_runs or not action.run.stopped:
        return action
    if request.physical_id != str(action.run.physical_id):
        return action  # what EventBridge sends is about the run that the request names
    if not seen.scheduled:
        return Schedule(f"there is no time left in this invocation: {action.why}", action.run)
    return Silence("EventBridge invokes the function again")


def follow(request: Request, seen: Seen) -> Action:
    """What a link does with a request of its own."""
    if request.type is not RequestType.CREATE and (stop := stop_waiting(seen)):
        return stop
    if request.type is RequestType.DELETE:
        return done(request, "nothing is waited for any longer")
    watched = request.watched
    if watched is None:
        name = request.kind.linked_by
        told = f"{name} was {request.properties.get(name)!r}: must be the physical id of a {request.kind.noun}."
        return failed(request, None, seen, told)
    if seen.failure:
        return failed(request, None, seen, seen.failure)
    if seen.current is None:
        return Read("has it come as far as it is waited for?", watched)
    if isinstance(seen.current, Run):
        return _follow_run(request, seen.current, seen)
    if request.watched_before == watched:
        return succeeded(request, "the run was kept, and somebody has deleted it", Run.gone(request, watched))
    return _deleted(request, watched, seen)


def _deleted(request: Request, watched: PhysicalId, seen: Seen) -> Action:
    return failed(request, None, seen, f"{request.kind.label(watched.run_id)} was deleted while it was waited for.")


def _follow_run(request: Request, run: Run, seen: Seen) -> Action:
    """A link answers at once where the run is there, or was kept or gone back to; else it waits for its own time."""
    if request.changes_nothing:
        return succeeded(request, "an update is taken back, which had changed nothing here", run)
    if run.ended_before_it_was_kept:
        return succeeded(request, "the run had ended before it was kept", run)
    if run.active and not run.reached(request.goal):
        before = request.watched_before
        if before and before != run.physical_id and seen.original is None:
            return ReadOriginal("was the run gone back to?", before)
        if isinstance(seen.original, Run) and seen.original.replaces == run.physical_id:
            return succeeded(request, "the run it had before is back", run)
        if seen.late and seen.observed is None:
            return AskCloudFormation("does it still wait for this link?")
        if seen.observed and seen.observed.overtakes(request, None):
            return stand_back(request, None, seen, "so nothing waits")
    return await_run(request, run, seen) or succeeded(request, f"the run is {run.status}", run)
