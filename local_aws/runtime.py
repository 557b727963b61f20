"""Python functions in ministack run through Lambda's own runtime client, ``awslambdaric``, a process each."""

import io
import sys
import zipfile
from functools import lru_cache
from importlib import import_module
from typing import Any

_BOOTSTRAP = f'#!/bin/sh\nexec "{sys.executable}" -m awslambdaric "$_HANDLER"\n'


def install() -> None:
    """Let ministack give Python functions an execution environment that speaks the Lambda Runtime API."""
    runtime: Any = import_module("ministack.core.lambda_runtime")
    inherited = runtime._worker_class_for

    class RuntimeClient(runtime.ProvidedWorker):  # type: ignore[misc]
        """An execution environment whose bootstrap starts awslambdaric."""

        def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
            super().__init__(func_name, config, _with_bootstrap(code_zip))

        def invoke(self, event: Any, request_id: str, **how: Any) -> Any:
            """Run one invocation; what only ministack's own Python shim takes is left out."""
            known = {name: how[name] for name in ("trace_id", "invoked_function_arn") if name in how}
            return super().invoke(event, request_id, **known)

    def worker_class_for(config: dict[str, Any]) -> Any:
        return RuntimeClient if str(config.get("Runtime", "")).startswith("python") else inherited(config)

    runtime._worker_class_for = worker_class_for


@lru_cache(maxsize=8)
def _with_bootstrap(code_zip: bytes) -> bytes:
    """The function's zip with the entry point that a custom runtime has."""
    buffer = io.BytesIO(code_zip)
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, _BOOTSTRAP)
    return buffer.getvalue()
