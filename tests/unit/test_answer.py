"""The answer's body, the meaning of errors, the pace and what CloudFormation tells: pure."""

import json
import random
from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from cdk_healthomics_handler.answer import LONGEST_ANSWER, answer_body
from cdk_healthomics_handler.pace import Clock, Pace, quota_of
from cdk_healthomics_handler.refusal import Refusal, classify, code, words
from cdk_healthomics_handler.standing import Observed
from tests.events import NOW, new_request, new_run

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

    def test_a_uri_outside_ascii_fits(self) -> None:
        fields = {**FIELDS, "Data": {"RunOutputUri": "s3://" + "é" * 745, "RunUuid": "u" * 36}}
        assert len(answer_body(fields, "why " * 500)) <= LONGEST_ANSWER

    def test_a_short_reason_is_whole(self) -> None:
        assert json.loads(answer_body(FIELDS, "no"))["Reason"] == "no"


class TestRefusal:
    @pytest.mark.parametrize(
        ("raised", "refusal"),
        [
            (error("ThrottlingException", status=429), Refusal.THROTTLED),
            (error("AccessDeniedException", status=403), Refusal.NOT_YET),
            (error("ValidationException", "The role cannot be assumed by HealthOmics"), Refusal.NOT_YET),
            (error("InternalServerException", status=500), Refusal.UNCERTAIN),
            (error("RequestTimeoutException", status=408), Refusal.UNCERTAIN),
            (error("503", status=503), Refusal.UNCERTAIN),
            (EndpointConnectionError(endpoint_url="https://127.0.0.1"), Refusal.UNREACHABLE),
            (ReadTimeoutError(endpoint_url="https://127.0.0.1"), Refusal.SILENT),
            (ConnectionClosedError(endpoint_url="https://127.0.0.1"), Refusal.UNCERTAIN),
            (error("ConflictException", status=409), Refusal.CONFLICT),
            (error("ResourceNotFoundException", status=404), Refusal.GONE),
            (error("ValidationException"), Refusal.FINAL),
            (error("ValidationException", "Unknown parameter assume_sorted for the role of this input"), Refusal.FINAL),
            (error("ValidationException", "Parameter assumed_ploidy: 2 is no role"), Refusal.FINAL),
            (error("ServiceQuotaExceededException", status=402), Refusal.FINAL),
            (NoCredentialsError(), Refusal.FINAL),
        ],
        ids=lambda value: value.name if isinstance(value, Refusal) else code(value),
    )
    def test_errors_are_told_apart(self, raised: ClientError, refusal: Refusal) -> None:
        assert classify(raised) is refusal

    @pytest.mark.parametrize(
        ("message", "refusal"),
        [
            ("with an explicit deny in a service control policy", Refusal.DENIED),
            ("with an explicit deny in a permissions boundary", Refusal.DENIED),
            ("because no permissions boundary allows the omics:StartRun action", Refusal.DENIED),
            ("because no VPC endpoint policy allows the omics:StartRun action", Refusal.DENIED),
            ("because no identity-based policy allows the omics:StartRun action", Refusal.NOT_YET),
            ("", Refusal.NOT_YET),
        ],
    )
    def test_what_an_organisation_forbids_is_told_from_a_permission_that_is_on_its_way(
        self, message: str, refusal: Refusal
    ) -> None:
        words = f"User: arn:aws:sts::1:assumed-role/p/f is not authorized to perform: omics:StartRun {message}"
        assert classify(error("AccessDeniedException", words, 403)) is refusal

    def test_what_botocore_refuses_is_named_without_its_value(self) -> None:
        report = (
            "Invalid type for parameter tags.patient, value: Jane Roe, type: <class 'int'>, valid types: str\n"
            "Invalid length for parameter sessionPolicy, value: topsecret, valid max length: 2048\n"
            'Unknown parameter in input: "telescope", must be one of: a, b'
        )
        told = words(ParamValidationError(report=report))
        assert told == (
            "StartRun was not sent: sessionPolicy, tags, telescope: not as botocore's model of the API allows "
            "(ParamValidationError)."
        )

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
        clock.wait(2)
        clock.wait(5)
        assert slept == [2, 1]

    def test_pauses_grow_and_have_jitter(self) -> None:
        random.seed(1)
        early = [Pace().pause(1) for _ in range(200)]
        later = [Pace().pause(30) for _ in range(200)]
        assert 0.3 < min(early) < max(early) < 1.1
        assert 2.4 < min(later) < max(later) < 7.6
        assert len(set(early)) > 100

    def test_a_turn_is_as_far_away_as_others_can_be_ahead(self) -> None:
        random.seed(1)

        def longest(refusals: int, runs: int, age: float, operation: str = "StartRun") -> float:
            return max(Pace().turn(refusals, operation, runs, age) for _ in range(300))

        assert longest(1, runs=1, age=0) < 7, "a lone run hardly waits"
        assert longest(1, runs=200, age=0) < 28, "nor does a lone update in a large stack"
        assert 80 < longest(2, runs=200, age=0) < 105
        assert 140 < longest(3, runs=200, age=0) < 172
        assert longest(5, runs=200, age=180) < 35, "the others have been served by then"
        assert longest(3, runs=200, age=0, operation="GetRun") < 18, "ten calls a second"

    def test_turns_are_taken_at_the_same_moments_by_all(self) -> None:
        pace = Pace()
        moments = {round((now + pace.until_slot("StartRun", now)) / pace.slot, 6) for now in (1000.0, 1000.2, 1000.5)}
        assert len(moments) == 1
        assert moments.pop() % 1 == 0

    def test_the_quota_of_start_run_is_as_the_function_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert quota_of("StartRun") == 1.0
        monkeypatch.setenv("CDK_HEALTHOMICS_START_RATE", "10")
        assert [quota_of(name) for name in ("StartRun", "TagResource", "GetRun")] == [10.0, 5.0, 10.0]

    def test_polls_of_many_share_get_runs_quota(self) -> None:
        assert [Pace().poll_pause(number, runs=1, stopping=True) for number in (1, 2, 9)] == [2.0, 2.0, 2.0]
        assert [round(Pace().poll_pause(number, runs=200, stopping=True)) for number in (1, 3, 20)] == [2, 4, 40]

    def test_inside_the_function_a_run_that_is_waited_for_is_looked_at_ever_less_often(self) -> None:
        assert [round(Pace().poll_pause(number, runs=1, stopping=False)) for number in (1, 3, 9)] == [2, 4, 15]

    def test_looks_of_many_runs_at_one_moment_use_half_of_get_runs_quota(self) -> None:
        began = NOW.timestamp()
        looks = sorted(Pace().spread(began + number / 2, runs=100, rate=2.0) for number in range(100))
        assert looks[0] >= 0
        assert looks[-1] < 55
        assert max(sum(at <= each < at + 10 for each in looks) for at in range(55)) <= 50
        assert Pace().spread(began, runs=1, rate=2.0) == 0

    def test_to_stop_a_run_is_late_only_when_the_function_ends(self) -> None:
        clock = Clock(Pace(), 0, 0, NOW, monotonic=lambda: 0.0, now=lambda: NOW + timedelta(hours=2))
        clock.start(remaining=900, service_timeout=3600)
        assert (clock.over, clock.dead) == (True, False)


