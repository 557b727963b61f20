"""Whether a refused call shows that something is missing: a way to an endpoint, or the permission to ask there.

What is missing is said within a minute (docs/networks.md). What may only be late is tried until the time is over.
"""

from dataclasses import dataclass, field
from typing import Final

from cdk_healthomics_handler.actions import Action, AskCloudFormation, Release, Schedule, Tag, Unschedule
from cdk_healthomics_handler.refusal import Refusal

_CLOUDFORMATION: Final = "cloudformation"
_EVENTS: Final = "events"
_TAGS: Final = "tags-omics"
_RUNS: Final = "workflows-omics"
_HOSTS: Final[dict[type[Action], str]] = {
    AskCloudFormation: _CLOUDFORMATION,
    Schedule: _EVENTS,
    Unschedule: _EVENTS,
    Tag: _TAGS,
    Release: _TAGS,
}


@dataclass
class Reach:
    """What one invocation has heard from which host."""

    patience: float
    """Seconds for which a way or permission that is missing may still come."""
    _heard: set[str] = field(default_factory=set)
    _missed_since: dict[str, float] = field(default_factory=dict)
    """By host, when the first of the tries began of which none was done since."""

    def did(self, action: Action) -> None:
        """An action was done."""
        self.heard(action)
        self._missed_since.pop(_host(action), None)

    def heard(self, action: Action) -> None:
        """An action was answered, be it with a refusal."""
        self._heard.add(_host(action))

    def is_missing(self, action: Action, refusal: Refusal, *, began: float, now: float) -> bool:
        """Whether a refused action is given up.

        Args:
            action: what was refused.
            refusal: how.
            began: when this try began, in seconds.
            now: likewise.
        """
        host = _host(action)
        match refusal:
            case Refusal.UNREACHABLE:
                may_be = True
            case Refusal.SILENT:
                may_be = host not in self._heard  # else the service is slow, which passes
            case Refusal.NOT_YET:
                # Roles of runs may be new; these permissions are as old as the function, and much works without them.
                may_be = host in {_CLOUDFORMATION, _EVENTS}
            case _:
                may_be = False
        return may_be and now - self._missed_since.setdefault(host, began) > self.patience


def _host(action: Action) -> str:
    return _HOSTS.get(type(action), _RUNS)
