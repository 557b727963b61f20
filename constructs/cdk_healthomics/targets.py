"""Grants on runs to what hears of runs: no circle.

A run waits for its rules, a rule refers to its target, and a function waits for the policy of its role. Were the ARN of
a run in that policy, the circle would be closed; so what a target may do with runs stands in a policy beside its role.
"""

from typing import Any, Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import IResolveContext, IStringProducer, Lazy, Stack, aws_iam

_ID: Final = "HealthOmicsRuns"
_OF: Final[WeakKeyDictionary[Stack, "Targets"]] = WeakKeyDictionary()


class Targets:
    """The targets of all rules on the runs of a stack, and the grants on those runs."""

    def __init__(self, stack: Stack) -> None:
        self._stack: Final = stack
        self._policies: Final[dict[str, aws_iam.Policy]] = {}
        self._granted: Final[list[_Granted]] = []

    @classmethod
    def of(cls, stack: Stack) -> "Targets":
        """Those of a stack."""
        if stack not in _OF:
            _OF[stack] = cls(stack)
        return _OF[stack]

    def grant(self, grantee: aws_iam.IGrantable, actions: list[str], arns: list[str]) -> aws_iam.Grant:
        """Allow a principal actions on runs of the stack."""
        path = _path(grantee.grant_principal)
        if path in self._policies:
            return _grant(self._policies[path], actions, arns)
        granted = [_Granted(path, actions, arn, self._stack) for arn in arns]
        self._granted.extend(granted)
        return _grant(grantee, actions, [Lazy.uncached_string(each) for each in granted])

    def add(self, target: Any) -> None:
        """Know a target; the grants that it has are moved out of its role."""
        principal: Any = getattr(target, "grant_principal", None)
        path = _path(principal)
        if not path or path in self._policies or Stack.of(principal) is not self._stack:
            return
        policy = aws_iam.Policy(target, _ID)
        principal.attach_inline_policy(policy)
        self._policies[path] = policy
        for each in self._granted:
            if each.path == path:
                each.moved = True
                _grant(policy, each.actions, [each.arn])


def _path(principal: Any) -> str:
    """Where a principal with policies of its own is in the app; jsii has not always the same object for it."""
    return str(principal.node.path) if hasattr(principal, "attach_inline_policy") else ""


@jsii.implements(IStringProducer)
class _Granted:
    """The resource of a statement: the run, until the grant is moved."""

    def __init__(self, path: str, actions: list[str], arn: str, stack: Stack) -> None:
        self.path: Final = path
        self.actions: Final = actions
        self.arn: Final = arn
        self.moved = False
        self._stack: Final = stack

    def produce(self, _: IResolveContext) -> str:
        """An ARN; a statement cannot be taken back, so it names no run where it is moved."""
        if not self.moved:
            return self.arn
        return f"arn:{self._stack.partition}:omics:{self._stack.region}:{self._stack.account}:run/none"


def _grant(grantee: aws_iam.IGrantable, actions: list[str], arns: list[str]) -> aws_iam.Grant:
    return aws_iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=arns)
