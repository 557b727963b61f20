"""``HealthOmicsRun``, the construct: checks → properties → one ``Custom::HealthOmicsRun`` in the template."""

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import jsii
from aws_cdk import (
    CfnResource,
    CustomResource,
    Duration,
    ITaggableV2,
    RemovalPolicy,
    Stack,
    TagManager,
    TagType,
    aws_iam,
)

from cdk_healthomics import cautions, checks, naming
from cdk_healthomics import workflow as workflows
from cdk_healthomics.enums import (
    CacheBehavior,
    LogLevel,
    NetworkingMode,
    OutputUriPrefixMode,
    RetentionMode,
    ScratchStorageMode,
    StorageType,
    WorkflowType,
)
from cdk_healthomics.made_roles import MadeRoles
from cdk_healthomics.properties import properties
from cdk_healthomics.provider import Provider
from cdk_healthomics.removal import Removal
from cdk_healthomics.role import arn_of
from cdk_healthomics.tags import tags_of_stack
from cdk_healthomics.targets import Targets
from cdk_healthomics_handler.names import RESOURCE_TYPE, Attribute, WaitFor, property_name
from cdk_healthomics_handler.run import COMPLETED, FAILED
from constructs import Construct, IDependable

if TYPE_CHECKING:
    # Each takes a twentieth of a second to import, so only where it is used.
    from aws_cdk import aws_events, aws_omics

_OWN_TAGS_PRIORITY: Final = 10_000
"""Above any that ``Tags.of(…).add`` is given in practice: a run's own tags win."""


