"""Assets: the function's code (the handler package, the installed crhelper, what botocore reads), and files.

Put together from what is installed, with no Docker, no network and no pip; the same versions give the same bytes.
Only the files that the function reads are taken, so nothing that lies beside them changes the asset.
"""

import ast
import atexit
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from aws_cdk import Stack, Stage

from cdk_healthomics import runtime_data
from constructs import Construct

HANDLER: Final = "cdk_healthomics_handler.handler.handler"
_OURS: Final = "cdk_healthomics_handler"
_PACKAGES: Final = (_OURS, "crhelper")
_NO_STAGING: Final = "aws:cdk:disable-asset-staging"
"""The CLI's ``--no-staging`` (cx-api): assets are taken from where they are."""
_READABLE: Final = 0o644
"""Lambda runs the function as another user; what was installed under a strict umask would be unreadable to it."""


def code_of(stack: Stack) -> Path:
    """The folder with the code of a stack's function; it lasts until the CDK has taken what is in it.

    Raises:
        ModuleNotFoundError: a package that belongs into the function is not installed, or without its source.
    """
    kept = _kept(stack, "cdk-healthomics")
    if kept is None:
        return code_folder()
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(code_folder(), kept)
    return kept


def file_of(owner: Construct, file: Path) -> Path:
    """A file that is an asset of a construct, where the CDK can take it."""
    kept = _kept(Stack.of(owner), f"{owner.node.addr}{file.suffix}")
    return file if kept is None else Path(shutil.copyfile(file, kept))


def _kept(stack: Stack, name: str) -> Path | None:
    """Where an asset must be put to outlast this process, when the CLI takes it from there; else None."""
    if not stack.node.try_get_context(_NO_STAGING):
        return None
    stage: Any = Stage.of(stack)
    return Path(stage.asset_outdir) / name


@cache
def code_folder() -> Path:
    """A folder with the function's code; it lasts as long as this process, long enough for the CDK to copy it."""
    folder = Path(tempfile.mkdtemp(prefix="cdk-healthomics-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for package in _PACKAGES:
        for path, content in _sources(package):
            _write(folder / package / path, _executed(content) if package == _OURS else content)
    for path, content in runtime_data.files():
        _write(folder / "models" / path, content)
    return folder


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(_READABLE)


def _executed(source: bytes) -> bytes:
    """A module without what only people and type checkers read, each line where it was: a third less to load."""
    lines = ["" if line.lstrip().startswith("#") else line for line in source.decode().split("\n")]
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            lines[first : last + 1] = [" " * node.col_offset + '""', *[""] * (last - first)]
    return "\n".join(lines).encode()


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement of a module; what is inside of expressions, most of it, is not looked at."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield each
            yield from _statements(each)


def _sources(package: str) -> Iterator[tuple[str, bytes]]:
    """The source files of an installed package, which may be inside an archive, by their paths in it."""
    # Found, not imported: crhelper reaches for AWS when it is.
    spec = find_spec(package)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(
            f"{package} is not installed, but the function of HealthOmicsRun needs its code: "
            "install cdk-healthomics with its dependencies (pip install cdk-healthomics)."
        )
    root = spec.loader.get_resource_reader(package).files()  # type: ignore[attr-defined] # of files and of archives
    found = dict(_files(root))
    modules = {path.removesuffix(".pyc") for path in found if path.endswith(".pyc")} | {"__init__"}
    missing = sorted(module for module in modules if f"{module}.py" not in found)
    if missing:
        raise ModuleNotFoundError(
            f"{package} is installed without its source: {root} has no {missing[0]}.py, but the function of "
            "HealthOmicsRun is made of it; install cdk-healthomics and its dependencies with their .py files."
        )
    yield from ((path, file.read_bytes()) for path, file in found.items() if path.endswith(".py"))


def _files(folder: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for each in sorted(folder.iterdir(), key=lambda each: str(each.name)):
        if each.is_dir() and each.name != "__pycache__":
            yield from _files(each, f"{before}{each.name}/")
        elif each.is_file():
            yield f"{before}{each.name}", each
