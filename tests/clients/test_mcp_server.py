"""The HealthOmics MCP server of awslabs, over its own protocol. It has no tool that cancels a run."""

import base64
import re
from pathlib import Path
from typing import Any, Final

import pytest

from local_aws.process import LocalAws
from tests.clients.programs import McpServer
from tests.clients.runs import FAILING, ROLE_ARN, RUNNING, TASKS, completed, workflow

ZIP: Final = base64.b64encode(b"PK\5\6" + bytes(18)).decode()
"""Without content: nobody looks into it."""
START: Final[dict[str, Any]] = {
    "role_arn": ROLE_ARN,
    "output_uri": "s3://bucket/runs",
    "parameters": {"sample": "NA12878"},
}


NOT_CALLED: Final = {
    "they ask CloudWatch at an address of AWS's that is a part of the server": "AHO(Run|Workflow)Metrics$",
    "of what is in stores the local AWS knows nothing": "ReadSet|Reference(s|Metadata|Import)|^SearchGenomicsFiles$",
    "they are for services beside HealthOmics": "ECR|Container|CodeConnection|PullThrough|RepositoryAccess",
    "they ask AWS nothing": "^Lint|^Package|FileTypes$|Regions$",
}
"""Why tools are not called, and which."""
REFUSED: Final = {
    "GetAHOBatch": "id",
    "ListAHORunsInBatch": "id",
    "CancelAHORunBatch": "id",
    "DeleteAHORunBatch": "id",
    "DeleteAHOBatch": "id",
    "ListAHOBatches": "maxResults",
}
"""The tools that boto3 refuses before it asks anybody: by name, the argument that its operation does not have."""


def test_every_tool_is_called_here_or_said_why_not(mcp: McpServer) -> None:
    called = set(re.findall(r'mcp\.call\(\s*"(\w+)"', Path(__file__).read_text(encoding="utf-8"))) | REFUSED.keys()
    others = {tool for tool in mcp.tools if any(re.search(which, tool) for which in NOT_CALLED.values())}
    assert called | others == set(mcp.tools)
    assert called & others == set()


def test_workflows_run_groups_and_run_caches_are_made_shown_listed_and_changed(aws: LocalAws, mcp: McpServer) -> None:
    made = mcp.call("CreateAHOWorkflow", name="greeting", definition_source=ZIP, parameter_template={"who": {}})
    assert made["status"] == "ACTIVE"
    shown = mcp.call("GetAHOWorkflow", workflow_id=made["id"])
    assert {name: shown[name] for name in ("id", "name", "type")} == {
        "id": made["id"],
        "name": "greeting",
        "type": "PRIVATE",
    }
    assert made["id"] in [each["id"] for each in mcp.call("ListAHOWorkflows", workflow_type="PRIVATE")["workflows"]]
    mcp.call("CreateAHOWorkflowVersion", workflow_id=made["id"], version_name="v2", definition_source=ZIP)
    (version,) = mcp.call("ListAHOWorkflowVersions", workflow_id=made["id"])["versions"]
    assert (version["versionName"], version["status"]) == ("v2", "ACTIVE")

    group = mcp.call("CreateAHORunGroup", name="night", max_runs=2)["id"]
    mcp.call("UpdateAHORunGroup", run_group_id=group, max_runs=5)
    assert mcp.call("GetAHORunGroup", run_group_id=group)["maxRuns"] == 5
    assert [each["id"] for each in mcp.call("ListAHORunGroups", name="night")["runGroups"]] == [group]

    aws.client("s3").create_bucket(Bucket="cache")
    where = {"cache_behavior": "CACHE_ALWAYS", "cache_s3_location": "s3://cache/here"}
    cache = mcp.call("CreateAHORunCache", **where, name="kept")["id"]
    mcp.call("UpdateAHORunCache", cache_id=cache, cache_behavior="CACHE_ON_FAILURE")
    shown = mcp.call("GetAHORunCache", cache_id=cache)
    assert (shown["cacheBehavior"], shown["cacheS3Uri"]) == ("CACHE_ON_FAILURE", "s3://cache/here")
    assert cache in [each["id"] for each in mcp.call("ListAHORunCaches")["runCaches"]]


