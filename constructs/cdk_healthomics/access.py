"""What a run's role may read: the inputs that its parameters name, and private images."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Annotations, Stack, aws_iam

from cdk_healthomics.tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_ecr

_URI: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]*[a-z0-9])/(.*)", re.DOTALL)
"""Of a bucket; what names an access point by its ARN is left to the user."""
_WILDCARDS: Final = re.compile(r"[*?$]")
_ROOM: Final = 4_000
"""Characters for resources in one statement: the CDK spreads a role's statements over policies, but splits none."""
_PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def grant_read_inputs(role: aws_iam.IRole, stack: Stack, parameters: Any) -> aws_iam.Grant:
    """Allow a role to read what the literal S3 URIs in parameters name."""
    buckets = f"arn:{stack.partition}:s3:::"
    objects: dict[str, None] = {}
    prefixes: dict[str, list[str]] = {}
    for bucket, key in dict.fromkeys(_named(parameters)):
        literal = _WILDCARDS.sub(lambda found: f"${{{found[0]}}}", key)
        under = key.endswith("/") or not key
        objects[f"{buckets}{bucket}/{literal}{'*' if under else ''}"] = None
        if under:
            prefixes.setdefault(bucket, []).extend([literal, f"{literal}*"])
    grants = [
        aws_iam.Grant.add_to_principal(grantee=role, actions=["s3:GetObject"], resource_arns=each)
        for each in _parted(objects)
    ]
    grants += [
        aws_iam.Grant.add_to_principal(
            grantee=role,
            actions=["s3:ListBucket"],
            resource_arns=[f"{buckets}{bucket}"],
            conditions={"StringLike": {"s3:prefix": each}},
        )
        for bucket, under in prefixes.items()
        for each in _parted(under)
    ]
    return reduce(aws_iam.Grant.combine, grants) if grants else aws_iam.Grant.drop(role, "no literal S3 URIs")


def grant_pull(role: aws_iam.IRole, repository: "aws_ecr.IRepository") -> aws_iam.Grant:
    """Allow a role to pull from a repository, and HealthOmics to do so, which asks the repository's own policy."""
    granted = repository.grant_pull(role)
    statement = aws_iam.PolicyStatement(
        principals=[aws_iam.ServicePrincipal("omics.amazonaws.com")], actions=list(_PULL)
    )
    if not repository.add_to_resource_policy(statement).statement_added:
        told = {"Effect": "Allow", "Principal": {"Service": "omics.amazonaws.com"}, "Action": list(_PULL)}
        # At the repository, so that many runs tell it once.
        Annotations.of(repository).add_info(
            "The repository is not this app's own. Without this statement in its policy HealthOmics cannot pull from "
            f"it, and a run ends with ECR_PERMISSION_ERROR: {json.dumps(told)}",
        )
    return granted


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """The buckets and keys that a document names."""
    if is_token(value):
        return
    if isinstance(value, str):
        found = _URI.fullmatch(value)
        if found:
            yield found[1], found[2]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _named(each)


def _parted(texts: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for text in texts:
        if part and sum(map(len, part)) + len(text) > _ROOM:
            yield part
            part = []
        part.append(text)
    if part:
        yield part
