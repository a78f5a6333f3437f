"""What the books cost: DynamoDB units and items of the finance table, from an order's account to a closed day. Exact.

The order is of three lines and two tax rates, paid in one charge by card, which is paid out and arrives at the bank.
Each step is the use case that a function calls. A reconciliation asks for each of the days that it looks at, whether
they hold anything or not: of one order's that is nearly all that it reads. What each order adds, a hundred more tell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from infra.bench.units import READS, Meter, Request, tables
from shared.finance.cases import CaseState, Resolution
from shared.finance.closing import Archived, Closing, close_day
from shared.finance.due.view import LedgerView
from shared.finance.gather import Scope
from shared.finance.keep_cases import keep_cases
from shared.finance.models import (
    Action,
    BankLine,
    Discrepancy,
    DiscrepancyKind,
    Document,
    Fact,
    Feed,
    Item,
    LineKind,
    MovementKind,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    PayoutState,
    ProviderBalance,
    SettlementLine,
    SoldLine,
    StoreMovement,
    Subject,
    TaxShare,
)
from shared.finance.reconcile_books import BooksDesk, reconcile_books
from shared.finance.review import Decision, ReviewDesk, resolve
from shared.finance.rules import AccountRules, FinanceRules
from shared.finance.table import FinanceTable
from shared.finance.trial import end_of
from shared.wiring.order_desk import retry_conflicts

AGAIN: Final = ", the same again"
"""The end of the name of what was done before and may write nothing."""
MORE_ORDERS: Final = 100

_DAY: Final = date(2026, 11, 18)
_NOON: Final = datetime(2026, 11, 18, 12, tzinfo=UTC)
_LATER: Final = _NOON + timedelta(days=5)
_ACCOUNT: Final = "stripe-eu"
_BANK: Final = "main"
_PAID, _FEE = 12_050, 206
_RULES: Final = FinanceRules(time_zone="Europe/Amsterdam")
ZONE: Final = _RULES.zone
_SCOPE: Final = Scope(
    rules=_RULES,
    accounts={_ACCOUNT: AccountRules(gateways=("stripe",), shops=("borealis",), bank=_BANK, bank_words=("STRIPE",))},
    banks=(_BANK,),
)


@dataclass(frozen=True)
class MoneyCost:
    """One thing that happened to the books."""

    account: str
    result: str
    requests: tuple[Request, ...]

    @property
    def read(self) -> float:
        return sum(request.units for request in self.requests if request.operation in READS)

    @property
    def written(self) -> float:
        return sum(request.units for request in self.requests if request.operation not in READS)

    @property
    def items(self) -> int:
        """Written or deleted."""
        return sum(request.items for request in self.requests if request.operation not in READS)


@dataclass(frozen=True)
class Ledgers:
    """One merchant's books, and what every request to them costs."""

    book: FinanceTable
    meter: Meter

    def keeps(self, account: str, *facts: Fact) -> MoneyCost:
        def keep() -> str:
            kept = self.book.keep(facts)
            return next(name for name in ("new", "changed", "same") if getattr(kept, name))

        return self._cost(account, keep)

    def reconciles(self, account: str) -> MoneyCost:
        desk = BooksDesk(self.book, _SCOPE, _clock, retry_conflicts)

        def run() -> str:
            done = reconcile_books(desk)
            return f"{done.matches} matches, {done.posted.new} entries"

        return self._cost(account, run)

    def opens(self, account: str, discrepancy: Discrepancy) -> MoneyCost:
        def keep() -> str:
            keep_cases([discrepancy], self.book, _clock, retry_conflicts)
            return self._state_of(discrepancy)

        return self._cost(account, keep)

    def resolves(self, account: str, discrepancy: Discrepancy) -> MoneyCost:
        desk = ReviewDesk(self.book, _RULES, _clock, retry_conflicts)
        accepted = Decision(Resolution.ACCEPT, "the contract has changed")

        def decide() -> str:
            return resolve(discrepancy.id, accepted, desk, actor="kim").state

        return self._cost(account, decide)

    def closes(self, account: str, day: date) -> MoneyCost:
        """Of the table: what a close archives and tells the back office is not counted."""
        lines = tuple(self.book.lines(_ACCOUNT, day, _LATER.date()))
        view = LedgerView(rules=_RULES, accounts=_SCOPE.accounts, lines=lines)
        closing = Closing(book=self.book, view=view, read_until={_ACCOUNT: _LATER}, clock=_clock)

        def close() -> str:
            return close_day(day, "kim", closing, lambda *_: Archived()).state

        return self._cost(account, close)

    def _cost(self, account: str, step: Callable[[], str]) -> MoneyCost:
        self.meter.take()
        result = step()
        return MoneyCost(account, result, self.meter.take())

    def _state_of(self, discrepancy: Discrepancy) -> CaseState:
        case = self.book.find_case(discrepancy.id)
        if case is None:
            raise LookupError(f"there is no case {discrepancy.id}")
        return case.state


