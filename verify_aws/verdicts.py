"""What follows from what was seen of AWS: one pure function for each kind of question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Observed = Mapping[str, Any]
FAULTS: Final = "tests/lifecycle/test_faults.py"
RIGHT: Final = "tests/lifecycle/test_who_is_right.py"
STRANGERS: Final = f"{RIGHT}::TestStrangers"
LAG: Final = 5.0
"""Seconds that an answer may be old (docs/lifecycle.md, "What is not promised")."""
LAG_OF_GET: Final = 10.0
"""Likewise, of a run that GetRun does not find."""
DESCRIBES: Final = 10.0
"""Calls of DescribeStackResource a second, as assumed."""
FIELDS: Final = frozenset(("arn", "status", "uuid", "runId", "runName", "runOutputUri", "workflowId", "workflowName"))
"""Of the detail of "Run Status Change" (User Guide, EventBridge)."""
_NEEDED: Final = frozenset(("status", "runName", "runId"))
"""Of those, what the rules and their targets match and read."""


class Outcome(StrEnum):
    """How an answer stands to what was assumed."""

    AS_ASSUMED = "as assumed"
    SURVIVED = "otherwise, and survived"
    NOT_SURVIVED = "otherwise: please report"
    UNANSWERED = "no answer"


@dataclass(frozen=True)
class Verdict:
    """What was seen, and what follows."""

    outcome: Outcome
    seen: str
    follows: str
    held_by: Sequence[str] = ()
    """Tests that hold what the handler does then."""


def of_token(observed: Observed) -> Verdict:
    """A requestId that StartRun has seen."""
    answer, held = observed["answer"], (f"{FAULTS}::TestTheEventArrivesTwice", f"{FAULTS}::TestTheFunctionIsKilled")
    if answer == "replayed":
        return Verdict(Outcome.AS_ASSUMED, "StartRun answers with the earlier run", "One call is enough.", held)
    if answer == "ConflictException":
        return Verdict(Outcome.SURVIVED, "ConflictException", "The run is found by its tags: slower by a search.", held)
    if answer == "new run":
        return Verdict(
            Outcome.SURVIVED,
            "the token is forgotten: StartRun started another run",
            "The run is looked for before each further StartRun; two deliveries within ten seconds may start two.",
            held,
        )
    return Verdict(Outcome.NOT_SURVIVED, str(answer), "The handler takes this for a refusal of the run itself.")


def of_later_token(observed: Observed) -> Verdict:
    """The same, at several times after the run has ended."""
    looks: list[tuple[float, str]] = [(after, answer) for after, answer in observed["looks"]]
    changed = next((each for each in looks if each[1] != looks[0][1]), None)
    last = of_token({"answer": looks[-1][1]})
    told = f"{looks[-1][0]:.0f} s after the first StartRun: {last.seen}"
    if changed:
        told = f"until {looks[looks.index(changed) - 1][0]:.0f} s as before; {told}"
    return Verdict(last.outcome, told, last.follows, last.held_by)


def of_cancel(observed: Observed) -> Verdict:
    """CancelRun of a run that has ended."""
    answer, held = observed["answer"], (f"{FAULTS}::TestCancellingAFinishedRun",)
    if answer in {"ConflictException", "ValidationException", "ResourceNotFoundException"}:
        return Verdict(Outcome.AS_ASSUMED, str(answer), "The run's status decides, not the code.", held)
    if answer == "accepted":
        return Verdict(Outcome.SURVIVED, "CancelRun is accepted", "The run's status is read after it.", held)
    return Verdict(Outcome.NOT_SURVIVED, str(answer), "A Delete may try again until its time is over.")


def lag(limit: float, held_by: str) -> Callable[[Observed], Verdict]:
    """How late an answer is, against what the handler waits for."""

    def judge(observed: Observed) -> Verdict:
        seconds = observed["lag"]
        if seconds is None:
            seen = f"not shown within {observed['waited']:.0f} s"
            return Verdict(Outcome.NOT_SURVIVED, seen, f"Longer than the {limit:.0f} s that are waited for.")
        seen = f"shown after {seconds:.1f} s"
        if seconds <= limit:
            return Verdict(Outcome.AS_ASSUMED, seen, f"Within the {limit:.0f} s that are waited for.", (held_by,))
        return Verdict(Outcome.NOT_SURVIVED, seen, f"Longer than the {limit:.0f} s that are waited for.")

    return judge


def of_describes(observed: Observed) -> Verdict:
    """How many looks at a resource the account has."""
    rate, held = observed["calls"] / observed["seconds"], (f"{RIGHT}::TestCreatesInACrowd",)
    if not observed["throttled"]:
        seen = f"{rate:.0f} calls a second, none throttled"
        return Verdict(Outcome.AS_ASSUMED, seen, "The quota is above what was assumed.", held)
    seen = f"{rate:.0f} calls a second were answered, {observed['throttled']} throttled ({observed['code']})"
    outcome = Outcome.AS_ASSUMED if rate >= DESCRIBES / 2 else Outcome.SURVIVED
    follows = "A look that is throttled is taken again." if rate >= DESCRIBES / 2 else "Looks take longer than thought."
    return Verdict(outcome, seen, follows, held)


def of_placeholder(observed: Observed) -> Verdict:
    """The Delete after a Create that was never answered."""
    made_up = observed["physicalId"]
    held = (f"{FAULTS}::TestTheCreateHasNoId",)  # with each kind of id
    if not observed["deleted"]:
        return Verdict(Outcome.NOT_SURVIVED, "no Delete came", "A run that such a Create has started stays active.")
    if not made_up:
        return Verdict(Outcome.NOT_SURVIVED, "a Delete without PhysicalResourceId", "The handler reads that field.")
    if "/" in made_up or made_up.startswith(("none-", "unsettled-")):
        return Verdict(Outcome.NOT_SURVIVED, f"a Delete of {made_up!r}", "It looks like an id of the handler's own.")
    return Verdict(Outcome.AS_ASSUMED, f"a Delete of {made_up!r}", "Every older run of the resource is swept.", held)


def of_timeout(observed: Observed) -> Verdict:
    """ServiceTimeout among the properties that the function gets."""
    value = observed["serviceTimeout"]
    if value is None:
        return Verdict(
            Outcome.NOT_SURVIVED, "it is not in ResourceProperties", "The handler would think that it has an hour."
        )
    if value != observed["asked"]:
        return Verdict(
            Outcome.NOT_SURVIVED, f"{value!r} for {observed['asked']!r}", "The handler takes it for seconds."
        )
    return Verdict(Outcome.AS_ASSUMED, f"it is there, as {value!r}", "The handler ends before CloudFormation does.")


def of_signed(observed: Observed) -> Verdict:
    """When the ResponseURL was signed."""
    names, held = ", ".join(observed["urlNames"]), (f"{FAULTS}::TestTheEventArrivesTwice",)
    if observed["signed"]:
        return Verdict(Outcome.AS_ASSUMED, f"X-Amz-Date among {names}", "Requests are ordered by it.", held)
    follows = "Requests are ordered by when they were first heard of, and late ones ask CloudFormation."
    return Verdict(Outcome.SURVIVED, f"no X-Amz-Date; there are: {names or 'none'}", follows, held)


def of_trust(observed: Observed) -> Verdict:
    """A role whose trust policy has conditions."""
    if observed["refused"]:
        follows = "The role that the construct makes must lose the condition: constructs/cdk_healthomics/role.py."
        return Verdict(Outcome.NOT_SURVIVED, f"refused: {observed['refused']}", follows)
    seen = f"taken on; the run was {observed['status']}"
    return Verdict(Outcome.AS_ASSUMED, seen, "The conditions stay.", ("tests/synth/test_security.py",))


def of_batch_trust(observed: Observed) -> Verdict:
    """Which source HealthOmics names when it reads a batch's settings."""
    run, batch = observed["run"], observed["runBatch"]
    seen = f"run/*: {run or 'taken on'}; runBatch/*: {batch or 'taken on'}"
    if run and batch:
        return Verdict(Outcome.NOT_SURVIVED, seen, "Neither is enough alone: batches may need another condition.")
    needed = "Either" if not (run or batch) else "runBatch/*" if run else "run/*"
    return Verdict(
        Outcome.AS_ASSUMED, seen, f"{needed} would do; a made role allows both.", ("tests/synth/test_security.py",)
    )


