"""What tests and the demo order and look at in a running local AWS, over HTTP: the server's routes and their client."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from .healthomics import Fault, HealthOmics, Kind, Order
from .healthomics.model import ServiceError
from .healthomics.resources import Resource
from .healthomics.service import Response
from .mends import Delivery

PREFIX: Final = "/_local_aws/"


def routes(service: HealthOmics, delivery: Delivery) -> Callable[[str, str, str, bytes], Response | None]:
    """The server's side."""

    def change_delivery(order: dict[str, Any]) -> None:
        unknown = sorted(order.keys() - vars(delivery).keys())
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such setting; there are {', '.join(vars(delivery))}")
        vars(delivery).update(order)

    orders: dict[str, Callable[[dict[str, Any]], Any]] = {
        "runs": lambda _: [_shown(run) for run in service.runs()],
        "batches": lambda _: [_shown(batch) for batch in service.batches()],
        "journal": lambda _: [asdict(call) for call in service.journal],
        "settings": service.settings.change,
        "delivery": change_delivery,
        "fault": lambda order: service.faults.order(Fault(**order | {"kind": Kind(order["kind"])})),
        "no-faults": lambda _: service.faults.clear(),
        "fail-next": lambda order: service.fail_next(**order),
        "fail-next-batch": lambda order: service.fail_next_batch(**order),
        "refuse-next": lambda order: service.refuse_next(**order),
        "tasks-of-next": lambda order: service.tasks_of_next(*(Order(**each) for each in order["orders"])),
        "end": lambda order: service.end(**order),
        "reuse-id": lambda order: service.reuse_id(**order),
        "advance": lambda order: service.clock.advance(**order) and None,
    }

    def route(method: str, path: str, query: str, body: bytes) -> Response | None:
        del query
        order = orders.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
        if method != "POST" or order is None:
            return None
        try:
            answer, status = order(json.loads(body or b"{}")), 200
        except (TypeError, ValueError, KeyError, ServiceError) as error:
            answer, status = str(error) or type(error).__name__, 400
        return Response(status, {"content-type": "application/json"}, json.dumps(answer).encode())

    return route


def _shown(resource: Resource) -> dict[str, Any]:
    shown = resource.described() | {"requestId": resource.request["requestId"]}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items()}


@dataclass(frozen=True)
class Controls:
    """The client's side; an order that is wrong raises ValueError with what is wrong."""

    url: str

    def runs(self) -> list[dict[str, Any]]:
        """Every run that HealthOmics holds, oldest first, with its requestId."""
        runs: list[dict[str, Any]] = self._order("runs")
        return runs

    def batches(self) -> list[dict[str, Any]]:
        """Every run batch that HealthOmics holds, oldest first, with its requestId."""
        batches: list[dict[str, Any]] = self._order("batches")
        return batches

    def journal(self) -> list[dict[str, Any]]:
        """Every call to HealthOmics."""
        calls: list[dict[str, Any]] = self._order("journal")
        return calls

    def settings(self, **values: Any) -> None:
        """Change the service's settings (:class:`local_aws.healthomics.Settings`)."""
        self._order("settings", **values)

    def delivery(self, **values: Any) -> None:
        """Change how events reach the function (:class:`local_aws.mends.Delivery`)."""
        self._order("delivery", **values)

    def fault(self, operation: str, kind: str, **how: Any) -> None:
        """Order a fault (:class:`local_aws.healthomics.Fault`)."""
        self._order("fault", operation=operation, kind=kind, **how)

    def clear_faults(self) -> None:
        """Let nothing more go wrong."""
        self._order("no-faults")

    def fail_next(self, reason: str, message: str) -> None:
        """Let the next started run fail."""
        self._order("fail-next", reason=reason, message=message)

    def tasks_of_next(self, *orders: Order) -> None:
        """Let the next started run have these tasks."""
        self._order("tasks-of-next", orders=[asdict(each) for each in orders])

    def fail_next_batch(self, reason: str, message: str) -> None:
        """Let the next started run batch fail before it has runs."""
        self._order("fail-next-batch", reason=reason, message=message)

    def refuse_next(self, operation: str, times: int, reason: str, message: str) -> None:
        """Refuse what batches are about to do to their runs (:meth:`local_aws.healthomics.HealthOmics.refuse_next`)."""
        self._order("refuse-next", operation=operation, times=times, reason=reason, message=message)

    def end(self, run_id: str, status: str) -> None:
        """Bring a run to a status at once."""
        self._order("end", run_id=run_id, status=status)

    def reuse_id(self, deleted_id: str) -> None:
        """Give the next started run, or batch, the id of a deleted one."""
        self._order("reuse-id", deleted_id=deleted_id)

    def advance(self, seconds: float) -> None:
        """Put HealthOmics' clock forward."""
        self._order("advance", seconds=seconds)

    def _order(self, order: str, **values: Any) -> Any:
        body = json.dumps(values, default=list).encode()
        request = urllib.request.Request(f"{self.url}{PREFIX}{order}", data=body, method="POST")  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(f"{order}: {json.load(error)}") from None
