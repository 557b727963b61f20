"""``HealthOmicsRun``, the construct: checks → properties → one ``Custom::HealthOmicsRun`` in the template."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, aws_iam

from cdk_healthomics import checks, declared
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
from cdk_healthomics_handler.names import Attribute, WaitFor
from constructs import Construct

if TYPE_CHECKING:
    # It takes a twentieth of a second to import, so only where it is used.
    from aws_cdk import aws_omics

    from cdk_healthomics.provider import HealthOmicsRunProvider


class HealthOmicsRun(declared.Declared, IHealthOmicsRun):
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
        adopt_run_id: str | None = None,
        provider: "HealthOmicsRunProvider | None" = None,
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
                deployment, and is cancelled by its rollback, unless it was adopted. While a run cannot be started (a
                quota, a permission that has not arrived) it is tried until shortly before this, or for nearly 15
                minutes, the function's own limit.
            rerun_trigger: any text; a change of it starts a new run where nothing else has changed.
            removal_policy: what happens to the run when the resource is removed or replaced. DESTROY, the default,
                cancels it; RETAIN leaves it alone, even when the stack's creation is rolled back;
                RETAIN_ON_UPDATE_OR_DELETE leaves it alone but for that.
            adopt_run_id: a run of this account and region, up to 18 digits, that was started elsewhere and is active or
                has completed: the resource's first deployment takes it instead of starting one. The other arguments
                must be what it was started with; ``name``, ``role`` and a ``removal_policy`` of
                RETAIN_ON_UPDATE_OR_DELETE must be given, so that a deployment that fails gives it back and does not
                cancel it. Later deployments need this argument no more: without it, any removal policy is allowed. To a
                resource that has a run it cannot be added. Default: a run is started.
            provider: the function behind the run, of the same stack; CloudFormation changes it for no run that is
                there. Default: the stack's own, which all its runs share.

        Raises:
            ValidationError: arguments are missing or wrong; the message lists all of them. What is known at synthesis
                is refused then: a type that cannot be known, a secret, a parameter that ``workflow`` does not have.
        """
        arguments = declared.given(locals())
        super().__init__(scope, construct_id, arguments, checks.problems(arguments))
        self._declare({})

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
