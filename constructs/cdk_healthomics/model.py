"""StartRun and StartRunBatch as botocore's model has them: members, limits, patterns and enums are never typed."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore import BOTOCORE_ROOT, xform_name

from cdk_healthomics_handler.names import (
    BATCH_RUN_SETTINGS,
    DEFAULT_RUN_SETTING,
    INLINE_SETTINGS,
    SERVICE,
    START_RUN,
    START_RUN_BATCH,
)

if TYPE_CHECKING:
    from botocore.model import ServiceModel

    from cdk_healthomics_handler.loader import Loader

DERIVED: Final = {"roleArn": "role", "requestId": None, DEFAULT_RUN_SETTING: None, BATCH_RUN_SETTINGS: None}
"""The members that are no argument of the same name: ``role`` stands for one, the token is never the caller's, and what
holds members of its own has those as arguments."""

DATA: Final = str(Path(BOTOCORE_ROOT) / "data")
"""Where the installed botocore keeps all its data."""
_UNASSIGNED: Final = "Cn"


@cache
def _loader() -> "Loader":
    """Of botocore's own models only: one that somebody keeps in ~/.aws/models is not what the function will have."""
    # botocore's loaders and models import all that it connects with: a tenth of a second, only where one is read.
    from cdk_healthomics_handler.loader import Loader  # noqa: PLC0415 - as above

    return Loader(extra_search_paths=[DATA], include_default_search_paths=False)


@cache
def folder() -> Path:
    """Where the installed botocore keeps its model of HealthOmics: ``…/data/omics/<API version>``."""
    return Path(DATA) / SERVICE / _loader().determine_latest_version(SERVICE, "service-2")


def read(kind: str) -> Mapping[str, Any]:
    """One of the files of botocore's model of HealthOmics, such as ``service-2``."""
    found: Mapping[str, Any] = _loader().load_service_model(SERVICE, kind)
    return found


@cache
def endpoints() -> Mapping[str, Any]:
    """The endpoints of every service, as botocore has them."""
    found: Mapping[str, Any] = json.loads((Path(DATA) / "endpoints.json").read_bytes())
    return found


@cache
def regions() -> Sequence[str]:
    """The regions in which botocore knows HealthOmics."""
    every = [(each["regions"], each["services"].get(SERVICE, {"endpoints": {}})) for each in endpoints()["partitions"]]
    # An endpoint may be no region's, such as those for FIPS.
    return [name for known, service in every for name in service["endpoints"] if name in known]


@cache
def _service() -> "ServiceModel":
    return _of(SERVICE, read("service-2"))


def _of(service: str, described: Mapping[str, Any]) -> "ServiceModel":
    from botocore.model import ServiceModel  # noqa: PLC0415 - as above

    return ServiceModel(described, service)


@cache
def limits(service: str, shape: str) -> Mapping[str, Any]:
    """What botocore knows of the limits of another service's shape."""
    from botocore.loaders import Loader  # noqa: PLC0415 - as above

    described = Loader().load_service_model(service, "service-2")
    found: Mapping[str, Any] = _of(service, described).shape_for(shape).metadata
    return found


@cache
def members(operation: str = START_RUN) -> Mapping[str, Any]:
    """The members of StartRun and their shapes; of StartRunBatch those that all its runs share, too."""
    given = getattr(_service().operation_model(operation).input_shape, "members", {})
    return {**given, **getattr(given.get(DEFAULT_RUN_SETTING), "members", {})}


@cache
def arguments(operation: str = START_RUN) -> Mapping[str, str]:
    """The construct's argument for each member that has one: ``workflowId`` is ``workflow_id``."""
    named = {member: DERIVED.get(member, xform_name(member)) for member in members(operation)}
    return {member: argument for member, argument in named.items() if argument}


@cache
def shapes(operation: str) -> Mapping[str, tuple[str, Any]]:
    """Of each argument the member that it stands for, and its shape."""
    return {argument: (member, members(operation)[member]) for member, argument in arguments(operation).items()}


@cache
def batch_run_settings() -> Mapping[str, Any]:
    """The two ways to tell what each run of a batch has of its own, and their shapes."""
    members_of_union: Mapping[str, Any] = members(START_RUN_BATCH)[BATCH_RUN_SETTINGS].members
    return members_of_union


@cache
def setting_shapes() -> Mapping[str, tuple[str, Any]]:
    """As :func:`shapes`, of what one run of a batch has of its own."""
    own = batch_run_settings()[INLINE_SETTINGS].member.members
    return {xform_name(member): (member, shape) for member, shape in own.items()}


def fits(pattern: str, value: str) -> bool:
    r"""Whether a value fits a pattern of the model, which may have classes like ``\p{L}`` that Python does not know.

    A pattern of a form that HealthOmics has not had yet fits everything, and so does a character that is younger than
    this Python's Unicode: there the service decides.
    """
    if r"\p{" not in pattern:
        try:
            return re.fullmatch(pattern, value) is not None
        except re.error:
            return True
    inside = re.fullmatch(r"\[(.+)\]\+", pattern)
    if inside is None:
        return True
    categories = set(re.findall(r"\\p\{(\w)\}", inside[1]))
    others = re.sub(r"\\p\{\w\}", "", inside[1]).encode().decode("unicode_escape")
    return all(
        (category := unicodedata.category(each))[0] in categories or category == _UNASSIGNED or each in others
        for each in value
    )
