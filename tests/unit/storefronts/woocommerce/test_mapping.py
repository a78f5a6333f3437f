"""WooCommerce's order in the canonical order's words."""

import base64
import hashlib
import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.samples import woocommerce as build
from shared.kernel.clock import parse_time
from shared.kernel.errors import Rejected
from shared.kernel.money import Amount, Money
from shared.kernel.versions import Comparison, compare
from shared.orders.models import Order, Parcel, PaymentState, RestockKind, Tender
from shared.orders.totals import prove_totals
from shared.storefronts.port import CompleteOrder, NothingToDo, OrderHint, OrderReader
from shared.storefronts.woocommerce.mapping import read_order
from shared.webhooks.delivery import Delivery

FIXTURES = Path(__file__).parents[5] / "shared" / "fixtures"


def complete(delivery: Delivery) -> Order:
    reading = read_order(delivery)
    assert isinstance(reading, CompleteOrder), reading
    return reading.order


def mapped(**overrides: Any) -> Order:
    return complete(build.delivery(build.order(**overrides)))


def rejection(body: Any) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        read_order(build.delivery(body))
    return refusal.value


def amount(text: str, currency: str = "EUR") -> Amount:
    return Amount.single(Money.parse(text, currency))


# -- genuine orders ------------------------------------------------------------------------------------------------


def captured(name: str) -> Delivery | None:
    path = FIXTURES / "captured" / f"wc-{name}.json"
    if not path.exists():
        return None
    record = json.loads(path.read_text("utf-8"))
    return build.delivery(base64.b64decode(record["body_base64"]))


def require_captured(name: str) -> Delivery:
    delivery = captured(name)
    if delivery is None:
        pytest.skip("the captured deliveries are not here")
    return delivery


def recorded(name: str) -> Any:
    path = FIXTURES / "woocommerce" / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded responses are not here")
    return json.loads(path.read_text("utf-8"), parse_float=Decimal)


def reencoded(body: Any) -> bytes:
    """Decimals as JSON numbers again, as they were recorded."""
    return json.dumps(body, default=float).encode()


def test_captured_paid_order() -> None:
    order = complete(require_captured("order.created-rest-paid"))
    assert prove_totals(order).proven
    assert (order.order_id, order.name, order.payment) == ("13", "#13", PaymentState.PAID)
    assert order.totals.total == amount("45.00")
    assert [(line.sku, line.quantity, line.open_quantity) for line in order.lines] == [
        ("MUG-BLUE", 2, 0),
        ("SHIRT-S", 1, 0),
    ]
    assert (order.lines[1].title, order.lines[1].variant_title) == ("Shirt", "Shirt - S")
    assert (order.lines[0].variant_id, order.lines[1].variant_id) == (None, "12")
    assert order.lines[0].unit_price == amount("12.50")
    assert order.personal.customer_id is None
    assert order.personal.shipping_address is None
    assert order.personal.attributes == {"channel_ref": "X-1"}
    assert order.updated_at == parse_time("2026-11-23T08:57:36Z")


def test_captured_checkout_order() -> None:
    order = complete(require_captured("order.created-storefront-checkout"))
    assert prove_totals(order).proven
    assert order.source == "store-api"
    assert order.personal.customer_id == "3"
    assert order.tax_exempt is False
    assert order.fulfilments[0].lines[0].quantity == 1


def test_captured_partial_refund_asks_for_its_lines() -> None:
    reading = read_order(require_captured("order.updated-after-partial-refund"))
    assert isinstance(reading, OrderHint)
    assert (reading.order_id, reading.reason) == ("14", "refund_lines_missing")
    assert reading.partial is not None
    assert prove_totals(reading.partial).proven
    assert reading.partial.payment is PaymentState.PARTIALLY_REFUNDED
    assert [(refund.amount, refund.lines_known) for refund in reading.partial.refunds] == [(amount("12.50"), False)]


def test_captured_draft_and_deletion() -> None:
    assert read_order(require_captured("order.updated-checkout-draft")) == NothingToDo("draft")
    assert isinstance(read_order(require_captured("order.deleted")), OrderHint)


