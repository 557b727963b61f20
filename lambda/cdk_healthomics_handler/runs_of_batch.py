"""The runs of a batch, where they matter one by one: those that are left, and those that have failed.

Each is worked on call by call. After a refused one, what was seen and done before is kept.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from cdk_healthomics_handler.kind import CANCELLED, FAILED
from cdk_healthomics_handler.refusal import Refusal, classify
from cdk_healthomics_handler.run import FailedRun, Run

if TYPE_CHECKING:
    from cdk_healthomics_handler.healthomics import FailedTasks

Page = Callable[[Mapping[str, str], str], tuple[list[Mapping[str, Any]], str]]
"""A page of a list: by the filters and the token of the page, its items and the next token."""
_TOLD: Final = 3
"""So many of the runs that have failed are told."""


@dataclass
class RunsLeft:
    """What CancelRunBatch has left of a batch, to be cancelled."""

    page: Page
    """ListRuns, which tells statuses; ListRunsInBatch does not."""
    cancel: Callable[[Run], None]
    batch: Run
    _token: str | None = ""
    """Of the page to be listed; None: all were."""
    _runs: list[Run] = field(default_factory=list)
    """Those that are listed and still to be cancelled."""

    def go_on(self) -> bool:
        """The next call; whether it was the last.

        Raises:
            botocore.exceptions.ClientError: it was refused; go on later.
            botocore.exceptions.BotoCoreError: likewise.
        """
        if self._runs:
            try:
                self.cancel(self._runs[-1])
            except ClientError as error:
                # How a run is refused that has ended meanwhile is not documented: the next list tells.
                if classify(error) not in {Refusal.FINAL, Refusal.CONFLICT, Refusal.GONE}:
                    raise
            self._runs.pop()
        else:
            items, token = self.page({"batchId": self.batch.id}, self._token or "")
            listed = [Run.of(item) for item in items]
            self._runs = [run for run in listed if run.active and not run.stopped]
            self._token = token or None
        return self._token is None and not self._runs


@dataclass
class FailedRuns:
    """The first runs of a batch that could not be submitted, failed or were cancelled, to be read."""

    page: Page
    """ListRuns."""
    page_in_batch: Page
    """ListRunsInBatch."""
    get: Callable[[str], Run | None]
    tasks: Callable[[Run], "FailedTasks"]
    batch: Run
    _read: dict[str, FailedRun] = field(default_factory=dict)
    """By the id of its setting."""
    _ended: int = 0
    """How many of them had been submitted."""
    _to_do: deque[Callable[[], None]] = field(init=False)
    """The calls to come, in their order."""

    def __post_init__(self) -> None:
        lists: list[Callable[[str], None]] = [
            self._list_unsubmitted,
            partial(self._list_ended, FAILED),
            partial(self._list_ended, CANCELLED),
        ]
        self._to_do = deque(partial(each, "") for each in lists)

    @property
    def read(self) -> tuple[FailedRun, ...]:
        """Those that are read, as far as they are."""
        return tuple(self._read.values())

    def go_on(self) -> bool:
        """The next call; whether it was the last.

        Raises:
            botocore.exceptions.ClientError: it was refused; go on later.
            botocore.exceptions.BotoCoreError: likewise.
        """
        self._to_do[0]()
        self._to_do.popleft()
        return not self._to_do

    def _list_unsubmitted(self, token: str) -> None:
        items, after = self.page_in_batch({"batchId": self.batch.id, "submissionStatus": FAILED}, token)
        for item in items[: self._room]:
            run = FailedRun.unsubmitted(item)
            self._read[run.setting_id] = run
        self._next_page(self._list_unsubmitted, after)

    def _list_ended(self, status: str, token: str) -> None:
        if not self._room:
            return
        items, after = self.page({"batchId": self.batch.id, "status": status}, token)
        chosen = items[: self._room]
        self._ended += len(chosen)
        self._next_page(partial(self._list_ended, status), after)
        self._to_do.extend(partial(self._look_at, item["id"]) for item in chosen)

    def _next_page(self, more: Callable[[str], None], token: str) -> None:
        if token and self._room:
            self._to_do.insert(1, partial(more, token))

    @property
    def _room(self) -> int:
        return _TOLD - self._ended - sum(not run.id for run in self._read.values())

    def _look_at(self, run_id: str) -> None:
        run = self.get(run_id)
        if run:
            self._to_do.insert(1, partial(self._name, run))

    def _name(self, run: Run) -> None:
        items, _ = self.page_in_batch({"batchId": self.batch.id, "runId": run.id}, "")
        for item in items[:1]:
            setting_id = str(item["runSettingId"])
            self._read[setting_id] = FailedRun(setting_id, run.id, run.status, run.failure_reason, run.status_message)
            if run.status == FAILED:
                self._to_do.insert(1, partial(self._find_task, setting_id, self.tasks(run)))

    def _find_task(self, setting_id: str, tasks: "FailedTasks") -> None:
        over = tasks.go_on()
        if tasks.read:
            self._read[setting_id] = replace(self._read[setting_id], task=tasks.read[0])
        elif not over:
            self._to_do.insert(1, partial(self._find_task, setting_id, tasks))
