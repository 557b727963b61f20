"""The function's code: the handler package, the installed crhelper and botocore's model of HealthOmics.

Put together from what is installed, with no Docker, no network and no pip; the same versions give the same bytes.
"""

import atexit
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cdk_healthomics import model
from cdk_healthomics_handler.names import SERVICE

HANDLER: Final = "cdk_healthomics_handler.handler.handler"
_PACKAGES: Final = ("cdk_healthomics_handler", "crhelper")
_NO_CODE: Final = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed")


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
        shutil.copytree(_installed(package), folder / package, ignore=_NO_CODE)
    shutil.copytree(model.folder(), folder / "models" / SERVICE / model.folder().name, ignore=_NO_CODE)
    return folder


def _installed(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"{package} is not installed, but the function of HealthOmicsRun needs its code: "
            "install cdk-healthomics with its dependencies (pip install cdk-healthomics)."
        )
    return Path(spec.origin).parent
