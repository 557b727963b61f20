"""What cdk-nag is answered: by the library for its own statements, beside what others have answered."""

from collections.abc import Callable
from typing import Any

import jsii
import pytest
from aws_cdk import Aspects, IAspect, Stack, aws_iam, aws_lambda
from aws_cdk.assertions import Template
from cdk_nag import NagSuppressions

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunProvider
from constructs import IConstruct

Declare = Callable[..., HealthOmicsRun]
ACKNOWLEDGED = "aws:cdk:acknowledged-rules"


def said(stack: Stack) -> list[Any]:
    """What the resources of a stack answer cdk-nag 2."""
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    return [
        each
        for resource in resources
        for each in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", ())
    ]


def acknowledged(construct: IConstruct) -> str:
    """What the constructs in one answer cdk-nag 3."""
    entries = [entry for each in construct.node.find_all() for entry in each.node.metadata]
    return str([entry.data for entry in entries if entry.type == ACKNOWLEDGED])


def test_what_a_user_answers_of_the_same_role_stays(stack: Stack, declare: Declare) -> None:
    declare()
    provider = HealthOmicsRunProvider.of(stack)
    NagSuppressions.add_resource_suppressions(provider.role, [{"id": "Mine-1", "reason": "A reason of my own."}])
    answers = said(stack)
    assert {"id": "Mine-1", "reason": "A reason of my own."} in answers
    assert any(each.get("applies_to") == ["Resource::*"] for each in answers)


@pytest.mark.parametrize(
    "statement",
    [
        {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::mine/*"]},
        {"actions": ["omics:*"], "resources": ["arn:aws:omics:us-east-1:123456789012:sequenceStore/*"]},
        {"actions": ["xray:PutTraceSegments"], "resources": ["*"], "effect": aws_iam.Effect.DENY},
        {"not_actions": ["iam:*"], "resources": ["*"]},
        {"actions": ["omics:GetRun"], "not_resources": ["arn:aws:omics:us-east-1:123456789012:run/*"]},
    ],
    ids=["action of the user's", "resource of the user's", "denied", "all but some actions", "all but a resource"],
)
def test_what_a_user_allows_the_function_is_left_to_the_user(
    stack: Stack, declare: Declare, statement: dict[str, Any]
) -> None:
    declare()
    HealthOmicsRunProvider.of(stack).function.add_to_role_policy(aws_iam.PolicyStatement(**statement))
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    assert policy["Properties"]["PolicyDocument"]["Statement"]
    assert "Metadata" not in policy


def test_what_the_function_may_do_in_a_vpc_that_others_put_it_into_is_answered_too(
    stack: Stack, declare: Declare
) -> None:
    @jsii.implements(IAspect)
    class IntoVpc:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, aws_lambda.CfnFunction):
                node.vpc_config = aws_lambda.CfnFunction.VpcConfigProperty(
                    subnet_ids=["subnet-1"], security_group_ids=["sg-1"]
                )

    declare()
    provider = HealthOmicsRunProvider.of(stack)
    Aspects.of(stack).add(IntoVpc())
    Template.from_stack(stack)
    assert ":ec2:" in acknowledged(provider)


def test_a_synthesis_that_is_done_again_answers_no_finding_twice(stack: Stack, declare: Declare) -> None:
    declare()
    first = said(stack)
    assert first
    assert said(stack) == first
    assert len(first) == len({str(each) for each in first})
