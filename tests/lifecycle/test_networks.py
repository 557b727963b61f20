"""A function that cannot reach one of its endpoints, over real HTTP: refused, silent or denied (docs/networks.md)."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from local_aws.healthomics import Kind
from local_aws.healthomics.service import Response
from local_aws.loopback import serving
from tests.events import PROPERTIES
from tests.lifecycle.cloudformation import refusal
from tests.lifecycle.processes import Function, Outcome
from tests.lifecycle.stage import Stage

WAITING = {**PROPERTIES, "WaitFor": "COMPLETED"}
TAGGED = {**PROPERTIES, "Tags": {"a": "1"}}
CHANGED = {**PROPERTIES, "Parameters": '{"scatter":48}'}
BY_ENDPOINT = "because no VPC endpoint policy allows the action"
BY_IAM = "is not authorized to perform this"


@contextmanager
def refusing() -> Iterator[str]:
    """An address where nobody listens."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """An address where connections are taken and nothing is ever said."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def denying(message: str) -> Iterator[str]:
    """An endpoint that lets nobody do anything."""

    def route(method: str, path: str, query: str, body: bytes) -> Response:
        del query
        if method == "PUT" or b"Action=" in body:  # S3 and CloudFormation
            return refusal("AccessDenied", message)
        kind = "x-amzn-errortype"
        told = {"__type": "AccessDeniedException", "message": message}
        return Response(
            400 if path.startswith("/AWSEvents") else 403, {kind: told["__type"]}, json.dumps(told).encode()
        )

    with serving(route) as url:
        yield url


WAYS: Mapping[str, Callable[[], Any]] = {
    "refused": refusing,
    "silent": silent,
    "denied": lambda: denying(BY_ENDPOINT),
    "not allowed": lambda: denying(BY_IAM),
}


@dataclass
class Blocked:
    """A function without one of its endpoints."""

    stage: Stage
    function: Function
    url: str
    """Where the endpoint is missing."""
    way: str

    def do(self, request_type: str, properties: Mapping[str, Any] = PROPERTIES, **fields: Any) -> dict[str, Any]:
        """Send an event; returns its only answer."""
        event = self.stage.event(request_type, properties, **fields)
        assert self.function.invoke(event).error is None
        return self.stage.answer(event)

    def assert_names(self, reason: str, action: str) -> None:
        """Whether a reason tells what is missing."""
        named = f"{action} was refused: AccessDenied" if self.way in {"denied", "not allowed"} else self.url
        assert named in reason, reason


@contextmanager
def without(stage: Stage, way: str, variable: str) -> Iterator[Blocked]:
    """A function whose calls to one service meet something else."""
    with WAYS[way]() as url, Function({**stage.environment, variable: url}, reachable=2.5) as function:
        yield Blocked(stage, function, url, way)


