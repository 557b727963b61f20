"""The bench that experiments are made on: clients, what was deployed, and runs that are found again by their tag."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError

from cdk_healthomics_handler.kind import RUN
from verify_aws.names import ORIGINAL, RUN_NAME, STACK, TAG

T = TypeVar("T")


def code(error: ClientError) -> str:
    """The error's code."""
    return str(error.response["Error"]["Code"])


@dataclass
class Bench:
    """One account in one region.

    Args:
        client: makes a boto3 client of a service.
        session: the value of the tag on all that is made.
        pause: seconds between two looks at what takes minutes.
        limit: seconds after which what does not come is not waited for any more.
        token_looks: seconds after the first StartRun at which its token is tried again.
        say: tells a person how far it has come.
    """

    client: Callable[..., Any]
    session: str
    pause: float = 5.0
    limit: float = 1200.0
    token_looks: tuple[float, ...] = (60.0, 300.0, 900.0)
    say: Callable[[str], None] = print
    _subject: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def omics(self) -> Any:
        """HealthOmics."""
        return self.client("omics")

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """What the stack tells of itself."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {each["OutputKey"].removeprefix("Verify"): each["OutputValue"] for each in stack["Outputs"]}

    def request(self, **members: Any) -> dict[str, Any]:
        """A StartRun request for the greeting workflow; members that are None are left out."""
        asked = {
            "workflowId": self.outputs["WorkflowId"],
            "roleArn": self.outputs["SharedRole"],
            "name": RUN_NAME,
            "outputUri": f"s3://{self.outputs['Bucket']}/runs",
            "parameters": {"sample_name": "verify", "copies": 1, "container": self.outputs["Image"]},
            "storageType": "DYNAMIC",
            "requestId": str(uuid4()),
            "tags": {TAG: self.session},
        }
        return {name: value for name, value in {**asked, **members}.items() if value is not None}

    def start(self, **members: Any) -> dict[str, Any]:
        """Start a run; what StartRun answers, with the request."""
        request = self.request(**members)
        answer: dict[str, Any] = self.omics.start_run(**request)
        at = time.monotonic()
        return {"id": answer["id"], "arn": answer["arn"], "known": {answer["id"]}, "request": request, "at": at}

    def subject(self) -> dict[str, Any]:
        """One run that several experiments look at; started where it has not been."""
        if not self._subject:
            self._subject = self.start(storageType=None, tags={TAG: self.session, ORIGINAL: "yes"})
        return self._subject

    def start_again(self, run: Mapping[str, Any]) -> str:
        """What StartRun says to a request that it has seen; a second run is cancelled at once."""
        try:
            answer = self.omics.start_run(**run["request"])
        except ClientError as error:
            return code(error)
        if answer["id"] in run["known"]:
            return "replayed"
        run["known"].add(answer["id"])
        self.cancel(answer["id"])
        return "new run"

    def cancel(self, run_id: str, client: Any = None) -> str:
        """What CancelRun says."""
        try:
            (client or self.omics).cancel_run(id=run_id)
        except ClientError as error:
            return code(error)
        return "accepted"

    def status(self, run_id: str) -> str:
        """The status of a run."""
        return str(self.omics.get_run(id=run_id)["status"])

    def until(
        self, look: Callable[[], T | None], *, limit: float | None = None, pause: float | None = None
    ) -> T | None:
        """Look until there is something; None: there was nothing within the limit."""
        deadline = time.monotonic() + (self.limit if limit is None else limit)
        while True:
            found = look()
            if found or time.monotonic() >= deadline:
                return found
            time.sleep(self.pause if pause is None else pause)

    def ended(self, run_id: str) -> str | None:
        """Wait until a run has ended; its status, or None where it does not end."""
        return self.until(lambda: status if (status := self.status(run_id)) in RUN.terminal else None)

    def assumed(self, role: str) -> Any:
        """HealthOmics as a role of the stack may call it; the role may be seconds old."""

        def assume() -> Any:
            try:
                return self.client("sts").assume_role(RoleArn=role, RoleSessionName=RUN_NAME)["Credentials"]
            except ClientError as error:
                if code(error) != "AccessDenied":
                    raise
                return None

        given = self.until(assume, limit=60)
        if not given:
            raise RuntimeError(f"{role} could not be assumed within a minute")
        return self.client(
            "omics",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def written(self, kind: str) -> Iterator[dict[str, Any]]:
        """What the probe has written down, oldest first."""
        s3, bucket = self.client("s3"), self.outputs["Bucket"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"probe/{kind}/"):
            for item in page.get("Contents", []):
                yield json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
