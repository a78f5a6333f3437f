"""What a storefront says of an order's money that moved, and by which names a provider may know the order."""

from collections.abc import Iterator
from datetime import datetime

from shared.finance.models import MovementKind, StoreMovement
from shared.finance.parting import exact
from shared.kernel.money import Amount, Money
from shared.orders.models import Order, PaymentState, Refund, Transaction

GIFT_CARD, STORE_CREDIT = "gift_card", "store_credit"
BEARER_GATEWAYS = frozenset({GIFT_CARD, STORE_CREDIT})
"""Tender that the merchant itself owes: no provider moves it."""
UNKNOWN_GATEWAY = "unknown"
EVERYTHING = "all"
"""Id of the movement where a storefront tells only that the order is paid."""
_PAID = frozenset({PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED})
_OWN_NAMES = {"shopify_store_credit": STORE_CREDIT}


def movements_of(order: Order) -> tuple[StoreMovement, ...]:
    """Successful captures and refunds, by time.

    Where the storefront says that an order is paid and tells no transaction (WooCommerce), one movement of all that is
    not outstanding stands for them, and one for each refund. A gift card or store credit that it tells as a tender
    only is a movement too, unless it was deducted from the total: then it is no payment of it.
    """
    captures = [_movement(order, item, MovementKind.CAPTURE) for item in _succeeded(order.transactions, *_CAPTURES)]
    captures += _tenders(order, captures)
    if not any(item.gateway not in BEARER_GATEWAYS for item in captures) and order.payment in _PAID:
        captures += _all_that_is_left(order, captures)
    found = {(item.kind, item.id): item for item in (*captures, *_refunds(order, is_paid=bool(captures)))}
    return tuple(sorted(found.values(), key=lambda item: (item.at, item.kind, item.id)))


def references_of(order: Order) -> tuple[str, ...]:
    """By which a provider may name the whole order: its name with and without the mark, its ids, its checkout, and the
    transactions that were not refused. Nothing that would let anybody see or pay the order, such as a token."""
    names = [order.name, order.name.removeprefix("#"), order.order_id]
    if order.gid:
        names += [order.gid, order.gid.rpartition("/")[2]]
    checkout = order.personal.unknown_fields.get("checkout_id")
    if checkout:
        names += [str(checkout), f"c{checkout}", f"#c{checkout}"]  # as Shopify Payments writes it [general knowledge]
    for item in order.transactions:
        if not item.test and item.kind.lower() != "refund" and item.status.lower() in {"success", "pending"}:
            names += [item.id, item.parent_id or ""]
    return tuple(sorted({name for name in names if name}))


_CAPTURES = ("sale", "capture")


def _succeeded(transactions: tuple[Transaction, ...], *kinds: str) -> Iterator[Transaction]:
    for item in transactions:
        counts = item.status.lower() == "success" and item.kind.lower() in kinds
        if counts and not item.test and item.amount.minor > 0:
            yield item


def _movement(order: Order, item: Transaction, kind: MovementKind) -> StoreMovement:
    return StoreMovement(
        id=item.id,
        kind=kind,
        gateway=_gateway(item.gateway),
        at=item.processed_at or placed_at(order),
        currency=item.amount.currency,
        amount=_minor(item.amount),
        references=tuple(sorted({item.id, *([item.parent_id] if item.parent_id else [])})),
    )


def _tenders(order: Order, captures: list[StoreMovement]) -> Iterator[StoreMovement]:
    """Tender without a transaction of its own."""
    if order.totals.gift_cards or any(item.gateway in BEARER_GATEWAYS for item in captures):
        return
    for number, tender in enumerate(order.tenders):
        if _minor(tender.amount.presentment) > 0:
            yield StoreMovement(
                id=f"tender/{tender.id or number}",
                kind=MovementKind.CAPTURE,
                gateway=_gateway(tender.kind),
                at=placed_at(order),
                currency=tender.amount.presentment.currency,
                amount=_minor(tender.amount.presentment),
            )


def _all_that_is_left(order: Order, captures: list[StoreMovement]) -> Iterator[StoreMovement]:
    zero = Amount.zero(order.currency, order.presentment_currency)
    rounding = order.cash_rounding.payment if order.cash_rounding else zero
    paid = (order.totals.total + rounding - (order.outstanding or zero)).presentment
    left = _minor(paid) - sum(item.amount for item in captures if item.currency == paid.currency)
    if left > 0:
        yield StoreMovement(
            id=EVERYTHING,
            kind=MovementKind.CAPTURE,
            gateway=_main_gateway(order),
            at=placed_at(order),
            currency=paid.currency,
            amount=left,
        )


def _refunds(order: Order, *, is_paid: bool) -> Iterator[StoreMovement]:
    for item in _succeeded(order.transactions, "refund"):
        yield _movement(order, item, MovementKind.REFUND)
    for refund in order.refunds:
        told = [_movement(order, item, MovementKind.REFUND) for item in _succeeded(refund.transactions, "refund")]
        yield from told
        if not told and is_paid and _minor(refund.amount.presentment) > 0:
            yield _refund(order, refund)


def _refund(order: Order, refund: Refund) -> StoreMovement:
    """Of a storefront that tells a refund's sum and not how it was paid out. An order that was never paid has none."""
    return StoreMovement(
        id=f"refund/{refund.id}",
        kind=MovementKind.REFUND,
        gateway=_main_gateway(order),
        at=refund.created_at or placed_at(order),
        currency=refund.amount.presentment.currency,
        amount=_minor(refund.amount.presentment),
        references=(refund.id,),
    )


def _main_gateway(order: Order) -> str:
    told = [item.gateway for item in _succeeded(order.transactions, *_CAPTURES) if item.gateway]
    named = [name for name in (*told, *order.payment_methods) if _gateway(name) not in BEARER_GATEWAYS]
    return _gateway(next(iter(named), None))


def _gateway(name: str | None) -> str:
    return _OWN_NAMES.get((name or "").lower(), name or UNKNOWN_GATEWAY)


def placed_at(order: Order) -> datetime:
    return order.processed_at or order.created_at


def _minor(money: Money) -> int:
    return round(exact(money))