def measure() -> list[MoneyCost]:
    """An order is stated, paid, settled and reconciled; paid out and reconciled again; a case is dealt with, and the
    day closed."""
    with tables() as (connection, names):
        book = FinanceTable(connection, names["finance"], ZONE)
        return list(story(Ledgers(book, Meter(connection.client))))


def story(ledgers: Ledgers) -> Iterator[MoneyCost]:
    yield from _told(ledgers)
    yield ledgers.reconciles("a paid order reconciled")
    yield ledgers.reconciles(f"a paid order reconciled{AGAIN}")
    yield from _paid_out(ledgers)
    yield ledgers.reconciles("its payout reconciled with the bank")
    yield ledgers.reconciles(f"its payout reconciled with the bank{AGAIN}")
    yield ledgers.opens("a case", _overcharged())
    yield ledgers.opens(f"a case{AGAIN}", _overcharged())
    yield ledgers.resolves("a case resolved", _overcharged())
    yield ledgers.resolves(f"a case resolved{AGAIN}", _overcharged())
    yield ledgers.closes("a day closed", _DAY)
    yield ledgers.closes(f"a day closed{AGAIN}", _DAY)
    yield ledgers.keeps(f"{MORE_ORDERS} orders with charges and lines", *_many())
    yield ledgers.reconciles(f"{MORE_ORDERS} more orders reconciled")
    yield ledgers.reconciles(f"{MORE_ORDERS} more orders reconciled{AGAIN}")


def _told(ledgers: Ledgers) -> Iterator[MoneyCost]:
    order, line = _order(), _line(line_id="txn_1")
    yield ledgers.keeps("an order's statement", order)
    yield ledgers.keeps(f"an order's statement{AGAIN}", order)
    newer: dict[str, Any] = {"revision": 2, "stated_at": _NOON + timedelta(hours=1)}
    yield ledgers.keeps("an order's statement, a newer account", order.model_copy(update=newer))
    yield ledgers.keeps("a charge by webhook", _charge())
    yield ledgers.keeps(f"a charge by webhook{AGAIN}", _charge())
    yield ledgers.keeps("its settlement line", line)
    yield ledgers.keeps(f"its settlement line{AGAIN}", line)
    yield ledgers.keeps("its settlement line, now with a payout", line.model_copy(update={"payout_id": "po_1"}))


def _paid_out(ledgers: Ledgers) -> Iterator[MoneyCost]:
    yield ledgers.keeps("a payout", _payout())
    yield ledgers.keeps(f"a payout{AGAIN}", _payout())
    yield ledgers.keeps("its line on the balance", _payout_line())
    yield ledgers.keeps("its bank line", _bank_line())
    yield ledgers.keeps(f"its bank line{AGAIN}", _bank_line())
    yield ledgers.keeps("a provider's balance", _balance())


def _many() -> Iterator[Fact]:
    """Further orders of the next day, each like the first."""
    at = _NOON + timedelta(days=1)
    for number in range(MORE_ORDERS):
        order_id, charge = str(7_100 + number), f"ch_m{number}"
        order = _order()
        taken = order.movements[0].model_copy(update={"id": f"m{number}", "at": at, "references": (charge,)})
        named: dict[str, Any] = {"order_id": order_id, "name": f"#{order_id}", "references": (order_id, f"#{order_id}")}
        yield order.model_copy(update=named | {"placed_at": at, "stated_at": at, "movements": (taken,)})
        moved: dict[str, Any] = {"occurred_at": at, "payment_id": charge, "references": (order_id,)}
        yield _charge().model_copy(update=moved | {"stated_at": at})
        yield _line(line_id=f"txn_m{number}", source_id=charge, **moved)


def _clock() -> datetime:
    return _LATER


# ---- what is stated --------------------------------------------------------------------------------------------------