@pytest.mark.parametrize("name", ["docs_order_1", "docs_order_2", "ios_order-with-charge", "ios_order-with-gift-cards"])
def test_recorded_order_is_proven(name: str) -> None:
    order = complete(build.delivery(reencoded(recorded(name))))
    assert prove_totals(order).proven


def test_every_order_of_the_documentation_is_proven() -> None:
    for body in recorded("docs_order_3"):
        assert prove_totals(complete(build.delivery(reencoded(body | {"refunds": []})))).proven


def test_recorded_gift_cards_are_tender_and_lower_the_total() -> None:
    order = complete(build.delivery(reencoded(recorded("ios_order-with-gift-cards"))))
    assert order.totals.gift_cards == amount("24", "USD")
    assert order.tenders[0] == Tender(kind="gift_card", id="2", amount=amount("20", "USD"), last_characters="EZFT")
    assert (order.transactions[0].id, order.transactions[0].amount) == (
        "pi_3MqpbEFmpgWy4Lrl0vJo4TIn",
        Money.parse("4.00", "USD"),
    )


def test_recorded_order_with_tracking() -> None:
    reading = read_order(build.delivery(reencoded(recorded("ios_order-details-partially-refunded"))))
    assert isinstance(reading, OrderHint)
    assert reading.partial is not None
    assert prove_totals(reading.partial).proven
    assert reading.partial.fulfilments[0].parcels == (Parcel(carrier="fedex", number="117579686762", url=None),)
    assert reading.partial.lines[2].unit_price == amount("10.80", "USD"), "sent as 10.799999999999999"


def test_recorded_order_with_half_a_unit_is_refused_with_its_field() -> None:
    with pytest.raises(Rejected) as refusal:
        read_order(build.delivery(reencoded(recorded("ios_order"))))
    assert (refusal.value.code, refusal.value.field) == ("invalid_payload", "line_items.1.quantity")


# -- what a delivery is --------------------------------------------------------------------------------------------


def test_the_function_is_an_order_reader() -> None:
    reader: OrderReader = read_order
    assert isinstance(reader(build.delivery(build.order())), CompleteOrder)


def test_tombstone_is_a_hint() -> None:
    assert read_order(build.delivery({"id": 14}, topic="order.deleted")) == OrderHint("14", "deleted")
    assert read_order(build.delivery({"id": 14})) == OrderHint("14", "thin")


@pytest.mark.parametrize("id_", ["../14", "", "0", -1, 1.5, True, None, [14], "9" * 21])
def test_tombstone_with_a_strange_id_is_refused(id_: Any) -> None:
    assert rejection({"id": id_}).field == "id"


def test_order_gone_meanwhile() -> None:
    error = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    assert read_order(build.delivery(error)) == NothingToDo("gone")


@pytest.mark.parametrize(
    "error",
    [
        {"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}},
        {"code": "woocommerce_rest_shop_order_invalid_id", "message": "", "data": []},
        {"code": "rest_no_route", "data": {"status": 404}},
        {"message": "?"},
        {},
    ],
)
def test_another_error_in_place_of_an_order_does_not_pass_quietly(error: Any) -> None:
    assert rejection(error).code == "invalid_payload"


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft", "draft"])
def test_draft_is_nothing_to_do(status: str) -> None:
    assert read_order(build.delivery(build.order(status=status) | {"line_items": "?"})) == NothingToDo("draft")


@pytest.mark.parametrize("body", [[], [{"id": 1}], "text", 5, None])
def test_body_that_is_not_one_order_is_refused(body: Any) -> None:
    assert rejection(body).code == "invalid_payload"


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("currency", "eur", "currency"),
        ("currency", "", "currency"),
        ("total", "12,50", "total"),
        ("total", "NaN", "total"),
        ("total", "1e999", "total"),
        ("total", "0.0000000000001", "total"),
        ("status", ["processing"], "status"),
        ("date_modified_gmt", "yesterday", "date_modified_gmt"),
        ("line_items", "none", "line_items"),
        ("line_items", [build.line(quantity="many")], "line_items.0.quantity"),
        ("line_items", [build.line(id=0)], "line_items.0.id"),
    ],
)
def test_unreadable_field_is_named(field: str, value: Any, at: str) -> None:
    refusal = rejection(build.order() | {field: value})
    assert refusal.code in {"invalid_payload", "invalid_money", "invalid_time"}
    assert refusal.field == at


