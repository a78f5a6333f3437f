"""What keeps a day open: each thing by itself, with its figures."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.cases import Case, CaseState
from shared.finance.close import CloseFacts, Missing, MissingKind, blocks, missing_for_close
from shared.finance.due.entries import entries_due
from shared.finance.journal import JournalEntry
from shared.finance.models import Action, DiscrepancyKind, LineKind, PayoutState, SettlementLine
from shared.finance.posting import digest_of
from shared.finance.rules import AccountRules, FinanceRules
from shared.finance.trial import Tie, balances_of, end_of, off_by, ties_of
from tests.builders.ledger import DAY, NOON, RULES, balance, case, days, line, on, payout, view

ENDS = end_of(DAY, ZoneInfo("Europe/Amsterdam"))
HELD: dict[tuple[str, str | None, str], int] = {
    ("clearing", "stripe-eu", "EUR"): 1000,
    ("suspense", "stripe-eu", "EUR"): -1000,
}


def tie(provider: int = 1000, books: int = 1000) -> Tie:
    return Tie(account="stripe-eu", currency="EUR", as_of=ENDS, books=books, provider=provider)


def facts(**overrides: Any) -> CloseFacts:
    """Of a day that may close."""
    fields: dict[str, Any] = {
        "now": ENDS + timedelta(hours=3),
        "rules": RULES,
        "accounts": {"stripe-eu": AccountRules()},
        "last_closed": on(-1),
        "balances": HELD,
        "read_until": {"stripe-eu": ENDS},
        "reconciled_at": ENDS,
        "ties": (tie(),),
    }
    return CloseFacts(**(fields | overrides))


def kinds(known: CloseFacts) -> list[MissingKind]:
    return [one.kind for one in missing_for_close(DAY, known)]


def test_a_day_that_ties_out_may_close() -> None:
    assert kinds(facts()) == []


def test_a_day_ends_where_the_merchant_is() -> None:
    assert datetime(2026, 11, 2, 23, 0, tzinfo=NOON.tzinfo) == ENDS
    assert kinds(facts(now=ENDS - timedelta(seconds=1))) == [MissingKind.DAY_NOT_OVER]


@pytest.mark.parametrize(
    ("last_closed", "begun", "is_missing"),
    [
        (on(-1), None, False),
        (on(-2), None, True),
        (DAY, None, False),
        (None, DAY, False),
        (None, on(-1), True),
        (None, None, False),
    ],
)
def test_days_close_one_after_the_other(last_closed: Any, begun: Any, is_missing: bool) -> None:
    found = missing_for_close(DAY, facts(last_closed=last_closed, begun=begun))
    assert [one.subject for one in found] == [on(-1).isoformat()] * is_missing


def test_feeds_are_read_to_the_end_of_the_day() -> None:
    assert kinds(facts(read_until={"stripe-eu": ENDS - timedelta(seconds=1)})) == [MissingKind.FEED_NOT_READ]
    assert kinds(facts(read_until={"stripe-eu": None})) == [MissingKind.FEED_NOT_READ]
    assert kinds(facts(read_until={"gone": None})) == []


def open_case(**overrides: Any) -> Case:
    return case(DiscrepancyKind.MISSING_ORDER, "line:stripe-eu/l1", 0, 5, **overrides)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"blocks_close": True}, True),
        ({"blocks_close": True, "since": on(1)}, False),
        ({"blocks_close": True, "state": CaseState.PROPOSED}, True),
        ({"blocks_close": True, "state": CaseState.RESOLVED}, False),
        ({"since": on(-10)}, False),
        ({"since": on(-11)}, True),
        ({"since": on(-11), "action": Action.REPORT}, False),
    ],
)
def test_cases_block_by_kind_or_by_age(overrides: dict[str, Any], expected: bool) -> None:
    one = open_case(**overrides)
    assert blocks(one, DAY, RULES) is expected
    assert kinds(facts(cases=(one,))) == [MissingKind.CASE_BLOCKS] * expected


def test_a_dispute_lasts_for_months_and_blocks_nothing() -> None:
    assert not blocks(case(DiscrepancyKind.DISPUTE_OPEN, "line:stripe-eu/l1", 0, 5, since=on(-100)), DAY, RULES)


def test_a_balance_that_differs_is_told_with_both_figures() -> None:
    (missing,) = missing_for_close(DAY, facts(ties=(tie(provider=940),)))
    assert (missing.expected, missing.found, missing.difference) == (1000, 940, -60)
    assert missing.describe() == "balance_differs stripe-eu: EUR 1000 in the books, 940 at the provider (-60)"


def test_a_balance_from_after_the_feed_says_so() -> None:
    late = tie(provider=940).model_copy(update={"as_of": ENDS + timedelta(hours=1)})
    assert "the feed was read until" in missing_for_close(DAY, facts(ties=(late,)))[0].what


def test_a_balance_must_be_known_where_the_provider_tells_one() -> None:
    assert kinds(facts(ties=())) == [MissingKind.NO_BALANCE]
    assert kinds(facts(ties=(), balances={})) == []
    moved = tuple(posted(line("l1", 5), line("l2", -5, kind=LineKind.ADJUSTMENT)))
    assert kinds(facts(ties=(), balances={}, entries=moved)) == [MissingKind.NO_BALANCE]
    silent = {"stripe-eu": AccountRules(tells_balance=False)}
    assert kinds(facts(ties=(tie(provider=1),), accounts=silent)) == []


def test_a_provider_that_holds_what_no_book_knows() -> None:
    assert kinds(facts(balances={}, ties=(tie(books=0),))) == [MissingKind.BALANCE_DIFFERS]


def test_what_does_not_balance_is_found_although_the_model_refuses_it() -> None:
    (entry,) = posted(line("l1", 5))
    broken = entry.model_copy(update={"postings": entry.postings[:1]})
    assert kinds(facts(entries=(broken,))) == [MissingKind.UNBALANCED]
    assert kinds(facts(balances=HELD | {("fees", "stripe-eu", "EUR"): 1})) == [MissingKind.UNBALANCED]


def test_a_day_is_reconciled_after_its_feeds_were_read() -> None:
    assert kinds(facts(reconciled_at=None)) == [MissingKind.NOT_RECONCILED]
    assert kinds(facts(reconciled_at=ENDS - timedelta(minutes=1))) == [MissingKind.NOT_RECONCILED]
    read_later = {"stripe-eu": ENDS + timedelta(hours=2)}
    assert kinds(facts(read_until=read_later)) == [MissingKind.NOT_RECONCILED]
    assert kinds(facts(read_until=read_later, reconciled_at=ENDS + timedelta(hours=2))) == []


def test_no_day_closes_from_before_the_books() -> None:
    begins = FinanceRules(**{**RULES.model_dump(), "books_from": on(1).isoformat()})
    assert MissingKind.BEFORE_BOOKS in kinds(facts(rules=begins))


def test_everything_is_named_at_once() -> None:
    known = facts(now=NOON, last_closed=None, begun=on(-9), read_until={"stripe-eu": None}, reconciled_at=None, ties=())
    assert kinds(replace(known, cases=(open_case(blocks_close=True),))) == [
        MissingKind.DAY_NOT_OVER,
        MissingKind.DAY_BEFORE_OPEN,
        MissingKind.FEED_NOT_READ,
        MissingKind.NOT_RECONCILED,
        MissingKind.CASE_BLOCKS,
        MissingKind.NO_BALANCE,
    ]
    assert Missing(kind=MissingKind.CASE_BLOCKS, subject="k", what="w").describe() == "case_blocks k w"


# ---- ties ----------------------------------------------------------------------------------------------------------


def posted(*lines: SettlementLine) -> list[JournalEntry]:
    return [
        JournalEntry(**dict(entry), number=1, posted_on=entry.on, digest=digest_of(entry))
        for entry in entries_due(view(lines=lines))
    ]


def test_what_moved_after_the_day_is_counted_until_the_provider_spoke() -> None:
    tonight, later = ENDS + timedelta(hours=1), ENDS + timedelta(hours=9)
    lines = (
        line("l1", 1000, 40),
        line("l2", 500, 20, occurred_at=tonight),
        line("l3", -100, 0, LineKind.RESERVE_HELD, occurred_at=tonight),
        line("l4", 9999, occurred_at=later),
        line("l5", 7777, occurred_at=tonight, test=True),
        line("l6", 5, currency="USD", occurred_at=tonight),
    )
    balances = balances_of(posted(lines[0]))
    stated = (balance(3, NOON), balance(1441, ENDS + timedelta(hours=2)), balance(0, later))
    (found,) = ties_of(DAY, balances, stated, view(lines=lines))
    assert (found.books, found.provider, found.difference) == (960 + 480, 1441, 1)


def test_a_payout_without_a_line_moved_too() -> None:
    stated = (balance(-700, ENDS + days(1)),)
    payouts = (
        payout("p1", 500, issued_on=DAY),
        payout("p2", 700, issued_on=on(1)),
        payout("p3", 9, issued_on=on(3)),
        payout("p4", 9, PayoutState.PENDING, issued_on=on(1)),
    )
    (found,) = ties_of(DAY, {}, stated, view(payouts=payouts))
    assert found.difference == 0


def test_a_balance_from_before_the_days_end_ties_nothing() -> None:
    assert list(ties_of(DAY, HELD, (balance(1000, NOON),), view())) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(LineKind)), st.integers(-(10**6), 10**6), st.integers(0, 999), st.integers(-50, 50)
        ),
        max_size=30,
    )
)
def test_clearing_and_reserve_are_what_the_provider_holds(rows: list[tuple[LineKind, int, int, int]]) -> None:
    """A provider's own balance is the sum of its nets: reserves move within it."""
    lines = tuple(
        line(f"l{number}", gross, fee, kind, occurred_at=NOON + timedelta(hours=hours))
        for number, (kind, gross, fee, hours) in enumerate(rows)
    )
    reserves = (LineKind.RESERVE_HELD, LineKind.RESERVE_RELEASED)
    holds = sum(one.net - (one.gross if one.kind in reserves else 0) for one in lines)
    before = tuple(one for one in lines if one.occurred_at < ENDS)
    balances = balances_of(posted(*before))
    (found,) = ties_of(DAY, balances, (balance(holds, ENDS + days(9)),), view(lines=lines))
    assert found.difference == 0
    assert off_by(balances) == {}


def test_a_payout_that_failed_did_not_move() -> None:
    out = line("l1", -500, kind=LineKind.PAYOUT, source_id="p1", occurred_at=ENDS)
    stated = (balance(0, ENDS + days(1)),)
    failed = view(lines=(out,), payouts=(payout("p1", 500, PayoutState.FAILED, issued_on=on(1)),))
    assert [tie.difference for tie in ties_of(DAY, {}, stated, failed)] == [0]
    paid = view(lines=(out,), payouts=(payout("p1", 500, issued_on=on(1)),))
    assert [tie.difference for tie in ties_of(DAY, {}, stated, paid)] == [500]


def test_a_balance_of_the_very_end_of_the_day_has_nothing_of_the_next() -> None:
    early = view(lines=(line("l1", 70, occurred_at=ENDS),), payouts=(payout("p1", 5, issued_on=on(1)),))
    (found,) = ties_of(DAY, HELD, (balance(1000, ENDS),), early)
    assert found.difference == 0
    (found,) = ties_of(DAY, HELD, (balance(1065, ENDS + timedelta(seconds=1)),), early)
    assert found.difference == 0
