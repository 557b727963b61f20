"""A run of a workflow that is declared in the same app: its id, its version, and its parameter template."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Fn, Stack, aws_omics
from aws_cdk.assertions import Annotations, Match, Template

from cdk_healthomics import HealthOmicsRun, ValidationError
from cdk_healthomics_handler.names import RESOURCE_TYPE

Declare = Callable[..., HealthOmicsRun]
ANY_SETTINGS = Match.string_like_regexp("engine_settings have no effect")
VERSIONS = hasattr(aws_omics, "CfnWorkflowVersion")
"""The oldest aws-cdk-lib that is supported has none: what they promise cannot be asked there."""
DEFINITION = "s3://bucket/workflow.zip"
TEMPLATE = {
    "sample": aws_omics.CfnWorkflow.WorkflowParameterProperty(description="its name"),
    "ref": {"description": "the reference", "optional": False},
    "scatter": {"optional": True},
}


def workflow(stack: Stack, **arguments: Any) -> aws_omics.CfnWorkflow:
    return aws_omics.CfnWorkflow(stack, "Workflow", definition_uri=DEFINITION, **arguments)


def the_run(stack: Stack) -> dict[str, Any]:
    (run,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE).values()
    return dict(run)


def test_its_id_is_that_of_the_workflow_which_is_made_first(stack: Stack, declare: Declare) -> None:
    declare(workflow_id=None, workflow=workflow(stack))
    run = the_run(stack)
    assert run["Properties"]["WorkflowId"] == {"Fn::GetAtt": ["Workflow", "Id"]}
    assert "Workflow" in run["DependsOn"]


if VERSIONS:

    def test_a_version_names_its_workflow_and_itself(stack: Stack, declare: Declare) -> None:
        version = aws_omics.CfnWorkflowVersion(
            stack,
            "Version",
            workflow_id=workflow(stack).attr_id,
            version_name="v2",
            definition_uri=DEFINITION,
            parameter_template={"sample": {}},
        )
        declare(workflow_id=None, workflow=version, parameters={"sample": "NA12878"})
        run = the_run(stack)
        assert run["Properties"]["WorkflowId"] == {"Fn::GetAtt": ["Workflow", "Id"]}
        assert run["Properties"]["WorkflowVersionName"] == "v2"
        assert "Version" in run["DependsOn"]


def test_unknown_and_missing_parameters_are_told_in_one_message(stack: Stack, declare: Declare) -> None:
    with pytest.raises(ValidationError) as error:
        declare(
            workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE), parameters={"sampel": 1, "x": 2}
        )
    known = "must be one of 'sample', 'ref', 'scatter'"
    remedy = "the workflow's parameter_template requires it; give it, or make it optional there"
    assert error.value.problems == [
        f"parameters['sampel'] is not in the workflow's parameter_template: {known}",
        f"parameters['x'] is not in the workflow's parameter_template: {known}",
        f"parameters['sample'] is missing: {remedy}",
        f"parameters['ref'] is missing: {remedy}",
    ]


def test_required_parameters_are_missing_where_there_are_none_at_all(stack: Stack, declare: Declare) -> None:
    with pytest.raises(ValidationError) as error:
        declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE))
    assert len(error.value.problems) == 2


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        (TEMPLATE, {"sample": "NA12878", "ref": "s3://b/r.fa"}),
        (TEMPLATE, {"sample": "NA12878", "ref": "s3://b/r.fa", "scatter": 24}),
        ({**TEMPLATE, Fn.ref("AWS::Region"): {}}, {"anything": 1}),
        (Fn.get_att("Other", "Template"), {"anything": 1}),
        (None, {"anything": 1}),
    ],
    ids=["required", "all", "token as a name", "token as the template", "no template"],
)
def test_what_fits_or_cannot_be_known_passes(
    stack: Stack, declare: Declare, template: Any, parameters: dict[str, Any]
) -> None:
    assert declare(workflow_id=None, workflow=workflow(stack, parameter_template=template), parameters=parameters)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"workflow_id": None, "workflow": "1234567"},
            "workflow was a str: must be an aws_omics.CfnWorkflow or CfnWorkflowVersion; for an id use workflow_id",
        ),
        (
            {"workflow": "1", "run_id": "2"},
            (
                "workflow_id was '1234567' and workflow was '1' and run_id was '2': only one may be given; "
                "run_id runs an earlier run again, with its workflow"
            ),
        ),
    ],
    ids=["no construct", "three at once"],
)
def test_a_mistake_is_told(declare: Declare, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        declare(**arguments)
    assert message in error.value.problems


if VERSIONS:

    def test_a_version_has_no_second_name(stack: Stack, declare: Declare) -> None:
        version = aws_omics.CfnWorkflowVersion(
            stack, "Version", workflow_id="1", version_name="v2", definition_uri=DEFINITION
        )
        with pytest.raises(ValidationError) as error:
            declare(workflow_id=None, workflow=version, workflow_version_name="v1")
        assert error.value.problems == [
            (
                "workflow_version_name was 'v1' beside a workflow that is a version: must be left out; the "
                "CfnWorkflowVersion has a name of its own"
            )
        ]


@pytest.mark.parametrize("engine", ["WDL", "CWL"])
def test_settings_of_an_engine_that_has_none_are_a_warning(stack: Stack, declare: Declare, engine: str) -> None:
    declare(workflow_id=None, workflow=workflow(stack, engine=engine), engine_settings={"profile": "test"})
    (found,) = Annotations.from_stack(stack).find_warning("*", ANY_SETTINGS)
    expected = f"the workflow's engine is {engine}, and only NEXTFLOW has settings; leave them out"
    assert expected in str(found.entry.data)


@pytest.mark.parametrize("engine", ["NEXTFLOW", None])
def test_settings_of_an_engine_that_has_some_or_is_not_known_are_none(
    stack: Stack, declare: Declare, engine: str | None
) -> None:
    declare(workflow_id=None, workflow=workflow(stack, engine=engine), engine_settings={"profile": "test"})
    assert Annotations.from_stack(stack).find_warning("*", ANY_SETTINGS) == []


def test_parameters_of_a_file_are_left_to_healthomics(stack: Stack, declare: Declare) -> None:
    file = "s3://bucket/inputs.json"
    assert declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE), parameters_uri=file)
