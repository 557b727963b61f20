"""The service role of a run: its ARN, and the making of one where the user gave none."""

from typing import Final
from weakref import WeakKeyDictionary

from aws_cdk import RemovalPolicies, RemovalPolicy, Stack, aws_iam

from cdk_healthomics import nag
from cdk_healthomics_handler.names import LOG_GROUP
from constructs import Construct

_ARNS: Final[WeakKeyDictionary[aws_iam.IRole, str]] = WeakKeyDictionary()


def arn_of(role: aws_iam.IRole) -> str:
    """The ARN of a role. The CDK's other process is asked once a role: many runs may share one.

    Raises:
        AttributeError: it is no role.
    """
    if role not in _ARNS:
        _ARNS[role] = role.role_arn
    return _ARNS[role]


def path_of_made_roles(stack: Stack) -> str:
    """The IAM path of the roles that are made for the runs of a stack.

    The function may pass what is under this path. Naming the roles themselves would make it depend on each of them, and
    a run that comes after another run (``second.node.add_dependency(first)``) would close a circle.
    StartRun takes ARNs of at most 128 characters: hence only the end of the stack's address.
    """
    return f"/cdk-healthomics/{stack.node.addr[-8:]}/"


def make_role(scope: Construct, removal_policy: RemovalPolicy | None) -> aws_iam.Role:
    """A role that HealthOmics may take on for runs of this account and region, and that may write the runs' logs.

    What the run reads and writes is granted by the user: ``bucket.grant_read_write(run.role)``.

    Args:
        scope: the run.
        removal_policy: the run's; a run that outlives its stack needs its role, and the role's policies, as well.
    """
    stack = Stack.of(scope)
    where = f"{stack.region}:{stack.account}"
    log_group = f"arn:{stack.partition}:logs:{where}:log-group:{LOG_GROUP}"
    role = aws_iam.Role(
        scope,
        "Role",
        description="Runs of AWS HealthOmics",
        path=path_of_made_roles(stack),
        # Without the conditions, HealthOmics could be made to use the role for another account (confused deputy).
        assumed_by=aws_iam.ServicePrincipal(
            "omics.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:omics:{where}:run/*"},
            },
        ),
        inline_policies={
            "Logs": aws_iam.PolicyDocument(
                statements=[
                    aws_iam.PolicyStatement(actions=["logs:CreateLogGroup"], resources=[f"{log_group}:*"]),
                    aws_iam.PolicyStatement(
                        actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                        resources=[f"{log_group}:log-stream:*"],
                    ),
                ]
            )
        },
    )
    nag.answer(role, nag.Rule.WILDCARDS, "HealthOmics makes the log streams, and names them after runs.")
    if removal_policy not in {None, RemovalPolicy.DESTROY}:
        RemovalPolicies.of(role).apply(removal_policy)
    return role
