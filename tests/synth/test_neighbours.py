"""Run groups, run caches and configurations of the same app: what they bring to a run, and when they are made."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnResource, Stack, aws_omics
from aws_cdk.assertions import Match, Template

from cdk_healthomics import HealthOmicsRun, ValidationError
from cdk_healthomics_handler.names import RESOURCE_TYPE
from tests.synth.permissions import allowed

Declare = Callable[..., HealthOmicsRun]
NEIGHBOURS = [
    ("run_group", "run_group_id", "RunGroupId", "RunGroup", "runGroup"),
    ("run_cache", "cache_id", "CacheId", "RunCache", "runCache"),
    ("configuration", "configuration_name", "ConfigurationName", "Configuration", "configuration"),
]


def made(scope: Stack, kind: str) -> CfnResource:
    return CfnResource(scope, kind, type=f"AWS::Omics::{kind}", properties={"Name": "theirs"})


@pytest.mark.parametrize(("argument", "by_id", "member", "kind", "arn"), NEIGHBOURS)
def test_it_brings_its_ref_and_the_permission_to_use_it(
    stack: Stack, declare: Declare, argument: str, by_id: str, member: str, kind: str, arn: str
) -> None:
    del by_id
    declare(**{argument: made(stack, kind)})
    template = Template.from_stack(stack)
    template.has_resource_properties(RESOURCE_TYPE, {member: {"Ref": kind}})  # so it is made first and deleted last
    before = ["arn:", {"Ref": "AWS::Partition"}, ":omics:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
    assert {"Fn::Join": ["", [*before, f":{arn}/", {"Ref": kind}]]} in allowed(stack, "omics:StartRun")


@pytest.mark.parametrize(("argument", "by_id", "member", "kind", "arn"), NEIGHBOURS)
def test_only_one_of_construct_and_id_may_be_given(
    stack: Stack, declare: Declare, argument: str, by_id: str, member: str, kind: str, arn: str
) -> None:
    del member, arn
    with pytest.raises(ValidationError) as error:
        declare(**{argument: made(stack, kind), by_id: "12"})
    assert error.value.problems == [f"{argument} was Genomes/{kind} and {by_id} was '12': only one may be given"]


@pytest.mark.parametrize(
    ("argument", "value", "problem"),
    [
        ("run_group", "12", "run_group was '12': must be an aws_omics.CfnRunGroup; for an id use run_group_id"),
        ("run_cache", 12, "run_cache was 12: must be an aws_omics.CfnRunCache; for an id use cache_id"),
        (
            "configuration",
            "RunGroup",
            (
                "configuration was Genomes/RunGroup, an AWS::Omics::RunGroup: must be an aws_omics.CfnConfiguration; "
                "for a name use configuration_name"
            ),
        ),
    ],
)
def test_something_else_is_told_with_the_argument_for_ids(
    stack: Stack, declare: Declare, argument: str, value: Any, problem: str
) -> None:
    with pytest.raises(ValidationError) as error:
        declare(**{argument: made(stack, value) if value == "RunGroup" else value})
    assert error.value.problems == [problem]


def test_a_configuration_is_enough_for_the_vpc_and_a_cache_for_its_behavior(stack: Stack, declare: Declare) -> None:
    declare(
        networking_mode="VPC",
        configuration=made(stack, "Configuration"),
        cache_behavior="CACHE_ALWAYS",
        run_cache=made(stack, "RunCache"),
        run_group=aws_omics.CfnRunGroup(stack, "Group", max_runs=2),
    )
    Template.from_stack(stack).has_resource_properties(
        RESOURCE_TYPE, {"CacheId": {"Ref": "RunCache"}, "RunGroupId": {"Ref": "Group"}, "RunGroup": Match.absent()}
    )


def test_those_of_another_stack_are_made_before_it() -> None:
    app = App()
    theirs, ours = Stack(app, "Theirs"), Stack(app, "Ours")
    group = aws_omics.CfnRunGroup(theirs, "Group", max_runs=2)
    HealthOmicsRun(ours, "Run", workflow_id="1", output_uri="s3://b/r", run_group=group)
    (run,) = Template.from_stack(ours).find_resources(RESOURCE_TYPE).values()
    assert set(run["Properties"]["RunGroupId"]) == {"Fn::ImportValue"}
    assert [stack.node.id for stack in ours.dependencies] == ["Theirs"]
