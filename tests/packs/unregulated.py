"""An app that was not set up for rules: each tool must have something to say of it.

Its other provider writes traces, one run is the rerun of another, and a batch has its settings in a file: with that
and examples/regulated.py, every wildcard that the library has an answer for is there.
"""

from aws_cdk import App, Stack, aws_lambda

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, HealthOmicsRunProvider, RunSetting, WaitFor

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
HealthOmicsRunBatch(
    stack,
    "Cohort",
    workflow_id="1234567",
    output_uri="s3://bucket/cohort",
    run_settings=(RunSetting(f"S{number}") for number in range(1000)),
)
app.synth()
