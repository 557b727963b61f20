"""Run batches of the local HealthOmics service, through the real client over HTTP."""

import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_aws.healthomics import QUOTAS, CancelOfFinished, Fault, HealthOmics, Kind, StoredObject, Token
from local_aws.healthomics.batch_settings import MOST_RUNS
from local_aws.healthomics.model import MODEL
from local_aws.healthomics.runs import StoredRun

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient

DEFAULT: dict[str, Any] = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b/r"}
FILE = "s3://bucket/settings.json"


def settings_of(number: int) -> list[dict[str, Any]]:
    return [{"runSettingId": f"sample-{index}"} for index in range(number)]


def start(client: "OmicsClient", number: int = 3, **members: Any) -> str:
    asked = {
        "defaultRunSetting": DEFAULT,
        "batchRunSettings": {"inlineSettings": settings_of(number)},
        "requestId": "t",
    }
    return client.start_run_batch(**{**asked, **members})["id"]


def start_from_file(client: "OmicsClient", service: HealthOmics, settings: Any, **members: Any) -> str:
    body = settings if isinstance(settings, bytes) else json.dumps(settings).encode()
    service.read_object = lambda uri: StoredObject('"one"', body) if uri == FILE else None
    return start(client, batchRunSettings={"s3UriSettings": FILE}, **members)


def submitted(client: "OmicsClient", service: HealthOmics, number: int = 3, **members: Any) -> str:
    batch_id = start(client, number, **members)
    service.clock.advance(7)
    return batch_id


