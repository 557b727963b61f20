"""``import cdk_healthomics``: what it offers, and what it leaves for the first run to import."""

import importlib
import os
import subprocess
import sys

import pytest

import cdk_healthomics

LATER = ("aws_cdk.aws_ec2", "aws_cdk.aws_lambda", "aws_cdk.aws_logs", "botocore.model", "urllib3")
"""Half as much again as aws_cdk itself."""


def test_what_only_a_run_needs_is_not_imported() -> None:
    # The oldest aws-cdk-lib that is supported imports all of its modules at once.
    before = "import sys, aws_cdk\nbefore = set(sys.modules)"
    script = f"{before}\nimport cdk_healthomics\nprint(*{set(LATER)!r} & set(sys.modules) - before)"
    printed = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    ).stdout
    assert printed == b"\n"


def test_all_that_is_offered_is_there() -> None:
    assert all(hasattr(cdk_healthomics, name) for name in cdk_healthomics.__all__)
    provider = importlib.import_module("cdk_healthomics.provider")
    assert cdk_healthomics.HealthOmicsRunProvider is provider.HealthOmicsRunProvider


def test_what_is_not_there_is_told_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'cdk_healthomics' has no attribute 'Provider'"):
        cdk_healthomics.Provider  # type: ignore[attr-defined] # noqa: B018 - what is asked for is what raises
