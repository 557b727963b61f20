"""What lasts for minutes, on a virtual clock."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.healthomics import Fault, Kind
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID
from tests.lifecycle.world import Delivery, World

TRANSIENT = [
    Kind.THROTTLING,
    Kind.INTERNAL,
    Kind.TIMEOUT,
    Kind.ACCESS_DENIED,
    Kind.ROLE_NOT_ASSUMABLE,
    Kind.DROP_BEFORE,
]


class Slow(World):
    """A world in which a Create takes long."""

    def create(self, delivered_after: float = 0.2, **properties: str) -> tuple[dict[str, Any], float]:
        """A Create; its answer, and how many seconds it took."""
        began = self.timeline.now + delivered_after
        self.cloudformation.show(STACK_ID, LOGICAL_ID, "CREATE_IN_PROGRESS", "")
        self.play(lambda: self.send("Create", {**PROPERTIES, **properties}, Delivery(after=delivered_after)))
        (sent,) = self.sent
        assert sent.answer
        return sent.answer, sent.heard_at - began


@pytest.fixture
def slow() -> Iterator[Slow]:
    logging.disable(logging.CRITICAL)  # hundreds of lines that nobody reads
    world = Slow()
    with world.installed():
        yield world
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("kind", TRANSIENT)
def test_a_fault_of_minutes_is_sat_out(slow: Slow, kind: Kind) -> None:
    slow.service.faults.order(Fault("StartRun", kind, times=100))
    answer, seconds = slow.create()
    assert answer["Status"] == "SUCCESS"
    assert seconds > 120
    assert len(slow.service.active()) == 1


@pytest.mark.parametrize("kind", TRANSIENT)
def test_a_fault_that_does_not_end_is_told_shortly_before_the_functions_time_is_over(slow: Slow, kind: Kind) -> None:
    slow.service.faults.order(Fault("StartRun", kind, times=None))
    answer, seconds = slow.create()
    assert answer["Status"] == "FAILED"
    assert "times refused)" in answer["Reason"]
    assert 850 < seconds < 895
    assert slow.service.active() == []


def test_it_is_told_before_cloudformation_stops_waiting(slow: Slow) -> None:
    slow.service.faults.order(Fault("StartRun", Kind.THROTTLING, times=None))
    answer, seconds = slow.create(ServiceTimeout="120")
    assert answer["Status"] == "FAILED"
    assert 90 < seconds < 115


@pytest.mark.parametrize("way", ["unreachable", "silent"])
@pytest.mark.parametrize(("host", "delivered_after"), [("workflows-omics", 0.2), ("cloudformation", 15.0)])
def test_what_is_missing_is_said_within_a_minute(slow: Slow, way: str, host: str, delivered_after: float) -> None:
    getattr(slow, way).add(host)
    answer, seconds = slow.create(delivered_after)
    assert answer["Status"] == "FAILED"
    assert f"https://{host}." in answer["Reason"]
    assert 20 < seconds < 60
    assert slow.service.active() == []


def test_a_permission_to_ask_cloudformation_that_does_not_come_is_said_within_a_minute(slow: Slow) -> None:
    slow.cloudformation.denied = True
    answer, seconds = slow.create(15.0)
    assert "DescribeStackResource was refused: AccessDenied" in answer["Reason"]
    assert seconds < 60
    assert slow.service.active() == []
