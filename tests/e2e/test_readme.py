"""Every command and every code block of the README and of the guides, run as it stands there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.process import ROOT, LocalAws

README = ROOT / "README.md"
FIRST_RUN = ROOT / "docs" / "guides" / "first-run.md"
PAGES = [README, *sorted(FIRST_RUN.parent.glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


PYTHON = {f"{page.stem} {number}": block for page in PAGES for number, block in enumerate(blocks(page, "python"))}
SHELL = blocks(README, "sh")
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
    python = environment / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    # uv links what the package needs, which pip would unpack for half a minute; test_package.py begins with nothing.
    needed = [
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "-r",
        "pyproject.toml",
        "-c",
        "requirements.lock",
    ]
    subprocess.run(needed, cwd=ROOT, check=True)
    assert "pip install ." in COMMANDS
    shell("pip install --quiet .", PATH=f"{python.parent}:{os.environ['PATH']}")
    return python


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
    assert len(blocks(README, "python")) == 4
    assert [re.split(r" -| \.", command)[0] for command in COMMANDS] == [
        "make demo",
        "make test",
        "pip install",
        "make setup",
        "source",
        "npx cdk deploy",
        "npx cdk destroy",
    ]
    assert [page.name for page in PAGES if blocks(page, "sh")] == [
        "README.md",
        "first-run.md",
        "local-aws.md",  # run by test_package.py
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_block_tells_its_language_and_is_closed(page: Path) -> None:
    fences = re.findall(r"^ *```(\w*)", page.read_text(), re.MULTILINE)
    assert all(fences[::2])
    assert set(fences[::2]) <= {"python", "sh", "mermaid", "text"}
    assert set(fences[1::2]) == {""}


ONE_AFTER_THE_OTHER = """
import json, runpy, sys
for block in sys.argv[1:]:
    with open(runpy.run_path(block)["app"].synth().directory + "/Genomes.template.json") as template:
        print(json.dumps(json.load(template)))
"""
"""One process for all of them: importing the CDK costs more than a block does."""


def test_every_code_block_synthesizes_where_the_package_is_installed(installed: Path, tmp_path: Path) -> None:
    for name, block in PYTHON.items():
        (tmp_path / f"{name}.py").write_text(block)
    (sheet,) = (block for page in PAGES for block in blocks(page, "text"))
    (tmp_path / "samples.csv").write_text(sheet)
    apps = " ".join(f"'{name}.py'" for name in PYTHON)
    made = shell(f"cd {tmp_path} && {installed} -c '{ONE_AFTER_THE_OTHER}' {apps}", PYTHONPATH="")
    templates = made.splitlines()
    assert len(templates) == len(PYTHON)
    assert all('"Custom::HealthOmicsRun' in template for template in templates)


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


def test_the_first_run_of_the_guide_starts_changes_and_ends_as_it_says(
    aws: LocalAws, installed: Path, tmp_path: Path
) -> None:
    (app,) = blocks(FIRST_RUN, "python")
    deploy, destroy = (block.strip() for block in blocks(FIRST_RUN, "sh"))
    known = {run["id"] for run in aws.controls.runs()}
    environment = {**aws.environment, "PATH": f"{installed.parent}:{aws.environment['PATH']}", "PYTHONPATH": ""}

    def runs_after(command: str, source: str) -> list[tuple[str, str]]:
        (tmp_path / "genomes.py").write_text(source)
        shell(f"cd {tmp_path}\n{command}", **environment)
        runs = [run for run in aws.controls.runs() if run["id"] not in known]
        return [(run["parameters"]["sample_name"], run["status"]) for run in runs]

    deploy += " --require-approval never"  # nobody can be asked without a terminal
    ((sample, status),) = runs_after(deploy, app)
    assert (sample, status == "CANCELLED") == ("NA12878", False)
    assert len(runs_after(deploy, app)) == 1
    other = app.replace("NA12878", "NA12891")
    (first, (sample, status)) = runs_after(deploy, other)
    assert (first, sample, status == "CANCELLED") == (("NA12878", "CANCELLED"), "NA12891", False)
    assert runs_after(f"{destroy} --force", other) == [("NA12878", "CANCELLED"), ("NA12891", "CANCELLED")]
