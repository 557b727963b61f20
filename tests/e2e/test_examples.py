"""Every example, deployed to the local AWS with the real CDK CLI as its first lines say, and destroyed."""

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws.healthomics.service import Response
from local_aws.loopback import serving
from local_aws.process import ROOT, LocalAws
from tests.events import ROLE_ARN

EXAMPLES = ROOT / "examples"
SOURCES = os.pathsep.join(str(ROOT / source) for source in ("constructs", "lambda"))


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    settings = {"start_rate": None, "pending": 0.3, "starting": 0.3, "running": 1e6, "stopping": 0.3}
    with LocalAws(settings=settings, delivery={"minute": 1}) as local:
        local.bootstrap()
        yield local


@dataclass
class Deployed:
    """An example's stack, and what the service behind it holds."""

    aws: LocalAws
    name: str
    out: Path
    context: list[str] = field(default_factory=list)

    def deploy(self, *, fails: bool = False) -> str:
        done = self.aws.cdk(
            "deploy",
            "--app",
            f"python examples/{self.name}.py",
            "--output",
            str(self.out),
            "--require-approval",
            "never",
            *(part for each in self.context for part in ("-c", each)),
            check=False,
            PYTHONPATH=SOURCES,
        )
        assert bool(done.returncode) is fails, done.stdout
        return str(done.stdout)

    def destroy(self) -> None:
        done = self.aws.cdk("destroy", "--app", str(self.out), "--force", check=False)
        assert done.returncode == 0, done.stdout

    @property
    def runs(self) -> list[dict[str, Any]]:
        (template,) = self.out.glob("*.template.json")
        stack = template.name.removesuffix(".template.json")
        return [run for run in self.aws.controls.runs() if f":stack/{stack}/" in str(run["tags"])]


@pytest.fixture
def example(aws: LocalAws, tmp_path: Path) -> Callable[..., Deployed]:
    return lambda name, *context: Deployed(aws, name, tmp_path / "cdk.out", list(context))


def synthesis(name: str, tmp_path: Path, context: str = "{}") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, f"examples/{name}.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": SOURCES, "CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": context},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_example_is_deployed_here_and_listed() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    here, listed = Path(__file__).read_text(), (EXAMPLES / "README.md").read_text()
    assert names
    assert [name for name in names if f'"{name}"' not in here or f"({name}.py)" not in listed] == []
    for name in names:
        assert f'--app "python examples/{name}.py"' in (EXAMPLES / f"{name}.py").read_text()


def test_a_private_workflow_its_group_and_cache_are_made_before_the_run_and_removed_after_it(
    example: Callable[..., Deployed],
) -> None:
    deployed = example("private_workflow")
    deployed.deploy()
    (run,) = deployed.runs
    assert run["parameters"]["copies"] == 3
    assert {run[name].isdecimal() for name in ("workflowId", "runGroupId", "cacheId")} == {True}
    deployed.destroy()  # the group refuses to go while its run is active
    assert [run["status"] for run in deployed.runs] == ["CANCELLED"]


def test_a_ready2run_workflow_runs_with_the_parameters_of_a_file(example: Callable[..., Deployed]) -> None:
    deployed = example(
        "ready2run",
        "workflow_id=9500764",
        "bucket=my-bucket",
        "parameters_file=examples/parameters/warp-germline.json",
    )
    deployed.deploy()
    (run,) = deployed.runs
    assert (run["workflowId"], run["workflowType"]) == ("9500764", "READY2RUN")
    deployed.destroy()


