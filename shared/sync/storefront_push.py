"""Tell the storefront what became of an order here: consignments with their tracking, completion, cancellation."""

from dataclasses import dataclass

from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import STOREFRONT
from shared.orders.dispatch import Dispatch, digest
from shared.orders.lifecycle import FulfilmentState, ReviewState
from shared.orders.ports import OrderFinder
from shared.orders.record import OrderRecord
from shared.storefronts.port import FulfilmentDesk
from shared.sync.backoffice.mirror import Mirrors, Stop, Told


@dataclass(frozen=True)
class TellingDesk:
    """One shop, as far as it is told things."""

    storefront: FulfilmentDesk
    orders: OrderFinder
    mirrors: Mirrors
    clock: Clock
    notify_buyer: bool
    """Whether the shop itself writes to the buyer when goods leave."""
    complete_on: frozenset[FulfilmentState]
    """When an order counts as complete."""


def tell(key: OrderKey, desk: TellingDesk) -> Told:
    """Have the storefront show what is so here. Repeated calls change only what is not so yet.

    Raises:
        Rejected: the storefront refuses; the reason is on the error desk too.
        Retry, Conflict: it is to be tried again.
    """
    record = desk.orders.find(key)
    if record is None:
        raise Rejected("unknown_order", f"there is no order {key}", field="order")
    mirror = desk.mirrors.find(key)
    before = desk.mirrors.find_told(key)
    told = before or Told(shop=key.shop, order_id=key.order_id)
    try:
        news = tuple(one for one in (mirror.dispatches if mirror else ()) if not one.by_storefront)
        after = _tell(record, news, told, desk)
    except (Rejected, Retry) as error:
        stop = Stop.of(error, told.stop, desk.clock())
        desk.mirrors.save_told(told.model_copy(update={"stop": stop}), before)
        raise
    after = after.model_copy(update={"stop": None})
    return after if after == told else desk.mirrors.save_told(after, before)


def _tell(record: OrderRecord, dispatches: tuple[Dispatch, ...], told: Told, desk: TellingDesk) -> Told:
    if dispatches and digest(dispatches) != told.digest:
        known = desk.storefront.tell_dispatched(
            record.order_id, dispatches, known=told.known, notify_buyer=desk.notify_buyer
        )
        told = told.model_copy(update={"known": dict(known), "digest": digest(dispatches)})
    if dispatches and not told.completed and record.fulfilment in desk.complete_on:
        desk.storefront.complete(record.order_id, dispatches, known=told.known)
        told = told.model_copy(update={"completed": True})
    if _was_cancelled_here(record) and not dispatches and not told.cancelled:
        desk.storefront.cancel(record.order_id, f"Cancelled in Storebridge by {record.cancelled_by}")
        told = told.model_copy(update={"cancelled": True})
    return told


def _was_cancelled_here(record: OrderRecord) -> bool:
    return record.review is ReviewState.CANCELLED and record.cancelled_by not in (None, STOREFRONT)
