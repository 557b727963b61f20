"""A deployment that waits for hours, by links: the real CDK CLI; an hour lasts so long that each link looks once or so.

Of its 141 seconds 120 are kept for going on to the next link, and 20 for the answer. The last link waits to its end.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest
from aws_cdk import CfnOutput, Duration, Stack, aws_s3

from cdk_healthomics import HealthOmicsRun, WaitFor
from local_aws.process import LocalAws
from tests.e2e.conftest import Declare, Deployment


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    settings = {"start_rate": None, "pending": 0.1, "starting": 0.1, "running": 1e6, "stopping": 0.2}
    with LocalAws(settings=settings, delivery={"retry_delay": 1, "minute": 1, "hour": 141}) as local:
        local.bootstrap()
        yield local


def validation(timeout: Duration, sample: str = "NA12878") -> Declare:
    def declare(stack: Stack) -> None:
        run = HealthOmicsRun(
            stack,
            "Validation",
            workflow_id="1234567",
            output_uri="s3://bucket/runs",
            parameters={"sample": sample},
            wait_for=WaitFor.COMPLETED,
            timeout=timeout,
        )
        aws_s3.Bucket.from_bucket_name(stack, "Bucket", "bucket").grant_read_write(run.role)
        CfnOutput(stack, "Status", value=run.status)

    return declare


def played(deployment: Deployment, declare: Declare, link: str, then: Callable[[], object], *, fails: bool) -> str:
    """Deploy; when a link has begun to wait, something happens."""
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(deployment.deploy, declare, fails=fails)
        while not said.done() and "PROGRESS" not in newest(deployment, link):
            sleep(0.2)
        then()
        return said.result()


def newest(deployment: Deployment, link: str) -> str:
    """The status that CloudFormation has told of a link last."""
    client: Any = deployment.aws.client("cloudformation")
    try:
        events = client.describe_stack_events(StackName=deployment.name)["StackEvents"]
    except client.exceptions.ClientError:
        return ""
    return next((str(event["ResourceStatus"]) for event in events if link in event["LogicalResourceId"]), "")


def rules(deployment: Deployment) -> list[Any]:
    return list(deployment.aws.client("events").list_rules(NamePrefix="cdk-healthomics-")["Rules"])


def test_a_run_completes_in_the_third_link_and_its_replacement_fails_in_the_second(deployment: Deployment) -> None:
    controls = deployment.aws.controls

    def end(status: str) -> None:
        (run_id,) = [run["id"] for run in deployment.runs() if run["status"] == "RUNNING"]
        controls.end(run_id, status)

    said = played(deployment, validation(Duration.hours(3)), "Wait3Hours", lambda: end("COMPLETED"), fails=False)
    assert f"{deployment.name}.Status = COMPLETED" in said
    for shown in ("ValidationWait2Hours", "ValidationWait3Hours"):
        assert shown in said
    assert rules(deployment) == []
    (original,) = deployment.runs()

    changed = validation(Duration.hours(2), "NA12891")
    said = played(deployment, changed, "Wait2Hours", lambda: end("FAILED"), fails=True)
    first, second = deployment.runs()
    assert (first["id"], first["status"], second["status"]) == (original["id"], "COMPLETED", "FAILED")
    assert f"Run {second['id']} is FAILED" in " ".join(said.split())
    assert rules(deployment) == []
    deployment.destroy()
    assert rules(deployment) == []


def test_a_run_that_never_ends_is_cancelled_when_the_last_link_s_time_is_over(deployment: Deployment) -> None:
    said = deployment.deploy(validation(Duration.minutes(121)), fails=True)
    (run,) = deployment.runs()
    expected = f"Run {run['id']} is still RUNNING, not COMPLETED, at the end of the 7260 s that CloudFormation waits."
    assert expected in " ".join(said.split())
    assert run["status"] == "CANCELLED"
    assert rules(deployment) == []
    deployment.destroy()
