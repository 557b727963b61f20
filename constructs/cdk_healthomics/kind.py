"""What tells runs and batches of runs apart: data, so that one way leads from the arguments to the resource."""

from dataclasses import dataclass
from typing import Final

from cdk_healthomics_handler.kind import COMPLETED, FAILED
from cdk_healthomics_handler.names import (
    BATCH_TYPE,
    RESOURCE_TYPE,
    START_RUN,
    START_RUN_BATCH,
    Attribute,
    BatchAttribute,
    Property,
    WaitFor,
)
from constructs import Construct


@dataclass(frozen=True)
class Kind:
    """A kind of resource that HealthOmics starts."""

    construct: str
    """The construct's class, as a user knows it."""
    noun: str
    operation: str
    """Of HealthOmics, that starts it: its members are the arguments (``model.py``)."""
    resource_type: str
    name: str
    """The member that names it."""
    arn: str
    """The attribute that is its ARN."""
    linked_by: Property
    """By which a link is told what it waits for."""
    waits_for: tuple[WaitFor, ...]
    """How far it may be waited for."""
    event: str
    """The detail-type of the events on its status (User Guide, "EventBridge"), which are sent at best effort."""
    name_in_event: str
    file: str
    """What may be given instead of parameters, when they are put into a file on S3."""
    completed: str
    """Its status when it has come to its end."""
    failed: str


RUN: Final = Kind(
    construct="HealthOmicsRun",
    noun="run",
    operation=START_RUN,
    resource_type=RESOURCE_TYPE,
    name="name",
    arn=Attribute.RUN_ARN,
    linked_by=Property.RUN,
    waits_for=tuple(WaitFor),
    event="Run Status Change",
    name_in_event="runName",
    file="parameters_uri",
    completed=COMPLETED,
    failed=FAILED,
)

BATCH: Final = Kind(
    construct="HealthOmicsRunBatch",
    noun="batch",
    operation=START_RUN_BATCH,
    resource_type=BATCH_TYPE,
    name="batchName",
    arn=BatchAttribute.BATCH_ARN,
    linked_by=Property.BATCH,
    waits_for=(WaitFor.SUBMITTED, WaitFor.COMPLETED),
    event="RunBatch Status Change",
    name_in_event="batchName",
    file="its URI instead",
    completed="PROCESSED",
    failed=FAILED,
)


def of(construct: Construct) -> Kind:
    """The kind of a construct of this library."""
    kind: Kind = construct._kind  # type: ignore[attr-defined] # noqa: SLF001 - no user's business
    return kind


def at(construct: Construct) -> str:
    """Where a construct is, as messages begin."""
    return f"{of(construct).construct} at '{construct.node.path}'"