class TestWithoutCloudFormation:
    @pytest.fixture(params=WAYS)
    def blocked(self, request: pytest.FixtureRequest, stage: Stage) -> Iterator[Blocked]:
        with without(stage, request.param, "AWS_ENDPOINT_URL_CLOUDFORMATION") as blocked:
            yield blocked

    def test_everything_that_does_not_need_its_word_works(self, blocked: Blocked) -> None:
        first = blocked.do("Create")["PhysicalResourceId"]
        same = blocked.do("Update", TAGGED, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        assert same["PhysicalResourceId"] == first
        second = blocked.do("Update", CHANGED, PhysicalResourceId=first, OldResourceProperties=TAGGED)
        assert second["Status"] == "SUCCESS"
        assert second["PhysicalResourceId"] != first
        blocked.stage.service.end(first.partition("/")[0], "COMPLETED")
        last = blocked.do("Delete", CHANGED, PhysicalResourceId=second["PhysicalResourceId"])
        assert last["Status"] == "SUCCESS"
        assert blocked.stage.service.active() == []

    def test_the_cleanup_after_a_replacement_cancels_the_old_run_and_says_what_else_it_needs(
        self, blocked: Blocked
    ) -> None:
        first = blocked.do("Create")["PhysicalResourceId"]
        blocked.do("Update", CHANGED, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
        answer = blocked.do("Delete", PhysicalResourceId=first)
        assert answer["Status"] == "FAILED"
        blocked.assert_names(answer["Reason"], "DescribeStackResource")
        blocked.stage.until(lambda: first.partition("/")[0] not in {run.id for run in blocked.stage.service.active()})

    def test_what_needs_it_says_so_and_starts_nothing(self, blocked: Blocked) -> None:
        answer = blocked.do("Create", age=60)
        assert answer["Status"] == "FAILED"
        blocked.assert_names(answer["Reason"], "DescribeStackResource")
        assert blocked.stage.service.active() == []


class TestWithoutEventBridge:
    @pytest.fixture(params=WAYS)
    def blocked(self, request: pytest.FixtureRequest, stage: Stage) -> Iterator[Blocked]:
        with without(stage, request.param, "AWS_ENDPOINT_URL_EVENTBRIDGE") as blocked:
            yield blocked

    def test_only_waiting_fails_and_its_run_is_cancelled_by_the_rollback(self, blocked: Blocked) -> None:
        answer = blocked.do("Create", WAITING)
        assert answer["Status"] == "FAILED"
        blocked.assert_names(answer["Reason"], "PutRule")
        assert blocked.do("Delete", WAITING, PhysicalResourceId=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
        assert blocked.stage.service.active() == []

    def test_what_does_not_wait_never_asks_it(self, blocked: Blocked) -> None:
        first = blocked.do("Create")["PhysicalResourceId"]
        assert blocked.do("Delete", PhysicalResourceId=first)["Status"] == "SUCCESS"


class TestWithoutHealthOmics:
    @pytest.fixture(params=[way for way in WAYS if way != "not allowed"])
    def blocked(self, request: pytest.FixtureRequest, stage: Stage) -> Iterator[Blocked]:
        with without(stage, request.param, "AWS_ENDPOINT_URL_OMICS") as blocked:
            yield blocked

    def test_a_create_says_so_and_whether_a_run_may_have_been_started(self, blocked: Blocked) -> None:
        answer = blocked.do("Create")
        assert answer["Status"] == "FAILED"
        blocked.assert_names(answer["Reason"], "StartRun")
        started = "unsettled-" if blocked.way == "silent" else "none-"
        assert answer["PhysicalResourceId"].startswith(started)

    def test_a_delete_says_so_and_leaves_the_id(self, blocked: Blocked) -> None:
        physical_id = blocked.stage.create()
        answer = blocked.do("Delete", PhysicalResourceId=physical_id)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id)
        blocked.assert_names(answer["Reason"], "GetRun")


@pytest.mark.parametrize(("kind", "named"), [(Kind.HANG_BEFORE, "/tags/"), (Kind.FORBIDDEN, "TagResource was refused")])
class TestWithoutTheHostOfTags:
    """HealthOmics' tags have a host of their own, hence an endpoint."""

    @pytest.fixture
    def blocked(self, stage: Stage, kind: Kind) -> Iterator[Blocked]:
        stage.fault("TagResource", kind, times=None, hang=1.5)
        with Function(stage.environment, reachable=2.5) as function:
            yield Blocked(stage, function, "", "silent")

    def test_a_run_is_started_and_cancelled_and_marked_as_released_or_not(self, blocked: Blocked, named: str) -> None:
        del named
        cancelled, finished = (blocked.do("Create", LogicalResourceId=name)["PhysicalResourceId"] for name in "AB")
        assert blocked.do("Delete", PhysicalResourceId=cancelled, LogicalResourceId="A")["Status"] == "SUCCESS"
        blocked.stage.service.end(finished.partition("/")[0], "COMPLETED")
        assert blocked.do("Delete", PhysicalResourceId=finished, LogicalResourceId="B")["Status"] == "SUCCESS"
        assert blocked.stage.service.active() == []

    def test_an_update_says_so(self, blocked: Blocked, named: str) -> None:
        first = blocked.stage.create()
        for properties in (TAGGED, CHANGED):
            answer = blocked.do("Update", properties, PhysicalResourceId=first, OldResourceProperties=PROPERTIES)
            assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", first)
            assert named in answer["Reason"]
        assert [f"{run.id}/{run.uuid}" for run in blocked.stage.service.active()] == [first]


class TestWithoutTheBucketOfAnswers:
    @pytest.mark.parametrize("way", [way for way in WAYS if way != "not allowed"])
    def test_the_log_says_so_and_a_delete_cancels_all_the_same(self, stage: Stage, way: str) -> None:
        def invoke(request_type: str, **fields: Any) -> Outcome:
            event = stage.event(request_type, **fields)
            return function.invoke(event | {"ResponseURL": f"{url}/answer?X-Amz-Signature=secret"})

        with WAYS[way]() as url, Function(stage.environment) as function:
            created = invoke("Create")
            (run,) = stage.service.active()
            deleted = invoke("Delete", PhysicalResourceId=f"{run.id}/{run.uuid}")
        for outcome in (created, deleted):
            assert outcome.error
            assert "AnswerNotDeliveredError: CloudFormation's answer URL at 127.0.0.1" in outcome.error
            assert "secret" not in outcome.error + outcome.log
        assert stage.service.active() == []


class TestAForgedEvent:
    URL = (
        "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com.evil.example/a?X-Amz-Signature=secret"
    )

    @pytest.mark.parametrize("field", ["ResourceType", "CrHelperPoll"])
    def test_does_nothing_and_its_answer_goes_nowhere(self, stage: Stage, field: str) -> None:
        forged = stage.event("Create") | {field: "Custom::HealthOmicsRun", "ResponseURL": self.URL}
        outcome = stage.send(forged)
        assert outcome.error
        assert "NotCloudFormationsError" in outcome.error
        assert ".evil.example" in outcome.log
        assert "secret" not in outcome.log + outcome.error
        assert stage.service.journal == []
        assert stage.do("Create")["Status"] == "SUCCESS", "the next event is worked on"

    def test_nor_to_loopback_where_the_function_was_not_told_that_aws_is_there(self, stage: Stage) -> None:
        elsewhere = {**stage.environment, "AWS_ENDPOINT_URL": "https://omics.invalid"}
        event = stage.event("Create")
        with Function(elsewhere) as function:
            outcome = function.invoke(event)
        assert outcome.error
        assert "NotCloudFormationsError" in outcome.error
        assert stage.answers(event) == []

    def test_the_answer_follows_no_redirect(self, stage: Stage) -> None:
        with serving(stage.cloudformation.route) as elsewhere:
            event = stage.event("Create")
            stage.cloudformation.ears.append(
                Response(307, {"location": f"{elsewhere}/answers/{event['RequestId']}"}, b"")
            )
            outcome = stage.send(event)
        assert outcome.error
        assert "HTTP 307" in outcome.error
        assert stage.answers(event) == []
