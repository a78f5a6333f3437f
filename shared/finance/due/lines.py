"""What should be booked for each movement on a provider's balance."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.finance.due.drafting import Draft
from shared.finance.due.orders import dimensions_of
from shared.finance.due.shares import BUYERS_MONEY
from shared.finance.due.view import LedgerView, business_day
from shared.finance.journal import Dimensions, DueEntry, Role, Topic
from shared.finance.models import (
    LineKind,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    SettlementLine,
    line_key,
    payment_key,
)

PAYOUTS = frozenset({LineKind.PAYOUT, LineKind.PAYOUT_REVERSED})
DISPUTES = frozenset({LineKind.DISPUTE, LineKind.DISPUTE_REVERSED})


@dataclass(frozen=True, slots=True)
class _Counterpart:
    """Where money goes to or comes from that a line of this kind moves."""

    role: Role
    topic: Topic


_COUNTERPARTS = {
    LineKind.DISPUTE: _Counterpart(Role.DISPUTED, Topic.DISPUTE),
    LineKind.DISPUTE_REVERSED: _Counterpart(Role.DISPUTED, Topic.DISPUTE),
    LineKind.FEE: _Counterpart(Role.FEES, Topic.FEE),
    LineKind.RESERVE_HELD: _Counterpart(Role.RESERVE, Topic.RESERVE),
    LineKind.RESERVE_RELEASED: _Counterpart(Role.RESERVE, Topic.RESERVE),
    LineKind.PAYOUT: _Counterpart(Role.IN_TRANSIT, Topic.PAYOUT),
    LineKind.PAYOUT_REVERSED: _Counterpart(Role.IN_TRANSIT, Topic.PAYOUT),
    # The merchant's own money on its way from the bank: a payout the other way round.
    LineKind.TOPUP: _Counterpart(Role.IN_TRANSIT, Topic.PAYOUT),
    LineKind.CONVERSION: _Counterpart(Role.EXCHANGE, Topic.CONVERSION),
}
_UNEXPLAINED = _Counterpart(Role.SUSPENSE, Topic.ADJUSTMENT)
"""Adjustments, unknown categories, and buyers' money of no order: until a case says what it is."""


def entries_of_line(
    line: SettlementLine, order: OrderStatement | None, share: int | None, view: LedgerView
) -> Iterator[DueEntry | None]:
    """The movement itself, and the fee in it as an entry of its own: a back office knows the one, not the other."""
    source, day = f"line/{line_key(line)}", business_day(line.occurred_at, view.rules.zone)
    named = f"{order.name} " if order else ""
    what = f"{named}{line.account} {line.kind} {line.line_id}"
    if order is not None and share is not None and line.kind in BUYERS_MONEY:
        draft, topic = _receipt(line, order, share, view.rules.rounding_limit), Topic.RECEIPT
    else:
        draft, topic = _plain(line, order), _COUNTERPARTS.get(line.kind, _UNEXPLAINED).topic
    # A feed whose net is not its gross less its fee: the balance moved by the net, and somebody has to say why.
    odd = line.net - line.gross + line.fee
    draft.post(Role.CLEARING, line.account, odd)
    draft.post(Role.SUSPENSE, line.account, -odd)
    yield draft.entry(source, topic, day, what)
    fee = Draft(line.currency)
    fee.post(Role.FEES, line.account, line.fee, _fee_dimensions(line, order))
    fee.post(Role.CLEARING, line.account, -line.fee)
    yield fee.entry(f"{source}/fee", Topic.FEE, day, f"{what} fee")


def _receipt(line: SettlementLine, order: OrderStatement, share: int, rounding_limit: int) -> Draft:
    """A buyer's money. Where balance and books have two currencies, two legs meet on the exchange accounts; where only
    the buyer's is another, the provider's rate and the shop's differ, and by a minor unit that is rounding."""
    draft, dimensions = Draft(line.currency), dimensions_of(order)
    draft.post(Role.CLEARING, line.account, line.gross, dimensions)
    if line.currency == order.currency:
        gain = line.gross - share
        role = Role.ROUNDING if abs(gain) <= rounding_limit else Role.EXCHANGE
        draft.post(role, line.account, -gain, dimensions)
    else:
        draft.post(Role.EXCHANGE, line.account, -line.gross, dimensions)
        draft.post(Role.EXCHANGE, line.account, share, dimensions, order.currency)
    draft.post(Role.RECEIVABLE, order.shop, -share, dimensions, order.currency)
    return draft


def _plain(line: SettlementLine, order: OrderStatement | None) -> Draft:
    draft, role = Draft(line.currency), _COUNTERPARTS.get(line.kind, _UNEXPLAINED).role
    dimensions = dimensions_of(order) if order else Dimensions()
    if role is Role.FEES:
        dimensions = _fee_dimensions(line, order)
    if line.kind in PAYOUTS:
        dimensions = Dimensions(payout=line.source_id or line.payout_id)
    draft.post(Role.CLEARING, line.account, line.gross, dimensions if role is not Role.FEES else Dimensions())
    draft.post(role, line.account, -line.gross, dimensions)
    return draft


def entries_of_disputes(view: LedgerView) -> Iterator[DueEntry | None]:
    """What a lost dispute took, as a loss; dated by the dispute's own day, for no other is stated once and for all."""
    taken = _taken_by_disputes(view.lines)
    for payment in view.payments:
        if payment.kind is PaymentKind.DISPUTE and payment.state is PaymentState.LOST and not payment.test:
            lines = taken.get((payment.account, payment.payment_id), [])
            yield _lost(payment, lines, view)


def _lost(payment: Payment, lines: Iterable[SettlementLine], view: LedgerView) -> DueEntry | None:
    draft = Draft(payment.currency)
    lost: dict[str, int] = {}
    order = None
    for line in lines:
        lost[line.currency] = lost.get(line.currency, 0) - line.gross
        order = view.order_of.get(line_key(line), order)
    dimensions = Dimensions(order=order, shop=order.partition("/")[0] if order else None)
    for currency, amount in sorted(lost.items()):
        draft.post(Role.DISPUTE_LOSSES, payment.account, amount, dimensions, currency)
        draft.post(Role.DISPUTED, payment.account, -amount, dimensions, currency)
    day = business_day(payment.occurred_at, view.rules.zone)
    name = payment_key(payment)
    return draft.entry(f"dispute/{name}/lost", Topic.DISPUTE, day, f"dispute {name} lost")


def _taken_by_disputes(lines: Iterable[SettlementLine]) -> Mapping[tuple[str, str], list[SettlementLine]]:
    found: dict[tuple[str, str], list[SettlementLine]] = {}
    for line in sorted(lines, key=line_key):
        if line.kind in DISPUTES and line.source_id and not line.test:
            found.setdefault((line.account, line.source_id), []).append(line)
    return found


def _fee_dimensions(line: SettlementLine, order: OrderStatement | None) -> Dimensions:
    dimensions = dimensions_of(order) if order else Dimensions()
    return dimensions.model_copy(update={"category": line.category})
