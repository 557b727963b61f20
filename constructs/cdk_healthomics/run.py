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

from cdk_healthomics import access, cautions, checks, links, naming, neighbours, removal
from cdk_healthomics import workflow as workflows
from cdk_healthomics.any_run import IHealthOmicsRun, ImportedRun
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
from cdk_healthomics.final import Runs
from cdk_healthomics.late import Late
from cdk_healthomics.made_roles import MadeRoles
from cdk_healthomics.properties import properties
from cdk_healthomics.provider import HealthOmicsRunProvider, provider_problems
from cdk_healthomics.role import arn_of
from cdk_healthomics.tags import tags_of_stack
from cdk_healthomics_handler.names import RESOURCE_TYPE, Attribute, WaitFor, property_name
from constructs import Construct, IDependable

if TYPE_CHECKING:
    # Each takes a twentieth of a second to import, so only where it is used.
    from aws_cdk import aws_ecr, aws_omics

_OWN_TAGS_PRIORITY: Final = 10_000
"""Above any that ``Tags.of(…).add`` is given in practice: a run's own tags win."""


@jsii.implements(ITaggableV2)
class HealthOmicsRun(IHealthOmicsRun):
    """A HealthOmics run as a resource of a stack.

    ``cdk deploy`` starts the run (StartRun), ``cdk destroy`` cancels it (CancelRun) and waits until it has stopped. A
    change of anything that defines the run starts a new run and cancels the old one; a change of tags only changes the
    tags. Numbers, booleans and nesting in documents reach the workflow as they were written, and so do values that are
    known at deployment only: they never become part of JSON text, and keep the type of their source.
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
        run_group: "aws_omics.CfnRunGroup | None" = None,
        priority: int | None = None,
        cache_id: str | None = None,
        run_cache: "aws_omics.CfnRunCache | None" = None,
        cache_behavior: CacheBehavior | str | None = None,
        storage_type: StorageType | str | None = None,
        storage_capacity: int | None = None,
        scratch_storage_mode: ScratchStorageMode | str | None = None,
        networking_mode: NetworkingMode | str | None = None,
        configuration_name: str | None = None,
        configuration: "aws_omics.CfnConfiguration | None" = None,
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
        provider: HealthOmicsRunProvider | None = None,
    ) -> None:
        """Declare a run.

        Each argument up to ``tags``, but for those that take a construct of the same app, is the member of the StartRun
        API of the same name in camelCase, and has no default here: where it is left out, HealthOmics' own default
        holds. Such a construct is made before the run, and deleted after it. CDK tokens and ``{{resolve:ssm:…}}`` are
        taken everywhere but in names within documents; secrets (``SecretValue``, ``{{resolve:secretsmanager:…}}``,
        ``{{resolve:ssm-secure:…}}``) nowhere, for CloudFormation resolves them for no custom resource.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there. A change of it makes another resource, hence another run.
            output_uri: where the run's outputs go: an S3 URI of 1 to 750 characters.
            workflow_id: the workflow to run, up to 18 digits. Exactly one of this, ``workflow`` and ``run_id`` must be
                given.
            workflow: the workflow to run where it is declared in the same app: the names of ``parameters`` are then
                compared with its parameter template, when the app is synthesized and both are final.
            run_id: an earlier run to run again, with its workflow and settings; up to 18 digits.
            workflow_type: must be READY2RUN for a Ready2Run workflow.
            workflow_owner_id: the account of 12 digits that shares the workflow.
            workflow_version_name: the version of the workflow, 1 to 64 characters.
            role: the service role of the run (``roleArn``). Default: one is made that may write the run's logs
                and metrics; grant it the inputs and outputs, ``bucket.grant_read_write(run.role)``. A given role is
                used as it is.
            name: of the run, 1 to 128 characters. Default: ``<stack name>-<logical id>``.
            parameters: the workflow's inputs, a JSON object of at most 50,000 bytes. A token keeps the type of its
                source: a number parameter, each branch of ``Fn.condition_if``, a mapping's value, a list; a resource's
                attribute is text, unless ``Token.as_number`` says otherwise.
            parameters_uri: a JSON file on S3 that holds the inputs instead, 1 to 1,093 characters; the role must be
                allowed to read it. Another content under the same URI is no change: see ``rerun_trigger``.
            engine_settings: settings of the workflow engine, a JSON object; tokens as in ``parameters``.
            run_group_id: the run group whose limits hold for the run, up to 18 digits.
            run_group: the run group where it is declared in the same app, instead of ``run_group_id``.
            priority: within the run group, 0 to 100000.
            cache_id: the run cache to use, up to 18 digits.
            run_cache: the run cache where it is declared in the same app, instead of ``cache_id``.
            cache_behavior: overrides the run cache's own behavior; needs ``cache_id`` or ``run_cache``.
            storage_type: STATIC or DYNAMIC.
            storage_capacity: in GiB, 0 to 100000; HealthOmics rounds it up, and ignores it with DYNAMIC storage.
            scratch_storage_mode: LOCAL or SHARED.
            networking_mode: RESTRICTED or VPC; VPC needs ``configuration_name`` or ``configuration``.
            configuration_name: the configuration that holds the VPC, 1 to 128 characters.
            configuration: the configuration where it is declared in the same app, instead of ``configuration_name``.
            requester_pays_enabled: whether inputs may come from Requester Pays buckets, at your account's cost.
            log_level: OFF, FATAL, ERROR or ALL.
            retention_mode: RETAIN or REMOVE.
            output_uri_prefix_mode: SERVICE_DEFINED or NONE_WITH_OVERWRITE.
            session_policy: narrows the role down for this run: a JSON policy of at most 2,048 characters. A token
                in it stays one text; give the PolicyDocument itself, for ``Stack.to_json_string`` is taken as it is.
            tags: of the run, at most 43; they win over those of ``Tags.of(…)``, which win over the ``tags`` that the
                stack has when its first run is declared.
            wait_for: how far the run must have come before its resource counts as created or updated. SUBMITTED, the
                default, waits for nothing; RUNNING and COMPLETED wait, and a run that ends otherwise fails the
                deployment with its status, reason, message, the tasks that failed first, and where its logs are.
            timeout: how long is waited, in whole seconds: 30 seconds to 60 minutes, and with ``wait_for`` up to 7 days.
                Default: 60 minutes. CloudFormation waits an hour at most for one resource (``ServiceTimeout``), so each
                further hour is a resource of its own, ``Custom::HealthOmicsRunWait``, after the one before; two minutes
                of each hour are kept for going on to the next. A run that is waited for and takes longer fails the
                deployment, and is cancelled by its rollback. While a run cannot be started (a quota, a permission that
                has not arrived) it is tried until shortly before this, or for nearly 15 minutes, the function's own
                limit.
            rerun_trigger: any text; a change of it starts a new run where nothing else has changed.
            removal_policy: what happens to the run when the resource is removed or replaced. DESTROY, the default,
                cancels it; RETAIN leaves it alone, even when the stack's creation is rolled back;
                RETAIN_ON_UPDATE_OR_DELETE leaves it alone but for that.
            provider: the function behind the run, of the same stack; CloudFormation changes it for no run that is
                there. Default: the stack's own, which all its runs share.

        Raises:
            ValidationError: arguments are missing or wrong; the message lists all of them. What is known at synthesis
                is refused then: a type that cannot be known, a secret, a parameter that ``workflow`` does not have.
        """
        not_arguments = {"self", "scope", "construct_id", "__class__"}
        arguments = {name: value for name, value in locals().items() if value is not None and name not in not_arguments}
        # All that can be refused is refused before the tree has this construct: its id stays free for another try.
        stack = scope if isinstance(scope, Stack) else Stack.of(scope)
        found = [*checks.problems(arguments), *provider_problems(stack, provider)]
        if found:
            raise checks.ValidationError(checks.path(scope, construct_id), found)
        super().__init__(scope, construct_id)

        cautions.of_run(self, arguments)
        Late.of(stack).compare(self, arguments)
        arguments = neighbours.named_by(workflows.named_by(arguments))
        # CloudFormation hands a stack's own tags to its resources, but for custom ones. Initial tags of a manager are
        # below those of ``Tags.of(…)``.
        self._tags = TagManager(TagType.MAP, RESOURCE_TYPE, tags_of_stack(stack))
        for key, value in (tags or {}).items():
            self._tags.set_tag(key, value, _OWN_TAGS_PRIORITY)
        self._role = role or MadeRoles.of(stack).make(self)
        provider = provider or HealthOmicsRunProvider.of(stack)
        Runs.of(stack).watch(self, self._tags, role=role, wait_for=wait_for)
        until = links.ends(timeout)
        asked = properties(
            self,
            stack,
            arguments,
            arn_of(self._role),
            tags=self._tags.rendered_tags,
            removal=removal.told(removal_policy),
        )
        self._resource = CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=provider.service_token,
            service_timeout=Duration.seconds(until[0]) if until else timeout,
            removal_policy=removal_policy,
            properties={**asked, **links.told(until)},
        )
        # What depends on this construct depends on the links as well, and gets its attributes when they are done.
        self._answering = links.chain(self, self._resource, provider.service_token, asked, until)
        self._node: Final = self._resource.node
        self._cfn_resource: Final[CfnResource] = self._node.default_child  # type: ignore[assignment]
        removal.watch(stack, self._cfn_resource, removal_policy, None if role else self._role)
        self._name = name
        self._parameters = parameters
        self._workflow_id: str | None = arguments.get("workflow_id")
        self._named = cautions.Named(self, name, self._workflow_id, stack) if name else None
        if not name and provider.names_runs:
            self._cfn_resource.add_property_override(property_name("name"), self._run_name)
        # The whole role, policies included: the run starts when it may read its inputs, and ends before it may not.
        self._before_run(self._role, *provider.allow(arguments, self._role), *([workflow] if workflow else []))

    @classmethod
    def from_run_attributes(
        cls, scope: Construct, construct_id: str, *, run_id: str, run_uuid: str | None = None, name: str | None = None
    ) -> IHealthOmicsRun:
        """A run that lives elsewhere in this account and region: of another app, or started by hand.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there.
            run_id: of the run, up to 18 digits.
            run_uuid: the run's UUID. Default: not known, and so not told.
            name: of the run, 1 to 128 characters; ``on_…`` need it, for events are matched by it. Default: not known.

        Raises:
            ValidationError: an argument is wrong, or what was not given is asked for later.
        """
        return ImportedRun(scope, construct_id, run_id=run_id, run_uuid=run_uuid, name=name)

    @property
    def role(self) -> aws_iam.IRole:
        """The service role of the run: the one that was given, or else the one that was made."""
        return self._role

    def grant_read_inputs(self) -> aws_iam.Grant:
        """Allow the run's role to read the inputs that ``parameters`` name: the texts that begin with ``s3://``.

        It may read those objects; where a text ends in ``/``, what is under it, and list that. Nothing else: what holds
        a token is granted by whoever knows the bucket, ``bucket.grant_read(run.role)``, and so are the key of an
        encrypted bucket and files that lie beside those named, such as an index.
        """
        return access.grant_read_inputs(self._role, Stack.of(self), self._parameters)

    def grant_pull(self, repository: "aws_ecr.IRepository") -> aws_iam.Grant:
        """Let the run use private images: its role may pull them, and the repository lets HealthOmics in.

        Where the repository is not this app's own its policy cannot be changed here: an information at synthesis tells
        the statement to add to it.

        Args:
            repository: in ECR, in the region of the run.
        """
        granted = access.grant_pull(self._role, repository)
        self._before_run(repository)
        return granted

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

    @property
    def console_url(self) -> str:
        """The run's page in the AWS console."""
        return self._attribute(Attribute.CONSOLE_URL)

    @property
    def started_at(self) -> str:
        """When the run left the queue, as ``2026-11-25T20:15:00Z``; empty unless it was waited for (``wait_for``)."""
        return self._attribute(Attribute.STARTED_AT)

    @property
    def stopped_at(self) -> str:
        """When the run came to its end, likewise; empty unless its completion was waited for."""
        return self._attribute(Attribute.STOPPED_AT)

    @property
    def duration_seconds(self) -> str:
        """How long that took, in whole seconds; empty unless the run's completion was waited for.

        It is text, for what is empty is no number; with ``WaitFor.COMPLETED``, ``Token.as_number(…)`` makes one of it.
        """
        return self._attribute(Attribute.DURATION_SECONDS)

    @builtins.property
    @jsii.member(jsii_name="cdkTagManager")
    def cdk_tag_manager(self) -> TagManager:
        """The run's tags; what ``Tags.of(scope).add(…)`` uses."""
        return self._tags

    def _hear(self) -> None:
        if self._named:
            self._named.hear()

    @property
    def _run_name(self) -> str:
        return self._name or naming.run_name(Stack.of(self), self._cfn_resource)

    def _before_run(self, *dependencies: IDependable) -> None:
        self._node.add_dependency(*dependencies)

    def _attribute(self, attribute: Attribute) -> str:
        return self._answering.get_att_string(attribute.value)

    @builtins.property
    def _granted_arn(self) -> str:
        return self._resource.get_att_string(Attribute.RUN_ARN.value)
