"""What the event asks for, as a StartRun request. Pure; the one place where properties get their types back.

CloudFormation hands every scalar over as a string. Which type a member has is read from botocore's model of
StartRun, which the caller passes in: no list of members stands here.
"""

import json
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cdk_healthomics_handler import identity
from cdk_healthomics_handler.documents import BOOLEANS, MisfitError, filled
from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.kind import Kind
from cdk_healthomics_handler.names import (
    RUN_TAGS,
    SESSION_POLICY,
    OwnershipTag,
    Property,
    WaitFor,
    property_name,
    values_name,
)

_SCALARS: Final = {"integer": "a whole number", "boolean": "true or false"}


class Shape(Protocol):
    """The part of ``botocore.model.Shape`` that recasting needs."""

    @property
    def type_name(self) -> str:
        """The kind of the shape: string, integer, boolean, map, structure."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The shape's limits (min, max, pattern, enum)."""


Members = Mapping[str, Any]
"""StartRun's members and their shapes: ``input_shape.members`` of botocore's operation model."""


@dataclass(frozen=True)
class Wanted:
    """The run that an event asks for."""

    start_run: Mapping[str, Any]
    """The whole StartRun request, token and tags included."""
    definition: str
    old_definition: str | None
    """The definition that the old properties had; None where there are none."""
    old_tags: frozenset[str]
    """The keys of the user's tags in the old properties."""

    @property
    def takes_back(self) -> bool:
        """Where the run stays: whether an earlier request asked for another, of which nothing may be visible yet."""
        return self.old_definition is not None and self.old_definition != self.definition

    @property
    def token(self) -> str:
        """The idempotency token, StartRun's requestId."""
        return str(self.start_run["requestId"])

    @property
    def tags(self) -> Mapping[str, str]:
        """The run's tags, the user's and ours."""
        tags: Mapping[str, str] = self.start_run["tags"]
        return tags


def wanted(request: Request, members: Members) -> Wanted:
    """Build what the event asks for.

    Raises:
        ValueError: a property does not fit its member's type, or is no member of StartRun.
    """
    if request.wait_for not in set(WaitFor):
        raise ValueError(f"{Property.WAIT_FOR} was {request.wait_for!r}: must be one of {', '.join(WaitFor)}.")
    asked = _start_run(request, request.properties, members)
    definition = identity.definition(asked, request.properties, request.kind)
    token = identity.token(request, _longest(members, "requestId"))
    users = asked.pop("tags", {})
    tags = {**users, **identity.ownership_tags(request, token, definition)}
    if shared := asked.get(request.kind.shared):
        # A batch's runs do not inherit its tags; by ours the function may cancel them.
        ours = {OwnershipTag.STACK_ID.value: request.stack_id}
        asked[request.kind.shared] = {**shared, RUN_TAGS: {**users, **shared.get(RUN_TAGS, {}), **ours}}
    return Wanted(
        start_run={**asked, "requestId": token, "tags": tags},
        definition=definition,
        old_definition=_old_definition(request, members),
        old_tags=frozenset(request.old_properties.get(property_name("tags")) or ()),
    )


def names(request: Request, members: Members) -> tuple[str, ...]:
    """The names that this resource's runs can have: by the properties, and by those before the update."""
    limit = _longest(members, request.kind.name)
    sides = [request.properties, *([request.old_properties] if request.old_properties else [])]
    return tuple(dict.fromkeys(identity.run_name(request, side, limit) for side in sides))


def _start_run(request: Request, properties: Mapping[str, Any], members: Members) -> dict[str, Any]:
    whole, members = members, _flat(request.kind, members)
    by_property = {property_name(member): member for member in members}
    values = {
        values_name(member) for member, shape in members.items() if member == SESSION_POLICY or _is_document(shape)
    }
    unknown = sorted(properties.keys() - by_property.keys() - values - set(Property) - {"ServiceToken"})
    if unknown:
        raise ValueError(
            f"{', '.join(unknown)}: not a property of this resource. The function and the stack's template were made "
            "by different versions of cdk-healthomics; deploy the stack again with one of them."
        )
    asked = {
        by_property[name]: _recast(
            name, value, members[by_property[name]], properties.get(values_name(by_property[name]))
        )
        for name, value in properties.items()
        if name in by_property
    }
    # A document that CloudFormation leaves out (AWS::NoValue) is no member.
    asked = {member: value for member, value in asked.items() if value is not None}
    name = request.kind.name
    asked[name] = identity.run_name(request, properties, _longest(members, name))
    return _grouped(request.kind, whole, asked)


def _flat(kind: Kind, members: Members) -> Members:
    """By name, the members that are properties of the resource."""
    groups = [members[group].members for group in kind.groups]
    return {**{name: shape for name, shape in members.items() if name not in kind.groups}, **ChainMap(*groups)}


def _grouped(kind: Kind, members: Members, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Put what is asked for where the request has it."""
    groups = {
        group: {member: asked[member] for member in members[group].members if member in asked} for group in kind.groups
    }
    return {**{member: value for member, value in asked.items() if member in members}, **groups}


def _old_definition(request: Request, members: Members) -> str | None:
    """The definition before the update; None where there was none, or an older version wrote it otherwise."""
    if not request.old_properties:
        return None
    try:
        return identity.definition(
            _start_run(request, request.old_properties, members), request.old_properties, request.kind
        )
    except ValueError:
        return None


def _is_document(shape: Shape) -> bool:
    """Whether the member is written as one JSON document; a batch's settings are the one list."""
    return bool(getattr(shape, "is_document_type", False)) or shape.type_name == "list"


def _recast(name: str, value: Any, shape: Shape, values: Mapping[str, Any] | None) -> Any:
    """Give a property the type of the member that it stands for."""
    try:
        if shape.type_name == "integer":
            return int(value)
        if shape.type_name == "boolean":
            return BOOLEANS[value]
        if _is_document(shape):
            return filled(value, values or {})
        if values is not None:
            document = filled(value, values)
            return document if document is None else json.dumps(document, separators=(",", ":"))
    except MisfitError as error:
        raise ValueError(f"{name} at {error}.") from None
    except (TypeError, ValueError, LookupError) as error:
        # The value is left out: a document may name a patient, and this text goes into CloudFormation's events.
        what = _SCALARS.get(shape.type_name, "one JSON document, as a string")
        raise ValueError(f"{name}: must be {what} ({type(error).__name__}).") from None
    return value


def _longest(members: Members, member: str) -> int:
    return int(members[member].metadata["max"])
