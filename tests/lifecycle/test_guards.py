"""The state machine notices when any single guard is taken out: a promise that no test holds is no promise."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cdk_healthomics_handler import cloudformation, decision, identity, lifecycle
from cdk_healthomics_handler.decision import Gone, Standing
from cdk_healthomics_handler.healthomics import HealthOmics
from cdk_healthomics_handler.names import RELEASED
from cdk_healthomics_handler.refusal import Error, Refusal, classify
from tests.lifecycle.test_state_machine import COMMON, Lives


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The handler logs in this process, thousands of lines that nobody reads."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def random_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "token", lambda *_: str(uuid4()))


def no_uuid_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Any, physical_id: Any) -> Any:
        return self._get(physical_id.run_id) or Gone.GONE

    monkeypatch.setattr(HealthOmics, "read", read)


def no_ownership_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HealthOmics, "search", lambda *_: ())


def no_ownership_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdk_healthomics_handler.run.Run.belongs_to", lambda *_: True)


def no_release_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    tag = HealthOmics.tag

    def without(self: Any, run: Any, add: Any, remove: Any = ()) -> None:
        if RELEASED not in add.values():
            tag(self, run, add, remove)

    monkeypatch.setattr(HealthOmics, "tag", without)


def no_retry_on_access_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    def final(error: Error) -> Refusal:
        return Refusal.FINAL if "AccessDenied" in str(error) else classify(error)

    monkeypatch.setattr(lifecycle, "classify", final)


def no_question_to_cloudformation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudformation, "judge", lambda *_, **__: Standing.CURRENT)


def no_sweep_of_strays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "_sweep_strays", lambda *_: None)


def no_adoption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "_adoptable", lambda *_: False)


def no_look_before_another_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "_started_before", lambda *_: None)


@pytest.mark.parametrize(
    "take_out",
    [
        random_token,
        no_uuid_check,
        no_ownership_search,
        no_ownership_check,
        no_release_mark,
        no_retry_on_access_denied,
        no_question_to_cloudformation,
        no_sweep_of_strays,
        no_adoption,
        no_look_before_another_start,
    ],
    ids=lambda guard: guard.__name__,
)
def test_the_state_machine_fails_without(take_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out(monkeypatch)
    some = settings(COMMON, max_examples=300, stateful_step_count=15, phases=[Phase.generate], derandomize=True)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Lives, settings=some)
