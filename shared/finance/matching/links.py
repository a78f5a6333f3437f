"""Stages 0 to 2: what staff decided, what names its order, and what belongs to a charge that is linked."""

from collections.abc import Iterable, Iterator

from shared.finance.matching.shared_names import (
    NamedCharge,
    charge_of,
    link_told_together,
    told_by_money,
    words_of_charge,
)
from shared.finance.matching.worksheet import NOTHING, Worksheet, buyer_money, charge_key, is_capture
from shared.finance.models import LineKind, Payment, PaymentKind, PaymentState, Rule, SettlementLine, line_key

OF_ORDERS = frozenset(
    {
        LineKind.CAPTURE,
        LineKind.CAPTURE_REVERSED,
        LineKind.REFUND,
        LineKind.REFUND_REVERSED,
        LineKind.DISPUTE,
        LineKind.DISPUTE_REVERSED,
    }
)
"""Lines that move a buyer's money."""


def link_by_staff(sheet: Worksheet) -> None:
    """What somebody decided goes before every rule."""
    links = sheet.inputs.links
    if not links:
        return
    for key, line in sheet.lines.items():
        order = links.get(key)
        if order is None and is_capture(line) and line.payment_id:
            order = links.get(charge_key(line))
        if order == NOTHING:
            sheet.linked_to_nothing.add(key)
        elif order is not None:
            sheet.link(line, order, Rule.STAFF)
    for key, payment in sheet.payments.items():
        order = links.get(key)
        if order == NOTHING:
            sheet.linked_to_nothing.add(key)
        elif order is not None and payment.kind is PaymentKind.CAPTURE:
            sheet.charge_orders.setdefault(key, order)


def link_by_reference(sheet: Worksheet) -> None:
    """Charges that name their order exactly, by themselves or by the provider's word of the same charge; and charges
    of which an earlier run knew the order."""
    left: list[SettlementLine] = []
    for line in _open(sheet, sheet.lines.values()):
        if not is_capture(line):
            continue
        if (order := _named_order(sheet, line)) is not None:
            sheet.link(line, order, Rule.REFERENCE)
        elif line.payment_id and (known := _known_order(sheet, line)) is not None:
            sheet.link(line, known, Rule.PARENT)
        else:
            left.append(line)
    _link_named_with_others(sheet, left)
    link_told_together(sheet)
    for charge, order in sorted(sheet.inputs.known_charges.items()):
        sheet.charge_orders.setdefault(charge, order)
        if order in sheet.orders:
            sheet.orders[order].known_charges += (charge,)
    _attach_payments(sheet)


def _known_order(sheet: Worksheet, line: SettlementLine) -> str | None:
    charge = charge_key(line)
    return sheet.charge_orders.get(charge) or sheet.inputs.known_charges.get(charge)


def _link_named_with_others(sheet: Worksheet, lines: list[SettlementLine]) -> None:
    """The largest first: an order that has all its money is not asked whether less is a part of it."""
    for line in sorted(lines, key=lambda line: (-buyer_money(line)[1], line_key(line))):
        order = _named_with_others(sheet, line)
        if order is not None:
            sheet.link(line, order, Rule.REFERENCE)


def _named_order(sheet: Worksheet, line: SettlementLine) -> str | None:
    """The order that a line names. The charge's own id is the surest word; where it is none, all others together."""
    if line.payment_id:
        by_charge = sheet.index.find(line.account, (line.payment_id,))
        if by_charge is not None:
            return by_charge
    return sheet.index.find(line.account, words_of_charge(sheet, line))


def _named_with_others(sheet: Worksheet, line: SettlementLine) -> str | None:
    """Of the orders of several shops that the line names alike, the one that tells of this money: of all that was
    charged, or of what was left of it when a part was reversed."""
    charge = charge_of(line, words_of_charge(sheet, line))
    found = told_by_money(sheet, charge)
    taken_back = sheet.taken_back.get(charge_key(line)) if is_capture(line) else None
    if found is not None or not taken_back:
        return found
    return told_by_money(sheet, charge._replace(amount=charge.amount + taken_back))


def _attach_payments(sheet: Worksheet) -> None:
    """Charges that only the provider's word tells of: their lines are still to come, or no feed brings them."""
    with_lines = {charge_key(line) for line in sheet.lines.values() if is_capture(line)}
    for key, payment in sheet.payments.items():
        if payment.kind is not PaymentKind.CAPTURE or payment.test or key in sheet.linked_to_nothing:
            continue
        order = sheet.charge_orders.get(key) or _named_by(sheet, payment)
        if order is None:
            continue
        if payment.state is PaymentState.SUCCEEDED:
            sheet.charge_orders.setdefault(key, order)
        if key not in with_lines and order in sheet.orders:
            sheet.orders[order].payments += (payment,)
            sheet.orders[order].pairing = None


def _named_by(sheet: Worksheet, payment: Payment) -> str | None:
    by_charge = sheet.index.find(payment.account, (payment.payment_id,))
    named = by_charge or sheet.index.find(payment.account, payment.references)
    charge = NamedCharge(payment.account, payment.references, payment.occurred_at, payment.currency, payment.amount)
    return named or told_by_money(sheet, charge)


def link_by_parent(sheet: Worksheet) -> None:
    """Refunds, disputes, reversals and fees of a charge that is linked; and those that name the order themselves."""
    for line in _open(sheet, sheet.lines.values()):
        if is_capture(line) or not (line.kind in OF_ORDERS or line.kind is LineKind.FEE):
            continue
        order = sheet.charge_orders.get(charge_key(line)) if line.payment_id else None
        if order is not None:
            sheet.link(line, order, Rule.PARENT)
        elif line.kind in OF_ORDERS and (named := _named_by_child(sheet, line)) is not None:
            sheet.link(line, named, Rule.REFERENCE)


def attach_returns(sheet: Worksheet) -> None:
    """Refunds that only the provider's word tells of, to the orders of their charges."""
    of_lines = {f"{line.account}/{line.source_id}" for line in sheet.lines.values() if line.source_id}
    unnamed: dict[str, set[int]] = {}
    for line in sheet.lines.values():
        if line.kind is LineKind.REFUND and not line.source_id and line.payment_id:
            unnamed.setdefault(charge_key(line), set()).add(-buyer_money(line)[1])
    for key, payment in sheet.payments.items():
        if payment.kind is not PaymentKind.REFUND or payment.test or key in of_lines:
            continue
        parent = f"{payment.account}/{payment.parent_id}"
        order = sheet.charge_orders.get(parent) or sheet.index.find(payment.account, payment.references)
        if order in sheet.orders and payment.amount not in unnamed.get(parent, ()):
            sheet.orders[order].payments += (payment,)


def _named_by_child(sheet: Worksheet, line: SettlementLine) -> str | None:
    """The order that a refund or dispute names whose charge is not known here."""
    own = (line.source_id,) if line.source_id else ()
    named = sheet.index.find(line.account, own) if own else None
    return named or _named_order(sheet, line) or _named_with_others(sheet, line)


def _open(sheet: Worksheet, lines: Iterable[SettlementLine]) -> Iterator[SettlementLine]:
    for line in lines:
        key = line_key(line)
        if not line.test and key not in sheet.order_of and key not in sheet.linked_to_nothing:
            yield line
