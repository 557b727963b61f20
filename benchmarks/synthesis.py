"""What a stack full of runs costs at synth time: whole processes, beside as many of the CDK's plain custom resources.

    python -m benchmarks.synthesis [--runs 1 50 200 400] [--rounds 3]

CPU time of the app's process and of the Node process behind it. The rounds are interleaved; each figure is a median.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

APP: Final = """
import sys
from aws_cdk import App, CustomResource, Stack, aws_iam, aws_lambda, aws_logs

kind, runs, outdir = sys.argv[1], int(sys.argv[2]), sys.argv[3]
app = App(outdir=outdir)
stack = Stack(app, "Cohort")
aws_logs.LogGroup(stack, "Own")
inputs = {"output_uri": "s3://my-bucket/runs", "workflow_id": "1"}
if kind != "bare":
    role = aws_iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/run")
if kind == "run":
    from cdk_healthomics import HealthOmicsRun
if kind == "plain":
    code = aws_lambda.Code.from_inline("def handler(event, context): pass")
    runtime = aws_lambda.Runtime.PYTHON_3_13
    token = aws_lambda.Function(stack, "Function", runtime=runtime, handler="index.handler", code=code).function_arn
for index in range(0 if kind == "bare" else runs):
    name, asked = f"Sample{index:05}", {"sample_name": f"NA{index:05}", "ref_fasta": "s3://my-bucket/ref/hg38.fa"}
    if kind == "run":
        HealthOmicsRun(stack, name, role=role, parameters=asked, **inputs)
    else:
        named = {"roleArn": role.role_arn, "parameters": asked, **inputs}
        CustomResource(stack, name, service_token=token, resource_type="Custom::HealthOmicsRun", properties=named)
app.synth()
"""
KINDS: Final = {"bare": "no run", "plain": "CustomResource and a function", "run": "HealthOmicsRun"}


def seconds(kind: str, runs: int, folder: Path) -> tuple[float, int, int]:
    """CPU seconds of one synth, and the resources and bytes of its template."""
    out = folder / "cdk.out"
    app = folder / "app.py"
    app.write_text(APP)
    command = [sys.executable, str(app), kind, str(runs), str(out)]
    with subprocess.Popen(command) as process:  # noqa: S603 - ours
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        raise RuntimeError(f"{kind} with {runs} runs could not be synthesized")
    template = (out / "Cohort.template.json").read_text()
    compact = json.dumps(json.loads(template), separators=(",", ":"))
    return usage.ru_utime + usage.ru_stime, len(json.loads(template).get("Resources", {})), len(compact)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 50, 200, 400])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print("| runs | construct | CPU s (median, spread) | ÷ no run | ms a run | resources | template bytes a run |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for runs in given.runs:
            measured: dict[str, list[tuple[float, int, int]]] = {kind: [] for kind in KINDS}
            for _ in range(given.rounds):
                for kind, found in measured.items():
                    found.append(seconds(kind, runs, Path(folder)))
            bare = statistics.median(each[0] for each in measured["bare"])
            for kind, found in measured.items():
                times = sorted(each[0] for each in found)
                middle, (_, resources, size) = statistics.median(times), found[0]
                a_run = "" if kind == "bare" else f"{(middle - bare) / runs * 1000:.1f}"
                of_template = "" if kind == "bare" else f"{size / runs:,.0f}"
                print(
                    f"| {runs} | {KINDS[kind]} | {middle:.2f} ({times[0]:.2f}-{times[-1]:.2f}) | {middle / bare:.2f} | "
                    f"{a_run} | {resources} | {of_template} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
