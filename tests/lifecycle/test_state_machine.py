"""Random lives of several resources in two stacks, the function in real processes: the promises hold after every step.

Here requests come one after the other, over HTTP and in real time; those that overlap are in test_overlapping.py.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cdk_healthomics_handler.names import Attribute, OwnershipTag
from local_aws.healthomics import CancelOfFinished, Fault, HealthOmics, Kind, Settings, Token
from local_aws.healthomics.runs import StoredRun
from local_aws.healthomics.service import Response
from local_aws.loopback import serving
from local_aws.process import pointed_at
from tests.events import PROPERTIES, STACK_ID, new_event
from tests.lifecycle.processes import KilledOnOrder
from tests.lifecycle.stage import ANSWERS, LAMBDA_TRIES, CloudFormation, stack_id_of

RESOURCES = [(stack, logical_id) for stack in (STACK_ID, stack_id_of("Exomes")) for logical_id in ("One", "Two")]
NAMES = {(stack, logical_id): f"{stack.split('/')[1]}-{logical_id}" for stack, logical_id in RESOURCES}

resources = st.sampled_from(RESOURCES)
definitions = st.integers(0, 2)
tags = st.sampled_from([{}, {"a": "1"}, {"a": "2", "b": "1"}])
faults = st.lists(
    st.tuples(
        st.sampled_from(["StartRun", "StartRun", "GetRun", "CancelRun", "TagResource", "ListRuns"]),
        st.sampled_from([kind for kind in Kind if not kind.startswith("hang")]),
        st.integers(1, 3),
    ),
    max_size=2,
)
kills = st.lists(st.sampled_from(["StartRun", "CancelRun", "GetRun", "TagResource"]), max_size=2)
lost_answers = st.sampled_from([0, 0, 0, 1, 2, 3])


@dataclass
class Resource:
    """What CloudFormation knows of a resource."""

    physical_id: str
    properties: Mapping[str, Any]
    ended: bool = False
    """Somebody or the workflow has ended its run."""


def properties(definition: int, tagged: Mapping[str, str]) -> dict[str, Any]:
    parameters = json.dumps({"sample": "NA12878", "definition": definition})
    return {**PROPERTIES, "Parameters": parameters, "Tags": dict(tagged)}


class Lives(RuleBasedStateMachine):
    """CloudFormation and Lambda, as they treat the function."""

    def __init__(self) -> None:
        super().__init__()
        quick = Settings(start_rate=None, running=1e12, pending=0.05, starting=0.05, stopping=0.05)
        quick.cancel_needs_tag = OwnershipTag.STACK_ID  # as the function is allowed
        self.service = HealthOmics(quick)
        self.cloudformation = CloudFormation()
        self.known: dict[tuple[str, str], Resource] = {}
        self.past: list[dict[str, Any]] = []
        self.foreign: list[StoredRun] = []
        self.stage = ExitStack()
        self.url = self.stage.enter_context(serving(self.cloudformation.route, self.service.handle))
        self.function = self.stage.enter_context(KilledOnOrder(self.service, pointed_at(self.url)))
        # Every request is late: time cannot be put forward for a process, but a request can have been sent long ago.
        self.sent_at = int(self.service.clock.now()) - 900

    def teardown(self) -> None:
        self.stage.close()

    # How the service behaves

    @initialize(token=st.sampled_from(Token), how=st.sampled_from(CancelOfFinished))
    def behave(self, token: Token, how: CancelOfFinished) -> None:
        self.service.settings.change({"token": token, "cancel_of_finished": how})
        for name in NAMES.values():
            self._start_foreign(name)

    def _start_foreign(self, name: str, reusing: str | None = None) -> None:
        if reusing and any(run.id == reusing and run.status != "DELETED" for run in self.service.runs()):
            return
        if reusing:
            self.service.reuse_id(reusing)
        request = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b", "requestId": str(uuid4())}
        self.service.handle("POST", "/run", "", json.dumps({**request, "name": name}).encode())
        self.foreign.append(self.service.runs()[-1])

    # What CloudFormation and Lambda do

    def _request(self, of: tuple[str, str], request_type: str, asked: Mapping[str, Any], **fields: Any) -> Any:
        stack, logical_id = of
        request_id = str(uuid4())
        self.sent_at += 1
        now = datetime.fromtimestamp(self.sent_at, UTC)
        event = new_event(
            request_type,
            asked,
            response_url=f"{self.url}{ANSWERS}{request_id}",
            signed_at=now,
            RequestId=request_id,
            StackId=stack,
            LogicalResourceId=logical_id,
            **fields,
        )
        self.cloudformation.sends(event, now)
        return event

    def _deliver(
        self, event: dict[str, Any], wrong: list[tuple[str, Kind, int]], killed: list[str], lost: int
    ) -> dict[str, Any] | None:
        """Deliver an event as Lambda does; its only answer, None: it was never answered."""
        self.service.faults.clear()
        self.service.faults.order(*(Fault(operation, kind, times=times) for operation, kind, times in wrong))
        self.cloudformation.ears = [Response(403, {}, b"")] * lost
        for kill in [*killed, None, None, None][:LAMBDA_TRIES]:
            if kill:
                self.function.kill_after(kill)
            if self.function.invoke(event):
                break
        self.service.faults.clear()
        self.cloudformation.ears = []
        self.past.append(event)
        answers = self.cloudformation.answers.get(event["RequestId"], [])
        assert len(answers) <= 1, "answered more than once"
        for answer in answers:
            self._check_answer(event, answer)
        return answers[0] if answers else None

    def _check_answer(self, event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            assert answer[name] == event[name]
        assert answer["Status"] in {"SUCCESS", "FAILED"}
        assert answer["PhysicalResourceId"]
        if answer["Status"] == "SUCCESS" and event["RequestType"] != "Delete":
            assert set(answer["Data"]) == set(Attribute)
        if answer["Status"] == "FAILED" and event["RequestType"] == "Update":
            made_up = answer["PhysicalResourceId"].startswith("none-")
            assert not made_up

    @staticmethod
    def _check_patience(answer: Mapping[str, Any] | None, wrong: list[tuple[str, Kind, int]], *, unhurt: bool) -> None:
        """What goes wrong for a while only does not fail a request; what is denied for good may."""
        if unhurt and all(kind is not Kind.FORBIDDEN for _, kind, _ in wrong):
            assert answer
            assert answer["Status"] == "SUCCESS", answer["Reason"]

    def _settled(self, of: tuple[str, str], status: str) -> None:
        self.cloudformation.statuses[of] = (status, datetime.fromtimestamp(self.sent_at, UTC))

    def _remove(self, of: tuple[str, str], physical_id: str, asked: Mapping[str, Any]) -> None:
        """Delete until it succeeds, as CloudFormation and its user do."""
        for _ in range(3):
            event = self._request(of, "Delete", asked, PhysicalResourceId=physical_id)
            answer = self._deliver(event, [], [], 0)
            if answer and answer["Status"] == "SUCCESS":
                return
        raise AssertionError(f"three Deletes failed: {answer}")

    @precondition(lambda self: len(self.known) < len(RESOURCES))
    @rule(of=resources, definition=definitions, tagged=tags, wrong=faults, killed=kills, lost=lost_answers)
    def create(self, of: Any, definition: int, tagged: Any, wrong: Any, killed: Any, lost: int) -> None:
        if of in self.known:
            return
        asked = properties(definition, tagged)
        before = len(self.service.runs())
        event = self._request(of, "Create", asked)
        answer = self._deliver(event, wrong, killed, lost)
        started = len(self.service.runs()) - before
        self._check_patience(answer, wrong, unhurt=not killed and not lost)
        if answer and answer["Status"] == "SUCCESS":
            assert started == 1
            self.known[of] = Resource(answer["PhysicalResourceId"], asked)
            self._settled(of, "CREATE_COMPLETE")
            return
        assert started <= 1
        self._remove(of, answer["PhysicalResourceId"] if answer else f"made_up_{uuid4().hex}", asked)
        self._settled(of, "DELETE_COMPLETE")

    @precondition(lambda self: self.known)
    @rule(
        data=st.data(),
        definition=definitions,
        tagged=tags,
        wrong=faults,
        killed=kills,
        lost=lost_answers,
        sibling_fails=st.booleans(),
    )
    def update(
        self, data: Any, definition: int, tagged: Any, wrong: Any, killed: Any, lost: int, *, sibling_fails: bool
    ) -> None:
        of = data.draw(st.sampled_from(sorted(self.known)))
        self._update(of, properties(definition, tagged), wrong, killed, lost, sibling_fails=sibling_fails)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), completes=st.booleans())
    def update_there_and_back(self, data: Any, *, completes: bool) -> None:
        of = data.draw(st.sampled_from(sorted(self.known)))
        here = self.known[of].properties
        there = {**here, "Parameters": json.dumps({"sample": "NA12878", "elsewhere": True})}
        run = self._run(self.known[of].physical_id)
        if completes and run is not None and run.status != "DELETED":
            self.service.end(run.id, "COMPLETED")
            self.known[of].ended = True
        for asked in (there, here):
            self._update(of, asked, [], [], 0, sibling_fails=False)
        # Whatever an earlier life of the same definition has left must not be taken for the original.
        further = {**here, "Parameters": json.dumps({"sample": "NA12878", "further": True})}
        self._update(of, further, [], [], 0, sibling_fails=True, meanwhile="CANCELLED")

    def _update(
        self,
        of: tuple[str, str],
        asked: Mapping[str, Any],
        wrong: Any,
        killed: Any,
        lost: int,
        *,
        sibling_fails: bool,
        meanwhile: str | None = None,
    ) -> None:
        resource = self.known[of]
        if asked == resource.properties:
            return
        same = asked["Parameters"] == resource.properties["Parameters"]
        before = len(self.service.runs())
        event = self._request(
            of, "Update", asked, PhysicalResourceId=resource.physical_id, OldResourceProperties=resource.properties
        )
        answer = self._deliver(event, wrong, killed, lost)
        started = len(self.service.runs()) - before
        succeeded = answer is not None and answer["Status"] == "SUCCESS"
        self._check_patience(answer, wrong, unhurt=not killed and not lost)
        if succeeded:
            assert started == (0 if same else 1)
            assert answer
            assert (answer["PhysicalResourceId"] == resource.physical_id) == same
        if succeeded and answer and not sibling_fails:
            old = resource.physical_id
            ended = resource.ended and same
            self.known[of] = Resource(answer["PhysicalResourceId"], asked, ended)
            self._settled(of, "UPDATE_COMPLETE")
            if not same:
                self._remove(of, old, resource.properties)
                self._settled(of, "UPDATE_COMPLETE")
            return
        original = self._run(resource.physical_id)
        if meanwhile and original is not None:
            self.service.end(original.id, meanwhile)
            resource.ended = True
        self._roll_back(of, asked, answer["PhysicalResourceId"] if answer else resource.physical_id)

    def _roll_back(self, of: tuple[str, str], applied: Mapping[str, Any], left: str) -> None:
        resource = self.known[of]
        original = self._run(resource.physical_id)
        before = len(self.service.runs())
        void = original is None or original.status == "DELETED"
        event = self._request(of, "Update", resource.properties, PhysicalResourceId=left, OldResourceProperties=applied)
        answer = self._deliver(event, [], [], 0)
        assert answer
        assert answer["Status"] == "SUCCESS", answer["Reason"]
        now = answer["PhysicalResourceId"]
        # The original is gone back to whatever became of it, unless somebody has deleted it.
        same = applied["Parameters"] == resource.properties["Parameters"]
        kept = left == resource.physical_id and (same or (original is not None and original.status != "DELETED"))
        assert len(self.service.runs()) - before == (0 if kept or not void else 1)
        if kept or not void:
            assert now == resource.physical_id
        else:
            self.known[of] = Resource(now, resource.properties)
        if left != now:
            self._remove(of, left, applied)
        self._settled(of, "UPDATE_COMPLETE")

    @precondition(lambda self: self.known)
    @rule(data=st.data(), wrong=faults, killed=kills, lost=lost_answers)
    def delete(self, data: Any, wrong: Any, killed: Any, lost: int) -> None:
        of = data.draw(st.sampled_from(sorted(self.known)))
        resource = self.known.pop(of)
        event = self._request(of, "Delete", resource.properties, PhysicalResourceId=resource.physical_id)
        answer = self._deliver(event, wrong, killed, lost)
        if answer is None or answer["Status"] == "FAILED":
            self._remove(of, resource.physical_id, resource.properties)
        self._settled(of, "DELETE_COMPLETE")

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def deliver_an_old_event_again(self, data: Any) -> None:
        event = data.draw(st.sampled_from(self.past[-6:]))
        kept = self.cloudformation.answers.pop(event["RequestId"], None)
        shown = dict(self.cloudformation.statuses)
        self.function.invoke(event)
        self.cloudformation.statuses = shown
        if kept is not None:
            self.cloudformation.answers[event["RequestId"]] = kept

    @precondition(lambda self: self.known)
    @rule(data=st.data(), status=st.sampled_from(["COMPLETED", "FAILED", "CANCELLED", "DELETED"]))
    def a_run_ends(self, data: Any, status: str) -> None:
        of = data.draw(st.sampled_from(sorted(self.known)))
        run = self._run(self.known[of].physical_id)
        if run is not None and run.status != "DELETED":
            self.service.end(run.id, status)
            self.known[of].ended = True
        if run is not None and run.status == "DELETED" and data.draw(st.booleans()):
            self._start_foreign("somebody else's", reusing=run.id)

    # What must hold

    def _run(self, physical_id: str) -> StoredRun | None:
        run_id, _, uuid = physical_id.partition("/")
        return next((run for run in self.service.runs() if (run.id, run.uuid) == (run_id, uuid)), None)

    @invariant()
    def each_resource_has_its_run_and_no_other_is_active(self) -> None:
        for of in RESOURCES:
            active = {
                f"{run.id}/{run.uuid}"
                for run in self.service.active()
                if run.status != "STOPPING"
                and (run.tags.get(OwnershipTag.STACK_ID), run.tags.get(OwnershipTag.LOGICAL_ID)) == of
            }
            resource = self.known.get(of)
            expected = set() if resource is None or resource.ended else {resource.physical_id}
            assert active == expected, of

    @invariant()
    def no_token_has_started_two_runs(self) -> None:
        tokens = [run.request["requestId"] for run in self.service.runs()]
        assert len(tokens) == len(set(tokens))

    @invariant()
    def nobody_elses_run_is_touched(self) -> None:
        assert all(run.status in {"PENDING", "STARTING", "RUNNING"} and not run.tags for run in self.foreign)

    @invariant()
    def a_kept_run_carries_the_tags_that_were_asked_for(self) -> None:
        for resource in self.known.values():
            run = self._run(resource.physical_id)
            if run is not None and run.status != "DELETED":
                own = {key: value for key, value in run.tags.items() if not key.startswith("cdk-healthomics:")}
                assert own == resource.properties["Tags"]

    @invariant()
    def every_answer_fits(self) -> None:
        assert all(size <= 4096 for size in self.cloudformation.sizes)


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
TestLives = Lives.TestCase
TestLives.settings = settings(COMMON, max_examples=4, stateful_step_count=12, phases=[Phase.generate])
