"""The stack's one function behind all its runs, with its role and log group."""

from typing import Any, Final

from aws_cdk import Duration, Fn, RemovalPolicy, Stack, aws_iam, aws_lambda, aws_logs

from cdk_healthomics import nag
from cdk_healthomics.asset import HANDLER, code_folder
from cdk_healthomics.permissions import Permissions
from cdk_healthomics_handler.names import RULE_PREFIX, WaitFor
from constructs import Construct

ID: Final = "HealthOmicsRunProvider"
WAITING: Final = "Waiting"


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
        # The policy is inside the role: the function, and so every run, waits for both and outlives neither.
        role = aws_iam.Role(
            self,
            "Role",
            description="The function behind the HealthOmics runs of a stack",
            assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Runs": self._permissions.inline},
        )
        self._permissions.attach_to(role)
        nag.answer(
            role, nag.Rule.WILDCARDS, "Runs and their rules are named when they start; ListRuns has no resource."
        )
        self._function = aws_lambda.Function(
            self,
            "Function",
            description="Starts, tags and cancels the HealthOmics runs of a stack",
            code=aws_lambda.Code.from_asset(str(code_folder())),
            handler=HANDLER,
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            role=role,
            log_group=log_group,
            memory_size=256,
            # Lambda's longest: so long is a throttled StartRun tried again, and a stopping run waited for.
            timeout=Duration.minutes(15),
        )
        nag.answer(self._function, nag.Rule.LATEST_RUNTIME, "The runtime that this library was tested with.")
        self.service_token: Final[str] = self._function.function_arn

    @classmethod
    def of(cls, scope: Construct) -> "Provider":
        """The provider of the stack that a construct is in; made when it is first asked for."""
        stack = Stack.of(scope)
        existing = stack.node.try_find_child(ID)
        return existing if isinstance(existing, cls) else cls(stack, ID)

    def allow(self, arguments: dict[str, Any]) -> list[Construct]:
        """Allow the function what one run needs; returns the policies that the run must wait for."""
        needed = self._permissions.of_run(arguments)
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
        self._permissions.inline.add_statements(
            aws_iam.PolicyStatement(
                actions=[
                    "events:DeleteRule",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                ],
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
