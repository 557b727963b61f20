"""The tasks of a local run: what becomes of each follows from what was ordered and from the run's own history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

LOG_GROUP: Final = "/aws/omics/WorkflowLog"
_ENDS: Final = {"COMPLETED": "COMPLETED", "FAILED": "CANCELLED", "CANCELLED": "CANCELLED"}
"""By the status with which a run ends, that of a task which had not ended by itself."""

_FAMILIES: Final = {"c": 2, "m": 4, "r": 8}
"""GiB of memory for each CPU."""
_SIZES: Final = {"large": 2} | {f"{cpus // 4 if cpus > 4 else ''}xlarge": cpus for cpus in (4, 8, 16, 32, 48, 64, 96)}  # noqa: PLR2004 - the first has no number
INSTANCES: Final = {
    f"omics.{family}.{size}": (cpus, cpus * memory)
    for size, cpus in _SIZES.items()
    for family, memory in _FAMILIES.items()
}
"""CPUs and GiB of memory of each type without GPUs, the smallest first (User Guide, "Compute requirements")."""


@dataclass(frozen=True)
class Order:
    """A task of the next started run. All durations are seconds of the service's clock."""

    name: str
    after: float = 0.0
    """How long the run is RUNNING before the task is there."""
    starting: float = 5.0
    running: float = 60.0
    """How long the task is in each status."""
    fails: tuple[str, str] | None = None
    """The failure reason and status message with which it ends, by the end of a run that fails; None: it completes."""
    cached: bool = False
    """Whether the run cache has its outputs: then it completes at once."""
    cpus: int = 2
    memory: int = 4
    """What it asks for, memory in GiB."""
    cpus_used: float = 1.0
    memory_used: float = 2.0
    """How much of it it uses while it is RUNNING."""

    @property
    def instance(self) -> str:
        """The type of the smallest instance that has what it asks for, or of the largest one."""
        holding = (name for name, (cpus, memory) in INSTANCES.items() if cpus >= self.cpus and memory >= self.memory)
        return next(holding, list(INSTANCES)[-1])


def stream_arn(run_arn: str, of: str) -> str:
    """The ARN of a log stream of a run's: of the run itself, or its ``/engine`` or ``/task/…``."""
    _, partition, _, region, account, run = run_arn.split(":")
    return f"arn:{partition}:logs:{region}:{account}:log-group:{LOG_GROUP}:log-stream:{run}{of}"


@dataclass(frozen=True)
class Task:
    """A task as the service keeps it."""

    id: str
    uuid: str
    order: Order

    def described(self, run_arn: str, history: Iterable[tuple[float, str]], now: float) -> dict[str, Any] | None:
        """What GetRunTask shows; the model says which of it ListRunTasks shows too.

        Args:
            run_arn: of its run.
            history: when the run took which status.
            now: the moment of the look.

        Returns:
            None where the task is not there yet.
        """
        life = self.life(history, now)
        if not life:
            return None
        since = {status: datetime.fromtimestamp(at, UTC) for at, status in life}
        status = life[-1][1]
        reason, message = self.order.fails if self.order.fails and status == "FAILED" else (None, None)
        return {
            "taskId": self.id,
            "uuid": self.uuid,
            "name": self.order.name,
            "status": status,
            "cpus": self.order.cpus,
            "memory": self.order.memory,
            "instanceType": None if self.order.cached else self.order.instance,
            "cacheHit": self.order.cached,
            "creationTime": datetime.fromtimestamp(life[0][0], UTC),
            "startTime": since.get("RUNNING"),
            "stopTime": since.get("COMPLETED") or since.get("FAILED") or since.get("CANCELLED"),
            "failureReason": reason,
            "statusMessage": message,
            "logStream": stream_arn(run_arn, f"/task/{self.id}"),
        }

    def life(self, history: Iterable[tuple[float, str]], now: float) -> list[tuple[float, str]]:
        """When the task took which status; as :meth:`described`."""
        return [step for step in self._life([step for step in history if step[0] <= now]) if step[0] <= now]

    def _life(self, history: list[tuple[float, str]]) -> list[tuple[float, str]]:
        """When the task takes which status, as far as its run has come."""
        began = next((at for at, status in history if status == "RUNNING"), None)
        planned = [] if began is None else self._planned(began + self.order.after)
        ended = next(((at, status) for at, status in history if status in _ENDS), None)
        if ended is None:
            return planned
        at, status = ended
        life = [step for step in planned if step[0] <= at]
        by_itself = bool(life) and life[-1] == planned[-1]
        fails = self.order.fails and status == "FAILED"
        return life if by_itself or not (life or fails) else [*life, (at, "FAILED" if fails else _ENDS[status])]

    def _planned(self, created: float) -> list[tuple[float, str]]:
        if self.order.cached:
            return [(created, "COMPLETED")]
        started = created + self.order.starting
        end = "FAILED" if self.order.fails else "COMPLETED"
        return [(created, "STARTING"), (started, "RUNNING"), (started + self.order.running, end)]
