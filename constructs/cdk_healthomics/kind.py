"""What tells runs and batches of runs apart: data, so that one way leads from the arguments to the resource."""

from dataclasses import dataclass
from typing import Final

from cdk_healthomics_handler import kind as handled
from cdk_healthomics_handler.names import BATCH_TYPE, RESOURCE_TYPE, Attribute, BatchAttribute, WaitFor
from constructs import Construct


@dataclass(frozen=True)
class Kind:
    """A kind of resource that HealthOmics starts."""

    construct: str
    """The construct's class, as a user knows it."""
    handled: handled.Kind
    """What the function knows of it: its operations, of which the start's members are the arguments (``model.py``)."""
    resource_type: str
    arn: str
    """The attribute that is its ARN."""
    event: str
    """The detail-type of the events on its status (User Guide, "EventBridge"), which are sent at best effort."""
    name_in_event: str
    file: str
    """What may be given instead of parameters, when they are put into a file on S3."""
    completed: str
    """Its status when it has come to its end."""

    @property
    def waits_for(self) -> tuple[str, ...]:
        """How far it may be waited for."""
        return (WaitFor.SUBMITTED, *self.handled.reached)


RUN: Final = Kind(
    construct="HealthOmicsRun",
    handled=handled.RUN,
    resource_type=RESOURCE_TYPE,
    arn=Attribute.RUN_ARN,
    event="Run Status Change",
    name_in_event="runName",
    file="parameters_uri",
    completed=handled.COMPLETED,
)

BATCH: Final = Kind(
    construct="HealthOmicsRunBatch",
    handled=handled.BATCH,
    resource_type=BATCH_TYPE,
    arn=BatchAttribute.BATCH_ARN,
    event="RunBatch Status Change",
    name_in_event="batchName",
    file="its URI instead",
    completed=handled.PROCESSED,
)


def of(construct: Construct) -> Kind:
    """The kind of a construct of this library."""
    kind: Kind = construct._kind  # type: ignore[attr-defined] # noqa: SLF001 - no user's business
    return kind


def at(construct: Construct) -> str:
    """Where a construct is, as messages begin."""
    return f"{of(construct).construct} at '{construct.node.path}'"
