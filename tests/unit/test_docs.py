"""What the documents name exists: tests, files, commands and arguments."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def names_of_tests() -> set[str]:
    trees = [ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py")]
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_test_that_holds_a_promise_exists() -> None:
    named = set(re.findall(r"\b((?:test_|Test)\w+)(?!\.py)\b(…?)", (ROOT / "docs" / "lifecycle.md").read_text()))
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
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE)) <= targets


def test_the_readme_names_every_argument() -> None:
    tree = ast.parse((ROOT / "constructs" / "cdk_healthomics" / "run.py").read_text())
    (construct,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "HealthOmicsRun")
    (init,) = (node for node in construct.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    readme = (ROOT / "README.md").read_text()
    assert [each.arg for each in init.args.kwonlyargs if f"`{each.arg}`" not in readme] == []
