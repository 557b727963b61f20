"""What others may be allowed on a run, on the resources that HealthOmics asks for."""

from functools import reduce
from typing import Final

from aws_cdk import Stack, aws_iam

from cdk_healthomics.targets import Targets
from cdk_healthomics_handler.names import GET_RUN_TASK, SERVICE
from constructs import IConstruct

_OF_TASKS: Final = f"{SERVICE}:{GET_RUN_TASK}"
_NO_RESOURCE: Final = (f"{SERVICE}:ListTagsForResource",)
"""Of what concerns a run; the Service Authorization Reference tells."""


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
        on_run = [action for action in actions if action not in _NO_RESOURCE]
        granted = [self._grant(grantee, on_run, self._arn)] if on_run or not actions else []
        if _OF_TASKS in on_run:
            # A task's ARN does not tell its run; that the run is asked for, too, is what keeps others out.
            stack = Stack.of(self._run)
            tasks = f"arn:{stack.partition}:{SERVICE}:{stack.region}:{stack.account}:task/*"
            granted.append(self._grant(grantee, [_OF_TASKS], tasks))
        if len(on_run) < len(actions):
            granted.append(self._grant(grantee, [action for action in actions if action in _NO_RESOURCE], "*"))
        return reduce(aws_iam.Grant.combine, granted)

    def read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to read this run and its tasks, and tags, those of other resources included."""
        return self.actions(grantee, f"{SERVICE}:GetRun", _OF_TASKS, f"{SERVICE}:ListRunTasks", *_NO_RESOURCE)

    def cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to cancel this run."""
        return self.actions(grantee, f"{SERVICE}:CancelRun")

    def _grant(self, grantee: aws_iam.IGrantable, actions: list[str], resource: str) -> aws_iam.Grant:
        if resource == self._arn:  # what the run's rules reach must not refer to it in its own role
            return Targets.of(Stack.of(self._run)).grant(grantee, actions, [resource])
        return aws_iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[resource])
