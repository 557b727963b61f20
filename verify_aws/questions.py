"""What is asked of AWS: each question, what this project assumes, and where it does; verdicts.py judges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from verify_aws import verdicts
from verify_aws.verdicts import DESCRIBES, FIELDS, LAG, LAG_OF_GET, RIGHT, Observed, Outcome, Verdict, lag, told


@dataclass(frozen=True)
class Question:
    """One thing that AWS does not document, or that nobody could try here."""

    id: str
    asks: str
    assumed: str
    home: str
    """Where the assumption stands."""
    judge: Callable[[Observed], Verdict]

    def verdict(self, observed: Observed) -> Verdict:
        """What follows from an observation; one that failed is no answer."""
        if "error" in observed:
            return Verdict(Outcome.UNANSWERED, str(observed["error"]), "Nothing. Ask again with --only.")
        return self.judge(observed)


_TOKENS: Final = "facts, StartRun; docs/lifecycle.md, What is done"
_LAGS: Final = "docs/lifecycle.md, What is not promised"
QUESTIONS: Final[Mapping[str, Question]] = {
    question.id: question
    for question in (
        Question("lag-get", "How late does GetRun find a new run?", f"{LAG_OF_GET:.0f} s at most", _LAGS,
                 lag(LAG_OF_GET, f"{RIGHT}::TestARunThatIsNotVisibleYet")),
        Question("lag-list", "How late does ListRuns list it?", f"{LAG:.0f} s at most", _LAGS,
                 lag(LAG, "tests/lifecycle/test_overlapping.py")),
        Question("lag-tags", "How late does GetRun tell a tag that was changed?", f"{LAG:.0f} s at most", _LAGS,
                 lag(LAG, "tests/lifecycle/test_overlapping.py")),
        Question("storage-default", "Which storage type has a run that asks for none?", "pages disagree",
                 "constructs/cdk_healthomics/run.py, storage_type", told("storageType")),
        Question("priority", "Which goes first in a run group, priority 1 or 100?", "pages disagree: passed through",
                 "constructs/cdk_healthomics/run.py, priority", verdicts.of_priority),
        Question("token-active", "StartRun with the token of an active run?", "replays it", _TOKENS,
                 verdicts.of_token),
        Question("token-ended", "StartRun with the token of a cancelled run?", "replays it", _TOKENS,
                 verdicts.of_token),
        Question("token-later", "StartRun with its token, minutes after?", "replays it", _TOKENS,
                 verdicts.of_later_token),
        Question("cancel-finished", "How does CancelRun refuse a run that has ended?", "409, 400 or 404",
                 "docs/lifecycle.md, What is done", verdicts.of_cancel),
        Question("rerun-tags", "Does a rerun have the tags of the original?", "it does not",
                 "docs/lifecycle.md; examples/rerun.py", verdicts.of_rerun),
        Question("cancel-condition", "Does aws:ResourceTag limit CancelRun?", "it does",
                 "constructs/cdk_healthomics/permissions.py", verdicts.of_condition),
        Question("role-refused", "How is a role refused that HealthOmics cannot take on?", "its words name the role",
                 "lambda/cdk_healthomics_handler/refusal.py", verdicts.of_refused_role),
        Question("trust-run", "Does HealthOmics take on a role with aws:SourceArn and aws:SourceAccount?", "it does",
                 "constructs/cdk_healthomics/role.py", verdicts.of_trust),
        Question("trust-batch", "Which aws:SourceArn has HealthOmics for a batch's file: run/* or runBatch/*?",
                 "one of them", "constructs/cdk_healthomics/role.py", verdicts.of_batch_trust),
        Question("event-fields", "Which fields has the detail of an event?", ", ".join(sorted(FIELDS)),
                 "constructs/cdk_healthomics/events.py", verdicts.of_fields),
        Question("service-timeout", "Is ServiceTimeout in ResourceProperties?", "it is, as text",
                 "lambda/cdk_healthomics_handler/event.py", verdicts.of_timeout),
        Question("signed", "Does the ResponseURL say when it was signed?", "X-Amz-Date",
                 "docs/adr/0011-who-is-right.md", verdicts.of_signed),
        Question("describe-lag", "How late does DescribeStackResource tell of a Create?", f"{LAG:.0f} s at most", _LAGS,
                 lag(LAG, f"{RIGHT}::TestTwoDeliveriesAtTheSameMoment")),
        Question("describe-quota", "How many calls a second has DescribeStackResource?", f"about {DESCRIBES:.0f}",
                 "docs/adr/0011-who-is-right.md", verdicts.of_describes),
        Question("placeholder", "What is deleted after a Create that nobody answered?", "an id of its own making",
                 "docs/lifecycle.md, What is done", verdicts.of_placeholder),
    )
}  # fmt: skip
