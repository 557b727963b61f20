"""The calls to HealthOmics, one try each: who calls decides whether to try again."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from cdk_healthomics_handler.decision import Gone
from cdk_healthomics_handler.event import PhysicalId, Request
from cdk_healthomics_handler.names import START_RUN
from cdk_healthomics_handler.refusal import Refusal, classify
from cdk_healthomics_handler.run import DELETED, Run

if TYPE_CHECKING:
    from mypy_boto3_omics import OmicsClient

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class HealthOmics:
    """HealthOmics as the handler uses it."""

    def __init__(self, client: "OmicsClient") -> None:
        self._client = client

    @property
    def members(self) -> Mapping[str, Any]:
        """StartRun's members and their shapes, from botocore's model."""
        shape = self._client.meta.service_model.operation_model(START_RUN).input_shape
        return shape.members if shape else {}

    def start(self, request: Mapping[str, Any]) -> Run:
        """StartRun."""
        return Run.of(self._client.start_run(**request))

    def cancel(self, run: Run) -> None:
        """CancelRun."""
        self._client.cancel_run(id=run.id)

    def read(self, physical_id: PhysicalId) -> Run | Gone:
        """GetRun of the run with this id and this uuid."""
        run = self._get(physical_id.run_id)
        return run if run and run.uuid == physical_id.uuid else Gone.GONE

    def tag(self, run: Run, add: Mapping[str, str], remove: Collection[str] = ()) -> None:
        """Change a run's tags, the removal first: a run holds at most 50."""
        if remove:
            self._client.untag_resource(resourceArn=run.arn, tagKeys=list(remove))
        if add:
            self._client.tag_resource(resourceArn=run.arn, tags=dict(add))

    def search(
        self,
        request: Request,
        names: Collection[str],
        statuses: Collection[str],
        since: datetime | None,
        until: str | None = None,
    ) -> tuple[Run, ...]:
        """Find runs of the request's resource, newest first.

        Args:
            request: whose stack and logical id the runs' tags must name.
            names: the names that the runs can have; ListRuns cannot filter by tags.
            statuses: those that matter.
            since: a run created after this matters in any status but DELETED; None: no other run matters.
            until: look no further than to a run with this definition.
        """
        listed = [item for name in names for item in self._list(name)]
        listed.sort(key=lambda item: item.get("creationTime") or LONG_AGO, reverse=True)
        matter = [
            item["id"]
            for item in listed
            if item["status"] != DELETED
            and (item["status"] in statuses or (since and item.get("creationTime", since) >= since))
        ]
        found = []
        for run_id in dict.fromkeys(matter):
            run = self._get(run_id)
            if run and run.belongs_to(request):
                found.append(run)
                if until and run.defined_by(until):
                    break
        return tuple(found)

    def _list(self, name: str) -> Iterator[Mapping[str, Any]]:
        for page in self._client.get_paginator("list_runs").paginate(name=name):
            yield from page["items"]

    def _get(self, run_id: str) -> Run | None:
        try:
            return Run.of(self._client.get_run(id=run_id))
        except ClientError as error:
            if classify(error) is Refusal.GONE:
                return None
            raise
