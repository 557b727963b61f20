"""How HealthOmics is asked: an experiment yields the id of a question and what was observed once it is known."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from cdk_healthomics_handler.kind import RUN
from cdk_healthomics_handler.refusal import Refusal, classify, words
from verify_aws.bench import Bench, code
from verify_aws.names import CANCELLABLE, RUN_NAME, STACK_RUN_NAME, TAG

Answers = Iterator[tuple[str, dict[str, Any]]]
LOOK: Final = 0.25
"""Seconds between two looks at what may lag: four calls a second, of the ten that the account has."""
LAG_LIMIT: Final = 60.0
PERMISSION_LIMIT: Final = 60.0
_AGREE: Final = 4
"""Looks in a row that must tell the same: answers may go back."""


def start(bench: Bench) -> Answers:
    """A run is started and looked at at once; then its token is used again."""
    run = bench.subject()

    def tagged(value: str) -> bool:
        return bool(bench.omics.get_run(id=run["id"])["tags"].get(TAG) == value)

    shown = {"lag-get": lambda: bool(bench.status(run["id"])), "lag-list": lambda: run["id"] in listed(bench)}
    yield from _lags(bench, run["at"], shown).items()
    bench.omics.tag_resource(resourceArn=run["arn"], tags={TAG: f"{bench.session}-changed"})
    yield from _lags(bench, time.monotonic(), {"lag-tags": lambda: tagged(f"{bench.session}-changed")}).items()
    yield "token-active", {"answer": bench.start_again(run)}
    yield "storage-default", {"storageType": bench.omics.get_run(id=run["id"]).get("storageType")}


def end(bench: Bench) -> Answers:
    """The run is cancelled; then it is cancelled again, run again, and its token used again."""
    run = bench.subject()
    bench.until(lambda: _found(bench, run["id"]), limit=LAG_LIMIT, pause=LOOK)
    bench.cancel(run["id"])
    if not bench.ended(run["id"]):
        raise TimeoutError(f"run {run['id']} has not ended within {bench.limit:.0f} s of its CancelRun")
    yield "cancel-finished", {"answer": bench.cancel(run["id"])}
    yield "token-ended", {"answer": bench.start_again(run)}
    again = bench.request(workflowId=None, parameters=None, runId=run["id"])
    rerun = bench.omics.start_run(**again)["id"]
    try:
        bench.until(lambda: _found(bench, rerun), limit=LAG_LIMIT, pause=LOOK)
        tags = bench.omics.get_run(id=rerun).get("tags") or {}
        yield "rerun-tags", {"tags": sorted(tags.keys() - again["tags"].keys())}
    finally:
        bench.cancel(rerun)
    looks = []
    for after in bench.token_looks:
        bench.say(f"    waiting until {after:.0f} s after StartRun")
        time.sleep(max(0.0, run["at"] + after - time.monotonic()))
        looks.append((time.monotonic() - run["at"], bench.start_again(run)))
        if looks[-1][1] == "new run":
            break  # from here on the token is that run's
    yield "token-later", {"looks": looks}


def condition(bench: Bench) -> Answers:
    """Two runs, one with the tag that a role's policy asks for, are cancelled with that role."""
    tagged = bench.start(tags={TAG: bench.session, CANCELLABLE: "yes"})["id"]
    untagged = bench.start()["id"]
    try:
        canceller = bench.assumed(bench.outputs["CancellerRole"])
        denied = ["", ""]

        def try_tagged() -> str | None:
            denied[0] = bench.cancel(tagged, canceller)
            return denied[0] if denied[0] == "accepted" else None

        answer = bench.until(try_tagged, limit=min(PERMISSION_LIMIT, bench.limit)) or denied[0]
        yield "cancel-condition", {"tagged": answer, "untagged": bench.cancel(untagged, canceller)}
    finally:
        bench.cancel(tagged)
        bench.cancel(untagged)


def trust(bench: Bench) -> Answers:
    """The run that the construct has started, with the role that it has made; and one with a role for nobody."""
    try:
        bench.cancel(bench.start(roleArn=bench.outputs["NobodyRole"])["id"])
    except ClientError as error:
        again = classify(error) is Refusal.NOT_YET
        message = error.response["Error"]["Message"]
        yield "role-refused", {"code": code(error), "message": message, "again": again}
    else:
        yield "role-refused", {"code": "accepted", "message": "", "again": False}

    def come_far() -> dict[str, Any] | None:
        run = bench.omics.get_run(id=bench.outputs["RunId"])
        return run if run["status"] in RUN.terminal | {"RUNNING"} else None

    run: dict[str, Any] | None = bench.until(come_far)
    if run is None:
        raise TimeoutError(f"the stack's run is not RUNNING within {bench.limit:.0f} s")
    told = f"{run.get('failureReason') or ''}: {run.get('statusMessage') or ''}"
    yield "trust-run", {"status": run["status"], "refused": told if _is_about_a_role(told) else None}


