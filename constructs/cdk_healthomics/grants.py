"""What others may be allowed on a run or a batch, on the resources that HealthOmics asks for."""

from collections.abc import Iterator
from functools import reduce
from typing import Final, NamedTuple

from aws_cdk import Stack, aws_iam

from cdk_healthomics.permissions import own
from cdk_healthomics.targets import Targets
from cdk_healthomics_handler.names import (
    CANCEL_RUN,
    CANCEL_RUN_BATCH,
    GET_BATCH,
    GET_RUN_TASK,
    LIST_RUNS_IN_BATCH,
    SERVICE,
)
from constructs import IConstruct

_OF_TASKS: Final = f"{SERVICE}:{GET_RUN_TASK}"
_NO_RESOURCE: Final = (f"{SERVICE}:ListTagsForResource",)
"""Of what concerns a run; the Service Authorization Reference tells."""
_READ: Final = (f"{SERVICE}:GetRun", _OF_TASKS, f"{SERVICE}:ListRunTasks", *_NO_RESOURCE)
_CANCEL: Final = (f"{SERVICE}:{CANCEL_RUN}",)
_OF_RUNS: Final = frozenset({*_READ, *_CANCEL, f"{SERVICE}:DeleteRun"}) - {*_NO_RESOURCE}
"""What is done to runs, not to their batch."""


class RunGrants:
    """The grants on one run.

    Args:
        run: the run.
        run_arn: its ARN.
    """

    def __init__(self, run: IConstruct, run_arn: str) -> None:
        self._run = run
        self._arn = run_arn

    def actions(self, grantee: aws_iam.IGrantable, *actions: str) -> aws_iam.Grant:
        """Allow a principal actions on this run, such as ``omics:GetRun``.

        ``omics:GetRunTask`` is allowed on tasks, too, for HealthOmics asks for both, and ``omics:ListTagsForResource``
        on everything, for it knows no resource.
        """
        on: dict[_Place, list[str]] = {}
        for action in actions:
            for place in self._places(action):
                on.setdefault(place, []).append(action)
        places = on or {_Place(self._arn): []}
        return reduce(aws_iam.Grant.combine, [self._grant(grantee, named, place) for place, named in places.items()])

    def read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to read this run and its tasks, and tags, those of other resources included."""
        return self.actions(grantee, *_READ)

    def cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to cancel this run."""
        return self.actions(grantee, *_CANCEL)

    def _places(self, action: str) -> Iterator["_Place"]:
        """What an action is allowed on."""
        if action in _NO_RESOURCE:
            yield _Place("*")
            return
        yield from self._subjects(action)
        if action == _OF_TASKS:
            # A task's ARN does not tell its run; that the run is asked for, too, is what keeps others out.
            yield _Place(self._every("task"))

    def _subjects(self, _: str) -> Iterator["_Place"]:
        yield _Place(self._arn)

    def _every(self, kind: str) -> str:
        stack = Stack.of(self._run)
        return f"arn:{stack.partition}:{SERVICE}:{stack.region}:{stack.account}:{kind}/*"

    def _grant(self, grantee: aws_iam.IGrantable, actions: list[str], place: "_Place") -> aws_iam.Grant:
        resource = [place.resource]
        if place.resource == self._arn:  # what the run's rules reach must not refer to it in its own role
            return Targets.of(Stack.of(self._run)).grant(grantee, actions, resource)
        return aws_iam.Grant.add_to_principal(
            grantee=grantee,
            actions=actions,
            resource_arns=resource,
            conditions=own(Stack.of(self._run).stack_id) if place.of_stack else None,
        )


class BatchGrants(RunGrants):
    """The grants on one batch and its runs.

    Runs have their ids only once their batch is at work, so they are known by the tag with the stack's id: who may do
    something with the runs of one batch may do so with every run of its stack.
    """

    def read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to read this batch, the runs of its stack and their tasks, and tags, also of others."""
        return self.actions(grantee, *(f"{SERVICE}:{each}" for each in (GET_BATCH, LIST_RUNS_IN_BATCH)), *_READ)

    def cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to cancel this batch, and the runs of its stack one by one."""
        return self.actions(grantee, f"{SERVICE}:{CANCEL_RUN_BATCH}", *_CANCEL)

    def _subjects(self, action: str) -> Iterator["_Place"]:
        yield _Place(self._every("run"), of_stack=True) if action in _OF_RUNS else _Place(self._arn)


class _Place(NamedTuple):
    resource: str
    of_stack: bool = False
    """Whether what is there must carry the id of the stack."""
