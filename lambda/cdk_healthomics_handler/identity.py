"""What a run is known by: its idempotency token, its name, its tags and the digest of its definition.

Pure, standard library only: the same event gives the same identity, however often it is delivered.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.names import OwnershipTag, Property, property_name

_DIGEST_LENGTH: Final = 32


def shortened(text: str, limit: int) -> str:
    """``text`` within ``limit`` characters: its readable beginning, and a digest for what was cut."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{text[: limit - _DIGEST_LENGTH - 1]}-{digest}"


def token(request: Request, limit: int) -> str:
    """StartRun's requestId: one for each request of CloudFormation's, the same each time that it is delivered."""
    return shortened(f"{request.stack_name}/{request.logical_id}/{request.request_id}", limit)


def default_run_name(stack_name: str, logical_id: str, limit: int) -> str:
    """The name of a run to which the user gave none. The search for lost runs is bounded by names."""
    return shortened(f"{stack_name}-{logical_id}", limit)


def run_name(request: Request, properties: Mapping[str, Any], limit: int) -> str:
    """The name of the run that these properties ask for."""
    named: str | None = properties.get(property_name("name"))
    return named or default_run_name(request.stack_name, request.logical_id, limit)


def definition(start_run: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    """A digest of everything that defines the run: StartRun without token and tags, and the rerun trigger."""
    defining = {member: value for member, value in start_run.items() if member not in {"requestId", "tags"}}
    trigger = properties.get(Property.RERUN_TRIGGER)
    return hashlib.sha256(json.dumps([defining, trigger], sort_keys=True).encode()).hexdigest()


def ownership_tags(request: Request, token: str, definition: str) -> dict[str, str]:
    """The tags by which the run is found again when its id was lost."""
    return {
        OwnershipTag.STACK_ID: request.stack_id,
        OwnershipTag.LOGICAL_ID: request.logical_id,
        OwnershipTag.REQUEST_ID: token,
        OwnershipTag.DEFINITION: definition,
    }
