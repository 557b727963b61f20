"""The names that the construct and the handler share, each written once. Standard library only.

StartRun's own members are not among them: both sides read those from botocore's service model, and
:func:`property_name` is the rule that makes a property of a member.

A ``Custom::HealthOmicsRunBatch`` has, likewise,

- of StartRunBatch ``BatchName`` and ``Tags``, the user's: of the batch, and of each of its runs when it is started (a
  change of them changes the batch's in place);
- of DefaultRunSetting every member, flat, as a run has StartRun's: documents as JSON text, and beside it what is known
  at deployment only (``Parameters`` and ``ParametersValues``). ``RunTags`` are for the runs only, and win over
  ``Tags``; unlike those they are part of the definition;
- of BatchRunSettings exactly one: ``InlineSettings``, the JSON text of the array as the API has it, with
  ``InlineSettingsValues`` beside it where it has places (of a document: the first item's parameter ``bam`` is at
  ``#/0/parameters/bam``); or ``S3UriSettings``, the URI of the file, which for the construct's own asset changes
  with the content;
- ``WaitFor`` (SUBMITTED or COMPLETED), ``MaxFailedRuns``, ``Timeout``, ``RerunTrigger``, ``RemovalPolicy``,
  ``ServiceTimeout``: see :class:`Property`. Nothing of it is there where the user gave nothing.

Its links are a run's, ``Custom::HealthOmicsRunWait``, with ``Batch`` in place of ``Run``, and ``MaxFailedRuns``.
"""

from enum import StrEnum
from typing import Final

RESOURCE_TYPE: Final = "Custom::HealthOmicsRun"
BATCH_TYPE: Final = "Custom::HealthOmicsRunBatch"
LINK_TYPE: Final = "Custom::HealthOmicsRunWait"
"""A resource that waits on where CloudFormation waits no longer for the run's or batch's own: a link of the chain."""
SERVICE: Final = "omics"
START_RUN: Final = "StartRun"
GET_RUN: Final = "GetRun"
SESSION_POLICY: Final = "sessionPolicy"
"""The one member of StartRun that is a document, written as JSON text."""
LIST_RUNS: Final = "ListRuns"
CANCEL_RUN: Final = "CancelRun"
GET_RUN_TASK: Final = "GetRunTask"
TAGGING: Final = ("TagResource", "UntagResource")
"""Of runs and batches alike."""
OPERATIONS: Final = (
    START_RUN,
    GET_RUN,
    CANCEL_RUN,
    *TAGGING,
    "ListRunTasks",
    GET_RUN_TASK,
    LIST_RUNS,
)
"""HealthOmics' operations on runs that the function calls: those that it is allowed, and has the model of."""
START_RUN_BATCH: Final = "StartRunBatch"
DEFAULT_RUN_SETTING: Final = "defaultRunSetting"
"""StartRunBatch's member for what all runs of the batch share."""
BATCH_RUN_SETTINGS: Final = "batchRunSettings"
"""StartRunBatch's member for what each run has of its own: one of the next two, which are members of a union."""
INLINE_SETTINGS: Final = "inlineSettings"
"""The settings themselves; the one member of a batch that is a list, written as one JSON document."""
S3_SETTINGS: Final = "s3UriSettings"
"""Where they are instead: a JSON file on S3, with an array as :data:`INLINE_SETTINGS` has it."""
RUN_TAGS: Final = "runTags"
"""The tags of each run, a member of the default setting and of a run's own: a run does not inherit its batch's."""
GET_BATCH: Final = "GetBatch"
LIST_BATCH: Final = "ListBatch"
CANCEL_RUN_BATCH: Final = "CancelRunBatch"
LIST_RUNS_IN_BATCH: Final = "ListRunsInBatch"
BATCH_OPERATIONS: Final = (START_RUN_BATCH, GET_BATCH, CANCEL_RUN_BATCH, LIST_RUNS_IN_BATCH, LIST_BATCH)
"""Those on batches; only the function of a stack that has one is allowed them."""
SERVICES: Final = (SERVICE, "cloudformation", "events")
"""The services that it calls, by botocore's names."""


class Property(StrEnum):
    """The properties of runs, batches and their links that are not members of StartRun and StartRunBatch."""

    SERVICE_TIMEOUT = "ServiceTimeout"
    """CloudFormation's own: seconds until it gives a request up, 1 to 3600."""
    RERUN_TRIGGER = "RerunTrigger"
    """Any text; a change of it starts a new run."""
    REMOVAL_POLICY = "RemovalPolicy"
    """A :class:`RemovalPolicy`; absent means that Delete cancels the run."""
    WAIT_FOR = "WaitFor"
    """A :class:`WaitFor`; absent means SUBMITTED."""
    TIMEOUT = "Timeout"
    """Seconds that the whole chain waits; absent where there are no links."""
    UNTIL = "Until"
    """Of a link: seconds that the chain has waited when this link's time is over."""
    RUN = "Run"
    """Of a link: the physical id of the run that it waits for."""
    BATCH = "Batch"
    """Of a link: the physical id of the batch that it waits for; it has this or :attr:`RUN`."""
    ADOPT_RUN_ID = "AdoptRunId"
    """The id of a run, started elsewhere, that a Create takes instead of starting one."""
    MAX_FAILED_RUNS = "MaxFailedRuns"
    """Of a batch and its links: how many of its runs may fail, or not be submitted, and it has still completed; absent
    means none."""


