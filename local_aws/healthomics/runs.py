"""The runs of the account: their operations, and how they move through their statuses."""

import heapq
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final
from uuid import uuid4

from . import model
from .account import Account
from .model import ServiceError, invalid
from .resources import Resource, Resources, check_number, denied, page
from .settings import CancelOfFinished
from .tasks import Order, Task, stream_arn

FINAL: Final = frozenset({"COMPLETED", "CANCELLED", "FAILED", "DELETED"})
REFUSALS: Final[Mapping[CancelOfFinished, str]] = {
    CancelOfFinished.CONFLICT: "ConflictException",
    CancelOfFinished.VALIDATION: "ValidationException",
    CancelOfFinished.NOT_FOUND: "ResourceNotFoundException",
}
_AT_WORK: Final = frozenset({"STARTING", "RUNNING", "STOPPING"})
_PAGE: Final = 10
_FIRST_ID: Final = 1000001
_NEXT: Final[Mapping[str, tuple[str, str]]] = {
    "PENDING": ("pending", "STARTING"),
    "STARTING": ("starting", "RUNNING"),
    "RUNNING": ("running", "COMPLETED"),
    "STOPPING": ("stopping", "CANCELLED"),
}
"""By status, the setting that says how long it lasts, and the status after it."""


@dataclass(slots=True)
class StoredRun(Resource):
    """A run as the service keeps it."""

    fails: tuple[str, str] | None = None
    """The failure reason and status message with which it will end."""
    counted: Counter[str] | None = None
    """How many runs of its batch have which status; None: it is in no batch."""
    tasks: tuple[Task, ...] = ()
    default_storage: str | None = None
    """Its storage type where it asked for none."""

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
        # Without super(): a class with slots is made anew by dataclass, and super() looks for the old one.
        return (
            Resource.described(self)
            | {"workflowType": "PRIVATE"}
            | asked
            | {"storageType": asked.get("storageType", self.default_storage)}
            | {
                "runOutputUri": self.output_uri,
                "logLocation": self._log_location(asked.get("logLevel")),
                "startTime": self.when("RUNNING"),
                "stopTime": self.when(*FINAL),
                "failureReason": failed[0],
                "statusMessage": failed[1],
            }
        )

    def _log_location(self, level: str | None) -> dict[str, str] | None:
        if level == "OFF":
            return None
        return {"runLogStream": stream_arn(self.arn, ""), "engineLogStream": stream_arn(self.arn, "/engine")}

    def tasks_at(self, when: float) -> list[dict[str, Any]]:
        """What GetRunTask shows of each task that there was at a time."""
        history = [(since, status) for since, status, _ in self.history]
        described = (task.described(self.arn, history, when) for task in self.tasks)
        return [each for each in described if each]


