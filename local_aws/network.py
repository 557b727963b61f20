"""What an ``ec2.Vpc`` has and ministack's CloudFormation lacks, though its EC2 has it: addresses, gateways, rules."""

import re
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

from .mends import resource_handlers

_EC2: Final = "ministack.services.ec2"
_PROVISIONERS: Final = "ministack.services.cloudformation.provisioners"


def install() -> None:
    """Let ministack's CloudFormation make and delete these."""
    resource_handlers()["AWS::EC2::EIP"] = {"create": _allocate, "delete": _release}
    resource_handlers()["AWS::EC2::NatGateway"] = {"create": _create_gateway, "delete": _delete_gateway}
    for way in ("Ingress", "Egress"):
        resource_handlers()[f"AWS::EC2::SecurityGroup{way}"] = {
            "create": partial(_authorize, way.lower()),
            "delete": partial(_revoke, way.lower()),
        }


def _allocate(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, Any]]:
    answer = _ask("_allocate_address", {"Domain": properties.get("Domain", "vpc")})
    allocation, address = _of(answer, "allocationId"), _of(answer, "publicIp")
    _tag(allocation, properties)
    return address, {"AllocationId": allocation, "PublicIp": address}


def _release(physical_id: str, _: dict[str, Any]) -> None:
    addresses = import_module(_EC2)._addresses  # noqa: SLF001 - EC2 knows an address by its allocation only
    for allocation, address in list(addresses.items()):
        if address["PublicIp"] == physical_id:
            _ask("_release_address", {"AllocationId": allocation})


def _create_gateway(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, Any]]:
    names = ("SubnetId", "AllocationId", "ConnectivityType")
    answer = _ask("_create_nat_gateway", {name: properties[name] for name in names if name in properties})
    gateway = _of(answer, "natGatewayId")
    _tag(gateway, properties)
    return gateway, {"NatGatewayId": gateway}


def _delete_gateway(physical_id: str, _: dict[str, Any]) -> None:
    _ask("_delete_nat_gateway", {"NatGatewayId": physical_id})


def _authorize(way: str, _: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, Any]]:
    """A rule of a security group that is a resource of its own."""
    rule = _of(_ask(f"_authorize_sg_{way}", _rule(properties)), "securityGroupRuleId")
    return rule, {"Id": rule}


def _revoke(way: str, _: str, properties: dict[str, Any]) -> None:
    _ask(f"_revoke_sg_{way}", _rule(properties))


def _rule(properties: Mapping[str, Any]) -> dict[str, str]:
    """CloudFormation's properties as the parameters of EC2's calls."""
    members = {
        "IpProtocol": "IpProtocol",
        "FromPort": "FromPort",
        "ToPort": "ToPort",
        "CidrIp": "IpRanges.1.CidrIp",
        "CidrIpv6": "Ipv6Ranges.1.CidrIpv6",
        "SourceSecurityGroupId": "Groups.1.GroupId",
        "DestinationSecurityGroupId": "Groups.1.GroupId",
    }
    given = {f"IpPermissions.1.{members[name]}": str(value) for name, value in properties.items() if name in members}
    return {"GroupId": properties["GroupId"], **given}


def _ask(operation: str, parameters: Mapping[str, Any]) -> str:
    """Let ministack's EC2 do something; returns its answer.

    Raises:
        RuntimeError: it refused.
    """
    status, _, body = getattr(import_module(_EC2), operation)({name: [each] for name, each in parameters.items()})
    if status >= 400:  # noqa: PLR2004 - HTTP's
        raise RuntimeError(body.decode())
    return str(body.decode())


def _of(answer: str, element: str) -> str:
    found = re.search(f"<{element}>(.+?)</{element}>", answer)
    if found is None:
        raise RuntimeError(f"ministack's EC2 answered no {element}")
    return found[1]


def _tag(resource: str, properties: Mapping[str, Any]) -> None:
    import_module(_PROVISIONERS)._ec2_apply_tags(resource, properties)  # noqa: SLF001 - as its own resources do
