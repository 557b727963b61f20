"""How long a person waits for a real ``cdk deploy`` of one run on the local AWS, synthesis and upload included.

    python -m benchmarks deploys

Each deploy is of a stack of its own into an account that has none of the assets yet. The rounds are interleaved.
"""

import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import boto3

from benchmarks import stack_app
from benchmarks.peers import HANDLERS, unpack_handlers
from benchmarks.report import Table, spread
from benchmarks.synthesis import NAMES
from local_aws.process import REGION, ROOT, LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS: Final = 3
_OVER_HTTP: Final = '''
"""The local AWS is answered over http; crhelper knows https only."""
import http.client
import crhelper.utils
crhelper.utils.HTTPSConnection = lambda host, **_: http.client.HTTPConnection(host)
'''


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each deploy, by kind."""
    seconds: dict[str, list[float]] = {kind: [] for kind in stack_app.KINDS}
    with tempfile.TemporaryDirectory() as made, _environment(), LocalAws(settings={"start_rate": None}) as aws:
        handlers = Path(made)
        unpack_handlers(handlers)
        plain = handlers / "bundle" / "plain_crhelper.py"
        plain.write_text(plain.read_text() + _OVER_HTTP)
        aws.bootstrap()
        for index in range(rounds):
            for kind, measured in seconds.items():
                _forget_assets(aws)
                name = f"{kind.capitalize()}{index}"
                with tempfile.TemporaryDirectory() as out:
                    app = [sys.executable, stack_app.__file__, kind, "1", out, name, made]
                    began = time.monotonic()
                    aws.cdk(
                        "deploy", "--app", " ".join(app), "--output", out, "--require-approval", "never", cwd=handlers
                    )
                    measured.append(time.monotonic() - began)
        if len(aws.controls.runs()) != rounds * (len(stack_app.KINDS) - 1):
            raise RuntimeError(f"HealthOmics holds {len(aws.controls.runs())} runs, not one of each deploy")
    return seconds


def table(seconds: dict[str, list[float]]) -> Table:
    """The figures side by side."""
    bare = median(seconds["bare"])
    rows = [(NAMES[kind], spread(each, 1), f"{median(each) / bare:.2f}") for kind, each in seconds.items()]
    return Table(("stack with one run", "cdk deploy, s", "÷ no run"), rows)


@contextmanager
def _environment() -> "Iterator[None]":
    """What the local AWS passes on: functions in Node find the SDK that Lambda's runtime has."""
    before = dict(os.environ)
    os.environ["NODE_PATH"] = str(ROOT / "node_modules")
    os.environ["NODE_OPTIONS"] = f"--require={HANDLERS / 'loopback_names.cjs'}"
    os.environ["PYTHONPATH"] = os.pathsep.join(str(ROOT / source) for source in ("constructs", "lambda"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _forget_assets(aws: LocalAws) -> None:
    bucket = boto3.Session("test", "test", region_name=REGION).resource("s3", endpoint_url=aws.url)
    for each in bucket.buckets.all():
        each.objects.all().delete()
