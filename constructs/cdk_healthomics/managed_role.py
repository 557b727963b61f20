"""A role without inline policies, for accounts whose rules forbid those (NIST 800-53, HIPAA: IAMNoInlinePolicy)."""

import json
from typing import Final

import jsii
from aws_cdk import Stack, aws_iam

from cdk_healthomics import nag
from cdk_healthomics.role import is_precreated, observing, trust
from constructs import Construct

ROOM: Final = 6_144
"""Characters that IAM allows a managed policy."""


class ManagedPolicyRole(aws_iam.Role):
    """A role whose statements, and all that it is granted, stand in managed policies instead of inline ones.

    For the ``role`` of a :class:`HealthOmicsRunProvider` (``assumed_by=ServicePrincipal("lambda.amazonaws.com")``) and,
    by :meth:`of_runs`, that of runs. IAM allows a role 10 managed policies.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assumed_by: aws_iam.IPrincipal,
        description: str | None = None,
        path: str | None = None,
        role_name: str | None = None,
        permissions_boundary: aws_iam.IManagedPolicy | None = None,
    ) -> None:
        """Declare a role.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there.
            assumed_by: who may take it on.
            description: of the role. Default: none.
            path: of the role in IAM. Default: ``/``.
            role_name: of the role. Default: CloudFormation makes one.
            permissions_boundary: the most that it may ever be allowed. Default: none.
        """
        super().__init__(
            scope,
            construct_id,
            assumed_by=assumed_by,
            description=description,
            path=path,
            role_name=role_name,
            permissions_boundary=permissions_boundary,
        )
        self._policies: list[aws_iam.ManagedPolicy] = []
        self._room = 0
        nag.answer_wildcards(self)

    @classmethod
    def of_runs(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        path: str | None = None,
        role_name: str | None = None,
        permissions_boundary: aws_iam.IManagedPolicy | None = None,
    ) -> "ManagedPolicyRole":
        """A service role for runs, with what :class:`RunRole` has: it may write the runs' logs and metrics.

        Args:
            scope: the construct that it is part of.
            construct_id: its id there.
            path: of the role in IAM. StartRun takes ARNs of at most 128 characters. Default: ``/``.
            role_name: of the role. Default: CloudFormation makes one.
            permissions_boundary: the most that it may ever be allowed. Default: none.
        """
        stack = Stack.of(scope)
        role = cls(
            scope,
            construct_id,
            assumed_by=trust(stack),
            description="Runs of AWS HealthOmics",
            path=path,
            role_name=role_name,
            permissions_boundary=permissions_boundary,
        )
        for statements in observing(stack).values():
            for statement in statements:
                role.add_to_principal_policy(statement)
        return role

    @jsii.member(jsii_name="addToPrincipalPolicy")
    def add_to_principal_policy(self, statement: aws_iam.PolicyStatement) -> aws_iam.AddToPrincipalPolicyResult:
        """Add a statement to the role's newest managed policy, or to another one where that is full."""
        if is_precreated(self):
            return super().add_to_principal_policy(statement)
        size = _size(Stack.of(self).resolve(statement.to_statement_json())) + len(",")
        if size > self._room:
            # Inside the role: who waits for the role waits for its policies.
            policy = aws_iam.ManagedPolicy(self, f"Policy{len(self._policies) + 1}", roles=[self])
            self._policies.append(policy)
            self._room = ROOM - _size({"Version": "2012-10-17", "Statement": []})
        self._room -= size
        self._policies[-1].add_statements(statement)
        return aws_iam.AddToPrincipalPolicyResult(statement_added=True, policy_dependable=self._policies[-1])


def _size(statement: object) -> int:
    """At most about so many characters: an intrinsic function is longer than what it becomes."""
    return len(json.dumps(statement, separators=(",", ":")))
