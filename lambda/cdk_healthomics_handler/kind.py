"""What tells runs and batches apart, as data: one decision is made for both. Standard library only.

Where the handler speaks of a run and its kind does not matter, a batch is meant as well
(docs/adr/0014-kinds-are-data.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_healthomics_handler.names import (
    BATCH_RUN_SETTINGS,
    CANCEL_RUN,
    CANCEL_RUN_BATCH,
    DEFAULT_RUN_SETTING,
    GET_BATCH,
    GET_RUN,
    LIST_BATCH,
    LIST_RUNS,
    START_RUN,
    START_RUN_BATCH,
    Attribute,
    BatchAttribute,
    Property,
    WaitFor,
)

STOPPING: Final = "STOPPING"
COMPLETED: Final = "COMPLETED"
FAILED: Final = "FAILED"
CANCELLED: Final = "CANCELLED"
DELETED: Final = "DELETED"
"""No status of a batch; it stands for one that somebody has deleted."""
PROCESSED: Final = "PROCESSED"
"""The status of a batch whose runs have all ended."""
_PROCESSED: Final = frozenset({PROCESSED, "RUNS_DELETING", "RUNS_DELETED", "RUNS_DELETE_FAILED"})
"""The same, or somebody has deleted them since."""


@dataclass(frozen=True)
class Kind:
    """A kind of what HealthOmics starts for a resource."""

    noun: str
    start: str
    """The operation of HealthOmics that starts one; likewise the next three."""
    get: str
    list: str
    cancel: str
    id: str
    """The member by which these are told which one is meant."""
    name: str
    """The member of the start that names it."""
    page: str
    """The member of the list for the longest page."""
    created: str
    """The member of a list's item that tells since when it is there."""
    arn: str
    """The type of resource in its ARN."""
    reason: str
    """The member that tells in one word why it has failed; empty: there is none."""
    message: str
    """The member that tells it in a sentence."""
    linked_by: Property
    """By which a link is told what it waits for."""
    terminal: frozenset[str]
    """The statuses that it never leaves of itself. One that nobody here knows is no such."""
    quiet: frozenset[str]
    """Those in which it costs nothing for certain."""
    reached: Mapping[str, frozenset[str]]
    """The statuses in which it has come as far as somebody waits for; SUBMITTED is reached in any."""
    attributes: Mapping[str, str]
    """By the attributes of the resource, what tells them of a :class:`~cdk_healthomics_handler.run.Run`."""
    unstarted: frozenset[str] = frozenset()
    """The active statuses that say that it has not run yet, or is stopping; one that nobody here knows says neither."""
    uncancellable: frozenset[str] = frozenset()
    """The active statuses in which it cannot be cancelled yet."""
    explained: frozenset[str] = frozenset()
    """The statuses at whose end more is read of what has failed."""
    groups: tuple[str, ...] = ()
    """The members of the start whose own members are properties of the resource."""
    shared: str = ""
    """Of these the one that tells what each of its runs has; empty: the request itself does."""

    @property
    def holds_runs(self) -> bool:
        """Whether it consists of runs, of which each has its own end."""
        return bool(self.shared)

    def label(self, number: str) -> str:
        """How a sentence begins that is about the one with this id."""
        return f"{self.noun.capitalize()} {number}"


_RUN_OVER: Final = frozenset({COMPLETED, FAILED, CANCELLED, DELETED})
RUN: Final = Kind(
    noun="run",
    start=START_RUN,
    get=GET_RUN,
    list=LIST_RUNS,
    cancel=CANCEL_RUN,
    id="id",
    name="name",
    page="maxResults",
    created="creationTime",
    arn="run",
    reason="failureReason",
    message="statusMessage",
    linked_by=Property.RUN,
    terminal=_RUN_OVER,
    quiet=_RUN_OVER,
    reached={
        WaitFor.RUNNING: frozenset({"RUNNING", COMPLETED}),
        WaitFor.COMPLETED: frozenset({COMPLETED}),
    },
    attributes={
        Attribute.RUN_ID: "id",
        Attribute.RUN_ARN: "arn",
        Attribute.RUN_UUID: "uuid",
        Attribute.RUN_OUTPUT_URI: "output_uri",
        Attribute.STATUS: "status",
        Attribute.CONSOLE_URL: "console_url",
        Attribute.STARTED_AT: "started_at",
        Attribute.STOPPED_AT: "ended_at",
        Attribute.DURATION_SECONDS: "took",
    },
    unstarted=frozenset({"PENDING", "STARTING", STOPPING}),
    explained=frozenset({FAILED}),
)
BATCH: Final = Kind(
    noun="batch",
    start=START_RUN_BATCH,
    get=GET_BATCH,
    list=LIST_BATCH,
    cancel=CANCEL_RUN_BATCH,
    id="batchId",
    name="batchName",
    page="maxItems",
    created="createdAt",
    arn="runBatch",
    reason="",
    message="failureReason",
    linked_by=Property.BATCH,
    terminal=_PROCESSED | {FAILED, CANCELLED, DELETED},
    # CancelRunBatch may leave runs that it could not cancel.
    quiet=_PROCESSED | {DELETED},
    reached={WaitFor.COMPLETED: _PROCESSED},
    attributes={
        BatchAttribute.BATCH_ID: "id",
        BatchAttribute.BATCH_ARN: "arn",
        BatchAttribute.BATCH_UUID: "uuid",
        BatchAttribute.STATUS: "status",
        BatchAttribute.TOTAL_RUNS: "counted",
        BatchAttribute.FAILED_RUNS: "counted_failed",
    },
    uncancellable=frozenset({"CREATING"}),
    explained=_PROCESSED,
    groups=(DEFAULT_RUN_SETTING, BATCH_RUN_SETTINGS),
    shared=DEFAULT_RUN_SETTING,
)
