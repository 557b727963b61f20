"""Checks of a batch's arguments: those of a run, and where the settings of its runs are."""

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_healthomics import checks, member_checks, model
from cdk_healthomics.kind import BATCH
from cdk_healthomics.settings_file import Settings
from cdk_healthomics.tokens import is_unknown
from cdk_healthomics_handler.names import S3_SETTINGS

_URI = "run_settings_uri"


def problems(arguments: Mapping[str, Any], settings: Settings) -> list[str]:
    """Every problem of a batch's arguments; none: they are good as far as can be told here.

    Args:
        arguments: its own, without ``run_settings``.
        settings: those that were read.
    """
    return [*checks.problems(arguments, BATCH), *_one_source(arguments, settings), *_uri(arguments), *settings.problems]


def _one_source(arguments: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    if settings.given and _URI in arguments:
        yield f"run_settings and {_URI} were given: only one may be"
    elif not settings.given and _URI not in arguments:
        yield f"neither run_settings nor {_URI} was given: give one of them, what each run has of its own"


def _uri(arguments: Mapping[str, Any]) -> Iterator[str]:
    uri = arguments.get(_URI)
    if uri is None or is_unknown(uri):
        return
    yield from member_checks.text(_URI, uri, model.batch_run_settings()[S3_SETTINGS])
    yield from checks.uri_problems(_URI, uri, "s3://bucket/settings.json")
