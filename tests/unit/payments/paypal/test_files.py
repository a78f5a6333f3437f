from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.paypal import CLIENT_ID, CLIENT_SECRET, FakePayPal
from infra.samples import paypal
from infra.samples.paypal import settled, settlement
from shared.finance.merging import merge
from shared.finance.models import Feed, LineKind, Payout, SettlementLine
from shared.kernel.errors import Rejected
from shared.payments.paypal.client import PayPalClient
from shared.payments.paypal.files import read_settlement
from shared.payments.port import AccountContext, FileFacts

OURS = AccountContext("paypal-eu", paypal.MERCHANT_ID)


def lines(content: bytes) -> list[SettlementLine]:
    found = read_settlement(content, OURS)
    assert found.faults == ()
    return [fact for fact in found.facts if isinstance(fact, SettlementLine)]


def test_amounts_have_no_point_and_a_column_tells_their_direction() -> None:
    (line,) = lines(settlement(settled()))
    assert line == SettlementLine(
        account="paypal-eu",
        line_id="42311647XV020574X.T0006.+4500EUR",
        kind=LineKind.CAPTURE,
        category="T0006",
        occurred_at=datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC),
        currency="EUR",
        gross=4500,
        fee=147,
        net=4353,
        payment_id="42311647XV020574X",
        references=("WC-1001", "5001"),
        buyer_currency="EUR",
        buyer_amount=4500,
        feed=Feed.REPORT,
    )


def test_a_refund_is_debited_and_its_fee_credited() -> None:
    (line,) = lines(
        settlement(
            settled(
                transaction_event_code="T1107",
                transaction_debit_or_credit="DR",
                gross_transaction_amount="1000",
                fee_debit_or_credit="CR",
                fee_amount="30",
                paypal_reference_id="80021663DE681814L",
                paypal_reference_id_type="TXN",
            )
        )
    )
    assert (line.kind, line.gross, line.fee, line.net) == (LineKind.REFUND, -1000, -30, -970)
    assert line.payment_id == "80021663DE681814L"


@pytest.mark.parametrize(
    ("currency", "written", "minor"), [("USD", "3000", 3000), ("JPY", "10000", 10_000), ("HUF", "1000", 100_000)]
)
def test_decimals_are_the_currencys(currency: str, written: str, minor: int) -> None:
    row = settled(gross_transaction_amount=written, gross_transaction_currency=currency, fee_amount="", fee_currency="")
    (line,) = lines(settlement(row))
    assert (line.gross, line.fee, line.currency) == (minor, 0, currency)


def test_columns_are_found_by_their_headings() -> None:
    (line,) = lines(b"\xef\xbb\xbf" + settlement(settled(), headings=tuple(reversed(paypal.HEADINGS)), delimiter="\t"))
    assert line.gross == 4500


def test_a_fee_in_another_currency_leaves_another_balance() -> None:
    charge, fee = lines(settlement(settled(fee_currency="USD")))
    assert (charge.fee, charge.currency) == (0, "EUR")
    assert (fee.kind, fee.net, fee.currency) == (LineKind.FEE, -147, "USD")


def test_withdrawals_are_payouts() -> None:
    row = settled(
        transaction_event_code="T0400", transaction_debit_or_credit="DR", bank_reference_id="BANK7", fee_amount=""
    )
    (payout,) = [fact for fact in read_settlement(settlement(row), OURS).facts if isinstance(fact, Payout)]
    assert (payout.amount, payout.itemised) == (4500, False)
    assert payout.stated_at == datetime(2026, 11, 24, 6, 38, 47, tzinfo=UTC)


def test_authorisations_are_no_movements() -> None:
    assert lines(settlement(settled(transaction_event_code="T1300"))) == []


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"gross_transaction_amount": "45.00"}, "gross transaction amount", "invalid_money"),
        ({"gross_transaction_amount": "-4500"}, "gross transaction amount", "invalid_money"),
        ({"gross_transaction_amount": ""}, "gross transaction amount", "missing_value"),
        ({"transaction_debit_or_credit": "XX"}, "transaction debit or credit", "invalid_money"),
        ({"transaction_debit_or_credit": ""}, "transaction debit or credit", "missing_value"),
        ({"gross_transaction_currency": "€"}, "gross transaction currency", "invalid_money"),
        ({"transaction_initiation_date": "yesterday"}, "transaction initiation date", "invalid_time"),
        ({"transaction_id": "a b"}, "transaction id", "invalid_id"),
        ({"transaction_event_code": "T0006 of Zoë"}, "transaction event code", "invalid_id"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_and_the_others_count(
    changes: dict[str, str], column: str, code: str
) -> None:
    found = read_settlement(settlement(settled(transaction_id="GOOD1"), settled(**changes)), OURS)
    assert len(found.facts) == 1
    ((where, found_code, _),) = found.faults
    assert (where, found_code) == (f"line 6, column {column}", code)


def test_rows_that_are_missing_are_found_by_the_count() -> None:
    found = read_settlement(settlement(settled(), counted=2), OURS)
    assert [fault.code for fault in found.faults] == ["rows_missing", "rows_missing"]


def test_a_file_that_breaks_off_says_so() -> None:
    whole = settlement(settled()).splitlines(keepends=True)
    found = read_settlement(b"".join(whole[:5]), OURS)
    assert [fault.code for fault in found.faults] == ["truncated"]


def test_the_report_of_another_merchant_is_refused() -> None:
    with pytest.raises(Rejected, match="wrong_account"):
        read_settlement(settlement(settled()), AccountContext("paypal-eu", "ANOTHER"))


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"RH", b'"RH","x"\n"ZZ"\n', b"\xff\xfe", b'"RH","x\n'])
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected, match="unreadable_file"):
        read_settlement(content, OURS)


def test_report_and_api_agree_about_one_movement() -> None:
    at = datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC)
    fake = FakePayPal(lambda: at)
    capture_id = fake.pay(4500, "EUR", at, fee=147)
    http = httpx.Client(transport=httpx.MockTransport(fake))
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    feed = PayPalClient(OURS, None, lambda **_: app, http, lambda: at)
    (told,) = feed.settled(at, at.replace(hour=10), None).facts
    (reported,) = lines(settlement(settled(transaction_id=capture_id)))
    merged = merge([told], reported)
    assert not merged.restated
    assert merged.fact == merge([], told).fact


def read_or_refused(content: bytes) -> FileFacts | str:
    try:
        return read_settlement(content, OURS)
    except Rejected as refused:
        return refused.code


@given(st.binary(max_size=200), st.sampled_from([b"", b"RH,", b'"RH",']))
def test_no_bytes_break_it(content: bytes, begin: bytes) -> None:
    found = read_or_refused(begin + content)
    assert isinstance(found, FileFacts) or found in {"unreadable_file", "wrong_account"}


@given(st.lists(st.text(max_size=12), min_size=18, max_size=18))
def test_no_cells_break_it(cells: list[str]) -> None:
    found = read_or_refused(settlement(dict(zip(paypal.HEADINGS, cells, strict=True))))
    assert isinstance(found, FileFacts) or found == "unreadable_file"