def of_condition(observed: Observed) -> Verdict:
    """CancelRun where a policy asks for a tag."""
    tagged, untagged = observed["tagged"], observed["untagged"]
    seen = f"with the tag: {tagged}; without: {untagged}"
    if tagged != "accepted":
        return Verdict(Outcome.NOT_SURVIVED, seen, "The function could cancel no run: permissions.py must change.")
    if untagged == "accepted":
        return Verdict(Outcome.SURVIVED, seen, "The condition limits nothing: tags in the handler do.", (STRANGERS,))
    return Verdict(Outcome.AS_ASSUMED, seen, "The function can cancel this stack's runs only.", (STRANGERS,))


def of_fields(observed: Observed) -> Verdict:
    """The fields of an event's detail."""
    if not observed["events"]:
        return Verdict(Outcome.UNANSWERED, "no event came", "Events are best effort; waiting does not rest on them.")
    fields = set(observed["fields"])
    missing, more = sorted(FIELDS - fields), sorted(fields - FIELDS)
    seen = f"{', '.join(sorted(fields))}; missing: {', '.join(missing) or 'none'}; more: {', '.join(more) or 'none'}"
    if _NEEDED - fields:
        return Verdict(Outcome.NOT_SURVIVED, seen, "The rules of on_status_change would match nothing.")
    outcome = Outcome.SURVIVED if missing else Outcome.AS_ASSUMED
    return Verdict(outcome, seen, "The rules match by name and status.", ("tests/synth/test_events.py",))


