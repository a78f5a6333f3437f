import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.samples import stripe
from shared.finance.models import (
    Feed,
    LineKind,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    PayoutState,
    ProviderBalance,
    SettlementLine,
)
from shared.kernel.errors import Rejected
from shared.payments.lenient import read
from shared.payments.port import AccountContext, PaymentReading
from shared.payments.stripe import schemas
from shared.payments.stripe.amounts import iso_minor, stripe_amount
from shared.payments.stripe.mapping import read_payment
from shared.payments.stripe.objects import Statement, balances, settlement_line

OURS = AccountContext("stripe-eu", stripe.ACCOUNT)
STATED_AT = datetime(2026, 11, 23, 9, 7, 44, tzinfo=UTC)
SAID = Statement("stripe-eu", STATED_AT, Feed.API)
FIXTURES = Path(__file__).resolve().parents[5] / "shared" / "fixtures" / "stripe"


def reading(kind: str, told: dict[str, Any], **event: Any) -> PaymentReading:
    return read_payment(stripe.delivery(stripe.event(kind, told, **event)), OURS)


def payment(kind: str, told: dict[str, Any], **event: Any) -> Payment:
    (fact,) = reading(kind, told, **event).facts
    assert isinstance(fact, Payment)
    return fact


def line(**members: Any) -> SettlementLine:
    told = stripe.balance_transaction(**members)
    return settlement_line(read(schemas.BalanceTransaction, told, "Stripe"), SAID)


def test_a_charge_is_a_capture_with_all_that_names_its_order() -> None:
    told = stripe.charge(transfer_group="group-7", description="#1001")
    assert payment("charge.succeeded", told) == Payment(
        account="stripe-eu",
        payment_id="ch_1",
        kind=PaymentKind.CAPTURE,
        state=PaymentState.SUCCEEDED,
        vendor_state="succeeded",
        currency="EUR",
        amount=4500,
        references=("5001", "group-7", "pi_1", "#1001"),
        occurred_at=datetime(2026, 11, 23, 9, 7, 43, tzinfo=UTC),
        stated_at=STATED_AT,
        feed=Feed.WEBHOOK,
    )


@pytest.mark.parametrize(
    ("members", "state", "amount"),
    [
        ({"captured": False, "amount_captured": 0}, PaymentState.AUTHORISED, 4500),
        ({"captured": False, "amount_captured": 0, "refunded": True}, PaymentState.CANCELLED, 4500),
        ({"amount_captured": 3000}, PaymentState.SUCCEEDED, 3000),
        ({"amount_captured": None}, PaymentState.SUCCEEDED, 4500),
        ({"status": "failed", "captured": False, "amount_captured": 0}, PaymentState.FAILED, 4500),
        ({"status": "pending"}, PaymentState.PENDING, 4500),
        ({"status": "dreaming"}, PaymentState.PENDING, 4500),
    ],
)
def test_states_of_a_charge(members: dict[str, Any], state: PaymentState, amount: int) -> None:
    found = payment("charge.updated", stripe.charge(**members))
    assert (found.state, found.amount) == (state, amount)


def test_a_status_that_nobody_knows_is_said() -> None:
    assert reading("charge.updated", stripe.charge(status="dreaming")).oddities
    assert not reading("charge.updated", stripe.charge()).oddities


def test_refunds_within_a_charge_are_told_too() -> None:
    told = stripe.charge(refunds={"object": "list", "data": [stripe.refund()]})
    charge, refund = reading("charge.refunded", told).facts
    assert isinstance(charge, Payment)
    assert isinstance(refund, Payment)
    assert (refund.kind, refund.payment_id, refund.parent_id, refund.amount) == (
        PaymentKind.REFUND,
        "re_1",
        "ch_1",
        1000,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("succeeded", PaymentState.SUCCEEDED),
        ("pending", PaymentState.PENDING),
        ("requires_action", PaymentState.PENDING),
        ("failed", PaymentState.FAILED),
        ("canceled", PaymentState.CANCELLED),
    ],
)
def test_states_of_a_refund(status: str, state: PaymentState) -> None:
    assert payment("refund.updated", stripe.refund(status=status)).state is state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", PaymentState.OPEN),
        ("warning_under_review", PaymentState.OPEN),
        ("won", PaymentState.WON),
        ("warning_closed", PaymentState.WON),
        ("lost", PaymentState.LOST),
        ("something_new", PaymentState.OPEN),
    ],
)
def test_states_of_a_dispute(status: str, state: PaymentState) -> None:
    found = payment("charge.dispute.updated", stripe.dispute(status=status))
    assert (found.kind, found.parent_id, found.state) == (PaymentKind.DISPUTE, "ch_1", state)


def test_a_dispute_brings_its_movements_and_their_charge() -> None:
    taken = stripe.balance_transaction(
        id="txn_5", amount=-4500, fee=1500, net=-6000, reporting_category="dispute", source="dp_1", type="adjustment"
    )
    old = {**taken, "id": "txn_6", "reporting_category": None}
    told = stripe.dispute(balance_transactions=[taken, old])
    _, movement = reading("charge.dispute.funds_withdrawn", told).facts
    assert isinstance(movement, SettlementLine)
    assert (movement.line_id, movement.kind, movement.payment_id) == ("txn_5", LineKind.DISPUTE, "ch_1")
    assert (movement.gross, movement.fee, movement.net) == (-4500, 1500, -6000)


