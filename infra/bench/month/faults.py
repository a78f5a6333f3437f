"""What goes wrong with an order or on a balance, and what the exception should be called.

The kinds are read from the words of :class:`shared.finance.models.DiscrepancyKind`, and written without a look at the
code that has to find them.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from infra.bench.month.counter import Counter
from infra.bench.month.courses import reverse
from infra.bench.month.merchant import Account
from infra.bench.month.till import UNTOLD, Charge, Draft, Entry, Terms, Tie, Till
from shared.finance.models import DiscrepancyKind as Kind
from shared.finance.models import Item, LineKind, PaymentState, Subject

FaultyCourse = Callable[[Till, Counter, Draft], bool]
"""Whether the fault could come about with this order: an amount of one cent cannot be captured in part."""


def missing_payment(till: Till, counter: Counter, draft: Draft) -> bool:
    """The shop took a webhook, or a clerk, at its word; no provider ever saw money."""
    names = (till.charge_name(draft.account),) if counter.chance.random() < 0.6 else ()  # noqa: PLR2004
    if not names and not _is_told_apart(till, draft):
        return False
    till.claim(draft, draft.buyer_total, counter.soon(draft), names)
    till.plant(Kind.MISSING_PAYMENT, draft.item)
    return True


def missing_order(till: Till, counter: Counter, draft: Draft) -> bool:
    """A charge of an order that no shop has: deleted, of a shop that is not connected, or typed in by hand. The draft
    is that order, and is not written down."""
    unknown = counter.chance.random() < 0.7  # noqa: PLR2004
    if not unknown and not _is_told_apart(till, draft):
        return False
    draft.order_id, draft.name = f"D{draft.order_id}", f"#D{draft.name[1:]}"
    charge = till.charge(draft, draft.buyer_total, counter.soon(draft), UNTOLD if unknown else _UNNAMED)
    if charge is None:
        return False
    till.belongs.pop(f"{draft.account.id}/{charge.entry.line_id}")
    till.plant(Kind.MISSING_ORDER, charge.entry.item, charge.fact)
    return True


def amount_mismatch(till: Till, counter: Counter, draft: Draft) -> bool:
    """Charged: a cent off, two digits swapped, without the shipping, or double the tip."""
    wrong = counter.chance.choice(
        (
            draft.buyer_total + counter.chance.choice((-1, 1)),
            draft.buyer_total - draft.sale.shipping,
            draft.buyer_total + draft.buyer_total // 10,
            draft.buyer_total - draft.buyer_total // 7,
        )
    )
    if wrong in (draft.buyer_total, 0) or draft.buyer_currency != draft.shop.currency:
        return False
    charge = _take(till, counter, draft, wrong, stated=draft.buyer_total)
    till.plant(Kind.AMOUNT_MISMATCH, *charge.items)
    return True


def currency_mismatch(till: Till, counter: Counter, draft: Draft) -> bool:
    """The same digits in another currency."""
    if draft.buyer_currency != draft.shop.currency or draft.shop.currency in {"JPY", "KWD"}:
        return False
    other = "USD" if draft.buyer_currency != "USD" else "EUR"
    tie = counter.tie(draft, sure=True)
    charge = till.charge(draft, draft.buyer_total, counter.soon(draft), Terms(tie, currency=other))
    if charge is None:
        return False
    till.plant(Kind.CURRENCY_MISMATCH, *charge.items)
    return True


def partial_capture(till: Till, counter: Counter, draft: Draft) -> bool:
    """Captured in part, the rest of the authorisation fell back, and the order still asks for all of it. Every other
    shop knows how much it got."""
    less = draft.buyer_total * counter.chance.randint(10, 70) // 100
    if not less:
        return False
    stated = draft.buyer_total - less if counter.chance.random() < 0.5 else draft.buyer_total  # noqa: PLR2004
    charge = _take(till, counter, draft, draft.buyer_total, stated=stated)
    back = reverse(till, charge, less)
    till.plant(Kind.PARTIAL_CAPTURE, *charge.items, back.item)
    return True


def duplicate_capture(till: Till, counter: Counter, draft: Draft) -> bool:
    """Charged twice, seldom three times; the shop knows of one."""
    charge = _take(till, counter, draft, draft.buyer_total)
    charges = [charge]
    for _ in range(2 if counter.chance.random() < 0.1 else 1):  # noqa: PLR2004
        at = charges[-1].at + timedelta(seconds=counter.chance.uniform(1, 7_000))
        again = till.charge(draft, draft.buyer_total, at, UNTOLD)
        if again:
            charges.append(again)
    till.plant(Kind.DUPLICATE_CAPTURE, *(item for one in charges for item in one.items))
    return len(charges) > 1


def refund_not_in_store(till: Till, counter: Counter, draft: Draft) -> bool:
    """Given back by hand at the provider."""
    charge = _take(till, counter, draft, draft.buyer_total)
    amount = counter.chance.choice((charge.amount, max(1, charge.amount // 2), max(1, charge.amount * 3 // 10)))
    refund = till.refund(charge, amount, counter.after(charge.at, 0.1, 8))
    if refund is None:
        raise AssertionError("an early order's refund is in the month")
    till.plant(Kind.REFUND_NOT_IN_STORE, *charge.items, refund.item, *_fact_of(refund))
    return True


def refund_not_at_processor(till: Till, counter: Counter, draft: Draft) -> bool:
    """The shop says that it refunded; the provider did not, or the refund came back to it."""
    charge = _take(till, counter, draft, draft.buyer_total)
    amount = charge.amount if counter.chance.random() < 0.5 else max(1, charge.amount * 4 // 10)  # noqa: PLR2004
    at = counter.after(charge.at, 0.1, 4)
    items = set(charge.items)
    refund = till.refund(charge, amount, at) if counter.chance.random() < 0.15 else None  # noqa: PLR2004
    if refund:
        back = till.give_back(charge, refund, LineKind.REFUND_REVERSED, at + timedelta(days=2))
        items |= {refund.item, back.item, *_fact_of(refund)}
    books = draft.sale.total if amount == charge.amount else draft.in_books(amount)
    document = counter.catalogue(draft).part(draft.sale, books, id="refund/1", at=at)
    till.record_refund(draft, document, amount, refund)
    till.plant(Kind.REFUND_NOT_AT_PROCESSOR, *items)
    return True


def fee_variance(till: Till, counter: Counter, draft: Draft) -> bool:
    """The provider takes more than the contract says, or less."""
    if draft.account.rules.fees is None or draft.buyer_total < _SMALLEST_JUDGED:
        return False
    charge = _take(till, counter, draft, draft.buyer_total)
    entry = charge.entry
    usual, step = draft.account.fee(entry.gross, entry.currency), max(4, entry.gross // 1000)
    off = counter.chance.choice((1, 1, 1, -1)) * step * counter.chance.randint(4, 9)
    while _is_known(draft.account, entry, usual + off):
        off += step  # it would be right by another percentage of the contract
    entry.fee = usual + off
    till.plant(Kind.FEE_VARIANCE, *charge.items)
    return True


def dispute_open(till: Till, counter: Counter, draft: Draft) -> bool:
    _dispute(till, counter, draft, Kind.DISPUTE_OPEN, PaymentState.OPEN)
    return True


def dispute_won(till: Till, counter: Counter, draft: Draft) -> bool:
    _dispute(till, counter, draft, Kind.DISPUTE_WON, PaymentState.WON)
    return True


def dispute_lost(till: Till, counter: Counter, draft: Draft) -> bool:
    _dispute(till, counter, draft, Kind.DISPUTE_LOST, PaymentState.LOST)
    return True


def late_settlement(till: Till, counter: Counter, draft: Draft) -> bool:
    """Captured long ago, and in no payout. Where payouts name no lines, nobody can tell."""
    calendar = draft.account.rules.calendar
    over = till.as_of - timedelta(days=calendar.settles_days + calendar.grace_days + 1)
    if not draft.account.itemises or counter.soon(draft) >= over:
        return False
    charge = _take(till, counter, draft, draft.buyer_total)
    charge.entry.stuck = True
    till.plant(Kind.LATE_SETTLEMENT, *charge.items)
    return True


def fx_rounding(till: Till, counter: Counter, draft: Draft) -> bool:
    """Exchanged, and a minor unit beside what the provider's own rate comes to."""
    if draft.buyer_currency in draft.account.currencies:
        return False
    charge = _take(till, counter, draft, draft.buyer_total)
    charge.entry.gross += counter.chance.choice((-1, 1))
    till.plant(Kind.FX_ROUNDING, *charge.items)
    return True


