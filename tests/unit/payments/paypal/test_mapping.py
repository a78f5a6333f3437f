import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.samples import paypal
from shared.finance.models import Fact, Feed, LineKind, Payment, PaymentKind, PaymentState, Payout, SettlementLine
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.payments.lenient import read
from shared.payments.paypal import schemas
from shared.payments.paypal.codes import kind_of, moves
from shared.payments.paypal.mapping import read_payment
from shared.payments.paypal.movements import facts_of
from shared.payments.paypal.objects import Statement, dispute_payment, movement_of
from shared.payments.port import AccountContext, PaymentReading

OURS = AccountContext("paypal-eu", paypal.MERCHANT_ID)
FIXTURES = Path(__file__).resolve().parents[5] / "shared" / "fixtures" / "paypal"


def reading(kind: str, resource: dict[str, Any], *, test: bool = False, **event: Any) -> PaymentReading:
    return read_payment(paypal.delivery(paypal.event(kind, resource, **event), test=test), OURS)


def payment(kind: str, resource: dict[str, Any], **event: Any) -> Payment:
    fact = reading(kind, resource, **event).facts[0]
    assert isinstance(fact, Payment)
    return fact


def movements(**members: Any) -> tuple[Fact, ...]:
    told = read(schemas.TransactionDetail, paypal.transaction(**members), "PayPal").transaction_info
    return facts_of(movement_of(told), "paypal-eu", Feed.API, paypal.SENT, test=False)


def line(**members: Any) -> SettlementLine:
    fact = movements(**members)[0]
    assert isinstance(fact, SettlementLine)
    return fact


def test_a_capture_of_version_2() -> None:
    assert payment("PAYMENT.CAPTURE.COMPLETED", paypal.capture()) == Payment(
        account="paypal-eu",
        payment_id="42311647XV020574X",
        kind=PaymentKind.CAPTURE,
        state=PaymentState.SUCCEEDED,
        vendor_state="COMPLETED",
        currency="EUR",
        amount=4500,
        references=("WC-1001", "5001", "5O190127TN364715T"),
        occurred_at=datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC),
        stated_at=datetime(2026, 11, 23, 9, 7, 44, tzinfo=UTC),
        feed=Feed.WEBHOOK,
    )


def test_a_sale_of_version_1() -> None:
    found = payment("PAYMENT.SALE.COMPLETED", paypal.sale(), resource_type="sale", resource_version="1.0")
    assert (found.payment_id, found.state, found.amount) == ("80021663DE681814L", PaymentState.SUCCEEDED, 4500)
    assert found.references == ("WC-1001", "5001", "wc_order_x1", "PAY-3YE025760C441402AKTRY2PQ")


def test_refunds_of_both_versions_name_their_charge() -> None:
    newer = payment("PAYMENT.CAPTURE.REFUNDED", paypal.refund(), resource_type="refund")
    older = payment("PAYMENT.SALE.REFUNDED", paypal.sale_refund(), resource_type="refund")
    assert (newer.kind, newer.parent_id, newer.amount) == (PaymentKind.REFUND, "42311647XV020574X", 1000)
    assert (older.kind, older.parent_id, older.amount) == (PaymentKind.REFUND, "80021663DE681814L", 1000)
    assert newer.occurred_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("COMPLETED", PaymentState.SUCCEEDED),
        ("REFUNDED", PaymentState.SUCCEEDED),
        ("PENDING", PaymentState.PENDING),
        ("DECLINED", PaymentState.FAILED),
        ("DREAMING", PaymentState.PENDING),
    ],
)
def test_states_of_a_capture(status: str, state: PaymentState) -> None:
    assert payment("PAYMENT.CAPTURE.PENDING", paypal.capture(status=status)).state is state


def test_a_status_that_nobody_knows_is_said() -> None:
    assert reading("PAYMENT.CAPTURE.PENDING", paypal.capture(status="DREAMING")).oddities
    assert not reading("PAYMENT.CAPTURE.COMPLETED", paypal.capture()).oddities


@pytest.mark.parametrize(
    ("status", "state"), [("CREATED", PaymentState.AUTHORISED), ("VOIDED", PaymentState.CANCELLED)]
)
def test_an_authorisation_is_a_charge_that_is_not_captured(status: str, state: PaymentState) -> None:
    found = payment("PAYMENT.AUTHORIZATION.CREATED", paypal.authorisation(status=status))
    assert (found.payment_id, found.kind, found.state) == ("7W5147081L658180V", PaymentKind.CAPTURE, state)


