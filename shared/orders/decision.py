"""Decide what an account of an order makes of the record we keep. Pure: values in, a commit out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.customers.verification import Standing
from shared.inventory.bundles import Bundles
from shared.inventory.models import Cause, StockChange, StockView
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import OrderKey
from shared.kernel.versions import Version
from shared.orders.demand import Dispatched, StockPlan, bundles_of, demand_of, demand_of_cancelled, plan
from shared.orders.lifecycle import FulfilmentState, ReviewState, may_review_move
from shared.orders.models import Order
from shared.orders.record import Hold, HoldReason, LineKind, LineState, OrderRecord
from shared.orders.review import ReviewRules, find_holds

STOREFRONT = "storefront"


@dataclass(frozen=True)
class Commit:
    """One transaction: the record as it is to be, and the stock changes that belong to it."""

    record: OrderRecord
    changes: tuple[StockChange, ...]
    replaces: int | None
    """The revision that the decision was built on; None for a new order."""


class Contended(Conflict):
    """Others were faster at stock lines: at the same moment, or with the last units."""

    def __init__(self, skus: frozenset[str]) -> None:
        super().__init__("contended", "others were faster at the stock that this order needs")
        self.skus = skus


class Fingerprint(NamedTuple):
    """What an order looks like, whoever sent it: the same buyer, lines and total within a window of time."""

    value: str
    key: OrderKey
    placed_at: datetime
    window: timedelta


@dataclass(frozen=True)
class Circumstances:
    """What a decision needs beside the order and the record."""

    stock: StockView
    locations: Sequence[str]
    rules: ReviewRules
    now: datetime
    bundles: Bundles = field(default_factory=dict)
    twin: OrderKey | None = None
    """Another recent order by the same buyer with the same lines and total."""
    buyer: Standing = Standing.NOT_ASKED
    """Whether the buyer is known to be who they say."""
    occasion: str = "order"
    """What made us decide: `order` (an account came in), `review` (we looked again), `dispatch` (goods left)."""
    dispatched: Dispatched = field(default_factory=dict)
    """What the back office tells now; what the record knows already need not be in it."""


def decide(order: Order, stored: OrderRecord | None, around: Circumstances) -> Commit:
    """Apply an account that is known to be newer than the record, or review the same account again."""
    cancelled_by = _cancelled_by(order, stored)
    previous = stored.lines if stored else ()
    dispatched = _dispatched(previous, around.dispatched)
    bundles = bundles_of(previous, around.bundles)
    demands = demand_of(order, around.stock, bundles, dispatched, cancelled=cancelled_by is not None)
    stock_plan = plan(demands, previous, around.stock, around.locations, around.bundles)
    holds = _holds(order, stored, stock_plan, around)
    review = ReviewState.CANCELLED if cancelled_by else _review(stored, holds, stock_plan.lines, around.rules)
    revision = stored.revision + 1 if stored else 1
    record = OrderRecord(
        shop=order.shop,
        order_id=order.order_id,
        platform=order.platform,
        name=order.name,
        revision=revision,
        version=_version(order, stored),
        review=review,
        holds=() if cancelled_by else holds,
        overridden=stored.overridden if stored else (),
        fulfilment=fulfilment_of(stock_plan.lines, delivered=_is_delivered(order) or bool(stored and stored.delivered)),
        payment=order.payment,
        total=order.totals.total.shop,
        placed_at=order.processed_at or order.created_at,
        lines=stock_plan.lines,
        settled=stock_plan.settled,
        cancelled_by=cancelled_by,
        dispatches=stored.dispatches if stored else None,
        delivered=bool(stored and stored.delivered),
        cause=Cause(kind=around.occasion, reference=f"{order.key}#{revision}"),
    )
    record = with_attention(record, stored, around.now)
    return Commit(record=record, changes=stock_plan.changes, replaces=stored.revision if stored else None)


def _version(order: Order, stored: OrderRecord | None) -> Version:
    """An account that says the same is no other version: another worker may have seen it some moments later, and an
    order would count as revised."""
    is_known = stored is not None and order.version.states_the_same(stored.version)
    return stored.version if stored is not None and is_known else order.version


def cancel(stored: OrderRecord, around: Circumstances, *, by: str, kind: str = "cancel") -> Commit:
    """Give back what is allocated. What was shipped stays shipped."""
    if stored.review is ReviewState.CANCELLED and stored.settled:
        raise Rejected("already_cancelled", f"order {stored.key} is cancelled", field="order")
    demands = demand_of_cancelled(stored.lines)
    stock_plan = plan(demands, stored.lines, around.stock, around.locations, around.bundles)
    record = _next(stored, by=by, kind=kind).model_copy(
        update={
            "review": ReviewState.CANCELLED,
            "holds": (),
            "lines": stock_plan.lines,
            "fulfilment": fulfilment_of(stock_plan.lines, delivered=stored.fulfilment is FulfilmentState.DELIVERED),
            "settled": stock_plan.settled,
            "cancelled_by": by,
        }
    )
    record = with_attention(record, stored, around.now)
    return Commit(record=record, changes=stock_plan.changes, replaces=stored.revision)


def release(stored: OrderRecord, now: datetime, *, by: str) -> Commit:
    """Overrule every reason that holds the order, now and when it is reviewed again.

    Raises:
        Rejected: `not_releasable`, when it is cancelled or already released.
    """
    # That the review knows a step from cancelled to released is for storefronts, which reopen what they cancelled.
    if stored.review in (ReviewState.RELEASED, ReviewState.CANCELLED):
        raise Rejected("not_releasable", f"order {stored.key} is {stored.review}", field="order")
    overruled = tuple(sorted({*stored.overridden, *(hold.reason for hold in stored.holds)}))
    record = _next(stored, by=by, kind="release").model_copy(
        update={"review": ReviewState.RELEASED, "holds": (), "overridden": overruled}
    )
    return Commit(record=with_attention(record, stored, now), changes=(), replaces=stored.revision)


def fulfilment_of(lines: Sequence[LineState], *, delivered: bool) -> FulfilmentState:
    """Derive the fulfilment axis from what each line holds, shipped and got back."""
    shipped = sum(sum(line.shipped.values()) for line in lines)
    if not shipped:
        return _before_shipping([line for line in lines if line.kind is not LineKind.UNTRACKED and line.open])
    if shipped <= sum(line.returned for line in lines):
        return FulfilmentState.RETURNED
    if any(line.open for line in lines):
        return FulfilmentState.PARTIALLY_SHIPPED
    return FulfilmentState.DELIVERED if delivered else FulfilmentState.SHIPPED


def _before_shipping(waiting: Sequence[LineState]) -> FulfilmentState:
    if not waiting:
        return FulfilmentState.NOT_REQUIRED
    if any(line.short for line in waiting):
        return FulfilmentState.BACKORDERED
    if any(line.allocated for line in waiting):
        return FulfilmentState.ALLOCATED
    return FulfilmentState.UNALLOCATED


def with_attention(record: OrderRecord, stored: OrderRecord | None, now: datetime) -> OrderRecord:
    """Mark since when someone, or new stock, is needed; cleared as soon as nothing is open."""
    open_matters = record.review is not ReviewState.CANCELLED and (
        record.review in (ReviewState.HELD, ReviewState.APPROVED)
        or bool(record.unmapped)
        or any(line.short for line in record.lines)
    )
    since = (stored.attention_since if stored else None) or now
    return record.model_copy(update={"attention_since": since if open_matters or not record.settled else None})


def _dispatched(previous: Sequence[LineState], news: Dispatched) -> Dispatched:
    """What left never comes back by being left out of an account: returns are told as such."""
    known: dict[str, tuple[int, datetime | None]] = {
        line.line_id: (line.dispatched, None) for line in previous if line.dispatched
    }
    later = {line_id: told for line_id, told in news.items() if told[0] > known.get(line_id, (0, None))[0]}
    return {**known, **later}


def _cancelled_by(order: Order, stored: OrderRecord | None) -> str | None:
    """An operator's cancellation stays, whatever the storefront says later; the storefront may reopen its own."""
    if stored and stored.cancelled_by and stored.cancelled_by != STOREFRONT:
        return stored.cancelled_by
    return STOREFRONT if order.cancelled_at else None


