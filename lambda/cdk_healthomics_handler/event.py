"""CloudFormation's event as a frozen request. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from cdk_healthomics_handler.kind import BATCH, RUN, Kind
from cdk_healthomics_handler.mark import LONG_AGO, Goal
from cdk_healthomics_handler.names import BATCH_TYPE, LINK_TYPE, RESOURCE_TYPE, Property, RemovalPolicy, WaitFor

DEFAULT_SERVICE_TIMEOUT: Final = 3600
"""Seconds; CloudFormation's own default where the resource names none."""
POLL: Final = "CrHelperPoll"
"""crhelper's mark on an event by which EventBridge invokes the function again while a run is waited for."""
UNKNOWN_UUID: Final = "unknown"
"""Stands for a run's uuid where an answer of HealthOmics' left it out."""
SENT_AT: Final = "SentAt"
"""In such an event: when the request was sent, or else first heard of."""
TURN: Final = "Turn"
"""In such an event: :attr:`Request.turn`."""
LINK: Final = "wait-"
"""The physical id of a link begins with this; the RequestId of its Create follows."""
NOTHING_STARTED: Final = "none-"
"""The physical id of a failed Create that has started no run for certain begins with this; its RequestId follows."""
UNSETTLED: Final = "unsettled-"
"""Likewise, where a run may have been started without anybody having heard of it."""


