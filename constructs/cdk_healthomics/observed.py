"""What runs and batches of runs offer to others: rules on their status, and grants."""

from typing import TYPE_CHECKING, Any, ClassVar

from aws_cdk import aws_iam

from cdk_healthomics.grants import RunGrants
from cdk_healthomics.kind import Kind
from cdk_healthomics_handler.kind import FAILED
from constructs import Construct, IDependable

if TYPE_CHECKING:
    from aws_cdk import aws_events  # a twentieth of a second, for those who have a rule


class Observed(Construct):
    """A run, or a batch of runs, that others may hear of and be allowed to do something with."""

    _kind: ClassVar[Kind]

    def on_status_change(
        self,
        rule_id: str,
        *,
        target: "aws_events.IRuleTarget | None" = None,
        description: str | None = None,
        event_pattern: "aws_events.EventPattern | None" = None,
        rule_name: str | None = None,
    ) -> "aws_events.Rule":
        """Make an EventBridge rule that hears of every change of the status.

        It matches the name, and the workflow where that is known, so it is in place, with its targets' permissions,
        before the run or batch starts where this app starts it. So a target must not refer to that itself: the event
        tells its id. It may be granted it, ``run.grants.read(function)``. HealthOmics sends events at best effort.

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
        """As :meth:`on_status_change`, for the completion: COMPLETED of a run, PROCESSED of a batch.

        A batch is PROCESSED when all its runs have ended, though some may have failed: the event tells how many, as
        text (``failedRunCount``, ``failedStartSubmissionCount``), and ``event_pattern`` may ask for it, such as
        ``detail={"failedRunCount": [{"anything-but": "0"}]}``.
        """
        return self._on((self._kind.completed,), rule_id, target, description, event_pattern, rule_name)

    def on_failed(
        self,
        rule_id: str,
        *,
        target: "aws_events.IRuleTarget | None" = None,
        description: str | None = None,
        event_pattern: "aws_events.EventPattern | None" = None,
        rule_name: str | None = None,
    ) -> "aws_events.Rule":
        """As :meth:`on_status_change`, for the failure (FAILED).

        Of a batch that is its own failure, before its runs were submitted, and the event tells why; for those of its
        runs see :meth:`on_completed`.

        The event of a run has its id, ARN, UUID, name, status, outputs and workflow: neither the reason of the failure
        nor its tasks. Who wants those asks HealthOmics for them, with ``run.grants.read(function)``: GetRun of the
        event's ``runId`` tells ``failureReason`` and ``statusMessage``, ListRunTasks with ``status="FAILED"`` the
        tasks, and GetRunTask of each why it failed and its log stream. A deployment that waits for the run
        (``wait_for``) tells them by itself.
        """
        return self._on((FAILED,), rule_id, target, description, event_pattern, rule_name)

    @property
    def grants(self) -> RunGrants:
        """What others may be allowed on it, in the CDK's present way: ``run.grants.read(principal)``."""
        return RunGrants(self, self._granted_arn)

    def grant(self, grantee: aws_iam.IGrantable, *actions: str) -> aws_iam.Grant:
        """As ``run.grants.actions(…)``, the CDK's present way: allow a principal actions on it."""
        return self.grants.actions(grantee, *actions)

    def grant_read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """As ``run.grants.read(…)``, the CDK's present way: allow a principal to read it, its tasks and tags."""
        return self.grants.read(grantee)

    def grant_cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """As ``run.grants.cancel(…)``, the CDK's present way: allow a principal to cancel it."""
        return self.grants.cancel(grantee)

    @property
    def _known_name(self) -> str:
        """By which events are known."""
        raise NotImplementedError

    @property
    def _granted_arn(self) -> str:
        """What grants name: known as soon as it is started, though it may be waited for."""
        raise NotImplementedError

    _workflow_id: str | None = None

    def _hear(self) -> None:
        """Note that a rule hears of it, where that can be wrong."""

    def _start_after(self, *dependencies: IDependable) -> None:
        """Make it wait, where it can."""

    def _on(self, statuses: tuple[str, ...], rule_id: str, *options: Any) -> "aws_events.Rule":
        from cdk_healthomics import events  # noqa: PLC0415 - aws_events is imported by those who have a rule

        self._hear()
        return events.StatusRule(
            self,
            rule_id,
            name=self._known_name,
            workflow_id=self._workflow_id,
            statuses=statuses,
            before_run=self._start_after,
            options=dict(zip(("target", "description", "event_pattern", "rule_name"), options, strict=True)),
        )
