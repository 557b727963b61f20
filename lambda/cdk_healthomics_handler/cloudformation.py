"""Whether CloudFormation still waits for the answer to a request: the judgement, pure, and the calls it rests on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cdk_healthomics_handler.decision import Standing
from cdk_healthomics_handler.event import Request, RequestType

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

ROLLING_BACK: Final = "UPDATE_ROLLBACK_IN_PROGRESS"
_SKEW: Final = timedelta(seconds=2)
"""By how much a status may seem younger than the request that it was set for."""
_RETOLD: Final = timedelta(seconds=60)
"""As _SKEW, where a false alarm would fail a healthy deployment: CloudFormation may set a status anew."""


@dataclass(frozen=True)
class Observed:
    """What CloudFormation says of a resource and its stack."""

    resource_status: str
    """``DELETE_COMPLETE`` where the stack no longer has the resource."""
    since: datetime | None
    """When the resource took this status."""
    stack_status: str
    """Asked only for an Update: an update and its rollback look alike at the resource."""


def judge(request: Request, observed: Observed, phase: str | None, *, late: bool) -> Standing:
    """Judge whether CloudFormation still waits.

    Args:
        request: the request that is being worked on.
        observed: what CloudFormation says now.
        phase: the stack status that this invocation saw first; an update and its rollback are two phases, and each
            sends a resource one Update.
        late: whether the request was sent too long ago for the first look to count.
    """
    if request.type is RequestType.DELETE:
        # Only a resource that lives again has overtaken its own deletion.
        lives = not observed.resource_status.startswith("DELETE_") and not observed.resource_status.endswith("_FAILED")
        return Standing.OVERTAKEN if lives else Standing.CURRENT
    if request.type is RequestType.UPDATE and phase is not None:
        return Standing.CURRENT if observed.stack_status == phase else Standing.OVERTAKEN
    if observed.resource_status != f"{request.type.upper()}_IN_PROGRESS":
        return Standing.OVERTAKEN
    if late and request.sent_at and observed.since:
        margin = _SKEW if observed.stack_status == ROLLING_BACK else _RETOLD
        if observed.since > request.sent_at + margin:
            return Standing.OVERTAKEN
    return Standing.CURRENT


def observe(client: "CloudFormationClient", request: Request) -> Observed:
    """Ask CloudFormation for the resource's status and its stack's.

    Raises:
        botocore.exceptions.ClientError: CloudFormation did not tell.
        botocore.exceptions.BotoCoreError: CloudFormation could not be reached.
    """
    stack_status = ""
    if request.type is RequestType.UPDATE:
        stack_status = client.describe_stacks(StackName=request.stack_id)["Stacks"][0]["StackStatus"]
    try:
        detail = client.describe_stack_resource(StackName=request.stack_id, LogicalResourceId=request.logical_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return Observed("DELETE_COMPLETE", None, stack_status)
    resource = detail["StackResourceDetail"]
    return Observed(resource["ResourceStatus"], resource["LastUpdatedTimestamp"], stack_status)