class RequestType(StrEnum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class PhysicalId(NamedTuple):
    """``<run id>/<uuid>``: ids of deleted runs are reused, so the id alone does not name a run."""

    run_id: str
    uuid: str

    def __str__(self) -> str:
        return f"{self.run_id}/{self.uuid}"

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a physical resource id; None where it is not one of ours (the Create failed or was cut short)."""
        run_id, slash, uuid = (text or "").partition("/")
        return cls(run_id, uuid) if slash and run_id.isdecimal() and uuid and "/" not in uuid else None


@dataclass(frozen=True)
class Request:
    """One request of CloudFormation's for one resource."""

    type: RequestType
    stack_id: str
    logical_id: str
    request_id: str
    resource_type: str = RESOURCE_TYPE
    physical_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    old_properties: Mapping[str, Any] = field(default_factory=dict)
    sent_at: datetime | None = None
    """When CloudFormation signed the ResponseURL; None where the URL does not tell."""
    heard_at: datetime = LONG_AGO
    """When the handler first heard of it: stands for :attr:`sent_at` where that is not known."""
    response_url: str = field(default="", repr=False)
    """A credential: whoever has it can answer."""
    polls: bool = False
    """Whether EventBridge sent this to look again at a run that is waited for; its physical id is that run's."""
    turn: float = 0.0
    """So many seconds after EventBridge's minute the look is this one's: all runs are woken up at once."""

    @classmethod
    def of(cls, event: Mapping[str, Any], heard_at: datetime = LONG_AGO) -> Self:
        """Read the event of a custom resource.

        Raises:
            KeyError: a field that CloudFormation always sends is missing.
            ValueError: the request type is none of CloudFormation's.
        """
        return cls(
            type=RequestType(event["RequestType"]),
            stack_id=event["StackId"],
            logical_id=event["LogicalResourceId"],
            request_id=event["RequestId"],
            resource_type=event.get("ResourceType", RESOURCE_TYPE),
            physical_id=event.get("PhysicalResourceId"),
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
            sent_at=_signed_at(event.get("ResponseURL", "")) or _told(event),
            heard_at=heard_at,
            response_url=event.get("ResponseURL", ""),
            polls=POLL in event,
            turn=float(event.get(TURN, 0)),
        )

    def poll(self, physical_id: PhysicalId, turn: float = 0.0) -> dict[str, Any]:
        """The event by which EventBridge lets the function look again: short, whatever the run's parameters are."""
        kept = set(Property) - {Property.RERUN_TRIGGER, Property.REMOVAL_POLICY, Property.ADOPT_RUN_ID}
        return {
            POLL: True,
            "RequestType": self.type.value,
            "ResourceType": self.resource_type,
            "ResponseURL": self.response_url,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_id,
            "PhysicalResourceId": self.link_id or str(physical_id),
            "ResourceProperties": {name: value for name, value in self.properties.items() if name in kept},
            SENT_AT: self.ordered_at.isoformat(),
            TURN: round(turn, 1),
        }

    @property
    def kind(self) -> Kind:
        """What the resource is or, of a link, waits for."""
        return BATCH if self.resource_type == BATCH_TYPE or Property.BATCH in self.properties else RUN

    @property
    def link_id(self) -> str:
        """The physical id of a link; nothing where the resource is a run."""
        if self.resource_type != LINK_TYPE:
            return ""
        return self.physical_id or f"{LINK}{self.request_id}"

    @property
    def watched(self) -> PhysicalId | None:
        """The run that is waited for."""
        return PhysicalId.parse(self.properties.get(self.kind.linked_by) if self.link_id else self.physical_id)

    @property
    def watched_before(self) -> PhysicalId | None:
        """The run that a link waited for before the update."""
        return PhysicalId.parse(self.old_properties.get(self.kind.linked_by))

    @property
    def changes_nothing(self) -> bool:
        """Whether this is an update that is taken back: forwards, CloudFormation sends what was changed only."""
        return self.type is RequestType.UPDATE and self.properties == self.old_properties

    @property
    def stack_name(self) -> str:
        """The name in the stack's ARN, ``…:stack/<name>/<guid>``."""
        return self.stack_id.split("/")[1]

    @property
    def removal_policy(self) -> str | None:
        """A :class:`RemovalPolicy`; None where Delete cancels the run."""
        return self.properties.get(Property.REMOVAL_POLICY)

    @property
    def retains(self) -> bool:
        """Whether the runs that Updates leave behind stay as they are."""
        return self.removal_policy in set(RemovalPolicy)

    @property
    def retained_before(self) -> bool:
        """The same of the update's old properties: of what the request that is taken back has started."""
        return self.old_properties.get(Property.REMOVAL_POLICY) in set(RemovalPolicy)

    @property
    def adopts(self) -> str | None:
        """What names the run that the resource is to have instead of one that it starts; None: it starts one."""
        return self.properties.get(Property.ADOPT_RUN_ID)

    @property
    def adopts_anew(self) -> bool:
        """Whether that was named otherwise, or not at all, before the update."""
        return self.adopts is not None and self.adopts != self.old_properties.get(Property.ADOPT_RUN_ID)

    @property
    def wait_for(self) -> str:
        """A :class:`WaitFor`."""
        return str(self.properties.get(Property.WAIT_FOR, WaitFor.SUBMITTED))

    @property
    def goal(self) -> str:
        """The same, with how many runs of a batch may fail: a :class:`~cdk_healthomics_handler.mark.Goal`."""
        return str(Goal(self.wait_for, int(self.properties.get(Property.MAX_FAILED_RUNS, 0))))

    @property
    def waits(self) -> bool:
        """Whether the answer waits until the run has come further than StartRun."""
        return self.wait_for != WaitFor.SUBMITTED

    @property
    def waited_before(self) -> bool:
        """Whether the properties before the update asked for that."""
        return str(self.old_properties.get(Property.WAIT_FOR, WaitFor.SUBMITTED)) != WaitFor.SUBMITTED

    @property
    def timeout(self) -> int:
        """Seconds that this resource and its links wait."""
        return int(self.properties.get(Property.TIMEOUT, self.service_timeout))

    @property
    def followed(self) -> bool:
        """Whether a further link waits on when the time of this request is over."""
        return int(self.properties.get(Property.UNTIL, self.service_timeout)) < self.timeout

    @property
    def ordered_at(self) -> datetime:
        """When the request was sent, as far as can be told: what orders the requests of one resource."""
        return self.sent_at or self.heard_at

    @property
    def service_timeout(self) -> int:
        """Seconds after which CloudFormation gives this request up."""
        return int(self.properties.get(Property.SERVICE_TIMEOUT, DEFAULT_SERVICE_TIMEOUT))


def _signed_at(response_url: str) -> datetime | None:
    """A presigned S3 URL says when it was signed (X-Amz-Date); an older kind of signature does not."""
    signed = parse_qs(urlsplit(response_url).query).get("X-Amz-Date", [""])[0]
    try:
        at = datetime.fromisoformat(signed)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _told(event: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(event[SENT_AT]) if SENT_AT in event else None
