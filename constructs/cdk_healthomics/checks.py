"""What can be told of a run's arguments at synth time: pure functions from arguments to problems, in a person's words.

Limits, patterns and enums are the model's; the rules below it are those that the model does not hold. A check never
refuses what HealthOmics might accept, and CDK tokens pass every check unseen.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from aws_cdk import CfnElement, Duration, RemovalPolicy, aws_iam

from cdk_healthomics import links, model, neighbours, references, workflow
from cdk_healthomics.documents import PARAMETERS_LIMIT, document_problems, well_formed
from cdk_healthomics.messages import shown
from cdk_healthomics.role import arn_of, arn_problems
from cdk_healthomics.tokens import is_unknown
from cdk_healthomics_handler.names import SESSION_POLICY, TAG_PREFIX, OwnershipTag, WaitFor
from constructs import Construct

Arguments = Mapping[str, Any]
"""The construct's arguments by name, those that were left out left out."""

MOST_TAGS: Final = 50 - len(OwnershipTag)
"""HealthOmics allows 50 tags a run (User Guide, quotas); some are ours."""
SHORTEST_TIMEOUT: Final = 30
"""Seconds: StartRun must be heard, and the answer sent."""
_RESERVED: Final = ("aws:", TAG_PREFIX)
_S3: Final = re.compile(r"s3://[^/]+(/.*)?", re.DOTALL)


class ValidationError(ValueError):
    """The arguments of one construct are wrong; the message lists every problem of it."""

    def __init__(self, path: str, problems: list[str], kind: str = "HealthOmicsRun") -> None:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{kind} at '{path}' cannot be made:{listed}")
        self.problems: Final = problems


def path(scope: Construct, construct_id: str) -> str:
    """The path in the tree that a construct would have."""
    return "/".join(part for part in (scope.node.path, construct_id.replace("/", "--")) if part)


def problems(arguments: Arguments) -> list[str]:
    """Every problem of a run's arguments; none: they are good as far as can be told here."""
    return [problem for check in (_by_model, *_RULES) for problem in check(arguments)]


def attribute_problems(attributes: Arguments) -> list[str]:
    """What is wrong with the attributes of a run that lives elsewhere."""
    uuid = attributes.get("run_uuid", "")
    return [*_by_model(attributes), *([] if is_unknown(uuid) else _written_text("run_uuid", uuid))]


def tag_problems(tags: Mapping[str, str]) -> list[str]:
    """What is wrong with all of a run's tags, those of ``Tags.of(…)`` counted."""
    return list(_tags("tags, with those of Tags.of(…),", tags, model.members()["tags"]))


def wait_problems(wait_for: Any) -> Iterator[str]:
    """What is wrong with a value of ``wait_for`` that is known."""
    if wait_for not in list(WaitFor):
        yield f"wait_for was {shown(wait_for)}: must be one of {', '.join(WaitFor)}"


def _by_model(arguments: Arguments) -> Iterator[str]:
    for member, argument in model.arguments().items():
        shape = model.members()[member]
        if argument not in arguments or shape.type_name not in _BY_TYPE or shape.metadata.get("document"):
            continue
        value = arguments[argument]
        if member in _OTHER_TYPES:
            continue
        # A map is no token itself: it is merged with the tags of the run's scopes. Its texts may be.
        if shape.type_name == "map" or not is_unknown(value):
            yield from _BY_TYPE[shape.type_name](argument, value, shape)


def _text(argument: str, value: Any, shape: Any) -> Iterator[str]:
    limits = shape.metadata
    if not isinstance(value, str):
        yield f"{argument} was {shown(value)}: must be text; write it in quotes"
        return
    if "enum" in limits:
        if value not in limits["enum"]:
            yield f"{argument} was {shown(str(value))}: must be one of {', '.join(limits['enum'])}"
        return
    shortest, longest = limits.get("min", 0), limits.get("max")
    if len(value) < shortest or (longest and len(value) > longest):
        yield f"{argument} was {shown(value)}, {len(value)} characters long: must have {shortest} to {longest}"
    elif "pattern" in limits and not model.fits(limits["pattern"], value):
        yield f"{argument} was {shown(value)}: must match {limits['pattern']}"


