"""Many Creates at once under StartRun's quota of one a second, in real time.

    python -m benchmarks throttle

Each Create is the handler's real lifecycle with its real pace, in a thread of its own, with boto3 over HTTP against the
local HealthOmics service. Ideal is one start a second; what is printed was measured in this run.
"""

import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import boto3
from botocore.config import Config

from benchmarks.report import Table
from cdk_healthomics_handler import clients
from cdk_healthomics_handler.decision import Answer
from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.healthomics import HealthOmics as Calls
from cdk_healthomics_handler.lifecycle import Lifecycle
from cdk_healthomics_handler.pace import Clock, Pace
from local_aws.healthomics import HealthOmics, Settings
from local_aws.loopback import serving
from tests.events import STACK_ID, new_event
from tests.lifecycle.stage import CloudFormation

FUNCTION_TIME = 900.0
SERVICE_TIMEOUT = 3600.0
CREATES = (20, 60, 200)


@dataclass(frozen=True)
class Measured:
    """What one number of Creates took."""

    creates: int
    seconds: float
    failed: int
    calls: Counter[str]

    @property
    def row(self) -> tuple[str, ...]:
        """A line of the table."""
        counted = ", ".join(f"{name} {number}" for name, number in sorted(self.calls.items()))
        ideal = self.creates - 1  # the first one starts at once
        return str(self.creates), f"{self.seconds:.1f}", f"{self.seconds / ideal:.2f}", str(self.failed), counted


def measure(creates: int) -> Measured:
    """Send so many Creates at once and wait for all of them."""
    service = HealthOmics(Settings(start_rate=1.0))
    cloudformation = CloudFormation()
    with serving(cloudformation.route, service.handle) as url, ThreadPoolExecutor(creates) as pool:
        session = boto3.Session("test", "test", region_name="us-east-1")
        config = clients.CONFIG.merge(Config(inject_host_prefix=False, max_pool_connections=creates))
        omics = Calls(session.client("omics", endpoint_url=url, config=config))
        asked = session.client("cloudformation", endpoint_url=url, config=config)

        def create(index: int) -> bool:
            now = datetime.now(UTC)
            logical_id = f"Run{index}"
            cloudformation.statuses[STACK_ID, logical_id] = ("CREATE_IN_PROGRESS", now)
            event = new_event("Create", signed_at=now, LogicalResourceId=logical_id, RequestId=str(uuid4()))
            clock = Clock.of(Pace(), remaining=FUNCTION_TIME, service_timeout=SERVICE_TIMEOUT, sent_at=now)
            lifecycle = Lifecycle(Request.of(event), omics, lambda: asked, clients.schedule, clock, lambda _: None)
            outcome = lifecycle.outcome()
            return isinstance(outcome, Answer) and outcome.succeeded

        began = time.monotonic()
        succeeded = list(pool.map(create, range(creates)))
        seconds = time.monotonic() - began
    if len(service.runs()) != sum(succeeded):
        raise RuntimeError(f"{sum(succeeded)} Creates succeeded, but HealthOmics holds {len(service.runs())} runs")
    return Measured(creates, seconds, succeeded.count(False), Counter(call.operation for call in service.journal))


def table(creates: tuple[int, ...] = CREATES) -> Table:
    """Measure so many at once, one number after another."""
    logging.disable(logging.CRITICAL)
    try:
        rows = [measure(number).row for number in creates]
    finally:
        logging.disable(logging.NOTSET)
    return Table(("Creates at once", "seconds", "÷ ideal", "failed", "calls to HealthOmics"), rows)
