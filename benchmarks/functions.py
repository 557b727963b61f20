"""Each handler as processes of its own, doing the same work: cold and warm Creates, memory, calls, bytes.

    python -m benchmarks functions

The rounds are interleaved, so that a busy moment of the machine meets every handler. Everything goes over TLS on
loopback; Lambda's own start, much the same for all, is not in the figures.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from statistics import median
from typing import Any, Final
from uuid import uuid4

import trustme

from benchmarks.function_process import FunctionProcess, base_environment
from benchmarks.peers import CUSTOM, OURS, PLAIN, REQUEST_ID, RUN_ID, Peer, peers
from benchmarks.report import Budget, Table, spread
from local_aws.healthomics import HealthOmics, Settings
from local_aws.healthomics.service import Response
from local_aws.loopback import serving
from tests.events import PROPERTIES, new_event

ROUNDS: Final = 15
WARM: Final = 10
_ANSWERS: Final = "/answers/"
_INVOKE: Final = "/2015-03-31/functions/"


@dataclass
class Figures:
    """What was measured of one handler; times in milliseconds, memory in megabytes, sizes in bytes."""

    name: str
    unpacked: int
    zipped: int
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    create_calls: int = 0
    delete_calls: int = 0


class Service:
    """HealthOmics, CloudFormation's ear and Lambda's Invoke, over TLS."""

    def __init__(self, folder: Path) -> None:
        self.omics = HealthOmics(Settings(start_rate=None, stopping=0.0))
        self.heard: dict[str, tuple[float, dict[str, Any]]] = {}
        self.calls = 0
        """Requests so far, of every kind."""
        self.behind: FunctionProcess | None = None
        self._start_behind: tuple[Peer, dict[str, str]] | None = None
        authority = trustme.CA()
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self._tls = SSLContext(PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "workflows-localhost", "127.0.0.1").configure_cert(self._tls)

    @contextmanager
    def up(self) -> Iterator[str]:
        """Serve; yields the URL."""
        with serving(self._count, self._answer, self._invoke, self.omics.handle, tls=self._tls) as url:
            yield url.replace("127.0.0.1", "localhost")

    @contextmanager
    def function_behind(self, peer: Peer, environment: dict[str, str]) -> Iterator[None]:
        """Let the peer's Invoke start the function that it has behind it; a cold start of its own."""
        self._start_behind = (peer, environment)
        try:
            yield
        finally:
            self._start_behind = None
            if self.behind:
                self.behind.stop()
                self.behind = None

    def _count(self, *_: object) -> None:
        self.calls += 1

    def _answer(self, method: str, path: str, _: str, body: bytes) -> Response | None:
        if method != "PUT" or not path.startswith(_ANSWERS):
            return None
        self.heard[path.removeprefix(_ANSWERS)] = (time.monotonic(), json.loads(body))
        return Response(200, {}, b"")

    def _invoke(self, method: str, path: str, _: str, body: bytes) -> Response | None:
        if method != "POST" or not path.startswith(_INVOKE) or not self._start_behind:
            return None
        peer, environment = self._start_behind
        self.behind = self.behind or FunctionProcess(peer.behind, environment)
        return Response(200, {}, json.dumps(self.behind.invoke(json.loads(body))).encode())


