"""A cohort as one batch: each line of a CSV file, which has the columns sample, bam and sex, becomes a run.

    npx cdk deploy --app "python examples/sample_cohort.py" -c sheet=examples/cohort.csv

The sheet has a thousand samples; a batch may have a hundred times as many. Another line in the sheet is another batch
of all samples: those that come later are better a sheet, and a batch, of their own.
"""

import csv
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack, aws_s3

from cdk_healthomics import HealthOmicsRunBatch, RunSetting

app = App()
stack = Stack(app, "Cohort")
results = aws_s3.Bucket(stack, "Results")
inputs = aws_s3.Bucket.from_bucket_name(stack, "Inputs", "my-bucket")

with Path(app.node.try_get_context("sheet") or "examples/cohort.csv").open(encoding="utf-8-sig", newline="") as sheet:
    settings = (
        RunSetting(line["sample"], parameters=line, run_tags={"sex": line["sex"]}) for line in csv.DictReader(sheet)
    )
    cohort = HealthOmicsRunBatch(
        stack, "Batch", workflow_id="1234567", output_uri=results.s3_url_for_object("cohort"), run_settings=settings
    )

results.grant_read_write(cohort.role)
inputs.grant_read(cohort.role)
CfnOutput(stack, "BatchId", value=cohort.batch_id)
app.synth()
