"""Three weeks of trade told late, twice and out of order, with days closed and reopened in between.

One seeded source of randomness: each seed replays exactly. After every step the ledger keeps its promises: every entry
balances, what is in force is what is due, closed days do not change, and clearing and reserve are what was told.
"""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from shared.finance.audit import faults_in
from shared.finance.cases import CaseState, DayClose
from shared.finance.closing import Archived, Closing, close_day, digest_of_day, missing_of, reopen_day
from shared.finance.due.entries import entries_due
from shared.finance.due.view import LedgerView
from shared.finance.journal import JournalEntry
from shared.finance.models import (
    DiscrepancyKind,
    LineKind,
    MovementKind,
    OrderStatement,
    PaymentState,
    Payout,
    PayoutState,
    SettlementLine,
    line_key,
)
from shared.finance.ports import CostPrice
from shared.finance.posting import bring_up_to_date, digest_of, entries_in_force
from shared.finance.rules import AccountRules
from shared.finance.trial import balances_of, end_of, held_by, off_by
from shared.kernel.errors import Rejected, Retry
from tests.builders.ledger import (
    DAY,
    NOON,
    RULES,
    arrival,
    balance,
    bank_line,
    dispute,
    document,
    line,
    movement,
    on,
    payout,
    receivable,
    sold,
    statement,
    written_off,
)
from tests.fakes.finance import FakeFinanceBook

DAYS = 21
SEEDS = range(6)


