"""The Lambda function of a provider: its code, its environment, and what belongs to it."""

from typing import Any, Final

from aws_cdk import Duration, IStringProducer, Lazy, Stack, Token, aws_iam, aws_lambda, aws_logs

from cdk_healthomics import nag
from cdk_healthomics.asset import HANDLER, code_of
from cdk_healthomics_handler.names import RUNS_VARIABLE, START_RATE_VARIABLE
from constructs import Construct

_FIPS_VARIABLE: Final = "AWS_USE_FIPS_ENDPOINT"
"""botocore's own."""
_FUNCTIONS: Final = frozenset(
    {
        "vpc",
        "vpc_subnets",
        "security_groups",
        "function_name",
        "memory_size",
        "environment_encryption",
        "reserved_concurrent_executions",
        "on_failure",
        "dead_letter_queue",
        "tracing",
    }
)
"""The arguments that are those of ``aws_lambda.Function``."""


def made(
    provider: Construct,
    given: dict[str, Any],
    *,
    role: aws_iam.IRole,
    log_group: aws_logs.ILogGroup,
    runs: IStringProducer,
) -> aws_lambda.Function:
    """Make it.

    Args:
        provider: the construct that it is part of.
        given: the provider's settings, those that were left out left out.
        role: of the function.
        log_group: where it writes.
        runs: tells how many runs it serves, when the app is final.
    """
    environment = {RUNS_VARIABLE: Lazy.uncached_string(runs)}
    if "start_run_rate" in given:
        environment[START_RATE_VARIABLE] = _text(given["start_run_rate"])
    if given.get("use_fips_endpoint"):
        environment[_FIPS_VARIABLE] = "true"
    function = aws_lambda.Function(
        provider,
        "Function",
        description="Starts, tags and cancels the HealthOmics runs of a stack",
        code=aws_lambda.Code.from_asset(str(code_of(Stack.of(provider)))),
        handler=HANDLER,
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        role=role,
        log_group=log_group,
        environment=environment,
        # Lambda's longest: so long is a throttled StartRun tried again, and a stopping run waited for.
        timeout=Duration.minutes(15),
        **{"memory_size": 256, **{name: value for name, value in given.items() if name in _FUNCTIONS}},
    )
    nag.answer(function, nag.LATEST_RUNTIME, "The newest Python that the oldest supported aws-cdk-lib knows.")
    if "environment_encryption" in given:
        given["environment_encryption"].grant_decrypt(role)
    queue = given.get("dead_letter_queue")
    if queue is not None and queue.encryption_master_key is not None:
        # The CDK lets the function send to the queue, but forgets its key.
        queue.encryption_master_key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
    return function


def _text(number: float) -> str:
    return Token.as_string(number) if Token.is_unresolved(number) else repr(number)
