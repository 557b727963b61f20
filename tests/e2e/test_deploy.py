"""The real CDK CLI on the local AWS: what HealthOmics holds after each deploy is what it must hold."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import CfnOutput, Stack, Tags

from cdk_healthomics import HealthOmicsRun
from local_aws.process import LocalAws
from tests.e2e.conftest import Declare, Deployment

PARAMETERS = {"sample": "NA12878", "scatter": 24, "dry_run": False, "seed": 2**53 + 1, "nested": {"half": 1.0}}


def one_run(tag: str = "1", **arguments: Any) -> Declare:
    def declare(stack: Stack) -> None:
        asked = {
            "workflow_id": "1234567",
            "output_uri": "s3://bucket/runs",
            "parameters": PARAMETERS,
            "priority": 5,
            "requester_pays_enabled": True,
        }
        run = HealthOmicsRun(stack, "Run", **{**asked, **arguments})
        Tags.of(stack).add("version", tag)
        CfnOutput(stack, "RunId", value=run.run_id)

    return declare


def two_runs(second_workflow: str, **first: Any) -> Declare:
    """A run, and another that comes after it."""

    def declare(stack: Stack) -> None:
        one_run(**first)(stack)
        second = HealthOmicsRun(stack, "Second", workflow_id=second_workflow, output_uri="s3://bucket/runs")
        second.node.add_dependency(stack.node.find_child("Run"))

    return declare


def test_a_stack_lives_changes_and_goes_with_exactly_its_runs(deployment: Deployment) -> None:
    said = deployment.deploy(one_run())
    (run,) = deployment.runs()
    assert f"RunId = {run['id']}" in said
    assert run["parameters"] == PARAMETERS
    assert str(run["parameters"]) == str(PARAMETERS)
    assert (run["priority"], run["requesterPaysEnabled"]) == (5, True)
    assert run["requestId"].startswith(f"{deployment.name}/Run")

    deployment.deploy(one_run(tag="2"))
    (tagged,) = deployment.runs()
    assert tagged["uuid"] == run["uuid"]
    assert tagged["tags"]["version"] == "2"

    deployment.deploy(one_run(tag="2", parameters={"sample": "NA12891"}))
    old, new = deployment.runs()
    assert (old["uuid"], old["status"]) == (run["uuid"], "CANCELLED")
    assert deployment.active() == [new["id"]]

    said = deployment.deploy(one_run(tag="2", workflow_id="404"), fails=True)
    assert "StartRun was refused: ResourceNotFoundException: Workflow 404 does not exist" in said
    assert [each["id"] for each in deployment.runs()] == [old["id"], new["id"]]
    assert deployment.active() == [new["id"]]

    deployment.destroy()
    assert len(deployment.runs()) == 2
    assert deployment.active() == []


def test_a_replacement_that_is_rolled_back_leaves_the_original_run(deployment: Deployment) -> None:
    deployment.deploy(two_runs("1234567"))
    original, other = deployment.runs()
    deployment.deploy(two_runs("404", parameters={"sample": "NA12891"}), fails=True)
    assert deployment.active() == [original["id"], other["id"]]
    assert [run["status"] for run in deployment.runs()].count("CANCELLED") == 1
    deployment.destroy()
    assert deployment.active() == []


def test_a_create_that_fails_leaves_no_run(deployment: Deployment) -> None:
    said = deployment.deploy(two_runs("404"), fails=True)
    assert "Workflow 404 does not exist" in said
    (first,) = deployment.runs()
    assert first["status"] == "CANCELLED"
    deployment.destroy()
    deployment.deploy(one_run())
    assert len(deployment.active()) == 1
    deployment.destroy()
    assert deployment.active() == []


def test_events_that_arrive_twice_and_calls_that_fail_start_one_run(deployment: Deployment, aws: LocalAws) -> None:
    aws.controls.delivery(duplicates=1)
    aws.controls.fault("StartRun", "access-denied", times=2)
    aws.controls.fault("StartRun", "drop-after", times=1)
    try:
        deployment.deploy(one_run())
        assert len(deployment.runs()) == 1
        deployment.destroy()
    finally:
        aws.controls.delivery(duplicates=0)
    assert deployment.active() == []


INCOMPLETE = "The app's context is not complete:"
MISSING = f"""{INCOMPLETE}
  - workflow_id is missing: the workflow to run, such as 1234567; give it with -c workflow_id=…
  - output_uri is missing: where outputs go, such as s3://bucket/runs; give it with -c output_uri=…
  - parameters_file is missing: a JSON file with the workflow's inputs; give it with -c parameters_file=…"""
REFUSED = """HealthOmicsRun at 'HealthOmicsDemo/Run' cannot be made:
  - workflow_id was 'wf': must match [0-9]+
  - output_uri was 'b/r': must be an S3 URI such as 's3://bucket/runs'"""
FILE = "parameters_file=examples/parameters/warp-germline.json"


@pytest.mark.parametrize(
    ("context", "message"),
    [([], MISSING), (["workflow_id=wf", "output_uri=b/r", FILE], REFUSED)],
    ids=["missing", "refused"],
)
def test_wrong_context_of_the_demo_app_is_told_at_once(
    aws: LocalAws, tmp_path: Path, context: list[str], message: str
) -> None:
    flags = [flag for each in context for flag in ("-c", each)]
    done = aws.cdk("synth", "--quiet", "--output", str(tmp_path), *flags, check=False)
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
