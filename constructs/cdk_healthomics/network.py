"""The function in a VPC: what its role must be allowed there, and what the function must wait for to reach AWS."""

from collections.abc import Iterator
from typing import Any

import jsii
from aws_cdk import CfnResource, Stack, StringConcat, aws_ec2, aws_iam

from constructs import Dependable, IConstruct


def is_in_vpc(function: CfnResource, overrides: StringConcat) -> bool:
    """Whether a function is in a VPC, by whomever it was put there: an argument, a property injector, an aspect.

    Args:
        function: the resource.
        overrides: what was :func:`~cdk_healthomics.overrides.noted` of it.
    """
    overridden = Stack.of(function).resolve(overrides)
    return getattr(function, "vpc_config", None) is not None or "VpcConfig" in overridden


def statements(stack: Stack) -> Iterator[aws_iam.PolicyStatement]:
    """What Lambda does in a VPC with the function's role (Lambda Developer Guide, "VPC networking").

    As AWSLambdaVPCAccessExecutionRole, but for the region only. The accounts are not named: a subnet may be shared.
    """
    yield aws_iam.PolicyStatement(
        actions=["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],  # they know no resource
        resources=["*"],
    )
    yield aws_iam.PolicyStatement(
        actions=[
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:UnassignPrivateIpAddresses",
        ],
        resources=[f"arn:{stack.partition}:ec2:{stack.region}:*:*/*"],
    )


class WayOut(Dependable):
    """What the function needs to reach AWS and its stack makes: VPC endpoints and the routes of subnets.

    Without a dependency a run might start before its endpoint is there, and be cancelled after that has gone. Which
    there are is asked when the app is final.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack
        Dependable.implement(self, self)

    @property
    @jsii.member(jsii_name="dependencyRoots")
    def dependency_roots(self) -> list[IConstruct]:
        """The endpoints with their security groups, and the routes."""
        found: list[Any] = [each for each in self._stack.node.find_all() if Stack.of(each) is self._stack]
        endpoints = [each for each in found if isinstance(each, aws_ec2.CfnVPCEndpoint)]
        routes = [each for each in found if isinstance(each, aws_ec2.CfnSubnetRouteTableAssociation)]
        # The groups of an endpoint, and their rules, lie beside it in the CDK's own construct.
        ways: list[Any] = [each.node.scope if each.node.id == "Resource" else each for each in endpoints]
        return [*routes, *ways]
