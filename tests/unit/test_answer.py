"""The answer's body, the meaning of errors, the pace and CloudFormation's standing: pure."""

import json
import random
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from cdk_healthomics_handler.answer import LONGEST_ANSWER, answer_body
from cdk_healthomics_handler.cloudformation import ROLLING_BACK, Observed, judge
from cdk_healthomics_handler.decision import Standing
from cdk_healthomics_handler.pace import Clock, Pace
from cdk_healthomics_handler.refusal import Refusal, classify, code, words
from tests.events import NOW, new_request

FIELDS = {"Status": "FAILED", "PhysicalResourceId": "1/2", "Data": {"RunOutputUri": "s3://" + "o" * 745}}


def error(code: str, message: str = "words", status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "r-1",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "StartRun",
    )


class TestBody:
    @given(reason=st.text(max_size=6000) | st.text('é𝛂\n"', min_size=3000, max_size=5000))
    def test_it_fits_whatever_the_reason(self, reason: str) -> None:
        body = answer_body(FIELDS, reason)
        assert len(body) <= LONGEST_ANSWER
        kept = json.loads(body)["Reason"]
        assert kept == reason or reason.startswith(kept.removesuffix("..."))

    def test_a_long_reason_keeps_as_much_of_its_beginning_as_fits(self) -> None:
        body = answer_body(FIELDS, "a" * 9000)
        assert len(body) == LONGEST_ANSWER

    def test_a_short_reason_is_whole(self) -> None:
        assert json.loads(answer_body(FIELDS, "no"))["Reason"] == "no"


class TestRefusal:
    @pytest.mark.parametrize(
        ("raised", "refusal"),
        [
            (error("ThrottlingException", status=429), Refusal.NOT_YET),
            (error("AccessDeniedException", status=403), Refusal.NOT_YET),
            (error("ValidationException", "The role cannot be assumed by HealthOmics"), Refusal.NOT_YET),
            (error("InternalServerException", status=500), Refusal.UNCERTAIN),
            (error("RequestTimeoutException", status=408), Refusal.UNCERTAIN),
            (error("503", status=503), Refusal.UNCERTAIN),
            (EndpointConnectionError(endpoint_url="https://127.0.0.1"), Refusal.UNCERTAIN),
            (ReadTimeoutError(endpoint_url="https://127.0.0.1"), Refusal.UNCERTAIN),
            (error("ConflictException", status=409), Refusal.CONFLICT),
            (error("ResourceNotFoundException", status=404), Refusal.GONE),
            (error("ValidationException"), Refusal.FINAL),
            (error("ServiceQuotaExceededException", status=402), Refusal.FINAL),
            (NoCredentialsError(), Refusal.FINAL),
        ],
        ids=lambda value: value.name if isinstance(value, Refusal) else code(value),
    )
    def test_errors_are_told_apart(self, raised: ClientError, refusal: Refusal) -> None:
        assert classify(raised) is refusal

    def test_a_person_reads_the_services_own_words(self) -> None:
        raised = error("ValidationException", "workflow 1 does not exist")
        assert words(raised) == (
            "StartRun was refused: ValidationException: workflow 1 does not exist (AWS request r-1)"
        )


