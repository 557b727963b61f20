"""The part of the decision that makes a run, which was started elsewhere, a resource's own instead of starting one.

From then on it is as any run of a resource. Only a Create that fails is another thing: what it has adopted is given
back, never cancelled (docs/adr/0015-adoption.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cdk_healthomics_handler.actions import Action, AskCloudFormation, ReadAdopted, Tag
from cdk_healthomics_handler.event import UNKNOWN_UUID, PhysicalId, Request
from cdk_healthomics_handler.names import SESSION_POLICY, OwnershipTag, Property, RemovalPolicy, property_name
from cdk_healthomics_handler.outcomes import done, failed, succeeded
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Seen
from cdk_healthomics_handler.start_run import Wanted
from cdk_healthomics_handler.waiting import await_run, stand_back, stop_waiting

_NOT_COMPARED: Final = frozenset({"requestId", "tags", "storageCapacity"})
"""HealthOmics rounds the capacity up, and ignores it where storage is dynamic."""


def adopt(request: Request, wanted: Wanted, seen: Seen) -> Action:
    """The next step of a request that names the run which its resource, without one so far, is to have."""
    if seen.adopted is None:
        return _look(request)
    run = seen.adopted
    if not isinstance(run, Run):
        return _refuse(request, seen, "there is no such run in this account and region")
    if not run.started_by(wanted.token) and (found := [*_problems(request, wanted, run)]):
        return _refuse(request, seen, "; ".join(found))
    if seen.late and seen.observed is None:
        # That it names the run says less than of one that the request has started: an earlier Create may have had it.
        return AskCloudFormation("does it still wait for this request?")
    if seen.late and seen.observed and (seen.observed.overtakes(request, run) or seen.observed.deletes(run)):
        own = run.started_by(wanted.token)
        return _give_back(run) if own else stand_back(request, run, seen, "and the run goes on without it")
    if add := {key: value for key, value in wanted.tags.items() if run.tags.get(key) != value}:
        return Tag("from now on it is the resource's", run, add)
    return await_run(request, run, seen) or succeeded(request, "the run is adopted", run)


def in_update(request: Request, wanted: Wanted, seen: Seen) -> Action | None:
    """What an Update does that names a run to adopt. None: the resource has that run, or had it before.

    Where no Create has succeeded, it adopts. Where the resource has another run, it is refused; but a rollback may name
    again what its resource had adopted and what has been replaced since.
    """
    current = PhysicalId.parse(request.physical_id)
    if not request.adopts:
        return None
    if current is None or (
        isinstance(seen.current, Run) and seen.current.rejected and seen.current.id == request.adopts
    ):
        return adopt(request, wanted, seen)
    if request.adopts in {current.run_id, request.adopted_before}:
        return None
    if seen.adopted is None:
        return _look(request)
    run = seen.adopted
    if not isinstance(run, Run) or run.belongs_to(request):
        return None
    has = f"the resource has {request.kind.noun} {current.run_id}"
    return _refuse(request, seen, f"{has}. Give a construct of another id that {Property.ADOPT_RUN_ID}")


def undo(request: Request, seen: Seen) -> Action | None:
    """What to do with the Delete of a failed Create that has, or may have, adopted a run. None: it is another Delete.

    With RETAIN_EXCEPT_ON_CREATE, CloudFormation sends a Delete for nothing but a failed Create.
    """
    physical_id = PhysicalId.parse(request.physical_id)
    own = not physical_id or physical_id.run_id == request.adopts
    if not request.adopts or request.removal_policy != RemovalPolicy.RETAIN_EXCEPT_ON_CREATE or not own:
        return None
    if request.waits and (stop := stop_waiting(seen)):
        return stop
    if seen.failure:
        return done(request, "the run goes on, though its tags could not be taken off")  # better than DELETE_FAILED
    if seen.adopted is None:
        return _look(request, pause=True)
    run = seen.adopted
    if isinstance(run, Run) and run.belongs_to(request) and run.older_than(request):
        return _give_back(run)
    return done(request, "the run was not started by its resource, and goes on without it")


def _look(request: Request, *, pause: bool = False) -> Action:
    return ReadAdopted("which run is to be the resource's?", PhysicalId(request.adopts, UNKNOWN_UUID), pause)


def _give_back(run: Run) -> Action:
    """Take our tags off."""
    return Tag("its resource has failed to be created", run, {}, tuple(sorted(run.tags.keys() & set(OwnershipTag))))


def _refuse(request: Request, seen: Seen, why: str) -> Action:
    return failed(request, None, seen, f"{request.kind.label(request.adopts)} cannot be adopted: {why}.")


def _problems(request: Request, wanted: Wanted, run: Run) -> Iterator[str]:
    if request.removal_policy != RemovalPolicy.RETAIN_EXCEPT_ON_CREATE:
        yield (
            f"{Property.REMOVAL_POLICY} was {request.removal_policy}, must be {RemovalPolicy.RETAIN_EXCEPT_ON_CREATE}, "
            "or a deployment that fails would cancel it"
        )
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
        elif told.get(member) is not None and _plain(value) != _plain(told[member]):
            yield name if member == SESSION_POLICY else f"{name} (declared {value}, of the run {told[member]})"


def _plain(value: Any) -> str:
    return "".join(str(value).split()).rstrip("/")
