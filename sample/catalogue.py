"""What the operator sells, and over which channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

ORDINARY, PAYDAY, DEADLINE = range(3)  # how a service's month looks: even, month-end, tax and bill deadlines
EMPLOYEE, PERSON, ABROAD, MERCHANT, BILLER, NOBODY = range(6)  # who receives


@dataclass(frozen=True)
class Service:
    service_id: str
    name: str
    category: str
    rate_bp: int  # commission in basis points of the amount
    rhythm: int
    receiver: int
    median_francs: float
    spread: float  # sigma of the log-normal amount
    step_francs: int  # amounts are multiples of this, as people type them


SERVICES = (
    Service("SAL-BULK", "Bulk salary payment", "SALARY", 50, PAYDAY, EMPLOYEE, 145_000, 0.55, 500),
    Service("SAL-ADV", "Salary advance", "SALARY", 100, ORDINARY, EMPLOYEE, 30_000, 0.50, 1000),
    Service("SUP-PAY", "Supplier payment", "SUPPLIER", 100, ORDINARY, MERCHANT, 180_000, 1.10, 5),
    Service("SUP-INV", "Invoice settlement", "SUPPLIER", 75, ORDINARY, MERCHANT, 420_000, 1.15, 1),
    Service("MER-COL", "Merchant collection", "MERCHANT", 150, ORDINARY, MERCHANT, 12_000, 0.95, 25),
    Service("MER-QR", "Merchant QR payment", "MERCHANT", 125, ORDINARY, MERCHANT, 7_500, 0.90, 25),
    Service("BIL-UTL", "Utility bill", "BILL", 30, DEADLINE, BILLER, 38_000, 0.85, 5),
    Service("TAX-GOV", "Tax and customs", "BILL", 0, DEADLINE, BILLER, 260_000, 1.20, 1),
    Service("TRF-B2C", "Transfer to a wallet", "TRANSFER", 180, ORDINARY, PERSON, 45_000, 1.00, 500),
    Service("TRF-XB", "Cross-border transfer", "TRANSFER", 350, ORDINARY, ABROAD, 85_000, 0.95, 500),
    Service("TRF-DEP", "Agent deposit", "TRANSFER", 0, ORDINARY, NOBODY, 160_000, 0.80, 1000),
    Service("AIR-BULK", "Bulk airtime", "AIRTIME", 500, ORDINARY, EMPLOYEE, 4_000, 0.60, 100),
    Service("AIR-DATA", "Data bundle", "AIRTIME", 400, ORDINARY, EMPLOYEE, 6_000, 0.55, 100),
)
CLOSED = Service("VCH-MEAL", "Meal voucher (closed)", "MERCHANT", 200, ORDINARY, MERCHANT, 3_000, 0.4, 500)
SERVICE = {service.service_id: index for index, service in enumerate(SERVICES)}

# Share of each service (in the order above) for the three kinds of company.
SERVICE_MIX = (
    (34, 4, 12, 6, 6, 4, 8, 4, 11, 3, 3, 3, 2),  # payroll: pays people
    (10, 2, 28, 14, 10, 5, 8, 4, 9, 5, 3, 1, 1),  # trade: pays suppliers
    (6, 1, 8, 3, 34, 22, 6, 2, 8, 1, 5, 2, 2),  # counter: collects from many customers
)


class Channel(NamedTuple):
    code: str
    name: str
    median_ms: float
    failure: float


CHANNELS = (
    Channel("USSD", "USSD menu", 2_600, 0.045),
    Channel("APP", "Mobile application", 950, 0.026),
    Channel("API", "Host-to-host API", 340, 0.017),
    Channel("AGENT", "Agent counter", 4_200, 0.036),
    Channel("WEB", "Web portal", 1_250, 0.027),
    Channel("CARD", "Linked card", 1_800, 0.042),
)
CHANNEL = {channel.code: index for index, channel in enumerate(CHANNELS)}
# Usual channel by company size, MICRO to LARGE.
CHANNEL_MIX = ((42, 24, 1, 25, 4, 4), (30, 30, 4, 18, 13, 5), (12, 24, 22, 8, 30, 4), (3, 10, 58, 2, 26, 1))

STATUSES = ("SUCCESS", "FAILED", "PENDING", "REVERSED")
SUCCESS, FAILED, PENDING, REVERSED = range(4)


def services() -> pl.DataFrame:
    offered = [*SERVICES, CLOSED]
    return pl.DataFrame(
        {
            "service_id": [service.service_id for service in offered],
            "service_name": [service.name for service in offered],
            "category": [service.category for service in offered],
            "commission_rate": [service.rate_bp / 100 for service in offered],
            "is_active": [service is not CLOSED for service in offered],
        }
    )


def channels() -> pl.DataFrame:
    return pl.DataFrame(
        {"channel_code": [each.code for each in CHANNELS], "channel_name": [each.name for each in CHANNELS]}
    )
