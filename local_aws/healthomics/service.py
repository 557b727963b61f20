"""The local HealthOmics service: its runs, their statuses, tags, tokens and the quota on StartRun. No HTTP."""

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from botocore.model import OperationModel

from local_aws.healthomics import model
from local_aws.healthomics.faults import ANSWERS, Fault, Faults, Kind
from local_aws.healthomics.model import ServiceError, invalid
from local_aws.healthomics.settings import CancelOfFinished, Clock, Settings, Token
from local_aws.healthomics.tasks import Order, Task

MOST_TAGS: Final = 50
"""A run's tags: AWS's own limit, which the model does not hold."""
_FINAL: Final = frozenset({"COMPLETED", "CANCELLED", "FAILED", "DELETED"})
_PAGE: Final = 10


@dataclass
class StoredRun:
    """A run as the service keeps it."""

    id: str
    uuid: str
    arn: str
    created: float
    request: Mapping[str, Any]
    tags: dict[str, str]
    status: str = "PENDING"
    since: float = 0.0
    """When it took this status, by the service's clock."""
    fails: tuple[str, str] | None = None
    """The failure reason and status message with which it will end."""
    history: list[tuple[float, str, dict[str, str]]] = field(default_factory=list)
    """When it took which status and tags."""
    tasks: tuple[Task, ...] = ()

    def at(self, when: float) -> "StoredRun | None":
        """The run as it was; None: it was not there yet."""
        if when >= self.history[-1][0]:
            return self
        known = next(((status, tags) for since, status, tags in reversed(self.history) if since <= when), None)
        return known and replace(self, status=known[0], tags=known[1])

    def remember(self, now: float) -> None:
        """Keep what it is now."""
        self.history.append((now, self.status, self.tags))

    @property
    def output_uri(self) -> str:
        """Where its outputs go."""
        asked: str = self.request["outputUri"]
        prefixed = self.request.get("outputUriPrefixMode", "SERVICE_DEFINED") == "SERVICE_DEFINED"
        return f"{asked.rstrip('/')}/{self.id}" if prefixed else asked

    def described(self) -> dict[str, Any]:
        """What GetRun shows; the model says which of it ListRuns and StartRun show too."""
        failed = self.fails if self.status == "FAILED" and self.fails else (None, None)
        asked = {name: value for name, value in self.request.items() if name not in {"requestId", "tags"}}
        return asked | {
            "id": self.id,
            "uuid": self.uuid,
            "arn": self.arn,
            "status": self.status,
            "tags": self.tags,
            "runOutputUri": self.output_uri,
            "creationTime": datetime.fromtimestamp(self.created, UTC),
            "startTime": self._when("RUNNING"),
            "stopTime": self._when(*_FINAL),
            "failureReason": failed[0],
            "statusMessage": failed[1],
        }

    def tasks_at(self, when: float) -> list[dict[str, Any]]:
        """What GetRunTask shows of each task that there was at a time."""
        history = [(since, status) for since, status, _ in self.history]
        described = (task.described(self.arn, history, when) for task in self.tasks)
        return [each for each in described if each]

    def _when(self, *statuses: str) -> datetime | None:
        since = next((since for since, status, _ in self.history if status in statuses), None)
        return None if since is None else datetime.fromtimestamp(since, UTC)


@dataclass(frozen=True)
class Call:
    """One line of the service's journal."""

    at: float
    """Wall time, seconds since the epoch."""
    operation: str
    status: int
    """The HTTP status that was answered; 0 where the connection was lost."""
    run_id: str | None


