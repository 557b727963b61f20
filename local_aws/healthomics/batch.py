"""A run batch and its runs as the service keeps them, and what the API shows of them."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from . import model
from .resources import Resource
from .runs import FINAL, StoredRun


@dataclass(slots=True)
class Submission:
    """A run of a batch, submitted or still to be."""

    setting_id: str
    setting: Mapping[str, Any] | None
    """Its own setting; None once it was submitted: the run has it."""
    run: StoredRun | None = None
    status: str | None = None
    failure: tuple[str, str] | None = None
    """Why the last operation was refused: reason and message."""

    def described(self) -> dict[str, Any]:
        """What ListRunsInBatch shows."""
        run, failure = self.run, self.failure or (None, None)
        named = {"runId": run.id, "runInternalUuid": run.uuid, "runArn": run.arn} if run else {}
        return named | {
            "runSettingId": self.setting_id,
            "submissionStatus": self.status,
            "submissionFailureReason": failure[0],
            "submissionFailureMessage": failure[1],
        }


@dataclass
class StoredBatch(Resource):
    """A batch as the service keeps it."""

    etag: str | None = None
    """Of the file of settings, when the batch was started."""
    submissions: list[Submission] | None = None
    """Its runs; None: the settings have not been looked at yet."""
    queue: deque[Submission] = field(default_factory=deque)
    """The runs to which the operation under way is still to be done."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """By the members of SubmissionSummary."""
    runs: Counter[str] = field(default_factory=Counter)
    """How many of its runs have which status."""
    failure: tuple[str, str] | None = None
    """Why it has FAILED: reason and message."""
    _past: list[tuple[Counter[str], Counter[str]]] = field(default_factory=list)
    """The counts that go with each line of the history."""

    @property
    def default(self) -> Mapping[str, Any]:
        """The setting that all its runs share."""
        shared: Mapping[str, Any] = self.request["defaultRunSetting"]
        return shared

    @property
    def active(self) -> int:
        """How many of its runs have not ended."""
        return sum(number for status, number in self.runs.items() if status not in FINAL)

    def at(self, when: float) -> Self | None:
        """The batch as it was, with the counts of then; None: it was not there yet."""
        shown = super().at(when)
        if shown is None or shown is self:
            return shown
        outcomes, runs = self._past[len(shown.history) - 1]
        return replace(shown, outcomes=outcomes, runs=runs)

    def remember(self, now: float) -> None:
        """Keep what it is now."""
        super().remember(now)
        self._past.append((self.outcomes.copy(), self.runs.copy()))

    def counts(self, summary: str) -> dict[str, int]:
        """SubmissionSummary or RunSummary."""
        by_run = {f"{status.lower()}RunCount": number for status, number in self.runs.items()}
        known = {**self.outcomes, **by_run}
        return {member: known.get(member, 0) for member in model.members(summary)}

    def described(self) -> dict[str, Any]:
        """What GetBatch shows; the model says which of it ListBatch and StartRunBatch show too."""
        return super().described() | {
            "name": self.request.get("batchName"),
            "totalRuns": None if self.submissions is None else len(self.submissions),
            "defaultRunSetting": self.default,
            "submissionSummary": self.counts("SubmissionSummary"),
            "runSummary": self.counts("RunSummary"),
            "submittedTime": self.when("INPROGRESS"),
            "processedTime": self.when("PROCESSED"),
            "failedTime": self.when("FAILED"),
            "failureReason": self.failure[1] if self.failure and self.status == "FAILED" else None,
            "createdAt": datetime.fromtimestamp(self.created, UTC),
            "workflowId": self.default["workflowId"],
        }
