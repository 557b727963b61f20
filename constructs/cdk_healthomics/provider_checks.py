"""What can be told of a provider's arguments at synth time, in a person's words; CDK tokens pass unseen."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import RemovalPolicy, Stack, aws_lambda, aws_logs

from cdk_healthomics import model
from cdk_healthomics.messages import shown
from cdk_healthomics.tokens import is_unknown
from constructs import Construct

_FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "vpc": ("vpc_id", "an ec2.IVpc, such as ec2.Vpc.from_lookup(…)"),
    "role": ("role_arn", "an iam.IRole; for an ARN use iam.Role.from_role_arn(…)"),
    "environment_encryption": ("key_arn", "a kms.IKey; for an ARN use kms.Key.from_key_arn(…)"),
    "log_encryption": ("key_arn", "a kms.IKey; for an ARN use kms.Key.from_key_arn(…)"),
    "log_group": ("log_group_arn", "a logs.ILogGroup; for a name use logs.LogGroup.from_log_group_name(…)"),
    "on_failure": ("bind", "an IDestination, such as lambda_destinations.SqsDestination(queue)"),
    "dead_letter_queue": ("queue_arn", "an sqs.IQueue; for an ARN use sqs.Queue.from_queue_arn(…)"),
}
"""What tells a construct of the right kind, and how it is called."""
_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "log_retention": (aws_logs.RetentionDays, "a logs.RetentionDays, such as RetentionDays.TEN_YEARS"),
    "log_removal_policy": (RemovalPolicy, "a RemovalPolicy, such as RemovalPolicy.RETAIN"),
    "tracing": (aws_lambda.Tracing, "a lambda.Tracing, such as Tracing.ACTIVE"),
    "use_fips_endpoint": (bool, "True or False"),
}
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Of a function (Lambda API reference); the API's own model allows for whole ARNs."""


def problems(scope: Construct, arguments: Mapping[str, Any]) -> list[str]:
    """Every problem of a provider's arguments, those that were left out left out."""
    return [problem for check in _RULES for problem in check(scope, arguments)]


def _kinds(_: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    for argument, value in arguments.items():
        if argument in _FORMS and not hasattr(value, _FORMS[argument][0]):
            yield f"{argument} was {shown(value)}: must be {_FORMS[argument][1]}"
        if argument in _KINDS and not isinstance(value, _KINDS[argument][0]):
            yield f"{argument} was {shown(value)}: must be {_KINDS[argument][1]}"


def _network(_: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    for argument in ("vpc_subnets", "security_groups"):
        if argument in arguments and "vpc" not in arguments:
            yield f"{argument} was given without vpc: must name the VPC that they are in as vpc, or be left out"


def _logs(_: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    for argument in ("log_retention", "log_removal_policy", "log_encryption"):
        if argument in arguments and "log_group" in arguments:
            yield (
                f"{argument} was given beside log_group: must be left out, for it is of the log group that is made "
                "otherwise; set it on the one that you give"
            )


def _memory(_: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    if "memory_size" not in arguments or is_unknown(size := arguments["memory_size"]):
        return
    # The least is enough: see docs/performance.md, "peak memory".
    limits = model.limits("lambda", "MemorySize")
    if not (_whole(size) and limits["min"] <= size <= limits["max"]):
        yield f"memory_size was {shown(size)}: must be a whole number of MB from {limits['min']} to {limits['max']}"


def _numbers(_: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    reserved = arguments.get("reserved_concurrent_executions", 1)
    if not is_unknown(reserved) and not (_whole(reserved) and reserved >= 1):
        yield (
            f"reserved_concurrent_executions was {shown(reserved)}: must be a whole number of at least 1; with 0 "
            "Lambda runs no request of CloudFormation's, not even the one that cancels a run"
        )
    rate = arguments.get("start_run_rate", 1)
    if not is_unknown(rate) and not (
        isinstance(rate, (int, float)) and not isinstance(rate, bool) and math.isfinite(rate) and rate > 0
    ):
        yield (
            f"start_run_rate was {shown(rate)}: must be a number above 0, the account's quota of StartRun in calls a "
            "second (Service Quotas)"
        )


def _name(_: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    name = arguments.get("function_name", "name")
    if not is_unknown(name) and not (isinstance(name, str) and _NAME.fullmatch(name)):
        length = f", {len(name)} characters long" if isinstance(name, str) else ""
        yield (
            f"function_name was {shown(name)}{length}: must have 1 to 64 letters of the English alphabet, digits, "
            "hyphens and underscores"
        )


def _role(scope: Construct, arguments: Mapping[str, Any]) -> Iterator[str]:
    role: Any = arguments.get("role")
    if not hasattr(role, "role_arn"):
        return
    theirs, ours = Stack.of(role), Stack.of(scope)
    if theirs is not ours:
        yield (
            f"role was that at {role.node.path!r}, of the stack {theirs.node.path!r}: must be of this stack, for its "
            "statements name this stack's runs and log group, and each stack would wait for the other; bring it in "
            "with iam.Role.from_role_arn(…) in this stack, or make one here"
        )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_RULES: Final = (_kinds, _network, _logs, _memory, _numbers, _name, _role)
