"""The run that the clients look at: two tasks, of which one uses a quarter of what it asks for."""

from typing import Any, Final

from local_aws.healthomics import Order
from local_aws.process import LocalAws

TASKS: Final = (
    Order("align", running=300, cpus=4, memory=8, cpus_used=1, memory_used=2),
    Order("sort", after=300, running=60, cpus_used=2, memory_used=4),
)
FAILING: Final = (Order("align", running=60), Order("sort", fails=("TASK_OOM", "Killed")))
ROLE_ARN: Final = "arn:aws:iam::123456789012:role/omics"
RUNNING: Final = 600
"""Seconds that each run takes."""


def workflow(aws: LocalAws) -> str:
    """A workflow, of the only engine for which the analyzer writes a configuration; returns its id."""
    template = {"sample": {"description": "who"}}
    made = aws.client("omics").create_workflow(
        name="germline", engine="NEXTFLOW", definitionUri="s3://bucket/germline.zip", parameterTemplate=template
    )
    return str(made["id"])


def completed(aws: LocalAws, workflow_id: str, name: str, **settings: Any) -> dict[str, Any]:
    """A run that has gone through its tasks."""
    aws.controls.tasks_of_next(*TASKS)
    omics = aws.client("omics")
    run_id = omics.start_run(
        workflowId=workflow_id,
        roleArn=ROLE_ARN,
        name=name,
        outputUri="s3://bucket/runs",
        parameters={"sample": name},
        storageType="DYNAMIC",
        **settings,
    )["id"]
    aws.controls.advance(RUNNING + 1)
    run: dict[str, Any] = omics.get_run(id=run_id)
    assert run["status"] == "COMPLETED"
    return run
