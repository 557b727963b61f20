"""A bootstrapped local AWS, and the real CDK CLI that deploys an app declared in the test."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from aws_cdk import App, Stack

from local_aws.process import LocalAws

Declare = Callable[[Stack], None]


@dataclass
class Deployment:
    """One stack on the local AWS."""

    aws: LocalAws
    name: str
    folder: Path

    def deploy(
        self, declare: Declare, *, fails: bool = False, parameters: Mapping[str, str] = MappingProxyType({})
    ) -> str:
        """``cdk deploy`` what a test declares, with parameters; returns what the CLI said."""
        given = (part for name, value in parameters.items() for part in ("--parameters", f"{name}={value}"))
        done = self._cdk(declare, "deploy", "--require-approval", "never", *given)
        assert bool(done.returncode) is fails, done.stdout
        return str(done.stdout)

    def destroy(self) -> str:
        """``cdk destroy``; returns what the CLI said."""
        done = self._cdk(lambda _: None, "destroy", "--force")
        assert done.returncode == 0, done.stdout
        return str(done.stdout)

    def runs(self) -> list[dict[str, Any]]:
        """The runs of this stack that HealthOmics holds, oldest first."""
        return [run for run in self.aws.controls.runs() if f":stack/{self.name}/" in str(run["tags"])]

    def active(self) -> list[str]:
        """The ids of those that have not ended."""
        return [run["id"] for run in self.runs() if run["status"] in {"PENDING", "STARTING", "RUNNING", "STOPPING"}]

    def _cdk(self, declare: Declare, *command: str) -> Any:
        shutil.rmtree(self.folder, ignore_errors=True)
        app = App(outdir=str(self.folder))
        declare(Stack(app, self.name))
        app.synth()
        return self.aws.cdk(command[0], "--app", str(self.folder), *command[1:], self.name, check=False)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(
        settings={"start_rate": None, "stopping": 0.5, "unknown_workflows": ["404"]},
        delivery={"retry_delay": 1, "minute": 1},
    ) as local:
        local.bootstrap()
        yield local


@pytest.fixture
def deployment(aws: LocalAws, tmp_path: Path, request: pytest.FixtureRequest) -> Deployment:
    name = "".join(part.capitalize() for part in request.node.name.split("_")[1:6])
    return Deployment(aws, name, tmp_path / "cdk.out")
