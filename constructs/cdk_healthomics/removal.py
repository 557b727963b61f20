"""What becomes of a run when its resource goes: one fact, read off the resource when the app is synthesized.

Until then an app may change it: ``apply_removal_policy``, ``RemovalPolicies.of(…)``, an aspect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import aws_cdk
from aws_cdk import CfnDeletionPolicy, CfnResource, Stack

from cdk_healthomics_handler.names import Property, RemovalPolicy
from constructs import IConstruct

_KEPT: Final[Mapping[RemovalPolicy, CfnDeletionPolicy]] = {
    RemovalPolicy.RETAIN: CfnDeletionPolicy.RETAIN,
    RemovalPolicy.RETAIN_EXCEPT_ON_CREATE: CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE,
}
_GIVEN: Final[Mapping[Any, RemovalPolicy]] = {
    aws_cdk.RemovalPolicy.RETAIN: RemovalPolicy.RETAIN,
    aws_cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: RemovalPolicy.RETAIN_EXCEPT_ON_CREATE,
}


def told(given: aws_cdk.RemovalPolicy | None) -> str | None:
    """The property by which the function is told of a removal policy; none where the run goes with its resource."""
    policy = _GIVEN.get(given)
    return policy and policy.value


def watch(stack: Stack, resource: CfnResource, given: aws_cdk.RemovalPolicy | None, role: IConstruct | None) -> None:
    """Look at a run's removal policy again when the app is final.

    Args:
        stack: the run's.
        resource: the run's.
        given: the policy that the function is told so far.
        role: that was made for this run only: a run that outlives its stack needs it, and its policies.
    """
    _OF.setdefault(stack, []).append(_Watched(resource, resource.cfn_options, role, _GIVEN.get(given)))


def settle(stack: Stack) -> None:
    """Tell the function what the resources of a stack have by now; they are asked together, for the sake of time."""
    watched = _OF.get(stack, [])
    for each, options in zip(watched, stack.resolve([each.options for each in watched]), strict=True):
        each.settle(_of(options.get("deletionPolicy"), options.get("updateReplacePolicy")))


@dataclass
class _Watched:
    resource: CfnResource
    options: Any
    role: IConstruct | None
    told: RemovalPolicy | None

    def settle(self, policy: RemovalPolicy | None) -> None:
        if policy != self.told:
            self.resource.add_property_override(Property.REMOVAL_POLICY.value, policy and policy.value)
            self.told = policy
        if policy and self.role:
            _keep(self.role, _KEPT[policy])


_OF: Final[WeakKeyDictionary[Stack, list[_Watched]]] = WeakKeyDictionary()


def _keep(role: IConstruct, deletion: CfnDeletionPolicy) -> None:
    for each in role.node.find_all():
        if isinstance(each, CfnResource):
            options = each.cfn_options
            if options.deletion_policy != CfnDeletionPolicy.RETAIN:
                options.deletion_policy = deletion
            options.update_replace_policy = CfnDeletionPolicy.RETAIN


def _of(deletion: str | None, replacement: str | None) -> RemovalPolicy | None:
    """What the function does: where CloudFormation deletes in one of both cases, its Delete means it."""
    if replacement != RemovalPolicy.RETAIN or deletion not in set(RemovalPolicy):
        return None
    return RemovalPolicy(deletion)