class Runs(Resources[StoredRun]):
    """The runs; operations are methods by the names of the model."""

    final = FINAL

    def __init__(self, account: Account) -> None:
        super().__init__(account, "run", _FIRST_ID)
        self.failing: deque[tuple[str, str]] = deque()
        """The failure reasons and status messages of the next runs."""
        self.ordered: deque[tuple[Order, ...]] = deque()
        """The tasks of the next runs."""
        self._waiting: dict[str, list[tuple[float, int, StoredRun]]] = {status: [] for status in _NEXT}
        """By status, since when which run has it, as a heap; nobody looks at a run before its time has come."""
        self._order = count()
        self._held: dict[str, list[StoredRun]] = {}
        """By run group, the runs that wait until another one of it has ended."""

    def start(
        self, request: Mapping[str, Any], tags: Mapping[str, str], at: float, counted: Counter[str] | None = None
    ) -> StoredRun:
        """Start a run whose request fits the model.

        Args:
            request: StartRun's, or what a batch makes of its settings.
            tags: of the run.
            at: when it starts.
            counted: the counts of its batch.

        Raises:
            ServiceError: it cannot be started.
        """
        if request.get("workflowId") in self.account.settings.unknown_workflows:
            raise ServiceError("ResourceNotFoundException", f"Workflow {request['workflowId']} does not exist")
        check_number(tags)
        fails = self.failing.popleft() if self.failing else None
        run = StoredRun(*self.identity(), created=at, request=request, tags=dict(tags), fails=fails, counted=counted)
        orders = self.ordered.popleft() if self.ordered else ()
        run.default_storage = self.account.settings.default_storage
        run.tasks = tuple(Task(self.new_id(), str(uuid4()), order) for order in orders)
        self.add(run)
        self.take(run, "PENDING", at)
        return run

    def take(self, resource: StoredRun, status: str, at: float) -> None:
        """Give a run a status, in which it stays for its time."""
        if resource.counted is not None:
            resource.counted[resource.status] -= 1 if resource.history else 0
            resource.counted[status] += 1
        super().take(resource, status, at)
        if status in FINAL and (held := self._held.get(resource.request.get("runGroupId", ""))):
            self._let_work(held, at)
        if status in _NEXT:
            heapq.heappush(self._waiting[status], (at, next(self._order), resource))

    def move(self, now: float) -> None:
        """Move every run as far as the clock says, in the order of time."""
        while due := min(self._due(now), key=lambda each: each[0], default=None):
            at, status = due
            run = heapq.heappop(self._waiting[status])[2]
            if status == "PENDING" and self._is_full(run.request.get("runGroupId")):
                self._held.setdefault(run.request["runGroupId"], []).append(run)
                continue
            self.take(run, "FAILED" if status == "RUNNING" and run.fails else _NEXT[status][1], at)

    def _is_full(self, group: str | None) -> bool:
        """Whether as many runs of a group are at work as may be."""
        most = self.account.settings.group_runs
        if group is None or most is None:
            return False
        at_work = [run for run in self.all if run.request.get("runGroupId") == group and run.status in _AT_WORK]
        return len(at_work) >= most

    def _let_work(self, held: list[StoredRun], at: float) -> None:
        """Let the one of these runs start whose turn it is."""
        held[:] = [run for run in held if run.status == "PENDING"]
        turn = max if self.account.settings.group_high_first else min
        if held:
            first = turn(held, key=lambda run: run.request.get("priority", 0))
            held.remove(first)
            self.take(first, "STARTING", at)

    def _due(self, now: float) -> list[tuple[float, str]]:
        """When the next run leaves each status, where that is not after now."""
        due = []
        for status, waiting in self._waiting.items():
            while waiting and (waiting[0][2].status, waiting[0][2].since) != (status, waiting[0][0]):
                heapq.heappop(waiting)  # it has left already
            if waiting:
                at = waiting[0][0] + getattr(self.account.settings, _NEXT[status][0])
                due += [(at, status)] if at <= now else []
        return due

    def start_run(self, given: dict[str, Any]) -> dict[str, Any]:
        """StartRun."""
        if known := self.known(given["requestId"]):
            return known.described()
        if ("workflowId" in given) == ("runId" in given):
            raise invalid("Exactly one of workflowId and runId must be given")
        if "parameters" in given and "parametersUri" in given:
            raise invalid("Specify either parameters or parametersUri, not both")
        original = self._by_id.get(given.get("runId", ""))
        inherited = original.tags if original and self.account.settings.rerun_has_tags else {}
        workflow = {"workflowId": original.request["workflowId"]} if original and "runId" in given else {}
        run = self.start({**workflow, **given}, {**inherited, **given.get("tags", {})}, self.account.clock.now())
        self.remember_token(given["requestId"], run)
        return run.described()

    def get_run(self, given: dict[str, Any]) -> dict[str, Any]:
        """GetRun."""
        return self.told(given["id"], "GetRun").described()

    def list_runs(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListRuns."""
        asked = {name: given[name] for name in ("name", "runGroupId", "batchId") if name in given}
        told_at = self.account.told_at()

        def shown(run: StoredRun) -> dict[str, Any] | None:
            if any(run.request.get(name) != value for name, value in asked.items()):
                return None
            told = run.at(told_at)
            if told is None or told.status == "DELETED" or given.get("status", told.status) != told.status:
                return None
            return model.of_shape("RunListItem", told.described())

        items, after = page("ListRuns", given, given.get("maxResults", _PAGE), self.all, shown)
        return {"items": items, "nextToken": after}

    def list_run_tasks(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListRunTasks."""
        tasks = self.named(given["id"]).tasks_at(self.account.told_at())
        matching = [task for task in tasks if given.get("status", task["status"]) == task["status"]]
        most = given.get("maxResults", _PAGE)
        items, after = page("ListRunTasks", given, most, matching, partial(model.of_shape, "TaskListItem"))
        return {"items": items, "nextToken": after}

    def get_run_task(self, given: dict[str, Any]) -> dict[str, Any]:
        """GetRunTask."""
        for task in self.named(given["id"]).tasks_at(self.account.told_at()):
            if task["taskId"] == given["taskId"]:
                return task
        raise ServiceError("ResourceNotFoundException", f"Task {given['taskId']} of run {given['id']} does not exist")

    def cancel_run(self, given: dict[str, Any]) -> dict[str, Any]:
        """CancelRun."""
        needed = self.account.settings.cancel_needs_tag
        asked = self._by_id.get(given["id"])
        if needed and (asked is None or asked.status == "DELETED" or needed not in asked.tags):
            raise denied("CancelRun")
        self.cancel(self.named(given["id"]), self.account.clock.now())
        return {}

    def cancel(self, run: StoredRun, now: float) -> None:
        """Cancel a run.

        Raises:
            ServiceError: it has ended.
        """
        if run.status in FINAL:
            code = REFUSALS[self.account.settings.cancel_of_finished]
            raise ServiceError(code, f"Run {run.id} cannot be cancelled: its status is {run.status}")
        if run.status != "STOPPING":
            self.take(run, "STOPPING", now)

    def delete_run(self, given: dict[str, Any]) -> dict[str, Any]:
        """DeleteRun."""
        self.delete(self.named(given["id"]), self.account.clock.now())
        return {}

    def delete(self, run: StoredRun, now: float) -> None:
        """Delete a run.

        Raises:
            ServiceError: it has not ended.
        """
        if run.status not in FINAL:
            raise ServiceError("ConflictException", f"Run {run.id} cannot be deleted: its status is {run.status}")
        self.take(run, "DELETED", now)
