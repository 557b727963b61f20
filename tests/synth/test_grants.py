"""What others may do with a run, what its role may read, and runs that live elsewhere."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack, aws_ecr, aws_iam, aws_s3
from aws_cdk.assertions import Annotations, Match, Template

from cdk_healthomics import HealthOmicsRun, IHealthOmicsRun, RunRole, ValidationError
from cdk_healthomics_handler.names import RESOURCE_TYPE

Declare = Callable[..., HealthOmicsRun]
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LET_IN = {"Action": PULL, "Effect": "Allow", "Principal": {"Service": "omics.amazonaws.com"}}


def arn(suffix: str) -> dict[str, Any]:
    before = ["arn:", {"Ref": "AWS::Partition"}, ":omics:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}]
    return {"Fn::Join": ["", [*before, f":{suffix}"]]}


def s3(suffix: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":s3:::{suffix}"]]}


def run_arn(stack: Stack) -> dict[str, Any]:
    (name,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE)
    return {"Fn::GetAtt": [name, "RunArn"]}


def statements(stack: Stack) -> list[dict[str, Any]]:
    """Those of the one policy that grants made."""
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    return [each for policy in policies for each in policy["Properties"]["PolicyDocument"]["Statement"]]


@pytest.fixture
def reader(stack: Stack) -> aws_iam.Role:
    return aws_iam.Role(stack, "Reader", assumed_by=aws_iam.AccountRootPrincipal())


class TestOthers:
    @pytest.mark.parametrize("present", [True, False], ids=["run.grants.read", "run.grant_read"])
    def test_who_reads_a_run_reads_its_tasks_and_tags(
        self, stack: Stack, declare: Declare, reader: aws_iam.Role, *, present: bool
    ) -> None:
        run = declare()
        (run.grants.read if present else run.grant_read)(reader).assert_success()
        assert statements(stack) == [
            {
                "Action": ["omics:GetRun", "omics:GetRunTask", "omics:ListRunTasks"],
                "Effect": "Allow",
                "Resource": run_arn(stack),
            },
            {"Action": "omics:GetRunTask", "Effect": "Allow", "Resource": arn("task/*")},
            {"Action": "omics:ListTagsForResource", "Effect": "Allow", "Resource": "*"},
        ]

    @pytest.mark.parametrize("action", ["omics:CancelRun", "omics:TagResource"])
    def test_any_other_action_is_allowed_on_this_run_only(
        self, stack: Stack, declare: Declare, reader: aws_iam.Role, action: str
    ) -> None:
        run = declare()
        if action == "omics:CancelRun":
            run.grant_cancel(reader)
        else:
            run.grant(reader, action)
        assert statements(stack) == [{"Action": action, "Effect": "Allow", "Resource": run_arn(stack)}]

    def test_an_action_that_knows_no_resource_is_allowed_without_one(
        self, stack: Stack, declare: Declare, reader: aws_iam.Role
    ) -> None:
        declare().grant(reader, "omics:ListTagsForResource")
        assert statements(stack) == [{"Action": "omics:ListTagsForResource", "Effect": "Allow", "Resource": "*"}]


class TestElsewhere:
    @pytest.fixture
    def elsewhere(self, stack: Stack) -> IHealthOmicsRun:
        return HealthOmicsRun.from_run_attributes(
            stack, "Theirs", run_id="7654321", run_uuid="0b0e-1", name="reference-build"
        )

    def test_it_makes_nothing_and_has_the_names_that_were_given(self, stack: Stack, elsewhere: IHealthOmicsRun) -> None:
        assert (elsewhere.run_id, elsewhere.run_uuid) == ("7654321", "0b0e-1")
        assert stack.resolve(elsewhere.run_arn) == arn("run/7654321")
        assert "Resources" not in Template.from_stack(stack).to_json()
        assert elsewhere.node.path == "Genomes/Theirs"

    def test_it_has_the_grants_of_a_declared_run(
        self, stack: Stack, elsewhere: IHealthOmicsRun, reader: aws_iam.Role
    ) -> None:
        elsewhere.grant_read(reader)
        elsewhere.grants.cancel(reader)
        allowed = statements(stack)
        assert [each["Resource"] for each in allowed] == [
            arn("run/7654321"),
            arn("task/*"),
            "*",
            arn("run/7654321"),
        ]

    def test_its_end_is_told_by_its_name(self, stack: Stack, elsewhere: IHealthOmicsRun) -> None:
        elsewhere.on_failed("Failed")
        Template.from_stack(stack).has_resource_properties(
            "AWS::Events::Rule",
            {
                "EventPattern": {
                    "source": ["aws.omics"],
                    "detail-type": ["Run Status Change"],
                    "detail": {"runName": ["reference-build"], "status": ["FAILED"], "workflowId": Match.absent()},
                }
            },
        )

    def test_its_page_is_in_the_console_of_the_partition_and_region(
        self, stack: Stack, elsewhere: IHealthOmicsRun
    ) -> None:
        domain = {"Fn::FindInMap": ["HealthOmicsConsoles", {"Ref": "AWS::Partition"}, "Domain"]}
        region = {"Ref": "AWS::Region"}
        for run in (elsewhere, HealthOmicsRun.from_run_attributes(stack, "Again", run_id="7654321")):
            page = ["https://", region, ".", domain, "/omics/home?region=", region, "#/runs/7654321"]
            assert stack.resolve(run.console_url) == {"Fn::Join": ["", page]}
        Template.from_stack(stack).has_mapping("HealthOmicsConsoles", {"aws-cn": {"Domain": "console.amazonaws.cn"}})

    def test_where_the_partition_is_known_its_page_is_whole(self) -> None:
        app = App(context={"@aws-cdk/core:enablePartitionLiterals": True})
        stack = Stack(app, "Genomes", env=Environment(region="us-gov-west-1"))
        run = HealthOmicsRun.from_run_attributes(stack, "Theirs", run_id="1")
        page = "https://us-gov-west-1.console.amazonaws-us-gov.com/omics/home?region=us-gov-west-1#/runs/1"
        assert stack.resolve(run.console_url) == page
        assert "Mappings" not in Template.from_stack(stack).to_json()

    def test_a_declared_run_is_one_too(self, declare: Declare) -> None:
        assert isinstance(declare(), IHealthOmicsRun)

    def test_tokens_pass(self, stack: Stack) -> None:
        text = CfnParameter(stack, "Id").value_as_string
        run = HealthOmicsRun.from_run_attributes(stack, "Run", run_id=text, run_uuid=text, name=text)
        assert stack.resolve(run.run_id) == {"Ref": "Id"}

    def test_what_was_not_given_is_told_where_it_is_asked_for(self, stack: Stack) -> None:
        run = HealthOmicsRun.from_run_attributes(stack, "Theirs", run_id="1")
        for attribute, ask in (("run_uuid", lambda: run.run_uuid), ("name", lambda: run.on_completed("Done"))):
            with pytest.raises(ValidationError) as error:
                ask()
            assert str(error.value) == (
                "HealthOmicsRun at 'Genomes/Theirs' cannot be made:\n"
                f"  - {attribute} was not given: must be given to from_run_attributes, for it is asked for here"
            )

    def test_mistakes_are_told_in_one_message_and_its_id_stays_free(self, stack: Stack) -> None:
        wrong: dict[str, Any] = {"run_id": "run-1", "run_uuid": 1, "name": ""}
        with pytest.raises(ValidationError) as error:
            HealthOmicsRun.from_run_attributes(stack, "Theirs", **wrong)
        assert sorted(error.value.problems) == [
            "name was '', 0 characters long: must have 1 to 128",
            "run_id was 'run-1': must match [0-9]+",
            "run_uuid was 1: must be text; write it in quotes",
        ]
        assert HealthOmicsRun.from_run_attributes(stack, "Theirs", run_id="1")


class TestInputs:
    def test_the_role_may_read_the_objects_and_prefixes_that_parameters_name_and_nothing_else(
        self, stack: Stack, declare: Declare
    ) -> None:
        own = aws_s3.Bucket(stack, "Own")
        run = declare(
            parameters={
                "ref": "s3://references/hg38/hg38.fa",
                "reads": ["s3://reads/NA12878/", {"mate": ("s3://reads/a_2.fq", "s3://reads/a_2.fq")}],
                "all": "s3://panel/",
                "own": own.s3_url_for_object("x/"),
                "name": "NA12878",
                "text": "see s3://not/this",
                "bucket": "s3://whole-bucket",
                "point": "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/p/key",
                "number": 24,
                "nothing": None,
            },
            output_uri="s3://results/runs/",
        )
        run.grant_read_inputs().assert_success()
        assert statements(stack) == [
            {
                "Action": "s3:GetObject",
                "Effect": "Allow",
                "Resource": [
                    s3("references/hg38/hg38.fa"),
                    s3("reads/NA12878/*"),
                    s3("reads/a_2.fq"),
                    s3("panel/*"),
                ],
            },
            {
                "Action": "s3:ListBucket",
                "Condition": {"StringLike": {"s3:prefix": ["NA12878/", "NA12878/*"]}},
                "Effect": "Allow",
                "Resource": s3("reads"),
            },
            {
                "Action": "s3:ListBucket",
                "Condition": {"StringLike": {"s3:prefix": ["", "*"]}},
                "Effect": "Allow",
                "Resource": s3("panel"),
            },
        ]

    def test_what_iam_reads_as_a_wildcard_is_only_itself(self, stack: Stack, declare: Declare) -> None:
        declare(parameters={"a": "s3://bucket/a*/b?c$d", "b": "s3://bucket/*/"}).grant_read_inputs()
        objects, under = statements(stack)
        assert objects["Resource"] == [s3("bucket/a${*}/b${?}c${$}d"), s3("bucket/${*}/*")]
        assert under["Condition"] == {"StringLike": {"s3:prefix": ["${*}/", "${*}/*"]}}

    @pytest.mark.parametrize("parameters", [None, {}, {"sample": "NA12878"}])
    def test_where_nothing_is_named_nothing_is_granted(
        self, stack: Stack, declare: Declare, parameters: dict[str, Any] | None
    ) -> None:
        assert not declare(parameters=parameters).grant_read_inputs().success
        assert statements(stack) == []

    def test_parameters_that_are_a_token_are_left_to_the_user(self, stack: Stack, declare: Declare) -> None:
        text = CfnParameter(stack, "Text").value_as_string
        declare(parameters={"a": [text, f"s3://bucket/{text}"]}).grant_read_inputs()
        assert statements(stack) == []

    def test_the_run_waits_for_it(self, stack: Stack, declare: Declare) -> None:
        declare(parameters={"ref": "s3://bucket/ref.fa"}).grant_read_inputs()
        (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy")
        (run,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE).values()
        assert policy in run["DependsOn"]

    def test_as_many_as_a_document_holds_fit_iams_limits(self, stack: Stack, declare: Declare) -> None:
        # The CDK puts what is beyond the role's own policies into managed policies of at most 6,144 characters.
        files = [f"s3://bucket/{'x' * 60}/{number:04}.fastq.gz" for number in range(500)]
        declare(parameters={"reads": files}).grant_read_inputs()
        template = Template.from_stack(stack).to_json()["Resources"].values()
        documents = [
            each["Properties"]["PolicyDocument"]
            for each in template
            if each["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
        ]
        assert all(len(str(statement["Resource"])) < 20_000 for each in documents for statement in each["Statement"])
        named = [arn for each in documents for statement in each["Statement"] for arn in statement["Resource"]]
        assert len(named) == 500
        assert len(documents) > 5


class TestImages:
    def test_a_repository_of_the_app_lets_healthomics_in_and_the_run_waits_for_it(
        self, stack: Stack, declare: Declare
    ) -> None:
        repository = aws_ecr.Repository(stack, "Tools")
        declare().grant_pull(repository).assert_success()
        template = Template.from_stack(stack)
        ((name, own),) = template.find_resources("AWS::ECR::Repository").items()
        assert own["Properties"]["RepositoryPolicyText"]["Statement"] == [LET_IN]
        pull, login = statements(stack)
        assert (sorted(pull["Action"]), pull["Resource"]) == (PULL, {"Fn::GetAtt": [name, "Arn"]})
        assert login == {"Action": "ecr:GetAuthorizationToken", "Effect": "Allow", "Resource": "*"}
        (run,) = template.find_resources(RESOURCE_TYPE).values()
        assert name in run["DependsOn"]
        assert Annotations.from_stack(stack).find_info("*", Match.any_value()) == []

    def test_the_statement_that_another_repository_needs_is_told_once(self, stack: Stack) -> None:
        role = RunRole(stack, "Shared")
        tools = aws_ecr.Repository.from_repository_name(stack, "Tools", "tools")
        for name in ("First", "Second"):
            run = HealthOmicsRun(stack, name, workflow_id="1", output_uri="s3://b/r", role=role)
            run.grant_pull(tools).assert_success()
        (told,) = Annotations.from_stack(stack).find_info("*", Match.any_value())
        assert told.id == "/Genomes/Tools"
        assert told.entry.data == (
            "The repository is not this app's own. Without this statement in its policy HealthOmics cannot pull from "
            'it, and a run ends with ECR_PERMISSION_ERROR: {"Effect": "Allow", "Principal": {"Service": '
            '"omics.amazonaws.com"}, "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", '
            '"ecr:GetDownloadUrlForLayer"]}'
        )

    def test_a_repository_of_another_stack_is_made_before_the_runs_stack(self) -> None:
        app = App()
        theirs, ours = Stack(app, "Theirs"), Stack(app, "Ours")
        repository = aws_ecr.Repository(theirs, "Tools")
        HealthOmicsRun(ours, "Run", workflow_id="1", output_uri="s3://b/r").grant_pull(repository)
        (own,) = Template.from_stack(theirs).find_resources("AWS::ECR::Repository").values()
        assert own["Properties"]["RepositoryPolicyText"]["Statement"] == [LET_IN]
        assert [stack.node.id for stack in ours.dependencies] == ["Theirs"]


class TestOwnRole:
    def test_it_may_write_logs_and_metrics_as_awss_own_example(self, stack: Stack, declare: Declare) -> None:
        declare()
        RunRole(stack, "Shared")
        roles = Template.from_stack(stack).find_resources(
            "AWS::IAM::Role", {"Properties": {"Description": "Runs of AWS HealthOmics"}}
        )
        assert len(roles) == 2
        for role in roles.values():
            logs, metrics = role["Properties"]["Policies"]
            assert [each["Action"] for each in logs["PolicyDocument"]["Statement"]] == [
                "logs:CreateLogGroup",
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            ]
            assert metrics["PolicyDocument"]["Statement"] == [
                {"Action": "cloudwatch:PutMetricData", "Effect": "Allow", "Resource": "*"}
            ]
