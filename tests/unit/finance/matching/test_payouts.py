"""Payouts, reserves and the bank; and what nobody can read."""

from datetime import date, timedelta

import pytest

from shared.finance.matching.calendar import add_business_days
from shared.finance.models import (
    Action,
    Bucket,
    DiscrepancyKind,
    LineKind,
    PayoutState,
    Rule,
    SettlementLine,
    Subject,
)
from shared.finance.rules import AccountRules, FinanceRules
from tests.builders.finance import ARRIVED, NOON, PAID_OUT, RECONCILED, bank_line, line, payout, statement
from tests.unit.finance.matching.told import bucket, kinds, only, run

NO_BANK = AccountRules(gateways=("stripe",))


def paid(name: str = "a", amount: int = 5000, payout_id: str | None = "po_1", **more: object) -> SettlementLine:
    """A capture that belongs to staff's own order, so that only its payout is in question."""
    return line(name, amount, payout_id=payout_id, payment_id=f"ch_{name}", **more)  # type: ignore[arg-type]


def test_lines_that_come_to_their_payout_are_matched_with_it() -> None:
    itself = line("p", -4900, kind=LineKind.PAYOUT, source_id="po_1")
    result = run(paid(fee=100), payout(amount=4900), itself, account=NO_BANK, links={"stripe-eu/a": "aurora/1"})
    assert kinds(result) == []
    (match,) = result.matches
    assert (match.rule, match.amount, len(match.items)) == (Rule.PAYOUT, 4900, 3)
    assert bucket(result, Subject.LINE, "stripe-eu/p") is Bucket.MATCHED


@pytest.mark.parametrize(
    ("amount", "kind"), [(4999, DiscrepancyKind.PAYOUT_SHORT), (5001, DiscrepancyKind.PAYOUT_OVER)]
)
def test_a_cent_less_or_more_blocks_the_close(amount: int, kind: DiscrepancyKind) -> None:
    result = run(paid(), payout(amount=amount), account=NO_BANK, links={"stripe-eu/a": "aurora/1"})
    stated = only(result, kind)
    assert (stated.expected, stated.found, stated.blocks_close) == (5000, amount, True)
    assert stated.action is Action.BLOCK_CLOSE


def test_a_payout_that_is_still_put_together_waits() -> None:
    open_payout = payout(amount=9999, state=PayoutState.PENDING)
    result = run(paid(), open_payout, account=NO_BANK, links={"stripe-eu/a": "aurora/1"})
    assert kinds(result) == []
    assert bucket(result, Subject.PAYOUT, "stripe-eu/po_1") is Bucket.WAITING


def test_a_payout_without_items_is_held_against_its_own_line() -> None:
    itself = line("p", -3000, kind=LineKind.PAYOUT, source_id="po_9")
    manual = payout("po_9", 3000, itemised=False)
    assert kinds(run(itself, manual, account=NO_BANK)) == []
    assert kinds(run(itself, payout("po_9", 2999, itemised=False), account=NO_BANK)) == ["payout_short"]


def test_a_payout_whose_lines_may_be_older_than_the_run_is_left_alone() -> None:
    start = RECONCILED - timedelta(days=FinanceRules().look_back_days)
    first = paid(at=start + timedelta(hours=30))
    result = run(
        first,
        payout(amount=9999, on=(start + timedelta(days=3)).date()),
        account=NO_BANK,
        links={"stripe-eu/a": "aurora/1"},
    )
    assert kinds(result) == []


def test_a_charge_in_no_payout_is_late_after_its_calendar() -> None:
    others = [paid(f"x{number}", 100) for number in range(3)]
    loose = paid("late", payout_id=None)
    links = {f"stripe-eu/{one.line_id}": "aurora/1" for one in (*others, loose)}
    things = (*others, loose, payout(amount=300))
    stated = only(run(*things, account=NO_BANK, links=links), DiscrepancyKind.LATE_SETTLEMENT)
    assert (stated.subject.id, stated.action) == ("stripe-eu/late", Action.CHASE)
    assert kinds(run(*things, account=NO_BANK, links=links, as_of=NOON + timedelta(days=10))) == []


