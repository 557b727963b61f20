"""What to do next with an event: a pure function of the request and of what has been seen so far.

No AWS and no clock: :func:`decide` returns one frozen action, ``lifecycle`` carries it out, adds what it saw and asks
again, until the action is an ``Outcome``. The table that this implements is docs/lifecycle.md. Which of two
requests is right is told by the marks that they leave on the runs (docs/adr/0011-who-is-right.md).
"""

from cdk_healthomics_handler import adoption, identity
from cdk_healthomics_handler.actions import (
    Action,
    AskCloudFormation,
    Cancel,
    CancelRuns,
    Read,
    ReadAgain,
    ReadOriginal,
    Reclaim,
    Release,
    Search,
    Start,
    Tag,
    Wait,
)
from cdk_healthomics_handler.event import NOTHING_STARTED, UNSETTLED, PhysicalId, Request, RequestType
from cdk_healthomics_handler.kind import CANCELLED, DELETED
from cdk_healthomics_handler.mark import LONG_AGO, Did
from cdk_healthomics_handler.names import OwnershipTag, RemovalPolicy, property_name
from cdk_healthomics_handler.outcomes import done, failed, succeeded
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Seen
from cdk_healthomics_handler.start_run import Wanted
from cdk_healthomics_handler.waiting import await_run, follow, in_time, look_again, stand_back, stop_waiting


def decide(request: Request, wanted: Wanted | None, seen: Seen) -> Action:
    """The next action.

    Args:
        request: what CloudFormation asks for.
        wanted: the run that it asks for; None on Delete, on a second look, and where the properties ask for no valid
            one.
        seen: what this invocation has seen and done so far.
    """
    action = in_time(request, _cancellable(_next(request, wanted, seen)), seen)
    if isinstance(action, Start) and request.type is RequestType.UPDATE and request.adopts_anew:
        return adoption.starts_none(request, seen)
    if isinstance(action, Cancel) and action.run.adopted and action.run.belongs_to(request):
        left = action.run.id in seen.released
        return adoption.given_back(request) if left else adoption.give_back(action.run)
    if isinstance(action, Cancel) and action.run.tags.get(OwnershipTag.STACK_ID) != request.stack_id:
        # Whose it is was told by others than its tags: CloudFormation, or StartRun's answer.
        return Reclaim("somebody took its tag off, by which it may be cancelled", action.run)
    return action


def _cancellable(action: Action) -> Action:
    """What to do instead where a batch cannot be cancelled yet, or where that has left some of its runs."""
    if isinstance(action, (Cancel, Wait)) and action.run.ended and action.run.left:
        return CancelRuns("the batch is at its end, and some of its runs are not", action.run)
    if isinstance(action, Cancel) and action.run.status in action.run.kind.uncancellable:
        return Wait("it cannot be cancelled yet", action.run)
    return action


def _next(request: Request, wanted: Wanted | None, seen: Seen) -> Action:
    if request.polls:
        return look_again(request, seen)
    if request.link_id:
        return follow(request, seen)
    if request.type is RequestType.DELETE:
        return adoption.undo(request, seen) or _delete(request, seen)
    if wanted is None or seen.failure or seen.answered:
        return _give_up(request, wanted, seen)
    if request.type is RequestType.UPDATE:
        return _update(request, wanted, seen)
    return _create(request, wanted, seen)


def _create(request: Request, wanted: Wanted, seen: Seen) -> Action:
    if request.adopts is not None:
        return adoption.adopt(request, wanted, seen)
    run = _own(wanted, seen)
    if seek := _seek_own(wanted, seen):
        return seek
    if seen.late and seen.observed is None:
        return AskCloudFormation("does it still wait for this run?", run)
    if seen.late and seen.observed and seen.observed.overtakes(request, run):
        return _withdraw(request, run, seen)
    if run is None:
        return Start("no run has this token", wanted.start_run)
    return await_run(request, run, seen) or succeeded(request, "the run is started", run)


def _update(request: Request, wanted: Wanted, seen: Seen) -> Action:
    physical_id = PhysicalId.parse(request.physical_id)
    if physical_id and seen.current is None:
        look = ReadAgain if seen.started else Read
        return look("what does the resource have now?", physical_id)
    if adopted := adoption.in_update(request, wanted, seen):
        return adopted
    if not isinstance(seen.current, Run):
        return _update_without_run(request, wanted, physical_id, seen)
    current = seen.current
    if current.claimed_after(request):
        return _search_then_withdraw(request, wanted, seen)
    if _stays(wanted, current):
        return _keep(request, wanted, current, seen)
    if current.replaces and seen.original is None:
        return ReadOriginal("is it the run that is asked for?", current.replaces)
    original = seen.original
    if isinstance(original, Run) and original.defined_by(wanted.definition):
        if original.claimed_after(request):
            return _search_then_withdraw(request, wanted, seen)
        return _keep(request, wanted, original, seen)
    return _replace(request, wanted, current, seen)


