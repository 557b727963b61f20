"""What a person is told of a run: why it failed, its page in the console, how long it took. Pure."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_healthomics_handler import console, reason
from cdk_healthomics_handler.answer import LONGEST_ANSWER, answer_body
from cdk_healthomics_handler.mark import Did, Mark
from cdk_healthomics_handler.names import Attribute
from cdk_healthomics_handler.run import FailedTask, Run
from tests.events import NOW, new_run

PAGE = "https://us-east-1.console.aws.amazon.com/omics/home?region=us-east-1#/runs/1000001"
FAILED = replace(new_run(status="FAILED"), failure_reason="RUN_TASK_FAILED", status_message="A task has failed.")
STREAM = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/omics/WorkflowLog:log-stream:run/1000001/task/7"
MOST = {
    "Status": "FAILED",
    "PhysicalResourceId": f"{'9' * 18}/{'u' * 36}",
    "StackId": f"arn:aws-us-gov:cloudformation:ap-southeast-1:123456789012:stack/{'S' * 128}/{'u' * 36}",
    "RequestId": "r" * 36,
    "LogicalResourceId": "L" * 255,
    "NoEcho": False,
    "Data": {},
}
"""The longest answer but for its reason."""


class TestOfEnd:
    def test_it_tells_the_run_its_tasks_their_logs_and_its_page(self) -> None:
        tasks = [
            FailedTask.of(
                {"name": "align", "failureReason": "TASK_OOM", "statusMessage": "Killed.", "logStream": STREAM}
            ),
            FailedTask.of({"name": "sort", "logStream": "run/1000001/task/8"}),
            FailedTask("call", status_message="exit status 1"),
        ]
        assert reason.of_end(FAILED, tasks) == (
            "Run 1000001 is FAILED: RUN_TASK_FAILED: A task has failed. "
            "Task align failed: TASK_OOM: Killed (log stream run/1000001/task/7). "
            "Task sort failed (log stream run/1000001/task/8). "
            "Task call failed: exit status 1. "
            "Its logs are in log group /aws/omics/WorkflowLog, streams run/1000001 and run/1000001/engine. " + PAGE
        )

    @pytest.mark.parametrize("character", ["a", '"', "\\", "\n", "é", "🧬"], ids=ascii)
    def test_three_long_tasks_fit_into_the_longest_answer_and_nothing_takes_the_place_of_another(
        self, character: str
    ) -> None:
        long = character * 3000
        tasks = [
            FailedTask(*(f"{index} {what} {long}" for what in ("name", "why", "how", "stream"))) for index in (1, 2, 3)
        ]
        arn = FAILED.arn.replace(":run/1000001", f":run/{'9' * 18}").replace("us-east-1", "ap-southeast-1")
        run = replace(FAILED, id="9" * 18, arn=arn, failure_reason=long, status_message=long)
        told = reason.of_end(run, tasks)
        body = answer_body(MOST, told)
        assert len(body) <= LONGEST_ANSWER
        assert json.loads(body)["Reason"] == told
        assert told.endswith(f"#/runs/{run.id}")
        for task in tasks:
            assert f"Task {task.name[:20]}" in told
            assert f": {task.status_message[:60]}" in told
            assert f"(log stream {task.log_stream[:20]}" in told

    @settings(deadline=None)
    @given(text=st.text('é𝛂\n"a', max_size=40), room=st.integers(3, 60))
    def test_a_text_is_cut_to_its_bytes_in_json(self, text: str, room: int) -> None:
        kept = reason.cut(text, room)
        assert len(reason.as_json(kept)) - 2 <= room
        assert kept == text or (kept.endswith("...") and text.startswith(kept.removesuffix("...")))


class TestConsole:
    @pytest.mark.parametrize(
        ("partition", "region", "host"),
        [
            ("aws", "eu-west-2", "eu-west-2.console.aws.amazon.com"),
            ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
            ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ],
    )
    def test_the_page_is_in_the_partition_and_region_of_the_run(self, partition: str, region: str, host: str) -> None:
        run = replace(new_run(), arn=f"arn:{partition}:omics:{region}:123456789012:run/1000001")
        assert run.console_url == f"https://{host}/omics/home?region={region}#/runs/1000001"

    @pytest.mark.parametrize("arn", ["", "arn", "arn:aws", "arn:aws-elsewhere:omics:x-1:123456789012:run/1000001"])
    def test_where_the_arn_tells_no_known_console_there_is_no_page(self, arn: str) -> None:
        assert console.page_at(arn, "1000001") == ""
        assert reason.of_end(replace(FAILED, arn=arn), ()).endswith("run/1000001/engine.")


class TestWhatItTook:
    TIMES = (Attribute.STARTED_AT, Attribute.STOPPED_AT, Attribute.DURATION_SECONDS)

    def told(self, run: Run) -> tuple[str, ...]:
        return tuple(run.attributes[each] for each in self.TIMES)

    def waited_for(self, started: datetime | None, stopped: datetime | None) -> Run:
        run = new_run(newest_request=str(Mark(NOW, Did.STARTED, "COMPLETED", "starter")))
        return replace(run, started=started, stopped_at=stopped)

    def test_it_is_told_in_utc_and_whole_seconds(self) -> None:
        began = NOW.astimezone(timezone(timedelta(hours=9)))
        run = self.waited_for(began, began + timedelta(hours=30, seconds=1, milliseconds=900))
        assert self.told(run) == ("2026-11-23T12:00:00Z", "2026-11-24T18:00:01Z", "108001")

    def test_as_far_as_it_is_known(self) -> None:
        assert self.told(self.waited_for(NOW, None)) == ("2026-11-23T12:00:00Z", "", "")
        assert self.told(self.waited_for(None, NOW)) == ("", "2026-11-23T12:00:00Z", "")

    def test_of_a_run_that_nobody_has_waited_for_nothing_is_told(self) -> None:
        assert self.told(replace(new_run(), started=NOW, stopped_at=NOW)) == ("", "", "")
