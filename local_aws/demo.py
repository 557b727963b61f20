"""The demo: app.py, which the wheel has too, on a local AWS with the real CDK CLI; its run is shown and destroyed."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .process import ROOT, LocalAws, LocalAwsError

_OF_THE_WHEEL: Final = Path(__file__).with_name("demo_app")
FILES: Final = _OF_THE_WHEEL if _OF_THE_WHEEL.exists() else ROOT
CONTEXT: Final = (
    "-c",
    "workflow_id=1234567",
    "-c",
    "output_uri=s3://healthomics-demo/runs",
    "-c",
    "parameters_file=examples/parameters/warp-germline.json",
)
_SHOWN: Final = ("id", "uuid", "name", "status", "requestId", "roleArn", "outputUri", "runOutputUri")
_MOST_LINES: Final = 12


def show() -> None:
    """Run the demo on the terminal.

    Raises:
        LocalAwsError: a step failed, or HealthOmics does not hold what it must.
    """
    _say("Starting a local AWS")
    with LocalAws(settings={"stopping": 1.0}) as aws:
        print(f"It listens on {aws.url}; nothing leaves this machine.")
        _say("cdk bootstrap")
        aws.bootstrap()
        print("Done.")
        _say("cdk deploy")
        # An output folder of its own: a cdk.out of the user's is left alone.
        app = ("--app", shlex.join([sys.executable, "app.py"]), "--output", str(aws.folder / "cdk.out"), *CONTEXT)
        aws.cdk("deploy", "--require-approval", "never", *app, cwd=FILES, capture=False)
        _say("The run that HealthOmics has now")
        print(table(_only_run(aws)))
        _say("cdk destroy")
        aws.cdk("destroy", "--force", *app, cwd=FILES, capture=False)
        _say("The same run now")
        run = _only_run(aws)
        print(table({name: run[name] for name in ("id", "uuid", "status")}))
        if run["status"] != "CANCELLED":
            raise LocalAwsError(f"run {run['id']} is {run['status']}, not CANCELLED")
    print("\nEverything is stopped.")


def _only_run(aws: LocalAws) -> dict[str, Any]:
    runs = aws.controls.runs()
    if len(runs) != 1:
        raise LocalAwsError(f"HealthOmics holds {len(runs)} runs, not 1")
    return runs[0]


def table(run: Mapping[str, Any]) -> str:
    """A run as two columns; of long parameters the beginning."""
    rows = [(name, str(run[name])) for name in _SHOWN if name in run]
    rows += [(f"tag {key}", value) for key, value in run.get("tags", {}).items()]
    for index, line in enumerate(_parameters(run)):
        rows.append(("" if index else "parameters", line))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def _parameters(run: Mapping[str, Any]) -> list[str]:
    if "parameters" not in run:
        return []
    lines = json.dumps(run["parameters"], indent=2).splitlines()
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} lines more"]


def _say(step: str) -> None:
    print(f"\n── {step} {'─' * (70 - len(step))}", flush=True)
