"""Where the command ``cdk-healthomics-local`` begins: it says what is not installed before anything imports it."""

import importlib.util
import sys
from typing import Final

_OF_THE_EXTRA: Final = ("awslambdaric", "defusedxml", "graphql", "hypercorn", "jsonata", "regex", "yaml")


def _missing(modules: tuple[str, ...]) -> list[str]:
    return [name for name in modules if importlib.util.find_spec(name) is None]


def main() -> int:
    """Do what the command line says; returns the exit code."""
    if missing := _missing(_OF_THE_EXTRA):
        print(
            f"cdk-healthomics-local: {', '.join(missing)} not installed: pip install 'cdk-healthomics[local]'",
            file=sys.stderr,
        )
        return 1
    if _missing(("ministack",)):
        from .mends import MINISTACK  # noqa: PLC0415

        print(
            f"cdk-healthomics-local: ministack is not installed: pip install --no-deps ministack=={MINISTACK}",
            file=sys.stderr,
        )
        return 1
    from .__main__ import main as command  # noqa: PLC0415 - it imports what was looked for above

    return command()


if __name__ == "__main__":
    sys.exit(main())
