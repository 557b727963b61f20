"""The child process that is the local AWS: ministack with HealthOmics plugged in. Started by ``local_aws.process``."""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from . import definitions, events, logs, mends, network, objects, prices, rules, runtime
from .controls import routes
from .healthomics import Clock, HealthOmics, Kind, Settings
from .loopback import serving

_WATCH: Final = 0.2
_GRACE: Final = 5.0
"""Seconds to end in order: what waits for a custom resource would otherwise go on for an hour."""


def _end_with_parent(parent: int, folder: Path) -> None:
    """End this process when the one that started it is gone, however it went.

    PR_SET_PDEATHSIG would not do: it tells of the thread that started this process, and that may end long before.
    """
    if os.getppid() != parent:
        sys.exit("local_aws: the process that started this one is gone")

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH)
        shutil.rmtree(folder, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _end_functions_with_this() -> None:
    """Let a process of its own kill what this one has started once it is gone, even killed: a pipe ends then."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # else it would kill the group of who started this one, too
    reading, _writing = os.pipe()  # functions do not inherit the writing end, so it ends with this process
    subprocess.Popen(["/bin/sh", "-c", "trap '' INT TERM; read _; kill -KILL 0"], stdin=reading)
    os.close(reading)


def _plug_in(service: HealthOmics) -> None:
    """Let ministack route HealthOmics' requests, told by their signature, to the service."""
    application, router = import_module("ministack.app"), import_module("ministack.core.router")

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes]:
        del headers
        response = service.handle(method, path, urlencode(query, doseq=True), body)
        if response is None:
            return 404, {"x-amzn-errortype": "UnknownOperationException"}, b'{"message": "no such operation here"}'
        if response.fault:  # ministack holds the connection: a lost one is shown as a failed gateway
            if response.fault.kind in {Kind.HANG_BEFORE, Kind.HANG_AFTER}:
                await asyncio.sleep(response.fault.hang)
            return 502, {}, b""
        return response.status, dict(response.headers), response.body

    router.SERVICE_PATTERNS["omics"] = {"host_patterns": [r"omics\."]}
    application.SERVICE_HANDLERS["omics"] = handle


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--delivery", type=json.loads, default={})
    parser.add_argument("--speed", type=float, default=1.0)
    given = parser.parse_args()
    _end_with_parent(given.parent, given.folder)
    _end_functions_with_this()

    mends.check_names()
    settings = Settings()
    settings.change(given.settings)
    service = HealthOmics(settings, Clock(given.speed), account=os.environ["MINISTACK_ACCOUNT_ID"])
    resources = mends.CustomResources(mends.Delivery(**given.delivery))
    resources.install()
    runtime.install()
    rules.install(resources.delivery)
    _plug_in(service)
    definitions.install(service)
    network.install()
    logs.install(service)
    prices.install()
    service.read_object = objects.read
    events.publish(service, events.on_the_default_bus, events.is_heard)
    with serving(routes(service, resources.delivery)) as controls:
        print(json.dumps({"controls": controls}), flush=True)  # noqa: T201 - the parent reads it
        application: Any = import_module("ministack.app")
        sys.argv = ["ministack"]
        application.main()


if __name__ == "__main__":
    main()
