"""``make verify-aws`` on the local AWS: the report tells the behaviour that was set, and nothing is left behind."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_aws.process import ROOT, LocalAws
from verify_aws.bench import Bench
from verify_aws.names import RUN_NAME, STACK, TAG
from verify_aws.plan import ask
from verify_aws.questions import QUESTIONS
from verify_aws.verdicts import Outcome

SETTINGS = {"start_rate": None, "stopping": 0.2, "pending": 0.3, "starting": 0.3}
BATCHES = {"batch_creating": 0.2, "batch_pending": 0.2}
DELIVERY = {"retry_delay": 1, "minute": 1, "hour": 720}
LOOKS = ("--pause=0.2", "--limit=30", "--token-looks", "0.1")


def command(aws: LocalAws, folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = aws.environment | {"PYTHONPATH": "constructs:lambda:.", **variables}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "verify_aws", *LOOKS, "--report", str(folder), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=120)[0]


def until_said(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout
    heard = ""
    for line in process.stdout:
        heard += line
        if words in line:
            return heard
    raise AssertionError(heard)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(settings=SETTINGS | BATCHES, delivery=DELIVERY) as local:
        local.bootstrap()
        yield local


@pytest.fixture(scope="module")
def killed(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report of one that was killed amid its experiments; its stack and runs are there."""
    folder = tmp_path_factory.mktemp("report")
    process = command(aws, folder, "--yes", "--only", "start", "end")
    until_said(process, "token-active: ")
    os.killpg(process.pid, signal.SIGKILL)
    said(process)
    return folder


@pytest.fixture
def bench(aws: LocalAws, killed: Path) -> Iterator[Bench]:
    """The bench on that stack."""
    del killed

    def client(service: str, **how: Any) -> Any:
        return aws.client(service, **how)

    yield Bench(client, "tested", pause=0.2, limit=4.0, token_looks=(0.1,), say=lambda _: None)
    aws.controls.settings(**DEFAULTS)
    aws.controls.delivery(**UNDISTURBED)
    aws.controls.clear_faults()
    for name in ("Answered", "Silent"):
        cloudformation = aws.client("cloudformation")
        cloudformation.delete_stack(StackName=f"{STACK}{name}")
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=f"{STACK}{name}", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )


DEFAULTS: Mapping[str, Any] = {
    "token": "replay",
    "token_remembered": None,
    "token_ends_with_run": False,
    "cancel_of_finished": "conflict",
    "rerun_has_tags": False,
    "default_storage": None,
    "group_runs": None,
    "group_high_first": True,
    "event_lacks": [],
    "cancel_needs_tag": None,
    "lag": 0.0,
}
UNDISTURBED: Mapping[str, Any] = {
    "tells_timeout": True,
    "tells_signed": True,
    "made_up": "{stack}-{resource}-{code}",
    "describe_lag": 0.0,
    "describe_rate": None,
}


def test_without_yes_it_says_what_it_would_do_and_cost_and_does_nothing(aws: LocalAws, tmp_path: Path) -> None:
    calls = len(aws.controls.journal())
    told = said(command(aws, tmp_path))
    assert told.startswith(f"Account 123456789012, region us-east-1, at {aws.url}\n")
    assert re.search(r"Cost: about \$0\.1\d if ", told)
    assert "https://aws.amazon.com/healthomics/pricing/" in told
    for question in QUESTIONS.values():
        assert question.asks in told
    assert "Nothing was done. To do it: make verify-aws yes=yes" in told
    assert len(aws.controls.journal()) == calls
    assert not list(tmp_path.iterdir())


def test_without_credentials_it_refuses_politely(aws: LocalAws, tmp_path: Path) -> None:
    nobody = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    process = command(
        aws, tmp_path, "--yes", AWS_SHARED_CREDENTIALS_FILE="/nowhere", AWS_CONFIG_FILE="/nowhere", **nobody
    )
    told = said(process)
    assert process.returncode == 2
    assert "verify-aws: No AWS account can be reached: Unable to locate credentials" in told
    assert "Traceback" not in told


def test_what_was_answered_before_it_was_killed_is_in_the_report(killed: Path) -> None:
    report = (killed / "report.md").read_text()
    assert "StartRun with the token of an active run? (`token-active`)" in report
    assert "**as assumed**: StartRun answers with the earlier run" in report
    assert re.search(r"^Not asked: .*\btoken-ended\b", report, re.MULTILINE)
    assert "123456789012" not in report


