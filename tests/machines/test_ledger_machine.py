"""Whatever is said of money, in whatever order, twice and late, while days are closed and opened, staff decide and
rules change: the ledger keeps its promises after every run that came to its end.

The model is what the promises say and no more: sums over what was posted, digests of closed days, the names of what
was told. Facts need not make sense together, and mostly do not.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

import tenacity
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from shared.finance import review
from shared.finance.audit import faults_in
from shared.finance.cases import CaseState, DayClose, Resolution
from shared.finance.closing import Archived, Closing, close_day, digest_of_day, reopen_day
from shared.finance.due.lines import PAYOUTS
from shared.finance.due.view import LedgerView
from shared.finance.gather import Scope, gather
from shared.finance.journal import JournalEntry, Role
from shared.finance.matching.reconcile import reconcile
from shared.finance.models import Fact, SettlementLine
from shared.finance.ports import FinanceBook
from shared.finance.posting import entries_in_force
from shared.finance.reconcile_books import BooksDesk, reconcile_books
from shared.finance.review import Decision, ReviewDesk
from shared.finance.rules import AccountRules, FinanceRules
from shared.finance.table import FinanceTable
from shared.finance.trial import balances_of
from shared.kernel.errors import Conflict, Rejected, Retry
from tests.builders.finance import ACCOUNT, NOON, STRIPE
from tests.fakes.finance import FakeFinanceBook
from tests.machines.money import DAYS, FACTS, ORDER_IDS
from tests.machines.places import memory_tables

BANK = "bank-eu"
FIRST, LAST = NOON.date() - timedelta(days=2), NOON.date() + timedelta(days=45)
"""Everything is posted between these."""
STAFF = ("ann", "ben")
_REFUSED = frozenset(
    {
        *("case_over", "case_open", "case_cleared", "already_proposed", "not_proposed", "self_approval"),
        *(
            "nothing_to_book",
            "not_linkable",
            "unknown_order",
            "unknown_payout",
            "invalid_link",
            "day_not_closed",
            "day_not_closable",
        ),
    }
)
"""What people who act at random are told."""
NewBook = Callable[[Callable[[], datetime]], FinanceBook]
some = st.integers(0, 7)


def _fake(_clock: Callable[[], datetime]) -> FinanceBook:
    return FakeFinanceBook("Europe/Amsterdam")


def _table(clock: Callable[[], datetime]) -> FinanceBook:
    return FinanceTable(memory_tables(clock), "finance", FinanceRules(time_zone="Europe/Amsterdam").zone)


class MortalBook:
    """The store, which does not come back from one of its next calls: before or after it did its work."""

    def __init__(self, book: FinanceBook, calls: int, *, late: bool) -> None:
        self._book, self._left, self._late = book, calls, late

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._late:
                raise Retry("out_of_reach", "killed")
            result = getattr(self._book, name)(*arguments, **named)
            if self._left == 0:
                raise Retry("out_of_reach", "killed")
            return result

        return call


class Ledger(RuleBasedStateMachine):
    """Over the fake."""

    new_book: Any = staticmethod(_fake)
    look_back_days = 50
    longest = timedelta(days=30)
    """Nothing that was told gets too old to be judged."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON + timedelta(days=DAYS + 1)
        self.book: FinanceBook = type(self).new_book(lambda: self.now)
        self.policy = FinanceRules(
            time_zone="Europe/Amsterdam", look_back_days=self.look_back_days, approval_limits={"EUR": 50}
        )
        self.told: list[Fact] = []
        self.closed: dict[date, str] = {}
        self.entries: dict[str, JournalEntry] = {}
        self.is_staffed = False

    @initialize(facts=st.lists(FACTS, min_size=1, max_size=4))
    def begin(self, facts: list[Fact]) -> None:
        self.hear(facts)

    # ---- what happens

    @rule(facts=st.lists(FACTS, min_size=1, max_size=4))
    def hear(self, facts: list[Fact]) -> None:
        self.told += facts
        self.book.keep(facts)

    @rule(which=some)
    def hear_again(self, which: int) -> None:
        """What was told before changes nothing that is not to be changed again."""
        self.book.keep([self.told[which % len(self.told)]])

    @rule(calls=st.integers(1, 40), late=st.booleans())
    def reconcile_and_die(self, calls: int, late: bool) -> None:
        with suppress(Retry):
            reconcile_books(self._desk(MortalBook(self.book, calls, late=late)))

    @rule()
    def reconcile(self) -> None:
        reconcile_books(self._desk(self.book))
        self._require_sound()

    @rule(hours=st.sampled_from([1, 13, 24, 24 * 8]))
    def wait(self, hours: int) -> None:
        self.now = min(self.now + timedelta(hours=hours), NOON + self.longest)

    @rule(limit=st.sampled_from([0, 1, 100]), blocking=st.sampled_from([0, 3, 60]))
    def change_rules(self, limit: int, blocking: int) -> None:
        changed = {"rounding_limit": limit, "unmatched_blocks_after_days": blocking}
        self.policy = self.policy.model_copy(update=changed)

    @rule(days=st.integers(1, 4))
    def close(self, days: int) -> None:
        for _ in range(days):
            newest = self.book.last_closed()
            day = newest + timedelta(days=1) if newest else NOON.date() - timedelta(days=1)
            try:
                kept = close_day(day, "ann", self._closing(), _archive)
            except Rejected as refusal:
                self._require_expected(refusal)
                return
            assert self.now.date() > day
            self.closed[day] = kept.digest or ""
            before = self.book.balances_before(day + timedelta(days=1))
            assert before == balances_of(entry for entry in self.book.entries(FIRST, day))

    @rule(which=some)
    def reopen(self, which: int) -> None:
        day = NOON.date() + timedelta(days=which - 2)
        try:
            opened = reopen_day(day, "ben", "a late file", self.book, lambda: self.now)
        except Rejected as refusal:
            self._require_expected(refusal)
            assert day not in self.closed
            return
        assert set(opened) == {one for one in self.closed if one >= day}
        for one in opened:
            del self.closed[one]

    @rule(
        which=some, how=st.sampled_from(Resolution), who=st.sampled_from(STAFF), link=st.sampled_from([*ORDER_IDS, ""])
    )
    def resolve(self, which: int, how: Resolution, who: str, link: str) -> None:
        named = f"aurora/{link}" if link else ""
        decision = Decision(how, "as I see it", link=named if how is Resolution.RELINK else None)
        self._act(which, lambda case, desk: review.resolve(case, decision, desk, actor=who))

    @rule(which=some, who=st.sampled_from(STAFF), doing=st.sampled_from(["approve", "refuse", "reopen"]))
    def decide(self, which: int, who: str, doing: str) -> None:
        acts: dict[str, Callable[[str, ReviewDesk], object]] = {
            "approve": lambda case, desk: review.approve(case, desk, actor=who),
            "refuse": lambda case, desk: review.refuse(case, "no", desk, actor=who),
            "reopen": lambda case, desk: review.reopen_case(case, "once more", desk, actor=who),
        }
        self._act(which, acts[doing])

    def _act(self, which: int, doing: Callable[[str, ReviewDesk], object]) -> None:
        cases = sorted(case.id for case in self.book.cases(*CaseState))
        if not cases:
            return
        self.is_staffed = True
        desk = ReviewDesk(book=self.book, rules=self.policy, clock=lambda: self.now, retrying=_retrying)
        try:
            doing(cases[which % len(cases)], desk)
        except Rejected as refusal:
            self._require_expected(refusal)

    # ---- what always holds

    def _require_sound(self) -> None:
        before = self._snapshot()
        again = reconcile_books(self._desk(self.book))
        assert self._snapshot() == before, "a second run changes something"
        assert again.posted[:3] == (0, 0, 0)
        entries = tuple(self.book.entries(FIRST, LAST))
        self._require_balanced(entries)
        self._require_kept(entries)
        self._require_closed_days(entries)
        assert faults_in(tuple(self.book.records())) == ()
        self._require_one_bucket_each()
        if not self.is_staffed:
            self._require_due()

    def _require_due(self) -> None:
        """What is in force is what somebody comes to who hears all of it at once, the other way round."""
        other = FakeFinanceBook("Europe/Amsterdam")
        other.keep(reversed(self.told))
        reconcile_books(self._desk(other))
        assert _in_force(other) == _in_force(self.book)

    def _require_balanced(self, entries: tuple[JournalEntry, ...]) -> None:
        for entry in entries:
            sums = Counter[str]()
            for posting in entry.postings:
                assert isinstance(posting.amount, int)
                assert posting.amount
                sums[posting.currency] += posting.amount
            assert not any(sums.values()), entry.id
        in_force = entries_in_force(entries).values()
        assert balances_of(entries) == balances_of(in_force), "what was reversed counts for nothing"
        self._require_explained(in_force)

    def _require_explained(self, in_force: Any) -> None:
        """What a provider holds by our books is what its feed told: each line's net, in its own currency. Payouts are
        booked as such, whoever tells of them."""
        told = Counter[str]()
        for one in self._lines():
            told[one.currency] += one.net if one.kind not in PAYOUTS else 0
        held = Counter[str]()
        payouts = {f"line/{ACCOUNT}/{one.line_id}" for one in self._lines() if one.kind in PAYOUTS}
        for entry in in_force:
            if entry.source.startswith("line/") and entry.source.removesuffix("/fee") not in payouts:
                for posting in entry.postings:
                    held[posting.currency] += posting.amount if posting.role is Role.CLEARING else 0
        assert _nonzero(held) == _nonzero(told)

    def _require_kept(self, entries: tuple[JournalEntry, ...]) -> None:
        """Nothing that was posted is changed or gone; numbers have no gaps."""
        now = {entry.id: entry for entry in entries}
        assert {name: now.get(name) for name in self.entries} == self.entries
        self.entries = now
        numbers: dict[str, list[int]] = {}
        for entry in entries:
            numbers.setdefault(entry.source, []).append(entry.number)
            assert entry.posted_on >= entry.on
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())

    def _require_closed_days(self, entries: tuple[JournalEntry, ...]) -> None:
        for day, digest in self.closed.items():
            assert digest_of_day(entry for entry in entries if entry.posted_on == day) == digest

    def _require_one_bucket_each(self) -> None:
        seen = gather(self._scope, self.book, self.now).inputs
        result = reconcile(seen)
        wanted = [
            *(f"order:{order.key}" for order in seen.orders),
            *(f"payment:{one.account}/{one.payment_id}" for one in seen.payments),
            *(f"line:{one.account}/{one.line_id}" for one in seen.lines),
            *(f"payout:{one.account}/{one.payout_id}" for one in seen.payouts),
            *(f"bank:{one.bank}/{one.line_id}" for one in seen.bank_lines),
        ]
        assert sorted(map(str, result.buckets)) == sorted(wanted)

    # ---- the same in short words

    @property
    def _scope(self) -> Scope:
        accounts = {ACCOUNT: STRIPE.model_copy(update={"tells_balance": False})}
        return Scope(rules=self.policy, accounts=accounts, banks=(BANK,), payout_banks=frozenset({BANK}))

    def _desk(self, book: Any) -> BooksDesk:
        return BooksDesk(book=book, scope=self._scope, clock=lambda: self.now, retrying=_retrying)

    def _closing(self) -> Closing:
        accounts: dict[str, AccountRules] = dict(self._scope.accounts)
        return Closing(self.book, LedgerView(self.policy, accounts), {}, lambda: self.now)

    def _lines(self) -> list[SettlementLine]:
        return list(self.book.lines(ACCOUNT, FIRST, FIRST + timedelta(days=DAYS + 3)))

    def _snapshot(self) -> str:
        """Everything that a reconciliation may write."""
        matches = [match.model_dump_json() for match in self.book.matches(FIRST, self.now.date())]
        cases = [case.model_dump_json() for case in self.book.cases(*CaseState)]
        entries = [entry.model_dump_json() for entry in self.book.entries(FIRST, LAST)]
        return repr((matches, cases, entries, [record.hash for record in self.book.records()]))

    @staticmethod
    def _require_expected(refusal: Rejected) -> None:
        if refusal.code not in _REFUSED:
            raise refusal


def _in_force(book: FinanceBook) -> dict[str, str]:
    return {source: entry.digest for source, entry in entries_in_force(book.entries(FIRST, LAST)).items()}


def _nonzero(sums: Counter[str]) -> dict[str, int]:
    return {currency: amount for currency, amount in sums.items() if amount}


def _archive(close: DayClose, _entries: Any) -> Archived:
    return Archived((f"days/{close.day}",))


def _retrying() -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Conflict), stop=tenacity.stop_after_attempt(4), reraise=True
    )


class LedgerInTable(Ledger):
    """Over the real table, which is asked for each day that is looked at: so few of them."""

    new_book = staticmethod(_table)
    look_back_days = 7
    longest = timedelta(days=6)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=20)
TestLedgerInTable = LedgerInTable.TestCase
TestLedgerInTable.settings = settings(max_examples=settings().max_examples // 16, stateful_step_count=16)
