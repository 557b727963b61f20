"""AWS's price list, as far as tools that tell what runs cost read it. The prices are made up, as round as can be."""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from .healthomics.tasks import INSTANCES

OF_A_CPU: Final = 0.1
"""USD an hour."""
OF_STORAGE: Final = {"Run Storage": 0.001, "Dynamic Run Storage": 0.002}
"""USD an hour and GiB."""
_SERVICE: Final = "AmazonOmics"
_RESOURCE: Final = "resourceType"


def install() -> None:
    """Let ministack answer the price list's requests, told by their signature."""
    application, router = import_module("ministack.app"), import_module("ministack.core.router")
    router.SERVICE_PATTERNS["pricing"] = {"host_patterns": [r"api\.pricing\."]}
    application.SERVICE_HANDLERS["pricing"] = _handle


async def _handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
) -> tuple[int, dict[str, str], bytes]:
    del method, path, query
    asked = json.loads(body or b"{}")
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    known = asked.get("ServiceCode", _SERVICE) == _SERVICE
    answer: dict[str, Any]
    status = 200
    if operation == "DescribeServices":
        answer = {"Services": [{"ServiceCode": _SERVICE, "AttributeNames": [_RESOURCE]}] if known else []}
    elif operation == "GetProducts":
        filters = {each["Field"]: each["Value"] for each in asked.get("Filters", ())}
        answer = {"PriceList": products(filters.get(_RESOURCE)) if known else []}
    else:
        status, answer = 400, {"__type": "UnknownOperationException", "message": f"{operation}: not here"}
    return status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def products(resource: str | None) -> list[str]:
    """The products of a resource type, each as JSON; None: all of them. They cost the same in every region."""
    hourly = {name: cpus * OF_A_CPU for name, (cpus, _) in INSTANCES.items()} | OF_STORAGE
    return [_product(name, price) for name, price in hourly.items() if resource in {None, name}]


def _product(name: str, price: float) -> str:
    dimension = {"unit": "Hours", "pricePerUnit": {"USD": f"{price:.10f}"}}
    return json.dumps(
        {
            "product": {"attributes": {"servicecode": _SERVICE, _RESOURCE: name}},
            "terms": {"OnDemand": {f"{name}.term": {"priceDimensions": {f"{name}.rate": dimension}}}},
        }
    )
