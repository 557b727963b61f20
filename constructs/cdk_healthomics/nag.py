"""What cdk-nag's AwsSolutions pack says of this library's own resources, answered where a user's app is checked.

Written as metadata, so that the library does not need cdk-nag.
"""

from enum import StrEnum

from aws_cdk import CfnResource

from constructs import IConstruct


class Rule(StrEnum):
    """The rules that this library has an answer to."""

    WILDCARDS = "AwsSolutions-IAM5"
    LATEST_RUNTIME = "AwsSolutions-L1"


def answer(construct: IConstruct, rule: Rule, reason: str) -> None:
    """Say why a resource is as it is; of a role, its own statements only."""
    resource = construct.node.default_child
    if isinstance(resource, CfnResource):
        resource.add_metadata("cdk_nag", {"rules_to_suppress": [{"id": rule.value, "reason": reason}]})