def batches(bench: Bench) -> Answers:
    """A batch whose settings are a file, once with a role for run/* only and once with one for runBatch/* only."""
    bucket, key = bench.outputs["Bucket"], "settings.json"
    bench.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps([{"runSettingId": "one"}]))
    observed = {
        resource: _batch(bench, bench.outputs[role], f"s3://{bucket}/{key}")
        for resource, role in (("run", "OnlyRunsRole"), ("runBatch", "OnlyBatchesRole"))
    }
    yield "trust-batch", observed


def priority(bench: Bench) -> Answers:
    """Two runs wait for a third in a run group that lets one work at a time; which of them goes first?"""
    group = bench.outputs["GroupId"]
    started = [bench.start(runGroupId=group, priority=50)["id"]]
    try:
        if not bench.until(lambda: bench.status(started[0]) != "PENDING" if _found(bench, started[0]) else None):
            raise TimeoutError(f"run {started[0]} is PENDING after {bench.limit:.0f} s")
        waiting = {each: bench.start(runGroupId=group, priority=each)["id"] for each in (1, 100)}
        started += waiting.values()
        time.sleep(2 * bench.pause)
        if any(not _found(bench, each) or bench.status(each) != "PENDING" for each in waiting.values()):
            raise RuntimeError("the run group did not make them wait, or GetRun does not find them yet")
        bench.cancel(started[0])
        gone = bench.until(lambda: [each for each, run_id in waiting.items() if bench.status(run_id) != "PENDING"])
        if not gone:
            raise TimeoutError(f"neither has left PENDING within {bench.limit:.0f} s")
        yield "priority", {"first": gone}
    finally:
        for run_id in started:
            bench.cancel(run_id)


def events(bench: Bench) -> Answers:
    """What EventBridge has sent to the probe of the runs so far."""
    run = bench.subject()["id"]
    came = bench.until(
        lambda: [each for each in bench.written("event") if each["runId"] == run], limit=min(120.0, bench.limit)
    )
    fields = sorted({name for each in came or [] for name in each["fields"]})
    yield "event-fields", {"events": len(came or []), "fields": fields}


def listed(bench: Bench) -> list[str]:
    """The ids of all runs of this command's names."""
    return [
        item["id"]
        for name in (RUN_NAME, STACK_RUN_NAME)
        for page in bench.omics.get_paginator("list_runs").paginate(name=name)
        for item in page["items"]
    ]


def _found(bench: Bench, run_id: str) -> bool:
    return _tells(lambda: bool(bench.status(run_id)))


def _lags(bench: Bench, since: float, looks: Mapping[str, Callable[[], bool]]) -> dict[str, dict[str, Any]]:
    """How long it takes until each look tells; further ones must tell it, too, for answers may go back."""
    limit = min(LAG_LIMIT, bench.limit)
    late: dict[str, float] = {}
    agreed = dict.fromkeys(looks, 0)
    while time.monotonic() - since < limit and min(agreed.values()) < _AGREE:
        for name, look in looks.items():
            told = _tells(look)
            late[name] = late[name] if told and agreed[name] else time.monotonic() - since
            agreed[name] = agreed[name] + 1 if told else 0
        time.sleep(LOOK)
    return {name: {"lag": late[name] if agreed[name] else None, "waited": limit} for name in looks}


def _tells(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except ClientError as error:
        if code(error) not in {"ResourceNotFoundException", "AccessDeniedException"}:
            raise
        return False


def _batch(bench: Bench, role: str, uri: str) -> str | None:
    """How a batch with this role is refused; None: its settings were read."""
    request = bench.request(roleArn=role)
    default = {name: value for name, value in request.items() if name not in {"requestId", "tags"}}
    try:
        batch = bench.omics.start_run_batch(
            batchName=RUN_NAME,
            requestId=request["requestId"],
            tags=request["tags"],
            defaultRunSetting={**default, "runTags": request["tags"]},
            batchRunSettings={"s3UriSettings": uri},
        )["id"]
    except ClientError as error:
        return words(error)

    def read() -> dict[str, Any] | None:
        told: dict[str, Any] = bench.omics.get_batch(batchId=batch)
        return None if told["status"] in {"CREATING", "PENDING"} else told

    try:
        told = bench.until(read)
        if told is None:
            raise TimeoutError(f"batch {batch} has not read its settings within {bench.limit:.0f} s")
        return str(told.get("failureReason")) if told["status"] == "FAILED" else None
    finally:
        try:
            bench.omics.cancel_run_batch(batchId=batch)
        except ClientError as error:  # it has failed: clean.py looks once more in any case
            bench.say(f"    batch {batch}: {code(error)}")


def _is_about_a_role(told: str) -> bool:
    """Whether a run has failed since HealthOmics could not take on its role, as the handler would tell."""
    error = ClientError({"Error": {"Code": "ValidationException", "Message": told}}, "StartRun")
    return "ASSUME_ROLE" in told or classify(error) is Refusal.NOT_YET
