"""What an app changes after a run was declared: it holds as if it had been there from the start."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import aws_cdk
import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    CfnDeletionPolicy,
    CfnResource,
    Environment,
    Fn,
    IAspect,
    NestedStack,
    RemovalPolicies,
    RemovalPolicy,
    Stack,
    Stage,
    aws_iam,
    aws_s3,
)
from aws_cdk.assertions import Template

from cdk_healthomics import HealthOmicsRun, WaitFor
from cdk_healthomics.made_roles import MOST_NAMED
from cdk_healthomics_handler.names import RESOURCE_TYPE
from constructs import Construct, IConstruct
from tests.synth.permissions import allowed, as_list

Declare = Callable[..., HealthOmicsRun]
KNOWN = Environment(account="123456789012", region="us-east-1")
PREFIX = "arn:aws:iam::123456789012:role"


@jsii.implements(IAspect)
class Change:
    """An organisation's aspect."""

    def __init__(self, kind: type, change: Callable[[Any], object]) -> None:
        self._kind = kind
        self._change = change

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, self._kind):
            self._change(node)


def resources(stack: Stack, kind: str) -> dict[str, Any]:
    return dict(Template.from_stack(stack).find_resources(kind))


def told(stack: Stack) -> tuple[str, str, str | None]:
    """DeletionPolicy, UpdateReplacePolicy and the handler's property."""
    (run,) = resources(stack, RESOURCE_TYPE).values()
    return run["DeletionPolicy"], run["UpdateReplacePolicy"], run["Properties"].get("RemovalPolicy")


def kept(stack: Stack) -> set[Any]:
    """The DeletionPolicy of the run's role and of its policies."""
    roles = resources(stack, "AWS::IAM::Role") | resources(stack, "AWS::IAM::Policy")
    return {each.get("DeletionPolicy") for name, each in roles.items() if name.startswith("Run")}


GOES = ("Delete", "Delete", None)
STAYS = ("Retain", "Retain", "Retain")
STAYS_ONCE_MADE = ("RetainExceptOnCreate", "Retain", "RetainExceptOnCreate")
RETAIN = RemovalPolicy.RETAIN


def resource(run: HealthOmicsRun) -> CfnResource:
    found: Any = run.node.find_child("Resource").node.default_child
    assert isinstance(found, CfnResource)
    return found


def options(run: HealthOmicsRun, deletion: CfnDeletionPolicy, replacement: CfnDeletionPolicy) -> None:
    resource(run).cfn_options.deletion_policy = deletion
    resource(run).cfn_options.update_replace_policy = replacement


