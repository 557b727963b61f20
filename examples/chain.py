"""Two runs, the second of which reads what the first has written.

    npx cdk deploy --app "python examples/chain.py"

The first run's output URI stands in the second one's parameters, so the second is started after the first. That the
first has completed by then is what ``wait_for`` is for. Where its parameters change, both run anew.
"""

from aws_cdk import App, CfnOutput, Duration, Stack, aws_s3

from cdk_healthomics import HealthOmicsRun, RunRole, WaitFor

app = App()
stack = Stack(app, "Chain")
results = aws_s3.Bucket(stack, "Results")
role = RunRole(stack, "Role")
results.grant_read_write(role)

alignment = HealthOmicsRun(
    stack,
    "Alignment",
    workflow_id="1234567",
    output_uri=results.s3_url_for_object("alignments"),
    parameters={"sample_name": "NA12878", "reads": "s3://my-bucket/NA12878/"},
    role=role,
    wait_for=WaitFor.COMPLETED,
    timeout=Duration.minutes(60),
)
alignment.grant_read_inputs()

calling = HealthOmicsRun(
    stack,
    "Calling",
    workflow_id="7654321",
    output_uri=results.s3_url_for_object("variants"),
    parameters={"sample_name": "NA12878", "alignments": alignment.run_output_uri},
    role=role,
)
CfnOutput(stack, "RunOutputUri", value=calling.run_output_uri)
app.synth()
