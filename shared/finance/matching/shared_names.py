"""Shops that number their orders alike and share an account: each has its #1001, and a charge names all of them, also
those that have not come.

The money tells which one is meant, to the minor unit or not at all: one charge that is what only one of these orders
tells of, or all the charges of that name together.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from shared.finance.matching.worksheet import Worksheet, buyer_money, charge_key, is_capture, line_key
from shared.finance.models import MovementKind, Rule, SettlementLine


class NamedCharge(NamedTuple):
    """A charge, or several together, that several shops' orders may mean."""

    account: str
    words: tuple[str, ...]
    at: datetime
    currency: str
    amount: int


def charge_of(line: SettlementLine, words: tuple[str, ...]) -> NamedCharge:
    return NamedCharge(line.account, words, line.occurred_at, *buyer_money(line))


def words_of_charge(sheet: Worksheet, line: SettlementLine) -> tuple[str, ...]:
    """By which words the line names its order, the provider's word of the same charge included."""
    payment = sheet.payments.get(charge_key(line)) if line.payment_id else None
    return (*line.references, *(payment.references if payment else ()))


def told_by_money(sheet: Worksheet, charge: NamedCharge) -> str | None:
    """Of the orders of several shops that a charge names alike, the one around that day that tells of exactly this
    money; None where none or more than one does."""
    able = [key for key in sheet.index.sharing(charge.account, charge.words) if _tells_of(sheet, key, charge)]
    return able[0] if len(able) == 1 else None


def link_told_together(sheet: Worksheet) -> None:
    """Link charges of one name that are left, and that together are what exactly one of these orders tells of as paid
    and has no charge for: two cards of one buyer."""
    groups: dict[tuple[str, ...], list[SettlementLine]] = {}
    for key, line in sheet.lines.items():
        if is_capture(line) and not line.test and key not in sheet.order_of and key not in sheet.linked_to_nothing:
            sharing = sheet.index.sharing(line.account, words_of_charge(sheet, line))
            if sharing:
                groups.setdefault((line.account, *sharing), []).append(line)
    for (_, *sharing), lines in groups.items():
        able = [key for key in sharing if not sheet.orders[key].lines and _tells_of_all(sheet, key, lines)]
        if len(lines) > 1 and len(able) == 1:
            for line in sorted(lines, key=line_key):
                sheet.link(line, able[0], Rule.REFERENCE)


def _tells_of(sheet: Worksheet, key: str, charge: NamedCharge) -> bool:
    kind = MovementKind.CAPTURE if charge.amount > 0 else MovementKind.REFUND
    return _is_around(sheet, key, charge.at) and any(
        movement.kind is kind and (movement.currency, movement.amount) == (charge.currency, abs(charge.amount))
        for movement in sheet.orders[key].statement.movements
    )


def _tells_of_all(sheet: Worksheet, key: str, lines: list[SettlementLine]) -> bool:
    told = {(one.movement.currency, one.movement.amount) for one in sheet.orders[key].captures}
    money = [buyer_money(line) for line in lines]
    currencies = {currency for currency, _ in money}
    total = sum(amount for _, amount in money)
    return (
        len(currencies) == 1
        and (currencies.pop(), total) in told
        and all(_is_around(sheet, key, line.occurred_at) for line in lines)
    )


def _is_around(sheet: Worksheet, key: str, at: datetime) -> bool:
    rules = sheet.inputs.rules
    days = (at - sheet.orders[key].statement.placed_at) / timedelta(days=1)
    return -rules.before_order_days <= days <= rules.after_order_days
