"""What is missing is told from what is late, and within a minute: pure."""

from unittest.mock import patch

import pytest
import urllib3
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, ReadTimeoutError

from cdk_healthomics_handler import answer, clients
from cdk_healthomics_handler.actions import Action, AskCloudFormation, Read, Release, Schedule, Start, Tag, Unschedule
from cdk_healthomics_handler.event import PhysicalId
from cdk_healthomics_handler.pace import Pace
from cdk_healthomics_handler.reach import Reach
from cdk_healthomics_handler.refusal import Refusal
from tests.events import new_run

MINUTE = 60.0
ADDRESSES = 8
"""S3 answers a look-up of its name with up to so many, the most of the services that the function uses."""
ACTIONS = [
    Start("", {}),
    Read("", PhysicalId("1", "a")),
    AskCloudFormation(""),
    Schedule("", new_run()),
    Unschedule(""),
    Tag("", new_run(), {}),
    Release("", new_run()),
]


def missing(reach: Reach, action: Action, refusal: Refusal, now: float) -> bool:
    return reach.is_missing(action, refusal, began=now - 1, now=now)


def tried(*actions: Action, refusal: Refusal) -> Reach:
    """A patience of ten seconds, and a first try that began at 0."""
    reach = Reach(10)
    for action in actions:
        assert not missing(reach, action, refusal, 1)
    return reach


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
class TestIsMissing:
    @pytest.mark.parametrize("refusal", [Refusal.UNREACHABLE, Refusal.SILENT])
    def test_what_cannot_be_reached_or_never_answers(self, action: Action, refusal: Refusal) -> None:
        reach = tried(action, refusal=refusal)
        assert [missing(reach, action, refusal, now) for now in (10, 10.1)] == [False, True]

    def test_not_what_was_done_meanwhile(self, action: Action) -> None:
        reach = tried(action, refusal=Refusal.UNREACHABLE)
        reach.did(action)
        assert not missing(reach, action, Refusal.UNREACHABLE, 900)

    def test_not_a_host_that_has_answered_once_and_is_slow(self, action: Action) -> None:
        reach = tried(action, refusal=Refusal.SILENT)
        reach.heard(action)
        assert not missing(reach, action, Refusal.SILENT, 900)
        assert missing(reach, action, Refusal.UNREACHABLE, 900)

    @pytest.mark.parametrize("refusal", [Refusal.THROTTLED, Refusal.UNCERTAIN, Refusal.CONFLICT])
    def test_not_what_was_answered_otherwise(self, action: Action, refusal: Refusal) -> None:
        assert not missing(tried(action, refusal=refusal), action, refusal, 900)

    def test_a_permission_but_healthomics_whose_roles_may_be_new(self, action: Action) -> None:
        elsewhere = isinstance(action, (AskCloudFormation, Schedule, Unschedule))
        assert missing(tried(action, refusal=Refusal.NOT_YET), action, Refusal.NOT_YET, 900) is elsewhere


def test_one_host_says_nothing_about_another() -> None:
    start, read, *others = ACTIONS
    reach = tried(start, *others, refusal=Refusal.SILENT)
    reach.heard(start)
    assert not missing(reach, read, Refusal.SILENT, 900)
    assert all(missing(reach, action, Refusal.SILENT, 900) for action in others)


def test_different_calls_of_one_host_share_its_minute() -> None:
    start, read, *_ = ACTIONS
    assert missing(tried(start, refusal=Refusal.SILENT), read, Refusal.SILENT, 10.1)


def test_the_last_try_of_a_call_ends_within_a_minute() -> None:
    config, pace = vars(clients.CONFIG), Pace()
    assert config["retries"]["total_max_attempts"] == 1
    longest_try = max(config["connect_timeout"] * ADDRESSES, config["connect_timeout"] + config["read_timeout"])
    longest_pause = pace.slowest * 1.5
    assert pace.reachable + longest_pause + longest_try <= MINUTE


@pytest.mark.parametrize("connects", [True, False])
def test_the_last_try_of_the_answer_ends_within_a_minute(*, connects: bool) -> None:
    connect, read = (float(str(seconds)) for seconds in (answer.TIMEOUT.connect_timeout, answer.TIMEOUT.read_timeout))
    pool = urllib3.HTTPConnectionPool("127.0.0.1")
    error = ReadTimeoutError(pool, "/", "") if connects else ConnectTimeoutError(pool, "")
    one_try = connect + read if connects else connect * ADDRESSES
    retries, seconds = answer.RETRIES, 0.0
    with patch("urllib3.util.retry.random.random", return_value=1.0):
        while True:
            seconds += one_try
            try:
                retries = retries.increment("PUT", "/", error=error)
            except MaxRetryError:
                break
            seconds += retries.get_backoff_time()
    assert MINUTE / 2 < seconds <= MINUTE
