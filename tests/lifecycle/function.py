"""The real handler in a process of its own, as Lambda keeps one: warm, one event at a time, killable.

Reads one JSON line an event from standard input (``{"event": …, "remaining": seconds}``) and writes one JSON line when
it is done. Only durations differ from what runs in Lambda.
"""

import json
import logging
import sys
import time
import traceback
from typing import Any

import urllib3
from botocore.config import Config

from cdk_healthomics_handler import answer, clients, handler
from cdk_healthomics_handler.pace import Pace
from tests.lifecycle.processes import END_OF_LOG


class Context:
    """The part of Lambda's context that the handler reads."""

    function_name = "provider"
    aws_request_id = "lambda-request"

    def __init__(self, remaining: float) -> None:
        self._end = time.monotonic() + remaining

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop this process."""
        return int((self._end - time.monotonic()) * 1000)


def shorten(pace: dict[str, float]) -> None:
    """Make the handler's durations those of a test."""
    vars(handler)["PACE"] = Pace(**pace)
    vars(clients)["CONFIG"] = clients.CONFIG.merge(Config(connect_timeout=1, read_timeout=1))
    vars(answer)["LAST_CALL"] = 0.3
    vars(answer)["TIMEOUT"] = urllib3.Timeout(connect=0.5, read=0.5)
    vars(answer)["RETRIES"] = answer.RETRIES.new(backoff_factor=0.02, backoff_max=0.1, backoff_jitter=0.01)


def work_on(order: dict[str, Any]) -> dict[str, Any]:
    """Give the handler one event, as Lambda would."""
    try:
        handler.handler(order["event"], Context(order["remaining"]))
    except Exception as error:  # noqa: BLE001 - Lambda would count any error as a crash
        return {"error": "".join(traceback.format_exception_only(error)).strip()}
    return {"error": None}


def main() -> None:
    """Work on events until standard input ends."""
    logging.basicConfig()  # Lambda's runtime gives the root logger a handler, too
    shorten(json.loads(sys.argv[1]))
    for line in sys.stdin:
        done = work_on(json.loads(line))
        print(END_OF_LOG, file=sys.stderr, flush=True)  # noqa: T201 - the protocol with the test
        print(json.dumps(done), flush=True)  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
