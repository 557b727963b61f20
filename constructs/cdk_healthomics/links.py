"""The links of a run or batch that is waited for longer than an hour: a resource an hour, one after the other.

CloudFormation waits at most an hour for one resource. The run's own resource waits for the first, and so its stack goes
on to a link, which waits for the run that it is told, and so on. The last of them stands for the whole chain.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from aws_cdk import CustomResource, Duration

from cdk_healthomics import kind
from cdk_healthomics_handler.event import DEFAULT_SERVICE_TIMEOUT
from cdk_healthomics_handler.names import LINK_TYPE, Property
from constructs import Construct

HOUR: Final = DEFAULT_SERVICE_TIMEOUT
"""Seconds: CloudFormation's default is the longest that it takes."""
LONGEST: Final = 604_800
"""Seconds: HealthOmics' own longest run (User Guide, "Service quotas")."""
_SHARED: Final = (Property.WAIT_FOR, Property.MAX_FAILED_RUNS)
"""What links are told as the run's own resource is."""
_SHORTEST: Final = 60
"""Seconds; no link gets less."""


def ends(timeout: Duration | None) -> list[int]:
    """When the time of the run's own resource and of each link is over, in seconds since the first began."""
    if timeout is None or timeout.is_unresolved():
        return []
    whole = int(timeout.to_seconds())
    every = [*range(HOUR, whole, HOUR), whole]
    if len(every) > 1 and every[-1] - every[-2] < _SHORTEST:
        every[-2] = whole - _SHORTEST
    return every


def told(until: list[int]) -> dict[str, int]:
    """What the run's own resource is told of its links, by property."""
    return {Property.TIMEOUT.value: until[-1]} if len(until) > 1 else {}


def chain(
    run: Construct, resource: CustomResource, service_token: str, asked: Mapping[str, Any], until: list[int]
) -> CustomResource:
    """Make the links of a run; returns the last of the chain.

    Args:
        run: the construct, which the links become part of.
        resource: the run's own.
        service_token: of the function behind all of them.
        asked: the properties of the run's own resource.
        until: see :func:`ends`.
    """
    last = resource
    for before, end in pairwise(until):
        link = CustomResource(
            run,
            _name(end),
            resource_type=LINK_TYPE,
            service_token=service_token,
            service_timeout=Duration.seconds(end - before),
            properties={
                kind.of(run).handled.linked_by.value: resource.ref,
                **{name.value: asked[name] for name in _SHARED if name in asked},
                Property.UNTIL.value: end,
                **told(until),
            },
        )
        link.node.add_dependency(last)
        last = link
    return last


def _name(end: int) -> str:
    """What ``cdk deploy`` shows while the link waits: until when the run is waited for."""
    for unit, seconds in (("Hours", HOUR), ("Minutes", 60)):
        if end % seconds == 0:
            return f"Wait{end // seconds}{unit}"
    return f"Wait{end}Seconds"
