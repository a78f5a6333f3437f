"""What a run looks at beyond its days, so that nothing of before them is judged by half."""

from datetime import timedelta
from typing import Any

import tenacity

from shared.finance.cases import CaseState
from shared.finance.gather import Scope
from shared.finance.models import DiscrepancyKind, LineKind, MovementKind
from shared.finance.reconcile_books import BooksDesk, reconcile_books
from shared.finance.rules import FinanceRules
from shared.kernel.errors import Conflict
from tests.builders.finance import ACCOUNT, NOON, STRIPE, document, line, line_of, movement, payout, statement
from tests.fakes.finance import FakeFinanceBook

RULES = FinanceRules(look_back_days=14)
LONG_AFTER = (12, 20, 40, 62, 80, 100, 150)
"""Days: within the days that are judged, within their context, and far beyond both."""


def run(book: FakeFinanceBook, days: int) -> Any:
    """A reconciliation so many days after it all began."""
    scope = Scope(rules=RULES, accounts={ACCOUNT: STRIPE}, banks=("bank-eu",))
    retrying = tenacity.Retrying(retry=tenacity.retry_if_exception_type(Conflict), reraise=True)
    return reconcile_books(BooksDesk(book, scope, lambda: NOON + timedelta(days=days), lambda: retrying))


def open_kinds(book: FakeFinanceBook) -> list[DiscrepancyKind]:
    return [one.discrepancy.kind for one in book.cases(CaseState.OPEN)]


def entries(book: FakeFinanceBook) -> list[str]:
    return [one.id for source in sorted(book.posted) for one in book.posted[source]]


def test_a_second_payment_long_after_the_order_stays_a_second_payment() -> None:
    """Without the first one, which is older than all that is looked at, it would look like the only one."""
    book, order = FakeFinanceBook(), statement()
    again = line("txn_again", at=NOON + timedelta(days=18), payment_id="ch_again", references=(order.name,))
    book.keep([order, line_of(order), again])
    for days in LONG_AFTER[1:]:
        run(book, days)
        assert open_kinds(book) == [DiscrepancyKind.DUPLICATE_CAPTURE], days
    assert entries(book) == ["line/stripe-eu/txn_5001#1", "line/stripe-eu/txn_again#1", "order/aurora/5001/sale#1"]


def test_a_line_that_a_case_is_about_stays_with_its_order() -> None:
    """A movement that was restated is looked at again as long as its case is open; so is its order."""
    book, order = FakeFinanceBook(), statement()
    paid = line_of(order)
    book.keep([order, paid, paid.model_copy(update={"gross": 5003, "net": 5003, "feed": "export"})])
    for days in LONG_AFTER:
        run(book, days)
        assert open_kinds(book) == [DiscrepancyKind.RESTATED], days
    assert entries(book) == ["line/stripe-eu/txn_5001#1", "order/aurora/5001/sale#1"]


def test_what_a_shop_gives_back_long_after_is_booked_and_looked_for() -> None:
    book, order = FakeFinanceBook(), statement()
    book.keep([order, line_of(order)])
    run(book, 20)
    at = NOON + timedelta(days=55)
    given = movement(1000, kind=MovementKind.REFUND, movement_id="r1", at=at)
    changed = {
        "reductions": (document(1000, "refund/1", at),),
        "movements": (*order.movements, given),
        "revision": 2,
        "stated_at": at,
    }
    book.keep([order.model_copy(update=changed)])
    run(book, 63)
    assert open_kinds(book) == [DiscrepancyKind.REFUND_NOT_AT_PROCESSOR]
    assert "order/aurora/5001/refund/1#1" in entries(book)


def test_a_payout_that_never_arrived_keeps_its_case_however_old_it_is() -> None:
    book, order = FakeFinanceBook(), statement()
    book.keep([order, line_of(order, payout_id="po_1"), payout()])
    for days in LONG_AFTER:
        run(book, days)
        assert open_kinds(book) == [DiscrepancyKind.BANK_MISSING], days


def test_a_payment_that_never_came_keeps_its_case_until_it_comes() -> None:
    book, order = FakeFinanceBook(), statement()
    other = statement("5002", at=NOON + timedelta(days=1))
    book.keep([order, other, line_of(other)])
    for days in LONG_AFTER:
        book.keep([line(f"txn_other{days}", 77, kind=LineKind.FEE, at=NOON + timedelta(days=days))])
        run(book, days)
        assert open_kinds(book) == [DiscrepancyKind.MISSING_PAYMENT], days
    book.keep([line_of(order, at=NOON + timedelta(days=151))])
    run(book, 152)
    assert open_kinds(book) == []


def test_a_match_that_another_replaced_is_dropped_whether_or_not_the_provider_told_of_the_charge() -> None:
    book, order = FakeFinanceBook(), statement()
    book.keep([order, line_of(order)])
    run(book, 3)
    (first,) = book.kept_matches
    book.keep([line("txn_2", 100, at=NOON + timedelta(days=3), payment_id="ch_2", references=(order.name,))])
    done = run(book, 5)
    assert done.dropped == 1
    assert first not in book.kept_matches
    assert len(book.matches_of("order:aurora/5001")) == 1


def test_a_refund_that_is_told_before_its_charge_is_matched_alike_in_every_run() -> None:
    book, order = FakeFinanceBook(), statement()
    refund = line("txn_r", -100, kind=LineKind.REFUND, at=NOON + timedelta(hours=2), payment_id="ch_5001")
    book.keep([order, refund])
    run(book, 1)
    before = dict(book.kept_matches)
    assert before
    assert run(book, 1).dropped == 0
    assert book.kept_matches == before


class _Noting(FakeFinanceBook):
    """Notes how many matches it is given to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []

    def keep_matches(self, matches: Any, *, replaces: Any, at: Any) -> None:
        self.given.append(len(matches))
        super().keep_matches(matches, replaces=replaces, at=at)


def test_matches_that_are_kept_are_not_kept_again() -> None:
    """To look for each that is there costs a read for every order and run."""
    book, order = _Noting(), statement()
    book.keep([order, line_of(order)])
    for days in (1, 2):
        run(book, days)
    assert book.given == [1, 0]
    assert len(book.kept_matches) == 1
