"""Every command and every code block of the README, run as it stands there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.process import ROOT, LocalAws

README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
TYPED_AT_A_PROMPT = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
"""These tests may run inside of make, which then would tell its directories."""
COMMANDS = [line.partition("#")[0].strip() for block in SHELL for line in block.splitlines()]


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(settings={"stopping": 0.5}) as local:
        local.bootstrap()
        yield local


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which the README's own command has installed the package."""
    environment = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    assert "pip install ." in COMMANDS
    shell("pip install --quiet .", PATH=f"{environment / 'bin'}:{os.environ['PATH']}")
    return environment / "bin" / "python"


def shell(script: str, **variables: str) -> str:
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**TYPED_AT_A_PROMPT, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_no_block_and_no_command_is_left_out() -> None:
    assert len(PYTHON) == 4
    assert [re.split(r" -| \.", command)[0] for command in COMMANDS] == [
        "make demo",
        "make test",
        "pip install",
        "make setup",
        "source",
        "npx cdk deploy",
        "npx cdk destroy",
    ]
    assert re.findall(r"^```(\w*)", README, re.MULTILINE).count("") == len(re.findall(r"^```\w+", README, re.MULTILINE))


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_a_code_block_synthesizes_where_the_package_is_installed(installed: Path, tmp_path: Path, number: int) -> None:
    (tmp_path / "app.py").write_text(PYTHON[number])
    out = tmp_path / "cdk.out"
    shell(f"cd {tmp_path} && {installed} app.py", CDK_OUTDIR=str(out), PYTHONPATH="")
    assert '"Custom::HealthOmicsRun"' in (out / "Genomes.template.json").read_text()


def test_the_demo_shows_the_run_and_that_it_is_cancelled_and_leaves_nothing_running() -> None:
    shown = shell("make demo")
    assert "The run that HealthOmics has now" in shown
    assert "HealthOmicsDemo/RunC4A32B5F/" in shown
    assert re.search(r"status +CANCELLED", shown)
    assert shown.rstrip().endswith("Everything is stopped.")


def test_make_test_runs_what_is_running_now() -> None:
    assert "-m pytest" in shell("make --dry-run test")


def test_the_commands_that_deploy_the_demo_app_start_a_run_and_cancel_it(aws: LocalAws) -> None:
    (block,) = (block for block in SHELL if "cdk deploy" in block)
    setup, activate, deploy, destroy = block.splitlines()
    shell(f"{setup}\n{activate}\n{deploy} --require-approval never", **aws.environment)
    assert [run["parameters"]["WholeGenomeGermlineSingleSample.scatter_settings"] for run in aws.controls.runs()]
    shell(f"{activate}\n{destroy} --force", **aws.environment)  # nobody can be asked without a terminal
    assert [run["status"] for run in aws.controls.runs()] == ["CANCELLED"]
