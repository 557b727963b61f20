"""The tools that look at a user's stack, run as a user runs them, and what they say in one form."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from local_aws.process import ROOT

PYTHON: Final = ROOT / "build" / "packs" / "bin" / "python"
"""Of the environment that ``make packs`` makes."""
HERE: Final = Path(__file__).parent
SOURCES: Final = os.pathsep.join(str(ROOT / source) for source in ("constructs", "lambda"))
CONTEXT: Final = {"boundary": "boundary"}
"""What examples/regulated.py asks for."""
TOOLS: Final = ("cdk-nag 2", "cdk-nag 3", "cfn-guard", "checkov")


class Finding(NamedTuple):
    """What a tool says, and of which resource."""

    rule: str
    path: str
    """The resource's, in the construct tree."""


class Acknowledgement(NamedTuple):
    """What an app answers to a finding beforehand."""

    rule: str
    """With the finding in brackets, where the rule has findings."""
    path: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """An app, and where its assemblies are: that of cdk-nag 2, and that of the others."""

    old: Path
    new: Path

    def findings(self, tool: str) -> list[Finding]:
        """What a tool says of the resources that the library made."""
        found = {"cdk-nag 2": self._annotations, "checkov": self._checkov}.get(tool, lambda: self._reported(tool))
        return sorted({each for each in found() if self.is_own(each.path)})

    def is_own(self, path: str) -> bool:
        """Whether a resource is the library's, or in a construct of it."""
        return any(f"{path}/".startswith(f"{own}/") for own in self._own)

    def declared(self) -> list[Acknowledgement]:
        """What the library's resources answer, as cdk-nag 2 reads it in the template."""
        resources = _read(next(self.old.glob("*.template.json")))["Resources"]
        return self._of_own(
            Acknowledgement(_named(said["id"], finding), self._paths[name], said["reason"])
            for name, resource in resources.items()
            for said in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", ())
            for finding in said.get("applies_to", [""])
        )

    def acknowledged(self) -> list[Acknowledgement]:
        """What the library's constructs answer, as cdk-nag 3 reads it."""
        return self._of_own(
            Acknowledgement(rule, path, reason)
            for path, data in _metadata(self.new, "aws:cdk:acknowledged-rules")
            for rule, reason in data.items()
        )

    def matched(self) -> list[Acknowledgement]:
        """What cdk-nag 2 found of the library's resources, and found answered."""
        lines = [line for report in self.old.glob("*-NagReport.json") for line in _read(report)["lines"]]
        return self._of_own(
            _matched(line["ruleId"], line["resourceId"], line["exceptionReason"])
            for line in lines
            if line["compliance"] == "Suppressed"
        )

    def _of_own(self, said: Iterable[Acknowledgement]) -> list[Acknowledgement]:
        return sorted(each for each in said if self.is_own(each.path))

    @cached_property
    def _own(self) -> list[str]:
        return list(_read(self.new / "own.json"))

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {name: path for path, name in _metadata(self.new, "aws:cdk:logicalId")}

    def _annotations(self) -> Iterator[Finding]:
        for kind in ("aws:cdk:error", "aws:cdk:warning"):
            for path, text in _metadata(self.old, kind):
                rule, colon, _ = text.partition(": ")
                if colon:
                    yield Finding(rule, path)

    def _reported(self, tool: str) -> Iterator[Finding]:
        is_guard = tool == "cfn-guard"
        for plugin in _read(self.new / "validation-report.json")["pluginReports"]:
            if ("guard" in plugin["pluginName"]) is is_guard:
                for violation in plugin["violations"]:
                    rule = (
                        violation["description"].partition("]")[0].removeprefix("[")
                        if is_guard
                        else violation["ruleName"]
                    )
                    yield from (Finding(rule, each["constructPath"]) for each in violation["violatingConstructs"])

    def _checkov(self) -> Iterator[Finding]:
        template = next(self.new.glob("*.template.json"))
        said = _run(
            [str(PYTHON.with_name("checkov")), "--file", str(template), "--framework", "cloudformation"],
            ["--output", "json", "--skip-download", "--soft-fail"],
        )
        results = json.loads(said)
        assert results["summary"]["parsing_errors"] == 0, said
        assert results["results"]["passed_checks"], said
        for check in results["results"]["failed_checks"]:
            yield Finding(check["check_id"], self._paths[check["resource"].rpartition(".")[2]])


def checked(app: Path, place: Path) -> Checked:
    """Synthesize an app with the tools at its root."""
    assert PYTHON.exists(), f"{PYTHON} is missing: make packs"
    found = Checked(place / "old", place / "new")
    for python, out, tools in (
        (sys.executable, found.old, ["cdk-nag 2"]),
        (str(PYTHON), found.new, ["cdk-nag 3", "cfn-guard"]),
    ):
        out.mkdir()
        # Where a tool finds something, synthesis ends with an error after the reports are written.
        said = _run([python, str(HERE / "checked_app.py"), str(app), str(out)], tools, may_fail=True)
        assert (out / "own.json").exists(), said
    assert (found.new / "validation-report.json").exists(), said
    return found


def _run(command: list[str], arguments: list[str], *, may_fail: bool = False) -> str:
    environment = {**os.environ, "PYTHONPATH": SOURCES, "CDK_CONTEXT_JSON": json.dumps(CONTEXT)}
    done = subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert may_fail or done.returncode == 0, done.stderr
    return done.stdout or done.stderr


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _metadata(assembly: Path, kind: str) -> Iterator[tuple[str, Any]]:
    """What the constructs of an assembly's stacks say of one kind, with their paths."""
    entries: Mapping[str, Any] = _read(next(assembly.glob("*.metadata.json")))
    for path, said in entries.items():
        yield from ((path.removeprefix("/"), each["data"]) for each in said if each["type"] == kind)


def _named(rule: str, finding: str) -> str:
    return f"{rule}[{finding}]" if finding else rule


def _matched(rule: str, path: str, reason: str) -> Acknowledgement:
    """Of a line in cdk-nag 2's report: the reason begins with the finding in brackets, where there is one."""
    if not reason.startswith("["):
        return Acknowledgement(rule, path, reason)
    finding, _, text = reason.removeprefix("[").rpartition("] ")
    return Acknowledgement(_named(rule, finding), path, text)
