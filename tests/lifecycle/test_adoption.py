"""A run that was started elsewhere becomes a resource's own, and is given back where its Create fails."""

import logging
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest

from cdk_healthomics_handler.names import RELEASED, OwnershipTag
from local_aws.healthomics import QUOTAS, Kind
from local_aws.healthomics.runs import StoredRun
from tests.events import LOGICAL_ID, PROPERTIES, ROLE_ARN, STACK_ID
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.stage import Stage, stack_id_of
from tests.lifecycle.world import Delivery, World

NAME: Final = "by-hand"
STARTED: Final = {
    "workflowId": PROPERTIES["WorkflowId"],
    "roleArn": ROLE_ARN,
    "outputUri": "s3://bucket/runs/",
    "parameters": {"scatter": 24, "sample_name": "NA12878"},
    "storageType": "STATIC",
    "storageCapacity": 2400,
}
PRESENT: Final = {**PROPERTIES, "Name": NAME, "StorageType": "STATIC", "StorageCapacity": "1300"}
"""What is declared, as it stays when the run is the resource's."""


LIVES: Final = 30


def by_hand(stage: Stage, **tags: str) -> StoredRun:
    return stage.foreign_run(name=NAME, asked=STARTED, **tags)


def adopting(run: StoredRun, **properties: Any) -> dict[str, Any]:
    return {**PRESENT, "AdoptRunId": run.id, "RemovalPolicy": "RetainExceptOnCreate", **properties}


def physical_id(run: StoredRun) -> str:
    return f"{run.id}/{run.uuid}"


def is_owned(run: StoredRun, logical_id: str = LOGICAL_ID) -> bool:
    return run.tags.get(OwnershipTag.STACK_ID) == STACK_ID and run.tags.get(OwnershipTag.LOGICAL_ID) == logical_id


def is_as_it_was(run: StoredRun) -> bool:
    """Whether it goes on, and no tag makes it a resource's."""
    ours = {key: value for key, value in run.tags.items() if key in set(OwnershipTag)}
    return run.status in {"PENDING", "STARTING", "RUNNING"} and ours in ({}, {OwnershipTag.DEFINITION: RELEASED})


class TestAdoption:
    def test_starts_nothing_and_makes_the_run_the_resource_s(self, stage: Stage) -> None:
        run = by_hand(stage)
        stage.service.journal.clear()
        answer = stage.do("Create", adopting(run, Tags={"project": "1000G"}))
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        assert answer["PhysicalResourceId"] == physical_id(run)
        assert answer["Data"]["RunOutputUri"] == f"s3://bucket/runs/{run.id}"
        assert [call.operation for call in stage.service.journal] == ["GetRun", "TagResource", "GetRun"]
        assert is_owned(run)
        assert run.tags["project"] == "1000G"

    def test_happens_once_however_often_the_event_is_delivered(self, stage: Stage) -> None:
        run = by_hand(stage)
        event = stage.event("Create", adopting(run))
        deliveries = [stage.begin(event), stage.begin(event)]
        assert {each.result().error for each in deliveries} == {None}
        stage.send(event)
        assert {answer["PhysicalResourceId"] for answer in stage.answers(event)} == {physical_id(run)}
        assert stage.service.active() == [run]

    def test_waits_for_the_run(self, stage: Stage) -> None:
        run = by_hand(stage)
        event = stage.event("Create", adopting(run, WaitFor="COMPLETED", ServiceTimeout="3600"))
        stage.deliver(event)
        assert not stage.answers(event)
        stage.service.end(run.id, "COMPLETED")
        stage.minute()
        answer = stage.answer(event)
        assert answer["PhysicalResourceId"] == physical_id(run)
        assert answer["Data"]["StoppedAt"]
        assert stage.eventbridge.rules() == []

    def test_of_one_that_has_completed_is_allowed(self, stage: Stage) -> None:
        run = by_hand(stage)
        stage.service.end(run.id, "COMPLETED")
        assert stage.create(adopting(run)) == physical_id(run)


