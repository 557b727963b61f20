"""A workflow of your own, and a run of it, in one stack: workflow, run group, run cache and bucket are made with it.

    npx cdk deploy --app "python examples/private_workflow.py"

The run waits for all of them. They outlive it: a run group can only be deleted when its runs have ended, and the run's
deletion waits for that. The names of ``parameters`` are compared with the workflow's parameter template at synth time.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack, aws_ecr, aws_omics, aws_s3, aws_s3_assets

from cdk_healthomics import CacheBehavior, HealthOmicsRun, StorageType

DEFINITION = Path(__file__).parent / "workflows" / "greeting"

app = App()
stack = Stack(app, "PrivateWorkflow")
results = aws_s3.Bucket(stack, "Results")
containers = aws_ecr.Repository.from_repository_name(stack, "Containers", "ubuntu")

definition = aws_s3_assets.Asset(stack, "Definition", path=str(DEFINITION))  # HealthOmics takes a folder as a zip
workflow = aws_omics.CfnWorkflow(
    stack,
    "Workflow",
    name="greeting",
    engine="WDL",
    main="main.wdl",
    definition_uri=definition.s3_object_url,
    parameter_template={
        "sample_name": aws_omics.CfnWorkflow.WorkflowParameterProperty(description="who is greeted"),
        "copies": aws_omics.CfnWorkflow.WorkflowParameterProperty(description="how often"),
        "container": aws_omics.CfnWorkflow.WorkflowParameterProperty(description="an image in this account's ECR"),
    },
)
group = aws_omics.CfnRunGroup(stack, "Group", name="greetings", max_cpus=16, max_runs=2, max_duration=600)
cache = aws_omics.CfnRunCache(
    stack,
    "Cache",
    cache_behavior=CacheBehavior.CACHE_ON_FAILURE,
    cache_s3_location=results.s3_url_for_object("cache"),
)

run = HealthOmicsRun(
    stack,
    "Run",
    workflow=workflow,
    output_uri=results.s3_url_for_object("runs"),
    parameters={
        "sample_name": "NA12878",
        "copies": 3,
        "container": containers.repository_uri_for_tag("24.04"),
    },
    run_group=group,
    priority=10,
    run_cache=cache,
    cache_behavior=CacheBehavior.CACHE_ALWAYS,
    storage_type=StorageType.DYNAMIC,
)
results.grant_read_write(run.role)
run.grant_pull(containers)
CfnOutput(stack, "RunOutputUri", value=run.run_output_uri)
app.synth()
