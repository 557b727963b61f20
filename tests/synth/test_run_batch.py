"""HealthOmicsRunBatch in the template: its properties, names, tags, attributes, rules, grants and permissions."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import (
    App,
    Aws,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    Duration,
    Fn,
    NestedStack,
    RemovalPolicies,
    RemovalPolicy,
    Stack,
    Tags,
    aws_iam,
    aws_omics,
)
from aws_cdk.assertions import Annotations, Match, Template

from cdk_healthomics import (
    HealthOmicsRun,
    HealthOmicsRunBatch,
    RunRole,
    RunSetting,
    StorageType,
    ValidationError,
    enums,
    model,
)
from cdk_healthomics_handler.identity import default_run_name
from cdk_healthomics_handler.names import (
    BATCH_OPERATIONS,
    BATCH_TYPE,
    START_RUN_BATCH,
    BatchAttribute,
    Property,
    property_name,
)
from tests.synth.permissions import allowed, statements
from tests.synth.synthesis import refusals

Declare = Callable[..., HealthOmicsRunBatch]
Properties = Callable[..., dict[str, Any]]
BEYOND_START_RUN_BATCH = {
    "run_settings",
    "run_settings_uri",
    "workflow",
    "run_group",
    "run_cache",
    "configuration",
    "wait_for",
    "max_failed_runs",
    "timeout",
    "rerun_trigger",
    "removal_policy",
    "provider",
}
STACK_TAG = {"StringEquals": {"aws:ResourceTag/cdk-healthomics:stack-id": {"Ref": "AWS::StackId"}}}


def arn(suffix: str) -> dict[str, Any]:
    before = ["arn:", {"Ref": "AWS::Partition"}, ":omics:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
    return {"Fn::Join": ["", [*before, f":{suffix}"]]}


def logical_id(stack: Stack) -> str:
    (found,) = Template.from_stack(stack).find_resources(BATCH_TYPE)
    return str(found)


class TestArguments:
    def test_every_member_of_start_run_batch_and_its_default_run_setting_has_an_argument(self) -> None:
        offered = set(inspect.signature(HealthOmicsRunBatch.__init__).parameters) - {"self", "scope", "construct_id"}
        arguments = model.arguments(START_RUN_BATCH)
        assert offered - BEYOND_START_RUN_BATCH == set(arguments.values())
        assert set(model.members(START_RUN_BATCH)) - set(arguments) == {
            "requestId",
            "defaultRunSetting",
            "batchRunSettings",
        }

    def test_every_way_to_tell_the_settings_is_offered(self) -> None:
        assert set(model.batch_run_settings()) == {"inlineSettings", "s3UriSettings"}

    def test_every_member_of_a_setting_is_an_argument_of_run_setting(self) -> None:
        assert set(inspect.signature(RunSetting.__init__).parameters) - {"self"} == set(model.setting_shapes())

    @pytest.mark.parametrize("documented", [HealthOmicsRunBatch.__init__, RunSetting], ids=["batch", "setting"])
    def test_every_argument_is_documented_with_its_name(self, documented: Any) -> None:
        described = inspect.getdoc(documented) or ""
        for argument in set(inspect.signature(documented).parameters) - {"self"}:
            assert f"\n    {argument}: " in described, argument

    @pytest.mark.parametrize(
        ("member", "values"),
        [
            (member, shape.metadata["enum"])
            for member, shape in model.members(START_RUN_BATCH).items()
            if "enum" in shape.metadata
        ],
    )
    def test_the_enums_are_those_of_runs(self, member: str, values: list[str]) -> None:
        assert [each.value for each in getattr(enums, member[:1].upper() + member[1:])] == values

    @pytest.mark.parametrize("argument", ["run_id", "parameters_uri", "output_uri_prefix_mode", "request_id"])
    def test_what_batches_do_not_have_is_not_offered(self, declare_batch: Declare, argument: str) -> None:
        with pytest.raises(TypeError):
            declare_batch(**{argument: "1"})


class TestProperties:
    def test_what_is_left_out_is_absent(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch()
        given = {"WorkflowId", "OutputUri", "RoleArn"}
        members = {*model.members(START_RUN_BATCH), "s3UriSettings"}
        absent = [property_name(member) for member in members if property_name(member) not in given]
        Template.from_stack(stack).has_resource_properties(
            BATCH_TYPE,
            {
                "WorkflowId": "1234567",
                "OutputUri": "s3://bucket/runs",
                "InlineSettings": '[{"runSettingId":"NA12878"}]',
                "InlineSettingsValues": Match.absent(),
                **{name: Match.absent() for name in [*absent, *(each.value for each in Property)]},
            },
        )

    def test_each_argument_reaches_its_property(self, batch_properties: Properties) -> None:
        found = batch_properties(
            workflow_type="PRIVATE",
            workflow_owner_id="210987654321",
            workflow_version_name="v1.2",
            batch_name="1000G",
            name="trio",
            output_bucket_owner_id="123456789012",
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
            session_policy='{"Version": "2012-10-17", "Statement": []}',
            parameters={"ref": "s3://bucket/ref.fa", "scatter": 24.0},
            engine_settings={"profile": "test"},
            tags={"project": "1000G"},
            run_tags={"step": "calling"},
            wait_for="COMPLETED",
            max_failed_runs=3,
            timeout=Duration.minutes(20),
            rerun_trigger="2",
            removal_policy=RemovalPolicy.RETAIN,
        )
        del found["ServiceToken"], found["RoleArn"]
        assert found == {
            "WorkflowId": "1234567",
            "WorkflowType": "PRIVATE",
            "WorkflowOwnerId": "210987654321",
            "WorkflowVersionName": "v1.2",
            "BatchName": "1000G",
            "Name": "trio",
            "OutputUri": "s3://bucket/runs",
            "OutputBucketOwnerId": "123456789012",
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
            "SessionPolicy": '{"Version": "2012-10-17", "Statement": []}',
            "Parameters": '{"ref":"s3://bucket/ref.fa","scatter":24.0}',
            "EngineSettings": '{"profile":"test"}',
            "Tags": {"project": "1000G"},
            "RunTags": {"step": "calling"},
            "InlineSettings": '[{"runSettingId":"NA12878"}]',
            "WaitFor": "COMPLETED",
            "MaxFailedRuns": 3,
            "ServiceTimeout": "1200",
            "RerunTrigger": "2",
            "RemovalPolicy": "Retain",
        }

    def test_documents_that_all_runs_share_hold_tokens_as_those_of_a_run_do(
        self, stack: Stack, batch_properties: Properties
    ) -> None:
        lanes = CfnParameter(stack, "Lanes", type="Number")
        found = batch_properties(parameters={"lanes": lanes.value_as_number})
        assert found["Parameters"] == '{"lanes":null}'
        assert found["ParametersValues"] == {"#/lanes": {"Number": {"Ref": "Lanes"}}}

    def test_a_file_of_the_users_own_is_passed_on(self, batch_properties: Properties) -> None:
        found = batch_properties(run_settings=None, run_settings_uri="s3://bucket/settings.json", output_uri=None)
        assert found["S3UriSettings"] == "s3://bucket/settings.json"
        assert not {"InlineSettings", "OutputUri"} & set(found)

    def test_constructs_of_the_app_stand_for_their_ids(self, stack: Stack, declare_batch: Declare) -> None:
        group = aws_omics.CfnRunGroup(stack, "Group", max_runs=5)
        declare_batch(run_group=group)
        name = stack.resolve(group.logical_id)
        Template.from_stack(stack).has_resource_properties(BATCH_TYPE, {"RunGroupId": {"Ref": name}})

    def test_tags_of_scopes_reach_the_batch_and_its_own_win(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch(tags={"project": "1000G"})
        Tags.of(stack).add("project", "other")
        Tags.of(stack).add("team", "genomes")
        Template.from_stack(stack).has_resource_properties(
            BATCH_TYPE, {"Tags": {"project": "1000G", "team": "genomes"}, "RunTags": Match.absent()}
        )

    def test_a_removal_policy_that_is_set_later_is_told(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch()
        RemovalPolicies.of(stack).retain()
        Template.from_stack(stack).has_resource(
            BATCH_TYPE, {"DeletionPolicy": "Retain", "Properties": {"RemovalPolicy": "Retain"}}
        )

    @pytest.mark.parametrize("attribute", list(BatchAttribute))
    def test_each_attribute_is_what_the_function_answers(
        self, stack: Stack, declare_batch: Declare, attribute: BatchAttribute
    ) -> None:
        CfnOutput(stack, "Out", value=getattr(declare_batch(), attribute.name.lower()))
        (output,) = Template.from_stack(stack).find_outputs("Out").values()
        assert output["Value"] == {"Fn::GetAtt": [logical_id(stack), attribute.value]}

    def test_a_run_and_a_batch_share_function_and_role(self, stack: Stack, declare_batch: Declare) -> None:
        role = RunRole(stack, "Role")
        declare_batch(role=role)
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r", role=role)
        Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 1)
        Template.from_stack(stack).resource_count_is("AWS::IAM::Role", 2)


class TestProblems:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"workflow_id": None}, "neither workflow_id nor workflow was given: give one of them"),
            (
                {"workflow_type": "READY2RUN"},
                "workflow_type was 'READY2RUN': must be PRIVATE, or left out, for HealthOmics has no batches of "
                "Ready2Run workflows; declare a HealthOmicsRun for each sample",
            ),
            ({"batch_name": "b" * 65}, f"batch_name was '{'b' * 65}', 65 characters long: must have 1 to 64"),
            ({"wait_for": "RUNNING"}, "wait_for was 'RUNNING': must be one of SUBMITTED, COMPLETED"),
            (
                {"max_failed_runs": -1, "wait_for": "COMPLETED"},
                "max_failed_runs was -1: must be a whole number from 0",
            ),
            (
                {"max_failed_runs": True, "wait_for": "COMPLETED"},
                "max_failed_runs was True: must be a whole number from 0",
            ),
            (
                {"max_failed_runs": 3},
                "max_failed_runs was 3 without wait_for: must be left out, or wait_for be COMPLETED, for only who "
                "waits hears of runs that fail",
            ),
            (
                {"timeout": Duration.hours(2)},
                "timeout was 7200 seconds: must be 30 seconds to 60 minutes, in whole seconds, for there is nothing to "
                "wait for longer; to wait for the batch, up to 7 days, give wait_for",
            ),
            (
                {"run_settings": None},
                "neither run_settings nor run_settings_uri was given: give one of them, what each run has of its own",
            ),
            ({"run_settings_uri": "s3://b/s"}, "run_settings and run_settings_uri were given: only one may be"),
            (
                {"run_settings": None, "run_settings_uri": "settings.json"},
                "run_settings_uri was 'settings.json': must be an S3 URI such as 's3://bucket/settings.json'",
            ),
            (
                {"run_settings": None, "run_settings_uri": ""},
                "run_settings_uri was '', 0 characters long: must have 1 to 750",
            ),
            (
                {"run_tags": {"cdk-healthomics:stack-id": "x"}},
                "the key of run_tags['cdk-healthomics:stack-id'] begins with a reserved prefix: must not begin with "
                "aws: or cdk-healthomics:",
            ),
            (
                {"run_tags": {f"k{i}": "v" for i in range(50)}},
                "run_tags has 50 tags: must be at most 49, for HealthOmics allows 50 a run and 1 is this construct's "
                "own; leave 1 out",
            ),
            (
                {"parameters": {"key": "{{resolve:secretsmanager:key}}"}},
                "parameters['key'] holds {{resolve:secretsmanager:key}}: must hold no secretsmanager and no ssm-secure "
                "reference, for CloudFormation resolves neither for custom resources, and the run would get the "
                "reference; put it into a file on S3, and give its URI instead",
            ),
        ],
    )
    def test_a_mistake_is_told_by_the_argument_that_was_typed(
        self, declare_batch: Declare, arguments: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValidationError) as error:
            declare_batch(**arguments)
        assert message in error.value.problems
        assert str(error.value).startswith("HealthOmicsRunBatch at 'Genomes/Cohort' cannot be made:\n  - ")

    def test_the_tags_of_a_run_are_counted_when_all_are_known(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch(run_tags={f"r{i}": "v" for i in range(20)})
        for i in range(30):
            Tags.of(stack).add(f"t{i}", "v")
        assert refusals(stack) == [
            "'Genomes/Cohort': run_tags, with tags and those of Tags.of(…), has 50 tags: must be at most 49, for "
            "HealthOmics allows 50 a run and 1 is this construct's own; leave 1 out"
        ]

    def test_parameters_are_compared_with_the_workflow_together_with_those_of_the_settings(
        self, stack: Stack, declare_batch: Declare
    ) -> None:
        workflow = aws_omics.CfnWorkflow(
            stack, "Workflow", definition_uri="s3://b/w.zip", parameter_template={"ref": {}, "bam": {}, "bed": {}}
        )
        setting = RunSetting("NA12878", parameters={"bam": "s3://b/a.bam", "lane": 1})
        declare_batch(workflow_id=None, workflow=workflow, parameters={"ref": "s3://b/r"}, run_settings=[setting])
        assert refusals(stack) == [
            "'Genomes/Cohort': parameters['lane'] is not in the workflow's parameter_template: must be one of 'bed'",
            "'Genomes/Cohort': parameters['bed'] is missing: the workflow's parameter_template requires it; give it, "
            "or make it optional there",
        ]

    def test_parameters_of_a_setting_that_are_a_token_are_not_known(self, stack: Stack, declare_batch: Declare) -> None:
        workflow = aws_omics.CfnWorkflow(
            stack, "Workflow", definition_uri="s3://b/w.zip", parameter_template={"ref": {}, "bam": {}}
        )
        CfnCondition(stack, "C", expression=Fn.condition_equals(Aws.REGION, "us-east-1"))
        late: Any = Fn.condition_if("C", {"bam": "s3://b/a"}, {"bam": "s3://b/b"})
        settings = [RunSetting("NA12878", parameters=late), RunSetting("NA12891", parameters={"bam": "s3://b/c"})]
        declare_batch(workflow_id=None, workflow=workflow, run_settings=settings)
        assert refusals(stack) == []
        (batch,) = Template.from_stack(stack).find_resources(BATCH_TYPE).values()
        assert batch["Properties"]["InlineSettings"] == (
            '[{"runSettingId":"NA12878","parameters":null},{"runSettingId":"NA12891","parameters":{"bam":"s3://b/c"}}]'
        )
        assert list(batch["Properties"]["InlineSettingsValues"]) == ["#/0/parameters"]

    def test_parameters_in_a_file_of_the_users_own_are_not_known(self, stack: Stack, declare_batch: Declare) -> None:
        workflow = aws_omics.CfnWorkflow(
            stack, "Workflow", definition_uri="s3://b/w.zip", parameter_template={"ref": {}, "bam": {}}
        )
        declare_batch(workflow_id=None, workflow=workflow, run_settings=None, run_settings_uri="s3://b/settings.json")
        assert refusals(stack) == []

    def test_a_secret_behind_a_token_is_told_of_run_tags_too(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch(run_tags={"key": Fn.join(":", ["{{resolve", "ssm-secure", Aws.STACK_NAME, "1}}"])})
        (problem,) = refusals(stack)
        assert problem.startswith("'Genomes/Cohort': run_tags['key'] holds {{resolve:ssm-secure:…:1}}: must hold no")


class TestEvents:
    @pytest.mark.parametrize(("method", "status"), [("on_completed", "PROCESSED"), ("on_failed", "FAILED")])
    def test_a_rule_matches_the_batchs_name_workflow_and_status(
        self, stack: Stack, declare_batch: Declare, method: str, status: str
    ) -> None:
        getattr(declare_batch(), method)("It")
        Template.from_stack(stack).has_resource_properties(
            "AWS::Events::Rule",
            {
                "EventPattern": {
                    "source": ["aws.omics"],
                    "detail-type": ["RunBatch Status Change"],
                    "detail": {
                        "batchName": [f"Genomes-{logical_id(stack)}"],
                        "workflowId": ["1234567"],
                        "status": [status],
                    },
                }
            },
        )

    def test_a_rule_matches_the_name_that_the_function_will_give_within_what_batches_may_be_called(self) -> None:
        stack = Stack(App(), "S" * 128)
        HealthOmicsRunBatch(
            stack, "Cohort", workflow_id="1", output_uri="s3://b/r", run_settings=[RunSetting("A")]
        ).on_status_change("Changed")
        (rule,) = Template.from_stack(stack).find_resources("AWS::Events::Rule").values()
        (name,) = rule["Properties"]["EventPattern"]["detail"]["batchName"]
        assert name == default_run_name("S" * 128, logical_id(stack), 64)
        assert len(name) == 64

    def test_a_batch_in_a_nested_stack_is_named_at_synth(self) -> None:
        nested = NestedStack(Stack(App(), "Genomes"), "Trio")
        HealthOmicsRunBatch(nested, "Cohort", workflow_id="1", output_uri="s3://b/r", run_settings=[RunSetting("A")])
        Template.from_stack(nested).has_resource_properties(
            BATCH_TYPE, {"BatchName": f"Genomes-Trio-{logical_id(nested)}", "Name": Match.absent()}
        )

    def test_a_run_and_a_batch_of_one_name_are_told_apart_by_their_events(
        self, stack: Stack, declare_batch: Declare
    ) -> None:
        declare_batch(batch_name="trio").on_failed("Failed")
        HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://b/r", name="trio").on_failed("Failed")
        assert not Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("hears of both"))

    def test_a_second_batch_of_the_name_is_warned_of(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch("Other", batch_name="trio")
        declare_batch(batch_name="trio").on_failed("Failed")
        Annotations.from_stack(stack).has_warning(
            "/Genomes/Cohort",
            Match.string_like_regexp(
                "batch_name was 'trio', as that of the batch at Genomes/Other: events tell names, so on_… hears of "
                "both; give each a name of its own, or leave batch_name out"
            ),
        )


class TestPermissions:
    def test_what_batches_need_is_allowed_beside_what_runs_need(self, stack: Stack, declare_batch: Declare) -> None:
        declare_batch()
        declare_batch("Second")
        ours = [each for each in statements(stack) if "Batch" in json.dumps(each["Action"])]
        assert ours == [
            {
                "Action": "omics:StartRunBatch",
                "Effect": "Allow",
                "Resource": [arn("run/*"), arn("runBatch/*")],
            },
            {
                "Action": ["omics:GetBatch", "omics:ListRunsInBatch", "omics:TagResource", "omics:UntagResource"],
                "Effect": "Allow",
                "Resource": arn("runBatch/*"),
            },
            {
                "Action": "omics:CancelRunBatch",
                "Condition": STACK_TAG,
                "Effect": "Allow",
                "Resource": arn("runBatch/*"),
            },
            {"Action": "omics:ListBatch", "Effect": "Allow", "Resource": "*"},
        ]
        assert allowed(stack, "omics:StartRun") == [arn("run/*"), arn("workflow/1234567")]

    def test_a_stack_without_batches_is_allowed_none_of_it(self, stack: Stack) -> None:
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r")
        assert [operation for operation in BATCH_OPERATIONS if allowed(stack, f"omics:{operation}")] == []
        assert arn("runBatch/*") not in allowed(stack, "omics:TagResource")

    def test_who_reads_a_batch_reads_the_runs_of_its_stack(self, stack: Stack, declare_batch: Declare) -> None:
        reader = aws_iam.Role(stack, "Reader", assumed_by=aws_iam.AccountRootPrincipal())
        declare_batch().grant_read(reader)
        assert granted(stack) == [
            {
                "Action": ["omics:GetBatch", "omics:ListRunsInBatch"],
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": [logical_id(stack), "BatchArn"]},
            },
            {
                "Action": ["omics:GetRun", "omics:GetRunTask", "omics:ListRunTasks"],
                "Condition": STACK_TAG,
                "Effect": "Allow",
                "Resource": arn("run/*"),
            },
            {"Action": "omics:GetRunTask", "Effect": "Allow", "Resource": arn("task/*")},
            {"Action": "omics:ListTagsForResource", "Effect": "Allow", "Resource": "*"},
        ]

    def test_who_cancels_a_batch_cancels_it_and_the_runs_of_its_stack(
        self, stack: Stack, declare_batch: Declare
    ) -> None:
        canceller = aws_iam.Role(stack, "Canceller", assumed_by=aws_iam.AccountRootPrincipal())
        declare_batch().grant_cancel(canceller)
        assert granted(stack) == [
            {
                "Action": "omics:CancelRunBatch",
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": [logical_id(stack), "BatchArn"]},
            },
            {"Action": "omics:CancelRun", "Condition": STACK_TAG, "Effect": "Allow", "Resource": arn("run/*")},
        ]


def granted(stack: Stack) -> list[dict[str, Any]]:
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found
