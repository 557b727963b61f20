"""A run for each sample of a sheet: a CSV file with the columns sample, fastq_1 and fastq_2.

    npx cdk deploy --app "python examples/sample_sheet.py" -c sheet=examples/samples.csv

A line more in the sheet, deployed again, starts one run more and leaves the others alone; a line less cancels its run.
The runs share one role: a stack has room for more of them then.
"""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack, aws_s3

from cdk_healthomics import HealthOmicsRun, RunRole

COLUMNS = ("sample", "fastq_1", "fastq_2")


def read(sheet: str) -> list[dict[str, str]]:
    """The samples of a sheet; what is wrong with it is told by file and line, all of it at once."""
    try:
        with Path(sheet).open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                sys.exit(f"{sheet}:1: the columns were {reader.fieldnames}; must be {', '.join(COLUMNS)}")
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        sys.exit(f"{sheet}: cannot be read: {error}")
    first_lines: dict[str | None, int] = {}
    problems = [f"{sheet}:{line}: {problem}" for line, row in rows for problem in wrong(row, line, first_lines)] or (
        [] if rows else [f"{sheet}: has no samples"]
    )
    if problems:
        sys.exit("\n".join(problems))
    return [row for _, row in rows]


def wrong(row: dict[str, str], line: int, first_lines: dict[str | None, int]) -> Iterator[str]:
    """What is wrong with one line; ``first_lines`` are those of the samples before it."""
    if None in row or None in row.values():
        yield f"must have {len(COLUMNS)} fields: {', '.join(COLUMNS)}"
        return
    sample = row["sample"]
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", sample):
        yield f"sample was {sample!r}; must be letters and digits that begin with a letter: it names the run's resource"
    if (first := first_lines.setdefault(sample, line)) != line:
        yield f"sample {sample!r} is on line {first} already; each must be there once"
    for column in COLUMNS[1:]:
        if not re.fullmatch(r"s3://[^/\s]+/\S+", row[column]):
            yield f"{column} was {row[column]!r}; must be the S3 URI of a file, such as s3://bucket/reads.fastq.gz"


app = App()
samples = read(app.node.try_get_context("sheet") or "examples/samples.csv")

stack = Stack(app, "Cohort")
results = aws_s3.Bucket(stack, "Results")
inputs = aws_s3.Bucket.from_bucket_name(stack, "Inputs", "my-bucket")
role = RunRole(stack, "Role")
results.grant_read_write(role)
inputs.grant_read(role)

for each in samples:
    run = HealthOmicsRun(
        stack,
        each["sample"],
        workflow_id="1234567",
        output_uri=results.s3_url_for_object(each["sample"]),
        parameters={"sample_name": each["sample"], "fastq": [each["fastq_1"], each["fastq_2"]]},
        role=role,
        tags={"sample": each["sample"]},
    )
    CfnOutput(stack, f"RunOf{each['sample']}", value=run.run_id)
app.synth()
