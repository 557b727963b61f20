"""The function behind the runs of a stack, with its role and log group: the stack's own, or one with settings."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import (
    Fn,
    IResolveContext,
    IStringProducer,
    RemovalPolicy,
    Stack,
    aws_ec2,
    aws_iam,
    aws_lambda,
    aws_logs,
)

from cdk_healthomics import cautions, checks, function, logs, messages, nag, naming, network, provider_checks
from cdk_healthomics.final import Runs
from cdk_healthomics.kind import BATCH, Kind
from cdk_healthomics.overrides import noted
from cdk_healthomics.permissions import Permissions
from cdk_healthomics_handler.names import RULE_PREFIX, WaitFor
from constructs import Construct, IValidation

if TYPE_CHECKING:
    from aws_cdk import aws_kms, aws_sqs

ID: Final = "HealthOmicsRunProvider"
"""Of a stack's own provider, directly in it."""
_NO_SETTINGS: Final = frozenset({"self", "scope", "construct_id", "__class__"})
_OF: Final[WeakKeyDictionary[Stack, "HealthOmicsRunProvider"]] = WeakKeyDictionary()


@jsii.implements(aws_iam.IGrantable, aws_ec2.IConnectable)
class HealthOmicsRunProvider(Construct):
    """The function that CloudFormation asks to start, change and cancel runs of this stack, with its settings.

    A stack makes one with no settings for its runs that name none; it may have several. A provider serves the runs of
    its own stack only, for what its function may do names that stack: the runs that carry its id, their roles, and its
    waiting rules.

    CloudFormation changes the function of no resource that is there. So to give settings to a stack that is deployed
    already, declare the provider directly in the stack with the id ``HealthOmicsRunProvider``, before the first run: it
    takes the place of the stack's own, with the same logical ids, and runs that name no provider have this one.

    A run waits until its provider may do all that it is granted, also later in the app
    (``bucket.grant_read(provider)``), and until the VPC endpoints of the stack are there; on deletion they go after it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: aws_ec2.IVpc | None = None,
        vpc_subnets: aws_ec2.SubnetSelection | None = None,
        security_groups: list[aws_ec2.ISecurityGroup] | None = None,
        role: aws_iam.IRole | None = None,
        function_name: str | None = None,
        memory_size: int | None = None,
        environment_encryption: "aws_kms.IKey | None" = None,
        log_group: aws_logs.ILogGroup | None = None,
        log_retention: aws_logs.RetentionDays | None = None,
        log_removal_policy: RemovalPolicy | None = None,
        log_encryption: "aws_kms.IKey | None" = None,
        reserved_concurrent_executions: int | None = None,
        on_failure: aws_lambda.IDestination | None = None,
        dead_letter_queue: "aws_sqs.IQueue | None" = None,
        tracing: aws_lambda.Tracing | None = None,
        use_fips_endpoint: bool | None = None,
        start_run_rate: float | None = None,
    ) -> None:
        """Declare a provider. What is left out is as in the stack's own.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there.
            vpc: the function's VPC. It must lead to HealthOmics, CloudFormation, S3 and, where a run waits,
                EventBridge: see docs/security.md for the endpoints. Default: none, Lambda's own network.
            vpc_subnets: of the VPC. Default: the private ones.
            security_groups: of the function. Default: one is made that lets everything out.
            role: the function's, for Lambda (``lambda.amazonaws.com``); of this stack, or imported into it. What the
                function needs is added to it; of one that cannot be changed, a warning tells what it must be allowed. A
                :class:`ManagedPolicyRole` has no inline policies. Default: one is made.
            function_name: 1 to 64 letters, digits, hyphens and underscores. Default: CloudFormation makes one.
            memory_size: in MB, 128 to 32768; the function needs less than 128. Default: 256, for the processor that
                comes with it.
            environment_encryption: the key of the environment variables, which hold no secrets. Default: Lambda's.
            log_group: where the function writes. Default: one is made.
            log_retention: how long the log group that is made keeps what is written. Default: three months.
            log_removal_policy: what happens to that log group when it is removed. Default: it is deleted.
            log_encryption: that log group's key; its policy lets CloudWatch Logs of the region use it. Default:
                CloudWatch's own.
            reserved_concurrent_executions: how many requests are worked on at once, at least 1, taken from the
                account's share. Requests beyond it wait inside Lambda, for up to 6 hours. Default: no limit of its own.
            on_failure: where Lambda puts requests that the function could not finish in three tries, whole: see
                docs/security.md. Default: nowhere.
            dead_letter_queue: likewise, a queue as some rules want it (``DeadLetterConfig``). Default: none.
            tracing: by X-Ray. Default: none.
            use_fips_endpoint: whether AWS is called at its FIPS endpoints. Default: no.
            start_run_rate: the account's quota of StartRun in calls a second, where it is another than 1, above 0: the
                runs of a stack share it. Default: 1.

        Raises:
            ValidationError: arguments are wrong, or do not go together; the message lists all of them.
        """
        given = {name: value for name, value in locals().items() if value is not None and name not in _NO_SETTINGS}
        # All that can be refused is refused before the tree has this construct: its id stays free for another try.
        found = provider_checks.problems(scope, given)
        if found:
            raise checks.ValidationError(checks.path(scope, construct_id), found, kind=ID)
        super().__init__(scope, construct_id)
        self._stack: Final = Stack.of(self)
        self._has_settings: Final = bool(given)
        self._log_group = log_group or logs.made(self, log_retention, log_removal_policy, log_encryption)
        self._permissions: Final = Permissions(self, role)
        self._permissions.add(
            aws_iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self._log_group.log_group_arn]
            ),
            # Always: a rollback that takes the waiting away must still remove what the update has put there.
            aws_iam.PolicyStatement(
                actions=["events:DeleteRule", "events:ListTargetsByRule", "events:RemoveTargets"],
                resources=[rules_of(self._stack)],
            ),
        )
        self._role = role or self._made_role()
        self._waiting: list[Construct] = []
        self._in_vpc = False
        self._function = function.made(self, given, role=self._role, log_group=self._log_group, runs=_Final(self))
        resource: Any = self._function.node.default_child
        self._resource = resource
        self._overrides = noted(resource)
        if vpc is not None:
            self._enter_vpc()
            resource.node.add_dependency(network.WayOut(self._stack))
        if self._permissions.is_told:
            self.node.add_validation(_Immutable(self, self._permissions))
        self.service_token: Final[str] = self._function.function_arn
        self.names_runs: Final = naming.needs_name(self._stack)
        """Whether runs that the user gave no name are named when the app is synthesized."""
        cautions.of_stack(self)
        nag.answer_wildcards(self)
        if role is not None:
            nag.answer_wildcards(role)

    @classmethod
    def of(cls, stack: Stack) -> "HealthOmicsRunProvider":
        """The stack's own provider; made when it is first asked for."""
        if stack not in _OF:
            own = stack.node.try_find_child(ID)
            _OF[stack] = own if isinstance(own, cls) else cls(stack, ID)
        return _OF[stack]

    @property
    def function(self) -> aws_lambda.Function:
        """The function."""
        return self._function

    @property
    def role(self) -> aws_iam.IRole:
        """The role of the function: the one that was given, or else the one that was made."""
        return self._role

    @property
    def log_group(self) -> aws_logs.ILogGroup:
        """Where the function writes: the log group that was given, or else the one that was made."""
        return self._log_group

    @property
    @jsii.member(jsii_name="grantPrincipal")
    def grant_principal(self) -> aws_iam.IPrincipal:
        """Who is granted what is granted to this provider: the role of the function."""
        return self._role

    @property
    @jsii.member(jsii_name="connections")
    def connections(self) -> aws_ec2.Connections:
        """The network connections of the function, for ``allow_…`` of security groups.

        Raises:
            RuntimeError: it is in no VPC.
        """
        return self._function.connections

    def allow(self, arguments: dict[str, Any], role: aws_iam.IRole, kind: Kind) -> list[Construct]:
        """Allow the function what one run with this role needs, or a batch; returns what that must wait for."""
        needed = self._permissions.of_run(arguments, role)
        if kind is BATCH:
            self._permissions.of_batches()
        # To cancel a large batch takes longer than a function may run.
        if kind is BATCH or arguments.get("wait_for", WaitFor.SUBMITTED) != WaitFor.SUBMITTED:
            self._waiting = self._waiting or self._wait()
            needed += self._waiting
        # The function waits for its role and all that this is granted. Where there are settings, what belongs to the
        # function must be there as well: its destination, say.
        return [*needed, self._function] if self._has_settings else needed

    def settle(self) -> None:
        """See to what others have made of the function since: it may have been put into a VPC."""
        if not self._in_vpc and network.is_in_vpc(self._resource, self._overrides):
            self._enter_vpc()
            nag.look_again(self, self._role)

    def _enter_vpc(self) -> None:
        self._in_vpc = True
        self._permissions.add(*network.statements(self._stack))

    def _wait(self) -> list[Construct]:
        """Let EventBridge invoke the function while a run is waited for: one permission a provider."""
        rules = rules_of(self._stack)
        self._permissions.add(
            aws_iam.PolicyStatement(actions=["events:PutRule", "events:TagResource"], resources=[rules])
        )
        target = aws_iam.PolicyStatement(
            actions=["events:PutTargets"],
            resources=[rules],
            conditions={"ArnEquals": {"events:TargetArn": self.service_token}},
        )
        permission = aws_lambda.CfnPermission(
            self,
            "Waiting",
            action="lambda:InvokeFunction",
            function_name=self.service_token,
            principal="events.amazonaws.com",
            source_account=self._stack.account,
            source_arn=rules,
        )
        policies = self._permissions.add_after("Targets", target)
        return [permission, *policies]

    def _made_role(self) -> aws_iam.Role:
        # The policy is inside the role: the function, and so every run, waits for both and outlives neither.
        role = aws_iam.Role(
            self,
            "Role",
            description="The function behind the HealthOmics runs of a stack",
            assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Runs": self._permissions.inline},
        )
        self._permissions.attach_to(role)
        return role


