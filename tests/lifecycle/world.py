"""An account as unkind as AWS, on one virtual clock: requests overlap, answers lag, calls are throttled and denied.

CloudFormation sends its requests at once, moves on without waiting, and tells later what it knows. Lambda delivers
late, twice, and again after a crash. HealthOmics shows late what it has accepted. EventBridge's minutes pass, too. The
handler is the real one, each invocation a thread of its own with the real boto3 clients, decision, crhelper and answer;
only the network between is left out.
"""

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, NamedTuple, cast
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from cdk_healthomics_handler import answer as answers
from cdk_healthomics_handler import clients, handler, pace
from cdk_healthomics_handler.healthomics import HealthOmics as Calls
from cdk_healthomics_handler.names import RUNS_VARIABLE, OwnershipTag
from cdk_healthomics_handler.pace import Clock
from cdk_healthomics_handler.schedule import Schedule
from local_aws.healthomics import Clock as ServiceClock
from local_aws.healthomics import HealthOmics, Kind, Settings, model
from local_aws.healthomics.batch import StoredBatch
from local_aws.healthomics.batches import FINAL as FINAL_OF_BATCHES
from local_aws.healthomics.runs import FINAL, StoredRun
from local_aws.healthomics.service import Response
from tests.events import PROPERTIES, new_event
from tests.lifecycle.cloudformation import Described
from tests.lifecycle.eventbridge import EventBridge
from tests.lifecycle.timeline import Killed, Task, Timeline

FUNCTION_TIME: Final = 900.0
MINUTE: Final = 60.0
RETRY_DELAYS: Final = (60.0, 120.0)
GIVEN_UP: Final = ("FAILED", None)


@dataclass
class Delivery:
    """How Lambda delivers one event."""

    after: float = 0.2
    """Seconds until the function begins."""
    twice_after: float | None = None
    """Seconds until a second delivery of the same event begins; None: there is none."""
    killed_at: tuple[int | None, int | None, int | None] = (None, None, None)
    """After which of its calls each delivery is killed, before the answer is seen; None: it is not."""
    remaining: float = FUNCTION_TIME
    ear: tuple[int, ...] = ()
    """HTTP statuses that the answer meets before one is taken."""


@dataclass
class Sent:
    """One request of CloudFormation's."""

    event: dict[str, Any]
    answer: dict[str, Any] | None = None
    """The first that arrived while CloudFormation waited for it."""
    all_answers: list[dict[str, Any]] = field(default_factory=list)
    given_up: bool = False
    heard_at: float = 0.0
    deliveries: int = 0
    """Those that are under way or still to come."""

    @property
    def succeeded(self) -> bool:
        """Whether CloudFormation has heard SUCCESS in time."""
        return self.answer is not None and self.answer["Status"] == "SUCCESS"

    @property
    def physical_id(self) -> str:
        """The id in the answer."""
        return self.answer["PhysicalResourceId"] if self.answer else ""


@dataclass
class Invocation:
    """What one delivery is doing."""

    sent: Sent
    killed_at: int | None
    calls: int = 0


class Called(NamedTuple):
    """One call that was answered."""

    at: float
    """In the world's time."""
    operation: str
    path: str
    status: int
    """The HTTP status."""


class _Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The body, in one piece."""
        yield self.read()


def _answered(request: Any, response: Response) -> AWSResponse:
    """What botocore gets of an answer."""
    headers = HTTPHeaders()
    for name, value in response.headers.items():
        headers[name] = value
    return AWSResponse(request.url, response.status, headers, _Raw(response.body))


class _Context:
    """Lambda's context, as an invocation begins."""

    function_name = "provider"
    aws_request_id = "lambda-request"

    def __init__(self, remaining: float = FUNCTION_TIME) -> None:
        self._remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop this invocation."""
        return int(self._remaining * 1000)


def _is_going(batch: StoredBatch) -> bool:
    """Whether a batch, or one of its runs, goes on."""
    return batch.status not in FINAL_OF_BATCHES | {"STOPPING", "DELETED"} or any(
        number for status, number in batch.runs.items() if status not in FINAL | {"STOPPING"}
    )


class _Lock:
    """A lock for which the threads of a timeline wait in its time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._held = False

    def __enter__(self) -> None:
        self._timeline.until(lambda: not self._held)
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False


