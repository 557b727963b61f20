"""What stands beside the versions of the site: the list for their menus, and the way to the newest.

``python -m docs.versions build/site /`` writes them, by the folders that are there, for a site whose address is ``/``.
"""

import json
import re
import sys
from pathlib import Path
from typing import Final

LIST: Final = "versions.json"
_FIRST_PAGE: Final = "docs/index.html"


def write(site: Path, address: str) -> None:
    """Write the list of versions, the newest first, and the page that leads to it.

    Args:
        site: the folder that has one for each version.
        address: where the site is, with a slash at its end; the theme's menu puts a version and a page behind it.

    Raises:
        ValueError: the folder holds no version.
    """
    found = sorted((each.name for each in site.iterdir() if _numbers(each.name)), key=_numbers, reverse=True)
    if not found:
        raise ValueError(f"{site} holds no version: must have folders such as 0.1.0. Build the site with `make docs`.")
    versions = [{"version": each, "url": f"{address}{each}/", "preferred": each == found[0]} for each in found]
    (site / LIST).write_text(json.dumps(versions, indent=2), encoding="utf-8")
    (site / "index.html").write_text(
        f'<!doctype html><meta http-equiv="refresh" content="0; url={found[0]}/{_FIRST_PAGE}">'
        f'<title>cdk-healthomics</title><a href="{found[0]}/{_FIRST_PAGE}">cdk-healthomics {found[0]}</a>\n',
        encoding="utf-8",
    )
    (site / ".nojekyll").touch()  # GitHub Pages leaves out folders such as _static otherwise


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+\.\d+\.\d+", version) else ()


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