class TestARunThatWasAdopted:
    """It is as any other run of a resource."""

    def adopted(self, stage: Stage) -> tuple[StoredRun, dict[str, Any]]:
        run = by_hand(stage)
        properties = adopting(run)
        assert stage.create(properties) == physical_id(run)
        return run, properties

    def update(self, stage: Stage, run: str, before: Any, after: Any) -> dict[str, Any]:
        return stage.do("Update", after, PhysicalResourceId=run, OldResourceProperties=before)

    def test_stays_when_the_argument_goes_and_is_cancelled_by_a_delete_from_then_on(self, stage: Stage) -> None:
        run, before = self.adopted(stage)
        answer = self.update(stage, physical_id(run), before, PRESENT)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id(run))
        assert stage.do("Delete", PRESENT, PhysicalResourceId=physical_id(run))["Status"] == "SUCCESS"
        assert run.status == "CANCELLED"

    def test_is_replaced_by_another_definition_and_gone_back_to_by_the_rollback(self, stage: Stage) -> None:
        run, before = self.adopted(stage)
        after = {**PRESENT, "Priority": "7"}
        new = self.update(stage, physical_id(run), before, after)["PhysicalResourceId"]
        assert new != physical_id(run)
        answer = self.update(stage, new, after, before)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id(run))
        assert stage.do("Delete", after, PhysicalResourceId=new)["Status"] == "SUCCESS"
        assert stage.service.active() == [run]

    def test_may_be_named_again_by_a_rollback_long_after_others_have_replaced_it(self, stage: Stage) -> None:
        run, before = self.adopted(stage)
        second = {**adopting(run), "Priority": "7"}
        new = self.update(stage, physical_id(run), before, second)["PhysicalResourceId"]
        without = {**second, "Tags": {"project": "1000G"}}
        del without["AdoptRunId"]
        assert self.update(stage, new, second, without)["PhysicalResourceId"] == new
        answer = self.update(stage, new, without, second)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", new)
        assert len(stage.service.active()) == 2, "the removal policy keeps the first one"


