"""What a run is known by: its idempotency token, its name, its tags and the digest of its definition.

Pure, standard library only: the same event gives the same identity, however often it is delivered.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.kind import RUN, Kind
from cdk_healthomics_handler.mark import Did, Mark
from cdk_healthomics_handler.names import OwnershipTag, Property, property_name

_DIGEST_LENGTH: Final = 32
VERSION: Final = "v2:"
"""What a definition's digest begins with; another way to make it is another version."""


def shortened(text: str, limit: int) -> str:
    """``text`` within ``limit`` characters: its readable beginning, and a digest for what was cut."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{text[: limit - _DIGEST_LENGTH - 1]}-{digest}"


def token(request: Request, limit: int, request_id: str | None = None) -> str:
    """StartRun's requestId: one for each request of CloudFormation's, the same each time that it is delivered.

    Args:
        request: names the resource.
        limit: the most characters that StartRun takes.
        request_id: CloudFormation's id of another request for the same resource.
    """
    return shortened(f"{request.stack_name}/{request.logical_id}/{request_id or request.request_id}", limit)


def default_run_name(stack_name: str, logical_id: str, limit: int) -> str:
    """The name of a run to which the user gave none. The search for lost runs is bounded by names."""
    return shortened(f"{stack_name}-{logical_id}", limit)


def run_name(request: Request, properties: Mapping[str, Any], limit: int) -> str:
    """The name of the run that these properties ask for."""
    named: str | None = properties.get(property_name(request.kind.name))
    return named or default_run_name(request.stack_name, request.logical_id, limit)


def definition(start_run: Mapping[str, Any], properties: Mapping[str, Any], kind: Kind = RUN) -> str:
    """A digest of everything that was asked for and defines the run: StartRun's members, and the rerun trigger.

    Token and tags do not define a run, nor does a name that nobody asked for.
    """
    undefining = {"requestId", "tags", *(() if property_name(kind.name) in properties else (kind.name,))}
    defining = {member: value for member, value in start_run.items() if member not in undefining}
    trigger = properties.get(Property.RERUN_TRIGGER)
    return VERSION + hashlib.sha256(json.dumps([defining, trigger], sort_keys=True).encode()).hexdigest()


def comparable(definition: str) -> bool:
    """Whether a definition was made as :func:`definition` makes it: another version's says nothing of a change."""
    return definition.startswith(VERSION)


def ownership_tags(request: Request, token: str, definition: str) -> dict[str, str]:
    """The tags by which the run is found again when its id was lost."""
    return {
        OwnershipTag.STACK_ID: request.stack_id,
        OwnershipTag.LOGICAL_ID: request.logical_id,
        OwnershipTag.REQUEST_ID: token,
        OwnershipTag.DEFINITION: definition,
        OwnershipTag.NEWEST_REQUEST: str(mark(request, Did.STARTED)),
    }


def mark(request: Request, did: Did, name: str = "") -> Mark:
    """The request's mark on a run that it has started, keeps or sets out to replace by a run with this name."""
    return Mark(request.ordered_at, did, request.goal, request.request_id, name)
