"""What was there before these books began."""

from datetime import timedelta
from typing import Any

from shared.finance.due.view import LedgerView
from shared.finance.opening import open_books
from shared.finance.posting import bring_up_to_date
from shared.finance.trial import balances_of, ties_of
from tests.builders.ledger import DAY, NOON, RULES, balance, balances, days, line, on, payout, view
from tests.fakes.finance import FakeFinanceBook

BEGUN = RULES.model_copy(update={"books_from": DAY.isoformat()})


def known(**parts: Any) -> LedgerView:
    lines = (
        line("old", 999, occurred_at=NOON - days(1)),
        line("l1", 500, 20),
        line("l2", 70, occurred_at=NOON + days(1)),
    )
    return view(**({"rules": BEGUN, "lines": lines, "payouts": (payout("p", 100),)} | parts))


def test_the_opening_is_the_first_balance_less_what_moved_since() -> None:
    book = FakeFinanceBook()
    stated = (balance(5, NOON - days(2)), balance(1380, NOON + timedelta(hours=1)), balance(7, NOON + days(5)))
    assert open_books(known(), stated, book) == ("opening/stripe-eu/EUR",)
    (entry,) = book.posted["opening/stripe-eu/EUR"]
    assert (entry.on, balances([entry])) == (DAY, {"clearing/stripe-eu EUR": 1000, "opening/stripe-eu EUR": -1000})


def test_with_it_the_first_day_ties() -> None:
    book = FakeFinanceBook()
    stated = (balance(1380, NOON + timedelta(hours=1)), balance(1450, NOON + days(2)))
    open_books(known(), stated, book)
    bring_up_to_date(known(), book, since=DAY, until=on(9))
    (tie,) = ties_of(DAY, balances_of(book.entries(DAY, DAY)), stated, known())
    assert tie.difference == 0


def test_it_is_posted_once_whatever_is_stated_later() -> None:
    book = FakeFinanceBook()
    open_books(known(), (balance(1380),), book)
    assert open_books(known(lines=()), (balance(1),), book) == ()
    bring_up_to_date(known(), book, since=DAY, until=on(9))
    assert [entry.number for entry in book.posted["opening/stripe-eu/EUR"]] == [1]


def test_books_without_a_beginning_have_no_opening() -> None:
    assert open_books(known(rules=RULES), (balance(1380),), FakeFinanceBook()) == ()
    assert open_books(known(lines=(), payouts=()), (balance(0),), FakeFinanceBook()) == ()
    assert open_books(known(), (balance(5, account="gone"),), FakeFinanceBook()) == ()