def provider_problems(stack: Stack, provider: Any) -> Iterator[str]:
    """What is wrong with the provider that a run of a stack was given."""
    if provider is None:
        return
    if not isinstance(provider, HealthOmicsRunProvider):
        yield f"provider was {messages.shown(provider)}: must be a HealthOmicsRunProvider of the run's own stack"
    elif Stack.of(provider) is not stack:
        yield (
            f"provider was that at {provider.node.path!r}, of another stack: must be of {stack.node.path!r}, the stack "
            "of the run, for its function may only touch runs, roles and rules of its own stack; declare one here"
        )


def rules_of(stack: Stack) -> str:
    """The ARN of the rules by which the function is invoked again, with the end of the stack's id in their names."""
    unique = Fn.select(2, Fn.split("/", stack.stack_id))
    return f"arn:{stack.partition}:events:{stack.region}:{stack.account}:rule/{RULE_PREFIX}{unique}-*"


@jsii.implements(IStringProducer)
class _Final:
    """How many runs the stack has, when the app is final; then what others made of the function is known as well."""

    def __init__(self, provider: HealthOmicsRunProvider) -> None:
        self._provider = provider
        self._runs = Runs.of(Stack.of(provider))

    def produce(self, _: IResolveContext) -> str:
        """The number, as text. The CDK asks before it writes the first resource, so the role is seen to in time."""
        self._provider.settle()
        return str(len(self._runs))


@jsii.implements(IValidation)
class _Immutable:
    """A role that takes no statements: what it must be allowed is told when that is known."""

    def __init__(self, provider: HealthOmicsRunProvider, permissions: Permissions) -> None:
        self._provider = provider
        self._permissions = permissions
        self._told = False

    def validate(self) -> list[str]:
        """Nothing is wrong that could be known here: whoever owns the role may have allowed all of it."""
        if self._told:
            return []
        self._told = True
        needed = messages.policy(Stack.of(self._provider).resolve(self._permissions.inline))
        cautions.warn(
            self._provider,
            "role",
            f"role {self._provider.role.node.id} takes no statements: no run can be started or cancelled unless its "
            f"policies allow {needed}",
        )
        return []
