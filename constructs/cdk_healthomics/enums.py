"""The values of StartRun's enums, for type checkers; a test compares each with botocore's model."""

from enum import StrEnum


class WorkflowType(StrEnum):
    """StartRun's ``workflowType``: who made the workflow."""

    PRIVATE = "PRIVATE"
    READY2RUN = "READY2RUN"


class CacheBehavior(StrEnum):
    """StartRun's ``cacheBehavior``: when the outputs of tasks go into the run cache."""

    CACHE_ON_FAILURE = "CACHE_ON_FAILURE"
    CACHE_ALWAYS = "CACHE_ALWAYS"


class LogLevel(StrEnum):
    """StartRun's ``logLevel``: what the run writes to CloudWatch Logs."""

    OFF = "OFF"
    FATAL = "FATAL"
    ERROR = "ERROR"
    ALL = "ALL"


class RetentionMode(StrEnum):
    """StartRun's ``retentionMode``: whether the run may be removed when the account holds too many."""

    RETAIN = "RETAIN"
    REMOVE = "REMOVE"


class StorageType(StrEnum):
    """StartRun's ``storageType``: a file system of fixed size, or one that grows and shrinks."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"


class NetworkingMode(StrEnum):
    """StartRun's ``networkingMode``: what the run's tasks can reach."""

    RESTRICTED = "RESTRICTED"
    VPC = "VPC"


class ScratchStorageMode(StrEnum):
    """StartRun's ``scratchStorageMode``: where the tasks' scratch space is."""

    LOCAL = "LOCAL"
    SHARED = "SHARED"


class OutputUriPrefixMode(StrEnum):
    """StartRun's ``outputUriPrefixMode``: whether HealthOmics puts a prefix of the run's own beneath the output URI."""

    SERVICE_DEFINED = "SERVICE_DEFINED"
    NONE_WITH_OVERWRITE = "NONE_WITH_OVERWRITE"
