"""The child process that is the local AWS: ministack with HealthOmics plugged in. Started by ``local_aws.process``."""

import argparse
import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlencode

from local_aws import mends, runtime
from local_aws.controls import routes
from local_aws.healthomics import Clock, HealthOmics, Settings
from local_aws.loopback import serving

_PR_SET_PDEATHSIG: Final = 1


def _end_with_parent(parent: int) -> None:
    """Ask Linux to end this process when the one that started it dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("local_aws: the process that started this one is gone")


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
            return 502, {}, b""
        return response.status, dict(response.headers), response.body

    router.SERVICE_PATTERNS["omics"] = {"host_patterns": [r"omics\."]}
    application.SERVICE_HANDLERS["omics"] = handle


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--delivery", type=json.loads, default={})
    parser.add_argument("--speed", type=float, default=1.0)
    given = parser.parse_args()
    _end_with_parent(given.parent)

    mends.check_names()
    settings = Settings()
    settings.change(given.settings)
    service = HealthOmics(settings, Clock(given.speed), account=os.environ["MINISTACK_ACCOUNT_ID"])
    resources = mends.CustomResources(mends.Delivery(**given.delivery))
    resources.install()
    runtime.install()
    _plug_in(service)
    with serving(routes(service, resources.delivery)) as controls:
        print(json.dumps({"controls": controls}), flush=True)  # noqa: T201 - the parent reads it
        application: Any = import_module("ministack.app")
        sys.argv = ["ministack"]
        application.main()


if __name__ == "__main__":
    main()
