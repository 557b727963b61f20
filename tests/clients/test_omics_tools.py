"""amazon-omics-tools: ``omics-run-analyzer`` and ``omics-rerun``, with the boto3 that they need."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from local_aws.prices import OF_A_CPU
from local_aws.process import LocalAws
from tests.clients.programs import OMICS_TOOLS, run
from tests.clients.runs import RUNNING, completed, workflow


@pytest.fixture(scope="module")
def workflow_id(aws: LocalAws) -> str:
    return workflow(aws)


def tool(aws: LocalAws, folder: Path, name: str, *arguments: str) -> str:
    return run([str(OMICS_TOOLS / "python"), "-m", f"omics.cli.{name}", *arguments], aws, folder)


def requests(said: str) -> dict[str, Any]:
    """What ``omics-rerun`` shows, by its headings."""
    parts = said.replace("request:", "request:\0").replace("response:", "response:\0").split("\0")
    heads = [part.strip().rpartition("\n")[2].removesuffix(":") for part in parts[:-1]]
    return {head: json.JSONDecoder().raw_decode(text.lstrip())[0] for head, text in zip(heads, parts[1:], strict=True)}


def test_the_analyzer_tells_what_a_run_and_its_tasks_used_and_cost(
    aws: LocalAws, workflow_id: str, tmp_path: Path
) -> None:
    shown = completed(aws, workflow_id, "analyzed")
    tool(aws, tmp_path, "run_analyzer", shown["id"], "--out=out.csv", "--write-config=out.config", "--plot=plots")
    of_run, align, sort = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert (of_run["arn"], of_run["name"], of_run["type"]) == (shown["arn"], "analyzed", "run")
    assert float(of_run["runningSeconds"]) == RUNNING
    assert (align["name"], align["omicsInstanceTypeReserved"], float(align["runningSeconds"])) == (
        "align",
        "omics.c.xlarge",
        300,
    )
    assert (align["omicsInstanceTypeMinimum"], align["recommendedCpus"]) == ("omics.c.large", "2")
    assert (float(align["cpuUtilizationRatio"]), float(align["memoryUtilizationRatio"])) == (0.25, 0.25)
    assert float(align["estimatedUSD"]) == pytest.approx(4 * OF_A_CPU * 300 / 3600, abs=1e-6)
    assert (sort["name"], float(sort["cpuUtilizationRatio"])) == ("sort", 1)
    assert "withName: align" in (tmp_path / "out.config").read_text()
    assert shown["id"] in (tmp_path / "plots" / f"{shown['id']}_timeline.html").read_text()


def test_the_analyzer_finds_runs_by_their_time_and_aggregates_their_tasks(
    aws: LocalAws, workflow_id: str, tmp_path: Path
) -> None:
    both = [completed(aws, workflow_id, name) for name in ("one", "two")]
    found = tool(aws, tmp_path, "run_analyzer", "--time=1day")
    assert all(f"{each['id']} (" in found and each["uuid"] in found for each in both)
    said = tool(aws, tmp_path, "run_analyzer", "--batch", *(each["id"] for each in both))
    # The tool leaves out the first task of each run: it removes the run from the list that it goes through.
    (sort,) = csv.DictReader(said.splitlines())
    assert (sort["name"], sort["count"], float(sort["meanRunningSeconds"])) == ("sort", "2", 60)
    assert (float(sort["meanCpuUtilizationRatio"]), sort["recommendOmicsInstanceType"]) == (1, "omics.c.large")


def test_a_run_is_run_again_from_its_manifest(aws: LocalAws, workflow_id: str, tmp_path: Path) -> None:
    omics = aws.client("omics")
    group, cache = (
        omics.create_run_group(name="group")["id"],
        omics.create_run_cache(cacheS3Location="s3://bucket/cache")["id"],
    )
    first = completed(
        aws, workflow_id, "first", runGroupId=group, cacheId=cache, cacheBehavior="CACHE_ALWAYS", priority=7
    )
    before = len(aws.controls.runs())
    dry = requests(tool(aws, tmp_path, "rerun", "--dry-run", first["id"]))
    assert dry == {
        "StartRun request": {
            "workflowId": workflow_id,
            "workflowType": "PRIVATE",
            "roleArn": first["roleArn"],
            "name": "first",
            "runGroupId": group,
            "priority": 7,
            "parameters": {"sample": "first"},
            "storageType": "DYNAMIC",
            "cacheId": cache,
            "cacheBehavior": "CACHE_ALWAYS",
            "outputUri": "s3://bucket/runs",
        }
    }
    assert len(aws.controls.runs()) == before
    said = requests(tool(aws, tmp_path, "rerun", first["id"], "--name=again", "--parameter=sample=other"))
    again = omics.get_run(id=said["StartRun response"]["id"])
    assert said["Original request"]["name"] == "first"
    assert (again["name"], again["parameters"], again["runGroupId"]) == ("again", {"sample": "other"}, group)
    assert (again["workflowId"], again["status"]) == (workflow_id, "RUNNING")
    assert len(aws.controls.runs()) == before + 1


def test_a_run_of_a_run_is_run_again_as_that(aws: LocalAws, workflow_id: str, tmp_path: Path) -> None:
    first = completed(aws, workflow_id, "original")
    aws.controls.tasks_of_next()
    second = aws.client("omics").start_run(
        runId=first["id"], roleArn=first["roleArn"], outputUri="s3://bucket/runs", name="second"
    )
    aws.controls.advance(RUNNING + 1)
    dry = requests(tool(aws, tmp_path, "rerun", "--dry-run", second["id"]))["StartRun request"]
    assert (dry["runId"], dry["workflowType"]) == (first["id"], "PRIVATE")
