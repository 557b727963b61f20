"""Requests and answers by botocore's own model of HealthOmics: routing, parsing, checking, writing."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import botocore.session
import regex
from botocore.model import OperationModel, Shape

MODEL: Final = botocore.session.get_session().get_service_model("omics")
NOUNS: Final = (
    "Workflow",
    "WorkflowVersion",
    "RunGroup",
    "RunCache",
    "Configuration",
    "SequenceStore",
    "ReferenceStore",
)
"""What runs name (``catalog.py``): each has operations to be made, shown, listed, changed and deleted."""


def operation_of(verb: str, noun: str) -> str:
    """The name of the operation that does something with these."""
    return f"{verb}{noun}s" if verb == "List" else f"{verb}{noun}"


OPERATIONS: Final = (
    "StartRun",
    "GetRun",
    "ListRuns",
    "ListRunTasks",
    "GetRunTask",
    "CancelRun",
    "DeleteRun",
    "StartRunBatch",
    "GetBatch",
    "ListBatch",
    "ListRunsInBatch",
    "CancelRunBatch",
    "DeleteRunBatch",
    "DeleteBatch",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    *(
        name
        for noun in NOUNS
        for name in (operation_of(verb, noun) for verb in ("Create", "Get", "List", "Update", "Delete"))
        if name in MODEL.operation_names
    ),
)
"""The operations that this service has; their shapes are the model's."""


class ServiceError(Exception):
    """An error as the API answers it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that the model gives the error."""
        return int(MODEL.shape_for(self.code).metadata["error"]["httpStatusCode"])


def invalid(message: str) -> ServiceError:
    """The error of a request that breaks the model."""
    return ServiceError("ValidationException", message)


def _pattern(operation: OperationModel) -> re.Pattern[str]:
    uri = re.sub(r"\{(\w+)\}", r"(?P<\1>.+)", operation.http["requestUri"])
    return re.compile(f"{uri}$")


_ROUTES: Final = [
    (operation.http["method"], _pattern(operation), operation)
    for operation in sorted(
        (MODEL.operation_model(name) for name in OPERATIONS),
        key=lambda operation: -len(operation.http["requestUri"]),
    )
]


def route(method: str, path: str) -> tuple[OperationModel, dict[str, str]] | None:
    """The operation that a request is for, with the labels in its path; None: not one of ours."""
    for wanted, pattern, operation in _ROUTES:
        match = pattern.match(path)
        if method == wanted and match:
            return operation, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def parse(operation: OperationModel, labels: Mapping[str, str], query: str, body: bytes) -> dict[str, Any]:
    """Read a request's parameters and check them.

    Raises:
        ServiceError: the request breaks the model.
    """
    shape = operation.input_shape
    members: Mapping[str, Shape] = getattr(shape, "members", {})
    values = parse_qs(query, keep_blank_values=True)
    given: dict[str, Any] = {}
    in_body = {}
    for name, member in members.items():
        located = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                given[name] = labels[located]
            case "querystring" if located in values:
                given[name] = _from_query(member, values[located])
            case None:
                in_body[name] = member
    given |= _body(body)
    check(operation, given)
    return given


def check(operation: OperationModel, given: Mapping[str, Any]) -> None:
    """Hold an operation's parameters against the model.

    Raises:
        ServiceError: they break it.
    """
    problems = list(_problems(operation.input_shape, given, ""))
    if problems:
        plural = "error" if len(problems) == 1 else "errors"
        raise invalid(f"{len(problems)} validation {plural} detected: {'; '.join(problems)}")


def problems(name: str, value: Any) -> Iterator[str]:
    """What is wrong with a value of one of the model's shapes."""
    yield from _problems(_shape(name), value, "")


@cache
def _shape(name: str) -> Any:
    return MODEL.shape_for(name)


def _body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError:
        raise invalid("The request body is not JSON") from None
    if not isinstance(document, dict):
        raise invalid("The request body is not a JSON object")
    return document


def _from_query(shape: Shape, values: list[str]) -> Any:
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        return int(values[0]) if values[0].lstrip("-").isdecimal() else values[0]
    return values[0]


