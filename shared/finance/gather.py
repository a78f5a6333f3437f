"""Gather what a reconciliation looks at: the facts of its days, and what they refer to from before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain

from shared.finance.inputs import Inputs
from shared.finance.models import LineKind, OrderStatement, SettlementLine
from shared.finance.ports import FinanceBook
from shared.finance.rules import AccountRules, FinanceRules
from shared.kernel.identifiers import OrderKey


@dataclass(frozen=True)
class Scope:
    """What one merchant reconciles, by the settings."""

    rules: FinanceRules
    accounts: Mapping[str, AccountRules]
    payout_banks: frozenset[str] = frozenset()
    """Bank accounts where nothing but payouts arrives."""
    banks: tuple[str, ...] = ()

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.rules.zone).date()

    def since(self, as_of: datetime) -> date:
        return self.day_of(as_of) - timedelta(days=self.rules.look_back_days)


def gather(scope: Scope, book: FinanceBook, as_of: datetime) -> Inputs:
    """Everything of the days that `rules.look_back_days` reaches; and for charges, refunds and disputes of something
    older, the orders that their charges were matched with.

    Raises:
        Retry: the store is out of reach.
    """
    since, until = scope.since(as_of), scope.day_of(as_of)
    accounts = sorted(scope.accounts)
    inputs = Inputs(
        as_of=as_of,
        rules=scope.rules,
        accounts=scope.accounts,
        orders=tuple(book.orders(since, until)),
        payments=tuple(chain.from_iterable(book.payments(account, since, until) for account in accounts)),
        lines=tuple(chain.from_iterable(book.lines(account, since, until) for account in accounts)),
        payouts=tuple(chain.from_iterable(book.payouts(account, since, until) for account in accounts)),
        bank_lines=tuple(chain.from_iterable(book.bank_lines(bank, since, until) for bank in scope.banks)),
        links=book.links(),
    )
    known = book.orders_of_charges(_charges_from_before(inputs.lines))
    missing = _orders_missing(inputs.orders, chain(known.values(), _linked_orders(inputs.links)))
    found = book.find_orders(missing).values() if missing else ()
    return replace(inputs, known_charges=known, orders=(*inputs.orders, *found))


def _charges_from_before(lines: Iterable[SettlementLine]) -> tuple[str, ...]:
    """Charges that lines of these days refer to and that came in before them."""
    charged = {f"{line.account}/{line.payment_id}" for line in lines if line.kind is LineKind.CAPTURE}
    named = {f"{line.account}/{line.payment_id}" for line in lines if line.payment_id is not None}
    return tuple(sorted(named - charged))


def _linked_orders(links: Mapping[str, str]) -> Iterable[str]:
    return (target for target in links.values() if target and not target.startswith("payout:"))


def _orders_missing(orders: Iterable[OrderStatement], wanted: Iterable[str]) -> tuple[OrderKey, ...]:
    there = {str(order.key) for order in orders}
    return tuple(OrderKey.parse(key) for key in sorted(set(wanted) - there))
