"""Stage 5, order by order: what was found, and whether anything more is expected."""

from shared.finance.matching.captures import examine_captures, is_paid_evenly
from shared.finance.matching.charges import pairing_of
from shared.finance.matching.exchange import examine_exchange
from shared.finance.matching.refunds import examine_refunds, pair_refunds
from shared.finance.matching.worksheet import OrderSheet, Worksheet
from shared.finance.models import Bucket, Subject, line_key


def examine_orders(sheet: Worksheet) -> None:
    """State everything that does not tie out about orders."""
    for order in sheet.orders.values():
        if order.statement.test and not order.lines:
            continue
        refunds, undone = pair_refunds(order)
        examine_captures(sheet, order, undone)
        examine_refunds(sheet, order, refunds)
        examine_exchange(sheet, order)
        _note_fee_bases(sheet, order)


def _note_fee_bases(sheet: Worksheet, order: OrderSheet) -> None:
    for told, charge in pairing_of(order).differing:
        for line in charge.lines:
            if charge.currency != told.movement.currency:
                sheet.unpriced.add(line_key(line))
            elif line.currency == told.movement.currency:
                sheet.fee_bases[line_key(line)] = (told.movement.amount, charge.net)


def sort_orders(sheet: Worksheet) -> frozenset[str]:
    """Put every order into its bucket; return those that are closed."""
    closed: set[str] = set()
    buckets = sheet.buckets[Subject.ORDER]
    for order in sheet.orders.values():
        bucket = buckets.setdefault(order.key, _bucket(order))
        if not (order.is_pending or order.is_uneven or bucket in (Bucket.EXCEPTION, Bucket.WAITING)) and (
            order.statement.test or is_paid_evenly(order)
        ):
            closed.add(order.key)
    return frozenset(closed)


def _bucket(order: OrderSheet) -> Bucket:
    statement = order.statement
    if statement.test:
        return Bucket.OUTSIDE
    if order.is_pending:
        return Bucket.WAITING
    if order.lines or order.payments or order.known_charges:
        return Bucket.MATCHED
    if order.captures:
        return Bucket.OUTSIDE  # by a method that no feed tells of, or so long ago that an earlier run saw it
    is_owed = statement.owed > 0 and not statement.cancelled
    return Bucket.WAITING if is_owed else Bucket.OUTSIDE