def _stays(wanted: Wanted, current: Run) -> bool:
    """Whether the current run is what is asked for, whatever its status."""
    if current.rejected or current.released:
        return False
    # Where nothing has changed, a tag that was taken off or that another version wrote is no reason for a new run.
    unchanged = wanted.old_definition == wanted.definition and not identity.comparable(current.definition)
    return unchanged or current.defined_by(wanted.definition)


def _keep(request: Request, wanted: Wanted, run: Run, seen: Seen) -> Action:
    """Keep the current run, or go back to its original. The mark is written before anything is swept."""
    current = seen.current if isinstance(seen.current, Run) else None
    known = not run.replaced_by or (current is not None and current.started_for(run.replaced_by))
    back = run is not current
    taken_back = current is not None and current.replaced_by is not None if back else wanted.takes_back
    contested = not known or taken_back
    return (
        _mark_kept(request, wanted, run)
        or (_sweep_newer(request, run, seen) if contested else None)
        or (None if known else Tag("what was to replace it is gone", run, {}, (OwnershipTag.REPLACED_BY,)))
        or (stop_waiting(seen) if request.waited_before else None)
        or (None if back or (run.ended and not seen.waited) else await_run(request, run, seen))
        or succeeded(
            request, "the run it had before is back" if back else "nothing that defines the run has changed", run
        )
    )


def _replace(request: Request, wanted: Wanted, current: Run, seen: Seen) -> Action:
    """Start the wanted run: before that, mark the current one; after it, see whether a newer request has kept it."""
    run = _own(wanted, seen)
    if seek := _seek_own(wanted, seen):
        return seek
    if current.kept_beside(request):
        return _withdraw(request, run, seen)
    if current.released or (run and current.stopped):
        # Its resource is gone, or has another run: this request's own, if CloudFormation names it.
        if run and seen.observed is None:
            return AskCloudFormation("is the new run the resource's?", run)
        if run is None or (seen.observed and seen.observed.overtakes(request, run)):
            return _withdraw(request, run, seen)
    mark = identity.mark(request, Did.REPLACES, str(wanted.start_run[request.kind.name]))
    sweep = _sweep_newer(request, current, seen) if seen.rival else None
    if current.replaced_by != mark:
        tag = Tag("other requests must know", current, {OwnershipTag.REPLACED_BY: str(mark)})
        return tag if run else sweep or tag
    if run is None:
        # A rollback goes back to what was good: not to a run that ended otherwise than was waited for.
        good = current.replaces if current.rejected else current.physical_id
        replaces = {OwnershipTag.REPLACES.value: str(good or current.physical_id)}
        tags = {**wanted.tags, **replaces}
        return Start("no run has this token", {**wanted.start_run, "tags": tags})
    return (
        sweep
        or await_run(request, run, seen)
        or succeeded(request, "the new run is started; it replaces the old one", run)
    )


def _update_without_run(request: Request, wanted: Wanted, physical_id: PhysicalId | None, seen: Seen) -> Action:
    """Somebody deleted the current run, so it can show nobody's mark: what newer requests have started does."""
    if physical_id and wanted.old_definition == wanted.definition:
        gone = Run.gone(request, physical_id)
        return succeeded(request, "the run was deleted, and nothing that defines it has changed", gone)
    run = _own(wanted, seen)
    if run is None and seen.late and seen.observed is None:
        return AskCloudFormation("does it still wait for this run?")
    if run is None and seen.observed and seen.observed.overtakes(request, run):
        return _search_then_withdraw(request, wanted, seen)
    if seen.found is None:
        return Search("which runs has the resource?", of_request=True, pause=seen.started is not None)
    if any(not each.older_than(request) for each in seen.found):
        return _withdraw(request, run, seen)
    if run is None:
        good = (
            each for each in seen.found if each.defined_by(wanted.definition) and not each.stopped and not each.adopted
        )
        original = next((each for each in good if each.active or each.completed), None)
        return _keep(request, wanted, original, seen) if original else Start("it has none", wanted.start_run)
    strays = [] if request.retains else [each for each in seen.found if each.active and each.id != run.id]
    return (
        _end_first(strays, seen, "an older request started it, and its resource has another")
        or await_run(request, run, seen)
        or succeeded(request, "the new run is started", run)
    )


