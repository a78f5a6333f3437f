"""Gather what a reconciliation looks at: the facts of its days, and what they refer to from before."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from shared.finance.cases import CaseState
from shared.finance.due.view import business_day
from shared.finance.inputs import Inputs
from shared.finance.models import LineKind, OrderStatement, SettlementLine, Subject, line_key, payment_key
from shared.finance.ports import FinanceBook
from shared.finance.rules import AccountRules, FinanceRules
from shared.finance.window import gathered_since, judged_since, names_of, written_off_lately
from shared.kernel.identifiers import OrderKey

_RECALLED: Final = frozenset({Subject.ORDER, Subject.LINE, Subject.PAYMENT})


@dataclass(frozen=True)
class Scope:
    """What one merchant reconciles, by the settings."""

    rules: FinanceRules
    accounts: Mapping[str, AccountRules]
    payout_banks: frozenset[str] = frozenset()
    """Bank accounts where nothing but payouts arrives."""
    banks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """What a run looks at."""

    inputs: Inputs
    since: date
    """The first day that was looked at."""
    judged: date
    """The first day that is judged: see :mod:`shared.finance.window`."""
    until: date
    recalled: frozenset[str] = frozenset()
    """Names of things that are older and judged all the same: open cases are about them, or staff linked them or wrote
    them off lately."""


def gather(scope: Scope, book: FinanceBook, as_of: datetime, *, judged: date | None = None) -> Gathered:
    """Everything of the days that are judged and of the context before them; what older open cases and links of staff
    are about; and of orders that are older still, but have money moving now, everything that was matched with them.

    Raises:
        Retry: the store is out of reach.
    """
    zone = scope.rules.zone
    first_judged = judged or judged_since(as_of, scope.rules.look_back_days, zone)
    since, until = gathered_since(first_judged), business_day(as_of, zone)
    inputs = _of_days(scope, book, as_of, since, until)
    recalled = frozenset(_recalled(book, first_judged, zone))
    inputs = _with_recalled(inputs, recalled, book)
    recent = tuple(line for line in inputs.lines if _is_recent(line, first_judged, recalled, zone))
    seen = (line for line in inputs.lines if business_day(line.occurred_at, zone) >= since)
    known = book.orders_of_charges(_charges_from_before(recent, seen))
    wanted = {*known.values(), *_linked_orders(inputs), *names_of(Subject.ORDER, recalled)}
    older = sorted(wanted - {str(order.key) for order in inputs.orders})
    found = tuple(book.find_orders(map(OrderKey.parse, older)).values()) if older else ()
    early = (order for order in inputs.orders if business_day(order.placed_at, zone) < since)
    named = _names_in(recent)
    concerned = wanted.union(str(order.key) for order in early if _is_touched(order, named, first_judged, zone))
    whole = (*found, *(order for order in inputs.orders if str(order.key) in concerned))
    lines = tuple(_lines_of(whole, book, {line_key(line) for line in inputs.lines}))
    inputs = replace(
        inputs,
        known_charges=known,
        orders=(*inputs.orders, *found),
        lines=(*inputs.lines, *lines),
        whole_orders=frozenset(str(order.key) for order in whole),
    )
    return Gathered(inputs, since, first_judged, until, recalled)


def _of_days(scope: Scope, book: FinanceBook, as_of: datetime, since: date, until: date) -> Inputs:
    accounts = sorted(scope.accounts)
    ordered_since = since - timedelta(days=scope.rules.after_order_days)
    return Inputs(
        as_of=as_of,
        rules=scope.rules,
        accounts=scope.accounts,
        payout_banks=scope.payout_banks,
        orders=tuple(book.orders(ordered_since, until)),
        payments=tuple(chain.from_iterable(book.payments(account, since, until) for account in accounts)),
        lines=tuple(chain.from_iterable(book.lines(account, since, until) for account in accounts)),
        payouts=tuple(chain.from_iterable(book.payouts(account, since, until) for account in accounts)),
        bank_lines=tuple(chain.from_iterable(book.bank_lines(bank, since, until) for bank in scope.banks)),
        links=book.links(),
    )


def _recalled(book: FinanceBook, judged: date, zone: ZoneInfo) -> Iterator[str]:
    """Names of orders, lines and payments that open cases are about, and of what staff decided lately. Of a payout or a
    bank line that is so old nobody expects anything but what staff decide: it is not looked at again, its case stays.
    """
    for case in book.cases(CaseState.OPEN, CaseState.PROPOSED):
        if case.discrepancy.since < judged:
            items = (case.discrepancy.subject, *case.discrepancy.others)
            yield from (str(item) for item in items if item.subject in _RECALLED)
    for name in written_off_lately(book.written_off(), judged, zone):
        if name.partition(":")[0] in _RECALLED:
            yield name
    for name in book.linked_since(judged):
        yield from (f"line:{name}", f"payment:{name}")


def _with_recalled(inputs: Inputs, recalled: Iterable[str], book: FinanceBook) -> Inputs:
    there = {line_key(line) for line in inputs.lines}
    told = {payment_key(payment) for payment in inputs.payments}
    lines = (book.find_line(*_parted(name)) for name in names_of(Subject.LINE, recalled) if name not in there)
    payments = (book.find_payment(*_parted(name)) for name in names_of(Subject.PAYMENT, recalled) if name not in told)
    return replace(
        inputs,
        lines=(*inputs.lines, *(line for line in lines if line is not None)),
        payments=(*inputs.payments, *(payment for payment in payments if payment is not None)),
    )


def _parted(name: str) -> tuple[str, str]:
    account, _, item = name.partition("/")
    return account, item


def _is_recent(line: SettlementLine, judged: date, recalled: Collection[str], zone: ZoneInfo) -> bool:
    return business_day(line.occurred_at, zone) >= judged or f"line:{line_key(line)}" in recalled


def _charges_from_before(recent: Iterable[SettlementLine], seen: Iterable[SettlementLine]) -> tuple[str, ...]:
    """Charges of which the lines that are judged speak, and that came in before all that is looked at."""
    charged = {f"{line.account}/{line.payment_id}" for line in seen if line.kind is LineKind.CAPTURE}
    named = {f"{line.account}/{line.payment_id}" for line in recent if line.payment_id is not None}
    return tuple(sorted(named - charged))


def _names_in(lines: Iterable[SettlementLine]) -> set[str]:
    return {name for line in lines for name in (*line.references, line.payment_id) if name}


def _is_touched(order: OrderStatement, named: Collection[str], judged: date, zone: ZoneInfo) -> bool:
    """Whether something is judged of an order that is older than what is looked at: without what came in for it then,
    a second payment would look like its only one."""
    if business_day(order.stated_at, zone) >= judged:
        return True
    references = (name for moved in order.movements for name in moved.references)
    return any(name in named for name in (str(order.key), order.order_id, *order.references, *references))


def _linked_orders(inputs: Inputs) -> Iterable[str]:
    """Of what is looked at: links are kept for ever."""
    there = {line_key(line) for line in inputs.lines}
    there |= {payment_key(payment) for payment in inputs.payments}
    links = inputs.links
    return (links[name] for name in links.keys() & there if links[name] and not links[name].startswith("payout:"))


def _lines_of(orders: Iterable[OrderStatement], book: FinanceBook, there: Collection[str]) -> Iterator[SettlementLine]:
    """Lines that were matched with these orders and are not among those that are there."""
    for order in orders:
        for match in book.matches_of(f"order:{order.key}"):
            names = (item.id for item in match.items if item.subject is Subject.LINE and item.id not in there)
            for name in names:
                line = book.find_line(*_parted(name))
                if line is not None:
                    yield line
