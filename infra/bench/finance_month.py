"""A month of one merchant's orders and payments with the truth about it: what belongs together, and what is wrong.

Made up, and the same again from the same seed. The faults are planted by what their kinds mean; nothing here knows how
they are looked for.
"""

import random
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from infra.bench.month.baskets import moments
from infra.bench.month.counter import Counter
from infra.bench.month.courses import COURSES, Course
from infra.bench.month.faults import ORDER_FAULTS, FaultyCourse, fx_rounding, missing_order
from infra.bench.month.merchant import ACCOUNTS, RULES
from infra.bench.month.settling import Clearing, Wrongs
from infra.bench.month.till import Draft, Entry, Fault, Till
from shared.finance.inputs import Inputs
from shared.finance.models import (
    BankLine,
    Item,
    OrderStatement,
    Payment,
    Payout,
    ProviderBalance,
    SettlementLine,
    line_key,
)
from shared.finance.rules import AccountRules, FinanceRules

FULL: Final = 40_000
"""Orders of the month that the numbers of faults are meant for; of others there are as many for each order."""
FIRST: Final = date(2026, 11, 1)
DAYS: Final = 30
_EARLY_DAYS: Final = 14
"""What goes wrong after them may still come right by itself before the month is looked at."""
_ROUNDED_DAYS: Final = 26
_AT_LEAST: Final = 3
"""Of each fault, however small the month."""


@dataclass(frozen=True, slots=True)
class Month:
    """All that shops, providers and banks say on the morning after the month, and the truth about it."""

    as_of: datetime
    orders: tuple[OrderStatement, ...]
    payments: tuple[Payment, ...]
    lines: tuple[SettlementLine, ...]
    payouts: tuple[Payout, ...]
    bank_lines: tuple[BankLine, ...]
    balances: tuple[ProviderBalance, ...]
    accounts: Mapping[str, AccountRules]
    rules: FinanceRules
    known_charges: Mapping[str, str]
    truth: tuple[Fault, ...]
    belongs: Mapping[str, str]
    """`stripe-eu/txn_1` to the key of the order whose money it is; other lines are no order's."""
    waiting: frozenset[Item]
    """Orders that are paid, while the feed does not have it yet, and that nothing is wrong with."""

    def inputs(self) -> Inputs:
        return Inputs(
            as_of=self.as_of,
            rules=self.rules,
            accounts=self.accounts,
            orders=self.orders,
            payments=self.payments,
            lines=self.lines,
            payouts=self.payouts,
            bank_lines=self.bank_lines,
            known_charges=self.known_charges,
        )


def month(seed: int, orders: int = FULL, *, first: date = FIRST) -> Month:
    """The month from `first` on with about so many orders: buyers who buy twice add some, orders that no shop has are
    none."""
    chance = random.Random(seed)  # noqa: S311 - a month that comes again
    as_of = datetime.combine(first + timedelta(DAYS), time(6), UTC)
    till, counter = Till(chance, as_of), Counter(chance)
    plan = _Plan(chance, orders, first)
    for placed_at in moments(first, DAYS, orders + plan.unknown_orders, chance):
        draft = counter.order(placed_at)
        if plan.goes_wrong(till, counter, draft):
            continue
        plan.course()(till, counter, draft)
        till.close_order(draft)
    wrongs = Wrongs(payouts=30, reserves=_scaled(40, orders), unknown=_scaled(60, orders), stray=_scaled(12, orders))
    settled = Clearing(till, chance, first, wrongs).settle()
    lines = tuple(_told(till))
    there = {line_key(line) for line in lines}
    faulty = {item for fault in till.truth for item in fault.items}
    return Month(
        as_of=as_of,
        orders=tuple(till.orders),
        payments=tuple(till.payments),
        lines=lines,
        payouts=tuple(settled.payouts),
        bank_lines=tuple(settled.bank_lines),
        balances=tuple(settled.balances),
        accounts={account.id: account.rules for account in ACCOUNTS.values()},
        rules=RULES,
        known_charges=till.known_charges,
        truth=tuple(till.truth),
        belongs={line: order for line, order in till.belongs.items() if line in there},
        waiting=frozenset(till.waiting - faulty),
    )


class _Plan:
    """Which order goes how."""

    def __init__(self, chance: random.Random, orders: int, first: date) -> None:
        self._chance = chance
        numbers = {fault: _scaled(count, orders) for fault, count in ORDER_FAULTS}
        self.unknown_orders = numbers[missing_order]
        self._to_round = numbers.pop(fx_rounding)
        faults = [fault for fault, count in numbers.items() for _ in range(count)]
        chance.shuffle(faults)
        self._faults: deque[FaultyCourse] = deque(faults)
        self._pace = 1.5 * len(faults) / (orders * _EARLY_DAYS / DAYS)
        """Above one for each: what comes early enough is not even, and not every order takes every fault."""
        start = datetime.combine(first, time(), UTC)
        self._early_until = start + timedelta(days=_EARLY_DAYS)
        self._round_until = start + timedelta(days=_ROUNDED_DAYS)

    def course(self) -> Course:
        return self._chance.choices([course for course, _ in COURSES], [share for _, share in COURSES])[0]

    def goes_wrong(self, till: Till, counter: Counter, draft: Draft) -> bool:
        """Let something go wrong with the order, if it is one of those."""
        fault = self._fault(till, counter, draft)
        if fault is None:
            return False
        if fault is not missing_order:
            till.close_order(draft)
        return True

    def _fault(self, till: Till, counter: Counter, draft: Draft) -> FaultyCourse | None:
        if self._rounds(draft) and fx_rounding(till, counter, draft):
            self._to_round -= 1
            return fx_rounding
        if draft.placed_at >= self._early_until or self._chance.random() >= self._pace:
            return None
        for _ in range(len(self._faults)):
            fault = self._faults.popleft()
            if fault(till, counter, draft):
                return fault
            self._faults.append(fault)
        return None

    def _rounds(self, draft: Draft) -> bool:
        """Few orders are exchanged, so most of these are tried for it; it shows at once, all month long."""
        return self._to_round > 0 and draft.placed_at < self._round_until and self._chance.random() < 0.15  # noqa: PLR2004


def _told(till: Till) -> Iterator[SettlementLine]:
    """The lines that the feeds have by now. Drafts are let go of one by one: a month is large."""
    entries, till.entries = till.entries, []
    entries.reverse()
    while entries:
        entry = entries.pop()
        if _is_told(entry, till.as_of):
            yield entry.line()


def _is_told(entry: Entry, as_of: datetime) -> bool:
    return entry.at + entry.account.lag <= as_of


def _scaled(count: int, orders: int) -> int:
    return max(_AT_LEAST, round(count * orders / FULL))
