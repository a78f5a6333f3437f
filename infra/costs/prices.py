"""AWS's prices in us-east-1, on demand, in US dollars, without the free tier.

Source: the services' public price pages as collected for this project in 2026; those of X-Ray, Secrets Manager, SES,
schedules, dashboards and storage from general knowledge of the same pages, not checked anew. Another region differs by
some per cent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.costs.usage import Item, Usage

_MILLION: Final = 1_000_000
_GB: Final = 1_000_000_000

PRICES: Final[Mapping[Item, float]] = {
    Item.API_REQUESTS: 1.00 / _MILLION,
    Item.INVOCATIONS: 0.20 / _MILLION,
    Item.GB_SECONDS: 13.3334 / _MILLION,  # arm64
    Item.WRITE_UNITS: 0.625 / _MILLION,
    Item.READ_UNITS: 0.125 / _MILLION,
    Item.QUEUE_REQUESTS: 0.40 / _MILLION,
    Item.EVENTS: 1.00 / _MILLION,
    Item.SCHEDULED: 1.00 / _MILLION,
    Item.OBJECT_WRITES: 5.00 / _MILLION,
    Item.OBJECT_READS: 0.40 / _MILLION,
    Item.LOG_BYTES: 0.50 / _GB,
    Item.TRACES: 5.00 / _MILLION,
    Item.SECRET_READS: 5.00 / _MILLION,
    Item.MAILS: 100.00 / _MILLION,
}
"""Of one: a request, a unit, a byte. What is not here costs nothing by itself."""

SERVICES: Final[Mapping[str, tuple[Item, ...]]] = {
    "HTTP API": (Item.API_REQUESTS,),
    "Lambda requests": (Item.INVOCATIONS,),
    "Lambda time": (Item.GB_SECONDS,),
    "DynamoDB writes": (Item.WRITE_UNITS,),
    "DynamoDB reads": (Item.READ_UNITS,),
    "SQS": (Item.QUEUE_REQUESTS,),
    "EventBridge": (Item.EVENTS, Item.SCHEDULED),
    "S3": (Item.OBJECT_WRITES, Item.OBJECT_READS),
    "CloudWatch logs": (Item.LOG_BYTES,),
    "X-Ray": (Item.TRACES,),
    "Secrets Manager reads": (Item.SECRET_READS,),
}
"""As the bill groups them. Mails are apart: whether we send any is the merchant's choice."""

FREE_EACH_MONTH: Final[Mapping[Item, float]] = {
    Item.INVOCATIONS: 1_000_000,
    Item.GB_SECONDS: 400_000,
    Item.QUEUE_REQUESTS: 1_000_000,
    Item.SCHEDULED: 14_000_000,
    Item.LOG_BYTES: 5 * _GB,
    Item.TRACES: 100_000,
}
"""What AWS does not bill of a month, for good and not only in an account's first year."""


@dataclass(frozen=True)
class Standing:
    """What costs by the month, whether it is used or not. Dollars, and how many are free."""

    what: str
    each: float
    free: int = 0


SECRET: Final = Standing("secret", 0.40)
ALARM: Final = Standing("alarm", 0.10, free=10)
COMPOSITE_ALARM: Final = Standing("composite alarm", 0.50)
DASHBOARD: Final = Standing("dashboard", 3.00, free=3)
CUSTOM_METRIC: Final = Standing("custom metric", 0.30, free=10)

TABLE_GB_MONTH: Final = 0.25 + 0.20
"""With what point-in-time recovery takes for the same bytes."""
OBJECT_GB_MONTH: Final = 0.023


def cost_of(usage: Usage, *items: Item) -> float:
    """Dollars for these items, or for all that have a price but mails."""
    wanted = items or tuple(item for group in SERVICES.values() for item in group)
    return sum(usage.total(item) * PRICES[item] for item in wanted)


def free_of(usage: Usage) -> float:
    """Dollars of a month's usage that the free tier takes off."""
    return sum(min(usage.total(item), free) * PRICES[item] for item, free in FREE_EACH_MONTH.items())
