"""An app that was not set up for rules: each tool must have something to say of it.

Its other provider writes traces, and one run is the rerun of another: with that and examples/regulated.py, every
wildcard that the library has an answer for is there.
"""

from aws_cdk import App, Stack, aws_lambda

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunProvider, WaitFor

app = App()
stack = Stack(app, "Unregulated")
HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", wait_for=WaitFor.COMPLETED)
HealthOmicsRun(
    stack,
    "Rerun",
    run_id="1234567",
    output_uri="s3://bucket/runs",
    provider=HealthOmicsRunProvider(stack, "Traced", tracing=aws_lambda.Tracing.ACTIVE),
)
app.synth()
