"""What the function may do: computed from what the stack's runs declare, and no more.

IAM limits the size of policies, so a stack with very many workflows or roles spreads them over managed policies.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import Stack, aws_iam

from cdk_healthomics.made_roles import MadeRoles
from cdk_healthomics.managed_role import ManagedPolicyRole
from cdk_healthomics.role import arn_of, is_precreated
from cdk_healthomics_handler.names import (
    BATCH_OPERATIONS,
    CANCEL_RUN,
    CANCEL_RUN_BATCH,
    GET_RUN_TASK,
    LIST_BATCH,
    LIST_RUNS,
    OPERATIONS,
    SERVICE,
    START_RUN,
    START_RUN_BATCH,
    TAGGING,
    OwnershipTag,
)
from constructs import Construct, DependencyGroup

INLINE_ROOM: Final = 6_000
"""Characters for the runs' resources in the role's inline policy, of IAM's 10,240 for all inline policies of a role."""
MANAGED_ROOM: Final = 5_600
"""Characters for resources in one managed policy, of IAM's 6,144."""
MOST_MANAGED: Final = 8
"""Of the 10 managed policies that IAM allows a role; one may name the function, and one is left to the user."""
_TOKEN: Final = re.compile(r"\$\{Token\[[^\]]*\]\}")
_TOKEN_ROOM: Final = 16
"""A partition, region or account id is at most this long."""
_WHOLE_ARN_ROOM: Final = 128
"""The longest ARN of a role that StartRun takes."""

_MADE_ROLES: Final = "MadeRoles"
"""The statement that passes them. With an id of its own, the CDK never merges it with another."""

START: Final = (f"{SERVICE}:{START_RUN}",)
PASS: Final = ("iam:PassRole",)