def of_rerun(observed: Observed) -> Verdict:
    """The tags of a run that was started from another."""
    tags, held = observed["tags"], (STRANGERS,)
    if not tags:
        return Verdict(Outcome.AS_ASSUMED, "a rerun has only the tags that it is given", "Nothing.", held)
    seen = f"a rerun has the original's tags: {', '.join(sorted(tags))}"
    return Verdict(Outcome.SURVIVED, seen, "The handler gives all of its own, so that none is the original's.", held)


def told(member: str) -> Callable[[Observed], Verdict]:
    """A default that the construct leaves to AWS: nothing rests on it."""

    def judge(observed: Observed) -> Verdict:
        value = observed[member]
        if value is None:
            return Verdict(Outcome.UNANSWERED, "GetRun does not tell", "Nothing rests on it.")
        return Verdict(Outcome.AS_ASSUMED, str(value), "Nothing rests on it; the documentation may say it.")

    return judge


def of_priority(observed: Observed) -> Verdict:
    """Which of two waiting runs of a run group goes first."""
    first = observed["first"]
    if len(first) > 1:
        return Verdict(Outcome.UNANSWERED, "both between two looks", "Nothing rests on it.")
    return Verdict(Outcome.AS_ASSUMED, f"priority {first[0]} before {101 - first[0]}", "Nothing rests on it.")


def of_refused_role(observed: Observed) -> Verdict:
    """How StartRun refuses a role that it cannot take on."""
    seen, held = f"{observed['code']}: {observed['message']}", (f"{FAULTS}::TestTheServiceFails",)
    if observed["code"] == "accepted":
        seen = "StartRun accepts it; the run fails later"
        return Verdict(Outcome.SURVIVED, seen, "Nothing is tried again: the run's own failure tells.", held)
    if observed["again"]:
        return Verdict(Outcome.AS_ASSUMED, seen, "It is tried again: a new role may not be there yet.", held)
    return Verdict(Outcome.NOT_SURVIVED, seen, "A role made seconds ago fails the deployment: refusal.py.")
