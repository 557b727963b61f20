"""DescribeStackResource as it is under load: seconds old, throttled, denied; and the flow of a stack's operations."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from cdk_healthomics_handler.names import BATCH_TYPE, LINK_TYPE, RESOURCE_TYPE
from local_aws.healthomics.service import Response

if TYPE_CHECKING:
    from tests.lifecycle.timeline import Task
    from tests.lifecycle.world import Delivery, Sent, World

DENIED: Final = (
    "User: arn:aws:sts::123456789012:assumed-role/provider/function is not authorized to perform: "
    "cloudformation:DescribeStackResource with an explicit deny in a service control policy"
)


def refusal(code: str, message: str) -> Response:
    """An error of CloudFormation's."""
    error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    return Response(400, {}, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())


def described(logical_id: str, physical_id: str, status: str, since: datetime) -> Response:
    """The answer of DescribeStackResource."""
    detail = (
        f"<LogicalResourceId>{logical_id}</LogicalResourceId><PhysicalResourceId>{physical_id}</PhysicalResourceId>"
        f"<ResourceType>Custom::HealthOmicsRun</ResourceType><ResourceStatus>{status}</ResourceStatus>"
        f"<LastUpdatedTimestamp>{since:%Y-%m-%dT%H:%M:%S.%fZ}</LastUpdatedTimestamp>"
    )
    result = f"<DescribeStackResourceResult><StackResourceDetail>{detail}</StackResourceDetail>"
    body = f"<DescribeStackResourceResponse>{result}</DescribeStackResourceResult></DescribeStackResourceResponse>"
    return Response(200, {"content-type": "text/xml"}, body.encode())


LINK: Final = "Wait"
"""Between the logical id of a run and what is the link's own."""
PATIENCE: Final = 5
"""How often a rollback or a deletion is tried again before Lambda is made to deliver well."""
PEOPLE: Final = 25.0
"""Seconds that it takes at least to deploy again what has failed."""


@dataclass
class Described:
    """What DescribeStackResource tells of every resource."""

    now: Callable[[], float]
    random: Random
    lag: float = 0.0
    """Its answers were true so many seconds ago at most."""
    rate: float | None = None
    """Calls a second; None: any number."""
    denied: bool = False
    late: list[float] = field(default_factory=list)
    """How old the next answers are, in seconds."""
    calls: int = 0
    _history: dict[tuple[str, str], list[tuple[float, str, str]]] = field(default_factory=dict)
    _left: float = 1.0
    _at: float = 0.0

    def show(self, stack_id: str, logical_id: str, status: str, physical_id: str) -> None:
        """From now on, a resource has this status and id; without a status there is no such resource."""
        self._history.setdefault((stack_id, logical_id), []).append((self.now(), status, physical_id))

    def describe(self, stack_id: str, logical_id: str) -> Response:
        """Answer a call."""
        self.calls += 1
        if self.denied:
            return refusal("AccessDenied", DENIED)
        if self.rate is not None:
            most = max(1.0, self.rate)
            self._left, self._at = min(most, self._left + (self.now() - self._at) * self.rate), self.now()
            if self._left < 1.0:
                return refusal("Throttling", "Rate exceeded")
            self._left -= 1.0
        when = self.now() - (self.late.pop(0) if self.late else self.random.uniform(0, self.lag))
        history = self._history.get((stack_id, logical_id), [])
        since, status, physical_id = next((each for each in reversed(history) if each[0] <= when), (0.0, "", ""))
        if not status:
            return refusal("ValidationError", f"Resource {logical_id} does not exist for stack {stack_id}")
        return described(logical_id, physical_id, status, datetime.fromtimestamp(since, UTC))


@dataclass
class Resource:
    """What CloudFormation knows of one resource."""

    properties: Mapping[str, Any]
    physical_id: str
    failed: bool = False
    """Its last request failed, and nothing was rolled back."""
    created: bool = True
    """Whether a Create of it has succeeded."""

    @property
    def retained(self) -> bool:
        """Whether it outlives its stack."""
        return "RemovalPolicy" in self.properties


def type_of(asked: Mapping[str, Any]) -> str:
    """The type of the resource that has these properties."""
    if "Until" in asked:
        return LINK_TYPE
    return BATCH_TYPE if asked.keys() & {"InlineSettings", "S3UriSettings"} else RESOURCE_TYPE


