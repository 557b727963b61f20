"""``HealthOmicsRunBatch``, the construct: a cohort as one resource, ``Custom::HealthOmicsRunBatch``."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, aws_iam, aws_s3_assets

from cdk_healthomics import batch_checks, cautions, declared
from cdk_healthomics.asset import file_of
from cdk_healthomics.enums import (
    CacheBehavior,
    LogLevel,
    NetworkingMode,
    RetentionMode,
    ScratchStorageMode,
    StorageType,
    WorkflowType,
)
from cdk_healthomics.grants import BatchGrants
from cdk_healthomics.kind import BATCH
from cdk_healthomics.permissions import pretends
from cdk_healthomics.properties import document
from cdk_healthomics.run_setting import RunSetting
from cdk_healthomics.settings_file import Settings
from cdk_healthomics_handler.names import INLINE_SETTINGS, S3_SETTINGS, BatchAttribute, WaitFor, property_name
from constructs import Construct

if TYPE_CHECKING:
    # It takes a twentieth of a second to import, so only where it is used.
    from aws_cdk import aws_omics

    from cdk_healthomics.provider import HealthOmicsRunProvider


class HealthOmicsRunBatch(declared.Declared):
    """A batch of up to 100,000 HealthOmics runs as one resource of a stack: a run for each sample of a cohort.

    ``cdk deploy`` submits the batch (StartRunBatch), and HealthOmics starts its runs one after the other, as fast as
    the account's quota of StartRun allows; ``cdk destroy`` cancels it (CancelRunBatch) and waits, up to an hour, until
    none of its runs is active. A change of anything that defines it, one sample's setting included, starts a new batch
    and cancels the old one: samples that come later are better a batch of their own, and a run cache makes it cheap to
    run again what has run already. A change of tags only changes the batch's own; its runs keep those that they were
    started with.

    Documents and values that are known at deployment only reach the workflow as those of a :class:`HealthOmicsRun` do.
    """

    _kind = BATCH

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        run_settings: Iterable[RunSetting | Mapping[str, Any]] | None = None,
        run_settings_uri: str | None = None,
        workflow_id: str | None = None,
        workflow: "aws_omics.CfnWorkflow | aws_omics.CfnWorkflowVersion | None" = None,
        workflow_type: WorkflowType | str | None = None,
        workflow_owner_id: str | None = None,
        workflow_version_name: str | None = None,
        role: aws_iam.IRole | None = None,
        batch_name: str | None = None,
        name: str | None = None,
        output_uri: str | None = None,
        output_bucket_owner_id: str | None = None,
        parameters: Mapping[str, Any] | None = None,
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
        session_policy: str | aws_iam.PolicyDocument | None = None,
        tags: Mapping[str, str] | None = None,
        run_tags: Mapping[str, str] | None = None,
        wait_for: WaitFor | str | None = None,
        max_failed_runs: int | None = None,
        timeout: Duration | None = None,
        rerun_trigger: str | None = None,
        removal_policy: RemovalPolicy | None = None,
        provider: "HealthOmicsRunProvider | None" = None,
    ) -> None:
        """Declare a batch.

        Each argument but ``run_settings`` and those after ``run_tags`` is the member of StartRunBatch, or of its
        DefaultRunSetting, of the same name in camelCase: what holds for every run of the batch. What is not described
        here is as in :class:`HealthOmicsRun`. A batch has no Ready2Run workflows, no rerun of an earlier run, no
        ``parameters_uri`` and no ``output_uri_prefix_mode``, for HealthOmics has none there.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there. A change of it makes another resource, hence another batch.
            run_settings: what each run has of its own: 1 to 100,000 :class:`RunSetting`, or dicts of their arguments,
                of any iterable, which is read once. Up to 100 that are small (20,000 bytes of JSON in all), or of which
                something is known at deployment only, become part of the template; others a file, which the CDK puts
                beside its other assets on S3 and the role may read. Exactly one of this and ``run_settings_uri`` must
                be given.
            run_settings_uri: a JSON file on S3 with the settings instead, 1 to 750 characters: an array as the API has
                it (``runSettingId``). The role must be allowed to read it. A file that changes before HealthOmics has
                read it fails the batch; another content under the same URI is no change: see ``rerun_trigger``.
            workflow_id: the private workflow to run, up to 18 digits. Exactly one of this and ``workflow`` must be
                given.
            workflow: the workflow to run where it is declared in the same app: the names of ``parameters``, with those
                of ``run_settings``, are then compared with its parameter template.
            workflow_type: PRIVATE, if anything.
            workflow_owner_id: the account of 12 digits that shares the workflow.
            workflow_version_name: the version of the workflow, 1 to 64 characters.
            role: the service role of the runs (``roleArn``). Default: one is made that may write the runs' logs and
                metrics; grant it the inputs and outputs, ``bucket.grant_read_write(cohort.role)``.
            batch_name: of the batch, 1 to 64 characters. Default: ``<stack name>-<logical id>``.
            name: of each run that has none of its own, 1 to 128 characters. Default: none.
            output_uri: where the runs' outputs go: an S3 URI of 1 to 750 characters. It may be left out where each
                setting has its own.
            output_bucket_owner_id: the account of 12 digits that owns the bucket of ``output_uri``.
            parameters: the workflow's inputs that all runs share, a JSON object of at most 50,000 bytes; a run's own
                win, name by name.
            engine_settings: settings of the workflow engine, a JSON object.
            run_group_id: the run group whose limits hold for the runs, up to 18 digits.
            run_group: the run group where it is declared in the same app, instead of ``run_group_id``.
            priority: of the runs within the run group, 0 to 100000.
            cache_id: the run cache to use, up to 18 digits.
            run_cache: the run cache where it is declared in the same app, instead of ``cache_id``.
            cache_behavior: overrides the run cache's own behavior; needs ``cache_id`` or ``run_cache``.
            storage_type: STATIC or DYNAMIC.
            storage_capacity: of each run in GiB, 0 to 100000; HealthOmics rounds it up, and ignores it with DYNAMIC
                storage.
            scratch_storage_mode: LOCAL or SHARED.
            networking_mode: RESTRICTED or VPC; VPC needs ``configuration_name`` or ``configuration``.
            configuration_name: the configuration that holds the VPC, 1 to 128 characters.
            configuration: the configuration where it is declared in the same app, instead of ``configuration_name``.
            requester_pays_enabled: whether inputs may come from Requester Pays buckets, at your account's cost.
            log_level: OFF, FATAL, ERROR or ALL.
            retention_mode: RETAIN or REMOVE.
            session_policy: narrows the role down for the runs: a JSON policy of at most 2,048 characters.
            tags: of the batch and, when they are started, of its runs; at most 43. They win over those of
                ``Tags.of(…)``, which win over the ``tags`` that the stack has when its first run is declared.
            run_tags: of the runs only, at most 49 with ``tags``; they win over those. Another value is another batch.
            wait_for: how far the batch must have come before its resource counts as created or updated. SUBMITTED, the
                default, waits for nothing; COMPLETED waits until all runs have ended, and a batch of which more than
                ``max_failed_runs`` failed fails the deployment, with the first of them and why.
            max_failed_runs: how many runs may fail, or not be submitted, with ``wait_for``: from 0. Default: 0.
            timeout: how long is waited, as for a run: up to 7 days with ``wait_for``. HealthOmics starts one run a
                second where the account's quota is the default. Default: 60 minutes.
            rerun_trigger: any text; a change of it starts a new batch where nothing else has changed.
            removal_policy: what happens to the batch and its runs when the resource is removed or replaced. DESTROY,
                the default, cancels them; RETAIN leaves them alone, even when the stack's creation is rolled back;
                RETAIN_ON_UPDATE_OR_DELETE leaves them alone but for that.
            provider: the function behind the batch, of the same stack. Default: the stack's own, which all its runs and
                batches share.

        Raises:
            ValidationError: arguments are missing or wrong; the message lists all of them, of ``run_settings`` the
                first twenty.
        """
        arguments = declared.given(locals())
        settings = Settings(arguments.pop("run_settings", None), arguments)
        with settings:
            super().__init__(scope, construct_id, arguments, batch_checks.problems(arguments, settings))
            self._settings = settings
            self._declare(self._own_properties(settings))

    @property
    def batch_id(self) -> str:
        """The id of the batch."""
        return self._attribute(BatchAttribute.BATCH_ID)

    @property
    def batch_arn(self) -> str:
        """The ARN of the batch."""
        return self._attribute(BatchAttribute.BATCH_ARN)

    @property
    def batch_uuid(self) -> str:
        """The batch's UUID."""
        return self._attribute(BatchAttribute.BATCH_UUID)

    @property
    def total_runs(self) -> str:
        """How many runs it has, as text; empty where HealthOmics had not told when CloudFormation was answered last.

        ``Token.as_number(…)`` makes a number of it where its completion was waited for.
        """
        return self._attribute(BatchAttribute.TOTAL_RUNS)

    @property
    def failed_runs(self) -> str:
        """How many of them failed, or were not submitted, likewise; empty unless its completion was waited for."""
        return self._attribute(BatchAttribute.FAILED_RUNS)

    @property
    def grants(self) -> BatchGrants:
        """What others may be allowed on the batch and its runs, in the CDK's present way: ``cohort.grants.read(…)``."""
        return BatchGrants(self, self._granted_arn)

    @property
    def _parameter_names(self) -> Collection[str] | None:
        shared, own = super()._parameter_names, self._settings.parameters
        return None if shared is None or own is None else {**dict.fromkeys(shared), **own}

    def _own_properties(self, settings: Settings) -> Mapping[str, Any]:
        """The properties that carry what each run has of its own, unless the user's file does."""
        if not settings.given:
            return {}
        if settings.inline is not None:
            return document(self, self._stack, INLINE_SETTINGS, "run_settings", settings.inline, told=settings.told)
        file = aws_s3_assets.Asset(self, "RunSettings", path=str(file_of(self, settings.path)))
        # This file only: what the runs' tasks are has the role's permissions, and the bucket holds every app's assets.
        readable = aws_iam.PolicyStatement(
            actions=["s3:GetObject"], resources=[file.bucket.arn_for_objects(file.s3_object_key)]
        )
        if pretends(self._role, self._role.add_to_principal_policy(readable)):
            cautions.of_settings_file(self, self._role, self._stack.resolve(readable.to_statement_json()))
        return {property_name(S3_SETTINGS): file.s3_object_url}
