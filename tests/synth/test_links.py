"""The links that wait on where CloudFormation waits no longer: one for each further hour, one after the other."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnOutput, CfnResource, Duration, RemovalPolicies, Stack, aws_events_targets, aws_lambda
from aws_cdk.assertions import Template

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, RunSetting, WaitFor, links

Declare = Callable[..., HealthOmicsRun]
RUN, LINK = "Custom::HealthOmicsRun", "Custom::HealthOmicsRunWait"


def found(stack: Stack, kind: str) -> dict[str, Any]:
    return dict(Template.from_stack(stack).find_resources(kind))


def waiting(declare: Declare, timeout: Duration, **arguments: Any) -> HealthOmicsRun:
    return declare(wait_for=WaitFor.COMPLETED, timeout=timeout, **arguments)


@pytest.mark.parametrize(
    ("timeout", "ends"),
    [
        (Duration.seconds(30), [30]),
        (Duration.hours(1), [3600]),
        (Duration.seconds(3601), [3541, 3601]),
        (Duration.seconds(3660), [3600, 3660]),
        (Duration.hours(3), [3600, 7200, 10800]),
        (Duration.seconds(7230), [3600, 7170, 7230]),
        (None, []),
    ],
)
def test_no_part_is_longer_than_an_hour_or_shorter_than_a_minute(timeout: Duration | None, ends: list[int]) -> None:
    assert links.ends(timeout) == ends


def test_a_run_that_is_waited_for_within_the_hour_has_none(stack: Stack, declare: Declare) -> None:
    waiting(declare, Duration.hours(1))
    assert found(stack, LINK) == {}
    (run,) = found(stack, RUN).values()
    assert "Timeout" not in run["Properties"]


def test_each_further_hour_is_a_link_after_the_one_before_it(stack: Stack, declare: Declare) -> None:
    waiting(declare, Duration.minutes(150))
    ((run_id, run),) = found(stack, RUN).items()
    (second_id, second), (third_id, third) = found(stack, LINK).items()
    assert "Wait2Hours" in second_id
    assert "Wait150Minutes" in third_id
    asked = {"Run": {"Ref": run_id}, "WaitFor": "COMPLETED", "Timeout": 9000}
    token = run["Properties"]["ServiceToken"]
    assert second["Properties"] == {**asked, "ServiceToken": token, "ServiceTimeout": "3600", "Until": 7200}
    assert third["Properties"] == {**asked, "ServiceToken": token, "ServiceTimeout": "1800", "Until": 9000}
    assert (second["DependsOn"], third["DependsOn"]) == ([run_id], [second_id])
    assert (run["Properties"]["ServiceTimeout"], run["Properties"]["Timeout"]) == ("3600", 9000)


def test_the_links_of_a_batch_are_told_the_batch_and_how_many_of_its_runs_may_fail(stack: Stack) -> None:
    HealthOmicsRunBatch(
        stack,
        "Cohort",
        workflow_id="1234567",
        output_uri="s3://bucket/cohort",
        run_settings=[RunSetting("NA12878")],
        wait_for=WaitFor.COMPLETED,
        max_failed_runs=3,
        timeout=Duration.hours(2),
    )
    ((batch_id, batch),) = found(stack, "Custom::HealthOmicsRunBatch").items()
    (link,) = found(stack, LINK).values()
    assert (batch["Properties"]["Timeout"], batch["Properties"]["MaxFailedRuns"]) == (7200, 3)
    assert link["Properties"] == {
        "ServiceToken": batch["Properties"]["ServiceToken"],
        "ServiceTimeout": "3600",
        "Batch": {"Ref": batch_id},
        "WaitFor": "COMPLETED",
        "MaxFailedRuns": 3,
        "Timeout": 7200,
        "Until": 7200,
    }


def test_seven_days_fit_a_stack_and_no_link_is_in_another_run_s_way(stack: Stack, declare: Declare) -> None:
    waiting(declare, Duration.days(7))
    declare("Other", wait_for=WaitFor.RUNNING, timeout=Duration.hours(2))
    every = found(stack, LINK)
    assert len(every) == 168
    (other,) = (link for link in every.values() if link["Properties"]["WaitFor"] == "RUNNING")
    assert other["Properties"]["Timeout"] == 7200


def test_attributes_and_dependencies_stand_for_the_whole_chain(stack: Stack, declare: Declare) -> None:
    run = waiting(declare, Duration.hours(3))
    CfnOutput(stack, "Uri", value=run.run_output_uri)
    CfnResource(stack, "After", type="AWS::SNS::Topic").node.add_dependency(run)
    template = Template.from_stack(stack).to_json()
    last = next(logical_id for logical_id in found(stack, LINK) if "Wait3Hours" in logical_id)
    assert template["Outputs"]["Uri"]["Value"] == {"Fn::GetAtt": [last, "RunOutputUri"]}
    assert set(found(stack, LINK)) <= set(template["Resources"]["After"]["DependsOn"])


def test_what_is_granted_holds_as_soon_as_the_run_is_started(stack: Stack, declare: Declare) -> None:
    run = waiting(declare, Duration.hours(3))
    listener = aws_lambda.Function(
        stack,
        "Listener",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=aws_lambda.Code.from_inline("def handler(event, context): pass"),
    )
    run.on_failed("Failed", target=aws_events_targets.LambdaFunction(listener))
    run.grants.cancel(listener)
    ((run_id, _),) = found(stack, RUN).items()
    policies = found(stack, "AWS::IAM::Policy")
    assert {"Fn::GetAtt": [run_id, "RunArn"]} in [
        statement["Resource"]
        for policy in policies.values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_a_retained_run_s_links_may_stay_too(stack: Stack, declare: Declare) -> None:
    waiting(declare, Duration.hours(2))
    RemovalPolicies.of(stack).retain()
    (run,) = found(stack, RUN).values()
    assert run["Properties"]["RemovalPolicy"] == "Retain"
    (link,) = found(stack, LINK).values()
    assert "RemovalPolicy" not in link["Properties"]