class Trade:
    """The truth, and how much of it was told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - replays
        self.tells_balance = seed % 2 == 0
        self.truth: list[SettlementLine] = []
        self.orders: dict[str, OrderStatement] = {}
        self.told: dict[str, SettlementLine] = {}
        self.links: dict[str, str] = {}
        self.order_of: dict[str, str] = {}
        self.payouts: dict[str, Payout] = {}
        self.paid_by_line: set[str] = set()
        self.bank: list[Any] = []
        self.joined: list[Any] = []
        self.disputes: dict[str, Any] = {}
        self.cases: list[Any] = []

    def view(self) -> LedgerView:
        chance = self.chance

        def shuffled(items: Any) -> tuple[Any, ...]:
            found = list(items)
            return tuple(chance.sample(found, len(found)))

        return LedgerView(
            rules=RULES,
            accounts={"stripe-eu": AccountRules(gateways=("stripe",), tells_balance=self.tells_balance)},
            orders=shuffled(self.orders.values()),
            lines=shuffled(self.told.values()),
            order_of=dict(self.order_of),
            payouts=shuffled(self.payouts.values()),
            bank_lines=shuffled(self.bank),
            matches=shuffled(self.joined),
            payments=shuffled(self.disputes.values()),
            cases=shuffled(self.cases),
            costs={"MUG": (CostPrice("MUG", "EUR", 300, on(10)),)},
            payout_banks=frozenset({"main"}),
        )

    def live(self, day: int) -> None:
        """What happens on one day: told at once, later, or never told by a webhook at all."""
        for number in range(self.chance.randrange(4)):
            self._sell(f"{day}x{number}", day)
        for key in self.chance.sample(sorted(self.orders), min(2, len(self.orders))):
            self.chance.choice([self._refund, self._edit, self._dispute, self._lose])(key, day)
        self.chance.choice([self._pay_out, self._reserve, self._surprise, self._fail_payout, self._write_off])(day)
        self._tell(day)

    def _sell(self, order_id: str, day: int) -> None:
        at = NOON + timedelta(days=day, hours=self.chance.randrange(-11, 12))
        total = self.chance.randrange(100, 9999)
        rate = self.chance.choice([None, None, (1093, 1000), (157, 1)])
        buyer, currency = (total * rate[0] // rate[1], "USD") if rate else (total, "EUR")
        how = self.chance.choice(["stripe"] * 6 + ["cod", "split", "gift_card"])
        parts = [buyer] if how != "split" else [buyer // 3, buyer - buyer // 3]
        moved = tuple(
            movement(f"t{n}", part, "stripe" if how == "split" else how, at=at, currency=currency)
            for n, part in enumerate(parts)
        )
        order = statement(order_id, total, placed_at=at, movements=moved, buyer_total=buyer, buyer_currency=currency)
        self.orders[str(order.key)] = order
        for part in parts if how in ("stripe", "split") else ():
            self._move(part, self.chance.randrange(99), LineKind.CAPTURE, day, order, currency)

    def _move(
        self, amount: int, fee: int, kind: LineKind, day: int, order: OrderStatement | None, currency: str, **more: Any
    ) -> None:
        """One movement on the balance: settled in EUR at the provider's own rate where the buyer pays in USD."""
        told: dict[str, Any] = {"buyer_currency": currency, "buyer_amount": amount}
        if currency != "EUR" and order is not None:
            amount = amount * order.owed // order.buyer_total + self.chance.randrange(-3, 4) if order.buyer_total else 0
        at = NOON + timedelta(days=day, hours=self.chance.randrange(-11, 12))
        one = line(f"l{len(self.truth):04}", amount, fee, kind, occurred_at=at, **(told if order else {}), **more)
        self.truth.append(one)
        if order is not None:
            self.links[line_key(one)] = str(order.key)

    def _refund(self, key: str, day: int) -> None:
        order = self.orders[key]
        if any(one.id.startswith("refund/") for one in order.reductions) or order.sale is None or order.owed <= 0:
            return
        whole = self.chance.random() < 0.5
        buyer = order.buyer_total if whole else order.buyer_total // 2
        shop = order.sale.total if whole else order.sale.total // 2
        gateway = order.movements[0].gateway
        given_back = movement("r", buyer, gateway, kind=MovementKind.REFUND, currency=order.buyer_currency)
        back = document("refund/1", sold(shop), at=NOON + timedelta(days=day))
        self._state(key, reductions=(back,), movements=(*order.movements, given_back))
        if gateway == "stripe":
            self._move(-buyer, 0, LineKind.REFUND, day, order, order.buyer_currency)

    def _edit(self, key: str, day: int) -> None:
        order = self.orders[key]
        if order.reductions or order.sale is None:
            return
        lowered = order.sale.total // 10 + day % 2
        self._state(key, reductions=(document("edit/1", adjustment=lowered),))

    def _state(self, key: str, **changes: Any) -> None:
        order = self.orders[key]
        self.orders[key] = order.model_copy(update=changes | {"revision": order.revision + 1})

    def _dispute(self, key: str, day: int) -> None:
        order = self.orders[key]
        name = f"dp_{order.order_id}"
        if name in self.disputes or order.buyer_currency != "EUR" or order.movements[0].gateway != "stripe":
            return
        self.disputes[name] = dispute(name, PaymentState.OPEN, occurred_at=NOON + timedelta(days=day))
        self._move(-order.buyer_total, 1500, LineKind.DISPUTE, day, order, "EUR", source_id=name)

    def _lose(self, _key: str, _day: int) -> None:
        for name, one in sorted(self.disputes.items())[:1]:
            self.disputes[name] = one.model_copy(update={"state": PaymentState.LOST})

    def _pay_out(self, day: int) -> None:
        name, amount = f"po_{day}", self.chance.randrange(1, 5000)
        self.payouts[name] = payout(name, amount, issued_on=on(day))
        if self.chance.random() < 0.5:  # else a provider that has a list of payouts and no line of them
            self.paid_by_line.add(name)
            at = NOON + timedelta(days=day)
            one = line(f"l{len(self.truth):04}", -amount, 0, LineKind.PAYOUT, occurred_at=at, source_id=name)
            self.truth.append(one)
        if self.chance.random() < 0.8:
            self.bank.append(bank_line(f"b{day}", amount - self.chance.choice([0, 0, 5]), booked_on=on(day + 1)))
            self.joined.append(arrival(f"main/b{day}", f"stripe-eu/{name}"))

    def _fail_payout(self, day: int) -> None:
        """A provider with lines tells it by one more; the other by the payout's state alone, which takes the payout out
        of days whose balance was stated already: such a day would rightly not tie."""
        for name, one in sorted(self.payouts.items())[:1]:
            if one.state is PayoutState.FAILED or (self.tells_balance and name not in self.paid_by_line):
                return
            self.payouts[name] = one.model_copy(update={"state": PayoutState.FAILED})
            if name in self.paid_by_line:
                self._move(one.amount, 0, LineKind.PAYOUT_REVERSED, day, None, "EUR", source_id=name)

    def _reserve(self, day: int) -> None:
        kind = self.chance.choice([LineKind.RESERVE_HELD, LineKind.CONVERSION, LineKind.FEE, LineKind.TOPUP])
        self._move(self.chance.randrange(-900, 900), 0, kind, day, None, "EUR")

    def _surprise(self, day: int) -> None:
        kind = self.chance.choice([LineKind.UNKNOWN, LineKind.ADJUSTMENT, LineKind.CAPTURE])
        self._move(self.chance.randrange(-900, 900), 3, kind, day, None, "EUR")

    def _write_off(self, day: int) -> None:
        for name in self.chance.sample(sorted(self.told), min(1, len(self.told))):
            subject = f"line:stripe-eu/{name}"
            at = NOON + timedelta(days=day)
            one = written_off(DiscrepancyKind.UNKNOWN_TXN, subject, 0, 500, id=f"k{day}", closed_at=at)
            self.cases.append(one)

    def _tell(self, day: int) -> None:
        """Some of what is not told yet, in any order, some of it again, some of it linked only later."""
        late = [one for one in self.truth if self.chance.random() < (0.7 if day < DAYS else 1.1)]
        for one in self.chance.sample(late, len(late)):
            self.told[one.line_id] = one
        for name in sorted(self.told):
            key = f"stripe-eu/{name}"
            if key in self.links and (day >= DAYS or self.chance.random() < 0.8):
                self.order_of[key] = self.links[key]

    def held_at(self, day: date) -> int:
        """The provider's own balance at a day's end: the sum of its nets, reserves included, less what it paid out."""
        reserves = (LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED)
        nets = sum(
            one.net - (one.gross if one.kind in reserves else 0)
            for one in self.truth
            if one.occurred_at < end_of(day, RULES.zone)
        )
        listed = (one for name, one in self.payouts.items() if name not in self.paid_by_line)
        return nets - sum(one.amount for one in listed if one.state is PayoutState.PAID and one.issued_on <= day)


