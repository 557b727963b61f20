"""A function as a process of its own, fed with events; see handlers/ for the other side."""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from local_aws.process import pointed_at

_LIMIT: Final = 120.0
"""Seconds that one event may take; the longest installs an SDK first."""


class FunctionProcess:
    """A running function.

    Args:
        command: starts it.
        environment: all of its environment variables.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stop
        self.began: Final = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - ours
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Send an event; returns what the handler returned.

        Raises:
            RuntimeError: the function ended, or took too long.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin, stdout  # noqa: S101 - pipes were asked for
        watch = threading.Timer(_LIMIT, self._process.kill)
        watch.start()
        try:
            stdin.write(json.dumps(event) + "\n")
            stdin.flush()
            line = stdout.readline() if stdout else ""
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        if not line:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            raise RuntimeError(f"{' '.join(self._command)} ended:\n{self._errors.read()}")
        return json.loads(line)

    @property
    def peak_memory(self) -> float:
        """Megabytes, until now."""
        # Not wait4's: that counts the parent's memory in, which a child shares until it becomes another program.
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        (peak,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        return peak / 1024

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe:
                pipe.close()


def base_environment(url: str, authority: Path) -> dict[str, str]:
    """The environment that every function has.

    Args:
        url: of the local AWS; TLS.
        authority: the file with the certificate that it is trusted by.
    """
    return {
        **pointed_at(url),
        "AWS_CA_BUNDLE": str(authority),
        "SSL_CERT_FILE": str(authority),
        "NODE_EXTRA_CA_CERTS": str(authority),
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's file system is read-only: an asset is compiled at each cold start
        "PORT": url.rpartition(":")[2],
        "PATH": os.environ["PATH"],
    }
