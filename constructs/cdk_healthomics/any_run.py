"""What every run offers, whether it is declared in this app or lives elsewhere: its names."""

from typing import Final

from aws_cdk import CfnMapping, Stack

from cdk_healthomics import checks
from cdk_healthomics.kind import RUN
from cdk_healthomics.observed import Observed
from cdk_healthomics_handler import console
from cdk_healthomics_handler.names import SERVICE
from constructs import Construct

_CONSOLES: Final = "HealthOmicsConsoles"
"""A stack's mapping from partitions to the console's domains: which one is the stack's, deployment may tell first."""
_DOMAIN: Final = "Domain"


class IHealthOmicsRun(Observed):
    """A HealthOmics run: a :class:`HealthOmicsRun`, or what ``HealthOmicsRun.from_run_attributes`` gives."""

    _kind = RUN

    @property
    def run_id(self) -> str:
        """The id of the run. Ids of deleted runs are used again; :attr:`run_uuid` is unique."""
        raise NotImplementedError

    @property
    def run_arn(self) -> str:
        """The ARN of the run."""
        raise NotImplementedError

    @property
    def run_uuid(self) -> str:
        """The run's UUID, the only name of it that is never used again."""
        raise NotImplementedError

    @property
    def console_url(self) -> str:
        """The run's page in the AWS console."""
        raise NotImplementedError

    @property
    def _granted_arn(self) -> str:
        return self.run_arn


class ImportedRun(IHealthOmicsRun):
    """A run that lives elsewhere in this account and region."""

    def __init__(
        self, scope: Construct, construct_id: str, *, run_id: str, run_uuid: str | None, name: str | None
    ) -> None:
        given = {"run_id": run_id, "run_uuid": run_uuid, "name": name}
        found = checks.attribute_problems({name: value for name, value in given.items() if value is not None})
        if found:
            raise checks.ValidationError(checks.path(scope, construct_id), found)
        super().__init__(scope, construct_id)
        self._given = given

    @property
    def run_id(self) -> str:
        """The id that was given."""
        return self._known("run_id")

    @property
    def run_arn(self) -> str:
        """The ARN of the run, in the account and region of its stack here."""
        stack = Stack.of(self)
        return f"arn:{stack.partition}:{SERVICE}:{stack.region}:{stack.account}:run/{self.run_id}"

    @property
    def run_uuid(self) -> str:
        """The UUID that was given.

        Raises:
            ValidationError: none was.
        """
        return self._known("run_uuid")

    @property
    def console_url(self) -> str:
        """The run's page in the AWS console, in the region of its stack here."""
        stack = Stack.of(self)
        known = stack.node.try_find_child(_CONSOLES)
        domains = {partition: {_DOMAIN: domain} for partition, domain in console.DOMAINS.items()}
        consoles = known if isinstance(known, CfnMapping) else CfnMapping(stack, _CONSOLES, mapping=domains, lazy=True)
        return console.page_of_run(consoles.find_in_map(stack.partition, _DOMAIN), stack.region, self.run_id)

    @property
    def _known_name(self) -> str:
        return self._known("name")

    def _known(self, attribute: str) -> str:
        value = self._given[attribute]
        if value is None:
            problem = f"{attribute} was not given: must be given to from_run_attributes, for it is asked for here"
            raise checks.ValidationError(self.node.path, [problem])
        return value
