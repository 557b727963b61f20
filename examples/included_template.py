"""A workflow that stands in a CloudFormation template of yours, and a run of it.

    npx cdk deploy --app "python examples/included_template.py"

CfnInclude makes constructs of what the template holds. The names of ``parameters`` are compared with the template's
ParameterTemplate at synth time.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack, aws_ecr, aws_omics, aws_s3, aws_s3_assets
from aws_cdk.cloudformation_include import CfnInclude

from cdk_healthomics import HealthOmicsRun

HERE = Path(__file__).parent

app = App()
stack = Stack(app, "IncludedTemplate")
results = aws_s3.Bucket(stack, "Results")
containers = aws_ecr.Repository.from_repository_name(stack, "Containers", "ubuntu")

definition = aws_s3_assets.Asset(stack, "Definition", path=str(HERE / "workflows" / "greeting"))
included = CfnInclude(
    stack,
    "Greeting",
    template_file=str(HERE / "templates" / "greeting.yaml"),
    parameters={"DefinitionUri": definition.s3_object_url},
)
workflow = included.get_resource("Workflow")
assert isinstance(workflow, aws_omics.CfnWorkflow)  # noqa: S101 - for type checkers; get_resource knows no types

run = HealthOmicsRun(
    stack,
    "Run",
    workflow=workflow,
    output_uri=results.s3_url_for_object("runs"),
    parameters={"sample_name": "NA12878", "container": containers.repository_uri_for_tag("24.04")},
)
results.grant_read_write(run.role)
run.grant_pull(containers)
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
