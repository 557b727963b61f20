"""The service role of runs: its ARN, and the making of one."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final
from weakref import WeakKeyDictionary

from aws_cdk import RemovalPolicies, RemovalPolicy, Stack, aws_iam

from cdk_healthomics import model, nag
from cdk_healthomics.messages import shown
from cdk_healthomics.template import Template
from cdk_healthomics.tokens import is_token
from cdk_healthomics_handler.names import LOG_GROUP
from constructs import Construct

_ARNS: Final[WeakKeyDictionary[aws_iam.IRole, str]] = WeakKeyDictionary()

_TOKEN: Final = re.compile(r"\$\{Token\[([\w.]*?)(?:\.\d+)?\]\}")
_LEAST: Final = {"AWS.Partition": len("aws"), "AWS.AccountId": 12}
"""How long what a token stands for is at least, by the CDK's name for it."""


def arn_of(role: aws_iam.IRole) -> str:
    """The ARN of a role. The CDK's other process is asked once a role: many runs may share one.

    Raises:
        AttributeError: it is no role.
    """
    if role not in _ARNS:
        _ARNS[role] = role.role_arn
    return _ARNS[role]


def arn_problems(arn: str) -> Iterator[str]:
    """What is wrong with a role's ARN, as far as it is known: tokens in it count as the least that they can become."""
    longest = model.members()["roleArn"].metadata["max"]
    least = _TOKEN.sub(lambda token: "x" * _LEAST.get(token[1], 0), arn)
    if len(least) > longest:
        size = f"{len(arn)}" if least == arn else f"at least {len(least)}"
        yield (
            f"role has the ARN {shown(_TOKEN.sub('…', arn))}, {size} characters long: must have at most {longest} for "
            "StartRun; give the role a shorter name or path"
        )


def final_problems(role: aws_iam.IRole) -> Iterator[str]:
    """What is wrong with the ARN of a role of the app, when its name and path are final."""
    resource = role.node.default_child
    if not isinstance(resource, aws_iam.CfnRole):
        return
    if any(arn_problems(_known_arn(resource.path, resource.role_name))):
        # Of what has overridden them the template tells only; to render it for every role would be most of this look.
        final = Template(Stack.of(resource)).properties(resource)
        yield from arn_problems(_known_arn(final.get("Path"), final.get("RoleName")))


def _known_arn(path: Any, name: Any) -> str:
    known = "".join(part for part in (path or "/", name) if isinstance(part, str) and not is_token(part))
    return f"arn:${{Token[AWS.Partition.0]}}:iam::${{Token[AWS.AccountId.0]}}:role{known}"


def is_precreated(role: aws_iam.IRole) -> bool:
    """Whether ``Role.customize_roles`` named a role that exists.

    The CDK's report of its policies holds what is inside of it when it is made, and what is added to it as a principal.
    """
    return role.node.try_find_child(f"PrecreatedRole{role.node.id}") is not None


def trust(stack: Stack) -> aws_iam.ServicePrincipal:
    """Who may take on the role of runs of a stack's account and region.

    Without the conditions, HealthOmics could be made to use the role for another account (confused deputy).
    """
    omics = f"arn:{stack.partition}:omics:{stack.region}:{stack.account}"
    return aws_iam.ServicePrincipal(
        "omics.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.account},
            # Which of both HealthOmics names when it reads the settings of a batch's runs, is not documented.
            "ArnLike": {"aws:SourceArn": [f"{omics}:run/*", f"{omics}:runBatch/*"]},
        },
    )


def observing(stack: Stack) -> Mapping[str, list[aws_iam.PolicyStatement]]:
    """What every run does beside its work, by what it is about: it writes logs and metrics."""
    log_group = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{LOG_GROUP}"
    return {
        "Logs": [
            aws_iam.PolicyStatement(actions=["logs:CreateLogGroup"], resources=[f"{log_group}:*"]),
            aws_iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[f"{log_group}:log-stream:*"],
            ),
        ],
        # PutMetricData knows no resource (Service Authorization Reference).
        "Metrics": [aws_iam.PolicyStatement(actions=["cloudwatch:PutMetricData"], resources=["*"])],
    }


class RunRole(aws_iam.Role):
    """A role that HealthOmics may take on for runs of this account and region; it may write the runs' logs and metrics.

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
        inside = observing(stack)
        super().__init__(
            scope,
            construct_id,
            description="Runs of AWS HealthOmics",
            path=path,
            assumed_by=trust(stack),
            inline_policies={
                name: aws_iam.PolicyDocument(statements=statements) for name, statements in inside.items()
            },
        )
        nag.answer_statements(self, chain.from_iterable(inside.values()))
        if removal_policy not in {None, RemovalPolicy.DESTROY}:
            RemovalPolicies.of(self).apply(removal_policy)
