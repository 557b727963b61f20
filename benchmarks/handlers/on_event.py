"""What people write behind the CDK's Provider framework: the same work, as its documentation shows."""

import json
from typing import Any

import boto3

omics = boto3.client("omics")


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """StartRun or CancelRun; the framework answers CloudFormation."""
    if event["RequestType"] == "Delete":
        omics.cancel_run(id=event["PhysicalResourceId"])
        return {}
    properties = event["ResourceProperties"]
    run = omics.start_run(
        workflowId=properties["WorkflowId"],
        roleArn=properties["RoleArn"],
        outputUri=properties["OutputUri"],
        parameters=json.loads(properties["Parameters"]),
        requestId=event["RequestId"],
    )
    return {"PhysicalResourceId": run["id"], "Data": {"RunId": run["id"], "RunArn": run["arn"]}}
