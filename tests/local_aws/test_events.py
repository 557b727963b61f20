"""Each change of a run's status reaches EventBridge's default bus, as HealthOmics says it there."""

import io
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

from local_aws import events
from local_aws.healthomics import Clock, HealthOmics, Settings
from local_aws.process import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient

CODE = """
import json, boto3

def handler(event, context):
    name = f"/events/{event['detail']['status']}"
    boto3.client("ssm").put_parameter(Name=name, Value=json.dumps(event), Type="String")
"""
START: dict[str, Any] = {"workflowId": "7", "roleArn": "arn:x", "outputUri": "s3://b/r", "requestId": "t"}


def test_an_event_holds_what_healthomics_says_and_nothing_that_it_does_not_know() -> None:
    service = HealthOmics(Settings(start_rate=None), Clock(speed=0.0))
    request = {"runId": "7", "roleArn": "arn:x", "outputUri": "s3://b/r", "requestId": "t"}
    service.handle("POST", "/run", "", json.dumps(request).encode())
    (run,) = service.runs()
    told = events.entry(run)
    assert (told["Source"], told["DetailType"], told["Resources"]) == ("aws.omics", "Run Status Change", [run.arn])
    assert json.loads(told["Detail"]) == {
        "arn": run.arn,
        "status": "PENDING",
        "uuid": run.uuid,
        "runId": run.id,
        "runOutputUri": f"s3://b/r/{run.id}",
    }


def test_a_rule_hears_of_every_status_of_a_run_that_nobody_looks_at() -> None:
    with LocalAws(settings={"pending": 0.1, "starting": 0.1, "running": 0.1}) as aws:
        ssm = aws.client("ssm")
        _listen(aws, {"source": ["aws.omics"], "detail": {"runName": ["mine"]}})
        omics: OmicsClient = aws.client("omics")
        run = omics.start_run(**START, name="mine")
        statuses = ["PENDING", "STARTING", "RUNNING", "COMPLETED"]
        end = time.monotonic() + 20
        found: dict[str, Any] = {}
        while len(found) < len(statuses):
            assert time.monotonic() < end, f"only {list(found)} were told"
            time.sleep(0.1)
            parameters = ssm.get_parameters(Names=[f"/events/{status}" for status in statuses])["Parameters"]
            found = {each["Name"]: json.loads(each["Value"]) for each in parameters}
    told = found["/events/COMPLETED"]
    assert (told["source"], told["detail-type"]) == ("aws.omics", "Run Status Change")
    assert told["resources"] == [run["arn"]]
    assert told["detail"] == {
        "arn": run["arn"],
        "status": "COMPLETED",
        "uuid": run["uuid"],
        "runId": run["id"],
        "runName": "mine",
        "runOutputUri": run["runOutputUri"],
        "workflowId": "7",
        "workflowName": "workflow-7",
    }


def _listen(aws: LocalAws, pattern: dict[str, Any]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("function.py", CODE)
    function = aws.client("lambda").create_function(
        FunctionName="listener",
        Runtime="python3.13",
        Role="arn:aws:iam::123456789012:role/r",
        Handler="function.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )
    bus = aws.client("events")
    bus.put_rule(Name="runs", EventPattern=json.dumps(pattern))
    bus.put_targets(Rule="runs", Targets=[{"Id": "1", "Arn": function["FunctionArn"]}])
