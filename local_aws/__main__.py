"""The command line: ``python -m local_aws up|demo``, which `make local` and `make demo` call."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import Any, Final

from local_aws import demo
from local_aws.healthomics import CancelOfFinished, Token
from local_aws.process import ROOT, LocalAws, LocalAwsError

_HIGHEST_PORT: Final = 65535
_TOKENS: Final[Mapping[str, Mapping[str, Any]]] = {
    "replay": {"token": Token.REPLAY},
    "conflict": {"token": Token.CONFLICT},
    "forget": {"token_remembered": 0},
}
_WATCH: Final = 0.2
_ENVIRONMENT: Final = ROOT / ".local_aws" / "env"


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="An AWS on this machine, for trying.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="deploy app.py with the real CDK CLI, show the run, destroy it")
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
    with LocalAws(port=given.port, speed=given.speed, settings=settings) as aws:
        print("Bootstrapping …", flush=True)
        aws.bootstrap()
        exports = {**aws.variables, "PATH": aws.environment["PATH"], "JSII_NODE": aws.environment["JSII_NODE"]}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
        _ENVIRONMENT.parent.mkdir(exist_ok=True)
        _ENVIRONMENT.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print("\n".join(line for line in lines if not line.startswith("export PATH")))
        print(f"\nThe local AWS is up at {aws.url}. In another terminal:\n\n    source {_ENVIRONMENT}\n")
        print("Stop it with Ctrl-C.", flush=True)
        try:
            while os.getppid() == given.parent:  # else nobody could stop it, such as where `make local` was killed
                time.sleep(_WATCH)
        finally:
            _ENVIRONMENT.unlink(missing_ok=True)


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
        else:
            _stay_up(given)
    except LocalAwsError as error:
        print(f"local_aws: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130 if given.command == "demo" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
