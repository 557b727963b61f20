"""A stack to declare runs in, and its template."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, RunSetting
from cdk_healthomics_handler.names import BATCH_TYPE, RESOURCE_TYPE

MINIMAL: Mapping[str, Any] = {"workflow_id": "1234567", "output_uri": "s3://bucket/runs"}


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Genomes")


@pytest.fixture
def declare(stack: Stack) -> Callable[..., HealthOmicsRun]:
    """Declare a run with the fewest arguments, and those given; an argument that is None is left out."""

    def run(construct_id: str = "Run", **arguments: Any) -> HealthOmicsRun:
        asked = {name: value for name, value in {**MINIMAL, **arguments}.items() if value is not None}
        return HealthOmicsRun(stack, construct_id, **asked)

    return run


@pytest.fixture
def properties(stack: Stack, declare: Callable[..., HealthOmicsRun]) -> Callable[..., dict[str, Any]]:
    """Declare a run and return its properties in the template."""

    def of(**arguments: Any) -> dict[str, Any]:
        declare(**arguments)
        (resource,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE).values()
        found: dict[str, Any] = resource["Properties"]
        return found

    return of


@pytest.fixture
def declare_batch(stack: Stack) -> Callable[..., HealthOmicsRunBatch]:
    """Declare a batch of one run, or with the arguments given; an argument that is None is left out."""

    def batch(construct_id: str = "Cohort", **arguments: Any) -> HealthOmicsRunBatch:
        asked = {**MINIMAL, "run_settings": [RunSetting("NA12878")], **arguments}
        return HealthOmicsRunBatch(
            stack, construct_id, **{name: value for name, value in asked.items() if value is not None}
        )

    return batch


@pytest.fixture
def batch_properties(stack: Stack, declare_batch: Callable[..., HealthOmicsRunBatch]) -> Callable[..., dict[str, Any]]:
    """Declare a batch and return its properties in the template."""

    def of(**arguments: Any) -> dict[str, Any]:
        declare_batch(**arguments)
        (resource,) = Template.from_stack(stack).find_resources(BATCH_TYPE).values()
        found: dict[str, Any] = resource["Properties"]
        return found

    return of
