"""The name of a run to which the user gave none, as the function would make it: rules match it before it starts."""

from typing import Any

import jsii
from aws_cdk import CfnElement, IStableStringProducer, Lazy, Stack, Token

from cdk_healthomics import model
from cdk_healthomics.kind import Kind
from cdk_healthomics_handler.identity import default_run_name


def needs_name(stack: Stack) -> bool:
    """Whether the function's own default would not do: the name of a nested stack is known at deployment only."""
    return bool(Token.is_unresolved(stack.stack_name))


def default_name(stack: Stack, resource: CfnElement, kind: Kind) -> str:
    """``<stack name>-<logical id>``; a nested stack goes by the names that lead to it.

    Args:
        stack: the run's.
        resource: the run's own; its logical id may still be overridden.
        kind: what is named.
    """
    return Lazy.string(_Name(stack, resource, kind))


@jsii.implements(IStableStringProducer)
class _Name:
    def __init__(self, stack: Stack, resource: CfnElement, kind: Kind) -> None:
        self._stack = stack
        self._resource = resource
        self._kind = kind

    def produce(self) -> str:
        """The name, when the app is synthesized."""
        limit = model.members(self._kind.handled.start)[self._kind.handled.name].metadata["max"]
        # The stack's own ``get_logical_id`` does not know of ``override_logical_id``.
        logical_id = self._stack.resolve(self._resource.logical_id)
        return default_run_name("-".join(known_names(self._stack)), logical_id, limit)


def known_names(stack: Stack) -> list[str]:
    """The name of a stack; of a nested one, which is named at deployment, those that lead to it."""
    parent: Any = stack.nested_stack_parent
    return [*known_names(parent), stack.node.id] if parent else [stack.stack_name]