@jsii.implements(ITaggableV2)
class HealthOmicsRun(Construct):
    """A HealthOmics run as a resource of a stack.

    ``cdk deploy`` starts the run (StartRun), ``cdk destroy`` cancels it (CancelRun) and waits until it has stopped. A
    change of anything that defines the run starts a new run and cancels the old one; a change of tags only changes the
    tags. Numbers, booleans and nesting in documents reach the workflow as they were written.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        output_uri: str,
        workflow_id: str | None = None,
        workflow: "aws_omics.CfnWorkflow | aws_omics.CfnWorkflowVersion | None" = None,
        run_id: str | None = None,
        workflow_type: WorkflowType | str | None = None,
        workflow_owner_id: str | None = None,
        workflow_version_name: str | None = None,
        role: aws_iam.IRole | None = None,
        name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        parameters_uri: str | None = None,
        engine_settings: Mapping[str, Any] | None = None,
        run_group_id: str | None = None,
        priority: int | None = None,
        cache_id: str | None = None,
        cache_behavior: CacheBehavior | str | None = None,
        storage_type: StorageType | str | None = None,
        storage_capacity: int | None = None,
        scratch_storage_mode: ScratchStorageMode | str | None = None,
        networking_mode: NetworkingMode | str | None = None,
        configuration_name: str | None = None,
        requester_pays_enabled: bool | None = None,
        log_level: LogLevel | str | None = None,
        retention_mode: RetentionMode | str | None = None,
        output_uri_prefix_mode: OutputUriPrefixMode | str | None = None,
        session_policy: str | aws_iam.PolicyDocument | None = None,
        tags: Mapping[str, str] | None = None,
        wait_for: WaitFor | str | None = None,
        timeout: Duration | None = None,
        rerun_trigger: str | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        """Declare a run.

        Each argument up to ``tags``, but for ``workflow``, is the member of the StartRun API of the same name in
        camelCase, and has no default here: where it is left out, HealthOmics' own default holds. CDK tokens are taken
        everywhere.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there. A change of it makes another resource, hence another run.
            output_uri: where the run's outputs go: an S3 URI of 1 to 750 characters.
            workflow_id: the workflow to run, up to 18 digits. Exactly one of this, ``workflow`` and ``run_id`` must be
                given.
            workflow: the workflow to run where it is declared in the same app: the names of ``parameters`` are then
                compared with its parameter template.
            run_id: an earlier run to run again, with its workflow and settings; up to 18 digits.
            workflow_type: must be READY2RUN for a Ready2Run workflow.
            workflow_owner_id: the account of 12 digits that shares the workflow.
            workflow_version_name: the version of the workflow, 1 to 64 characters.
            role: the service role of the run (``roleArn``). Default: one is made that may write the run's logs; grant
                it the inputs and outputs, ``bucket.grant_read_write(run.role)``. A given role is used as it is.
            name: of the run, 1 to 128 characters. Default: ``<stack name>-<logical id>``.
            parameters: the workflow's inputs, a JSON object of at most 50,000 bytes.
            parameters_uri: a JSON file on S3 that holds the inputs instead, 1 to 1,093 characters; the role must be
                allowed to read it. Another content under the same URI is no change: see ``rerun_trigger``.
            engine_settings: settings of the workflow engine, a JSON object.
            run_group_id: the run group whose limits hold for the run, up to 18 digits.
            priority: within the run group, 0 to 100000.
            cache_id: the run cache to use, up to 18 digits.
            cache_behavior: overrides the run cache's own behavior; needs ``cache_id``.
            storage_type: STATIC or DYNAMIC.
            storage_capacity: in GiB, 0 to 100000; HealthOmics rounds it up, and ignores it with DYNAMIC storage.
            scratch_storage_mode: LOCAL or SHARED.
            networking_mode: RESTRICTED or VPC; VPC needs ``configuration_name``.
            configuration_name: the configuration that holds the VPC, 1 to 128 characters.
            requester_pays_enabled: whether inputs may come from Requester Pays buckets, at your account's cost.
            log_level: OFF, FATAL, ERROR or ALL.
            retention_mode: RETAIN or REMOVE.
            output_uri_prefix_mode: SERVICE_DEFINED or NONE_WITH_OVERWRITE.
            session_policy: narrows the role down for this run: a JSON policy of at most 2,048 characters.
            tags: of the run, at most 46; they win over those of ``Tags.of(…)``, which win over the stack's ``tags``.
            wait_for: how far the run must have come before its resource counts as created or updated. SUBMITTED, the
                default, waits for nothing; RUNNING and COMPLETED wait, and a run that ends otherwise fails the
                deployment with its status, reason, message and log group.
            timeout: how long CloudFormation waits, 1 second to 60 minutes (``ServiceTimeout``). Default: 60 minutes.
                A run that is waited for and takes longer fails the deployment, and is cancelled by its rollback. While
                a run cannot be started (a quota, a permission that has not arrived) it is tried until shortly before
                this, or for nearly 15 minutes, the function's own limit.
            rerun_trigger: any text; a change of it starts a new run where nothing else has changed.
            removal_policy: what happens to the run when the resource is removed or replaced. DESTROY, the default,
                cancels it; RETAIN leaves it alone, even when the stack's creation is rolled back;
                RETAIN_ON_UPDATE_OR_DELETE leaves it alone but for that.

        Raises:
            ValidationError: arguments are missing or wrong; the message lists all of them.
        """
        not_arguments = {"self", "scope", "construct_id", "__class__"}
        arguments = {name: value for name, value in locals().items() if value is not None and name not in not_arguments}
        super().__init__(scope, construct_id)
        found = checks.problems(arguments)
        if found:
            raise checks.ValidationError(self.node.path, found)

        cautions.of_run(self, arguments)
        arguments = workflows.named_by(arguments)
        stack = scope if isinstance(scope, Stack) else Stack.of(self)
        # CloudFormation hands a stack's own tags to its resources, but for custom ones. Initial tags of a manager are
        # below those of ``Tags.of(…)``.
        self._tags = TagManager(TagType.MAP, RESOURCE_TYPE, tags_of_stack(stack))
        for key, value in (tags or {}).items():
            self._tags.set_tag(key, value, _OWN_TAGS_PRIORITY)
        self._role = role or MadeRoles.of(stack).make(self)
        provider = Provider.of(stack)
        provider.watch(self, self._tags)
        removal = Removal(stack)
        self._resource = CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=provider.service_token,
            service_timeout=timeout,
            removal_policy=removal_policy,
            properties=properties(stack, arguments, arn_of(self._role), self._tags.rendered_tags, removal.told()),
        )
        self._cfn_resource: Final[CfnResource] = self._resource.node.default_child  # type: ignore[assignment]
        removal.of(self._cfn_resource, None if role else self._role)
        self._name = name
        self._workflow_id: str | None = arguments.get("workflow_id")
        self._named = cautions.Named(self, name, self._workflow_id, stack) if name else None
        if not name and provider.names_runs:
            self._cfn_resource.add_property_override(property_name("name"), self._run_name)
        # The whole role, policies included: the run starts when it may read its inputs, and ends before it may not.
        self._before_run(self._role, *provider.allow(arguments, self._role), *([workflow] if workflow else []))

    @property
    def role(self) -> aws_iam.IRole:
        """The service role of the run: the one that was given, or else the one that was made."""
        return self._role

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
        permissions, before the run starts. So a target must not refer to this run itself: the event tells the run's id.
        It may be granted the run, ``run.grant_read(function)``. HealthOmics sends events at best effort.

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
        """As :meth:`on_status_change`, for the run's failure (FAILED)."""
        return self._on((FAILED,), rule_id, target, description, event_pattern, rule_name)

    def grant(self, grantee: aws_iam.IGrantable, *actions: str) -> aws_iam.Grant:
        """Allow a principal actions on this run, such as ``omics:GetRun``."""
        return Targets.of(Stack.of(self)).grant(grantee, list(actions), [self.run_arn])

    def grant_read(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to read this run, its tasks and its tags."""
        return self.grant(
            grantee, "omics:GetRun", "omics:GetRunTask", "omics:ListRunTasks", "omics:ListTagsForResource"
        )

    def grant_cancel(self, grantee: aws_iam.IGrantable) -> aws_iam.Grant:
        """Allow a principal to cancel this run."""
        return self.grant(grantee, "omics:CancelRun")

    @property
    def run_id(self) -> str:
        """The id of the run. Ids of deleted runs are used again; :attr:`run_uuid` is unique."""
        return self._attribute(Attribute.RUN_ID)

    @property
    def run_arn(self) -> str:
        """The ARN of the run."""
        return self._attribute(Attribute.RUN_ARN)

    @property
    def run_uuid(self) -> str:
        """The run's UUID, the only name of it that is never used again."""
        return self._attribute(Attribute.RUN_UUID)

    @property
    def run_output_uri(self) -> str:
        """Where the run's outputs go: beneath ``output_uri``, as HealthOmics answered."""
        return self._attribute(Attribute.RUN_OUTPUT_URI)

    @property
    def status(self) -> str:
        """The run's status when CloudFormation was answered last; it does not follow the run."""
        return self._attribute(Attribute.STATUS)

    @builtins.property
    @jsii.member(jsii_name="cdkTagManager")
    def cdk_tag_manager(self) -> TagManager:
        """The run's tags; what ``Tags.of(scope).add(…)`` uses."""
        return self._tags

    def _on(self, statuses: tuple[str, ...], rule_id: str, *options: Any) -> "aws_events.Rule":
        from cdk_healthomics import events  # noqa: PLC0415 - aws_events is imported by those who have a rule

        if self._named:
            self._named.hear()
        return events.StatusRule(
            self,
            rule_id,
            name=self._run_name,
            workflow_id=self._workflow_id,
            statuses=statuses,
            before_run=self._before_run,
            options=dict(zip(("target", "description", "event_pattern", "rule_name"), options, strict=True)),
        )

    @property
    def _run_name(self) -> str:
        return self._name or naming.run_name(Stack.of(self), self._cfn_resource)

    def _before_run(self, *dependencies: IDependable) -> None:
        self._resource.node.add_dependency(*dependencies)

    def _attribute(self, attribute: Attribute) -> str:
        return self._resource.get_att_string(attribute.value)
