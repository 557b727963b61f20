"""The one call to CloudFormation; what it means is in :mod:`standing`."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.standing import Observed

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def observe(client: "CloudFormationClient", request: Request) -> Observed:
    """Ask CloudFormation for the resource's status, and for the run that it names.

    Raises:
        botocore.exceptions.ClientError: CloudFormation did not tell.
        botocore.exceptions.BotoCoreError: CloudFormation could not be reached.
    """
    try:
        detail = client.describe_stack_resource(StackName=request.stack_id, LogicalResourceId=request.logical_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return Observed("DELETE_COMPLETE", None, "")
    resource = detail["StackResourceDetail"]
    return Observed(
        resource["ResourceStatus"], resource["LastUpdatedTimestamp"], resource.get("PhysicalResourceId", "")
    )
