"""A stack full of runs, and apps of many stacks."""

import json
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Environment, Stack, Stage, aws_iam
from aws_cdk.assertions import Template

from cdk_healthomics import HealthOmicsRun, WaitFor
from cdk_healthomics_handler.names import RESOURCE_TYPE
from constructs import Construct

MOST_RESOURCES = 500
LARGEST_TEMPLATE = 1_000_000
"""CloudFormation's quotas."""


def declare(scope: Construct, count: int, **arguments: Any) -> None:
    role = aws_iam.Role.from_role_arn(scope, "GivenRole", "arn:aws:iam::123456789012:role/run")
    for index in range(count):
        HealthOmicsRun(
            scope,
            f"Sample{index:05}",
            workflow_id="1234567",
            output_uri="s3://my-bucket/runs",
            role=role,
            parameters={"sample_name": f"NA{index:05}", "ref_fasta": "s3://my-bucket/ref/hg38.fa", "scatter": 24},
            **arguments,
        )


@pytest.mark.parametrize("arguments", [{}, {"wait_for": WaitFor.COMPLETED}], ids=["submitted", "waiting"])
def test_495_runs_fit_into_one_stack(arguments: dict[str, Any]) -> None:
    stack = Stack(App(), "Cohort")
    declare(stack, 495, **arguments)
    template = Template.from_stack(stack).to_json()
    assert len(template["Resources"]) <= MOST_RESOURCES
    assert len(json.dumps(template, separators=(",", ":"))) < LARGEST_TEMPLATE
    kinds = [each["Type"] for each in template["Resources"].values()]
    assert kinds.count(RESOURCE_TYPE) == 495


def test_each_stack_of_each_stage_has_its_own_function_and_the_same_template() -> None:
    app = App()
    templates = []
    for name in ("Test", "Production"):
        stack = Stack(Stage(app, name), "Cohort")
        declare(stack, 2)
        templates.append(stack)
    test, production = (Template.from_stack(stack).to_json() for stack in templates)
    assert sorted(test["Resources"]) == sorted(production["Resources"])
    runs = [[each for each in one["Resources"].values() if each["Type"] == RESOURCE_TYPE] for one in (test, production)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_a_stack_with_a_region_names_no_partition_but_its_own(region: str) -> None:
    stack = Stack(App(), "Cohort", env=Environment(account="123456789012", region=region))
    HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r", wait_for=WaitFor.RUNNING).on_failed("Failed")
    template = json.dumps(Template.from_stack(stack).to_json())
    assert f'":omics:{region}:123456789012:run/*"' in template
    assert "arn:aws:" not in template


def test_another_stack_may_use_what_a_run_answers() -> None:
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    run = HealthOmicsRun(first, "Run", workflow_id="1", output_uri="s3://b/r")
    CfnOutput(second, "Uri", value=run.run_output_uri)
    (output,) = Template.from_stack(second).find_outputs("*").values()
    assert "Fn::ImportValue" in output["Value"]
