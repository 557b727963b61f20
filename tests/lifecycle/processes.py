"""Processes of the function, as Lambda keeps them: a warm one is used again, a killed one is replaced."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from local_aws.healthomics import Fault, HealthOmics, Kind

END_OF_LOG: Final = "-- end of invocation --"
"""What the function's process writes after the log of each invocation."""
ROOT: Final = Path(__file__).parents[2]
PACE: Final = {
    "lag": 0.1,
    "grace": 2.0,
    "poll": 0.05,
    "quickest": 0.05,
    "slowest": 0.2,
    "crowd": 0.2,
    "slot": 0.02,
    "trust": 0.3,
    "reachable": 5.0,
    "next_look": 2.5,
    "hand_over": 0.3,
    "look": 2.0,
    "reserve": 0.5,
    "last": 0.05,
}


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended."""

    error: str | None
    """The function's error; "killed" where its process ended under it; None where it returned."""
    log: str
    """What it wrote to its log in this invocation."""


class Process:
    """One warm process of the function."""

    def __init__(self, environment: Mapping[str, str], pace: Mapping[str, float]) -> None:
        paths = os.pathsep.join(str(ROOT / root) for root in ("lambda", ""))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lifecycle.function", json.dumps(pace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **environment},
        )
        self._log: list[str] = []
        self._log_ended = threading.Semaphore(0)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def invoke(self, event: Mapping[str, Any], remaining: float) -> Outcome:
        """Give the process one event and wait for its end."""
        before = len(self._log)
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"event": event, "remaining": remaining}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        error = json.loads(line)["error"] if line else "killed"
        if line:
            self._log_ended.acquire()
        else:
            self._process.wait()
            self._reader.join()
        return Outcome(error, "".join(self._log[before:]))

    @property
    def alive(self) -> bool:
        """Whether the process can take another event."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self._process.kill()

    def close(self) -> None:
        """End the process and free its pipes."""
        self.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in iter(self._process.stderr.readline, ""):
            if line.strip() == END_OF_LOG:
                self._log_ended.release()
            else:
                self._log.append(line)


class Function:
    """A pool of warm processes, at most one event in each at a time.

    Args:
        environment: all of its environment variables, beside those that Python needs.
        pace: the durations that are the test's own; the others are those of all tests.
    """

    def __init__(self, environment: Mapping[str, str], **pace: float) -> None:
        self._environment = environment
        self._pace = PACE | pace
        self._idle: list[Process] = []
        self._busy: list[Process] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in [*self._idle, *self._busy]:
            process.close()

    def invoke(self, event: Mapping[str, Any], *, remaining: float = 60.0) -> Outcome:
        """Invoke the function once and wait for its end."""
        with self._lock:
            process = self._idle.pop() if self._idle else Process(self._environment, self._pace)
            self._busy.append(process)
        try:
            return process.invoke(event, remaining)
        finally:
            with self._lock:
                self._busy.remove(process)
                if process.alive:
                    self._idle.append(process)
                else:
                    process.close()

    def kill(self) -> None:
        """Kill every process that works on an event now."""
        with self._lock:
            for process in self._busy:
                process.kill()


class KilledOnOrder:
    """A function that is killed where that was ordered, as the state machine invokes it."""

    def __init__(self, service: HealthOmics, environment: Mapping[str, str]) -> None:
        self._service = service
        self._function = Function(environment)
        self._operation: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._function.__exit__(kind, error, traceback)

    def kill_after(self, operation: str) -> None:
        """Kill the next invocation when this operation has been done, before its answer is seen."""
        self._operation = operation

    def invoke(self, event: Mapping[str, Any]) -> bool:
        """Invoke the function once; whether it returned."""
        operation, self._operation = self._operation, None
        if operation is None:
            return self._function.invoke(event).error is None
        before = len(self._service.journal)
        self._service.faults.order(Fault(operation, Kind.HANG_AFTER, hang=0.3))
        done = threading.Event()

        def kill() -> None:
            while not done.wait(0.01):
                if any(call.operation == operation for call in self._service.journal[before:]):
                    self._function.kill()
                    return

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            return self._function.invoke(event).error is None
        finally:
            done.set()
            killer.join()