class _Timer:
    """What the handler uses of threading.Timer, in a timeline's time."""

    daemon = False

    def __init__(self, timeline: Timeline, seconds: float, work: Callable[[], object]) -> None:
        self._timeline = timeline
        self._seconds = seconds
        self._work = work
        self._cancelled = False

    def start(self) -> None:
        """Begin to count."""
        self._timeline.call(self._due, self._seconds)

    def cancel(self) -> None:
        """Never mind."""
        self._cancelled = True

    def _due(self) -> None:
        if not self._cancelled:
            self._timeline.begin(self._work)


class World:
    """The account."""

    def __init__(self, seed: int = 0, *, runs: int = 1, **settings: Any) -> None:
        self.random = Random(seed)  # noqa: S311 - no secret
        self.timeline = Timeline()
        clock = ServiceClock(speed=0.0)
        clock.now = lambda: self.timeline.now  # type: ignore[method-assign]
        quick: dict[str, Any] = {"start_rate": None, "running": 1e12, "pending": 2.0, "starting": 3.0, "stopping": 4.0}
        quick["cancel_needs_tag"] = OwnershipTag.STACK_ID  # as the function is allowed
        self.service = HealthOmics(Settings(**{**quick, **settings}), clock)
        self.service.random = self.random
        self.service.monotonic = lambda: self.timeline.now
        self.cloudformation = Described(lambda: self.timeline.now, self.random)
        self.eventbridge = EventBridge()
        self.eventbridge.clear()
        self.looks: Callable[[], Delivery] = Delivery
        """How Lambda delivers what EventBridge sends."""
        self.function_seconds = 0.0
        """How long all invocations took."""
        self.called: list[Called] = []
        """The calls that were answered, of whatever service."""
        self.minutes_are_shared = False
        """Whether the minutes of all rules begin at the same second."""
        self.latency = (0.05, 0.3)
        """Seconds that a call takes, at least and at most."""
        self.slow: dict[str, list[float]] = {}
        """By operation, how long its next calls take on their way."""
        self.unreachable: set[str] = set()
        """The services, by the beginning of their host's name, that there is no way to."""
        self.silent: set[str] = set()
        """Likewise, those that take a call and never answer."""
        self.sent: list[Sent] = []
        self.tasks: dict[Task, Invocation] = {}
        self.runs = runs
        self.others = 0
        """How many StartRun calls others have made."""
        self.trace: list[str] = []
        """What has happened, for whoever looks into a failure."""
        self._number = 0
        self._ticking: set[str] = set()
        """The rules whose minutes pass."""

    # Lambda

    def send(
        self, event_type: str, asked: Mapping[str, Any] = PROPERTIES, how: Delivery | None = None, **fields: Any
    ) -> Sent:
        """Send a request now, and let Lambda deliver it."""
        how = how or Delivery()
        self._number += 1
        request_id = str(UUID(int=self.random.getrandbits(128), version=4))
        now = datetime.fromtimestamp(int(self.timeline.now), UTC)
        where = f"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/{self._number}"
        event = new_event(event_type, asked, response_url=where, signed_at=now, **{"RequestId": request_id, **fields})
        sent = Sent(event)
        self.sent.append(sent)
        self._note(sent, f"sent {event_type} {fields.get('PhysicalResourceId', '')}")
        for after in (how.after, how.twice_after):
            if after is not None:
                self._deliver(sent, how, after, 0)
        return sent

    def _deliver(
        self, sent: Sent, how: Delivery, after: float, number: int, event: Mapping[str, Any] | None = None
    ) -> None:
        sent.deliveries += 1
        task: list[Task] = []
        asked = event or sent.event
        task.append(self.timeline.begin(lambda: self._invoke(sent, how, number, asked, task[0]), after))

    def _minute(self, rule: str) -> None:
        """A minute of a rule is over: each of its targets is sent. One without targets wakes up nobody."""
        due = self.eventbridge.due(rule)
        if not due:
            self._ticking.discard(rule)
            return
        self.timeline.call(partial(self._minute, rule), MINUTE)
        for event in due:
            sent = next(each for each in reversed(self.sent) if each.event["RequestId"] == event["RequestId"])
            how = self.looks()
            self._deliver(sent, how, how.after, 0, event)

    def _invoke(self, sent: Sent, how: Delivery, number: int, event: Mapping[str, Any], task: Task) -> None:
        self.tasks[task] = Invocation(sent, how.killed_at[number])
        began = self.timeline.now
        self._note(sent, f"delivery {number + 1} begins" if event is sent.event else "a look begins")
        ear = list(how.ear)

        def put(resource: Any, body: bytes) -> str:
            del resource
            self._call("PutAnswer")
            if ear and (status := ear.pop(0)) != 200:
                return f"CloudFormation's answer URL said HTTP {status}"
            self._hear(sent, json.loads(body))
            return ""

        context = _Context(how.remaining)
        try:
            resource = handler.answering()
            resource._put = put.__get__(resource)  # type: ignore[method-assign]
            resource(dict(event), context)
        except (Killed, answers.AnswerNotDeliveredError):
            if task.killed:
                raise
            if number < len(RETRY_DELAYS):
                self._deliver(sent, how, RETRY_DELAYS[number], number + 1, event)
        finally:
            self.function_seconds += self.timeline.now - began
            sent.deliveries -= 1
            self.tasks.pop(task, None)

    def _hear(self, sent: Sent, answer: dict[str, Any]) -> None:
        sent.all_answers.append(answer)
        heard = "heard" if sent.answer is None and not sent.given_up else "too late"
        self._note(sent, f"{heard}: {answer['Status']} {answer['PhysicalResourceId']} {answer['Reason'][:90]}")
        if sent.answer is None and not sent.given_up:
            sent.answer = answer
            sent.heard_at = self.timeline.now

    # The network

    def _call(self, operation: str) -> None:
        """A call is on its way: time passes, and the process may end before the answer."""
        slow = self.slow.get(operation)
        self.timeline.sleep(slow.pop(0) if slow else self.random.uniform(*self.latency))

    def _answered(self) -> None:
        running = self.timeline.running
        invocation = self.tasks.get(running) if running else None
        if invocation is None:
            return  # the timer's thread: not the one that is killed
        invocation.calls += 1
        if invocation.killed_at == invocation.calls:
            self._note(invocation.sent, "killed")
            raise Killed

    def _route(self, request: Any) -> Any:
        parts = urlsplit(request.url)
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.encode()
        asked = parse_qs(body.decode()) if "cloudformation" in parts.netloc else {}
        target = request.headers.get("X-Amz-Target", b"")
        of_events = (target if isinstance(target, str) else target.decode()).removeprefix("AWSEvents.")
        operation = asked["Action"][0] if asked else of_events
        routed = None if operation else model.route(request.method, parts.path)
        name = routed[0].name if routed else operation
        self._call(name)
        where, named = f"{parts.scheme}://{parts.netloc}", parts.netloc.partition(".")[0]
        if named in self.unreachable:
            raise EndpointConnectionError(endpoint_url=where)
        if named in self.silent:
            self.timeline.sleep(clients.CONFIG.read_timeout)  # type: ignore[attr-defined] # set from what it is given
            raise ReadTimeoutError(endpoint_url=where)
        if asked:
            response = self.cloudformation.describe(asked["StackName"][0], asked["LogicalResourceId"][0])
        elif of_events:
            response = self._events(of_events, body)
        else:
            found = self.service.handle(request.method, parts.path, parts.query, body)
            assert found, request.url
            response = found
        self._note_call(name, parts.path, response)
        self._answered()
        if response.fault:
            if response.fault.kind in {Kind.HANG_BEFORE, Kind.HANG_AFTER}:
                self.timeline.sleep(response.fault.hang)
            raise ConnectionClosedError(endpoint_url=request.url)
        return _answered(request, response)

    def _events(self, operation: str, body: bytes) -> Response:
        response = self.eventbridge.route("POST", f"/AWSEvents.{operation}", "", body)
        assert response
        if operation == "PutTargets" and (rule := json.loads(body)["Rule"]) not in self._ticking:
            self._ticking.add(rule)
            first = MINUTE - self.timeline.now % MINUTE if self.minutes_are_shared else MINUTE
            self.timeline.call(partial(self._minute, rule), first)
        return response

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the handler live in this world."""
        session = boto3.Session("test", "test", region_name="us-east-1")
        omics = session.client("omics", config=clients.CONFIG)
        cloudformation = session.client("cloudformation", config=clients.CONFIG)
        events = session.client("events", config=clients.CONFIG)
        for client in (omics, cloudformation, events):
            client.meta.events.register("before-send", cast("Any", lambda request, **_: self._route(request)))
        calls = Calls(omics)
        with (
            patch.object(clients, "healthomics", lambda: calls),
            patch.object(clients, "cloudformation", lambda: cloudformation),
            patch.object(clients, "schedule", lambda: Schedule(events)),
            patch.object(handler, "Clock", type("WorldClock", (), {"of": staticmethod(self._clock)})),
            patch.object(handler, "datetime", type("Now", (), {"now": staticmethod(self._now)})),
            patch.object(answers, "threading", SimpleNamespace(Timer=self._timer, Lock=lambda: _Lock(self.timeline))),
            patch.object(pace, "random", self.random),
            patch.dict(os.environ, {RUNS_VARIABLE: str(self.runs), "AWS_DEFAULT_REGION": "us-east-1"}),
        ):
            try:
                yield
            finally:
                self.timeline.close()

    def _timer(self, seconds: float, work: Callable[[], object]) -> "_Timer":
        return _Timer(self.timeline, seconds, work)

    def _now(self, *_: Any) -> datetime:
        return datetime.fromtimestamp(self.timeline.now, UTC)

    def _clock(self, of: Any, *, remaining: float, service_timeout: float, sent_at: Any, look: bool) -> Clock:
        clock = Clock(
            of,
            started=0.0,
            ends=0.0,
            sent_at=sent_at,
            runs=self.runs,
            monotonic=lambda: self.timeline.now,
            now=self._now,
            sleep=self.timeline.sleep,
        )
        clock.start(remaining=remaining, service_timeout=service_timeout, look=look)
        return clock

    def _note(self, sent: Sent, what: str) -> None:
        event = sent.event
        resource = f"{event['StackId'].split('/')[1]}/{event['LogicalResourceId']}"
        self.trace.append(
            f"{self.timeline.now % 1e6:10.2f} {resource} {event['RequestType']} {event['RequestId'][:4]}: {what}"
        )

    def _note_call(self, operation: str, path: str, response: Response) -> None:
        self.called.append(Called(self.timeline.now, operation, path, response.status))
        running = self.timeline.running
        if running in self.tasks:
            told = json.loads(response.body or b"{}") if response.body[:1] == b"{" else {}
            shown = f"{told.get('id', '')} {told.get('status', told.get('message', ''))}"[:60] if told else ""
            self._note(self.tasks[running].sent, f"{operation} {path} -> {response.status} {shown}")

    # What a test looks at

    def play(self, script: Callable[[], object]) -> None:
        """Let a script run as CloudFormation and its user, then wait until nothing is under way."""
        self.timeline.run(self.timeline.begin(script))
        self.timeline.run()

    def going(self) -> list[StoredRun | StoredBatch]:
        """The runs and batches that are not at their end, nor stopping; a batch stands for its runs."""
        runs = [run for run in self.service.active() if run.status != "STOPPING" and "batchId" not in run.request]
        return [*runs, *(batch for batch in self.service.batches() if _is_going(batch))]

    def active(self) -> list[str]:
        """The physical ids of those."""
        return [f"{each.id}/{each.uuid}" for each in self.going()]

    def run(self, physical_id: str) -> StoredRun:
        """The run with this physical id."""
        return next(run for run in self.service.runs() if f"{run.id}/{run.uuid}" == physical_id)

    def batch(self, physical_id: str) -> StoredBatch:
        """The batch with this physical id."""
        return next(batch for batch in self.service.batches() if f"{batch.id}/{batch.uuid}" == physical_id)

    def end(self, what: StoredRun | StoredBatch, status: str) -> bool:
        """Bring a run, or all runs of a batch, to a status; whether there was one to bring."""
        runs = [run for run in self.service.active() if run is what or run.request.get("batchId") == what.id]
        for run in runs:
            self.service.end(run.id, status)
        return bool(runs)

    def calls(self, operation: str) -> int:
        """How many calls of an operation have reached HealthOmics."""
        return sum(call.operation == operation for call in self.service.journal)

    def stranger(self, name: str, asked: Mapping[str, Any] = MappingProxyType({}), **tags: str) -> StoredRun:
        """Somebody else's run; asked for are further members of StartRun, ``tags`` are ownership tags by suffix."""
        request = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b", "name": name, **asked}
        self._start_strange("/run", request, tags)
        return self.service.runs()[-1]

    def strange_batch(self, name: str) -> StoredBatch:
        """Somebody else's batch."""
        default = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b"}
        settings = {"inlineSettings": [{"runSettingId": "theirs"}]}
        request = {"batchName": name, "defaultRunSetting": default, "batchRunSettings": settings}
        self._start_strange("/runBatch", request, {})
        return self.service.batches()[-1]

    def _start_strange(self, path: str, request: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        keys = {OwnershipTag[key.upper()].value: value for key, value in tags.items()}
        token = str(UUID(int=self.random.getrandbits(128), version=4))
        rate, self.service.settings.start_rate = self.service.settings.start_rate, None
        self.service.handle("POST", path, "", json.dumps({**request, "tags": keys, "requestId": token}).encode())
        self.service.settings.start_rate = rate
