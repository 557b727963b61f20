"""The stack's one function behind all its runs, with its role and log group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import (
    Duration,
    Fn,
    IStableStringProducer,
    Lazy,
    RemovalPolicy,
    Stack,
    TagManager,
    aws_iam,
    aws_lambda,
    aws_logs,
)

from cdk_healthomics import cautions, checks, nag, naming
from cdk_healthomics.asset import HANDLER, code_of
from cdk_healthomics.permissions import Permissions
from cdk_healthomics.role import final_problems
from cdk_healthomics.tokens import is_token, possible
from cdk_healthomics_handler.names import RULE_PREFIX, RUNS_VARIABLE, WaitFor
from constructs import Construct, IValidation

ID: Final = "HealthOmicsRunProvider"
WAITING: Final = "Waiting"
_PROVIDERS: Final[WeakKeyDictionary[Stack, "Provider"]] = WeakKeyDictionary()


class Provider(Construct):
    """The function that CloudFormation asks to start, change and cancel the runs of one stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        log_group = aws_logs.LogGroup(
            self, "Logs", retention=aws_logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        self._permissions = Permissions(self)
        self._permissions.inline.add_statements(
            aws_iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        )
        self._permissions.inline.add_statements(
            # Always: a rollback that takes the waiting away must still remove what the update has put there.
            aws_iam.PolicyStatement(
                actions=["events:DeleteRule", "events:ListTargetsByRule", "events:RemoveTargets"],
                resources=[rules_of(Stack.of(self))],
            )
        )
        # The policy is inside the role: the function, and so every run, waits for both and outlives neither.
        role = aws_iam.Role(
            self,
            "Role",
            description="The function behind the HealthOmics runs of a stack",
            assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Runs": self._permissions.inline},
        )
        self._permissions.attach_to(role)
        self._watched: list[_Watched] = []
        nag.answer(
            role, nag.Rule.WILDCARDS, "Runs and their rules are named when they start; ListRuns has no resource."
        )
        self._function = aws_lambda.Function(
            self,
            "Function",
            description="Starts, tags and cancels the HealthOmics runs of a stack",
            code=aws_lambda.Code.from_asset(str(code_of(Stack.of(self)))),
            handler=HANDLER,
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            role=role,
            log_group=log_group,
            memory_size=256,
            environment={RUNS_VARIABLE: Lazy.string(_Number(self._watched))},
            # Lambda's longest: so long is a throttled StartRun tried again, and a stopping run waited for.
            timeout=Duration.minutes(15),
        )
        nag.answer(self._function, nag.Rule.LATEST_RUNTIME, "The runtime that this library was tested with.")
        self.service_token: Final[str] = self._function.function_arn
        self.names_runs: Final = naming.needs_name(Stack.of(self))
        """Whether runs that the user gave no name are named when the app is synthesized."""
        self.node.add_validation(_Final(self._watched))
        cautions.of_stack(self)

    def watch(self, run: Construct, tags: TagManager, *, role: aws_iam.IRole | None, wait_for: str | None) -> None:
        """Look at a run again when the app is final.

        Args:
            run: the run.
            tags: its own, which those of ``Tags.of(…)`` join.
            role: the one that was given.
            wait_for: what was given.
        """
        self._watched.append(_Watched(run, tags, role, wait_for))

    @classmethod
    def of(cls, stack: Stack) -> "Provider":
        """The provider of a stack; made when it is first asked for."""
        if stack not in _PROVIDERS:
            _PROVIDERS[stack] = cls(stack, ID)
        return _PROVIDERS[stack]

    def allow(self, arguments: dict[str, Any], role: aws_iam.IRole) -> list[Construct]:
        """Allow the function what one run with this role needs; returns what the run must wait for."""
        needed = self._permissions.of_run(arguments, role)
        if arguments.get("wait_for", WaitFor.SUBMITTED) != WaitFor.SUBMITTED:
            needed.append(self._waiting())
        return needed

    def _waiting(self) -> Construct:
        """Let EventBridge invoke the function while a run is waited for: one permission a stack."""
        existing = self.node.try_find_child(WAITING)
        if isinstance(existing, Construct):
            return existing
        stack = Stack.of(self)
        rules = rules_of(stack)
        self._permissions.add(
            aws_iam.PolicyStatement(
                actions=["events:PutRule", "events:PutTargets"],
                resources=[rules],
            )
        )
        return aws_lambda.CfnPermission(
            self,
            WAITING,
            action="lambda:InvokeFunction",
            function_name=self.service_token,
            principal="events.amazonaws.com",
            source_arn=rules,
        )


def rules_of(stack: Stack) -> str:
    """The ARN of the rules by which the function is invoked again, with the end of the stack's id in their names."""
    unique = Fn.select(2, Fn.split("/", stack.stack_id))
    return f"arn:{stack.partition}:events:{stack.region}:{stack.account}:rule/{RULE_PREFIX}{unique}-*"


@dataclass(frozen=True)
class _Watched:
    run: Construct
    tags: TagManager
    role: aws_iam.IRole | None
    wait_for: str | None

    def problems(self) -> Iterator[str]:
        yield from checks.tag_problems(self.tags.tag_values())
        if is_token(self.wait_for):
            for value in possible(Stack.of(self.run), self.wait_for):
                yield from checks.wait_problems(value)


@jsii.implements(IStableStringProducer)
class _Number:
    """How many runs the stack has, when the app is synthesized."""

    def __init__(self, watched: Sequence[_Watched]) -> None:
        self._watched = watched

    def produce(self) -> str:
        """The number, as text."""
        return str(len(self._watched))


@jsii.implements(IValidation)
class _Final:
    """One validation for all runs of a stack: what can be told only when the app is final."""

    def __init__(self, watched: Sequence[_Watched]) -> None:
        self._watched = watched

    def validate(self) -> list[str]:
        """What is wrong with which run."""
        # Many runs may share a role, and each look at one asks the CDK's other process.
        roles = {each.role for each in self._watched if each.role is not None}
        of_roles: dict[aws_iam.IRole | None, list[str]] = {role: list(final_problems(role)) for role in roles}
        return [
            f"HealthOmicsRun at '{each.run.node.path}': {problem}"
            for each in self._watched
            for problem in [*each.problems(), *of_roles.get(each.role, ())]
        ]
