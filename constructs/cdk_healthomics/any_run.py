"""What every run offers, whether it is declared in this app or lives elsewhere: its names, grants and events."""

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CfnMapping, Stack, aws_iam

from cdk_healthomics import checks
from cdk_healthomics.grants import RunGrants
from cdk_healthomics_handler import console
from cdk_healthomics_handler.names import SERVICE
from cdk_healthomics_handler.run import COMPLETED, FAILED
from constructs import Construct, IDependable

if TYPE_CHECKING:
    from aws_cdk import aws_events  # a twentieth of a second, for those who have a rule

_CONSOLES: Final = "HealthOmicsConsoles"
"""A stack's mapping from partitions to the console's domains: which one is the stack's, deployment may tell first."""
_DOMAIN: Final = "Domain"


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

    @property
    def console_url(self) -> str:
        """The run's page in the AWS console."""
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
        permissions, before the run starts where this app starts it. So a target must not refer to this run itself: the
        event tells the run's id. It may be granted the run, ``run.grants.read(function)``. HealthOmics sends events at
        best effort.

        Args:
            rule_id: of the rule within this construct.
            target: where the events go; more with ``add_target``. Default: nowhere yet.
            description: of the rule. Default: none.
            event_pattern: what else an event must match: it only narrows. Default: nothing.
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
        """As :meth:`on_status_change`, for the run's failure (FAILED).

        The event has the run's id, ARN, UUID, name, status, outputs and workflow: neither the reason of the failure nor
        its tasks. Who wants those asks HealthOmics for them, with ``run.grants.read(function)``: GetRun of the event's
        ``runId`` tells ``failureReason`` and ``statusMessage``, ListRunTasks with ``status="FAILED"`` the tasks, and
        GetRunTask of each why it failed and its log stream. A deployment that waits for the run (``wait_for``) tells
        them by itself.
        """
        return self._on((FAILED,), rule_id, target, description, event_pattern, rule_name)

    @property
    def grants(self) -> RunGrants:
        """What others may be allowed on this run, in the CDK's present way: ``run.grants.read(principal)``."""
        return RunGrants(self, self._granted_arn)

    def grant(self, grantee: aws_iam.IGrantable, *actions: str) -> aws_iam.Grant:
        """As ``run.grants.actions(…)``, the CDK's present way: allow a principal actions on this run."""
        return self.grants.actions(grantee, *actions)

    def grant_read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """As ``run.grants.read(…)``, the CDK's present way: allow a principal to read this run, its tasks and tags."""
        return self.grants.read(grantee)

    def grant_cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """As ``run.grants.cancel(…)``, the CDK's present way: allow a principal to cancel this run."""
        return self.grants.cancel(grantee)

    @property
    def _run_name(self) -> str:
        """By which events are known."""
        raise NotImplementedError

    @property
    def _granted_arn(self) -> str:
        """What grants name: known as soon as the run is started, though it may be waited for."""
        return self.run_arn

    _workflow_id: str | None = None

    def _hear(self) -> None:
        """Note that a rule hears of the run, where that can be wrong."""

    def _before_run(self, *dependencies: IDependable) -> None:
        """Make the run wait, where it can."""

    def _on(self, statuses: tuple[str, ...], rule_id: str, *options: Any) -> "aws_events.Rule":
        from cdk_healthomics import events  # noqa: PLC0415 - aws_events is imported by those who have a rule

        self._hear()
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
    def console_url(self) -> str:
        """The run's page in the AWS console, in the region of its stack here."""
        stack = Stack.of(self)
        known = stack.node.try_find_child(_CONSOLES)
        domains = {partition: {_DOMAIN: domain} for partition, domain in console.DOMAINS.items()}
        consoles = known if isinstance(known, CfnMapping) else CfnMapping(stack, _CONSOLES, mapping=domains, lazy=True)
        return console.page_of_run(consoles.find_in_map(stack.partition, _DOMAIN), stack.region, self.run_id)

    @property
    def _run_name(self) -> str:
        return self._known("name")

    def _known(self, attribute: str) -> str:
        value = self._given[attribute]
        if value is None:
            problem = f"{attribute} was not given: must be given to from_run_attributes, for it is asked for here"
            raise checks.ValidationError(self.node.path, [problem])
        return value