def test_refusal_quotes_no_personal_data() -> None:
    refusal = rejection(build.order() | {"billing": {"first_name": ["Zoë"]}, "customer_note": {"secret": 1}})
    assert "Zoë" not in str(refusal)


def test_order_without_any_time_of_change_is_refused() -> None:
    times = dict.fromkeys(("date_created", "date_created_gmt", "date_modified", "date_modified_gmt"))
    assert rejection(build.order() | times).field == "date_modified_gmt"


# -- version -------------------------------------------------------------------------------------------------------


def test_version_says_when_and_what() -> None:
    delivery = build.delivery(build.order())
    version = complete(delivery).version
    assert version.updated_at == "2026-11-23T09:02:10.000000000Z"
    assert version.observed_at == build.RECEIVED_AT
    assert version.body_sha256 == complete(delivery).raw_sha256 == hashlib.sha256(delivery.body).hexdigest()
    assert not version.fetched


def test_two_deliveries_of_one_second_need_a_third_look() -> None:
    first = mapped(status="processing")
    second = mapped(status="completed")
    assert compare(second.version, first.version) is Comparison.UNDECIDED
    fetched = complete(
        build.delivery(build.order(status="completed"), fetched=True, received_at="2026-11-23T09:03:00.000000000Z")
    )
    assert compare(fetched.version, first.version) is Comparison.NEWER


def test_local_times_stand_in_where_no_gmt_is_sent() -> None:
    body = {name: value for name, value in build.order().items() if not name.endswith("_gmt")}
    order = complete(build.delivery(body))
    assert order.created_at == parse_time("2026-11-23T10:02:09Z")
    assert order.updated_at == parse_time("2026-11-23T10:02:10Z")
    assert order.payment is PaymentState.PAID


def test_never_modified_order_dates_from_its_creation() -> None:
    order = mapped(date_modified=None, date_modified_gmt=None)
    assert order.updated_at == order.created_at == parse_time("2026-11-23T09:02:09Z")


# -- money ---------------------------------------------------------------------------------------------------------


def test_taxed_order_with_coupon_fee_and_shipping() -> None:
    order = mapped(
        prices_include_tax=True,
        line_items=[
            build.line(
                quantity=3,
                subtotal="12.61",
                total="10.08",
                total_tax="1.92",
                taxes=[{"id": 7, "total": "1.915966", "subtotal": "2.394958"}],
                price=3.361344666666667,
            )
        ],
        shipping_lines=[build.shipping_line(total="4.12", total_tax="0.78", taxes=[{"id": 7, "total": "0.78"}])],
        fee_lines=[
            build.fee_line(total="-1.00", total_tax="-0.19", name="Loyalty", taxes=[{"id": 9, "total": "-0.19"}])
        ],
        coupon_lines=[build.coupon_line()],
        tax_lines=[build.tax_line(tax_total="1.73", shipping_tax_total="0.78", rate_percent=19.5)],
    )
    assert prove_totals(order).proven
    assert order.totals.total == amount("15.71")
    assert (order.taxes_included, order.prices_shown_with_tax) == (False, True)
    [line] = order.lines
    assert line.unit_price is None, "12.61 / 3 is no finite decimal"
    assert [(item.amount, item.application) for item in line.discounts] == [(amount("2.53"), 0)]
    assert [(tax.title, tax.rate, tax.amount) for tax in line.taxes] == [("MwSt.", "0.195", amount("1.915966"))]
    assert order.taxes[0].amount == amount("2.51")
    assert [(fee.title, fee.amount) for fee in order.fees] == [("Loyalty", amount("-1"))]
    assert order.fees[0].taxes[0].title == "Tax", "a rate that the order does not list"
    assert order.fees[0].taxes[0].rate is None
    [shipping] = order.shipping_lines
    assert shipping.price == shipping.discounted_price == amount("4.12")
    [coupon] = order.discount_applications
    assert (coupon.code, coupon.value, coupon.value_type) == ("autumn", "20", "percentage")
    assert order.discount_codes == ("autumn",)
    assert order.totals.discounts == amount("2.53")


def test_old_coupon_tells_only_what_it_took_off() -> None:
    coupon = {"id": 1, "code": "30$off", "discount": "30", "discount_tax": "1.2"}
    [application] = mapped(coupon_lines=[coupon]).discount_applications
    assert (application.value, application.value_type) == ("30", "fixed_amount")


