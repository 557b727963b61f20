"""What botocore reads in the function: its own data, cut to what the function uses.

The function's clients look for service models and endpoints here before they do in botocore. Reading all of those
would be most of a cold start: the model of HealthOmics has a hundred operations, the endpoints are of every service.
Where a service is, botocore's rules tell, which are small and read as they are in the function; of the older list of
endpoints it then takes no more than what a partition is (docs/networks.md).
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cdk_healthomics import model
from cdk_healthomics_handler.names import BATCH_OPERATIONS, OPERATIONS, SERVICE

_WORDS: Final = frozenset({"documentation"})
"""What botocore needs for help texts only."""
_SYSTEM: Final = 9
"""Where gzip's header names the operating system (RFC 1952)."""
_UNKNOWN: Final = b"\xff"


def files() -> Iterator[tuple[str, bytes]]:
    """The files by their paths in botocore's layout; the same botocore gives the same bytes."""
    yield f"{SERVICE}/{model.folder().name}/service-2.json.gz", _packed(_service(model.read("service-2")))
    yield "endpoints.json.gz", _packed(_endpoints(model.endpoints()))


def _service(whole: Mapping[str, Any]) -> dict[str, Any]:
    operations = {name: bare(whole["operations"][name]) for name in (*OPERATIONS, *BATCH_OPERATIONS)}
    needed: dict[str, Any] = {}
    waiting = list(_named_shapes(operations))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = bare(whole["shapes"][name])
            waiting += _named_shapes(needed[name])
    shapes = {name: needed[name] for name in sorted(needed)}
    return {"version": whole["version"], "metadata": whole["metadata"], "operations": operations, "shapes": shapes}


def _endpoints(whole: Mapping[str, Any]) -> dict[str, Any]:
    nothing: Mapping[str, Any] = {"regions": {}, "services": {}}
    return {**whole, "partitions": [{**partition, **nothing} for partition in whole["partitions"]]}


def bare(value: Any) -> Any:
    """A part of a model without its help texts."""
    if isinstance(value, Mapping):
        # A member may be named as a word is: only texts are left out.
        return {key: bare(item) for key, item in value.items() if key not in _WORDS or not isinstance(item, str)}
    return [bare(item) for item in value] if isinstance(value, list) else value


def _named_shapes(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for item in value.values():
            yield from _named_shapes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named_shapes(item)


def _packed(data: Any) -> bytes:
    packed = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), mtime=0)
    # Which operating system packed it is told differently by Python 3.11 and 3.13.
    return packed[:_SYSTEM] + _UNKNOWN + packed[_SYSTEM + 1 :]
