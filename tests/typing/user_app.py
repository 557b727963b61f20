"""A user's app, for mypy alone (`make lint`): what is right has the types it says, and each mistake is an error.

Strict mypy fails where an ignored error is no error any more.
"""

from typing import assert_type

from aws_cdk import App, Duration, Stack, aws_ecr, aws_events, aws_iam, aws_omics

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, IHealthOmicsRun, RunSetting, StorageType, WaitFor

stack = Stack(App(), "Genomes")
workflow = aws_omics.CfnWorkflow(stack, "Workflow", definition_uri="s3://bucket/workflow.zip")
run = HealthOmicsRun(
    stack,
    "Run",
    workflow=workflow,
    output_uri="s3://bucket/runs",
    parameters={"scatter": 24, "nested": {"dry_run": [True, None, 1.0]}},
    storage_type=StorageType.DYNAMIC,
    log_level="ALL",
    run_group=aws_omics.CfnRunGroup(stack, "Group", max_runs=2),
    run_cache=aws_omics.CfnRunCache(stack, "Cache", cache_s3_location="s3://bucket/cache"),
    wait_for=WaitFor.COMPLETED,
    timeout=Duration.minutes(30),
    tags={"project": "1000G"},
)
assert_type(run.run_id, str)
assert_type(run.run_uuid, str)
assert_type(run.status, str)
assert_type(run.role, aws_iam.IRole)
assert_type(run.on_failed("Failed"), aws_events.Rule)
assert_type(run.grant_read(run.role), aws_iam.Grant)
assert_type(run.grant_read_inputs(), aws_iam.Grant)
assert_type(run.grant_pull(aws_ecr.Repository(stack, "Tools")), aws_iam.Grant)
any_run: IHealthOmicsRun = run
any_run = HealthOmicsRun.from_run_attributes(stack, "Theirs", run_id="1", name="build")
assert_type(any_run.run_uuid, str)
assert_type(any_run.on_completed("Completed"), aws_events.Rule)
any_run.grant_read_inputs()  # type: ignore[attr-defined]

cohort = HealthOmicsRunBatch(
    stack,
    "Cohort",
    workflow=workflow,
    output_uri="s3://bucket/cohort",
    parameters={"ref": "s3://bucket/ref.fa"},
    run_settings=(RunSetting(each, parameters={"sample": each}, priority=7) for each in ("NA12878", "NA12891")),
    wait_for=WaitFor.COMPLETED,
    max_failed_runs=1,
    timeout=Duration.hours(30),
)
assert_type(cohort.batch_id, str)
assert_type(cohort.failed_runs, str)
assert_type(cohort.role, aws_iam.IRole)
assert_type(cohort.on_completed("Completed"), aws_events.Rule)
assert_type(cohort.grant_cancel(cohort.role), aws_iam.Grant)
any_run = cohort  # type: ignore[assignment]
RunSetting("A", run_tags={"a": 1})  # type: ignore[dict-item]
RunSetting("A", "name")  # type: ignore[call-arg]
HealthOmicsRunBatch(stack, "I", workflow_id="1", run_settings=["A"])  # type: ignore[list-item]
HealthOmicsRunBatch(stack, "J", workflow_id="1", run_settings=[{"run_setting_id": "A"}], run_id="1")  # type: ignore[call-arg]

HealthOmicsRun(stack, "A", workflow_id=1234567, output_uri="s3://b")  # type: ignore[arg-type]
HealthOmicsRun(stack, "B", workflow_id="1")  # type: ignore[call-arg]
HealthOmicsRun(stack, "C", workflow_id="1", output_uri="s3://b", priority="5")  # type: ignore[arg-type]
HealthOmicsRun(stack, "D", workflow_id="1", output_uri="s3://b", tags={"a": 1})  # type: ignore[dict-item]
HealthOmicsRun(stack, "E", workflow_id="1", output_uri="s3://b", timeout=30)  # type: ignore[arg-type]
HealthOmicsRun(stack, "F", workflow_id="1", output_uri="s3://b", role="arn:x")  # type: ignore[arg-type]
HealthOmicsRun(stack, "G", workflow_id="1", output_uri="s3://b", request_id="x")  # type: ignore[call-arg]
HealthOmicsRun(stack, "H", workflow_id="1", output_uri="s3://b", run_group="12")  # type: ignore[arg-type]
