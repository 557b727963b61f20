"""The demo app's own checks: every mistake in its context is one message, never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from app import ROOT, make_stack
from cdk_healthomics import ValidationError
from cdk_healthomics_handler.names import RESOURCE_TYPE

PARAMETERS = ROOT / "examples" / "parameters" / "warp-germline.json"
GOOD: dict[str, Any] = {"workflow_id": "1234567", "output_uri": "s3://bucket/runs", "parameters_file": str(PARAMETERS)}
WORKFLOW = "the workflow to run, such as 1234567; give it with -c workflow_id=…"
WANTED = "must be a JSON file with the workflow's inputs"


def synthesized(**context: Any) -> dict[str, Any]:
    return dict(Template.from_stack(make_stack(App(context={**GOOD, **context}))).to_json())


def test_the_example_parameters_reach_the_run_to_the_letter() -> None:
    (run,) = (each for each in synthesized()["Resources"].values() if each["Type"] == RESOURCE_TYPE)
    assert json.loads(run["Properties"]["Parameters"]) == json.loads(PARAMETERS.read_text())


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"workflow_id": ""}, f"workflow_id is missing: {WORKFLOW}"),
        (
            {"parameters_file": "nowhere.json"},
            "parameters_file was 'nowhere.json': the file cannot be read (No such file or directory); ",
        ),
        ({"parameters_file": "{folder}"}, "parameters_file was '{folder}': the file cannot be read (Is a directory); "),
        ({"parameters_file": "{file}"}, "parameters_file was '{file}': the file holds an array, not a JSON object; "),
    ],
    ids=["empty", "no-file", "folder", "list"],
)
def test_what_is_missing_or_wrong_is_told(context: dict[str, str], message: str, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text("[1]")
    places = {"folder": tmp_path, "file": file}
    whole = message.format(**places) + (WANTED if message.endswith("; ") else "")
    with pytest.raises(SystemExit) as stop:
        synthesized(**{key: value.format(**places) for key, value in context.items()})
    assert stop.value.code == f"The app's context is not complete:\n  - {whole}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "the file has the key 'a' more than once in one object, and it must be once"),
        (
            '{"a": 1, "n": [{"b": 1, "b": 1}], "a": 3}',
            "the file has keys 'b', 'a' more than once in one object, and each of them must be once",
        ),
        ('{"a": 1,\n  "b": 2,\n}', "the file does not hold JSON (a comma before the closing }: line 2 column 9)"),
        ('{"a": [1, 2 , ]}', "the file does not hold JSON (a comma before the closing ]: line 1 column 13)"),
        ('{"a": [1, 2 3]}', "the file does not hold JSON (Expecting ',' delimiter: line 1 column 13 (char 12))"),
        ("", "the file does not hold JSON (Expecting value: line 1 column 1 (char 0))"),
        ("null", "the file holds null, not a JSON object"),
        ("true", "the file holds a boolean, not a JSON object"),
        ('"text"', "the file holds a string, not a JSON object"),
        ("1.5", "the file holds a number, not a JSON object"),
    ],
)
def test_a_file_that_holds_something_else_is_told_in_json_s_own_words(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text(content)
    with pytest.raises(SystemExit) as stop:
        synthesized(parameters_file=str(file))
    told = f"parameters_file was '{file}': {said}; {WANTED}"
    assert stop.value.code == f"The app's context is not complete:\n  - {told}"


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"a": 1}', encoding="utf-16")
    with pytest.raises(SystemExit, match=r"the file does not hold JSON \('utf-8' codec can't decode byte 0xff"):
        synthesized(parameters_file=str(file))


def test_nesting_beyond_what_can_be_read_is_told_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"a": ' + "[" * 3_000 + "]" * 3_000 + "}")
    # A process of its own: what tests need may have raised Python's limit in this one.
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps({**GOOD, "parameters_file": str(file)})},
        capture_output=True,
        text=True,
        check=False,
    )
    # Which of the two meets it first, reader or construct, depends on Python's version.
    assert done.returncode == 1
    assert "nested hundreds of levels deep" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_byte_order_mark_is_no_part_of_the_inputs(tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text('{"sample": "NA12878"}', encoding="utf-8-sig")
    (run,) = (
        each for each in synthesized(parameters_file=str(file))["Resources"].values() if each["Type"] == RESOURCE_TYPE
    )
    assert run["Properties"]["Parameters"] == '{"sample":"NA12878"}'


def test_a_value_of_another_kind_is_told_by_the_construct() -> None:
    with pytest.raises(ValidationError) as error:
        synthesized(workflow_id={"id": "1"})
    assert error.value.problems == ["""workflow_id was "{'id': '1'}": must match [0-9]+"""]


def test_a_name_that_no_bucket_can_have_is_told_in_the_cdks_words() -> None:
    with pytest.raises(SystemExit) as stop:
        synthesized(output_uri="s3://Not_a_bucket!/runs")
    assert str(stop.value.code).startswith("output_uri was 's3://Not_a_bucket!/runs': ")
    assert "Invalid S3 bucket name" in str(stop.value.code)
