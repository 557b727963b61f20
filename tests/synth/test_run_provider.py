"""``HealthOmicsRunProvider``: the function with its settings, and what its role may then do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk
import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    CfnParameter,
    IAspect,
    NestedStack,
    RemovalPolicy,
    Stack,
    aws_ec2,
    aws_iam,
    aws_kms,
    aws_lambda,
    aws_lambda_destinations,
    aws_logs,
    aws_s3,
    aws_sqs,
)
from aws_cdk.assertions import Annotations, Match, Template

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunProvider, ManagedPolicyRole, ValidationError, WaitFor
from cdk_healthomics_handler.names import RESOURCE_TYPE
from constructs import Construct, IConstruct

Declare = Callable[..., HealthOmicsRun]
LAMBDA = aws_iam.ServicePrincipal("lambda.amazonaws.com")
ON_NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
OWN = {
    "HealthOmicsRunProviderFunctionDE8A886A": "AWS::Lambda::Function",
    "HealthOmicsRunProviderLogs2EB7A8DB": "AWS::Logs::LogGroup",
    "HealthOmicsRunProviderRole4B84C933": "AWS::IAM::Role",
}
"""The stack's own provider, as deployed stacks have it."""
OWN_WAITING = {
    **OWN,
    "HealthOmicsRunProviderTargets66DEA7B8": "AWS::IAM::ManagedPolicy",
    "HealthOmicsRunProviderWaitingAF318590": "AWS::Lambda::Permission",
}


def resources(stack: Stack, kind: str) -> dict[str, Any]:
    return dict(Template.from_stack(stack).find_resources(kind))


def one(stack: Stack, kind: str) -> dict[str, Any]:
    """The only resource of a kind, its properties and what it waits for."""
    (found,) = resources(stack, kind).values()
    return dict(found)


def statements(stack: Stack) -> list[dict[str, Any]]:
    """All statements of identity policies in a stack."""
    template = Template.from_stack(stack)
    documents = [
        policy["PolicyDocument"]
        for role in template.find_resources("AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
    ]
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        documents += [each["Properties"]["PolicyDocument"] for each in template.find_resources(kind).values()]
    return [statement for document in documents for statement in document["Statement"]]


def actions(stack: Stack) -> set[str]:
    return {
        action
        for each in statements(stack)
        for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
    }


def awaited(stack: Stack, name: str) -> set[str]:
    """All that a resource waits for, directly or not: by DependsOn or because it refers to it."""
    every = Template.from_stack(stack).to_json()["Resources"]

    def direct(each: str) -> set[str]:
        depends = every[each].get("DependsOn", [])
        text = json.dumps(every[each])
        referred = {other for other in every if f'"{other}"' in text and other != each}
        return referred | set([depends] if isinstance(depends, str) else depends)

    found: set[str] = set()
    left = [name]
    while left:
        for each in direct(left.pop()) - found:
            found.add(each)
            left.append(each)
    return found


def isolated(stack: Stack) -> aws_ec2.Vpc:
    return aws_ec2.Vpc(
        stack,
        "Network",
        max_azs=2,
        nat_gateways=0,
        subnet_configuration=[aws_ec2.SubnetConfiguration(name="own", subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED)],
    )


ISOLATED = aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED)


class TestOwn:
    @pytest.mark.parametrize(
        ("wait_for", "expected"), [(None, OWN), (WaitFor.COMPLETED, OWN_WAITING)], ids=["plain", "waiting"]
    )
    def test_the_stacks_own_provider_keeps_its_logical_ids_and_types(
        self, stack: Stack, declare: Declare, wait_for: WaitFor | None, expected: dict[str, str]
    ) -> None:
        declare(wait_for=wait_for)
        every = Template.from_stack(stack).to_json()["Resources"]
        of_run = {"RunC4A32B5F", "RunRole24349138"}
        assert {name: each["Type"] for name, each in every.items() if name not in of_run} == expected

    def test_a_run_names_nothing_of_it_that_it_need_not(self, stack: Stack, declare: Declare) -> None:
        declare()
        assert one(stack, RESOURCE_TYPE)["DependsOn"] == ["RunRole24349138"]

    def test_one_with_its_id_takes_its_place(self, stack: Stack, declare: Declare) -> None:
        HealthOmicsRunProvider(stack, "HealthOmicsRunProvider", memory_size=512)
        declare()
        assert {name for name in Template.from_stack(stack).to_json()["Resources"] if "Provider" in name} == set(OWN)
        assert one(stack, "AWS::Lambda::Function")["Properties"]["MemorySize"] == 512


