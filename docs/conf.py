"""How Sphinx makes the site: the Markdown of the tree as it stands, and the API from the docstrings."""

import shlex
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring

import cdk_healthomics

project = "cdk-healthomics"
version = release = cdk_healthomics.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinxcontrib.mermaid"]

# The tree's root is the source folder, so that a link leads to the same page here and on a forge.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "examples/**.md"]

nitpicky = True
# Documented elsewhere, and no build asks the network.
nitpick_ignore_regex = [
    ("py:.*", r"(aws_\w+|collections|constructs|enum|jsii|pathlib)\..*"),
    ("py:class", r"cdk_healthomics\.kind\.Kind"),  # between the parts of the library only
]
autodoc_class_signature = "separated"  # the class says what it is, __init__ what it takes; jsii's metaclass hides that
autodoc_default_options = {
    "members": True,
    "undoc-members": True,  # the values of enums
    "member-order": "bysource",
    "show-inheritance": True,
}
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
# Drawn without a browser, while the site is built: no reader loads a script from elsewhere.
mermaid_cmd = shlex.quote(str(Path(sys.executable).with_name("mermaidx")))
mermaid_output_format = "svg"
mermaid_params = ["-b", "white"]  # the lines are dark, also where the page is

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "switcher": {"json_url": "../versions.json", "version_match": version},
    "show_version_warning_banner": True,
    "check_switcher": False,  # docs/versions.py writes it, beside the versions
    "navbar_start": ["navbar-logo", "version-switcher"],
    "navbar_center": [],  # every page is in the sidebar
    "navigation_with_keys": False,
}
html_title = project
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_sidebars = {"**": ["globaltoc"]}
html_show_sourcelink = False


def _google_style(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """What sphinx.ext.napoleon does, which would also take "The id: unique." of a property for a type and its text."""
    lines[:] = GoogleDocstring(lines, what="method").lines()


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _google_style)