def test_of_two_coupons_none_is_blamed() -> None:
    order = mapped(
        line_items=[build.line(total="10.00")],
        coupon_lines=[build.coupon_line(), build.coupon_line(id=71, code="second")],
    )
    assert [item.application for item in order.lines[0].discounts] == [None]


def test_line_raised_by_staff_has_a_negative_discount() -> None:
    order = mapped(line_items=[build.line(subtotal="10.00", total="12.00")])
    assert order.lines[0].discounts[0].amount == amount("-2")
    assert prove_totals(order).proven


@pytest.mark.parametrize(
    ("currency", "subtotal", "quantity", "unit"),
    [("JPY", "3000", 2, "1500"), ("KWD", "2.500", 2, "1.250"), ("KWD", "0.125", 1, "0.125"), ("JPY", "5", 2, "2.5")],
)
def test_currencies_with_other_decimals(currency: str, subtotal: str, quantity: int, unit: str) -> None:
    order = mapped(
        currency=currency, line_items=[build.line(quantity=quantity, subtotal=subtotal, total=subtotal, price=0)]
    )
    assert prove_totals(order).proven
    assert order.totals.total == amount(subtotal, currency)
    assert order.lines[0].unit_price == amount(unit, currency)


def test_blank_amounts_are_nothing() -> None:
    order = mapped(discount_total="", shipping_total="", line_items=[build.line(taxes=[{"id": 7, "total": ""}])])
    assert not order.totals.shipping
    assert not order.lines[0].taxes[0].amount


def test_gift_card_float_noise_is_no_money() -> None:
    card = {"id": 2, "code": "ABCD-EFGH", "amount": 0.1 + 0.2}
    order = mapped(gift_cards=[card], total="12.20")
    assert b"0.30000000000000004" in build.encode(card)
    assert order.tenders == (Tender(kind="gift_card", id="2", amount=amount("0.30"), last_characters="EFGH"),)
    assert order.totals.gift_cards == amount("0.30")
    assert prove_totals(order).proven


@pytest.mark.parametrize("quantity", [0, -1])
def test_line_without_units_has_no_unit_price(quantity: int) -> None:
    order = mapped(line_items=[build.line(quantity=quantity, subtotal="0.00", total="0.00")])
    assert order.lines[0].unit_price is None


_CENTS = st.integers(0, 10**7)


def _text(minor: int, exponent: int) -> str:
    return f"{Decimal(minor).scaleb(-exponent):.{exponent}f}"


@st.composite
def bodies(draw: st.DrawFn) -> build.Json:
    currency, exponent = draw(st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))

    def money(values: st.SearchStrategy[int] = _CENTS) -> str:
        return _text(draw(values), exponent)

    def line(id_: int) -> build.Json:
        total, discount = draw(_CENTS), draw(_CENTS)
        return build.line(
            id=id_,
            quantity=draw(st.integers(1, 500)),
            subtotal=_text(total + discount, exponent),
            total=_text(total, exponent),
            total_tax=money(),
        )

    return build.order(
        currency=currency,
        line_items=[line(id_) for id_ in range(1, draw(st.integers(0, 5)) + 1)],
        shipping_lines=[build.shipping_line(total=money(), total_tax=money()) for _ in range(draw(st.integers(0, 2)))],
        fee_lines=[
            build.fee_line(total=money(st.integers(-(10**6), 10**6)), total_tax=money(st.integers(-(10**5), 10**5)))
            for _ in range(draw(st.integers(0, 2)))
        ],
        gift_cards=[{"id": 2, "code": "GIFT", "amount": money()} for _ in range(draw(st.integers(0, 2)))],
    )


@given(bodies(), st.sampled_from([-1, 1, 1000]))
def test_well_formed_order_is_proven_and_a_perturbed_one_is_not(body: build.Json, off: int) -> None:
    order = complete(build.delivery(body))
    assert prove_totals(order).proven
    smallest = Decimal(1).scaleb(-order.totals.total.shop.exponent)
    for figure in ("total", "total_tax"):
        perturbed = complete(build.delivery(body | {figure: str(Decimal(body[figure]) + off * smallest)}))
        assert not prove_totals(perturbed).proven


