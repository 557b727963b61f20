"""A run of a Ready2Run workflow, which AWS or a partner publishes: its id says which, and no code of yours is needed.

    npx cdk deploy --app "python examples/ready2run.py" -c workflow_id=9500764 -c bucket=my-bucket \
        -c parameters_file=inputs.json

``aws omics list-workflows --type READY2RUN`` lists them, ``aws omics get-workflow --type READY2RUN --id …`` shows a
workflow's parameters. The price of such a run is fixed.
"""

import sys

from aws_cdk import App, CfnOutput, Stack, aws_s3

from cdk_healthomics import HealthOmicsRun, WorkflowType, read_parameters

app = App()
workflow_id = app.node.try_get_context("workflow_id")
bucket_name = app.node.try_get_context("bucket")
parameters_file = app.node.try_get_context("parameters_file")
if not (workflow_id and bucket_name and parameters_file):
    sys.exit("Say what to run: -c workflow_id=… -c bucket=… -c parameters_file=…")

try:
    parameters = read_parameters(parameters_file)
except ValueError as error:
    sys.exit(f"parameters_file was {parameters_file!r}: {error}; must be a JSON file with the workflow's inputs")

stack = Stack(app, "Ready2Run")
bucket = aws_s3.Bucket.from_bucket_name(stack, "Bucket", bucket_name)
run = HealthOmicsRun(
    stack,
    "Run",
    workflow_id=workflow_id,
    workflow_type=WorkflowType.READY2RUN,
    output_uri=bucket.s3_url_for_object("runs"),
    parameters=parameters,
)
bucket.grant_read_write(run.role)
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