class TestPace:
    def test_the_time_ends_with_the_function_or_the_service_timeout_whichever_is_first(self) -> None:
        def ends(remaining: float, service_timeout: float) -> float:
            clock = Clock.of(Pace(), remaining=remaining, service_timeout=service_timeout, sent_at=None)
            return clock.ends - clock.started

        assert ends(900, 3600) == pytest.approx(880)
        assert ends(900, 300) == pytest.approx(280)
        assert ends(900, 10) == pytest.approx(8)
        assert ends(5, 3600) == 0

    def test_a_request_is_late_after_the_grace_and_where_its_age_is_unknown(self) -> None:
        def late(age: float | None) -> bool:
            sent_at = None if age is None else NOW
            return Clock(Pace(), 0, 0, sent_at, now=lambda: NOW + timedelta(seconds=age or 0)).late

        assert [late(0), late(9.9), late(10.1), late(None), late(-5)] == [False, False, True, True, False]

    def test_a_look_that_is_followed_by_another_in_time_never_takes_itself_for_the_last(self) -> None:
        pace = Pace()
        early = Clock.of(
            pace, remaining=900, service_timeout=pace.next_look + pace.reserve + 60, sent_at=None, look=True
        )
        last = Clock.of(pace, remaining=900, service_timeout=pace.next_look, sent_at=None, look=True)
        assert (early.closing, last.closing) == (False, True)
        assert early.ends - early.started <= pace.look
        assert last.ends - last.started > pace.look
        early.monotonic = lambda: early.started + 3600
        assert not early.closing

    def test_waiting_never_passes_the_end(self) -> None:
        slept: list[float] = []
        clock = Clock(Pace(), started=0, ends=3, sent_at=None, monotonic=lambda: sum(slept), sleep=slept.append)
        assert clock.wait(2)
        assert not clock.wait(5)
        assert slept == [2, 1]

    def test_pauses_grow_and_have_jitter(self) -> None:
        random.seed(1)
        early = [Pace().pause(0) for _ in range(200)]
        later = [Pace().pause(600) for _ in range(200)]
        assert 0.3 < min(early) < max(early) < 1.1
        assert 2.4 < min(later) < max(later) < 7.6
        assert len(set(early)) > 100


class TestStanding:
    @pytest.mark.parametrize(
        ("status", "since", "standing"),
        [
            ("CREATE_IN_PROGRESS", 0, Standing.CURRENT),
            ("CREATE_IN_PROGRESS", 30, Standing.CURRENT),
            ("CREATE_IN_PROGRESS", 300, Standing.OVERTAKEN),
            ("CREATE_FAILED", 5, Standing.OVERTAKEN),
            ("CREATE_COMPLETE", 5, Standing.OVERTAKEN),
            ("DELETE_IN_PROGRESS", 5, Standing.OVERTAKEN),
            ("DELETE_COMPLETE", None, Standing.OVERTAKEN),
        ],
    )
    def test_a_create(self, status: str, since: float | None, standing: Standing) -> None:
        when = None if since is None else NOW + timedelta(seconds=since)
        assert judge(new_request(), Observed(status, when, ""), None, late=True) is standing

    @pytest.mark.parametrize(
        ("phase", "stack_status", "standing"),
        [
            ("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", Standing.CURRENT),
            ("UPDATE_IN_PROGRESS", ROLLING_BACK, Standing.OVERTAKEN),
            (ROLLING_BACK, ROLLING_BACK, Standing.CURRENT),
            ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", Standing.OVERTAKEN),
        ],
    )
    def test_an_update_belongs_to_the_phase_in_which_it_began(
        self, phase: str, stack_status: str, standing: Standing
    ) -> None:
        observed = Observed("UPDATE_IN_PROGRESS", NOW, stack_status)
        assert judge(new_request("Update"), observed, phase, late=False) is standing

    @pytest.mark.parametrize(
        ("stack_status", "since", "standing"),
        [
            ("UPDATE_IN_PROGRESS", 1, Standing.CURRENT),
            ("UPDATE_IN_PROGRESS", 30, Standing.CURRENT),
            ("UPDATE_IN_PROGRESS", 300, Standing.OVERTAKEN),
            (ROLLING_BACK, 1, Standing.CURRENT),
            (ROLLING_BACK, 30, Standing.OVERTAKEN),
        ],
    )
    def test_a_late_update_goes_by_when_the_status_was_set(
        self, stack_status: str, since: float, standing: Standing
    ) -> None:
        observed = Observed("UPDATE_IN_PROGRESS", NOW + timedelta(seconds=since), stack_status)
        assert judge(new_request("Update"), observed, None, late=True) is standing

    @pytest.mark.parametrize(
        ("status", "standing"),
        [
            ("DELETE_IN_PROGRESS", Standing.CURRENT),
            ("DELETE_COMPLETE", Standing.CURRENT),
            ("DELETE_FAILED", Standing.CURRENT),
            ("CREATE_FAILED", Standing.CURRENT),
            ("CREATE_IN_PROGRESS", Standing.OVERTAKEN),
            ("CREATE_COMPLETE", Standing.OVERTAKEN),
        ],
    )
    def test_a_delete_is_overtaken_only_by_a_resource_that_lives_again(self, status: str, standing: Standing) -> None:
        assert judge(new_request("Delete"), Observed(status, NOW, ""), None, late=True) is standing
