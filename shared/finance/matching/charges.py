"""An order's movements against the provider's: which are the same money, which differ, which stand alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from shared.finance.matching.gateways import Standing
from shared.finance.matching.worksheet import (
    Charge,
    OrderSheet,
    Pairing,
    Told,
    buyer_money,
    charge_key,
    is_charged,
)
from shared.finance.models import LineKind, Payment, PaymentKind, PaymentState, SettlementLine

_TAKES = frozenset({LineKind.CAPTURE, LineKind.CAPTURE_REVERSED})
_GIVES = frozenset({LineKind.REFUND, LineKind.REFUND_REVERSED})
_BY_STAFF = frozenset({LineKind.UNKNOWN, LineKind.ADJUSTMENT})
"""Lines that belong to an order only where somebody said so: money of the buyer by their sign."""

_Fits = Callable[[Told, Charge], bool]


def pairing_of(order: OrderSheet) -> Pairing:
    """The captures of the order, as linked so far."""
    if order.pairing is None:
        order.pairing = pair(order.captures, charges_of(order))
    return order.pairing


def charges_of(order: OrderSheet) -> list[Charge]:
    """What the order's charges came to, the first one first."""
    groups: dict[str, list[SettlementLine]] = {}
    for line in order.lines:
        if line.kind in _TAKES or (line.kind in _BY_STAFF and line.gross > 0):
            groups.setdefault(charge_key(line), []).append(line)
    parts: list[list[SettlementLine]] = []
    for lines in groups.values():
        parts.extend(_one_for_each_capture(lines))
    found = [_charge(lines) for lines in parts]
    found.extend(_from_word(payment) for payment in order.payments if is_charged(payment))
    return sorted(found, key=lambda charge: (charge.at, charge.id, charge.lines[0].line_id if charge.lines else ""))


def _one_for_each_capture(lines: list[SettlementLine]) -> list[list[SettlementLine]]:
    """A charge's lines together; where a feed has two captures of one charge, they are two, and what was reversed
    belongs to the first."""
    captures = [line for line in lines if line.kind is not LineKind.CAPTURE_REVERSED]
    reversals = [line for line in lines if line.kind is LineKind.CAPTURE_REVERSED]
    if not captures:
        return []  # of a charge that an earlier run saw
    return [[captures[0], *reversals], *([line] for line in captures[1:])]


def _charge(lines: list[SettlementLine]) -> Charge:
    first = lines[0]
    currency, full = buyer_money(first)
    net = full + sum(amount for other, amount in map(buyer_money, lines[1:]) if other == currency)
    if len(lines) > 1 and not sum(line.gross for line in lines if line.currency == first.currency):
        net = 0  # all came back, also where a reversal does not tell the buyer's money
    return Charge(
        account=first.account,
        id=first.payment_id or first.line_id,
        currency=currency,
        net=net,
        full=full,
        at=first.occurred_at,
        lines=tuple(lines),
    )


def _from_word(payment: Payment) -> Charge:
    return Charge(
        account=payment.account,
        id=payment.payment_id,
        currency=payment.currency,
        net=payment.amount,
        full=payment.amount,
        at=payment.occurred_at,
        lines=(),
        word=payment,
    )


def refunds_of(returned: Iterable[SettlementLine], words: Iterable[Payment]) -> list[Charge]:
    """What was given back, in positive amounts: each refund with what came back of it.

    Args:
        returned: The order's lines; those that give nothing back are looked over.
        words: Refunds that only the provider's word tells of.
    """
    groups: dict[str, list[SettlementLine]] = {}
    for line in returned:
        if line.kind in _GIVES or (line.kind in _BY_STAFF and line.gross < 0):
            groups.setdefault(f"{line.account}/{line.source_id or line.line_id}", []).append(line)
    found = [_refund(lines) for lines in groups.values()]
    found.extend(
        _from_word(payment)
        for payment in words
        if payment.kind is PaymentKind.REFUND and payment.state is PaymentState.SUCCEEDED
    )
    _net_reversals(found)
    return sorted((one for one in found if one.net > 0), key=lambda one: (one.at, one.id))


def _refund(lines: list[SettlementLine]) -> Charge:
    charge = _charge(lines)
    charge.net, charge.full = -charge.net, -charge.full
    charge.id = lines[0].source_id or lines[0].line_id
    return charge


def _net_reversals(refunds: list[Charge]) -> None:
    """A refund that came back under a name of its own undoes one of its amount."""
    for back in (one for one in refunds if one.net < 0):
        for refund in refunds:
            if refund.net == -back.net and refund.currency == back.currency and refund.account == back.account:
                refund.net = back.net = 0
                break


# ---- pairing ----


@dataclass(slots=True)
class _Open:
    """A pairing while it is worked out."""

    told: list[Told]
    charged: list[Charge]
    paired: list[tuple[Told, Charge]] = field(default_factory=list)
    differing: list[tuple[Told, Charge]] = field(default_factory=list)

    def done(self) -> Pairing:
        return Pairing(tuple(self.paired), tuple(self.differing), tuple(self.told), tuple(self.charged))


def pair(told: Iterable[Told], charges: list[Charge]) -> Pairing:
    """The surest pairs first: same name and money, same money, same name, and at last what sums to the same."""
    left = list(told)
    if len(left) == 1 and len(charges) == 1 and _is_same_money(left[0], charges[0]):  # nearly every order
        return Pairing(paired=((left[0], charges[0]),))
    if not left or not charges:
        return Pairing(told=tuple(left), charged=tuple(charges))
    result = _Open(left, list(charges))
    _take(result, result.paired, lambda one, charge: _is_same_money(one, charge) and _names(one, charge))
    _take(result, result.paired, lambda one, charge: _is_same_money(one, charge) and _is_at(one, charge))
    _take(result, result.paired, _is_same_money)
    result.charged = [charge for charge in result.charged if charge.net or not result.paired]
    if _sums_agree(result):
        return result.done()
    _take(result, result.differing, lambda one, charge: _names(one, charge) and _is_at(one, charge))
    _take(result, result.differing, _is_at)
    _take(result, result.differing, _names)
    return result.done()


def _take(result: _Open, into: list[tuple[Told, Charge]], fits: _Fits) -> None:
    for one in tuple(result.told):
        for charge in result.charged:
            if fits(one, charge):
                into.append((one, charge))
                result.told.remove(one)
                result.charged.remove(charge)
                break


def _is_same_money(one: Told, charge: Charge) -> bool:
    return charge.net == one.movement.amount and charge.currency == one.movement.currency


def _is_at(one: Told, charge: Charge) -> bool:
    return charge.account in one.route.accounts


def _names(one: Told, charge: Charge) -> bool:
    return one.movement.id in charge.references or not charge.references.isdisjoint(one.movement.references)


def _sums_agree(result: _Open) -> bool:
    """Several payments for what the storefront tells as one, or the other way round: all of them are paired."""
    told = [one for one in result.told if one.route.standing is not Standing.OUTSIDE]
    if not told or not result.charged:
        return False
    currencies = {one.movement.currency for one in told} | {charge.currency for charge in result.charged}
    if len(currencies) > 1 or sum(one.movement.amount for one in told) != sum(one.net for one in result.charged):
        return False
    longest = max(len(told), len(result.charged))
    for position in range(longest):
        one, charge = told[min(position, len(told) - 1)], result.charged[min(position, len(result.charged) - 1)]
        result.paired.append((one, charge))
    result.told = [one for one in result.told if one.route.standing is Standing.OUTSIDE]
    result.charged = []
    return True
