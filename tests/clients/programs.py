"""The clients of other makers, run as their users run them: from their own environments, pointed at a local AWS."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from local_aws.process import ROOT, LocalAws

HERE: Final = Path(__file__).parent
CLIENTS: Final = ROOT / "build" / "clients" / "bin"
"""Of the environment with the MCP server and miniwdl-omics-run."""
OMICS_TOOLS: Final = ROOT / "build" / "omics-tools" / "bin"
"""Of the one with amazon-omics-tools."""


def environment(aws: LocalAws, home: Path) -> dict[str, str]:
    """What a client sees: the local AWS, a home of its own, and no address beyond loopback."""
    return {
        **aws.variables,
        "PATH": f"{CLIENTS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPATH": str(HERE / "loopback_only"),
        "TZ": "UTC",
    }


def run(command: list[str], aws: LocalAws, folder: Path) -> str:
    """Run a program to its end in a folder; returns what it printed."""
    assert Path(command[0]).exists(), f"{command[0]} is missing: make clients"
    done = subprocess.run(
        command, env=environment(aws, folder), cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class McpServer:
    """A session with the HealthOmics MCP server."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.tools: list[str] = self._read()
        """The names of what it offers."""

    def call(self, tool: str, **arguments: Any) -> Any:
        """What a tool answers: text, or what its JSON holds."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"tool": tool, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        assert not answer["error"], answer
        (text,) = answer["text"]
        try:
            return json.loads(text)
        except ValueError:
            return text

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the session has ended"
        return json.loads(line)


@contextmanager
def mcp_server(aws: LocalAws, folder: Path) -> Iterator[McpServer]:
    """A session with the server."""
    server = CLIENTS / "awslabs.aws-healthomics-mcp-server"
    assert server.exists(), f"{server} is missing: make clients"
    with (
        (folder / "mcp.log").open("w") as log,
        subprocess.Popen(
            [str(CLIENTS / "python"), str(HERE / "mcp_session.py"), str(server)],
            env=environment(aws, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        yield McpServer(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(20) == 0
