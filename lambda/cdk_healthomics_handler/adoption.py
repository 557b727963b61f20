"""The part of the decision that makes a run, which was started elsewhere, a resource's own instead of starting one.

Until a later request has kept it, its mark says that it was adopted: then it is given back where another run would be
cancelled, for it is no deployment's to end that fails (docs/adr/0015-adoption.md).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cdk_healthomics_handler import identity
from cdk_healthomics_handler.actions import Action, AskCloudFormation, GiveBack, ReadAdopted, Tag
from cdk_healthomics_handler.event import NOTHING_STARTED, UNKNOWN_UUID, UNSETTLED, PhysicalId, Request
from cdk_healthomics_handler.mark import Did
from cdk_healthomics_handler.names import SESSION_POLICY, OwnershipTag, Property, RemovalPolicy, property_name
from cdk_healthomics_handler.outcomes import done, failed, succeeded
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Seen
from cdk_healthomics_handler.start_run import Wanted
from cdk_healthomics_handler.waiting import await_run, stand_back, stop_waiting

_NOT_COMPARED: Final = frozenset({"requestId", "tags", "storageCapacity"})
"""HealthOmics rounds the capacity up, and ignores it where storage is dynamic."""
_ANOTHER: Final = "Give the run to a construct with another id"


def adopt(request: Request, wanted: Wanted, seen: Seen) -> Action:
    """The next step of a request that names the run which its resource, without one so far, is to have."""
    if seen.adopted is None:
        return _look(request, seen)
    run = seen.adopted
    if not isinstance(run, Run):
        return _refuse(request, seen, "there is no such run in this account and region")
    if run.belongs_to(request) and (run.claimed_after(request) or not run.older_than(request)):
        return stand_back(request, run, seen, "and a newer one has the run")
    own = run.adopted and run.started_by(wanted.token)
    if not own and (found := [*_problems(request, wanted, run)]):
        return _refuse(request, seen, "; ".join(found))
    if seen.late and seen.observed is None:
        # That it names the run says less than of one that the request has started: an earlier Create may have had it.
        return AskCloudFormation("does it still wait for this request?")
    if seen.late and seen.observed and (seen.observed.overtakes(request, run) or seen.observed.deletes(run)):
        return give_back(run) if own else stand_back(request, run, seen, "and the run goes on without it")
    tags = {**wanted.tags, OwnershipTag.NEWEST_REQUEST.value: str(identity.mark(request, Did.ADOPTED))}
    add = {key: value for key, value in tags.items() if run.tags.get(key) != value}
    past = tuple(sorted(run.tags.keys() & set(OwnershipTag) - tags.keys()))
    if add or past:
        return Tag("from now on it is the resource's, if no other takes it at the same moment", run, add, past)
    return await_run(request, run, seen) or succeeded(request, "the run is adopted", run)


def claimed(request: Request, seen: Seen) -> Run | None:
    """The run that a request has adopted which comes to no good end: its Delete must find it."""
    run = seen.adopted
    return run if request.adopts is not None and isinstance(run, Run) and run.belongs_to(request) else None


def in_update(request: Request, wanted: Wanted, seen: Seen) -> Action | None:
    """What an Update does that names a run to adopt. None: the resource has that run, or had it before.

    Where no Create has succeeded, it adopts. Where the resource has another run, it is refused; but a rollback may name
    again what its resource had adopted and what has been replaced since, which the run's tags tell.
    """
    if request.adopts is None:
        return None
    current = PhysicalId.parse(request.physical_id)
    here = seen.current if isinstance(seen.current, Run) else None
    if current is None or (here and here.id == request.adopts and here.adopted and here.rejected):
        return adopt(request, wanted, seen)
    if request.adopts == current.run_id:
        return None
    if seen.adopted is None:
        return _look(request, seen)
    run = seen.adopted
    if not isinstance(run, Run) or _was_ours(request, run):
        return None
    return _refuse(request, seen, f"the resource has {request.kind.noun} {current.run_id}. {_ANOTHER}")


def starts_none(request: Request, seen: Seen) -> Action:
    """The end of an Update that names a run to adopt for the first time, and would start another."""
    return _refuse(request, seen, f"the resource has, or had, another {request.kind.noun}. {_ANOTHER}")


def undo(request: Request, seen: Seen) -> Action | None:
    """What to do with a Delete whose Create has, or may have, adopted a run. None: what any Delete does."""
    if request.adopts is None or not request.adopts.isdecimal():
        return None
    physical_id = PhysicalId.parse(request.physical_id)
    if physical_id and physical_id.run_id != request.adopts:
        return None
    if seen.failure:
        # Better a tag that stays than DELETE_FAILED.
        return done(request, "the run goes on, though its tags could not be taken off") if physical_id else None
    if seen.adopted is None:
        return _look(request, seen, pause=physical_id is None)  # its Create may still be at work
    run = seen.adopted
    if not isinstance(run, Run) or (run.belongs_to(request) and not run.adopted):
        return None
    left = run.id in seen.released or not (run.belongs_to(request) and run.older_than(request))
    if left and not physical_id and run.id not in seen.released:
        return None
    if request.waits and (stop := stop_waiting(seen)):
        return stop
    if left:
        return given_back(request)
    if not physical_id and seen.observed is None and not _undone(request):
        return AskCloudFormation("is the run the resource's by now?", run)
    return give_back(run) if physical_id or _adopted_by_undone(request, run, seen) else None


def given_back(request: Request) -> Action:
    """The end of a Delete whose run goes on."""
    return done(request, "the run was not started by its resource, and goes on without it")


def give_back(run: Run) -> Action:
    """Take our tags off, but for one that says so."""
    return GiveBack("it was started elsewhere, and goes on without this resource", run)


def _undone(request: Request) -> str:
    """The RequestId of the Create that a Delete undoes; nothing where CloudFormation has made up the physical id."""
    made_up = request.physical_id or ""
    undone = made_up.removeprefix(NOTHING_STARTED).removeprefix(UNSETTLED)
    return undone if undone != made_up else ""


def _adopted_by_undone(request: Request, run: Run, seen: Seen) -> bool:
    """Whether the Create that a Delete with a made-up id undoes has the run, and no later one."""
    if undone := _undone(request):
        return run.newest is not None and run.newest.request_id == undone
    return seen.observed is not None and not seen.observed.names(run)


def _was_ours(request: Request, run: Run) -> bool:
    """Whether the resource has, or had, the run; its stack's tag is what people are told to take off."""
    stack_id = run.tags.get(OwnershipTag.STACK_ID, request.stack_id)
    return stack_id == request.stack_id and run.tags.get(OwnershipTag.LOGICAL_ID) == request.logical_id


