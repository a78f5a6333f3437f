"""Stage 5, what belongs to no order: money that no order asks for, and movements that nobody can read."""

from shared.finance.matching.amounts import Tie
from shared.finance.matching.calendar import is_over
from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.links import OF_ORDERS
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import (
    Worksheet,
    buyer_money,
    charge_key,
    is_capture,
    is_charged,
    line_item,
    payment_item,
)
from shared.finance.models import (
    Bucket,
    Discrepancy,
    DiscrepancyKind,
    Item,
    LineKind,
    Payment,
    PaymentKind,
    PaymentState,
    SettlementLine,
    Subject,
    line_key,
)

_ORDER_COMES_WITHIN_DAYS = 1
"""A storefront's order is here long before; missed ones are found by repair within hours."""
_UNREADABLE = frozenset({LineKind.UNKNOWN, LineKind.ADJUSTMENT})
_DISPUTES = frozenset({LineKind.DISPUTE, LineKind.DISPUTE_REVERSED})
_OPEN_STATES = frozenset({PaymentState.PENDING, PaymentState.AUTHORISED})


def examine_lines(sheet: Worksheet) -> None:
    """Sort every line that no stage sorted, and state those that should belong to something."""
    orphans = _orphan_charges(sheet)
    buckets = sheet.buckets[Subject.LINE]
    for key, line in sheet.lines.items():
        if line.test or key in sheet.linked_to_nothing:
            buckets[key] = Bucket.OUTSIDE
        elif key in sheet.order_of:
            buckets.setdefault(key, Bucket.MATCHED)
        elif line.kind in _UNREADABLE:
            _examine_unreadable(sheet, line, line_item(line))
        elif line.kind in _DISPUTES:
            continue
        elif line.kind in OF_ORDERS:
            _examine_unlinked(sheet, line, orphans.get(charge_key(line), []))
        else:
            buckets.setdefault(key, Bucket.NEUTRAL)


def _orphan_charges(sheet: Worksheet) -> dict[str, list[SettlementLine]]:
    """Charges without an order, with all lines that belong to them, the charge itself first."""
    groups: dict[str, list[SettlementLine]] = {}
    for key, line in sheet.lines.items():
        if line.kind in OF_ORDERS and key not in sheet.order_of and not line.test:
            groups.setdefault(charge_key(line), []).append(line)
    for lines in groups.values():
        lines.sort(key=lambda line: (not is_capture(line), line.occurred_at, line.line_id))
    return {name: lines for name, lines in groups.items() if is_capture(lines[0])}


def _examine_unreadable(sheet: Worksheet, line: SettlementLine, item: Item) -> None:
    if not line.net and not line.gross:
        sheet.put(item, Bucket.NEUTRAL)
        return
    sheet.state(
        discrepancy(
            DiscrepancyKind.UNKNOWN_TXN,
            item,
            Figures(line.currency, 0, line.net),
            Place(sheet.day(line.occurred_at), line.account),
            [f"the provider calls it {line.category!r}: {amount_text(line.currency, line.net)}"],
        )
    )


def _examine_unlinked(sheet: Worksheet, line: SettlementLine, charge: list[SettlementLine]) -> None:
    item = line_item(line)
    if charge and charge[0] is not line:
        sheet.put_if_nowhere(item, Bucket.EXCEPTION)  # said with its charge
    elif is_capture(line):
        _examine_orphan(sheet, line, charge)
    elif not is_over(line.occurred_at, _ORDER_COMES_WITHIN_DAYS, sheet.as_of):
        sheet.put(item, Bucket.WAITING)
    else:
        gives = line.kind in (LineKind.REFUND, LineKind.REFUND_REVERSED)
        kind = DiscrepancyKind.REFUND_NOT_IN_STORE if gives else DiscrepancyKind.MISSING_ORDER
        currency, amount = buyer_money(line)
        sheet.state(
            discrepancy(
                kind,
                item,
                Figures(currency, 0, amount),
                Place(sheet.day(line.occurred_at), line.account),
                [f"{amount_text(currency, amount)}; its charge is not known"],
            )
        )


def _examine_orphan(sheet: Worksheet, line: SettlementLine, charge: list[SettlementLine]) -> None:
    item = line_item(line)
    currency, amount = buyer_money(line)
    left = sum(one.gross for one in charge if one.kind in (LineKind.CAPTURE, LineKind.CAPTURE_REVERSED))
    if not left:  # failed, or nothing at all
        for one in charge or [line]:
            sheet.put(line_item(one), Bucket.NEUTRAL)
        return
    is_fresh = not is_over(line.occurred_at, _ORDER_COMES_WITHIN_DAYS, sheet.as_of)
    if is_fresh or line_key(line) in sheet.unripe:
        for one in charge:
            sheet.put(line_item(one), Bucket.WAITING)
        return
    if line_key(line) in sheet.tied:
        return
    payment = sheet.payments.get(charge_key(line))
    others = [*(line_item(one) for one in charge), *([payment_item(payment)] if payment else [])]
    sheet.state(
        discrepancy(
            DiscrepancyKind.MISSING_ORDER,
            item,
            Figures(currency, 0, amount),
            Place(sheet.day(line.occurred_at), line.account),
            [f"{amount_text(currency, amount)} came in; it names no order that is here"],
            others,
        )
    )


