"""The steps that a decision can ask for: frozen, each with its reason. ``lifecycle`` carries them out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cdk_healthomics_handler.event import PhysicalId
from cdk_healthomics_handler.mark import LONG_AGO
from cdk_healthomics_handler.run import Run


@dataclass(frozen=True)
class Action:
    """One step, and why."""

    why: str


@dataclass(frozen=True)
class Read(Action):
    """GetRun of the physical id's run."""

    physical_id: PhysicalId


class ReadOriginal(Read):
    """GetRun of the run that the current one was started to replace."""


@dataclass(frozen=True)
class ReadAdopted(Read):
    """GetRun of the run that the properties name to be adopted; after a Tag, when every mark has become visible."""

    pause: bool = False
    """Wait before looking, until what an older request may have written unasked is visible as well."""


class ReadAgain(Read):
    """GetRun of the physical id's run, after a StartRun, when every mark that matters has become visible."""


@dataclass(frozen=True)
class Search(Action):
    """ListRuns by this resource's names, then GetRun of those that can matter: active ones."""

    of_request: bool = False
    """Whether a run that is no older than the request matters in any status: it may be this request's own."""
    after: datetime = LONG_AGO
    """Only a run that was started later matters."""
    pause: bool = False
    """Wait before looking again."""


@dataclass(frozen=True)
class AskCloudFormation(Action):
    """DescribeStackResource: which run is the resource's, and does CloudFormation still wait?"""

    run: Run | None = None
    """The request's own run, if it has one."""
    optional: bool = False
    """Whether the request can go on where CloudFormation cannot be asked."""


@dataclass(frozen=True)
class Start(Action):
    """StartRun."""

    request: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True)
class OfRun(Action):
    """A step with one run. Steps without further fields are no dataclasses of their own: to make one takes time."""

    run: Run


class Cancel(OfRun):
    """CancelRun."""


class CancelRuns(OfRun):
    """One call of ListRuns or CancelRun: CancelRunBatch has left some of the batch's runs."""


class Reclaim(OfRun):
    """Put our tags back on a run that somebody took them off: the function may cancel what carries its stack's id."""


class Wait(OfRun):
    """Give the run time, then look again."""


@dataclass(frozen=True)
class Tag(OfRun):
    """TagResource and UntagResource on a run."""

    add: Mapping[str, str] = field(repr=False)
    remove: tuple[str, ...] = ()


class ReadTasks(OfRun):
    """One call of ListRunTasks or GetRunTask: which tasks of a run have failed, and why?"""


class Release(OfRun):
    """Mark a run whose resource goes away or has another, so that no later Update goes back to it."""


class GiveBack(Release):
    """Mark likewise a run that was started elsewhere, and take our other tags off: it goes on without its resource."""


class Schedule(OfRun):
    """Let EventBridge invoke the function every minute, to look at the run again."""


class Unschedule(Action):
    """Remove from the resource's EventBridge rule what this request and older ones put there."""


class Silence(Action):
    """The end of an invocation that answers nothing: EventBridge goes on letting the function look again."""


@dataclass(frozen=True)
class Answer(Action):
    """The end: what CloudFormation is told."""

    succeeded: bool
    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Outcome = Answer | Silence
"""What ends an invocation."""
