"""Work out how an order is to stand in the books: a pure function of the storefront's account and our record of it."""

from collections.abc import Iterator

from shared.backoffices.documents import GoodsLine, Rounding, Shipping
from shared.kernel.money import Money
from shared.orders.lifecycle import ReviewState
from shared.orders.models import Order, RestockKind
from shared.orders.record import OrderRecord
from shared.sync.backoffice.books import SHIPPED, Books, Return, Stage, Taken
from shared.sync.backoffice.customer import Buyer, customer_of
from shared.sync.backoffice.payments import PAID, day_of, payments_of
from shared.sync.backoffice.reckoning import Reckoner, by_time
from shared.sync.backoffice.rules import BookRules, InvoiceMoment


def books_of(
    order: Order,
    record: OrderRecord,
    rules: BookRules,
    *,
    buyer: Buyer,
    warehouse: str,
    services: frozenset[str] = frozenset(),
) -> Books:
    """Work out the books of one order. `buyer` is whom the back office knows as the customer; `services` are SKUs that
    it sells and does not ship.

    Raises:
        Rejected: `unmapped_tax`, `missing_sku`, `total_mismatch`: what a person must mend before it can be booked.
    """
    reckoner = Reckoner(order, record, rules, services)
    lines, total = reckoner.lines()
    owed_back = tuple(reckoner.credits())
    return Books(
        key=str(order.key),
        name=order.name,
        placed_on=day_of(order.processed_at or order.created_at),
        currency=order.currency,
        warehouse=warehouse,
        stage=_stage(order, record, rules, left_over=reckoner.left_over(lines, total, owed_back)),
        customer=customer_of(order, buyer),
        lines=lines,
        placed={line.id: line.quantity for line in order.lines},
        total=total,
        rounding=Rounding(sku=rules.products.rounding, limit=_minor(rules.rounding_limit, order.currency)),
        shipped_by_others=tuple(_shipped_by_others(order, services)),
        returns=tuple(_returns(order)),
        recalled=tuple(_recalled(order, record)),
        credits=owed_back,
        payments=tuple(payments_of(order, rules)),
        invoice_due=_invoice_moment(order, rules),
        is_paid=order.payment in PAID,
    )


def _stage(order: Order, record: OrderRecord, rules: BookRules, *, left_over: bool) -> Stage:
    released = record.review is ReviewState.RELEASED
    if order.test and not released:
        return Stage.ABSENT
    has_left = any(sum(line.shipped.values()) for line in record.lines)
    if (record.review is ReviewState.CANCELLED or not left_over) and not has_left:
        return Stage.CANCELLED
    if released or has_left:
        return Stage.CONFIRMED
    return Stage.DRAFT if rules.record_when == "received" else Stage.ABSENT


def _shipped_by_others(order: Order, services: frozenset[str]) -> Iterator[Shipping]:
    skus = {line.id: line.sku for line in order.lines if line.sku not in services}
    for shipment in order.fulfilments:
        lines = tuple(
            GoodsLine(key=item.line_id, sku=skus[item.line_id] or "", quantity=item.quantity)
            for item in shipment.lines
            if item.quantity > 0 and skus.get(item.line_id)
        )
        if shipment.counts_as_shipped and lines:
            yield Shipping(
                key=f"{order.key}{SHIPPED}{shipment.id}", sale=str(order.key), lines=lines, parcels=shipment.parcels
            )


def _returns(order: Order) -> Iterator[Return]:
    skus = {line.id: line.sku for line in order.lines}
    for refund in by_time(order.refunds):
        lines = tuple(
            Taken(key=item.line_id, sku=skus[item.line_id] or "", quantity=item.quantity)
            for item in refund.lines
            if item.restock is RestockKind.RETURNED and item.quantity and skus.get(item.line_id)
        )
        if lines:
            yield Return(key=f"{order.key}/return/{refund.id}", lines=lines)


def _recalled(order: Order, record: OrderRecord) -> Iterator[Taken]:
    """Units that the back office sent beyond what the storefront shows as shipped or still wants."""
    cancelled = record.review is ReviewState.CANCELLED
    states = {state.line_id: state for state in record.lines}
    shown: dict[str, int] = {}
    for shipment in order.fulfilments:
        for item in shipment.lines if shipment.counts_as_shipped else ():
            shown[item.line_id] = shown.get(item.line_id, 0) + item.quantity
    for line in order.lines:
        state = states.get(line.id)
        wanted = shown.get(line.id, 0) + (0 if cancelled else line.open_quantity)
        surplus = (state.dispatched if state else 0) - wanted
        if surplus > 0 and line.sku:
            yield Taken(key=line.id, sku=line.sku, quantity=surplus)


def _invoice_moment(order: Order, rules: BookRules) -> InvoiceMoment:
    named = [rules.invoice_by_method[method] for method in order.payment_methods if method in rules.invoice_by_method]
    return named[0] if named else rules.invoice


def _minor(units: int, currency: str) -> Money:
    return Money.zero(currency).model_copy(update={"minor": units})
