"""An earlier run again, with its workflow, parameters and settings; what is given here is used instead of its own.

    npx cdk deploy --app "python examples/rerun.py" -c run_id=1234567 -c bucket=my-bucket -c attempt=1

Another ``attempt`` runs it once more: ``rerun_trigger`` may be anything, and any change of it starts a new run.
"""

import sys

from aws_cdk import App, CfnOutput, Stack, aws_s3

from cdk_healthomics import HealthOmicsRun, RetentionMode

app = App()
run_id = app.node.try_get_context("run_id")
bucket_name = app.node.try_get_context("bucket")
if not (run_id and bucket_name):
    sys.exit("Say which run, and where outputs go: -c run_id=… -c bucket=…")

stack = Stack(app, "Rerun")
bucket = aws_s3.Bucket.from_bucket_name(stack, "Bucket", bucket_name)
run = HealthOmicsRun(
    stack,
    "Run",
    run_id=run_id,
    output_uri=bucket.s3_url_for_object("reruns"),
    retention_mode=RetentionMode.REMOVE,
    rerun_trigger=app.node.try_get_context("attempt"),
)
bucket.grant_read_write(run.role)
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