def links_of(logical_id: str, asked: Mapping[str, Any], physical_id: str) -> dict[str, dict[str, Any]]:
    """The links that wait for a run after its own resource, in their order, by logical id."""
    hour, whole = int(asked.get("ServiceTimeout", 3600)), int(asked.get("Timeout", 0))
    waits_for = "Batch" if type_of(asked) == BATCH_TYPE else "Run"
    common = {"ServiceToken": asked["ServiceToken"], "ServiceTimeout": str(hour), waits_for: physical_id}
    told = {**common, "WaitFor": asked.get("WaitFor", ""), "Timeout": str(whole)}
    return {f"{logical_id}{LINK}{end}": {**told, "Until": str(end)} for end in range(2 * hour, whole + 1, hour)}


def run_of(logical_id: str) -> str:
    """The logical id of the run that a link waits for; a run's is its own."""
    return logical_id.partition(LINK)[0]


@dataclass
class Stack:
    """One stack; its methods run as a script of the world's. Links come after their run, one after the other."""

    world: "World"
    stack_id: str
    delivery: Callable[[], "Delivery"]
    """How Lambda delivers the next request."""
    resources: dict[str, Resource] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    """The logical ids of resources of which CloudFormation has tried in vain to delete an older run."""
    replaced: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """By logical id, the physical ids and properties of runs that wait for a deployment to succeed to be cleaned up."""
    timeout: float = 3600.0
    """Seconds that CloudFormation waits for an answer, where the resource does not tell."""
    attention: float = 10.0
    """Seconds, at most, after which it goes on from an answer to the next resource."""
    _settled: set[str] = field(default_factory=set)
    """What the deployment under way has brought so far."""

    def deploy(
        self, wanted: Mapping[str, Mapping[str, Any]], *, sibling_fails: float | None = None, rollback: bool = True
    ) -> bool:
        """Bring resources to new properties; whether that succeeded.

        Args:
            wanted: the new properties, by logical id.
            sibling_fails: seconds until another resource of the stack fails; None: none does.
            rollback: False: as with ``--no-rollback``.
        """
        if any(resource.failed for resource in self.resources.values()):
            self.world.timeline.sleep(PEOPLE)
        left_over = self._forget_failed_creates(wanted)
        before = {logical_id: replace(resource) for logical_id, resource in self.resources.items()}
        under_way: dict[str, Sent] = {}
        works = [
            self.world.timeline.begin(partial(self._bring, logical_id, asked, under_way))
            for logical_id, asked in wanted.items()
        ]
        self._wait(works, under_way, sibling_fails if sibling_fails is not None else float("inf"))
        good = sibling_fails is None and all(sent.succeeded for sent in under_way.values())
        for logical_id, sent in under_way.items():
            if logical_id not in self._settled:
                self._settle(logical_id, sent, failed=not sent.succeeded)
        self._settled.clear()
        if good:
            self._clean_up()
            self._at_once([partial(self._drop_links, each, links_of(each, wanted[each], "")) for each in wanted])
        elif rollback:
            self._roll_back(under_way, before)
        for logical_id, physical_id, asked in left_over:
            self._clean_up_one(logical_id, physical_id, asked)
        return good

    def _bring(self, logical_id: str, asked: Mapping[str, Any], under_way: dict[str, "Sent"]) -> None:
        """Bring one run and its links to new properties, until one fails or the deployment has moved on."""
        if not self._request(logical_id, asked, under_way):
            return
        for link_id, of_link in links_of(logical_id, asked, self.resources[logical_id].physical_id).items():
            if not self._request(link_id, of_link, under_way):
                return

    def _request(self, logical_id: str, asked: Mapping[str, Any], under_way: dict[str, "Sent"]) -> bool:
        """Send what one resource needs; whether it has come so far."""
        known = self.resources.get(logical_id)
        if known is None:
            sent = self._send("Create", logical_id, asked, "")
        elif known.failed or known.properties != asked:
            sent = self._send("Update", logical_id, asked, known.physical_id, known.properties)
        else:
            return True
        under_way[logical_id] = sent
        limit = float(asked.get("ServiceTimeout", self.timeout))
        if not self.world.timeline.until(lambda: sent.answer or sent.given_up, limit, self.attention):
            sent.given_up = True
        if not sent.succeeded or sent.given_up:
            return False
        self._settle(logical_id, sent, failed=False)
        self._settled.add(logical_id)
        return True

    def delete(self) -> None:
        """Delete the stack, as often as it takes."""
        runs = {run_of(each) for each, known in self.resources.items() if not known.created or not known.retained}
        self._at_once([partial(self._delete_with_links, each) for each in sorted(runs)])
        self.resources.clear()
        self.given_up.clear()
        self.replaced.clear()

    def _at_once(self, works: Sequence[Callable[[], object]]) -> None:
        """CloudFormation works on the resources of a stack side by side."""
        tasks = [self.world.timeline.begin(work) for work in works]
        self.world.timeline.until(lambda: all(task.ended for task in tasks))

    def _links(self, logical_id: str) -> list[str]:
        """The links of a run that there are, the last first."""
        return [each for each in reversed(self.resources) if each != logical_id and run_of(each) == logical_id]

    def _drop_links(self, logical_id: str, wanted: Container[str]) -> None:
        """Delete the links of a run that are no longer in the template."""
        for each in self._links(logical_id):
            if each not in wanted:
                self._delete_for_good(each, self.resources.pop(each))

    def _delete_with_links(self, logical_id: str) -> None:
        self._drop_links(logical_id, ())
        if logical_id in self.resources:
            self._delete_for_good(logical_id, self.resources[logical_id])

    def _delete_for_good(self, logical_id: str, resource: Resource) -> None:
        for tries in range(PATIENCE + 1):
            well = tries == PATIENCE  # in the end Lambda delivers as it should
            if self._delete(logical_id, resource.physical_id, resource.properties, well=well):
                return
        raise AssertionError("the stack is stuck in DELETE_FAILED")

    def _forget_failed_creates(self, wanted: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
        """Those that the next deployment makes anew; some are deleted first, the others afterwards."""
        later = []
        failed_ones = [each for each, known in self.resources.items() if not known.created and run_of(each) in wanted]
        for logical_id in failed_ones:
            failed = self.resources.pop(logical_id)
            if self.world.random.random() < 0.5:
                self._clean_up_one(logical_id, failed.physical_id, failed.properties, cleanup=False)
            else:
                later.append((logical_id, failed.physical_id, failed.properties))
        return later

    def _send(
        self,
        kind: str,
        logical_id: str,
        asked: Mapping[str, Any],
        physical_id: str,
        old: Mapping[str, Any] | None = None,
        *,
        well: bool = False,
    ) -> "Sent":
        self.world.cloudformation.show(self.stack_id, logical_id, f"{kind.upper()}_IN_PROGRESS", physical_id)
        fields: dict[str, Any] = {
            "StackId": self.stack_id,
            "LogicalResourceId": logical_id,
            "ResourceType": type_of(asked),
        }
        if kind != "Create":
            fields["PhysicalResourceId"] = physical_id
        if old is not None:
            fields["OldResourceProperties"] = dict(old)
        return self.world.send(kind, asked, None if well else self.delivery(), **fields)

    def _wait(self, works: Sequence["Task"], under_way: Mapping[str, "Sent"], limit: float) -> None:
        """Wait for every answer, or for the first that is FAILED or does not come: then CloudFormation moves on."""

        def over() -> bool:
            failed = any(sent.given_up or (sent.answer and not sent.succeeded) for sent in under_way.values())
            return failed or all(work.ended for work in works)

        self.world.timeline.until(over, limit)
        for sent in under_way.values():
            sent.given_up = True

    def _wait_for_all(self, under_way: Mapping[str, "Sent"]) -> None:
        self.world.timeline.until(lambda: all(sent.answer for sent in under_way.values()), self.timeout)
        for sent in under_way.values():
            sent.given_up = True

    def _settle(self, logical_id: str, sent: "Sent", *, failed: bool) -> None:
        kind, asked = sent.event["RequestType"], sent.event["ResourceProperties"]
        made_up = f"Genomes-{logical_id}-{self.world.random.getrandbits(48):X}"
        physical_id = sent.physical_id or sent.event.get("PhysicalResourceId") or made_up
        created = kind != "Create" or not failed
        if kind == "Update" and physical_id != sent.event["PhysicalResourceId"]:
            old = sent.event["PhysicalResourceId"]
            self.replaced.setdefault(logical_id, {})[old] = sent.event["OldResourceProperties"]
        self.resources[logical_id] = Resource(asked, physical_id, failed, created)
        status = f"{kind.upper()}_{'FAILED' if failed else 'COMPLETE'}"
        self.world.cloudformation.show(self.stack_id, logical_id, status, physical_id)

    def _clean_up(self) -> None:
        todo = [(each, *old) for each, replaced in self.replaced.items() for old in replaced.items()]
        gone = [
            each for each in todo if each[1] != self.resources[each[0]].physical_id and "RemovalPolicy" not in each[2]
        ]
        self._at_once([partial(self._clean_up_one, *each) for each in gone])
        self.replaced.clear()

    def _clean_up_one(
        self, logical_id: str, physical_id: str, asked: Mapping[str, Any], *, cleanup: bool = True
    ) -> None:
        if not any(self._delete(logical_id, physical_id, asked, cleanup=cleanup) for _ in range(3)):
            self.given_up.add(logical_id)

    def _roll_back(self, under_way: Mapping[str, "Sent"], before: Mapping[str, Resource]) -> None:
        self.world.timeline.sleep(self.world.random.uniform(1, 3))
        failed = {each: replace(self.resources[each]) for each in under_way}
        # What is rolled back to is one template: a link that it does not have, or that had failed, goes away.
        stable = [each for each in before if LINK not in each or self._is_stable(each, before)]
        back = [each for each in under_way if each in stable]
        self._update_back([each for each in back if LINK not in each], before, failed)
        for each in back:
            if LINK in each:
                self._update_back([each], before, failed)
        works: list[Callable[[], object]] = []
        for logical_id in [each for each in under_way if LINK not in each]:
            left = failed[logical_id]
            if logical_id not in before:
                works.append(partial(self._delete_made, logical_id))
            elif left.physical_id != self.resources[logical_id].physical_id:
                works.append(partial(self._clean_up_one, logical_id, left.physical_id, left.properties))
                self.replaced.get(logical_id, {}).pop(left.physical_id, None)
        runs = dict.fromkeys(run_of(each) for each in under_way if run_of(each) in before)
        works += [partial(self._drop_links, each, stable) for each in runs]
        self._at_once(works)

    def _delete_made(self, logical_id: str) -> None:
        """Delete what the deployment has made, links first."""
        self._delete_with_links(logical_id)
        self.resources.pop(logical_id)

    def _update_back(self, todo: list[str], before: Mapping[str, Resource], failed: Mapping[str, Resource]) -> None:
        """Update resources back to their properties before the deployment, as often as it takes."""
        for tries in range(PATIENCE + 1):
            back = {
                each: self._send(
                    "Update",
                    each,
                    self._resolved(each, before),
                    self.resources[each].physical_id,
                    failed[each].properties,
                    well=tries == PATIENCE,
                )
                for each in todo
            }
            self._wait_for_all(back)
            for logical_id, sent in back.items():
                self._settle(logical_id, sent, failed=not sent.succeeded)
            todo = [each for each, sent in back.items() if not sent.succeeded]
            if not todo:
                break
        assert not todo, "the stack is stuck in UPDATE_ROLLBACK_FAILED"

    def _is_stable(self, link_id: str, before: Mapping[str, Resource]) -> bool:
        run = before.get(run_of(link_id))
        return (
            run is not None and not before[link_id].failed and link_id in links_of(run_of(link_id), run.properties, "")
        )

    def _resolved(self, logical_id: str, before: Mapping[str, Resource]) -> Mapping[str, Any]:
        """A resource's properties before; a link's with the run that its stack has now."""
        run_id = run_of(logical_id)
        if run_id == logical_id:
            return before[logical_id].properties
        return links_of(run_id, before[run_id].properties, self.resources[run_id].physical_id)[logical_id]

    def _delete(
        self, logical_id: str, physical_id: str, asked: Mapping[str, Any], *, cleanup: bool = False, well: bool = False
    ) -> bool:
        show = self.world.cloudformation.show
        if cleanup:
            named = {"StackId": self.stack_id, "LogicalResourceId": logical_id, "PhysicalResourceId": physical_id}
            fields = {**named, "ResourceType": type_of(asked)}
            sent = self.world.send("Delete", asked, self.delivery(), **fields)
        else:
            sent = self._send("Delete", logical_id, asked, physical_id, well=well)
        self._wait_for_all({logical_id: sent})
        if not cleanup:
            show(self.stack_id, logical_id, f"DELETE_{'COMPLETE' if sent.succeeded else 'FAILED'}", physical_id)
        return sent.succeeded