class TestRemovalPolicy:
    @pytest.mark.parametrize(
        ("before", "change", "expected"),
        [
            (RETAIN, lambda run: RemovalPolicies.of(Stack.of(run)).destroy(), GOES),
            (None, lambda run: RemovalPolicies.of(Stack.of(run)).retain(), STAYS),
            (None, lambda run: RemovalPolicies.of(run).retain_on_update_or_delete(), STAYS_ONCE_MADE),
            (None, lambda run: resource(run).apply_removal_policy(RETAIN), STAYS),
            (RETAIN, lambda run: resource(run).apply_removal_policy(RemovalPolicy.DESTROY), GOES),
            (
                None,
                lambda run: Aspects.of(Stack.of(run)).add(
                    Change(CfnResource, lambda each: each.apply_removal_policy(RETAIN))
                ),
                STAYS,
            ),
            (
                None,
                lambda run: options(run, CfnDeletionPolicy.RETAIN, CfnDeletionPolicy.DELETE),
                ("Retain", "Delete", None),
            ),
            (
                None,
                lambda run: options(run, CfnDeletionPolicy.DELETE, CfnDeletionPolicy.RETAIN),
                ("Delete", "Retain", None),
            ),
        ],
        ids=["destroy", "retain", "once made", "applied", "applied destroy", "aspect", "on delete", "on replacement"],
    )
    def test_cloudformation_and_the_handler_are_told_the_same(
        self, stack: Stack, declare: Declare, before: RemovalPolicy | None, change: Callable[[Any], None], expected: Any
    ) -> None:
        change(declare(removal_policy=before))
        assert told(stack) == expected

    @pytest.mark.parametrize("policy", [RETAIN, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE])
    def test_the_runs_own_role_and_its_policies_stay_with_it(
        self, stack: Stack, declare: Declare, policy: RemovalPolicy
    ) -> None:
        run = declare()
        resource(run).apply_removal_policy(policy)
        aws_s3.Bucket(stack, "Bucket").grant_read(run.role)
        assert kept(stack) == {told(stack)[0]}
        assert all(
            each.get("DeletionPolicy") in {None, "Delete"} for each in resources(stack, "AWS::Logs::LogGroup").values()
        )

    def test_they_go_with_it(self, stack: Stack, declare: Declare) -> None:
        aws_s3.Bucket(stack, "Bucket").grant_read(declare(removal_policy=RETAIN).role)
        RemovalPolicies.of(stack).destroy()
        assert kept(stack) == {"Delete"}

    def test_a_role_that_is_to_stay_stays_whatever_becomes_of_the_run(self, stack: Stack, declare: Declare) -> None:
        run = declare(removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        run.role.apply_removal_policy(RETAIN)
        assert kept(stack) == {"Retain"}

    def test_a_role_that_was_given_is_the_users(self, stack: Stack, declare: Declare) -> None:
        role = aws_iam.Role(stack, "Given", assumed_by=aws_iam.ServicePrincipal("omics.amazonaws.com"))
        declare(role=role, removal_policy=RETAIN)
        (given,) = (each for name, each in resources(stack, "AWS::IAM::Role").items() if name.startswith("Given"))
        assert "DeletionPolicy" not in given

    def test_what_was_read_too_early_is_read_again(self, stack: Stack, declare: Declare) -> None:
        """cdk-enterprise-iac's ResourceExtractor resolves every resource while aspects are still to come."""
        runs = [declare(name) for name in ("First", "Second", "Third")]
        for index in (1, 0, 1):
            stack.resolve(resource(runs[index])._cfn_properties)  # noqa: SLF001 - as that does
        RemovalPolicies.of(stack).retain()
        for each in resources(stack, RESOURCE_TYPE).values():
            assert (each["DeletionPolicy"], each["Properties"]["RemovalPolicy"]) == ("Retain", "Retain")

    def test_a_run_in_a_nested_stack_is_told_too(self) -> None:
        nested = NestedStack(Stack(App(), "Genomes"), "Trio")
        HealthOmicsRun(nested, "Run", workflow_id="1", output_uri="s3://b/r")
        RemovalPolicies.of(nested.node.root).retain()
        assert told(nested) == STAYS


def passed(stack: Stack) -> list[str]:
    """The roles that the function may pass, with what is known of the environment put in."""
    return [arn(each) for each in allowed(stack, "iam:PassRole")]


def arn(value: Any) -> str:
    """A value of a template as CloudFormation would have it in KNOWN; a role's ARN as its logical id."""
    if isinstance(value, str):
        return value
    ((function, given),) = value.items()
    if function == "Fn::Join":
        return str(given[0].join(arn(each) for each in given[1]))
    if function == "Fn::GetAtt":
        return f"the ARN of {given[0]}"
    return {"AWS::Partition": "aws", "AWS::Region": KNOWN.region, "AWS::AccountId": KNOWN.account}[given] or ""


def paths(stack: Stack) -> list[str]:
    roles = resources(stack, "AWS::IAM::Role").items()
    return [arn(each["Properties"]["Path"]) for name, each in roles if not name.startswith("HealthOmicsRunProvider")]


def run(stack: Stack, name: str = "Run") -> HealthOmicsRun:
    return HealthOmicsRun(stack, name, workflow_id="1", output_uri="s3://b/r")


class TestMadeRoles:
    @pytest.mark.parametrize("known", [KNOWN, None], ids=["known", "agnostic"])
    def test_no_two_stacks_accounts_or_regions_share_a_path(self, known: Environment | None) -> None:
        def path(name: str, construct: str = "Same", env: Environment | None = known) -> str:
            stack = Stack(Stage(App(), "Stage"), construct, stack_name=name, env=env)
            run(stack)
            (found,) = passed(stack)
            assert found == f"arn:aws:iam::{(env or KNOWN).account}:role{paths(stack)[0]}*"
            return found

        assert path("Genomes") == path("Genomes", construct="Renamed")
        assert path("Genomes", env=KNOWN) == path("Genomes", env=None)
        others = [
            path("Genomes"),
            path("Exomes"),
            path("Genomes", env=Environment(account="123456789012", region="eu-west-1")),
            path("Genomes", env=Environment(account="210987654321", region="us-east-1")),
        ]
        assert len(set(others)) == len(others)

    def test_nested_stacks_have_paths_of_their_own(self) -> None:
        parent = Stack(App(), "Genomes", env=KNOWN)
        nested = [NestedStack(Construct(parent, name), "Trio") for name in ("One", "Two")]
        for stack in (parent, *nested):
            run(stack)
        assert len({paths(stack)[0] for stack in (parent, *nested)}) == 3

    @pytest.mark.parametrize(
        "change",
        [
            lambda role: setattr(role, "path", "/org/"),
            lambda role: role.add_property_override("Path", "/org/"),
            lambda role: role.add_override("Properties.Path", Fn.join("", ["/org", "/"])),
        ],
        ids=["property", "override", "intrinsic"],
    )
    def test_roles_that_an_aspect_puts_elsewhere_are_passed_where_they_are(self, change: Callable[[Any], None]) -> None:
        stack = Stack(App(), "Genomes", env=KNOWN)
        first, second, third = (run(stack, name) for name in ("First", "Second", "Third"))
        second.node.add_dependency(first)
        third.node.add_dependency(first)
        Aspects.of(first).add(Change(aws_iam.CfnRole, change))
        Aspects.of(second).add(Change(aws_iam.CfnRole, change))
        roles = [name for name in resources(stack, "AWS::IAM::Role") if not name.startswith("HealthOmics")]
        assert passed(stack) == [
            f"{PREFIX}{paths(stack)[2]}*",
            f"the ARN of {roles[0]}",
            f"{PREFIX}/org/Genomes-{roles[1]}-*",
        ]

    def test_a_name_of_an_organisation_is_passed_under_the_path(self) -> None:
        """As cdk-enterprise-iac's AddPermissionBoundary sets it."""

        def rename(role: Any) -> None:
            role.add_property_override("RoleName", f"org-{role.node.path.replace('/', '-')}")

        stack = Stack(App(), "Genomes", env=KNOWN)
        first, second = run(stack, "First"), run(stack, "Second")
        second.node.add_dependency(first)
        Aspects.of(stack).add(Change(aws_iam.CfnRole, rename))
        Aspects.of(second).add(Change(aws_iam.CfnRole, lambda role: setattr(role, "path", "/org/")))
        assert passed(stack) == [f"{PREFIX}{paths(stack)[0]}*", f"{PREFIX}/org/org-Genomes-Second-Role-Resource"]

    def test_a_logical_id_that_is_overridden_is_in_the_name_that_is_passed(self) -> None:
        stack = Stack(App(), "Genomes", env=KNOWN)
        first, second = run(stack, "First"), run(stack, "Second")
        second.node.add_dependency(first)

        def move(role: Any) -> None:
            role.path = "/org/"
            role.override_logical_id("Renamed")

        Aspects.of(second).add(Change(aws_iam.CfnRole, move))
        assert passed(stack)[1] == f"{PREFIX}/org/Genomes-Renamed-*"

    def test_a_boundary_changes_nothing(self, stack: Stack) -> None:
        run(stack)
        boundary = aws_iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "boundary")
        aws_iam.PermissionsBoundary.of(stack).apply(boundary)
        assert passed(stack) == [f"{PREFIX}{paths(stack)[0]}*"]

    def test_more_roles_elsewhere_than_the_policy_has_room_for_are_passed_by_the_beginning_of_their_names(self) -> None:
        stack = Stack(App(), "Genomes", env=KNOWN)
        for index in range(MOST_NAMED + 1):
            run(stack, f"Sample{index}")
        Aspects.of(stack).add(Change(aws_iam.CfnRole, lambda role: setattr(role, "path", "/org/")))
        assert passed(stack) == [f"{PREFIX}/org/Genomes-Sample*"]

    def test_what_begins_a_long_name_is_cut_as_cloudformation_might_cut_it(self) -> None:
        stack = Stack(App(), "GenomesOfTheWholeCohortOfAllPeopleWhoEverLived", env=KNOWN)
        first, second = run(stack, "First"), run(stack, "Second")
        second.node.add_dependency(first)
        Aspects.of(second).add(Change(aws_iam.CfnRole, lambda role: setattr(role, "path", "/org/")))
        assert passed(stack)[1] == f"{PREFIX}/org/GenomesOfTheWholeCoh*"
        assert fnmatchcase(f"{PREFIX}/org/GenomesOfTheWholeCohortO-SecondRole12345678-ABCDEFGHIJKL", passed(stack)[1])


