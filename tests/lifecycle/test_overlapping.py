"""Random lives of resources whose requests overlap, in a world that lags, throttles, denies and kills: nothing is lost.

Every resource has its run, no run is started twice or left behind, and nobody else's is touched. ``make soak`` plays
the same for longer. A failure prints what to do to see it again, shrunk.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from cdk_healthomics_handler.names import Attribute, BatchAttribute, OwnershipTag
from local_aws.healthomics import QUOTAS, CancelOfFinished, Token
from tests.events import PROPERTIES, STACK_ID
from tests.lifecycle.cloudformation import Stack, run_of
from tests.lifecycle.stage import stack_id_of
from tests.lifecycle.world import FUNCTION_TIME, Delivery, World

if TYPE_CHECKING:
    from local_aws.healthomics.batch import StoredBatch
    from local_aws.healthomics.runs import StoredRun

STACKS = (STACK_ID, stack_id_of("Exomes"))
LOGICAL_IDS = ("One", "Two", "Three", "Cohort")
BATCH = "Cohort"
SETTINGS = json.dumps([{"runSettingId": sample} for sample in ("NA12878", "NA12891", "NA12892")])
SHARED_NAME = "cohort"
LAG = 5.0
SHORT = 90.0
"""Seconds that a function has for what takes it longer: HealthOmics may need a minute to cancel a batch."""
WAITS: Mapping[str, Mapping[str, str]] = {
    "": {},
    "running": {"WaitFor": "RUNNING"},
    "chain": {"WaitFor": "COMPLETED", "ServiceTimeout": "300", "Timeout": "900"},
    "longer": {"WaitFor": "COMPLETED", "ServiceTimeout": "300", "Timeout": "1200"},
}
HOW_TO_WAIT = st.sampled_from(["", "", "", *WAITS])

randoms = st.randoms(use_true_random=False)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The handler logs in this process, thousands of lines that nobody reads."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def properties(logical_id: str, definition: int, tag: int, waits: str) -> dict[str, Any]:
    """What a user asks for; hours are short here."""
    parameters = json.dumps({"sample": "NA12878", "definition": definition})
    asked = {**PROPERTIES, "Parameters": parameters, "Tags": {"a": str(tag)} if tag else {}, **WAITS[waits]}
    if logical_id == BATCH:
        no_end = {
            name: value for name, value in asked.items() if value != "RUNNING"
        }  # only the end of a batch is waited for
        return {**no_end, "InlineSettings": SETTINGS}
    return {**asked, "Name": SHARED_NAME} if logical_id == "Three" else asked


def definition_of(found: "StoredRun | StoredBatch") -> Any:
    """What it was started with."""
    return found.request.get("defaultRunSetting", found.request)["parameters"]


class Overlapping(RuleBasedStateMachine):
    """CloudFormation, Lambda, HealthOmics and people, all at once."""

    steps: ClassVar[int] = 0
    """What was done so far in all machines of the process: calls, answers, and what people did."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = ExitStack()
        self.world = World()
        self.chance = Random(0)  # noqa: S311 - no secret; hypothesis's own comes with the first step
        self.stacks: list[Stack] = []
        self.function_times = [FUNCTION_TIME]
        self.strangers: list[StoredRun | StoredBatch] = []
        self.ended: set[str] = set()
        """Physical ids of runs and batches that a person or the workflow has ended."""
        self.old: set[str] = set()
        """Physical ids that resources have had."""

    @initialize(
        seed=st.integers(0, 2**32),
        token=st.sampled_from(Token),
        how=st.sampled_from(CancelOfFinished),
        slow_cloudformation=st.booleans(),
        denied_when_missing=st.booleans(),
        cancelled_early=st.booleans(),
        slow_to_cancel=st.booleans(),
        chance=randoms,
    )
    def begin(
        self,
        seed: int,
        token: Token,
        how: CancelOfFinished,
        chance: Random,
        *,
        slow_cloudformation: bool,
        denied_when_missing: bool,
        cancelled_early: bool,
        slow_to_cancel: bool,
    ) -> None:
        self.world = World(
            seed,
            runs=len(LOGICAL_IDS),
            token=token,
            cancel_of_finished=how,
            lag=LAG,
            start_rate=1.0,
            quotas={**QUOTAS, "CancelRun": 0.05} if slow_to_cancel else QUOTAS,
            missing_is_denied=denied_when_missing,
            cancelled_with_active_runs=cancelled_early,
        )
        self.function_times = [FUNCTION_TIME, SHORT] if slow_to_cancel else [FUNCTION_TIME]
        self.world.cloudformation.lag = LAG
        self.world.looks = self._look
        self.world.cloudformation.rate = 2.0 if slow_cloudformation else 10.0
        self.stage.enter_context(self.world.installed())
        self.chance = chance
        self.stacks = [Stack(self.world, stack_id, self._delivery) for stack_id in STACKS]
        names = [f"{stack_id.split('/')[1]}-{logical_id}" for stack_id in STACKS for logical_id in LOGICAL_IDS]
        self.strangers = [self.world.stranger(name) for name in [*names, *[SHARED_NAME] * 5]]
        self.strangers += [self.world.strange_batch(name) for name in names]

    def teardown(self) -> None:
        try:
            if self.stacks:
                self.settle()
                for stack in self.stacks:
                    self.world.timeline.run(self.world.timeline.begin(stack.delete))
                self.settle()
                assert not self.world.eventbridge.rules(), "a rule was left behind"
        finally:
            Overlapping.steps += (
                len(self.world.service.journal) + self.world.cloudformation.calls + len(self.world.sent)
            )
            self.stage.close()

    def _delivery(self) -> Delivery:
        """How Lambda delivers: mostly well."""
        chance = self.chance
        after = chance.choice([0.2, 0.2, 0.5, 1.0, 2.0, 3.5, 5.0, 12.0, 40.0])
        twice = chance.choice([None, None, None, None, 0.0, 0.3, 2.0, 60.0, 200.0])
        kills = [chance.choice([None, None, None, 1, 2, 3, 4, 5, 6]) for _ in range(3)]
        if chance.random() < 0.6:
            kills = [None, None, None]
        ear = chance.choice([(), (), (), (), (403,), (500, 500)])
        again = None if twice is None else after + twice
        return Delivery(after, again, tuple(kills), chance.choice(self.function_times), ear)  # type: ignore[arg-type]

    def _look(self) -> Delivery:
        """How Lambda delivers what EventBridge sends: a look that is lost is made good by the next."""
        return self._delivery() if self.chance.random() < 0.2 else Delivery()

    @rule(
        which=st.integers(0, 1),
        wanted=st.dictionaries(
            st.sampled_from(LOGICAL_IDS), st.tuples(st.integers(0, 2), st.integers(0, 1), HOW_TO_WAIT), min_size=1
        ),
        sibling_fails=st.sampled_from([None, None, 0.3, 1.0, 3.0, 8.0, 20.0, 60.0, 500.0]),
        ends=st.dictionaries(
            st.sampled_from(LOGICAL_IDS),
            st.tuples(st.sampled_from([10.0, 200.0, 400.0, 700.0]), st.sampled_from(["COMPLETED"] * 3 + ["FAILED"])),
            min_size=1,
        ),
        rollback=st.booleans(),
    )
    def deploy(
        self, which: int, wanted: dict[str, Any], sibling_fails: float | None, ends: dict[str, Any], *, rollback: bool
    ) -> None:
        stack = self.stacks[which]
        asked = {each: known.properties for each, known in stack.resources.items() if run_of(each) == each}
        asked |= {each: properties(each, *what) for each, what in wanted.items()}
        known = {each: resource.physical_id for each, resource in stack.resources.items()}
        for logical_id, (seconds, status) in ends.items():
            if asked.get(logical_id, {}).get("WaitFor") == "COMPLETED":
                self.world.timeline.call(partial(self._end, stack, logical_id, status), seconds)
        good: list[bool] = []
        script = lambda: good.append(stack.deploy(asked, sibling_fails=sibling_fails, rollback=rollback))  # noqa: E731
        self.world.timeline.run(self.world.timeline.begin(script))
        for logical_id, resource in stack.resources.items():
            waited = asked.get(logical_id, {}).get("WaitFor") == "COMPLETED"
            if good[0] and waited and known.get(logical_id) != resource.physical_id:
                good_one = self._is_good(logical_id, resource.physical_id)
                assert good_one or resource.physical_id in self.old, "a run that is not good was released"
        self.old |= {resource.physical_id for resource in stack.resources.values()}

    def _is_good(self, logical_id: str, physical_id: str) -> bool:
        if logical_id == BATCH:
            batch = self.world.batch(physical_id)
            return batch.status == "PROCESSED" and set(batch.runs.elements()) == {"COMPLETED"}
        return self.world.run(physical_id).status == "COMPLETED"

    def _end(self, stack: Stack, logical_id: str, status: str) -> None:
        """The workflow ends what is active of a resource."""
        for each in self._going(stack, logical_id):
            if self.world.end(each, status):
                self.ended.add(f"{each.id}/{each.uuid}")

    def _going(self, stack: Stack, logical_id: str) -> "list[StoredRun | StoredBatch]":
        """What is active and has a resource's tags."""
        owner = {OwnershipTag.STACK_ID: stack.stack_id, OwnershipTag.LOGICAL_ID: logical_id}
        return [each for each in self.world.going() if owner.items() <= each.tags.items()]

    @precondition(lambda self: any(stack.resources for stack in self.stacks))
    @rule(which=st.integers(0, 1))
    def delete(self, which: int) -> None:
        self.world.timeline.run(self.world.timeline.begin(self.stacks[which].delete))

    @rule(data=st.data(), status=st.sampled_from(["COMPLETED", "FAILED", "CANCELLED", "UNHEARD_OF"]))
    def a_run_ends(self, data: Any, status: str) -> None:
        known = [each.physical_id for stack in self.stacks for each in stack.resources.values()]
        going = {f"{each.id}/{each.uuid}": each for each in self.world.going()}
        active = [each for each in known if each in going]
        if active:
            physical_id = data.draw(st.sampled_from(sorted(active)))
            if self.world.end(going[physical_id], status) and status != "UNHEARD_OF":
                self.ended.add(physical_id)

    @rule(seconds=st.sampled_from([1.0, 10.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        timeline = self.world.timeline
        timeline.run(timeline.begin(lambda: timeline.sleep(seconds)))

    @rule()
    def settle(self) -> None:
        """Wait until nothing is under way: then everything must be as it should."""
        self.world.timeline.run()
        service = self.world.service
        tokens = [each.request["requestId"] for each in [*service.runs(), *service.batches()]]
        assert len(tokens) == len(set(tokens)), "a token has started two runs"
        going = self.world.going()
        for each in self.strangers:
            assert each in going, "a stranger's run was touched"
            assert not each.tags, "a stranger's run was tagged"
        assert not self.world.eventbridge.due(), "a rule still lets the function look"
        for stack in self.stacks:
            self._check(stack)
        for sent in self.world.sent:
            self._check_answers(sent)

    def _check(self, stack: Stack) -> None:
        for logical_id in LOGICAL_IDS:
            resource = stack.resources.get(logical_id)
            mine = {f"{each.id}/{each.uuid}" for each in self._going(stack, logical_id)}
            if resource is None:
                assert not mine or logical_id in stack.given_up, f"{logical_id} is gone, but has left a run"
                continue
            if resource.failed or not resource.created:
                continue  # what it has started is the next deployment's or the deletion's
            assert resource.physical_id in mine | self.ended, f"the run of {logical_id} is gone"
            left = mine - {resource.physical_id} - stack.replaced.get(logical_id, {}).keys()
            assert not left or logical_id in stack.given_up, f"{logical_id} has left another run"
            found = self.world.batch if logical_id == BATCH else self.world.run
            assert json.dumps(definition_of(found(resource.physical_id))) == resource.properties["Parameters"]

    @staticmethod
    def _check_answers(sent: Any) -> None:
        for answer in sent.all_answers:
            assert answer["RequestId"] == sent.event["RequestId"]
            assert answer["PhysicalResourceId"]
            if answer["Status"] == "SUCCESS" and sent.event["RequestType"] != "Delete":
                attributes = BatchAttribute if BATCH in sent.event["LogicalResourceId"] else Attribute
                assert set(answer["Data"]) == set(attributes)


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


STEPS = 20_000


def test_nothing_is_lost_in_twenty_thousand_steps() -> None:
    """Random ones, the same each time: ``make soak`` plays others."""
    number = 0
    while Overlapping.steps < STEPS:
        lives = seed(number)(type("Lives", (Overlapping,), {}))
        some = settings(COMMON, max_examples=10, stateful_step_count=20, database=None)
        run_state_machine_as_test(lives, settings=some)
        number += 1
