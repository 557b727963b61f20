"""A deployment that is done when its run is, and people who are told when it fails.

    npx cdk deploy --app "python examples/wait_and_notify.py" -c email=lab@example.org

A run may be waited for up to seven days (``examples/validated_release.py``). Without ``wait_for`` the rule tells of its
end, whenever that is. What needs the run in the stack, such as the parameter here, is made when it has completed.
"""

import sys

from aws_cdk import App, Duration, Stack, aws_events_targets, aws_s3, aws_sns, aws_sns_subscriptions, aws_ssm

from cdk_healthomics import HealthOmicsRun, WaitFor

app = App()
email = app.node.try_get_context("email")
if not email:
    sys.exit("Say who is told: -c email=…")

stack = Stack(app, "WaitAndNotify")
results = aws_s3.Bucket(stack, "Results")
lab = aws_sns.Topic(stack, "Lab")
lab.add_subscription(aws_sns_subscriptions.EmailSubscription(email))

run = HealthOmicsRun(
    stack,
    "Run",
    workflow_id="1234567",
    output_uri=results.s3_url_for_object("runs"),
    parameters={"sample_name": "NA12878"},
    wait_for=WaitFor.COMPLETED,
    timeout=Duration.minutes(45),
)
results.grant_read_write(run.role)
run.on_failed("Failed", target=aws_events_targets.SnsTopic(lab))
aws_ssm.StringParameter(stack, "Latest", parameter_name="/lab/latest-run", string_value=run.run_output_uri)
app.synth()
