"""What can be told of arguments at synth time: pure functions from arguments to problems, in a person's words.

Limits, patterns and enums are the model's; the rules below it are those that the model does not hold. A check never
refuses what HealthOmics might accept, and CDK tokens pass every check unseen.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from aws_cdk import CfnElement, aws_iam

from cdk_healthomics import lifecycle_checks, member_checks, model, neighbours, references, workflow
from cdk_healthomics.documents import PARAMETERS_LIMIT, document_problems
from cdk_healthomics.kind import BATCH, RUN, Kind
from cdk_healthomics.member_checks import written_text
from cdk_healthomics.messages import shown
from cdk_healthomics.role import arn_of, arn_problems
from cdk_healthomics.tokens import is_unknown
from cdk_healthomics_handler.names import SESSION_POLICY, OwnershipTag
from constructs import Construct

Arguments = Mapping[str, Any]
"""The construct's arguments by name, those that were left out left out."""

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


def problems(arguments: Arguments, kind: Kind = RUN) -> list[str]:
    """Every problem of the arguments of a run, or of another kind; none: they are good as far as can be told here."""
    return [problem for check in _CHECKS for problem in check(arguments, kind)]


def attribute_problems(attributes: Arguments) -> list[str]:
    """What is wrong with the attributes of a run that lives elsewhere."""
    uuid = attributes.get("run_uuid", "")
    return [*_by_model(attributes, RUN), *([] if is_unknown(uuid) else written_text("run_uuid", uuid))]


def tag_problems(tags: Mapping[str, str], kind: Kind) -> list[str]:
    """What is wrong with all tags of a run, or of another kind, those of ``Tags.of(…)`` counted."""
    shape = model.members(kind.handled.start)["tags"]
    return list(member_checks.tags("tags, with those of Tags.of(…),", tags, shape, own=len(OwnershipTag)))


def run_tag_problems(tags: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with all tags that each run of a batch has; one by one they were looked at."""
    yield from member_checks.too_many("run_tags, with tags and those of Tags.of(…),", len(tags), own=1)


def _by_model(arguments: Arguments, kind: Kind) -> Iterator[str]:
    yield from member_checks.problems(arguments, model.shapes(kind.handled.start))


def _one_source(arguments: Arguments, kind: Kind) -> Iterator[str]:
    given = [name for name in ("workflow_id", "workflow", "run_id") if name in arguments]
    if not given and kind is BATCH:
        yield "neither workflow_id nor workflow was given: give one of them"
    elif not given:
        yield (
            "neither workflow_id nor workflow nor run_id was given: give one of them; run_id runs an earlier run again"
        )
    elif len(given) > 1:
        values = " and ".join(f"{name} was {_named(arguments[name])}" for name in given)
        rerun = "; run_id runs an earlier run again, with its workflow" if kind is RUN else ""
        yield f"{values}: only one may be given{rerun}"


def _named(value: Any) -> str:
    return value.node.path if isinstance(value, CfnElement) else shown(value)


def _documents(arguments: Arguments, kind: Kind) -> Iterator[str]:
    for argument, limit in (("parameters", PARAMETERS_LIMIT), ("engine_settings", None)):
        if argument in arguments:
            yield from document_problems(argument, arguments[argument], limit, kind.file)
    if "parameters" in arguments and "parameters_uri" in arguments:
        yield (
            f"parameters_uri was {shown(arguments['parameters_uri'])} beside parameters: only one may be given; the "
            "file holds all of the run's parameters"
        )


def _output_uri(arguments: Arguments, kind: Kind) -> Iterator[str]:
    uri = arguments.get("output_uri")
    if uri is not None:
        yield from uri_problems("output_uri", uri, "s3://bucket/runs")
    elif kind is RUN:
        yield "output_uri was not given: must be an S3 URI such as 's3://bucket/runs'"


def uri_problems(argument: str, uri: Any, example: str) -> Iterator[str]:
    """What is wrong with a text that must be the URI of something on S3."""
    if isinstance(uri, str) and not is_unknown(uri) and not _S3.fullmatch(uri):
        yield f"{argument} was {shown(uri)}: must be an S3 URI such as {example!r}"


def _network(arguments: Arguments, _: Kind) -> Iterator[str]:
    mode = arguments.get("networking_mode")
    if is_unknown(mode):
        return
    # A run of an earlier run may have its configuration.
    if mode == "VPC" and not neighbours.given(arguments, "configuration_name") and "run_id" not in arguments:
        yield (
            "networking_mode was 'VPC' without configuration_name or configuration: must name the configuration that "
            "has the VPC"
        )


def _cache(arguments: Arguments, _: Kind) -> Iterator[str]:
    # A run of an earlier run may have its cache.
    if "cache_behavior" in arguments and not neighbours.given(arguments, "cache_id") and "run_id" not in arguments:
        yield (
            f"cache_behavior was {shown(str(arguments['cache_behavior']))} without cache_id or run_cache: must name "
            "the run cache whose behavior it overrides"
        )


def _role(arguments: Arguments, _: Kind) -> Iterator[str]:
    role = arguments.get("role")
    if role is None:
        return
    try:
        arn = arn_of(role)
    except AttributeError:
        yield f"role was {shown(role)}: must be an iam.IRole; for an ARN use iam.Role.from_role_arn(…)"
    else:
        yield from arn_problems(arn)


def _ready2run(arguments: Arguments, kind: Kind) -> Iterator[str]:
    # A token is equal to neither.
    if kind is BATCH and arguments.get("workflow_type") == "READY2RUN":
        yield (
            "workflow_type was 'READY2RUN': must be PRIVATE, or left out, for HealthOmics has no batches of Ready2Run "
            "workflows; declare a HealthOmicsRun for each sample"
        )
    elif arguments.get("workflow_type") == "READY2RUN" and arguments.get("storage_type") == "STATIC":
        yield (
            "storage_type was 'STATIC' beside workflow_type 'READY2RUN': must be left out, or DYNAMIC, for HealthOmics "
            "refuses STATIC for Ready2Run workflows"
        )


def _session_policy(arguments: Arguments, kind: Kind) -> Iterator[str]:
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
    yield from member_checks.text("session_policy", policy, model.members(kind.handled.start)[SESSION_POLICY])


def _texts(arguments: Arguments, kind: Kind) -> Iterator[str]:
    """Whatever argument it is: texts that would not arrive as they are meant."""
    for argument, value in arguments.items():
        with suppress(RecursionError):  # told by _documents
            yield from references.problems(argument, value, kind.file)


def _neighbours(arguments: Arguments, _: Kind) -> Iterator[str]:
    yield from workflow.problems(arguments)
    yield from neighbours.problems(arguments)


_CHECKS: Final = (
    _by_model,
    _one_source,
    _output_uri,
    _documents,
    _network,
    _cache,
    _ready2run,
    _role,
    _session_policy,
    lifecycle_checks.problems,
    _neighbours,
    _texts,
)
