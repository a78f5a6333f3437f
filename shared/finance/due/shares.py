"""What each movement of a buyer's money pays of an order, in the currency of the shop's books.

Where a buyer pays in the shop's own currency that is the amount itself. Otherwise nobody tells it: the shop's total and
the buyer's total stand side by side, and each movement pays in proportion, reckoned on what was paid so far, so that
the movements which pay the buyer's total pay the shop's total to the last minor unit. What refunds give back goes by
the refunds' own totals in the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from shared.finance.models import LineKind, MovementKind, OrderStatement, SettlementLine, StoreMovement
from shared.finance.parting import proportion

CAPTURES = frozenset({LineKind.CAPTURE, LineKind.CAPTURE_REVERSED})
REFUNDS = frozenset({LineKind.REFUND, LineKind.REFUND_REVERSED})
BUYERS_MONEY = CAPTURES | REFUNDS


class Receipt(NamedTuple):
    """One movement of an order, signed: money that goes back is negative."""

    source: str
    gives_back: bool
    """One of the refunds (or the reversal of one), not of the captures."""
    at: datetime
    currency: str
    """Of the balance it is on."""
    amount: int
    buyer_amount: int | None
    """In the order's buyer currency; None where nobody tells."""
    by_feed: bool
    names: frozenset[str] = frozenset()
    """By which the storefront may know it."""


def receipt_of_line(line: SettlementLine, order: OrderStatement) -> Receipt:
    told = line.buyer_amount if line.buyer_currency == order.buyer_currency else None
    if told is None and line.currency == order.buyer_currency:
        told = line.gross
    return Receipt(
        f"line/{line.account}/{line.line_id}",
        line.kind in REFUNDS,
        line.occurred_at,
        line.currency,
        line.gross,
        told,
        by_feed=True,
        names=frozenset(name for name in (*line.references, line.payment_id, line.source_id) if name),
    )


def receipt_of_movement(movement: StoreMovement, source: str, order: OrderStatement) -> Receipt:
    gives_back = movement.kind is MovementKind.REFUND
    amount = -movement.amount if gives_back else movement.amount
    told = amount if movement.currency == order.buyer_currency else None
    return Receipt(source, gives_back, movement.at, movement.currency, amount, told, by_feed=False)


def shares_of(order: OrderStatement, receipts: Iterable[Receipt], rounding_limit: int) -> Mapping[str, int | None]:
    """What each receipt pays, by its source, in `order.currency`. None: it cannot be said.

    `rounding_limit`: minor units for each receipt of a foreign buyer by which the whole may miss what is owed; the last
    receipt takes them.
    """
    known = _with_amounts_by_the_store(order, sorted(receipts, key=_sequence))
    if order.buyer_currency == order.currency:
        return {receipt.source: _same_currency(receipt, order) for receipt in known}
    shares: dict[str, int | None] = {}
    for gives_back in (False, True):
        shop, buyer = _totals(order, gives_back=gives_back)
        reached = 0
        for receipt in (one for one in known if one.gives_back is gives_back):
            if receipt.buyer_amount is None or not buyer:
                shares[receipt.source] = receipt.amount if receipt.currency == order.currency else None
                continue
            before, reached = reached, reached + receipt.buyer_amount
            shares[receipt.source] = proportion(shop, reached, buyer) - proportion(shop, before, buyer)
    return _settled(order, known, shares, rounding_limit)


def _same_currency(receipt: Receipt, order: OrderStatement) -> int | None:
    return receipt.amount if receipt.currency == order.currency else receipt.buyer_amount


def _totals(order: OrderStatement, *, gives_back: bool) -> tuple[int, int]:
    """What stands side by side, in the shop's and in the buyer's currency."""
    if gives_back:
        shop = sum(document.total for document in order.reductions if document.id.startswith("refund/"))
        buyer = sum(
            movement.amount
            for movement in order.movements
            if movement.kind is MovementKind.REFUND and movement.currency == order.buyer_currency
        )
        if shop and buyer:
            return shop, buyer
    return (order.sale.total if order.sale else 0), order.buyer_total


