"""Exactly one run whatever fails: each fault against HealthOmics over HTTP, the function a process that is killed."""

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from local_aws.healthomics import CancelOfFinished, Kind, Token
from local_aws.healthomics.faults import Fault
from local_aws.healthomics.service import Response
from local_aws.loopback import serving
from tests.events import LOGICAL_ID, PROPERTIES, STACK_ID
from tests.lifecycle.processes import Function
from tests.lifecycle.stage import ANSWERS, Stage, stack_id_of

CHANGED = {**PROPERTIES, "Parameters": '{"sample_name":"NA12878","scatter":48}'}
NAME = f"Genomes-{LOGICAL_ID}"
MADE_UP = "Genomes_VariantCalling_ABCD1234"
TRANSIENT = [Kind.THROTTLING, Kind.INTERNAL, Kind.TIMEOUT, Kind.ACCESS_DENIED, Kind.ROLE_NOT_ASSUMABLE]
LOST = [Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.HANG_BEFORE, Kind.HANG_AFTER]


@pytest.fixture(params=["replay", "conflict", "forget"])
def any_token(request: pytest.FixtureRequest, stage: Stage) -> Stage:
    """The stage, in each of the ways in which HealthOmics may treat a token that it knew."""
    if request.param == "forget":
        stage.service.settings.token_remembered = 0.0
    else:
        stage.service.settings.token = Token(request.param)
    return stage


def kill_during(stage: Stage, operation: str, event: dict[str, Any]) -> None:
    """Invoke the function and kill it when HealthOmics has done the operation, before its answer arrives."""
    stage.fault(operation, Kind.HANG_AFTER, hang=0.5)
    pending = stage.begin(event)
    before = stage.calls(operation)
    stage.until(lambda: stage.calls(operation) > before)
    stage.function.kill()
    assert pending.result().error == "killed"


def change_during(
    stage: Stage, operation: str, kind: Kind, event: dict[str, Any], change: Callable[[], object]
) -> None:
    """Invoke the function, let an operation fail until something has changed meanwhile, and let it go on."""
    stage.fault(operation, kind, times=None, hang=0.2)
    pending = stage.begin(event)
    stage.until(lambda: stage.calls(operation) > 0)
    change()
    stage.service.faults.clear()
    assert pending.result().error is None


class TestTheEventArrivesTwice:
    def test_one_after_the_other(self, stage: Stage) -> None:
        event = stage.event("Create")
        stage.send(event)
        stage.send(event)
        first, second = stage.answers(event)
        assert first["PhysicalResourceId"] == second["PhysicalResourceId"]
        assert len(stage.service.active()) == 1

    @pytest.mark.parametrize("token", [Token.REPLAY, Token.CONFLICT])
    def test_at_the_same_moment(self, stage: Stage, token: Token) -> None:
        stage.service.settings.token = token
        event = stage.event("Create")
        for pending in [stage.begin(event), stage.begin(event)]:
            assert pending.result().error is None
        ids = {answer["PhysicalResourceId"] for answer in stage.answers(event)}
        assert len(ids) == len(stage.service.active()) == 1
        assert {answer["Status"] for answer in stage.answers(event)} == {"SUCCESS"}

    def test_long_after_whatever_became_of_the_token(self, any_token: Stage) -> None:
        stage = any_token
        event = stage.event("Create", age=60)
        stage.send(event)
        stage.send(event)
        assert len({answer["PhysicalResourceId"] for answer in stage.answers(event)}) == 1
        assert len(stage.service.active()) == 1

    def test_where_the_url_does_not_tell_when_it_was_sent(self, any_token: Stage) -> None:
        stage = any_token
        event = stage.event("Create", age=None)
        stage.send(event)
        stage.send(event)
        assert len({answer["PhysicalResourceId"] for answer in stage.answers(event)}) == 1
        assert len(stage.service.active()) == 1

    def test_a_delete_twice(self, stage: Stage) -> None:
        event = stage.event("Delete", PhysicalResourceId=stage.create())
        stage.send(event)
        stage.send(event)
        assert {answer["Status"] for answer in stage.answers(event)} == {"SUCCESS"}

    def test_an_update_long_after_a_later_one_touches_nothing(self, stage: Stage) -> None:
        first = stage.create()
        tagged = {**PROPERTIES, "Tags": {"a": "1"}}
        late = stage.event("Update", tagged, PhysicalResourceId=first, OldResourceProperties=PROPERTIES, age=600)
        stage.do("Update", CHANGED, PhysicalResourceId=first, OldResourceProperties=tagged)
        stage.cloudformation.statuses[STACK_ID, LOGICAL_ID] = ("UPDATE_COMPLETE", datetime.now(UTC))
        stage.send(late)
        assert stage.answer(late)["Status"] == "FAILED"
        assert all(run.status != "STOPPING" and "a" not in run.tags for run in stage.service.active())
        assert len(stage.service.active()) == 2