class ValueType(StrEnum):
    """How a value that is known at deployment only is told beside its document (:func:`values_name`), and its type.

    Scalars may also be lists or maps of such, for CloudFormation does not tell.
    """

    TEXT = "Text"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    JSON = "Json"
    """A part of a document, as JSON text."""
    VALUES = "Values"
    """Beside JSON: the values in that part."""
    JOINED = "Joined"
    """Texts, to be put together; by them a text with letters outside ASCII is written in ASCII."""
    NO_VALUE = "NoValue"
    """``AWS::NoValue``: the member or item is left out."""


class WaitFor(StrEnum):
    """How far a run or a batch must have come before its resource counts as created or updated."""

    SUBMITTED = "SUBMITTED"
    """StartRun or StartRunBatch has accepted it: nothing is waited for."""
    RUNNING = "RUNNING"
    """It runs, or has completed: it has left the queue, and its workflow and role were accepted. Of runs only."""
    COMPLETED = "COMPLETED"
    """It has completed, and its outputs are there. Of a batch: all its runs have ended (PROCESSED), and no more of them
    otherwise than as they should than ``max_failed_runs`` allows."""


class RemovalPolicy(StrEnum):
    """The values of :attr:`Property.REMOVAL_POLICY`, those of CloudFormation's DeletionPolicy."""

    RETAIN = "Retain"
    """The run outlives its resource: nothing is ever cancelled."""
    RETAIN_EXCEPT_ON_CREATE = "RetainExceptOnCreate"
    """As RETAIN, but what a failed Create started is cancelled."""


class Attribute(StrEnum):
    """The attributes (``Fn::GetAtt``) of a run, in every successful answer to Create and Update."""

    RUN_ID = "RunId"
    RUN_ARN = "RunArn"
    RUN_UUID = "RunUuid"
    RUN_OUTPUT_URI = "RunOutputUri"
    STATUS = "Status"
    CONSOLE_URL = "ConsoleUrl"
    STARTED_AT = "StartedAt"
    STOPPED_AT = "StoppedAt"
    DURATION_SECONDS = "DurationSeconds"


class BatchAttribute(StrEnum):
    """Those of a batch, likewise."""

    BATCH_ID = "BatchId"
    BATCH_ARN = "BatchArn"
    BATCH_UUID = "BatchUuid"
    STATUS = "Status"
    TOTAL_RUNS = "TotalRuns"
    """How many runs it has; empty while HealthOmics has not told."""
    FAILED_RUNS = "FailedRuns"
    """How many of them failed or were not submitted; empty unless its completion was waited for."""


TAG_PREFIX: Final = "cdk-healthomics:"
"""The beginning of the tag keys that are ours; a user's tags may not have it."""


class OwnershipTag(StrEnum):
    """The tags by which a run is known as one resource's own."""

    STACK_ID = TAG_PREFIX + "stack-id"
    LOGICAL_ID = TAG_PREFIX + "logical-id"
    REQUEST_ID = TAG_PREFIX + "request-id"
    """The idempotency token that the run was started with."""
    DEFINITION = TAG_PREFIX + "definition"
    """A digest of everything that defines the run, or :data:`RELEASED`."""
    REPLACES = TAG_PREFIX + "replaces"
    """The physical id of the run that this one was started to replace: what a rollback goes back to."""
    REPLACED_BY = TAG_PREFIX + "replaced-by"
    """The mark of the request that set out to replace this run, written before it starts another: a
    :class:`~cdk_healthomics_handler.mark.Mark`."""
    NEWEST_REQUEST = TAG_PREFIX + "newest-request"
    """The mark of the newest request that started this run or kept it: likewise."""


RELEASED: Final = "released"
"""The value of :attr:`OwnershipTag.DEFINITION` on a finished run whose resource is gone."""

RUNS_VARIABLE: Final = "CDK_HEALTHOMICS_RUNS"
"""The function's environment variable that tells how many runs its stack has: so many may be ahead of one of them."""
START_RATE_VARIABLE: Final = "CDK_HEALTHOMICS_START_RATE"
"""Likewise, StartRun's quota in calls a second where the account has another than one."""
RULE_PREFIX: Final = "cdk-healthomics-"
"""The names of the EventBridge rules that invoke the function again while a run is waited for begin with this, followed
by the last part of the stack's id."""
LOG_GROUP: Final = "/aws/omics/WorkflowLog"
"""Where HealthOmics writes the logs of all runs (User Guide, "Monitoring")."""


def property_name(member: str) -> str:
    """The resource property that carries a member of a request: ``workflowId`` is ``WorkflowId``."""
    return member[:1].upper() + member[1:]


def values_name(member: str) -> str:
    """The property that carries what is known at deployment only of a document: ``parameters`` is ``ParametersValues``.

    It maps places in the document to values; there is none where the document has no such places.
    """
    return f"{property_name(member)}{ValueType.VALUES}"
