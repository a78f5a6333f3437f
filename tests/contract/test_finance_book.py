"""What every finance book promises: the fake in memory, and DynamoDB's table on a real engine."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pynamodb.connection import Connection

from shared.finance.audit import faults_in
from shared.finance.cases import CaseState, DayClose, DayState, Proposal, Resolution
from shared.finance.models import Fact, Feed, Item, LineKind, Subject
from shared.finance.ports import CostPrice, FinanceBook, Kept
from shared.finance.table import FinanceTable
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import OrderKey
from tests.builders.finance_book import (
    DAY,
    balance,
    bank_line,
    case,
    entry,
    line,
    match,
    order,
    payment,
    payout,
    record,
)
from tests.builders.orders import NOON
from tests.fakes.finance import FakeFinanceBook

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NEXT_DAY = DAY + timedelta(days=1)
LAST_DAY = DAY + timedelta(days=2)
CLEARING, RECEIVABLE = ("clearing", "stripe-eu", "EUR"), ("receivable", "aurora", "EUR")


@pytest.fixture
def table(connection: Connection, table_names: dict[str, str]) -> FinanceTable:
    return FinanceTable(connection, table_names["finance"], AMSTERDAM)


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def book(request: pytest.FixtureRequest) -> FinanceBook:
    if request.param == "fake":
        return FakeFinanceBook(AMSTERDAM)
    made: FinanceTable = request.getfixturevalue("table")
    return made


# ---- facts ----


def test_keeps_each_kind_of_fact_and_finds_it_by_name_and_day(book: FinanceBook) -> None:
    facts = (order(), payment(), line(), payout(), bank_line(), balance())
    assert book.keep(facts) == Kept(new=6)
    assert list(book.orders(DAY, DAY)) == [order()]
    assert list(book.payments("stripe-eu", DAY, DAY)) == [payment()]
    assert list(book.lines("stripe-eu", DAY, DAY)) == [line()]
    assert list(book.payouts("stripe-eu", DAY, DAY)) == [payout()]
    assert list(book.bank_lines("main", DAY, DAY)) == [bank_line()]
    assert list(book.balances("stripe-eu", DAY, DAY)) == [balance()]
    assert book.find_orders([OrderKey("aurora", "5001"), OrderKey("aurora", "5002")]) == {order().key: order()}
    assert book.find_payment("stripe-eu", "ch_1") == payment()
    assert book.find_line("stripe-eu", "txn_1") == line()
    assert book.find_payout("stripe-eu", "po_1") == payout()
    assert book.restatements() == {}


def test_finds_nothing_where_there_is_nothing(book: FinanceBook) -> None:
    assert book.keep([]) == Kept()
    assert book.find_orders([]) == {}
    assert book.find_payment("stripe-eu", "ch_1") is None
    assert book.find_line("stripe-eu", "txn_1") is None
    assert book.find_payout("stripe-eu", "po_1") is None
    assert list(book.orders(DAY, LAST_DAY)) == []


def test_days_are_those_of_the_merchant_and_accounts_are_told_apart(book: FinanceBook) -> None:
    late = line(line_id="late", occurred_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    early = line(line_id="early", occurred_at=datetime(2026, 11, 23, 22, 59, tzinfo=UTC))
    tomorrow = line(line_id="tomorrow", occurred_at=datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    other = line(account="stripe-us")
    book.keep([tomorrow, other, early, late])
    assert list(book.lines("stripe-eu", DAY, DAY)) == [early, late]
    assert list(book.lines("stripe-eu", NEXT_DAY, NEXT_DAY)) == [tomorrow]
    assert list(book.lines("stripe-us", DAY, LAST_DAY)) == [other]


def test_lists_are_in_the_order_of_names_whatever_their_days_and_balances_in_that_of_time(book: FinanceBook) -> None:
    facts = [line(line_id=name, occurred_at=NOON + timedelta(days=days)) for name, days in (("b", 0), ("a", 1))]
    sums = [
        balance(currency=currency, as_of=NOON + timedelta(hours=hours)) for currency, hours in (("USD", 0), ("EUR", 1))
    ]
    book.keep([*facts, *sums])
    assert [one.line_id for one in book.lines("stripe-eu", DAY, NEXT_DAY)] == ["a", "b"]
    assert list(book.balances("stripe-eu", DAY, DAY)) == sums


def test_handed_in_twice_nothing_changes(book: FinanceBook) -> None:
    facts = (order(), payment(), line(), payout(), bank_line(), balance())
    book.keep(facts)
    assert book.keep(facts) == Kept(same=6)


def test_counts_what_became_of_each_statement_also_of_two_of_one_fact(book: FinanceBook) -> None:
    told_more = line(feed=Feed.EXPORT, payout_id="po_1")
    assert book.keep([line(), told_more, line()]) == Kept(new=1, changed=1, same=1)
    assert book.find_line("stripe-eu", "txn_1") == line(payout_id="po_1")
    assert book.keep([line(payout_id="po_1")]) == Kept(same=1)


def test_moves_a_fact_to_another_day_when_it_is_told_better(book: FinanceBook) -> None:
    book.keep([line(feed=Feed.EXPORT, occurred_at=NOON + timedelta(days=1))])
    assert book.keep([line()]) == Kept(changed=1)
    assert list(book.lines("stripe-eu", NEXT_DAY, NEXT_DAY)) == []
    assert list(book.lines("stripe-eu", DAY, DAY)) == [line()]


def test_names_each_contradiction_once_and_keeps_its_figures(book: FinanceBook) -> None:
    other = line(feed=Feed.EXPORT, gross=1251, net=1208)
    assert book.keep([line(), other]) == Kept(new=1, same=1, restated=("line:stripe-eu/txn_1",))
    assert book.keep([other, line()]) == Kept(same=2)
    assert book.restatements() == {"line:stripe-eu/txn_1": ("EUR 1250 - 43 = 1207", "EUR 1251 - 43 = 1208")}
    assert book.find_line("stripe-eu", "txn_1") == line()


def test_a_statement_that_a_better_feed_hides_counts_when_that_one_does_not_tell(book: FinanceBook) -> None:
    """What an export told is no longer seen beside a report's, and is there again with what only the export told."""
    book.keep([line(feed=Feed.EXPORT, payout_id="po_9", source_id="ch_9")])
    book.keep([line(feed=Feed.API)])
    book.keep([line(feed=Feed.REPORT, payout_id="po_1")])
    assert book.find_line("stripe-eu", "txn_1") == line(payout_id="po_1", source_id="ch_9")


