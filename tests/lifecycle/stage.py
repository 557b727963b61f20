"""Everything around the function that a test needs: HealthOmics, CloudFormation's ears, and Lambda's way to deliver."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import uuid4

from cdk_healthomics_handler.names import OwnershipTag
from local_aws.healthomics import Fault, HealthOmics, Kind, Settings
from local_aws.healthomics.runs import StoredRun
from local_aws.healthomics.service import Response
from local_aws.loopback import serving
from local_aws.process import pointed_at
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID, new_event
from tests.lifecycle.cloudformation import DENIED, described, refusal
from tests.lifecycle.eventbridge import EventBridge
from tests.lifecycle.processes import Function, Outcome

ANSWERS: Final = "/answers/"
LAMBDA_TRIES: Final = 3
AHEAD: Final = 30.0
"""Seconds by which CloudFormation's clock is ahead: however slow the machine is, a fresh request is not late."""


@dataclass
class CloudFormation:
    """What the function hears from CloudFormation and tells it."""

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By RequestId, every answer that arrived."""
    statuses: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)
    """By stack id and logical id, the resource's status and since when."""
    named: dict[tuple[str, str], str] = field(default_factory=dict)
    """By stack id and logical id, the physical id that the resource has."""
    refuses: bool = False
    """Whether it may not be asked."""
    asked: int = 0
    """How often it was asked."""
    ears: list[Response] = field(default_factory=list)
    """What the next answers meet before one is taken."""
    sizes: list[int] = field(default_factory=list)
    _waits_for: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """By stack id and logical id, the request that is under way."""

    def route(self, method: str, path: str, query: str, body: bytes) -> Response | None:
        """The answers' presigned URL, and the two calls that the function asks CloudFormation with."""
        del query
        if method == "PUT" and path.startswith(ANSWERS):
            if self.ears:
                return self.ears.pop(0)
            self.sizes.append(len(body))
            answer = json.loads(body)
            self.answers.setdefault(path.removeprefix(ANSWERS), []).append(answer)
            self._take(answer)
            return Response(200, {}, b"")
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()} if method == "POST" else {}
        if asked.get("Action") == "DescribeStackResource":
            self.asked += 1
            return refusal("AccessDenied", DENIED) if self.refuses else self._resource(asked)
        return None

    def sends(self, event: Mapping[str, Any], at: datetime) -> None:
        """Show a request as under way. The cleanup of a replaced run is not to be seen at its resource."""
        resource = (event["StackId"], event["LogicalResourceId"])
        named, physical_id = self.named.get(resource, ""), event.get("PhysicalResourceId", "")
        cleanup = event["RequestType"] == "Delete" and "/" in named and named != physical_id
        if not cleanup:
            self.statuses[resource] = (f"{event['RequestType'].upper()}_IN_PROGRESS", at)
            self.named[resource] = physical_id
        self._waits_for[resource] = (event["RequestId"], "" if cleanup else event["RequestType"].upper())

    def _take(self, answer: Mapping[str, Any]) -> None:
        resource = (answer["StackId"], answer["LogicalResourceId"])
        request_id, request_type = self._waits_for.get(resource, ("", ""))
        if request_id != answer["RequestId"] or not request_type:
            return
        succeeded = answer["Status"] == "SUCCESS"
        self.statuses[resource] = (f"{request_type}_{'COMPLETE' if succeeded else 'FAILED'}", datetime.now(UTC))
        self.named[resource] = answer["PhysicalResourceId"]
        del self._waits_for[resource]

    def _resource(self, asked: Mapping[str, str]) -> Response:
        resource = (asked["StackName"], asked["LogicalResourceId"])
        found = self.statuses.get(resource)
        if found is None:
            return refusal("ValidationError", "Resource does not exist")
        status, since = found
        return described(asked["LogicalResourceId"], self.named.get(resource, ""), status, since)


