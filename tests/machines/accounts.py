"""What a storefront may say of an order, out of a small alphabet: few lines, few units, the ends of every range."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.kernel.clock import as_sortable
from shared.kernel.versions import Version
from shared.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine, PaymentState, Refund, RefundLine
from shared.orders.models import RestockKind as Restock
from tests.builders.orders import NOON, PRICE, ZERO, line, order

LONG_AGO = NOON - timedelta(days=60)
"""Before anything was counted."""
HUGE = 10**9
"""More than ever lies on a shelf."""


@dataclass(frozen=True)
class Item:
    """One line as the storefront sees it, in units."""

    sku: str | None
    open: int
    shipped: int = 0
    removed: int = 0
    returned: int = 0
    left: str = "now"
    """When the goods left: `now` (the time of the account), `long_ago`, `unknown`."""
    back: str = "now"


@dataclass(frozen=True)
class Statement:
    """One account of one order."""

    items: tuple[Item, ...]
    payment: PaymentState = PaymentState.PAID
    cancelled: bool = False
    delivered: bool = False
    has_address: bool = True


def _items(skus: tuple[str | None, ...]) -> st.SearchStrategy[Item]:
    few = st.integers(0, 2)
    return st.builds(
        Item,
        sku=st.sampled_from(skus),
        open=st.sampled_from([1, 2, 0, 3, HUGE]),
        shipped=few,
        removed=few,
        returned=few,
        left=st.sampled_from(["now", "long_ago", "unknown"]),
        back=st.sampled_from(["now", "long_ago", "unknown"]),
    )


def statements(skus: tuple[str | None, ...]) -> st.SearchStrategy[Statement]:
    """Of up to three lines, none at all among them."""
    return st.builds(
        Statement,
        items=st.lists(_items(skus), max_size=3).map(tuple),
        payment=st.sampled_from([PaymentState.PAID, PaymentState.PENDING, PaymentState.AUTHORISED, *PaymentState]),
        cancelled=st.sampled_from([False, False, False, True]),
        delivered=st.booleans(),
        has_address=st.sampled_from([True, True, True, False]),
    )


EDITS = ("more", "fewer", "ship", "unship", "return", "add", "drop", "pay", "cancel", "reopen", "deliver", "nothing")


def edited(said: Statement, edit: str, which: int, other: Item) -> Statement:
    """The next account after a small step of the trade; the same where the step is impossible."""
    if edit in _WHOLE:
        return replace(said, **_WHOLE[edit])
    if edit == "add":
        return replace(said, items=(*said.items, other)[:3])
    if not said.items:
        return said
    at = which % len(said.items)
    if edit == "drop":
        return replace(said, items=said.items[:at] + said.items[at + 1 :])
    items = list(said.items)
    items[at] = _stepped(items[at], edit)
    return replace(said, items=tuple(items))


_WHOLE: dict[str, dict[str, Any]] = {
    "pay": {"payment": PaymentState.PAID},
    "cancel": {"cancelled": True},
    "reopen": {"cancelled": False},
    "deliver": {"delivered": True},
    "nothing": {},
}


def _stepped(item: Item, edit: str) -> Item:
    if edit == "more":
        return replace(item, open=item.open + 1)
    if edit == "fewer" and item.open:
        return replace(item, open=item.open - 1, removed=item.removed + 1)
    if edit == "ship" and item.open:
        return replace(item, open=item.open - 1, shipped=item.shipped + 1)
    if edit == "unship" and item.shipped:
        return replace(item, open=item.open + 1, shipped=item.shipped - 1)
    if edit == "return" and item.returned < item.shipped:
        return replace(item, returned=item.returned + 1)
    return item


def when(word: str, now: datetime) -> datetime | None:
    return {"now": now, "long_ago": LONG_AGO, "unknown": None}[word]


def account_of(said: Statement, order_id: str, *, number: int, updated: int, observed: int, now: datetime) -> Order:
    """The canonical order. `updated` and `observed`: seconds after noon; `number`: tells its body from all others."""
    version = Version(
        updated_at=as_sortable(NOON + timedelta(seconds=updated)),
        observed_at=as_sortable(NOON + timedelta(seconds=observed)),
        body_sha256=f"{number:064x}",
    )
    lines = tuple(_line(item, slot) for item, slot in zip(said.items, SLOTS, strict=False))
    fields: dict[str, Any] = {
        "version": version,
        "raw_sha256": version.body_sha256,
        "updated_at": NOON + timedelta(seconds=updated),
        "payment": said.payment,
        "cancelled_at": now if said.cancelled else None,
        "fulfilments": tuple(
            _shipment(item, slot, now, delivered=said.delivered)
            for item, slot in zip(said.items, SLOTS, strict=False)
            if item.shipped
        ),
        "refunds": tuple(
            _refund(item, slot, now) for item, slot in zip(said.items, SLOTS, strict=False) if item.returned
        ),
    }
    if not said.has_address:
        fields["personal"] = order().personal.model_copy(update={"shipping_address": None})
    made = order(*lines, order_id=order_id, **fields)
    return made if lines else _empty(made)


SLOTS = ("a", "b", "c")
"""Line ids. The line at a place may change its SKU with the next account."""


def _empty(made: Order) -> Order:
    totals = made.totals.model_copy(update={"subtotal": ZERO, "total": ZERO})
    return made.model_copy(update={"lines": (), "totals": totals})


def _line(item: Item, slot: str) -> OrderLine:
    current = item.open + item.shipped
    sold = current + item.removed
    return line(
        item.sku,
        sold,
        id=slot,
        product_id="p1" if item.sku else None,
        current_quantity=current,
        open_quantity=item.open,
    )


def _shipment(item: Item, slot: str, now: datetime, *, delivered: bool) -> Fulfilment:
    return Fulfilment(
        id=f"ship-{slot}",
        status="success",
        shipment_status="delivered" if delivered else None,
        created_at=when(item.left, now),
        lines=(FulfilmentLine(line_id=slot, quantity=item.shipped),),
    )


def _refund(item: Item, slot: str, now: datetime) -> Refund:
    price = PRICE * item.returned
    back = RefundLine(line_id=slot, quantity=item.returned, restock=Restock.RETURNED, subtotal=price, tax=ZERO)
    return Refund(id=f"refund-{slot}", created_at=when(item.back, now), amount=price, lines=(back,))
