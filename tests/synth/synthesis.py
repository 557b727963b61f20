"""What synthesis refuses of a stack's runs."""

from aws_cdk import Stack
from aws_cdk.assertions import Template


def refusals(stack: Stack) -> list[str]:
    """Each run's path, and what is wrong with it; none: the stack can be synthesized."""
    try:
        Template.from_stack(stack)
    except RuntimeError as error:
        found = [line.partition("HealthOmicsRun at ")[2] for line in str(error).splitlines()]
        if not any(found):
            raise
        return [line for line in found if line]
    return []
