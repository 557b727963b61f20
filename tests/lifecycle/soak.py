"""``make soak``: the lives of test_overlapping.py and test_adoption.py, for a million steps or an hour at most.

    python -m tests.lifecycle.soak [--steps 1000000] [--seconds 3600] [--seed N]

Each batch has a seed of its own, printed with what was played; a failure is shrunk, and its seed plays it again.
"""

import argparse
import logging
import secrets
import time
from typing import Final

from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lifecycle.test_adoption import live
from tests.lifecycle.test_overlapping import COMMON, Overlapping

EXAMPLES: Final = 25


def play(number: int, examples: int = EXAMPLES) -> None:
    """Play the lives of one seed.

    Raises:
        AssertionError: something was lost.
    """
    lives = seed(number)(type("Lives", (Overlapping,), {}))
    some = settings(COMMON, max_examples=examples, stateful_step_count=25, database=None)
    run_state_machine_as_test(lives, settings=some)
    live(number)


def main(steps: int, seconds: float, first: int | None) -> None:
    """Play until so much was done."""
    began = time.monotonic()
    batches = 0
    while Overlapping.steps < steps and time.monotonic() - began < seconds:
        number = secrets.randbelow(2**32) if first is None else first + batches
        try:
            play(number)
        except BaseException:
            print(f"Seed {number} fails: python -m tests.lifecycle.soak --steps 1 --seed {number}", flush=True)
            raise
        batches += 1
        spent = time.monotonic() - began
        print(f"{Overlapping.steps:,} steps in {spent:.0f} s, nothing lost (seed {number})", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.lifecycle.soak", description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="calls, requests and questions to CloudFormation")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, help="of the first batch; each further one has the next")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    main(given.steps, given.seconds, given.seed)