def test_a_final_capture_uses_its_authorisation_up() -> None:
    related = {"related_ids": {"authorization_id": "7W5147081L658180V"}}
    _, spent = reading("PAYMENT.CAPTURE.COMPLETED", paypal.capture(supplementary_data=related)).facts
    assert isinstance(spent, Payment)
    assert (spent.payment_id, spent.state) == ("7W5147081L658180V", PaymentState.CANCELLED)
    partly = paypal.capture(supplementary_data=related, final_capture=False)
    assert len(reading("PAYMENT.CAPTURE.COMPLETED", partly).facts) == 1


def test_a_completed_order_tells_its_captures_with_its_own_references() -> None:
    found = payment("CHECKOUT.ORDER.COMPLETED", paypal.order(), resource_type="checkout-order")
    assert {"cart-77", "5O190127TN364715T", "WC-1001", "5001"} == set(found.references)
    assert reading("CHECKOUT.ORDER.APPROVED", paypal.order(purchase_units=[{"reference_id": "default"}])).nothing


@pytest.mark.parametrize(
    ("status", "outcome", "state"),
    [
        ("OPEN", None, PaymentState.OPEN),
        ("WAITING_FOR_SELLER_RESPONSE", None, PaymentState.OPEN),
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR", PaymentState.WON),
        ("RESOLVED", "CANCELED_BY_BUYER", PaymentState.WON),
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR", PaymentState.LOST),
        ("RESOLVED", "ACCEPTED", PaymentState.LOST),
        ("RESOLVED", "DREAMT", PaymentState.OPEN),
        ("OPEN", "RESOLVED_BUYER_FAVOUR", PaymentState.OPEN),
    ],
)
def test_states_of_a_dispute(status: str, outcome: str | None, state: PaymentState) -> None:
    told = paypal.dispute(status=status, dispute_outcome={"outcome_code": outcome} if outcome else None)
    found = payment("CUSTOMER.DISPUTE.UPDATED", told, resource_type="dispute")
    assert (found.kind, found.parent_id, found.state) == (PaymentKind.DISPUTE, "42311647XV020574X", state)
    assert found.references == ("WC-1001", "5001")


def test_events_of_the_sandbox_are_tests() -> None:
    fact = reading("PAYMENT.CAPTURE.COMPLETED", paypal.capture(), test=True).facts[0]
    assert isinstance(fact, Payment)
    assert fact.test


def test_a_reversal_is_left_to_the_dispute_and_the_feed() -> None:
    assert reading("PAYMENT.CAPTURE.REVERSED", paypal.refund(), resource_type="refund").nothing


def test_other_events_say_nothing() -> None:
    assert reading("BILLING.SUBSCRIPTION.CREATED", {"id": "I-1"}).nothing


def test_money_of_another_merchant_is_refused() -> None:
    with pytest.raises(Rejected, match="wrong_account"):
        reading("PAYMENT.CAPTURE.COMPLETED", paypal.capture(payee={"merchant_id": "ANOTHER"}))


@pytest.mark.parametrize("amount", [{"currency_code": "EUR"}, {"value": "1"}, paypal.money("1.001"), paypal.money("x")])
def test_an_amount_that_is_none_is_refused(amount: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="invalid_money"):
        reading("PAYMENT.CAPTURE.COMPLETED", paypal.capture(amount=amount))


@pytest.mark.parametrize(
    ("value", "currency", "minor"), [("1250", "JPY", 1250), ("5.120", "TND", 5120), ("1000", "HUF", 100_000)]
)
def test_currencies_without_cents(value: str, currency: str, minor: int) -> None:
    assert payment("PAYMENT.CAPTURE.COMPLETED", paypal.capture(amount=paypal.money(value, currency))).amount == minor


def test_a_movement_is_known_by_transaction_code_and_amount() -> None:
    assert line() == SettlementLine(
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
        feed=Feed.API,
    )


def test_both_halves_of_a_conversion_are_lines() -> None:
    out = line(transaction_event_code="T0200", transaction_amount=paypal.money("-10.00", "USD"), fee_amount=None)
    into = line(transaction_event_code="T0200", transaction_amount=paypal.money("9.10"), fee_amount=None)
    assert out.line_id != into.line_id
    assert {out.kind, into.kind} == {LineKind.CONVERSION}


def test_a_fee_in_another_currency_is_a_line_of_its_own() -> None:
    charge, fee = movements(fee_amount=paypal.money("-1.60", "USD"))
    assert isinstance(charge, SettlementLine)
    assert isinstance(fee, SettlementLine)
    assert (charge.fee, charge.net) == (0, 4500)
    assert (fee.kind, fee.currency, fee.net, fee.payment_id) == (LineKind.FEE, "USD", -160, "42311647XV020574X")


def test_a_refund_names_the_charge_and_gives_some_fee_back() -> None:
    found = line(
        transaction_id="1Y107995YT783435V",
        transaction_event_code="T1107",
        transaction_amount=paypal.money("-10.00"),
        fee_amount=paypal.money("0.30"),
        paypal_reference_id="42311647XV020574X",
        paypal_reference_id_type="TXN",
    )
    assert (found.kind, found.payment_id, found.source_id) == (
        LineKind.REFUND,
        "42311647XV020574X",
        "1Y107995YT783435V",
    )
    assert (found.gross, found.fee, found.net) == (-1000, -30, -970)


