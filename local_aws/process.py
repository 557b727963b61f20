"""``LocalAws``: the local AWS as a child process, its environment, and the CDK CLI pointed at it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from .controls import Controls

ROOT: Final = Path(__file__).parents[1]
"""What holds this package: the repository, or site-packages."""
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
_SERVICES: Final = ("cloudformation", "ec2", "ecr", "events", "iam", "lambda", "logs", "s3", "sns", "ssm", "sts")
"""What the CDK and the construct use; the others would only cost time and open ports."""
_START_LIMIT: Final = 60.0
_STOP_LIMIT: Final = 10.0
_OF_THE_WORKPLACE: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE")


def pointed_at(url: str) -> dict[str, str]:
    """The variables that point AWS's SDKs at an address of this machine."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class LocalAwsError(RuntimeError):
    """The local AWS could not be started or did not do what it was asked."""


class LocalAws:
    """A local AWS; start it with ``with``.

    Args:
        port: of loopback; 0 takes a free one.
        speed: how many times as fast as real time HealthOmics' clock runs.
        settings: of the HealthOmics service, by name.
        delivery: how events reach the function (:class:`local_aws.mends.Delivery`), by name.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        speed: float = 1.0,
        settings: Mapping[str, Any] | None = None,
        delivery: Mapping[str, Any] | None = None,
    ) -> None:
        self.port = port or _free_port()
        self._arguments = [
            f"--parent={os.getpid()}",
            f"--speed={speed}",
            f"--settings={json.dumps(dict(settings or {}), default=list)}",
            f"--delivery={json.dumps(dict(delivery or {}))}",
        ]
        self._process: subprocess.Popen[str] | None = None
        self.folder = Path()
        self.controls = Controls("")

    @property
    def url(self) -> str:
        """Where its APIs are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server has written to its log."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def variables(self) -> dict[str, str]:
        """The variables that point AWS tools at it."""
        return {
            **pointed_at(self.url),
            # A boto3 that does not know AWS_DISABLE_HOST_PREFIX_INJECTION makes its prefix a part of this user's name.
            "AWS_ENDPOINT_URL_OMICS": f"http://local@127.0.0.1:{self.port}",
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
            "CDK_HOME": str(self.folder / "cdk"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",  # on a terminal it would ask the npm registry
        }

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, pointed at it; tools beside Python and in ``node_modules`` are found first."""
        beside = Path(sys.executable).parent
        tools = os.pathsep.join([str(beside), str(Path.cwd() / "node_modules" / ".bin"), os.environ["PATH"]])
        others = {name: value for name, value in os.environ.items() if name not in _OF_THE_WORKPLACE}
        node = {"JSII_NODE": str(beside / "node")} if (beside / "node").exists() else {}
        return {**others, **self.variables, "PATH": tools, **node}

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="local-aws-"))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        if _is_taken(self.port):
            raise LocalAwsError(
                f"Port {self.port} of 127.0.0.1 is taken: stop what listens there, or name another port with --port."
            )
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.server", f"--folder={self.folder}", *self._arguments],
                cwd=ROOT,
                env=self.environment
                | {
                    "GATEWAY_PORT": str(self.port),
                    "BIND_HOST": "127.0.0.1",
                    "MINISTACK_HOST": "127.0.0.1",
                    "MINISTACK_ACCOUNT_ID": ACCOUNT,
                    "TMPDIR": str(self.folder),
                    "IOT_MTLS_ENABLED": "0",  # it would listen beyond loopback
                    "SERVICES": ",".join(_SERVICES),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # so that all that it starts ends with it
            )
        assert self._process.stdout  # noqa: S101 - a pipe was asked for
        first = self._process.stdout.readline()
        if not first.startswith("{"):
            self._process.wait()
            raise LocalAwsError(f"The local AWS did not start:\n{self.log.strip()}")
        self.controls = Controls(json.loads(first)["controls"])
        self._await_health()

    def _await_health(self) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2):  # noqa: S310 - loopback
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise LocalAwsError(f"The local AWS did not start:\n{self.log.strip()}")

    def stop(self) -> None:
        """End the server and everything that it started."""
        process, self._process = self._process, None
        if process is not None:
            _end_group(process)
            if process.stdout:
                process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, service: str, *, config: Config | None = None, **how: Any) -> Any:
        """A boto3 client of one of its services."""
        session = boto3.Session("test", "test", region_name=REGION)
        here = Config(inject_host_prefix=False)  # loopback has no names for HealthOmics' prefixes
        config = config.merge(here) if config else here
        return session.client(service, endpoint_url=self.url, config=config, **how)  # type: ignore[call-overload]

    def cdk(
        self, *arguments: str, cwd: Path = ROOT, check: bool = True, capture: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the real CDK CLI against it.

        Raises:
            LocalAwsError: there is no CLI, or it failed and ``check`` asks to be told.
        """
        command = ["cdk", *arguments, "--no-notices", "--no-version-reporting"]
        if shutil.which("cdk", path=self.environment["PATH"]) is None:
            raise LocalAwsError(
                "The CDK CLI, `cdk`, is in none of PATH's folders and not in node_modules/.bin of this folder: "
                "install it with `npm install aws-cdk` here, or with `npm install --global aws-cdk`."
            )
        done = subprocess.run(
            command,
            cwd=cwd,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.STDOUT if capture else None,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise LocalAwsError(f"`{' '.join(command)}` failed:\n{done.stdout or ''}")
        return done

    def bootstrap(self, *, capture: bool = True) -> None:
        """Make the account ready for the CDK."""
        self.cdk("bootstrap", "--app", "", f"aws://{ACCOUNT}/{REGION}", capture=capture)


def _end_group(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


__all__: Sequence[str] = ["ACCOUNT", "REGION", "LocalAws", "LocalAwsError"]
