"""HealthOmics' runs and run batches on this machine: botocore's model checks requests, runs move on a clock."""

from .account import StoredObject
from .faults import Fault, Faults, Kind
from .service import HealthOmics
from .settings import QUOTAS, CancelOfFinished, Clock, Settings, Token
from .tasks import Order

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
