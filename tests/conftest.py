"""Which tests run in the same worker of ``make test``."""

import pytest

_TOGETHER = {"e2e", "packs"}
"""Folders whose modules start a local AWS, or synthesize, once for all of their tests: in two workers, twice."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before xdist reads the groups."""
    for item in items:
        if item.path.parent.name in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