class TestTheFunctionIsKilled:
    def test_right_after_start_run_then_lambda_tries_again(self, any_token: Stage) -> None:
        stage = any_token
        event = stage.event("Create", age=60)
        kill_during(stage, "StartRun", event)
        stage.deliver(event)
        (run,) = stage.service.active()
        assert stage.answer(event)["PhysicalResourceId"] == f"{run.id}/{run.uuid}"

    def test_in_an_update_right_after_start_run(self, any_token: Stage) -> None:
        stage = any_token
        old = stage.create()
        event = stage.event("Update", CHANGED, PhysicalResourceId=old, OldResourceProperties=PROPERTIES)
        kill_during(stage, "StartRun", event)
        stage.deliver(event)
        new = [f"{run.id}/{run.uuid}" for run in stage.service.active() if not old.startswith(run.id)]
        assert [stage.answer(event)["PhysicalResourceId"]] == new

    def test_right_after_cancel_run(self, stage: Stage) -> None:
        event = stage.event("Delete", PhysicalResourceId=stage.create())
        kill_during(stage, "CancelRun", event)
        stage.deliver(event)
        assert stage.answer(event)["Status"] == "SUCCESS"
        assert stage.service.active() == []


class TestTheServiceFails:
    @pytest.mark.parametrize("kind", [*TRANSIENT, *LOST])
    def test_start_run_for_a_while(self, any_token: Stage, kind: Kind) -> None:
        stage = any_token
        stage.fault("StartRun", kind, times=2, hang=1.2)
        answer = stage.do("Create")
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        (run,) = stage.service.active()
        assert answer["PhysicalResourceId"] == f"{run.id}/{run.uuid}"

    @pytest.mark.parametrize("kind", [Kind.THROTTLING, Kind.INTERNAL, Kind.ACCESS_DENIED, *LOST[:2]])
    @pytest.mark.parametrize("operation", ["GetRun", "CancelRun"])
    def test_delete_for_a_while(self, stage: Stage, operation: str, kind: Kind) -> None:
        physical_id = stage.create()
        stage.fault(operation, kind, times=2)
        assert stage.do("Delete", PhysicalResourceId=physical_id)["Status"] == "SUCCESS"
        assert stage.service.active() == []

    @pytest.mark.parametrize("kind", [Kind.THROTTLING, *LOST[:2]])
    def test_tag_resource_for_a_while(self, stage: Stage, kind: Kind) -> None:
        physical_id = stage.create()
        stage.fault("TagResource", kind, times=2)
        tagged = {**PROPERTIES, "Tags": {"a": "1"}}
        answer = stage.do("Update", tagged, PhysicalResourceId=physical_id, OldResourceProperties=PROPERTIES)
        assert answer["Status"] == "SUCCESS"
        assert stage.service.active()[0].tags["a"] == "1"

    @pytest.mark.parametrize("kind", [Kind.THROTTLING, Kind.ACCESS_DENIED, Kind.INTERNAL])
    def test_for_longer_than_cloudformation_waits(self, stage: Stage, kind: Kind) -> None:
        stage.fault("StartRun", kind, times=None)
        answer = stage.do("Create", {**PROPERTIES, "ServiceTimeout": "3"})
        assert answer["Status"] == "FAILED"
        assert answer["Reason"].startswith("StartRun was refused: ")
        assert "times refused)" in answer["Reason"]
        assert stage.service.active() == []

    def test_for_longer_than_the_function_has(self, stage: Stage) -> None:
        stage.fault("StartRun", Kind.THROTTLING, times=None)
        event = stage.event("Create")
        stage.send(event, remaining=3)
        assert stage.answer(event)["Status"] == "FAILED"
        assert "ThrottlingException: Rate exceeded" in stage.answer(event)["Reason"]

    def test_a_run_that_will_not_stop_is_told_so(self, stage: Stage) -> None:
        physical_id = stage.create()
        stage.service.settings.stopping = 3600
        try:
            answer = stage.do("Delete", {**PROPERTIES, "ServiceTimeout": "2"}, PhysicalResourceId=physical_id)
        finally:
            stage.service.settings.stopping = 0.1
        assert answer["Status"] == "FAILED"
        assert answer["Reason"].startswith("CancelRun was accepted, but run ")
        assert answer["PhysicalResourceId"] == physical_id

    def test_a_run_that_is_deleted_while_its_tags_change_stays_the_resources_run(self, stage: Stage) -> None:
        physical_id = stage.create()
        run_id = physical_id.partition("/")[0]
        tagged = {**PROPERTIES, "Tags": {"a": "1"}}
        event = stage.event("Update", tagged, PhysicalResourceId=physical_id, OldResourceProperties=PROPERTIES)
        change_during(stage, "TagResource", Kind.THROTTLING, event, lambda: stage.service.end(run_id, "DELETED"))
        answer = stage.answer(event)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
        assert answer["Data"]["Status"] == "DELETED"


