"""CloudFormation's resources that stacks with runs have and ministack lacks, of HealthOmics and of ECR's registry.

Their properties are those of the API's operations with a capital first letter, and botocore's model checks them.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import uuid4

import botocore.session

from .healthomics import HealthOmics, model
from .mends import resource_handlers


@dataclass(frozen=True)
class Kind:
    """One resource type."""

    operation: str
    """Of the API, that makes one."""
    arn: str
    """Its ARN after the account, of the properties and ``id``."""
    ref: str
    """What its Ref is, likewise."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Likewise, beside Arn, CreationTime and, where the operation answers them, Id, Uuid and Status."""
    service: str = "omics"
    """By botocore's name."""
    of_other_operations: frozenset[str] = frozenset()
    """Properties that CloudFormation gives to other operations."""

    def operation_to(self, verb: str) -> str:
        """Of the API, the operation that does something else with one."""
        return self.operation.replace("Create", verb)

    @property
    def is_kept(self) -> bool:
        """Whether the service holds it, so that its API shows it."""
        return self.operation in model.OPERATIONS


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::Omics::Workflow": Kind("CreateWorkflow", "workflow/{id}", "{id}", {"Type": "PRIVATE"}),
    "AWS::Omics::WorkflowVersion": Kind(
        "CreateWorkflowVersion",
        "workflow/{workflowId}/version/{versionName}",
        "arn:aws:omics:{region}:{account}:workflow/{workflowId}/version/{versionName}",
        {"Type": "PRIVATE"},
    ),
    "AWS::Omics::RunGroup": Kind("CreateRunGroup", "runGroup/{id}", "{id}"),
    "AWS::Omics::RunCache": Kind("CreateRunCache", "runCache/{id}", "{id}"),
    "AWS::Omics::Configuration": Kind("CreateConfiguration", "configuration/{name}", "{name}"),
    "AWS::Omics::SequenceStore": Kind(
        "CreateSequenceStore",
        "sequenceStore/{id}",
        "{id}",
        {
            "SequenceStoreId": "{id}",
            "S3AccessPointArn": "arn:aws:s3:{region}:{account}:accesspoint/{account}-{id}",
            "S3Uri": "s3://{account}-{id}-s3alias/{account}/sequenceStore/{id}/",
        },
        of_other_operations=frozenset({"S3AccessPolicy", "AccessLogLocation"}),
    ),
    "AWS::Omics::ReferenceStore": Kind(
        "CreateReferenceStore", "referenceStore/{id}", "{id}", {"ReferenceStoreId": "{id}"}
    ),
    "AWS::ECR::RegistryPolicy": Kind(
        "PutRegistryPolicy", "registry", "{account}", {"RegistryId": "{account}"}, service="ecr"
    ),
    "AWS::ECR::PullThroughCacheRule": Kind(
        "CreatePullThroughCacheRule", "pull-through/{ecrRepositoryPrefix}", "{ecrRepositoryPrefix}", service="ecr"
    ),
    "AWS::ECR::RepositoryCreationTemplate": Kind(
        "CreateRepositoryCreationTemplate", "creation-template/{prefix}", "{prefix}", service="ecr"
    ),
}
_FIRST_ID: Final = 3000000001


class Made(NamedTuple):
    """One that a stack has made."""

    known: dict[str, Any]
    """The members that its operations take."""
    attributes: dict[str, Any]


def install(service: HealthOmics) -> None:
    """Let ministack's CloudFormation make, change and delete these."""
    ids = itertools.count(_FIRST_ID)
    for resource_type, kind in KINDS.items():
        made: dict[str, Made] = {}
        create = _creator(service, kind, ids, made)
        handlers: dict[str, Callable[..., Any]] = {"create": create, "delete": _deleter(service, kind, made)}
        if kind.operation_to("Update") in model.OPERATIONS:
            handlers["update"] = _updater(service, kind, made, create)
        resource_handlers()[resource_type] = handlers


