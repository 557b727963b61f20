"""A local AWS whose runs take no time to start, and a session with the MCP server."""

from collections.abc import Iterator

import pytest

from local_aws.process import LocalAws
from tests.clients.programs import McpServer, mcp_server

QUEUE = {"pending": 0, "starting": 0, "running": 600}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(settings={"start_rate": None, **QUEUE}) as local:
        yield local


@pytest.fixture(scope="module")
def mcp(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    with mcp_server(aws, tmp_path_factory.mktemp("mcp")) as session:
        yield session
