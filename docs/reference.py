"""The tables of arguments and attributes, from the constructs; ``python -m docs.reference`` writes them."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import docstring_parser

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunBatch, RunSetting, model
from cdk_healthomics.declared import Declared
from cdk_healthomics_handler.names import START_RUN, START_RUN_BATCH
from docs import marked

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"
BATCHES: Final = ROOT / "docs" / "batches.md"
_NOT_OF_INTEREST: Final = {"self", "scope", "construct_id"}


def tables() -> Mapping[tuple[Path, str], str]:
    """Each table as Markdown, by its page and the name of its marks there."""
    of_settings = {argument: member for argument, (member, _) in model.setting_shapes().items()}
    return {
        (README, "arguments"): _arguments(HealthOmicsRun.__init__, START_RUN, _by_argument(START_RUN)),
        (README, "attributes"): _attributes(HealthOmicsRun),
        (BATCHES, "batch arguments"): _arguments(
            HealthOmicsRunBatch.__init__, START_RUN_BATCH, _by_argument(START_RUN_BATCH)
        ),
        (BATCHES, "setting arguments"): _arguments(RunSetting, "InlineSetting", of_settings),
        (BATCHES, "batch attributes"): _attributes(HealthOmicsRunBatch),
    }


def _by_argument(operation: str) -> Mapping[str, str]:
    return {argument: member for member, argument in model.arguments(operation).items()}


def _arguments(documented: Callable[..., Any], shape: str, members: Mapping[str, str]) -> str:
    return _table(("argument", "type", shape, "what"), _argument_rows(documented, members))


def _argument_rows(documented: Callable[..., Any], members: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    parsed = docstring_parser.parse(documented.__doc__ or "")
    described = {each.arg_name: each.description or "" for each in parsed.params}
    for name, argument in inspect.signature(documented).parameters.items():
        if name not in _NOT_OF_INTEREST:
            required = ", required" if argument.default is inspect.Parameter.empty else ""
            member = f"`{members[name]}`" if name in members else ""
            yield f"`{name}`", f"`{_type(argument.annotation)}`{required}", member, _plain(described[name])


def _attributes(construct: type) -> str:
    found: dict[str, object] = {}
    for each in (construct, Declared):
        found |= {name: member for name, member in vars(each).items() if name not in found}
    told = {
        name: member.__doc__ or ""
        for name, member in found.items()
        if isinstance(member, property) and not name.startswith(("_", "cdk_"))
    }
    return _table(("attribute", "what"), ((f"`{name}`", _plain(what)) for name, what in told.items()))


def _type(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)  # the modules of names
    return text.replace(" | None", "").replace("|", "\\|")


def _plain(docstring: str) -> str:
    """One line of Markdown."""
    text = re.sub(r":\w+:`([^`]+)`", r"`\1`", docstring.replace("``", "`"))
    return " ".join(text.split())


def _table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    for (page, name), content in tables().items():
        marked.write(page, name, content)
