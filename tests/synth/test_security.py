"""What docs/security.md tells security people is what the library does."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from cdk_healthomics import (
    HealthOmicsRun,
    HealthOmicsRunBatch,
    HealthOmicsRunProvider,
    RunSetting,
    WaitFor,
    messages,
)
from cdk_healthomics_handler.names import OPERATIONS, SERVICE, START_RUN, TAG_PREFIX

Declare = Callable[..., HealthOmicsRun]
Row = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""Actions, resources and conditions of a statement."""
PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
NO_CONDITION = frozenset({"any"})
NAMES = {
    "1234567": "<id>",
    "/11": "/<id>",
    "/12": "/<id>",
    "version/v1": "version/<name>",
    "configuration/vpc": "configuration/<name>",
    "${AWS::StackId}": "<stack id>",
    "${HealthOmicsRunProviderFunctionDE8A886A.Arn}": "<function>",
    "${HealthOmicsRunProviderLogs2EB7A8DB.Arn}": "<log group>",
    "cdk-healthomics-…-*": "cdk-healthomics-<stack>-*",
}
"""What the declared run is called, as the page calls it."""


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(title: str) -> Iterator[list[str]]:
    """The cells of a section's table."""
    for line in section(title).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and set(cells[0]) != {"-"}:
            yield cells


def told(title: str) -> set[Row]:
    """The statements that the page tells."""
    found = set()
    for actions, resources, condition, _ in list(rows(title))[1:]:
        cells = (re.findall(r"`(.+?)`", cell) for cell in (actions, resources))
        named, on = (frozenset(cell) for cell in cells)
        found.add((named, on, frozenset({condition.replace("`", "")})))
    return found


def synthesized(policies: list[Any]) -> set[Row]:
    """The statements of policies, as the page writes them."""
    found = set()
    for statement in [each for policy in policies for each in json.loads(messages.policy(policy))["Statement"]]:
        conditions = [
            f"{key} = {_named(value)}"
            for test in statement.get("Condition", {}).values()
            for key, value in test.items()
        ]
        found.add(
            (
                frozenset(_list(statement["Action"])),
                frozenset(_named(each) for each in _list(statement["Resource"])),
                frozenset(conditions) or NO_CONDITION,
            )
        )
    return found


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _named(value: str) -> str:
    short = re.sub(r"^arn:\$\{AWS::Partition\}:(\w+):(?:\$\{AWS::Region\})?:\$\{AWS::AccountId\}:", r"\1:", value)
    short = re.sub(r"role/\$\{AWS::Region\}/[0-9a-f]{10}/\*$", "role/<path of the stack's run roles>*", short)
    for name, called in NAMES.items():
        short = short.replace(name, called)
    return short


def test_what_the_function_may_do_is_the_table(stack: Stack, declare: Declare) -> None:
    declare(
        run_group_id="11",
        cache_id="12",
        configuration_name="vpc",
        workflow_version_name="v1",
        wait_for=WaitFor.COMPLETED,
    )
    template = Template.from_stack(stack)
    provider = template.find_resources("AWS::IAM::Role")["HealthOmicsRunProviderRole4B84C933"]["Properties"]
    managed = template.find_resources("AWS::IAM::ManagedPolicy").values()
    policies = [each["PolicyDocument"] for each in provider["Policies"]]
    policies += [each["Properties"]["PolicyDocument"] for each in managed]
    assert told("What the function may do") == synthesized(policies)


def test_what_batches_add_is_the_table() -> None:
    def allowed(*, batch: bool) -> set[Row]:
        stack = Stack(App(), "Genomes")
        HealthOmicsRun(stack, "Run", workflow_id="1234567", output_uri="s3://b/r")
        if batch:
            settings = [RunSetting("NA12878")]
            HealthOmicsRunBatch(stack, "Cohort", workflow_id="1234567", output_uri="s3://b/c", run_settings=settings)
        role = Template.from_stack(stack).find_resources("AWS::IAM::Role")["HealthOmicsRunProviderRole4B84C933"]
        return synthesized([each["PolicyDocument"] for each in role["Properties"]["Policies"]])

    assert told("What it may do in a stack with batches") == allowed(batch=True) - allowed(batch=False)


def test_what_the_role_of_a_run_may_do_is_the_table(stack: Stack, declare: Declare) -> None:
    declare()
    role = Template.from_stack(stack).find_resources("AWS::IAM::Role")["RunRole24349138"]["Properties"]
    assert told("What the role of a run may do") == synthesized([each["PolicyDocument"] for each in role["Policies"]])


def test_the_policy_that_reserves_our_tags_denies_all_that_sets_them_and_fits() -> None:
    (policy,) = re.findall(r"```json\n(.*?)```", section("Tags that are this library's"), re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Condition"]["ForAnyValue:StringLike"] == {"aws:TagKeys": f"{TAG_PREFIX}*"}
    assert set(statement["Action"]) == {
        f"{SERVICE}:{each}" for each in OPERATIONS if each == START_RUN or "tag" in each.lower()
    }
    assert len(policy) <= 5_120  # of a service control policy


def test_every_setting_that_it_names_is_one_of_the_provider() -> None:
    settings = set(re.findall(r"`([a-z_]+)`", "".join(row[1] for row in rows("Settings for accounts with rules"))))
    assert settings - {"role"} <= set(HealthOmicsRunProvider.__init__.__annotations__)
    assert {"vpc", "on_failure", "log_encryption", "use_fips_endpoint"} <= settings
