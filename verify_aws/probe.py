"""The probe: a function that writes down what CloudFormation and EventBridge send it, and answers, or keeps silent.

It is deployed as one inline file (4,096 characters at most), so it imports nothing of this project. Of the ResponseURL
it keeps the names of the parameters and when it was signed, never the signature.
"""

import json
import os
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3


def handler(event: dict[str, Any], _context: Any) -> None:
    """Write the event's facts into the bucket; answer CloudFormation."""
    if "RequestType" not in event:
        keep("event", {"fields": sorted(event["detail"]), "runId": event["detail"].get("runId")})
        return
    asked = parse_qs(urlsplit(event["ResponseURL"]).query)
    properties = event["ResourceProperties"]
    silent = properties.get("Silent") == "true" and event["RequestType"] != "Delete"
    facts = {
        "stack": event["StackId"],
        "type": event["RequestType"],
        "physicalId": event.get("PhysicalResourceId"),
        "serviceTimeout": properties.get("ServiceTimeout"),
        "urlNames": sorted(asked),
        "signed": asked.get("X-Amz-Date", [None])[0],
        "received": datetime.now(UTC).isoformat(),
    }
    if event["RequestType"] == "Create" and not silent:
        facts |= looks(event)
    keep("request", facts)
    if silent:
        return
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", "probe-" + uuid4().hex)}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT")  # noqa: S310
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - CloudFormation's own URL


def looks(event: dict[str, Any]) -> dict[str, Any]:
    """How long DescribeStackResource does not tell yet that this resource is being created."""
    client, started, seen = boto3.client("cloudformation"), time.monotonic(), ""
    while time.monotonic() - started < float(event["ResourceProperties"]["LookSeconds"]):
        try:
            told = client.describe_stack_resource(
                StackName=event["StackId"], LogicalResourceId=event["LogicalResourceId"]
            )["StackResourceDetail"]
        except client.exceptions.ClientError as error:
            seen = error.response["Error"]["Code"]
        else:
            seen = told["ResourceStatus"]
            if seen == "CREATE_IN_PROGRESS":
                found = {"lag": time.monotonic() - started, "shownId": told.get("PhysicalResourceId", "")}
                return {"look": seen, **found}
        time.sleep(0.5)
    return {"look": seen, "lag": None}


def keep(kind: str, facts: dict[str, Any]) -> None:
    """Write facts into the bucket."""
    key = f"probe/{kind}/{time.time():.3f}-{uuid4().hex}.json"
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(facts))
