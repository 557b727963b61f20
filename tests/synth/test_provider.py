"""What every run of a stack shares: the function, its permissions and its code; and the role of a run."""

import ast
import compileall
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aws_cdk import (
    App,
    Aspects,
    Duration,
    Environment,
    FileSystem,
    NestedStack,
    RemovalPolicy,
    Stack,
    Stage,
    aws_iam,
    aws_s3,
)
from aws_cdk.assertions import Annotations, Match, Template
from botocore.session import Session
from cdk_nag import AwsSolutionsChecks

import cdk_healthomics_handler
from cdk_healthomics import HealthOmicsRun, RunRole, WaitFor, model
from cdk_healthomics.asset import code_folder
from cdk_healthomics.made_roles import path_of
from cdk_healthomics_handler.names import RESOURCE_TYPE
from cdk_healthomics_handler.schedule import rule_name
from tests.events import STACK_ID, new_request
from tests.synth.permissions import allowed, statements

Declare = Callable[..., HealthOmicsRun]
ROOT = Path(__file__).parents[2]
REMOVING_ACTIONS = ["DeleteRule", "ListTargetsByRule", "RemoveTargets"]
WAITING_ACTIONS = ["PutRule", "TagResource"]
GIVEN_ROLE = "arn:aws:iam::123456789012:role/run"


def arn(suffix: str, account: Any = None) -> dict[str, Any]:
    owner = {"Ref": "AWS::AccountId"} if account is None else account
    before = ["arn:", {"Ref": "AWS::Partition"}, ":omics:", {"Ref": "AWS::Region"}]
    if isinstance(owner, str):
        return {"Fn::Join": ["", [*before, f":{owner}:{suffix}"]]}
    return {"Fn::Join": ["", [*before, ":", owner, f":{suffix}"]]}