@dataclass(frozen=True)
class Response:
    """What goes back over HTTP; a fault of the connection's is left to whoever holds the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    fault: Fault | None = None


@dataclass
class HealthOmics:
    """The service."""

    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    region: str = "us-east-1"
    account: str = "123456789012"
    on_status: Callable[[StoredRun], None] = lambda _run: None
    """Told of each change of a run's status."""
    faults: Faults = field(default_factory=Faults)
    journal: list[Call] = field(default_factory=list)
    _runs: dict[str, StoredRun] = field(default_factory=dict)
    _tokens: dict[str, tuple[float, StoredRun]] = field(default_factory=dict)
    """The runs themselves: their ids may be a stranger's by now."""
    _failing: deque[tuple[str, str]] = field(default_factory=deque)
    _ordered: deque[tuple[Order, ...]] = field(default_factory=deque)
    """The tasks of the next runs."""
    _next_id: int = 1000001
    _reusable: list[str] = field(default_factory=list)
    random: Random = field(default_factory=Random)
    """Draws how late an answer is."""
    monotonic: Callable[[], float] = time.monotonic
    """The time by which quotas are filled again."""
    _allowances: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By operation, how many calls were left, and when."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def handle(self, method: str, path: str, query: str, body: bytes) -> Response | None:
        """Answer a request; None: it is for no operation of this service."""
        routed = model.route(method, path)
        if routed is None:
            return None
        operation, labels = routed
        fault = self.faults.meeting(operation.name)
        if fault and fault.kind in {Kind.DROP_BEFORE, Kind.HANG_BEFORE}:
            self._write_down(operation.name, 0, _run_id(labels, b""))
            return Response(0, {}, b"", fault)
        try:
            _answer(fault, operation.name)
            self._spend_quota(operation.name)
            response = self._work(operation, model.parse(operation, labels, query, body))
        except ServiceError as error:
            response = Response(
                error.status,
                {"x-amzn-errortype": error.code},
                json.dumps({"message": error.message}).encode(),
            )
        lost = fault and fault.kind in {Kind.DROP_AFTER, Kind.HANG_AFTER}
        self._write_down(operation.name, 0 if lost else response.status, _run_id(labels, response.body))
        return Response(response.status, response.headers, response.body, fault) if lost else response

    def _work(self, operation: OperationModel, given: dict[str, Any]) -> Response:
        with self._lock:
            self.tick()
            work: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, f"_{_snake(operation.name)}")
            status, body = model.write(operation, work(given))
        return Response(status, {"content-type": "application/json"}, body)

    def _write_down(self, operation: str, status: int, run_id: str | None) -> None:
        with self._lock:
            self.journal.append(Call(time.time(), operation, status, run_id))

    # What tests and the demo look at and order

    def runs(self) -> list[StoredRun]:
        """Every run, oldest first, deleted ones included."""
        with self._lock:
            self.tick()
            return list(self._runs.values())

    def active(self) -> list[StoredRun]:
        """The runs that have not ended."""
        return [run for run in self.runs() if run.status not in _FINAL]

    def fail_next(self, reason: str = "RUN_TASK_FAILED", message: str = "Task main exited with 1") -> None:
        """Let the next started run fail instead of complete."""
        self._failing.append((reason, message))

    def tasks_of_next(self, *orders: Order) -> None:
        """Let the next started run have these tasks; a run for which none were ordered has none."""
        self._ordered.append(orders)

    def end(self, run_id: str, status: str) -> None:
        """Bring a run to a status at once, as its workflow or another user would."""
        with self._lock:
            self._take(self._runs[run_id], status, self.clock.now())

    def reuse_id(self, run_id: str) -> None:
        """Give the next started run the id of a deleted one, as HealthOmics does."""
        self._reusable.append(run_id)

    def tick(self) -> None:
        """Move every run as far as the clock says."""
        with self._lock:
            now = self.clock.now()
            for run in list(self._runs.values()):
                while self._moved(run, now):
                    pass

    def _moved(self, run: StoredRun, now: float) -> bool:
        after = {
            "PENDING": (self.settings.pending, "STARTING"),
            "STARTING": (self.settings.starting, "RUNNING"),
            "RUNNING": (self.settings.running, "FAILED" if run.fails else "COMPLETED"),
            "STOPPING": (self.settings.stopping, "CANCELLED"),
        }.get(run.status)
        if after is None or now < run.since + after[0]:
            return False
        self._take(run, after[1], run.since + after[0])
        return True

    def _take(self, run: StoredRun, status: str, at: float) -> None:
        run.status, run.since = status, at
        run.remember(at)
        self.on_status(run)

    # The operations, by the names of the model

    def _start_run(self, given: dict[str, Any]) -> dict[str, Any]:
        known = self._known(given["requestId"])
        if known and self.settings.token is Token.CONFLICT:
            raise ServiceError("ConflictException", f"A run with request ID {given['requestId']} already exists")
        if known:
            return known.described()
        if ("workflowId" in given) == ("runId" in given):
            raise invalid("Exactly one of workflowId and runId must be given")
        if "parameters" in given and "parametersUri" in given:
            raise invalid("Specify either parameters or parametersUri, not both")
        if given.get("workflowId") in self.settings.unknown_workflows:
            raise ServiceError("ResourceNotFoundException", f"Workflow {given['workflowId']} does not exist")
        tags = given.get("tags", {})
        self._check_number(tags)
        run_id = self._reusable.pop() if self._reusable else str(self._next_id)
        self._next_id += 1
        run = StoredRun(
            id=run_id,
            uuid=str(uuid.uuid4()),
            arn=f"arn:aws:omics:{self.region}:{self.account}:run/{run_id}",
            created=self.clock.now(),
            request=given,
            tags=dict(tags),
            since=self.clock.now(),
            fails=self._failing.popleft() if self._failing else None,
            tasks=self._made(self._ordered.popleft() if self._ordered else ()),
        )
        # A deleted run with the same id stays on record, out of reach.
        if run_id in self._runs:
            buried = self._runs.pop(run_id)
            self._runs[f"{buried.id} {buried.uuid}"] = buried
        self._runs[run_id] = run
        self._tokens[given["requestId"]] = (self.clock.now(), run)
        run.remember(run.created)
        self.on_status(run)
        return run.described()

    def _get_run(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self._runs.get(given["id"])
        shown = run and run.at(self._told_at())
        if shown is None or shown.status == "DELETED":
            if self.settings.missing_is_denied:
                raise _denied("GetRun")
            raise ServiceError("ResourceNotFoundException", f"Run {given['id']} does not exist")
        return shown.described()

    def _list_runs(self, given: dict[str, Any]) -> dict[str, Any]:
        wanted = {name: given[name] for name in ("name", "runGroupId", "batchId", "status") if name in given}
        told_at = self._told_at()
        shown_runs = [run.at(told_at) for run in self._runs.values()]
        described = [run.described() for run in shown_runs if run and run.status != "DELETED"]
        matching = [each for each in described if all(each.get(name) == value for name, value in wanted.items())]
        matching.sort(key=lambda each: str(each["creationTime"]))
        return _page(matching, given, "ListRuns", "RunListItem")

    def _list_run_tasks(self, given: dict[str, Any]) -> dict[str, Any]:
        told_at = self._told_at()
        tasks = self._run(given["id"]).tasks_at(told_at)
        matching = [task for task in tasks if given.get("status", task["status"]) == task["status"]]
        return _page(matching, given, "ListRunTasks", "TaskListItem")

    def _get_run_task(self, given: dict[str, Any]) -> dict[str, Any]:
        told_at = self._told_at()
        for task in self._run(given["id"]).tasks_at(told_at):
            if task["taskId"] == given["taskId"]:
                return task
        raise ServiceError("ResourceNotFoundException", f"Task {given['taskId']} of run {given['id']} does not exist")

    def _cancel_run(self, given: dict[str, Any]) -> dict[str, Any]:
        needed = self.settings.cancel_needs_tag
        asked = self._runs.get(given["id"])
        if needed and (asked is None or asked.status == "DELETED" or needed not in asked.tags):
            raise _denied("CancelRun")
        run = self._run(given["id"])
        if run.status in _FINAL:
            code = {
                CancelOfFinished.CONFLICT: "ConflictException",
                CancelOfFinished.VALIDATION: "ValidationException",
                CancelOfFinished.NOT_FOUND: "ResourceNotFoundException",
            }[self.settings.cancel_of_finished]
            raise ServiceError(code, f"Run {run.id} cannot be cancelled: its status is {run.status}")
        if run.status != "STOPPING":
            self._take(run, "STOPPING", self.clock.now())
        return {}

    def _delete_run(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self._run(given["id"])
        if run.status not in _FINAL:
            raise ServiceError("ConflictException", f"Run {run.id} cannot be deleted: its status is {run.status}")
        self._take(run, "DELETED", self.clock.now())
        return {}

    def _tag_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self._tagged(given["resourceArn"])
        self._check_number(run.tags | given["tags"])
        run.tags = run.tags | given["tags"]
        run.remember(self.clock.now())
        return {}

    def _untag_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self._tagged(given["resourceArn"])
        run.tags = {key: value for key, value in run.tags.items() if key not in given["tagKeys"]}
        run.remember(self.clock.now())
        return {}

    def _list_tags_for_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"tags": self._tagged(given["resourceArn"]).tags}

    def _made(self, orders: Iterable[Order]) -> tuple[Task, ...]:
        tasks = []
        for order in orders:
            tasks.append(Task(str(self._next_id), str(uuid.uuid4()), order))
            self._next_id += 1
        return tuple(tasks)

    def _run(self, run_id: str) -> StoredRun:
        run = self._runs.get(run_id)
        if run is None or run.status == "DELETED":
            raise ServiceError("ResourceNotFoundException", f"Run {run_id} does not exist")
        return run

    def _tagged(self, arn: str) -> StoredRun:
        run = self._runs.get(arn.rpartition("/")[2])
        if run is None or run.status == "DELETED" or run.arn != arn:
            raise ServiceError("ResourceNotFoundException", f"Resource {arn} does not exist")
        return run

    def _known(self, token: str) -> StoredRun | None:
        at, run = self._tokens.get(token, (0.0, None))
        remembered = self.settings.token_remembered
        if remembered is not None and self.clock.now() - at >= remembered:
            return None
        return run

    @staticmethod
    def _check_number(tags: Mapping[str, str]) -> None:
        if len(tags) > MOST_TAGS:
            raise invalid(f"A resource can have at most {MOST_TAGS} tags; this one would have {len(tags)}")

    def _told_at(self) -> float:
        return self.clock.now() - self.random.uniform(0, self.settings.lag)

    def _spend_quota(self, operation: str) -> None:
        quotas = {"StartRun": self.settings.start_rate, **self.settings.quotas}
        rate = quotas.get(operation)
        if rate is None:
            return
        with self._lock:
            now, most = self.monotonic(), max(1.0, rate)
            left, at = self._allowances.get(operation, (most, now))
            left = min(most, left + (now - at) * rate)
            self._allowances[operation] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
        if left < 1.0:
            raise ServiceError("ThrottlingException", "Rate exceeded")


def _denied(operation: str) -> ServiceError:
    code, message = ANSWERS[Kind.ACCESS_DENIED]
    return ServiceError(code, message.format(operation=operation))


def _page(matching: list[dict[str, Any]], given: Mapping[str, Any], operation: str, item: str) -> dict[str, Any]:
    """One page of a list: of each item, the members that the model has."""
    token = given.get("startingToken", "0")
    if not token.isdecimal():
        raise invalid(f"startingToken {token!r} is none that {operation} gave")
    first = int(token)
    after = first + given.get("maxResults", _PAGE)
    shown = set(getattr(model.MODEL.shape_for(item), "members", {}))
    return {
        "items": [
            {name: each[name] for name in each if name in shown and each[name] is not None}
            for each in matching[first:after]
        ],
        "nextToken": str(after) if after < len(matching) else None,
    }


def _answer(fault: Fault | None, operation: str) -> None:
    """Raise what a fault of the service's makes it answer."""
    if fault and fault.kind in ANSWERS:
        code, message = ANSWERS[fault.kind]
        raise ServiceError(code, message.format(operation=operation))


def _run_id(labels: Mapping[str, str], answer: bytes) -> str | None:
    """The run that a call is about: named in its path, or StartRun's new one."""
    if labels:
        return labels.get("id") or labels["resourceArn"].rpartition("/")[2]
    run_id: str | None = json.loads(answer or b"{}").get("id")
    return run_id


def _snake(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
