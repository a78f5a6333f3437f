"""The CSV files of a shop's admin."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.finance.models import LineKind, Payout, PayoutState, SettlementLine
from shared.kernel.errors import Rejected
from shared.payments.port import AccountContext, FileFacts
from shared.payments.shopify_payments.exports import export_reader
from tests.unit.payments.shopify_payments.files import ACCOUNT, FULL, SMALL, Row, export

READ = export_reader(payouts_by_api=True)
PAYOUTS = (
    "Payout Date,Status,Charges,Refunds,Adjustments,Reserved Funds,Fees,Retried Amount,Total,Currency,Bank Reference\n"
)


def lines(found: FileFacts) -> list[SettlementLine]:
    return [fact for fact in found.facts if isinstance(fact, SettlementLine)]


def test_a_full_export() -> None:
    rows = [
        Row("2026-11-03 10:00:00 +0100", "charge", "$100.00", "97.10", "#1001", "148", "EUR", "110.00", "USD"),
        Row("2026-11-03 12:00:00 +0100", "refund", "-40.00", "-40.00", "#1001", "", "EUR", "44.00", "USD"),
    ]
    found = READ(export(rows), ACCOUNT)
    charge, refund = lines(found)
    assert (found.kind, found.faults) == ("shopify payments export", ())
    assert (charge.kind, charge.gross, charge.fee, charge.net) == (LineKind.CAPTURE, 10000, 290, 9710)
    assert charge.occurred_at == datetime(2026, 11, 3, 9, tzinfo=UTC)
    assert (charge.payout_id, charge.available_on) == ("148", date(2026, 11, 5))
    assert charge.references == ("#1001", "990")
    assert (charge.buyer_currency, charge.buyer_amount) == ("USD", 11000)
    assert (refund.kind, refund.gross, refund.fee, refund.payout_id) == (LineKind.REFUND, -4000, 0, None)
    assert refund.buyer_amount == -4400


def test_columns_may_be_missing_or_moved_and_tell_the_same() -> None:
    rows = [Row("2026-11-03 10:00:00 +0100", "charge", "100.00", "97.10", "#1001")]
    (full,) = lines(READ(export(rows, tuple(reversed(FULL))), ACCOUNT))
    (small,) = lines(READ(export(rows, SMALL), ACCOUNT))
    assert small == full.model_copy(update={"available_on": None, "references": ("#1001",)})
    with pytest.raises(Rejected, match="unreadable_file"):
        READ(export(rows, SMALL[:-1]), ACCOUNT)


def test_disputes_reserves_and_words_that_nobody_knows() -> None:
    words = {
        ("chargeback", "-100.00", "-115.00"): LineKind.DISPUTE,
        ("chargeback", "100.00", "115.00"): LineKind.DISPUTE_REVERSED,
        ("dispute_withdrawal", "-1.00", "-1.00"): LineKind.DISPUTE,
        ("reserve", "-9.00", "-9.00"): LineKind.RESERVE_HELD,
        ("Reserved Funds", "9.00", "9.00"): LineKind.RESERVE_RELEASED,
        ("payout", "-50.00", "-50.00"): LineKind.PAYOUT,
        ("shipping_label", "-4.00", "-4.00"): LineKind.FEE,
        ("adjustment", "1.00", "1.00"): LineKind.ADJUSTMENT,
        ("moon_dust", "1.00", "1.00"): LineKind.UNKNOWN,
    }
    rows = [Row("2026-11-03 10:00:00 +0100", *told) for told in words]
    found = lines(READ(export(rows), ACCOUNT))
    assert [line.kind for line in found] == list(words.values())
    assert found[-1].category == "moon_dust"
    assert found[0].fee == 1500


def test_rows_that_cannot_be_read_are_named_and_the_others_count() -> None:
    rows = [
        Row("yesterday", "charge", "1.00", "1.00"),
        Row("2026-11-03 10:00:00 +0100", "charge", "1.005", "1.005"),
        Row("2026-11-03 10:00:00 +0100", "charge", "1.00", "1.00", currency="euro"),
        Row("2026-11-03 10:00:00 +0100", "charge", "2.00", "2.00"),
    ]
    content = export(rows) + b'2026-11-03 10:00:00 +0100,charge,,,,,,,,"2.00","0.10","2.00",,,,,EUR,,\n'
    found = READ(content, ACCOUNT)
    assert [line.gross for line in lines(found)] == [200]
    assert [(fault.where, fault.code) for fault in found.faults] == [
        ("line 2, column transaction date", "invalid_time"),
        ("line 3, column amount", "invalid_money"),
        ("line 4, column currency", "invalid_money"),
        ("line 6, column net", "sums_differ"),
    ]


def test_times_without_a_zone_are_the_account_s() -> None:
    context = AccountContext("shopify-eu", time_zone="Europe/Berlin")
    for written in ("2026-11-03 10:00:00", "2026-11-03T09:00:00Z", "2026-11-03 10:00:00 +01:00"):
        (line,) = lines(READ(export([Row(written, "charge", "1.00", "1.00")]), context))
        assert line.occurred_at == datetime(2026, 11, 3, 9, tzinfo=UTC)
    (line,) = lines(READ(export([Row("2026-11-03", "charge", "1.00", "1.00")]), context))
    assert line.occurred_at == datetime(2026, 11, 2, 23, tzinfo=UTC)


def test_a_file_of_payouts_is_taken_only_where_no_api_tells_them() -> None:
    content = (
        PAYOUTS
        + "2026-11-05,paid,450.00,-20.00,0,0,-13.35,0,416.65,EUR,REF-1\n"
        + "2026-11-05,in_transit,450.00,-20.00,0,0,-13.35,0,416.65,EUR,\n"
        + "2026-11-06,failed,0,-20.00,0,0,0,0,-20.00,EUR,\n"
        + "soon,paid,0,0,0,0,0,0,1.00,EUR,\n"
    ).encode()
    found = export_reader(payouts_by_api=False)(content, ACCOUNT)
    payouts = [fact for fact in found.facts if isinstance(fact, Payout)]
    assert [(each.amount, each.state) for each in payouts] == [
        (41665, PayoutState.PAID),
        (41665, PayoutState.IN_TRANSIT),
        (-2000, PayoutState.FAILED),
    ]
    assert len({each.payout_id for each in payouts}) == 3
    assert not any(each.itemised for each in payouts)
    assert payouts[0].references == ("REF-1",)
    assert [fault.where for fault in found.faults] == ["line 5, column payout date"]
    with pytest.raises(Rejected, match="told_by_api"):
        READ(content, ACCOUNT)


def test_columns_that_moved_or_are_there_twice_are_not_guessed() -> None:
    """An amount of a thousand that was not quoted moves all that follows."""
    heading = b"Transaction Date,Type,Amount,Fee,Net,Currency\n"
    moved = b"2026-11-03 10:00:00 +0100,charge,1,234.00,0.00,1,234.00,EUR\n"
    found = READ(heading + moved, ACCOUNT)
    assert (found.facts, [fault.code for fault in found.faults]) == ((), ["wrong_columns"])
    with pytest.raises(Rejected, match="two columns"):
        READ(heading.replace(b"Currency", b"amount"), ACCOUNT)


def test_what_is_no_export_is_refused() -> None:
    for content in (b"", b"Name,Email\n", b"\xff\xfe", b'"Transaction Date' + b"x" * 200_000):
        with pytest.raises(Rejected, match="unreadable_file"):
            READ(content, ACCOUNT)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["#1", "#2", ""]), st.sampled_from(["1.00", "2.00"]))),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(moves: list[tuple[int, str, str]], chance: object) -> None:
    """Every row is a movement of its own, however alike they are; the same rows in another order are the same ones."""
    rows = [Row(f"2026-11-03 10:00:0{second} +0100", "charge", gross, gross, order) for second, order, gross in moves]
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own Random
    one = {line.line_id: line for line in lines(READ(export(rows), ACCOUNT))}
    other = {line.line_id: line for line in lines(READ(export(shuffled), ACCOUNT))}
    assert one == other
    assert len(one) == len(rows)


def test_a_quotation_mark_that_is_not_closed_does_not_swallow_the_rows_after_it() -> None:
    rows = [Row("2026-11-03 10:00:00 +0100", "charge", "1.00", "1.00", "#1") for _ in range(3)]
    with pytest.raises(Rejected, match="unreadable_file"):
        READ(export(rows).replace(b'"#1"', b'"#1', 1), ACCOUNT)
