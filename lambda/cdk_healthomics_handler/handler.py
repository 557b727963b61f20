"""The function's entry point: event → :mod:`lifecycle` (decision, calls) → answer.

Events come from CloudFormation, and from EventBridge while a run is waited for.
"""

import gc
import os
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final

gc.disable()  # nothing that is imported is garbage, and looking for it is a sixth of a cold start; see carry_out

from cdk_healthomics_handler import clients, journal
from cdk_healthomics_handler.answer import HealthOmicsRunResource
from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.healthomics import HealthOmics
from cdk_healthomics_handler.lifecycle import Lifecycle
from cdk_healthomics_handler.pace import Clock, Pace
from cdk_healthomics_handler.response_url import is_cloudformations

PACE: Final = Pace()


def handler(event: dict[str, Any], context: Any) -> None:
    """Work on one event of CloudFormation's and answer it.

    Raises:
        AnswerNotDeliveredError: CloudFormation has not taken the answer; Lambda delivers the event again.
        NotCloudFormationsError: the answer would go elsewhere; nothing was done.
    """
    RESOURCE(event, context)


def answering() -> HealthOmicsRunResource:
    """The resource whose events are carried out here."""
    resource = HealthOmicsRunResource(clients.schedule, _is_cloudformations)
    work = partial(carry_out, resource)
    for register in (resource.create, resource.update, resource.delete):
        register(work)
    for register in (resource.poll_create, resource.poll_update, resource.poll_delete):
        register(work)
    return resource


def carry_out(resource: HealthOmicsRunResource, event: dict[str, Any], context: Any) -> str | None:
    """Do what the event asks for; returns the physical id."""
    try:
        request = Request.of(event, heard_at=datetime.now(UTC))
        clock = Clock.of(
            PACE,
            remaining=context.get_remaining_time_in_millis() / 1000,
            service_timeout=request.service_timeout,
            sent_at=request.sent_at,
            look=request.polls,
        )
        lifecycle = Lifecycle(
            request, _healthomics(), clients.cloudformation, clients.schedule, clock, resource.remember
        )
        return resource.take(lifecycle.outcome())
    except Exception as error:  # noqa: BLE001 - whatever breaks, CloudFormation gets an answer with the run's id
        journal.broken(error)
        resource.fail(f"cdk-healthomics failed unexpectedly: {type(error).__name__}: {error}")
        return str(resource.PhysicalResourceId) or None


def _is_cloudformations(url: str) -> bool:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return is_cloudformations(url, region=clients.region(), domain=clients.domain, endpoint=endpoint)


def _healthomics() -> HealthOmics:
    client = clients.healthomics()
    _collect_garbage()
    return client


@cache
def _collect_garbage() -> None:
    """From now on, but none of what is there: it lasts as long as the process."""
    gc.freeze()
    gc.enable()


RESOURCE: Final = answering()
