"""Shops that number their orders alike and share an account: each has its #1001, and a charge names all of them, also
those that have not come.

The money tells which one is meant, to the minor unit or not at all: one charge that is what only one of these orders
tells of, or all the charges of that name together. What may as well be a part of another one's money is left: later
stages know when each account's payments come.
"""

from datetime import datetime, timedelta
from itertools import combinations
from typing import NamedTuple

from shared.finance.matching.charges import pairing_of
from shared.finance.matching.gateways import Standing
from shared.finance.matching.worksheet import Worksheet, buyer_money, charge_key, is_capture
from shared.finance.models import MovementKind, Rule, SettlementLine, StoreMovement, line_key

_MOST_TOGETHER = 6
"""Charges of one name; with more of them nothing is sure."""


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
    money; None where none or more than one does, or where another one that is not paid may have it as a part: two cards
    of one buyer."""
    sharing = sheet.index.sharing(charge.account, charge.words)
    able = [key for key in sharing if _tells_of(sheet, key, charge)]
    if len(able) != 1 or any(_may_have_as_part(sheet, key, charge) for key in sharing):
        return None
    return able[0]


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
        if 1 < len(lines) <= _MOST_TOGETHER and len(able) == 1 and not _is_in_doubt(sheet, sharing, lines):
            for line in sorted(lines, key=line_key):
                sheet.link(line, able[0], Rule.REFERENCE)


def _tells_of(sheet: Worksheet, key: str, charge: NamedCharge) -> bool:
    kind = MovementKind.CAPTURE if charge.amount > 0 else MovementKind.REFUND
    return _is_around(sheet, key, charge.at) and any(
        movement.kind is kind and (movement.currency, movement.amount) == (charge.currency, abs(charge.amount))
        for movement in sheet.orders[key].statement.movements
    )


def _may_have_as_part(sheet: Worksheet, key: str, charge: NamedCharge) -> bool:
    return _is_around(sheet, key, charge.at) and any(
        told.currency == charge.currency and told.amount > charge.amount > 0 for told in _open_captures(sheet, key)
    )


def _open_captures(sheet: Worksheet, key: str) -> list[StoreMovement]:
    told = pairing_of(sheet.orders[key]).told
    return [one.movement for one in told if one.route.standing is Standing.EXPECTED]


def _is_in_doubt(sheet: Worksheet, sharing: list[str], lines: list[SettlementLine]) -> bool:
    """Whether a part of the charges is what one of these orders still asks for."""
    amounts = [buyer_money(line)[1] for line in lines]
    parts = {sum(part) for size in range(1, len(amounts)) for part in combinations(amounts, size)}
    asked = {told.amount for key in sharing for told in _open_captures(sheet, key)}
    return not parts.isdisjoint(asked)


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
