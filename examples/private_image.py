"""A private image, its repository in ECR, and a run that uses it.

    npx cdk deploy --app "python examples/private_image.py"
    npx cdk deploy --app "python examples/private_image.py" -c tag=1.0

The first command makes the repository. Push the image; the second
command starts the run. ``run.grant_pull`` is all that it needs: it gives the run's role the pull, and the repository
its policy. Where a repository is not the app's own, synthesis tells the statement to add to its policy.
"""

from aws_cdk import App, CfnOutput, Stack, aws_ecr, aws_s3

from cdk_healthomics import HealthOmicsRun

app = App()
stack = Stack(app, "PrivateImage")
results = aws_s3.Bucket(stack, "Results")
tools = aws_ecr.Repository(stack, "Tools", image_tag_mutability=aws_ecr.TagMutability.IMMUTABLE)
CfnOutput(stack, "PushTo", value=tools.repository_uri)

tag = app.node.try_get_context("tag")
if tag:
    run = HealthOmicsRun(
        stack,
        "Run",
        workflow_id="1234567",
        output_uri=results.s3_url_for_object("runs"),
        parameters={"sample_name": "NA12878", "container": tools.repository_uri_for_tag(tag)},
    )
    results.grant_read_write(run.role)
    run.grant_pull(tools)
    CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
