"""One virtual clock for many threads: one runs at a time, and time passes only while all of them sleep.

So hundreds of invocations overlap as they do in an account, in an order that a seed decides and another run repeats.
"""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any


class Killed(BaseException):
    """The process ends here."""


class Task:
    """A thread that runs while the timeline lets it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.error: BaseException | None = None
        self.ended = False
        self.killed = False

    def go_on(self) -> None:
        """Run until the task sleeps or ends."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        self._back.acquire()
        if self.error:
            raise self.error

    def rest(self) -> None:
        """Let others run; called in the task's own thread."""
        self._back.release()
        self._go.acquire()
        if self.killed:
            raise Killed

    def _run(self) -> None:
        try:
            self._work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the test waits
            self.error = error
        self.ended = True
        self._back.release()


@dataclass
class Timeline:
    """The clock, and what is to happen when."""

    now: float = 1_800_000_000.0
    _queue: list[tuple[float, int, Task | Callable[[], object]]] = field(default_factory=list)
    _order: Any = field(default_factory=count)
    _running: Task | None = None
    _tasks: list[Task] = field(default_factory=list)

    def begin(self, work: Callable[[], object], after: float = 0.0) -> Task:
        """Let a thread begin some seconds from now."""
        task = Task(work)
        self._tasks.append(task)
        heapq.heappush(self._queue, (self.now + after, next(self._order), task))
        return task

    def call(self, work: Callable[[], object], after: float) -> None:
        """Let something happen some seconds from now that takes no time."""
        heapq.heappush(self._queue, (self.now + after, next(self._order), work))

    @property
    def running(self) -> Task | None:
        """The task that runs now."""
        return self._running

    def sleep(self, seconds: float) -> None:
        """Let time pass; called in a task."""
        assert self._running, "only a task can sleep"
        task = self._running
        heapq.heappush(self._queue, (self.now + max(0.0, seconds), next(self._order), task))
        task.rest()

    def until(self, condition: Callable[[], object], limit: float = float("inf"), longest: float = 10.0) -> bool:
        """Sleep until something holds; False where the limit in seconds is over before.

        Args:
            condition: is looked at ever less often.
            limit: seconds.
            longest: seconds between two looks, at most.
        """
        end, pause = self.now + limit, 0.1
        while not condition():
            if self.now >= end:
                return False
            self.sleep(min(pause, end - self.now))
            pause = min(pause * 1.3, longest)
        return True

    def run(self, task: Task | None = None) -> None:
        """Let time pass until a task has ended, or all of them have."""
        while self._queue and not (task and task.ended):
            when, _, due = heapq.heappop(self._queue)
            self.now = max(self.now, when)
            if not isinstance(due, Task):
                due()
                continue
            self._running = due
            try:
                due.go_on()
            finally:
                self._running = None

    def close(self) -> None:
        """End every thread."""
        for task in self._tasks:
            task.killed = True
            if not task.ended and task in [each for _, _, each in self._queue]:
                task.go_on()
        self._queue.clear()
