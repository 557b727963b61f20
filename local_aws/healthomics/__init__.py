"""HealthOmics' run API on this machine: requests are checked against botocore's model, runs move on a clock."""

from local_aws.healthomics.faults import Fault, Faults, Kind
from local_aws.healthomics.service import HealthOmics
from local_aws.healthomics.settings import CancelOfFinished, Clock, Settings, Token
from local_aws.healthomics.tasks import Order

__all__ = ["CancelOfFinished", "Clock", "Fault", "Faults", "HealthOmics", "Kind", "Order", "Settings", "Token"]
