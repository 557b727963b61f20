"""One structured line for each decision: what was asked, seen and done, and why.

crhelper's formatter adds the request type, stack, logical id and request id. A line never holds parameters, engine
settings, session policy, tag values or the ResponseURL, nor a service's message, which may quote any of them.
"""

import logging
import traceback
from typing import Any, Final

from cdk_healthomics_handler.actions import Action, Answer
from cdk_healthomics_handler.refusal import Error, Refusal, code
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Gone, Seen

_LOG: Final = logging.getLogger("cdk_healthomics")


def decided(action: Action, seen: Seen) -> None:
    """Log a decision."""
    line: dict[str, Any] = {"decision": type(action).__name__}
    if isinstance(action, Answer):
        line |= {"succeeded": action.succeeded, "physicalResourceId": action.physical_id}
    if not isinstance(action, Answer) or action.succeeded:
        line["why"] = action.why
    run = getattr(action, "run", None)
    if isinstance(run, Run):
        line["run"] = run.id
    _LOG.info(line | {"seen": _seen(seen)})


def refused(action: Action, error: Error, refusal: Refusal) -> None:
    """Log that a call was refused."""
    line = {"decision": type(action).__name__, "refused": refusal.name, "code": code(error)}
    _LOG.warning(line | {"operation": getattr(error, "operation_name", None)})


def answered(status: str, undelivered: str) -> None:
    """Log what CloudFormation was told, and whether it took it."""
    _LOG.log(logging.ERROR if undelivered else logging.INFO, {"answered": status, "undelivered": undelivered or None})


def refused_event(host: str) -> None:
    """Log that an event was not worked on: its answer would go to this host, which is not CloudFormation's."""
    _LOG.error({"eventRefused": "its ResponseURL is not CloudFormation's", "host": host})


def left_behind(error: Error) -> None:
    """Log that the rule of a run that is waited for no longer could not be removed."""
    _LOG.warning({"ruleNotRemoved": code(error), "operation": getattr(error, "operation_name", None)})


def broken(error: BaseException) -> None:
    """Log an error that nobody expected: where it was raised, without its message."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    _LOG.error({"unexpected": type(error).__name__, "at": places})


def _seen(seen: Seen) -> dict[str, Any]:
    shown = {
        "current": _brief(seen.current),
        "original": _brief(seen.original),
        "found": None if seen.found is None else [_brief(run) for run in seen.found],
        "started": _brief(seen.started),
        "cloudFormation": seen.observed and f"{seen.observed.status} {seen.observed.physical_id}",
        "closing": seen.closing and seen.waited,
        "cancelled": sorted(seen.cancelled),
        "late": seen.late,
        "uncertain": seen.uncertain,
        "answered": seen.answered,
    }
    return {name: value for name, value in shown.items() if value}


def _brief(run: Run | Gone | None) -> str | None:
    return f"{run.id} {run.status}" if isinstance(run, Run) else run and run.name
