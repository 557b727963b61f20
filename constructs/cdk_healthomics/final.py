"""The runs of a stack, looked at again when the app is final: what only then can be told, and how many they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Stack, TagManager, aws_iam

from cdk_healthomics import checks, kind
from cdk_healthomics.lifecycle_checks import wait_problems
from cdk_healthomics.role import final_problems
from cdk_healthomics.tokens import is_token, possible
from constructs import Construct, IValidation

_OF: Final[WeakKeyDictionary[Stack, "Runs"]] = WeakKeyDictionary()


@jsii.implements(IValidation)
class Runs:
    """Those of one stack, whatever providers they have: one validation for all of them."""

    def __init__(self, stack: Stack) -> None:
        self._watched: Final[list[_Watched]] = []
        stack.node.add_validation(self)

    @classmethod
    def of(cls, stack: Stack) -> "Runs":
        """Those of a stack."""
        if stack not in _OF:
            _OF[stack] = cls(stack)
        return _OF[stack]

    def __len__(self) -> int:
        """How many there are so far."""
        return len(self._watched)

    def watch(
        self,
        run: Construct,
        tags: TagManager,
        *,
        role: aws_iam.IRole | None,
        wait_for: str | None,
        run_tags: Mapping[str, str],
    ) -> None:
        """Look at a run again when the app is final.

        Args:
            run: the run.
            tags: its own, which those of ``Tags.of(…)`` join.
            role: the one that was given.
            wait_for: what was given.
            run_tags: of a batch, what its runs have beside its tags.
        """
        self._watched.append(_Watched(run, tags, role, wait_for, run_tags))

    def validate(self) -> list[str]:
        """What is wrong with which run."""
        # Many runs may share a role, and each look at one asks the CDK's other process.
        roles = {each.role for each in self._watched if each.role is not None}
        of_roles: dict[aws_iam.IRole | None, list[str]] = {role: list(final_problems(role)) for role in roles}
        return [
            f"{kind.at(each.run)}: {problem}"
            for each in self._watched
            for problem in [*each.problems(), *of_roles.get(each.role, ())]
        ]


@dataclass(frozen=True)
class _Watched:
    run: Construct
    tags: TagManager
    role: aws_iam.IRole | None
    wait_for: str | None
    run_tags: Mapping[str, str]

    def problems(self) -> Iterator[str]:
        tags = self.tags.tag_values()
        yield from checks.tag_problems(tags, kind.of(self.run))
        if self.run_tags:
            yield from checks.run_tag_problems({**tags, **self.run_tags})
        if is_token(self.wait_for):
            for value in possible(Stack.of(self.run), self.wait_for):
                yield from wait_problems(value, kind.of(self.run))
