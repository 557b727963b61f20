"""The calls to HealthOmics, one try each: who calls decides whether to try again."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError

from cdk_healthomics_handler.actions import Search
from cdk_healthomics_handler.event import UNKNOWN_UUID, PhysicalId, Request
from cdk_healthomics_handler.kind import DELETED, FAILED, RUN, Kind
from cdk_healthomics_handler.names import LIST_RUNS_IN_BATCH, OwnershipTag
from cdk_healthomics_handler.refusal import Refusal, classify
from cdk_healthomics_handler.run import FailedTask, Run
from cdk_healthomics_handler.runs_of_batch import FailedRuns, Page, RunsLeft
from cdk_healthomics_handler.seen import Gone

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient
    from mypy_boto3_omics.type_defs import ListRunTasksRequestTypeDef, TaskListItemTypeDef

_PAGE: Final = 100
"""The longest page of ListRuns and of ListRunTasks."""
_TASKS: Final = 3
"""So many failed tasks are read."""
_BEFORE: Final = timedelta(seconds=60)
"""By how much a run may seem older than the request that it was started for."""


class HealthOmics:
    """HealthOmics as the handler uses it."""

    def __init__(self, client: "OmicsClient") -> None:
        self._client = client

    def members(self, kind: Kind) -> Mapping[str, Any]:
        """StartRun's members and their shapes, from botocore's model."""
        shape = self._client.meta.service_model.operation_model(kind.start).input_shape
        return shape.members if shape else {}

    def start(self, kind: Kind, request: Mapping[str, Any]) -> Run:
        """StartRun."""
        return Run.of(self._call(kind.start, **request), kind)

    def cancel(self, run: Run) -> None:
        """CancelRun."""
        self._call(run.kind.cancel, **{run.kind.id: run.id})

    def read(self, kind: Kind, physical_id: PhysicalId) -> Run | Gone | None:
        """GetRun of the run with this id and this uuid.

        Returns:
            GONE where the id is another run's by now; None where HealthOmics has, or shows, no run with the id.
        """
        run = self._get(kind, physical_id.run_id)
        if run is None or not run.uuid or UNKNOWN_UUID in {run.uuid, physical_id.uuid}:
            return run
        return run if run.uuid == physical_id.uuid else Gone.GONE

    def tag(self, run: Run, add: Mapping[str, str], remove: Collection[str] = ()) -> None:
        """Change a run's tags, the removal first: a run holds at most 50."""
        if remove:
            self._client.untag_resource(resourceArn=run.arn, tagKeys=list(remove))
        if add:
            self._client.tag_resource(resourceArn=run.arn, tags=dict(add))

    def hunt(self, request: Request, names: Collection[str], strangers: set[str], search: Search) -> "Hunt":
        """A search for the runs of the request's resource.

        Args:
            request: whose stack and logical id the runs' tags must name.
            names: the names that the runs can have; ListRuns cannot filter by tags.
            strangers: the ids of runs that are known not to be the resource's; those that are found join them.
            search: which of them matter.
        """
        return Hunt(
            partial(self._page, request.kind.list, request.kind.page),
            partial(self._get, request.kind),
            request,
            list(names),
            search,
            strangers,
        )

    def failures(self, run: Run) -> "FailedTasks | FailedRuns":
        """The failed tasks of a run, or the failed runs of a batch, to be read."""
        return self._failed_runs(run) if run.kind.holds_runs else self._failed_tasks(run)

    def _failed_tasks(self, run: Run) -> "FailedTasks":
        return FailedTasks(self._client, run.id)

    def _failed_runs(self, batch: Run) -> FailedRuns:
        return FailedRuns(
            page=partial(self._page, RUN.list, RUN.page),
            page_in_batch=partial(self._page, LIST_RUNS_IN_BATCH, batch.kind.page),
            get=partial(self._get, RUN),
            tasks=self._failed_tasks,
            batch=batch,
        )

    def runs_left(self, batch: Run) -> RunsLeft:
        """The active runs of a batch, to be cancelled."""
        return RunsLeft(partial(self._page, RUN.list, RUN.page), self.cancel, batch)

    def lists_active(self, kind: Kind, names: Collection[str], run_id: str) -> bool:
        """Whether ListRuns has an active run with this id under one of these names."""
        for name in names:
            token = ""
            while True:
                items, token = self._page(kind.list, kind.page, {"name": name}, token)
                if any(item["id"] == run_id and item["status"] not in kind.quiet for item in items):
                    return True
                if not token:
                    break
        return False

    def _page(
        self, operation: str, longest: str, filters: Mapping[str, str], token: str
    ) -> tuple[list[Mapping[str, Any]], str]:
        after = {"startingToken": token} if token else {}
        page = self._call(operation, **filters, **{longest: _PAGE}, **after)
        items = page["runs" if operation == LIST_RUNS_IN_BATCH else "items"]
        return list(items), page.get("nextToken", "")

    def _call(self, operation: str, **asked: Any) -> Any:
        return getattr(self._client, xform_name(operation))(**asked)

    def _get(self, kind: Kind, run_id: str) -> Run | None:
        try:
            return Run.of(self._call(kind.get, **{kind.id: run_id}), kind)
        except ClientError as error:
            if classify(error) is Refusal.GONE:
                return None
            raise


