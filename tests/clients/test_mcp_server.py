"""The HealthOmics MCP server of awslabs, over its own protocol: every tool that an account with runs answers.

Two it has not here. ``…Metrics``, and what ``AnalyzeAHORunPerformance`` adds of them, ask CloudWatch at an address of
AWS's that cannot be changed. There is no tool that cancels a run: that is for batches only.
"""

import base64
from typing import Any

from local_aws.process import LocalAws
from tests.clients.programs import McpServer
from tests.clients.runs import FAILING, ROLE_ARN, RUNNING, TASKS, completed, workflow

ZIP = base64.b64encode(b"PK\5\6" + bytes(18)).decode()
"""Without content: nobody looks into it."""
START: dict[str, Any] = {"role_arn": ROLE_ARN, "output_uri": "s3://bucket/runs", "parameters": {"sample": "NA12878"}}


def test_workflows_run_groups_and_run_caches_are_made_shown_listed_and_changed(aws: LocalAws, mcp: McpServer) -> None:
    made = mcp.call("CreateAHOWorkflow", name="greeting", definition_source=ZIP, parameter_template={"who": {}})
    assert made["status"] == "ACTIVE"
    shown = mcp.call("GetAHOWorkflow", workflow_id=made["id"])
    assert {name: shown[name] for name in ("id", "name", "type")} == {
        **{"id": made["id"]},
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


def test_a_batch_is_started_listed_and_cancelled(aws: LocalAws, mcp: McpServer) -> None:
    settings = [{"runSettingId": name, "parameters": {"sample": name}} for name in ("NA12891", "NA12892")]
    batch = mcp.call(
        "StartAHORunBatch", **START, workflow_id="1", batch_name="trio", batch_run_settings={"inlineSettings": settings}
    )["id"]
    aws.controls.advance(60)
    shown = mcp.call("GetAHOBatch", batch_id=batch)
    assert (shown["status"], shown["totalRuns"]) == ("INPROGRESS", 2)
    assert batch in [each["id"] for each in mcp.call("ListAHOBatches")["batches"]]
    runs = mcp.call("ListAHORunsInBatch", batch_id=batch)["runs"]
    assert sorted(each["runSettingId"] for each in runs) == ["NA12891", "NA12892"]
    mcp.call("CancelAHORunBatch", batch_id=batch)
    aws.controls.advance(60)
    assert mcp.call("GetAHOBatch", batch_id=batch)["status"] == "CANCELLED"
    assert {mcp.call("GetAHORun", run_id=each["runId"])["status"] for each in runs} == {"CANCELLED"}
