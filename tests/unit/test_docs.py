"""What the documents name exists: tests, files, commands and arguments."""

import ast
import json
import re
from pathlib import Path

import pytest

import cdk_healthomics
from cdk_healthomics_handler.schedule import rule_name
from docs import marked, reference, versions
from tests.events import new_request

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]


def names_of_tests() -> set[str]:
    trees = [ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py")]
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("document", ["lifecycle.md", "networks.md"])
def test_every_test_that_holds_a_promise_exists(document: str) -> None:
    named = set(re.findall(r"\b((?:test_|Test)\w+)(?!\.py)\b(…?)", (ROOT / "docs" / document).read_text()))
    existing = names_of_tests() | {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named
    for name, cut in named:
        assert any(each.startswith(name) if cut else each == name for each in existing), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize(("page", "name"), reference.tables(), ids=lambda part: str(part).rpartition("/")[2])
def test_the_tables_of_the_documents_are_those_of_the_code(page: Path, name: str) -> None:
    """Where this fails: ``make format`` writes them anew."""
    assert marked.is_written(page, name, reference.tables()[page, name])


def test_the_policy_that_hides_the_response_url_names_the_rules_that_hold_it() -> None:
    (statement,) = re.findall(
        r"```json\n(.+?)```", (ROOT / "docs/adr/0012-where-the-response-url-waits.md").read_text(), re.DOTALL
    )
    forbidden = json.loads(statement)
    assert rule_name(new_request()).startswith(forbidden["Resource"].rpartition("/")[2].removesuffix("*"))
    assert forbidden["Action"] == "events:ListTargetsByRule"


def test_a_document_without_the_marks_is_told_and_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks\n")
    with pytest.raises(ValueError, match=r"has 0 parts between `<!-- figures: made by a command -->`"):
        marked.write(page, "figures", "1")
    assert page.read_text() == "no marks\n"


def test_the_changelog_begins_with_what_is_not_released_or_with_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] in {"Unreleased", cdk_healthomics.__version__}
    assert all(re.fullmatch(r"Unreleased|\d+\.\d+\.\d+", version) for version in versions)


def test_every_message_of_the_troubleshooting_table_is_one_that_the_function_writes() -> None:
    sources = [path.read_text() for path in (ROOT / "lambda" / "cdk_healthomics_handler").glob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    written = [str(node.value) for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    table = (ROOT / "README.md").read_text().split("## Troubleshooting")[1].split("\n## ")[0]
    messages = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    assert messages
    for message in messages:
        # The function fills in the operation's name, numbers, statuses and what HealthOmics said.
        parts = [part.strip() for part in re.split(r"…|\b\d+\b|\b[A-Z]{4,}\b|\b(?:Start|Cancel)Run\b", message)]
        told = max(parts, key=len)
        assert any(told in each for each in written), f"{message}: nothing writes {told!r}"


def test_the_index_of_the_site_names_every_page_once_and_nothing_else() -> None:
    docs = ROOT / "docs"
    trees = re.findall(r"```{toctree}\n(.*?)```", (docs / "index.md").read_text(), re.DOTALL)
    lines = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    named = [docs / (line.rpartition("<")[2].removesuffix(">") + ".md") for line in lines]
    pages = [*ROOT.glob("*.md"), *docs.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    assert sorted(page.resolve() for page in named) == sorted({*pages} - {docs / "index.md"})


def test_the_menu_of_the_site_has_the_newest_version_first_by_number_and_the_site_leads_to_it(tmp_path: Path) -> None:
    for name in ("0.9.0", "0.10.0", "0.2.0", "assets"):
        (tmp_path / name).mkdir()
    versions.write(tmp_path, "/genomes/")
    assert json.loads((tmp_path / versions.LIST).read_text()) == [
        {"version": "0.10.0", "url": "/genomes/0.10.0/", "preferred": True},
        {"version": "0.9.0", "url": "/genomes/0.9.0/", "preferred": False},
        {"version": "0.2.0", "url": "/genomes/0.2.0/", "preferred": False},
    ]
    assert 'href="0.10.0/docs/index.html"' in (tmp_path / "index.html").read_text()


def test_a_site_without_a_version_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no version"):
        versions.write(tmp_path, "/")
