"""Which resources of an app had properties overridden: what they hold then is not what they tell.

The CDK keeps the overrides of a resource to itself until it writes the template, so they are noted as they are made.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from aws_cdk import CfnResource

_PATHS: Final[dict[str, list[str]]] = {}
"""By the CDK's own reference: what stands for a resource in Python may be made anew."""
_PROPERTIES: Final = "Properties"
_METHODS: Final = {
    "add_override": "",
    "add_deletion_override": "",
    "add_property_override": f"{_PROPERTIES}.",
    "add_property_deletion_override": f"{_PROPERTIES}.",
}
"""The methods that override, and what stands before the path that they are given."""


def overridden(resource: CfnResource, name: str) -> bool:
    """Whether a property of a resource was overridden so far, in whole or in part.

    Args:
        resource: of the app.
        name: of its property, as in the template.
    """
    paths = _PATHS.get(_reference(resource), ())
    return any(path == _PROPERTIES or f"{path}.".startswith(f"{_PROPERTIES}.{name}.") for path in paths)


def _reference(resource: CfnResource) -> str:
    return str(resource.__jsii_ref__.ref)  # type: ignore[attr-defined]


def _noted(method: Callable[..., None], before: str) -> Callable[..., None]:
    @wraps(method)
    def override(self: CfnResource, *arguments: Any, **named: Any) -> None:
        method(self, *arguments, **named)
        path = arguments[0] if arguments else named.get("path", named.get("property_path"))
        _PATHS.setdefault(_reference(self), []).append(f"{before}{path}")

    return override


for _name, _before in _METHODS.items():
    setattr(CfnResource, _name, _noted(getattr(CfnResource, _name), _before))