def test_a_run_is_started_watched_and_its_tasks_are_shown(aws: LocalAws, mcp: McpServer) -> None:
    aws.controls.tasks_of_next(*TASKS)
    started = mcp.call("StartAHORun", **START, workflow_id="1", name="watched", tags={"team": "genomics"})
    run_id, uuid = started["id"], started["uuid"]
    assert (started["status"], started["tags"]) == ("PENDING", {"team": "genomics"})
    shown = mcp.call("GetAHORun", run_id=run_id)
    assert (shown["status"], shown["parameters"], shown["workflowType"]) == ("RUNNING", START["parameters"], "PRIVATE")
    assert run_id in [each["id"] for each in mcp.call("ListAHORuns", status="RUNNING")["runs"]]
    (align,) = mcp.call("ListAHORunTasks", run_id=run_id)["tasks"]
    assert (align["name"], align["cpus"], align["memory"]) == ("align", 4, 8)
    aws.controls.advance(RUNNING + 1)
    tasks = mcp.call("ListAHORunTasks", run_id=run_id, status="COMPLETED")["tasks"]
    assert [each["name"] for each in tasks] == ["align", "sort"]
    task = mcp.call("GetAHORunTask", run_id=run_id, task_id=align["taskId"])
    assert task["logStream"].endswith(f":log-stream:run/{run_id}/task/{align['taskId']}")

    said = [each["message"] for each in mcp.call("GetAHORunLogs", run_id=run_id)["events"]]
    assert (said[0], said[-1]) == (f"Run {run_id} is PENDING", f"Run {run_id} is COMPLETED")
    assert f"Task {align['taskId']} (align) is RUNNING" in said
    engine = mcp.call("GetAHORunEngineLogs", run_id=run_id)["events"]
    assert [each["message"] for each in engine] == [f"Run {run_id} is RUNNING", f"Run {run_id} is COMPLETED"]
    of_task = mcp.call("GetAHOTaskLogs", run_id=run_id, task_id=align["taskId"])["events"]
    assert [each["message"].rpartition(" ")[2] for each in of_task] == ["STARTING", "RUNNING", "COMPLETED"]
    manifest = mcp.call("GetAHORunManifestLogs", run_id=run_id, run_uuid=uuid)["events"]
    assert [
        f'"name": "{name}"' in each["message"]
        for name, each in zip(("watched", "align", "sort"), manifest, strict=True)
    ]


def test_a_completed_run_is_analyzed(aws: LocalAws, mcp: McpServer) -> None:
    run_id = completed(aws, workflow(aws), "analyzed")["id"]
    report = mcp.call("AnalyzeAHORunPerformance", run_ids=[run_id], detailed=True)
    for line in (
        f"## Run 1: analyzed ({run_id})",
        "- **Total Tasks**: 2",
        "- **Total Allocated CPUs**: 6.00",
        "  - CPU Efficiency: 25.0% (Wasted: 3.00 CPUs)",
        "  - Recommended Instance: omics.c.large (2 CPUs, 4.0 GiB)",
        "- **Total Estimated Cost**: $0.0367",
    ):
        assert line in report.splitlines()
    assert "Could not connect to the endpoint URL" in report, "of AWS's metrics, which are nowhere else"
    timeline = mcp.call("GenerateAHORunTimeline", run_id=run_id)
    assert f"Run: {run_id}, Name: analyzed, Tasks: 2" in timeline


