from datetime import UTC, date, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.stripe import FakeStripe
from infra.samples import stripe
from infra.samples.stripe import report, report_row
from shared.finance.merging import merge
from shared.finance.models import Feed, LineKind, Payout, PayoutState, SettlementLine
from shared.kernel.errors import Rejected
from shared.payments.port import AccountContext
from shared.payments.stripe.client import StripeClient
from shared.payments.stripe.files import read_report

OURS = AccountContext("stripe-eu", time_zone="Europe/Berlin")
BY_PAYOUT = (*stripe.PAYOUT_HEADINGS, *stripe.BALANCE_HEADINGS)


def lines(content: bytes) -> list[SettlementLine]:
    found = read_report(content, OURS)
    assert found.faults == ()
    return [fact for fact in found.facts if isinstance(fact, SettlementLine)]


def test_amounts_are_major_units_and_times_prefer_utc() -> None:
    (line,) = lines(report(report_row(customer_facing_amount="4000", customer_facing_currency="jpy")))
    assert line == SettlementLine(
        account="stripe-eu",
        line_id="txn_1",
        kind=LineKind.CAPTURE,
        category="charge",
        occurred_at=datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC),
        currency="EUR",
        gross=4500,
        fee=88,
        net=4412,
        payment_id="ch_1",
        references=("5001", "pi_1"),
        buyer_currency="JPY",
        buyer_amount=4000,
        available_on=date(2026, 11, 25),
        feed=Feed.REPORT,
    )


def test_without_a_column_in_utc_times_are_of_the_accounts_zone() -> None:
    headings = tuple(heading for heading in stripe.BALANCE_HEADINGS if not heading.endswith("_utc"))
    (line,) = lines(report(report_row(), headings=headings))
    assert line.occurred_at == datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC)


@pytest.mark.parametrize(
    ("currency", "gross", "minor"), [("jpy", "23600", 23_600), ("kwd", "5.120", 5_120), ("isk", "500.00", 500)]
)
def test_currencies_without_cents(currency: str, gross: str, minor: int) -> None:
    (line,) = lines(report(report_row(currency=currency, gross=gross, fee="0", net=gross)))
    assert line.gross == minor


def test_columns_may_stand_in_any_order_and_some_be_missing() -> None:
    needed = ("net", "fee", "gross", "currency", "reporting_category", "created_utc", "balance_transaction_id")
    (line,) = lines(b"\xef\xbb\xbf" + report(report_row(), headings=needed))
    assert (line.gross, line.payment_id, line.references) == (4500, None, ())


def test_a_payout_report_tells_which_payout_each_movement_is_in() -> None:
    row = report_row(automatic_payout_id="po_1", automatic_payout_effective_at_utc="2026-11-26 00:00:00")
    paid = {**row, "balance_transaction_id": "txn_9", "reporting_category": "payout", "source_id": "po_1"}
    paid |= {"gross": "-44.12", "fee": "0.00", "net": "-44.12", "charge_id": "", "payment_intent_id": ""}
    found = read_report(report(row, paid, headings=BY_PAYOUT), OURS)
    assert found.kind == "stripe payout reconciliation report"
    assert [line.payout_id for line in found.facts if isinstance(line, SettlementLine)] == ["po_1", "po_1"]
    (payout,) = [fact for fact in found.facts if isinstance(fact, Payout)]
    assert (payout.payout_id, payout.amount, payout.state) == ("po_1", 4412, PayoutState.IN_TRANSIT)
    assert (payout.arrives_on, payout.itemised) == (date(2026, 11, 26), True)


def test_an_unknown_category_is_a_line_all_the_same() -> None:
    (line,) = lines(report(report_row(reporting_category="moon_dust")))
    assert (line.kind, line.category) == (LineKind.UNKNOWN, "moon_dust")


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"gross": "45.001"}, "line 3, column gross", "invalid_money"),
        ({"gross": "4_5.00"}, "line 3, column gross", "invalid_money"),
        ({"fee": ""}, "line 3, column fee", "missing_value"),
        ({"net": "44.13"}, "line 3, column net", "sums_differ"),
        ({"currency": "euros"}, "line 3, column gross", "invalid_money"),
        ({"created_utc": "yesterday"}, "line 3, column created_utc", "invalid_time"),
        ({"balance_transaction_id": "txn 1"}, "line 3, column balance_transaction_id", "invalid_id"),
        ({"customer_facing_amount": "1", "customer_facing_currency": "€"}, None, "invalid_money"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_and_the_others_count(
    changes: dict[str, str], where: str | None, code: str
) -> None:
    good = report_row(balance_transaction_id="txn_2")
    found = read_report(report(good, report_row(**changes), good), OURS)
    assert len(found.facts) == 2
    (fault,) = found.faults
    assert fault.code == code
    if where:
        assert fault.where == where


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2\n", b"\xff\xfe", b"%PDF-1.7", report(headings=(*stripe.BALANCE_HEADINGS, "gross")), b'"gross\n'],
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected, match="unreadable_file"):
        read_report(content, OURS)


def test_a_row_of_the_wrong_length_is_a_fault() -> None:
    found = read_report(report(report_row()) + b"txn_2,x\r\n", OURS)
    assert (len(found.facts), found.faults[0].code) == (1, "invalid_row")


def test_report_and_api_agree_about_one_movement() -> None:
    fake = FakeStripe()
    at = datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC)
    fake.charge(4500, "EUR", at, metadata={"order_id": "5001"}, fee=88)
    http = httpx.Client(transport=httpx.MockTransport(fake))
    feed = StripeClient(OURS, None, lambda **_: {"secret_key": fake.key}, http, lambda: at)
    told = next(fact for fact in feed.settled(at, at.replace(hour=10), None).facts if isinstance(fact, SettlementLine))
    (reported,) = lines(report(report_row()))
    merged = merge([told], reported)
    assert not merged.restated
    assert merged.fact == merge([], told).fact


def refusal(content: bytes) -> str | None:
    try:
        read_report(content, OURS)
    except Rejected as refused:
        return refused.code
    return None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    assert refusal(content) == "unreadable_file"


@given(st.lists(st.text(max_size=12), min_size=17, max_size=17))
def test_no_cells_break_it(cells: list[str]) -> None:
    assert refusal(report(dict(zip(stripe.BALANCE_HEADINGS, cells, strict=True)))) in (None, "unreadable_file")
