"""What the world is to learn of a change: a pure function of the record before and after it.

The stream of the orders table is the outbox. It delivers a change at least once, so every event carries a key that
is the same each time: `(order, revision, kind)`.
"""

from collections.abc import Iterator
from enum import StrEnum

from shared.kernel.model import Canonical
from shared.kernel.money import Money
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import PaymentState
from shared.orders.record import Hold, OrderRecord


class OrderEventKind(StrEnum):
    RECEIVED = "OrderReceived"
    REVISED = "OrderRevised"
    """The storefront gave a newer account."""
    HELD = "OrderHeld"
    APPROVED = "OrderApproved"
    RELEASED = "OrderReleased"
    CANCELLED = "OrderCancelled"
    ALLOCATED = "OrderAllocated"
    BACKORDERED = "OrderBackordered"
    PARTIALLY_SHIPPED = "OrderPartiallyShipped"
    SHIPPED = "OrderShipped"
    DELIVERED = "OrderDelivered"
    RETURNED = "OrderReturned"
    PAYMENT_CHANGED = "OrderPaymentChanged"


class OrderEvent(Canonical):
    """The detail of an event on the bus. No personal data: whoever needs it reads the order."""

    id: str
    """`aurora/5001#3/OrderHeld`: the same in every delivery of this event."""
    kind: OrderEventKind
    shop: str
    order_id: str
    name: str
    revision: int
    review: ReviewState
    fulfilment: FulfilmentState
    payment: PaymentState
    status: str
    total: Money
    holds: tuple[Hold, ...]
    cause: str
    actor: str


class PlaceholderFound(Canonical):
    """A line whose SKU no stock line carries: someone has to map it."""

    shop: str
    order_id: str
    line_id: str
    sku: str | None


_REVIEW_EVENTS = {
    ReviewState.HELD: OrderEventKind.HELD,
    ReviewState.APPROVED: OrderEventKind.APPROVED,
    ReviewState.RELEASED: OrderEventKind.RELEASED,
    ReviewState.CANCELLED: OrderEventKind.CANCELLED,
}
_FULFILMENT_EVENTS = {
    FulfilmentState.ALLOCATED: OrderEventKind.ALLOCATED,
    FulfilmentState.BACKORDERED: OrderEventKind.BACKORDERED,
    FulfilmentState.PARTIALLY_SHIPPED: OrderEventKind.PARTIALLY_SHIPPED,
    FulfilmentState.SHIPPED: OrderEventKind.SHIPPED,
    FulfilmentState.DELIVERED: OrderEventKind.DELIVERED,
    FulfilmentState.RETURNED: OrderEventKind.RETURNED,
}


def events_of(old: OrderRecord | None, new: OrderRecord) -> tuple[OrderEvent, ...]:
    """The events of one change, in the order in which they make sense to a reader."""
    return tuple(_event(kind, new) for kind in _kinds(old, new))


def placeholders_of(old: OrderRecord | None, new: OrderRecord) -> tuple[PlaceholderFound, ...]:
    """Placeholder lines that are new with this change."""
    known = {line.line_id for line in old.unmapped} if old else set()
    return tuple(
        PlaceholderFound(shop=new.shop, order_id=new.order_id, line_id=line.line_id, sku=line.sku)
        for line in new.unmapped
        if line.line_id not in known
    )


def _kinds(old: OrderRecord | None, new: OrderRecord) -> Iterator[OrderEventKind]:
    if old is None:
        yield OrderEventKind.RECEIVED
    elif old.version != new.version:
        yield OrderEventKind.REVISED
    if old is not None and old.payment is not new.payment:
        yield OrderEventKind.PAYMENT_CHANGED
    if (old is None or old.fulfilment is not new.fulfilment) and new.fulfilment in _FULFILMENT_EVENTS:
        yield _FULFILMENT_EVENTS[new.fulfilment]
    reasons_changed = old is not None and old.holds != new.holds and new.review is ReviewState.HELD
    if (old is None or old.review is not new.review or reasons_changed) and new.review in _REVIEW_EVENTS:
        yield _REVIEW_EVENTS[new.review]


def _event(kind: OrderEventKind, record: OrderRecord) -> OrderEvent:
    return OrderEvent(
        id=f"{record.key}#{record.revision}/{kind}",
        kind=kind,
        shop=record.shop,
        order_id=record.order_id,
        name=record.name,
        revision=record.revision,
        review=record.review,
        fulfilment=record.fulfilment,
        payment=record.payment,
        status=record.status,
        total=record.total,
        holds=record.holds,
        cause=record.cause.kind,
        actor=record.cause.actor,
    )
