"""What the ledger is worked out from: the same things that a reconciliation looks at, and what it came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.finance.cases import Case
from shared.finance.models import BankLine, Match, OrderStatement, Payment, Payout, SettlementLine
from shared.finance.ports import CostPrice
from shared.finance.rules import AccountRules, FinanceRules


@dataclass(frozen=True, slots=True)
class LedgerView:
    """In any order: what is due is the same to the byte.

    It may be a window. Whatever is in it must be whole: with an order all settlement lines that belong to it and the
    payments of its disputes, with a line the order that `order_of` names, with a matched bank line its payouts, with a
    payout the line that paid it out. Nothing is due, or taken back, for what is not in it.
    """

    rules: FinanceRules
    accounts: Mapping[str, AccountRules]
    orders: tuple[OrderStatement, ...] = ()
    lines: tuple[SettlementLine, ...] = ()
    order_of: Mapping[str, str] = field(default_factory=dict)
    """`stripe-eu/txn_1` to the order's key."""
    payouts: tuple[Payout, ...] = ()
    bank_lines: tuple[BankLine, ...] = ()
    matches: tuple[Match, ...] = ()
    """Those that join payouts with bank lines; others are not looked at."""
    payments: tuple[Payment, ...] = ()
    cases: tuple[Case, ...] = ()
    """In any state: of one that was reopened the write-off goes again."""
    costs: Mapping[str, tuple[CostPrice, ...]] = field(default_factory=dict)
    """By SKU, oldest price first."""
    payout_banks: frozenset[str] = frozenset()
    """Bank accounts where nothing but payouts arrives: their other lines are in suspense."""


def business_day(moment: datetime, zone: ZoneInfo) -> date:
    """The merchant's day that a moment is in."""
    return moment.astimezone(zone).date()
