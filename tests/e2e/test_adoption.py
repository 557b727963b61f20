"""A run that was started elsewhere comes into a stack, with the real CDK CLI and CloudFormation's own rules."""

from typing import Any
from uuid import uuid4

from aws_cdk import RemovalPolicy, Stack, aws_iam

from cdk_healthomics import HealthOmicsRun
from cdk_healthomics_handler.names import RELEASED, OwnershipTag
from local_aws.process import LocalAws
from tests.e2e.conftest import Declare, Deployment

ROLE = "arn:aws:iam::000000000000:role/runs"
PARAMETERS = {"sample": "NA12878", "scatter": 24, "half": 1.0, "dry_run": False, "seed": 2**53 + 1}


def declaring(*, second: str | None = None, **arguments: Any) -> Declare:
    """The run, and another one, after it, of a workflow that may not exist."""

    def declare(stack: Stack) -> None:
        run = HealthOmicsRun(
            stack,
            "Run",
            name="by-hand",
            workflow_id="1234567",
            output_uri="s3://bucket/runs",
            parameters=PARAMETERS,
            role=aws_iam.Role.from_role_arn(stack, "Role", ROLE),
            **arguments,
        )
        if second:
            after = HealthOmicsRun(stack, "Second", workflow_id=second, output_uri="s3://bucket/runs")
            after.node.add_dependency(run)

    return declare


def test_a_run_is_given_back_by_a_deployment_that_fails_adopted_by_the_next_and_then_the_stack_s_own(
    deployment: Deployment, aws: LocalAws
) -> None:
    by_hand = aws.client("omics").start_run(
        requestId=str(uuid4()),
        name="by-hand",
        workflowId="1234567",
        outputUri="s3://bucket/runs",
        roleArn=ROLE,
        parameters=PARAMETERS,
    )["id"]

    def run() -> dict[str, Any]:
        return next(each for each in aws.controls.runs() if each["id"] == by_hand)

    adopting = {"adopt_run_id": by_hand, "removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE}
    said = deployment.deploy(declaring(second="404", **adopting), fails=True)
    assert "Workflow 404 does not exist" in said
    assert run()["status"] in {"PENDING", "STARTING", "RUNNING"}
    assert run()["tags"] == {OwnershipTag.DEFINITION: RELEASED}
    deployment.destroy()

    deployment.deploy(declaring(**adopting))
    assert [each["id"] for each in deployment.runs()] == [by_hand]
    deployment.deploy(declaring())
    assert deployment.active() == [by_hand]
    deployment.destroy()
    assert run()["status"] == "CANCELLED"