class TestSettings:
    def test_what_is_left_out_is_as_in_the_stacks_own(self) -> None:
        plain, named = Stack(App(), "Genomes"), Stack(App(), "Genomes")
        HealthOmicsRun(plain, "Run", workflow_id="1", output_uri="s3://b/r")
        provider = HealthOmicsRunProvider(named, "HealthOmicsRunProvider")
        HealthOmicsRun(named, "Run", workflow_id="1", output_uri="s3://b/r", provider=provider)
        ours, theirs = (Template.from_stack(each).to_json()["Resources"] for each in (named, plain))
        assert {name: ours[name] for name in OWN} == {name: theirs[name] for name in OWN}

    def test_each_reaches_the_function_or_its_log_group(self, stack: Stack, declare: Declare) -> None:
        key, logs_key = aws_kms.Key(stack, "Key"), aws_kms.Key(stack, "LogsKey")
        failures, letters = aws_sqs.Queue(stack, "Failures"), aws_sqs.Queue(stack, "Letters")
        provider = HealthOmicsRunProvider(
            stack,
            "Provider",
            function_name="runs",
            memory_size=128,
            environment_encryption=key,
            log_retention=aws_logs.RetentionDays.TEN_YEARS,
            log_removal_policy=RemovalPolicy.RETAIN,
            log_encryption=logs_key,
            reserved_concurrent_executions=1,
            on_failure=aws_lambda_destinations.SqsDestination(failures),
            dead_letter_queue=letters,
            tracing=aws_lambda.Tracing.ACTIVE,
            use_fips_endpoint=True,
            start_run_rate=0.5,
        )
        declare(provider=provider)
        function = one(stack, "AWS::Lambda::Function")["Properties"]
        assert function["FunctionName"] == "runs"
        assert (function["MemorySize"], function["ReservedConcurrentExecutions"]) == (128, 1)
        assert function["KmsKeyArn"] == stack.resolve(key.key_arn)
        assert function["DeadLetterConfig"] == {"TargetArn": stack.resolve(letters.queue_arn)}
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["Environment"]["Variables"] == {
            "CDK_HEALTHOMICS_RUNS": "1",
            "CDK_HEALTHOMICS_START_RATE": "0.5",
            "AWS_USE_FIPS_ENDPOINT": "true",
        }
        logs = one(stack, "AWS::Logs::LogGroup")
        assert (logs["Properties"]["RetentionInDays"], logs["DeletionPolicy"]) == (3653, "Retain")
        assert logs["Properties"]["KmsKeyId"] == stack.resolve(logs_key.key_arn)
        config = one(stack, "AWS::Lambda::EventInvokeConfig")["Properties"]
        assert config["DestinationConfig"] == {"OnFailure": {"Destination": stack.resolve(failures.queue_arn)}}
        assert {"kms:Decrypt", "sqs:SendMessage", "xray:PutTraceSegments"} <= actions(stack)

    def test_cloudwatch_logs_may_use_the_key_of_the_log_group(self, stack: Stack) -> None:
        HealthOmicsRunProvider(stack, "Provider", log_encryption=aws_kms.Key(stack, "Key"))
        policy = one(stack, "AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
        (logs,) = (each for each in policy if "Condition" in each)
        suffix = {"Ref": "AWS::URLSuffix"}
        assert logs["Principal"] == {"Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".", suffix]]}}
        assert "kms:GenerateDataKey*" in logs["Action"]

    def test_of_a_key_of_others_it_is_told_what_its_policy_must_have(self, stack: Stack) -> None:
        arn = "arn:aws:kms:us-east-1:123456789012:key/1"
        HealthOmicsRunProvider(stack, "Provider", log_encryption=aws_kms.Key.from_key_arn(stack, "Key", arn))
        Annotations.from_stack(stack).has_warning(
            "*", Match.string_like_regexp("log_encryption is not of this app: its policy must have")
        )

    def test_a_rate_that_is_known_at_deployment_only_arrives(self, stack: Stack, declare: Declare) -> None:
        rate = CfnParameter(stack, "Rate", type="Number").value_as_number
        declare(provider=HealthOmicsRunProvider(stack, "Provider", start_run_rate=rate))
        variables = one(stack, "AWS::Lambda::Function")["Properties"]["Environment"]["Variables"]
        assert variables["CDK_HEALTHOMICS_START_RATE"] == {"Ref": "Rate"}

    def test_a_log_group_that_is_given_is_the_one_that_is_written_to(self, stack: Stack, declare: Declare) -> None:
        group = aws_logs.LogGroup(stack, "Own")
        provider = HealthOmicsRunProvider(stack, "Provider", log_group=group)
        declare(provider=provider)
        assert provider.log_group is group
        assert one(stack, "AWS::Lambda::Function")["Properties"]["LoggingConfig"] == {
            "LogGroup": stack.resolve(group.log_group_name)
        }
        writes = [each["Resource"] for each in statements(stack) if "logs:PutLogEvents" in each["Action"]]
        assert stack.resolve(group.log_group_arn) in writes
        assert len(resources(stack, "AWS::Logs::LogGroup")) == 1


class TestMistakes:
    def test_all_are_told_at_once_and_the_id_stays_free(self, stack: Stack) -> None:
        group = aws_logs.LogGroup(stack, "Own")
        wrong: dict[str, Any] = {
            "vpc_subnets": ISOLATED,
            "security_groups": [],
            "role": "arn:aws:iam::123456789012:role/runs",
            "log_group": group,
            "log_retention": aws_logs.RetentionDays.ONE_DAY,
            "log_removal_policy": RemovalPolicy.RETAIN,
            "log_encryption": aws_kms.Key(stack, "Key"),
            "memory_size": 64,
            "reserved_concurrent_executions": 0,
            "start_run_rate": 0,
            "function_name": "f" * 65,
            "use_fips_endpoint": "yes",
            "tracing": "Active",
        }
        with pytest.raises(ValidationError) as error:
            HealthOmicsRunProvider(stack, "Provider", **wrong)
        assert str(error.value).startswith("HealthOmicsRunProvider at 'Genomes/Provider' cannot be made:")
        beside = (
            "was given beside log_group: must be left out, for it is of the log group that is made otherwise; set it "
            "on the one that you give"
        )
        assert error.value.problems == [
            (
                "role was 'arn:aws:iam::123456789012:role/runs': must be an iam.IRole; for an ARN use "
                "iam.Role.from_role_arn(…)"
            ),
            "tracing was 'Active': must be a lambda.Tracing, such as Tracing.ACTIVE",
            "use_fips_endpoint was 'yes': must be True or False",
            "vpc_subnets was given without vpc: must name the VPC that they are in as vpc, or be left out",
            "security_groups was given without vpc: must name the VPC that they are in as vpc, or be left out",
            f"log_retention {beside}",
            f"log_removal_policy {beside}",
            f"log_encryption {beside}",
            "memory_size was 64: must be a whole number of MB from 128 to 32768",
            (
                "reserved_concurrent_executions was 0: must be a whole number of at least 1; with 0 Lambda runs no "
                "request of CloudFormation's, not even the one that cancels a run"
            ),
            (
                "start_run_rate was 0: must be a number above 0, the account's quota of StartRun in calls a second "
                "(Service Quotas)"
            ),
            (
                f"function_name was {'f' * 65!r}, 65 characters long: must have 1 to 64 letters of the English "
                "alphabet, digits, hyphens and underscores"
            ),
        ]
        HealthOmicsRunProvider(stack, "Provider")

    def test_tokens_pass(self, stack: Stack) -> None:
        number = CfnParameter(stack, "Number", type="Number").value_as_number
        HealthOmicsRunProvider(
            stack,
            "Provider",
            function_name=CfnParameter(stack, "Name").value_as_string,
            memory_size=number,  # type: ignore[arg-type]
            reserved_concurrent_executions=number,  # type: ignore[arg-type]
            start_run_rate=number,
        )
        assert one(stack, "AWS::Lambda::Function")["Properties"]["MemorySize"] == {"Ref": "Number"}

    @pytest.mark.parametrize("kind", ["another stack", "nested stack"])
    def test_a_provider_of_another_stack_is_refused(self, kind: str) -> None:
        app = App()
        stack = Stack(app, "Genomes")
        other = Stack(app, "Other") if kind == "another stack" else NestedStack(stack, "Nested")
        provider = HealthOmicsRunProvider(other, "Provider")
        with pytest.raises(ValidationError) as error:
            HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r", provider=provider)
        assert error.value.problems == [
            (
                f"provider was that at '{other.node.path}/Provider', of another stack: must be of 'Genomes', the stack "
                "of the run, for its function may only touch runs, roles and rules of its own stack; declare one here"
            )
        ]
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r")

    def test_what_is_no_provider_is_refused(self, declare: Declare) -> None:
        with pytest.raises(ValidationError) as error:
            declare(provider="mine")
        assert error.value.problems == ["provider was 'mine': must be a HealthOmicsRunProvider of the run's own stack"]

    def test_a_role_of_another_stack_is_refused_until_it_is_brought_in(self) -> None:
        app = App()
        theirs, ours = Stack(app, "Theirs"), Stack(app, "Ours")
        role = aws_iam.Role(theirs, "Role", assumed_by=LAMBDA)
        with pytest.raises(ValidationError, match=r"role was that at 'Theirs/Role', of the stack 'Theirs': must be of"):
            HealthOmicsRunProvider(ours, "Provider", role=role)
        provider = HealthOmicsRunProvider(
            ours, "Provider", role=aws_iam.Role.from_role_arn(ours, "Theirs", role.role_arn)
        )
        HealthOmicsRun(ours, "Run", workflow_id="1", output_uri="s3://b/r", provider=provider)
        assert one(ours, "AWS::IAM::Policy")["Properties"]["Roles"]


class TestSeveral:
    def test_each_run_has_its_own_and_each_function_may_what_its_runs_need(
        self, stack: Stack, declare: Declare
    ) -> None:
        first, second = HealthOmicsRunProvider(stack, "First"), HealthOmicsRunProvider(stack, "Second")
        declare("One", workflow_id="1", provider=first, wait_for=WaitFor.COMPLETED)
        declare("Two", workflow_id="2", provider=second, wait_for=WaitFor.COMPLETED)
        declare("Three", workflow_id="3")
        runs = resources(stack, RESOURCE_TYPE)
        tokens = {json.dumps(each["Properties"]["ServiceToken"]) for each in runs.values()}
        assert len(tokens) == 3
        roles = resources(stack, "AWS::IAM::Role")
        for name, workflow in (("First", "1"), ("Second", "2"), ("HealthOmicsRunProvider", "3")):
            (role,) = (each for key, each in roles.items() if key.startswith(f"{name}Role"))
            text = json.dumps(role["Properties"]["Policies"])
            assert [each for each in "123" if f":workflow/{each}" in text] == [workflow]
        # All share the account's quota of StartRun.
        functions = resources(stack, "AWS::Lambda::Function").values()
        assert {each["Properties"]["Environment"]["Variables"]["CDK_HEALTHOMICS_RUNS"] for each in functions} == {"3"}
        assert len(resources(stack, "AWS::Lambda::Permission")) == 2

    def test_made_roles_are_passed_by_each(self, stack: Stack, declare: Declare) -> None:
        declare("One", provider=HealthOmicsRunProvider(stack, "First"))
        declare("Two")
        passed = [each["Resource"] for each in statements(stack) if each["Action"] == "iam:PassRole"]
        assert len(passed) == 2
        assert passed[0] == passed[1]


class TestRole:
    def test_one_that_is_given_gets_all_statements_and_the_function_has_it(
        self, stack: Stack, declare: Declare
    ) -> None:
        role = aws_iam.Role(stack, "Own", assumed_by=LAMBDA)
        provider = HealthOmicsRunProvider(stack, "Provider", role=role)
        declare(provider=provider, wait_for=WaitFor.COMPLETED)
        declare("Second", workflow_id="2", provider=provider)
        plain = Stack(App(), "Genomes")
        HealthOmicsRun(plain, "Run", workflow_id="1234567", output_uri="s3://b/r", wait_for=WaitFor.COMPLETED)
        HealthOmicsRun(plain, "Second", workflow_id="2", output_uri="s3://b/r")
        assert actions(stack) == actions(plain)
        assert one(stack, "AWS::Lambda::Function")["Properties"]["Role"] == stack.resolve(role.role_arn)
        (started,) = (each["Resource"] for each in statements(stack) if each["Action"] == "omics:StartRun")
        assert [each["Fn::Join"][1][-1].rpartition("/")[2] for each in started] == ["1234567", "2"]
        assert provider.role is role

    def test_an_imported_one_likewise(self, stack: Stack, declare: Declare) -> None:
        arn = "arn:aws:iam::123456789012:role/org/runs"
        role = aws_iam.Role.from_role_arn(stack, "Own", arn)
        declare(provider=HealthOmicsRunProvider(stack, "Provider", role=role), wait_for=WaitFor.COMPLETED)
        assert one(stack, "AWS::IAM::Policy")["Properties"]["Roles"] == ["runs"]
        assert one(stack, "AWS::IAM::ManagedPolicy")["Properties"]["Roles"] == ["runs"]
        assert one(stack, "AWS::Lambda::Function")["Properties"]["Role"] == arn
        (run,) = resources(stack, RESOURCE_TYPE)
        assert awaited(stack, run) >= set(resources(stack, "AWS::IAM::Policy"))

    @pytest.mark.parametrize("how", ["mutable", "without_policy_updates"])
    def test_of_one_that_cannot_be_changed_it_is_told_what_it_must_be_allowed(
        self, stack: Stack, declare: Declare, how: str
    ) -> None:
        arn = "arn:aws:iam::123456789012:role/runs"
        role = (
            aws_iam.Role.from_role_arn(stack, "Own", arn, mutable=False)
            if how == "mutable"
            else aws_iam.Role(stack, "Own", assumed_by=LAMBDA).without_policy_updates()
        )
        provider = HealthOmicsRunProvider(stack, "Provider", role=role)
        declare(provider=provider, wait_for=WaitFor.COMPLETED, role=aws_iam.Role.from_role_name(stack, "Of", "of"))
        Template.from_stack(stack).resource_count_is("AWS::IAM::Policy", 0)
        Template.from_stack(stack).resource_count_is("AWS::IAM::ManagedPolicy", 0)
        takes_none = Match.string_like_regexp("role Own takes no|role ImmutableRoleOwn takes no")
        (told,) = Annotations.from_stack(stack).find_warning("/Genomes/Provider", takes_none)
        for part in ("omics:StartRun", "workflow/1234567", "iam:PassRole", "events:TargetArn", "logs:PutLogEvents"):
            assert part in str(told.entry.data), part

    def test_one_that_is_named_by_customize_roles_is_told_of_in_the_cdks_report(self, tmp_path: Path) -> None:
        app = App(outdir=str(tmp_path))
        stack = Stack(app, "Genomes")
        named = {"Genomes/Own": "of-the-function", "Genomes/Run/Role": "of-runs"}
        aws_iam.Role.customize_roles(stack, use_precreated_roles=named)
        provider = HealthOmicsRunProvider(
            stack,
            "Provider",
            role=aws_iam.Role(stack, "Own", assumed_by=LAMBDA),
            vpc=isolated(stack),
            vpc_subnets=ISOLATED,
        )
        HealthOmicsRun(
            stack, "Run", workflow_id="1", output_uri="s3://b/r", wait_for=WaitFor.COMPLETED, provider=provider
        )
        app.synth()
        roles = json.loads((tmp_path / "iam-policy-report.json").read_text())["roles"]
        (told,) = (each["identityPolicyStatements"] for each in roles if each["roleName"] == "of-the-function")
        allowed = {
            action
            for each in told
            for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
        }
        assert {"omics:StartRun", "omics:CancelRun", "iam:PassRole", "events:PutTargets"} | ON_NETWORK <= allowed

    def test_many_workflows_fit_a_role_that_is_given(self, stack: Stack, declare: Declare) -> None:
        role = aws_iam.Role.from_role_name(stack, "Own", "own")
        of_runs = aws_iam.Role.from_role_name(stack, "OfRuns", "of-runs")
        provider = HealthOmicsRunProvider(stack, "Provider", role=role)
        for index in range(130):
            declare(f"Run{index}", workflow_id=f"{1000000 + index}", role=of_runs, provider=provider)
        assert len(resources(stack, "AWS::IAM::ManagedPolicy")) == 1


class TestManagedPolicies:
    def test_no_policy_is_inline_whatever_is_granted(self, stack: Stack, declare: Declare) -> None:
        role = ManagedPolicyRole(stack, "OfFunction", assumed_by=LAMBDA)
        of_runs = ManagedPolicyRole.of_runs(stack, "OfRuns")
        provider = HealthOmicsRunProvider(
            stack,
            "Provider",
            role=role,
            environment_encryption=aws_kms.Key(stack, "Key"),
            tracing=aws_lambda.Tracing.ACTIVE,
        )
        declare(provider=provider, role=of_runs, wait_for=WaitFor.COMPLETED)
        bucket = aws_s3.Bucket(stack, "Bucket")
        bucket.grant_read(provider)
        bucket.grant_read_write(of_runs)
        Template.from_stack(stack).resource_count_is("AWS::IAM::Policy", 0)
        assert all("Policies" not in each["Properties"] for each in resources(stack, "AWS::IAM::Role").values())
        needed = {"omics:StartRun", "omics:CancelRun", "iam:PassRole", "events:PutTargets", "s3:GetObject*"}
        assert needed | {"kms:Decrypt", "xray:PutTraceSegments", "cloudwatch:PutMetricData"} <= actions(stack)
        (run,) = resources(stack, RESOURCE_TYPE)
        assert awaited(stack, run) >= set(resources(stack, "AWS::IAM::ManagedPolicy"))

    def test_what_does_not_fit_one_goes_into_another(self, stack: Stack) -> None:
        role = ManagedPolicyRole(stack, "Role", assumed_by=LAMBDA)
        for index in range(80):
            arn = f"arn:aws:s3:::bucket-{index:04}-{'b' * 40}"
            role.add_to_policy(aws_iam.PolicyStatement(sid=f"Sid{index}", actions=["s3:GetObject"], resources=[arn]))
        policies = resources(stack, "AWS::IAM::ManagedPolicy").values()
        sizes = [len(json.dumps(each["Properties"]["PolicyDocument"], separators=(",", ":"))) for each in policies]
        assert len(sizes) == 2
        assert max(sizes) <= 6_144
        assert len(statements(stack)) == 80


class TestNetwork:
    def test_the_role_may_what_lambda_does_in_a_vpc(self, stack: Stack, declare: Declare) -> None:
        declare(provider=HealthOmicsRunProvider(stack, "Provider", vpc=isolated(stack), vpc_subnets=ISOLATED))
        assert actions(stack) >= ON_NETWORK
        assert one(stack, "AWS::Lambda::Function")["Properties"]["VpcConfig"]["SubnetIds"]

    def test_without_a_vpc_nothing_of_it_is_allowed(self, stack: Stack, declare: Declare) -> None:
        declare(provider=HealthOmicsRunProvider(stack, "Provider"))
        declare("Second")
        assert not ON_NETWORK & actions(stack)

    def test_a_run_waits_for_the_endpoints_of_its_stack_those_declared_later_included(
        self, stack: Stack, declare: Declare
    ) -> None:
        vpc = isolated(stack)
        provider = HealthOmicsRunProvider(stack, "Provider", vpc=vpc, vpc_subnets=ISOLATED)
        declare(provider=provider)
        endpoint = vpc.add_interface_endpoint(
            "Omics", service=aws_ec2.InterfaceVpcEndpointAwsService.OMICS_WORKFLOWS, open=False
        )
        endpoint.connections.allow_default_port_from(provider)
        aws_ec2.CfnVPCEndpoint(stack, "Plain", vpc_id=vpc.vpc_id, service_name="com.amazonaws.us-east-1.events")
        vpc.add_gateway_endpoint("S3", service=aws_ec2.GatewayVpcEndpointAwsService.S3)
        (run,) = resources(stack, RESOURCE_TYPE)
        waits = awaited(stack, run)
        for kind in ("VPCEndpoint", "SecurityGroupIngress", "SubnetRouteTableAssociation"):
            assert set(resources(stack, f"AWS::EC2::{kind}")) <= waits, kind
            assert resources(stack, f"AWS::EC2::{kind}")

    def test_a_run_waits_for_grants_that_are_made_after_it(self, stack: Stack, declare: Declare) -> None:
        provider = HealthOmicsRunProvider(stack, "Provider")
        declare(provider=provider)
        aws_s3.Bucket(stack, "Bucket").grant_read(provider)
        provider.role.add_to_principal_policy(aws_iam.PolicyStatement(actions=["s3:List*"], resources=["*"]))
        (run,) = resources(stack, RESOURCE_TYPE)
        (policy,) = resources(stack, "AWS::IAM::Policy")
        assert policy in awaited(stack, run)

    def test_a_run_waits_for_where_its_failures_go(self, stack: Stack, declare: Declare) -> None:
        queue = aws_sqs.Queue(stack, "Failures")
        declare(
            provider=HealthOmicsRunProvider(stack, "Provider", on_failure=aws_lambda_destinations.SqsDestination(queue))
        )
        (run,) = resources(stack, RESOURCE_TYPE)
        assert set(resources(stack, "AWS::Lambda::EventInvokeConfig")) <= awaited(stack, run)

    def test_security_groups_let_it_out_and_others_in(self, stack: Stack) -> None:
        vpc = isolated(stack)
        group = aws_ec2.SecurityGroup(stack, "Own", vpc=vpc)
        provider = HealthOmicsRunProvider(stack, "Provider", vpc=vpc, vpc_subnets=ISOLATED, security_groups=[group])
        assert [each.node.path for each in provider.connections.security_groups] == ["Genomes/Own"]
        with pytest.raises(RuntimeError, match="VPC"):
            _ = HealthOmicsRunProvider(stack, "Outside").connections.security_groups

    @pytest.mark.parametrize("given", [True, False], ids=["given role", "made role"])
    @pytest.mark.parametrize("how", ["property", "override"])
    def test_an_aspect_that_puts_functions_into_a_vpc_finds_a_role_that_may(
        self, stack: Stack, declare: Declare, how: str, *, given: bool
    ) -> None:
        role = aws_iam.Role(stack, "Own", assumed_by=LAMBDA)
        declare(provider=HealthOmicsRunProvider(stack, "Provider", role=role) if given else None)
        Aspects.of(stack).add(IntoVpc(how))
        assert one(stack, "AWS::Lambda::Function")["Properties"]["VpcConfig"] == {
            "SubnetIds": ["subnet-1"],
            "SecurityGroupIds": ["sg-1"],
        }
        assert actions(stack) >= ON_NETWORK


@jsii.implements(IAspect)
class IntoVpc:
    """An organisation's aspect."""

    def __init__(self, how: str) -> None:
        self._how = how

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, aws_lambda.CfnFunction):
            return
        if self._how == "property":
            node.vpc_config = aws_lambda.CfnFunction.VpcConfigProperty(
                subnet_ids=["subnet-1"], security_group_ids=["sg-1"]
            )
        else:
            node.add_property_override("VpcConfig", {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})


if hasattr(aws_cdk, "IPropertyInjector"):  # the oldest CDK that is supported has none

    @jsii.implements(aws_cdk.IPropertyInjector)
    class FunctionsIntoVpc:
        @property
        def construct_unique_id(self) -> str:
            return aws_lambda.Function.PROPERTY_INJECTION_ID

        def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:  # noqa: A002, ARG002 - CDK's
            vpc = aws_ec2.Vpc.from_vpc_attributes(
                scope,
                "Network",
                vpc_id="vpc-1",
                availability_zones=["us-east-1a"],
                private_subnet_ids=["subnet-1"],
            )
            return {**original_props, "vpc": vpc}

    def test_a_property_injector_that_puts_functions_into_a_vpc_finds_a_role_that_may() -> None:
        stack = Stack(App(property_injectors=[FunctionsIntoVpc()]), "Genomes")
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r")
        assert one(stack, "AWS::Lambda::Function")["Properties"]["VpcConfig"]["SubnetIds"] == ["subnet-1"]
        assert actions(stack) >= ON_NETWORK