@dataclass
class Hunt:
    """A search that keeps what it has read: after a refused call, :meth:`go_on` goes on where it stopped."""

    _page: Page
    _get: Callable[[str], Run | None]
    _request: Request
    _names: list[str]
    _search: Search
    _strangers: set[str]
    _token: str = ""
    _ids: list[str] = field(default_factory=list)
    _found: dict[str, Run] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """By id, the statuses of the listed runs that are at their end."""

    def go_on(self) -> tuple[Run, ...]:
        """List and read until the end; the runs that are the resource's, newest first.

        Raises:
            botocore.exceptions.ClientError: a call was refused; go on later.
            botocore.exceptions.BotoCoreError: likewise.
        """
        while self._names:
            items, self._token = self._page({"name": self._names[0]}, self._token)
            self._ids += [item["id"] for item in items if self._matters(item)]
            self.ended |= {item["id"]: item["status"] for item in items if item["status"] in self._request.kind.quiet}
            if not self._token:
                self._names.pop(0)
        while self._ids:
            run_id = self._ids[0]
            run = None if run_id in self._strangers or run_id in self._found else self._get(run_id)
            if run and run.belongs_to(self._request):
                self._found[run_id] = run
            elif run and (OwnershipTag.STACK_ID in run.tags or not self._recent(run.created)):
                self._strangers.add(run_id)  # a new run's tags may not be visible yet
            self._ids.pop(0)
        return tuple(sorted(self._found.values(), key=lambda run: run.created, reverse=True))

    def _matters(self, item: Mapping[str, Any]) -> bool:
        kind = self._request.kind
        if item.get(kind.created, self._search.after) < self._search.after:
            return False
        if item["status"] not in kind.quiet:
            return True
        return self._search.of_request and item["status"] != DELETED and self._recent(item.get(kind.created))

    def _recent(self, created: datetime | None) -> bool:
        return created is None or created >= self._request.ordered_at - _BEFORE


@dataclass
class FailedTasks:
    """The tasks of a run that failed first, read call by call: after a refused one, what was read is kept."""

    _client: "OmicsClient"
    _run_id: str
    _token: str | None = ""
    """Of the page to be listed; None: all were."""
    _first: "list[TaskListItemTypeDef]" = field(default_factory=list)
    """Those to be read, the one that failed first at the beginning; ListRunTasks does not tell its order."""
    read: tuple[FailedTask, ...] = ()

    def go_on(self) -> bool:
        """The next call; whether it was the last.

        Raises:
            botocore.exceptions.ClientError: it was refused; go on later.
            botocore.exceptions.BotoCoreError: likewise.
        """
        if self._token is not None:
            self._list(self._token)
        else:
            task = self._client.get_run_task(id=self._run_id, taskId=self._first[0]["taskId"])
            self.read += (FailedTask.of(task),)
            self._first.pop(0)
        return self._token is None and not self._first

    def _list(self, token: str) -> None:
        asked: ListRunTasksRequestTypeDef = {"id": self._run_id, "status": FAILED, "maxResults": _PAGE}
        if token:
            asked["startingToken"] = token
        page = self._client.list_run_tasks(**asked)
        self._first = sorted([*self._first, *page["items"]], key=_failed_at)[:_TASKS]
        self._token = page.get("nextToken")


def _failed_at(task: "TaskListItemTypeDef") -> float:
    return task["stopTime"].timestamp() if "stopTime" in task else math.inf
