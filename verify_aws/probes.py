"""How CloudFormation is asked: small stacks with one custom resource behind the probe, whose notes are read."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError

from verify_aws.bench import Bench, code
from verify_aws.experiments import LAG_LIMIT, Answers
from verify_aws.names import PROBE, STACK, TAG

_BURST: Final = 3.0
_THREADS: Final = 8
_SILENCE: Final = 10
"""Seconds of ServiceTimeout for what nobody answers."""
_ANSWERED: Final = 120


def requests(bench: Bench) -> Answers:
    """A custom resource is created and answered; its event and DescribeStackResource are looked at."""
    stack = _create(bench, "Answered", silent=False, timeout=_ANSWERED)
    event = _note(bench, stack, "Create")
    yield "service-timeout", {"serviceTimeout": event["serviceTimeout"], "asked": str(_ANSWERED)}
    yield "signed", {"urlNames": event["urlNames"], "signed": event["signed"]}
    yield "describe-lag", {"lag": event["lag"], "waited": _look_limit(bench)}
    yield "describe-quota", _burst(bench, stack)


def silence(bench: Bench) -> Answers:
    """A custom resource's Create is never answered; the Delete that follows is looked at."""
    stack = _create(bench, "Silent", silent=True, timeout=_SILENCE)
    notes = [each for each in bench.written("request") if each["stack"] == stack and each["type"] == "Delete"]
    yield "placeholder", {"deleted": bool(notes), "physicalId": notes[0]["physicalId"] if notes else None}


def _look_limit(bench: Bench) -> float:
    """For how long the probe looks before it answers: the stack must come to rest within the bench's limit."""
    return min(LAG_LIMIT, bench.limit / 2)


def _create(bench: Bench, name: str, *, silent: bool, timeout: int) -> str:
    """Create a stack with one custom resource and wait until it is at rest; its id."""
    client, outputs = bench.client("cloudformation"), bench.outputs
    function = bench.client("lambda").get_function(FunctionName=PROBE)["Configuration"]["FunctionArn"]
    look = _look_limit(bench)
    properties = {
        "ServiceToken": function,
        "ServiceTimeout": timeout,
        "Silent": str(silent).lower(),
        "LookSeconds": str(look),
        "Bucket": outputs["Bucket"],
    }
    template = {"Resources": {"Probed": {"Type": "Custom::Probe", "Properties": properties}}}
    stack = client.create_stack(
        StackName=f"{STACK}{name}",
        TemplateBody=json.dumps(template),
        Tags=[{"Key": TAG, "Value": bench.session}],
    )["StackId"]

    def at_rest() -> bool:
        (told,) = client.describe_stacks(StackName=stack)["Stacks"]
        return not told["StackStatus"].endswith("IN_PROGRESS")

    if not bench.until(at_rest):
        raise TimeoutError(f"stack {STACK}{name} is not at rest within {bench.limit:.0f} s")
    return str(stack)


def _note(bench: Bench, stack: str, kind: str) -> dict[str, Any]:
    for each in bench.written("request"):
        if (each["stack"], each["type"]) == (stack, kind):
            return each
    raise LookupError(f"the probe has written nothing of the {kind} of {stack.split('/')[1]}")


def _burst(bench: Bench, stack: str) -> dict[str, Any]:
    """Call as often as can be for some seconds, and count."""
    client = bench.client(
        "cloudformation", config=Config(retries={"total_max_attempts": 1}, max_pool_connections=_THREADS)
    )
    started = time.monotonic()

    def call_on(_: int) -> tuple[int, list[str]]:
        calls, refused = 0, []
        while time.monotonic() - started < _BURST:
            try:
                client.describe_stack_resource(StackName=stack, LogicalResourceId="Probed")
            except ClientError as error:
                refused.append(code(error))
            else:
                calls += 1
        return calls, refused

    with ThreadPoolExecutor(_THREADS) as pool:
        counted = list(pool.map(call_on, range(_THREADS)))
    refused = [each for _, codes in counted for each in codes]
    return {
        "calls": sum(calls for calls, _ in counted),
        "seconds": time.monotonic() - started,
        "throttled": len(refused),
        "code": refused[0] if refused else None,
    }
