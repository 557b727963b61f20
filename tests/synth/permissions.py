"""What a stack's function is allowed, as the template has it."""

from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Template


def statements(stack: Stack) -> list[dict[str, Any]]:
    """Everything that the function is allowed, in its role and in managed policies."""
    template = Template.from_stack(stack)
    (role,) = (
        each
        for name, each in template.find_resources("AWS::IAM::Role").items()
        if name.startswith("HealthOmicsRunProvider")
    )
    found = list(role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"])
    for policy in template.find_resources("AWS::IAM::ManagedPolicy").values():
        found += policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def allowed(stack: Stack, action: str) -> list[Any]:
    """The resources on which it is allowed an action."""
    named = [each["Resource"] for each in statements(stack) if action in as_list(each["Action"])]
    return [resource for each in named for resource in as_list(each)]


def as_list(value: Any) -> list[Any]:
    """What a policy has as one value where it is one, and as a list where they are more."""
    return value if isinstance(value, list) else [value]
