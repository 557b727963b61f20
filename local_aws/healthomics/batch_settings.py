"""The settings of a batch's runs: from its request or its file on S3, and what is wrong with them."""

import json
from typing import Any, Final

from . import model
from .account import Account
from .batch import StoredBatch

MOST_RUNS: Final = 100_000
"""The runs of one batch (User Guide): the model does not hold it."""


class BatchError(Exception):
    """Why a batch fails before it has runs; the messages are the User Guide's."""

    def __init__(self, message: str, reason: str = "VALIDATION_EXCEPTION") -> None:
        super().__init__(message)
        self.reason = reason


def settings_of(batch: StoredBatch, account: Account) -> list[dict[str, Any]]:
    """The settings of a batch's runs, checked.

    Raises:
        BatchError: they are wrong, or have changed since the batch was started.
    """
    asked = batch.request["batchRunSettings"]
    settings: list[dict[str, Any]] = asked.get("inlineSettings") or _from_file(asked["s3UriSettings"], batch, account)
    if len(settings) > MOST_RUNS:
        raise BatchError(f"Batch has {len(settings)} runs but {MOST_RUNS} runs is the max.")
    different = {each["runSettingId"] for each in settings}
    if len(different) < len(settings):
        raise BatchError(f"Expected {len(settings)} unique runSettingIds but there were {len(different)}")
    return settings


def _from_file(uri: str, batch: StoredBatch, account: Account) -> list[dict[str, Any]]:
    found = account.read_object(uri)
    etag = found and found.etag
    if found is None or etag != batch.etag:
        raise BatchError(
            f"Expected s3UriConfigs etag: {batch.etag} but was: {etag}. "
            "s3UriConfigs have changed since calling StartRunBatch"
        )
    try:
        settings = json.loads(found.body)
    except ValueError:
        settings = None
    if not isinstance(settings, list) or not settings:
        raise BatchError("Invalid JSON format in run configurations")
    for place, setting in enumerate(settings):
        for problem in model.problems("InlineSetting", setting):
            raise BatchError(f"Invalid JSON format in run configurations: [{place}]: {problem}")
    return settings
