"""The local AWS as a process: what a person types, what it starts, and that nothing of it stays."""

import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local_aws import mends
from local_aws.process import ROOT, LocalAws, LocalAwsError


def servers(port: int) -> list[int]:
    """The processes that were started for a local AWS on this port."""
    found = []
    for process in psutil.process_iter(["environ", "cmdline"]):
        environment = process.info["environ"] or {}
        if environment.get("GATEWAY_PORT") == str(port) and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def until(condition: Callable[[], bool], limit: float = 15.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_when_it_is_stopped(number: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as output:
        command = subprocess.Popen(
            [sys.executable, "-m", "local_aws", "up", f"--port={port}"], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        until(lambda: "Stop it with Ctrl-C." in log.read_text() or command.poll() is not None, 60)
        assert command.poll() is None, log.read_text()
        assert servers(port)
        assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}" in log.read_text()
        command.send_signal(number)
        command.wait(30)
        until(lambda: servers(port) == [])
    finally:
        command.kill()
        command.wait()
    if number is not signal.SIGKILL:
        assert log.read_text().rstrip().endswith("Stopped.")
        assert not (ROOT / ".local_aws" / "env").exists()


BUSY = """
import io, time, zipfile
from local_aws.process import LocalAws

HANDLER = "import pathlib, time\\ndef handler(event, _):\\n    pathlib.Path(event).touch()\\n    time.sleep(600)\\n"
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("function.py", HANDLER)
with LocalAws(port={port}) as aws:
    client = aws.client("lambda")
    role = "arn:aws:iam::123456789012:role/r"
    code = {{"ZipFile": archive.getvalue()}}
    how = {{"Runtime": "python3.13", "Handler": "function.handler", "Timeout": 900}}
    client.create_function(FunctionName="busy", Role=role, Code=code, **how)
    client.invoke(FunctionName="busy", InvocationType="Event", Payload=b'"{mark}"')
    time.sleep(600)
"""
DEPLOYING = """
import json, time
from local_aws.process import LocalAws

CODE = "import pathlib, time\\ndef handler(event, _):\\n    pathlib.Path('{mark}').touch()\\n    time.sleep(900)\\n"
made = {{
    "Busy": {{
        "Type": "AWS::Lambda::Function",
        "Properties": {{
            "Code": {{"ZipFile": CODE}},
            "Handler": "index.handler",
            "Role": "arn:aws:iam::123456789012:role/r",
            "Runtime": "python3.13",
            "Timeout": 900,
        }},
    }},
    "Waited": {{"Type": "Custom::Waited", "Properties": {{"ServiceToken": {{"Fn::GetAtt": ["Busy", "Arn"]}}}}}},
}}
with LocalAws(port={port}) as aws:
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="Waiting", TemplateBody=json.dumps({{"Resources": made}}))
    time.sleep(600)
"""


@pytest.mark.parametrize("doing", [BUSY, DEPLOYING], ids=["a function is busy", "a stack waits"])
@pytest.mark.parametrize("killed", ["the process that started it", "the server"])
def test_nothing_is_left_running_when_it_is_killed_while(killed: str, doing: str, tmp_path: Path) -> None:
    port = free_port()
    mark = tmp_path / "running"
    command = subprocess.Popen(
        [sys.executable, "-c", doing.format(port=port, mark=mark)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        until(lambda: mark.exists() or command.poll() is not None, 60)
        assert mark.exists()
        (server,) = [pid for pid in servers(port) if "local_aws.server" in psutil.Process(pid).cmdline()]
        os.kill(server if killed == "the server" else command.pid, signal.SIGKILL)
        until(lambda: servers(port) == [])
        if killed != "the server":  # else who started it has its folder still, to read the log
            until(lambda: not list(tmp_path.glob("local-aws-*")))
    finally:
        command.kill()
        command.wait()


def test_make_local_ends_when_who_asked_for_it_is_killed(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as output:
        command = subprocess.Popen(
            ["/bin/sh", "-c", f"{sys.executable} -m local_aws up --port={port}; true"],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        until(lambda: "Stop it with Ctrl-C." in log.read_text() or command.poll() is not None, 60)
        (up,) = psutil.Process(command.pid).children()
        command.kill()
        until(lambda: servers(port) == [] and not psutil.pid_exists(up.pid))
        assert not (ROOT / ".local_aws" / "env").exists()
    finally:
        command.kill()
        command.wait()


def test_it_outlives_the_thread_that_started_it() -> None:
    aws = LocalAws()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(aws.__enter__).result()
    try:
        time.sleep(0.5)
        assert aws.controls.runs() == []
    finally:
        aws.stop()


def test_a_wrong_order_is_told_with_what_there_is() -> None:
    with LocalAws() as aws:
        with pytest.raises(ValueError, match="delivery: volume: no such setting; there are retry_delay, duplicates"):
            aws.controls.delivery(volume=11)
        with pytest.raises(ValueError, match="settings: 'lose' is not a valid Token"):
            aws.controls.settings(token="lose")
        with pytest.raises(ValueError, match="fault: 'broken' is not a valid Kind"):
            aws.controls.fault("StartRun", "broken")


def test_it_listens_on_loopback_only() -> None:
    with LocalAws() as aws:
        addresses = {
            connection.laddr.ip
            for pid in servers(aws.port)
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
    assert addresses == {"127.0.0.1"}


def test_a_taken_port_is_told_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalAwsError) as error, LocalAws(port=port):
            pass
    assert str(error.value) == (
        f"Port {port} of 127.0.0.1 is taken: stop what listens there, or name another port with --port."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--port", "70000"], "argument --port: was '70000': must be a port, 1 to 65535"),
        (
            ["up", "--speed", "0"],
            "argument --speed: was '0': must be a number above 0, such as 60 for a minute a second",
        ),
        (
            ["up", "--token", "lose"],
            "argument --token: invalid choice: 'lose' (choose from 'replay', 'conflict', 'forget')",
        ),
        (
            ["up", "--cancel-of-finished", "no"],
            "invalid choice: 'no' (choose from 'conflict', 'validation', 'not-found')",
        ),
        ([], "the following arguments are required: command"),
    ],
)
def test_a_wrong_argument_is_told_at_once(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_aws", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(message)


def test_a_wrong_setting_is_told_with_what_the_server_said() -> None:
    with pytest.raises(LocalAwsError, match="volume: no such setting"), LocalAws(settings={"volume": 11}):
        pass


def test_every_name_that_is_mended_exists_in_the_pinned_ministack() -> None:
    mends.check_names()


def test_another_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "9.9.9")
    with pytest.raises(RuntimeError, match=r"ministack 9\.9\.9 is installed, but local_aws mends 1\.5\.33"):
        mends.check_names()


def test_a_name_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(importlib.import_module("ministack.core.lambda_runtime"), "ProvidedWorker")
    with pytest.raises(RuntimeError, match=r"has no ministack\.core\.lambda_runtime\.ProvidedWorker"):
        mends.check_names()


def test_a_server_whose_parent_is_gone_does_not_start() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_aws.server", "--parent=1", "--folder=nowhere"],
        cwd=ROOT,
        env={**os.environ, "MINISTACK_ACCOUNT_ID": "123456789012"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "the process that started this one is gone" in done.stderr