ORDER_FAULTS: Final[tuple[tuple[FaultyCourse, int], ...]] = (
    (missing_payment, 60),
    (missing_order, 200),
    (amount_mismatch, 80),
    (currency_mismatch, 40),
    (partial_capture, 80),
    (duplicate_capture, 80),
    (refund_not_in_store, 60),
    (refund_not_at_processor, 60),
    (fee_variance, 80),
    (dispute_open, 40),
    (dispute_won, 40),
    (dispute_lost, 40),
    (late_settlement, 60),
    (fx_rounding, 80),
)
"""And how many of each there are among 40,000 orders."""

_SMALLEST_JUDGED: Final = 800
"""Below it, a few minor units of fee are within what nobody argues about."""
_UNNAMED: Final = Terms(Tie.NONE, told=False)


def _take(till: Till, counter: Counter, draft: Draft, amount: int, stated: int | None = None) -> Charge:
    """A charge soon after an order that is early in the month, which names the order."""
    charge = till.charge(draft, amount, counter.soon(draft), Terms(counter.tie(draft, sure=True), stated=stated))
    if charge is None:
        raise AssertionError("an early order is paid in the month")
    return charge


def _dispute(till: Till, counter: Counter, draft: Draft, kind: Kind, state: PaymentState) -> None:
    charge = _take(till, counter, draft, draft.buyer_total)
    at = counter.after(charge.at, 2, 6)
    taken, fact = till.dispute(charge, at, state)
    items = {*charge.items, taken.item, fact}
    if state is PaymentState.WON:
        back = till.give_back(charge, taken, LineKind.DISPUTE_REVERSED, counter.after(at, 2, 5))
        items.add(back.item)
    till.plant(kind, *items)


def _is_told_apart(till: Till, draft: Draft) -> bool:
    """Whether no other payment without an order, or order without a payment, is the same in all that is known."""
    money = (draft.account.id, draft.buyer_currency, draft.buyer_total)
    if money in till.undecidable:
        return False
    till.undecidable.add(money)
    return True


def _is_known(account: Account, entry: Entry, fee: int) -> bool:
    """Whether the contract has a percentage by which the fee is right, or nearly."""
    near = max(3, entry.gross // 1000)
    return any(abs(fee - known) <= near for known in account.known_fees(entry.gross, entry.currency))


def _fact_of(refund: Entry) -> tuple[Item, ...]:
    return (Item(subject=Subject.PAYMENT, id=f"{refund.account.id}/{refund.source_id}"),)
