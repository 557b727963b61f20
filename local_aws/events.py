"""HealthOmics' events: each change of a run's or a batch's status, on the default bus of ministack's EventBridge."""

import json
import logging
import queue
import threading
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from .healthomics import HealthOmics
from .healthomics.batch import StoredBatch
from .healthomics.resources import Resource
from .healthomics.runs import StoredRun

SOURCE: Final = "aws.omics"
OF_RUNS: Final = "Run Status Change"
OF_BATCHES: Final = "RunBatch Status Change"
_TICK: Final = 0.1


def entry(changed: Resource, lacks: Collection[str] = ()) -> dict[str, Any]:
    """The event of a status as it is now, without the fields that it lacks, as PutEvents takes it."""
    detail = {"arn": changed.arn, "status": changed.status, "uuid": changed.uuid, **_detail(changed)}
    known = {name: value for name, value in detail.items() if value is not None and name not in lacks}
    return {
        "Source": SOURCE,
        "DetailType": _detail_type(changed),
        "Detail": json.dumps(known),
        "Resources": [changed.arn],
    }


def _detail_type(changed: Resource) -> str:
    return OF_BATCHES if isinstance(changed, StoredBatch) else OF_RUNS


def _detail(changed: Resource) -> Mapping[str, Any]:
    if isinstance(changed, StoredBatch):
        return _of_batch(changed)
    return _of_run(changed) if isinstance(changed, StoredRun) else {}


def _of_run(run: StoredRun) -> dict[str, Any]:
    workflow = run.request.get("workflowId")
    return {
        "runId": run.id,
        "runName": run.request.get("name"),
        "runOutputUri": run.output_uri,
        "workflowId": workflow,
        "workflowName": workflow and f"workflow-{workflow}",  # this service knows workflows by id only
    }


def _of_batch(batch: StoredBatch) -> dict[str, Any]:
    """What the User Guide lists; all numbers are texts there."""
    shared, account = batch.default, batch.arn.rpartition(":")[0]
    workflow = f"{account}:workflow/{shared['workflowId']}"
    version, cache = shared.get("workflowVersionName"), shared.get("cacheId")
    numbers = {} if batch.submissions is None else {"totalRuns": len(batch.submissions)}
    numbers |= batch.counts("SubmissionSummary") | batch.counts("RunSummary")
    return {
        "omicsVersion": "1.0.0",
        "batchId": batch.id,
        "batchName": batch.request.get("batchName"),
        "failureReason": batch.failure and batch.failure[0],
        "failureMessage": batch.failure and batch.failure[1],
        "workflowId": shared["workflowId"],
        "workflowArn": workflow,
        "workflowVersionArn": version and f"{workflow}/version/{version}",
        "workflowOwnerId": shared.get("workflowOwnerId"),
        "runCache": cache and f"{account}:runCache/{cache}",
        "runCacheBehavior": shared.get("cacheBehavior"),
        **{name: str(number) for name, number in numbers.items()},
    }


def publish(
    service: HealthOmics, put: Callable[[dict[str, Any]], object], is_heard: Callable[[str], bool] = lambda _: True
) -> None:
    """Publish every change of a status from now on, in a thread: runs move though nobody looks at them.

    Args:
        service: whose runs and batches they are.
        put: takes entries, as PutEvents does.
        is_heard: whether anybody may hear events of a detail type: a batch's runs have hundreds of thousands.
    """
    changes: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def tell(changed: Resource) -> None:
        if is_heard(_detail_type(changed)):
            changes.put(entry(changed, service.settings.event_lacks))  # what is told now: the run moves on

    service.on_status = tell

    def forward() -> None:
        while True:
            service.tick()
            try:
                put({"Entries": [changes.get(timeout=_TICK)]})
            except queue.Empty:
                continue
            except Exception:
                logging.getLogger("omics").exception("An event was lost")

    threading.Thread(target=forward, name="omics-events", daemon=True).start()


def on_the_default_bus(entries: dict[str, Any]) -> None:
    """Put entries as a service of AWS's own does, whose sources PutEvents refuses to others."""
    _bus()._put_events(entries, allow_aws_source=True)  # noqa: SLF001 - mends.check_names holds it


def is_heard(detail_type: str) -> bool:
    """Whether a rule may match events of a detail type; which ones, EventBridge finds out."""
    rules = list(_bus()._rules.values())  # noqa: SLF001 - likewise
    return any(_may_match(rule["EventPattern"], detail_type) for rule in rules if rule.get("EventPattern"))


@lru_cache
def _may_match(pattern: str, detail_type: str) -> bool:
    wanted = json.loads(pattern).get("detail-type")
    return wanted is None or detail_type in wanted or any(not isinstance(each, str) for each in wanted)


def _bus() -> Any:
    return import_module("ministack.services.eventbridge")
