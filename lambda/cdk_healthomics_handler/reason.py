"""What a person is told of a run that ended otherwise than was waited for, and of time that is over. Pure.

CloudFormation takes 4,096 bytes of an answer. So each text that HealthOmics hands over is cut by itself: a long message
of the run, or of its first failed task, never takes the place of the others.
"""

import json
from collections.abc import Collection
from typing import Any, Final

from cdk_healthomics_handler.actions import Action, CancelRuns, Search, Wait
from cdk_healthomics_handler.event import Request, RequestType
from cdk_healthomics_handler.names import LOG_GROUP
from cdk_healthomics_handler.run import FailedRun, FailedTask, Run
from cdk_healthomics_handler.seen import Seen

_CUT: Final = "..."
_MESSAGE: Final = 600
"""Bytes in JSON of the run's own message."""
_TASK_MESSAGE: Final = 400
_RUN_MESSAGE: Final = 250
"""Of a batch's run, and of its failed task."""
_NAME: Final = 128
"""Bytes of a task's name or log stream."""
_REASON: Final = 64
"""Bytes of a failure reason."""
_AGAIN: Final = "Delete the stack again."


def of_end(run: Run, tasks: Collection[FailedTask | FailedRun]) -> str:
    """How a run ended: status, reason, message, its failed tasks, where its logs are, and the console's page.

    Args:
        run: at its end.
        tasks: those of its failed tasks, or of a batch its failed runs, that are to be told.
    """
    told = [run.status, *_words(run.failure_reason, run.status_message, _MESSAGE)]
    sentences = [
        f"{run.label} is {': '.join(told)}.",
        _counts(run) if run.kind.holds_runs else "",
        *(_of_run(each) if isinstance(each, FailedRun) else _of_task(each, _TASK_MESSAGE) for each in tasks),
        _rest(run, len(tasks)) if run.kind.holds_runs else _logs(run),
        run.console_url,
    ]
    return " ".join(filter(None, sentences))


def of_giving_up(action: Action, request: Request, seen: Seen, *, spent: float, refused: int, last_words: str) -> str:
    """Why a request is given up when its time is over.

    Args:
        action: that there is no time for.
        request: that is given up.
        seen: so far.
        spent: seconds that it was worked on.
        refused: how many calls were refused since one was done.
        last_words: of the service's refusal.
    """
    told = f"{spent:.0f} s"
    if isinstance(action, Wait) and action.run.status in action.run.kind.uncancellable:
        return f"{action.run.label} cannot be cancelled: it was still {action.run.status} after {told}. {_AGAIN}"
    if isinstance(action, CancelRuns):
        return f"{action.run.label} is {action.run.status}, but not all of its runs after {told}. {_AGAIN}"
    stopping = {action.run.id} if isinstance(action, Wait) and action.run.stopped else set()
    if isinstance(action, (Wait, Search)) and (stopping := stopping | seen.cancelled):
        kind, runs = request.kind, ", ".join(sorted(stopping))
        return f"{kind.cancel} was accepted, but {kind.noun} {runs} was still stopping after {told}. {_AGAIN}"
    run = seen.started or seen.current or seen.adopted
    if seen.waited and isinstance(run, Run) and request.type is not RequestType.DELETE:
        return (
            f"{run.label} is still {run.status}, not {request.wait_for}, at the end of the {request.timeout} s that "
            f"CloudFormation waits. {run.console_url}"
        )
    if refused:
        return f"{last_words} (tried for {told}, {refused} times refused)"
    return f"The time for this request was over after {told}, before {type(action).__name__} could be carried out."


def _logs(run: Run) -> str:
    return f"Its logs are in log group {LOG_GROUP}, streams run/{run.id} and run/{run.id}/engine."


def _counts(batch: Run) -> str:
    of = "" if batch.total is None else f" of its {batch.total} runs"
    return f"{batch.failed}{of} failed, were cancelled or could not be submitted." if batch.failed else ""


def _rest(batch: Run, told: int) -> str:
    rest = batch.failed - told
    return f"And {rest} more." if told and rest > 0 else ""


def _of_run(run: FailedRun) -> str:
    """A batch's run: by the id of its setting, which the user gave."""
    status = f"(run {run.id}) is {run.status}" if run.id else "could not be submitted"
    words = _words(run.failure_reason, run.status_message, _RUN_MESSAGE)
    sentence = ": ".join([f"{cut(run.setting_id, _NAME)} {status}", *words])
    return f"{sentence}. {_of_task(run.task, _RUN_MESSAGE)}" if run.task else f"{sentence}."


def _of_task(task: FailedTask, room: int) -> str:
    words = _words(task.failure_reason, task.status_message, room)
    told = ": ".join([f"Task {cut(task.name, _NAME)} failed", *words])
    return f"{told} (log stream {cut(task.log_stream, _NAME)})." if task.log_stream else f"{told}."


def _words(reason: str, message: str, room: int) -> list[str]:
    """The failure reason and the message, as far as there are such; a sentence goes on after them."""
    return [cut(text.rstrip("."), size) for text, size in ((reason, _REASON), (message, room)) if text]


def cut(text: str, room: int) -> str:
    """As much of a text's beginning as fits into so many bytes of a JSON string; dots stand for the rest."""
    if _size(text) <= room:
        return text
    kept, used = [], len(_CUT)
    for character in text:
        used += _size(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + _CUT


def as_json(value: Any) -> bytes:
    """JSON in UTF-8: an escape takes up to three times as many of the bytes that an answer may have."""
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")


def _size(text: str) -> int:
    return len(as_json(text)) - len('""')
