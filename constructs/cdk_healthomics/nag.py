"""What cdk-nag says of this library's own resources, answered where a user's app is checked: finding by finding.

Written as metadata, so that the library needs no cdk-nag: version 2 reads the resource's, version 3 the construct's.
What no statement of :data:`WILDCARDS` explains is left to whoever allowed it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Aspects, CfnResource, IAspect, Stack, aws_iam

from constructs import IConstruct

LATEST_RUNTIME: Final = "AwsSolutions-L1"
"""A rule that has no findings of its own: it speaks of the one function."""
_WILDCARD: Final = "AwsSolutions-IAM5"
_BEFORE_OTHERS: Final = 200
"""The priority of what changes a construct; cdk-nag is an aspect of the default one, 500."""
_OLD: Final = "cdk_nag"
"""cdk-nag 2's key in the metadata of a resource."""
_NEW: Final = "aws:cdk:acknowledged-rules"
"""The CDK's key in the metadata of a construct (``Validations.ACKNOWLEDGED_RULES_METADATA_KEY``), cdk-nag 3's."""


class Wildcard(NamedTuple):
    """A wildcard that this library needs."""

    action: str
    """An action of the statement, or how some begin."""
    pattern: str
    """Of the statement's resource: a regular expression, found in it."""
    reason: str


WILDCARDS: Final = (
    Wildcard("omics:GetRun", r":run/\*$", "A run has its id only once it is started."),
    Wildcard("omics:GetRunTask", r":task/\*$", "A task has its id only once its run is at work."),
    Wildcard("omics:CancelRun", r":run/\*$", "Only runs that carry this stack's tag can be cancelled."),
    Wildcard("omics:ListRuns", r"^\*$", "ListRuns knows no resource."),
    Wildcard(
        "omics:StartRunBatch", r":(run|runBatch)/\*$", "A batch and its runs have their ids only once it is started."
    ),
    Wildcard("omics:GetBatch", r":runBatch/\*$", "A batch has its id only once it is started."),
    Wildcard("omics:CancelRunBatch", r":runBatch/\*$", "Only batches that carry this stack's tag can be cancelled."),
    Wildcard("omics:ListBatch", r"^\*$", "ListBatch knows no resource."),
    Wildcard(
        "omics:StartRun",
        r":(workflow|runGroup|runCache|configuration)/\*$",
        "Of a rerun only HealthOmics knows the workflow, and a role's policies cannot name very many.",
    ),
    Wildcard(
        "events:", r":rule/cdk-healthomics-.+\*$", "A rule is named after its request; its name has the stack's id."
    ),
    Wildcard("iam:PassRole", r":role/.+\*$", "The roles made for this stack's runs begin like this."),
    Wildcard(
        "logs:Create", r":/aws/omics/WorkflowLog:.*\*$", "HealthOmics makes the log streams, and names them after runs."
    ),
    Wildcard("cloudwatch:PutMetricData", r"^\*$", "PutMetricData knows no resource."),
    Wildcard("xray:Put", r"^\*$", "What writes traces knows no resource."),
    Wildcard("ec2:Describe", r"^\*$", "What looks at network interfaces and subnets knows no resource."),
    Wildcard(
        "ec2:CreateNetworkInterface", r":ec2:.+:\*/\*$", "Lambda makes the network interfaces; a subnet may be shared."
    ),
)


def answer(construct: IConstruct, rule: str, reason: str) -> None:
    """Say why a resource is as it is, where the rule has no finer findings than the resource."""
    resource = construct.node.default_child
    if isinstance(resource, CfnResource):
        _acknowledge(resource, rule, {"": reason}, before=[])


def answer_wildcards(scope: IConstruct) -> None:
    """Say why the roles and policies in a construct have wildcards; asked when the app is final."""
    if scope not in _WATCHED:
        _WATCHED[scope] = _Answers()
        Aspects.of(scope).add(_WATCHED[scope], priority=_BEFORE_OTHERS)


def answer_statements(role: aws_iam.Role, statements: Iterable[aws_iam.PolicyStatement]) -> None:
    """Say it at once of the statements inside a role, as one that is made by the hundred has them."""
    stack, resource = Stack.of(role), role.node.default_child
    if stack not in _RUN_ROLES:
        _RUN_ROLES[stack] = _explained(stack.resolve([each.to_statement_json() for each in statements]))
    if isinstance(resource, CfnResource):
        _acknowledge(resource, _WILDCARD, _RUN_ROLES[stack], before=[])


def look_again(*scopes: IConstruct) -> None:
    """Answer what was allowed since, after the aspects."""
    for scope in scopes:
        for each in scope.node.find_all():
            _answer(each)


@jsii.implements(IAspect)
class _Answers:
    """Those of one construct."""

    def visit(self, node: IConstruct) -> None:
        """See to a role or policy before cdk-nag does."""
        _answer(node)


_WATCHED: Final[WeakKeyDictionary[IConstruct, _Answers]] = WeakKeyDictionary()
_RUN_ROLES: Final[WeakKeyDictionary[Stack, Mapping[str, str]]] = WeakKeyDictionary()


def _answer(node: IConstruct) -> None:
    documents: list[Any]
    if isinstance(node, aws_iam.CfnRole):
        inline: Any = node.policies or []
        documents = [each["policyDocument"] for each in Stack.of(node).resolve(inline)]
    elif isinstance(node, (aws_iam.CfnPolicy, aws_iam.CfnManagedPolicy)):
        documents = [node.policy_document]
    else:
        return
    resolved = Stack.of(node).resolve(documents)
    found = _explained(statement for each in resolved if each for statement in _listed(each["Statement"]))
    if found:
        _acknowledge(node, _WILDCARD, found, before=(node.get_metadata(_OLD) or {}).get("rules_to_suppress", []))


def _explained(statements: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """The findings, as cdk-nag names them, for which this library has a reason."""
    reasons: dict[str, dict[str, None]] = {}
    for statement in statements:
        if statement["Effect"] != "Allow":
            continue
        actions = _listed(statement.get("Action", []))
        for resource in map(_flat, _listed(statement.get("Resource", []))):
            for action, pattern, reason in WILDCARDS:
                if re.search(pattern, resource) and any(each.startswith(action) for each in actions):
                    reasons.setdefault(f"Resource::{resource}", {})[reason] = None
    return {finding: " ".join(each) for finding, each in reasons.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _flat(value: Any) -> str:
    """A resource as cdk-nag writes it."""
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(map(_flat, parts))
        case {"Fn::Sub": text}:
            return _flat(text)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{_flat(resource)}.{_flat(attribute)}>"
        case {"Fn::ImportValue": name}:
            return _flat(name)
        case {"Ref": name}:
            return f"<{_flat(name)}>"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _acknowledge(resource: CfnResource, rule: str, findings: Mapping[str, str], *, before: list[Any]) -> None:
    """Write it down for both versions, beside what others have written for cdk-nag 2."""
    of_reason: dict[str, list[str]] = {}
    for finding, reason in findings.items():
        of_reason.setdefault(reason, []).extend([finding] if finding else [])
    said = [
        {"id": rule, "reason": reason, **({"applies_to": named} if named else {})}
        for reason, named in of_reason.items()
    ]
    said = [each for each in said if each not in before]
    if said:
        resource.add_metadata(_OLD, {"rules_to_suppress": [*before, *said]})
        resource.node.add_metadata(
            _NEW, {f"{rule}[{finding}]" if finding else rule: reason for finding, reason in findings.items()}
        )
