"""Events of CloudFormation's, requests and runs for tests, each as complete as the real ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session

from cdk_healthomics_handler import start_run
from cdk_healthomics_handler.event import Request
from cdk_healthomics_handler.mark import Did, Mark
from cdk_healthomics_handler.names import SERVICE, START_RUN, OwnershipTag
from cdk_healthomics_handler.run import Run

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/Genomes/0a1b2c3d-0000-4000-8000-000000000001"
LOGICAL_ID = "VariantCalling4F2A"
REQUEST_ID = "11111111-2222-4333-8444-555555555555"
ROLE_ARN = "arn:aws:iam::123456789012:role/run"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

MODEL = botocore.session.get_session().get_service_model(SERVICE)
MEMBERS: Mapping[str, Any] = getattr(MODEL.operation_model(START_RUN).input_shape, "members", {})

PROPERTIES: Mapping[str, Any] = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "WorkflowId": "1234567",
    "RoleArn": ROLE_ARN,
    "OutputUri": "s3://bucket/runs",
    "Parameters": '{"sample_name":"NA12878","scatter":24}',
}


def new_event(
    request_type: str = "Create",
    properties: Mapping[str, Any] | None = None,
    *,
    response_url: str = "https://127.0.0.1:1/answer",
    signed_at: datetime | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """An event as Lambda gets it; ``fields`` are further members of it, or others' values."""
    signed = f"?X-Amz-Date={signed_at:%Y%m%dT%H%M%SZ}&X-Amz-Expires=7200" if signed_at else ""
    return {
        "RequestType": request_type,
        "ServiceToken": PROPERTIES["ServiceToken"],
        "ResponseURL": response_url + signed,
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": LOGICAL_ID,
        "ResourceType": "Custom::HealthOmicsRun",
        "ResourceProperties": dict(PROPERTIES if properties is None else properties),
        **fields,
    }


def new_request(request_type: str = "Create", properties: Mapping[str, Any] | None = None, **fields: Any) -> Request:
    """The request of :func:`new_event`, sent at :data:`NOW`."""
    fields.setdefault("signed_at", NOW)
    return Request.of(new_event(request_type, properties, **fields))


def wanted(request: Request) -> start_run.Wanted:
    """What the request asks for."""
    return start_run.wanted(request, MEMBERS)


def new_run(
    run_id: str = "1000001", *, of: Request | None = None, status: str = "RUNNING", age: float = 0.0, **tags: str
) -> Run:
    """A run of the request's resource, with the definition that the request asks for; ``tags`` override by suffix.

    Its age is by how many seconds it, and the request that started it, are older than :data:`NOW`.
    """
    request = of or new_request()
    asked = wanted(request)
    return Run(
        id=run_id,
        uuid=f"uuid-{run_id}",
        arn=f"arn:aws:omics:us-east-1:123456789012:run/{run_id}",
        status=status,
        output_uri=f"s3://bucket/runs/{run_id}",
        tags={
            **asked.tags,
            OwnershipTag.NEWEST_REQUEST: str(Mark(NOW - timedelta(seconds=age), Did.STARTED, "SUBMITTED", "starter")),
            **{OwnershipTag[name.upper()].value: value for name, value in tags.items()},
        },
        created=NOW - timedelta(seconds=age),
    )
