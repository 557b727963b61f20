"""The names by which all that ``make verify-aws`` makes is found again, also where the run of it was killed."""

from typing import Final

STACK: Final = "CdkHealthomicsVerify"
"""The stack with the workflow and a run; the probes' stacks begin with it."""
TAG: Final = "verify-cdk-healthomics"
"""On every stack, run and batch; its value tells one run of the command from another."""
CANCELLABLE: Final = "verify-cdk-healthomics-cancellable"
"""On runs that a policy with a condition on it may cancel."""
ORIGINAL: Final = "verify-cdk-healthomics-original"
"""On a run that is run again: whether the second one has it, too, is asked."""
RUN_NAME: Final = "cdk-healthomics-verify"
"""Of every run and batch: ListRuns and ListBatch can only be asked for names."""
PROBE: Final = "cdk-healthomics-verify-probe"
"""The probe function."""
REPOSITORY: Final = "ubuntu:24.04"
"""In the account's own ECR, where ``--image`` names no other; the runs need not come so far as to pull it."""
