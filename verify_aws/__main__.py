"""The command line: ``python -m verify_aws [--yes | --clean] [--only …]``, which `make verify-aws` calls."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any, Final
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cdk_healthomics import __version__
from verify_aws.bench import Bench, code
from verify_aws.clean import clean
from verify_aws.names import REPOSITORY, STACK
from verify_aws.plan import EXPERIMENTS, PRICING, TASK_SECONDS, ask, dollars, runs_of
from verify_aws.questions import QUESTIONS
from verify_aws.report import Report

ROOT: Final = Path(__file__).parents[1]
_AGAIN: Final = "make verify-aws clean=yes"
_NO_ACCOUNT: Final = 2


class VerifyError(RuntimeError):
    """The command cannot go on; what it says is for a person."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m verify_aws",
        description="Ask a real AWS account what this project assumes of it. Without --yes: say what would be done.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--yes", action="store_true", help="do it")
    what.add_argument("--clean", action="store_true", help="find and remove what an earlier time has left")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS), help="these experiments")
    parser.add_argument("--image", help=f"of a container in the account's ECR (default: {REPOSITORY}, need not exist)")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "verify-aws", help="folder of the report")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between looks (default: 5)")
    parser.add_argument("--limit", type=float, default=1800.0, help="longest wait in seconds (default: 1800)")
    parser.add_argument(
        "--token-looks",
        type=float,
        nargs="+",
        default=[60.0, 300.0, 900.0],
        help="seconds after StartRun at which its token is used again (default: 60 300 900)",
    )
    return parser


def _client(service: str, **how: Any) -> Any:
    """A client that endures StartRun's quota, of where the environment points."""
    given = {"config": Config(retries={"mode": "standard", "total_max_attempts": 12}), **how}
    return boto3.client(service, **given)  # type: ignore[call-overload]


def _who() -> tuple[str, str]:
    """The account and the region.

    Raises:
        VerifyError: there are no credentials, or no region.
    """
    region = boto3.Session().region_name
    if not region:
        raise VerifyError("No region is set: AWS_REGION=us-east-1, or `aws configure`.")
    try:
        account = _client("sts").get_caller_identity()["Account"]
    except ClientError as error:
        raise VerifyError(
            f"AWS refuses the credentials ({code(error)}): sign in anew, such as by `aws sso login`."
        ) from None
    except BotoCoreError as error:
        raise VerifyError(
            f"No AWS account can be reached: {error}\nSign in first, such as by `aws sso login`, or set AWS_PROFILE."
        ) from None
    return str(account), region


def _plan(names: Sequence[str], account: str, region: str) -> str:
    asked = [(name, QUESTIONS[each].asks) for name in names for each in EXPERIMENTS[name].answers]
    questions = "\n".join(f"  {name:<10} {asks}" for name, asks in asked)
    return f"""\
Account {account}, region {region}{_endpoint()}

With the CDK CLI, stack {STACK} would be deployed: the greeting workflow, a run of it, roles, a bucket and
a function. Up to {runs_of(names)} runs would be started, most of them cancelled at once, and small stacks made.
It takes about half an hour, most of it waiting, to ask:

{questions}

Cost: about ${dollars(names):.2f} if every run came as far as RUNNING and stayed for two minutes; as a rule a few cents.
A task is billed for {TASK_SECONDS} s at least, run storage from RUNNING on, and nothing before (list prices of
us-east-1 as last known to us; look for yours at {PRICING}).
Lambda, S3, EventBridge and CloudFormation: less than a cent. For three seconds the account's quota of
DescribeStackResource would be used up.

All of it is removed at the end, whatever happens. What stays: the workflow's asset in the CDK's own bucket, and log
streams in /aws/omics/WorkflowLog."""


def _endpoint() -> str:
    url = os.environ.get("AWS_ENDPOINT_URL")
    return f", at {url}" if url else ""


def _deploy(bench: Bench, image: str | None, region: str, account: str, folder: Path) -> None:
    try:
        bench.client("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    except ClientError:
        raise VerifyError(f"The CDK is not bootstrapped here: npx cdk bootstrap aws://{account}/{region}") from None
    path = os.pathsep.join(str(ROOT / part) for part in ("constructs", "lambda", "."))
    tools = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]])
    command = ["cdk", "deploy", STACK, "--app", f"{sys.executable} -m verify_aws.app", "--require-approval", "never"]
    command += ["--output", str(folder / "cdk.out"), "-c", f"session={bench.session}"]
    command += ["-c", f"image={image}"] if image else []
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path, "PATH": tools}, check=False)
    if done.returncode:
        raise VerifyError(f"`cdk deploy {STACK}` failed: see above.")


def _experiment(bench: Bench, names: Sequence[str], report: Report) -> None:
    for name in names:
        bench.say(f"\n{name}:")
        for question, observed in ask(bench, name):
            verdict = report.add(question, observed)
            bench.say(f"  {question}: {verdict.seen} [{verdict.outcome}]")


def _clean(bench: Bench, what: str = "Removing what was made:") -> list[str]:
    bench.say(f"\n{what}")
    left = clean(bench)
    bench.say("\n".join(f"  LEFT: {each}" for each in left) or "  Nothing is left.")
    if left:
        bench.say(f"Try again in some minutes: {_AGAIN}")
    return left


def _do(given: argparse.Namespace) -> int:
    account, region = _who()
    bench = Bench(
        _client,
        uuid4().hex[:8],
        given.pause,
        given.limit,
        tuple(given.token_looks),
        lambda text: print(text, flush=True),
    )
    if given.clean:
        print(f"Account {account}, region {region}{_endpoint()}")
        return 1 if _clean(bench) else 0
    print(_plan(given.only, account, region), flush=True)
    if not given.yes:
        print("\nNothing was done. To do it: make verify-aws yes=yes")
        return 0
    about = {
        "cdk-healthomics": __version__,
        "botocore": metadata.version("botocore"),
        "region": region + (" (not AWS: another endpoint)" if _endpoint() else ""),
        "session": bench.session,
    }
    report = Report(given.report, about)
    print(f"\nIf this is killed, what it has made is found and removed by: {_AGAIN}\n", flush=True)
    try:
        if _clean(bench, "Removing what an earlier time has left:"):
            raise VerifyError("What an earlier time has left must go first.")
        _deploy(bench, given.image, region, account, given.report)
        _experiment(bench, given.only, report)
    finally:
        report.left = _clean(bench)
        report.write()
        print(f"\n{report.table()}\n\nAttach it to an issue: {report.path}", flush=True)
    return 1 if report.left else 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _do(given)
    except VerifyError as error:
        print(f"verify-aws: {error}", file=sys.stderr)
        return _NO_ACCOUNT
    except KeyboardInterrupt:
        print(f"\nStopped. Make sure that nothing is left: {_AGAIN}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
