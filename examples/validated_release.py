"""A version of a workflow is released only after a validation run of it has completed, within twelve hours.

    npx cdk deploy --app "python examples/validated_release.py" -c version=2026-11

The deployment makes the version, runs it on a known sample and waits. Only then does the parameter
``/workflows/greeting/released`` name the version, for the pipelines that start runs by it. Where the validation fails
the deployment does, says which tasks failed, and is rolled back: the parameter still names the version before.
``cdk deploy`` shows a line an hour meanwhile; it may take longer than your own session lasts where CloudFormation works
with a role of its own, as with ``cdk bootstrap`` it does.
"""

import sys
from pathlib import Path

from aws_cdk import App, Duration, Stack, aws_omics, aws_s3, aws_s3_assets, aws_ssm

from cdk_healthomics import HealthOmicsRun, WaitFor

DEFINITION = Path(__file__).parent / "workflows" / "greeting"
PARAMETERS = {"sample_name": "who is greeted", "copies": "how often", "container": "an image in this account's ECR"}

app = App()
version = app.node.try_get_context("version")
if not version:
    sys.exit("Say which version is released: -c version=2026-11")
stack = Stack(app, "ValidatedRelease")
results = aws_s3.Bucket(stack, "Results")
definition = aws_s3_assets.Asset(stack, "Definition", path=str(DEFINITION)).s3_object_url

workflow = aws_omics.CfnWorkflow(
    stack,
    "Workflow",
    name="greeting",
    engine="WDL",
    main="main.wdl",
    definition_uri=definition,
    parameter_template={
        name: aws_omics.CfnWorkflow.WorkflowParameterProperty(description=described)
        for name, described in PARAMETERS.items()
    },
)
candidate = aws_omics.CfnWorkflowVersion(
    stack,
    "Candidate",
    workflow_id=workflow.ref,
    version_name=version,
    engine="WDL",
    main="main.wdl",
    definition_uri=definition,
    parameter_template={
        name: aws_omics.CfnWorkflowVersion.WorkflowParameterProperty(description=described)
        for name, described in PARAMETERS.items()
    },
)

validation = HealthOmicsRun(
    stack,
    "Validation",
    workflow=candidate,
    output_uri=results.s3_url_for_object(f"validations/{version}"),
    parameters={
        "sample_name": "NA12878",
        "copies": 1,
        "container": f"{stack.account}.dkr.ecr.{stack.region}.amazonaws.com/ubuntu:24.04",
    },
    wait_for=WaitFor.COMPLETED,
    timeout=Duration.hours(12),
)
results.grant_read_write(validation.role)

released = aws_ssm.StringParameter(
    stack, "Released", parameter_name="/workflows/greeting/released", string_value=version
)
released.node.add_dependency(validation)
app.synth()
