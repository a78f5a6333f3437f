"""Gather what explains one order's money."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from shared.finance.cases import Case, CaseState
from shared.finance.explain import OrderMoney, explain_order, sources_of_order
from shared.finance.journal import JournalEntry
from shared.finance.models import Match, OrderStatement, Payout, SettlementLine, Subject, line_key, payout_key
from shared.finance.ports import FinanceBook
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.platform.configuration import settings
from shared.wiring.finance_tables import finance_table


class ExplainedOrder(NamedTuple):
    money: OrderMoney
    entries: tuple[JournalEntry, ...]
    """Of its sources, reversals included: by the day they were posted on."""


def explained(key: OrderKey) -> ExplainedOrder:
    """Explain one order by what is kept of it.

    Raises:
        Rejected: `unknown_order`, where the books know nothing of it.
        Retry: the store is out of reach.
    """
    book = finance_table()
    statement = book.find_orders([key]).get(key)
    if statement is None:
        hint = "an order from before finance was switched on is sent by: storebridge money backfill"
        raise Rejected("unknown_order", f"the books know no order {key}", field="order", hint=hint)
    matches = book.matches_of(f"order:{key}")
    lines = tuple(_lines_of(matches, book))
    payouts = tuple(_payouts_of(lines, book))
    banked = chain.from_iterable(book.matches_of(f"payout:{one.account}/{one.payout_id}") for one in payouts)
    cases = tuple(_cases_about(statement, lines, payouts, book))
    by_source = book.entries_of(sources_of_order(statement, lines, cases))
    entries = tuple(sorted(chain.from_iterable(by_source.values()), key=lambda entry: (entry.posted_on, entry.id)))
    money = explain_order(statement, lines, (*matches, *banked), entries, payouts, cases)
    return ExplainedOrder(money, entries)


def _lines_of(matches: Iterable[Match], book: FinanceBook) -> Iterator[SettlementLine]:
    names = {item.id for match in matches for item in match.items if item.subject is Subject.LINE}
    for name in sorted(names):
        account, _, line_id = name.partition("/")
        line = book.find_line(account, line_id)
        if line is not None:
            yield line


def _payouts_of(lines: Iterable[SettlementLine], book: FinanceBook) -> Iterator[Payout]:
    for account, payout_id in sorted({(line.account, line.payout_id) for line in lines if line.payout_id}):
        payout = book.find_payout(account, payout_id or "")
        if payout is not None:
            yield payout


def _cases_about(
    statement: OrderStatement, lines: Iterable[SettlementLine], payouts: Iterable[Payout], book: FinanceBook
) -> Iterator[Case]:
    """In whatever state: what was written off explains the order too. No case about an order is of a day before its
    payment may have come."""
    rules = settings().finance
    since = statement.placed_at.astimezone(rules.zone).date() - timedelta(days=rules.before_order_days + 1)
    items = {str(statement.key), *(line_key(line) for line in lines)}
    items |= {f"{line.account}/{line.payment_id}" for line in lines if line.payment_id}
    items |= {payout_key(payout) for payout in payouts}
    for case in book.cases(*CaseState, since=since):
        if {case.discrepancy.subject.id, *(item.id for item in case.discrepancy.others)} & items:
            yield case
