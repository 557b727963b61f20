"""The roles that are made for the runs of a stack, and what of them its function may pass.

Naming each of them would make the function depend on it, and a run that comes after another run
(``second.node.add_dependency(first)``) would close a circle. So they have a path of their own, and the path is passed.
An app may still change a role's path or name (an aspect, a property injector): what is passed is read when it is final.
"""

import hashlib
from collections.abc import Iterator, Mapping
from os.path import commonprefix
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import IAnyProducer, IResolveContext, Lazy, Stack, StringConcat, Token, aws_iam

from cdk_healthomics import naming
from cdk_healthomics.overrides import noted
from cdk_healthomics.role import RunRole, arn_of
from cdk_healthomics.tokens import is_token
from constructs import Construct

MOST_NAMED: Final = 12
"""The policy has room for so many roles that lie elsewhere; more are passed by the beginning of their names."""
_CUT: Final = 20
"""Of a stack's name, so many characters surely stand in the names that CloudFormation makes."""
_LONGEST_NAME: Final = 64
"""Of a role in IAM."""
_RANDOM: Final = 14
"""What CloudFormation puts after stack name and logical id, with room to spare."""
_OF: Final[WeakKeyDictionary[Stack, "MadeRoles"]] = WeakKeyDictionary()


def path_of(stack: Stack) -> str:
    """The IAM path of the roles that are made for the runs of a stack.

    Account, region and name are what tells stacks apart. The account is in every ARN; the other two are the path.
    StartRun takes ARNs of at most 128 characters: hence no more than a digest of the name.
    """
    return f"/{stack.region}/{hashlib.sha256(_address(stack).encode()).hexdigest()[:10]}/"


def _address(stack: Stack) -> str:
    """A stack's name; of a nested one, which is named at deployment, the way to it from the stack that has a name."""
    parent: Any = stack.nested_stack_parent
    if not parent:
        return stack.stack_name
    return f"{_address(parent)}{stack.node.path.removeprefix(parent.node.path)}"


class _Role(NamedTuple):
    role: RunRole
    resource: aws_iam.CfnRole
    overrides: StringConcat


@jsii.implements(IAnyProducer)
class MadeRoles:
    """Those of one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack: Final = stack
        self._path: Final = path_of(stack)
        self._arn: Final = f"arn:{stack.partition}:iam::{stack.account}:role"
        self._roles: Final[list[_Role]] = []

    @classmethod
    def of(cls, stack: Stack) -> "MadeRoles":
        """Those of a stack."""
        if stack not in _OF:
            _OF[stack] = cls(stack)
        return _OF[stack]

    def make(self, run: Construct) -> RunRole:
        """The role of a run to which the user gave none; ``Role.customize_roles`` may name one that exists."""
        role = RunRole(run, "Role", path=self._path)
        resource = role.node.default_child
        if isinstance(resource, aws_iam.CfnRole):
            self._roles.append(_Role(role, resource, noted(resource)))
        return role

    def has(self, role: aws_iam.IRole) -> bool:
        """Whether a role is made, in the template, for a run of this stack."""
        return isinstance(role, RunRole) and any(each.role is role for each in reversed(self._roles))

    def passed(self) -> str:
        """The resources of the statement that allows to pass them, the only ones of it."""
        return Token.as_string(Lazy.uncached_any(self))

    def produce(self, _: IResolveContext) -> str | list[str]:
        """The ARNs as they are now."""
        overridden = self._stack.resolve([each.overrides for each in self._roles])
        elsewhere: list[tuple[_Role, str, str]] = []
        found: dict[str, None] = {}
        for each, overrides in zip(self._roles, overridden, strict=True):
            path = _text(overrides.get("Path", each.resource.path)) or "/"
            if path == self._path:
                found[f"{self._arn}{path}*"] = None
            else:
                # The CDK has a token for the name even where there is none.
                name = overrides.get("RoleName") or self._stack.resolve(each.resource.role_name)
                elsewhere.append((each, path, _text(name)))
        found |= dict.fromkeys(self._elsewhere(elsewhere))
        return next(iter(found)) if len(found) == 1 else list(found)

    def _elsewhere(self, roles: list[tuple[_Role, str, str]]) -> Iterator[str]:
        """The roles that were put under another path, which others may have roles under."""
        if len(roles) > MOST_NAMED:
            paths: dict[str, list[str]] = {}
            for each, path, name in roles:
                paths.setdefault(path, []).append(name or self._beginning(each))
            yield from (f"{self._arn}{path}{_common(names)}*" for path, names in paths.items())
            return
        for each, path, name in roles:
            if not each.resource.obtain_dependencies():
                yield arn_of(each.role)
            else:
                yield f"{self._arn}{path}{name or self._beginning(each) + '*'}"

    def _beginning(self, role: _Role) -> str:
        """How the name begins that CloudFormation makes: of stack name and logical id, each cut where it is long."""
        stack, *nested = naming.known_names(self._stack)
        logical_id = self._stack.resolve(role.resource.logical_id)
        if nested or len(stack) + len(logical_id) + _RANDOM > _LONGEST_NAME:
            return f"{stack}-"[:_CUT]
        return f"{stack}-{logical_id}-"


def _text(value: Any) -> str:
    """A value of a template as text; no text at all where there is none."""
    return Token.as_string(value) if isinstance(value, Mapping) else value or ""


def _common(names: list[str]) -> str:
    return commonprefix(["" if is_token(name) else name for name in names])  # noqa: RUF071 - not paths
