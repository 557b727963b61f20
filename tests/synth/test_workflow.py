"""A run of a workflow that is declared in the same app: its id, its version, and its parameter template."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Fn, Stack, aws_omics
from aws_cdk.assertions import Annotations, Match, Template
from aws_cdk.cloudformation_include import CfnInclude
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_healthomics import HealthOmicsRun, ValidationError
from cdk_healthomics import workflow as workflows
from cdk_healthomics_handler.names import RESOURCE_TYPE

Declare = Callable[..., HealthOmicsRun]
ANY_SETTINGS = Match.string_like_regexp("engine_settings have no effect")
VERSIONS = hasattr(aws_omics, "CfnWorkflowVersion")
"""The oldest aws-cdk-lib that is supported has none: what they promise cannot be asked there."""
DEFINITION = "s3://bucket/workflow.zip"
TEMPLATE: dict[str, Any] = {
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
    assert error.value.problems == [
        (
            "2 names in parameters, 'sampel', 'x', are not in the workflow's parameter_template: must be one of "
            "'sample', 'ref', 'scatter'"
        ),
        (
            "2 names in parameters, 'sample', 'ref', are missing: the workflow's parameter_template requires them; "
            "give them, or make them optional there"
        ),
    ]


OF_WDL = {f"input_{number}": {"optional": number > 20} for number in range(83)}
FIRST_TEN = ", ".join(f"'input_{number}'" for number in range(10))
AS_IN = "as in the workflow's parameter_template"


@pytest.mark.parametrize(
    ("template", "parameters", "expected"),
    [
        (
            {"sample": {}},
            {"sample": 1, "sampel": 2},
            [
                (
                    "parameters['sampel'] is not in the workflow's parameter_template: must be left out, for all that "
                    "it has are given"
                )
            ],
        ),
        (
            {"sample": {}, "ref": {}},
            {"sample": 1},
            [
                (
                    "parameters['ref'] is missing: the workflow's parameter_template requires it; give it, or make it "
                    "optional there"
                )
            ],
        ),
        (
            OF_WDL,
            {f"wrong_{number}": 1 for number in range(43)} | {f"input_{number}": 1 for number in range(21)},
            [
                (
                    "43 names in parameters, "
                    + ", ".join(f"'wrong_{number}'" for number in range(10))
                    + " and 33 more, are not in the workflow's parameter_template: must be one of "
                    + ", ".join(f"'input_{number}'" for number in range(21, 31))
                    + " and 52 more"
                )
            ],
        ),
        (
            OF_WDL,
            {f"Workflow.{name}": 1 for name in OF_WDL},
            [
                (
                    "83 names in parameters, "
                    + FIRST_TEN.replace("input", "Workflow.input")
                    + f" and 73 more, begin with 'Workflow.': must be without it, {AS_IN}"
                )
            ],
        ),
        (
            {f"Workflow.{name}": each for name, each in OF_WDL.items()},
            dict.fromkeys(OF_WDL, 1),
            [f"83 names in parameters, {FIRST_TEN} and 73 more, lack 'Workflow.': must begin with it, {AS_IN}"],
        ),
        (
            {"sample": {}, "ref": {}},
            {"W.sample": 1, "W.fer": 2},
            [
                f"parameters['W.sample'] begins with 'W.': must be without it, {AS_IN}",
                "parameters['W.fer'] is not in the workflow's parameter_template: must be one of 'ref'",
                (
                    "parameters['ref'] is missing: the workflow's parameter_template requires it; give it, or make it "
                    "optional there"
                ),
            ],
        ),
        (
            {"W.sample": {}},
            {"sample": 1},
            [f"parameters['sample'] lacks 'W.': must begin with it, {AS_IN}"],
        ),
    ],
    ids=["one too many", "one missing", "many of many", "prefix", "no prefix", "prefix and others", "one without"],
)
def test_names_are_told_once_and_cut_and_a_prefix_that_differs_is_told_as_such(
    stack: Stack, declare: Declare, template: dict[str, Any], parameters: dict[str, Any], expected: list[str]
) -> None:
    with pytest.raises(ValidationError) as error:
        declare(workflow_id=None, workflow=workflow(stack, parameter_template=template), parameters=parameters)
    assert error.value.problems == expected


@given(
    wrong=st.sets(st.text("ab.", min_size=1, max_size=500), max_size=60),
    known=st.sets(st.text("ab.", min_size=1, max_size=500), max_size=60),
)
@settings(deadline=None, max_examples=30)
def test_no_message_grows_with_the_number_of_names(wrong: set[str], known: set[str]) -> None:
    stack = Stack(App(), "Genomes")
    arguments = {
        "workflow": workflow(stack, parameter_template={name: {} for name in known}),
        "parameters": dict.fromkeys(wrong, 1),
    }
    assert sum(len(problem) for problem in workflows.problems(arguments)) < 5_000


@pytest.mark.parametrize("path", ["ParameterTemplate", "ParameterTemplate.more", "Properties.ParameterTemplate.more"])
def test_a_template_that_was_overridden_is_not_compared(stack: Stack, declare: Declare, path: str) -> None:
    of_resource = path.startswith("Properties.")
    made = workflow(stack, parameter_template=TEMPLATE)
    (made.add_override if of_resource else made.add_property_override)(path, {"more": {}})
    assert declare(workflow_id=None, workflow=made, parameters={"more": 1})
    other = aws_omics.CfnWorkflow(stack, "Other", definition_uri=DEFINITION, parameter_template=TEMPLATE)
    (other.add_deletion_override if of_resource else other.add_property_deletion_override)(path)
    assert declare("OfOther", workflow_id=None, workflow=other)


def test_an_override_by_names_of_another_object_of_the_same_resource_counts(stack: Stack, declare: Declare) -> None:
    workflow(stack, parameter_template=TEMPLATE)
    found = stack.node.find_child("Workflow")
    assert isinstance(found, aws_omics.CfnWorkflow)
    found.add_property_override(property_path="ParameterTemplate.more", value={})
    del found
    assert declare(workflow_id=None, workflow=stack.node.find_child("Workflow"), parameters={"more": 1})


def test_a_workflow_of_an_included_template_is_compared(stack: Stack, declare: Declare, tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    parameters = {"sample": {"Description": "its name"}, "scatter": {"Optional": True}}
    properties = {"DefinitionUri": DEFINITION, "ParameterTemplate": parameters}
    file.write_text(json.dumps({"Resources": {"Theirs": {"Type": "AWS::Omics::Workflow", "Properties": properties}}}))
    theirs: Any = CfnInclude(stack, "Included", template_file=str(file)).get_resource("Theirs")
    with pytest.raises(ValidationError) as error:
        declare(workflow_id=None, workflow=theirs, parameters={"scatter": 1})
    assert error.value.problems == [
        (
            "parameters['sample'] is missing: the workflow's parameter_template requires it; give it, or make it "
            "optional there"
        )
    ]
    declare(workflow_id=None, workflow=theirs, parameters={"sample": "NA12878"})
    assert the_run(stack)["Properties"]["WorkflowId"] == {"Fn::GetAtt": ["Theirs", "Id"]}


def test_an_override_of_something_else_changes_nothing(stack: Stack, declare: Declare) -> None:
    made = workflow(stack, parameter_template=TEMPLATE)
    made.add_property_override("ParameterTemplateS3Uri", "s3://bucket/template.json")
    made.add_override("Metadata.ParameterTemplate", "x")
    with pytest.raises(ValidationError):
        declare(workflow_id=None, workflow=made, parameters={"more": 1})
    assert Template.from_stack(stack).find_resources(
        "AWS::Omics::Workflow", {"Metadata": {"ParameterTemplate": "x"}}
    ), "overriding does what it did"


def test_the_template_of_a_version_that_is_only_named_is_not_known(stack: Stack, declare: Declare) -> None:
    made = workflow(stack, parameter_template=TEMPLATE, engine="WDL")
    arguments = {"workflow_version_name": "v2", "parameters": {"more": 1}, "engine_settings": {"profile": "test"}}
    declare(workflow_id=None, workflow=made, **arguments)
    assert the_run(stack)["Properties"]["WorkflowVersionName"] == "v2"
    assert Annotations.from_stack(stack).find_warning("*", ANY_SETTINGS) == []


def test_an_engine_that_was_overridden_is_not_known(stack: Stack, declare: Declare) -> None:
    made = workflow(stack, engine="WDL")
    made.add_property_override("Engine", "NEXTFLOW")
    declare(workflow_id=None, workflow=made, engine_settings={"profile": "test"})
    assert Annotations.from_stack(stack).find_warning("*", ANY_SETTINGS) == []


def test_required_parameters_are_missing_where_there_are_none_at_all(stack: Stack, declare: Declare) -> None:
    with pytest.raises(ValidationError) as error:
        declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE))
    assert error.value.problems == [
        (
            "2 names in parameters, 'sample', 'ref', are missing: the workflow's parameter_template requires them; "
            "give them, or make them optional there"
        )
    ]


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
