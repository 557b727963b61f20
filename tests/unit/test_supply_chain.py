"""What this project is built from is named by hash or commit, and its workflows may do no more than they need."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTALLS = re.compile(r"pip (?:install|sync)|uv build")


def recipes() -> list[str]:
    """The Makefile's commands, each on one line."""
    return re.findall(r"^\t(.+)", (ROOT / "Makefile").read_text().replace("\\\n", " "), re.MULTILINE)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_action_is_pinned_by_commit_with_its_version_beside_it(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), action


def test_an_action_has_one_version_in_all_workflows() -> None:
    used = {each for workflow in WORKFLOWS for each in re.findall(r"uses: (\S+)@(\S+)", workflow.read_text())}
    assert len(used) == len({name for name, _ in used})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_at_most_and_a_job_names_what_it_needs_beyond(workflow: Path) -> None:
    (top,) = re.findall(r"^permissions:(.*(?:\n  .+)*)", workflow.read_text(), re.MULTILINE)
    assert top.partition("#")[0].strip() in {"{}", "contents: read"}
    assert "secrets." not in workflow.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_each_requirement_of_a_lock_has_a_hash_and_no_host(lock: Path) -> None:
    text = lock.read_text()
    requirements = re.findall(r"^[\w.-]+==\S+(?: ;.*?)? \\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(requirements) == len(re.findall(r"^\w", text, re.MULTILINE)) > 0
    assert "://" not in text


def test_whatever_make_installs_from_a_registry_is_named_by_hash() -> None:
    # The newest versions are what `make newest` is for; a wheel that was built here comes from no registry.
    here = ("build/$@", "dist/*.whl")
    installing = [line for line in recipes() if INSTALLS.search(line) and not any(each in line for each in here)]
    assert len(installing) == 7
    assert [line for line in installing if "--require-hashes" not in line] == []


def test_the_build_backend_is_bounded_and_locked() -> None:
    bounded = re.compile(r"[\w-]+>=[\d.]+,<\d+")
    assert all(bounded.fullmatch(each) for each in PYPROJECT["build-system"]["requires"])
    assert set(PYPROJECT["build-system"]["requires"]) <= set(PYPROJECT["dependency-groups"]["release"])
