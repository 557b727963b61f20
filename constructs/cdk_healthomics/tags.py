"""The tags that a stack was given."""

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from aws_cdk import Stack

_OF: Final[WeakKeyDictionary[Stack, Mapping[str, str]]] = WeakKeyDictionary()


def tags_of_stack(stack: Stack) -> Mapping[str, str]:
    """Those of ``Stack(…, tags=…)``; a nested stack has its parents' too, for CloudFormation hands them down."""
    if stack not in _OF:
        parent: Any = stack.nested_stack_parent
        _OF[stack] = {**(tags_of_stack(parent) if parent else {}), **stack.tags.tag_values()}
    return _OF[stack]
