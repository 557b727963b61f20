"""The command ``cdk-healthomics-local up|demo|environment``; in the repository it is ``python -m local_aws``."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from . import demo
from .healthomics import CancelOfFinished, Token
from .process import LocalAws, LocalAwsError

_HIGHEST_PORT: Final = 65535
_TOKENS: Final[Mapping[str, Mapping[str, Any]]] = {
    "replay": {"token": Token.REPLAY},
    "conflict": {"token": Token.CONFLICT},
    "forget": {"token_remembered": 0},
}
_WATCH: Final = 0.2
_ENVIRONMENT: Final = Path(".local_aws", "env")  # of the folder where it is called


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"was {text!r}: must be a port, 1 to {_HIGHEST_PORT}")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"was {text!r}: must be a number above 0, such as 60 for a minute a second")
    return speed


def _wait(text: str) -> float:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"was {text!r}: must be whole seconds, such as 60")
    return float(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cdk-healthomics-local", description="An AWS on this machine, for trying.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="deploy a small app with the real CDK CLI, show the run, destroy it")
    environment = commands.add_parser("environment", help="print what to export, for the local AWS of this folder")
    environment.add_argument("--wait", type=_wait, default=0.0, help="seconds that it may take to come up (default: 0)")
    up = commands.add_parser("up", help="keep a local AWS up until Ctrl-C")
    up.add_argument("--port", type=_port, default=4566, help="of 127.0.0.1 (default: 4566)")
    up.add_argument("--speed", type=_speed, default=1.0, help="of HealthOmics' clock (default: 1)")
    up.add_argument("--token", choices=_TOKENS, default="replay", help="what StartRun does with a known requestId")
    up.add_argument(
        "--cancel-of-finished",
        choices=[each.value for each in CancelOfFinished],
        default=CancelOfFinished.CONFLICT.value,
        help="how CancelRun refuses a run that has ended",
    )
    return parser


def _stay_up(given: argparse.Namespace) -> None:
    settings = {**_TOKENS[given.token], "cancel_of_finished": given.cancel_of_finished}
    _ENVIRONMENT.unlink(missing_ok=True)  # of one that was killed
    with LocalAws(port=given.port, speed=given.speed, settings=settings) as aws:
        print("Bootstrapping …", flush=True)
        aws.bootstrap()
        tools = {name: value for name, value in aws.environment.items() if name in {"PATH", "JSII_NODE"}}
        exports = {**aws.variables, **tools}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
        _ENVIRONMENT.parent.mkdir(exist_ok=True)
        part = _ENVIRONMENT.with_suffix(".part")
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.replace(_ENVIRONMENT)  # `environment --wait` sees all of it or nothing
        print("\n".join(line for line in lines if not line.startswith("export PATH")))
        print(f"\nThe local AWS is up at {aws.url}. In another terminal:\n\n    source {_ENVIRONMENT.resolve()}\n")
        print("Stop it with Ctrl-C.", flush=True)
        try:
            while os.getppid() == given.parent:  # else nobody could stop it, such as where `make local` was killed
                time.sleep(_WATCH)
        finally:
            _ENVIRONMENT.unlink(missing_ok=True)


def _tell_environment(wait: float) -> None:
    deadline = time.monotonic() + wait
    while not _ENVIRONMENT.exists():
        if time.monotonic() >= deadline:
            raise LocalAwsError(
                f"{_ENVIRONMENT.resolve()} is not there: start a local AWS in this folder with "
                "`cdk-healthomics-local up`, and while it comes up ask with --wait 60."
            )
        time.sleep(_WATCH)
    print(_ENVIRONMENT.read_text(encoding="utf-8"), end="")


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def main() -> int:
    """Do what the command line says; returns the exit code."""
    given = _parser().parse_args(namespace=argparse.Namespace(parent=os.getppid()))
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell may have started it with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        if given.command == "demo":
            demo.show()
        elif given.command == "environment":
            _tell_environment(given.wait)
        else:
            _stay_up(given)
    except LocalAwsError as error:
        print(f"cdk-healthomics-local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130 if given.command == "demo" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
