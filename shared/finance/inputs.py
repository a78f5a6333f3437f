"""What a reconciliation is worked out from, and what it comes to: the contract of `finance.matching`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.finance.models import (
    BankLine,
    Bucket,
    Discrepancy,
    Item,
    Match,
    OrderStatement,
    Payment,
    Payout,
    SettlementLine,
)
from shared.finance.rules import AccountRules, FinanceRules


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a run looks at. In any order: the result is the same to the byte."""

    as_of: datetime
    """What is known up to here; decides what is late. Never the wall clock of the run itself."""
    rules: FinanceRules
    accounts: Mapping[str, AccountRules]
    orders: tuple[OrderStatement, ...] = ()
    payments: tuple[Payment, ...] = ()
    lines: tuple[SettlementLine, ...] = ()
    payouts: tuple[Payout, ...] = ()
    bank_lines: tuple[BankLine, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """What staff decided: from a line (`stripe-eu/txn_1`) or payment to an order's key (`aurora/5001`), to a payout
    (`payout:stripe-eu/po_1`) for a bank line, or to `""` for "belongs to nothing"."""
    known_charges: Mapping[str, str] = field(default_factory=dict)
    """Charges that were matched before the window: `stripe-eu/ch_1` to the order's key. The order is among `orders`."""
    payout_banks: frozenset[str] = frozenset()
    """Bank accounts where nothing but payouts arrives."""
    whole_orders: frozenset[str] = frozenset()
    """Keys of orders from before the window of which all that was ever matched with them is here: what is missing of
    them is missing."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Sorted by id, whatever the order of the inputs."""

    matches: tuple[Match, ...]
    discrepancies: tuple[Discrepancy, ...]
    buckets: Mapping[Item, Bucket]
    """Every input but the balances, in exactly one bucket."""
    order_of: Mapping[str, str]
    """`stripe-eu/txn_1` to the order's key, for every line that belongs to an order."""
    closed_orders: frozenset[str]
    """Keys of orders for which nothing more is expected: captures less refunds are what is owed."""


@dataclass(frozen=True, slots=True)
class ReconcilingProgress:
    """For whoever waits."""

    stage: str
    done: int
    of: int
