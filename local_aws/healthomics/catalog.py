"""What runs name, such as workflows: made, shown, listed, changed and deleted as botocore's model says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import uuid4

from . import model
from .account import Account
from .model import ServiceError, invalid
from .resources import Resource, check_number, page

_FIRST_ID: Final = 2000000001  # those of stores have ten digits at least
_PAGE: Final = 10
_PAGING: Final = frozenset({"startingToken", "nextToken", "maxResults"})


@dataclass(frozen=True)
class Kind:
    """One kind of them."""

    arn: str
    """Its ARN after the account, of its members."""
    key: tuple[str, ...] = ("id",)
    """The members that name one in a request."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Members that are the same for all of the kind."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """By the member that Create takes, the one by which it is shown."""
    named_in_runs: str | None = None
    """The member of StartRun by whose active runs it cannot be deleted (User Guide)."""


KINDS: Final[Mapping[str, Kind]] = {
    "Workflow": Kind("workflow/{id}", fixed={"type": "PRIVATE"}, aliases={"readmeMarkdown": "readme"}),
    "WorkflowVersion": Kind(
        "workflow/{workflowId}/version/{versionName}",
        ("workflowId", "versionName"),
        {"type": "PRIVATE"},
        {"readmeMarkdown": "readme"},
    ),
    "RunGroup": Kind("runGroup/{id}", named_in_runs="runGroupId"),
    "RunCache": Kind("runCache/{id}", aliases={"cacheS3Location": "cacheS3Uri"}),
    "Configuration": Kind("configuration/{name}", ("name",), named_in_runs="configurationName"),
    "SequenceStore": Kind("sequenceStore/{id}"),
    "ReferenceStore": Kind("referenceStore/{id}"),
}
"""By the model's noun for it."""
assert KINDS.keys() == set(model.NOUNS)  # noqa: S101 - model.py routes what is here


class Catalog:
    """All of them.

    Args:
        account: what they share.
        active: tells the runs that have not ended.
    """

    def __init__(self, account: Account, active: Callable[[], Sequence[Resource]]) -> None:
        self._account = account
        self._active = active
        self._kept: dict[str, dict[str, Resource]] = {noun: {} for noun in KINDS}
        self._tokens: dict[tuple[str, str], Resource] = {}
        self._next_id = _FIRST_ID
        verbs = {"Create": self._create, "Get": self._get, "List": self._list, "Update": self._update}
        verbs["Delete"] = self._delete
        self.operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            model.operation_of(verb, noun): partial(do, noun) for noun in KINDS for verb, do in verbs.items()
        }
        """By the names of the model."""

    def by_arn(self, arn: str) -> Resource | None:
        """The one with an ARN."""
        return next((each for kept in self._kept.values() for each in kept.values() if each.arn == arn), None)

    def _create(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        kind = KINDS[noun]
        token = given.get("requestId") or given.get("clientToken") or str(uuid4())
        known = self._tokens.get((noun, token))
        if known:
            return _described(noun, known)
        if given.get("workflowId") in self._account.settings.unknown_workflows:
            raise ServiceError("ResourceNotFoundException", f"Workflow {given['workflowId']} does not exist")
        tags = dict(given.get("tags", {}))
        check_number(tags)
        members = {**given, "id": str(self._next_id)}
        key = _key(kind, members)
        if key in self._kept[noun]:
            raise ServiceError("ConflictException", f"{noun} {key} already exists")
        self._next_id += 1
        arn = f"arn:aws:omics:{self._account.region}:{self._account.account}:{kind.arn.format_map(members)}"
        now = self._account.clock.now()
        made = Resource(members["id"], str(uuid4()), arn, now, dict(given), tags, "ACTIVE", now)
        made.remember(now)
        self._kept[noun][key] = self._tokens[noun, token] = made
        return _described(noun, made)

    def _delete(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        kind, key = KINDS[noun], _key(KINDS[noun], given)
        self._named(noun, given)
        member = kind.named_in_runs
        using = [run.id for run in self._active() if run.request.get(member) == key] if member else []
        if using:
            message = f"{noun} {key} cannot be deleted while runs use it: {', '.join(using)}"
            raise ServiceError("ConflictException", message)
        del self._kept[noun][key]
        return {}

    def _get(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return _described(noun, self._named(noun, given))

    def _list(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        operation = model.operation_of("List", noun)
        member, shape = model.items_of(operation)
        flat = {**given.get("filter", {}), **given}
        asked = {name: value for name, value in flat.items() if name not in {*_PAGING, "filter"}}
        if other := sorted(asked.keys() - model.members(shape).keys()):
            raise invalid(f"{operation} does not filter by {', '.join(other)} here")

        def shown(each: Resource) -> dict[str, Any] | None:
            told = _described(noun, each)
            if any(told.get(name) != value for name, value in asked.items()):
                return None
            return model.of_shape(shape, told)

        source = list(self._kept[noun].values())
        paging = {"startingToken": given["nextToken"]} if "nextToken" in given else given
        items, after = page(operation, paging, given.get("maxResults", _PAGE), source, shown)
        return {member: items, "nextToken": after}

    def _update(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._named(noun, given)
        found.request = {**found.request, **given}
        return _described(noun, found)

    def _named(self, noun: str, given: Mapping[str, Any]) -> Resource:
        key = _key(KINDS[noun], given)
        found = self._kept[noun].get(key)
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"{noun} {key} does not exist")
        return found


def _key(kind: Kind, members: Mapping[str, Any]) -> str:
    return "/".join(members[name] for name in kind.key)


def _described(noun: str, one: Resource) -> dict[str, Any]:
    """What Get shows; the model says which of it Create and List show too."""
    kind = KINDS[noun]
    asked = {kind.aliases.get(name, name): value for name, value in one.request.items()}
    return {**asked, **kind.fixed, **one.described()}
