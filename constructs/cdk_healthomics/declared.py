"""What runs and batches of this app share: from arguments that were checked to the resource in the template."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

import jsii
from aws_cdk import CfnResource, CustomResource, Duration, ITaggableV2, Stack, TagManager, TagType, aws_iam

from cdk_healthomics import access, cautions, checks, links, model, naming, neighbours, removal
from cdk_healthomics import workflow as workflows
from cdk_healthomics.final import Runs
from cdk_healthomics.late import Late
from cdk_healthomics.made_roles import MadeRoles
from cdk_healthomics.observed import Observed
from cdk_healthomics.properties import properties
from cdk_healthomics.role import arn_of
from cdk_healthomics.tags import tags_of_stack
from cdk_healthomics_handler.names import Attribute, property_name
from constructs import Construct, IDependable

if TYPE_CHECKING:
    from aws_cdk import aws_ecr

_OWN_TAGS_PRIORITY: Final = 10_000
"""Above any that ``Tags.of(…).add`` is given in practice: a run's own tags win."""
_NOT_ARGUMENTS: Final = frozenset({"self", "scope", "construct_id", "__class__"})


def given(named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a construct's ``__init__``, by its ``locals()``; those that were left out are left out."""
    return {name: value for name, value in named.items() if value is not None and name not in _NOT_ARGUMENTS}


@jsii.implements(ITaggableV2)
class Declared(Observed):
    """A run, or a batch of runs, that is a resource of this app."""

    def __init__(self, scope: Construct, construct_id: str, arguments: Mapping[str, Any], found: list[str]) -> None:
        """Refuse what is wrong, or begin: tags and role.

        Args:
            scope: the construct that this one is part of.
            construct_id: its id there.
            arguments: those that were given.
            found: what is wrong with them.

        Raises:
            ValidationError: arguments are missing or wrong.
        """
        from cdk_healthomics.provider import provider_problems  # noqa: PLC0415 - aws_lambda, only where there is a run

        # All that can be refused is refused before the tree has this construct: its id stays free for another try.
        stack = scope if isinstance(scope, Stack) else Stack.of(scope)
        found = [*found, *provider_problems(stack, arguments.get("provider"))]
        if found:
            raise checks.ValidationError(checks.path(scope, construct_id), found, kind=self._kind.construct)
        super().__init__(scope, construct_id)
        self._stack: Final = stack
        self._given: Final = arguments

        cautions.of_run(self, arguments)
        # CloudFormation hands a stack's own tags to its resources, but for custom ones. Initial tags of a manager are
        # below those of ``Tags.of(…)``.
        self._tags = TagManager(TagType.MAP, self._kind.resource_type, tags_of_stack(stack))
        for key, value in arguments.get("tags", {}).items():
            self._tags.set_tag(key, value, _OWN_TAGS_PRIORITY)
        self._role: aws_iam.IRole = arguments.get("role") or MadeRoles.of(stack).make(self)

    def _declare(self, further: Mapping[str, Any]) -> None:
        """Make the resource, its links, and what it waits for.

        Args:
            further: properties of the kind's own, beside those of :func:`properties`.
        """
        from cdk_healthomics.provider import HealthOmicsRunProvider  # noqa: PLC0415 - as above

        stack, role, policy = self._stack, self._given.get("role"), self._given.get("removal_policy")
        timeout, wait_for = self._given.get("timeout"), self._given.get("wait_for")
        Late.of(stack).compare(self, self._given, self._parameter_names)
        arguments = neighbours.named_by(workflows.named_by(self._given))
        provider = self._given.get("provider") or HealthOmicsRunProvider.of(stack)
        run_tags = self._given.get("run_tags", {})
        Runs.of(stack).watch(self, self._tags, role=role, wait_for=wait_for, run_tags=run_tags)
        until = links.ends(timeout)
        tags, told = self._tags.rendered_tags, removal.told(policy)
        asked = properties(self, stack, arguments, arn_of(self._role), tags=tags, removal=told)
        self._resource = CustomResource(
            self,
            "Resource",
            resource_type=self._kind.resource_type,
            service_token=provider.service_token,
            service_timeout=Duration.seconds(until[0]) if until else timeout,
            removal_policy=policy,
            properties={**asked, **further, **links.told(until)},
        )
        # What depends on this construct depends on the links as well, and gets its attributes when they are done.
        self._answering = links.chain(self, self._resource, provider.service_token, asked, until)
        self._node = self._resource.node
        self._cfn_resource: CfnResource = self._node.default_child  # type: ignore[assignment]
        removal.watch(stack, self._cfn_resource, policy, None if role else self._role)
        argument = model.arguments(self._kind.handled.start)[self._kind.handled.name]
        self._name: str | None = self._given.get(argument)
        self._workflow_id = arguments.get("workflow_id")
        self._named = cautions.Named(self, argument, self._name, self._workflow_id, stack) if self._name else None
        if not self._name and provider.names_runs:
            self._cfn_resource.add_property_override(property_name(self._kind.handled.name), self._known_name)
        # The whole role, policies included: the run starts when it may read its inputs, and ends before it may not.
        workflow = [self._given["workflow"]] if "workflow" in self._given else []
        self._start_after(self._role, *provider.allow(arguments, self._role, self._kind), *workflow)

    @property
    def role(self) -> aws_iam.IRole:
        """The service role of what runs: the one that was given, or else the one that was made."""
        return self._role

    @property
    def status(self) -> str:
        """The status when CloudFormation was answered last; it does not follow what happens since."""
        return self._attribute(Attribute.STATUS)

    def grant_read_inputs(self) -> aws_iam.Grant:
        """Allow the role to read the inputs that ``parameters`` name: the texts that begin with ``s3://``.

        It may read those objects; where a text ends in ``/``, what is under it, and list that. Nothing else: what holds
        a token is granted by whoever knows the bucket, ``bucket.grant_read(run.role)``, and so are the key of an
        encrypted bucket, files that lie beside those named, such as an index, and what the settings of a batch's single
        runs name: a policy has no room for so many.
        """
        return access.grant_read_inputs(self._role, self._stack, self._given.get("parameters"))

    def grant_pull(self, repository: "aws_ecr.IRepository") -> aws_iam.Grant:
        """Let what runs use private images: its role may pull them, and the repository lets HealthOmics in.

        Where the repository is not this app's own its policy cannot be changed here: an information at synthesis tells
        the statement to add to it.

        Args:
            repository: in ECR, in the region of the run.
        """
        granted = access.grant_pull(self._role, repository)
        self._start_after(repository)
        return granted

    @property
    @jsii.member(jsii_name="cdkTagManager")
    def cdk_tag_manager(self) -> TagManager:
        """The tags; what ``Tags.of(scope).add(…)`` uses."""
        return self._tags

    @property
    def _parameter_names(self) -> Collection[str] | None:
        """The names of the workflow's parameters that are given; None: they are not known here."""
        parameters = self._given.get("parameters", {})
        return parameters if isinstance(parameters, Mapping) and "parameters_uri" not in self._given else None

    def _hear(self) -> None:
        if self._named:
            self._named.hear()

    @property
    def _known_name(self) -> str:
        return self._name or naming.default_name(self._stack, self._cfn_resource, self._kind)

    def _start_after(self, *dependencies: IDependable) -> None:
        self._node.add_dependency(*dependencies)

    def _attribute(self, attribute: str) -> str:
        return self._answering.get_att_string(str(attribute))

    @property
    def _granted_arn(self) -> str:
        return self._resource.get_att_string(str(self._kind.arn))
