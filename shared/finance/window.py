"""Which part of what was gathered is judged, and which is there only to judge it by. Pure.

A reconciliation sees a stretch of time, and at its beginning everything looks odd: payouts of lines that it does not
see, bank lines of payouts before its time. So the first part, the context, is as long as things that belong together
may lie apart, and only what comes after it is judged: discrepancies that begin in the context are known from when they
were fresh, and nothing of the ledger is touched for them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.finance.cases import Case
from shared.finance.due.view import LedgerView, business_day
from shared.finance.inputs import Inputs, Reconciliation
from shared.finance.models import (
    BankLine,
    Bucket,
    Discrepancy,
    LineKind,
    Match,
    OrderStatement,
    Payment,
    PaymentKind,
    Payout,
    SettlementLine,
    Subject,
    bank_key,
    line_key,
    payment_key,
    payout_key,
)

CONTEXT_DAYS = 45
"""Longer than an order waits for its payment (30 days) and than a payout for its lines and for the bank."""


def judged_since(as_of: datetime, look_back_days: int, zone: ZoneInfo) -> date:
    """The first day that is judged."""
    return business_day(as_of, zone) - timedelta(days=look_back_days)


def gathered_since(judged: date) -> date:
    """The first day that is looked at."""
    return judged - timedelta(days=CONTEXT_DAYS)


def names_of(subject: Subject, items: Iterable[str]) -> list[str]:
    """Of items' names those of one subject, without it: `aurora/5001` of `order:aurora/5001`. Sorted."""
    mark = f"{subject}:"
    return sorted(item.removeprefix(mark) for item in items if item.startswith(mark))


def looked_at(cases: Iterable[Case], judged: date, recalled: Collection[str]) -> frozenset[str]:
    """Ids of older open cases whose subject was looked at again, so that they may be over."""
    return frozenset(
        case.id for case in cases if case.discrepancy.since < judged and str(case.discrepancy.subject) in recalled
    )


def written_off_lately(written_off: Iterable[Case], judged: date, zone: ZoneInfo) -> Iterator[str]:
    """Names of what is older than the days that are judged and was written off on one of them: to be booked now."""
    for case in written_off:
        is_old, decided = case.discrepancy.since < judged, case.closed_at
        if is_old and decided is not None and business_day(decided, zone) >= judged:
            yield str(case.discrepancy.subject)


def judged_discrepancies(found: Iterable[Discrepancy], judged: date, open_ids: Collection[str]) -> list[Discrepancy]:
    """Those of the days that are judged, and those that are known from before and still there."""
    return [one for one in found if one.since >= judged or one.id in open_ids]


def stale_matches(stored: Iterable[Match], result: Reconciliation, inputs: Inputs, judged: date) -> list[str]:
    """Ids of kept matches that hold no longer: everything that they join was looked at, and it belongs elsewhere, or
    to nothing although it is of the days that are judged. Charges are in a match by name, beside their lines: whether
    the provider's word of one is here does not matter."""
    kept = {match.id for match in result.matches}
    taken = {str(item) for match in result.matches for item in match.items if item.subject is not Subject.ORDER}
    days = _days(inputs)
    looked_at = {str(item) for item, bucket in result.buckets.items() if bucket is not Bucket.WAITING}
    stale = []
    for match in stored:
        names = {str(item) for item in match.items if item.subject is not Subject.PAYMENT}
        is_recent = any(days.get(name, date.min) >= judged for name in names)
        if match.id not in kept and names <= looked_at and (names & taken or is_recent):
            stale.append(match.id)
    return stale


