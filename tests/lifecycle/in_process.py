"""The handler in the test's own process, on the service's clock: thousands of invocations in a minute.

The real boto3 clients, decision, crhelper and answer run; what is left out is the network between the clients and the
service, and the waiting: a pause puts the service's clock forward. A kill is an exception that nothing catches.
"""

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from cdk_healthomics_handler import clients, handler
from cdk_healthomics_handler.healthomics import HealthOmics as Calls
from cdk_healthomics_handler.pace import Clock, Pace
from local_aws.healthomics import HealthOmics
from local_aws.healthomics.service import Response
from local_aws.loopback import Route

REMAINING = 900.0


class Killed(BaseException):
    """The process ends here."""


class Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The body, in one piece."""
        yield self.read()


def answered_without_network(request: Any, response: Response) -> AWSResponse:
    """What botocore gets of an answer."""
    headers = HTTPHeaders()
    for name, value in response.headers.items():
        headers[name] = value
    return AWSResponse(request.url, response.status, headers, Raw(response.body))


class Context:
    """Lambda's context, as an invocation begins."""

    function_name = "provider"
    aws_request_id = "lambda-request"

    def __init__(self, remaining: float = REMAINING) -> None:
        self._remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop this invocation."""
        return int(self._remaining * 1000)


class InProcess:
    """Invokes the handler here."""

    def __init__(self, service: HealthOmics, route: Route) -> None:
        self._service = service
        self._route = route
        self._kills: list[str] = []

    def kill_after(self, operation: str) -> None:
        """End the next invocation when this operation has been done, before its answer is seen."""
        self._kills.append(operation)

    def invoke(self, event: Mapping[str, Any]) -> bool:
        """Invoke the handler once; whether it returned."""
        try:
            handler.handler(dict(event), Context())
        except (Killed, RuntimeError):
            return False
        finally:
            self._kills.clear()
        return True

    def clock(
        self, pace: Pace, *, remaining: float, service_timeout: float, sent_at: datetime | None, look: bool
    ) -> Clock:
        """The handler's clock: the service's."""
        assert not look, "no run is waited for here"
        now = self._service.clock.now

        def put_forward(seconds: float) -> None:
            self._service.clock.advance(seconds)

        clock = Clock(
            pace,
            started=0.0,
            ends=0.0,
            sent_at=sent_at,
            monotonic=now,
            now=lambda: datetime.fromtimestamp(now(), UTC),
            sleep=put_forward,
        )
        clock.start(remaining=remaining, service_timeout=service_timeout)
        return clock

    def send(self, request: Any, **_: Any) -> AWSResponse:
        """Answer a client's request without a network."""
        parts = urlsplit(request.url)
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.encode()
        response = self._route(request.method, parts.path, parts.query, body)
        assert response, request.url
        if response.fault:
            raise ConnectionClosedError(endpoint_url=request.url)  # what botocore makes of a lost connection
        return answered_without_network(request, response)

    def after(self, model: Any, **_: Any) -> None:
        """End the process where that was ordered."""
        if model.name in self._kills:
            self._kills.remove(model.name)
            raise Killed

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the handler use this clock and these clients."""
        session = boto3.Session("test", "test", region_name="us-east-1")
        omics = session.client("omics", config=clients.CONFIG)
        cloudformation = session.client("cloudformation", config=clients.CONFIG)
        for client in (omics, cloudformation):
            client.meta.events.register("before-send", cast("Any", self.send))  # its answer is the response
            client.meta.events.register("after-call", self.after)
        calls = Calls(omics)
        quiet = logging.getLogger()
        level = quiet.level
        with (
            patch.object(clients, "healthomics", lambda: calls),
            patch.object(clients, "cloudformation", lambda: cloudformation),
            patch.object(handler, "Clock", type("ServiceClock", (), {"of": staticmethod(self.clock)})),
        ):
            yield
        quiet.setLevel(level)
