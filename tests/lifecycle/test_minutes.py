"""What lasts for minutes, on the service's clock: the handler in this process, its pauses put the clock forward."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from local_aws.healthomics import Clock, Fault, HealthOmics, Kind, Settings
from local_aws.loopback import serving
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID, new_event
from tests.lifecycle.in_process import InProcess
from tests.lifecycle.stage import ANSWERS, CloudFormation

TRANSIENT = [
    Kind.THROTTLING,
    Kind.INTERNAL,
    Kind.TIMEOUT,
    Kind.ACCESS_DENIED,
    Kind.ROLE_NOT_ASSUMABLE,
    Kind.DROP_BEFORE,
]


class Slow:
    """CloudFormation, Lambda and HealthOmics, all on one clock."""

    def __init__(self, url: str, cloudformation: CloudFormation) -> None:
        self.service = HealthOmics(Settings(start_rate=None), Clock(speed=0.0))
        self.cloudformation = cloudformation
        self.url = url
        self.function = InProcess(self.service, self._route)

    def _route(self, *request: Any) -> Any:
        return self.cloudformation.route(*request) or self.service.handle(*request)

    def create(self, **properties: str) -> tuple[dict[str, Any], float]:
        """A Create; its answer, and how many seconds it took."""
        began = self.service.clock.now()
        sent = datetime.fromtimestamp(int(began), UTC)
        request_id = str(uuid4())
        self.cloudformation.statuses[STACK_ID, LOGICAL_ID] = ("CREATE_IN_PROGRESS", sent)
        event = new_event(
            "Create",
            {**PROPERTIES, **properties},
            response_url=f"{self.url}{ANSWERS}{request_id}",
            signed_at=sent,
            RequestId=request_id,
        )
        assert self.function.invoke(event)
        (answer,) = self.cloudformation.answers[request_id]
        return answer, self.service.clock.now() - began


@pytest.fixture
def slow() -> Iterator[Slow]:
    cloudformation = CloudFormation()
    logging.disable(logging.CRITICAL)  # hundreds of lines that nobody reads
    with serving(cloudformation.route) as url:
        stage = Slow(url, cloudformation)
        with stage.function.installed():
            yield stage
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