@given(bodies())
def test_unit_price_times_quantity_is_the_subtotal(body: build.Json) -> None:
    for line in complete(build.delivery(body)).lines:
        assert line.unit_price is None or (line.unit_price * line.quantity).shop.equals(line.subtotal.shop)


# -- status --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "paid", "state"),
    [
        ("pending", False, PaymentState.PENDING),
        ("failed", False, PaymentState.PENDING),
        ("on-hold", False, PaymentState.PENDING),
        ("processing", True, PaymentState.PAID),
        ("processing", False, PaymentState.PENDING),
        ("completed", True, PaymentState.PAID),
        ("completed", False, PaymentState.PENDING),
        ("refunded", True, PaymentState.REFUNDED),
        ("cancelled", False, PaymentState.VOIDED),
        ("cancelled", True, PaymentState.PAID),
        ("trash", False, PaymentState.VOIDED),
        ("awaiting-shipment", True, PaymentState.PENDING),
    ],
)
@pytest.mark.parametrize("field", ["date_paid", "date_paid_gmt"])
def test_payment_state(status: str, paid: bool, state: PaymentState, field: str) -> None:
    dates = {"date_paid": None, "date_paid_gmt": None} | ({field: "2026-11-23T09:02:09"} if paid else {})
    assert mapped(status=status, **dates).payment is state


@pytest.mark.parametrize(
    ("refunds", "state"),
    [
        (["-0.01"], PaymentState.PARTIALLY_REFUNDED),
        (["-5.00", "-7.49"], PaymentState.PARTIALLY_REFUNDED),
        (["-5.00", "-7.50"], PaymentState.REFUNDED),
        (["0.00"], PaymentState.PAID),
    ],
)
def test_refunds_decide_how_much_of_a_paid_order_stays_paid(refunds: list[str], state: PaymentState) -> None:
    summaries = [build.refund_summary(id=16 + index, total=total) for index, total in enumerate(refunds)]
    reading = read_order(build.delivery(build.order(refunds=summaries)))
    assert isinstance(reading, OrderHint)
    assert reading.partial is not None
    assert reading.partial.payment is state


def test_refund_of_an_unpaid_order_moves_no_money() -> None:
    reading = read_order(
        build.delivery(build.order(date_paid=None, date_paid_gmt=None, refunds=[build.refund_summary()]))
    )
    assert isinstance(reading, OrderHint)
    assert reading.partial is not None
    assert reading.partial.payment is PaymentState.PENDING


def test_unknown_status_is_reported_and_known_ones_are_not() -> None:
    assert mapped(status="awaiting-shipment").unknown_statuses == ("awaiting-shipment",)
    assert mapped(status="failed").unknown_statuses == ()


@pytest.mark.parametrize(("status", "reason"), [("cancelled", None), ("trash", "trashed")])
def test_cancelled_order_is_dated_by_its_last_change(status: str, reason: str | None) -> None:
    order = mapped(status=status)
    assert (order.cancelled_at, order.cancel_reason) == (order.updated_at, reason)
    assert order.lines[0].open_quantity == 0


@pytest.mark.parametrize("status", ["pending", "failed", "on-hold", "processing", "completed", "refunded", "new"])
def test_no_other_status_cancels(status: str) -> None:
    assert mapped(status=status).cancelled_at is None


@pytest.mark.parametrize(
    ("status", "open_quantity"), [("pending", 2), ("failed", 2), ("processing", 2), ("completed", 0), ("refunded", 0)]
)
def test_open_quantity(status: str, open_quantity: int) -> None:
    assert mapped(status=status, line_items=[build.line(quantity=2)]).lines[0].open_quantity == open_quantity


