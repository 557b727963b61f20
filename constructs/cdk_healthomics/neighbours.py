"""Constructs of the same app where StartRun wants an id or a name: a run group, a run cache, a configuration.

What they bring is a Ref: so CloudFormation makes them before the run, and deletes them after it. They are known by
their resource type: not every version of aws-cdk-lib that is supported has a class for each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import CfnResource

from cdk_healthomics.messages import shown


@dataclass(frozen=True)
class _Kind:
    argument: str
    """That the construct's Ref stands for."""
    resource_type: str

    @property
    def class_name(self) -> str:
        return f"Cfn{self.resource_type.rpartition('::')[2]}"


KINDS: Final[Mapping[str, _Kind]] = {
    "run_group": _Kind("run_group_id", "AWS::Omics::RunGroup"),
    "run_cache": _Kind("cache_id", "AWS::Omics::RunCache"),
    "configuration": _Kind("configuration_name", "AWS::Omics::Configuration"),
}
"""By the argument that takes the construct."""


def named_by(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with these constructs told as StartRun wants them."""
    named = {name: value for name, value in arguments.items() if name not in KINDS}
    return named | {kind.argument: arguments[name].ref for name, kind in KINDS.items() if name in arguments}


def given(arguments: Mapping[str, Any], argument: str) -> bool:
    """Whether an id or name was given, as such or by its construct."""
    return argument in arguments or any(kind.argument == argument and name in arguments for name, kind in KINDS.items())


def problems(arguments: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with these constructs."""
    for name, kind in KINDS.items():
        if name not in arguments:
            continue
        value = arguments[name]
        if not isinstance(value, CfnResource) or value.cfn_resource_type != kind.resource_type:
            resource = isinstance(value, CfnResource)
            what = f"{value.node.path}, an {value.cfn_resource_type}" if resource else shown(value)
            yield (
                f"{name} was {what}: must be an aws_omics.{kind.class_name}; for "
                f"{'a name' if kind.argument.endswith('name') else 'an id'} use {kind.argument}"
            )
        elif kind.argument in arguments:
            yield (
                f"{name} was {value.node.path} and {kind.argument} was {shown(arguments[kind.argument])}: only one may "
                "be given"
            )
