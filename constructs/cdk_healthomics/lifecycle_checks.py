"""Checks of the arguments that say how long a run's resource waits, and what becomes of the run after it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aws_cdk import Duration, RemovalPolicy

from cdk_healthomics import links, member_checks, model
from cdk_healthomics.kind import Kind
from cdk_healthomics.member_checks import written_text
from cdk_healthomics.messages import shown
from cdk_healthomics.tokens import is_unknown
from cdk_healthomics_handler.names import START_RUN, WaitFor

_SHORTEST_TIMEOUT: Final = 30
"""Seconds: StartRun must be heard, and the answer sent."""
_REMOVAL_POLICIES: Final = (
    RemovalPolicy.DESTROY,
    RemovalPolicy.RETAIN,
    RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
)


def wait_problems(wait_for: Any, kind: Kind) -> Iterator[str]:
    """What is wrong with a value of ``wait_for`` that is known."""
    if wait_for not in kind.waits_for:
        yield f"wait_for was {shown(wait_for)}: must be one of {', '.join(kind.waits_for)}"


def problems(arguments: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    """What is wrong with these arguments."""
    trigger = arguments.get("rerun_trigger", "")
    if not is_unknown(trigger):
        yield from written_text("rerun_trigger", trigger)
    wait_for = arguments.get("wait_for", WaitFor.SUBMITTED)
    if not is_unknown(wait_for):
        yield from wait_problems(wait_for, kind)
    yield from _most_failed(arguments)
    timeout = arguments.get("timeout")
    if timeout is not None:
        yield from _timeout(timeout, kind.handled.noun, waits=wait_for != WaitFor.SUBMITTED)
    yield from _adoption(arguments)
    policy = arguments.get("removal_policy")
    if policy is not None and policy not in _REMOVAL_POLICIES:
        allowed = ", ".join(f"RemovalPolicy.{each.name}" for each in _REMOVAL_POLICIES)
        yield f"removal_policy was {shown(policy)}: must be one of {allowed}"


def _most_failed(arguments: Mapping[str, Any]) -> Iterator[str]:
    most = arguments.get("max_failed_runs")
    if most is None or is_unknown(most):
        return
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        yield f"max_failed_runs was {shown(most)}: must be a whole number from 0"
    elif arguments.get("wait_for", WaitFor.SUBMITTED) == WaitFor.SUBMITTED:
        yield (
            f"max_failed_runs was {most} without wait_for: must be left out, or wait_for be COMPLETED, for only who "
            "waits hears of runs that fail"
        )


def _adoption(arguments: Mapping[str, Any]) -> Iterator[str]:
    adopted = arguments.get("adopt_run_id")
    if adopted is None:
        return
    if not is_unknown(adopted):
        yield from member_checks.text("adopt_run_id", adopted, model.members(START_RUN)["runId"])
    told = f"adopt_run_id was {shown(adopted)}"
    if "name" not in arguments:
        yield f"{told} without name: must have the run's name, by which its events are known"
    if "role" not in arguments:
        yield f"{told} without role: must have the run's role, which a run never changes"
    policy = arguments.get("removal_policy")
    if policy is not RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE:
        beside = f"beside removal_policy {policy.name}" if policy in _REMOVAL_POLICIES else "without removal_policy"
        yield (
            f"{told} {beside}: must have RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, or a deployment that fails would "
            "cancel the run; both may go when the run is deployed"
        )


def _timeout(timeout: Any, noun: str, *, waits: bool) -> Iterator[str]:
    if not isinstance(timeout, Duration):
        yield f"timeout was {shown(timeout)}: must be a Duration, such as Duration.minutes(30)"
        return
    if timeout.is_unresolved():
        return
    seconds = timeout.to_seconds(integral=False)
    longest = links.LONGEST if waits else links.HOUR
    if _SHORTEST_TIMEOUT <= seconds <= longest and seconds == int(seconds):
        return
    told = f"timeout was {seconds:g} seconds: must be {_SHORTEST_TIMEOUT} seconds to"
    if waits:
        yield f"{told} 7 days, in whole seconds, for no run of HealthOmics takes longer"
    else:
        yield (
            f"{told} 60 minutes, in whole seconds, for there is nothing to wait for longer; to wait for the {noun}, up "
            "to 7 days, give wait_for"
        )