def test_a_day_without_a_payout_is_one_cause() -> None:
    others = [paid(f"x{number}", 100) for number in range(30)]
    loose = [paid(f"late{number}", payout_id=None) for number in range(12)]
    links = {f"stripe-eu/{one.line_id}": "aurora/1" for one in (*others, *loose)}
    result = run(*others, *loose, payout(amount=3000), account=NO_BANK, links=links)
    assert len(only(result, DiscrepancyKind.LATE_SETTLEMENT).others) == 11


def test_what_a_payout_without_items_took_is_not_late() -> None:
    others = [paid(f"x{number}", 100) for number in range(3)]
    loose = paid("taken", payout_id=None)
    manual = payout("po_9", 5000, itemised=False)
    links = {f"stripe-eu/{one.line_id}": "aurora/1" for one in (*others, loose)}
    assert kinds(run(*others, loose, payout(amount=300), manual, account=NO_BANK, links=links)) == []


def test_accounts_whose_lines_name_no_payout_are_not_judged() -> None:
    assert kinds(run(paid(payout_id=None), account=NO_BANK, links={"stripe-eu/a": "aurora/1"})) == []


# ---- reserves ----


def held(name: str, amount: int, days: int = 0, **more: object) -> SettlementLine:
    kind = LineKind.RESERVE_HELD if amount < 0 else LineKind.RESERVE_RELEASED
    return line(name, amount, kind=kind, at=NOON + timedelta(days=days), **more)  # type: ignore[arg-type]


def test_a_reserve_is_told_until_it_is_released() -> None:
    stated = only(run(held("h", -500)), DiscrepancyKind.RESERVE_HELD)
    assert (stated.found, stated.blocks_close) == (-500, False)
    assert kinds(run(held("h", -500), held("r", 500, 5))) == []


def test_releases_go_to_what_they_name_then_to_their_amount_then_to_the_oldest() -> None:
    result = run(
        held("a", -300), held("b", -500, 1), held("c", -500, 2, source_id="rs"), held("r", 500, 9, source_id="rs")
    )
    assert {one.subject.id for one in result.discrepancies} == {"stripe-eu/a", "stripe-eu/b"}
    result = run(held("a", -300), held("b", -500, 1), held("r", 400, 9))
    (left,) = result.discrepancies
    assert (left.subject.id, left.found) == ("stripe-eu/b", -400)


# ---- the bank ----


def test_a_bank_line_that_names_the_payout() -> None:
    named = bank_line(text="SEPA po_abc123 STRIPE", on=ARRIVED + timedelta(days=20))
    result = run(payout("po_abc123", 5000), named)
    assert [one.rule for one in result.matches] == [Rule.BANK_REFERENCE]
    assert kinds(result) == []


def test_a_bank_line_of_another_season_names_no_payout() -> None:
    result = run(
        payout(references=("MERCHANT",)), bank_line(amount=999, text="MERCHANT", on=ARRIVED + timedelta(days=99))
    )
    assert kinds(result) == ["bank_missing"]


def test_a_bank_that_kept_some_of_it() -> None:
    stated = only(run(payout(references=("TRACE77",)), bank_line(amount=4990, text="trace77")), "amount_mismatch")  # type: ignore[arg-type]
    assert (stated.expected, stated.found) == (5000, 4990)


def test_the_only_bank_line_of_the_amount_in_its_days() -> None:
    result = run(payout(), bank_line())
    assert [one.rule for one in result.matches] == [Rule.BANK_AMOUNT]


@pytest.mark.parametrize(
    "other",
    [
        bank_line(on=date(2026, 11, 12)),
        bank_line(text="SALARY"),
        bank_line(currency="USD"),
        bank_line(amount=-5000),
        bank_line(bank="elsewhere"),
    ],
    ids=["too late", "speaks of nobody", "other currency", "debited", "other bank"],
)
def test_what_is_no_payout_leaves_it_missing(other: object) -> None:
    result = run(payout(), other)
    assert DiscrepancyKind.BANK_MISSING in {one.kind for one in result.discrepancies}


