"""A run, or a batch, as HealthOmics shows it, frozen. Standard library only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Self

from cdk_healthomics_handler import console
from cdk_healthomics_handler.event import UNKNOWN_UUID, PhysicalId, Request
from cdk_healthomics_handler.kind import CANCELLED, DELETED, RUN, STOPPING, Kind
from cdk_healthomics_handler.mark import LONG_AGO, Did, Goal, Mark
from cdk_healthomics_handler.names import RELEASED, OwnershipTag, WaitFor

_TELLING: Final = ("roleArn", "workflowId", "outputUri")
"""The members of StartRun that tell one resource's run from a copy."""
_NOT_COMPLETED: Final = ("failedRunCount", "cancelledRunCount")
_OVER: Final = frozenset(f"{status.lower()}RunCount" for status in RUN.terminal)
"""By RunSummary's members, the runs of a batch that have ended."""


@dataclass(frozen=True)
class Run:
    """What GetRun tells of a run, or StartRun of the run that it started."""

    id: str
    uuid: str
    arn: str
    status: str
    output_uri: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    created: datetime = LONG_AGO
    started: datetime | None = None
    """When it left the queue; None: it has not, or HealthOmics does not tell."""
    stopped_at: datetime | None = None
    """When it ended; None: it has not, or HealthOmics does not tell."""
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What StartRun was asked for, as far as the answer tells, among other members of it."""
    failure_reason: str = ""
    status_message: str = ""
    kind: Kind = field(default=RUN, repr=False)
    total: int | None = None
    """Of a batch: how many runs it has; None: HealthOmics has not told."""
    failed: int = 0
    """Of a batch: how many of them have failed, were cancelled or could not be submitted."""
    left: int = 0
    """Of a batch: how many of them are active."""

    @classmethod
    def of(cls, answer: Mapping[str, Any], kind: Kind = RUN) -> Self:
        """Read an answer of GetRun or StartRun. Never raises: a started run must be remembered."""
        asked = answer.get(kind.shared) or {} if kind.shared else answer
        runs, submissions = answer.get("runSummary") or {}, answer.get("submissionSummary") or {}
        return cls(
            id=str(answer.get("id", "")),
            uuid=str(answer.get("uuid", "")),
            arn=str(answer.get("arn", "")),
            status=str(answer.get("status", "")),
            output_uri=str(answer.get("runOutputUri", "")),
            tags=answer.get("tags") or {},
            created=answer.get("creationTime") or LONG_AGO,
            started=answer.get("startTime"),
            stopped_at=answer.get("stopTime") or answer.get("processedTime") or answer.get("failedTime"),
            asked=asked,
            failure_reason=str(answer.get(kind.reason) or ""),
            status_message=str(answer.get(kind.message) or ""),
            kind=kind,
            total=answer.get("totalRuns"),
            failed=sum(runs.get(count) or 0 for count in _NOT_COMPLETED)
            + (submissions.get("failedStartSubmissionCount") or 0),
            left=sum(number or 0 for count, number in runs.items() if count not in _OVER),
        )

    @classmethod
    def gone(cls, request: Request, physical_id: PhysicalId) -> Self:
        """The run of a resource after somebody deleted it: what can still be told of it."""
        _, partition, _, region, account, _ = request.stack_id.split(":", 5)
        output_uri = str(request.properties.get("OutputUri", ""))
        if request.properties.get("OutputUriPrefixMode", "SERVICE_DEFINED") == "SERVICE_DEFINED":
            output_uri = f"{output_uri.rstrip('/')}/{physical_id.run_id}"
        return cls(
            id=physical_id.run_id,
            uuid=physical_id.uuid,
            arn=f"arn:{partition}:omics:{region}:{account}:{request.kind.arn}/{physical_id.run_id}",
            status=DELETED,
            output_uri=output_uri,
            kind=request.kind,
        )

    @property
    def physical_id(self) -> PhysicalId:
        """What CloudFormation knows the run by."""
        return PhysicalId(self.id, self.uuid or UNKNOWN_UUID)

    @property
    def active(self) -> bool:
        """Whether the run may cost money."""
        return self.status not in self.kind.terminal or (self.left > 0 and self.status not in self.kind.quiet)

    @property
    def stopped(self) -> bool:
        """Whether somebody has cancelled the run."""
        return self.status in {STOPPING, CANCELLED}

    @property
    def ended(self) -> bool:
        """Whether the run never changes its status again. What CancelRunBatch could not cancel may be active still."""
        return self.status in self.kind.terminal

    @property
    def console_url(self) -> str:
        """The run's page in the AWS console; nothing where it cannot be told."""
        return "" if self.kind.holds_runs else console.page_at(self.arn, self.id)

    @property
    def label(self) -> str:
        """How a sentence begins that is about it."""
        return self.kind.label(self.id)

    @property
    def attributes(self) -> dict[str, str]:
        """Every attribute of the resource; times, and how many have failed, are of a run that was waited for."""
        return {attribute: str(getattr(self, told)) for attribute, told in self.kind.attributes.items()}

    @property
    def started_at(self) -> str:
        """The attribute that tells when the run left the queue."""
        return _told(self.started if self._waited_for else None)

    @property
    def ended_at(self) -> str:
        """The attribute that tells when it ended."""
        return _told(self.stopped_at if self._waited_for else None)

    @property
    def took(self) -> str:
        """The attribute that tells how many seconds are between."""
        if not (self._waited_for and self.started and self.stopped_at):
            return ""
        return str(int((self.stopped_at - self.started).total_seconds()))

    @property
    def counted(self) -> str:
        """The attribute that tells how many runs a batch has."""
        return "" if self.total is None else str(self.total)

    @property
    def counted_failed(self) -> str:
        """The attribute that tells how many of them have failed."""
        return str(self.failed) if self._waited_for else ""

    @property
    def replaces(self) -> PhysicalId | None:
        """The run that this one was started to replace."""
        return PhysicalId.parse(self.tags.get(OwnershipTag.REPLACES))

    @property
    def replaced_by(self) -> Mark | None:
        """The mark of the request that set out to replace this run."""
        return Mark.parse(self.tags.get(OwnershipTag.REPLACED_BY, ""))

    @property
    def newest(self) -> Mark | None:
        """The mark of the newest request that started or kept this run."""
        return Mark.parse(self.tags.get(OwnershipTag.NEWEST_REQUEST, ""))

    @property
    def definition(self) -> str:
        """The digest of what defines the run, or nothing where its tag was taken off."""
        return self.tags.get(OwnershipTag.DEFINITION, "")

    @property
    def released(self) -> bool:
        """Whether the run's resource has gone, or has another run."""
        return self.definition == RELEASED

    @property
    def rejected(self) -> bool:
        """Whether the run ended otherwise than its own request waited for: it never became the resource's."""
        starter = self.newest if self.newest and self.newest.did is not Did.KEPT else None
        if starter is None or not starter.waits or not self.ended or self.reached(starter.wait_for):
            return False
        return starter.wait_for != WaitFor.RUNNING or self.started is None

    @property
    def adopted(self) -> bool:
        """Whether a resource has adopted the run, and no later request of its has kept it."""
        return self.newest is not None and self.newest.did is Did.ADOPTED

    @property
    def ended_before_it_was_kept(self) -> bool:
        """Whether a request has kept the run though it had ended by then: nobody waited for it any longer."""
        kept = self._kept
        return bool(self.ended and kept and self.stopped_at and self.stopped_at <= kept.sent_at)

    def tagged(self, add: Mapping[str, str], remove: Collection[str]) -> Self:
        """The run with its tags changed."""
        kept = {key: value for key, value in self.tags.items() if key not in remove}
        return replace(self, tags={**kept, **add})

    def reached(self, wait_for: str) -> bool:
        """Whether the run has come as far as somebody waits for: a :class:`~cdk_healthomics_handler.mark.Goal`."""
        goal = Goal.parse(wait_for)
        if goal.wait_for == WaitFor.SUBMITTED:
            return True
        if goal.wait_for == WaitFor.RUNNING and self._runs_by_its_start:
            return True
        return self.status in self.kind.reached.get(goal.wait_for, ()) and self.failed <= goal.may_fail

    def belongs_to(self, request: Request) -> bool:
        """Whether the run carries the tags of the resource that the request is about."""
        return (
            self.tags.get(OwnershipTag.STACK_ID) == request.stack_id
            and self.tags.get(OwnershipTag.LOGICAL_ID) == request.logical_id
        )

    def started_by(self, token: str) -> bool:
        """Whether the run was started with this idempotency token."""
        return self.tags.get(OwnershipTag.REQUEST_ID) == token

    def answers(self, start_run: Mapping[str, Any]) -> bool:
        """Whether the run is what this StartRun request asked for: anybody can copy tags and a name."""
        shared = start_run.get(self.kind.shared, start_run)
        told = {member: self.asked[member] for member in _TELLING if self.asked.get(member)}
        return all(
            str(shared.get(member, value)).rstrip("/") == str(value).rstrip("/") for member, value in told.items()
        )

    def defined_by(self, definition: str) -> bool:
        """Whether the run is what these properties ask for, and is not released."""
        return self.definition == definition

    def started_for(self, mark: Mark) -> bool:
        """Whether the run was started for the request that left a mark elsewhere."""
        token = self.tags.get(OwnershipTag.REQUEST_ID, "")
        return token.endswith(f"/{mark.request_id}") or self.newest == replace(mark, did=Did.STARTED, name="")

    def claimed_after(self, request: Request) -> bool:
        """Whether a request that was sent later has kept the run or set out to replace it: this one is overtaken."""
        others = [each for each in (self._kept, self.replaced_by) if each and each.request_id != request.request_id]
        return any(each.sent_at > request.ordered_at for each in others)

    def kept_beside(self, request: Request) -> bool:
        """Whether another request has kept the run later, or in the same second: no more is told of the time."""
        kept = self._kept
        return kept is not None and kept.request_id != request.request_id and kept.sent_at >= request.ordered_at

    def kept_since(self, other: "Run") -> bool:
        """Whether a request has kept the run since another one was started."""
        return bool(self._kept and other.newest and self._kept.sent_at > other.newest.sent_at)

    def older_than(self, request: Request) -> bool:
        """Whether no request that was sent after this one has started the run or kept it."""
        return self.newest is None or self.newest.sent_at <= request.ordered_at

    @property
    def completed(self) -> bool:
        """Whether it has come to a good end."""
        return self.reached(WaitFor.COMPLETED)

    @property
    def _runs_by_its_start(self) -> bool:
        """Whether it has left the queue and has a status that nobody here knows: the time of its start tells."""
        return self.active and self.started is not None and self.status not in self.kind.unstarted

    @property
    def _waited_for(self) -> bool:
        return self.newest is not None and self.newest.waits

    @property
    def _kept(self) -> Mark | None:
        return self.newest if self.newest and self.newest.did is Did.KEPT else None


