"""Each change of a run's or a batch's status reaches EventBridge's default bus, as HealthOmics says it there."""

import io
import json
import time
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

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
        _listen(aws, {"source": ["aws.omics"], "detail": {"runName": ["mine"]}})
        omics: OmicsClient = aws.client("omics")
        run = omics.start_run(**START, name="mine")
        found = _heard(aws, ["PENDING", "STARTING", "RUNNING", "COMPLETED"])
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


def test_an_event_of_a_batch_tells_numbers_as_texts_and_why_it_failed() -> None:
    service = HealthOmics(Settings(start_rate=None), Clock(speed=0.0))
    told: list[dict[str, Any]] = []
    service.on_status = lambda changed: told.append(events.entry(changed)) if "runBatch" in changed.arn else None
    default = {
        "workflowId": "7",
        "workflowVersionName": "v2",
        "cacheId": "3",
        "cacheBehavior": "CACHE_ALWAYS",
        "roleArn": "arn:x",
        "outputUri": "s3://b/r",
    }
    request = {
        "requestId": "t",
        "batchName": "cohort",
        "defaultRunSetting": default,
        "batchRunSettings": {"inlineSettings": [{"runSettingId": "a"}, {"runSettingId": "b"}]},
    }
    service.refuse_next()
    service.handle("POST", "/runBatch", "", json.dumps(request).encode())
    service.clock.advance(9999)
    (batch,) = service.batches()
    last = told[-1]
    assert (last["Source"], last["DetailType"], last["Resources"]) == (
        "aws.omics",
        "RunBatch Status Change",
        [batch.arn],
    )
    account = "arn:aws:omics:us-east-1:123456789012"
    detail = json.loads(last["Detail"])
    assert {name: value for name, value in detail.items() if value != "0"} == {
        "omicsVersion": "1.0.0",
        "arn": batch.arn,
        "status": "PROCESSED",
        "uuid": batch.uuid,
        "batchId": batch.id,
        "batchName": "cohort",
        "totalRuns": "2",
        "successfulStartSubmissionCount": "1",
        "failedStartSubmissionCount": "1",
        "completedRunCount": "1",
        "workflowId": "7",
        "workflowArn": f"{account}:workflow/7",
        "workflowVersionArn": f"{account}:workflow/7/version/v2",
        "runCache": f"{account}:runCache/3",
        "runCacheBehavior": "CACHE_ALWAYS",
    }
    service.fail_next_batch("VALIDATION_EXCEPTION", "Expected 100 unique runSettingIds but there were 99")
    service.handle("POST", "/runBatch", "", json.dumps({**request, "requestId": "other"}).encode())
    service.clock.advance(9999)
    service.tick()
    failed = json.loads(told[-1]["Detail"])
    assert (failed["status"], failed["failureReason"], failed["failureMessage"]) == (
        "FAILED",
        "VALIDATION_EXCEPTION",
        "Expected 100 unique runSettingIds but there were 99",
    )


def test_a_batch_whose_settings_lie_on_s3_is_heard_of_and_what_nobody_hears_is_not_sent() -> None:
    quick = {"start_rate": None, "pending": 0.1, "starting": 0.1, "running": 0.1}
    with LocalAws(settings={**quick, "batch_creating": 0.1, "batch_pending": 0.1}) as aws:
        s3, omics = aws.client("s3"), aws.client("omics")
        s3.create_bucket(Bucket="settings")
        body = json.dumps([{"runSettingId": f"sample-{index}"} for index in range(150)])
        s3.put_object(Bucket="settings", Key="cohort.json", Body=body)
        _listen(aws, {"source": ["aws.omics"], "detail-type": ["RunBatch Status Change"]})
        started = {
            "defaultRunSetting": {"workflowId": "7", "roleArn": "arn:x", "outputUri": "s3://b/r"},
            "batchRunSettings": {"s3UriSettings": "s3://settings/cohort.json"},
        }
        batch = omics.start_run_batch(**started, requestId="t")
        statuses = ["CREATING", "PENDING", "SUBMITTING", "INPROGRESS", "PROCESSED"]
        found = _heard(aws, statuses)
        told = found["/events/PROCESSED"]
        assert (told["detail-type"], told["resources"]) == ("RunBatch Status Change", [batch["arn"]])
        assert (told["detail"]["batchId"], told["detail"]["completedRunCount"]) == (batch["id"], "150")

        aws.controls.settings(batch_pending=3600)
        changed = omics.start_run_batch(**started, requestId="other")
        s3.put_object(Bucket="settings", Key="cohort.json", Body=b"[]")
        aws.controls.advance(3601)
        failed = omics.get_batch(batchId=changed["id"])
        assert (failed["status"], failed["failureReason"][:26]) == ("FAILED", "Expected s3UriConfigs etag")
        assert [each["status"] for each in aws.controls.batches()] == ["PROCESSED", "FAILED"]


def test_what_no_rule_may_match_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = SimpleNamespace(_rules={})
    monkeypatch.setattr(events, "_bus", lambda: bus)
    assert not events.is_heard(events.OF_RUNS)
    bus._rules["rate"] = {"EventPattern": ""}
    assert not events.is_heard(events.OF_RUNS)
    bus._rules["batches"] = {"EventPattern": json.dumps({"detail-type": [events.OF_BATCHES]})}
    assert (events.is_heard(events.OF_BATCHES), events.is_heard(events.OF_RUNS)) == (True, False)
    bus._rules["some"] = {"EventPattern": json.dumps({"detail-type": [{"prefix": "Run"}]})}
    assert events.is_heard(events.OF_RUNS)
    bus._rules["some"] = {"EventPattern": json.dumps({"source": ["aws.omics"]})}
    assert events.is_heard(events.OF_RUNS)


def _heard(aws: LocalAws, statuses: list[str]) -> dict[str, Any]:
    """By parameter, the events that the listener has put there, once all are there."""
    ssm = aws.client("ssm")
    end = time.monotonic() + 20
    found: dict[str, Any] = {}
    while len(found) < len(statuses):
        assert time.monotonic() < end, f"only {list(found)} were told"
        time.sleep(0.1)
        parameters = ssm.get_parameters(Names=[f"/events/{status}" for status in statuses])["Parameters"]
        found = {each["Name"]: json.loads(each["Value"]) for each in parameters}
    return found


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
