"""What follows from what ``make verify-aws`` sees: pure, and about things that exist."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from verify_aws.app import WORKFLOW
from verify_aws.plan import EXPERIMENTS
from verify_aws.questions import QUESTIONS
from verify_aws.report import Report, masked
from verify_aws.verdicts import FIELDS, Outcome

ROOT = Path(__file__).parents[2]
AS, SURVIVED, NOT = Outcome.AS_ASSUMED, Outcome.SURVIVED, Outcome.NOT_SURVIVED
CASES: list[tuple[str, dict[str, Any], Outcome, str]] = [
    ("token-active", {"answer": "replayed"}, AS, "the earlier run"),
    ("token-active", {"answer": "ConflictException"}, SURVIVED, "ConflictException"),
    ("token-ended", {"answer": "new run"}, SURVIVED, "forgotten"),
    ("token-ended", {"answer": "ValidationException"}, NOT, "ValidationException"),
    (
        "token-later",
        {"looks": [(60, "replayed"), (900, "replayed")]},
        AS,
        "900 s after the first StartRun: StartRun ans",
    ),
    ("token-later", {"looks": [(60, "replayed"), (300, "new run")]}, SURVIVED, "until 60 s as before; 300 s after"),
    ("cancel-finished", {"answer": "ConflictException"}, AS, "Conflict"),
    ("cancel-finished", {"answer": "accepted"}, SURVIVED, "accepted"),
    ("cancel-finished", {"answer": "InternalServerException"}, NOT, "Internal"),
    ("lag-list", {"lag": 4.9, "waited": 60}, AS, "shown after 4.9 s"),
    ("lag-list", {"lag": 5.1, "waited": 60}, NOT, "shown after 5.1 s"),
    ("lag-get", {"lag": 9.0, "waited": 60}, AS, "shown after 9.0 s"),
    ("lag-get", {"lag": None, "waited": 60}, NOT, "not shown within 60 s"),
    ("describe-quota", {"calls": 40, "seconds": 4, "throttled": 9, "code": "Throttling"}, AS, "10 calls a second"),
    ("describe-quota", {"calls": 4, "seconds": 4, "throttled": 9, "code": "Throttling"}, SURVIVED, "1 calls a second"),
    ("placeholder", {"deleted": True, "physicalId": "Stack-Run-1A"}, AS, "a Delete of 'Stack-Run-1A'"),
    ("placeholder", {"deleted": True, "physicalId": "1/2"}, NOT, "a Delete of '1/2'"),
    ("placeholder", {"deleted": True, "physicalId": None}, NOT, "without PhysicalResourceId"),
    ("service-timeout", {"serviceTimeout": "12", "asked": "120"}, NOT, "'12' for '120'"),
    ("signed", {"urlNames": ["Expires", "Signature"], "signed": None}, SURVIVED, "there are: Expires, Signature"),
    ("trust-run", {"status": "FAILED", "refused": "ASSUME_ROLE_FAILED: no"}, NOT, "ASSUME_ROLE_FAILED"),
    ("trust-batch", {"run": "no", "runBatch": "no"}, NOT, "run/*: no; runBatch/*: no"),
    ("trust-batch", {"run": None, "runBatch": "no"}, AS, "run/*: taken on"),
    ("event-fields", {"events": 1, "fields": sorted(FIELDS | {"new"})}, AS, "more: new"),
    ("event-fields", {"events": 0, "fields": []}, Outcome.UNANSWERED, "no event came"),
    ("role-refused", {"code": "accepted", "message": "", "again": False}, SURVIVED, "fails later"),
    (
        "role-refused",
        {"code": "ValidationException", "message": "bad", "again": False},
        NOT,
        "ValidationException: bad",
    ),
    ("priority", {"first": [1, 100]}, Outcome.UNANSWERED, "both between two looks"),
    ("rerun-tags", {"error": "StartRun was throttled"}, Outcome.UNANSWERED, "StartRun was throttled"),
]


@pytest.mark.parametrize(("question", "observed", "outcome", "seen"), CASES)
def test_what_follows(question: str, observed: dict[str, Any], outcome: Outcome, seen: str) -> None:
    verdict = QUESTIONS[question].verdict(observed)
    assert verdict.outcome is outcome
    assert seen in verdict.seen
    assert verdict.follows


def test_what_is_otherwise_and_survived_names_who_holds_it() -> None:
    for question, observed, outcome, _ in CASES:
        if outcome is SURVIVED and observed.get("answer") != "accepted" and question != "rerun-tags":
            assert QUESTIONS[question].verdict(observed).held_by, question


def test_each_question_is_asked_by_one_experiment() -> None:
    asked = [each for experiment in EXPERIMENTS.values() for each in experiment.answers]
    assert sorted(asked) == sorted(QUESTIONS)


def test_what_is_named_exists() -> None:
    held = {test for question, observed, _, _ in CASES for test in QUESTIONS[question].verdict(observed).held_by}
    assert held
    for test in held:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert not name or name in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}, test
    for question in QUESTIONS.values():
        for path in re.findall(r"\b(?:docs|lambda|constructs|examples)/[\w/.-]+", question.home):
            assert (ROOT / path.rstrip(".")).exists(), question.home
    assert (WORKFLOW / "main.wdl").exists()


def test_a_report_keeps_earlier_answers_of_the_region_and_no_account(tmp_path: Path) -> None:
    first = Report(tmp_path, {"region": "us-east-1"})
    first.add("token-active", {"answer": "ConflictException"})
    again = Report(tmp_path, {"region": "us-east-1"})
    again.add("rerun-tags", {"error": "arn:aws:omics:us-east-1:123456789012:run/1234567 is denied"})
    assert [each for each, _ in again.rows()] == ["token-active", "rerun-tags"]
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "123456789012" not in written
    assert masked("arn:aws:omics:us-east-1:123456789012:run/1234567") in written
    assert Report(tmp_path, {"region": "eu-west-1"}).rows() == []


def test_the_table_fits_its_width(tmp_path: Path) -> None:
    report = Report(tmp_path, {"region": "us-east-1"})
    for question, observed, _, _ in CASES:
        report.add(question, observed)
    assert max(map(len, report.table(120).splitlines())) <= 120
