"""HealthOmics' runs and run batches on this machine: botocore's model checks requests, runs move on a clock."""

from local_aws.healthomics.account import StoredObject
from local_aws.healthomics.faults import Fault, Faults, Kind
from local_aws.healthomics.service import HealthOmics
from local_aws.healthomics.settings import QUOTAS, CancelOfFinished, Clock, Settings, Token
from local_aws.healthomics.tasks import Order

__all__ = [
    "QUOTAS",
    "CancelOfFinished",
    "Clock",
    "Fault",
    "Faults",
    "HealthOmics",
    "Kind",
    "Order",
    "Settings",
    "StoredObject",
    "Token",
]
