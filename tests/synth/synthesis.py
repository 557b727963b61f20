"""What synthesis refuses of a stack's runs and batches."""

import re

from aws_cdk import Stack
from aws_cdk.assertions import Template


def refusals(stack: Stack) -> list[str]:
    """The path of each, and what is wrong with it; none: the stack can be synthesized."""
    try:
        Template.from_stack(stack)
    except RuntimeError as error:
        found = re.findall(r"HealthOmicsRun(?:Batch)? at (.+)", str(error))
        if not found:
            raise
        return found
    return []