def test_a_payout_is_itemised_only_when_it_is_automatic() -> None:
    (told,) = reading("payout.paid", stripe.payout(status="paid")).facts
    assert told == Payout(
        account="stripe-eu",
        payout_id="po_1",
        state=PayoutState.PAID,
        vendor_state="paid",
        currency="EUR",
        amount=3355,
        issued_on=date(2026, 11, 25),
        arrives_on=date(2026, 11, 26),
        itemised=True,
        references=("po_1", "TRACE42"),
        stated_at=STATED_AT,
        feed=Feed.WEBHOOK,
    )
    (manual,) = reading("payout.created", stripe.payout(automatic=False)).facts
    assert isinstance(manual, Payout)
    assert not manual.itemised


def test_the_balance_is_the_sum_of_all_that_is_held() -> None:
    told = stripe.balance(
        connect_reserved=[{"amount": 5, "currency": "eur"}, {"amount": 7, "currency": "jpy"}],
        risk_reserved={"available": [{"amount": 100, "currency": "eur"}], "pending": []},
        instant_available=[{"amount": 70000, "currency": "eur"}],
    )
    held = balances(read(schemas.Balance, told, "Stripe"), "stripe-eu", STATED_AT)
    assert [(one.currency, one.amount) for one in held] == [("EUR", 74_517), ("JPY", 7)]
    (fact, _) = reading("balance.available", told).facts
    assert isinstance(fact, ProviderBalance)
    assert fact.as_of == STATED_AT


def test_test_mode_marks_payments_and_pays_nobody() -> None:
    assert payment("charge.succeeded", stripe.charge(livemode=False), livemode=False).test
    assert payment("refund.created", stripe.refund(), livemode=False).test
    assert reading("payout.paid", stripe.payout(livemode=False), livemode=False).nothing
    assert reading("balance.available", stripe.balance(livemode=False), livemode=False).nothing


def test_a_payment_intent_names_its_charge_or_holds_it() -> None:
    assert reading("payment_intent.succeeded", stripe.payment_intent()).look_up == ("ch_1",)
    expanded = stripe.payment_intent(latest_charge=stripe.charge())
    of_old = stripe.payment_intent(charges={"object": "list", "data": [stripe.charge()]})
    del of_old["latest_charge"]
    for told in (expanded, of_old):
        found = payment("payment_intent.succeeded", told)
        assert found.payment_id == "ch_1"
        assert {"5001", "#1001", "pi_1"} == set(found.references)
    assert reading("payment_intent.created", stripe.payment_intent(latest_charge=None)).nothing


def test_a_paid_checkout_is_looked_up_whole() -> None:
    assert reading("checkout.session.completed", stripe.checkout_session()).look_up == ("cs_live_1",)
    unpaid = stripe.checkout_session(payment_status="unpaid")
    assert reading("checkout.session.completed", unpaid).nothing
    assert reading("checkout.session.completed", stripe.checkout_session(payment_intent=None)).nothing


def test_a_thin_event_is_looked_up_where_it_is_about_a_payment() -> None:
    hinted = read_payment(stripe.delivery(stripe.thin_event("v1.charge.succeeded", "ch_1")), OURS)
    assert hinted.look_up == ("ch_1",)
    other = read_payment(stripe.delivery(stripe.thin_event("v2.core.account.updated", "acct_1")), OURS)
    assert other.nothing


def test_other_events_say_nothing() -> None:
    assert reading("customer.created", {"id": "cus_1", "object": "customer"}).nothing


def test_an_event_of_another_account_is_refused() -> None:
    with pytest.raises(Rejected, match="wrong_account"):
        reading("charge.succeeded", stripe.charge(), account="acct_2Other")
    assert reading("charge.succeeded", stripe.charge(), account=stripe.ACCOUNT).facts


def test_what_cannot_be_read_names_the_field_and_not_its_content() -> None:
    with pytest.raises(Rejected) as caught:
        reading("charge.succeeded", stripe.charge(amount="Zoë"))
    assert (caught.value.code, caught.value.field) == ("invalid_payload", "amount")
    assert "Zoë" not in caught.value.describe()


@pytest.mark.parametrize("amount", [45.5, 10**25, -(10**25), "4500 or so", None])
def test_an_amount_that_is_no_sane_integer_is_refused(amount: object) -> None:
    with pytest.raises(Rejected, match="invalid_payload"):
        reading("charge.succeeded", stripe.charge(amount=amount))


