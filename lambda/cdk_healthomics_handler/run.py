"""A run as HealthOmics shows it, frozen. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from cdk_healthomics_handler.event import PhysicalId, Request
from cdk_healthomics_handler.names import LOG_GROUP, Attribute, OwnershipTag, WaitFor

ACTIVE: Final = frozenset({"PENDING", "STARTING", "RUNNING", "STOPPING"})
"""The statuses in which a run may cost money and can be cancelled."""
COMPLETED: Final = "COMPLETED"
FAILED: Final = "FAILED"
CANCELLED: Final = "CANCELLED"
DELETED: Final = "DELETED"
TERMINAL: Final = frozenset({COMPLETED, FAILED, CANCELLED, DELETED})
"""The statuses that a run never leaves."""
REACHED: Final[Mapping[str, frozenset[str]]] = {
    WaitFor.SUBMITTED: ACTIVE | TERMINAL,
    WaitFor.RUNNING: frozenset({"RUNNING", COMPLETED}),
    WaitFor.COMPLETED: frozenset({COMPLETED}),
}
"""The statuses in which a run has come as far as somebody waits for."""
ADOPTABLE: Final = ACTIVE | {COMPLETED}
"""The statuses in which a run has, or may have, results that an Update could go back to."""


@dataclass(frozen=True)
class Run:
    """What GetRun tells of a run, or StartRun of the run that it started."""

    id: str
    uuid: str
    arn: str
    status: str
    output_uri: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None
    failure_reason: str = ""
    status_message: str = ""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of GetRun or StartRun. Never raises: a started run must be remembered."""
        return cls(
            id=str(answer.get("id", "")),
            uuid=str(answer.get("uuid", "")),
            arn=str(answer.get("arn", "")),
            status=str(answer.get("status", "")),
            output_uri=str(answer.get("runOutputUri", "")),
            tags=answer.get("tags") or {},
            created=answer.get("creationTime"),
            failure_reason=str(answer.get("failureReason") or ""),
            status_message=str(answer.get("statusMessage") or ""),
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
            arn=f"arn:{partition}:omics:{region}:{account}:run/{physical_id.run_id}",
            status=DELETED,
            output_uri=output_uri,
        )

    @property
    def physical_id(self) -> PhysicalId:
        """What CloudFormation knows the run by."""
        return PhysicalId(self.id, self.uuid)

    @property
    def active(self) -> bool:
        """Whether the run may cost money and can be cancelled."""
        return self.status in ACTIVE

    @property
    def ended(self) -> bool:
        """Whether the run never changes its status again."""
        return self.status in TERMINAL

    @property
    def end(self) -> str:
        """How the run ended, for a person: status, reason, message, and where its logs are."""
        told = [each.rstrip(".") for each in (self.failure_reason, self.status_message) if each]
        return (
            f"Run {self.id} is {': '.join([self.status, *told])}. "
            f"Its logs are in log group {LOG_GROUP}, streams run/{self.id} and run/{self.id}/engine."
        )

    @property
    def attributes(self) -> dict[str, str]:
        """Every attribute of the resource."""
        return {
            Attribute.RUN_ID: self.id,
            Attribute.RUN_ARN: self.arn,
            Attribute.RUN_UUID: self.uuid,
            Attribute.RUN_OUTPUT_URI: self.output_uri,
            Attribute.STATUS: self.status,
        }

    def belongs_to(self, request: Request) -> bool:
        """Whether the run carries the tags of the resource that the request is about."""
        return (
            self.tags.get(OwnershipTag.STACK_ID) == request.stack_id
            and self.tags.get(OwnershipTag.LOGICAL_ID) == request.logical_id
        )

    def started_by(self, token: str) -> bool:
        """Whether the run was started with this idempotency token."""
        return self.tags.get(OwnershipTag.REQUEST_ID) == token

    def defined_by(self, definition: str) -> bool:
        """Whether the run is what these properties ask for, and is not released."""
        return self.tags.get(OwnershipTag.DEFINITION) == definition
