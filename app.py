"""The demo app: one stack, one run. What it runs is taken from CDK context; README.md tells how to deploy it to AWS."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT / "constructs"), str(ROOT / "lambda")]  # as `pip install .` would have it

from aws_cdk import App, CfnOutput, Stack, Tags, aws_s3  # noqa: E402

from cdk_healthomics import HealthOmicsRun, ValidationError, read_parameters  # noqa: E402


def from_context(app: App) -> dict[str, Any]:
    """What to run, as HealthOmicsRun takes it; where something is missing or wrong, one message lists it all."""
    wanted: dict[str, tuple[str, str, Callable[[str], Any]]] = {
        "workflow_id": ("workflow_id", "the workflow to run, such as 1234567", str),
        "output_uri": ("output_uri", "where outputs go, such as s3://bucket/runs", str),
        "parameters_file": ("parameters", "a JSON file with the workflow's inputs", read_parameters),
    }
    found: dict[str, Any] = {}
    problems = []
    for key, (argument, meaning, read) in wanted.items():
        value = app.node.try_get_context(key)
        if value is None or value == "":
            problems.append(f"{key} is missing: {meaning}; give it with -c {key}=…")
            continue
        try:
            found[argument] = read(str(value))
        except ValueError as error:
            problems.append(f"{key} was {value!r}: {error}; must be {meaning}")
    if problems:
        sys.exit("The app's context is not complete:" + "".join(f"\n  - {problem}" for problem in problems))
    return found


def make_stack(app: App) -> Stack:
    """The stack of the demo.

    Raises:
        ValidationError: HealthOmicsRun refuses what the context says.
    """
    asked = from_context(app)
    stack = Stack(app, "HealthOmicsDemo")
    Tags.of(stack).add("project", "healthomics-demo")
    run = HealthOmicsRun(stack, "Run", **asked)
    # Enough for inputs and outputs in one bucket; inputs elsewhere need a grant of their own.
    uri = asked["output_uri"]
    try:
        bucket = aws_s3.Bucket.from_bucket_name(stack, "Bucket", urlsplit(uri).netloc)
    except (RuntimeError, ValueError) as error:  # what the CDK, or Python, says of a name that no bucket can have
        sys.exit(f"output_uri was {uri!r}: {error}")
    bucket.grant_read_write(run.role)
    CfnOutput(stack, "RunId", value=run.run_id)
    CfnOutput(stack, "RunOutputUri", value=run.run_output_uri)
    return stack


if __name__ == "__main__":
    demo = App()
    try:
        make_stack(demo)
    except ValidationError as error:
        sys.exit(str(error))
    demo.synth()