class TestWhatCannotBeAdopted:
    """The Create fails and says why; nothing is started, and the run is as it was."""

    def refused(self, stage: Stage, properties: dict[str, Any], *, starts: int = 0) -> str:
        before = stage.calls("StartRun")
        answer = stage.do("Create", properties)
        assert answer["Status"] == "FAILED"
        assert answer["PhysicalResourceId"].startswith("none-")
        assert stage.do("Delete", properties, PhysicalResourceId=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
        assert stage.calls("StartRun") == before + starts
        return str(answer["Reason"])

    def test_a_run_that_is_not_there(self, stage: Stage) -> None:
        properties = {**adopting(by_hand(stage)), "AdoptRunId": "999"}
        assert self.refused(stage, properties) == (
            "Run 999 cannot be adopted: there is no such run in this account and region."
        )

    @pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
    def test_one_that_has_ended_otherwise_than_it_should(self, stage: Stage, status: str) -> None:
        run = by_hand(stage)
        stage.service.end(run.id, status)
        told = f"Run {run.id} cannot be adopted: it is {status}, must be active or have completed."
        assert self.refused(stage, adopting(run)) == told

    def test_one_that_is_another_resource_s(self, stage: Stage) -> None:
        owner = stack_id_of("Exomes")
        run = by_hand(stage, stack_id=owner, logical_id="Run")
        assert self.refused(stage, adopting(run)) == (
            f"Run {run.id} cannot be adopted: it belongs to Run of {owner}. If that is gone, or has let it go, take "
            "the run's tag cdk-healthomics:stack-id off."
        )
        assert run.tags[OwnershipTag.STACK_ID] == owner

    def test_one_that_was_started_otherwise_than_is_declared(self, stage: Stage) -> None:
        run = by_hand(stage)
        other = '{"sample_name":"NA12891","scatter":24}'
        said = self.refused(stage, adopting(run, WorkflowId="7", Parameters=other, StorageType="DYNAMIC"))
        assert said == (
            f"Run {run.id} cannot be adopted: it was started otherwise than is declared: WorkflowId (declared 7, of "
            "the run 1234567), Parameters, StorageType (declared DYNAMIC, of the run STATIC)."
        )
        assert is_as_it_was(run)

    def test_one_under_a_removal_policy_that_would_cancel_it(self, stage: Stage) -> None:
        run = by_hand(stage)
        answer = stage.do("Create", {**PRESENT, "AdoptRunId": run.id})
        assert answer["Reason"] == (
            f"Run {run.id} cannot be adopted: removal_policy must be RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE when it "
            "is deployed for the first time."
        )
        stage.do("Delete", {**PRESENT, "AdoptRunId": run.id}, PhysicalResourceId=answer["PhysicalResourceId"])
        assert is_as_it_was(run)

    def test_one_by_a_resource_that_has_a_run(self, stage: Stage) -> None:
        own = stage.create(PRESENT)
        run = by_hand(stage)
        before = stage.calls("StartRun")
        after = adopting(run, Priority="7")
        answer = stage.do("Update", after, PhysicalResourceId=own, OldResourceProperties=PRESENT)
        assert answer["Status"] == "FAILED"
        assert answer["Reason"] == (
            f"Run {run.id} cannot be adopted: the resource has run {own.partition('/')[0]}. Give the run to a "
            "construct with another id."
        )
        back = stage.do("Update", PRESENT, PhysicalResourceId=own, OldResourceProperties=after)
        assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", own)
        assert stage.calls("StartRun") == before
        assert is_as_it_was(run)


class TestACreateThatFails:
    """Whatever fails, a run that the resource did not start goes on, without our tags, for another try."""

    def fails_while_it_waits(self, stage: Stage) -> tuple[StoredRun, dict[str, Any], dict[str, Any]]:
        """The run, the properties and the answer."""
        run = by_hand(stage)
        properties = adopting(run, WaitFor="COMPLETED", ServiceTimeout="3600")
        event = stage.event("Create", properties)
        stage.deliver(event)
        stage.service.end(run.id, "FAILED")
        stage.minute()
        return run, properties, stage.answer(event)

    def test_after_its_answer_gives_the_run_back(self, stage: Stage) -> None:
        run = by_hand(stage)
        properties = adopting(run)
        stage.create(properties)
        answer = stage.do("Delete", properties, PhysicalResourceId=physical_id(run))
        assert answer["Status"] == "SUCCESS"
        assert is_as_it_was(run)
        assert stage.create(adopting(run), StackId=stack_id_of("Exomes")) == physical_id(run)

    @pytest.mark.parametrize("made_up", ["none-{}", "unsettled-{}", "Genomes-VariantCalling4F2A-1ABC"])
    def test_without_having_told_its_id_gives_the_run_back(self, stage: Stage, made_up: str) -> None:
        run = by_hand(stage)
        properties = adopting(run)
        event = stage.event("Create", properties)
        stage.send(event)  # the answer is lost
        assert is_owned(run)
        made_up = made_up.format(event["RequestId"])
        stage.cloudformation.named[STACK_ID, LOGICAL_ID] = made_up
        answer = stage.do("Delete", properties, PhysicalResourceId=made_up)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", made_up)
        assert is_as_it_was(run)

    def test_because_the_run_failed_while_it_was_waited_for_gives_it_back(self, stage: Stage) -> None:
        run, properties, answer = self.fails_while_it_waits(stage)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id(run))
        assert stage.do("Delete", properties, PhysicalResourceId=physical_id(run))["Status"] == "SUCCESS"
        assert run.tags.keys() & set(OwnershipTag) == {OwnershipTag.DEFINITION}
        assert stage.eventbridge.rules() == []

    def test_and_is_not_rolled_back_starts_no_run_with_the_next_try(self, stage: Stage) -> None:
        run, properties, _ = self.fails_while_it_waits(stage)
        starts = stage.calls("StartRun")
        again = {**properties, "Tags": {"try": "2"}}
        answer = stage.do("Update", again, PhysicalResourceId=physical_id(run), OldResourceProperties=properties)
        told = f"Run {run.id} cannot be adopted: it is FAILED, must be active or have completed."
        assert (answer["Status"], answer["Reason"]) == ("FAILED", told)
        assert stage.calls("StartRun") == starts

    def test_and_is_not_rolled_back_adopts_what_the_next_try_names(self, stage: Stage) -> None:
        run = by_hand(stage)
        wrong = {**adopting(run), "AdoptRunId": "999"}
        failed = stage.do("Create", wrong)
        made_up = failed["PhysicalResourceId"]
        answer = stage.do("Update", adopting(run), PhysicalResourceId=made_up, OldResourceProperties=wrong)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id(run))

    def test_while_it_waits_stops_the_waiting_and_gives_the_run_back(self, stage: Stage) -> None:
        run = by_hand(stage)
        properties = adopting(run, WaitFor="COMPLETED", ServiceTimeout="3600")
        stage.deliver(stage.event("Create", properties))
        assert stage.do("Delete", properties, PhysicalResourceId="Genomes-Run-1ABC")["Status"] == "SUCCESS"
        assert stage.eventbridge.rules() == []
        assert is_as_it_was(run)

    def test_and_whose_event_is_delivered_late_once_more_leaves_the_run_alone(self, stage: Stage) -> None:
        run = by_hand(stage)
        properties = adopting(run)
        create = stage.event("Create", properties, age=60)
        stage.send(create)
        stage.do("Delete", properties, PhysicalResourceId=physical_id(run))
        stage.send(create)
        assert is_as_it_was(run)

    def test_does_not_take_the_run_from_the_create_after_it(self, stage: Stage) -> None:
        run = by_hand(stage)
        properties = adopting(run)
        stage.create(properties)
        delete = stage.event("Delete", properties, PhysicalResourceId=physical_id(run))
        stage.send(delete)
        stage.create(properties)
        stage.send(delete)
        assert is_owned(run)

    def test_gives_the_run_back_once_however_often_its_delete_is_delivered(self, stage: Stage) -> None:
        for named in (adopting, lambda _: PRESENT):  # the argument may have gone with a deployment that failed
            run = by_hand(stage)
            stage.create(adopting(run))
            delete = stage.event("Delete", named(run), PhysicalResourceId=physical_id(run))
            stage.send(delete)
            stage.send(delete)
            assert is_as_it_was(run)

    def test_is_cleaned_up_though_nobody_may_take_the_tags_off(self, stage: Stage) -> None:
        run = by_hand(stage)
        properties = adopting(run)
        stage.create(properties)
        stage.fault("UntagResource", Kind.FORBIDDEN, times=9)
        for named in (PRESENT, properties):
            assert stage.do("Delete", named, PhysicalResourceId=physical_id(run))["Status"] == "SUCCESS"
            assert run.status in {"PENDING", "STARTING", "RUNNING"}

    @pytest.mark.parametrize("operation", ["GetRun", "TagResource"])
    @pytest.mark.parametrize("kind", [Kind.THROTTLING, Kind.ACCESS_DENIED, Kind.DROP_BEFORE, Kind.DROP_AFTER])
    def test_is_none_for_a_call_that_is_refused_at_first(self, stage: Stage, operation: str, kind: Kind) -> None:
        run = by_hand(stage)
        stage.fault(operation, kind, times=2)
        assert stage.create(adopting(run)) == physical_id(run)
        assert is_owned(run)


