"""Objects of ministack's S3, as HealthOmics reads them: a batch's file of settings."""

from importlib import import_module
from typing import Any, Final

from .healthomics import StoredObject

_S3: Final = "ministack.services.s3"


def read(uri: str) -> StoredObject | None:
    """The object with an ``s3://`` URI; None: there is none.

    In the server's own process: a request to it would wait for the one that asks.
    """
    s3: Any = import_module(_S3)
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = s3._get_object_data(bucket, key)  # noqa: SLF001 - mends.check_names holds it
    if body is None:
        return None
    return StoredObject(s3._buckets[bucket]["objects"][key]["etag"], body)  # noqa: SLF001 - likewise
