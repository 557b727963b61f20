"""The README's tables of arguments and attributes, from the construct; ``python -m docs.reference`` writes them."""

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import docstring_parser

from cdk_healthomics import HealthOmicsRun, model
from cdk_healthomics.declared import Declared
from cdk_healthomics_handler.names import START_RUN
from docs import marked

README: Final = Path(__file__).parents[1] / "README.md"
_NOT_OF_INTEREST: Final = {"self", "scope", "construct_id"}


def tables() -> Mapping[str, str]:
    """Each table as Markdown, by the name of its marks in the README."""
    return {
        "arguments": _table(("argument", "type", START_RUN, "what"), _arguments()),
        "attributes": _table(("attribute", "what"), _attributes()),
    }


def _arguments() -> Iterator[tuple[str, ...]]:
    init = HealthOmicsRun.__init__
    described = {each.arg_name: each.description or "" for each in docstring_parser.parse(init.__doc__ or "").params}
    members = {argument: member for member, argument in model.arguments().items()}
    for name, argument in inspect.signature(init).parameters.items():
        if name not in _NOT_OF_INTEREST:
            required = ", required" if argument.default is inspect.Parameter.empty else ""
            member = f"`{members[name]}`" if name in members else ""
            yield f"`{name}`", f"`{_type(argument.annotation)}`{required}", member, _plain(described[name])


def _attributes() -> Iterator[tuple[str, ...]]:
    found: dict[str, object] = {}
    for each in (HealthOmicsRun, Declared):
        found |= {name: member for name, member in vars(each).items() if name not in found}
    for name, member in found.items():
        if isinstance(member, property) and not name.startswith(("_", "cdk_")):
            yield f"`{name}`", _plain(member.__doc__ or "")


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
    for each, content in tables().items():
        marked.write(README, each, content)