@dataclass(frozen=True)
class FailedTask:
    """What GetRunTask tells of a task that failed."""

    name: str
    failure_reason: str = ""
    status_message: str = ""
    log_stream: str = ""
    """In the log group of all runs."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of GetRunTask."""
        return cls(
            name=str(answer.get("name", "")),
            failure_reason=str(answer.get("failureReason") or ""),
            status_message=str(answer.get("statusMessage") or ""),
            log_stream=str(answer.get("logStream") or "").rpartition(":log-stream:")[2],  # an ARN, or the name alone
        )


@dataclass(frozen=True)
class FailedRun:
    """A run of a batch that could not be submitted, failed or was cancelled."""

    setting_id: str
    id: str = ""
    """Nothing where it could not be submitted."""
    status: str = ""
    failure_reason: str = ""
    status_message: str = ""
    task: FailedTask | None = None
    """The one of its tasks that failed first."""

    @classmethod
    def unsubmitted(cls, item: Mapping[str, Any]) -> Self:
        """Read an item of ListRunsInBatch."""
        return cls(
            setting_id=str(item.get("runSettingId", "")),
            failure_reason=str(item.get("submissionFailureReason") or ""),
            status_message=str(item.get("submissionFailureMessage") or ""),
        )


def _told(at: datetime | None) -> str:
    """A time as ISO 8601 in UTC, to the second; nothing where there is none."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""
