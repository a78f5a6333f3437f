"""What a buyer's page shows of an order: how far it is, and its parcels. Pure.

Whoever has the link sees it, so there is nothing in it that tells who the buyer is, where they live, or what they paid.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

from shared.kernel.model import Canonical
from shared.orders.buyer_notices import sent_goods
from shared.orders.dispatch import Dispatch
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.models import Fulfilment
from shared.orders.record import OrderRecord
from shared.sync.carriers import TrackedParcel, tracked


class ViewStage(StrEnum):
    RECEIVED = "received"
    CHECKING = "checking"
    """Received, and somebody has yet to look at it. Why is nothing for this page."""
    CONFIRMED = "confirmed"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class Step(Canonical):
    """One step of the way; a step is either done, current, or still to come."""

    stage: ViewStage
    done: bool = False
    current: bool = False


class OrderView(Canonical):
    order_name: str
    """As buyer and staff call it: #1001."""
    stage: ViewStage
    steps: tuple[Step, ...]
    """Exactly one is current: the one that was reached last."""
    parcels: tuple[TrackedParcel, ...] = ()


def view_of(
    order_name: str,
    record: OrderRecord,
    dispatches: Sequence[Dispatch],
    fulfilments: Sequence[Fulfilment],
    *,
    shown: Collection[str] = frozenset(),
) -> OrderView:
    """The page's content. `shown`: ids of fulfilments that the storefront has from us, see `sent_goods`."""
    stage = _stage(record)
    return OrderView(
        order_name=order_name,
        stage=stage,
        steps=_steps(stage, ships=record.fulfilment is not FulfilmentState.NOT_REQUIRED),
        parcels=_parcels(dispatches, fulfilments, shown),
    )


def _stage(record: OrderRecord) -> ViewStage:
    if record.review is ReviewState.CANCELLED:
        return ViewStage.CANCELLED
    if record.fulfilment is FulfilmentState.SHIPPED and record.delivered:
        return ViewStage.DELIVERED
    if record.fulfilment in _AFTER_LEAVING:
        return _AFTER_LEAVING[record.fulfilment]
    return _BEFORE_LEAVING[record.review]


_AFTER_LEAVING = {
    FulfilmentState.PARTIALLY_SHIPPED: ViewStage.PARTLY_SHIPPED,
    FulfilmentState.SHIPPED: ViewStage.SHIPPED,
    FulfilmentState.DELIVERED: ViewStage.DELIVERED,
    FulfilmentState.RETURNED: ViewStage.RETURNED,
}
_BEFORE_LEAVING = {
    ReviewState.RECEIVED: ViewStage.RECEIVED,
    ReviewState.HELD: ViewStage.CHECKING,
    ReviewState.APPROVED: ViewStage.CHECKING,
    ReviewState.RELEASED: ViewStage.CONFIRMED,
}


def _steps(stage: ViewStage, *, ships: bool) -> tuple[Step, ...]:
    way = _way(stage, ships=ships)
    reached = way.index(stage)
    return tuple(Step(stage=each, done=number < reached, current=number == reached) for number, each in enumerate(way))


def _way(stage: ViewStage, *, ships: bool) -> tuple[ViewStage, ...]:
    if stage is ViewStage.CANCELLED:
        return ViewStage.RECEIVED, ViewStage.CANCELLED
    first = ViewStage.CHECKING if stage is ViewStage.CHECKING else ViewStage.RECEIVED
    if not ships:
        return first, ViewStage.CONFIRMED
    leaving = ViewStage.PARTLY_SHIPPED if stage is ViewStage.PARTLY_SHIPPED else ViewStage.SHIPPED
    last = (ViewStage.RETURNED,) if stage is ViewStage.RETURNED else ()
    return first, ViewStage.CONFIRMED, leaving, ViewStage.DELIVERED, *last


def _parcels(
    dispatches: Sequence[Dispatch], fulfilments: Sequence[Fulfilment], shown: Collection[str]
) -> tuple[TrackedParcel, ...]:
    sent = sent_goods(fulfilments, dispatches, shown)
    parcels = (tracked(parcel) for consignment in sent for parcel in consignment.parcels)
    told = (parcel for parcel in parcels if parcel.carrier or parcel.number or parcel.link)
    each_once: dict[str | int, TrackedParcel] = {}
    for position, parcel in enumerate(told):
        each_once.setdefault(parcel.number or position, parcel)
    return tuple(each_once.values())
