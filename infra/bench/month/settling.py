"""How the money leaves the providers: fees by themselves, reserves, payouts by each account's calendar, bank lines."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from infra.bench.month.merchant import ACCOUNTS, Account, Pace, exchanged, rate
from infra.bench.month.till import Entry, Fault, Till
from shared.finance.models import (
    BankLine,
    Feed,
    Item,
    LineKind,
    Payout,
    PayoutState,
    ProviderBalance,
    Subject,
)
from shared.finance.models import DiscrepancyKind as Kind

_FRIDAY: Final = 4
_TUESDAY: Final = 1
_SATURDAY: Final = 5
_BANK_SAYS: Final = {
    "stripe": "STRIPE PAYMENTS EUROPE",
    "paypal": "PAYPAL (EUROPE) S.A R.L.",
    "shopify": "SHOPIFY INTERNATIONAL",
    "tap": "TAP PAY SETTLEMENT",
    "alipay": "支付宝（中国）网络技术有限公司",
    "wechat": "财付通支付科技有限公司",
}
_JAPANESE: Final = "ｽﾄﾗｲﾌﾟｼﾞﾔﾊﾟﾝ"
_STRAY: Final = ("RENT NOVEMBER", "PAYROLL 11/26", "PARCEL CARRIER INVOICE", "INTEREST", "CARD FEE")
_UNKNOWN: Final = ("connect_reserved_funds_v2", "climate_order_purchase", "issuing_adjustment", "T9999", "tax_withheld")


@dataclass(frozen=True, slots=True)
class Wrongs:
    """How many of each there are to be, where there are payouts enough for them."""

    payouts: int
    """Of each: short, over, not at the bank."""
    reserves: int
    unknown: int
    stray: int
    """Bank lines that look like a payout and are none."""


@dataclass
class Settled:
    """What providers paid out, and what banks say."""

    payouts: list[Payout] = field(default_factory=list)
    bank_lines: list[BankLine] = field(default_factory=list)
    balances: list[ProviderBalance] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Issue:
    """One payout before anything is wrong with it."""

    account: Account
    currency: str
    on: date
    amount: int
    payout_id: str


class Clearing:
    """The providers' side of a month."""

    def __init__(self, till: Till, chance: random.Random, first: date, wrongs: Wrongs) -> None:
        self._till = till
        self._chance = chance
        self._first = first
        self._today = till.as_of.date()
        self._wrongs = wrongs
        self._holiday = _fourth_thursday(first)

    def settle(self) -> Settled:
        """Pay out all that may be paid out until the month's end. Adds the payouts' own lines to the till's."""
        self._charge_subscriptions()
        self._hold_reserves()
        self._move_what_nobody_knows()
        self._exchange_balances()
        by_balance: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self._till.entries:
            by_balance[entry.account.id, entry.currency].append(entry)
        issues = [
            issue
            for (account, currency), entries in sorted(by_balance.items())
            for issue in self._issues(ACCOUNTS[account], currency, entries)
        ]
        settled = Settled()
        self._send(issues, settled)
        self._add_strays(settled)
        settled.balances.extend(self._balances())
        return settled

    # ---- what happens on a balance by itself -----------------------------------------------------------------------

    def _charge_subscriptions(self) -> None:
        """Every week; and once a year so much that there is less than nothing to pay out on that day."""
        for name in ("stripe-b2b", "shopify-elara", "tap-kw"):
            taken = [entry.gross for entry in self._till.entries if entry.account.id == name]
            day = self._moment(self._chance.randint(8, 22))
            self._enter(ACCOUNTS[name], LineKind.FEE, day, -max(_SMALLEST, sum(taken) // 8))
        for account in ACCOUNTS.values():
            for week in range(4):
                self._enter(account, LineKind.FEE, self._moment(7 * week + 1), -1_900)

    def _hold_reserves(self) -> None:
        """Half are released after a week, and are nothing to speak of any more; the others are held."""
        holders = [ACCOUNTS[name] for name in ("stripe-eu", "shopify-aurora", "paypal", "shopify-dorado", "tap-kw")]
        for number in range(2 * self._wrongs.reserves):
            account, amount = self._chance.choice(holders), self._chance.randint(5_000, 90_000)
            at, hold_id = self._moment(self._chance.uniform(1, 20)), self._till.name("rsv")
            held = self._enter(account, LineKind.RESERVE_HELD, at, -amount, source=hold_id)
            if number % 2:
                self._enter(account, LineKind.RESERVE_RELEASED, at + timedelta(days=7), amount, source=hold_id)
            else:
                self._till.plant(Kind.RESERVE_HELD, held.item)

    def _move_what_nobody_knows(self) -> None:
        """A category that no table has, or a balance that the provider corrected by its own decision."""
        for number in range(self._wrongs.unknown):
            account = self._chance.choice(list(ACCOUNTS.values()))
            kind = LineKind.ADJUSTMENT if number % 5 == 0 else LineKind.UNKNOWN
            amount = self._chance.choice((-1, 1)) * self._chance.randint(50, 20_000)
            entry = self._enter(account, kind, self._moment(self._chance.uniform(0.5, 25)), amount)
            entry.category = "adjustment" if kind is LineKind.ADJUSTMENT else self._chance.choice(_UNKNOWN)
            self._till.plant(Kind.UNKNOWN_TXN, entry.item)

    def _exchange_balances(self) -> None:
        """Every week the merchant has PayPal turn some dollars into euros."""
        paypal = ACCOUNTS["paypal"]
        for week in range(4):
            dollars, both = self._chance.randint(1_000, 20_000), self._till.name("fx")
            at = self._moment(7 * week + 5)
            euros = exchanged(dollars, "USD", "EUR", rate("USD", "EUR"))
            self._enter(paypal, LineKind.CONVERSION, at, -dollars, source=both, currency="USD")
            self._enter(paypal, LineKind.CONVERSION, at, euros, source=both)

    def _enter(
        self,
        account: Account,
        kind: LineKind,
        at: datetime,
        amount: int,
        *,
        source: str | None = None,
        currency: str | None = None,
    ) -> Entry:
        currency = currency or account.currencies[0]
        entry = Entry(account, self._till.name("txn"), kind, at, currency, amount, source_id=source)
        self._till.entries.append(entry)
        return entry

    def _moment(self, days: float) -> datetime:
        return datetime.combine(self._first, time(3), UTC) + timedelta(days=days)

    # ---- payouts ---------------------------------------------------------------------------------------------------

    def _issues(self, account: Account, currency: str, entries: list[Entry]) -> Iterator[_Issue]:
        """One payout for each pay day with what has cleared by then; a day that comes out below zero is collected."""
        if account.vendor == "stripe":  # which says so of each movement
            for entry in entries:
                entry.available_on = self._cleared(account, entry.at.date())
        waiting = sorted(
            (entry for entry in entries if not entry.stuck and not entry.test),
            key=lambda entry: (entry.at, entry.line_id),
        )
        clears = [self._cleared(account, entry.at.date()) for entry in waiting]
        start = 0
        for day in self._pay_days(account):
            end = start
            while end < len(waiting) and clears[end] <= day:
                end += 1
            amount = sum(entry.net for entry in waiting[start:end])
            if amount:
                payout_id = self._till.name("po")
                if account.itemises:
                    for entry in waiting[start:end]:
                        entry.payout_id = payout_id
                yield _Issue(account, currency, day, amount, payout_id)
                start = end

    def _pay_days(self, account: Account) -> Iterator[date]:
        days = {Pace.WEEKLY: (_FRIDAY,), Pace.SWEPT: (_TUESDAY,)}.get(account.pace, tuple(range(_SATURDAY)))
        for number in range((self._today - self._first).days):
            day = self._first + timedelta(number)
            if day.weekday() in days and not (day == self._holiday and "USD" in account.currencies):
                yield day

    def _cleared(self, account: Account, day: date) -> date:
        return _business_days_after(day, account.clears_days)

    def _send(self, issues: list[_Issue], settled: Settled) -> None:
        """Decide which go wrong, and write down what provider and bank say of each."""
        itemised = [issue for issue in issues if issue.account.itemises and issue.amount > _SMALLEST]
        count = min(self._wrongs.payouts, len(itemised) // 5)
        chosen = self._chance.sample(itemised, 2 * count)
        off = {issue.payout_id: -1 for issue in chosen[:count]} | {issue.payout_id: 1 for issue in chosen[count:]}
        long_ago = [
            issue
            for issue in issues
            if issue.payout_id not in off and issue.on < self._today - timedelta(days=14) and issue.amount > 0
        ]
        missing = {issue.payout_id for issue in self._chance.sample(long_ago, min(self._wrongs.payouts, len(long_ago)))}
        for issue in issues:
            self._send_one(issue, off.get(issue.payout_id, 0), settled, reaches_bank=issue.payout_id not in missing)

    def _send_one(self, issue: _Issue, off: int, settled: Settled, *, reaches_bank: bool) -> None:
        amount = issue.amount
        if off:
            amount += off * self._chance.choice((1, 7, 300, self._chance.randint(1, issue.amount // 4)))
        arrives = _business_days_after(issue.on, 1)
        trace = self._trace(issue.account)
        payout = Payout(
            account=issue.account.id,
            payout_id=issue.payout_id,
            state=PayoutState.PAID if arrives <= self._today else PayoutState.IN_TRANSIT,
            vendor_state="paid" if arrives <= self._today else "in_transit",
            currency=issue.currency,
            amount=amount,
            issued_on=issue.on,
            arrives_on=arrives,
            itemised=issue.account.itemises,
            references=(trace,),
            stated_at=datetime.combine(issue.on, time(2), UTC),
            feed=Feed.API,
        )
        settled.payouts.append(payout)
        own = self._own_line(issue, amount)
        items = frozenset((Item(subject=Subject.PAYOUT, id=f"{issue.account.id}/{issue.payout_id}"), own.item))
        if off:
            self._till.truth.append(Fault(Kind.PAYOUT_OVER if off > 0 else Kind.PAYOUT_SHORT, items))
        if not reaches_bank:
            self._till.truth.append(Fault(Kind.BANK_MISSING, items))
            return
        booked = _business_days_after(arrives, self._chance.choices((0, 1, 2), (0.7, 0.2, 0.1))[0])
        if booked < self._today:
            settled.bank_lines.append(self._credit(issue.account, issue.currency, amount, booked, trace))

    def _trace(self, account: Account) -> str:
        """The provider's own number of a payout, as the bank may hand it on."""
        return f"{account.vendor.upper()[:3]}{self._chance.getrandbits(32):08X}"

    def _own_line(self, issue: _Issue, amount: int) -> Entry:
        """The payout as it leaves the balance. Stripe lists it among the payout's own lines, others do not."""
        at = datetime.combine(issue.on, time(1), UTC)
        entry = self._enter(
            issue.account, LineKind.PAYOUT, at, -amount, source=issue.payout_id, currency=issue.currency
        )
        if issue.account.vendor == "stripe" and issue.account.itemises:
            entry.payout_id = issue.payout_id
        return entry

    def _credit(self, account: Account, currency: str, amount: int, booked: date, trace: str | None) -> BankLine:
        """What the bank says of a payout; one in four times without the provider's own number."""
        told = trace is not None and self._chance.random() < 0.75  # noqa: PLR2004
        says = _JAPANESE if currency == "JPY" else _BANK_SAYS[account.vendor]
        return BankLine(
            bank=account.bank,
            line_id=self._till.name("bk"),
            booked_on=booked,
            valued_on=booked,
            currency=currency,
            amount=amount,
            text=f"{says} {trace}" if told else says,
            references=(trace,) if told and trace else (),
            feed=Feed.REPORT,
        )

    def _add_strays(self, settled: Settled) -> None:
        """Lines that are none of any provider's; payouts of the month before, which arrive in the first days of this
        one; and a few that look like a payout and are none."""
        for account in ACCOUNTS.values():
            booked, amount = _business_days_after(self._first, 0), self._chance.randint(10_000, 900_000)
            settled.bank_lines.append(
                self._credit(account, account.currencies[0], amount, booked, self._trace(account))
            )
        for _ in range(20):
            day = self._first + timedelta(self._chance.randrange(28))
            line = self._credit(ACCOUNTS["stripe-eu"], "EUR", -self._chance.randint(1_000, 900_000), day, None)
            settled.bank_lines.append(line.model_copy(update={"text": self._chance.choice(_STRAY)}))
        for _ in range(self._wrongs.stray):
            account = self._chance.choice(list(ACCOUNTS.values()))
            day = self._first + timedelta(self._chance.randint(10, 20))
            currency, amount = account.currencies[0], self._chance.randint(10_000, 900_000)
            line = self._credit(account, currency, amount, day, None)
            settled.bank_lines.append(line)
            self._till.plant(Kind.UNEXPECTED_BANK_LINE, Item(subject=Subject.BANK, id=f"{line.bank}/{line.line_id}"))

    def _balances(self) -> Iterator[ProviderBalance]:
        """At the end of each day that the feed tells of as a whole. What a reserve holds is the merchant's as well."""
        moved: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self._till.entries:
            if entry.kind not in (LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED) and not entry.test:
                moved[entry.account.id, entry.currency].append(entry)
        for (account, currency), entries in sorted(moved.items()):
            entries.sort(key=lambda entry: entry.at)
            yield from self._daily(ACCOUNTS[account], currency, entries)

    def _daily(self, account: Account, currency: str, entries: Iterable[Entry]) -> Iterator[ProviderBalance]:
        held, end, last = 0, datetime.combine(self._first, time(), UTC), self._till.as_of - account.lag
        for entry in entries:
            while entry.at >= end + timedelta(days=1) and end + timedelta(days=1) <= last:
                end += timedelta(days=1)
                yield ProviderBalance(account=account.id, currency=currency, as_of=end, amount=held)
            held += entry.net


_SMALLEST: Final = 3_000
"""Minor units of a payout that can come short of some."""


def _business_days_after(day: date, count: int) -> date:
    """The day itself, or the next business day, and so many business days later."""
    while True:
        if day.weekday() < _SATURDAY:
            if not count:
                return day
            count -= 1
        day += timedelta(1)


def _fourth_thursday(first: date) -> date:
    """Thanksgiving, where the month is a November: American banks rest, and the calendar's business days do not."""
    thursday = first + timedelta((3 - first.weekday()) % 7)
    return thursday + timedelta(21)
