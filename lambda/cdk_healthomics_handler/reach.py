"""Whether a refused call shows that something is missing: a way to an endpoint, or the permission to ask there.

What is missing is said within a minute (docs/networks.md). What may only be late is tried until the time is over.
"""

from dataclasses import dataclass, field
from typing import Final

from cdk_healthomics_handler.actions import Action, AskCloudFormation, Release, Schedule, Tag, Unschedule
from cdk_healthomics_handler.refusal import Refusal

_HOSTS: Final[dict[type[Action], str]] = {
    AskCloudFormation: "cloudformation",
    Schedule: "events",
    Unschedule: "events",
    Tag: "tags-omics",
    Release: "tags-omics",
}
_OTHERS: Final = "workflows-omics"


@dataclass
class Reach:
    """What one invocation has heard from which host."""

    patience: float
    """Seconds for which a way or permission that is missing may still come."""
    _heard: set[str] = field(default_factory=set)

    def heard(self, action: Action) -> None:
        """An action was answered, be it with a refusal."""
        self._heard.add(_host(action))

    def is_missing(self, action: Action, refusal: Refusal, trying_for: float) -> bool:
        """Whether a refused action is given up.

        Args:
            action: what was refused.
            refusal: how.
            trying_for: seconds since its first try began.
        """
        if trying_for <= self.patience:
            return False
        if refusal is Refusal.SILENT:
            return _host(action) not in self._heard  # else the service is slow, which passes
        if refusal is Refusal.NOT_YET:
            # The roles of runs may be new; this permission is as old as the function, and the rest works without.
            return _host(action) in {"cloudformation", "events"}
        return refusal is Refusal.UNREACHABLE


def _host(action: Action) -> str:
    return _HOSTS.get(type(action), _OTHERS)