def ledger_view(
    inputs: Inputs,
    result: Reconciliation,
    judged: date,
    *,
    recalled: frozenset[str] = frozenset(),
    payout_banks: frozenset[str] = frozenset(),
) -> LedgerView:
    """What the ledger is brought to: the days that are judged, what was recalled from before them, and whatever it
    takes to see that whole. Cases and cost prices are the caller's to add."""
    zone = inputs.rules.zone
    disputes = _disputes_of(inputs.payments, judged)
    recent = {
        line_key(line)
        for line in inputs.lines
        if business_day(line.occurred_at, zone) >= judged
        or f"line:{line_key(line)}" in recalled
        or f"{line.account}/{line.source_id}" in disputes
    }
    concerned = {result.order_of[name] for name in recent if name in result.order_of}
    concerned |= set(names_of(Subject.ORDER, recalled))
    orders = tuple(order for order in inputs.orders if _is_concerned(order, judged, zone, concerned))
    keys = {str(order.key) for order in orders}
    bank_lines = tuple(
        line for line in inputs.bank_lines if line.booked_on >= judged or f"bank:{bank_key(line)}" in recalled
    )
    matches = tuple(match for match in result.matches if any(item.subject is Subject.BANK for item in match.items))
    payouts = _payouts(
        inputs.payouts, judged, _payouts_of(bank_lines, matches).union(names_of(Subject.PAYOUT, recalled))
    )
    names = {payout_key(payout) for payout in payouts}
    lines = tuple(
        line
        for line in inputs.lines
        if line_key(line) in recent or result.order_of.get(line_key(line)) in keys or _pays_out(line, names)
    )
    there = {line_key(line) for line in lines}
    return LedgerView(
        rules=inputs.rules,
        accounts=inputs.accounts,
        orders=orders,
        lines=lines,
        order_of={name: key for name, key in result.order_of.items() if name in there and key in keys},
        payouts=payouts,
        bank_lines=bank_lines,
        matches=matches,
        payments=tuple(
            payment
            for payment in inputs.payments
            if business_day(payment.occurred_at, zone) >= judged or payment_key(payment) in disputes
        ),
        payout_banks=payout_banks,
    )


def _disputes_of(payments: Iterable[Payment], judged: date) -> set[str]:
    """Disputes of which something was said lately, whenever they were opened: they take months."""
    return {
        payment_key(payment)
        for payment in payments
        if payment.kind is PaymentKind.DISPUTE and payment.stated_at.date() >= judged
    }


def _is_concerned(order: OrderStatement, judged: date, zone: ZoneInfo, concerned: Collection[str]) -> bool:
    """New, changed lately (a shop gives money back long after, and by means that no feed tells of), or with money that
    moves now."""
    newest = max(order.placed_at, order.stated_at)
    return business_day(newest, zone) >= judged or str(order.key) in concerned


def _payouts_of(bank_lines: Iterable[BankLine], matches: Iterable[Match]) -> set[str]:
    booked = {bank_key(line) for line in bank_lines}
    return {
        item.id
        for match in matches
        if any(item.subject is Subject.BANK and item.id in booked for item in match.items)
        for item in match.items
        if item.subject is Subject.PAYOUT
    }


def _payouts(payouts: Iterable[Payout], judged: date, arrived: Collection[str]) -> tuple[Payout, ...]:
    """Those that are judged, those that arrived lately, and those of which the provider said something lately: one may
    fail long after it was issued."""
    return tuple(
        one
        for one in payouts
        if one.issued_on >= judged or one.stated_at.date() >= judged or payout_key(one) in arrived
    )


_PAYS_OUT = frozenset({LineKind.PAYOUT, LineKind.PAYOUT_REVERSED})


def _pays_out(line: SettlementLine, payouts: Collection[str]) -> bool:
    named = (line.source_id, line.payout_id)
    return line.kind in _PAYS_OUT and any(f"{line.account}/{name}" in payouts for name in named)


def _days(inputs: Inputs) -> Mapping[str, date]:
    """The day of business of everything, by the item's name."""
    zone = inputs.rules.zone
    days = {f"order:{order.key}": business_day(order.placed_at, zone) for order in inputs.orders}
    days |= {f"line:{line_key(line)}": business_day(line.occurred_at, zone) for line in inputs.lines}
    days |= {f"payout:{payout_key(payout)}": payout.issued_on for payout in inputs.payouts}
    days |= {f"bank:{bank_key(line)}": line.booked_on for line in inputs.bank_lines}
    return days
