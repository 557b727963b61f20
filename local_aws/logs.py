"""HealthOmics' logs: what runs leave in CloudWatch Logs, in ministack's.

They are written when somebody looks at them: a batch has 100,000 runs, and hardly anybody ever looks.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final

from .healthomics import HealthOmics, manifest
from .healthomics.runs import FINAL
from .healthomics.tasks import LOG_GROUP

_LOGS: Final = "ministack.services.cloudwatch_logs"
_OF_ONE_RUN: Final = re.compile(rb"\brun/(\d+)")
Handler = Callable[..., Awaitable[Any]]


def install(service: HealthOmics) -> None:
    """Let ministack's CloudWatch Logs show what the service's runs have left there."""
    handlers: dict[str, Handler] = import_module("ministack.app").SERVICE_HANDLERS
    answer, writer = handlers["logs"], Writer(service)

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        groups = headers.get("x-amz-target", "").endswith(".DescribeLogGroups")
        if groups or LOG_GROUP.encode() in body:
            asked = _OF_ONE_RUN.search(body)
            writer.write(asked and asked[1].decode())
        return await answer(method, path, headers, body, query)

    handlers["logs"] = handle


class Writer:
    """Writes what is new.

    Args:
        service: whose runs they are.
    """

    def __init__(self, service: HealthOmics) -> None:
        self._service = service
        self._written: Counter[str] = Counter()
        """By stream, how many of its events are written."""
        self._over: set[str] = set()
        """The runs, by uuid, of which nothing new will come."""

    def write(self, run_id: str | None) -> None:
        """Write what a run has left until now; None: every run."""
        now = self._service.clock.now()  # before the runs move: what they do until then is whole
        for run in self._service.runs():
            if run.uuid not in self._over and run_id in {None, run.id}:
                for stream, lines in manifest.streams(run, now).items():
                    self._append(stream, lines[self._written[stream] :])
                    self._written[stream] = len(lines)
                if run.status in FINAL and run.since <= now:
                    self._over.add(run.uuid)

    def _append(self, stream: str, lines: list[manifest.Line]) -> None:
        if not lines:
            return
        logs: Any = import_module(_LOGS)
        named = {"logGroupName": LOG_GROUP, "logStreamName": stream}
        events = [{"timestamp": round(line.at * 1000), "message": line.message} for line in lines]
        logs._create_log_group(named)  # noqa: SLF001 - mends.check_names holds it
        logs._create_log_stream(named)  # noqa: SLF001 - likewise
        logs._put_log_events({**named, "logEvents": events})  # noqa: SLF001 - likewise
        kept = logs._log_groups[LOG_GROUP]["streams"][stream]  # noqa: SLF001 - likewise
        kept["creationTime"] = kept["firstEventTimestamp"]  # by the clock of the runs