class TestCancellingAFinishedRun:
    @pytest.mark.parametrize("how", list(CancelOfFinished))
    @pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
    def test_it_finished_between_get_run_and_cancel_run(self, stage: Stage, how: CancelOfFinished, status: str) -> None:
        physical_id = stage.create()
        stage.service.settings.cancel_of_finished = how
        run_id = physical_id.partition("/")[0]
        delete = stage.event("Delete", PhysicalResourceId=physical_id)
        change_during(stage, "CancelRun", Kind.HANG_BEFORE, delete, lambda: stage.service.end(run_id, status))
        assert stage.service.active() == []
        assert stage.service.runs()[-1].status == status

    @pytest.mark.parametrize("how", list(CancelOfFinished))
    def test_cancel_run_itself_is_refused(self, stage: Stage, how: CancelOfFinished) -> None:
        physical_id = stage.create()
        stage.service.settings.cancel_of_finished = how
        run_id = physical_id.partition("/")[0]
        delete = stage.event("Delete", PhysicalResourceId=physical_id)
        change_during(stage, "CancelRun", Kind.THROTTLING, delete, lambda: stage.service.end(run_id, "COMPLETED"))
        assert stage.service.runs()[-1].tags["cdk-healthomics:definition"] == "released"

    def test_a_run_that_somebody_deleted(self, stage: Stage) -> None:
        physical_id = stage.create()
        for status in ("CANCELLED", "DELETED"):
            stage.service.end(physical_id.partition("/")[0], status)
        assert stage.do("Delete", PhysicalResourceId=physical_id)["Status"] == "SUCCESS"

    def test_a_release_that_is_refused_does_not_wedge_the_stack(self, stage: Stage) -> None:
        physical_id = stage.create()
        stage.service.end(physical_id.partition("/")[0], "COMPLETED")
        stage.fault("TagResource", Kind.ROLE_NOT_ASSUMABLE, times=1)
        assert stage.do("Delete", PhysicalResourceId=physical_id)["Status"] == "SUCCESS"