def statuses(client: "OmicsClient", batch_id: str) -> dict[str, str | None]:
    """By runSettingId, the submission statuses."""
    pages = client.get_paginator("list_runs_in_batch").paginate(batchId=batch_id)
    return {run["runSettingId"]: run.get("submissionStatus") for page in pages for run in page["runs"]}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class Latest(Random):
    """Draws the latest answer there may be."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class Hand:
    """A clock for quotas that is moved by hand."""

    def __init__(self, service: HealthOmics) -> None:
        self.now = 1000.0
        service.monotonic = lambda: self.now


class TestItsLife:
    def test_it_moves_through_its_statuses_with_its_runs(self, client: "OmicsClient", service: HealthOmics) -> None:
        seen: list[str] = []
        service.on_status = lambda changed: seen.append(changed.status) if "runBatch" in changed.arn else None
        batch_id = start(client, batchName="cohort", tags={"a": "b"})
        for seconds, status in [
            (0, "CREATING"),
            (2, "PENDING"),
            (5, "INPROGRESS"),
            (15, "INPROGRESS"),
            (3600, "PROCESSED"),
        ]:
            service.clock.advance(seconds)
            batch = client.get_batch(batchId=batch_id)
            assert batch["status"] == status
        assert seen == ["CREATING", "PENDING", "SUBMITTING", "INPROGRESS", "PROCESSED"]
        assert (batch["totalRuns"], batch["name"], batch["tags"]) == (3, "cohort", {"a": "b"})
        assert batch["defaultRunSetting"] == DEFAULT
        assert batch["processedTime"] - batch["creationTime"] > batch["submittedTime"] - batch["creationTime"]

    def test_a_leap_of_the_clock_ends_where_small_steps_end(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = start(client)
        service.clock.advance(9999)
        batch = client.get_batch(batchId=batch_id)
        assert batch["status"] == "PROCESSED"
        assert (batch["processedTime"] - batch["creationTime"]).total_seconds() == pytest.approx(2 + 5 + 5 + 10 + 3600)

    def test_the_counts_are_final_when_it_is_processed(self, client: "OmicsClient", service: HealthOmics) -> None:
        service.fail_next()
        service.refuse_next(times=2, reason="ValidationException", message="no such parameter")
        batch_id = submitted(client, service, 5)
        batch = client.get_batch(batchId=batch_id)
        assert Counter(batch["submissionSummary"]) == Counter(
            successfulStartSubmissionCount=3, failedStartSubmissionCount=2
        )
        assert Counter(batch["runSummary"]) == Counter(pendingRunCount=3)
        service.clock.advance(9999)
        assert Counter(client.get_batch(batchId=batch_id)["runSummary"]) == Counter(
            completedRunCount=2, failedRunCount=1
        )

    def test_an_answer_is_as_late_as_the_settings_allow_and_its_counts_fit_its_status(
        self, client: "OmicsClient", service: HealthOmics
    ) -> None:
        service.settings.lag = 1.0
        service.random = Latest()
        batch_id = start(client)
        with pytest.raises(ClientError) as error:
            client.get_batch(batchId=batch_id)
        assert code(error) == "ResourceNotFoundException"
        assert client.list_batch()["items"] == []
        service.clock.advance(7.5)
        late = client.get_batch(batchId=batch_id)
        assert (late["status"], late["runSummary"]["pendingRunCount"]) == ("PENDING", 0)
        service.clock.advance(1)
        assert client.get_batch(batchId=batch_id)["runSummary"]["pendingRunCount"] == 3


class TestItsRuns:
    def test_a_runs_own_setting_wins_and_parameters_and_tags_are_merged(
        self, client: "OmicsClient", service: HealthOmics
    ) -> None:
        default = {**DEFAULT, "priority": 1, "parameters": {"ref": "a", "n": 1}, "runTags": {"of": "all", "own": "no"}}
        own = {"runSettingId": "s", "name": "NA1", "priority": 7, "parameters": {"n": 2}, "runTags": {"own": "yes"}}
        submitted(
            client,
            service,
            defaultRunSetting=default,
            batchRunSettings={"inlineSettings": [own, *settings_of(1)]},
            tags={"of": "batch"},
        )
        run, other = (client.get_run(id=run["id"]) for run in client.list_runs()["items"])
        assert (run["name"], run["priority"], other["priority"]) == ("NA1", 7, 1)
        assert (run["parameters"], other["parameters"]) == ({"ref": "a", "n": 2}, {"ref": "a", "n": 1})
        assert (run["tags"], other["tags"]) == ({"of": "all", "own": "yes"}, {"of": "all", "own": "no"})

    def test_they_are_listed_by_batch_and_tell_it(self, client: "OmicsClient", service: HealthOmics) -> None:
        client.start_run(workflowId="1", roleArn="arn:x", outputUri="s3://b", requestId="alone")
        batch_id = submitted(client, service, 12)
        pages = list(client.get_paginator("list_runs").paginate(batchId=batch_id))
        ids = [run["id"] for page in pages for run in page["items"]]
        assert (len(pages), len(set(ids))) == (2, 12)
        assert client.get_run(id=ids[0])["batchId"] == batch_id
        assert client.list_runs(batchId=batch_id, status="COMPLETED")["items"] == []

    def test_they_are_found_by_setting_and_by_id_one_filter_a_call(
        self, client: "OmicsClient", service: HealthOmics
    ) -> None:
        batch_id = submitted(client, service)
        (run,) = client.list_runs_in_batch(batchId=batch_id, runSettingId="sample-1")["runs"]
        assert client.get_run(id=run["runId"])["uuid"] == run["runInternalUuid"]
        assert client.list_runs_in_batch(batchId=batch_id, runId=run["runId"])["runs"] == [run]
        assert len(client.list_runs_in_batch(batchId=batch_id, submissionStatus="SUCCESS", maxItems=2)["runs"]) == 2
        with pytest.raises(ClientError, match="Only one filter per call") as error:
            client.list_runs_in_batch(batchId=batch_id, runId="1", submissionStatus="SUCCESS")
        assert code(error) == "ValidationException"

    def test_one_that_cannot_be_submitted_says_why(self, client: "OmicsClient", service: HealthOmics) -> None:
        service.refuse_next(reason="AccessDeniedException", message="the role may not read the input")
        nowhere = {name: value for name, value in DEFAULT.items() if name != "outputUri"}
        somewhere = {"runSettingId": "with", "outputUri": "s3://own"}
        settings = [{"runSettingId": "refused"}, {"runSettingId": "without"}, somewhere]
        batch_id = submitted(client, service, defaultRunSetting=nowhere, batchRunSettings={"inlineSettings": settings})
        runs = client.list_runs_in_batch(batchId=batch_id, submissionStatus="FAILED")["runs"]
        assert runs == [
            {
                "runSettingId": "refused",
                "submissionStatus": "FAILED",
                "submissionFailureReason": "AccessDeniedException",
                "submissionFailureMessage": "the role may not read the input",
            },
            {
                "runSettingId": "without",
                "submissionStatus": "FAILED",
                "submissionFailureReason": "ValidationException",
                "submissionFailureMessage": (
                    "Value at 'outputUri' failed to satisfy constraint: Member must not be null"
                ),
            },
        ]
        assert statuses(client, batch_id)["with"] == "SUCCESS"

    def test_they_are_submitted_at_start_runs_quota_that_direct_calls_share(
        self, client: "OmicsClient", service: HealthOmics
    ) -> None:
        hand, service.settings.start_rate = Hand(service), 2.0
        batch_id = submitted(client, service, 100)
        for seconds, ours in [(10, 20), (10, 40)]:
            client.get_batch(batchId=batch_id)
            hand.now += seconds
            assert client.get_batch(batchId=batch_id)["submissionSummary"]["successfulStartSubmissionCount"] == ours
        asked = {"workflowId": "1", "roleArn": "arn:x", "outputUri": "s3://b"}
        answers: list[int] = []
        for index in range(80):
            hand.now += 0.25
            body = json.dumps({**asked, "requestId": str(index)}).encode()
            answer = service.handle("POST", "/run", "", body)
            answers.append(answer.status if answer else 0)
        assert set(answers) == {201, 429}
        direct = answers.count(201)
        batch = client.get_batch(batchId=batch_id)
        ours = batch["submissionSummary"]["successfulStartSubmissionCount"] - 40
        assert batch["status"] == "SUBMITTING"
        assert ours + direct == pytest.approx(2.0 * 20, abs=3)
        assert ours == pytest.approx(direct, abs=3)


class TestItsRequest:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"batchRunSettings": {}}, "exactly one of inlineSettings, s3UriSettings"),
            ({"batchRunSettings": {"inlineSettings": []}}, "length greater than or equal to 1"),
            ({"batchRunSettings": {"inlineSettings": settings_of(101)}}, "length less than or equal to 100"),
            ({"batchRunSettings": {"inlineSettings": [{}]}}, "inlineSettings.0.runSettingId' failed to satisfy"),
            ({"defaultRunSetting": {"roleArn": "arn:x"}}, "Value at 'defaultRunSetting.workflowId' failed"),
            ({"batchName": "b" * 65}, "length less than or equal to 64"),
            ({"defaultRunSetting": {**DEFAULT, "runId": "1"}}, "Value at 'defaultRunSetting.runId' failed to satisfy"),
            ({"defaultRunSetting": {**DEFAULT, "workflowType": "READY2RUN"}}, "not supported with READY2RUN"),
            ({"tags": {f"k{index}": "v" for index in range(51)}}, "at most 50 tags"),
            ({"batchRunSettings": {"s3UriSettings": "s3://bucket/nothing.json"}}, "or it does not exist"),
        ],
    )
    def test_what_breaks_the_model_or_the_rules_is_refused(
        self, service: HealthOmics, change: dict[str, Any], words: str
    ) -> None:
        asked = {
            "defaultRunSetting": DEFAULT,
            "batchRunSettings": {"inlineSettings": settings_of(1)},
            "requestId": "t",
            **change,
        }
        response = service.handle("POST", "/runBatch", "", json.dumps(asked).encode())
        assert response
        assert (response.status, response.headers["x-amzn-errortype"]) == (400, "ValidationException")
        assert words in response.body.decode()
        assert service.batches() == []

    def test_a_workflow_that_does_not_exist_is_refused(self, client: "OmicsClient", service: HealthOmics) -> None:
        service.settings.unknown_workflows = frozenset({"1"})
        with pytest.raises(ClientError) as error:
            start(client)
        assert code(error) == "ResourceNotFoundException"

    def test_a_known_token_replays_conflicts_or_is_forgotten(self, client: "OmicsClient", service: HealthOmics) -> None:
        first = start(client)
        assert start(client) == first
        client.start_run(workflowId="1", roleArn="arn:x", outputUri="s3://b", requestId="t")
        service.settings.token = Token.CONFLICT
        with pytest.raises(ClientError) as error:
            start(client)
        assert code(error) == "ConflictException"
        service.settings.token_remembered = 0
        assert start(client) != first

    def test_faults_and_the_journal_know_batches(self, client: "OmicsClient", service: HealthOmics) -> None:
        service.faults.order(Fault("StartRunBatch", Kind.THROTTLING))
        with pytest.raises(ClientError, match="ThrottlingException"):
            start(client)
        batch_id = submitted(client, service)
        client.get_batch(batchId=batch_id)
        client.cancel_run_batch(batchId=batch_id)
        assert [(call.operation, call.status, call.run_id) for call in service.journal] == [
            ("StartRunBatch", 429, None),
            ("StartRunBatch", 201, batch_id),
            ("GetBatch", 200, batch_id),
            ("CancelRunBatch", 202, batch_id),
        ]

    def test_every_operation_with_a_quota_is_one_of_the_models(self) -> None:
        assert set(QUOTAS) <= set(MODEL.operation_names)


class TestItsFile:
    def test_it_is_read_when_the_batch_is_looked_at(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = start_from_file(client, service, settings_of(250))
        assert "totalRuns" not in client.get_batch(batchId=batch_id)
        service.clock.advance(7)
        assert client.get_batch(batchId=batch_id)["totalRuns"] == 250
        assert len(statuses(client, batch_id)) == 250

    @pytest.mark.parametrize("now", [StoredObject('"two"', b"[]"), None])
    def test_one_that_has_changed_or_gone_fails_the_batch(
        self, client: "OmicsClient", service: HealthOmics, now: StoredObject | None
    ) -> None:
        batch_id = start_from_file(client, service, settings_of(3))
        service.read_object = lambda _: now
        service.clock.advance(7)
        batch = client.get_batch(batchId=batch_id)
        assert batch["status"] == "FAILED"
        assert batch["failureReason"].startswith('Expected s3UriConfigs etag: "one" but was: ')
        assert batch["failedTime"] > batch["creationTime"]
        assert service.runs() == []

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            (b"[{", "Invalid JSON format in run configurations"),
            ({"runSettingId": "s"}, "Invalid JSON format in run configurations"),
            ([], "Invalid JSON format in run configurations"),
            ([{"runSettingId": "s", "runId": "1"}], "Invalid JSON format in run configurations: [0]: Value at 'runId'"),
            ([*settings_of(3), *settings_of(1)], "Expected 4 unique runSettingIds but there were 3"),
            (settings_of(MOST_RUNS + 1), f"Batch has {MOST_RUNS + 1} runs but {MOST_RUNS} runs is the max."),
        ],
        ids=["no JSON", "no array", "nothing", "unknown member", "twice", "too many"],
    )
    def test_one_that_is_wrong_fails_the_batch(
        self, client: "OmicsClient", service: HealthOmics, settings: Any, reason: str
    ) -> None:
        batch_id = start_from_file(client, service, settings)
        service.clock.advance(2)
        client.get_batch(batchId=batch_id)
        service.clock.advance(5)
        service.tick()  # not while the client waits: a hundred thousand are looked through
        assert client.get_batch(batchId=batch_id)["failureReason"].startswith(reason)

    def test_settings_in_the_request_are_compared_too(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = submitted(client, service, batchRunSettings={"inlineSettings": [*settings_of(2), *settings_of(1)]})
        batch = client.get_batch(batchId=batch_id)
        assert (batch["status"], batch["failureReason"]) == (
            "FAILED",
            "Expected 3 unique runSettingIds but there were 2",
        )

    def test_a_batch_can_be_made_to_fail(self, client: "OmicsClient", service: HealthOmics) -> None:
        service.fail_next_batch(message="There was a transient error in the service. Retry the batch.")
        batch = client.get_batch(batchId=submitted(client, service))
        assert (batch["status"], batch["failureReason"]) == (
            "FAILED",
            "There was a transient error in the service. Retry the batch.",
        )


class TestCancelling:
    def test_runs_stop_for_a_while_and_then_it_is_cancelled(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = submitted(client, service)
        service.end(client.list_runs()["items"][0]["id"], "COMPLETED")
        client.cancel_run_batch(batchId=batch_id)
        batch = client.get_batch(batchId=batch_id)
        assert (batch["status"], batch["runSummary"]["stoppingRunCount"]) == ("STOPPING", 2)
        with pytest.raises(ClientError) as error:
            client.cancel_run_batch(batchId=batch_id)
        assert code(error) == "ConflictException"
        service.clock.advance(2)
        batch = client.get_batch(batchId=batch_id)
        assert batch["status"] == "CANCELLED"
        assert Counter(batch["runSummary"]) == Counter(completedRunCount=1, cancelledRunCount=2)
        assert list(statuses(client, batch_id).values()) == ["SUCCESS", "CANCEL_SUCCESS", "CANCEL_SUCCESS"]

    def test_runs_that_were_not_submitted_never_start(self, client: "OmicsClient", service: HealthOmics) -> None:
        hand, service.settings.start_rate = Hand(service), 1.0
        batch_id = submitted(client, service, 5)
        client.get_batch(batchId=batch_id)
        hand.now += 2
        client.cancel_run_batch(batchId=batch_id)
        hand.now += 60
        service.clock.advance(60)
        batch = client.get_batch(batchId=batch_id)
        assert batch["status"] == "CANCELLED"
        assert Counter(batch["submissionSummary"]) == Counter(
            successfulStartSubmissionCount=2, successfulCancelSubmissionCount=5
        )
        assert len(service.runs()) == 2

    @pytest.mark.parametrize("with_active_runs", [True, False])
    def test_it_may_leave_runs_that_go_on(
        self, client: "OmicsClient", service: HealthOmics, *, with_active_runs: bool
    ) -> None:
        service.settings.cancelled_with_active_runs = with_active_runs
        batch_id = submitted(client, service)
        service.refuse_next("CancelRun", times=2, reason="ThrottlingException", message="Rate exceeded")
        client.cancel_run_batch(batchId=batch_id)
        service.clock.advance(2)
        batch = client.get_batch(batchId=batch_id)
        assert batch["status"] == ("CANCELLED" if with_active_runs else "STOPPING")
        assert batch["submissionSummary"]["failedCancelSubmissionCount"] == 2
        left = client.list_runs_in_batch(batchId=batch_id, submissionStatus="CANCEL_FAILED")["runs"]
        assert {run["submissionFailureReason"] for run in left} == {"ThrottlingException"}
        assert sorted(run["runId"] for run in left) == sorted(run.id for run in service.active())
        for run in left:
            client.cancel_run(id=run["runId"])
        service.clock.advance(2)
        batch = client.get_batch(batchId=batch_id)
        assert (batch["status"], batch["runSummary"]["cancelledRunCount"]) == ("CANCELLED", 3)

    def test_cancels_go_at_cancel_runs_quota(self, client: "OmicsClient", service: HealthOmics) -> None:
        hand = Hand(service)
        batch_id = submitted(client, service, 100)
        client.get_batch(batchId=batch_id)
        service.settings.quotas = QUOTAS
        client.cancel_run_batch(batchId=batch_id)
        client.get_batch(batchId=batch_id)
        hand.now += 5
        batch = client.get_batch(batchId=batch_id)
        assert batch["submissionSummary"]["successfulCancelSubmissionCount"] == 50

    @pytest.mark.parametrize(
        ("how", "expected"),
        [
            (CancelOfFinished.CONFLICT, "ConflictException"),
            (CancelOfFinished.VALIDATION, "ValidationException"),
            (CancelOfFinished.NOT_FOUND, "ResourceNotFoundException"),
        ],
    )
    @pytest.mark.parametrize("seconds", [0, 9999])
    def test_it_is_refused_before_pending_and_after_the_end(
        self, client: "OmicsClient", service: HealthOmics, how: CancelOfFinished, expected: str, seconds: int
    ) -> None:
        service.settings.cancel_of_finished = how
        batch_id = start(client)
        service.clock.advance(seconds)
        with pytest.raises(ClientError) as error:
            client.cancel_run_batch(batchId=batch_id)
        assert code(error) == expected

    def test_it_is_possible_before_the_settings_were_looked_at(
        self, client: "OmicsClient", service: HealthOmics
    ) -> None:
        batch_id = start(client)
        service.clock.advance(2)
        client.cancel_run_batch(batchId=batch_id)
        assert client.get_batch(batchId=batch_id)["status"] == "CANCELLED"
        service.clock.advance(9999)
        assert service.runs() == []


class TestDeleting:
    def test_its_runs_go_and_then_the_batch(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = submitted(client, service)
        for delete in (client.delete_run_batch, client.delete_batch):
            with pytest.raises(ClientError) as error:
                delete(batchId=batch_id)
            assert code(error) == "ConflictException"
        service.clock.advance(9999)
        client.delete_run_batch(batchId=batch_id)
        batch = client.get_batch(batchId=batch_id)
        assert (batch["status"], batch["runSummary"]["deletedRunCount"]) == ("RUNS_DELETED", 3)
        assert set(statuses(client, batch_id).values()) == {"DELETE_SUCCESS"}
        assert client.list_runs()["items"] == []
        client.delete_batch(batchId=batch_id)
        for gone in (client.get_batch, client.list_runs_in_batch, client.delete_run_batch, client.cancel_run_batch):
            with pytest.raises(ClientError) as error:
                gone(batchId=batch_id)
            assert code(error) == "ResourceNotFoundException"
        assert client.list_batch()["items"] == []

    def test_runs_that_cannot_be_deleted_are_told(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = submitted(client, service)
        service.refuse_next("CancelRun")
        client.cancel_run_batch(batchId=batch_id)
        service.clock.advance(2)
        client.delete_run_batch(batchId=batch_id)
        batch = client.get_batch(batchId=batch_id)
        assert (batch["status"], batch["submissionSummary"]["failedDeleteSubmissionCount"]) == ("RUNS_DELETE_FAILED", 1)
        (run,) = client.list_runs_in_batch(batchId=batch_id, submissionStatus="DELETE_FAILED")["runs"]
        assert run["submissionFailureReason"] == "ConflictException"
        client.delete_batch(batchId=batch_id)
        assert [left.id for left in service.active()] == [run["runId"]]

    def test_the_id_of_a_deleted_batch_may_be_used_again(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = submitted(client, service)
        uuid = client.get_batch(batchId=batch_id)["uuid"]
        service.clock.advance(9999)
        client.delete_batch(batchId=batch_id)
        service.reuse_id(batch_id)
        assert start(client, requestId="other") == batch_id
        assert client.get_batch(batchId=batch_id)["uuid"] != uuid


class TestTheAccount:
    def test_batches_are_listed_in_pages_by_one_filter(self, client: "OmicsClient", service: HealthOmics) -> None:
        first = start(client, batchName="cohort", requestId="first")
        service.clock.advance(9999)
        group = {**DEFAULT, "runGroupId": "9"}
        second = start(client, defaultRunSetting=group, requestId="second")
        assert [item["id"] for item in client.list_batch(maxItems=1)["items"]] == [first]
        for asked, ids in [({"name": "cohort"}, [first]), ({"runGroupId": "9"}, [second]), ({"status": "FAILED"}, [])]:
            assert [item["id"] for item in client.list_batch(**asked)["items"]] == ids  # type: ignore[arg-type]
        pages = client.get_paginator("list_batch").paginate(PaginationConfig={"PageSize": 1})
        items = [item for page in pages for item in page["items"]]
        assert [(item["status"], item.get("totalRuns")) for item in items] == [("PROCESSED", 3), ("CREATING", None)]
        with pytest.raises(ClientError, match="Only one filter per call"):
            client.list_batch(name="cohort", status="FAILED")

    def test_its_tags_are_its_own(self, client: "OmicsClient", service: HealthOmics) -> None:
        batch_id = submitted(client, service, tags={"a": "1"})
        batch = client.get_batch(batchId=batch_id)
        client.tag_resource(resourceArn=batch["arn"], tags={"b": "2"})
        client.untag_resource(resourceArn=batch["arn"], tagKeys=["a"])
        assert client.list_tags_for_resource(resourceArn=batch["arn"])["tags"] == {"b": "2"}
        assert client.get_batch(batchId=batch_id)["tags"] == {"b": "2"}
        assert {str(run.tags) for run in service.runs()} == {"{}"}

    def test_get_batch_of_what_does_not_exist_may_be_denied(self, client: "OmicsClient", service: HealthOmics) -> None:
        service.settings.missing_is_denied = True
        with pytest.raises(ClientError, match="omics:GetBatch") as error:
            client.get_batch(batchId="404")
        assert code(error) == "AccessDeniedException"

    def test_a_poll_of_ten_thousand_runs_looks_at_none_of_them(
        self, client: "OmicsClient", service: HealthOmics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch_id = start_from_file(client, service, settings_of(10_000))
        service.clock.advance(7)
        service.tick()
        looked_at: list[str] = []

        def look(run: StoredRun, *_: object) -> None:
            looked_at.append(run.id)

        monkeypatch.setattr(StoredRun, "described", look)
        monkeypatch.setattr(StoredRun, "at", look)
        changes: list[str] = []
        service.on_status = lambda changed: changes.append(changed.status)
        batch = client.get_batch(batchId=batch_id)
        assert (batch["runSummary"]["pendingRunCount"], looked_at, changes) == (10_000, [], [])
        service.clock.advance(9999)
        service.tick()
        assert client.get_batch(batchId=batch_id)["runSummary"]["completedRunCount"] == 10_000
        assert looked_at == []
        assert Counter(changes) == Counter(STARTING=10_000, RUNNING=10_000, COMPLETED=10_000, PROCESSED=1)
