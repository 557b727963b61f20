"""What people write with crhelper and boto3: the same work, as its README shows."""

import json
from typing import Any

import boto3
from crhelper import CfnResource

resource = CfnResource(json_logging=False, log_level="INFO", boto_level="CRITICAL", sleep_on_delete=0)
omics = boto3.client("omics")


@resource.create
@resource.update
def start(event: dict[str, Any], _: Any) -> str:
    """StartRun."""
    properties = event["ResourceProperties"]
    run = omics.start_run(
        workflowId=properties["WorkflowId"],
        roleArn=properties["RoleArn"],
        outputUri=properties["OutputUri"],
        parameters=json.loads(properties["Parameters"]),
        requestId=event["RequestId"],
    )
    resource.Data.update({"RunId": run["id"], "RunArn": run["arn"]})
    return run["id"]


@resource.delete
def cancel(event: dict[str, Any], _: Any) -> None:
    """CancelRun."""
    omics.cancel_run(id=event["PhysicalResourceId"])


def handler(event: dict[str, Any], context: Any) -> None:
    """The entry point."""
    resource(event, context)
