"""Addresses and NAT gateways that a stack makes on the local AWS."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from local_aws import network
from local_aws.mends import resource_handlers


@pytest.fixture
def ec2() -> Iterator[Any]:
    network.install()
    made = import_module("ministack.services.ec2")
    yield made
    made.reset()


def create(kind: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    made: tuple[str, dict[str, Any]] = resource_handlers()[f"AWS::EC2::{kind}"]["create"]("Id", properties, "Stack")
    return made


def test_an_address_is_allocated_and_released(ec2: Any) -> None:
    address, attributes = create("EIP", {"Domain": "vpc", "Tags": [{"Key": "Name", "Value": "out"}]})
    assert attributes["PublicIp"] == address
    assert vars(ec2)["_addresses"][attributes["AllocationId"]]["PublicIp"] == address
    assert vars(ec2)["_tags"][attributes["AllocationId"]] == [{"Key": "Name", "Value": "out"}]
    resource_handlers()["AWS::EC2::EIP"]["delete"](address, {})
    assert attributes["AllocationId"] not in vars(ec2)["_addresses"]


def test_a_nat_gateway_is_made_in_its_subnet_and_deleted(ec2: Any) -> None:
    gateway, attributes = create("NatGateway", {"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"})
    assert attributes == {"NatGatewayId": gateway}
    held = vars(ec2)["_nat_gateways"][gateway]
    assert (held["SubnetId"], held["State"]) == ("subnet-1", "available")
    resource_handlers()["AWS::EC2::NatGateway"]["delete"](gateway, {})
    assert held["State"] == "deleted"


@pytest.mark.parametrize(
    ("way", "other", "held"),
    [
        ("Ingress", "SourceSecurityGroupId", "IpPermissions"),
        ("Egress", "DestinationSecurityGroupId", "IpPermissionsEgress"),
    ],
)
def test_a_rule_between_security_groups_is_made_and_taken_back(ec2: Any, way: str, other: str, held: str) -> None:
    _, attributes = create("SecurityGroup", {"GroupDescription": "ours"})
    group = vars(ec2)["_security_groups"][attributes["GroupId"]]
    before = list(group[held])
    properties = {"GroupId": attributes["GroupId"], "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, other: "sg-1"}
    rule, _ = create(f"SecurityGroup{way}", properties)
    (made,) = (each for each in group[held] if each not in before)
    assert (made["FromPort"], [pair["GroupId"] for pair in made["UserIdGroupPairs"]]) == (443, ["sg-1"])
    resource_handlers()[f"AWS::EC2::SecurityGroup{way}"]["delete"](rule, properties)
    assert group[held] == before


def test_what_ec2_refuses_is_told(ec2: Any) -> None:
    del ec2
    with pytest.raises(RuntimeError, match="SubnetId is required"):
        create("NatGateway", {})
