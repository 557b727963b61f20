"""Where ministack's EventBridge rules are laxer than AWS's, and the mends: what AWS refuses is refused here, too."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from .mends import Delivery

EVENTBRIDGE: Final = "ministack.services.eventbridge"
_LONGEST_NAME: Final = 64
_LONGEST_INPUT: Final = 8192
_MOST_TARGETS: Final = 5
_REAL_MINUTE: Final = 60.0
_TICK: Final = 0.2
_Handler = Callable[[dict[str, Any]], Any]


def install(delivery: Delivery) -> None:
    """Refuse what AWS refuses, and let a minute of a schedule last as long as ``delivery`` says."""
    bus: Any = import_module(EVENTBRIDGE)
    bus._SCHEDULER_TICK_INTERVAL = _TICK
    seconds: Callable[[str], int | None] = bus._parse_rate_seconds

    def scaled(expression: str) -> float | None:
        real = seconds(expression)
        return real and real * delivery.minute / _REAL_MINUTE

    bus._parse_rate_seconds = scaled
    bus._put_rule = _refusing(bus, bus._put_rule, _wrong_rule)
    bus._put_targets = _refusing(bus, bus._put_targets, _wrong_targets)
    bus._delete_rule = _refusing(bus, bus._delete_rule, _still_has_targets)


def _refusing(bus: Any, handle: _Handler, wrong: Callable[[Any, dict[str, Any]], str]) -> _Handler:
    def refusing(data: dict[str, Any]) -> Any:
        why = wrong(bus, data)
        return bus.error_response_json("ValidationException", why, 400) if why else handle(data)

    return refusing


def _wrong_rule(_: Any, data: dict[str, Any]) -> str:
    return _too_long("name", data.get("Name", ""), _LONGEST_NAME)


def _wrong_targets(bus: Any, data: dict[str, Any]) -> str:
    wrong = [_too_long("targets", target.get("Input", ""), _LONGEST_INPUT) for target in data["Targets"]]
    wrong += [_too_long("targets", target["Id"], _LONGEST_NAME) for target in data["Targets"]]
    there = {target["Id"] for target in [*_targets(bus, data["Rule"]), *data["Targets"]]}
    if len(there) > _MOST_TARGETS:
        wrong.append(f"The requested resource exceeds the maximum number allowed: {_MOST_TARGETS} targets.")
    return next(filter(None, wrong), "")


def _still_has_targets(bus: Any, data: dict[str, Any]) -> str:
    return "Rule can't be deleted since it has targets." if _targets(bus, data["Name"]) else ""


def _targets(bus: Any, rule: str) -> list[dict[str, Any]]:
    _, _, body = bus._list_targets_by_rule({"Rule": rule})
    return list(json.loads(body).get("Targets", []))


def _too_long(what: str, value: str, limit: int) -> str:
    if len(value) <= limit:
        return ""
    return f"Value at '{what}' failed to satisfy constraint: Member must have length less than or equal to {limit}"
