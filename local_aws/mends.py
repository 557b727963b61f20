"""Where ministack's custom resources differ from CloudFormation's, and the mends (docs/adr/0005-local-aws.md).

The names that are replaced are private to ministack: :func:`check_names` holds them against the version pinned.
"""

import asyncio
import contextvars
import importlib
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Final
from uuid import uuid4

MINISTACK: Final = "1.5.33"
_STACKS: Final = "ministack.services.cloudformation.stacks"
_HANDLERS: Final = "ministack.services.cloudformation.handlers"
_CUSTOM: Final = "ministack.services.cloudformation.custom_resource"
_PROVISIONERS: Final = "ministack.services.cloudformation.provisioners"
_LAMBDA: Final = "ministack.services.lambda_svc"
_RUNTIME: Final = "ministack.core.lambda_runtime"
HOUR: Final = 3600.0
_SECRET: Final = re.compile(r"\{\{resolve:(secretsmanager:|ssm-secure:)")
_KEPT: Final = re.compile(r"\{\{kept:(secretsmanager:|ssm-secure:)")
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "ministack.app": ("SERVICE_HANDLERS", "main"),
    "ministack.core.router": ("SERVICE_PATTERNS",),
    "ministack.services.cloudformation": ("_stack_events",),
    _CUSTOM: (
        "invoke_custom_resource",
        "register_token",
        "_response_url",
        "_normalise_resource_properties",
        "_pending",
        "_lock",
    ),
    _PROVISIONERS: ("_RESOURCE_HANDLERS", "_ec2_apply_tags"),
    "ministack.services.ec2": (
        "_addresses",
        "_allocate_address",
        "_release_address",
        "_create_nat_gateway",
        "_delete_nat_gateway",
    ),
    _STACKS: (
        "_resolve_dynamic_references",
        "_roll_back_operation",
        "_revert_update",
        "_add_event",
        "_update_resource",
        "_delete_resource",
    ),
    _HANDLERS: (
        "_ACTION_HANDLERS",
        "_describe_stack_resource",
        "_error",
        "_roll_back_operation",
        "_resolve_stack",
        "_xml",
        "_esc",
        "_p",
    ),
    _LAMBDA: (
        "invoke_async_with_retry",
        "_get_func_record_for_ref",
        "_execution_record_for_config",
        "_LAMBDA_ASYNC_RETRY_BASE_SECONDS",
    ),
    _RUNTIME: ("_worker_class_for", "ProvidedWorker"),
    "ministack.services.cloudwatch_logs": ("_log_groups", "_create_log_group", "_create_log_stream", "_put_log_events"),
    "ministack.services.s3": ("_buckets", "_get_object_data"),
    "ministack.services.eventbridge": (
        "_put_events",
        "_put_rule",
        "_put_targets",
        "_delete_rule",
        "_list_targets_by_rule",
        "_parse_rate_seconds",
        "_rules",
        "_targets",
        "_SCHEDULER_TICK_INTERVAL",
    ),
}


def _module(name: str) -> Any:
    return importlib.import_module(name)


def check_names() -> None:
    """Make sure that what is mended is there.

    Raises:
        RuntimeError: another ministack is installed, or a name is missing; the message says which.
    """
    installed = metadata.version("ministack")
    if installed != MINISTACK:
        raise RuntimeError(
            f"ministack {installed} is installed, but local_aws mends {MINISTACK}: "
            f"install it with `pip install --no-deps ministack=={MINISTACK}`."
        )
    missing = [
        f"{module}.{name}" for module, names in _NAMES.items() for name in names if not hasattr(_module(module), name)
    ]
    if missing:
        raise RuntimeError(f"ministack {installed} has no {', '.join(missing)}: local_aws/mends.py must be looked at.")


def resource_handlers() -> dict[str, dict[str, Any]]:
    """By resource type, what ministack's CloudFormation makes and deletes one with."""
    handlers: dict[str, dict[str, Any]] = _module(_PROVISIONERS)._RESOURCE_HANDLERS
    return handlers


class ResourceFailedError(RuntimeError):
    """A custom resource answered FAILED; the id in its answer is the one that CloudFormation goes on with."""

    def __init__(self, reason: str, physical_id: str | None) -> None:
        super().__init__(reason)
        self.physical_id = physical_id


