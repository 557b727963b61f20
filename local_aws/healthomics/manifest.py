"""What a run leaves in CloudWatch Logs: the streams of the run, its engine and its tasks, and the manifest at its end.

The names of streams are HealthOmics' own, and so is what a manifest holds, as far as AWS's tools read it; AWS documents
only the metrics. What the other streams say is this service's: no workflow is computed, so no engine says anything.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from . import model
from .runs import FINAL, StoredRun
from .tasks import INSTANCES, Task

_ENDED: Final = FINAL - {"DELETED"}
_BEFORE: Final = frozenset({"PENDING", "STARTING"})
"""The statuses of a run before its engine is at work."""
_OF_RUNS: Final = {"workflowId": "workflow", "runId": "run", "runGroupId": "runGroup", "cacheId": "runCache"}
"""By the member of StartRun, the kind of what it names: a manifest tells its ARN under that name."""


class Line(NamedTuple):
    """One event of a stream."""

    at: float
    """Seconds since the epoch."""
    message: str


def streams(run: StoredRun, now: float) -> dict[str, list[Line]]:
    """By stream, what a run has left there until now: of each, what was there before comes first."""
    if run.request.get("logLevel") == "OFF":
        return {}
    history = [(at, status) for at, status in _statuses(run) if at <= now and status != "DELETED"]
    lives = [(task, task.life(history, now)) for task in run.tasks]
    name = f"run/{run.id}"
    said = [Line(at, f"Run {run.id} is {status}") for at, status in history]
    written: dict[str, list[Line]] = {
        name: said,
        f"{name}/engine": [line for line, (_, status) in zip(said, history, strict=True) if status not in _BEFORE],
    }
    for task, life in lives:
        lines = [Line(at, f"Task {task.id} ({task.order.name}) is {status}") for at, status in life]
        said.extend(lines)
        if lines:
            written[f"{name}/task/{task.id}"] = [*lines, *_failure(life, task.order.fails)]
    said.sort(key=lambda line: line.at)
    ended = next((at for at, status in history if status in _ENDED), None)
    if ended is not None:
        written[f"{name}/engine"] += _failure(history, run.fails)
        written[f"manifest/{name}/{run.uuid}"] = [Line(ended, json.dumps(each)) for each in _manifest(run, ended)]
    return {stream: lines for stream, lines in written.items() if lines}


def _statuses(run: StoredRun) -> Iterator[tuple[float, str]]:
    """When a run took which status; its history has changes of tags, too."""
    before = None
    for at, status, _ in run.history:
        if status != before:
            yield at, status
        before = status


def _failure(life: list[tuple[float, str]], fails: tuple[str, str] | None) -> Iterator[Line]:
    """What is said at the end of what has failed."""
    at, status = life[-1]
    if status == "FAILED" and fails:
        yield Line(at, f"{fails[0]}: {fails[1]}")


def _manifest(run: StoredRun, ended: float) -> Iterator[dict[str, Any]]:
    """The run, and each of its tasks."""
    told = (run.at(ended) or run).described()
    shown = model.of_shape("GetRunResponse", told)
    kept = {name: value for name, value in shown.items() if name not in _OF_RUNS}
    named = {kind: _arn(run, kind, shown[name]) for name, kind in _OF_RUNS.items() if name in shown}
    renamed = {"runCacheBehavior": shown["cacheBehavior"]} if "cacheBehavior" in shown else {}
    yield _as_json({**kept, **named, **renamed, "metrics": _seconds(told)})
    history = [(at, status) for at, status, _ in run.history]
    for task in run.tasks:
        of_task = task.described(run.arn, history, ended)
        if of_task:
            yield _as_json({**_task(task, of_task), "arn": _arn(run, "task", task.id), "run": run.arn})


def _arn(run: StoredRun, kind: str, name: str) -> str:
    parts = run.arn.split(":")
    if kind == "workflow" and run.request.get("workflowType") == "READY2RUN":
        parts[4] = ""  # those are AWS's own
    return f"{':'.join(parts[:-1])}:{kind}/{name}"


def _task(task: Task, shown: Mapping[str, Any]) -> dict[str, Any]:
    """A task; of a cached one, which never ran, neither its times nor what it used."""
    if task.order.cached:
        return {name: shown[name] for name in ("name", "uuid", "status", "cacheHit")}
    told = {name: value for name, value in shown.items() if name not in {"taskId", "logStream"}}
    cpus, memory = INSTANCES[task.order.instance]
    used, used_memory = (task.order.cpus_used, task.order.memory_used) if told["startTime"] else (0.0, 0.0)
    metrics = {
        "cpusReserved": cpus,
        "cpusAverage": used,
        "cpusMaximum": used,
        "gpusReserved": 0,
        "memoryReservedGiB": memory,
        "memoryAverageGiB": used_memory,
        "memoryMaximumGiB": used_memory,
    }
    return {**told, "gpus": 0, "metrics": {**metrics, **_seconds(shown)}}


def _seconds(told: Mapping[str, Any]) -> dict[str, float]:
    start, stop = told["startTime"], told["stopTime"]
    return {"runningSeconds": (stop - start).total_seconds() if start and stop else 0.0}


def _as_json(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: model.written(value) for name, value in known.items() if value is not None}
