"""What is no mistake for sure is told as a warning, which can be acknowledged."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Annotations as Own
from aws_cdk import App, CfnParameter, Environment, Stack, aws_omics
from aws_cdk.assertions import Annotations, Match
from botocore.session import Session

from cdk_healthomics import HealthOmicsRun, OutputUriPrefixMode, WaitFor, model

Declare = Callable[..., HealthOmicsRun]


def told(stack: Stack) -> list[tuple[str, str]]:
    """Where, and what; without the note on how to acknowledge it."""
    found = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return [(each.id, str(each.entry.data).partition(" [ack: ")[0]) for each in found]


class TestRegion:
    def test_the_regions_are_botocores(self) -> None:
        session = Session()
        every = [session.get_available_regions("omics", each) for each in session.get_available_partitions()]
        assert sorted(model.regions()) == sorted(region for regions in every for region in regions)
        assert "us-east-1" in model.regions()

    def test_one_without_healthomics_is_told_once_a_stack(self) -> None:
        stack = Stack(App(), "Genomes", env=Environment(account="123456789012", region="eu-north-1"))
        for index in range(2):
            HealthOmicsRun(stack, f"Run{index}", workflow_id="1", output_uri="s3://b/r")
        ((where, what),) = told(stack)
        assert where == "/Genomes/HealthOmicsRunProvider"
        assert what == (
            "the stack's region was eu-north-1: the installed botocore knows AWS HealthOmics in "
            f"{', '.join(model.regions())} only; where that is so, no run can be started"
        )

    @pytest.mark.parametrize("region", ["us-east-1", None])
    def test_one_with_it_and_one_that_is_not_known_yet_are_not(self, region: str | None) -> None:
        stack = Stack(App(), "Genomes", env=Environment(account="123456789012", region=region))
        HealthOmicsRun(stack, "Run", workflow_id="1", output_uri="s3://b/r")
        assert told(stack) == []


class TestReplacement:
    def test_a_run_that_is_meant_to_be_replaced_and_overwrites_its_prefix_is_told(
        self, stack: Stack, declare: Declare
    ) -> None:
        run = declare(output_uri_prefix_mode=OutputUriPrefixMode.NONE_WITH_OVERWRITE, rerun_trigger="1")
        declare("Other", output_uri_prefix_mode="SERVICE_DEFINED", rerun_trigger="1")
        declare("Unseen", output_uri_prefix_mode="NONE_WITH_OVERWRITE")
        text = (
            "output_uri_prefix_mode was NONE_WITH_OVERWRITE beside rerun_trigger: a change of that starts the new run "
            "before the old one is cancelled, and until then both write to output_uri; change output_uri with it"
        )
        assert told(stack) == [(f"/{run.node.path}", text)]

    def test_a_warning_can_be_acknowledged(self, stack: Stack, declare: Declare) -> None:
        run = declare(output_uri_prefix_mode="NONE_WITH_OVERWRITE", rerun_trigger="1")
        Own.of(run).acknowledge_warning("cdk-healthomics:outputUriPrefixMode")
        assert told(stack) == []

    @pytest.mark.parametrize(
        ("most", "wait_for", "warned"),
        [(1, WaitFor.RUNNING, ["/Genomes/Run"]), (1, None, []), (1, "SUBMITTED", []), (2, "COMPLETED", [])],
    )
    def test_a_run_that_waits_for_the_one_that_it_replaces_is_told(
        self, stack: Stack, declare: Declare, most: int, wait_for: Any, warned: list[str]
    ) -> None:
        group = aws_omics.CfnRunGroup(stack, "Group", max_runs=most)
        declare(run_group_id=group.attr_id, wait_for=wait_for)
        text = (
            "run_group_id names a run group with max_runs 1, and wait_for was RUNNING: where a change replaces the "
            "run, the new one waits in the group for the old one, which is cancelled after it, until timeout is over; "
            "allow 2 runs at once, or leave wait_for out"
        )
        assert told(stack) == [(where, text) for where in warned]

    def test_a_group_that_is_not_of_the_app_is_not(self, stack: Stack, declare: Declare) -> None:
        token = CfnParameter(stack, "Group").value_as_string
        for index, group in enumerate((token, f"{token}1", "1234567")):
            declare(f"Run{index}", run_group_id=group, wait_for="RUNNING")
        assert told(stack) == []


class TestNames:
    OWN = (
        "name was 'NA12878': events tell names, so on_… hears of every run of this name and workflow in the account "
        "and region; leave name out, and the run is named after its stack and resource"
    )

    def test_a_rule_on_a_name_that_others_may_have_is_told(self, stack: Stack, declare: Declare) -> None:
        run = declare(name="NA12878")
        run.on_failed("Failed")
        run.on_completed("Completed")
        assert told(stack) == [("/Genomes/Run", self.OWN)]

    @pytest.mark.parametrize("when", ["early", "late"])
    def test_runs_of_one_name_and_workflow_are_told(self, stack: Stack, declare: Declare, when: str) -> None:
        first = declare("First", name="NA12878")
        if when == "early":
            first.on_failed("Failed")
        declare("Second", name="NA12878")
        declare("Other", name="NA12891")
        declare("Elsewhere", name="NA12878", workflow_id="2")
        if when == "late":
            first.on_failed("Failed")
        text = (
            "name was 'NA12878', as that of the run at Genomes/Second: events tell names, so on_… hears of both; "
            "give each a name of its own, or leave name out"
        )
        assert sorted(told(stack)) == [("/Genomes/First", text), ("/Genomes/First", self.OWN)]

    def test_names_of_our_own_and_names_without_rules_are_not(self, stack: Stack, declare: Declare) -> None:
        declare("First").on_failed("Failed")
        declare("Second").on_failed("Failed")
        for index in range(2):
            declare(f"Named{index}", name="NA12878")
        assert told(stack) == []