def test_a_withdrawal_is_a_payout_that_is_not_itemised() -> None:
    taken, payout = movements(
        transaction_event_code="T0400",
        transaction_amount=paypal.money("-100.00"),
        fee_amount=None,
        bank_reference_id="BANKREF7",
    )
    assert isinstance(taken, SettlementLine)
    assert isinstance(payout, Payout)
    assert (taken.kind, taken.payout_id) == (LineKind.PAYOUT, payout.payout_id)
    assert (payout.amount, payout.itemised) == (10_000, False)
    assert "BANKREF7" in payout.references


@pytest.mark.parametrize(
    ("code", "gross", "kind"),
    [
        ("T0000", 1, LineKind.CAPTURE),
        ("T0000", -1, LineKind.ADJUSTMENT),
        ("T0106", -1, LineKind.FEE),
        ("T0300", 1, LineKind.TOPUP),
        ("T0400", -1, LineKind.PAYOUT),
        ("T0400", 1, LineKind.PAYOUT_REVERSED),
        ("T1106", -1, LineKind.DISPUTE),
        ("T1107", 1, LineKind.REFUND_REVERSED),
        ("T1108", 1, LineKind.FEE),
        ("T1110", -1, LineKind.DISPUTE),
        ("T1111", 1, LineKind.DISPUTE_REVERSED),
        ("T1201", -1, LineKind.DISPUTE),
        ("T1201", 1, LineKind.DISPUTE_REVERSED),
        ("T1202", 1, LineKind.DISPUTE_REVERSED),
        ("T1202", -1, LineKind.DISPUTE),
        ("T2103", -1, LineKind.RESERVE_HELD),
        ("T2104", 1, LineKind.RESERVE_RELEASED),
        ("T1900", 1, LineKind.ADJUSTMENT),
        ("T7777", 1, LineKind.UNKNOWN),
        ("T00", 1, LineKind.UNKNOWN),
        ("", 1, LineKind.UNKNOWN),
    ],
)
def test_codes(code: str, gross: int, kind: LineKind) -> None:
    assert kind_of(code, gross) is kind


def test_authorisations_move_nothing() -> None:
    assert not moves("T1300")
    assert moves("T0006")
    assert moves("anything")


def test_nothing_that_names_the_buyer_is_kept() -> None:
    told = [
        payment("PAYMENT.CAPTURE.COMPLETED", paypal.capture(custom_id="for Zoë", invoice_id="zoe@example.test")),
        payment("CHECKOUT.ORDER.COMPLETED", paypal.order()),
        payment("CUSTOMER.DISPUTE.CREATED", paypal.dispute()),
        line(custom_field="Zoë Ünal, Hauptstr. 1"),
    ]
    text = "".join(fact.model_dump_json() for fact in told)
    assert not [word for word in ("Zo", "nal", "@", "Haupt", "BUYER1PAYER") if word in text.replace("signal", "")]


@pytest.mark.skipif(not FIXTURES.exists(), reason="the fixtures are not here")
@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_events_are_read(path: Path) -> None:
    event = json.loads(path.read_text(encoding="utf-8"))
    (fact,) = read_payment(paypal.delivery(event), AccountContext("paypal-eu")).facts
    assert isinstance(fact, Payment)
    assert fact.state is PaymentState.SUCCEEDED
    is_refund = "refunded" in path.stem
    assert (fact.kind is PaymentKind.REFUND) == is_refund
    assert (fact.parent_id is not None) == is_refund


@pytest.mark.parametrize("kind", ["PAYMENT.CAPTURE.COMPLETED", "CUSTOMER.DISPUTE.UPDATED"])
def test_an_event_of_times_to_come_does_not_go_before_what_the_api_says_next(kind: str) -> None:
    """Its signature does not prove the body: a forged one, dated ahead, would otherwise be believed for ever."""
    ahead = "2099-01-01T00:00:00Z"
    of_dispute = kind.startswith("CUSTOMER")
    resource = paypal.dispute(update_time=ahead) if of_dispute else paypal.capture(update_time=ahead)
    found = payment(kind, resource, create_time=ahead)
    assert found.stated_at == parse_time(paypal.RECEIVED_AT)


def test_a_dispute_that_the_api_tells_is_as_of_when_it_was_asked() -> None:
    asked_at = datetime(2026, 12, 24, tzinfo=UTC)
    told = read(schemas.Dispute, paypal.dispute(), "PayPal")
    assert dispute_payment(told, Statement("paypal-eu", asked_at, Feed.API)).stated_at == asked_at
