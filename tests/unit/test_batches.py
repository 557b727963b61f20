"""What a batch has that a run has not: in what HealthOmics tells of it, in what it is asked for, in the decision."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cdk_healthomics_handler import start_run
from cdk_healthomics_handler.actions import Answer, Cancel, CancelRuns, Read, ReadTasks, Schedule, Silence, Wait
from cdk_healthomics_handler.decision import decide
from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.kind import BATCH, RUN
from cdk_healthomics_handler.mark import Goal
from cdk_healthomics_handler.names import BATCH_TYPE, START_RUN_BATCH, OwnershipTag
from cdk_healthomics_handler.run import Run
from cdk_healthomics_handler.seen import Gone, Seen
from tests.events import MODEL, ROLE_ARN, STACK_ID, new_request

MEMBERS = getattr(MODEL.operation_model(START_RUN_BATCH).input_shape, "members", {})
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "WorkflowId": "1234567",
    "RoleArn": ROLE_ARN,
    "OutputUri": "s3://bucket/cohort",
    "InlineSettings": '[{"runSettingId":"a","parameters":{"bam":"","seed":1}}]',
}
OWN = {OwnershipTag.STACK_ID.value: STACK_ID, OwnershipTag.LOGICAL_ID.value: "VariantCalling4F2A"}


def batch(status: str, **fields: Any) -> Run:
    return Run(id="7", uuid="u", arn="arn:aws:omics:::runBatch/7", status=status, kind=BATCH, tags=OWN, **fields)


def request(request_type: str = "Create", **properties: Any) -> Request:
    physical_id = {} if request_type == "Create" else {"PhysicalResourceId": "7/u"}
    return new_request(request_type, {**PROPERTIES, **properties}, ResourceType=BATCH_TYPE, **physical_id)


def wanted(**properties: Any) -> start_run.Wanted:
    return start_run.wanted(request(**properties), MEMBERS)


def test_every_status_of_a_batch_is_known_as_active_or_terminal() -> None:
    statuses = set(MODEL.shape_for("BatchStatus").enum)  # type: ignore[attr-defined]
    assert statuses - BATCH.terminal == {"CREATING", "PENDING", "SUBMITTING", "INPROGRESS", "STOPPING"}
    assert BATCH.terminal - statuses == {"DELETED"}
    assert BATCH.uncancellable < statuses


@pytest.mark.parametrize("kind", [RUN, BATCH], ids=lambda kind: kind.noun)
def test_what_a_kind_names_is_in_the_model(kind: Any) -> None:
    def members(operation: str) -> set[str]:
        return set(getattr(MODEL.operation_model(operation).input_shape, "members", {}))

    assert {kind.name, *kind.groups} <= members(kind.start)
    assert {kind.id} == members(kind.get) - {"export"} == members(kind.cancel)
    assert {kind.page, "name", "startingToken"} <= members(kind.list)


class TestWhatIsAskedFor:
    def test_each_member_is_where_the_api_has_it(self) -> None:
        asked = wanted(BatchName="b", Name="r", Priority="5", RequesterPaysEnabled="true").start_run
        assert asked["batchName"] == "b"
        assert asked["batchRunSettings"] == {"inlineSettings": json.loads(PROPERTIES["InlineSettings"])}
        assert asked["defaultRunSetting"].items() >= {"name": "r", "priority": 5, "requesterPaysEnabled": True}.items()

    def test_what_is_known_at_deployment_only_is_put_into_the_settings(self) -> None:
        asked = wanted(InlineSettingsValues={"#/0/parameters/bam": {"Text": "s3://bucket/a.bam"}}).start_run
        assert asked["batchRunSettings"]["inlineSettings"][0]["parameters"] == {"bam": "s3://bucket/a.bam", "seed": 1}

    def test_tags_do_not_define_it_and_tags_of_its_runs_do(self) -> None:
        plain = wanted()
        assert wanted(Tags={"a": "1"}).definition == plain.definition
        assert wanted(RunTags={"a": "1"}).definition != plain.definition

    def test_a_name_that_nobody_gave_does_not_define_it(self) -> None:
        assert wanted(BatchName="Genomes-VariantCalling4F2A").definition != wanted().definition
        assert wanted().start_run["batchName"] == "Genomes-VariantCalling4F2A"


class TestWhatIsTold:
    def test_what_was_cancelled_failed_or_was_not_submitted_counts_as_failed(self) -> None:
        counts = {"failedRunCount": 1, "cancelledRunCount": 2, "completedRunCount": 40, "deletedRunCount": 3}
        told = Run.of({"runSummary": counts, "submissionSummary": {"failedStartSubmissionCount": 4}}, BATCH)
        assert (told.failed, told.left) == (7, 0)

    def test_a_run_in_a_status_to_come_is_active(self) -> None:
        counts = {"runningRunCount": 1, "stoppingRunCount": 2, "waitingRunCount": 4, "completedRunCount": 40}
        assert Run.of({"runSummary": counts}, BATCH).left == 7

    @pytest.mark.parametrize(("failed", "reached"), [(3, True), (4, False)])
    def test_so_many_may_fail(self, failed: int, reached: bool) -> None:  # noqa: FBT001 - a case
        assert batch("PROCESSED", failed=failed).reached(str(Goal("COMPLETED", 3))) is reached

    @pytest.mark.parametrize("goal", [Goal("SUBMITTED"), Goal("COMPLETED"), Goal("COMPLETED", 3)])
    def test_a_goal_is_read_as_it_was_written(self, goal: Goal) -> None:
        assert Goal.parse(str(goal)) == goal

    @pytest.mark.parametrize(("status", "left", "active"), [("CANCELLED", 1, True), ("CANCELLED", 0, False)])
    def test_one_that_is_cancelled_is_active_while_its_runs_are(
        self,
        status: str,
        left: int,
        active: bool,  # noqa: FBT001 - a case
    ) -> None:
        assert batch(status, left=left).active is active


class TestTheDecision:
    @pytest.mark.parametrize(
        ("status", "action"),
        [("CREATING", Wait), ("PENDING", Cancel), ("SUBMITTING", Cancel), ("INPROGRESS", Cancel), ("TO_COME", Cancel)],
    )
    def test_delete_cancels_it_as_soon_as_it_can_be(self, status: str, action: type) -> None:
        assert type(decide(request("Delete"), None, Seen(current=batch(status)))) is action

    def test_what_is_left_is_cancelled_one_by_one_whoever_cancelled_the_batch(self) -> None:
        seen = Seen(current=batch("CANCELLED", left=2))
        for cancelled in (frozenset[str](), frozenset({"7"})):
            swept = replace(seen, cancelled=cancelled, found=(), thorough=True)
            assert isinstance(decide(request("Delete"), None, swept), CancelRuns)

    def test_one_that_somebody_has_cancelled_is_not_cancelled_again(self) -> None:
        seen = Seen(current=batch("STOPPING"), found=(), thorough=True)
        assert isinstance(decide(request("Delete"), None, seen), Wait)

    @pytest.mark.parametrize("stopping", [batch("STOPPING"), batch("CANCELLED", left=2)], ids=lambda run: run.status)
    def test_a_delete_that_outlasts_its_function_lets_eventbridge_go_on(self, stopping: Run) -> None:
        seen = Seen(current=stopping, found=(), thorough=True, leaving=True)
        assert isinstance(decide(request("Delete"), None, seen), Schedule)
        assert isinstance(decide(request("Delete"), None, replace(seen, scheduled=True)), Silence)

    def test_a_delete_that_could_not_cancel_yet_does_not(self) -> None:
        seen = Seen(current=batch("CREATING"), leaving=True)
        assert isinstance(decide(request("Delete"), None, seen), Wait)

    @pytest.mark.parametrize(
        ("seen", "action"),
        [
            (Seen(), Read),
            (Seen(current=batch("STOPPING")), Silence),
            (Seen(current=batch("STOPPING"), closing=True), Wait),
            (Seen(current=batch("CANCELLED", left=2)), CancelRuns),
            (Seen(current=batch("CANCELLED")), Answer),
            (Seen(current=Gone.GONE), Answer),
            (Seen(failure="throttled"), Silence),
            (Seen(failure="throttled", closing=True), Answer),
        ],
    )
    def test_each_further_look_of_a_delete_goes_on_until_no_run_is_active(self, seen: Seen, action: type) -> None:
        assert type(decide(replace(request("Delete"), polls=True), None, seen)) is action

    def test_what_has_failed_is_read_before_it_is_told(self) -> None:
        asked = request(WaitFor="COMPLETED")
        seen = Seen(started=batch("PROCESSED", failed=2, total=9))
        assert isinstance(decide(asked, wanted(WaitFor="COMPLETED"), seen), ReadTasks)
        answer = decide(asked, wanted(WaitFor="COMPLETED"), replace(seen, tasks=()))
        assert isinstance(answer, Answer)
        assert answer.why == ("Batch 7 is PROCESSED. 2 of its 9 runs failed, were cancelled or could not be submitted.")
        assert not answer.succeeded