def imported_from(place: str, *, fails: bool = False) -> str:
    """The fingerprint of the code, or else what is said, where the handler package is imported from a place."""
    script = (
        "from cdk_healthomics.asset import code_folder\n"
        "from aws_cdk import FileSystem\nprint(FileSystem.fingerprint(str(code_folder())))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([place, str(ROOT / "constructs")])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert bool(done.returncode) is fails, done.stderr
    return (done.stderr if fails else done.stdout).strip().splitlines()[-1]


@pytest.fixture
def role(stack: Stack) -> aws_iam.IRole:
    return aws_iam.Role.from_role_arn(stack, "GivenRole", GIVEN_ROLE)


class TestPermissions:
    def test_the_whole_policy_of_a_small_stack(self, stack: Stack, declare: Declare, role: aws_iam.IRole) -> None:
        declare(role=role, run_group_id="11", cache_id="12", configuration_name="vpc", workflow_version_name="v1")
        assert statements(stack) == [
            {
                "Action": [
                    "omics:StartRun",
                    "omics:GetRun",
                    "omics:TagResource",
                    "omics:UntagResource",
                    "omics:ListRunTasks",
                    "omics:GetRunTask",
                ],
                "Effect": "Allow",
                "Resource": arn("run/*"),
            },
            {
                "Action": "omics:CancelRun",
                "Condition": {
                    "StringEquals": {"aws:ResourceTag/cdk-healthomics:stack-id": {"Ref": "AWS::StackId"}},
                },
                "Effect": "Allow",
                "Resource": arn("run/*"),
            },
            {"Action": "omics:GetRunTask", "Effect": "Allow", "Resource": arn("task/*")},
            {"Action": "omics:ListRuns", "Effect": "Allow", "Resource": "*"},
            {
                "Action": "cloudformation:DescribeStackResource",
                "Effect": "Allow",
                "Resource": {"Ref": "AWS::StackId"},
            },
            {
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": ["HealthOmicsRunProviderLogs2EB7A8DB", "Arn"]},
            },
            {
                "Action": [f"events:{each}" for each in REMOVING_ACTIONS],
                "Effect": "Allow",
                "Resource": {"Fn::Join": ["", TestWaiting.RULES]},
            },
            {
                "Action": "omics:StartRun",
                "Effect": "Allow",
                "Resource": [
                    arn("workflow/1234567"),
                    arn("workflow/1234567/version/v1"),
                    arn("runGroup/11"),
                    arn("runCache/12"),
                    arn("configuration/vpc"),
                ],
            },
            {
                "Action": "iam:PassRole",
                "Condition": {"StringEquals": {"iam:PassedToService": "omics.amazonaws.com"}},
                "Effect": "Allow",
                "Resource": GIVEN_ROLE,
            },
        ]

    @pytest.mark.parametrize(
        ("arguments", "resources"),
        [
            ({"workflow_type": "READY2RUN"}, [arn("workflow/1234567", "")]),
            ({"workflow_owner_id": "210987654321"}, [arn("workflow/1234567", "210987654321")]),
            ({"workflow_id": None, "run_id": "1"}, [arn("workflow/*"), arn("workflow/*", "")]),
            ({"workflow_id": None, "run_id": "1", "workflow_type": "PRIVATE"}, [arn("workflow/*")]),
            ({"workflow_id": None, "run_id": "1", "workflow_type": "READY2RUN"}, [arn("workflow/*", "")]),
        ],
        ids=["ready2run", "shared", "rerun", "rerun-private", "rerun-ready2run"],
    )
    def test_the_workflow_is_named_where_it_lives(
        self, stack: Stack, declare: Declare, arguments: dict[str, Any], resources: list[Any]
    ) -> None:
        declare(**arguments)
        assert allowed(stack, "omics:StartRun")[1:] == resources

    def test_400_workflows_in_one_stack_are_named_one_by_one_within_iams_limits(
        self, stack: Stack, declare: Declare, role: aws_iam.IRole
    ) -> None:
        for index in range(400):
            declare(f"Run{index}", workflow_id=f"{1000000 + index}", role=role)
        template = Template.from_stack(stack).to_json()
        (provider,) = (each for each in template["Resources"].values() if "Policies" in each["Properties"])
        managed = [each for each in template["Resources"].values() if each["Type"] == "AWS::IAM::ManagedPolicy"]

        def size(document: Any) -> int:
            text = json.dumps(document, separators=(",", ":"))
            # The longest that the intrinsic functions can become.
            for token, value in [
                ('{"Ref":"AWS::Partition"}', "aws-us-gov"),
                ('{"Ref":"AWS::Region"}', "ap-northeast-2"),
                ('{"Ref":"AWS::AccountId"}', "123456789012"),
            ]:
                text = text.replace(token, f'"{value}"')
            return len(text.replace('{"Fn::Join":["",[', "").replace('"]]}', '"').replace('","', ""))

        assert size(provider["Properties"]["Policies"][0]["PolicyDocument"]) <= 10_240
        assert len(managed) <= 9
        assert all(size(each["Properties"]["PolicyDocument"]) <= 6_144 for each in managed)
        assert len(allowed(stack, "omics:StartRun")) == 1 + 400
        assert len(template["Resources"]) <= 500
        assert len(json.dumps(template)) < 1_000_000

    def test_a_run_waits_for_the_policy_that_names_its_workflow(
        self, stack: Stack, declare: Declare, role: aws_iam.IRole
    ) -> None:
        for index in range(130):
            declare(f"Run{index}", workflow_id=f"{1000000 + index}", role=role)
        runs = Template.from_stack(stack).find_resources(RESOURCE_TYPE)
        waiting = [each["DependsOn"] for each in runs.values() if "DependsOn" in each]
        assert waiting
        assert {name for names in waiting for name in names} == {"HealthOmicsRunProviderPolicy109CB1BE0"}

    def test_made_roles_are_passed_by_their_path_and_a_given_one_by_its_arn(
        self, stack: Stack, declare: Declare, role: aws_iam.IRole
    ) -> None:
        declare("Made")
        declare("Given", role=role)
        declare("Again")
        roles = Template.from_stack(stack).find_resources("AWS::IAM::Role")
        path, same = (each["Properties"]["Path"] for name, each in roles.items() if not name.startswith("Health"))
        slash, region, name = path["Fn::Join"][1]
        account, partition = {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Partition"}
        under_path = ["arn:", partition, ":iam::", account, f":role{slash}", region, f"{name}*"]
        assert allowed(stack, "iam:PassRole") == [{"Fn::Join": ["", under_path]}, GIVEN_ROLE]
        assert path == same

    @pytest.mark.parametrize("partition", Session().get_available_partitions())
    def test_the_arn_of_a_made_role_is_short_enough_for_start_run(self, partition: str) -> None:
        for region in Session().get_available_regions("iam", partition) + Session().get_available_regions(
            "lambda", partition
        ):
            stack = Stack(App(), "S" * 128, env=Environment(region=region))
            longest = f"arn:{partition}:iam::123456789012:role{path_of(stack)}{'r' * 64}"
            assert len(longest) <= model.members()["roleArn"].metadata["max"], region

    def test_a_run_may_come_after_another_run(self, stack: Stack, declare: Declare) -> None:
        first, second = declare("First"), declare("Second")
        second.node.add_dependency(first)
        Template.from_stack(stack)  # refuses circles


class TestWaiting:
    RULES: ClassVar[list[Any]] = [
        "arn:",
        {"Ref": "AWS::Partition"},
        ":events:",
        {"Ref": "AWS::Region"},
        ":",
        {"Ref": "AWS::AccountId"},
        ":rule/cdk-healthomics-",
        {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]},
        "-*",
    ]

    @pytest.mark.parametrize("arguments", [{}, {"wait_for": WaitFor.SUBMITTED}], ids=["left out", "SUBMITTED"])
    def test_where_no_run_waits_nothing_is_allowed_for_it(
        self, stack: Stack, declare: Declare, arguments: dict[str, Any]
    ) -> None:
        declare(**arguments)
        removing = [f"events:{each}" for each in REMOVING_ACTIONS]  # what an update before may have put there
        assert [each["Action"] for each in statements(stack) if "events:" in str(each["Action"])] == [removing]
        Template.from_stack(stack).resource_count_is("AWS::Lambda::Permission", 0)

    def test_runs_that_wait_share_one_permission_for_rules_of_their_stack_only(
        self, stack: Stack, declare: Declare, role: aws_iam.IRole
    ) -> None:
        for index in range(3):
            declare(f"Run{index}", role=role, wait_for=WaitFor.COMPLETED)
        rules = {"Fn::Join": ["", self.RULES]}
        assert allowed(stack, "events:PutTargets") == [rules]
        (waiting,) = (each for each in statements(stack) if "events:PutRule" in each["Action"])
        assert waiting["Action"] == [f"events:{each}" for each in WAITING_ACTIONS]
        (target,) = (each for each in statements(stack) if each["Action"] == "events:PutTargets")
        function = {"Fn::GetAtt": ["HealthOmicsRunProviderFunctionDE8A886A", "Arn"]}
        assert target["Condition"] == {"ArnEquals": {"events:TargetArn": function}}
        template = Template.from_stack(stack)
        ((name, permission),) = template.find_resources("AWS::Lambda::Permission").items()
        assert permission["Properties"]["SourceArn"] == rules
        assert permission["Properties"]["SourceAccount"] == {"Ref": "AWS::AccountId"}
        (policy,) = template.find_resources("AWS::IAM::ManagedPolicy")
        for run in template.find_resources(RESOURCE_TYPE).values():
            assert {name, policy} <= set(run["DependsOn"])

    def test_the_rule_that_the_function_makes_is_one_of_those(self) -> None:
        name = rule_name(new_request(LogicalResourceId="L" * 255))
        assert name.startswith(f"cdk-healthomics-{STACK_ID.split('/')[2]}-")
        assert len(name) <= 64


class TestProvider:
    def test_all_runs_of_a_stack_share_one_function_role_and_log_group(self, stack: Stack, declare: Declare) -> None:
        for index in range(3):
            declare(f"Run{index}")
        template = Template.from_stack(stack)
        template.resource_count_is("AWS::Lambda::Function", 1)
        template.resource_count_is("AWS::Logs::LogGroup", 1)
        template.has_resource_properties(
            "AWS::Lambda::Function",
            {
                "Runtime": "python3.13",
                "Timeout": 900,
                "Handler": "cdk_healthomics_handler.handler.handler",
                "LoggingConfig": {"LogGroup": {"Ref": "HealthOmicsRunProviderLogs2EB7A8DB"}},
                "Environment": {"Variables": {"CDK_HEALTHOMICS_RUNS": "3"}},
                "ReservedConcurrentExecutions": Match.absent(),
            },
        )

    def test_each_stack_and_nested_stack_has_its_own(self) -> None:
        app = App()
        parent = Stack(app, "Parent")
        nested = NestedStack(parent, "Nested")
        scopes = (parent, nested, Stack(app, "Other"))
        for scope in scopes:
            HealthOmicsRun(scope, "Run", workflow_id="1", output_uri="s3://b/r")
        for scope in scopes:
            Template.from_stack(scope).resource_count_is("AWS::Lambda::Function", 1)

    def test_the_made_role_trusts_healthomics_for_runs_of_this_account_only(
        self, stack: Stack, declare: Declare
    ) -> None:
        declare()
        Template.from_stack(stack).has_resource_properties(
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Action": "sts:AssumeRole",
                            "Condition": {
                                "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                                "ArnLike": {"aws:SourceArn": [arn("run/*"), arn("runBatch/*")]},
                            },
                            "Effect": "Allow",
                            "Principal": {"Service": "omics.amazonaws.com"},
                        }
                    ]
                }
            },
        )

    def test_runs_that_share_a_role_of_ours_have_the_same_one_as_a_run_makes_for_itself(
        self, stack: Stack, declare: Declare
    ) -> None:
        own = declare().role
        shared = RunRole(stack, "Shared")
        for name in ("First", "Second"):
            HealthOmicsRun(stack, name, workflow_id="1", output_uri="s3://b/r", role=shared)
        roles = Template.from_stack(stack).find_resources("AWS::IAM::Role")
        made, together = (
            roles[stack.get_logical_id(each.node.default_child)]["Properties"]  # type: ignore[arg-type]
            for each in (own, shared)
        )
        assert made.pop("Path")
        assert made == together
        assert allowed(stack, "iam:PassRole")[1:] == [stack.resolve(shared.role_arn)]

    def test_a_role_of_another_stack_and_one_that_is_not_to_be_changed_can_be_given(self) -> None:
        app = App()
        theirs, ours = Stack(app, "Theirs"), Stack(app, "Ours")
        role = aws_iam.Role(theirs, "Role", assumed_by=aws_iam.ServicePrincipal("omics.amazonaws.com"))
        for scope, given in ((theirs, role.without_policy_updates()), (ours, role)):
            HealthOmicsRun(scope, "Run", workflow_id="1", output_uri="s3://b/r", role=given)
        (run,) = Template.from_stack(theirs).find_resources(RESOURCE_TYPE).values()
        assert run["DependsOn"] == [theirs.get_logical_id(role.node.default_child)]  # type: ignore[arg-type]
        (run,) = Template.from_stack(ours).find_resources(RESOURCE_TYPE).values()
        assert set(run["Properties"]["RoleArn"]) == {"Fn::ImportValue"}
        assert [stack.node.id for stack in ours.dependencies] == ["Theirs"]

    def test_no_partition_is_taken_for_granted(self) -> None:
        stack = Stack(App(), "Genomes", env=Environment(account="123456789012", region="cn-north-1"))
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r")
        workflow = ["arn:", {"Ref": "AWS::Partition"}, ":omics:cn-north-1:123456789012:workflow/1"]
        assert allowed(stack, "omics:StartRun")[1:] == [{"Fn::Join": ["", workflow]}]
        assert "arn:aws:" not in json.dumps(Template.from_stack(stack).to_json())

    def test_a_run_waits_for_the_grants_of_its_role(self, stack: Stack, declare: Declare) -> None:
        run = declare()
        aws_s3.Bucket(stack, "Bucket").grant_read_write(run.role)
        (resource,) = Template.from_stack(stack).find_resources(RESOURCE_TYPE).values()
        assert resource["DependsOn"] == ["RunRoleDefaultPolicy7DC8C2CF", "RunRole24349138"]


class TestAsset:
    def test_it_holds_the_handler_crhelper_and_the_model_and_nothing_compiled(self) -> None:
        files = {path.relative_to(code_folder()).as_posix() for path in code_folder().rglob("*") if path.is_file()}
        assert {"crhelper/resource_helper.py", "models/omics/2022-11-28/service-2.json.gz"} <= files
        handler = Path(str(cdk_healthomics_handler.__file__)).parent
        ours = {f"cdk_healthomics_handler/{path.name}" for path in handler.glob("*.py")}
        assert {name for name in files if name.startswith("cdk_healthomics_handler/")} == ours
        assert not [name for name in files if name.endswith((".pyc", ".pyi"))]

    def test_no_text_of_the_handler_has_a_line_that_looks_like_a_comment(self) -> None:
        for path in Path(str(cdk_healthomics_handler.__file__)).parent.glob("*.py"):
            tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
            told = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
            lines = enumerate(path.read_text().split("\n"), start=1)
            assert {number for number, line in lines if line.lstrip().startswith("#")} <= told

    def test_its_modules_have_no_comments_and_each_line_where_it_was(self) -> None:
        for path in Path(str(cdk_healthomics_handler.__file__)).parent.glob("*.py"):
            source, packed = path.read_text(), (code_folder() / path.parent.name / path.name).read_text()
            assert not re.search(r"^ *#|pylint|if TYPE_CHECKING", packed, re.MULTILINE)
            defined = [
                [(node.name, node.lineno) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
                for text in (source, packed)
            ]
            assert defined[0] == defined[1]

    def test_it_holds_nothing_else_and_lambda_may_read_it(self) -> None:
        files = [path for path in code_folder().rglob("*") if path.is_file()]
        assert {path.relative_to(code_folder()).parts[0] for path in files} == {
            "cdk_healthomics_handler",
            "crhelper",
            "models",
        }
        assert {path.suffix for path in files if "models" not in path.parts} == {".py"}
        assert {path.name.partition(".")[0] for path in files if "models" in path.parts} == {
            "service-2",
            "endpoints",
        }
        assert {path.stat().st_mode & 0o777 for path in files} == {0o644}

    def test_files_that_lie_beside_the_code_and_strict_modes_change_nothing(self, tmp_path: Path) -> None:
        handler = tmp_path / "cdk_healthomics_handler"
        shutil.copytree(Path(str(cdk_healthomics_handler.__file__)).parent, handler)
        (handler / "handler.py").chmod(0o600)
        (handler / ".DS_Store").write_text("")
        (handler / "__pycache__").mkdir(exist_ok=True)
        (handler / "__pycache__" / "handler.cpython-313.pyc").write_text("")
        script = (
            "from cdk_healthomics.asset import code_folder\n"
            "from aws_cdk import FileSystem\nprint(FileSystem.fingerprint(str(code_folder())), "
            "{oct(path.stat().st_mode & 0o777) for path in code_folder().rglob('*') if path.is_file()})"
        )
        paths = os.pathsep.join([str(tmp_path), str(ROOT / "constructs"), str(ROOT / "lambda")])
        printed = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=True
        ).stdout.decode()
        assert printed.split() == [FileSystem.fingerprint(str(code_folder())), "{'0o644'}"]

    def test_a_model_that_somebody_keeps_at_home_is_not_read(self, tmp_path: Path) -> None:
        newer = tmp_path / ".aws" / "models" / "omics" / "2099-01-01"
        newer.mkdir(parents=True)
        (newer / "service-2.json").write_text("{}")
        script = "from cdk_healthomics import model\nprint(model.folder().name, len(model.members()))"
        paths = os.pathsep.join([str(ROOT / "constructs"), str(ROOT / "lambda")])
        environment = {**os.environ, "PYTHONPATH": paths, "HOME": str(tmp_path)}
        printed = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        ).stdout
        assert printed.decode().split() == [model.folder().name, str(len(model.members()))]

    def test_another_process_makes_the_same_bytes(self) -> None:
        script = (
            "import hashlib\nfrom cdk_healthomics.asset import code_folder\n"
            "print(*[f'{path.relative_to(code_folder())} {hashlib.sha256(path.read_bytes()).hexdigest()}'"
            " for path in sorted(code_folder().rglob('*')) if path.is_file()], sep='\\n')"
        )
        paths = os.pathsep.join([str(ROOT / "constructs"), str(ROOT / "lambda")])
        printed = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=True
        ).stdout.decode()
        here = [
            f"{path.relative_to(code_folder())} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in sorted(code_folder().rglob("*"))
            if path.is_file()
        ]
        assert printed.splitlines() == here

    def test_where_nothing_is_staged_the_code_stays_beside_the_template(self, tmp_path: Path) -> None:
        context = {"aws:cdk:disable-asset-staging": True}
        folder = tmp_path / "cdk-healthomics"
        (folder / "crhelper").mkdir(parents=True)
        (folder / "crhelper" / "old.py").write_text("")
        for _ in range(2):  # over what an earlier synthesis left
            stack = Stack(Stage(App(outdir=str(tmp_path), context=context), "Stage"), "Genomes")
            HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r")
            Template.from_stack(stack)
            (manifest,) = tmp_path.rglob("StageGenomes*.assets.json")
            sources = [each["source"]["path"] for each in json.loads(manifest.read_text())["files"].values()]
            assert str(folder) in sources
        assert FileSystem.fingerprint(str(folder)) == FileSystem.fingerprint(str(code_folder()))

    def test_from_an_archive_the_code_is_the_same(self, tmp_path: Path) -> None:
        for source in ("constructs", "lambda"):
            shutil.copytree(ROOT / source, tmp_path / "both", dirs_exist_ok=True)
        archive = shutil.make_archive(str(tmp_path / "archive"), "zip", tmp_path / "both")
        assert imported_from(archive) == FileSystem.fingerprint(str(code_folder()))

    @pytest.mark.parametrize("kind", ["folder", "archive"])
    def test_without_its_source_the_library_says_so_when_the_app_is_synthesized(
        self, tmp_path: Path, kind: str
    ) -> None:
        package = tmp_path / "compiled" / "cdk_healthomics_handler"
        shutil.copytree(ROOT / "lambda" / "cdk_healthomics_handler", package)
        compileall.compile_dir(package, quiet=1, legacy=True)
        for path in package.rglob("*.py"):
            path.unlink()
        archive = shutil.make_archive(str(tmp_path / "compiled"), "zip", package.parent)
        place, root = (archive, f"{archive}/{package.name}/") if kind == "archive" else (package.parent, package)
        assert imported_from(str(place), fails=True) == (
            "ModuleNotFoundError: cdk_healthomics_handler is installed without its source: "
            f"{root} has no __init__.py, but the function of HealthOmicsRun is made of it; "
            "install cdk-healthomics and its dependencies with their .py files."
        )

    def test_a_module_without_its_source_is_named(self, tmp_path: Path) -> None:
        package = tmp_path / "cdk_healthomics_handler"
        shutil.copytree(ROOT / "lambda" / "cdk_healthomics_handler", package)
        compileall.compile_dir(package, quiet=1, legacy=True)
        (package / "decision.py").unlink()
        assert "has no decision.py, but" in imported_from(str(tmp_path), fails=True)

    def test_the_function_imports_neither_boto3_nor_the_transfers_that_come_with_it(self) -> None:
        script = "import sys, cdk_healthomics_handler.handler\nprint(*{'boto3', 's3transfer'} & set(sys.modules))"
        printed = subprocess.run(
            [sys.executable, "-B", "-c", script],  # others look at what is in the folder
            env={**os.environ, "PYTHONPATH": str(code_folder())},
            capture_output=True,
            check=True,
        ).stdout
        assert printed == b"\n"

    def test_the_handler_imports_without_the_cdk(self) -> None:
        for path in (code_folder() / "cdk_healthomics_handler").glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                assert not [name for name in names if name.startswith(("aws_cdk", "constructs", "jsii"))], path.name


def test_cdk_nag_finds_nothing(stack: Stack, declare: Declare, role: aws_iam.IRole) -> None:
    declare(wait_for=WaitFor.COMPLETED)
    declare("Again", workflow_id=None, run_id="1")
    for index in range(400):
        declare(f"Run{index}", workflow_id=str(10**17 + index), role=role)
    Aspects.of(stack).add(AwsSolutionsChecks())
    found = Annotations.from_stack(stack)
    any_rule = Match.string_like_regexp("AwsSolutions-")
    assert [str(each.entry.data) for each in found.find_error("*", any_rule) + found.find_warning("*", any_rule)] == []


def test_cfn_lint_finds_nothing_in_the_template(stack: Stack, declare: Declare, tmp_path: Path) -> None:
    run = declare(parameters={"scatter": 24}, tags={"project": "1000G"}, removal_policy=RemovalPolicy.RETAIN)
    aws_s3.Bucket(stack, "Bucket").grant_read_write(run.role)
    given = aws_iam.Role.from_role_arn(stack, "GivenRole", GIVEN_ROLE)
    declare("Second", role=given, timeout=Duration.minutes(5), wait_for=WaitFor.RUNNING).on_failed("Failed")
    template = tmp_path / "template.json"
    template.write_text(json.dumps(Template.from_stack(stack).to_json()))
    # W3005: the CDK itself writes the dependency of every function on its role, which the reference implies.
    command = ["cfn-lint", "--format", "parseable", "--ignore-checks", "W3005", "--", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout + done.stderr == ""
