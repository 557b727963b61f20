"""The local HealthOmics service: requests answered, faults met, a journal kept; what tests order. No HTTP."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.model import OperationModel

from . import model
from .account import Account
from .batch import StoredBatch
from .batch_settings import BatchError
from .batches import Batches
from .catalog import Catalog
from .faults import ANSWERS, Fault, Faults, Kind
from .model import ServiceError
from .resources import Resource, check_number
from .runs import FINAL, Runs, StoredRun
from .tasks import Order

_SUBJECTS: Final = ("id", "batchId", "resourceArn")
"""Members that tell which resource a call is about."""


@dataclass(frozen=True)
class Call:
    """One line of the service's journal."""

    at: float
    """Wall time, seconds since the epoch."""
    operation: str
    status: int
    """The HTTP status that was answered; 0 where the connection was lost."""
    run_id: str | None
    """The run that it was about, or the batch."""


@dataclass(frozen=True)
class Response:
    """What goes back over HTTP; a fault of the connection's is left to whoever holds the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    fault: Fault | None = None


@dataclass
class HealthOmics(Account):
    """The service."""

    faults: Faults = field(default_factory=Faults)
    journal: list[Call] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._runs = Runs(self)
        self._batches = Batches(self, self._runs)
        self.catalog = Catalog(self, self.active)

    def handle(self, method: str, path: str, query: str, body: bytes) -> Response | None:
        """Answer a request; None: it is for no operation of this service."""
        routed = model.route(method, path)
        if routed is None:
            return None
        operation, labels = routed
        fault = self.faults.meeting(operation.name)
        if fault and fault.kind in {Kind.DROP_BEFORE, Kind.HANG_BEFORE}:
            self._write_down(operation.name, 0, _about(labels, body))
            return Response(0, {}, b"", fault)
        try:
            _answer(fault, operation.name)
            response = self._work(operation, labels, query, body)
        except ServiceError as error:
            response = Response(
                error.status,
                {"x-amzn-errortype": error.code},
                json.dumps({"message": error.message}).encode(),
            )
        lost = fault and fault.kind in {Kind.DROP_AFTER, Kind.HANG_AFTER}
        self._write_down(operation.name, 0 if lost else response.status, _about(labels, body, response.body))
        return Response(response.status, response.headers, response.body, fault) if lost else response

    def _work(self, operation: OperationModel, labels: Mapping[str, str], query: str, body: bytes) -> Response:
        with self._lock:
            if not self.spend(operation.name):
                raise ServiceError("ThrottlingException", "Rate exceeded")
            given = model.parse(operation, labels, query, body)
            self.tick()
            status, answer = model.write(operation, self._doing(operation.name)(given))
        return Response(status, {"content-type": "application/json"}, answer)

    def _doing(self, operation: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """What does an operation's work: the catalog's, or a method by the name of the model."""
        if operation in self.catalog.operations:
            return self.catalog.operations[operation]
        name = re.sub("(?<!^)(?=[A-Z])", "_", operation).lower()
        part = next(part for part in (self._runs, self._batches, self) if hasattr(part, name))
        work: Callable[[dict[str, Any]], dict[str, Any]] = getattr(part, name)
        return work

    def _write_down(self, operation: str, status: int, run_id: str | None) -> None:
        with self._lock:
            self.journal.append(Call(time.time(), operation, status, run_id))

    def do(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """Do what an operation does without HTTP, as CloudFormation asks for it; returns more than it answers.

        Raises:
            ServiceError: as the operation's.
        """
        with self._lock:
            model.check(model.MODEL.operation_model(operation), given)
            return self._doing(operation)(given)

    # What tests and the demo look at and order

    def runs(self) -> list[StoredRun]:
        """Every run, oldest first, deleted ones included."""
        with self._lock:
            self.tick()
            return list(self._runs.all)

    def active(self) -> list[StoredRun]:
        """The runs that have not ended."""
        return [run for run in self.runs() if run.status not in FINAL]

    def fail_next(self, reason: str = "RUN_TASK_FAILED", message: str = "Task main exited with 1") -> None:
        """Let the next started run fail instead of complete."""
        self._runs.failing.append((reason, message))

    def tasks_of_next(self, *orders: Order) -> None:
        """Let the next started run have these tasks; a run for which none were ordered has none."""
        self._runs.ordered.append(orders)

    def batches(self) -> list[StoredBatch]:
        """Every batch, oldest first, deleted ones included."""
        with self._lock:
            self.tick()
            return list(self._batches.all)

    def refuse_next(
        self,
        operation: str = "StartRun",
        times: int = 1,
        reason: str = "AccessDeniedException",
        message: str = "The role may not do this",
    ) -> None:
        """Refuse what batches are about to do to their runs: those are not submitted, not cancelled or not deleted.

        Args:
            operation: StartRun, CancelRun or DeleteRun.
            times: how many runs it meets, of any batch, in the order of their settings.
            reason: as ListRunsInBatch tells it; one of the errors of the operation.
            message: likewise.

        Raises:
            KeyError: batches do no such thing to their runs.
        """
        self._batches.refusing[operation].extend([(reason, message)] * times)

    def fail_next_batch(
        self,
        reason: str = "INTERNAL_SERVER_EXCEPTION",
        message: str = "There was a transient error in the service. Retry the batch.",
    ) -> None:
        """Let the next started batch fail before it has runs."""
        self._batches.failing.append(BatchError(message, reason))

    def end(self, run_id: str, status: str) -> None:
        """Bring a run to a status at once, as its workflow or another user would."""
        with self._lock:
            self._runs.take(self._runs.named(run_id), status, self.clock.now())

    def reuse_id(self, deleted_id: str) -> None:
        """Give the next started run, or batch, the id of a deleted one, as HealthOmics does."""
        (self._batches if self._batches.holds(deleted_id) else self._runs).reuse_id(deleted_id)

    def tick(self) -> None:
        """Move every run and batch as far as the clock says."""
        with self._lock:
            now = self.clock.now()
            self._runs.move(now)
            while self._batches.move(now):
                self._runs.move(now)

    # The operations that are for resources of every kind, by the names of the model

    def tag_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        tagged = self._tagged(given["resourceArn"])
        check_number(tagged.tags | given["tags"])
        tagged.tags = tagged.tags | given["tags"]
        tagged.remember(self.clock.now())
        return {}

    def untag_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        """UntagResource."""
        tagged = self._tagged(given["resourceArn"])
        tagged.tags = {key: value for key, value in tagged.tags.items() if key not in given["tagKeys"]}
        tagged.remember(self.clock.now())
        return {}

    def list_tags_for_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        return {"tags": self._tagged(given["resourceArn"]).tags}

    def _tagged(self, arn: str) -> Resource:
        found = self._runs.by_arn(arn) or self._batches.by_arn(arn) or self.catalog.by_arn(arn)
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Resource {arn} does not exist")
        return found


def _answer(fault: Fault | None, operation: str) -> None:
    """Raise what a fault of the service's makes it answer."""
    if fault and fault.kind in ANSWERS:
        code, message = ANSWERS[fault.kind]
        raise ServiceError(code, message.format(operation=operation))


def _about(labels: Mapping[str, str], body: bytes, answer: bytes = b"") -> str | None:
    """The id of the resource that a call is about: named in its path or its body, or a new one's."""
    for told in (labels, _object(body), _object(answer)):
        named = next((told[member] for member in _SUBJECTS if member in told), None)
        if named:
            return str(named).rpartition("/")[2]
    return None


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
