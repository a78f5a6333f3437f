"""What a day's entries come to in the back office, whatever happens between two calls."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.backoffice import MemoryBackOffice
from shared.finance.journal import JournalEntry, Posting, Role, Topic
from shared.finance.rules import FinanceRules
from shared.kernel.clock import utc_now
from shared.kernel.errors import Rejected
from shared.sync.finance.post_journal import TOLD, PostedDay, journals_of, post_day

DAY = date(2026, 11, 23)
KEY = "storebridge/journal/2026-11-23/EUR"
RULES = FinanceRules.model_validate(
    {
        "backoffice": "books",
        "backoffice_accounts": {
            "clearing": "1200",
            "clearing/paypal": "1210",
            "in_transit": "1250",
            "bank": "1300",
            "fees": "6200",
            "suspense": "1900",
        },
    }
)
LEDGER = dict.fromkeys(("1200", "1210", "1250", "1300", "6200", "1900", "5000", "3000"), "an account")


class Killed(BaseException):
    """The worker dies."""


def _books(**capabilities: bool) -> MemoryBackOffice:
    books = MemoryBackOffice(utc_now, capabilities=capabilities)
    books.ledger = LEDGER
    return books


def _entry(
    topic: Topic, *postings: tuple[Role, str | None, int], currency: str = "EUR", source: str = "line/stripe-eu/1"
) -> JournalEntry:
    return JournalEntry(
        source=source,
        topic=topic,
        on=DAY,
        narration="of a test",
        postings=tuple(Posting(role=role, of=of, currency=currency, amount=amount) for role, of, amount in postings),
        number=1,
        posted_on=DAY,
        digest="0" * 64,
    )


def _fee(amount: int, account: str = "stripe-eu", currency: str = "EUR") -> JournalEntry:
    return _entry(Topic.FEE, (Role.FEES, account, amount), (Role.CLEARING, account, -amount), currency=currency)


def _payout(amount: int, account: str = "stripe-eu") -> JournalEntry:
    return _entry(Topic.PAYOUT, (Role.IN_TRANSIT, account, amount), (Role.CLEARING, account, -amount))


SALE = _entry(Topic.SALE, (Role.RECEIVABLE, "aurora", 1000), (Role.SALES, "aurora", -1000))
RECEIPT = _entry(Topic.RECEIPT, (Role.CLEARING, "stripe-eu", 1000), (Role.RECEIVABLE, "aurora", -1000))


def _sums(books: MemoryBackOffice) -> dict[tuple[str, str], str]:
    """By account and currency, over all that was posted."""
    sums: dict[tuple[str, str], int] = {}
    for journal in books.journals.values():
        for line in journal.lines:
            key = (line.account, journal.currency)
            sums[key] = sums.get(key, 0) + line.amount.minor
    return {key: str(amount) for key, amount in sorted(sums.items()) if amount}


# ---- what a day comes to ---------------------------------------------------------------------------------------------


def test_a_day_is_one_journal_of_what_the_back_office_does_not_know() -> None:
    (journal,) = journals_of(DAY, [SALE, RECEIPT, _fee(30), _fee(12), _payout(500)], RULES)
    assert (journal.key, journal.currency, journal.posted_on) == (KEY, "EUR", DAY)
    assert {line.account: str(line.amount) for line in journal.lines} == {
        "1200": "-5.42 EUR",
        "1250": "5.00 EUR",
        "6200": "0.42 EUR",
    }
    assert {line.account: line.label for line in journal.lines}["1200"] == "Clearing stripe-eu"


def test_an_account_of_its_own_goes_before_its_role() -> None:
    (journal,) = journals_of(DAY, [_fee(30), _fee(12, "paypal")], RULES)
    assert {line.account: line.amount.minor for line in journal.lines} == {"1200": -30, "1210": -12, "6200": 42}


def test_each_currency_has_its_journal_in_its_own_minor_units() -> None:
    journals = journals_of(DAY, [_fee(30), _fee(150, currency="JPY"), _fee(1250, currency="KWD")], RULES)
    assert [str(journal.lines[0].amount) for journal in journals] == ["-0.30 EUR", "-150 JPY", "-1.250 KWD"]


def test_sums_of_zero_are_left_out() -> None:
    assert journals_of(DAY, [_fee(30), _fee(-30)], RULES) == ()
    assert journals_of(DAY, [SALE, RECEIPT], RULES) == ()


def test_an_account_that_the_settings_do_not_map_is_named() -> None:
    lost = _entry(Topic.DISPUTE, (Role.DISPUTE_LOSSES, "stripe-eu", 900), (Role.DISPUTED, "stripe-eu", -900))
    books = _books()
    with pytest.raises(Rejected) as refusal:
        post_day(DAY, [lost], RULES, books)
    assert (refusal.value.code, refusal.value.field) == ("unmapped_account", "finance.backoffice_accounts")
    assert "dispute_losses/stripe-eu, disputed/stripe-eu" in refusal.value.message
    assert books.calls == []


def test_an_account_that_did_not_move_needs_no_code() -> None:
    again = [
        _entry(Topic.DISPUTE, (Role.DISPUTED, "stripe-eu", sign), (Role.CLEARING, "stripe-eu", -sign))
        for sign in (7, -7)
    ]
    assert journals_of(DAY, again, RULES) == ()


def test_what_goods_cost_is_told_where_an_account_is_named_for_it() -> None:
    cost = _entry(Topic.COST, (Role.COST_OF_SALES, "aurora", 400), (Role.INVENTORY, "aurora", -400))
    assert journals_of(DAY, [cost], RULES) == ()
    named = RULES.model_copy(update={"backoffice_accounts": {"cost_of_sales": "5000", "inventory": "3000"}})
    (journal,) = journals_of(DAY, [cost], named)
    assert {line.account: line.amount.minor for line in journal.lines} == {"3000": -400, "5000": 400}


# ---- posting it ------------------------------------------------------------------------------------------------------


def test_a_day_is_posted_once() -> None:
    books = _books()
    first = post_day(DAY, [_fee(30)], RULES, books)
    assert first == PostedDay(ids=(f"journal-{KEY}",))
    assert post_day(DAY, [_fee(30)], RULES, books) == first
    assert list(books.journals) == [KEY]


def test_after_a_reopening_the_difference_alone_is_posted() -> None:
    books = _books()
    post_day(DAY, [_fee(30)], RULES, books)
    posted = post_day(DAY, [_fee(30), _fee(-5), _payout(100)], RULES, books)
    assert posted.ids == (f"journal-{KEY}", f"journal-{KEY}/2")
    assert {line.account: line.amount.minor for line in books.journals[f"{KEY}/2"].lines} == {
        "1200": -95,
        "1250": 100,
        "6200": -5,
    }
    assert post_day(DAY, [_fee(30), _fee(-5), _payout(100)], RULES, books) == posted


def test_what_came_to_nothing_is_taken_back() -> None:
    books = _books()
    post_day(DAY, [_fee(30)], RULES, books)
    post_day(DAY, [_fee(30), _fee(-30)], RULES, books)
    assert _sums(books) == {}
    assert list(books.journals) == [KEY, f"{KEY}/2"]


def test_an_account_that_was_renamed_meanwhile_is_put_right() -> None:
    books = _books()
    post_day(DAY, [_fee(30)], RULES, books)
    renamed = RULES.model_copy(update={"backoffice_accounts": {"clearing": "1200", "fees": "5000"}})
    post_day(DAY, [_fee(30)], renamed, books)
    assert _sums(books) == {("1200", "EUR"): "-30", ("5000", "EUR"): "30"}


def test_a_currency_that_it_keeps_no_books_in_is_left_out_and_said() -> None:
    books = _books()
    posted = post_day(DAY, [_fee(30), _fee(40, currency="USD")], RULES, books)
    assert posted.ids == (f"journal-{KEY}",)
    (left_out,) = posted.left_out
    assert left_out.startswith("storebridge/journal/2026-11-23/USD: ")
    assert _sums(books) == {("1200", "EUR"): "-30", ("6200", "EUR"): "30"}


def test_a_back_office_without_journals_gets_none() -> None:
    books = _books(journals=False)
    posted = post_day(DAY, [_fee(30)], RULES, books)
    assert posted == PostedDay(left_out=(f"{KEY}: memory takes no journals",))
    assert books.calls == []
    assert post_day(DAY, [SALE], RULES, books) == PostedDay()


def test_a_closed_period_stops_the_day() -> None:
    books = _books()
    books.closed_until = DAY
    with pytest.raises(Rejected) as refusal:
        post_day(DAY, [_fee(30)], RULES, books)
    assert refusal.value.code == "backoffice_refused"
    assert "the journal of 2026-11-23 cannot be posted: the period of 2026-11-23 is closed" in refusal.value.message
    assert refusal.value.hint == "act in the back office, then close the day again"


_ACCOUNTS = st.sampled_from(["stripe-eu", "paypal", "aurora"])
_ROLES = st.sampled_from([Role.CLEARING, Role.IN_TRANSIT, Role.BANK, Role.FEES, Role.SUSPENSE])
_AMOUNTS = st.integers(-(10**9), 10**9).filter(bool)


@st.composite
def _entries(draw: st.DrawFn) -> JournalEntry:
    topic, amount, of = draw(st.sampled_from(sorted(TOLD - {Topic.COST}))), draw(_AMOUNTS), draw(_ACCOUNTS)
    first, second = draw(_ROLES), draw(_ROLES)
    return _entry(topic, (first, of, amount), (second, of, -amount), currency=draw(st.sampled_from(["EUR", "JPY"])))


@given(st.lists(_entries(), max_size=8))
def test_each_journal_balances_and_moves_what_the_entries_moved(entries: Sequence[JournalEntry]) -> None:
    for journal in journals_of(DAY, entries, RULES):
        assert sum(line.amount.minor for line in journal.lines) == 0
        for line in journal.lines:
            assert line.amount.minor == sum(
                posting.amount
                for entry in entries
                for posting in entry.postings
                if posting.currency == journal.currency
                and (
                    RULES.backoffice_accounts.get(f"{posting.role}/{posting.of}")
                    or RULES.backoffice_accounts[posting.role]
                )
                == line.account
            )


@given(st.lists(_entries(), max_size=5), st.lists(_entries(), max_size=5), st.data())
def test_killed_anywhere_with_entries_coming_in_the_books_come_to_the_same(
    entries: list[JournalEntry], later: list[JournalEntry], data: st.DataObject
) -> None:
    books = _books()
    _killed(books, entries, at=data.draw(st.integers(0, 6)), when=data.draw(st.sampled_from(["before", "after"])))
    _killed(
        books, entries + later, at=data.draw(st.integers(0, 6)), when=data.draw(st.sampled_from(["before", "after"]))
    )
    posted = post_day(DAY, entries + later, RULES, books)
    assert post_day(DAY, entries + later, RULES, books) == posted
    wanted = {
        (line.account, "EUR"): str(line.amount.minor)
        for journal in journals_of(DAY, entries + later, RULES)
        for line in journal.lines
        if journal.currency == "EUR"
    }
    assert _sums(books) == dict(sorted(wanted.items()))


def _killed(books: MemoryBackOffice, entries: list[JournalEntry], *, at: int, when: str) -> None:
    """A worker who dies at its `at`-th call, if it makes so many."""
    seen = -1

    def interrupt(_method: str, moment: str) -> None:
        nonlocal seen
        seen += moment == "before"
        if seen == at and moment == when:
            raise Killed

    books.interrupt = interrupt
    try:
        post_day(DAY, entries, RULES, books)
    except Killed:
        pass
    finally:
        books.interrupt = lambda _method, _when: None
