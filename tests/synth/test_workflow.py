"""A run of a workflow that is declared in the same app: its id, its version, and its parameter template."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import App, Aspects, Fn, IAspect, Stack, aws_omics
from aws_cdk.assertions import Annotations, Match, Template
from aws_cdk.cloudformation_include import CfnInclude
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_healthomics import HealthOmicsRun, ValidationError
from cdk_healthomics import workflow as workflows
from cdk_healthomics_handler.names import RESOURCE_TYPE
from constructs import IConstruct
from tests.synth.synthesis import refusals

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


def problems(stack: Stack) -> list[str]:
    """What synthesis refuses of the one run."""
    return [each.removeprefix("'Genomes/Run': ") for each in refusals(stack)]


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


def test_unknown_and_missing_parameters_are_told_together(stack: Stack, declare: Declare) -> None:
    declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE), parameters={"sampel": 1, "x": 2})
    assert problems(stack) == [
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
    declare(workflow_id=None, workflow=workflow(stack, parameter_template=template), parameters=parameters)
    assert problems(stack) == expected


@given(
    wrong=st.sets(st.text("ab.", min_size=1, max_size=500), max_size=60),
    known=st.sets(st.text("ab.", min_size=1, max_size=500), max_size=60),
)
@settings(deadline=None, max_examples=30)
def test_no_message_grows_with_the_number_of_names(wrong: set[str], known: set[str]) -> None:
    made = workflow(Stack(App(), "Genomes"))
    compared = workflows.comparison({"workflow": made}, wrong)
    assert compared
    told = compared.problems({"ParameterTemplate": {name: {} for name in known}})
    assert sum(len(problem) for problem in told) < 5_000


@jsii.implements(IAspect)
class MoreParameters:
    """An aspect that has the last word on a workflow's parameters."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, aws_omics.CfnWorkflow):
            node.add_property_override("ParameterTemplate.more.Optional", value=True)


OVERRIDES: dict[str, Callable[[aws_omics.CfnWorkflow], object]] = {
    "a property's": lambda made: made.add_property_override("ParameterTemplate.more", {"Optional": True}),
    "the resource's": lambda made: made.add_override("Properties.ParameterTemplate.more", {"Optional": True}),
    "the attribute": lambda made: setattr(made, "parameter_template", {**TEMPLATE, "more": {"optional": True}}),
    "an aspect": lambda made: Aspects.of(made).add(MoreParameters()),
}


@pytest.mark.parametrize("change", OVERRIDES.values(), ids=OVERRIDES)
@pytest.mark.parametrize("changed", ["before", "after"])
def test_parameters_are_compared_with_what_the_template_has_in_the_end(
    stack: Stack, declare: Declare, change: Callable[[aws_omics.CfnWorkflow], object], changed: str
) -> None:
    made = workflow(stack, parameter_template=TEMPLATE)
    if changed == "before":
        change(made)
    declare(workflow_id=None, workflow=made, parameters={"sample": 1, "ref": 2, "more": 3})
    declare("Wrong", workflow_id=None, workflow=made, parameters={"sample": 1, "ref": 2, "mroe": 3})
    if changed == "after":
        change(made)
    assert refusals(stack) == [
        (
            "'Genomes/Wrong': parameters['mroe'] is not in the workflow's parameter_template: must be one of "
            "'scatter', 'more'"
        )
    ]


@pytest.mark.parametrize("path", ["ParameterTemplate", "ParameterTemplate.sample"])
def test_what_an_override_takes_away_is_not_asked_for(stack: Stack, declare: Declare, path: str) -> None:
    made = workflow(stack, parameter_template=TEMPLATE)
    declare(workflow_id=None, workflow=made, parameters={"ref": 1})
    made.add_property_deletion_override(path)
    assert refusals(stack) == []


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Template"},
        {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/parameters.json"}}},
        {"more": {"Fn::If": ["IsProd", {"Optional": True}, {"Ref": "AWS::NoValue"}]}},
        {"more": {"Ref": "AWS::NoValue"}},
        {"anything": {"Optional": True}, "more": {"Optional": {"Fn::If": ["IsProd", True, False]}}},
    ],
    ids=["parameter", "transform", "condition", "no value", "optional or not"],
)
def test_a_template_that_cloudformation_makes_is_not_compared(stack: Stack, declare: Declare, value: Any) -> None:
    made = workflow(stack)
    made.add_property_override("ParameterTemplate", value)
    declare(workflow_id=None, workflow=made, parameters={"anything": 1})
    assert refusals(stack) == []


