"""What becomes of a run when its resource goes: one fact, read off the resource when the app is synthesized.

Until then an app may change it: ``apply_removal_policy``, ``RemovalPolicies.of(…)``, an aspect.
"""

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import CfnDeletionPolicy, CfnResource, IAnyProducer, IResolvable, IResolveContext, Lazy, Stack

from cdk_healthomics_handler.names import RemovalPolicy
from constructs import IConstruct

_OF: Final[WeakKeyDictionary[Stack, list["Removal"]]] = WeakKeyDictionary()
_KEPT: Final[Mapping[RemovalPolicy, CfnDeletionPolicy]] = {
    RemovalPolicy.RETAIN: CfnDeletionPolicy.RETAIN,
    RemovalPolicy.RETAIN_EXCEPT_ON_CREATE: CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE,
}


@jsii.implements(IAnyProducer)
class Removal:
    """The removal policy that the function is told, and that the run's own role follows.

    The resources of a stack are asked together, once each time that its template is written: a question to each would
    be a tenth of what a run costs to synthesize.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack: Final = stack
        self._every: Final = _OF.setdefault(stack, [])
        self.options: Any = None
        self._role: IConstruct | None = None
        self.read: Mapping[str, Any] | None = None

    def told(self) -> IResolvable:
        """The handler's property: absent where the run goes with its resource."""
        return Lazy.uncached_any(self)

    def of(self, resource: CfnResource, role: IConstruct | None) -> None:
        """Whose policy it is.

        Args:
            resource: the run's.
            role: that was made for this run only: a run that outlives its stack needs it, and its policies.
        """
        self.options, self._role = resource.cfn_options, role
        self._every.append(self)

    def produce(self, _: IResolveContext) -> str | None:
        """A :class:`RemovalPolicy`, or None. What was read is told once: the next time may be the final one."""
        if self.read is None:
            found = self._stack.resolve([each.options for each in self._every])
            for each, options in zip(self._every, found, strict=True):
                each.read = options
        read, self.read = self.read or {}, None
        policy = _of(read.get("deletionPolicy"), read.get("updateReplacePolicy"))
        if policy is None:
            return None
        self._keep_role(policy)
        return policy.value

    def _keep_role(self, policy: RemovalPolicy) -> None:
        # The CDK resolves every resource, for references, before it writes the first one: this is in time.
        for each in self._role.node.find_all() if self._role else ():
            if isinstance(each, CfnResource):
                options = each.cfn_options
                if options.deletion_policy != CfnDeletionPolicy.RETAIN:
                    options.deletion_policy = _KEPT[policy]
                options.update_replace_policy = CfnDeletionPolicy.RETAIN


def _of(deletion: str | None, replacement: str | None) -> RemovalPolicy | None:
    """What the function does: where CloudFormation deletes in one of both cases, its Delete means it."""
    if replacement != RemovalPolicy.RETAIN or deletion not in set(RemovalPolicy):
        return None
    return RemovalPolicy(deletion)