CASES: list[tuple[str, dict[str, Any], dict[str, tuple[Outcome, str]]]] = [
    ("start", {"token": "conflict", "default_storage": "STATIC"}, {
        "token-active": (Outcome.SURVIVED, "ConflictException"),
        "storage-default": (Outcome.AS_ASSUMED, "STATIC"),
    }),
    ("start", {"token_remembered": 0, "default_storage": "DYNAMIC"}, {
        "token-active": (Outcome.SURVIVED, "the token is forgotten"),
        "storage-default": (Outcome.AS_ASSUMED, "DYNAMIC"),
    }),
    ("start", {"lag": 1e9}, {
        "lag-get": (Outcome.NOT_SURVIVED, "not shown within 4 s"),
        "lag-list": (Outcome.NOT_SURVIVED, "not shown within 4 s"),
        "lag-tags": (Outcome.NOT_SURVIVED, "not shown within 4 s"),
        "storage-default": (Outcome.UNANSWERED, "ResourceNotFoundException"),
    }),
    ("end", {"token_ends_with_run": True, "cancel_of_finished": "validation", "rerun_has_tags": True}, {
        "cancel-finished": (Outcome.AS_ASSUMED, "ValidationException"),
        "token-ended": (Outcome.SURVIVED, "the token is forgotten"),
        "rerun-tags": (Outcome.SURVIVED, "a rerun has the original's tags: verify-cdk-healthomics-original"),
    }),
    ("end", {"token": "conflict", "cancel_of_finished": "not-found"}, {
        "cancel-finished": (Outcome.AS_ASSUMED, "ResourceNotFoundException"),
        "token-ended": (Outcome.SURVIVED, "ConflictException"),
        "token-later": (Outcome.SURVIVED, "s after the first StartRun: ConflictException"),
        "rerun-tags": (Outcome.AS_ASSUMED, "only the tags that it is given"),
    }),
    ("priority", {"group_runs": 1}, {"priority": (Outcome.AS_ASSUMED, "priority 100 before 1")}),
    ("priority", {"group_runs": 1, "group_high_first": False}, {
        "priority": (Outcome.AS_ASSUMED, "priority 1 before 100"),
    }),
    ("priority", {}, {"priority": (Outcome.UNANSWERED, "the run group did not make them wait")}),
    ("condition", {}, {"cancel-condition": (Outcome.SURVIVED, "with the tag: accepted; without: accepted")}),
    ("condition", {"cancel_needs_tag": "verify-cdk-healthomics-cancellable"}, {
        "cancel-condition": (Outcome.AS_ASSUMED, "with the tag: accepted; without: AccessDeniedException"),
    }),
    ("condition", {"cancel_needs_tag": "never"}, {
        "cancel-condition": (Outcome.NOT_SURVIVED, "with the tag: AccessDeniedException"),
    }),
    ("events", {"event_lacks": ["workflowName"]}, {"event-fields": (Outcome.SURVIVED, "missing: workflowName;")}),
    ("events", {"event_lacks": ["runName"]}, {"event-fields": (Outcome.NOT_SURVIVED, "missing: runName;")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings", "expected"), CASES, ids=[f"{name}-{'-'.join(how)}" for name, how, _ in CASES]
)
def test_healthomics_behaves_as_set_and_the_report_says_so(
    aws: LocalAws, bench: Bench, name: str, settings: dict[str, Any], expected: dict[str, tuple[Outcome, str]]
) -> None:
    aws.controls.settings(**settings)
    check(bench, name, expected)


def test_a_lag_is_measured(aws: LocalAws, bench: Bench) -> None:
    aws.controls.settings(lag=1.5)
    observed = dict(ask(bench, "start"))
    lags = [observed[f"lag-{what}"]["lag"] for what in ("get", "list", "tags")]
    assert 0.1 < max(lags) < 4.0, lags  # each answer draws how late it is: not all three are lucky


REQUESTS: list[tuple[str, dict[str, Any], dict[str, tuple[Outcome, str]]]] = [
    ("requests", {"tells_timeout": False, "tells_signed": False, "describe_lag": 1.0, "describe_rate": 2.0}, {
        "service-timeout": (Outcome.NOT_SURVIVED, "it is not in ResourceProperties"),
        "signed": (Outcome.SURVIVED, "no X-Amz-Date; there are: none"),
        "describe-lag": (Outcome.AS_ASSUMED, "shown after 1"),
        "describe-quota": (Outcome.SURVIVED, "throttled (Throttling)"),
    }),
    ("requests", {"describe_lag": 600.0, "hour": 3600.0}, {
        "service-timeout": (Outcome.AS_ASSUMED, "it is there, as '120'"),
        "signed": (Outcome.AS_ASSUMED, "X-Amz-Date among X-Amz-Date, X-Amz-Expires"),
        "describe-lag": (Outcome.NOT_SURVIVED, "not shown within 2 s"),
        "describe-quota": (Outcome.AS_ASSUMED, "none throttled"),
    }),
    ("silence", {"hour": 720.0}, {"placeholder": (Outcome.AS_ASSUMED, f"a Delete of '{STACK}Silent-Probed-")}),
    ("silence", {"hour": 720.0, "made_up": "none-{code}"}, {"placeholder": (Outcome.NOT_SURVIVED, "Delete of 'none-")}),
    ("silence", {"hour": 720.0, "made_up": None}, {"placeholder": (Outcome.NOT_SURVIVED, "no Delete came")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "delivery", "expected"), REQUESTS, ids=[f"{name}-{'-'.join(how)}" for name, how, _ in REQUESTS]
)
def test_cloudformation_behaves_as_set_and_the_report_says_so(
    aws: LocalAws, bench: Bench, name: str, delivery: dict[str, Any], expected: dict[str, tuple[Outcome, str]]
) -> None:
    aws.controls.delivery(**delivery)
    check(bench, name, expected)


def test_roles_that_cannot_be_taken_on_are_told(aws: LocalAws, bench: Bench) -> None:
    aws.controls.fault("StartRun", "role-not-assumable")
    expected = {"role-refused": (Outcome.AS_ASSUMED, "ValidationException: HealthOmics cannot assume the role")}
    check(bench, "trust", expected | {"trust-run": (Outcome.AS_ASSUMED, "taken on; the run was")})

    aws.controls.fail_next_batch("ACCESS_DENIED", "cannot assume the role")
    told = "run/*: cannot assume the role; runBatch/*: taken on"
    check(bench, "batches", {"trust-batch": (Outcome.AS_ASSUMED, told)})


def check(bench: Bench, name: str, expected: Mapping[str, tuple[Outcome, str]]) -> None:
    verdicts = {question: QUESTIONS[question].verdict(seen) for question, seen in ask(bench, name)}
    for question, (outcome, words) in expected.items():
        assert verdicts[question].outcome is outcome, verdicts[question]
        assert words in verdicts[question].seen


def test_one_that_is_stopped_removes_everything_but_what_is_a_strangers(
    aws: LocalAws, killed: Path, tmp_path: Path
) -> None:
    del killed
    omics = aws.client("omics")
    request = {"workflowId": "1", "roleArn": "arn:aws:iam::123456789012:role/theirs", "outputUri": "s3://b/r"}
    stranger = omics.start_run(**request, name=RUN_NAME, requestId="stranger")["id"]

    process = command(aws, tmp_path, "--yes", "--only", "start", "end")
    until_said(process, "token-active: ")
    process.send_signal(signal.SIGTERM)
    told = said(process)
    assert process.returncode == 130, told
    assert "Nothing is left." in told
    assert [run["id"] for run in aws.controls.runs() if run["status"] != "DELETED"] == [stranger]
    assert f"{STACK}" not in str(aws.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"]))
    answers = json.loads((tmp_path / "report.json").read_text())["answers"]
    assert {"lag-get", "token-active"} <= answers.keys()


def test_the_second_command_finds_what_is_left_by_its_tag(aws: LocalAws, tmp_path: Path) -> None:
    omics, tags = aws.client("omics"), {TAG: "killed"}
    request = {"workflowId": "1", "roleArn": "arn:aws:iam::123456789012:role/r", "outputUri": "s3://b/r"}
    left = omics.start_run(**request, name=RUN_NAME, requestId="left", tags=tags)["id"]
    batch = omics.start_run_batch(
        batchName=RUN_NAME,
        requestId="batch",
        tags=tags,
        defaultRunSetting={**request, "name": RUN_NAME, "runTags": tags},
        batchRunSettings={"inlineSettings": [{"runSettingId": "one"}]},
    )["id"]
    aws.client("cloudformation").create_stack(
        StackName=f"{STACK}Left",
        TemplateBody=json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}),
        Tags=[{"Key": TAG, "Value": "killed"}],
    )
    process = command(aws, tmp_path, "--clean")
    told = said(process)
    assert process.returncode == 0, told
    assert [f"run {left} is " in told, "stack CdkHealthomicsVerifyLeft: deleting" in told] == [True, True]
    tagged = [run for run in aws.controls.runs() if TAG in run["tags"]]
    assert {run["status"] for run in tagged} == {"DELETED"}
    assert [each["status"] for each in aws.controls.batches() if each["id"] == batch] == ["CANCELLED"]
