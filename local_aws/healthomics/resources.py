"""What the service holds of one kind: by id and by ARN, as it is and as it was, by token, in pages."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, Self, TypeVar

from .account import Account
from .faults import ANSWERS, Kind
from .model import ServiceError, invalid
from .settings import Token

MOST_TAGS: Final = 50
"""A resource's tags: AWS's own limit, which the model does not hold."""
T = TypeVar("T")


@dataclass(slots=True)
class Resource:
    """One resource as the service keeps it."""

    id: str
    uuid: str
    arn: str
    created: float
    request: Mapping[str, Any]
    tags: dict[str, str]
    status: str = ""
    since: float = 0.0
    """When it took this status, by the service's clock."""
    history: list[tuple[float, str, dict[str, str]]] = field(default_factory=list)
    """When it took which status and tags."""

    def at(self, when: float) -> Self | None:
        """The resource as it was; None: it was not there yet."""
        if when >= self.history[-1][0]:
            return self
        past = [each for each in self.history if each[0] <= when]
        return replace(self, status=past[-1][1], tags=past[-1][2], history=past) if past else None

    def remember(self, now: float) -> None:
        """Keep what it is now."""
        self.history.append((now, self.status, self.tags))

    def described(self) -> dict[str, Any]:
        """What Get shows; the model says which of it Start and List show too."""
        return {
            "id": self.id,
            "uuid": self.uuid,
            "arn": self.arn,
            "status": self.status,
            "tags": self.tags,
            "creationTime": datetime.fromtimestamp(self.created, UTC),
        }

    def when(self, *statuses: str) -> datetime | None:
        """When it first took one of the statuses."""
        since = next((since for since, status, _ in self.history if status in statuses), None)
        return None if since is None else datetime.fromtimestamp(since, UTC)


R = TypeVar("R", bound=Resource)


class Resources(Generic[R]):
    """All resources of a kind.

    Args:
        account: what they share.
        kind: as their ARNs name it.
        first_id: of the first one.
    """

    final: frozenset[str] = frozenset()
    """The statuses of what has ended."""

    def __init__(self, account: Account, kind: str, first_id: int) -> None:
        self.account = account
        self.all: list[R] = []
        """Oldest first, deleted ones included."""
        self._kind = kind
        self._by_id: dict[str, R] = {}
        """A deleted one whose id was used again is out of reach."""
        self._tokens: dict[str, tuple[float, R]] = {}
        """The resources themselves: their ids may be a stranger's by now."""
        self._next_id = first_id
        self._reusable: list[str] = []

    def named(self, resource_id: str) -> R:
        """The resource with an id.

        Raises:
            ServiceError: there is none.
        """
        found = self._by_id.get(resource_id)
        if found is None or found.status == "DELETED":
            raise self._missing(resource_id)
        return found

    def by_arn(self, arn: str) -> R | None:
        """The resource with an ARN."""
        found = self._by_id.get(arn.rpartition("/")[2])
        return found if found and found.arn == arn and found.status != "DELETED" else None

    def told(self, resource_id: str, operation: str) -> R:
        """The resource with an id, as Get tells it: late, where the settings say so.

        Raises:
            ServiceError: there is none, or it is not shown yet.
        """
        found = self._by_id.get(resource_id)
        shown = found and found.at(self.account.told_at())
        if shown and shown.status != "DELETED":
            return shown
        if self.account.settings.missing_is_denied:
            raise denied(operation)
        raise self._missing(resource_id)

    def reuse_id(self, resource_id: str) -> None:
        """Give the next resource the id of a deleted one, as HealthOmics does."""
        self._reusable.append(resource_id)

    def holds(self, resource_id: str) -> bool:
        """Whether an id is or was one of these."""
        return resource_id in self._by_id

    def take(self, resource: R, status: str, at: float) -> None:
        """Give a resource a status."""
        resource.status, resource.since = status, at
        resource.remember(at)
        self.account.on_status(resource)

    def identity(self) -> tuple[str, str, str]:
        """The id, uuid and ARN of a new resource."""
        unused = self.new_id()
        new = self._reusable.pop() if self._reusable else unused
        arn = f"arn:aws:omics:{self.account.region}:{self.account.account}:{self._kind}/{new}"
        return new, str(uuid.uuid4()), arn

    def new_id(self) -> str:
        """An id that was never given."""
        self._next_id += 1
        return str(self._next_id - 1)

    def add(self, resource: R) -> None:
        """Hold a new resource."""
        self.all.append(resource)
        self._by_id[resource.id] = resource

    def known(self, token: str) -> R | None:
        """The resource that was started with a token; None: the token is not known, or forgotten.

        Raises:
            ServiceError: it is known, and the settings say that this is a conflict.
        """
        at, found = self._tokens.get(token, (0.0, None))
        remembered = self.account.settings.token_remembered
        if found is None or (remembered is not None and self.account.clock.now() - at >= remembered):
            return None
        if self.account.settings.token_ends_with_run and found.status in self.final:
            return None
        if self.account.settings.token is Token.CONFLICT:
            raise ServiceError("ConflictException", f"A {self._kind} with request ID {token} already exists")
        return found

    def remember_token(self, token: str, resource: R) -> None:
        """Know a token from now on."""
        self._tokens[token] = (self.account.clock.now(), resource)

    def _missing(self, resource_id: str) -> ServiceError:
        kind = f"{self._kind[:1].upper()}{self._kind[1:]}"
        return ServiceError("ResourceNotFoundException", f"{kind} {resource_id} does not exist")


def denied(operation: str) -> ServiceError:
    """The error of who may not do something."""
    code, message = ANSWERS[Kind.ACCESS_DENIED]
    return ServiceError(code, message.format(operation=operation))


def check_number(tags: Mapping[str, str]) -> None:
    """Refuse tags that are too many for one resource.

    Raises:
        ServiceError: they are.
    """
    if len(tags) > MOST_TAGS:
        raise invalid(f"A resource can have at most {MOST_TAGS} tags; this one would have {len(tags)}")


def page(
    operation: str,
    given: Mapping[str, Any],
    most: int,
    source: Sequence[T],
    shown: Callable[[T], dict[str, Any] | None],
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of a list, and the token of the next one: its place in ``source``, so that pages are not read twice.

    Args:
        operation: that is asked for the page.
        given: its parameters, with the token that the page before came with.
        most: how many items a page holds.
        source: what is looked through.
        shown: what the answer shows of one; None: nothing.

    Raises:
        ServiceError: the token is none that the operation gave.
    """
    token = given.get("startingToken", "0")
    if not token.isdecimal():
        raise invalid(f"startingToken {token!r} is none that {operation} gave")
    items: list[dict[str, Any]] = []
    for place in range(int(token), len(source)):
        item = shown(source[place])
        if item is None:
            continue
        if len(items) == most:
            return items, str(place)
        items.append(item)
    return items, None