@pytest.mark.parametrize(
    ("currency", "stripes", "minor"),
    [
        ("EUR", 1250, 1250),
        ("JPY", 1250, 1250),
        ("KWD", 5120, 5120),
        ("ISK", 50_000, 500),
        ("UGX", -50_000, -500),
        ("MGA", 5, 500),
        ("HUF", 1045, 1045),
        ("CLP", 990, 990),
    ],
)
def test_stripes_units_are_not_always_isos(currency: str, stripes: int, minor: int) -> None:
    assert iso_minor(stripes, currency) == minor
    assert stripe_amount(minor, currency) == stripes


def test_a_fraction_that_the_currency_does_not_have_is_not_rounded() -> None:
    with pytest.raises(Rejected, match="invalid_money"):
        iso_minor(50_050, "ISK")


def test_a_movement_in_another_currency_keeps_the_buyers_money_exactly() -> None:
    converted = line(
        amount=2600, fee=60, net=2540, exchange_rate=0.0065, source=stripe.charge(currency="jpy", amount=4000)
    )
    assert (converted.currency, converted.gross) == ("EUR", 2600)
    assert (converted.buyer_currency, converted.buyer_amount) == ("JPY", 4000)
    assert converted.exchange_rate == str(Decimal("0.0065"))


def test_a_partial_capture_is_two_movements() -> None:
    source = stripe.charge(currency="jpy", amount=4000, amount_captured=3000)
    whole = line(amount=2600, fee=0, net=2600, source=source)
    rest = line(id="txn_2", amount=-650, fee=0, net=-650, reporting_category="partial_capture_reversal", source=source)
    assert (whole.kind, whole.buyer_amount) == (LineKind.CAPTURE, 4000)
    assert (rest.kind, rest.buyer_amount, rest.payment_id) == (LineKind.CAPTURE_REVERSED, -1000, "ch_1")


def test_sources_are_read_expanded_or_not() -> None:
    refund = line(amount=-1000, fee=0, net=-1000, reporting_category="refund", source=stripe.refund())
    assert (refund.payment_id, refund.source_id, refund.buyer_amount) == ("ch_1", "re_1", -1000)
    assert line(source="py_7").payment_id == "py_7"
    assert line(reporting_category="refund", source="re_7").source_id == "re_7"
    fee = line(amount=-200, fee=0, net=-200, reporting_category="fee", source=None)
    assert (fee.kind, fee.payment_id, fee.source_id) == (LineKind.FEE, None, None)
    payout = line(amount=-3355, fee=0, net=-3355, reporting_category="payout", source="po_1")
    assert (payout.kind, payout.payout_id) == (LineKind.PAYOUT, "po_1")


@pytest.mark.parametrize(
    ("category", "amount", "kind"),
    [
        ("risk_reserved_funds", -100, LineKind.RESERVE_HELD),
        ("risk_reserved_funds", 100, LineKind.RESERVE_RELEASED),
        ("connect_reserved_funds", -100, LineKind.RESERVE_HELD),
        ("dispute_reversal", 100, LineKind.DISPUTE_REVERSED),
        ("refund_failure", 100, LineKind.REFUND_REVERSED),
        ("charge_failure", -100, LineKind.CAPTURE_REVERSED),
        ("network_cost", -100, LineKind.FEE),
        ("tax", -100, LineKind.FEE),
        ("topup", 100, LineKind.TOPUP),
        ("payout_reversal", 100, LineKind.PAYOUT_REVERSED),
        ("other_adjustment", 100, LineKind.ADJUSTMENT),
        ("moon_dust", 100, LineKind.UNKNOWN),
        ("Charge", 100, LineKind.UNKNOWN),
    ],
)
def test_categories(category: str, amount: int, kind: LineKind) -> None:
    assert line(amount=amount, fee=0, net=amount, reporting_category=category, source=None).kind is kind


@pytest.mark.parametrize(("told", "kind"), [("payment", LineKind.CAPTURE), ("adjustment", LineKind.UNKNOWN)])
def test_an_old_api_version_tells_only_a_type(told: str, kind: LineKind) -> None:
    found = line(reporting_category=None, type=told, source=None)
    assert (found.kind, found.category) == (kind, told)


def test_nothing_that_names_the_buyer_is_kept() -> None:
    told = stripe.charge(metadata={"order_note": "for Zoë Ünal", "order_mail": "zoe@example.test", "order_id": "5001"})
    text = payment("charge.succeeded", told).model_dump_json() + line(source=told).model_dump_json()
    assert not [word for word in ("Zo", "nal", "@", "Haupt", "+49") if word in text.replace("\\u", "")]


@pytest.mark.skipif(not FIXTURES.exists(), reason="the fixtures are not here")
@pytest.mark.parametrize("path", sorted(FIXTURES.glob("mock_*.json")), ids=lambda path: path.stem)
def test_recorded_events_are_read_or_refused_in_order(path: Path) -> None:
    event = json.loads(path.read_text(encoding="utf-8"))
    if "id" not in event["data"]["object"] and event["data"]["object"]["object"] != "balance":
        with pytest.raises(Rejected, match="invalid_payload"):
            read_payment(stripe.delivery(event), OURS)
        return
    found = read_payment(stripe.delivery(event), OURS)
    assert found.facts or found.look_up or found.nothing
