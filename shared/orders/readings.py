"""What a delivery turns out to be, once its vendor's reader has looked at it."""

from dataclasses import dataclass

from shared.orders.models import Order


@dataclass(frozen=True, slots=True)
class CompleteOrder:
    """The delivery holds the whole order."""

    order: Order


@dataclass(frozen=True, slots=True)
class OrderHint:
    """The delivery only says that this order changed: fetch it."""

    order_id: str
    reason: str
    """`thin`, `delta`, `deleted`, `refund_lines_missing` …: for logs and metrics."""
    partial: Order | None = None
    """What is known without fetching, where that is an order at all: used if the shop has no API access."""


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The delivery is genuine but concerns no order that we keep (a checkout draft, an order gone meanwhile)."""

    reason: str


Reading = CompleteOrder | OrderHint | NothingToDo