def test_a_failed_run_is_diagnosed(aws: LocalAws, mcp: McpServer) -> None:
    aws.controls.tasks_of_next(*FAILING)
    aws.controls.fail_next("RUN_TASK_FAILED", "Task sort failed")
    run_id = mcp.call("StartAHORun", **START, workflow_id="1", name="failing")["id"]
    aws.controls.advance(RUNNING + 1)
    told = mcp.call("DiagnoseAHORunFailure", run_id=run_id, detailed=True)
    assert (told["status"], told["failureReason"], told["failedTaskCount"]) == ("FAILED", "RUN_TASK_FAILED", 1)
    assert told["engineLogs"][-1] == "RUN_TASK_FAILED: Task sort failed"
    (task,) = told["failedTasks"]
    assert (task["name"], task["logs"][-1]) == ("sort", "TASK_OOM: Killed")
    assert told["summary"]["hasManifestLogs"]
    assert told["manifestLogCount"] == 3


def test_configurations_are_made_shown_listed_and_deleted(mcp: McpServer) -> None:
    vpc = {"subnetIds": ["subnet-0123456789abcdef0"], "securityGroupIds": ["sg-0123456789abcdef0"]}
    mcp.call("CreateAHOConfiguration", name="isolated", run_configurations={"vpcConfig": vpc})
    shown = mcp.call("GetAHOConfiguration", name="isolated")
    assert (shown["status"], shown["runConfigurations"]) == ("ACTIVE", {"vpcConfig": vpc})
    # Its default, 100, is more than the model allows.
    (listed,) = mcp.call("ListAHOConfigurations", max_results=10)["configurations"]
    assert listed["arn"] == shown["arn"]
    mcp.call("DeleteAHOConfiguration", name="isolated")
    assert mcp.call("ListAHOConfigurations", max_results=10)["configurations"] == []


def test_stores_are_made_shown_listed_and_changed(aws: LocalAws, mcp: McpServer) -> None:
    reads = mcp.call("CreateAHOSequenceStore", name="reads", description="first")["id"]
    mcp.call("UpdateAHOSequenceStore", sequence_store_id=reads, description="second")
    shown = mcp.call("GetAHOSequenceStore", sequence_store_id=reads)
    assert (shown["name"], shown["description"]) == ("reads", "second")
    assert [each["id"] for each in mcp.call("ListAHOSequenceStores", name_filter="reads")["sequenceStores"]] == [reads]
    references = aws.client("omics").create_reference_store(name="references")["id"]
    assert mcp.call("GetAHOReferenceStore", reference_store_id=references)["name"] == "references"
    assert [each["id"] for each in mcp.call("ListAHOReferenceStores")["referenceStores"]] == [references]


def test_what_is_not_there_is_said(mcp: McpServer) -> None:
    assert mcp.call("GetAHORun", run_id="404")["error"].endswith("Run 404 does not exist")
    assert mcp.call("GetAHOWorkflow", workflow_id="404")["error"].endswith("Workflow 404 does not exist")


@pytest.fixture(scope="module")
def batch(aws: LocalAws, mcp: McpServer) -> str:
    settings = [{"runSettingId": name, "parameters": {"sample": name}} for name in ("NA12891", "NA12892")]
    started = mcp.call(
        "StartAHORunBatch", **START, workflow_id="1", batch_name="trio", batch_run_settings={"inlineSettings": settings}
    )
    aws.controls.advance(60)
    return str(started["id"])


def test_a_batch_is_started_and_its_runs_are_listed(aws: LocalAws, mcp: McpServer, batch: str) -> None:
    omics = aws.client("omics")
    shown = omics.get_batch(batchId=batch)
    assert (shown["name"], shown["status"], shown["totalRuns"]) == ("trio", "INPROGRESS", 2)
    runs = {each["runId"] for each in omics.list_runs_in_batch(batchId=batch)["runs"]}
    assert len(runs) == 2
    assert runs <= {each["id"] for each in mcp.call("ListAHORuns", status="RUNNING", max_results=100)["runs"]}


def test_the_tools_that_boto3_refuses_are_those(mcp: McpServer, batch: str) -> None:
    for tool, wrong in REFUSED.items():
        given = {} if tool == "ListAHOBatches" else {"batch_id": batch}
        assert f'Unknown parameter in input: "{wrong}"' in mcp.call(tool, **given)["error"]