class TestTheCreateHasNoId:
    def test_its_orphan_is_found_and_others_are_left_alone(self, stage: Stage) -> None:
        event = stage.event("Create")
        kill_during(stage, "StartRun", event)
        others = [
            stage.foreign_run(name=NAME),
            stage.foreign_run(name=NAME, stack_id=stack_id_of("Exomes"), logical_id=LOGICAL_ID),
            stage.foreign_run(name=NAME, stack_id=STACK_ID, logical_id="Another"),
        ]
        assert stage.do("Delete", PhysicalResourceId=MADE_UP)["Status"] == "SUCCESS"
        assert [run.id for run in stage.service.active()] == [run.id for run in others]

    def test_it_failed_and_nothing_is_left(self, stage: Stage) -> None:
        failed = stage.do("Create", {**PROPERTIES, "LogLevel": "LOUD"})
        deleted = stage.do("Delete", PhysicalResourceId=failed["PhysicalResourceId"])
        assert deleted["Status"] == "SUCCESS"
        assert stage.service.active() == []

    def test_a_delete_that_arrives_while_create_is_still_trying(self, stage: Stage) -> None:
        stage.fault("StartRun", Kind.THROTTLING, times=None, seconds=4)
        create = stage.event("Create", age=1)
        creating = stage.begin(create)
        stage.until(lambda: stage.calls("StartRun") > 1)
        deleting = stage.begin(stage.event("Delete", PhysicalResourceId=MADE_UP))
        assert creating.result().error is None
        assert deleting.result().error is None
        assert stage.answer(create)["Status"] == "FAILED"
        assert stage.service.active() == []

    def test_a_create_whose_start_run_is_accepted_while_the_delete_sweeps(self, stage: Stage) -> None:
        stage.fault("StartRun", Kind.HANG_BEFORE, hang=0.8)
        create = stage.event("Create")
        creating = stage.begin(create)
        stage.until(lambda: stage.calls("StartRun") > 0)
        deleting = stage.begin(stage.event("Delete", PhysicalResourceId=MADE_UP))
        assert creating.result().error is None
        assert deleting.result().error is None
        assert stage.service.active() == []

    def test_a_late_second_create_after_the_delete(self, stage: Stage) -> None:
        create = stage.event("Create", age=60)
        stage.do("Delete", PhysicalResourceId=MADE_UP)
        stage.send(create)
        assert stage.answer(create)["Status"] == "FAILED"
        assert stage.service.active() == []

    def test_a_retained_run_stays(self, stage: Stage) -> None:
        retained = {**PROPERTIES, "RemovalPolicy": "Retain"}
        kill_during(stage, "StartRun", stage.event("Create", retained))
        stage.do("Delete", retained, PhysicalResourceId=MADE_UP)
        assert len(stage.service.active()) == 1


class TestIdsAreReused:
    def test_a_foreign_run_with_our_old_id_is_left_alone(self, stage: Stage) -> None:
        physical_id = stage.create()
        run_id = physical_id.partition("/")[0]
        for status in ("COMPLETED", "DELETED"):
            stage.service.end(run_id, status)
        stage.service.reuse_id(run_id)
        foreign = stage.foreign_run(name="foreign")
        assert foreign.id == run_id
        assert stage.do("Delete", PhysicalResourceId=physical_id)["Status"] == "SUCCESS"
        assert [run.uuid for run in stage.service.active()] == [foreign.uuid]
        assert "cdk-healthomics:definition" not in foreign.tags


class TestAnUpdateIsCutShort:
    def test_the_rollback_cancels_what_it_started(self, stage: Stage) -> None:
        original = stage.create()
        kill_during(
            stage,
            "StartRun",
            stage.event("Update", CHANGED, PhysicalResourceId=original, OldResourceProperties=PROPERTIES),
        )
        back = stage.do("Update", PhysicalResourceId=original, OldResourceProperties=CHANGED)
        assert back["PhysicalResourceId"] == original
        stage.until(lambda: [f"{run.id}/{run.uuid}" for run in stage.service.active()] == [original])

    def test_an_update_that_still_tries_when_the_rollback_comes_starts_nothing(self, stage: Stage) -> None:
        original = stage.create()
        stage.fault("StartRun", Kind.THROTTLING, times=None, seconds=2)
        update = stage.event("Update", CHANGED, PhysicalResourceId=original, OldResourceProperties=PROPERTIES)
        updating = stage.begin(update)
        stage.until(lambda: stage.calls("StartRun") > 2)
        back = stage.do("Update", PhysicalResourceId=original, OldResourceProperties=CHANGED)
        assert updating.result().error is None
        assert stage.answer(update)["Status"] == "FAILED"
        assert back["PhysicalResourceId"] == original
        stage.until(lambda: [f"{run.id}/{run.uuid}" for run in stage.service.active()] == [original])


