"""The run batches of the account: their operations, and how they move by the clock, the quotas and their runs.

What the User Guide ("Batch runs in HealthOmics") leaves open is decided here, and nobody should rely on it: runs that
were not submitted when their batch was cancelled count as cancelled; CancelRunBatch refuses as CancelRun does.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import model
from .account import Account
from .batch import StoredBatch, Submission
from .batch_settings import BatchError, settings_of
from .model import ServiceError, invalid
from .resources import Resources, check_number, page
from .runs import FINAL as FINAL_OF_RUNS
from .runs import REFUSALS, Runs

FINAL: Final = frozenset({"PROCESSED", "FAILED", "CANCELLED", "RUNS_DELETED", "RUNS_DELETE_FAILED"})
_CANCELLABLE: Final = frozenset({"PENDING", "SUBMITTING", "INPROGRESS"})
_DELETABLE: Final = frozenset({"PROCESSED", "CANCELLED"})
_OVER: Final = FINAL | {"DELETED"}
_PAGE: Final = 100
_FIRST_ID: Final = 7000001
_DONE: Final[Mapping[str, tuple[str, str]]] = {
    "StartRun": ("Start", ""),
    "CancelRun": ("Cancel", "CANCEL_"),
    "DeleteRun": ("Delete", "DELETE_"),
}
"""By the operation that is done to its runs, how SubmissionSummary and SubmissionStatus name it."""
_PENDING: Final = "pendingStartSubmissionCount"


class Batches(Resources[StoredBatch]):
    """The batches; operations are methods by the names of the model."""

    final = FINAL

    def __init__(self, account: Account, runs: Runs) -> None:
        super().__init__(account, "runBatch", _FIRST_ID)
        self.refusing: dict[str, deque[tuple[str, str]]] = {operation: deque() for operation in _DONE}
        """By what is done to the runs of batches, reason and message of the next refusals."""
        self.failing: deque[BatchError] = deque()
        """Why the next batches fail."""
        self._runs = runs
        self._under_way: Mapping[str, tuple[str, Callable[[StoredBatch, Submission, float], None]]] = {
            "SUBMITTING": ("StartRun", self._submit),
            "STOPPING": ("CancelRun", self._cancel),
            "RUNS_DELETING": ("DeleteRun", self._delete),
        }
        """By status, what is done to the runs."""

    # How they move

    def move(self, now: float) -> bool:
        """Move each batch as far as clock, quotas and runs allow; whether one has moved, so that its runs may."""
        moved = [self._moved(batch, now) for batch in self.all if batch.status not in _OVER]
        return any(moved)

    def _moved(self, batch: StoredBatch, now: float) -> bool:
        settings, before = self.account.settings, batch.status
        if before == "CREATING" and now >= batch.since + settings.batch_creating:
            self.take(batch, "PENDING", batch.since + settings.batch_creating)
        elif before == "PENDING" and now >= batch.since + settings.batch_pending:
            self._look_at_settings(batch, batch.since + settings.batch_pending)
        elif before in self._under_way:
            return self._work(batch, now) or batch.status != before
        elif before == "INPROGRESS" and not batch.active:
            self.take(batch, "PROCESSED", _quiet_since(batch))
        return batch.status != before

    def _look_at_settings(self, batch: StoredBatch, at: float) -> None:
        try:
            if self.failing:
                raise self.failing.popleft()
            settings = settings_of(batch, self.account)
        except BatchError as error:
            batch.failure = (error.reason, str(error))
            self.take(batch, "FAILED", at)
            return
        batch.submissions = [Submission(each["runSettingId"], each) for each in settings]
        batch.queue.extend(batch.submissions)
        batch.outcomes[_PENDING] = len(batch.submissions)
        self.take(batch, "SUBMITTING", at)

    def _work(self, batch: StoredBatch, now: float) -> bool:
        """Do what is under way to as many runs as the quota allows; whether there were any."""
        operation, do = self._under_way[batch.status]
        at = now if self.account.limited(operation) else batch.since
        most = self.account.share(operation, len(batch.queue))
        for _ in range(most):
            self._done(batch, batch.queue.popleft(), operation, do, at)
        if batch.queue:
            return most > 0
        if batch.status == "SUBMITTING":
            self.take(batch, "INPROGRESS", at)
        elif batch.status == "RUNS_DELETING":
            failed = batch.outcomes["failedDeleteSubmissionCount"]
            self.take(batch, "RUNS_DELETE_FAILED" if failed else "RUNS_DELETED", at)
        elif not (batch.runs["STOPPING"] if self.account.settings.cancelled_with_active_runs else batch.active):
            self.take(batch, "CANCELLED", _quiet_since(batch))
        return most > 0

    def _done(
        self,
        batch: StoredBatch,
        submission: Submission,
        operation: str,
        do: Callable[[StoredBatch, Submission, float], None],
        at: float,
    ) -> None:
        name, prefix = _DONE[operation]
        try:
            self._refuse_as_ordered(operation)
            do(batch, submission, at)
        except ServiceError as error:
            submission.failure = (error.code, error.message)
        else:
            submission.failure = None
        submission.status = f"{prefix}{'FAILED' if submission.failure else 'SUCCESS'}"
        batch.outcomes[f"{'failed' if submission.failure else 'successful'}{name}SubmissionCount"] += 1
        if operation == "StartRun":
            batch.outcomes[_PENDING] -= 1

    def _refuse_as_ordered(self, operation: str) -> None:
        if self.refusing[operation]:
            raise ServiceError(*self.refusing[operation].popleft())

    def _submit(self, batch: StoredBatch, submission: Submission, at: float) -> None:
        default, own = batch.default, submission.setting or {}
        submission.setting = None
        request = {**default, **own, "batchId": batch.id, "requestId": f"{batch.uuid}/{submission.setting_id}"}
        for only_of_batches in ("runSettingId", "runTags", "outputBucketOwnerId"):
            request.pop(only_of_batches, None)
        if "parameters" in default and "parameters" in own:
            request["parameters"] = default["parameters"] | own["parameters"]
        tags = default.get("runTags", {}) | own.get("runTags", {})
        for member in model.required("StartRun"):
            if member not in request:
                raise invalid(f"Value at '{member}' failed to satisfy constraint: Member must not be null")
        submission.run = self._runs.start(request, tags, at, batch.runs)

    def _cancel(self, _: StoredBatch, submission: Submission, at: float) -> None:
        if submission.run:
            self._runs.cancel(submission.run, at)

    def _delete(self, _: StoredBatch, submission: Submission, at: float) -> None:
        if submission.run:
            self._runs.delete(submission.run, at)

    # The operations

    def start_run_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """StartRunBatch."""
        if known := self.known(given["requestId"]):
            return known.described()
        default, file = given["defaultRunSetting"], given["batchRunSettings"].get("s3UriSettings")
        if default.get("workflowType") == "READY2RUN":
            raise invalid("Batch runs are not supported with READY2RUN workflows")
        if default["workflowId"] in self.account.settings.unknown_workflows:
            raise ServiceError("ResourceNotFoundException", f"Workflow {default['workflowId']} does not exist")
        check_number(given.get("tags", {}))
        found = file and self.account.read_object(file)
        if file and not found:
            raise invalid(f"The role {default['roleArn']} cannot read {file}, or it does not exist")
        now = self.account.clock.now()
        tags = dict(given.get("tags", {}))
        etag = found.etag if found else None
        batch = StoredBatch(*self.identity(), created=now, request=given, tags=tags, etag=etag)
        self.add(batch)
        self.remember_token(given["requestId"], batch)
        self.take(batch, "CREATING", now)
        return batch.described()

    def get_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """GetBatch."""
        return self.told(given["batchId"], "GetBatch").described()

    def list_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListBatch."""
        asked = _one_filter(given, "status", "name", "runGroupId")
        told_at = self.account.told_at()

        def shown(batch: StoredBatch) -> dict[str, Any] | None:
            told = batch.at(told_at)
            if told is None or told.status == "DELETED":
                return None
            described = told.described()
            of_filters = described | {"runGroupId": told.default.get("runGroupId")}
            matches = all(of_filters.get(name) == value for name, value in asked.items())
            return model.of_shape("BatchListItem", described) if matches else None

        items, after = page("ListBatch", given, given.get("maxItems", _PAGE), self.all, shown)
        return {"items": items, "nextToken": after}

    def list_runs_in_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListRunsInBatch."""
        asked = _one_filter(given, "submissionStatus", "runSettingId", "runId")

        def shown(submission: Submission) -> dict[str, Any] | None:
            described = submission.described()
            matches = all(described.get(name) == value for name, value in asked.items())
            return model.of_shape("RunBatchListItem", described) if matches else None

        runs = self.named(given["batchId"]).submissions or []
        items, after = page("ListRunsInBatch", given, given.get("maxItems", _PAGE), runs, shown)
        return {"runs": items, "nextToken": after}

    def cancel_run_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """CancelRunBatch."""
        batch = self.named(given["batchId"])
        if batch.status not in _CANCELLABLE:
            code = REFUSALS[self.account.settings.cancel_of_finished]
            raise ServiceError(code, f"Batch {batch.id} cannot be cancelled: its status is {batch.status}")
        self.account.share("StartRun", 0)  # it wants no more: nothing is to be kept for it
        for submission in batch.queue:
            submission.status = "CANCEL_SUCCESS"
        batch.outcomes["successfulCancelSubmissionCount"] += len(batch.queue)
        batch.outcomes[_PENDING] = 0
        started = [each for each in batch.submissions or () if each.run and each.run.status not in FINAL_OF_RUNS]
        batch.queue = deque(started)
        self.take(batch, "STOPPING", self.account.clock.now())
        return {}

    def delete_run_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """DeleteRunBatch."""
        batch = self.named(given["batchId"])
        if batch.status not in _DELETABLE:
            message = f"The runs of batch {batch.id} cannot be deleted: its status is {batch.status}"
            raise ServiceError("ConflictException", message)
        batch.queue = deque(each for each in batch.submissions or () if each.run and each.run.status != "DELETED")
        self.take(batch, "RUNS_DELETING", self.account.clock.now())
        return {}

    def delete_batch(self, given: dict[str, Any]) -> dict[str, Any]:
        """DeleteBatch."""
        batch = self.named(given["batchId"])
        if batch.status not in FINAL:
            raise ServiceError("ConflictException", f"Batch {batch.id} cannot be deleted: its status is {batch.status}")
        batch.status = "DELETED"  # nobody is told: it is no status of a batch, but how the service keeps what is gone
        batch.remember(self.account.clock.now())
        return {}


def _quiet_since(batch: StoredBatch) -> float:
    """Since when nothing of a batch has moved."""
    return max([batch.since, *(each.run.since for each in batch.submissions or () if each.run)])


def _one_filter(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The filter of a list: one at most.

    Raises:
        ServiceError: there are more.
    """
    asked = {name: given[name] for name in names if name in given}
    if len(asked) > 1:
        raise invalid(f"Only one filter per call is supported; there were {', '.join(asked)}")
    return asked