class TestWhatCloudFormationTells:
    OWN = new_run()

    @pytest.mark.parametrize(
        ("status", "since", "overtaken"),
        [
            ("CREATE_IN_PROGRESS", 0, False),
            ("CREATE_IN_PROGRESS", 15, False),
            ("CREATE_IN_PROGRESS", 300, True),
            ("CREATE_FAILED", 5, True),
            ("CREATE_COMPLETE", 5, True),
            ("DELETE_IN_PROGRESS", 5, True),
            ("DELETE_COMPLETE", None, True),
        ],
    )
    def test_a_create(self, status: str, since: float | None, *, overtaken: bool) -> None:
        when = None if since is None else NOW + timedelta(seconds=since)
        look = Observed(status, when, "")
        assert look.overtakes(new_request(), None) is overtaken
        assert look.believed(new_request(), None, None) is not overtaken
        assert look.believed(new_request(), None, look)

    def test_a_run_that_it_names_is_never_overtaken(self) -> None:
        look = Observed("CREATE_COMPLETE", NOW + timedelta(seconds=5), str(self.OWN.physical_id))
        assert not look.overtakes(new_request(), self.OWN)
        assert look.believed(new_request(), self.OWN, None)

    @pytest.mark.parametrize("status", ["DELETE_COMPLETE", "CREATE_FAILED"])
    def test_a_status_older_than_the_request_says_nothing_however_often_it_is_told(self, status: str) -> None:
        look = Observed(status, NOW - timedelta(seconds=1), "")
        assert not look.believed(new_request(), None, look)

    def test_an_update_of_another_run(self) -> None:
        request = new_request("Update", PhysicalResourceId="1/a")
        assert not Observed("UPDATE_IN_PROGRESS", NOW, "1/a").overtakes(request, None)
        assert not Observed("UPDATE_IN_PROGRESS", NOW, "").overtakes(request, None)
        assert Observed("UPDATE_IN_PROGRESS", NOW, "2/b").overtakes(request, None)
        assert Observed("UPDATE_COMPLETE", NOW, "1/a").overtakes(request, None)

    def test_what_a_delete_goes_by_is_told_twice(self) -> None:
        request = new_request("Delete", PhysicalResourceId="1/a")
        look = Observed("UPDATE_COMPLETE", NOW - timedelta(minutes=5), "2/b")
        assert not look.believed(request, None, None)
        assert not look.believed(request, None, Observed("UPDATE_COMPLETE", NOW, "1/a"))
        assert look.believed(request, None, look)
