"""The service role of runs: its ARN, and the making of one."""

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


class RunRole(aws_iam.Role):
    """A role that HealthOmics may take on for runs of this account and region, and that may write the runs' logs.

    A run makes one for itself where it is given none; one that is made for many runs leaves room for more runs in a
    stack. What the runs read and write is granted by the user: ``bucket.grant_read_write(role)``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        path: str | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        """Declare a role for runs.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there.
            path: of the role in IAM. StartRun takes ARNs of at most 128 characters. Default: ``/``.
            removal_policy: what happens to the role, and to its policies, when it is removed. A run that outlives its
                stack needs both. Default: they are deleted.
        """
        stack = Stack.of(scope)
        where = f"{stack.region}:{stack.account}"
        log_group = f"arn:{stack.partition}:logs:{where}:log-group:{LOG_GROUP}"
        super().__init__(
            scope,
            construct_id,
            description="Runs of AWS HealthOmics",
            path=path,
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
        nag.answer(self, nag.Rule.WILDCARDS, "HealthOmics makes the log streams, and names them after runs.")
        if removal_policy not in {None, RemovalPolicy.DESTROY}:
            RemovalPolicies.of(self).apply(removal_policy)