def _whole_number(argument: str, value: Any, shape: Any) -> Iterator[str]:
    lowest, highest = shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        yield f"{argument} was {shown(value)}: must be a whole number from {lowest} to {highest}"


def _boolean(argument: str, value: Any, _: Any) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{argument} was {shown(value)}: must be True or False"


def _tags(argument: str, value: Any, shape: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{argument} was {shown(value)}: must be a dict of text to text"
        return
    if len(value) > MOST_TAGS:
        yield (
            f"{argument} has {len(value)} tags: must be at most {MOST_TAGS}, for HealthOmics allows 50 a run and "
            f"{len(OwnershipTag)} are this construct's own; leave {len(value) - MOST_TAGS} out"
        )
    for key, text in value.items():
        at = f"{argument}[{shown(key)}]"
        yield from (f"the key of {problem}" for problem in _tag_part(at, key, shape.key.metadata))
        yield from _tag_part(at, text, shape.value.metadata)
        if isinstance(key, str) and key.lower().startswith(_RESERVED):
            yield f"the key of {at} begins with a reserved prefix: must not begin with {' or '.join(_RESERVED)}"


def _tag_part(at: str, value: Any, limits: Mapping[str, int]) -> Iterator[str]:
    if is_unknown(value):
        return
    wrong = list(_written_text(at, value))
    yield from wrong
    if not wrong and not limits["min"] <= len(value) <= limits["max"]:
        yield f"{at} is {len(value)} characters long: must have {limits['min']} to {limits['max']}"


def _written_text(at: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{at} was {shown(value)}: must be text; write it in quotes"
    elif not well_formed(value):
        yield f"{at} was {shown(value)}: must be valid Unicode, without lone surrogates"


_BY_TYPE: Final[Mapping[str, Callable[[str, Any, Any], Iterator[str]]]] = {
    "string": _text,
    "integer": _whole_number,
    "boolean": _boolean,
    "map": _tags,
}
_OTHER_TYPES: Final = frozenset({"roleArn", SESSION_POLICY})
"""Members whose arguments take a construct or a document; the rules below look at them."""


def _one_source(arguments: Arguments) -> Iterator[str]:
    given = [name for name in ("workflow_id", "workflow", "run_id") if name in arguments]
    if not given:
        yield (
            "neither workflow_id nor workflow nor run_id was given: give one of them; run_id runs an earlier run again"
        )
    elif len(given) > 1:
        values = " and ".join(f"{name} was {_named(arguments[name])}" for name in given)
        yield f"{values}: only one may be given; run_id runs an earlier run again, with its workflow"


def _named(value: Any) -> str:
    return value.node.path if isinstance(value, CfnElement) else shown(value)


def _documents(arguments: Arguments) -> Iterator[str]:
    for argument, limit in (("parameters", PARAMETERS_LIMIT), ("engine_settings", None)):
        if argument in arguments:
            yield from document_problems(argument, arguments[argument], limit)
    if "parameters" in arguments and "parameters_uri" in arguments:
        yield (
            f"parameters_uri was {shown(arguments['parameters_uri'])} beside parameters: only one may be given; the "
            "file holds all of the run's parameters"
        )


def _output_uri(arguments: Arguments) -> Iterator[str]:
    uri = arguments.get("output_uri")
    if uri is None:
        yield "output_uri was not given: must be an S3 URI such as 's3://bucket/runs'"
    elif isinstance(uri, str) and not is_unknown(uri) and not _S3.fullmatch(uri):
        yield f"output_uri was {shown(uri)}: must be an S3 URI such as 's3://bucket/runs'"


def _network(arguments: Arguments) -> Iterator[str]:
    mode = arguments.get("networking_mode")
    if is_unknown(mode):
        return
    # A run of an earlier run may have its configuration.
    if mode == "VPC" and not neighbours.given(arguments, "configuration_name") and "run_id" not in arguments:
        yield (
            "networking_mode was 'VPC' without configuration_name or configuration: must name the configuration that "
            "has the VPC"
        )


def _cache(arguments: Arguments) -> Iterator[str]:
    # A run of an earlier run may have its cache.
    if "cache_behavior" in arguments and not neighbours.given(arguments, "cache_id") and "run_id" not in arguments:
        yield (
            f"cache_behavior was {shown(str(arguments['cache_behavior']))} without cache_id or run_cache: must name "
            "the run cache whose behavior it overrides"
        )


def _role(arguments: Arguments) -> Iterator[str]:
    role = arguments.get("role")
    if role is None:
        return
    try:
        arn = arn_of(role)
    except AttributeError:
        yield f"role was {shown(role)}: must be an iam.IRole; for an ARN use iam.Role.from_role_arn(…)"
    else:
        yield from arn_problems(arn)


def _storage(arguments: Arguments) -> Iterator[str]:
    # A token is equal to neither.
    if arguments.get("workflow_type") == "READY2RUN" and arguments.get("storage_type") == "STATIC":
        yield (
            "storage_type was 'STATIC' beside workflow_type 'READY2RUN': must be left out, or DYNAMIC, for HealthOmics "
            "refuses STATIC for Ready2Run workflows"
        )


def _session_policy(arguments: Arguments) -> Iterator[str]:
    policy = arguments.get("session_policy")
    if policy is None or isinstance(policy, aws_iam.PolicyDocument) or is_unknown(policy):
        return
    if not isinstance(policy, str):
        yield f"session_policy was {shown(policy)}: must be a JSON policy as text, or an iam.PolicyDocument"
        return
    try:
        is_policy = isinstance(json.loads(policy), dict)
    except ValueError:
        is_policy = False
    if not is_policy:
        yield f"session_policy was {shown(policy)}: must be a JSON object, an IAM policy"
    yield from _text("session_policy", policy, model.members()[SESSION_POLICY])


def _lifecycle(arguments: Arguments) -> Iterator[str]:
    trigger = arguments.get("rerun_trigger", "")
    if not is_unknown(trigger):
        yield from _written_text("rerun_trigger", trigger)
    wait_for = arguments.get("wait_for", WaitFor.SUBMITTED)
    if not is_unknown(wait_for):
        yield from wait_problems(wait_for)
    timeout = arguments.get("timeout")
    if timeout is not None:
        yield from _timeout(timeout, waits=wait_for != WaitFor.SUBMITTED)
    policy = arguments.get("removal_policy")
    if policy is not None and policy not in REMOVAL_POLICIES:
        allowed = ", ".join(f"RemovalPolicy.{each.name}" for each in REMOVAL_POLICIES)
        yield f"removal_policy was {shown(policy)}: must be one of {allowed}"


def _timeout(timeout: Any, *, waits: bool) -> Iterator[str]:
    if not isinstance(timeout, Duration):
        yield f"timeout was {shown(timeout)}: must be a Duration, such as Duration.minutes(30)"
        return
    if timeout.is_unresolved():
        return
    seconds = timeout.to_seconds(integral=False)
    longest = links.LONGEST if waits else Duration.seconds(links.HOUR)
    if SHORTEST_TIMEOUT <= seconds <= longest.to_seconds() and seconds == int(seconds):
        return
    told = f"timeout was {seconds:g} seconds: must be {SHORTEST_TIMEOUT} seconds to"
    if waits:
        yield f"{told} 7 days, in whole seconds, for no run of HealthOmics takes longer"
    else:
        yield (
            f"{told} 60 minutes, in whole seconds, for there is nothing to wait for longer; to wait for the run, up to "
            "7 days, give wait_for"
        )


def _texts(arguments: Arguments) -> Iterator[str]:
    """Whatever argument it is: texts that would not arrive as they are meant."""
    for argument, value in arguments.items():
        with suppress(RecursionError):  # told by _documents
            yield from references.problems(argument, value)


REMOVAL_POLICIES: Final = (
    RemovalPolicy.DESTROY,
    RemovalPolicy.RETAIN,
    RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
)

_RULES: Final = (
    _one_source,
    _output_uri,
    _documents,
    _network,
    _cache,
    _storage,
    _role,
    _session_policy,
    _lifecycle,
    workflow.problems,
    neighbours.problems,
    _texts,
)
