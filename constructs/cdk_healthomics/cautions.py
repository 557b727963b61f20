"""What HealthOmics takes, but a user may not have meant: warnings, told when the app is synthesized."""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from aws_cdk import Annotations, Reference, Stack, Tokenization, aws_iam

from cdk_healthomics import kind, messages, model
from cdk_healthomics.tokens import is_token, is_unknown
from cdk_healthomics_handler.names import WaitFor
from constructs import Construct

_PREFIX: Final = "cdk-healthomics:"
_NAMED: Final[WeakKeyDictionary[Stack, list["Named"]]] = WeakKeyDictionary()


def warn(scope: Construct, subject: str, text: str) -> None:
    """Warn once of a subject; ``Annotations.of(…).acknowledge_warning("cdk-healthomics:<subject>")`` silences it."""
    Annotations.of(scope).add_warning_v2(f"{_PREFIX}{subject}", text)


def of_run(run: Construct, arguments: Mapping[str, Any]) -> None:
    """Warn of what a run was given."""
    # That other changes replace a run cannot be seen here; the README tells.
    if arguments.get("output_uri_prefix_mode") == "NONE_WITH_OVERWRITE" and "rerun_trigger" in arguments:
        warn(
            run,
            "outputUriPrefixMode",
            "output_uri_prefix_mode was NONE_WITH_OVERWRITE beside rerun_trigger: a change of that starts the new run "
            "before the old one is cancelled, and until then both write to output_uri; change output_uri with it",
        )
    for argument in _groups_of_one(arguments):
        warn(
            run,
            "runGroup",
            f"{argument} names a run group with max_runs 1, and wait_for was {arguments['wait_for']}: where a change "
            f"replaces the {kind.of(run).handled.noun}, the new one waits in the group for the old one, which is "
            "cancelled after it, until timeout is over; allow 2 runs at once, or leave wait_for out",
        )


def of_settings(run: Construct, text: str | None) -> None:
    """Warn of settings that the run's workflow has no use for."""
    if text:
        warn(run, "engineSettings", text)


def of_settings_file(batch: Construct, role: aws_iam.IRole, needed: object) -> None:
    """Warn of a role that cannot be made to read the settings of a batch's runs."""
    warn(
        batch,
        "runSettings",
        f"role {role.node.id} takes no statements: HealthOmics refuses the batch unless its policies allow "
        f"{messages.policy(needed)}",
    )


@dataclass(eq=False)
class Named:
    """A run that was given a name, by which its rules hear of other runs too."""

    run: Construct
    argument: str
    name: str
    workflow_id: str | None
    stack: InitVar[Stack]
    others: list["Named"] = field(init=False)
    heard_of: bool = False
    """Whether a rule matches its name."""

    def __post_init__(self, stack: Stack) -> None:
        """Know the others of the stack."""
        self.others = _NAMED.setdefault(stack, [])
        self.others.append(self)
        for each in self.others:
            if each.heard_of:
                each.warn_of_same()

    def hear(self) -> None:
        """There is a rule."""
        if not self.heard_of:
            self.heard_of = True
            self.warn_of_same()
            noun = kind.of(self.run).handled.noun
            warn(
                self.run,
                "name",
                f"{self.argument} was {self.name!r}: events tell names, so on_… hears of every {noun} of this name and "
                f"workflow in the account and region; leave {self.argument} out, and the {noun} is named after its "
                "stack and resource",
            )

    def warn_of_same(self) -> None:
        """Warn of the last other run of the name."""
        same = [each.run.node.path for each in self.others if each is not self and self._matches(each)]
        if same:
            warn(
                self.run,
                "sameName",
                f"{self.argument} was {self.name!r}, as that of the {kind.of(self.run).handled.noun} at {same[-1]}: "
                f"events tell names, so on_… hears of both; give each a name of its own, or leave {self.argument} out",
            )

    def _matches(self, other: "Named") -> bool:
        if kind.of(other.run) is not kind.of(self.run):
            return False
        return other.name == self.name and (self.workflow_id is None or other.workflow_id in {None, self.workflow_id})


def of_stack(provider: Construct) -> None:
    """Warn of a region that is known not to have HealthOmics."""
    region = Stack.of(provider).region
    if not is_unknown(region) and region not in model.regions():
        warn(
            provider,
            "region",
            f"the stack's region was {region}: the installed botocore knows AWS HealthOmics in "
            f"{', '.join(model.regions())} only; where that is so, no run can be started",
        )


def _groups_of_one(arguments: Mapping[str, Any]) -> Iterator[str]:
    """The argument that names a run group of the app which lets one run at a time run."""
    if arguments.get("wait_for", WaitFor.SUBMITTED) == WaitFor.SUBMITTED:
        return
    for argument in ("run_group", "run_group_id"):
        if argument in arguments and getattr(_target(arguments[argument]), "max_runs", None) == 1:
            yield argument


def _target(value: Any) -> Any:
    """The construct behind a reference to it."""
    if not isinstance(value, str) or not is_token(value):
        return value
    token = Tokenization.reverse_string(value).first_token
    return getattr(token, "target", None) if Reference.is_reference(token) else None