def _mark_kept(request: Request, wanted: Wanted, run: Run) -> Action | None:
    """Bring the run's tags up to date, the mark with them. None: they are."""
    newest = str(identity.mark(request, Did.KEPT))
    skipped = {OwnershipTag.REQUEST_ID, OwnershipTag.NEWEST_REQUEST}
    kept = {key: value for key, value in wanted.tags.items() if key not in skipped}
    asked = {**kept, OwnershipTag.NEWEST_REQUEST.value: newest}
    add = {key: value for key, value in asked.items() if run.tags.get(key) != value}
    remove = tuple(sorted((wanted.old_tags & run.tags.keys()) - asked.keys()))
    return Tag("the run stays: its tags, and who kept it", run, add, remove) if add or remove else None


def _sweep_newer(request: Request, kept: Run, seen: Seen) -> Action | None:
    """Cancel what an older request started to replace a run, and was never heard of again. None: nothing is left."""
    if request.retains and request.retained_before:
        return None
    if seen.found is None:
        return Search("did an update start a run that was never heard of?", after=kept.created)
    known = {run.id for run in (kept, seen.current, seen.original, seen.started) if isinstance(run, Run)}
    newer = [run for run in seen.found if run.active and run.id not in known and run.created > kept.created]
    own = identity.mark(request, Did.STARTED)
    strays = [run for run in newer if run.older_than(request) and not run.started_for(own)]
    cancel = _end_first(strays, seen, "an update started it and was never heard of again")
    if cancel or seen.thorough:
        return cancel
    return Search("an update may still be at its StartRun", after=kept.created, pause=True)


def _end_first(runs: list[Run], seen: Seen, why: str) -> Action | None:
    """Cancel the first of these runs, and let none be gone back to. None: all of them are cancelled."""
    for run in runs:
        if run.adopted and run.id in seen.released:
            continue  # it could not be given back
        if run.id not in seen.cancelled and not run.stopped:
            return Cancel(why, run)
        if run.id not in seen.released and not run.released:
            return Release(why, run)
    return None


def _search_then_withdraw(request: Request, wanted: Wanted, seen: Seen) -> Action:
    return _seek_own(wanted, seen) or _withdraw(request, _own(wanted, seen), seen)


def _withdraw(request: Request, run: Run | None, seen: Seen) -> Action:
    """End a request that a newer one has overtaken: what it started is nobody's."""
    undone = request.type is RequestType.CREATE and request.removal_policy == RemovalPolicy.RETAIN_EXCEPT_ON_CREATE
    if run and request.retains and not undone:
        return stand_back(request, run, seen, f"but the removal policy says that run {run.id} stays")
    if run and run.active and run.id not in seen.cancelled and not run.claimed_after(request):
        return Cancel("CloudFormation has moved on: nobody would ever cancel this run", run)
    return stand_back(request, run, seen, "so no run was left for it")


def _give_up(request: Request, wanted: Wanted | None, seen: Seen) -> Action:
    """The end of a request that cannot be finished: a run that may be nobody's is taken back."""
    run = _own(wanted, seen) if wanted else None
    created = request.type is RequestType.CREATE
    settled = (seen.observed or not seen.late) if created else seen.current
    unheard = seen.started and (seen.answered or not settled) and not request.retains
    if run and run.active and run.id not in seen.cancelled and unheard:
        return Cancel("nobody knows whether it is still wanted", run)
    run = run or adoption.claimed(request, seen)
    return failed(request, run, seen, seen.failure or "The properties ask for no valid run.")


def _delete(request: Request, seen: Seen) -> Action:
    if request.removal_policy == RemovalPolicy.RETAIN:
        return done(request, "the removal policy says that the run stays")
    if (request.physical_id or "").startswith(NOTHING_STARTED):
        return done(request, "the Create has started no run")
    if seen.failure:
        return failed(request, None, seen, seen.failure)
    physical_id = PhysicalId.parse(request.physical_id)
    if physical_id and seen.current is None:
        return Read("is there anything to cancel?", physical_id)
    run = seen.current if isinstance(seen.current, Run) else None
    if run and (untouched := _untouched(request, run, seen)):
        return untouched
    if run and run.claimed_after(request):
        return done(request, "a newer request has kept the run")
    if run and run.active and not run.stopped and run.id not in seen.cancelled:
        return Cancel("its resource goes away", run)
    waited = request.waits or any(
        each.newest and each.newest.waits for each in (*(seen.found or ()), *([run] if run else ()))
    )
    return (
        (stop_waiting(seen) if waited else None)
        or (_release(request, run, seen) if run else None)
        or _sweep_all(request, run, seen)
        or (Wait("the run is stopping", run) if run and run.active else None)
        or (_release(request, run, seen) if run else None)
        or done(request, "no run of this resource is left")
    )


