"""The stage that each module of lifecycle tests plays on."""

from collections.abc import Iterator

import pytest

from local_aws.healthomics import CancelOfFinished, Token
from tests.lifecycle.stage import Stage, staged


@pytest.fixture(scope="module")
def _stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    """The module's stage, with no run active, no rule and nothing going wrong; its processes stay warm."""
    _stage.service.faults.clear()
    for run in _stage.service.active():
        _stage.service.end(run.id, "CANCELLED")
    _stage.service.journal.clear()
    _stage.service.settings.change(
        {"token": Token.REPLAY, "token_remembered": None, "cancel_of_finished": CancelOfFinished.CONFLICT}
    )
    _stage.cloudformation.ears.clear()
    _stage.eventbridge.clear()
    _stage.logs.clear()
    _stage.forget()
    return _stage
