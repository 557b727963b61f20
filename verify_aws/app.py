"""The app that ``make verify-aws`` deploys: the greeting workflow, a run of it by the construct, roles, the probe."""

from pathlib import Path
from typing import Final

from aws_cdk import (
    App,
    CfnOutput,
    Duration,
    RemovalPolicy,
    Stack,
    Tags,
    aws_events,
    aws_events_targets,
    aws_iam,
    aws_lambda,
    aws_omics,
    aws_s3,
    aws_s3_assets,
)

from cdk_healthomics import HealthOmicsRun, RunRole, StorageType
from verify_aws.names import CANCELLABLE, PROBE, REPOSITORY, RUN_NAME, STACK, STACK_RUN_NAME, TAG

HERE: Final = Path(__file__).parent
WORKFLOW: Final = HERE.parent / "examples" / "workflows" / "greeting"


def make_stack(app: App) -> Stack:
    """Declare everything that the experiments need."""
    stack = Stack(app, STACK)
    Tags.of(stack).add(TAG, app.node.try_get_context("session") or "synth")
    bucket = aws_s3.Bucket(stack, "Bucket", removal_policy=RemovalPolicy.DESTROY)
    definition = aws_s3_assets.Asset(stack, "Definition", path=str(WORKFLOW))
    described = aws_omics.CfnWorkflow.WorkflowParameterProperty
    workflow = aws_omics.CfnWorkflow(
        stack,
        "Workflow",
        name=RUN_NAME,
        engine="WDL",
        main="main.wdl",
        definition_uri=definition.s3_object_url,
        parameter_template={name: described(description=name) for name in ("sample_name", "copies", "container")},
    )
    group = aws_omics.CfnRunGroup(stack, "Group", name=RUN_NAME, max_runs=1)
    image = app.node.try_get_context("image")
    image = image or f"{stack.account}.dkr.ecr.{stack.region}.{stack.url_suffix}/{REPOSITORY}"
    run = HealthOmicsRun(
        stack,
        "Run",
        workflow=workflow,
        name=STACK_RUN_NAME,
        output_uri=bucket.s3_url_for_object("runs"),
        parameters={"sample_name": "verify", "copies": 1, "container": image},
        storage_type=StorageType.DYNAMIC,
    )
    shared = RunRole(stack, "Shared")
    omics = f"arn:{stack.partition}:omics:{stack.region}:{stack.account}"
    only = {
        kind: aws_iam.Role(
            stack,
            kind,
            assumed_by=aws_iam.ServicePrincipal(
                "omics.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": f"{omics}:{resource}/*"},
                },
            ),
        )
        for kind, resource in (("OnlyRuns", "run"), ("OnlyBatches", "runBatch"))
    }
    nobody = aws_iam.Role(stack, "Nobody", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
    readers = [run.role, shared, *only.values()]
    for reader in readers:
        bucket.grant_read_write(reader)
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    repositories = f"arn:{stack.partition}:ecr:{stack.region}:{stack.account}:repository/*"
    for reader in readers:
        reader.add_to_principal_policy(aws_iam.PolicyStatement(actions=pull, resources=[repositories]))

    canceller = aws_iam.Role(stack, "Canceller", assumed_by=aws_iam.AccountRootPrincipal())
    canceller.add_to_policy(
        aws_iam.PolicyStatement(
            actions=["omics:CancelRun"],
            resources=[f"{omics}:run/*"],
            conditions={"StringEquals": {f"aws:ResourceTag/{CANCELLABLE}": "yes"}},
        )
    )
    _add_probe(stack, bucket)
    outputs = {
        "Bucket": bucket.bucket_name,
        "WorkflowId": workflow.ref,
        "GroupId": group.ref,
        "RunId": run.run_id,
        "Image": image,
        "SharedRole": shared.role_arn,
        "OnlyRunsRole": only["OnlyRuns"].role_arn,
        "OnlyBatchesRole": only["OnlyBatches"].role_arn,
        "NobodyRole": nobody.role_arn,
        "CancellerRole": canceller.role_arn,
    }
    for name, value in outputs.items():
        CfnOutput(stack, f"Verify{name}", value=value)
    return stack


def _add_probe(stack: Stack, bucket: aws_s3.Bucket) -> None:
    probe = aws_lambda.Function(
        stack,
        "Probe",
        function_name=PROBE,
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=aws_lambda.Code.from_inline((HERE / "probe.py").read_text(encoding="utf-8")),
        environment={"BUCKET": bucket.bucket_name},
        timeout=Duration.minutes(2),
    )
    bucket.grant_put(probe)
    probe.add_to_role_policy(
        aws_iam.PolicyStatement(
            actions=["cloudformation:DescribeStackResource"],
            resources=[f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:stack/{STACK}*/*"],
        )
    )
    aws_events.Rule(
        stack,
        "RunEvents",
        event_pattern=aws_events.EventPattern(source=["aws.omics"], detail_type=["Run Status Change"]),
        targets=[aws_events_targets.LambdaFunction(probe)],
    )


if __name__ == "__main__":
    greeting = App()
    make_stack(greeting)
    greeting.synth()
