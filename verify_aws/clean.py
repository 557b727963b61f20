"""Finds what the command has left, by name and tag, and removes it: it needs nothing but the account."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from cdk_healthomics_handler.kind import BATCH, RUN
from verify_aws.bench import Bench, code
from verify_aws.experiments import listed
from verify_aws.names import RUN_NAME, STACK, TAG

_GONE: Final = frozenset({"ResourceNotFoundException", "NoSuchBucket"})


def clean(bench: Bench) -> list[str]:
    """Remove everything; what could not be removed, in words for a person."""
    left: list[str] = []
    steps: tuple[Callable[[Bench], Iterator[str]], ...] = (_batches, _runs, _stacks, _batches, _runs, _records)
    for step in steps:  # runs once more: one that was started a moment ago may not have been listed
        try:
            left = [*(each for each in left if step not in {_batches, _runs}), *step(bench)]
        except ClientError as error:
            left.append(f"{error.operation_name}: {code(error)}")
    return left


def _ours(bench: Bench) -> Iterator[dict[str, Any]]:
    """The runs with our name and our tag: a stranger's run may have the name."""
    for run_id in listed(bench):
        try:
            run: dict[str, Any] = bench.omics.get_run(id=run_id)
        except ClientError as error:
            if code(error) not in _GONE:
                raise
            continue
        if TAG in (run.get("tags") or {}):
            yield run


def _runs(bench: Bench) -> Iterator[str]:
    stacks, cancelled = f":stack/{STACK}/", []
    stack_is_there = bool(_stack_ids(bench))
    for run in list(_ours(bench)):
        # The stack's own run is its Delete's to cancel: that, too, is to be seen. Once the stack is gone, it is ours.
        if run["status"] in RUN.terminal or (stacks in str(run["tags"]) and stack_is_there):
            continue
        bench.say(f"  run {run['id']} is {run['status']}: cancelling")
        bench.cancel(run["id"])
        cancelled.append(run["id"])
    for run_id in cancelled:
        if bench.ended(run_id) is None:
            yield f"run {run_id} has not ended"


def _batches(bench: Bench) -> Iterator[str]:
    def over(batch_id: str) -> bool:
        if bench.omics.get_batch(batchId=batch_id)["status"] in BATCH.terminal:
            return True
        try:
            bench.omics.cancel_run_batch(batchId=batch_id)
        except ClientError as error:
            bench.say(f"  batch {batch_id}: CancelRunBatch: {code(error)}")
        return False

    for page in bench.omics.get_paginator("list_batch").paginate(name=RUN_NAME):
        for item in page["items"]:
            batch = bench.omics.get_batch(batchId=item["id"])
            if TAG in (batch.get("tags") or {}) and not bench.until(lambda each=item["id"]: over(each)):  # type: ignore[misc]
                yield f"batch {item['id']} is not over"


def _records(bench: Bench) -> Iterator[str]:
    """Runs that have ended cost nothing; their records are removed all the same."""
    for run in list(_ours(bench)):
        try:
            bench.omics.delete_run(id=run["id"])
        except ClientError as error:
            if code(error) not in _GONE:
                yield f"run {run['id']}: DeleteRun: {code(error)}"


def _stack_ids(bench: Bench) -> list[str]:
    """Our stacks; the probes' first, for the function behind them is in the other."""
    pages = bench.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = [
        (stack["StackName"] == STACK, str(stack["StackId"]))
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith(STACK) and any(tag["Key"] == TAG for tag in stack.get("Tags", []))
    ]
    return [stack_id for _, stack_id in sorted(found)]


def _stacks(bench: Bench) -> Iterator[str]:
    client = bench.client("cloudformation")
    for stack_id in _stack_ids(bench):
        name = stack_id.split("/")[1]
        bench.say(f"  stack {name}: deleting")
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack_id):
            for each in page["StackResourceSummaries"]:
                if each["ResourceType"] == "AWS::S3::Bucket" and each.get("PhysicalResourceId"):
                    _empty(bench, each["PhysicalResourceId"])
        client.delete_stack(StackName=stack_id)

        def told(of: str = stack_id) -> str | None:
            status = str(client.describe_stacks(StackName=of)["Stacks"][0]["StackStatus"])
            return None if status.endswith("IN_PROGRESS") else status

        status = bench.until(told)
        if status != "DELETE_COMPLETE":
            yield f"stack {name} is {status or 'still being deleted'}"


def _empty(bench: Bench, bucket: str) -> None:
    s3 = bench.client("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])
    except ClientError as error:
        if code(error) not in _GONE:
            raise
