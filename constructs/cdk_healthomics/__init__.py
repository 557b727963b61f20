"""AWS HealthOmics runs as resources of CloudFormation stacks, for the AWS CDK."""

from typing import TYPE_CHECKING

from cdk_healthomics.any_run import IHealthOmicsRun
from cdk_healthomics.batch import HealthOmicsRunBatch
from cdk_healthomics.checks import ValidationError
from cdk_healthomics.enums import (
    CacheBehavior,
    LogLevel,
    NetworkingMode,
    OutputUriPrefixMode,
    RetentionMode,
    ScratchStorageMode,
    StorageType,
    WorkflowType,
)
from cdk_healthomics.inputs import read_parameters
from cdk_healthomics.managed_role import ManagedPolicyRole
from cdk_healthomics.role import RunRole
from cdk_healthomics.run import HealthOmicsRun
from cdk_healthomics.run_setting import RunSetting
from cdk_healthomics_handler.names import WaitFor

if TYPE_CHECKING:
    from cdk_healthomics.provider import HealthOmicsRunProvider
else:  # of a module with a __getattr__, type checkers believe every name

    def __getattr__(name: str) -> object:
        """The provider, imported when it is asked for, as aws_cdk does with its modules: it needs the largest of those.

        Raises:
            AttributeError: there is nothing of this name.
        """
        if name == "HealthOmicsRunProvider":
            from cdk_healthomics.provider import HealthOmicsRunProvider  # noqa: PLC0415 - as above

            return HealthOmicsRunProvider
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__version__ = "0.1.0"

__all__ = [
    "CacheBehavior",
    "HealthOmicsRun",
    "HealthOmicsRunBatch",
    "HealthOmicsRunProvider",
    "IHealthOmicsRun",
    "LogLevel",
    "ManagedPolicyRole",
    "NetworkingMode",
    "OutputUriPrefixMode",
    "RetentionMode",
    "RunRole",
    "RunSetting",
    "ScratchStorageMode",
    "StorageType",
    "ValidationError",
    "WaitFor",
    "WorkflowType",
    "__version__",
    "read_parameters",
]
