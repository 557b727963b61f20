"""What runs leave in CloudWatch Logs, and what the price list tells, of the local AWS as it runs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.healthomics import Order
from local_aws.prices import OF_A_CPU
from local_aws.process import LocalAws
from tests.events import ROLE_ARN

GROUP = "/aws/omics/WorkflowLog"
START: dict[str, Any] = {"roleArn": ROLE_ARN, "outputUri": "s3://bucket/runs", "name": "n"}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(settings={"start_rate": None, "pending": 0, "starting": 0, "running": 600}) as local:
        yield local


def started(aws: LocalAws, *orders: Order, **asked: Any) -> str:
    aws.controls.tasks_of_next(*orders)
    return str(aws.client("omics").start_run(**{"workflowId": "1", **START, **asked})["id"])


def streams(aws: LocalAws, prefix: str) -> list[str]:
    pages = aws.client("logs").get_paginator("describe_log_streams")
    found = pages.paginate(logGroupName=GROUP, logStreamNamePrefix=prefix)
    return [each["logStreamName"] for page in found for each in page["logStreams"]]


def said(aws: LocalAws, stream: str) -> list[str]:
    events = aws.client("logs").get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
    return [each["message"] for each in events]


def manifest(aws: LocalAws, run_id: str) -> list[dict[str, Any]]:
    (stream,) = streams(aws, f"manifest/run/{run_id}/")
    return [json.loads(each) for each in said(aws, stream)]


def test_a_stream_grows_with_its_run_and_nothing_is_said_twice(aws: LocalAws) -> None:
    run_id = started(aws, Order("align", starting=10, running=60))
    name = f"run/{run_id}"
    assert said(aws, name)[:3] == [f"Run {run_id} is {each}" for each in ("PENDING", "STARTING", "RUNNING")]
    assert streams(aws, f"manifest/{name}/") == []
    aws.controls.advance(30)
    (task,) = aws.client("omics").list_run_tasks(id=run_id)["items"]
    assert said(aws, name)[-1] == f"Task {task['taskId']} (align) is RUNNING"
    aws.client("omics").tag_resource(resourceArn=aws.client("omics").get_run(id=run_id)["arn"], tags={"a": "b"})
    aws.controls.advance(600)
    everything = said(aws, name)
    assert everything[-1] == f"Run {run_id} is COMPLETED"
    assert len(set(everything)) == len(everything) == 7
    assert said(aws, name) == everything
    assert streams(aws, f"{name}/") == [f"{name}/engine", f"{name}/task/{task['taskId']}"]
    assert [each["logGroupName"] for each in aws.client("logs").describe_log_groups()["logGroups"]] == [GROUP]


def test_the_manifest_tells_the_run_and_what_each_task_asked_for_and_used(aws: LocalAws) -> None:
    asked = {"runGroupId": "7", "workflowType": "READY2RUN", "parameters": {"a": 1}}
    orders = (
        Order("align", running=60, cpus=3, memory=20, cpus_used=1.5, memory_used=9),
        Order("known", cached=True),
        Order("sort", after=10, starting=0, running=5, fails=("TASK_OOM", "Killed")),
    )
    aws.controls.fail_next("RUN_TASK_FAILED", "Task sort failed")
    run_id = started(aws, *orders, **asked)
    aws.controls.advance(601)
    run, align, known, sort = manifest(aws, run_id)
    shown = aws.client("omics").get_run(id=run_id)
    assert (run["arn"], run["uuid"], run["status"], run["failureReason"]) == (
        shown["arn"],
        shown["uuid"],
        "FAILED",
        "RUN_TASK_FAILED",
    )
    assert run["workflow"] == "arn:aws:omics:us-east-1::workflow/1", "AWS's own has no account"
    assert run["runGroup"] == "arn:aws:omics:us-east-1:123456789012:runGroup/7"
    assert (run["parameters"], run["metrics"]) == ({"a": 1}, {"runningSeconds": 600})
    assert (align["run"], align["instanceType"], align["cpus"], align["memory"]) == (
        shown["arn"],
        "omics.r.xlarge",
        3,
        20,
    )
    assert align["metrics"] == {
        "cpusReserved": 4,
        "cpusAverage": 1.5,
        "cpusMaximum": 1.5,
        "gpusReserved": 0,
        "memoryReservedGiB": 32,
        "memoryAverageGiB": 9,
        "memoryMaximumGiB": 9,
        "runningSeconds": 60,
    }
    assert known.keys() == {"arn", "run", "name", "uuid", "status", "cacheHit"}
    assert (sort["status"], sort["failureReason"], sort["metrics"]["runningSeconds"]) == ("FAILED", "TASK_OOM", 5)
    assert said(aws, f"run/{run_id}/engine")[-1] == "RUN_TASK_FAILED: Task sort failed"
    (task_id,) = (each["taskId"] for each in aws.client("omics").list_run_tasks(id=run_id, status="FAILED")["items"])
    assert said(aws, f"run/{run_id}/task/{task_id}")[-1] == "TASK_OOM: Killed"


def test_a_run_of_another_run_has_its_workflow_and_names_it(aws: LocalAws) -> None:
    first = started(aws, workflowId="77")
    again = aws.client("omics").start_run(**START, runId=first)["id"]
    aws.controls.advance(601)
    assert aws.client("omics").get_run(id=again)["workflowId"] == "77"
    (run,) = manifest(aws, again)
    assert (run["run"].rpartition("/")[2], run["workflow"].rpartition("/")[2]) == (first, "77")


def test_a_run_that_is_deleted_leaves_its_logs_and_one_without_logs_none(aws: LocalAws) -> None:
    omics = aws.client("omics")
    deleted, silent = started(aws), started(aws, logLevel="OFF")
    assert "logLocation" not in omics.get_run(id=silent)
    location = omics.get_run(id=deleted)["logLocation"]
    assert location["runLogStream"].endswith(f":log-group:{GROUP}:log-stream:run/{deleted}")
    assert location["engineLogStream"].endswith(f":log-stream:run/{deleted}/engine")
    aws.controls.advance(601)
    omics.delete_run(id=deleted)
    assert manifest(aws, deleted)[0]["status"] == "COMPLETED"
    assert streams(aws, f"run/{silent}") == streams(aws, f"manifest/run/{silent}/") == []


def test_the_price_list_tells_what_an_instance_and_storage_cost(aws: LocalAws) -> None:
    pricing = aws.client("pricing")
    assert [each["ServiceCode"] for each in pricing.describe_services()["Services"]] == ["AmazonOmics"]

    def price(resource: str) -> list[float]:
        asked = [{"Type": "TERM_MATCH", "Field": "resourceType", "Value": resource}]
        products = pricing.get_products(ServiceCode="AmazonOmics", Filters=asked)["PriceList"]
        terms = [next(iter(json.loads(each)["terms"]["OnDemand"].values())) for each in products]
        return [float(next(iter(each["priceDimensions"].values()))["pricePerUnit"]["USD"]) for each in terms]

    assert price("omics.m.2xlarge") == pytest.approx([8 * OF_A_CPU])
    assert len(price("Run Storage")) == len(price("Dynamic Run Storage")) == 1
    assert price("omics.x.large") == []
    assert pricing.get_products(ServiceCode="AmazonEC2")["PriceList"] == []