def _look(request: Request, seen: Seen, *, pause: bool = False) -> Action:
    adopted = request.adopts or ""
    if not adopted.isdecimal():
        told = f"{Property.ADOPT_RUN_ID} was {adopted!r}: must be the id of a run, which is digits only."
        return failed(request, None, seen, told)
    return ReadAdopted("which run is to be the resource's?", PhysicalId(adopted, UNKNOWN_UUID), pause)


def _refuse(request: Request, seen: Seen, why: str) -> Action:
    return failed(request, None, seen, f"{request.kind.label(request.adopts or '')} cannot be adopted: {why}.")


def _problems(request: Request, wanted: Wanted, run: Run) -> Iterator[str]:
    if request.removal_policy != RemovalPolicy.RETAIN_EXCEPT_ON_CREATE:
        yield "removal_policy must be RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE when it is deployed for the first time"
    if run.stopped or not (run.active or run.completed):
        yield f"it is {run.status}, must be active or have completed"
    owner = run.tags.get(OwnershipTag.STACK_ID)
    if owner and not run.belongs_to(request):
        logical_id = run.tags.get(OwnershipTag.LOGICAL_ID, "a batch")
        yield (
            f"it belongs to {logical_id} of {owner}. If that is gone, or has let it go, take the run's tag "
            f"{OwnershipTag.STACK_ID} off"
        )
    if differences := [*_differences(request, wanted.start_run, run.asked)]:
        yield f"it was started otherwise than is declared: {', '.join(differences)}"


def _differences(request: Request, declared: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    """Where what GetRun tells of a run is not what the properties ask for; what it does not tell is none."""
    told = {**told, "configurationName": (told.get("configuration") or {}).get("name")}
    for member, value in declared.items():
        name = property_name(member)
        if member in _NOT_COMPARED or (member == request.kind.name and name not in request.properties):
            continue
        if isinstance(value, Mapping):
            if value != (told.get(member) or {}):
                yield name  # its values may name a patient
        elif told.get(member) is None:
            continue
        elif member == SESSION_POLICY:
            if _parsed(value) != _parsed(told[member]):
                yield name
        elif str(value).rstrip("/") != str(told[member]).rstrip("/"):
            yield f"{name} (declared {value}, of the run {told[member]})"


def _parsed(policy: str) -> Any:
    try:
        return json.loads(policy)
    except ValueError:
        return policy
