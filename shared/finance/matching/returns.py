"""Refunds whose charge is not known, by their amount: where one line and one order are all there is of it."""

from collections.abc import Iterator
from datetime import timedelta

from shared.finance.matching.amounts import Fitting
from shared.finance.matching.gateways import Standing
from shared.finance.matching.refunds import pair_refunds
from shared.finance.matching.worksheet import OrderSheet, Told, Worksheet, buyer_money
from shared.finance.models import LineKind, Rule, SettlementLine

_APART = timedelta(days=5)
"""How long a refund may take from the storefront to the provider, or the other way round."""


def match_unique_refunds(sheet: Worksheet, fitting: Fitting) -> None:
    """Link refund lines that name nothing with orders that miss a refund, unique on both sides."""
    spare: dict[tuple[str, int], list[SettlementLine]] = {}
    for line in _spare_refunds(sheet):
        currency, amount = buyer_money(line)
        spare.setdefault((currency, -amount), []).append(line)
    if not spare:
        return
    wanted: dict[tuple[str, int], list[tuple[OrderSheet, Told]]] = {}
    for order, told in _open_refunds(sheet):
        wanted.setdefault((told.movement.currency, told.movement.amount), []).append((order, told))
    for money in sorted(spare.keys() & wanted.keys()):
        orders, lines = wanted[money], spare[money]
        if len(orders) == len(lines) == 1 and _fits(fitting, *orders[0], lines[0]):
            sheet.link(lines[0], orders[0][0].key, Rule.UNIQUE_AMOUNT)


def _spare_refunds(sheet: Worksheet) -> Iterator[SettlementLine]:
    charges = {f"{line.account}/{line.payment_id}" for line in sheet.lines.values() if line.kind is LineKind.CAPTURE}
    for key, line in sheet.lines.items():
        if line.kind is not LineKind.REFUND or line.test or key in sheet.order_of or key in sheet.linked_to_nothing:
            continue
        if f"{line.account}/{line.payment_id}" not in charges:  # else it belongs where its charge belongs
            yield line


def _open_refunds(sheet: Worksheet) -> Iterator[tuple[OrderSheet, Told]]:
    for order in sheet.orders.values():
        if not order.refunds or order.statement.test:
            continue
        pairing, _ = pair_refunds(order)
        for told in pairing.told:
            if told.route.standing is Standing.EXPECTED:
                yield order, told


def _fits(fitting: Fitting, order: OrderSheet, told: Told, line: SettlementLine) -> bool:
    is_near = abs(line.occurred_at - told.movement.at) <= _APART
    return is_near and line.account in told.route.accounts and not fitting.is_contradicted(order, line)
