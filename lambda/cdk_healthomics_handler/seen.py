"""What an invocation has seen and done so far: what the decision goes by. Frozen, standard library only."""

from dataclasses import dataclass
from enum import Enum, auto

from cdk_healthomics_handler.mark import Mark
from cdk_healthomics_handler.run import FailedRun, FailedTask, Run
from cdk_healthomics_handler.standing import Observed


class Gone(Enum):
    """The run no longer exists, or its id now belongs to a run with another uuid."""

    GONE = auto()


@dataclass(frozen=True)
class Seen:
    """What this invocation has seen and done so far."""

    current: Run | Gone | None = None
    """The run of the event's physical id; None: not looked yet, or not since StartRun."""
    original: Run | Gone | None = None
    """The run that the current one was started to replace; None: not looked yet."""
    adopted: Run | Gone | None = None
    """The run that the properties name to be adopted; None: not looked."""
    rival: Mark | None = None
    """The mark of an older request that set out to replace the current run as well, or did."""
    found: tuple[Run, ...] | None = None
    """The resource's runs that the last search found; None: not searched (or to be searched again)."""
    thorough: bool = False
    """The last search began so late that it shows whatever an older request may have started unasked."""
    started: Run | None = None
    """The run that StartRun answered with."""
    observed: Observed | None = None
    """What CloudFormation says, twice where it must; None: not asked, or not since the last StartRun."""
    late: bool = False
    """The request was sent so long ago that CloudFormation may have given it up (or it cannot be told when)."""
    uncertain: bool = False
    """A StartRun with this request's token may have been accepted without our having seen its answer."""
    answered: bool = False
    """The answer has been sent already, FAILED: the function's time was over while a call was under way."""
    cancelled: frozenset[str] = frozenset()
    """The ids of the runs whose CancelRun was accepted."""
    released: frozenset[str] = frozenset()
    """The ids of the runs whose release was tried."""
    failure: str | None = None
    """Why nothing more can be tried."""
    waited: bool = False
    """A run was given time inside this invocation."""
    closing: bool = False
    """The request's time will be over before EventBridge could let the function look again."""
    leaving: bool = False
    """This invocation ends soon, and the request's time does not."""
    scheduled: bool = False
    """EventBridge will let the function look again."""
    tasks: tuple[FailedTask | FailedRun, ...] | None = None
    """The run's failed tasks, or the batch's failed runs, that the answer is to tell, as far as they could be read;
    None: not looked."""
    unscheduled: bool = False
    """No older rule or target of the resource's is left, or it was tried to remove them."""