_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "blob": (str,),  # in base64
    "timestamp": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "map": (dict,),
    "list": (list,),
    "structure": (dict,),
}


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    allowed = _PYTHON_TYPES[shape.type_name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        yield f"Value at '{path or 'request'}' failed to satisfy constraint: Member must be a {shape.type_name}"
    elif shape.type_name in {"string", "integer"}:
        yield from _limit_problems(shape.metadata, value, path)
    elif shape.type_name == "structure" and not shape.is_document_type:
        yield from _structure_problems(shape, value, path)
    else:
        if shape.type_name == "list":
            yield from _limit_problems(shape.metadata, value, path)
        for part, name, item in _parts(shape, value):
            yield from _problems(part, item, f"{path}.{name}")


def _parts(shape: Any, value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The shape, name and value of each part of a map or list."""
    if shape.type_name == "map":
        of_keys, of_values = shape.key, shape.value  # the model looks them up each time
        yield from ((of_keys, "key", key) for key in value)
        yield from ((of_values, key, item) for key, item in value.items())
    elif shape.type_name == "list":
        yield from ((shape.member, index, item) for index, item in enumerate(value))


def _structure_problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.is_tagged_union and len(value) != 1:
        names = ", ".join(shape.members)
        yield f"Value at '{path}' failed to satisfy constraint: Member must have exactly one of {names}"
    of_parts = {name: f"{path}.{name}".lstrip(".") for name in (*shape.required_members, *value)}
    for name in shape.required_members:
        if name not in value:
            yield f"Value at '{of_parts[name]}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name in shape.members:
            yield from _problems(shape.members[name], item, of_parts[name])
        else:
            yield f"Value at '{of_parts[name]}' failed to satisfy constraint: Member is not known"


def _limit_problems(limits: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    at = f"Value at '{path}'"
    size, what = (value, "value") if isinstance(value, int) else (len(value), "length")
    if "min" in limits and size < limits["min"]:
        yield f"{at} failed to satisfy constraint: Member must have {what} greater than or equal to {limits['min']}"
    if "max" in limits and size > limits["max"]:
        yield f"{at} failed to satisfy constraint: Member must have {what} less than or equal to {limits['max']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{at} failed to satisfy constraint: Member must satisfy enum value set: {limits['enum']}"
    if "pattern" in limits and not _compiled(limits["pattern"]).fullmatch(value):
        yield f"{at} failed to satisfy constraint: Member must satisfy regular expression pattern: {limits['pattern']}"


@cache
def _compiled(pattern: str) -> "regex.Pattern[str]":
    """A pattern of the model, with properties of Unicode, which only the regex package knows."""
    return regex.compile(pattern)


def write(operation: OperationModel, answer: Mapping[str, Any]) -> tuple[int, bytes]:
    """An operation's HTTP status and body: of ``answer``, the members that the model has."""
    shape = operation.output_shape
    status = int(operation.http["responseCode"])
    if shape is None or status == HTTPStatus.NO_CONTENT:
        return status, b""
    members: Mapping[str, Any] = getattr(shape, "members", {})
    return status, json.dumps(
        {name: written(value) for name, value in answer.items() if name in members and value is not None}
    ).encode()


def members(name: str) -> Mapping[str, Any]:
    """The members of a structure of the model."""
    found: Mapping[str, Any] = _shape(name).members
    return found


@cache
def required(operation: str) -> list[str]:
    """The members that an operation cannot do without."""
    return list(getattr(MODEL.operation_model(operation).input_shape, "required_members", []))


def of_shape(name: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is known, the members that a structure of the model has."""
    return {member: known[member] for member in members(name) if known.get(member) is not None}


@cache
def items_of(operation: str) -> tuple[str, str]:
    """The member of an answer that lists something, and the shape of its items."""
    output: Any = MODEL.operation_model(operation).output_shape
    return next((name, shape.member.name) for name, shape in output.members.items() if shape.type_name == "list")


def written(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {name: written(item) for name, item in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value