def test_names_that_are_added_after_the_run_was_declared_are_not_the_runs(stack: Stack, declare: Declare) -> None:
    parameters = {"sample": 1, "ref": 2}
    declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE), parameters=parameters)
    parameters["more"] = 3
    assert refusals(stack) == []


def test_a_workflow_of_another_stack_is_compared(stack: Stack) -> None:
    made = workflow(stack, parameter_template=TEMPLATE)
    made.override_logical_id("Renamed")
    ours = Stack(App.of(stack), "Ours")
    HealthOmicsRun(ours, "Run", workflow=made, output_uri="s3://bucket/runs", parameters={"sample": 1})
    assert refusals(ours) == [
        (
            "'Ours/Run': parameters['ref'] is missing: the workflow's parameter_template requires it; give it, or make "
            "it optional there"
        )
    ]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"sample": "NA12878"}, []),
        (
            {"scatter": 1},
            [
                (
                    "parameters['sample'] is missing: the workflow's parameter_template requires it; give it, or make "
                    "it optional there"
                )
            ],
        ),
    ],
    ids=["good", "missing"],
)
def test_a_workflow_of_an_included_template_is_compared(
    stack: Stack, declare: Declare, tmp_path: Path, parameters: dict[str, Any], expected: list[str]
) -> None:
    file = tmp_path / "template.json"
    template = {"sample": {"Description": "its name"}, "scatter": {"Optional": "true"}}
    properties = {"DefinitionUri": DEFINITION, "ParameterTemplate": template}
    file.write_text(json.dumps({"Resources": {"Theirs": {"Type": "AWS::Omics::Workflow", "Properties": properties}}}))
    theirs: Any = CfnInclude(stack, "Included", template_file=str(file)).get_resource("Theirs")
    declare(workflow_id=None, workflow=theirs, parameters=parameters)
    assert problems(stack) == expected


def test_the_template_of_a_version_that_is_only_named_is_not_known(stack: Stack, declare: Declare) -> None:
    made = workflow(stack, parameter_template=TEMPLATE, engine="WDL")
    arguments = {"workflow_version_name": "v2", "parameters": {"more": 1}, "engine_settings": {"profile": "test"}}
    declare(workflow_id=None, workflow=made, **arguments)
    assert the_run(stack)["Properties"]["WorkflowVersionName"] == "v2"
    assert Annotations.from_stack(stack).find_warning("*", ANY_SETTINGS) == []


@pytest.mark.parametrize(("engine", "warned"), [("NEXTFLOW", False), ("CWL", True)])
def test_an_engine_that_was_overridden_counts(stack: Stack, declare: Declare, engine: str, *, warned: bool) -> None:
    made = workflow(stack, engine="WDL")
    declare(workflow_id=None, workflow=made, engine_settings={"profile": "test"})
    made.add_property_override("Engine", engine)
    found = [str(each.entry.data) for each in Annotations.from_stack(stack).find_warning("*", ANY_SETTINGS)]
    assert [f"engine is {engine}," in each for each in found] == [True] * warned


def test_required_parameters_are_missing_where_there_are_none_at_all(stack: Stack, declare: Declare) -> None:
    declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE))
    assert problems(stack) == [
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
        (Fn.get_att("Other", "Template"), {"anything": 1}),
        (None, {"anything": 1}),
    ],
    ids=["required", "all", "token as the template", "no template"],
)
def test_what_fits_or_cannot_be_known_passes(
    stack: Stack, declare: Declare, template: Any, parameters: dict[str, Any]
) -> None:
    declare(workflow_id=None, workflow=workflow(stack, parameter_template=template), parameters=parameters)
    assert refusals(stack) == []


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
    declare(workflow_id=None, workflow=workflow(stack, parameter_template=TEMPLATE), parameters_uri=file)
    assert refusals(stack) == []