def test_completed_means_shipped() -> None:
    order = mapped(
        status="completed",
        date_completed_gmt="2026-11-24T08:00:00",
        line_items=[build.line(quantity=2), build.line(id=2, quantity=0)],
        meta_data=[
            build.meta(
                "_wc_shipment_tracking_items",
                [
                    {"tracking_provider": "", "custom_tracking_provider": "Kurier", "tracking_number": 34},
                    {"tracking_provider": "dhl", "custom_tracking_link": "https://track.example/1"},
                    "nonsense",
                ],
            ),
            build.meta("_wc_shipment_tracking_items", "serialised"),
        ],
    )
    [shipment] = order.fulfilments
    assert shipment.counts_as_shipped
    assert (shipment.id, shipment.created_at) == ("completed", parse_time("2026-11-24T08:00:00Z"))
    assert [(line.line_id, line.quantity) for line in shipment.lines] == [("1", 2)]
    assert shipment.parcels == (
        Parcel(carrier="Kurier", number="34", url=None),
        Parcel(carrier="dhl", number=None, url="https://track.example/1"),
    )


def test_completed_without_a_date_ships_at_the_last_change() -> None:
    order = mapped(status="completed")
    assert order.fulfilments[0].created_at == order.updated_at


@pytest.mark.parametrize(
    ("status", "completed", "shipments"),
    [("refunded", "2026-11-24T08:00:00", 1), ("refunded", None, 0), ("processing", "2026-11-24T08:00:00", 0)],
)
def test_refund_does_not_unship_but_reopening_does(status: str, completed: str | None, shipments: int) -> None:
    assert len(mapped(status=status, date_completed_gmt=completed).fulfilments) == shipments


# -- refunds -------------------------------------------------------------------------------------------------------


def refunded_order(*details: build.Json, **overrides: Any) -> Order:
    summaries = [
        build.refund_summary(id=detail["id"], total=f"-{detail['amount']}", reason=detail["reason"])
        for detail in details
    ]
    lines = [build.line(quantity=3, subtotal="37.50", total="37.50")]
    body = build.order(**({"line_items": lines, "refunds": summaries} | overrides))
    return complete(build.fetched(body, *details))


def test_fetched_refund_has_its_lines() -> None:
    order = refunded_order(build.refund_detail(line_items=[build.refunded_line(1, total_tax="-2.38")]))
    [refund] = order.refunds
    assert refund.lines_known
    assert (refund.amount, refund.created_at) == (amount("12.50"), parse_time("2026-11-23T10:00:00Z"))
    [line] = refund.lines
    assert (line.line_id, line.quantity, line.restock) == ("1", 1, RestockKind.UNKNOWN)
    assert (line.subtotal, line.tax) == (amount("12.50"), amount("2.38"))
    assert [(item.kind, item.amount) for item in refund.adjustments] == [("refund_discrepancy", amount("2.38"))]
    assert [(item.quantity, item.current_quantity, item.open_quantity) for item in order.lines] == [(3, 2, 2)]
    assert order.personal.refund_notes == {"16": "one broken"}
    assert order.payment is PaymentState.PARTIALLY_REFUNDED
    assert prove_totals(order).proven


def test_refund_of_shipping_and_fee() -> None:
    order = refunded_order(
        build.refund_detail(
            amount="7.90",
            shipping_lines=[{"id": 40, "total": "-4.90", "total_tax": "-0.93"}],
            fee_lines=[{"id": 41, "total": "-2.07", "total_tax": "0.00"}],
        )
    )
    assert [(item.kind, item.amount, item.tax) for item in order.refunds[0].adjustments] == [
        ("shipping_refund", amount("-4.90"), amount("-0.93")),
        ("fee_refund", amount("-2.07"), amount("0")),
    ]


def test_refund_of_an_amount_alone_leaves_the_units() -> None:
    order = refunded_order(build.refund_detail())
    assert order.refunds[0].lines == ()
    assert order.refunds[0].lines_known
    assert [(item.kind, item.amount) for item in order.refunds[0].adjustments] == [
        ("refund_discrepancy", amount("-12.50"))
    ]
    assert order.lines[0].current_quantity == 3


def test_refund_line_without_a_link_is_found_by_its_product() -> None:
    unlinked = build.refunded_line(1, meta_data=[])
    assert refunded_order(build.refund_detail(line_items=[unlinked])).refunds[0].lines[0].line_id == "1"


def test_refund_line_linked_to_a_line_that_is_gone_is_left_as_money() -> None:
    gone = build.refunded_line(99, product_id=77)
    refund = refunded_order(build.refund_detail(line_items=[gone])).refunds[0]
    assert (refund.lines, refund.adjustments[0].amount) == ((), amount("-12.50"))


