"""HealthOmicsRun in the template: its properties, types, tags, policies of removal, and its contract."""

import inspect
import json
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from aws_cdk import (
    App,
    CfnOutput,
    CfnParameter,
    ContextProvider,
    Duration,
    Environment,
    Fn,
    NestedStack,
    RemovalPolicy,
    Stack,
    Tags,
    Token,
    aws_iam,
    aws_s3,
    aws_ssm,
)
from aws_cdk.assertions import Match, Template
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_healthomics import HealthOmicsRun, StorageType, ValidationError, documents, enums, model
from cdk_healthomics_handler.names import RESOURCE_TYPE, Attribute, Property, property_name

Declare = Callable[..., HealthOmicsRun]
Properties = Callable[..., dict[str, Any]]
ROOT = Path(__file__).parents[2]
BEYOND_START_RUN = {
    "workflow",
    "run_group",
    "run_cache",
    "configuration",
    "wait_for",
    "timeout",
    "rerun_trigger",
    "removal_policy",
    "adopt_run_id",
    "provider",
}
CHARACTERS = st.characters(exclude_categories=["Cs"])
NUMBERS = st.integers() | st.floats(-1e100, 1e100) | st.sampled_from([2**53 + 1, -(2**70), 1.0, -0.0, 1e22, 5e-324])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(CHARACTERS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(CHARACTERS) | st.sampled_from(["10", "2", "__proto__", "$jsii.byref"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


class TestArguments:
    def test_every_member_of_start_run_has_an_argument_and_every_argument_a_member(self) -> None:
        offered = set(inspect.signature(HealthOmicsRun.__init__).parameters) - {"self", "scope", "construct_id"}
        assert offered - BEYOND_START_RUN == set(model.arguments().values())
        assert set(model.members()) - set(model.arguments()) == {"requestId"}

    def test_a_token_for_the_run_is_never_the_callers(self, declare: Declare) -> None:
        with pytest.raises(TypeError):
            declare(request_id="mine")

    def test_every_argument_is_documented_with_its_name(self) -> None:
        described = inspect.getdoc(HealthOmicsRun.__init__) or ""
        for argument in set(inspect.signature(HealthOmicsRun.__init__).parameters) - {"self"}:
            assert f"\n    {argument}: " in described, argument

    @pytest.mark.parametrize(
        ("member", "values"),
        [(member, shape.metadata["enum"]) for member, shape in model.members().items() if "enum" in shape.metadata],
    )
    def test_the_enums_are_those_of_the_model(self, member: str, values: list[str]) -> None:
        enum = getattr(enums, member[:1].upper() + member[1:])
        assert [each.value for each in enum] == values


class TestProperties:
    def test_what_is_left_out_is_absent(self, stack: Stack, declare: Declare) -> None:
        declare()
        given = {"ServiceToken", "WorkflowId", "OutputUri", "RoleArn"}
        absent = [property_name(member) for member in model.members() if property_name(member) not in given]
        Template.from_stack(stack).has_resource_properties(
            RESOURCE_TYPE,
            {
                "WorkflowId": "1234567",
                "OutputUri": "s3://bucket/runs",
                **{name: Match.absent() for name in [*absent, *(each.value for each in Property)]},
            },
        )

    def test_each_argument_reaches_its_property(self, properties: Properties) -> None:
        found = properties(
            workflow_type="PRIVATE",
            workflow_owner_id="210987654321",
            workflow_version_name="v1.2",
            name="HG001",
            run_group_id="11",
            priority=5,
            cache_id="12",
            cache_behavior="CACHE_ALWAYS",
            storage_type=StorageType.STATIC,
            storage_capacity=2400,
            scratch_storage_mode="LOCAL",
            networking_mode="VPC",
            configuration_name="vpc",
            requester_pays_enabled=True,
            log_level="ALL",
            retention_mode="REMOVE",
            output_uri_prefix_mode="NONE_WITH_OVERWRITE",
            session_policy='{"Version": "2012-10-17", "Statement": []}',
            parameters={"sample": "HG001"},
            engine_settings={"profile": "test"},
            tags={"project": "1000G"},
            timeout=Duration.minutes(20),
            rerun_trigger="2",
        )
        del found["ServiceToken"], found["RoleArn"]
        assert found == {
            "WorkflowId": "1234567",
            "OutputUri": "s3://bucket/runs",
            "WorkflowType": "PRIVATE",
            "WorkflowOwnerId": "210987654321",
            "WorkflowVersionName": "v1.2",
            "Name": "HG001",
            "RunGroupId": "11",
            "Priority": 5,
            "CacheId": "12",
            "CacheBehavior": "CACHE_ALWAYS",
            "StorageType": "STATIC",
            "StorageCapacity": 2400,
            "ScratchStorageMode": "LOCAL",
            "NetworkingMode": "VPC",
            "ConfigurationName": "vpc",
            "RequesterPaysEnabled": True,
            "LogLevel": "ALL",
            "RetentionMode": "REMOVE",
            "OutputUriPrefixMode": "NONE_WITH_OVERWRITE",
            "SessionPolicy": '{"Version": "2012-10-17", "Statement": []}',
            "Parameters": '{"sample":"HG001"}',
            "EngineSettings": '{"profile":"test"}',
            "Tags": {"project": "1000G"},
            "ServiceTimeout": "1200",
            "RerunTrigger": "2",
        }

    def test_parameters_may_be_in_a_file(self, properties: Properties) -> None:
        found = properties(parameters_uri="s3://bucket/inputs.json")
        assert found["ParametersUri"] == "s3://bucket/inputs.json"
        assert "Parameters" not in found

    def test_a_run_of_an_earlier_run_names_no_workflow(self, properties: Properties) -> None:
        found = properties(workflow_id=None, run_id="7654321")
        assert found["RunId"] == "7654321"
        assert "WorkflowId" not in found

    def test_parameters_keep_their_types_to_the_letter(self, properties: Properties) -> None:
        document = {
            "sample_name": "NA12878",
            "scatter": 24,
            "dry_run": False,
            "seed": 2**53 + 1,
            "ratio": 1.0,
            "nothing": None,
            "nested": {"list": [1, 2.5, [True, None]], "empty": {}},
            "text": '24 \u00e9 "quoted" \\ ${AWS::Region}',
            "tuple": (1, 2),
        }
        written = properties(parameters=document)["Parameters"]
        assert json.dumps(json.loads(written)) == json.dumps(document)

    @given(document=st.dictionaries(st.text(CHARACTERS), JSON, max_size=4))
    @settings(deadline=None)
    def test_a_document_without_tokens_is_one_string_in_ascii_that_tells_it_to_the_letter(
        self, document: dict[str, Any]
    ) -> None:
        written = documents.written(MappingProxyType({"tuple": (document, StorageType.DYNAMIC), **document}))
        assert json.dumps(json.loads(written)) == json.dumps({"tuple": [document, "DYNAMIC"], **document})
        assert written.isascii()

    def test_tokens_pass_every_check_unseen(self, stack: Stack, properties: Properties) -> None:
        text = CfnParameter(stack, "Text").value_as_string
        number = CfnParameter(stack, "Number", type="Number").value_as_number
        found = properties(
            workflow_id=text,
            output_uri=text,
            storage_type=text,
            priority=number,
            networking_mode=text,
            session_policy=text,
            tags={"key": text},
            rerun_trigger=Token.as_any(text),
            parameters={"nested": [number, text, Fn.ref("AWS::Region")]},
        )
        assert found["WorkflowId"] == {"Ref": "Text"}
        assert found["Priority"] == {"Ref": "Number"}
        assert found["RerunTrigger"] == {"Ref": "Text"}

    def test_placeholders_of_lookups_pass_every_check_so_that_the_cli_can_look_them_up(self) -> None:
        stack = Stack(App(), "Genomes", env=Environment(account="123456789012", region="us-east-1"))
        looked_up = aws_ssm.StringParameter.value_from_lookup(stack, "/omics/" + "x" * 200)
        texts = {
            argument: looked_up
            for member, argument in model.arguments().items()
            if model.members()[member].type_name == "string" and argument not in {"run_id", "parameters_uri", "role"}
        }
        arguments: dict[str, Any] = {
            **texts,
            "output_uri": f"{looked_up}/runs",
            "wait_for": looked_up,
            "rerun_trigger": looked_up,
            "tags": {looked_up: looked_up * 2},
            "parameters": {"long": [looked_up, "x" * 50_000]},
            "engine_settings": looked_up,
        }
        HealthOmicsRun(stack, "Run", **arguments)
        (run,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE).values()
        assert run["Properties"]["OutputUri"] == f"dummy-value-for-/omics/{'x' * 200}/runs"

    def test_a_dummy_of_ones_own_is_checked_as_any_value(self) -> None:
        stack = Stack(App(), "Genomes", env=Environment(account="123456789012", region="us-east-1"))

        def looked_up(dummy: str) -> str:
            return str(ContextProvider.get_value(stack, provider="ssm", dummy_value=dummy, props={"p": dummy}).value)

        HealthOmicsRun(stack, "Run", workflow_id=looked_up("0"), output_uri="s3://b/r")
        with pytest.raises(ValidationError, match="workflow_id was 'unknown'"):
            HealthOmicsRun(stack, "Other", workflow_id=looked_up("unknown"), output_uri="s3://b/r")

    def test_members_of_enums_become_what_they_stand_for(self, properties: Properties) -> None:
        class Priority(IntEnum):
            URGENT = 100

        found = properties(
            priority=Priority.URGENT, tags={"storage": StorageType.STATIC}, rerun_trigger=StorageType.STATIC
        )
        assert (found["Priority"], found["Tags"], found["RerunTrigger"]) == (100, {"storage": "STATIC"}, "STATIC")

    def test_a_policy_document_becomes_text(self, properties: Properties) -> None:
        policy = aws_iam.PolicyDocument(
            statements=[aws_iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::b/*"])]
        )
        assert json.loads(properties(session_policy=policy)["SessionPolicy"]) == {
            "Statement": [{"Action": "s3:GetObject", "Effect": "Allow", "Resource": "arn:aws:s3:::b/*"}],
            "Version": "2012-10-17",
        }

    def test_attributes_are_those_that_the_handler_answers(self, stack: Stack, declare: Declare) -> None:
        run = declare()
        shown = [run.run_id, run.run_arn, run.run_uuid, run.run_output_uri, run.status, run.console_url]
        shown += [run.started_at, run.stopped_at, run.duration_seconds]
        for index, value in enumerate(shown):
            assert Token.is_unresolved(value)
            CfnOutput(stack, f"Output{index}", value=value)
        outputs = Template.from_stack(stack).to_json()["Outputs"].values()
        assert {output["Value"]["Fn::GetAtt"][1] for output in outputs} == set(Attribute)

    def test_how_long_a_run_took_can_be_made_a_number(self, stack: Stack, declare: Declare) -> None:
        took = Token.as_number(declare(wait_for="COMPLETED").duration_seconds)
        assert stack.resolve(took)["Fn::GetAtt"][1] == Attribute.DURATION_SECONDS


class TestTags:
    def test_tags_of_a_scope_reach_the_run_and_its_own_win(self, stack: Stack, properties: Properties) -> None:
        Tags.of(stack).add("project", "scope's")
        Tags.of(stack.node.root).add("team", "genomics")
        assert properties(tags={"project": "own"})["Tags"] == {"project": "own", "team": "genomics"}

    def test_those_of_the_stack_itself_are_the_weakest(self) -> None:
        stack = Stack(App(), "Genomes", tags={"project": "stack's", "team": "stack's", "cost": "1", "gone": "1"})
        Tags.of(stack).add("team", "scope's")
        Tags.of(stack).add("project", "scope's")
        Tags.of(stack).remove("gone")
        scopes = (stack, NestedStack(stack, "Nested"))
        for scope in scopes:
            HealthOmicsRun(scope, "Run", workflow_id="1", output_uri="s3://b/r", tags={"project": "own"})
        for scope in scopes:
            (run,) = Template.from_stack(scope).find_resources(RESOURCE_TYPE).values()
            assert run["Properties"]["Tags"] == {"project": "own", "team": "scope's", "cost": "1"}

    def test_a_tag_of_the_run_itself_reaches_only_it(self, stack: Stack, declare: Declare) -> None:
        Tags.of(declare("One")).add("which", "one")
        declare("Two")
        template = Template.from_stack(stack)
        tagged = [each["Properties"].get("Tags") for each in template.find_resources(RESOURCE_TYPE).values()]
        assert tagged == [{"which": "one"}, None]

    def test_those_of_a_scope_are_counted_when_the_app_is_synthesized(self, stack: Stack, declare: Declare) -> None:
        declare(tags={f"own{index}": "v" for index in range(40)})
        for index in range(7):
            Tags.of(stack).add(f"scope{index}", "v")
        Tags.of(stack).add("aws:reserved", "v", include_resource_types=[RESOURCE_TYPE])
        with pytest.raises(RuntimeError) as error:
            Template.from_stack(stack)
        assert (
            "tags, with those of Tags.of(…), has 48 tags: must be at most 43, for HealthOmics allows 50 a run and "
            "7 are this construct's own; leave 5 out"
        ) in str(error.value)
        assert "HealthOmicsRun at 'Genomes/Run': " in str(error.value)
        assert "['aws:reserved'] begins with a reserved prefix" in str(error.value)


class TestRemovalPolicy:
    @pytest.mark.parametrize(
        ("policy", "deletion", "replacement", "told"),
        [
            (None, "Delete", "Delete", Match.absent()),
            (RemovalPolicy.DESTROY, "Delete", "Delete", Match.absent()),
            (RemovalPolicy.RETAIN, "Retain", "Retain", "Retain"),
            (RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, "RetainExceptOnCreate", "Retain", "RetainExceptOnCreate"),
        ],
    )
    def test_cloudformation_and_the_handler_are_told_the_same(
        self, stack: Stack, declare: Declare, policy: RemovalPolicy | None, deletion: str, replacement: str, told: Any
    ) -> None:
        declare(removal_policy=policy)
        Template.from_stack(stack).has_resource(
            RESOURCE_TYPE,
            {
                "DeletionPolicy": deletion,
                "UpdateReplacePolicy": replacement,
                "Properties": {"RemovalPolicy": told},
            },
        )

    def test_a_run_to_be_adopted_is_named_with_a_policy_that_gives_it_back_if_its_create_fails(
        self, stack: Stack, declare: Declare
    ) -> None:
        declare(
            adopt_run_id="7654321",
            name="by-hand",
            role=aws_iam.Role.from_role_arn(stack, "Given", "arn:aws:iam::123456789012:role/given"),
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        Template.from_stack(stack).has_resource(
            RESOURCE_TYPE,
            {
                "DeletionPolicy": "RetainExceptOnCreate",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"AdoptRunId": "7654321", "Name": "by-hand", "RemovalPolicy": "RetainExceptOnCreate"},
            },
        )

    def test_the_role_of_a_retained_run_stays_with_it(self, stack: Stack, declare: Declare) -> None:
        run = declare(removal_policy=RemovalPolicy.RETAIN)
        aws_s3.Bucket(stack, "Bucket").grant_read(run.role)
        template = Template.from_stack(stack)
        roles = {name: each for name, each in template.find_resources("AWS::IAM::Role").items() if "Run" in name[:5]}
        policies = template.find_resources("AWS::IAM::Policy")
        assert roles
        assert policies
        assert {each["DeletionPolicy"] for each in [*roles.values(), *policies.values()]} == {"Retain"}


class TestMistakes:
    def test_all_problems_of_a_run_are_in_one_error(self, declare: Declare) -> None:
        with pytest.raises(ValidationError) as error:
            declare(workflow_id=None, priority="5", storage_type="FAST")
        assert str(error.value) == (
            "HealthOmicsRun at 'Genomes/Run' cannot be made:\n"
            "  - priority was '5': must be a whole number from 0 to 100000\n"
            "  - storage_type was 'FAST': must be one of STATIC, DYNAMIC\n"
            "  - neither workflow_id nor workflow nor run_id was given: give one of them; "
            "run_id runs an earlier run again"
        )

    def test_the_id_of_a_run_that_was_refused_is_free(self, stack: Stack, declare: Declare) -> None:
        with pytest.raises(ValidationError) as error:
            declare("Sample/1", priority="5")
        assert str(error.value).startswith("HealthOmicsRun at 'Genomes/Sample--1' cannot be made:\n")
        assert declare("Sample/1", priority=5).node.path == "Genomes/Sample--1"
        assert [each.node.id for each in stack.node.children if "Sample" in each.node.id] == ["Sample--1"]

    def test_outside_of_a_stack_there_is_no_run_and_its_id_is_free(self) -> None:
        app = App()
        with pytest.raises(RuntimeError, match="should be created in the scope of a Stack"):
            HealthOmicsRun(app, "Run", workflow_id="1", output_uri="s3://b/r")
        assert app.node.try_find_child("Run") is None


class TestContract:
    """A change here replaces resources of stacks that exist: decide on it, do not just update the test."""

    def test_logical_ids_types_and_property_names_stay(self, stack: Stack, declare: Declare) -> None:
        declare("VariantCalling", parameters={"a": 1}, removal_policy=RemovalPolicy.RETAIN)
        resources = Template.from_stack(stack).to_json()["Resources"]
        assert {name: each["Type"] for name, each in resources.items()} == {
            "VariantCalling27085B62": "Custom::HealthOmicsRun",
            "VariantCallingRoleC7CF4D98": "AWS::IAM::Role",
            "HealthOmicsRunProviderLogs2EB7A8DB": "AWS::Logs::LogGroup",
            "HealthOmicsRunProviderRole4B84C933": "AWS::IAM::Role",
            "HealthOmicsRunProviderFunctionDE8A886A": "AWS::Lambda::Function",
        }
        run = resources["VariantCalling27085B62"]
        assert list(run["Properties"]) == [
            "ServiceToken",
            "WorkflowId",
            "Parameters",
            "OutputUri",
            "RoleArn",
            "RemovalPolicy",
        ]
        assert run["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["HealthOmicsRunProviderFunctionDE8A886A", "Arn"]}

    def test_a_run_with_a_given_role_is_one_resource_beyond_the_provider(self, stack: Stack, declare: Declare) -> None:
        role = aws_iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/run")
        for index in range(3):
            declare(f"Run{index}", role=role)
        template = Template.from_stack(stack)
        template.resource_count_is(RESOURCE_TYPE, 3)
        assert len(template.to_json()["Resources"]) == 3 + 3

    @pytest.mark.parametrize("root", ["constructs", "lambda"])
    def test_a_source_root_is_no_package(self, root: str) -> None:
        assert (ROOT / root).is_dir()
        assert not (ROOT / root / "__init__.py").exists()

    def test_the_same_app_synthesizes_to_the_same_template(self) -> None:
        def template() -> dict[str, Any]:
            stack = Stack(App(), "Genomes")
            HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r", parameters={"b": 1, "a": 2})
            return dict(Template.from_stack(stack).to_json())

        assert template() == template()