def test_a_rerun_names_the_earlier_run_and_another_attempt_runs_it_once_more(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    earlier = aws.client("omics").start_run(
        workflowId="1", roleArn=ROLE_ARN, outputUri="s3://b/o", requestId="earlier"
    )["id"]
    deployed = example("rerun", f"run_id={earlier}", "bucket=my-bucket", "attempt=1")
    deployed.deploy()
    assert [run["runId"] for run in deployed.runs] == [earlier]
    deployed.context[-1] = "attempt=2"
    deployed.deploy()
    assert [run["runId"] for run in deployed.runs] == [earlier, earlier]
    deployed.destroy()


def test_a_run_in_a_vpc_names_the_configuration_that_is_deleted_after_it(example: Callable[..., Deployed]) -> None:
    deployed = example("vpc")
    deployed.deploy()
    (run,) = deployed.runs
    assert (run["networkingMode"], run["configurationName"]) == ("VPC", "isolated")
    deployed.destroy()
    assert [run["status"] for run in deployed.runs] == ["CANCELLED"]


def test_a_sample_sheet_starts_a_run_for_each_sample_and_a_line_more_only_one_more(
    example: Callable[..., Deployed], tmp_path: Path
) -> None:
    sheet = tmp_path / "samples.csv"
    sheet.write_text((EXAMPLES / "samples.csv").read_text())
    deployed = example("sample_sheet", f"sheet={sheet}")
    deployed.deploy()
    assert [run["parameters"]["sample_name"] for run in deployed.runs] == ["NA12878", "NA12891", "NA12892"]
    before = [run["id"] for run in deployed.runs]
    with sheet.open("a") as lines:
        lines.write("NA24385,s3://my-bucket/a_1.fastq.gz,s3://my-bucket/a_2.fastq.gz\n")
    deployed.deploy()
    assert [run["id"] for run in deployed.runs][:-1] == before
    assert deployed.runs[-1]["parameters"]["fastq"] == ["s3://my-bucket/a_1.fastq.gz", "s3://my-bucket/a_2.fastq.gz"]
    deployed.destroy()
    assert {run["status"] for run in deployed.runs} == {"CANCELLED"}


def test_a_workflow_of_an_included_template_is_made_with_it_and_run(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    deployed = example("included_template")
    deployed.deploy()
    (run,) = deployed.runs
    (made,) = (
        each["PhysicalResourceId"]
        for each in aws.client("cloudformation").describe_stack_resources(StackName="IncludedTemplate")[
            "StackResources"
        ]
        if each["ResourceType"] == "AWS::Omics::Workflow"
    )
    assert run["workflowId"] == made
    assert run["parameters"]["container"].endswith("/ubuntu:24.04")
    deployed.destroy()
    assert [run["status"] for run in deployed.runs] == ["CANCELLED"]


def test_a_repository_lets_healthomics_in_before_the_run_that_pulls_from_it_starts(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    deployed = example("private_image")
    deployed.deploy()
    assert deployed.runs == []
    deployed.context = ["tag=1.0"]
    deployed.deploy()
    (run,) = deployed.runs
    name = run["parameters"]["container"].partition("/")[2].removesuffix(":1.0")
    (statement,) = json.loads(aws.client("ecr").get_repository_policy(repositoryName=name)["policyText"])["Statement"]
    assert statement["Principal"] == {"Service": "omics.amazonaws.com"}
    deployed.destroy()
    assert [run["status"] for run in deployed.runs] == ["CANCELLED"]


def test_inputs_of_others_are_granted_as_they_are_named_and_an_encrypted_bucket_with_its_key(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    deployed = example("inputs_elsewhere")
    deployed.deploy()
    (run,) = deployed.runs
    role = run["roleArn"].rpartition("/")[2]
    iam = aws.client("iam")
    allowed = [
        (action, resource)
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for statement in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        for resource in ([statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"])
    ]
    for bucket, rest in (
        ("public-references", "hg38/hg38.fa"),
        ("public-references", "hg38/hg38.fa.fai"),
        ("lab-panels", "exome/*"),
    ):
        assert ("s3:GetObject", f"arn:aws:s3:::{bucket}/{rest}") in allowed
    assert ("s3:ListBucket", "arn:aws:s3:::lab-panels") in allowed
    assert ("s3:ListBucket", "arn:aws:s3:::public-references") not in allowed
    assert ("s3:GetObject*", "arn:aws:s3:::encrypted-patients/NA12878/*") in allowed
    assert [action for action, resource in allowed if ":key/1234abcd-" in resource] == [
        "kms:Decrypt",
        "kms:DescribeKey",
    ]
    deployed.destroy()


def test_a_cohort_of_a_thousand_samples_is_a_batch_with_a_file_that_goes_with_its_stack(
    aws: LocalAws, example: Callable[..., Deployed], tmp_path: Path
) -> None:
    deployed = example("sample_cohort")
    deployed.deploy()
    (file,) = (path for path in deployed.out.glob("asset.*.json") if isinstance(json.loads(path.read_text()), list))
    settings = json.loads(file.read_text())
    assert len(settings) == 1000
    assert settings[0] == {
        "runSettingId": "HG00096",
        "parameters": {"sample": "HG00096", "bam": "s3://my-bucket/HG00096.bam", "sex": "male"},
        "runTags": {"sex": "male"},
    }
    (first,) = batches(aws)
    assert first["name"].startswith("Cohort-Batch")
    sheet = tmp_path / "two.csv"
    sheet.write_text("sample,bam,sex\nNA1,s3://my-bucket/1.bam,female\nNA2,s3://my-bucket/2.bam,male\n")
    deployed.context = [f"sheet={sheet}"]
    deployed.deploy()  # another sheet is another batch
    first, second = batches(aws)
    assert (first["status"], second["status"] == "CANCELLED") == ("CANCELLED", False)
    deployed.destroy()
    assert [each["status"] for each in batches(aws)] == ["CANCELLED", "CANCELLED"]
    assert [run for run in aws.controls.runs() if run.get("batchId") and run["status"] != "CANCELLED"] == []


def batches(aws: LocalAws) -> list[dict[str, Any]]:
    return aws.controls.batches()


def test_a_bad_sample_sheet_is_told_by_file_and_line_all_at_once(tmp_path: Path) -> None:
    sheet = tmp_path / "bad.csv"
    sheet.write_text(
        "sample,fastq_1,fastq_2\n"
        "NA1,s3://b/1.fq,s3://b/2.fq\n"
        "NA1,s3://b/1.fq,s3://b/2.fq\n"
        "NA-2,/home/me/1.fq,s3://b/2.fq\n"
        "NA3,s3://b/1.fq\n"
    )
    done = synthesis("sample_sheet", tmp_path / "out", f'{{"sheet": "{sheet}"}}')
    meaning = "it names the run's resource"
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{sheet}:3: sample 'NA1' is on line 2 already; each must be there once",
        f"{sheet}:4: sample was 'NA-2'; must be letters and digits that begin with a letter: {meaning}",
        f"{sheet}:4: fastq_1 was '/home/me/1.fq'; must be the S3 URI of a file, such as s3://bucket/reads.fastq.gz",
        f"{sheet}:5: must have 3 fields: sample, fastq_1, fastq_2",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{sheet}:1: the columns were None; must be sample, fastq_1, fastq_2"),
        ("name,reads\n", "{sheet}:1: the columns were ['name', 'reads']; must be sample, fastq_1, fastq_2"),
        ("sample,fastq_1,fastq_2\n", "{sheet}: has no samples"),
        (None, "{sheet}: cannot be read: [Errno 2] No such file or directory: '{sheet}'"),
    ],
)
def test_a_sheet_without_samples_is_told(tmp_path: Path, content: str | None, message: str) -> None:
    sheet = tmp_path / "sheet.csv"
    if content is not None:
        sheet.write_text(content)
    done = synthesis("sample_sheet", tmp_path / "out", f'{{"sheet": "{sheet}"}}')
    assert (done.returncode, done.stderr.strip()) == (1, message.format(sheet=sheet))


def test_an_account_with_rules_gets_a_function_that_keeps_them(aws: LocalAws, example: Callable[..., Deployed]) -> None:
    deployed = example("regulated", "boundary=regulated-workloads")
    deployed.deploy()
    (run,) = deployed.runs
    assert run["tags"]["data-classification"] == "restricted"
    functions = aws.client("lambda").list_functions()["Functions"]
    (function,) = (each for each in functions if each["FunctionName"].startswith("Regulated-ProviderFunction"))
    (logs,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=function["LoggingConfig"]["LogGroup"])[
        "logGroups"
    ]
    assert logs["retentionInDays"] == 3653
    deployed.destroy()
    assert [each["status"] for each in deployed.runs] == ["CANCELLED"]


@pytest.mark.parametrize("name", ["ready2run", "regulated", "rerun", "validated_release", "wait_and_notify"])
def test_an_example_that_must_be_told_something_says_what(tmp_path: Path, name: str) -> None:
    done = synthesis(name, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Say ")
    assert "-c " in done.stderr


def test_a_deployment_waits_for_its_run_and_people_hear_of_a_failure(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    aws.controls.settings(running=2.0)
    deployed = example("wait_and_notify", "email=lab@example.org")
    deployed.deploy()
    (run,) = deployed.runs
    assert run["status"] == "COMPLETED"

    heard: queue.Queue[dict[str, Any]] = queue.Queue()

    def hear(_: str, __: str, ___: str, body: bytes) -> Response:
        heard.put(json.loads(body))
        return Response(200, {}, b"")

    sns = aws.client("sns")
    (topic,) = (each["TopicArn"] for each in sns.list_topics()["Topics"] if ":WaitAndNotify-" in each["TopicArn"])
    assert [each["Endpoint"] for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]] == [
        "lab@example.org"
    ]
    with serving(hear) as url:
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
        sns.confirm_subscription(TopicArn=topic, Token=heard.get(timeout=30)["Token"])
        aws.controls.end(run["id"], "FAILED")
        told = json.loads(heard.get(timeout=30)["Message"])
    assert (told["detail"]["status"], told["detail"]["runId"]) == ("FAILED", run["id"])
    deployed.destroy()


def test_the_second_run_of_a_chain_reads_what_the_first_has_written(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    aws.controls.settings(running=2.0)
    deployed = example("chain")
    deployed.deploy()
    first, second = deployed.runs
    assert first["status"] == "COMPLETED"
    assert second["parameters"]["alignments"] == first["runOutputUri"]
    first_at, second_at = (datetime.fromisoformat(run["creationTime"]) for run in (first, second))
    assert second_at - first_at >= timedelta(seconds=2), "it was started when the first had completed"
    deployed.destroy()


def test_a_version_is_released_when_its_validation_has_completed_and_not_when_it_fails(
    aws: LocalAws, example: Callable[..., Deployed]
) -> None:
    def released() -> str:
        return str(aws.client("ssm").get_parameter(Name="/workflows/greeting/released")["Parameter"]["Value"])

    aws.controls.settings(running=2.0)
    first = example("validated_release", "version=2026-11")
    first.deploy()
    (good,) = first.runs
    assert (good["status"], good["workflowVersionName"], released()) == ("COMPLETED", "2026-11", "2026-11")

    aws.controls.fail_next("RUN_TASK_FAILED", "Task main exited with 1")
    second = example("validated_release", "version=2026-12")
    said = " ".join(second.deploy(fails=True).split())
    assert "is FAILED: RUN_TASK_FAILED: Task main exited with 1" in said
    assert [(run["status"], run["workflowVersionName"]) for run in second.runs] == [
        ("COMPLETED", "2026-11"),
        ("FAILED", "2026-12"),
    ]
    assert released() == "2026-11"
    second.destroy()
