"""Rules on a run's status: what they match, and that they are there before the run is."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import (
    App,
    NestedStack,
    Stack,
    aws_events,
    aws_events_targets,
    aws_iam,
    aws_lambda,
    aws_sns,
    aws_sqs,
    aws_stepfunctions,
)
from aws_cdk.assertions import Match, Template

from cdk_healthomics import HealthOmicsRun, ValidationError
from cdk_healthomics_handler.identity import default_run_name
from cdk_healthomics_handler.names import RESOURCE_TYPE

Declare = Callable[..., HealthOmicsRun]


def pattern(stack: Stack) -> dict[str, Any]:
    (rule,) = Template.from_stack(stack).find_resources("AWS::Events::Rule").values()
    found: dict[str, Any] = rule["Properties"]["EventPattern"]
    return found


def before_run(stack: Stack) -> list[str]:
    """The types of the resources that the run waits for."""
    resources = Template.from_stack(stack).to_json()["Resources"]
    (run,) = (each for each in resources.values() if each["Type"] == RESOURCE_TYPE)
    return sorted(resources[name]["Type"] for name in run["DependsOn"])


def logical_id(stack: Stack) -> str:
    (found,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE)
    return str(found)


def test_a_rule_matches_the_runs_name_and_workflow(stack: Stack, declare: Declare) -> None:
    declare().on_status_change("Changed")
    assert pattern(stack) == {
        "source": ["aws.omics"],
        "detail-type": ["Run Status Change"],
        "detail": {"runName": [f"Genomes-{logical_id(stack)}"], "workflowId": ["1234567"]},
    }


def test_a_logical_id_that_is_overridden_afterwards_is_in_the_name_that_a_rule_matches(
    stack: Stack, declare: Declare
) -> None:
    run = declare()
    run.on_status_change("Changed")
    resource: Any = run.node.find_child("Resource").node.default_child
    resource.override_logical_id("Renamed")
    assert logical_id(stack) == "Renamed"
    assert pattern(stack)["detail"]["runName"] == ["Genomes-Renamed"]


@pytest.mark.parametrize(("method", "status"), [("on_completed", "COMPLETED"), ("on_failed", "FAILED")])
def test_a_rule_may_match_one_status(stack: Stack, declare: Declare, method: str, status: str) -> None:
    getattr(declare(), method)("It")
    assert pattern(stack)["detail"]["status"] == [status]


def test_a_rule_matches_the_name_that_the_user_gave_and_no_workflow_that_is_not_known(
    stack: Stack, declare: Declare
) -> None:
    declare(workflow_id=None, run_id="1", name="NA12878").on_failed("Failed")
    assert pattern(stack)["detail"] == {"runName": ["NA12878"], "status": ["FAILED"]}


def test_a_rule_matches_the_name_that_the_function_will_give() -> None:
    stack = Stack(App(), "S" * 128)
    HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r").on_completed("Done")
    expected = default_run_name("S" * 128, logical_id(stack), 128)
    assert pattern(stack)["detail"]["runName"] == [expected]
    assert len(expected) == 128


def test_a_run_in_a_nested_stack_is_named_at_synth_for_its_stacks_name_is_not_known_there() -> None:
    parent = Stack(App(), "Genomes")
    nested = NestedStack(parent, "Trio")
    HealthOmicsRun(nested, "Run", workflow_id="1", output_uri="s3://b/r").on_completed("Done")
    name = f"Genomes-Trio-{logical_id(nested)}"
    assert pattern(nested)["detail"]["runName"] == [name]
    Template.from_stack(nested).has_resource_properties(RESOURCE_TYPE, {"Name": name})


def test_a_run_in_a_stack_of_its_own_is_named_by_the_function(stack: Stack, declare: Declare) -> None:
    declare().on_completed("Done")
    Template.from_stack(stack).has_resource_properties(RESOURCE_TYPE, {"Name": Match.absent()})


def test_a_rule_does_not_change_the_run(stack: Stack, declare: Declare) -> None:
    declare().on_completed("Done")
    with_rule = Template.from_stack(stack).find_resources(RESOURCE_TYPE)
    other = Stack(App(), "Genomes")
    HealthOmicsRun(other, "Run", workflow_id="1234567", output_uri="s3://bucket/runs")
    without = Template.from_stack(other).find_resources(RESOURCE_TYPE)
    assert [each["Properties"] for each in with_rule.values()] == [each["Properties"] for each in without.values()]


def test_the_run_waits_for_the_rule_and_its_targets_permissions(stack: Stack, declare: Declare) -> None:
    function = aws_lambda.Function(
        stack,
        "Function",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=aws_lambda.Code.from_inline("def handler(event, context): pass"),
    )
    rule = declare().on_failed("Failed", target=aws_events_targets.SnsTopic(aws_sns.Topic(stack, "Topic")))
    rule.add_target(aws_events_targets.LambdaFunction(function))
    rule.add_target(aws_events_targets.SqsQueue(aws_sqs.Queue(stack, "Queue")))
    assert before_run(stack) == [
        "AWS::Events::Rule",
        "AWS::IAM::Role",  # the run's own
        "AWS::Lambda::Permission",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    ]
    (targets,) = (
        each["Properties"]["Targets"]
        for each in Template.from_stack(stack).find_resources("AWS::Events::Rule").values()
    )
    assert len(targets) == 3


def test_the_run_waits_for_the_role_by_which_a_target_is_reached(stack: Stack, declare: Declare) -> None:
    machine = aws_stepfunctions.StateMachine(
        stack,
        "Machine",
        definition_body=aws_stepfunctions.DefinitionBody.from_chainable(aws_stepfunctions.Pass(stack, "Pass")),
    )
    run = declare()
    run.on_failed("Failed", target=aws_events_targets.SfnStateMachine(machine))
    run.grant_read(machine)
    resources = Template.from_stack(stack).to_json()["Resources"]
    (waiting,) = (each["DependsOn"] for each in resources.values() if each["Type"] == RESOURCE_TYPE)
    assert {name[:17] for name in waiting if name.startswith("Machine")} == {"MachineEventsRole"}


@pytest.mark.parametrize("first", ["grant", "rule"])
def test_a_function_that_hears_of_runs_may_be_granted_them(stack: Stack, declare: Declare, first: str) -> None:
    """Template refuses circles; so it is for a run that comes after the one whose rule it is."""
    function = aws_lambda.Function(
        stack,
        "Function",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=aws_lambda.Code.from_inline("def handler(event, context): pass"),
    )
    other = aws_iam.Role(stack, "Other", assumed_by=aws_iam.AccountRootPrincipal())
    runs = [declare("First"), declare("Second")]
    runs[1].node.add_dependency(runs[0])

    def grant() -> None:
        for each in runs:
            for grantee in (function, other):
                each.grant(grantee, "omics:GetRun")

    def rule() -> None:
        runs[0].on_failed("Failed", target=aws_events_targets.LambdaFunction(function))
        runs[0].on_completed("Completed", target=aws_events_targets.LambdaFunction(function))

    for each in (grant, rule) if first == "grant" else (rule, grant):
        each()
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy")
    named = [{"Fn::GetAtt": [name, "RunArn"]} for name in Template.from_stack(stack).find_resources(RESOURCE_TYPE)]
    allowed: dict[str, list[Any]] = {}
    for policy in policies.values():
        (reader,) = (each["Ref"] for each in policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            allowed.setdefault(reader, []).append(statement["Resource"])
    for reader, resources in allowed.items():
        assert [each for each in named if each in resources or named in resources] == named, reader
    assert len(allowed) == 2


def test_the_options_of_cdks_own_methods_are_taken(stack: Stack, declare: Declare) -> None:
    declare().on_status_change(
        "Changed",
        description="Tells the lab",
        rule_name="lab",
        event_pattern=aws_events.EventPattern(region=["us-east-1"], detail={"status": ["CANCELLED", "FAILED"]}),
    )
    named = {"Description": "Tells the lab", "Name": "lab"}
    Template.from_stack(stack).has_resource_properties("AWS::Events::Rule", named)
    assert pattern(stack)["region"] == ["us-east-1"]
    assert pattern(stack)["detail"]["status"] == ["CANCELLED", "FAILED"]


@pytest.mark.parametrize(
    "asked",
    [
        {"detail": {"status": ["CANCELLED", "FAILED"], "workflowName": [{"prefix": "germline"}]}, "region": ["r"]},
        aws_events.EventPattern(
            detail={"status": ["FAILED"], "workflowName": [{"prefix": "germline"}]},
            source=["aws.omics", "aws.s3"],
            region=["r"],
        ),
    ],
)
def test_an_event_pattern_only_narrows(stack: Stack, declare: Declare, asked: Any) -> None:
    declare(name="NA12878").on_failed("Failed", event_pattern=asked)
    assert pattern(stack) == {
        "source": ["aws.omics"],
        "detail-type": ["Run Status Change"],
        "detail": {
            "runName": ["NA12878"],
            "workflowId": ["1234567"],
            "status": ["FAILED"],
            "workflowName": [{"prefix": "germline"}],
        },
        "region": ["r"],
    }


def test_an_event_pattern_that_would_widen_or_match_nothing_is_told(declare: Declare) -> None:
    asked = aws_events.EventPattern(source=["aws.s3"], detail={"status": ["CANCELLED"], "runName": [{"prefix": "NA"}]})
    with pytest.raises(ValidationError) as error:
        declare(name="NA12878").on_failed("Failed", event_pattern=asked)
    rest = "or be left out, for event_pattern only narrows what the rule hears of"
    assert str(error.value) == (
        "HealthOmicsRun at 'Genomes/Run/Failed' cannot be made:\n"
        f"  - event_pattern has ['aws.s3'] as source: must hold 'aws.omics', {rest}\n"
        f"  - event_pattern has [{{'prefix': 'NA'}}] as detail.runName: must hold 'NA12878', {rest}\n"
        f"  - event_pattern has ['CANCELLED'] as detail.status: must hold 'FAILED', {rest}"
    )
