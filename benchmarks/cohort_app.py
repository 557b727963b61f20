"""The CDK app of the cohorts that are measured: one stack with so many runs.

    python cohort_app.py KIND RUNS OUTDIR

KIND: none (an empty stack), run (a HealthOmicsRun for each), batch (one HealthOmicsRunBatch). Every kind imports the
same modules: what differs is the construct.
"""

import sys
from typing import Final

from aws_cdk import App, Stack, aws_iam

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, RunSetting

STACK: Final = "Cohort"
_OUT: Final = "s3://cohort/runs"


def main(kind: str, runs: str, out: str) -> None:
    """Synthesize it."""
    app = App(outdir=out)
    stack = Stack(app, STACK)
    role = aws_iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/run")
    samples = ((f"NA{number:06}", {"bam": f"s3://cohort/NA{number:06}.bam"}) for number in range(int(runs)))
    if kind == "run":
        for sample, parameters in samples:
            HealthOmicsRun(stack, sample, workflow_id="1", output_uri=_OUT, role=role, parameters=parameters)
    elif kind == "batch":
        settings = (RunSetting(sample, parameters=parameters) for sample, parameters in samples)
        HealthOmicsRunBatch(stack, "Batch", workflow_id="1", output_uri=_OUT, role=role, run_settings=settings)
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])
