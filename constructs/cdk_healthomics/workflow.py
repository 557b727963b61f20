"""A run of a workflow that is declared in the same app: which one it is, and whether the run's parameters fit it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cdk_healthomics.tokens import is_unknown

_NEXTFLOW: Final = "NEXTFLOW"
"""The only engine that has settings (User Guide, "Start a run")."""


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
    """What is wrong with a workflow construct, and with the parameters for it."""
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
    if "parameters_uri" not in arguments:
        yield from _parameter_problems(arguments.get("parameters", {}), workflow.parameter_template)


def warning(arguments: Mapping[str, Any]) -> str | None:
    """What HealthOmics takes, and ignores."""
    engine = getattr(arguments.get("workflow"), "engine", None)
    if "engine_settings" not in arguments or engine is None or is_unknown(engine) or engine == _NEXTFLOW:
        return None
    return (
        f"engine_settings have no effect: the workflow's engine is {engine}, and only {_NEXTFLOW} has settings; "
        "leave them out"
    )


def _is_version(workflow: Any) -> bool:
    from aws_cdk import aws_omics  # noqa: PLC0415 - as above

    # Not every version of aws-cdk-lib that is supported has it.
    version: type | None = getattr(aws_omics, "CfnWorkflowVersion", None)
    return version is not None and isinstance(workflow, version)


def _parameter_problems(parameters: Any, template: Any) -> Iterator[str]:
    """Compare the names of parameters with the workflow's parameter template, as far as both are known."""
    if not isinstance(template, Mapping) or not isinstance(parameters, Mapping) or is_unknown(parameters):
        return
    if any(is_unknown(name) for name in (*parameters, *template)):
        return
    known = ", ".join(repr(name) for name in template)
    for name in parameters:
        if name not in template:
            yield f"parameters[{name!r}] is not in the workflow's parameter_template: must be one of {known}"
    for name, described in template.items():
        if name not in parameters and _required(described):
            yield (
                f"parameters[{name!r}] is missing: the workflow's parameter_template requires it; give it, or make it "
                "optional there"
            )


def _required(described: Any) -> bool:
    """A parameter is required unless its description says that it is optional; a token may say so."""
    optional = described.get("optional") if isinstance(described, Mapping) else getattr(described, "optional", True)
    return optional is None or optional is False
