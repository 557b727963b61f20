"""From arguments to the properties of ``Custom::HealthOmicsRun`` and its kind, the contract with the handler."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_cdk import Stack, aws_iam

from cdk_healthomics import kind, model
from cdk_healthomics.documents import late_parts, written
from cdk_healthomics.late import Late
from cdk_healthomics.tokens import is_token
from cdk_healthomics_handler.names import S3_SETTINGS, SESSION_POLICY, Property, property_name, values_name
from constructs import Construct

_BEYOND_MEMBERS: Final[Mapping[str, str]] = {
    Property.RERUN_TRIGGER.value: "rerun_trigger",
    Property.ADOPT_RUN_ID.value: "adopt_run_id",
    Property.WAIT_FOR.value: "wait_for",
    Property.MAX_FAILED_RUNS.value: "max_failed_runs",
    property_name(S3_SETTINGS): "run_settings_uri",
}
"""The arguments that are no members of the request, or deep in it, by property."""


def properties(
    run: Construct, stack: Stack, arguments: Mapping[str, Any], role_arn: str, *, tags: Any, removal: Any
) -> dict[str, Any]:
    """The properties that ask for a run; arguments that were left out are absent, no defaults are added.

    Args:
        run: the construct, which problems at synthesis are told of.
        stack: whose tokens the arguments may hold.
        arguments: the construct's, those that were left out left out.
        role_arn: of the run's service role.
        tags: the user's tags, resolved when the app is synthesized.
        removal: the removal policy that the function is told, as far as it is known.
    """
    asked: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    for argument, (member, shape) in model.shapes(kind.of(run).handled.start).items():
        if argument not in arguments:
            continue
        value = _document(member, shape, arguments[argument])
        if value is None:
            asked[property_name(member)] = plain[argument] = _plain(arguments[argument])
        else:
            asked |= document(run, stack, member, argument, value)
    asked[property_name("roleArn")] = role_arn
    asked[property_name("tags")] = tags
    for name, argument in _BEYOND_MEMBERS.items():
        if argument in arguments:
            asked[name] = plain[argument] = _plain(arguments[argument])
    asked[Property.REMOVAL_POLICY.value] = removal
    Late.of(stack).watch(run, {**plain, "role": role_arn}, tags)
    return asked


def document(
    run: Construct, stack: Stack, member: str, argument: str, value: Any, *, told: Callable[[str], str] = str
) -> dict[str, Any]:
    """The properties that carry a document: as JSON, and what of it is known at deployment only.

    Args:
        run: the construct, as above.
        stack: likewise.
        member: that the document is.
        argument: as a person typed it.
        value: the document.
        told: of a path in the document, how a person typed that.
    """
    if not late_parts(value):
        return {property_name(member): written(value)}
    text, values = Late.of(stack).document(run, argument, value, told)
    return {property_name(member): text, values_name(member): values}


def _document(member: str, shape: Any, value: Any) -> Any:
    """What is written as JSON of a member's value, if anything: a policy is, also one whose text holds tokens."""
    if shape.metadata.get("document"):
        return value
    if member != SESSION_POLICY:
        return None
    if isinstance(value, str) and is_token(value):
        try:
            parsed = json.loads(value)
        except ValueError:
            return None  # a token by itself
        return parsed if isinstance(parsed, dict) else None
    return value if isinstance(value, aws_iam.PolicyDocument) else None


def _plain(value: Any) -> Any:
    """A value as jsii knows it; of str and int it knows no subclasses but bool, which enums are."""
    if isinstance(value, bool):
        return value
    # Of an enum that is text the text, which its own str() may not be.
    return str.__str__(value) if isinstance(value, str) else int(value) if isinstance(value, int) else value
