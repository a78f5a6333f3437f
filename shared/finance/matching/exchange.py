"""Rounding where a provider settles in another currency than the buyer paid in.

The buyer's money is compared exactly. What the exchange made of it cannot be: shop and provider have rates of their
own. Only a difference of a minor unit or so is somebody's rounding, and goes to the rounding account by itself.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from shared.finance.matching.charges import pairing_of
from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import OrderSheet, Told, Worksheet, is_capture, line_item
from shared.finance.models import DiscrepancyKind, OrderStatement, SettlementLine
from shared.kernel.money import currency_exponent

_SAME_RATE = Decimal("0.01")
"""Further than this from what the rate gives, the rate is not meant this way round."""


def examine_exchange(sheet: Worksheet, order: OrderSheet) -> None:
    """State the roundings of the order's captures that were settled in another currency."""
    for told, charge in (*pairing_of(order).paired, *pairing_of(order).differing):
        for line in charge.lines:
            if is_capture(line) and line.currency != told.movement.currency:
                _examine(sheet, order, told, line)


def _examine(sheet: Worksheet, order: OrderSheet, told: Told, line: SettlementLine) -> None:
    """By the provider's own rate; the shop's books count only where it tells none. They have a rate of their own, so
    that they are a unit beside what came in now and then by chance, and nobody rounded anything."""
    limit = sheet.inputs.rules.rounding_limit
    expected = _by_rate(line)
    if expected is None:
        expected = _by_books(order.statement, told, line)
    if expected is not None and 0 < abs(line.gross - expected) <= limit:
        rate = f" at {line.exchange_rate}" if line.exchange_rate else ""
        sheet.discrepancies.append(
            discrepancy(
                DiscrepancyKind.FX_ROUNDING,
                line_item(line),
                Figures(line.currency, expected, line.gross),
                Place(sheet.day(line.occurred_at), line.account),
                [f"settled {amount_text(line.currency, line.gross)}{rate}, {line.gross - expected:+d} by rounding"],
                [order.item],
            )
        )


def _by_books(order: OrderStatement, told: Told, line: SettlementLine) -> int | None:
    """What the shop's own books say of a capture of the whole order, where they are in the currency it settled in."""
    is_whole = told.movement.amount == order.buyer_total and told.movement.currency == order.buyer_currency
    if order.sale is None or order.currency != line.currency or not is_whole:
        return None
    return order.sale.total


def _by_rate(line: SettlementLine) -> int | None:
    """What the provider's own rate makes of the buyer's money, whichever way round it tells the rate. None where it
    tells none, or so few digits of it that the minor unit is not certain."""
    if line.exchange_rate is None or line.buyer_amount is None or line.buyer_currency is None:
        return None
    try:
        rate = Decimal(line.exchange_rate)
    except InvalidOperation:
        return None
    if not rate.is_finite() or rate <= 0 or not line.gross:
        return None
    scale = currency_exponent(line.currency) - currency_exponent(line.buyer_currency)
    bought = Decimal(line.buyer_amount).scaleb(scale)
    half_digit = Decimal(5).scaleb(int(rate.as_tuple().exponent) - 1)
    for exact, slack in ((bought * rate, bought * half_digit), (bought / rate, bought / rate * half_digit / rate)):
        if abs(exact - line.gross) <= abs(line.gross) * _SAME_RATE + 1:
            return int(exact.to_integral_value(ROUND_HALF_UP)) if abs(slack) < Decimal("0.5") else None
    return None
