"""What every run offers, whether it is declared in this app or lives elsewhere: its names, grants and events."""

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Stack, aws_iam

from cdk_healthomics import checks
from cdk_healthomics_handler.names import SERVICE
from cdk_healthomics_handler.run import COMPLETED, FAILED
from constructs import Construct, IDependable

if TYPE_CHECKING:
    from aws_cdk import aws_events  # a twentieth of a second, for those who have a rule

_OF_TASKS: Final = "omics:GetRunTask"
_NO_RESOURCE: Final = ("omics:ListTagsForResource",)
"""Of what concerns a run; the Service Authorization Reference tells."""


class IHealthOmicsRun(Construct):
    """A HealthOmics run: a :class:`HealthOmicsRun`, or what ``HealthOmicsRun.from_run_attributes`` gives."""

    @property
    def run_id(self) -> str:
        """The id of the run. Ids of deleted runs are used again; :attr:`run_uuid` is unique."""
        raise NotImplementedError

    @property
    def run_arn(self) -> str:
        """The ARN of the run."""
        raise NotImplementedError

    @property
    def run_uuid(self) -> str:
        """The run's UUID, the only name of it that is never used again."""
        raise NotImplementedError

    def on_status_change(
        self,
        rule_id: str,
        *,
        target: "aws_events.IRuleTarget | None" = None,
        description: str | None = None,
        event_pattern: "aws_events.EventPattern | None" = None,
        rule_name: str | None = None,
    ) -> "aws_events.Rule":
        """Make an EventBridge rule that hears of every change of the run's status.

        It matches the run's name, and its workflow where that is known, so it is in place, with its targets'
        permissions, before the run starts where this app starts it. A target that refers to this run closes a circle:
        the event tells the run's id. HealthOmics sends events at best effort.

        Args:
            rule_id: of the rule within this construct.
            target: where the events go; more with ``add_target``. Default: nowhere yet.
            description: of the rule. Default: none.
            event_pattern: what else an event must match. Default: nothing.
            rule_name: of the rule. Default: CloudFormation makes one.
        """
        return self._on((), rule_id, target, description, event_pattern, rule_name)

    def on_completed(
        self,
        rule_id: str,
        *,
        target: "aws_events.IRuleTarget | None" = None,
        description: str | None = None,
        event_pattern: "aws_events.EventPattern | None" = None,
        rule_name: str | None = None,
    ) -> "aws_events.Rule":
        """As :meth:`on_status_change`, for the run's completion (COMPLETED)."""
        return self._on((COMPLETED,), rule_id, target, description, event_pattern, rule_name)

    def on_failed(
        self,
        rule_id: str,
        *,
        target: "aws_events.IRuleTarget | None" = None,
        description: str | None = None,
        event_pattern: "aws_events.EventPattern | None" = None,
        rule_name: str | None = None,
    ) -> "aws_events.Rule":
        """As :meth:`on_status_change`, for the run's failure (FAILED)."""
        return self._on((FAILED,), rule_id, target, description, event_pattern, rule_name)

    def grant(self, grantee: aws_iam.IGrantable, *actions: str) -> aws_iam.Grant:
        """Allow a principal actions on this run, such as ``omics:GetRun``.

        ``omics:GetRunTask`` is allowed on tasks, too, for HealthOmics asks for both, and ``omics:ListTagsForResource``
        on everything, for it knows no resource.
        """
        on_run = [action for action in actions if action not in _NO_RESOURCE]
        granted = [self._grant(grantee, on_run, self.run_arn)] if on_run or not actions else []
        if _OF_TASKS in on_run:
            # A task's ARN does not tell its run; that the run is allowed, too, is what keeps others out.
            stack = Stack.of(self)
            tasks = f"arn:{stack.partition}:{SERVICE}:{stack.region}:{stack.account}:task/*"
            granted.append(self._grant(grantee, [_OF_TASKS], tasks))
        if len(on_run) < len(actions):
            granted.append(self._grant(grantee, [action for action in actions if action in _NO_RESOURCE], "*"))
        return reduce(aws_iam.Grant.combine, granted)

    def grant_read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to read this run and its tasks, and tags, those of other resources included."""
        return self.grant(grantee, "omics:GetRun", _OF_TASKS, "omics:ListRunTasks", *_NO_RESOURCE)

    def grant_cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to cancel this run."""
        return self.grant(grantee, "omics:CancelRun")

    def _grant(self, grantee: aws_iam.IGrantable, actions: list[str], resource: str) -> aws_iam.Grant:
        return aws_iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[resource])

    @property
    def _run_name(self) -> str:
        """By which events are known."""
        raise NotImplementedError

    _workflow_id: str | None = None

    def _before_run(self, *dependencies: IDependable) -> None:
        """Make the run wait, where it can."""

    def _on(self, statuses: tuple[str, ...], rule_id: str, *options: Any) -> "aws_events.Rule":
        from cdk_healthomics import events  # noqa: PLC0415 - aws_events is imported by those who have a rule

        return events.StatusRule(
            self,
            rule_id,
            name=self._run_name,
            workflow_id=self._workflow_id,
            statuses=statuses,
            before_run=self._before_run,
            options=dict(zip(("target", "description", "event_pattern", "rule_name"), options, strict=True)),
        )


class ImportedRun(IHealthOmicsRun):
    """A run that lives elsewhere in this account and region."""

    def __init__(
        self, scope: Construct, construct_id: str, *, run_id: str, run_uuid: str | None, name: str | None
    ) -> None:
        given = {"run_id": run_id, "run_uuid": run_uuid, "name": name}
        found = checks.attribute_problems({name: value for name, value in given.items() if value is not None})
        if found:
            raise checks.ValidationError(checks.path(scope, construct_id), found)
        super().__init__(scope, construct_id)
        self._given = given

    @property
    def run_id(self) -> str:
        """The id that was given."""
        return self._known("run_id")

    @property
    def run_arn(self) -> str:
        """The ARN of the run, in the account and region of its stack here."""
        stack = Stack.of(self)
        return f"arn:{stack.partition}:{SERVICE}:{stack.region}:{stack.account}:run/{self.run_id}"

    @property
    def run_uuid(self) -> str:
        """The UUID that was given.

        Raises:
            ValidationError: none was.
        """
        return self._known("run_uuid")

    @property
    def _run_name(self) -> str:
        return self._known("name")

    def _known(self, attribute: str) -> str:
        value = self._given[attribute]
        if value is None:
            problem = f"{attribute} was not given: must be given to from_run_attributes, for it is asked for here"
            raise checks.ValidationError(self.node.path, [problem])
        return value
