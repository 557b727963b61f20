"""The EventBridge rule by which the function is invoked again while a run is waited for: one rule a resource.

Each waiting request is one target of the rule, so that an old request which comes to its end leaves a newer one alone.
A rule with targets refuses to be deleted: whoever removes the last target deletes the rule. One try each.
"""

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cdk_healthomics_handler.event import SENT_AT, Request
from cdk_healthomics_handler.mark import LONG_AGO
from cdk_healthomics_handler.names import RULE_PREFIX, TAG_PREFIX
from cdk_healthomics_handler.refusal import Refusal, classify

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import TagTypeDef, TargetTypeDef

    from cdk_healthomics_handler.run import Run

_LONGEST_NAME: Final = 64
"""EventBridge's limit on rule names and target ids; logical ids may have 255 characters."""
_HAS_TARGETS: Final = "ValidationException"


def rule_name(request: Request) -> str:
    """The name of the resource's rule: that of no other resource, and the same for each of its requests."""
    named = f"{RULE_PREFIX}{request.stack_id.rpartition('/')[2]}-"
    return named + _digest(request.logical_id, _LONGEST_NAME - len(named))


def target_id(request: Request) -> str:
    """The request's own target."""
    return _digest(request.request_id, _LONGEST_NAME)


class Schedule:
    """EventBridge as the handler uses it."""

    def __init__(self, client: "EventBridgeClient") -> None:
        self._client = client

    def put(self, request: Request, run: "Run", turn: float = 0.0) -> None:
        """Have the function invoked every minute, with what is needed to answer the request.

        Args:
            request: what CloudFormation waits for.
            run: the run that is waited for.
            turn: seconds from each minute's beginning to the look.
        """
        name = rule_name(request)
        # Those of the run's stack among them: some organisations deny what is made without their tags.
        tags: list[TagTypeDef] = [
            {"Key": key, "Value": value} for key, value in run.tags.items() if not key.startswith(TAG_PREFIX)
        ]
        self._client.put_rule(
            Name=name,
            ScheduleExpression="rate(1 minute)",
            State="ENABLED",
            Description="Waits for a HealthOmics run; goes away by itself",
            Tags=tags,
        )
        target: TargetTypeDef = {
            "Id": target_id(request),
            "Arn": request.properties["ServiceToken"],
            "Input": json.dumps(request.poll(run.physical_id, turn)),
        }
        for entry in self._client.put_targets(Rule=name, Targets=[target]).get("FailedEntries", []):
            code, message = entry.get("ErrorCode", ""), entry.get("ErrorMessage", "")
            raise ClientError({"Error": {"Code": code, "Message": message}}, "PutTargets")

    def remove(self, request: Request) -> None:
        """Remove what was put for one request; the rule stays where another request waits."""
        self._remove_targets(request, [target_id(request)])
        self._delete_rule(request)

    def remove_until(self, request: Request) -> None:
        """Remove what was put for this request and older ones of its resource; where a newer waits, the rule stays."""
        if not self._delete_rule(request):
            targets = self._client.list_targets_by_rule(Rule=rule_name(request))["Targets"]
            older = [target["Id"] for target in targets if _sent_at(target.get("Input", "")) <= request.ordered_at]
            self._remove_targets(request, older)
            self._delete_rule(request)

    def _delete_rule(self, request: Request) -> bool:
        """Delete the rule; False: it still has targets."""
        try:
            self._client.delete_rule(Name=rule_name(request))
        except ClientError as error:
            if error.response["Error"]["Code"] == _HAS_TARGETS:
                return False
            _unless_gone(error)
        return True

    def _remove_targets(self, request: Request, ids: list[str]) -> None:
        if not ids:
            return
        try:
            self._client.remove_targets(Rule=rule_name(request), Ids=ids)
        except ClientError as error:
            _unless_gone(error)


def _unless_gone(error: ClientError) -> None:
    if classify(error) is not Refusal.GONE:
        raise error


def _sent_at(poll: str) -> datetime:
    """When the request was sent that a target waits for; long ago where somebody else made the target."""
    try:
        return datetime.fromisoformat(json.loads(poll)[SENT_AT])
    except (KeyError, TypeError, ValueError):
        return LONG_AGO


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
