"""The local AWS's EventBridge in the test's own process: it can be made to fail, and its minutes pass on order."""

import asyncio
import json
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final

from local_aws import rules
from local_aws.healthomics.service import Response
from local_aws.mends import Delivery

_OPERATION: Final = "/AWSEvents."


@cache
def _bus() -> Any:
    rules.install(Delivery())
    return import_module(rules.EVENTBRIDGE)


@dataclass
class EventBridge:
    """Rules and their targets."""

    calls: list[str] = field(default_factory=list)
    """The operations that were asked for."""
    instead: dict[str, list[Response]] = field(default_factory=dict)
    """What the next calls of an operation are answered with instead of being done."""
    after: dict[str, list[Response]] = field(default_factory=dict)
    """What the next calls of an operation are answered with after they were done."""

    def route(self, method: str, path: str, query: str, body: bytes) -> Response | None:
        """Answer a call."""
        del query
        if not path.startswith(_OPERATION):
            return None
        operation = path.removeprefix(_OPERATION)
        self.calls.append(operation)
        if self.instead.get(operation):
            return self.instead[operation].pop(0)
        header = {"x-amz-target": path.removeprefix("/")}
        status, headers, answer = asyncio.run(_bus().handle_request(method, "/", header, body, {}))
        if self.after.get(operation):
            return self.after[operation].pop(0)
        return Response(status, headers, answer)

    def clear(self) -> None:
        """Forget everything."""
        for each in (self.calls, self.instead, self.after, _bus()._rules, _bus()._targets):
            each.clear()

    def rules(self) -> list[str]:
        """The names of the rules that there are."""
        return [rule["Name"] for rule in _bus()._rules.values()]

    def tags(self) -> list[dict[str, str]]:
        """The tags of each rule that there is."""
        return [_bus()._tags.get(rule["Arn"], {}) for rule in _bus()._rules.values()]

    def due(self, rule: str = "") -> list[dict[str, Any]]:
        """The events that a minute brings: of one rule, or of all."""
        of_rules = [targets for key, targets in _bus()._targets.items() if rule in key]
        return [json.loads(target["Input"]) for targets in of_rules for target in targets]