def _settled(
    order: OrderStatement, receipts: Sequence[Receipt], shares: dict[str, int | None], rounding_limit: int
) -> dict[str, int | None]:
    told = [receipt for receipt in receipts if shares[receipt.source] is not None]
    if not told or len(told) < len(receipts):
        return shares
    left = order.owed - sum(shares[receipt.source] or 0 for receipt in told)
    if abs(left) <= rounding_limit * len(told):
        last = told[-1].source
        shares[last] = (shares[last] or 0) + left
    return shares


def _with_amounts_by_the_store(order: OrderStatement, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Give receipts whose feed tells no buyer's amount one that can be relied on, the surest first: that of the
    storefront's movement which names it; for captures beyond those, and for what was not captured after all, the same
    rate; what the storefront says was moved in all, parted by their amounts. A second capture of the same money is
    so a second payment, and no gain of exchange."""
    known = _named(order, receipts)
    captures = _filled(order, [one for one in known if not one.gives_back], Fraction(0))
    rate = _rate(captures)
    refunds = _filled(order, [one for one in known if one.gives_back], rate)
    found = {one.source: one for one in (*captures, *refunds)}
    return [found[receipt.source] for receipt in receipts]


def _named(order: OrderStatement, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Each movement of the storefront's names one receipt."""
    left = [one for one in order.movements if one.currency == order.buyer_currency]
    found = []
    for receipt in receipts:
        kind = MovementKind.REFUND if receipt.gives_back else MovementKind.CAPTURE
        sign = -1 if receipt.gives_back else 1
        namesake = next((one for one in left if one.kind is kind and {one.id, *one.references} & receipt.names), None)
        if _is_untold(receipt, order) and namesake is not None and receipt.amount * sign > 0:
            left.remove(namesake)
            found.append(receipt._replace(buyer_amount=sign * namesake.amount))
        else:
            found.append(receipt)
    return found


def _filled(order: OrderStatement, receipts: Sequence[Receipt], rate: Fraction) -> list[Receipt]:
    """Receipts of one direction with the amounts that no reference told; `rate` where the storefront tells nothing."""
    untold = [one for one in receipts if _is_untold(one, order)]
    weight = sum(one.amount for one in untold)
    gives_back = bool(receipts) and receipts[0].gives_back
    left = _moved(order, gives_back=gives_back) - sum(one.buyer_amount or 0 for one in receipts)
    known = _rate([one for one in receipts if not gives_back])
    if not known and weight and left * weight > 0 and len({one.currency for one in untold}) == 1:
        known = Fraction(left, weight)
    amounts: dict[str, int] = {}
    reached = 0
    for one in untold if known or rate else ():
        before, reached = reached, reached + one.amount
        amounts[one.source] = round((known or rate) * reached) - round((known or rate) * before)
    return [one._replace(buyer_amount=amounts.get(one.source, one.buyer_amount)) for one in receipts]


def _rate(receipts: Sequence[Receipt]) -> Fraction:
    """Of the buyer's currency to the balance's, by receipts that tell both; 0 where none does, or currencies differ."""
    told = [one for one in receipts if one.by_feed and one.buyer_amount is not None and one.amount]
    balance = sum(one.amount for one in told)
    if not balance or len({one.currency for one in told}) != 1:
        return Fraction(0)
    return Fraction(sum(one.buyer_amount or 0 for one in told), balance)


def _is_untold(receipt: Receipt, order: OrderStatement) -> bool:
    return receipt.buyer_amount is None and receipt.currency != order.currency


def _moved(order: OrderStatement, *, gives_back: bool) -> int:
    """What the storefront says was moved in all, signed, in the buyer's currency."""
    kind = MovementKind.REFUND if gives_back else MovementKind.CAPTURE
    moved = [one.amount for one in order.movements if one.kind is kind and one.currency == order.buyer_currency]
    if gives_back:
        return -sum(moved)
    return sum(moved) or order.buyer_total


def _sequence(receipt: Receipt) -> tuple[bool, datetime, str]:
    return receipt.by_feed, receipt.at, receipt.source
