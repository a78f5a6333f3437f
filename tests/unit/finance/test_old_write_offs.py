"""Write-offs of what is older than a reconciliation judges: booked all the same, and gone when the money comes."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from shared.finance.cases import CaseState, Resolution
from shared.finance.gather import Scope
from shared.finance.journal import Role
from shared.finance.models import OrderStatement
from shared.finance.reconcile_books import BooksDesk, reconcile_books
from shared.finance.review import Decision, ReviewDesk, reopen_case, resolve
from shared.finance.rules import FinanceRules
from shared.kernel.errors import Conflict
from tests.builders.finance import ACCOUNT, NOON, PAID_OUT, STRIPE, line_of, payout, statement
from tests.fakes.finance import FakeFinanceBook

RULES = FinanceRules(look_back_days=14, approval_limits={"EUR": 1_000_000})
WRITE_OFF = Decision(Resolution.WRITE_OFF, "never paid")


def _retrying() -> Retrying:
    return Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(3), reraise=True)


@dataclass
class Merchant:
    """One order a day that is paid at once, and whatever else there is."""

    book: FakeFinanceBook = field(default_factory=FakeFinanceBook)
    now: datetime = NOON - timedelta(days=30)

    def live_until(self, day: int) -> None:
        while self.now < NOON + timedelta(days=day):
            self.now += timedelta(days=1)
            sold = statement(f"{self.now:%Y%m%d}", 1_000 + self.now.day, at=self.now)
            self.book.keep([sold, line_of(sold)])
            self.reconcile()

    def reconcile(self) -> None:
        desk = BooksDesk(self.book, Scope(RULES, {ACCOUNT: STRIPE}, banks=("bank-eu",)), lambda: self.now, _retrying)
        reconcile_books(desk)
        assert reconcile_books(desk).posted._replace(same=0) == (0, 0, 0, 0)

    @property
    def review(self) -> ReviewDesk:
        return ReviewDesk(self.book, RULES, lambda: self.now, _retrying)

    def write_off(self) -> str:
        (case,) = self.book.cases(CaseState.OPEN)
        resolve(case.id, WRITE_OFF, self.review, actor="mia")
        return case.id

    def posted_for(self, order: OrderStatement) -> dict[Role, int]:
        sums: Counter[Role] = Counter()
        for entry in (entry for kept in self.book.posted.values() for entry in kept):
            for posting in entry.postings:
                if posting.dimensions.order == str(order.key):
                    sums[posting.role] += posting.amount
        return {role: amount for role, amount in sums.items() if amount}


@pytest.fixture
def merchant() -> Merchant:
    return Merchant()


def test_what_is_older_than_the_window_is_written_off_in_the_ledger_too(merchant: Merchant) -> None:
    unpaid = statement()
    merchant.book.keep([unpaid])
    merchant.live_until(30)
    merchant.write_off()
    merchant.live_until(31)
    assert merchant.posted_for(unpaid) == {Role.SALES: -5000, Role.WRITE_OFF: 5000}
    merchant.live_until(70)
    assert merchant.posted_for(unpaid) == {Role.SALES: -5000, Role.WRITE_OFF: 5000}


@pytest.mark.parametrize("day", [32, 35, 60])
def test_money_that_comes_after_all_takes_the_place_of_an_old_write_off(merchant: Merchant, day: int) -> None:
    unpaid = statement()
    merchant.book.keep([unpaid])
    merchant.live_until(30)
    merchant.write_off()
    merchant.live_until(day)
    merchant.book.keep([line_of(unpaid, at=merchant.now)])
    merchant.live_until(day + 1)
    assert merchant.posted_for(unpaid) == {Role.SALES: -5000, Role.CLEARING: 5000}


def test_an_old_write_off_that_is_reopened_is_taken_back(merchant: Merchant) -> None:
    unpaid = statement()
    merchant.book.keep([unpaid])
    merchant.live_until(30)
    name = merchant.write_off()
    merchant.live_until(60)
    reopen_case(name, "he says that he will pay", merchant.review, actor="mia")
    merchant.live_until(61)
    assert merchant.posted_for(unpaid) == {Role.SALES: -5000, Role.RECEIVABLE: 5000}


def test_a_payout_that_never_arrived_is_written_off_however_old(merchant: Merchant) -> None:
    merchant.book.keep([payout("po_1", 5000, on=PAID_OUT)])
    merchant.live_until(30)
    merchant.write_off()
    merchant.live_until(31)
    entries = [entry for kept in merchant.book.posted.values() for entry in kept]
    written = {
        posting.role: posting.amount for entry in entries for posting in entry.postings if "case/" in entry.source
    }
    assert written == {Role.WRITE_OFF: 5000, Role.IN_TRANSIT: -5000}
