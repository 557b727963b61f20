"""From a run's arguments to the properties of ``Custom::HealthOmicsRun``, the contract with the handler."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack, aws_iam

from cdk_healthomics import model
from cdk_healthomics.documents import written
from cdk_healthomics_handler.names import Property, property_name


def properties(stack: Stack, arguments: Mapping[str, Any], role_arn: str, tags: Any, removal: Any) -> dict[str, Any]:
    """The properties that ask for a run; arguments that were left out are absent, no defaults are added.

    Args:
        stack: whose tokens the arguments may hold.
        arguments: the construct's, those that were left out left out.
        role_arn: of the run's service role.
        tags: the user's tags, resolved when the app is synthesized.
        removal: the removal policy that the function is told, likewise.
    """
    asked: dict[str, Any] = {}
    for member, argument in model.arguments().items():
        if argument in arguments:
            asked[property_name(member)] = _property(stack, member, arguments[argument])
    asked[property_name("roleArn")] = role_arn
    asked[property_name("tags")] = tags
    for name, argument in ((Property.RERUN_TRIGGER, "rerun_trigger"), (Property.WAIT_FOR, "wait_for")):
        if argument in arguments:
            asked[name.value] = _plain(arguments[argument])
    asked[Property.REMOVAL_POLICY.value] = removal
    return asked


def _property(stack: Stack, member: str, value: Any) -> Any:
    if model.members()[member].metadata.get("document"):
        return written(stack, value)
    if isinstance(value, aws_iam.PolicyDocument):
        return stack.to_json_string(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value as jsii knows it; of str and int it knows no subclasses but bool, which enums are."""
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, str) else int(value) if isinstance(value, int) else value
