"""What a stack's template says, overrides and all: resources' properties, the types of parameters and mappings."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsii
from aws_cdk import CfnResource, ISynthesisSession, Stack, StackSynthesizer

if TYPE_CHECKING:
    from aws_cdk import cx_api


class Template:
    """Of one stack. It is rendered once, and only where something of it is asked."""

    def __init__(self, stack: Stack) -> None:
        self._stack: Final = stack
        self.is_rendered: bool = False
        """Whether it is being rendered for us just now."""

    def parameter_type(self, name: str) -> str | None:
        """The type of a parameter, such as ``Number``; None where there is none of this name: a resource has it."""
        declared = self._content.get("Parameters", {}).get(name)
        return str(declared.get("Type", "String")) if declared else None

    def mapped(self, name: Any, first: Any, second: Any) -> list[Any]:
        """The values in a mapping that two keys can lead to; a key that is not text may be any of them."""
        mapping = self._content.get("Mappings", {}).get(name, {}) if isinstance(name, str) else {}
        return [value for inner in _under(mapping, first) for value in _under(inner, second)]

    def properties(self, resource: CfnResource) -> Mapping[str, Any]:
        """The properties of a resource of the stack."""
        name = self._stack.resolve(resource.logical_id)
        found: Mapping[str, Any] = self._content["Resources"][name].get("Properties", {})
        return found

    @cached_property
    def _content(self) -> Mapping[str, Any]:
        self.is_rendered = True
        try:
            return _Renderer().content(self._stack)
        finally:
            self.is_rendered = False


def _under(mapping: Mapping[str, Any], key: Any) -> Iterator[Any]:
    if not isinstance(key, str):
        yield from mapping.values()
    elif key in mapping:
        yield mapping[key]


class _Renderer(StackSynthesizer):
    """Renders a template for ourselves: the CDK tells the contents of a CfnMapping in no other way."""

    def content(self, stack: Stack) -> Mapping[str, Any]:
        from aws_cdk import cx_api  # noqa: PLC0415 - a fiftieth of a second, only where a template is rendered

        self.bind(stack)
        with tempfile.TemporaryDirectory(prefix="cdk-healthomics-") as folder:
            self._synthesize_template(_Session(cx_api.CloudAssemblyBuilder(folder)))
            content: Mapping[str, Any] = json.loads((Path(folder) / stack.template_file).read_text())
        return content

    def add_file_asset(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def add_docker_image_asset(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def synthesize(self, session: ISynthesisSession) -> None:
        raise NotImplementedError


@jsii.implements(ISynthesisSession)
class _Session:
    """jsii finds properties, not attributes."""

    outdir = property(lambda self: self._assembly.outdir)
    assembly = property(lambda self: self._assembly)
    validate_on_synth = property(lambda _: False)

    def __init__(self, assembly: "cx_api.CloudAssemblyBuilder") -> None:
        self._assembly: Final = assembly