# ---- payments and orders of one amount, of which nobody can say which is whose, or which has none ----


def mark_ties(sheet: Worksheet, ties: list[Tie]) -> None:
    """So that they are stated as one thing, and not each payment and each order by itself."""
    for tie in ties:
        sheet.tied.update(order.key for order in tie.orders)
        sheet.tied.update(line_key(line) for line in tie.lines)


def examine_ties(sheet: Worksheet, ties: list[Tie]) -> None:
    for tie in ties:
        items = [*(line_item(line) for line in tie.lines), *(order.item for order in tie.orders)]
        sheet.state(_tied(sheet, tie, items), *items)


def _tied(sheet: Worksheet, tie: Tie, items: list[Item]) -> Discrepancy:
    """Named by what there is too much of."""
    first = tie.lines[0]
    currency, amount = buyer_money(first)
    text = f"{amount_text(currency, amount)}, payments {len(tie.lines)}, orders {len(tie.wanted)}: whose is whose?"
    place = Place(sheet.day(first.occurred_at), first.account)
    if len(tie.wanted) > len(tie.lines):
        expected = Figures(currency, amount * len(tie.wanted), 0)
        return discrepancy(DiscrepancyKind.MISSING_PAYMENT, tie.orders[0].item, expected, place, [text], items)
    found = Figures(currency, 0, amount * len(tie.lines))
    return discrepancy(DiscrepancyKind.MISSING_ORDER, items[0], found, place, [text], items)


# ---- the provider's word ----


def examine_payments(sheet: Worksheet) -> None:
    """Sort the provider's statements: each with its line where there is one."""
    by_charge, by_source = _buckets_of_lines(sheet)
    buckets = sheet.buckets[Subject.PAYMENT]
    for key, payment in sheet.payments.items():
        if payment.test or key in sheet.linked_to_nothing:
            buckets[key] = Bucket.OUTSIDE
        elif key in buckets:
            continue
        elif payment.kind is PaymentKind.CAPTURE and key in by_charge:
            buckets[key] = by_charge[key]
        elif payment.kind is not PaymentKind.CAPTURE and key in by_source:
            buckets[key] = by_source[key]
        else:
            _examine_word(sheet, key, payment, payment_item(payment))


def _buckets_of_lines(sheet: Worksheet) -> tuple[dict[str, Bucket], dict[str, Bucket]]:
    """Where lines are, by the charge that they are and by the refund that they are."""
    by_charge: dict[str, Bucket] = {}
    by_source: dict[str, Bucket] = {}
    buckets = sheet.buckets[Subject.LINE]
    for key, line in sheet.lines.items():
        bucket = buckets[key]
        if is_capture(line):
            by_charge.setdefault(charge_key(line), bucket)
        elif line.source_id:
            by_source.setdefault(f"{line.account}/{line.source_id}", bucket)
    return by_charge, by_source


def _examine_word(sheet: Worksheet, key: str, payment: Payment, item: Item) -> None:
    if payment.state in _OPEN_STATES:
        sheet.put(item, Bucket.WAITING)
    elif payment.state is not PaymentState.SUCCEEDED:
        sheet.put(item, Bucket.OUTSIDE)
    elif key in sheet.charge_orders or f"{payment.account}/{payment.parent_id}" in sheet.charge_orders:
        sheet.put(item, Bucket.MATCHED)
    elif not is_charged(payment):
        sheet.put(item, Bucket.OUTSIDE if _is_old(sheet, payment) else Bucket.WAITING)
    elif not _is_old(sheet, payment):
        sheet.put(item, Bucket.WAITING)
    else:
        sheet.state(
            discrepancy(
                DiscrepancyKind.MISSING_ORDER,
                item,
                Figures(payment.currency, 0, payment.amount),
                Place(sheet.day(payment.occurred_at), payment.account),
                [f"{amount_text(payment.currency, payment.amount)} was taken; it names no order that is here"],
            )
        )


def _is_old(sheet: Worksheet, payment: Payment) -> bool:
    """Whether its line, or where no feed brings lines its order, should be here."""
    if payment.account in sheet.is_settling:
        return sheet.feed_should_have((payment.account,), payment.occurred_at)
    return is_over(payment.occurred_at, _ORDER_COMES_WITHIN_DAYS, sheet.as_of)
