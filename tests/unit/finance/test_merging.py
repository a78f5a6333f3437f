"""One fact of everything that was stated of it: the same in any order, however often, in whatever portions."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.merging import Merged, day_of, fact_of, identity, merge, restated_figures
from shared.finance.models import (
    Fact,
    Feed,
    LineKind,
    Payment,
    PaymentState,
    Payout,
    PayoutState,
    SettlementLine,
)
from tests.builders.finance_book import balance, bank_line, line, order, payment, payout
from tests.builders.orders import NOON


def merged(*statements: Fact) -> Merged:
    known: tuple[Fact, ...] = ()
    for stated in statements:
        last = merge(known, stated)
        known = last.statements
    return last


# ---- the laws ----

FEEDS = st.sampled_from(Feed)
REFERENCES = st.lists(st.sampled_from(["1001", "ch_1", "pi_1"]), max_size=3).map(tuple)
TIMES = st.sampled_from([NOON, NOON + timedelta(seconds=1), NOON + timedelta(days=1)])


def optional(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *values])


STATED: dict[str, st.SearchStrategy[Fact]] = {
    "line": st.builds(
        line,
        kind=st.sampled_from([LineKind.CAPTURE, LineKind.REFUND, LineKind.UNKNOWN]),
        category=st.sampled_from(["charge", "Charge"]),
        occurred_at=TIMES,
        gross=st.sampled_from([1250, 1250, 1300]),
        fee=st.sampled_from([43, 43, 50]),
        payment_id=optional("ch_1", "ch_2"),
        source_id=optional("re_1"),
        payout_id=optional("po_1", "po_2"),
        buyer_currency=optional("USD", "SAR"),
        buyer_amount=optional(1300, 1400),
        exchange_rate=optional("0.92", "0.9231"),
        available_on=optional(NOON.date(), NOON.date() + timedelta(days=1)),
        references=REFERENCES,
        test=st.booleans(),
        feed=FEEDS,
    ),
    "payment": st.builds(
        payment,
        state=st.sampled_from([PaymentState.PENDING, PaymentState.SUCCEEDED, PaymentState.FAILED]),
        amount=st.sampled_from([1250, 1000]),
        parent_id=optional("ch_1", "ch_2"),
        stated_at=TIMES,
        references=REFERENCES,
        test=st.booleans(),
        feed=FEEDS,
    ),
    "payout": st.builds(
        payout,
        state=st.sampled_from(PayoutState),
        amount=st.sampled_from([98_000, 98_001]),
        arrives_on=optional(NOON.date()),
        itemised=st.booleans(),
        stated_at=TIMES,
        references=REFERENCES,
        feed=FEEDS,
    ),
    "bank line": st.builds(
        bank_line,
        valued_on=optional(NOON.date()),
        amount=st.sampled_from([98_000, 98_001]),
        text=st.sampled_from(["STRIPE", "STRIPE PAYOUT"]),
        references=REFERENCES,
        feed=FEEDS,
    ),
    "balance": st.builds(balance, amount=st.sampled_from([5_000, 5_001])),
    "order": st.builds(order, revision=st.integers(1, 3), stated_at=TIMES, buyer_total=st.sampled_from([1250, 1])),
}
KINDS = pytest.mark.parametrize("kind", STATED)


@KINDS
@given(data=st.data())
def test_any_order_and_any_repetition_come_to_the_same(kind: str, data: st.DataObject) -> None:
    stated = data.draw(st.lists(STATED[kind], min_size=1, max_size=5))
    again = data.draw(st.permutations(stated + data.draw(st.lists(st.sampled_from(stated), max_size=4))))
    assert merged(*again)[:2] == merged(*stated)[:2]


@KINDS
@given(data=st.data())
def test_portions_that_were_merged_by_themselves_come_to_the_same(kind: str, data: st.DataObject) -> None:
    """What is kept of one part is enough to stand for it: nothing that mattered was lost on the way."""
    stated = data.draw(st.lists(STATED[kind], min_size=2, max_size=6))
    cut = data.draw(st.integers(1, len(stated) - 1))
    parts = [*merged(*stated[:cut]).statements, *merged(*stated[cut:]).statements]
    assert merged(*parts)[:2] == merged(*stated)[:2]


@KINDS
@given(data=st.data())
def test_what_is_known_already_changes_nothing(kind: str, data: st.DataObject) -> None:
    stated = data.draw(st.lists(STATED[kind], min_size=1, max_size=4))
    before = merged(*stated)
    after = merge(before.statements, data.draw(st.sampled_from(stated)))
    assert (after.statements, after.fact, after.changed) == (before.statements, before.fact, False)


@KINDS
@given(data=st.data())
def test_figures_that_contradict_each_other_are_all_named_whatever_the_order(kind: str, data: st.DataObject) -> None:
    stated = data.draw(st.lists(STATED[kind], min_size=1, max_size=5))
    again = data.draw(st.permutations(stated))
    assert set(figures(again)) == set(figures(stated))


def figures(stated: Sequence[Fact]) -> tuple[str, ...]:
    known: tuple[Fact, ...] = ()
    named: tuple[str, ...] = ()
    for one in stated:
        result = merge(known, one)
        if result.restated:
            named = restated_figures(named, fact_of(known), one)
        known = result.statements
    return named


@KINDS
@given(data=st.data())
def test_keeps_no_more_than_one_statement_of_each_feed(kind: str, data: st.DataObject) -> None:
    kept = merged(*data.draw(st.lists(STATED[kind], min_size=1, max_size=8))).statements
    feeds = [getattr(statement, "feed", None) for statement in kept]
    assert feeds == [feed for feed in Feed if feed in feeds] if feeds != [None] else len(kept) == 1


# ---- settlement lines ----


def test_a_line_that_is_stated_first_is_new_and_contradicts_nothing() -> None:
    first = merge((), line(references=("b", "a", "b")))
    assert first == Merged((line(references=("a", "b")),), line(references=("a", "b")), changed=True, restated=False)


def test_feeds_that_agree_fill_in_what_the_other_does_not_tell() -> None:
    api = line(payment_id="ch_1", references=("ch_1",))
    export = line(feed=Feed.EXPORT, payout_id="po_1", buyer_currency="USD", buyer_amount=1300, references=("#1001",))
    assert merged(api, export).fact == line(
        payment_id="ch_1",
        payout_id="po_1",
        buyer_currency="USD",
        buyer_amount=1300,
        references=("#1001", "ch_1"),
    )


def test_where_both_tell_a_detail_the_better_feed_is_believed_also_when_a_third_came_in_between() -> None:
    export = line(feed=Feed.EXPORT, exchange_rate="0.9", available_on=date(2026, 11, 27))
    report = line(feed=Feed.REPORT, exchange_rate="0.92")
    fact = merged(export, line(), report).fact
    assert isinstance(fact, SettlementLine)
    assert (fact.exchange_rate, fact.available_on) == ("0.92", date(2026, 11, 27))


def test_of_other_money_the_better_feed_is_believed_whole_and_it_is_said() -> None:
    export = line(feed=Feed.EXPORT, gross=1251, net=1208, payout_id="po_9")
    after = merge((export,), line())
    assert after.fact == line()
    assert after.restated
    before = merge((line(),), export)
    assert (before.fact, before.changed, before.restated) == (line(), False, True)
    assert restated_figures((), line(), export) == ("EUR 1250 - 43 = 1207", "EUR 1251 - 43 = 1208")


def test_a_kind_that_is_known_by_now_replaces_one_that_was_not() -> None:
    unknown = line(kind=LineKind.UNKNOWN, category="new_word")
    for feed in Feed:
        result = merge((unknown,), line(feed=feed, category="new_word"))
        assert isinstance(result.fact, SettlementLine)
        assert result.fact.kind is LineKind.CAPTURE
        assert not result.restated


# ---- the others ----


def test_the_newer_word_on_a_payment_counts_whatever_feed_it_comes_from() -> None:
    pending = payment(state=PaymentState.PENDING, feed=Feed.API, references=("pi_1",))
    later = payment(stated_at=NOON + timedelta(seconds=1), feed=Feed.EXPORT, references=("#1001",))
    fact = merged(later, pending).fact
    assert fact == later.model_copy(update={"references": ("#1001", "pi_1")})


def test_of_two_words_on_a_payment_at_one_moment_the_final_one_counts() -> None:
    fact = merged(payment(state=PaymentState.PENDING, feed=Feed.API), payment(state=PaymentState.FAILED)).fact
    assert isinstance(fact, Payment)
    assert fact.state is PaymentState.FAILED


def test_a_payment_that_grows_is_not_restated_and_a_test_stays_one() -> None:
    authorised = payment(state=PaymentState.AUTHORISED, amount=2000, test=True)
    result = merge((authorised,), payment(stated_at=NOON + timedelta(hours=1)))
    assert isinstance(result.fact, Payment)
    assert (result.fact.amount, result.fact.test, result.restated) == (1250, True, False)


def test_a_payout_goes_forward_only() -> None:
    failed = payout(state=PayoutState.FAILED)
    late_news = payout(state=PayoutState.PAID, stated_at=NOON + timedelta(days=1), arrives_on=NOON.date())
    fact = merged(failed, late_news).fact
    assert isinstance(fact, Payout)
    assert fact.state is PayoutState.FAILED


def test_a_payout_of_another_amount_is_restated() -> None:
    assert merge((payout(),), payout(amount=97_000)).restated
    assert not merge((payout(),), payout(state=PayoutState.IN_TRANSIT)).restated


def test_the_newest_account_of_an_order_replaces_the_whole() -> None:
    newer = order(revision=2, buyer_total=900)
    assert merged(newer, order(stated_at=NOON + timedelta(days=1))).fact == newer


# ---- names and days ----


@pytest.mark.parametrize(
    ("fact", "name"),
    [
        (line(), "line:stripe-eu/txn_1"),
        (payment(), "payment:stripe-eu/ch_1"),
        (payout(), "payout:stripe-eu/po_1"),
        (bank_line(), "bank:main/NTRF1"),
        (order(), "order:aurora/5001"),
        (balance(), "balance:stripe-eu/EUR/2026-11-23T12:00:00.000000000Z"),
    ],
)
def test_names_each_fact_by_whoever_it_is_stated(fact: Fact, name: str) -> None:
    assert identity(fact) == name


def test_days_are_those_of_the_merchant() -> None:
    evening = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    amsterdam, new_york = ZoneInfo("Europe/Amsterdam"), ZoneInfo("America/New_York")
    facts = (line(occurred_at=evening), payment(occurred_at=evening), order(placed_at=evening), balance(as_of=evening))
    assert {day_of(fact, amsterdam) for fact in facts} == {date(2026, 11, 24)}
    assert {day_of(fact, new_york) for fact in facts} == {date(2026, 11, 23)}
    assert day_of(payout(), amsterdam) == day_of(bank_line(), new_york) == date(2026, 11, 23)