def _creator(
    service: HealthOmics, kind: Kind, ids: "itertools.count[int]", made: dict[str, Made]
) -> Callable[[str, dict[str, Any], str], tuple[str, dict[str, Any]]]:
    operation = botocore.session.get_session().get_service_model(kind.service).operation_model(kind.operation)
    accepted: Mapping[str, Any] = getattr(operation.input_shape, "members", {})
    answered: Mapping[str, Any] = getattr(operation.output_shape, "members", {})

    def create(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, Any]]:
        asked = {name: value for name, value in properties.items() if name not in kind.of_other_operations}
        given = _as_api(operation.input_shape, asked)
        made_here = {"requestId": str(uuid4())} if "requestId" in accepted else {}
        if kind.is_kept:
            told = service.do(kind.operation, {**made_here, **given})
        else:
            model.check(operation, given)
            told = {"id": str(next(ids)), "uuid": str(uuid4()), "status": "ACTIVE"}
        known = {**given, "id": told["id"], "region": service.region, "account": service.account}
        attributes = {
            "Arn": f"arn:aws:{kind.service}:{service.region}:{service.account}:{kind.arn.format_map(known)}",
            "CreationTime": datetime.fromtimestamp(service.clock.now(), UTC).isoformat(),
            **{name: value.format_map(known) for name, value in kind.attributes.items()},
        }
        for member in ("id", "uuid", "status"):
            if member in answered:
                attributes[member.capitalize()] = told[member]
        physical_id = kind.ref.format_map(known)
        made[physical_id] = Made(known, attributes)
        return physical_id, attributes

    return create


def _updater(
    service: HealthOmics, kind: Kind, made: dict[str, Made], create: Callable[..., tuple[str, dict[str, Any]]]
) -> Callable[[str, dict[str, Any], dict[str, Any], str], tuple[str, dict[str, Any]]]:
    """What the API changes, tags included, CloudFormation changes in place; for another change it makes another one."""
    operation = kind.operation_to("Update")
    shape: Any = model.MODEL.operation_model(operation).input_shape
    key = model.required(operation)
    changes = {f"{member[:1].upper()}{member[1:]}": member for member in shape.members if member not in key}

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)} - {"Tags"}
        one = made.get(physical_id)
        if one is None or not changed <= changes.keys() & new.keys():
            return create(physical_id, new, stack)
        asked = _as_api(shape, {name: new[name] for name in changed})
        service.do(operation, {**{name: one.known[name] for name in key}, **asked})
        tags, arn = new.get("Tags", {}), one.attributes["Arn"]
        if gone := sorted(old.get("Tags", {}).keys() - tags.keys()):
            service.do("UntagResource", {"resourceArn": arn, "tagKeys": gone})
        if tags:
            service.do("TagResource", {"resourceArn": arn, "tags": tags})
        return physical_id, one.attributes

    return update


def _deleter(service: HealthOmics, kind: Kind, made: dict[str, Made]) -> Callable[[str, dict[str, Any]], None]:
    def delete(physical_id: str, _: dict[str, Any]) -> None:
        one = made.get(physical_id)
        if not kind.is_kept or one is None:
            return
        operation = kind.operation_to("Delete")
        try:
            service.do(operation, {name: one.known[name] for name in model.required(operation)})
        except model.ServiceError as error:
            if error.code != "ResourceNotFoundException":  # deleted by its API is deleted
                raise

    return delete


def _as_api(shape: Any, properties: Any) -> Any:
    """CloudFormation's properties as the API's members; the keys of maps are the user's own."""
    if shape.type_name == "structure" and isinstance(properties, Mapping):
        made = {}
        for name, value in properties.items():
            # The tags of ECR have members that begin with a capital letter.
            member = name if name in shape.members else f"{name[:1].lower()}{name[1:]}"
            made[member] = _as_api(shape.members[member], value) if member in shape.members else value
        return made
    if shape.type_name == "map" and isinstance(properties, Mapping):
        return {key: _as_api(shape.value, value) for key, value in properties.items()}
    if shape.type_name == "list" and isinstance(properties, list):
        return [_as_api(shape.member, value) for value in properties]
    if shape.type_name == "string" and isinstance(properties, Mapping):
        return json.dumps(properties)  # a policy: text to the API, and an object to CloudFormation
    return properties
