"""The package as its users get it: built, installed into an empty environment, and used from another folder."""

import email
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import cdk_healthomics
from local_aws.process import ROOT

APP = """
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from cdk_healthomics import HealthOmicsRun

stack = Stack(App(), "Elsewhere")
HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", parameters={"scatter": 24})
Template.from_stack(stack).has_resource_properties("Custom::HealthOmicsRun", {"Parameters": '{"scatter":24}'})
print("synthesized")
"""

STACK = """
from aws_cdk import App, CfnOutput, Stack, aws_s3
from cdk_healthomics import HealthOmicsRun

app = App()
stack = Stack(app, "Mine")
run = HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://bucket/runs", parameters={"scatter": 24})
aws_s3.Bucket.from_bucket_name(stack, "Bucket", "bucket").grant_read_write(run.role)
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
"""
GUIDE = (ROOT / "docs" / "guides" / "local-aws.md").read_text()
INSTALL, DEPLOY = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
LOOK = """
python -c "
import boto3, json
(run,) = boto3.client('omics').list_runs()['items']
print(json.dumps([run['id'], json.load(open('outputs.json'))['Mine']['RunId']]))"
kill $!
wait $!
"""


def run(*command: str, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pinned = ("--build-constraints", "requirements-release.lock", "--require-hashes")
    run("uv", "build", "--quiet", "--out-dir", str(folder), *pinned, cwd=ROOT)
    return folder


def test_the_wheel_holds_construct_and_handler_typed_and_no_source_root(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for root in ("constructs/cdk_healthomics", "lambda/cdk_healthomics_handler"):
        folder = ROOT / root
        assert {f"{folder.name}/{path.name}" for path in folder.glob("*.py")} <= names
        assert f"{folder.name}/py.typed" in names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        "cdk_healthomics",
        "cdk_healthomics_handler",
        "cdk_healthomics_local",
    }


def test_the_wheel_says_what_it_is_under_which_licence_and_which_version(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        told = email.message_from_bytes(archive.read(name))
    assert (told["Name"], told["Version"]) == ("cdk-healthomics", cdk_healthomics.__version__)
    assert (told["License-Expression"], told["License-File"]) == ("Apache-2.0", "LICENSE")
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert told.get_all("Project-URL")


def test_the_wheel_that_is_built_from_the_sdist_is_the_same(dist: Path, tmp_path: Path) -> None:
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(sdist), cwd=tmp_path)
    (again,) = tmp_path.glob("*.whl")
    contents = [
        {each.filename: each.CRC for each in zipfile.ZipFile(path).infolist() if "RECORD" not in each.filename}
        for path in (wheel, again)
    ]
    assert contents[0] == contents[1]


def test_the_sdist_holds_what_the_wheel_is_built_from(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "constructs/cdk_healthomics/run.py", "app.py"} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "verify_aws"))]


def test_it_installs_into_an_empty_environment_and_serves_a_stack_from_another_folder(
    dist: Path, tmp_path: Path
) -> None:
    (wheel,) = dist.glob("*.whl")
    run("uv", "venv", "--quiet", "--python", sys.executable, "venv", cwd=tmp_path)
    python = str(tmp_path / "venv" / "bin" / "python")
    run("uv", "pip", "install", "--quiet", "--python", python, str(wheel), cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "app.py").write_text(APP)
    assert "synthesized" in run(python, "app.py", cwd=elsewhere)
    bin_ = tmp_path / "venv" / "bin"
    command = str(bin_ / "cdk-healthomics-local")
    told = subprocess.run([command, "up"], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "pip install 'cdk-healthomics[local]'" in told.stderr

    run("uv", "pip", "install", "--quiet", "--python", python, f"{wheel}[local]", cwd=tmp_path)
    told = subprocess.run([command, "up"], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    (asked,) = [line.rpartition(": ")[2] for line in told.stderr.splitlines()]
    assert asked in INSTALL.splitlines()
    assert asked.startswith("pip install --no-deps ministack==")
    run("uv", *asked.split(), "--quiet", "--python", python, cwd=tmp_path)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    path = os.pathsep.join([str(bin_), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]])
    (elsewhere / "app.py").write_text(STACK)
    script = DEPLOY.replace(" up ", f" up --port={port} ").replace("kill $!\n", LOOK)
    held, deployed = json.loads(run("/bin/sh", "-c", script, cwd=elsewhere, PATH=path).splitlines()[-1])
    assert held == deployed
    assert not (elsewhere / ".local_aws" / "env").exists()
    assert re.search(r"status +CANCELLED\n", run(command, "demo", cwd=elsewhere, PATH=path))