def _untouched(request: Request, run: Run, seen: Seen) -> Action | None:
    """The end of a Delete of a run without our tags. None: it has them, or is the resource's all the same."""
    if run.belongs_to(request):
        return None
    if run.released:
        return adoption.given_back(request)
    if seen.observed is None:
        return AskCloudFormation("is this run, which has not our tags, the resource's?")
    return None if seen.observed.names(run) else done(request, "the run is somebody else's")


def _release(request: Request, run: Run, seen: Seen) -> Action | None:
    """Mark a run to which an Update could go back otherwise. None: there is no need, or it is marked."""
    if run.id in seen.released or run.released or not run.belongs_to(request):
        return None
    finished = run.ended and run.status not in {CANCELLED, DELETED}
    return Release("its resource goes away, or has another run", run) if finished or run.replaced_by else None


def _sweep_all(request: Request, run: Run | None, seen: Seen) -> Action | None:
    """Cancel every other run of the resource that is older than this Delete, but the one that CloudFormation names.

    None: nothing is left. Under a name that the user gave, which many may share, nothing is searched for unless
    something set out to replace the run, or the run that it replaced was never cleaned up.
    """
    if run and request.retains:
        return None
    if run and run.replaces and seen.original is None:
        return ReadOriginal("has its cleanup been given up?", run.replaces)
    named = property_name(request.kind.name) in request.properties
    original = seen.original
    uncleaned = run is not None and isinstance(original, Run) and original.active and not original.kept_since(run)
    after = run.created if run and named and not uncleaned else LONG_AGO
    if seen.found is None and (run is None or run.replaced_by or uncleaned or not named):
        stops = run is not None and run.active
        return Search("has an older request left another run?", after=after, pause=stops)
    others = _others(request, run, seen)
    failed_create = (request.physical_id or "").removeprefix(UNSETTLED)
    if failed_create != request.physical_id:
        others = [each for each in others if each.newest and each.newest.request_id == failed_create]
    elif others and seen.observed is None:
        # Without an answer a run stays that was kept since; whether CloudFormation has heard of that, only it can tell.
        kept = run is not None and all(each.kept_since(run) for each in others)
        return AskCloudFormation("which run is the resource's?", optional=kept)
    elif seen.observed:
        # Kept since means gone back to, so this run goes away and not the resource: unless nobody has heard of that, or
        # the resource has got another run since.
        present = [each for each in seen.found or () if seen.observed.names(each)]
        since = [run, *present] if run and not seen.observed.deletes(run) else []
        spared = [each for each in others if since and all(each.kept_since(one) for one in since)]
        others = [each for each in others if each not in spared and not seen.observed.names(each)]
    cancel = _end_first(others, seen, "an older request started it and was never heard of again")
    if cancel:
        return cancel
    if others:
        return Wait("it is stopping", others[0])
    # A made-up id, or a replacement that nobody has seen: its request may still be at StartRun.
    mark = run and run.replaced_by
    replaced = run is None or (mark and not any(each.started_for(mark) for each in seen.found or ()))
    gone = run is None and PhysicalId.parse(request.physical_id)
    if replaced and not gone and not seen.thorough:
        return Search("an older request may still be at its StartRun", after=after, pause=True)
    return None


def _others(request: Request, run: Run | None, seen: Seen) -> list[Run]:
    """The resource's active runs, beside the one that is deleted, that no newer request has started or kept."""
    known = {each.id: each for each in (*(seen.found or ()), seen.original) if isinstance(each, Run)}
    others = [each for each in known.values() if each.active and each.belongs_to(request) and each.older_than(request)]
    return [each for each in others if run is None or each.id != run.id]


def _own(wanted: Wanted, seen: Seen) -> Run | None:
    """This request's run: the one just started, or by an earlier delivery (the oldest: others are copies)."""
    mine = [run for run in seen.found or () if run.started_by(wanted.token) and run.answers(wanted.start_run)]
    return seen.started or min(mine, key=lambda run: run.created, default=None)


def _seek_own(wanted: Wanted, seen: Seen) -> Action | None:
    """Look for what an earlier delivery may have started. None: there is no need, or it was done."""
    if not seen.uncertain or seen.found is not None or _own(wanted, seen):
        return None
    return Search("was this request's run started before?", of_request=True)