def _holds(order: Order, stored: OrderRecord | None, stock_plan: StockPlan, around: Circumstances) -> tuple[Hold, ...]:
    overridden = stored.overridden if stored else ()
    found = find_holds(order, stock_plan.lines, around.rules, twin=around.twin, buyer=around.buyer)
    remembered = [hold for hold in (stored.holds if stored else ()) if hold.reason is HoldReason.POSSIBLE_DUPLICATE]
    return tuple(hold for hold in (*found, *remembered) if hold.reason not in overridden)


def _review(
    stored: OrderRecord | None, holds: tuple[Hold, ...], lines: Sequence[LineState], rules: ReviewRules
) -> ReviewState:
    """Released stays released: the warehouse may already be packing. Only a cancellation calls it back.

    An order whose goods have all left needs no more review, whatever speaks against it.
    """
    old = stored.review if stored else ReviewState.RECEIVED
    all_left = any(line.shipped for line in lines) and not any(line.open for line in lines)
    if old is ReviewState.RELEASED or all_left:
        new = ReviewState.RELEASED
    elif holds:
        new = ReviewState.HELD
    else:
        overruled = stored is not None and bool(stored.overridden) and old is not ReviewState.CANCELLED
        new = ReviewState.RELEASED if rules.auto_release or overruled else ReviewState.APPROVED
    if not may_review_move(old, new):
        raise AssertionError(f"the review knows no step from {old} to {new}")
    return new


def _is_delivered(order: Order) -> bool:
    shipments = [shipment for shipment in order.fulfilments if shipment.counts_as_shipped]
    return bool(shipments) and all(shipment.shipment_status == "delivered" for shipment in shipments)


def _next(stored: OrderRecord, *, by: str, kind: str) -> OrderRecord:
    revision = stored.revision + 1
    cause = Cause(kind=kind, reference=f"{stored.key}#{revision}", actor=by)
    return stored.model_copy(update={"revision": revision, "cause": cause})