def test_refund_line_that_could_be_several_is_left_as_money() -> None:
    order = refunded_order(
        build.refund_detail(line_items=[build.refunded_line(1, meta_data=[])]),
        line_items=[build.line(), build.line(id=2)],
    )
    assert order.refunds[0].lines == ()
    assert order.refunds[0].adjustments[0].amount == amount("-12.50")
    assert [line.current_quantity for line in order.lines] == [1, 1]


def test_more_units_refunded_than_sold_leave_none() -> None:
    order = refunded_order(build.refund_detail(line_items=[build.refunded_line(1, quantity=-9)]))
    assert order.lines[0].current_quantity == 0


def test_units_refunded_after_shipping_did_ship() -> None:
    def shipped(refunded_at: str) -> int:
        order = refunded_order(
            build.refund_detail(date_created_gmt=refunded_at, line_items=[build.refunded_line(1)]),
            status="completed",
            date_completed_gmt="2026-11-24T08:00:00",
        )
        assert (order.lines[0].current_quantity, order.lines[0].open_quantity) == (2, 0)
        return order.fulfilments[0].lines[0].quantity

    assert shipped("2026-11-24T07:59:59") == 2
    assert shipped("2026-11-24T08:00:00") == 3
    assert shipped("2026-11-24T08:00:01") == 3


def test_a_delivery_cannot_vouch_for_refund_lines() -> None:
    body = build.order(refunds=[build.refund_summary()], refund_details=[build.refund_detail()])
    reading = read_order(build.delivery(body))
    assert isinstance(reading, OrderHint)
    assert reading.reason == "refund_lines_missing"


def test_fetched_order_without_its_refunds_is_still_a_hint() -> None:
    body = build.order(refunds=[build.refund_summary()])
    assert isinstance(read_order(build.delivery(body, fetched=True)), OrderHint)


def test_refund_deleted_between_our_two_requests_does_not_ask_for_ever() -> None:
    body = build.order(refunds=[build.refund_summary()]) | {"refund_details": []}
    order = complete(build.delivery(body, fetched=True))
    assert [refund.lines_known for refund in order.refunds] == [False]


# -- the buyer, and what nobody asked for --------------------------------------------------------------------------


def test_buyer_is_only_in_the_personal_data() -> None:
    order = mapped(
        customer_note="Ring twice",
        line_items=[
            build.line(meta_data=[build.meta("Engraving", "For Zoë"), build.meta("pa", 1), build.meta("pa", 2)])
        ],
    )
    personal = order.personal
    assert (personal.email, personal.first_name, personal.note) == ("zoe@example.test", "Zoë", "Ring twice")
    assert (personal.ip_address, personal.user_agent) == ("192.0.2.7", "Browser/1.0")
    assert personal.line_properties == {"1": {"Engraving": "For Zoë", "pa": [1, 2]}}
    assert personal.billing_address is not None
    assert personal.billing_address.province_code == "DE-BE"
    rest = order.model_copy(update={"personal": type(personal)()}).model_dump_json()
    for word in ("Zoë", "Ünal", "zoe@", "Hauptstr", "192.0.2.7", "Ring twice", "030 1", "Browser"):
        assert word not in rest


@pytest.mark.parametrize("blank", [build.blank_address(), [], None, {}])
def test_blank_address_is_none(blank: Any) -> None:
    order = mapped(billing=blank, shipping=blank, customer_id=0)
    assert order.personal.billing_address is order.personal.shipping_address is None
    assert (order.personal.customer_id, order.personal.email) == (None, None)


def test_state_typed_by_the_buyer_is_no_code() -> None:
    address = mapped(billing=build.address(state="Louisiana")).personal.billing_address
    assert address is not None
    assert (address.province, address.province_code) == ("Louisiana", None)


def test_zero_and_blank_references_are_none() -> None:
    [line] = mapped(line_items=[build.line(product_id=0, variation_id="0", sku="  ")]).lines
    assert (line.product_id, line.variant_id, line.sku) == (None, None, None)
    assert (line.stock_tracked, line.requires_shipping) == (None, True)