if hasattr(aws_cdk, "IPropertyInjector"):  # the oldest CDK that is supported has none

    @jsii.implements(aws_cdk.IPropertyInjector)
    class PathOfRoles:
        @property
        def construct_unique_id(self) -> str:
            return aws_iam.Role.PROPERTY_INJECTION_ID

        def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:  # noqa: A002, ARG002 - CDK's
            return {**original_props, "path": "/org/"}

    def test_a_property_injector_that_sets_the_path_is_followed() -> None:
        stack = Stack(App(property_injectors=[PathOfRoles()]), "Genomes", env=KNOWN)
        run(stack)
        assert paths(stack) == ["/org/"]
        (role,) = (name for name in resources(stack, "AWS::IAM::Role") if not name.startswith("HealthOmics"))
        assert passed(stack) == [f"the ARN of {role}"]


class TestPrecreatedRoles:
    def test_the_cdks_report_tells_all_that_the_function_needs(self, tmp_path: Path) -> None:
        app = App(outdir=str(tmp_path))
        stack = Stack(app, "Genomes", env=KNOWN)
        named = {"Genomes/Run/Role": "of-runs", "Genomes/HealthOmicsRunProvider/Role": "of-the-function"}
        aws_iam.Role.customize_roles(stack, use_precreated_roles=named)
        run(stack).on_failed("Failed")
        given = aws_iam.Role.from_role_name(stack, "Given", "given")
        HealthOmicsRun(stack, "Second", workflow_id="2", output_uri="s3://b/r", role=given, wait_for=WaitFor.COMPLETED)
        app.synth()
        assert resources(stack, "AWS::IAM::Role") == resources(stack, "AWS::IAM::Policy") == {}
        roles = json.loads((tmp_path / "iam-policy-report.json").read_text())["roles"]
        (statements,) = (each["identityPolicyStatements"] for each in roles if each["roleName"] == "of-the-function")
        needed = {
            (action, each)
            for one in statements
            for action in as_list(one["Action"])
            for each in as_list(one["Resource"])
        }
        assert {each for action, each in needed if action == "iam:PassRole"} == {
            "arn:(PARTITION):iam::123456789012:role/of-runs",
            "arn:(PARTITION):iam::123456789012:role/given",
        }
        assert {each for action, each in needed if action == "omics:StartRun"} == {
            "arn:(PARTITION):omics:us-east-1:123456789012:run/*",
            "arn:(PARTITION):omics:us-east-1:123456789012:workflow/1",
            "arn:(PARTITION):omics:us-east-1:123456789012:workflow/2",
        }
        assert "events:PutRule" in {action for action, _ in needed}