def test_the_same_end_in_any_order_and_any_portions(book: FinanceBook) -> None:
    stated = [_statement(number) for number in range(120)]
    for seed in range(3):
        Random(seed).shuffle(stated)  # noqa: S311 - a reproducible order
        for start in range(0, len(stated), 17 + seed):
            book.keep(stated[start : start + 40])
    fresh = FakeFinanceBook(AMSTERDAM)
    fresh.keep([_statement(number) for number in range(120)])
    assert list(book.lines("stripe-eu", DAY, NEXT_DAY)) == list(fresh.lines("stripe-eu", DAY, NEXT_DAY))
    assert {name: set(told) for name, told in book.restatements().items()} == {
        name: set(told) for name, told in fresh.restatements().items()
    }


def test_a_day_of_many_lines_is_read_whole(book: FinanceBook) -> None:
    made = [
        line(line_id=f"txn_{number:04}", references=tuple(f"reference-{n}" for n in range(9))) for number in range(1500)
    ]
    assert book.keep(made) == Kept(new=1500)
    assert list(book.lines("stripe-eu", DAY, DAY)) == made
    assert book.keep(made[700:]) == Kept(same=800)


def test_several_that_keep_the_same_facts_at_once_lose_nothing(
    table: FinanceTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our reading and our writing somebody else tells the payouts of half of them."""
    made = [line(line_id=f"txn_{number:03}", payment_id=f"ch_{number}") for number in range(150)]
    others = [one.model_copy(update={"payment_id": None, "payout_id": "po_1"}) for one in made[::2]]
    reads, waiting = table._raw_facts, [others[:40], others[40:]]

    def read(names: Iterable[str]) -> Any:
        found = reads(names)
        if waiting:
            faster = waiting.pop()
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(table, "_raw_facts", reads)
                table.keep(faster)
        return found

    monkeypatch.setattr(table, "_raw_facts", read)
    kept = table.keep(made)
    assert (kept.new, kept.changed) == (75, 75)
    expected = {one.line_id: (one.payment_id, "po_1" if number % 2 == 0 else None) for number, one in enumerate(made)}
    assert {one.line_id: (one.payment_id, one.payout_id) for one in table.lines("stripe-eu", DAY, DAY)} == expected


# ---- matches and links ----


def test_keeps_matches_and_finds_them_by_what_they_join(book: FinanceBook) -> None:
    first = match()
    second = match("m2", items=(_item(Subject.LINE, "stripe-eu/txn_2"), _item(Subject.ORDER, "aurora/5001")))
    book.keep_matches([second, first], replaces=[], at=NOON)
    assert book.matches_of("order:aurora/5001") == (first, second)
    assert book.matches_of("line:stripe-eu/txn_2") == (second,)
    assert book.matches_of("line:stripe-eu/txn_3") == ()
    assert list(book.matches(DAY, DAY)) == [first, second]
    assert list(book.matches(NEXT_DAY, LAST_DAY)) == []


def test_a_match_stays_as_it_was_first_kept(book: FinanceBook) -> None:
    book.keep_matches([match()], replaces=[], at=NOON)
    other = match(evidence=("other words",))
    book.keep_matches([other], replaces=["m1"], at=NOON + timedelta(days=1))
    assert book.matches_of("order:aurora/5001") == (match(),)
    assert list(book.matches(DAY, LAST_DAY)) == [match()]
    assert list(book.matches(NEXT_DAY, LAST_DAY)) == []


def test_drops_what_holds_no_longer_also_twice(book: FinanceBook) -> None:
    book.keep([line(payment_id="ch_1")])
    book.keep_matches([match(), match("m2")], replaces=[], at=NOON)
    for _ in range(2):
        book.keep_matches([], replaces=["m1", "unknown"], at=NOON)
        assert book.matches_of("order:aurora/5001") == (match("m2"),)
        assert book.orders_of_charges(["stripe-eu/ch_1"]) == {"stripe-eu/ch_1": "aurora/5001"}
    book.keep_matches([], replaces=["m2"], at=NOON)
    assert book.orders_of_charges(["stripe-eu/ch_1"]) == {}
    assert list(book.matches(DAY, DAY)) == []


def test_knows_the_orders_of_charges_by_their_lines_and_payments(book: FinanceBook) -> None:
    book.keep([line(payment_id="ch_1"), line(line_id="txn_2", payment_id="ch_2"), line(line_id="txn_4")])
    paid = match("m2", items=(_item(Subject.ORDER, "aurora/5002"), _item(Subject.PAYMENT, "stripe-eu/ch_3")))
    paid_out = match("m3", items=(_item(Subject.LINE, "stripe-eu/txn_2"), _item(Subject.PAYOUT, "stripe-eu/po_1")))
    book.keep_matches([match(), paid, paid_out], replaces=[], at=NOON)
    asked = [f"stripe-eu/ch_{number}" for number in range(6)]
    assert book.orders_of_charges(asked) == {"stripe-eu/ch_1": "aurora/5001", "stripe-eu/ch_3": "aurora/5002"}
    book.keep([line(line_id="txn_5", kind=LineKind.REFUND, payment_id="ch_5")])
    refunded = match("m4", items=(_item(Subject.LINE, "stripe-eu/txn_5"), _item(Subject.ORDER, "aurora/5001")))
    book.keep_matches([refunded], replaces=[], at=NOON)
    assert book.orders_of_charges(["stripe-eu/ch_5"]) == {}, (
        "what a refund belongs to does not say what its charge does"
    )
    assert book.orders_of_charges([]) == {}


def test_a_match_that_does_not_fit_into_one_item_is_kept_and_dropped_whole(
    book: FinanceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a payout of more than some 15,000 lines would not: with a smaller limit here, for the time that it takes."""
    monkeypatch.setattr("shared.finance.table._MOST_PACKED_BYTES", 4_000)
    names = Random(7)  # noqa: S311 - ids that compress as badly as a provider's
    lines = sorted(f"stripe-eu/txn_{names.getrandbits(144):036x}" for _ in range(600))
    items = (*(_item(Subject.LINE, name) for name in lines), _item(Subject.PAYOUT, "stripe-eu/po_1"))
    whole = match("big", items=items)
    book.keep_matches([whole], replaces=[], at=NOON)
    assert book.matches_of("payout:stripe-eu/po_1") == (whole,)
    assert book.matches_of(f"line:{lines[-1]}") == (whole,)
    assert list(book.matches(DAY, DAY)) == [whole]
    book.keep_matches([], replaces=["big"], at=NOON)
    assert book.matches_of("payout:stripe-eu/po_1") == ()


# ---- cases ----


def test_keeps_a_case_and_finds_it_by_its_state_oldest_business_first(book: FinanceBook) -> None:
    older = case("z", about={"since": DAY - timedelta(days=2)})
    newer = case("a")
    for made in (newer, older):
        book.commit_case(made, replaces=None)
    assert book.find_case("z") == older
    assert book.find_case("unknown") is None
    assert list(book.cases(CaseState.OPEN)) == [older, newer]
    assert list(book.cases(CaseState.OPEN, since=DAY)) == [newer]
    assert list(book.cases(CaseState.RESOLVED, CaseState.CLEARED)) == []


def test_a_case_that_changes_its_state_leaves_the_queue(book: FinanceBook) -> None:
    book.commit_case(case(), replaces=None)
    resolved = case(state=CaseState.RESOLVED, revision=2, closed_at=NOON)
    book.commit_case(resolved, replaces=1)
    assert list(book.cases(CaseState.OPEN, CaseState.PROPOSED)) == []
    assert list(book.cases(CaseState.RESOLVED, CaseState.OPEN)) == [resolved]
    moved = case(about={"since": DAY - timedelta(days=9)}, revision=3)
    book.commit_case(moved, replaces=2)
    assert list(book.cases(*CaseState)) == [moved]


def test_what_is_written_off_is_found_for_as_long_as_it_is(book: FinanceBook) -> None:
    old = {"since": DAY - timedelta(days=400)}
    written, accepted = (
        Proposal(resolution=resolution, reason="x", by="mia", at=NOON)
        for resolution in (Resolution.WRITE_OFF, Resolution.ACCEPT)
    )
    decided = case(about=old, state=CaseState.RESOLVED, proposal=written)
    book.commit_case(case("d2", state=CaseState.PROPOSED, proposal=written), replaces=None)
    book.commit_case(case("d3", state=CaseState.RESOLVED, proposal=accepted), replaces=None)
    book.commit_case(case(about=old), replaces=None)
    assert list(book.written_off()) == []
    book.commit_case(again := decided.model_copy(update={"revision": 2}), replaces=1)
    assert list(book.written_off()) == [again]
    book.commit_case(noted := again.model_copy(update={"revision": 3, "owner": "noa"}), replaces=2)
    assert list(book.written_off()) == [noted]
    book.commit_case(noted.model_copy(update={"revision": 4, "state": CaseState.OPEN, "proposal": None}), replaces=3)
    assert list(book.written_off()) == []


@pytest.mark.parametrize("replaces", [None, 2])
def test_a_case_that_changed_meanwhile_is_not_written_and_neither_is_the_rest(
    book: FinanceBook, replaces: int | None
) -> None:
    book.commit_case(case(), replaces=None)
    with pytest.raises(Conflict):
        book.commit_case(case(revision=3), replaces=replaces, audit=record(), link=("stripe-eu/txn_1", "aurora/5001"))
    assert book.find_case("d1") == case()
    assert (book.last_record(), dict(book.links())) == (None, {})


def test_a_case_is_written_together_with_its_record_and_link(book: FinanceBook) -> None:
    book.commit_case(case(), replaces=None, audit=record(), link=("stripe-eu/txn_1", "aurora/5001"))
    assert book.links() == {"stripe-eu/txn_1": "aurora/5001"}
    assert list(book.records()) == [record()]
    book.commit_case(case(revision=2), replaces=1, audit=record(record()), link=("stripe-eu/txn_1", ""))
    assert book.links() == {"stripe-eu/txn_1": ""}


def test_a_case_is_not_written_when_its_record_does_not_follow(book: FinanceBook) -> None:
    book.append(record())
    with pytest.raises(Conflict):
        book.commit_case(case(), replaces=None, audit=record(), link=("stripe-eu/txn_1", "aurora/5001"))
    assert book.find_case("d1") is None
    assert list(book.cases(CaseState.OPEN)) == []
    assert book.links() == {}


# ---- the trail ----


def test_the_trail_grows_at_its_end_only(book: FinanceBook) -> None:
    assert book.last_record() is None
    made = [record()]
    for number in range(11):
        made.append(record(made[-1], subject=f"d{number}"))
    for one in made:
        book.append(one)
    assert book.last_record() == made[-1]
    assert list(book.records()) == made
    assert list(book.records(since=10)) == made[9:]
    assert faults_in(book.records(), (12, made[-1].hash)) == ()


def test_a_record_that_does_not_follow_the_last_one_is_refused(book: FinanceBook) -> None:
    first = record()
    book.append(first)
    forked = record(record(subject="other"))
    for wrong in (first, forked, record(record(first))):
        with pytest.raises(Conflict):
            book.append(wrong)
    assert list(book.records()) == [first]


# ---- the ledger ----


def test_posts_entries_and_finds_them_by_source_and_day(book: FinanceBook) -> None:
    first, second = entry(), entry(number=2, on=NEXT_DAY, minor=-1250)
    other = entry("order/aurora/5001/sale", on=NEXT_DAY)
    book.post([other, second, first])
    assert book.entries_of(["line/stripe-eu/txn_1", "unknown"]) == {"line/stripe-eu/txn_1": (first, second)}
    assert list(book.entries(DAY, NEXT_DAY)) == [first, second, other]
    assert list(book.entries(NEXT_DAY, LAST_DAY)) == [second, other]
    assert list(book.entries(LAST_DAY, LAST_DAY)) == []


def test_what_is_posted_already_is_left_alone(book: FinanceBook) -> None:
    made = [entry(f"line/stripe-eu/txn_{number:03}") for number in range(130)]
    for _ in range(2):
        book.post(made)
        assert list(book.entries(DAY, DAY)) == made
    book.post([*made[:3], entry(made[0].source, 2)])
    assert len(book.entries_of([made[0].source])[made[0].source]) == 2
    book.post([])


def test_an_entry_that_says_something_else_or_leaves_one_out_is_refused(book: FinanceBook) -> None:
    book.post([entry()])
    for wrong in (entry(minor=1), entry(number=3)):
        with pytest.raises(Conflict):
            book.post([wrong])
    assert list(book.entries(DAY, LAST_DAY)) == [entry()]


def test_very_many_entries_of_one_source_are_posted(book: FinanceBook) -> None:
    made = [entry(number=number, on=DAY + timedelta(days=number)) for number in range(1, 100)]
    book.post(made)
    assert book.entries_of([made[0].source]) == {made[0].source: tuple(made)}


def test_balances_are_the_sum_of_the_days_before(book: FinanceBook) -> None:
    book.post([entry(), entry("b", on=NEXT_DAY, minor=100), entry("c", on=LAST_DAY, minor=7)])
    assert book.balances_before(DAY) == {}
    assert book.balances_before(NEXT_DAY) == {CLEARING: 1250, RECEIVABLE: -1250}
    assert book.balances_before(LAST_DAY + timedelta(days=9)) == {CLEARING: 1357, RECEIVABLE: -1357}
    _close(book, DAY, entries=1, totals={CLEARING: 5000, ("sales", None, "USD"): -1, RECEIVABLE: 0})
    assert book.balances_before(DAY) == {}
    assert book.balances_before(NEXT_DAY) == {CLEARING: 5000, ("sales", None, "USD"): -1}
    assert book.balances_before(LAST_DAY) == {CLEARING: 5100, RECEIVABLE: -100, ("sales", None, "USD"): -1}


def test_an_untouched_day_is_open(book: FinanceBook) -> None:
    assert book.day(DAY) is None
    assert book.last_closed() is None


def test_the_last_closed_day_has_none_before_it_that_was_reopened(book: FinanceBook) -> None:
    for day in (DAY, NEXT_DAY, LAST_DAY):
        _close(book, day)
        assert book.last_closed() == day
    _close(book, NEXT_DAY, DayState.OPEN)
    assert book.last_closed() == DAY
    _close(book, DAY, DayState.OPEN)
    assert book.last_closed() is None
    _close(book, DAY)
    _close(book, NEXT_DAY)
    assert book.last_closed() == LAST_DAY


def test_a_closed_day_takes_no_entry_until_it_is_reopened(book: FinanceBook) -> None:
    book.post([entry()])
    _close(book, DAY, entries=1)
    with pytest.raises(Conflict):
        book.post([entry("order/aurora/5001/sale")])
    book.post([entry()])  # it is there
    assert list(book.entries(DAY, DAY)) == [entry()]
    _close(book, DAY, DayState.OPEN)
    book.post([entry("order/aurora/5001/sale")])
    assert len(list(book.entries(DAY, DAY))) == 2


@pytest.mark.parametrize("counted", [0, 2])
def test_a_day_is_not_closed_over_entries_that_were_not_counted(book: FinanceBook, counted: int) -> None:
    book.post([entry()])
    with pytest.raises(Conflict):
        _close(book, DAY, entries=counted)
    assert (book.day(DAY), book.last_record()) == (None, None)


def test_a_reopened_day_has_no_totals(book: FinanceBook) -> None:
    _close(book, DAY, totals={CLEARING: 5000})
    _close(book, DAY, DayState.OPEN)
    assert book.balances_before(NEXT_DAY) == {}
    assert [made.action for made in book.records()] == ["day.closed", "day.open"]


def test_a_day_that_changed_meanwhile_is_not_written_and_neither_is_the_rest(book: FinanceBook) -> None:
    close = _close(book, DAY, totals={CLEARING: 5000})
    last = book.last_record()
    for stale in (None, 5):
        with pytest.raises(Conflict):
            book.commit_day(close, replaces=stale, audit=record(last), totals={CLEARING: 1})
    with pytest.raises(Conflict):
        book.commit_day(close, replaces=1, audit=record(), totals={CLEARING: 1})
    assert book.day(DAY) == close
    assert book.last_record() == last
    assert book.balances_before(NEXT_DAY) == {CLEARING: 5000}


# ---- cost prices ----


def test_keeps_cost_prices_and_tells_them_oldest_first(book: FinanceBook) -> None:
    newer, older = CostPrice("MUG", "EUR", 450, DAY), CostPrice("MUG", "EUR", 400, DAY - timedelta(days=300))
    dollars = CostPrice("MUG", "USD", 480, DAY)
    cup = CostPrice("a cup/ä", "EUR", 1, DAY)
    assert book.keep_costs([newer, older, dollars, cup]) == 4
    assert book.keep_costs([cup, newer]) == 0
    assert book.costs(["MUG", "unknown", "a cup/ä", "MUG"]) == {"MUG": (older, newer, dollars), "a cup/ä": (cup,)}
    assert book.keep_costs([newer._replace(minor=460)]) == 1
    assert book.costs(["MUG"])["MUG"][1].minor == 460
    assert book.costs([]) == {}


# ---- the table alone: killed between two calls, and others at the same time ----


def _before_each_commit(table: FinanceTable, monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
    """Let one of these happen before each of the next transactions, undisturbed; after them all is as usual."""
    commit, waiting = table._commit, list(acts)

    def disturbed(writes: Any) -> None:
        if waiting:
            act = waiting.pop(0)
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(table, "_commit", commit)
                act()
        commit(writes)

    monkeypatch.setattr(table, "_commit", disturbed)


def _killed() -> None:
    raise Retry("database_unreachable", "the outcome is unknown")


@pytest.mark.parametrize("commits", range(4))
def test_matches_whose_keeping_or_dropping_was_killed_are_there_whole_or_not_at_all(
    table: FinanceTable, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    lines = tuple(_item(Subject.LINE, f"stripe-eu/txn_{number:03}") for number in range(250))
    whole = match("big", items=(*lines, _item(Subject.ORDER, "aurora/5001")))
    table.keep([line(line_id="txn_007", payment_id="ch_7")])
    kept: dict[str, Any] = {"replaces": [], "at": NOON}
    dropped: dict[str, Any] = {"replaces": ["big"], "at": NOON}
    for matches, rest, there in (((whole,), kept, True), ((), dropped, False), ((whole,), kept, True)):
        _before_each_commit(table, monkeypatch, *[lambda: None] * commits, _killed)
        if commits < 3:
            with pytest.raises(Retry):
                table.keep_matches(matches, **rest)
            seen = table.matches_of("order:aurora/5001")
            assert seen in ((), (whole,))
            assert bool(table.orders_of_charges(["stripe-eu/ch_7"])) == bool(seen)
        monkeypatch.undo()
        table.keep_matches(matches, **rest)
        assert table.matches_of("line:stripe-eu/txn_249") == ((whole,) if there else ())
        assert dict(table.orders_of_charges(["stripe-eu/ch_7"])) == ({"stripe-eu/ch_7": "aurora/5001"} if there else {})


def test_two_that_post_the_same_at_once_post_it_once(table: FinanceTable, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [entry(f"line/stripe-eu/txn_{number}") for number in range(5)]
    _before_each_commit(table, monkeypatch, lambda: table.post(made[2:4]))
    table.post(made)
    assert list(table.entries(DAY, DAY)) == made
    _close(table, DAY, entries=5)


def test_of_two_that_correct_the_same_at_once_one_has_to_decide_anew(
    table: FinanceTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.post([entry()])
    _before_each_commit(table, monkeypatch, lambda: table.post([entry(number=2, minor=7)]))
    with pytest.raises(Conflict):
        table.post([entry(number=2, minor=9), entry("b")])
    assert [one.id for one in table.entries(DAY, DAY)] == ["line/stripe-eu/txn_1#1", "line/stripe-eu/txn_1#2"]


def test_a_day_that_is_closed_while_something_is_posted_to_it_is_closed_without_it(
    table: FinanceTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.post([entry()])
    _before_each_commit(table, monkeypatch, lambda: _close(table, DAY, entries=1))
    with pytest.raises(Conflict):
        table.post([entry("b")])
    assert list(table.entries(DAY, DAY)) == [entry()]
    assert table.entries_of(["b"]) == {}


def test_a_day_is_not_closed_over_what_is_posted_at_that_moment(
    table: FinanceTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _before_each_commit(table, monkeypatch, lambda: table.post([entry()]))
    with pytest.raises(Conflict):
        _close(table, DAY)
    assert table.day(DAY) is None
    assert list(table.entries(DAY, DAY)) == [entry()]


def test_gives_up_when_others_are_always_faster(table: FinanceTable, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [line(references=(f"reference-{number}",)) for number in range(8)]
    _before_each_commit(table, monkeypatch, *[partial(table.keep, [one]) for one in others])
    with pytest.raises(Retry):
        table.keep([line(payment_id="ch_1")])
    monkeypatch.undo()
    table.keep([line(payment_id="ch_1")])
    found = table.find_line("stripe-eu", "txn_1")
    assert found is not None
    assert (found.payment_id, len(found.references)) == ("ch_1", 8)


def test_an_order_that_does_not_fit_into_an_item_is_refused(table: FinanceTable) -> None:
    chance = Random(5)  # noqa: S311 - references that do not compress
    huge = order(references=tuple(chance.randbytes(1_000).hex() for _ in range(420)))
    with pytest.raises(Rejected) as caught:
        table.keep([huge])
    assert caught.value.code == "finance_item_too_large"
    large = order(references=tuple(chance.randbytes(1_000).hex() for _ in range(300)))
    others = [large.model_copy(update={"order_id": str(number)}) for number in range(12)]
    assert table.keep(others) == Kept(new=12)
    assert list(table.orders(DAY, DAY)) == sorted(others, key=lambda one: one.order_id)


# ---- what the tests are made of ----


def _item(subject: Subject, name: str) -> Item:
    return Item(subject=subject, id=name)


def _statement(number: int) -> Fact:
    """Thirty lines, each stated by four feeds that do not tell the same; some of them contradict each other."""
    feed = list(Feed)[number % 4]
    gross = 1250 if number % 7 else 1251
    return line(
        line_id=f"txn_{number % 30}",
        feed=feed,
        gross=gross,
        net=gross - 43,
        payout_id="po_1" if number % 2 else None,
        payment_id=f"ch_{feed}" if number % 3 else None,
        references=(f"#{number % 5}",),
    )


def _close(
    book: FinanceBook,
    day: date,
    state: DayState = DayState.CLOSED,
    *,
    entries: int = 0,
    totals: dict[tuple[str, str | None, str], int] | None = None,
) -> DayClose:
    known = book.day(day)
    revision = known.revision if known else None
    made = DayClose(day=day, state=state, revision=(revision or 0) + 1, closed_by="mia", entries=entries)
    audit = record(book.last_record(), subject=str(day)).model_copy(update={"action": f"day.{state}"})
    book.commit_day(made, replaces=revision, audit=audit, totals=totals or {})
    return made
