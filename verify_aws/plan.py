"""What would be done, in which order, and what it costs: what the dry run tells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from verify_aws import experiments, probes
from verify_aws.bench import Bench
from verify_aws.experiments import Answers


@dataclass(frozen=True)
class Experiment:
    """Some questions that are answered together."""

    how: Callable[[Bench], Answers]
    answers: Sequence[str]
    """The ids of the questions (questions.py)."""
    runs: int = 0
    """That are started for it, at most."""


# "end" cancels the run that "start" starts: it comes next, so that this run costs nothing.
EXPERIMENTS: Final[Mapping[str, Experiment]] = {
    "start": Experiment(experiments.start, ("lag-get", "lag-list", "lag-tags", "storage-default", "token-active"), 2),
    "end": Experiment(experiments.end, ("cancel-finished", "token-ended", "rerun-tags", "token-later"), 4),
    "priority": Experiment(experiments.priority, ("priority",), 3),
    "events": Experiment(experiments.events, ("event-fields",), 1),
    "condition": Experiment(experiments.condition, ("cancel-condition",), 2),
    "batches": Experiment(experiments.batches, ("trust-batch",), 2),
    "requests": Experiment(probes.requests, ("service-timeout", "signed", "describe-lag", "describe-quota")),
    "silence": Experiment(probes.silence, ("placeholder",)),
    "trust": Experiment(experiments.trust, ("role-refused", "trust-run"), 1),
}


def ask(bench: Bench, name: str) -> Answers:
    """What an experiment observes; for what it could not ask, the error instead, with all that it had left to ask."""
    missing = list(EXPERIMENTS[name].answers)
    try:
        for question, observed in EXPERIMENTS[name].how(bench):
            missing.remove(question)
            yield question, observed
    except (ClientError, BotoCoreError, RuntimeError, TimeoutError, LookupError) as error:
        for question in missing:
            yield question, {"error": str(error)}


PRICING: Final = "https://aws.amazon.com/healthomics/pricing/"
TASK_SECONDS: Final = 60
"""Each task is billed for so long at least."""
TASK_RATE: Final = 0.115
"""Dollars an hour of omics.c.large, the smallest instance (2 CPUs, 4 GiB), in us-east-1."""
STATIC_GIB: Final = 1200
"""The least static run storage, what a run without a storage type may get."""
STATIC_RATE: Final = 0.0001918
"""Dollars a GB and hour of it, from RUNNING to STOPPING."""
STORED_SECONDS: Final = 120
"""How long a run may have storage until it is cancelled, or has ended: an estimate."""


def runs_of(names: Sequence[str]) -> int:
    """How many runs are started at most, the stack's own included."""
    return 1 + sum(EXPERIMENTS[name].runs for name in names)


def dollars(names: Sequence[str]) -> float:
    """What it costs if every run came as far as RUNNING: its least task, and storage as if it were static."""
    task = TASK_RATE * TASK_SECONDS / 3600
    storage = STATIC_RATE * STATIC_GIB * STORED_SECONDS / 3600
    return runs_of(names) * (task + storage)
