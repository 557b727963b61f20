"""The real tools, on an app that was set up for rules and on one that was not.

Control Tower's rules are its own, with their ids, as AWS publishes them in cdk-validator-cfnguard.
"""

import re
from collections.abc import Callable, Mapping

import pytest

from cdk_healthomics import nag
from local_aws.process import ROOT
from tests.packs.tools import HERE, TOOLS, Checked, checked

Apps = Mapping[str, Checked]
SECURITY = ROOT / "docs" / "security.md"
GRANTED_BY_THE_APP = [
    *(f"Action::kms:{action}*" for action in ("GenerateDataKey", "ReEncrypt")),
    *(f"Action::s3:{action}*" for action in ("Abort", "DeleteObject", "GetBucket", "GetObject", "List")),
    "Resource::<Results25575328.Arn>/*",
]
"""What examples/regulated.py itself allows its run, in the run's role: for the app to answer, not for the library."""
PACKS = ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")
OF_NAG = [
    *(f"{pack}-{rule}" for pack in PACKS for rule in ("CloudWatchLogGroupEncrypted", "IAMNoInlinePolicy")),
    *(f"{pack}-LambdaInsideVPC" for pack in PACKS),
    *(f"{pack}-{rule}" for pack in PACKS[:2] for rule in ("LambdaConcurrency", "LambdaDLQ")),
]
OPEN = {
    "cdk-nag 2": OF_NAG,
    "cdk-nag 3": OF_NAG,
    "cfn-guard": ["CT.CLOUDWATCH.PR.2", "CT.CLOUDWATCH.PR.3", "CT.LAMBDA.PR.3"],
    "checkov": ["CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_158", "CKV_AWS_173"],
}
"""The rules by which each tool has something to say of a provider without settings."""


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Apps:
    files = (ROOT / "examples" / "regulated.py", HERE / "unregulated.py")
    return {each.stem: checked(each, tmp_path_factory.mktemp(each.stem)) for each in files}


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_found_on_what_the_library_makes_where_it_was_set_up_for_rules(apps: Apps, tool: str) -> None:
    of_the_app = [f"AwsSolutions-IAM5[{each}]" for each in GRANTED_BY_THE_APP]
    found = apps["regulated"].findings(tool)
    assert [each for each in found if each.rule not in of_the_app] == []
    # Where the app's own grants are seen, so would be the library's.
    assert sorted({each.rule for each in found}) == (of_the_app if tool.startswith("cdk-nag") else [])


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_says_what_a_provider_without_settings_leaves_open(apps: Apps, tool: str) -> None:
    assert sorted({each.rule for each in apps["unregulated"].findings(tool)}) == sorted(OPEN[tool])


@pytest.mark.parametrize("app", ["regulated", "unregulated"])
@pytest.mark.parametrize("read", [Checked.declared, Checked.acknowledged], ids=["version 2", "version 3"])
def test_every_acknowledgement_is_of_a_finding_that_is_there(
    apps: Apps, app: str, read: Callable[[Checked], object]
) -> None:
    assert apps[app].matched()
    assert read(apps[app]) == apps[app].matched()


@pytest.mark.parametrize("app", ["regulated", "unregulated"])
def test_no_rule_that_has_findings_is_acknowledged_as_a_whole(apps: Apps, app: str) -> None:
    whole = {
        each.rule for each in apps[app].declared() if not re.fullmatch(r"AwsSolutions-IAM5\[Resource::.+\]", each.rule)
    }
    assert whole == {nag.LATEST_RUNTIME}
    assert {each.rule for each in apps[app].matched() if "[" not in each.rule} == whole


def test_every_reason_that_the_library_has_is_needed_and_is_in_the_document_for_security_people(apps: Apps) -> None:
    given = " ".join(each.reason for app in apps.values() for each in app.matched())
    page = SECURITY.read_text(encoding="utf-8")
    assert [each.reason for each in nag.WILDCARDS if each.reason not in given] == []
    assert [each.reason for each in nag.WILDCARDS if f"| {each.reason} |" not in page] == []


def test_the_document_for_security_people_tells_what_answers_each_rule() -> None:
    page = SECURITY.read_text(encoding="utf-8")
    rules = {rule.rpartition("-")[2] for open_rules in OPEN.values() for rule in open_rules}
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in page] == []