@pytest.mark.parametrize("paid", [True, False])
def test_transaction_without_payment_date_is_pending(paid: bool) -> None:
    dates = {} if paid else {"date_paid": None, "date_paid_gmt": None}
    [transaction] = mapped(transaction_id="ch_1", payment_method="stripe", **dates).transactions
    assert (transaction.id, transaction.gateway, transaction.kind) == ("ch_1", "stripe", "sale")
    assert transaction.status == ("success" if paid else "pending")
    assert transaction.amount == Money.parse("12.50", "EUR")


def test_nothing_that_was_sent_is_lost() -> None:
    unknown = mapped(
        vat_number="DE1", line_items=[build.line(price=10.799999999999999, bundled_by="")]
    ).personal.unknown_fields
    assert unknown["vat_number"] == "DE1"
    assert unknown["line_items.0.price"] == "10.799999999999999"
    assert "line_items.0.bundled_by" not in unknown
    assert unknown["order_key"] == "wc_order_made_up"


def test_php_array_with_gaps_is_still_a_list() -> None:
    body = build.order()
    order = complete(build.delivery(body | {"line_items": {"0": build.line(), "2": build.line(id=2)}}))
    assert [line.id for line in order.lines] == ["1", "2"]


def test_numbers_and_text_are_read_alike() -> None:
    body = build.order()
    order = complete(
        build.delivery(body | {"id": "18", "number": 18, "total": 12.5, "line_items": [build.line(quantity="1")]})
    )
    assert order == complete(build.delivery(body)).model_copy(
        update={"version": order.version, "raw_sha256": order.raw_sha256}
    )


def test_order_survives_its_own_json() -> None:
    order = refunded_order(build.refund_detail(line_items=[build.refunded_line(1)]))
    assert Order.model_validate_json(order.model_dump_json()) == order


# -- hostile and broken plugins ------------------------------------------------------------------------------------

ODDITIES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", " ", "x", "1e999", "1e-999", "-0", "9" * 23, "0." + "1" * 40, "2026-11-23T09:02:09", "[]"]),
    st.sampled_from([[], {}, [[]], [None], [{}], {"0": {}}, {"id": 1}, [{"id": 1, "key": {}, "value": {}}]]),
)


def everything() -> build.Json:
    """An order in which every field that is read holds something."""
    return build.order(
        status="completed",
        date_completed_gmt="2026-11-24T08:00:00",
        line_items=[build.line(quantity=3, taxes=[{"id": 7, "total": "1.915966"}], meta_data=[build.meta("a", "b")])],
        shipping_lines=[build.shipping_line(taxes=[{"id": 7, "total": "0.78"}])],
        fee_lines=[build.fee_line(taxes=[{"id": 7, "total": "0.38"}])],
        coupon_lines=[build.coupon_line()],
        tax_lines=[build.tax_line()],
        gift_cards=[{"id": 2, "code": "ABCD", "amount": 1}],
        transaction_id="ch_1",
        meta_data=[build.meta("_wc_shipment_tracking_items", [{"tracking_number": "1"}])],
        refunds=[build.refund_summary()],
    ) | {
        "refund_details": [
            build.refund_detail(
                line_items=[build.refunded_line(1)],
                shipping_lines=[{"id": 40, "total": "-4.90", "total_tax": "-0.93"}],
                fee_lines=[{"id": 41, "total": "-2.07", "total_tax": "0.00"}],
            )
        ]
    }


def paths(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [here, *(path for key, item in children for path in paths(item, (*here, key)))]


def child(value: Any, key: Any) -> Any:
    """What is still there after an earlier oddity took the place of something above it."""
    try:
        return value[key]
    except (KeyError, IndexError, TypeError):
        return None


PATHS = [path for path in paths(everything()) if path and path[0] != "_links"]


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PATHS), ODDITIES), min_size=1, max_size=3))
def test_any_oddity_is_read_or_refused_and_never_a_crash(oddities: list[tuple[tuple[str | int, ...], Any]]) -> None:
    body: Any = everything()
    for (*parents, last), oddity in oddities:
        target = body
        for key in parents:
            target = child(target, key)
        if not isinstance(target, str) and child(target, last) is not None:
            target[last] = oddity
    with suppress(Rejected):
        reading = read_order(build.delivery(body, fetched=True))
        if isinstance(reading, CompleteOrder):
            prove_totals(reading.order)
            assert Order.model_validate_json(reading.order.model_dump_json()) == reading.order