def test_two_bank_lines_of_the_amount_are_not_guessed() -> None:
    result = run(payout(), bank_line("b1"), bank_line("b2"))
    assert kinds(result) == ["bank_missing", "unexpected_bank_line", "unexpected_bank_line"]
    missing = next(one for one in result.discrepancies if one.kind is DiscrepancyKind.BANK_MISSING)
    assert [one.item.id for one in missing.suggestions] == ["bank-eu/b1", "bank-eu/b2"]


def test_payouts_of_a_day_may_arrive_as_one() -> None:
    result = run(payout("po_1", 5000), payout("po_2", 1200), payout("po_3", 999), bank_line(amount=6200))
    assert kinds(result) == ["bank_missing"]
    assert [len(one.items) for one in result.matches] == [3]


def test_a_payout_is_missing_after_the_bank_s_days() -> None:
    last = add_business_days(PAID_OUT, 5)
    assert last == date(2026, 11, 11)
    at_noon = NOON.replace(day=11)
    assert kinds(run(payout(), as_of=at_noon)) == []
    assert kinds(run(payout(), as_of=at_noon + timedelta(days=1))) == ["bank_missing"]


@pytest.mark.parametrize("state", [PayoutState.FAILED, PayoutState.CANCELLED])
def test_a_payout_that_was_taken_back_is_expected_nowhere(state: PayoutState) -> None:
    assert kinds(run(payout(state=state))) == []


def test_bank_lines_of_others_are_outside_and_a_provider_s_are_not() -> None:
    assert bucket(run(bank_line(text="RENT")), Subject.BANK, "bank-eu/b1") is Bucket.OUTSIDE
    assert kinds(run(bank_line())) == ["unexpected_bank_line"]
    fresh = run(bank_line(), as_of=NOON + timedelta(days=4))
    assert bucket(fresh, Subject.BANK, "bank-eu/b1") is Bucket.WAITING


def test_where_only_payouts_arrive_whatever_else_comes_is_asked_about() -> None:
    only_payouts = frozenset({"bank-eu"})
    rent = run(bank_line(amount=-90000, text="RENT"), payout_banks=only_payouts)
    assert only(rent, DiscrepancyKind.UNEXPECTED_BANK_LINE).subject.id == "bank-eu/b1"
    assert kinds(run(bank_line(text="RENT", bank="elsewhere"), payout_banks=only_payouts)) == []
    fresh = run(bank_line(text="RENT"), as_of=NOON + timedelta(days=4), payout_banks=only_payouts)
    assert bucket(fresh, Subject.BANK, "bank-eu/b1") is Bucket.WAITING


def test_staff_link_a_bank_line() -> None:
    result = run(payout(), bank_line(amount=4000, text="WIRE"), links={"bank-eu/b1": "payout:stripe-eu/po_1"})
    assert [one.rule for one in result.matches] == [Rule.STAFF]
    assert kinds(result) == []
    assert kinds(run(bank_line(), links={"bank-eu/b1": ""})) == []


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [(6, 1, 9), (7, 1, 9), (9, -1, 6), (8, -1, 6), (4, 5, 11), (4, 0, 4)],
)
def test_business_days(day: int, count: int, expected: int) -> None:
    assert add_business_days(date(2026, 11, day), count) == date(2026, 11, expected)


# ---- what nobody can read ----


@pytest.mark.parametrize("kind", [LineKind.UNKNOWN, LineKind.ADJUSTMENT])
def test_what_nobody_can_read_blocks_the_close(kind: LineKind) -> None:
    stated = only(run(line(gross=-77, kind=kind)), DiscrepancyKind.UNKNOWN_TXN)
    assert stated.blocks_close
    assert stated.found == -77


@pytest.mark.parametrize("kind", [LineKind.FEE, LineKind.TOPUP, LineKind.CONVERSION])
def test_what_moves_within_the_provider_needs_no_order(kind: LineKind) -> None:
    result = run(line(gross=-77, kind=kind), statement("2", movements=[]))
    assert kinds(result) == []
    assert bucket(result, Subject.LINE, "stripe-eu/txn_1") is Bucket.NEUTRAL
