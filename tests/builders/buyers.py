"""Orders as far as their buyers are told of them. All made up."""

from datetime import datetime, timedelta
from typing import Any

from shared.inventory.models import Cause
from shared.kernel.money import Amount, Money
from shared.orders.dispatch import Dispatch
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import FulfilmentLine, Order, Parcel, Refund, Transaction
from shared.orders.record import HoldReason, OrderRecord
from tests.builders.orders import NOON
from tests.builders.orders import order as paid_order

UNVERIFIED = HoldReason.CUSTOMER_UNVERIFIED
NUMBER = "00340434161094042557"


def record(account: Order | None = None, **overrides: Any) -> OrderRecord:
    """The record of an order that is released and not shipped."""
    account = account or paid_order()
    fields: dict[str, Any] = {
        "shop": account.shop,
        "order_id": account.order_id,
        "platform": account.platform,
        "name": account.name,
        "revision": 1,
        "version": account.version,
        "review": ReviewState.RELEASED,
        "fulfilment": FulfilmentState.ALLOCATED,
        "payment": account.payment,
        "total": account.totals.total.shop,
        "placed_at": account.processed_at or account.created_at,
        "lines": (),
        "cause": Cause(kind="order", reference=f"{account.key}#1"),
    }
    return OrderRecord(**(fields | overrides))


def parcel(number: str | None = NUMBER, carrier: str | None = "DHL Paket", url: str | None = None) -> Parcel:
    return Parcel(carrier=carrier, number=number, url=url)


def sent(
    *units: tuple[str, int], key: str = "erp/out/1", at: datetime = NOON, parcels: tuple[Parcel, ...] = (), **more: Any
) -> Dispatch:
    """`sent(("line-MUG", 2))`: a consignment of the back office's."""
    lines = tuple(FulfilmentLine(line_id=line_id, quantity=count) for line_id, count in units)
    return Dispatch(key=key, lines=lines, left_at=at, parcels=parcels, **more)


def paid_back(
    amount: str, currency: str = "EUR", *, refund_id: str = "r1", at: datetime | None = NOON, went: int | None = None
) -> Refund:
    """A refund of so much, as the buyer paid it; `went`: minutes after it was entered that its money did."""
    money = Money.parse(amount, currency)
    transaction = Transaction(
        id="t1",
        parent_id=None,
        kind="refund",
        status="success",
        gateway="card",
        amount=money,
        processed_at=at + timedelta(minutes=went) if at and went is not None else None,
    )
    books = Money.parse("1.00", "EUR")
    return Refund(
        id=refund_id, created_at=at, amount=Amount(shop=books, presentment=money), transactions=(transaction,)
    )
