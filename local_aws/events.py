"""HealthOmics' events: each change of a run's status, on the default bus of ministack's EventBridge."""

import json
import logging
import queue
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from local_aws.healthomics import HealthOmics
from local_aws.healthomics.resources import Resource
from local_aws.healthomics.runs import StoredRun

SOURCE: Final = "aws.omics"
DETAIL_TYPE: Final = "Run Status Change"
_TICK: Final = 0.1


def entry(run: StoredRun) -> dict[str, Any]:
    """The event of a run's status as it is now, as PutEvents takes it."""
    workflow = run.request.get("workflowId")
    detail = {
        "arn": run.arn,
        "status": run.status,
        "uuid": run.uuid,
        "runId": run.id,
        "runName": run.request.get("name"),
        "runOutputUri": run.output_uri,
        "workflowId": workflow,
        "workflowName": workflow and f"workflow-{workflow}",  # this service knows workflows by id only
    }
    known = {name: value for name, value in detail.items() if value is not None}
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(known), "Resources": [run.arn]}


def publish(service: HealthOmics, put: Callable[[dict[str, Any]], object]) -> None:
    """Publish every change of a status from now on, in a thread: runs move though nobody looks at them."""
    changes: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def tell(changed: Resource) -> None:
        if isinstance(changed, StoredRun):
            changes.put(entry(changed))  # what is told now: the run moves on

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
    bus: Any = import_module("ministack.services.eventbridge")
    bus._put_events(entries, allow_aws_source=True)  # noqa: SLF001 - mends.check_names holds it
