"""How often a buyer is written to about one order, and what that costs. Exact.

Of the units, those written are the notices' own keys, by which each is sent once; of the reads, the order's stand in
the back office is one. The order is of three lines, and its shop sends every kind of notice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from infra.bench.companies import GOODS
from infra.bench.memory import empty_desk
from infra.bench.units import READS, Meter, tables
from infra.demo.shops import MORNING, Post, aurora, aurora_line
from infra.samples import shopify
from shared.kernel.identifiers import OrderKey
from shared.orders.buyer_notices import BuyerNoticeKind
from shared.orders.intake import take_in
from shared.orders.ports import Desk
from shared.sync.alerts import NoticeLog
from shared.sync.backoffice.table import MirrorTable
from shared.sync.table import NoticeTable
from shared.sync.tell_buyer import BuyerDesk, Letter, tell_buyer
from shared.webhooks.delivery import Delivery
from shared.wiring.storefront import reader

CONFIRMED: Final = "confirmed"
WHOLE: Final = "whole life"
_NUMBER: Final = 8500
_NOW: Final = MORNING + timedelta(hours=4)
_RECEIVED_AT: Final = "2026-11-23T12:00:00.000000000Z"


@dataclass(frozen=True)
class LetterCost:
    account: str
    mails: int
    written: float
    read: float

    def __add__(self, other: "LetterCost") -> "LetterCost":
        return LetterCost(WHOLE, self.mails + other.mails, self.written + other.written, self.read + other.read)


class _Postbox:
    """Takes every letter."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)


def measure() -> list[LetterCost]:
    """An order is confirmed, told of again, sent in one parcel, and arrives."""
    with tables() as (connection, names):
        meter, orders, postbox = Meter(connection.client), replace(empty_desk(), clock=lambda: _NOW), _Postbox()
        mirrors, log = MirrorTable(connection, names["sync"]), NoticeTable(connection, names["sync"])
        desk = _desk(orders, mirrors, log, postbox)
        costs = list(_life(orders, desk, meter, postbox))
    return [*costs, sum(costs[1:], costs[0])]


def _life(orders: Desk, desk: BuyerDesk, meter: Meter, postbox: _Postbox) -> Iterator[LetterCost]:
    for account, post in (
        (CONFIRMED, _order()),
        ("nothing to do", None),
        ("shipped", _sent(minute=9, shipment_status=None)),
        ("delivered", _sent(minute=90, shipment_status="delivered")),
    ):
        if post:
            delivery = Delivery("aurora", "shopify", "orders/updated", _RECEIVED_AT, post.request.body)
            take_in("aurora", reader("shopify")(delivery), orders)
        meter.take()
        postbox.letters.clear()
        tell_buyer(OrderKey("aurora", str(_NUMBER)), desk)
        requests = meter.take()
        written = sum(request.units for request in requests if request.operation not in READS)
        yield LetterCost(account, len(postbox.letters), written, sum(request.units for request in requests) - written)


def _desk(orders: Desk, mirrors: MirrorTable, log: NoticeLog, postbox: _Postbox) -> BuyerDesk:
    return BuyerDesk(
        orders=orders.book,
        mirrors=mirrors,
        log=log,
        mailer=postbox,
        address_of=lambda link: f"https://orders.example/{link.purpose}/made-up",
        kinds=frozenset(BuyerNoticeKind),
        language="en",
        track_days=180,
        clock=lambda: _NOW,
    )


def _order() -> Post:
    return aurora(_NUMBER, *(aurora_line(sku) for sku in GOODS))


def _sent(*, minute: int, shipment_status: str | None) -> Post:
    lines: list[dict[str, Any]] = [
        aurora_line(sku, fulfillable_quantity=0, fulfillment_status="fulfilled") for sku in GOODS
    ]
    sent = shopify.Shop().fulfilment(*lines, number=_NUMBER, order_id=_NUMBER, shipment_status=shipment_status)
    changes = {"fulfillments": [sent], "fulfillment_status": "fulfilled"}
    return aurora(_NUMBER, *lines, minute=minute, topic="orders/updated", **changes)
