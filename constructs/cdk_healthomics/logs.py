"""The log group that is made for a function, and what its key must allow."""

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack, aws_iam, aws_logs

from cdk_healthomics import cautions, messages
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_kms


def made(
    provider: Construct,
    retention: aws_logs.RetentionDays | None,
    removal_policy: RemovalPolicy | None,
    key: "aws_kms.IKey | None",
) -> aws_logs.LogGroup:
    """Make the log group of a provider.

    Args:
        provider: that it becomes part of.
        retention: how long it keeps what is written. None: three months.
        removal_policy: what happens to it when it is removed. None: it is deleted.
        key: that encrypts it. None: CloudWatch's own.
    """
    if key is not None:
        _let_logs_use(key, provider)
    return aws_logs.LogGroup(
        provider,
        "Logs",
        retention=aws_logs.RetentionDays.THREE_MONTHS if retention is None else retention,
        removal_policy=RemovalPolicy.DESTROY if removal_policy is None else removal_policy,
        encryption_key=key,
    )


def _let_logs_use(key: "aws_kms.IKey", provider: Construct) -> None:
    """CloudWatch Logs encrypts as itself, which the CDK does not allow it for a log group with a key."""
    stack = Stack.of(provider)
    where = f"{stack.region}:{stack.account}"
    statement = aws_iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        principals=[aws_iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
        resources=["*"],  # of a key's policy: the key
        conditions={
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:{stack.partition}:logs:{where}:log-group:*"}
        },
    )
    if not key.add_to_resource_policy(statement, True).statement_added:  # noqa: FBT003 - the CDK's
        told = messages.policy(stack.resolve(statement.to_statement_json()))
        cautions.warn(provider, "logEncryption", f"log_encryption is not of this app: its policy must have {told}")
