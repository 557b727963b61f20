"""``RunSetting``: what one run of a batch has of its own, its checks, and how the API has it."""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final

from cdk_healthomics import member_checks, model, references
from cdk_healthomics.checks import uri_problems
from cdk_healthomics.documents import PARAMETERS_LIMIT, document_problems
from cdk_healthomics.kind import BATCH
from cdk_healthomics.messages import listed, shown

_LIMITS: Final[Mapping[str, int | None]] = {"parameters": PARAMETERS_LIMIT, "engine_settings": None}
"""The documents, and how long they may be."""


@dataclass(frozen=True)
class RunSetting:
    """What one run of a :class:`HealthOmicsRunBatch` has of its own; what is left out is as the batch has it.

    Each argument is the member of the API's InlineSetting of the same name in camelCase.

    Args:
        run_setting_id: by which the run is known within its batch, 1 to 128 characters, such as the sample's name; each
            once.
        name: of the run, 1 to 128 characters.
        output_uri: where the run's outputs go: an S3 URI of 1 to 750 characters. Instead of the batch's.
        priority: within the run group, 0 to 100000. Instead of the batch's.
        parameters: inputs of the workflow, a JSON object; each name here wins over the batch's.
        output_bucket_owner_id: the account of 12 digits that owns the bucket of ``output_uri``. Instead of the batch's.
        run_tags: of the run; each key here wins over the batch's ``tags`` and ``run_tags``, at most 49 in all.
        engine_settings: settings of the workflow engine, a JSON object. Instead of the batch's, all of them.
    """

    run_setting_id: str
    _: KW_ONLY
    name: str | None = None
    output_uri: str | None = None
    priority: int | None = None
    parameters: Mapping[str, Any] | None = None
    output_bucket_owner_id: str | None = None
    run_tags: Mapping[str, str] | None = None
    engine_settings: Mapping[str, Any] | None = None


def arguments_of(setting: Any) -> dict[str, Any] | None:
    """The arguments of a setting, those that were left out left out; None: it is none."""
    found = vars(setting) if isinstance(setting, RunSetting) else setting
    return {name: value for name, value in found.items() if value is not None} if isinstance(found, Mapping) else None


def problems(at: str, arguments: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the arguments of one setting.

    Args:
        at: the setting, as a person would type it.
        arguments: its own.
        shared: those of the batch.
    """
    shapes = model.setting_shapes()
    unknown = [name for name in arguments if name not in shapes]
    if unknown:
        yield f"{at} has {listed(unknown)}: must be of {', '.join(shapes)}"
    yield from member_checks.problems(arguments, shapes, f"{at}.")
    for argument, limit in _LIMITS.items():
        if argument in arguments:
            yield from document_problems(f"{at}.{argument}", arguments[argument], limit, BATCH.file)
    for argument, value in arguments.items():
        yield from references.problems(f"{at}.{argument}", value, BATCH.file)
    uri = arguments.get("output_uri")
    if uri is not None:
        yield from uri_problems(f"{at}.output_uri", uri, "s3://bucket/runs")
    elif "output_uri" not in shared:
        yield f"{at}.output_uri was not given, nor output_uri of the batch: give one of them"


def request(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The setting as the API has it."""
    shapes = model.setting_shapes()
    return {member: arguments[argument] for argument, (member, _) in shapes.items() if argument in arguments}


def place(index: int, setting_id: Any) -> str:
    """A setting as a person would type it: by its id, or by where it is, while it has none."""
    return f"run_settings[{shown(setting_id) if isinstance(setting_id, str) else index}]"
