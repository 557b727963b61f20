"""The function's code: the handler package, the installed crhelper and what botocore reads.

Put together from what is installed, with no Docker, no network and no pip; the same versions give the same bytes.
Only the files that the function reads are taken, so nothing that lies beside them changes the asset.
"""

import atexit
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cdk_healthomics import runtime_data

HANDLER: Final = "cdk_healthomics_handler.handler.handler"
_PACKAGES: Final = ("cdk_healthomics_handler", "crhelper")
_READABLE: Final = 0o644
"""Lambda runs the function as another user; what was installed under a strict umask would be unreadable to it."""


@cache
def code_folder() -> Path:
    """A folder with the function's code; it lasts as long as this process, long enough for the CDK to copy it.

    Raises:
        ModuleNotFoundError: a package that belongs into the function is not installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="cdk-healthomics-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for package in _PACKAGES:
        # Found, not imported: crhelper reaches for AWS when it is.
        _copy(_installed(package), folder / package)
    for path, content in runtime_data.files():
        target = folder / "models" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(_READABLE)
    return folder


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(_READABLE)


def _installed(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"{package} is not installed, but the function of HealthOmicsRun needs its code: "
            "install cdk-healthomics with its dependencies (pip install cdk-healthomics)."
        )
    return Path(spec.origin).parent