class Books:
    """The ledger of a trade, and what is remembered of its closed days."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.book = FakeFinanceBook(zone=RULES.time_zone)
        self.closed: dict[date, str] = {}

    def post(self) -> None:
        known = self.trade.view()
        bring_up_to_date(known, Killed(self.book, self.trade.chance), since=DAY - timedelta(days=2), until=on(99))
        self.require_sound(known)

    def post_whatever_happens(self) -> None:
        """Until nothing kills it."""
        while True:
            try:
                return self.post()
            except Retry:
                continue

    def require_sound(self, known: LedgerView) -> None:
        entries = list(self.book.entries(date.min, date.max))
        in_force = entries_in_force(entries)
        due = {entry.source: entry for entry in entries_due(known)}
        assert {source: entry.digest for source, entry in in_force.items()} == {
            source: digest_of(entry) for source, entry in due.items()
        }
        assert balances_of(entries) == balances_of(due.values())
        assert off_by(balances_of(entries)) == {}
        for day, digest in self.closed.items():
            assert digest_of_day(self.book.entries(day, day)) == digest
        assert all(entry.posted_on >= entry.on for entry in entries)

    def close(self, day: date) -> bool:
        ends = end_of(day, RULES.zone)
        self.book.keep([balance(self.trade.held_at(day), ends)])
        now = ends + timedelta(hours=1)
        self.book.note_reconciled(now)
        closing = Closing(self.book, self.trade.view(), {"stripe-eu": ends}, lambda: now)
        if missing_of(day, closing):
            with pytest.raises(Rejected, match="day_not_closable"):
                close_day(day, "ann", closing, _archive)
            return False
        kept = close_day(day, "ann", closing, _archive)
        self.closed[day] = kept.digest or ""
        if self.trade.tells_balance:
            held = held_by(balances_of(self.book.entries(date.min, day)), "stripe-eu", "EUR")
            assert held == self.trade.held_at(day)
        assert self.book.balances_before(day + timedelta(days=1)) == balances_of(self.book.entries(date.min, day))
        return True

    def reopen(self, day: date) -> None:
        for opened in reopen_day(day, "ben", "a late file", self.book, lambda: NOON + timedelta(days=99)):
            del self.closed[opened]


def _archive(close: DayClose, _entries: Any) -> Archived:
    return Archived((f"close/{close.day}",))


class Killed:
    """The ledger on a bad day: one call in twelve does not come back, and may have done its work."""

    def __init__(self, book: FakeFinanceBook, chance: random.Random) -> None:
        self._book, self._chance = book, chance

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            fate = self._chance.randrange(24)
            if fate == 0:
                raise Retry("out_of_reach", "killed")
            if fate == 1 and name == "post":
                self._book.post(sorted(arguments[0], key=_by_id)[: len(arguments[0]) // 2])
                raise Retry("out_of_reach", "killed")
            result = getattr(self._book, name)(*arguments, **named)
            if fate == 2:
                raise Retry("out_of_reach", "killed")
            return result

        return call


def _by_id(entry: JournalEntry) -> tuple[str, int]:
    return entry.source, entry.number


@pytest.mark.parametrize("seed", SEEDS)
def test_weeks_of_trade(seed: int) -> None:
    trade = Trade(seed)
    books = Books(trade)
    next_day, closes = DAY, 0
    for day in range(DAYS + 1):
        trade.live(day)
        books.post_whatever_happens()
        while next_day < on(day) and books.close(next_day):
            next_day, closes = next_day + timedelta(days=1), closes + 1
        if books.closed and trade.chance.random() < 0.15:
            next_day = trade.chance.choice(sorted(books.closed)[-3:])
            books.reopen(next_day)
            books.post_whatever_happens()
    assert not faults_in(books.book.trail)
    assert closes >= 8
    _require_settled_orders_to_be_closed(trade, books)


def _require_settled_orders_to_be_closed(trade: Trade, books: Books) -> None:
    """Orders that were paid and given back as their storefront says, and that no dispute or edit is about."""
    trade.cases = [case.model_copy(update={"state": CaseState.OPEN}) for case in trade.cases]
    books.post_whatever_happens()
    in_force = entries_in_force(books.book.entries(date.min, date.max)).values()
    settled = 0
    for key, order in trade.orders.items():
        edited = any(one.id == "edit/1" for one in order.reductions)
        if not edited:
            settled += 1
            assert receivable(in_force, key) == 0, order
    assert settled > 5


def test_the_same_trade_is_the_same_ledger() -> None:
    ledgers = []
    for _ in range(2):
        trade = Trade(7)
        books = Books(trade)
        for day in range(8):
            trade.live(day)
            books.post_whatever_happens()
        ledgers.append([entry.model_dump_json() for entry in books.book.entries(date.min, date.max)])
    assert ledgers[0] == ledgers[1]
    assert ledgers[0]


def test_the_checks_would_notice() -> None:
    """A ledger that was written into behind our back fails the very checks that the weeks pass."""
    trade = Trade(1)
    books = Books(trade)
    for day in range(5):
        trade.live(day)
        books.post_whatever_happens()
    source = min(books.book.posted)
    first = books.book.posted[source][0]
    books.book.posted[source][0] = first.model_copy(update={"digest": "0" * 64})
    with pytest.raises(AssertionError):
        books.require_sound(trade.view())
