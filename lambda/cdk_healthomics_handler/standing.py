"""What CloudFormation tells of a resource, and whether that means that it has moved on. Pure, standard library only.

DescribeStackResource may tell what was true seconds ago. So a look that the request itself contradicts says nothing,
and to be believed that it has moved on takes two looks that agree.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cdk_healthomics_handler.event import Request, RequestType
from cdk_healthomics_handler.run import Run

_ANOTHER_REQUEST: Final = timedelta(seconds=20)
"""A status set so long after this Create was sent is that of another Create."""


@dataclass(frozen=True)
class Observed:
    """What DescribeStackResource tells."""

    status: str
    """``DELETE_COMPLETE`` where the stack no longer has the resource."""
    since: datetime | None
    """When the resource took this status; None: it has none."""
    physical_id: str
    """The run that CloudFormation names as the resource's, or an id that stands for none."""

    def names(self, run: Run | None) -> bool:
        """Whether the run is the resource's."""
        return run is not None and self.physical_id == str(run.physical_id)

    def deletes(self, run: Run) -> bool:
        """Whether the resource goes away with this run."""
        return self.names(run) and self.status.startswith(RequestType.DELETE.upper())

    def overtakes(self, request: Request, run: Run | None) -> bool:
        """Whether CloudFormation no longer waits for the answer to a Create or Update.

        Args:
            request: that is being worked on.
            run: that was started for it; None: none was.
        """
        if self.names(run):
            return False
        if not self._under_way(request):
            return True
        if request.type is RequestType.UPDATE:
            return bool(self.physical_id) and self.physical_id != request.physical_id
        sent_at, since = request.sent_at, self.since
        return sent_at is not None and since is not None and since > sent_at + _ANOTHER_REQUEST

    def believed(self, request: Request, run: Run | None, earlier: "Observed | None") -> bool:
        """Whether this look can be gone by.

        Args:
            request: that is being worked on.
            run: that was started for it; None: none was.
            earlier: what the look before this one told, old enough that both cannot be late.
        """
        if self.names(run):
            return True
        if self._contradicted_by(request):
            return False
        if request.type is RequestType.DELETE or self.overtakes(request, run):
            return earlier is not None and (self.status, self.physical_id) == (earlier.status, earlier.physical_id)
        return True

    def _contradicted_by(self, request: Request) -> bool:
        """Whether this was true before the request was sent, so that it says nothing about it."""
        if request.type is RequestType.DELETE or request.sent_at is None or self._under_way(request):
            return False
        return self.since is not None and self.since < request.sent_at

    def _under_way(self, request: Request) -> bool:
        return self.status == f"{request.type.upper()}_IN_PROGRESS"


UNTOLD: Final = Observed("", None, "")
"""Stands for an answer where CloudFormation cannot be asked: it names no run."""