class Permissions:
    """The growing permissions of one function.

    Args:
        scope: the provider.
        given: the role that the user gave; its statements are added to it as to a principal. None: one is made, with
            :attr:`inline` inside.
    """

    def __init__(self, scope: Construct, given: aws_iam.IRole | None) -> None:
        self._scope = scope
        stack = Stack.of(scope)
        # Read once a function: each is a question to another process.
        self._account, self._stack_id = stack.account, stack.stack_id
        self._omics = f"arn:{stack.partition}:omics:{stack.region}"
        self._made_roles = MadeRoles.of(stack)
        self._inline = aws_iam.PolicyDocument()
        # What is in a managed policy of the user's own cannot be measured: other policies hold what grows.
        self._room = 0 if isinstance(given, ManagedPolicyRole) else INLINE_ROOM
        self._document = self._inline
        self._managed: list[aws_iam.ManagedPolicy] = []
        self._granted: dict[tuple[str, str], Construct | None] = {}
        self._statements: dict[tuple[int, str], aws_iam.PolicyStatement] = {}
        self._role = given
        self._is_inside = False
        self._has_batches = False
        self._told_at_once = given is not None and is_precreated(given)
        self.is_told: bool = False
        """Whether the role takes no statements, so that somebody must be told of :attr:`inline`."""
        self.add(*self._of_every_stack())

    @property
    def inline(self) -> aws_iam.PolicyDocument:
        """The policy inside the role that is made; of one that cannot be changed, what it must be allowed."""
        return self._inline

    def attach_to(self, role: aws_iam.Role) -> None:
        """Whose policy is :attr:`inline`."""
        self._role = role
        self._told_at_once = is_precreated(role)
        self._is_inside = True

    def of_run(self, arguments: Mapping[str, Any], role: aws_iam.IRole) -> list[Construct]:
        """Allow what one run needs; returns the policies that it must wait for."""
        resources = [(START, arn) for arn in self._named_by(arguments)]
        holders = [self._grant(actions, arn) for actions, arn in resources]
        holders.append(self._pass_made_roles() if self._made_roles.has(role) else self._grant(PASS, arn_of(role)))
        return [holder for holder in dict.fromkeys(holders) if holder is not None]

    def of_batches(self) -> None:
        """Allow what all batches need beside :meth:`of_run`: StartRunBatch asks for StartRun's permissions, too."""
        if not self._has_batches:
            self._has_batches = True
            self.add(*self._of_batches())

    def add(self, *statements: aws_iam.PolicyStatement) -> None:
        """Allow something else, for which the function waits."""
        self._put(self._inline, *statements)

    def add_after(self, construct_id: str, statement: aws_iam.PolicyStatement) -> list[Construct]:
        """Allow what names the function itself, which waits for its role; returns what a run must wait for."""
        if self._told_at_once or self._role is None:
            self.add(statement)
            return []
        description = "What the function behind HealthOmics runs may do with itself"
        policy = aws_iam.ManagedPolicy(
            self._scope, construct_id, description=description, roles=[self._role], statements=[statement]
        )
        return [policy]

    def _named_by(self, arguments: Mapping[str, Any]) -> Iterator[str]:
        """The ARNs of what StartRun is asked to use."""
        if "workflow_id" in arguments:
            workflow = f"{self._workflows(arguments)}/{arguments['workflow_id']}"
            yield workflow
            if "workflow_version_name" in arguments:
                yield f"{workflow}/version/{arguments['workflow_version_name']}"
        else:
            # Which workflow the earlier run had is not known before deployment: one of the account's, or a Ready2Run
            # one. HealthOmics runs no run of a shared workflow again (AWS CLI reference, start-run).
            yield f"{self._workflows(arguments)}/*"
            if "workflow_type" not in arguments:
                yield f"{self._arn('workflow', account='')}/*"
        for argument, kind in (
            ("run_group_id", "runGroup"),
            ("cache_id", "runCache"),
            ("configuration_name", "configuration"),
        ):
            if argument in arguments:
                yield f"{self._arn(kind)}/{arguments[argument]}"

    def _workflows(self, arguments: Mapping[str, Any]) -> str:
        if arguments.get("workflow_type") == "READY2RUN":
            return self._arn("workflow", account="")
        return self._arn("workflow", account=arguments.get("workflow_owner_id"))

    def _arn(self, kind: str, account: str | None = None) -> str:
        return f"{self._omics}:{self._account if account is None else account}:{kind}"

    def _grant(self, actions: tuple[str, ...], resource: str) -> Construct | None:
        """Allow actions on one resource, once; returns the managed policy that says so, None: the role itself does."""
        key = (actions[0], resource)
        if key in self._granted:
            return self._granted[key]
        size = len(_TOKEN.sub("x" * _TOKEN_ROOM, resource)) if resource.startswith("arn:") else _WHOLE_ARN_ROOM
        if size + 3 > self._room and not self._told_at_once:
            if actions == START and len(self._managed) == MOST_MANAGED:
                return self._grant_all(resource)
            self._begin_managed()
        self._room -= size + 3
        self._add(actions, resource)
        self._granted[key] = self._managed[-1] if self._managed else None
        return self._granted[key]

    def _grant_all(self, resource: str) -> Construct | None:
        """Allow every resource of a kind: the role can hold no more policies to name them one by one."""
        every = re.sub(r"/.*$", "/*", resource)
        if (START[0], every) not in self._granted:
            self._add(START, every)
            self._granted[START[0], every] = self._managed[-1]
        return self._granted[START[0], every]

    def _begin_managed(self) -> None:
        self._document = aws_iam.PolicyDocument()
        policy = aws_iam.ManagedPolicy(
            self._scope,
            f"Policy{len(self._managed) + 1}",
            description="What the runs of this stack name, beyond what fits the role",
            document=self._document,
            roles=[self._role] if self._role else None,
        )
        self._managed.append(policy)
        self._room = MANAGED_ROOM

    def _pass_made_roles(self) -> Construct | None:
        """Allow to pass the roles that are made; a statement of its own, for how many ARNs it has is known last."""
        key = (PASS[0], _MADE_ROLES)
        if key not in self._granted:
            self._put(self._document, _statement(PASS, self._made_roles.passed(), sid=_MADE_ROLES))
            self._granted[key] = self._managed[-1] if self._managed else None
        return self._granted[key]

    def _add(self, actions: tuple[str, ...], resource: str) -> None:
        key = (len(self._managed), actions[0])
        if key in self._statements and not self._told_at_once:
            self._statements[key].add_resources(resource)
            return
        self._statements[key] = _statement(actions, resource)
        self._put(self._document, self._statements[key])

    def _put(self, document: aws_iam.PolicyDocument, *statements: aws_iam.PolicyStatement) -> None:
        outside = document is self._inline and not self._is_inside
        if self._role is None or not (outside or self._told_at_once):
            document.add_statements(*statements)
            return
        for statement in statements:
            added = self._role.add_to_principal_policy(statement)
            if not self._told_at_once and pretends(self._role, added):
                self.is_told = self._told_at_once = True
            if self.is_told:
                self._inline.add_statements(statement)

    def _of_every_stack(self) -> Iterator[aws_iam.PolicyStatement]:
        runs = f"{self._arn('run')}/*"
        yield aws_iam.PolicyStatement(
            actions=[f"{SERVICE}:{operation}" for operation in OPERATIONS if operation not in {LIST_RUNS, CANCEL_RUN}],
            resources=[runs],
        )
        # Never in StartRun's statement, nor in TagResource's: tags that are lost must be put back.
        yield aws_iam.PolicyStatement(
            actions=[f"{SERVICE}:{CANCEL_RUN}"], resources=[runs], conditions=own(self._stack_id)
        )
        # GetRunTask asks for the task as well (Service Authorization Reference), whose ARN does not tell its run.
        yield aws_iam.PolicyStatement(actions=[f"{SERVICE}:{GET_RUN_TASK}"], resources=[f"{self._arn('task')}/*"])
        # ListRuns knows no resource (Service Authorization Reference), so only "*" allows it.
        yield aws_iam.PolicyStatement(actions=[f"{SERVICE}:{LIST_RUNS}"], resources=["*"])
        yield aws_iam.PolicyStatement(
            actions=["cloudformation:DescribeStackResource"],
            resources=[self._stack_id],
        )

    def _of_batches(self) -> Iterator[aws_iam.PolicyStatement]:
        runs, batches = f"{self._arn('run')}/*", f"{self._arn('runBatch')}/*"
        yield aws_iam.PolicyStatement(actions=[f"{SERVICE}:{START_RUN_BATCH}"], resources=[runs, batches])
        apart = {START_RUN_BATCH, CANCEL_RUN_BATCH, LIST_BATCH}
        operations = [*(each for each in BATCH_OPERATIONS if each not in apart), *TAGGING]
        yield aws_iam.PolicyStatement(actions=[f"{SERVICE}:{each}" for each in operations], resources=[batches])
        yield aws_iam.PolicyStatement(
            actions=[f"{SERVICE}:{CANCEL_RUN_BATCH}"], resources=[batches], conditions=own(self._stack_id)
        )
        # As ListRuns.
        yield aws_iam.PolicyStatement(actions=[f"{SERVICE}:{LIST_BATCH}"], resources=["*"])


def own(stack_id: str) -> dict[str, dict[str, str]]:
    """The condition that lets a statement name no runs and batches but those that carry a stack's id."""
    return {"StringEquals": {f"aws:ResourceTag/{OwnershipTag.STACK_ID}": stack_id}}


def pretends(role: aws_iam.IRole, added: aws_iam.AddToPrincipalPolicyResult) -> bool:
    """Whether a role took no statement but says so, as ``without_policy_updates`` and ``mutable=False`` make it do.

    Nothing else tells it than that an imported role has no policy to wait for then.
    """
    return not isinstance(role, aws_iam.Role) and isinstance(added.policy_dependable, DependencyGroup)


def _statement(actions: tuple[str, ...], resource: str, sid: str | None = None) -> aws_iam.PolicyStatement:
    conditions = {"StringEquals": {"iam:PassedToService": "omics.amazonaws.com"}} if actions == PASS else None
    return aws_iam.PolicyStatement(sid=sid, actions=list(actions), resources=[resource], conditions=conditions)
