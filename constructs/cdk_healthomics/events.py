"""EventBridge rules on the status of a run, in place before it starts: no event falls in the gap."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import jsii
from aws_cdk import aws_events

from constructs import Construct, IDependable

_SOURCE: Final = "aws.omics"
_DETAIL_TYPE: Final = "Run Status Change"
"""What HealthOmics sends, best effort (User Guide, "EventBridge")."""


class StatusRule(aws_events.Rule):
    """A rule on the status of one run; the run waits for the rule and for its targets' permissions.

    Args:
        scope: the run.
        rule_id: of the rule within it.
        name: the run's.
        workflow_id: the run's, where it is known: names may be shared.
        statuses: those to be told of; none: all.
        before_run: makes the run wait for a construct.
        options: of ``aws_events.Rule``, and ``target`` and ``event_pattern`` as in the CDK's ``on_…`` methods.
    """

    def __init__(
        self,
        scope: Construct,
        rule_id: str,
        *,
        name: str,
        workflow_id: str | None,
        statuses: tuple[str, ...],
        before_run: Callable[[IDependable], None],
        options: Mapping[str, Any],
    ) -> None:
        self._before_run = before_run
        detail: dict[str, Any] = {"runName": [name]}
        if workflow_id is not None:
            detail["workflowId"] = [workflow_id]
        if statuses:
            detail["status"] = list(statuses)
        super().__init__(
            scope,
            rule_id,
            description=options.get("description"),
            rule_name=options.get("rule_name"),
            event_pattern=options.get("event_pattern"),
        )
        self.add_event_pattern(source=[_SOURCE], detail_type=[_DETAIL_TYPE], detail=detail)
        before_run(self)
        if options.get("target") is not None:
            self.add_target(options["target"])

    def add_target(self, target: aws_events.IRuleTarget | None = None) -> None:
        """Add a target, and make the run wait for what it needs to be reached."""
        awaited: Any = target and _Awaited(target, self._before_run)
        super().add_target(awaited)


@jsii.implements(aws_events.IRuleTarget)
class _Awaited:
    """A target that the run waits for: permission to reach it is part of its resource."""

    def __init__(self, target: aws_events.IRuleTarget, before_run: Callable[[IDependable], None]) -> None:
        self._target = target
        self._before_run = before_run

    def bind(self, rule: aws_events.IRule, id: str | None = None) -> aws_events.RuleTargetConfig:  # noqa: A002 - CDK's
        """Bind the target."""
        bound = self._target.bind(rule, id)
        if bound.target_resource is not None:
            self._before_run(bound.target_resource)
        return bound