@dataclass
class Delivery:
    """What CloudFormation and Lambda tell the function, and when; may be changed while the server runs."""

    retry_delay: float = 60.0
    """Seconds until Lambda delivers a failed event again; twice that for the last time."""
    duplicates: int = 0
    """How many further times each event is delivered, at the same moment."""
    minute: float = 60.0
    """Seconds that a minute of an EventBridge schedule lasts."""
    hour: float = HOUR
    """Seconds that an hour of ServiceTimeout lasts; the function is told of what is left of it."""

    tells_timeout: bool = True
    """Whether ServiceTimeout is among the properties that the function gets."""
    tells_signed: bool = True
    """Whether the ResponseURL says when it was signed."""
    made_up: str | None = "{stack}-{resource}-{code}"
    """The id of the Delete after a Create that never answered; None: there is no such Delete."""
    describe_lag: float = 0.0
    """Seconds for which DescribeStackResource does not tell of a request."""
    describe_rate: float | None = None
    """Its calls a second; None: no quota."""

    def told(self, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties of a custom resource, its ServiceTimeout as long as it lasts here."""
        if "ServiceTimeout" not in properties:
            return properties
        if not self.tells_timeout:
            return {name: value for name, value in properties.items() if name != "ServiceTimeout"}
        seconds = max(1, round(int(properties["ServiceTimeout"]) * self.hour / HOUR))
        return {**properties, "ServiceTimeout": str(seconds)}


@dataclass
class CustomResources:
    """CloudFormation's side of custom resources, as AWS has it."""

    delivery: Delivery = field(default_factory=Delivery)
    _failed: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """The physical id that a failed request left, by stack and logical id; None: it answered none."""
    _back: dict[tuple[str, str], str] = field(default_factory=dict)
    """The physical id that a resource has got back, while what had replaced it is deleted."""
    _under_way: dict[tuple[str, str], str] = field(default_factory=dict)
    """The request type that a resource is being worked on with; ministack calls every one of an update an Update."""
    _since: dict[tuple[str, str], float] = field(default_factory=dict)
    """Since when."""
    _described: deque[float] = field(default_factory=deque)
    """When DescribeStackResource was answered in the last second."""
    _created: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Type and properties of a resource whose own Create failed."""

    def install(self) -> None:
        """Replace what differs."""
        stacks, handlers = _module(_STACKS), _module(_HANDLERS)
        _module(_CUSTOM).invoke_custom_resource = self.invoke
        self._revert_inner = stacks._revert_update
        self._roll_back_inner = stacks._roll_back_operation
        stacks._revert_update = self.revert_update
        stacks._resolve_dynamic_references = _references_of(stacks._resolve_dynamic_references)
        stacks._roll_back_operation = handlers._roll_back_operation = self.roll_back
        handlers._ACTION_HANDLERS["DescribeStackResource"] = self.describe_stack_resource

    def invoke(
        self,
        request_type: str,
        logical_id: str,
        props: dict[str, Any],
        stack_name: str,  # noqa: ARG002 - ministack's signature; the id tells it too
        stack_id: str,
        resource_type: str,
        physical_id: str | None = None,
        old_props: dict[str, Any] | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """Send an event to the function, asynchronously as CloudFormation does, and wait for its answer.

        Raises:
            ResourceFailedError: the answer was FAILED.
            TimeoutError: no answer came within ServiceTimeout.
        """
        custom, functions = _module(_CUSTOM), _module(_LAMBDA)
        record, config, _ = functions._get_func_record_for_ref(props.get("ServiceToken", ""))
        if record is None:
            raise ValueError(f"ServiceToken {props.get('ServiceToken')!r} is no function")
        token = str(uuid4())
        event: dict[str, Any] = {
            "RequestType": request_type,
            "RequestId": str(uuid4()),
            "StackId": stack_id,
            "ResponseURL": custom._response_url(token) + (_signed_now() if self.delivery.tells_signed else ""),
            "ResourceType": resource_type,
            "ServiceToken": props["ServiceToken"],
            "LogicalResourceId": logical_id,
            "ResourceProperties": self.delivery.told(custom._normalise_resource_properties(props)),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old_props is not None:
            event["OldResourceProperties"] = self.delivery.told(custom._normalise_resource_properties(old_props))

        key = (stack_id, logical_id)
        self._under_way[key] = request_type
        self._since[key] = time.monotonic()
        answered = custom.register_token(token)
        functions._LAMBDA_ASYNC_RETRY_BASE_SECONDS = self.delivery.retry_delay
        for _ in range(1 + self.delivery.duplicates):
            functions.invoke_async_with_retry(functions._execution_record_for_config(record, config), event)
        timeout = max(1, round(int(props.get("ServiceTimeout", HOUR)) * self.delivery.hour / HOUR))
        in_time = answered.wait(timeout)
        with custom._lock:
            result = (custom._pending.pop(token, None) or {}).get("result")

        self._under_way.pop(key, None)
        if request_type == "Create":
            self._created[key] = (resource_type, props)
        if request_type != "Delete":
            self._failed[key] = (result or {}).get("PhysicalResourceId")
        if not in_time or result is None:
            raise TimeoutError(
                f"CloudFormation did not receive a response from your Custom Resource within {timeout} s."
            )
        if result.get("Status") != "SUCCESS":
            raise ResourceFailedError(
                f"Received response status [FAILED] from custom resource. Message returned: {result.get('Reason')}",
                result.get("PhysicalResourceId"),
            )
        self._failed.pop(key, None)
        self._created.pop(key, None)
        return result.get("PhysicalResourceId") or physical_id or event["RequestId"], result.get("Data") or {}

    async def roll_back(
        self,
        stack_name: str,
        stack_id: str,
        stack: dict[str, Any],
        operation: dict[str, Any],
        reason_override: str = "",
    ) -> None:
        """Roll back as CloudFormation does: replaced custom resources are updated back, failed Creates are deleted."""
        stack["StackStatus"] = "UPDATE_ROLLBACK_IN_PROGRESS" if operation.get("is_update") else "ROLLBACK_IN_PROGRESS"
        failures = await self._update_replaced_back(stack_name, stack_id, stack, operation)
        failures += await self._delete_failed_create(stack_name, stack_id, operation)
        await self._roll_back_inner(stack_name, stack_id, stack, operation, reason_override)
        if failures:
            stack["StackStatus"] = stack["StackStatus"].replace("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
            stack["StackStatusReason"] = "; ".join(failures)

    async def _delete_failed_create(self, stack_name: str, stack_id: str, operation: Mapping[str, Any]) -> list[str]:
        logical_id = operation.get("failed_logical_id") or ""
        created = self._created.pop((stack_id, logical_id), None)
        if created is None:
            return []
        physical_id = self._failed.pop((stack_id, logical_id), None)
        definition = (operation.get("template") or {}).get("Resources", {}).get(logical_id, {})
        if definition.get("DeletionPolicy") == "Retain":
            return []
        resource_type, props = created
        if physical_id is None and self.delivery.made_up is None:
            return []
        code = uuid4().hex[:12].upper()
        made_up = (self.delivery.made_up or "").format(stack=stack_name, resource=logical_id, code=code)
        return await self._delete(stack_name, stack_id, logical_id, resource_type, physical_id or made_up, props)

    async def _update_replaced_back(
        self, stack_name: str, stack_id: str, stack: Mapping[str, Any], operation: dict[str, Any]
    ) -> list[str]:
        before = (operation.get("previous_stack") or {}).get("_resources", {})
        failures = []
        for logical_id in list(operation.get("created", [])):
            now, old = stack["_resources"].get(logical_id, {}), before.get(logical_id)
            replaced = old and old["PhysicalResourceId"] != now.get("PhysicalResourceId")
            if not replaced or not now.get("ResourceType", "").startswith("Custom::"):
                continue
            operation["created"].remove(logical_id)
            operation["replaced_ids"] = [each for each in operation.get("replaced_ids", []) if each != logical_id]
            try:
                await self.revert_update(
                    stack_id,
                    stack_name,
                    logical_id,
                    now["ResourceType"],
                    now["PhysicalResourceId"],
                    now["Properties"],
                    old["Properties"],
                    now.get("Attributes"),
                    old,
                )
            except Exception as error:  # noqa: BLE001 - whatever failed, the rollback did
                failures.append(f"{logical_id}: {error}")
        return failures

    async def revert_update(
        self,
        stack_id: str,
        stack_name: str,
        logical_id: str,
        rtype: str,
        physical_id: str,
        applied_props: dict[str, Any],
        previous_props: dict[str, Any],
        attrs: dict[str, Any] | None,
        record: dict[str, Any] | None = None,
    ) -> None:
        """Send an Update back; when it answers another id, the one that it was sent with is deleted."""
        sent_with = self._failed.pop((stack_id, logical_id), None) or physical_id
        record = {} if record is None else record
        record["PhysicalResourceId"] = sent_with
        await self._revert_inner(
            stack_id, stack_name, logical_id, rtype, sent_with, applied_props, previous_props, attrs, record
        )
        if record["PhysicalResourceId"] != sent_with and rtype.startswith("Custom::"):
            self._back[stack_id, logical_id] = record["PhysicalResourceId"]
            await self._delete(stack_name, stack_id, logical_id, rtype, sent_with, applied_props)
            del self._back[stack_id, logical_id]

    async def _delete(
        self, stack_name: str, stack_id: str, logical_id: str, rtype: str, physical_id: str, props: dict[str, Any]
    ) -> list[str]:
        stacks = _module(_STACKS)
        stacks._add_event(stack_id, stack_name, logical_id, rtype, "DELETE_IN_PROGRESS", physical_id=physical_id)
        try:
            await _off_loop(stacks._delete_resource, rtype, physical_id, props, stack_name, logical_id)
        except Exception as error:  # noqa: BLE001 - whatever failed, the deletion did
            stacks._add_event(stack_id, stack_name, logical_id, rtype, "DELETE_FAILED", str(error), physical_id)
            return [f"{logical_id}: {error}"]
        stacks._add_event(stack_id, stack_name, logical_id, rtype, "DELETE_COMPLETE", physical_id=physical_id)
        return []

    def _may_describe(self) -> bool:
        """Whether the quota allows one more answer."""
        rate, now = self.delivery.describe_rate, time.monotonic()
        while self._described and self._described[0] <= now - 1.0:
            self._described.popleft()
        if rate is not None and len(self._described) >= rate:
            return False
        self._described.append(now)
        return True

    def describe_stack_resource(self, params: Mapping[str, Any]) -> Any:
        """DescribeStackResource by the newest event: a resource has a status while its request is under way, too."""
        handlers, cloudformation = _module(_HANDLERS), _module("ministack.services.cloudformation")
        stack = handlers._resolve_stack(handlers._p(params, "StackName"))
        logical_id = handlers._p(params, "LogicalResourceId")
        if not self._may_describe():
            return handlers._error("Throttling", "Rate exceeded")
        events = cloudformation._stack_events.get((stack or {}).get("StackId"), [])
        newest = next((each for each in reversed(events) if each["LogicalResourceId"] == logical_id), None)
        if stack is None or newest is None:
            return handlers._describe_stack_resource(params)
        under_way = self._under_way.get((stack["StackId"], logical_id))
        shown_at = self._since.get((stack["StackId"], logical_id), 0.0) + self.delivery.describe_lag
        if under_way and time.monotonic() < shown_at:
            if under_way == "Create":
                message = f"Resource {logical_id} does not exist for stack {stack['StackName']}"
                return handlers._error("ValidationError", message)
            under_way = None
        status = f"{under_way.upper()}_IN_PROGRESS" if under_way else newest["ResourceStatus"]
        esc: Callable[[str], str] = handlers._esc
        # The cleanup of a replaced resource has events of its own; the resource's id is the one that replaced it.
        named = self._back.get((stack["StackId"], logical_id))
        named = named or stack.get("_resources", {}).get(logical_id, {}).get("PhysicalResourceId")
        return handlers._xml(
            200,
            "DescribeStackResourceResponse",
            "<DescribeStackResourceResult><StackResourceDetail>"
            f"<LogicalResourceId>{esc(logical_id)}</LogicalResourceId>"
            f"<PhysicalResourceId>{esc(named or newest['PhysicalResourceId'])}</PhysicalResourceId>"
            f"<ResourceType>{esc(newest['ResourceType'])}</ResourceType>"
            f"<ResourceStatus>{status}</ResourceStatus>"
            f"<LastUpdatedTimestamp>{newest['Timestamp']}</LastUpdatedTimestamp>"
            f"<StackName>{esc(stack['StackName'])}</StackName><StackId>{esc(stack['StackId'])}</StackId>"
            "</StackResourceDetail></DescribeStackResourceResult>",
        )


def _references_of(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Dynamic references in the properties of a custom resource: of secrets they stay as they are written."""

    def resolved(properties: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(properties, dict) or "ServiceToken" not in properties:
            return resolve(properties, *arguments, **options)
        found, values = resolve(_replaced(properties, _SECRET, r"{{kept:\1"), *arguments, **options)
        return _replaced(found, _KEPT, r"{{resolve:\1"), values

    return resolved


def _replaced(value: Any, pattern: re.Pattern[str], by: str) -> Any:
    if isinstance(value, str):
        return pattern.sub(by, value)
    if isinstance(value, list):
        return [_replaced(item, pattern, by) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, pattern, by) for name, item in value.items()}
    return value


def _signed_now() -> str:
    """The part of a presigned URL that says when it was signed."""
    return f"?X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}&X-Amz-Expires=7200"


async def _off_loop(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run what blocks in a thread of its own, in the context that ministack keeps account and region in."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(None, lambda: context.run(work, *arguments))
