"""miniwdl-omics-run: a WDL file becomes a workflow, a version of it, and a run."""

import json
from pathlib import Path

from local_aws.process import LocalAws
from tests.clients.programs import CLIENTS, run

WDL = """version 1.1
workflow greeting {
  input {
    String who
    Int times = 2
  }
  call greet { input: who, times }
  output { String said = greet.said }
}
task greet {
  input {
    String who
    Int times
  }
  command <<< yes ~{who} | head -n ~{times} >>>
  output { String said = read_string(stdout()) }
  runtime { docker: "greeting" }
}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "omics.amazonaws.com"}}],
}


def test_a_wdl_file_is_submitted_and_a_second_time_its_workflow_is_found(aws: LocalAws, tmp_path: Path) -> None:
    omics, iam = aws.client("omics"), aws.client("iam")
    role = iam.create_role(RoleName="omics", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    group = omics.create_run_group(name="nightly", maxRuns=2)["id"]
    cache = omics.create_run_cache(name="shared", cacheS3Location="s3://bucket/cache")["id"]
    (tmp_path / "greeting.wdl").write_text(WDL)
    submit, settings = [str(CLIENTS / "miniwdl-omics-run"), "greeting.wdl"], ["--output-uri", "s3://bucket/runs"]

    named = ("--run-group", "nightly", "--cache", "shared", "--cache-behavior", "always", "--tag", "team=genomics")
    first = json.loads(
        run([*submit, "who=world", *settings, "--role", "omics", "--name", "first", *named], aws, tmp_path)
    )
    workflow = omics.get_workflow(id=first["workflowId"])
    assert (workflow["name"], workflow["engine"], workflow["main"]) == ("greeting", "WDL", "greeting.wdl")
    assert {name: each["optional"] for name, each in workflow["parameterTemplate"].items()} == {
        "who": False,
        "times": True,
        "greet._runtime": True,
    }
    started = omics.get_run(id=first["runId"])
    assert (started["name"], started["parameters"]) == ("first", {"who": "world"})
    assert (started["roleArn"], started["runGroupId"], started["cacheId"]) == (role, group, cache)
    assert (started["workflowVersionName"], started["cacheBehavior"]) == (first["workflowVersionName"], "CACHE_ALWAYS")
    assert (started["tags"], started["status"]) == ({"team": "genomics"}, "RUNNING")

    second = json.loads(run([*submit, "who=moon", "times=3", *settings, "--role-arn", role], aws, tmp_path))
    assert second["runId"] != first["runId"]
    assert {**second, "runId": 0, "runConsole": ""} == {**first, "runId": 0, "runConsole": ""}
    assert omics.get_run(id=second["runId"])["parameters"] == {"who": "moon", "times": 3}
    versions = omics.list_workflow_versions(workflowId=first["workflowId"])["items"]
    assert [each["versionName"] for each in versions] == [first["workflowVersionName"]]
