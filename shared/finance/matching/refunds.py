"""Stage 5, an order's refunds: those that only one side knows."""

from collections.abc import Iterable
from dataclasses import replace

from shared.finance.matching.calendar import is_over
from shared.finance.matching.captures import charge_items
from shared.finance.matching.charges import pair, pairing_of, refunds_of
from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.gateways import Standing
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Charge, OrderSheet, Pairing, Told, Worksheet
from shared.finance.models import Bucket, DiscrepancyKind

_KNOWN_AT_ONCE_DAYS = 1
"""A storefront that made a refund knows it; after so long it did not make it."""


def pair_refunds(order: OrderSheet) -> tuple[Pairing, list[Charge]]:
    """The order's refunds on both sides; and the charges that were taken besides and given back whole, which cancel
    out: the refunds that did so are no longer in the pairing."""
    pairing = pair(order.refunds, refunds_of(order.lines, order.payments))
    undone: list[Charge] = []
    for charge in pairing_of(order).charged:
        own = [refund for refund in pairing.charged if _is_of(refund, charge)]
        if own and sum(refund.net for refund in own) == charge.net:
            undone.append(charge)
            pairing = replace(pairing, charged=tuple(refund for refund in pairing.charged if refund not in own))
    return pairing, undone


def _is_of(refund: Charge, charge: Charge) -> bool:
    return refund.account == charge.account and any(line.payment_id == charge.id for line in refund.lines)


def examine_refunds(sheet: Worksheet, order: OrderSheet, pairing: Pairing) -> None:
    """State refunds that differ, and those of one side alone once the other had time to tell of them."""
    _state_differing(sheet, order, _truly_differing(order, pairing))
    _state_not_in_store(sheet, order, pairing.charged)
    is_paid_here = any(one.lines for one in _charges(order)) or bool(order.known_charges)
    expected = [one for one in pairing.told if one.route.standing is Standing.EXPECTED]
    if is_paid_here:  # else its payment is missing as well, and that is said already
        _state_not_at_processor(sheet, order, expected)


def _charges(order: OrderSheet) -> list[Charge]:
    pairing = pairing_of(order)
    return [*(charge for _, charge in (*pairing.paired, *pairing.differing)), *pairing.charged]


def _truly_differing(order: OrderSheet, pairing: Pairing) -> list[tuple[Told, Charge]]:
    """Without those that the provider tells in the currency of the books alone: no rate makes them comparable."""
    books = order.statement.currency
    return [
        (told, refund)
        for told, refund in pairing.differing
        if refund.currency == told.movement.currency
        or refund.currency != books
        or any(line.buyer_currency for line in refund.lines)
    ]


def _state_differing(sheet: Worksheet, order: OrderSheet, differing: list[tuple[Told, Charge]]) -> None:
    for told, refund in differing:
        is_one_currency = refund.currency == told.movement.currency
        kind = DiscrepancyKind.AMOUNT_MISMATCH if is_one_currency else DiscrepancyKind.CURRENCY_MISMATCH
        items = charge_items(refund)
        ours = amount_text(told.movement.currency, told.movement.amount)
        order.is_uneven = True
        sheet.state(
            discrepancy(
                kind,
                items[0],
                Figures(told.movement.currency, -told.movement.amount, -refund.net if is_one_currency else None),
                Place(sheet.day(refund.at), refund.account),
                [f"refund: storefront {ours}, provider {amount_text(refund.currency, refund.net)}"],
                [order.item, *items],
            ),
            *items,
        )


def _state_not_in_store(sheet: Worksheet, order: OrderSheet, refunds: Iterable[Charge]) -> None:
    for refund in refunds:
        items = charge_items(refund)
        if not is_over(refund.at, _KNOWN_AT_ONCE_DAYS, sheet.as_of):
            order.is_pending = True
            for item in items:
                sheet.put(item, Bucket.WAITING)
            continue
        order.is_uneven = True
        sheet.state(
            discrepancy(
                DiscrepancyKind.REFUND_NOT_IN_STORE,
                items[0],
                Figures(refund.currency, 0, -refund.net),
                Place(sheet.day(refund.at), refund.account),
                [f"the storefront does not know {refund.id}, {amount_text(refund.currency, refund.net)}"],
                [order.item, *items],
            ),
            *items,
        )


def _state_not_at_processor(sheet: Worksheet, order: OrderSheet, told: list[Told]) -> None:
    late: list[Told] = []
    is_whole = order.key in sheet.inputs.whole_orders
    for one in told:
        if not is_whole and sheet.is_earlier(one.route.accounts, one.movement.at):
            continue
        if sheet.feed_should_have(one.route.accounts, one.movement.at):
            late.append(one)
        else:
            order.is_pending = True
    if not late:
        return
    currency = late[0].movement.currency
    order.is_uneven = True
    sheet.state(
        discrepancy(
            DiscrepancyKind.REFUND_NOT_AT_PROCESSOR,
            order.item,
            Figures(currency, -sum(one.movement.amount for one in late if one.movement.currency == currency), 0),
            Place(min(sheet.day(one.movement.at) for one in late), late[0].route.accounts[0]),
            [f"storefront: {amount_text(one.movement.currency, one.movement.amount)} refunded" for one in late],
        )
    )
