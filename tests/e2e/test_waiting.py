"""A deployment that waits for its run or batch, and rules that hear of it: the real CDK CLI, EventBridge and Lambda."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from aws_cdk import CfnOutput, Stack, aws_events_targets, aws_lambda, aws_s3

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, RunSetting, WaitFor
from local_aws.healthomics import Order
from local_aws.process import LocalAws
from tests.e2e.conftest import Declare, Deployment

LISTENER = """
import json, boto3

def handler(event, context):
    name = f"/heard/{event['detail']['runName']}/{event['detail']['status']}"
    boto3.client("ssm").put_parameter(Name=name, Value=json.dumps(event["detail"]), Type="String")
"""

PAGE = "https://us-east-1.console.aws.amazon.com/omics/home?region=us-east-1#/runs/"


def waiting(wait_for: WaitFor, parameters: Any = None) -> Declare:
    def declare(stack: Stack) -> None:
        run = HealthOmicsRun(
            stack,
            "Run",
            workflow_id="1234567",
            output_uri="s3://bucket/runs",
            parameters=parameters or {"sample": "NA12878"},
            wait_for=wait_for,
        )
        aws_s3.Bucket.from_bucket_name(stack, "Bucket", "bucket").grant_read_write(run.role)
        listener = aws_lambda.Function(
            stack,
            "Listener",
            runtime=aws_lambda.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=aws_lambda.Code.from_inline(LISTENER),
        )
        run.on_status_change("Changed", target=aws_events_targets.LambdaFunction(listener))
        CfnOutput(stack, "Status", value=run.status)
        CfnOutput(stack, "Page", value=run.console_url)
        if wait_for is WaitFor.COMPLETED:
            CfnOutput(stack, "Took", value=f"{run.duration_seconds} s from {run.started_at} to {run.stopped_at}")

    return declare


@pytest.fixture
def quick(aws: LocalAws) -> Iterator[LocalAws]:
    """Runs that complete within seconds."""
    aws.controls.settings(pending=0.3, starting=0.3, running=2.0)
    yield aws
    aws.controls.settings(pending=5.0, starting=10.0, running=3600.0)


@pytest.mark.usefixtures("quick")
def test_a_deployment_waits_until_its_run_has_completed_and_every_status_was_heard(deployment: Deployment) -> None:
    said = deployment.deploy(waiting(WaitFor.COMPLETED))
    (run,) = deployment.runs()
    assert f"{deployment.name}.Status = COMPLETED" in said
    assert f"{deployment.name}.Page = {PAGE}{run['id']}" in said
    began, ended = (datetime.fromisoformat(run[name]) for name in ("startTime", "stopTime"))
    took = f"{int((ended - began).total_seconds())} s from {began:%Y-%m-%dT%H:%M:%SZ} to {ended:%Y-%m-%dT%H:%M:%SZ}"
    assert f"{deployment.name}.Took = {took}" in said
    assert deployment.aws.client("events").list_rules(NamePrefix="cdk-healthomics-")["Rules"] == []
    heard = deployment.aws.client("ssm").get_parameters_by_path(Path=f"/heard/{run['name']}")["Parameters"]
    details = {each["Name"].rpartition("/")[2]: json.loads(each["Value"]) for each in heard}
    assert {"PENDING", "STARTING", "RUNNING", "COMPLETED"} <= details.keys()
    assert details["COMPLETED"]["runId"] == run["id"]

    events = deployment.aws.client("cloudformation").describe_stack_events(StackName=deployment.name)["StackEvents"]
    told = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)]
    (name,) = {logical_id for logical_id, _ in told if logical_id.startswith("RunC4")}
    begun = told.index((name, "CREATE_IN_PROGRESS"))
    for part in ("RunRoleDefaultPolicy", "RunChanged", "AllowEventRule", "HealthOmicsRunProviderWaiting"):
        done = [place for place, (each, status) in enumerate(told) if part in each and status == "CREATE_COMPLETE"]
        assert done, (part, told)
        assert done[0] < begun, part
    deployment.destroy()


@pytest.mark.usefixtures("quick")
def test_a_run_that_fails_fails_the_deployment_with_its_words(deployment: Deployment, aws: LocalAws) -> None:
    aws.controls.fail_next("RUN_TASK_FAILED", "A task has failed")
    tasks = [
        Order(name, starting=0.0, running=0.5, fails=("TASK_OOM", f"{name} was killed")) for name in ("sort", "call")
    ]
    aws.controls.tasks_of_next(*tasks, Order("align", running=0.1), Order("known", cached=True))
    said = " ".join(deployment.deploy(waiting(WaitFor.COMPLETED), fails=True).split())
    (run,) = deployment.runs()
    told = [
        f"Run {run['id']} is FAILED: RUN_TASK_FAILED: A task has failed.",
        rf"Task sort failed: TASK_OOM: sort was killed \(log stream run/{run['id']}/task/\d+\).",
        rf"Task call failed: TASK_OOM: call was killed \(log stream run/{run['id']}/task/\d+\).",
        f"Its logs are in log group /aws/omics/WorkflowLog, streams run/{run['id']} and run/{run['id']}/engine.",
        re.escape(f"{PAGE}{run['id']}"),
    ]
    assert re.search(" ".join(told), said)
    assert deployment.aws.client("events").list_rules(NamePrefix="cdk-healthomics-")["Rules"] == []
    deployment.destroy()


def test_an_update_that_is_rolled_back_goes_back_without_waiting(deployment: Deployment, aws: LocalAws) -> None:
    aws.controls.settings(pending=0.3, starting=0.3)
    deployment.deploy(waiting(WaitFor.RUNNING))
    (run,) = deployment.runs()
    assert run["status"] == "RUNNING"
    aws.controls.fail_next("RUN_TASK_FAILED", "Task main exited with 1")
    aws.controls.settings(running=1.0)
    try:
        deployment.deploy(waiting(WaitFor.COMPLETED, {"sample": "NA12891"}), fails=True)
    finally:
        aws.controls.settings(running=3600.0)
    assert [each["status"] for each in deployment.runs()][1] == "FAILED"
    assert deployment.aws.client("events").list_rules(NamePrefix="cdk-healthomics-")["Rules"] == []
    deployment.destroy()
    assert deployment.active() == []


def cohort(samples: int, **arguments: Any) -> Declare:
    def declare(stack: Stack) -> None:
        batch = HealthOmicsRunBatch(
            stack,
            "Cohort",
            workflow_id="1234567",
            output_uri="s3://bucket/runs",
            run_settings=(RunSetting(f"sample-{number}") for number in range(samples)),
            **arguments,
        )
        aws_s3.Bucket.from_bucket_name(stack, "Bucket", "bucket").grant_read_write(batch.role)
        CfnOutput(stack, "Runs", value=f"{batch.total_runs}, failed: {batch.failed_runs}")

    return declare


def batch_runs(aws: LocalAws) -> Counter[tuple[str, str]]:
    """How many runs have which batch and status."""
    return Counter((run["batchId"], run["status"]) for run in aws.controls.runs() if run.get("batchId"))


def test_a_batch_is_waited_for_and_one_of_10_000_runs_outlives_a_rollback_and_is_cancelled(
    deployment: Deployment, aws: LocalAws
) -> None:
    aws.controls.settings(pending=0.1, starting=0.1, running=0.5, batch_creating=0.3, batch_pending=0.3)
    aws.controls.refuse_next("StartRun", 2, "AccessDeniedException", "The role may not do this.")
    said = deployment.deploy(cohort(5, wait_for=WaitFor.COMPLETED, max_failed_runs=2))
    assert f"{deployment.name}.Runs = 5, failed: 2" in said
    first = aws.controls.batches()[0]["id"]
    assert batch_runs(aws) == {(first, "COMPLETED"): 3}

    aws.controls.settings(running=1e6)
    deployment.deploy(cohort(10_000))
    second = aws.controls.batches()[1]["id"]
    aws.controls.fail_next_batch("ETAG", "s3UriConfigs have changed since calling StartRunBatch")
    said = deployment.deploy(cohort(4, wait_for=WaitFor.COMPLETED), fails=True)
    third = aws.controls.batches()[2]
    told = f"Batch {third['id']} is FAILED: s3UriConfigs have changed since calling StartRunBatch"
    assert told in " ".join(said.split())
    assert batch_runs(aws) == {(first, "COMPLETED"): 3, (second, "RUNNING"): 10_000}

    deployment.destroy()
    assert batch_runs(aws) == {(first, "COMPLETED"): 3, (second, "CANCELLED"): 10_000}
    assert [each["status"] for each in aws.controls.batches()] == ["PROCESSED", "CANCELLED", "FAILED"]
    assert aws.client("events").list_rules(NamePrefix="cdk-healthomics-")["Rules"] == []