class TestTheAnswer:
    @pytest.mark.parametrize(
        "ear",
        [
            Response(500, {}, b""),
            Response(503, {}, b""),
            Response(0, {}, b"", Fault("", Kind.DROP_BEFORE)),
            Response(0, {}, b"", Fault("", Kind.HANG_BEFORE, hang=1.0)),
        ],
        ids=["500", "503", "dropped", "hanging"],
    )
    def test_is_sent_again_until_it_is_taken(self, stage: Stage, ear: Response) -> None:
        stage.cloudformation.ears += [ear, ear]
        event = stage.event("Create")
        assert stage.send(event).error is None
        assert stage.answer(event)["Status"] == "SUCCESS"

    def test_that_nobody_takes_makes_lambda_deliver_again_and_the_run_stays_one(self, stage: Stage) -> None:
        stage.cloudformation.ears += [Response(503, {}, b"")] * 7
        event = stage.event("Create")
        first, second = stage.deliver(event)
        assert first.error
        assert "AnswerNotDeliveredError" in first.error
        assert "HTTP 503" in first.error
        assert second.error is None
        (run,) = stage.service.active()
        assert stage.answer(event)["PhysicalResourceId"] == f"{run.id}/{run.uuid}"

    def test_that_is_refused_for_good_is_not_sent_again(self, stage: Stage) -> None:
        stage.cloudformation.ears += [Response(403, {}, b"")]
        event = stage.event("Create")
        outcome = stage.send(event)
        assert outcome.error
        assert "HTTP 403" in outcome.error
        assert stage.answers(event) == []

    def test_to_a_port_where_nobody_listens(self, stage: Stage) -> None:
        event = stage.event("Create") | {"ResponseURL": "http://127.0.0.1:1/answers/x?X-Amz-Signature=secret"}
        outcome = stage.send(event)
        assert outcome.error
        assert "could not be reached" in outcome.error
        assert "secret" not in outcome.error + outcome.log

    def test_is_small_enough_and_keeps_the_beginning_of_its_reason(self, stage: Stage) -> None:
        answer = stage.do("Create", {**PROPERTIES, "Name": "x" * 129, "LogLevel": "y" * 6000})
        assert answer["Reason"].startswith("StartRun was refused: ValidationException")
        assert max(stage.cloudformation.sizes) <= 4096

    def test_when_the_functions_time_is_over_names_the_run(self, stage: Stage) -> None:
        event = stage.event("Create")
        stage.fault("StartRun", Kind.HANG_AFTER, hang=0.9)
        stage.send(event, remaining=0.9)
        # Whether the run was remembered in time or not, exactly one answer was sent, and a Delete finds the run.
        answer = stage.answer(event)
        stage.do("Delete", PhysicalResourceId=answer["PhysicalResourceId"])
        assert stage.service.active() == []

    def test_goes_over_tls_to_a_host_whose_certificate_is_checked(self, stage: Stage, tmp_path: Path) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        trusted = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(trusted))
        with serving(stage.cloudformation.route, tls=context) as url:
            for variables, delivered in [({"SSL_CERT_FILE": str(trusted)}, True), ({}, False)]:
                event = stage.event("Create")
                event["ResponseURL"] = f"{url}{ANSWERS}{event['RequestId']}"
                with Function({**stage.environment, **variables}) as function:
                    outcome = function.invoke(event)
                assert (outcome.error is None) is delivered, outcome.error
                assert len(stage.answers(event)) == delivered


def test_the_reason_of_an_unexpected_error_reaches_the_person(stage: Stage) -> None:
    event = stage.event("Create") | {"StackId": "not an ARN"}
    stage.send(event)
    answer = stage.answer(event)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("cdk-healthomics failed unexpectedly: IndexError")
    assert json.dumps(answer)
