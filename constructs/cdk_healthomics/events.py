"""EventBridge rules on the status of a run, in place before it starts: no event falls in the gap."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import jsii
from aws_cdk import CfnResource, Stack, aws_events

from cdk_healthomics import kind
from cdk_healthomics.checks import ValidationError
from cdk_healthomics.targets import Targets
from constructs import Construct

_SOURCE: Final = "aws.omics"
_FIELDS: Final = tuple(inspect.signature(aws_events.EventPattern).parameters)
_PERMISSION: Final = re.compile(r"AWS::(?!IAM::)\w+::\w*Policy")


class StatusRule(aws_events.Rule):
    """A rule on the status of one run or batch; that waits for the rule and for its targets' permissions.

    Args:
        scope: the run or batch.
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
        before_run: Callable[..., None],
        options: Mapping[str, Any],
    ) -> None:
        self._run = scope
        self._before_run = before_run
        known = kind.of(scope)
        ours = {"source": [_SOURCE], "detail_type": [known.event], f"detail.{known.name_in_event}": [name]}
        if workflow_id is not None:
            ours["detail.workflowId"] = [workflow_id]
        if statuses:
            ours["detail.status"] = list(statuses)
        pattern, problems = _narrowed(ours, options.get("event_pattern"))
        if problems:
            raise ValidationError(f"{scope.node.path}/{rule_id}", problems, kind=known.construct)
        super().__init__(
            scope,
            rule_id,
            description=options.get("description"),
            rule_name=options.get("rule_name"),
            event_pattern=pattern,
        )
        before_run(self)
        if options.get("target") is not None:
            self.add_target(options["target"])

    def add_target(self, target: aws_events.IRuleTarget | None = None) -> None:
        """Add a target, and make the run wait for what it needs to be reached."""
        awaited: Any = target and _Awaited(target, self._run, self._before_run)
        super().add_target(awaited)


def _narrowed(ours: Mapping[str, list[str]], asked: Any) -> tuple[aws_events.EventPattern, list[str]]:
    """Our pattern with what is asked for beside it; the CDK would add values to a field of ours, and hear of more."""
    every = asked if isinstance(asked, Mapping) else {name: getattr(asked, name, None) for name in _FIELDS}
    fields = {name: value for name, value in every.items() if value is not None}
    fields["detail"] = dict(fields.get("detail", {}))
    problems = []
    for path, values in ours.items():
        holder, name = (fields["detail"], path[7:]) if path.startswith("detail.") else (fields, path)
        wanted = holder.get(name, values)
        holder[name] = [value for value in values if isinstance(wanted, (list, tuple)) and value in wanted]
        if not holder[name]:
            problems.append(
                f"event_pattern has {wanted!r} as {path}: must hold {' or '.join(map(repr, values))}, or be left out, "
                "for event_pattern only narrows what the rule hears of"
            )
    return aws_events.EventPattern(**fields), problems


@jsii.implements(aws_events.IRuleTarget)
class _Awaited:
    """A target that the run waits for: permission to reach it is part of its resource."""

    def __init__(self, target: aws_events.IRuleTarget, run: Construct, before_run: Callable[..., None]) -> None:
        self._target = target
        self._run = run
        self._before_run = before_run

    def bind(self, rule: aws_events.IRule, id: str | None = None) -> aws_events.RuleTargetConfig:  # noqa: A002 - CDK's
        """Bind the target."""
        bound = self._target.bind(rule, id)
        target: Any = bound.target_resource
        if target is not None:
            self._before_run(*_permissions(target))
            Targets.of(Stack.of(self._run)).add(target)
        if bound.role is not None:
            self._before_run(bound.role)
        return bound


def _permissions(target: Any) -> Iterator[CfnResource]:
    """What allows EventBridge to reach a target, where it is part of the target: of a topic, a queue, a log group.

    That of a function is part of the rule. A target's own role is none: it may have been granted this run.
    """
    for each in target.node.find_all():
        if isinstance(each, CfnResource) and _PERMISSION.fullmatch(each.cfn_resource_type):
            yield each
