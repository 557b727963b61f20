"""A run of a workflow that is declared in the same app: which one it is, and whether the run's parameters fit it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import CfnResource

from cdk_healthomics.messages import listed, shown

_NEXTFLOW: Final = "NEXTFLOW"
"""The only engine that has settings (User Guide, "Start a run")."""
_AS_IN: Final = "as in the workflow's parameter_template"


def named_by(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with ``workflow``, where it is given, told as StartRun wants it."""
    workflow = arguments.get("workflow")
    if workflow is None:
        return dict(arguments)
    others = {name: value for name, value in arguments.items() if name != "workflow"}
    if _is_version(workflow):
        return others | {"workflow_id": workflow.workflow_id, "workflow_version_name": workflow.version_name}
    return others | {"workflow_id": workflow.attr_id}


def problems(arguments: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a workflow construct as it is given."""
    if "workflow" not in arguments:
        return
    workflow = arguments["workflow"]
    from aws_cdk import aws_omics  # noqa: PLC0415 - a twentieth of a second, only where a workflow is given

    if not isinstance(workflow, aws_omics.CfnWorkflow) and not _is_version(workflow):
        yield (
            f"workflow was a {type(workflow).__name__}: must be an aws_omics.CfnWorkflow or CfnWorkflowVersion; "
            "for an id use workflow_id"
        )
        return
    if _is_version(workflow) and "workflow_version_name" in arguments:
        yield (
            f"workflow_version_name was {arguments['workflow_version_name']!r} beside a workflow that is a version: "
            "must be left out; the CfnWorkflowVersion has a name of its own"
        )


@dataclass(frozen=True)
class Comparison:
    """What a run asks of its workflow construct, to be compared with what the final template has of that."""

    workflow: CfnResource
    parameters: Sequence[str] | None
    """The names; None: they are not known here."""
    has_settings: bool

    def problems(self, properties: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the run's parameters.

        Args:
            properties: the workflow's in the template, whatever has overridden them.
        """
        template: Any = properties.get("ParameterTemplate")
        if self.parameters is not None and _is_known(template):
            yield from _parameter_problems(self.parameters, template)

    def warning(self, properties: Mapping[str, Any]) -> str | None:
        """What HealthOmics takes, and ignores; the properties as for :meth:`problems`."""
        engine = properties.get("Engine")
        if not self.has_settings or not isinstance(engine, str) or engine == _NEXTFLOW:
            return None
        return (
            f"engine_settings have no effect: the workflow's engine is {engine}, and only {_NEXTFLOW} has settings; "
            "leave them out"
        )


def comparison(arguments: Mapping[str, Any], parameters: Collection[str] | None) -> Comparison | None:
    """What is to be compared of a run; None: its workflow is no construct, or its version none."""
    workflow = arguments.get("workflow")
    # A version that is named beside its workflow has properties of its own.
    if workflow is None or ("workflow_version_name" in arguments and not _is_version(workflow)):
        return None
    names = None if parameters is None else tuple(parameters)
    return Comparison(workflow, names, "engine_settings" in arguments)


def _is_version(workflow: Any) -> bool:
    from aws_cdk import aws_omics  # noqa: PLC0415 - as above

    # Not every version of aws-cdk-lib that is supported has it.
    version: type | None = getattr(aws_omics, "CfnWorkflowVersion", None)
    return version is not None and isinstance(workflow, version)


def _is_known(template: Any) -> bool:
    """Whether a parameter template is there, and no function of CloudFormation makes it or one of its parameters."""
    return isinstance(template, Mapping) and not any(
        name.startswith("Fn::") or not isinstance(each, Mapping) or any(key == "Ref" or "::" in key for key in each)
        for name, each in template.items()
    )


def _parameter_problems(parameters: Sequence[str], template: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Compare the names of parameters with the workflow's parameter template."""
    unknown = [name for name in parameters if name not in template]
    free = [name for name in template if name not in parameters]
    # Some tools write a WDL workflow's name before its inputs, and some do not.
    prefix, long = _most_common_prefix(unknown, set(free))
    lacking, known = _most_common_prefix(free, set(unknown))
    meant: dict[str, str] = {}
    if long and len(long) >= len(known):
        meant = {name: name.removeprefix(prefix) for name in long}
        yield f"{_named(long, 'begins', 'begin')} with {shown(prefix)}: must be without it, {_AS_IN}"
    elif known:
        meant = {name.removeprefix(lacking): name for name in known}
        yield f"{_named(list(meant), 'lacks', 'lack')} {shown(lacking)}: must begin with it, {_AS_IN}"
    unknown = [name for name in unknown if name not in meant]
    free = [name for name in free if name not in meant.values()]
    if unknown:
        allowed = f"must be one of {listed(free)}" if free else "must be left out, for all that it has are given"
        yield f"{_named(unknown, 'is', 'are')} not in the workflow's parameter_template: {allowed}"
    missing = [name for name in free if _required(template[name])]
    if missing:
        them = "it" if len(missing) == 1 else "them"
        yield (
            f"{_named(missing, 'is', 'are')} missing: the workflow's parameter_template requires {them}; give {them}, "
            f"or make {them} optional there"
        )


def _most_common_prefix(names: Sequence[str], others: Collection[str]) -> tuple[str, list[str]]:
    """The prefix that stands before most of the names whose rest is one of the others; and those names."""
    found: dict[str, list[str]] = {}
    for name in names:
        for end in range(1, len(name)):
            if not name[end - 1].isalnum() and name[end:] in others:
                found.setdefault(name[:end], []).append(name)
    return max(found.items(), key=lambda item: len(item[1]), default=("", []))


def _named(names: Sequence[str], one: str, many: str) -> str:
    if len(names) == 1:
        return f"parameters[{shown(names[0])}] {one}"
    return f"{len(names)} names in parameters, {listed(names)}, {many}"


def _required(described: Mapping[str, Any]) -> bool:
    """A parameter is required unless its description says that it is optional; a function of CloudFormation may."""
    return described.get("Optional") in (None, False, "false")