@dataclass
class Stage:
    """What a test plays on."""

    service: HealthOmics
    cloudformation: CloudFormation
    eventbridge: EventBridge
    function: Function
    url: str
    environment: Mapping[str, str]
    """The function's."""
    pool: ThreadPoolExecutor
    logs: list[str] = field(default_factory=list)
    _last_sent: dict[tuple[str, str], int] = field(default_factory=dict)

    def event(
        self,
        request_type: str,
        properties: Mapping[str, Any] = PROPERTIES,
        *,
        age: float | None = 0.0,
        current: bool = True,
        **fields: Any,
    ) -> dict[str, Any]:
        """An event that CloudFormation sent ``age`` seconds ago; None: its URL does not tell when.

        ``current`` also sets the resource's status to what CloudFormation shows while it waits for the answer.
        """
        request_id = str(uuid4())
        resource = (fields.get("StackId", STACK_ID), fields.get("LogicalResourceId", LOGICAL_ID))
        sent = datetime.fromtimestamp(self._sent(resource, age), UTC)
        event = new_event(
            request_type,
            properties,
            response_url=f"{self.url}{ANSWERS}{request_id}",
            signed_at=None if age is None else sent,
            **{"RequestId": request_id, **fields},
        )
        if current:
            self.cloudformation.sends(event, sent)
        return event

    def _sent(self, resource: tuple[str, str], age: float | None) -> int:
        """When a request is sent: each a second after the one before, for CloudFormation's signatures count seconds."""
        if age:
            return int(time.time() - age)
        now = int(time.time() + AHEAD)
        self._last_sent[resource] = max(now, self._last_sent.get(resource, 0) + 1)
        return self._last_sent[resource]

    def forget(self) -> None:
        """Begin anew: no request was sent, and no resource is known."""
        self._last_sent.clear()
        self.cloudformation.named.clear()
        self.cloudformation.statuses.clear()
        self.cloudformation.refuses = False
        self.cloudformation.asked = 0

    def send(self, event: Mapping[str, Any], *, remaining: float = 60.0) -> Outcome:
        """Invoke the function once."""
        outcome = self.function.invoke(event, remaining=remaining)
        self.logs.append(outcome.log)
        return outcome

    def begin(self, event: Mapping[str, Any], *, remaining: float = 60.0) -> Future[Outcome]:
        """Invoke the function once, and go on meanwhile."""
        return self.pool.submit(self.send, event, remaining=remaining)

    def deliver(self, event: Mapping[str, Any]) -> list[Outcome]:
        """Deliver an event as Lambda does: again, at most twice, where the function failed."""
        outcomes = []
        for _ in range(LAMBDA_TRIES):
            outcomes.append(self.send(event))
            if outcomes[-1].error is None:
                break
        return outcomes

    def minute(self) -> None:
        """Let a minute pass for EventBridge: each target is delivered as Lambda does."""
        for event in self.eventbridge.due():
            self.deliver(event)

    def now(self) -> datetime:
        """The time, as CloudFormation has it."""
        return datetime.now(UTC)

    def answers(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every answer to an event."""
        return self.cloudformation.answers.get(event["RequestId"], [])

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The only answer to an event."""
        (answer,) = self.answers(event)
        return answer

    def do(self, request_type: str, properties: Mapping[str, Any] = PROPERTIES, **fields: Any) -> dict[str, Any]:
        """Send an event, deliver it as Lambda does, and return its only answer."""
        event = self.event(request_type, properties, **fields)
        self.deliver(event)
        return self.answer(event)

    def create(self, properties: Mapping[str, Any] = PROPERTIES, **fields: Any) -> str:
        """A healthy Create; returns the physical id."""
        answer = self.do("Create", properties, **fields)
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        return str(answer["PhysicalResourceId"])

    def fault(self, operation: str, kind: Kind, **how: Any) -> None:
        """Let something go wrong."""
        self.service.faults.order(Fault(operation, kind, **how))

    def calls(self, operation: str) -> int:
        """How many calls of an operation reached HealthOmics."""
        return sum(call.operation == operation for call in self.service.journal)

    def foreign_run(self, *, name: str, asked: Mapping[str, Any] = MappingProxyType({}), **tags: str) -> StoredRun:
        """A run that somebody else started; asked for are further members of StartRun, or others' values."""
        tag_list = {OwnershipTag[key.upper()].value: value for key, value in tags.items()}
        request = {
            "workflowId": "1",
            "roleArn": "arn:x",
            "outputUri": "s3://b",
            "requestId": str(uuid4()),
            "name": name,
            "tags": tag_list,
            **asked,
        }
        rate, self.service.settings.start_rate = self.service.settings.start_rate, None
        self.service.handle("POST", "/run", "", json.dumps(request).encode())
        self.service.settings.start_rate = rate
        return self.service.runs()[-1]

    def until(self, condition: Any, limit: float = 10.0) -> None:
        """Wait until something holds."""
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.01)


@contextmanager
def staged(**settings: Any) -> Iterator[Stage]:
    """A stage whose runs start at once, run for an hour and stop within a moment."""
    quick = {"pending": 0.05, "starting": 0.05, "stopping": 0.1, "start_rate": None}
    allowed = {"cancel_needs_tag": OwnershipTag.STACK_ID}  # as the function is
    service = HealthOmics(Settings(**{**quick, **allowed, **settings}))
    cloudformation = CloudFormation()
    eventbridge = EventBridge()
    with serving(cloudformation.route, eventbridge.route, service.handle) as url, ThreadPoolExecutor(40) as pool:
        environment = pointed_at(url)
        with Function(environment) as function:
            yield Stage(service, cloudformation, eventbridge, function, url, environment, pool)


def stack_id_of(name: str) -> str:
    """The id of another stack."""
    return STACK_ID.replace("Genomes", name).replace("0a1b2c3d", "ffffffff")