def _order() -> OrderStatement:
    """120.50 EUR: two mugs and a book, sent."""
    lines = (("MUG-BLUE", 2, 3_400), ("MUG-RED", 1, 1_700), ("BOOK", 1, 4_500))
    taxes = (("0.21", 1_176), ("0.09", 405))
    sold = tuple(
        SoldLine(key=str(number), sku=sku, title=f"Goods {sku}", units=units, net=net)
        for number, (sku, units, net) in enumerate(lines, 1)
    )
    shares = tuple(TaxShare(country="NL", region=None, title="VAT", rate=rate, amount=amount) for rate, amount in taxes)
    return OrderStatement(
        shop="borealis",
        order_id="7001",
        name="#7001",
        channel="web",
        placed_at=_NOON,
        stated_at=_NOON,
        revision=1,
        currency="EUR",
        buyer_currency="EUR",
        buyer_total=_PAID,
        sale=Document(id="sale", at=_NOON, lines=sold, shipping=869, taxes=shares, total=_PAID),
        movements=(
            StoreMovement(
                id="551",
                kind=MovementKind.CAPTURE,
                gateway="stripe",
                at=_NOON,
                currency="EUR",
                amount=_PAID,
                references=("ch_1",),
            ),
        ),
        references=("#7001", "7001"),
    )


def _charge() -> Payment:
    return Payment(
        account=_ACCOUNT,
        payment_id="ch_1",
        kind=PaymentKind.CAPTURE,
        state=PaymentState.SUCCEEDED,
        vendor_state="succeeded",
        currency="EUR",
        amount=_PAID,
        references=("7001",),
        occurred_at=_NOON,
        stated_at=_NOON,
        feed=Feed.WEBHOOK,
    )


def _line(**told: Any) -> SettlementLine:
    usual: dict[str, Any] = {
        "account": _ACCOUNT,
        "kind": LineKind.CAPTURE,
        "category": "charge",
        "occurred_at": _NOON,
        "currency": "EUR",
        "gross": _PAID,
        "fee": _FEE,
        "net": _PAID - _FEE,
        "payment_id": "ch_1",
        "source_id": "ch_1",
        "references": ("7001",),
        "available_on": _DAY + timedelta(days=2),
        "feed": Feed.API,
    }
    return SettlementLine.model_validate(usual | told)


def _payout_line() -> SettlementLine:
    net = _FEE - _PAID
    of_payout: dict[str, Any] = {"payment_id": None, "source_id": "po_1", "payout_id": "po_1", "references": ()}
    at = _NOON + timedelta(days=2)
    return _line(
        line_id="txn_2",
        kind=LineKind.PAYOUT,
        category="payout",
        occurred_at=at,
        gross=net,
        fee=0,
        net=net,
        **of_payout,
    )


def _payout() -> Payout:
    return Payout(
        account=_ACCOUNT,
        payout_id="po_1",
        state=PayoutState.PAID,
        vendor_state="paid",
        currency="EUR",
        amount=_PAID - _FEE,
        issued_on=_DAY + timedelta(days=2),
        arrives_on=_DAY + timedelta(days=3),
        stated_at=_LATER,
        feed=Feed.API,
    )


def _bank_line() -> BankLine:
    return BankLine(
        bank=_BANK,
        line_id="NTRF2026112100017",
        booked_on=_DAY + timedelta(days=3),
        currency="EUR",
        amount=_PAID - _FEE,
        text="STRIPE PAYMENTS EUROPE PAYOUT",
        feed=Feed.REPORT,
    )


def _balance() -> ProviderBalance:
    """Of the day's end: the charge is in, nothing is out."""
    as_of = end_of(_DAY, ZONE).astimezone(UTC)
    return ProviderBalance(account=_ACCOUNT, currency="EUR", as_of=as_of, amount=_PAID - _FEE)


def _overcharged() -> Discrepancy:
    """The provider kept 12 cents more than the contract says."""
    return Discrepancy(
        id="5f0c7a1e9d3b4862",
        kind=DiscrepancyKind.FEE_VARIANCE,
        subject=Item(subject=Subject.LINE, id=f"{_ACCOUNT}/txn_1"),
        account=_ACCOUNT,
        currency="EUR",
        expected=_FEE - 12,
        found=_FEE,
        since=_DAY,
        action=Action.REVIEW,
        blocks_close=False,
        evidence=("EUR 2.06 was kept, the contract says EUR 1.94",),
    )