def measure(rounds: int = ROUNDS, warm: int = WARM, *, installing: bool = True) -> list[Figures]:
    """Measure every handler.

    Args:
        rounds: how many processes of each.
        warm: how many further Creates in each.
        installing: whether those are measured that install something from a registry.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = Service(folder)
        url = stack.enter_context(service.up())
        environment = base_environment(url, service.authority)
        measured = [
            (peer, Figures(peer.name, *peer.sizes)) for peer in peers(folder) if installing or not peer.installs
        ]
        for index in range(rounds):
            for peer, figures in measured:
                if peer.rounds is None or index < peer.rounds:
                    with tempfile.TemporaryDirectory() as own:
                        own_environment = {**environment, **peer.environment, "TMPDIR": own}
                        _round(peer, figures, service, own_environment, warm)
    return [figures for _, figures in measured]


def table(measured: list[Figures]) -> Table:
    """The figures side by side."""
    base = next(figures for figures in measured if figures.name == CUSTOM)
    rows = [
        (
            figures.name,
            spread(figures.cold),
            f"{median(figures.cold) / median(base.cold):.2f}",
            spread(figures.warm, 1),
            f"{median(figures.warm) / median(base.warm):.2f}",
            f"{median(figures.memory):.0f}",
            f"{median(figures.memory) / median(base.memory):.2f}",
            f"{figures.create_calls} / {figures.delete_calls}",
            f"{figures.unpacked / 1000:,.0f} / {figures.zipped / 1000:,.0f}",
        )
        for figures in measured
    ]
    columns = (
        "handler",
        "cold Create, ms",
        f"÷ {CUSTOM}",
        "warm Create, ms",
        f"÷ {CUSTOM}",
        "peak memory, MB",
        f"÷ {CUSTOM}",
        "calls, Create / Delete",
        "asset, KB unpacked / zipped",
    )
    return Table(columns, rows)


def budgets(measured: list[Figures]) -> list[Budget]:
    """What we hold ourselves to."""
    named = {figures.name: figures for figures in measured}
    ours, custom, plain = named[OURS], named[CUSTOM], named[PLAIN]
    return [
        Budget(f"cold Create ÷ {CUSTOM}'s", 1.35, median(ours.cold) / median(custom.cold)),
        Budget("cold Create ÷ that of crhelper with boto3 bundled", 0.65, median(ours.cold) / median(plain.cold)),
        Budget(f"warm Create ÷ {CUSTOM}'s", 0.5, median(ours.warm) / median(custom.warm)),
        Budget(f"peak memory ÷ {CUSTOM}'s", 0.6, median(ours.memory) / median(custom.memory)),
        Budget(f"asset, zipped ÷ {CUSTOM}'s", 0.7, ours.zipped / custom.zipped),
        Budget("calls of a Create, the answer counted", 2, ours.create_calls),
        Budget("calls of a Delete, the check of the uuid and the wait included", 4, ours.delete_calls),
    ]


def _round(peer: Peer, figures: Figures, service: Service, environment: dict[str, str], warm: int) -> None:
    url = environment["AWS_ENDPOINT_URL"]
    with service.function_behind(peer, environment):
        events = [_event(peer, url, "Create") for _ in range(1 + warm)]
        before = service.calls
        process = FunctionProcess(peer.command, environment)
        process.invoke(events[0])
        at, answer = service.heard[events[0]["RequestId"]]
        if answer["Status"] != "SUCCESS":
            raise RuntimeError(f"{peer.name}: {answer['Reason']}")
        if peer.installs and not Path(environment["TMPDIR"], peer.installs).exists():
            raise RuntimeError(f"{peer.name}: npm did not install {peer.installs}; is its registry reachable?")
        figures.cold.append((at - process.began) * 1000)
        figures.create_calls = service.calls - before
        for event in events[1:]:
            sent = time.monotonic()
            process.invoke(event)
            figures.warm.append((service.heard[event["RequestId"]][0] - sent) * 1000)
        before = service.calls
        deletion = _event(peer, url, "Delete", answer["PhysicalResourceId"], events[0]["LogicalResourceId"])
        process.invoke(deletion)
        if service.heard[deletion["RequestId"]][1]["Status"] != "SUCCESS":
            raise RuntimeError(f"{peer.name}: {service.heard[deletion['RequestId']][1]['Reason']}")
        figures.delete_calls = service.calls - before
        figures.memory.append(process.peak_memory + (service.behind.peak_memory if service.behind else 0))
        process.stop()


def _event(
    peer: Peer, url: str, request_type: str, physical_id: str | None = None, logical_id: str | None = None
) -> dict[str, Any]:
    """An event of one resource: each Create is another's."""
    request_id = str(uuid4())
    text = json.dumps(peer.properties).replace(REQUEST_ID, request_id).replace(RUN_ID, physical_id or "")
    more = {"PhysicalResourceId": physical_id} if physical_id else {}
    return new_event(
        request_type,
        {"ServiceToken": PROPERTIES["ServiceToken"], **json.loads(text)},
        response_url=f"{url}{_ANSWERS}{request_id}",
        signed_at=datetime.now(UTC),
        RequestId=request_id,
        LogicalResourceId=logical_id or f"Run{request_id[:8]}",
        **more,
    )