@pytest.fixture
def _quiet() -> Iterator[None]:
    """The handler logs in this process, thousands of lines that nobody reads."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_quiet")
def test_in_an_unkind_world_only_the_delete_of_the_stack_cancels_what_was_adopted() -> None:
    failed = sum(live(number) for number in range(LIVES))
    assert failed > LIVES / 2, "too kind a world"


def live(seed: int) -> int:
    """Adopt a run in a stack, change the stack, take it down; how many of the deployments failed.

    Requests overlap, Lambda delivers late, twice and after crashes, looks are seconds old, siblings fail.
    """
    world, chance = World(seed, lag=5.0, start_rate=1.0, quotas=QUOTAS), Random(seed)  # noqa: S311 - no secret
    world.cloudformation.lag = 5.0
    with world.installed():
        try:
            return _adopt_change_and_delete(world, chance)
        except AssertionError as error:
            raise AssertionError("\n".join([f"in the life {seed}: {error}", *world.trace])) from None


def _adopt_change_and_delete(world: World, chance: Random) -> int:
    run = world.stranger(NAME, asked=STARTED)
    stack = Stack(world, STACK_ID, lambda: _delivery(chance))
    failed = 0
    for properties in (adopting(run), adopting(run, Tags={"project": "1000G"}), PRESENT):
        good: list[bool] = []
        while not any(good):
            sibling = chance.choice([None, 0.3, 1.0, 3.0, 20.0]) if len(good) < 3 else None
            world.play(lambda: good.append(stack.deploy({"One": properties}, sibling_fails=sibling)))  # noqa: B023
            assert is_owned(run, "One") if "One" in stack.resources else is_as_it_was(run)
            assert world.active() == [physical_id(run)], "it is the only run, and active"
        failed += len(good) - 1
    world.play(stack.delete)
    assert world.active() == []
    assert not world.eventbridge.rules()
    return failed


def _delivery(chance: Random) -> Delivery:
    """How Lambda delivers: mostly well."""
    after = chance.choice([0.2, 0.2, 1.0, 5.0, 12.0, 40.0])
    twice = chance.choice([None, None, None, 0.0, 2.0, 60.0, 200.0])
    kills = [chance.choice([None, None, 1, 2, 3]) for _ in range(3)]
    return Delivery(after, None if twice is None else after + twice, (kills[0], kills[1], kills[2]))
