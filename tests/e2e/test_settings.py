"""The real CDK CLI on the local AWS: what an app sets beside the run's arguments holds when it is deployed."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import (
    Aspects,
    Duration,
    IAspect,
    RemovalPolicies,
    RemovalPolicy,
    Stack,
    aws_events_targets,
    aws_iam,
    aws_lambda,
)

from cdk_healthomics import HealthOmicsRun
from constructs import IConstruct
from local_aws.process import LocalAws
from tests.e2e.conftest import Deployment


@jsii.implements(IAspect)
class RolesOfAnOrganisation:
    """Every role has a path, and a name, that its rules ask for."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, aws_iam.CfnRole):
            node.add_property_override("Path", "/org/")


def runs_that_follow_one_another(stack: Stack, **arguments: Any) -> list[HealthOmicsRun]:
    first, second = (
        HealthOmicsRun(stack, name, workflow_id="1234567", output_uri="s3://bucket/runs", **arguments)
        for name in ("First", "Second")
    )
    second.node.add_dependency(first)
    return [first, second]


def test_a_retained_run_that_an_app_destroys_is_cancelled_and_one_that_it_retains_stays(deployment: Deployment) -> None:
    def destroyed(stack: Stack) -> None:
        HealthOmicsRun(
            stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", removal_policy=RemovalPolicy.RETAIN
        )
        RemovalPolicies.of(stack).destroy()

    def retained(stack: Stack) -> None:
        HealthOmicsRun(stack, "Other", workflow_id="1234567", output_uri="s3://bucket/runs")
        RemovalPolicies.of(stack).retain(apply_to_resource_types=["Custom::HealthOmicsRun"])

    deployment.deploy(destroyed)
    deployment.deploy(retained)
    gone, kept = deployment.runs()
    assert (gone["status"], deployment.active()) == ("CANCELLED", [kept["id"]])
    deployment.destroy()
    assert deployment.active() == [kept["id"]]
    iam = deployment.aws.client("iam")
    assert kept["roleArn"] in {each["Arn"] for each in iam.list_roles()["Roles"]}, "a run that stays needs its role"


def test_roles_that_an_organisation_puts_elsewhere_may_be_passed(deployment: Deployment) -> None:
    def declare(stack: Stack) -> None:
        runs_that_follow_one_another(stack)
        Aspects.of(stack).add(RolesOfAnOrganisation())

    deployment.deploy(declare)
    passed = passed_by(deployment.aws, deployment.name)
    for run in deployment.runs():
        assert ":role/org/" in run["roleArn"]
        assert [each for each in passed if fnmatchcase(run["roleArn"], each)], (run["roleArn"], passed)
    deployment.destroy()
    assert deployment.active() == []


def passed_by(aws: LocalAws, stack: str) -> list[str]:
    """The roles that the function of a stack may pass."""
    iam = aws.client("iam")
    resources = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    (role,) = (
        each["PhysicalResourceId"]
        for each in resources
        if each["LogicalResourceId"].startswith("HealthOmicsRunProviderRole")
    )
    document = iam.get_role_policy(RoleName=role, PolicyName="Runs")["PolicyDocument"]
    found = [each["Resource"] for each in document["Statement"] if each["Action"] == "iam:PassRole"]
    return [part for each in found for part in (each if isinstance(each, list) else [each])]


def test_without_staging_the_function_is_whole(deployment: Deployment, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(
        "from aws_cdk import App, Stack\n"
        "from cdk_healthomics import HealthOmicsRun\n"
        f"app = App()\nstack = Stack(app, {deployment.name!r})\n"
        "HealthOmicsRun(stack, 'Run', workflow_id='1234567', output_uri='s3://bucket/runs')\n"
        "app.synth()\n"
    )
    root = Path(__file__).parents[2]
    said = deployment.aws.cdk(
        "deploy",
        "--app",
        f"python {app}",
        "--no-staging",
        "--require-approval",
        "never",
        cwd=tmp_path,
        check=False,
        PYTHONPATH=f"{root / 'constructs'}:{root / 'lambda'}",
    )
    assert said.returncode == 0, said.stdout
    assert len(deployment.active()) == 1
    deployment.destroy()
    assert deployment.active() == []


def test_a_function_that_hears_of_a_run_may_read_it(deployment: Deployment) -> None:
    def declare(stack: Stack) -> None:
        function = aws_lambda.Function(
            stack,
            "Function",
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            handler="index.handler",
            timeout=Duration.seconds(5),
            code=aws_lambda.Code.from_inline("def handler(event, context): pass"),
        )
        for run in runs_that_follow_one_another(stack):
            run.grant_read(function)
            run.on_failed("Failed", target=aws_events_targets.LambdaFunction(function))

    deployment.deploy(declare)
    assert len(deployment.active()) == 2
    deployment.destroy()
    assert deployment.active() == []
