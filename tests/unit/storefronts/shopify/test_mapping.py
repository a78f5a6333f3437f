import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import shopify
from infra.samples.shopify import Json, Shop
from shared.kernel.errors import Rejected
from shared.kernel.money import Amount, Money
from shared.orders.models import FulfilmentLine, Order, PaymentState, RestockKind, Tender
from shared.orders.totals import prove_totals
from shared.storefronts.port import CompleteOrder, NothingToDo, OrderHint, Reading
from shared.storefronts.shopify.mapping import read_order
from shared.webhooks.delivery import Delivery

EUR = Shop("EUR")
CHF_TO_EUR = Shop("CHF", "EUR")
FIXTURES = Path(__file__).parents[5] / "shared" / "fixtures" / "shopify"


def read(body: Any, **overrides: Any) -> Order:
    reading = read_order(shopify.delivery(body, **overrides))
    assert isinstance(reading, CompleteOrder)
    return reading.order


def hint(body: Any, **overrides: Any) -> OrderHint:
    reading = read_order(shopify.delivery(body, **overrides))
    assert isinstance(reading, OrderHint)
    return reading


def refusal(body: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        read_order(shopify.delivery(body))
    return caught.value


def euros(text: str) -> Amount:
    return Amount.single(Money.parse(text, "EUR"))


def both(shop: str, buyer: str) -> Amount:
    return Amount(shop=Money.parse(shop, "CHF"), presentment=Money.parse(buyer, "EUR"))


# Whole orders


def test_an_order_is_read_with_its_identity_its_version_and_its_times() -> None:
    delivery = shopify.delivery(EUR.order())
    reading = read_order(delivery)
    assert isinstance(reading, CompleteOrder)
    order = reading.order
    assert (order.shop, order.order_id, order.gid, order.name) == (
        "aurora",
        "5001",
        "gid://shopify/Order/5001",
        "#1001",
    )
    assert order.version.updated_at == "2026-11-23T09:02:09.000000000Z"
    assert order.version.observed_at == shopify.TRIGGERED_AT
    assert order.version.body_sha256 == order.raw_sha256 == hashlib.sha256(delivery.body).hexdigest()
    assert not order.version.fetched
    assert order.created_at.isoformat() == "2026-11-23T09:02:08+00:00"
    assert order.payment is PaymentState.PAID
    assert prove_totals(order).proven
    assert order.totals.total.shop == Money.parse("17.40", "EUR")


@pytest.mark.parametrize("triggered_at", [None, "yesterday", "", "2099-01-01T00:00:00Z"])
def test_without_a_usable_trigger_time_the_account_is_as_old_as_its_receipt(triggered_at: str | None) -> None:
    assert read(EUR.order(), triggered_at=triggered_at).version.observed_at == shopify.RECEIVED_AT


def test_a_fetched_order_was_true_when_it_was_asked_for() -> None:
    version = read(EUR.order(), fetched=True).version
    assert version.fetched
    assert version.observed_at == shopify.RECEIVED_AT


def test_three_hundred_lines_are_all_read_and_proven() -> None:
    order = read(EUR.order(*(EUR.line(number, price="0.07", quantity=3) for number in range(1, 301))))
    assert len(order.lines) == 300
    assert prove_totals(order).proven
    assert order.totals.subtotal.shop == Money.parse("63.00", "EUR")


@pytest.mark.parametrize(
    ("currency", "price", "shipping", "minor"),
    [("JPY", "5900", "0", 5900), ("KWD", "1.234", "0.500", 1234), ("EUR", "12.50", "4.90", 1250)],
)
def test_each_currency_keeps_its_own_decimals(currency: str, price: str, shipping: str, minor: int) -> None:
    shop = Shop(currency)
    order = read(shop.order(shop.line(price=price), shipping_lines=[shop.shipping_line(shipping)]))
    unit = order.lines[0].unit_price
    assert unit is not None
    assert unit.shop.minor == minor
    assert prove_totals(order).proven


def test_both_currencies_are_kept_as_stated_and_neither_is_computed() -> None:
    line = CHF_TO_EUR.line(price=("10.00", "10.61"), quantity=2)
    body = CHF_TO_EUR.order(
        line, shipping_lines=[CHF_TO_EUR.shipping_line(("5.00", "5.30"))], tax=("2.00", "2.13"), tax_lines=[]
    )
    order = read(body)
    assert (order.currency, order.presentment_currency, order.exchange_rate) == ("CHF", "EUR", None)
    assert order.lines[0].subtotal == both("20.00", "21.22")
    assert order.totals.total == both("27.00", "28.65")
    assert prove_totals(order).proven


def test_a_tip_stated_in_the_shops_currency_alone_has_to_be_fetched() -> None:
    line = CHF_TO_EUR.line(price=("10.00", "10.61"))
    body = CHF_TO_EUR.order(line, shipping_lines=[], tip=("1.00", "1.06"))
    reading = hint(body)
    assert (reading.order_id, reading.reason) == ("5001", "amount_in_one_currency")
    assert reading.partial is not None
    assert reading.partial.totals.tips == both("1.00", "0")
    fetched = read(body | {"total_tip_received_set": CHF_TO_EUR.bag(("1.00", "1.06"))})
    assert fetched.totals.tips == both("1.00", "1.06")
    assert prove_totals(fetched).proven


def test_an_old_body_without_sets_is_kept_in_the_shops_currency() -> None:
    body = {name: value for name, value in EUR.order(tip="2.00").items() if not name.endswith("_set")}
    body = {name: value for name, value in body.items() if not name.startswith("current_")}
    body.pop("admin_graphql_api_id")
    body["presentment_currency"] = "USD"
    for part in (*body["line_items"], *body["shipping_lines"]):
        for name in [
            name for name in part if name.endswith("_set") or name in ("current_quantity", "admin_graphql_api_id")
        ]:
            del part[name]
    order = read(body)
    assert (order.order_id, order.gid, order.presentment_currency) == ("5001", None, "EUR")
    assert order.current_totals.total is None
    assert order.lines[0].current_quantity == 1
    assert prove_totals(order).proven


# Price parts


def test_discounts_keep_their_application_and_the_order_its_codes() -> None:
    line = EUR.line(price="20.00", discount_allocations=[EUR.allocation("3.00", 0), EUR.allocation("1.00", 1)])
    applications = [
        {
            "type": "discount_code",
            "code": "TEN",
            "value": "3.0",
            "value_type": "fixed_amount",
            "target_type": "line_item",
        },
        {"type": "automatic", "title": "Autumn", "value": "5.0", "value_type": "percentage", "target_selection": "all"},
    ]
    shipping = EUR.shipping_line("6.00", discounted="1.00", discount_allocations=[EUR.allocation("5.00", 1)])
    order = read(
        EUR.order(
            line,
            shipping_lines=[shipping],
            discount_applications=applications,
            discount_codes=[{"code": "TEN", "amount": "3.00", "type": "fixed_amount"}],
        )
    )
    assert [(d.amount, d.application) for d in order.lines[0].discounts] == [(euros("3.00"), 0), (euros("1.00"), 1)]
    assert [(a.kind, a.code, a.title) for a in order.discount_applications] == [
        ("discount_code", "TEN", None),
        ("automatic", None, "Autumn"),
    ]
    assert order.discount_codes == ("TEN",)
    assert order.shipping_lines[0].price == euros("6.00")
    assert order.totals.shipping == order.shipping_lines[0].discounted_price == euros("1.00")
    assert prove_totals(order).proven


def test_a_removed_shipping_line_is_kept_and_not_counted() -> None:
    lines = [EUR.shipping_line("4.90"), EUR.shipping_line("9.00", id=302, is_removed=True)]
    order = read(EUR.order(shipping_lines=[lines[0]]) | {"shipping_lines": lines})
    assert [line.removed for line in order.shipping_lines] == [False, True]
    assert order.totals.shipping == euros("4.90")
    assert prove_totals(order).proven


@pytest.mark.parametrize("included", [False, True])
def test_taxes_are_added_or_included_and_the_rate_stays_text(included: bool) -> None:
    tax = EUR.tax("2.00", Decimal("0.19"))
    order = read(EUR.order(EUR.line(tax_lines=[tax]), tax="2.00", taxes_included=included, tax_lines=[tax]))
    assert order.taxes_included is included
    assert (order.taxes[0].rate, order.taxes[0].amount, order.taxes[0].channel_liable) == ("0.19", euros("2.00"), False)
    assert order.lines[0].taxes == order.taxes
    assert order.totals.total == euros("17.40" if included else "19.40")
    assert prove_totals(order).proven


def test_a_tip_is_money_and_no_goods() -> None:
    tip = EUR.line(9, price="3.00", title="Tip", product_id=None, sku=None, tip={"payment_gateway": "bogus"})
    order = read(EUR.order(EUR.line(), tip, tip="3.00"))
    assert [line.id for line in order.lines] == ["1"]
    assert order.totals.tips == euros("3.00")
    assert order.personal.unknown_fields["tip_lines.9"] == {"title": "Tip", "quantity": 1, "price": "3.00"}
    assert prove_totals(order).proven


@pytest.mark.parametrize("included", [False, True])
def test_duties_are_added_or_included(included: bool) -> None:
    line = EUR.line(duties=[EUR.duty("1.50")])
    order = read(EUR.order(line, duties_included=included, original_total_duties_set=EUR.bag("1.50")))
    duty = order.lines[0].duties[0]
    assert (duty.amount, duty.harmonised_code, duty.country_of_origin) == (euros("1.50"), "691110", "CN")
    assert order.totals.duties == euros("1.50")
    assert order.totals.total == euros("17.40" if included else "18.90")
    assert prove_totals(order).proven


def test_additional_fees_are_itemised_where_the_body_does_so() -> None:
    stated: Json = {"original_total_additional_fees_set": EUR.bag("2.50")}
    order = read(EUR.order(**stated))
    assert [(fee.id, fee.amount) for fee in order.fees] == [("additional_fees", euros("2.50"))]
    assert prove_totals(order).proven
    fees = [
        {"id": "1", "name": "Gift wrap", "price_set": EUR.bag("2.00"), "tax_lines": [EUR.tax("0.32")]},
        {"id": "2", "name": "Import", "price_set": EUR.bag("0.50"), "tax_lines": []},
    ]
    order = read(EUR.order(**stated, additional_fees=fees))
    assert [(fee.title, fee.amount) for fee in order.fees] == [("Gift wrap", euros("2.00")), ("Import", euros("0.50"))]
    assert order.totals.fees == euros("2.50")


def test_cash_rounding_is_kept_for_payments_and_refunds() -> None:
    order = read(
        EUR.order(
            source_name="pos",
            customer=None,
            billing_address=None,
            shipping_address=None,
            email="",
            contact_email=None,
            shipping_lines=[],
            total_cash_rounding_payment_adjustment_set=EUR.bag("-0.02"),
            total_cash_rounding_refund_adjustment_set=EUR.bag("0.01"),
        )
    )
    assert order.source == "pos"
    assert order.cash_rounding is not None
    assert (order.cash_rounding.payment, order.cash_rounding.refund) == (euros("-0.02"), euros("0.01"))
    assert (order.personal.customer_id, order.personal.email, order.personal.shipping_address) == (None, None, None)
    assert prove_totals(order).proven


def test_what_a_gift_card_paid_has_to_be_fetched() -> None:
    names = ["gift_card", "shopify_payments"]
    assert hint(EUR.order(payment_gateway_names=names)).reason == "tender_amounts_missing"
    paid = [
        EUR.transaction(901, "5.00", gateway="gift_card", receipt={"gift_card_last_characters": "x7k2"}),
        EUR.transaction(902, "2.00", gateway="shopify_store_credit", amount_set=EUR.bag("2.00")),
        EUR.transaction(903, "10.40"),
        EUR.transaction(904, "9.00", gateway="gift_card", status="failure"),
        EUR.transaction(905, "9.00", gateway="gift_card", kind="authorization"),
    ]
    order = read(EUR.order(payment_gateway_names=names, transactions=paid))
    assert order.tenders == (
        Tender(kind="gift_card", id="901", amount=euros("5.00"), last_characters="x7k2"),
        Tender(kind="store_credit", id="902", amount=euros("2.00")),
    )
    assert [(t.id, t.status, t.amount) for t in order.transactions][2] == (
        "903",
        "success",
        Money.parse("10.40", "EUR"),
    )
    assert not order.totals.gift_cards
    assert prove_totals(order).proven


# Lines and stock


def test_a_custom_line_has_no_product_and_no_stock() -> None:
    custom = EUR.line(
        product_id=None, variant_id=None, sku="", variant_inventory_management=None, requires_shipping=False
    )
    line = read(EUR.order(custom)).lines[0]
    assert (line.product_id, line.variant_id, line.sku, line.stock_tracked) == (None, None, None, None)
    assert not line.requires_shipping


def test_whether_stock_is_counted_is_only_said_where_the_storefront_says_it() -> None:
    silent = EUR.line(3)
    del silent["variant_inventory_management"]
    lines = (EUR.line(1), EUR.line(2, gift_card=True), silent, EUR.line(4, variant_inventory_management=None))
    assert [line.stock_tracked for line in read(EUR.order(*lines)).lines] == [True, False, None, False]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"fulfillable_quantity": 3, "current_quantity": 5}, 3),
        ({"fulfillable_quantity": 5, "current_quantity": 2}, 2),
        ({"fulfillable_quantity": None, "current_quantity": 4}, 3),
        ({"fulfillable_quantity": 0, "current_quantity": 5}, 0),
    ],
)
def test_open_units_are_what_can_still_be_shipped(overrides: Json, expected: int) -> None:
    line = EUR.line(quantity=5, **overrides)
    shipped = EUR.fulfilment(EUR.line(quantity=1))
    failed = EUR.fulfilment(EUR.line(quantity=2), number=502, status="cancelled")
    assert read(EUR.order(line, fulfillments=[shipped, failed])).lines[0].open_quantity == expected


def test_nothing_is_open_in_a_cancelled_order() -> None:
    order = read(EUR.order(cancelled_at=shopify.UPDATED_AT, cancel_reason="customer"))
    assert order.lines[0].open_quantity == 0
    assert (order.cancelled_at, order.cancel_reason) == (order.updated_at, "customer")


def test_an_edited_order_is_read_as_placed_and_as_it_stands() -> None:
    kept, removed = EUR.line(1, quantity=2), EUR.line(2, quantity=1, current_quantity=0, fulfillable_quantity=0)
    order = read(EUR.order(kept, removed, current_subtotal_price_set=EUR.bag("25.00")))
    assert [(line.quantity, line.current_quantity, line.open_quantity) for line in order.lines] == [
        (2, 2, 2),
        (1, 0, 0),
    ]
    assert order.totals.subtotal == euros("37.50")
    assert order.current_totals.subtotal == euros("25.00")


def test_shipments_name_their_lines_and_every_parcel() -> None:
    shipped = EUR.fulfilment(
        EUR.line(1, quantity=2),
        tracking_numbers=["T1", "T2"],
        tracking_urls=["https://track.example/T1", "https://track.example/T2"],
        shipment_status="in_transit",
    )
    fulfilment = read(EUR.order(EUR.line(1, quantity=3), fulfillments=[shipped])).fulfilments[0]
    assert fulfilment.lines == (FulfilmentLine(line_id="1", quantity=2),)
    assert [(parcel.carrier, parcel.number) for parcel in fulfilment.parcels] == [("DHL", "T1"), ("DHL", "T2")]
    assert (fulfilment.status, fulfilment.shipment_status, fulfilment.location_id) == ("success", "in_transit", "61")


def test_old_bodies_leave_the_current_units_to_be_told_by_the_refunds() -> None:
    line = EUR.line(quantity=5, fulfillable_quantity=None)
    del line["current_quantity"]
    refund = EUR.refund(refund_line_items=[EUR.refund_line(line, quantity=2)])
    read_line = read(EUR.order(line, refunds=[refund], fulfillments=[EUR.fulfilment(EUR.line())])).lines[0]
    assert (read_line.quantity, read_line.current_quantity, read_line.open_quantity) == (5, 3, 2)


# Refunds


def test_a_refund_is_the_money_that_went_back_and_the_goods_that_came() -> None:
    line = EUR.line(1, price="10.00", quantity=4, current_quantity=1)
    adjustment = {
        "kind": "shipping_refund",
        "reason": "Shipping refund",
        "amount": "-4.90",
        "amount_set": EUR.bag("-4.90"),
        "tax_amount": "0.00",
        "tax_amount_set": EUR.bag("0.00"),
    }
    refund = EUR.refund(
        note="Broken",
        refund_line_items=[
            EUR.refund_line(line, restock="cancel"),
            EUR.refund_line(line, restock="return", total_tax=1.9, total_tax_set=EUR.bag("1.90")),
            EUR.refund_line(line, restock="no_restock"),
            EUR.refund_line(line, restock="legacy_restock"),
            EUR.refund_line(line, restock="teleport"),
        ],
        order_adjustments=[adjustment],
        duties=[{"duty_id": 1, "amount_set": EUR.bag("1.50")}],
        transactions=[
            EUR.transaction(911, "20.00", kind="refund", parent_id=901),
            EUR.transaction(912, "5.00", kind="refund", status="failure"),
            EUR.transaction(913, "7.00", kind="void"),
        ],
    )
    order = read(EUR.order(line, refunds=[refund], financial_status="partially_refunded"))
    (read_refund,) = order.refunds
    assert read_refund.amount == euros("20.00")
    assert [item.restock for item in read_refund.lines] == [
        RestockKind.CANCELLED_BEFORE_SHIPPING,
        RestockKind.RETURNED,
        RestockKind.NOT_RESTOCKED,
        RestockKind.RETURNED,
        RestockKind.UNKNOWN,
    ]
    assert read_refund.lines[1].tax == euros("1.90")
    assert read_refund.lines[0].subtotal == euros("10.00")
    assert [(item.kind, item.amount) for item in read_refund.adjustments] == [("shipping_refund", euros("-4.90"))]
    assert read_refund.duties[0].amount == euros("1.50")
    assert [item.id for item in read_refund.transactions] == ["911", "912", "913"]
    assert order.personal.refund_notes == {"401": "Broken"}
    assert order.payment is PaymentState.PARTIALLY_REFUNDED


def test_shipping_given_back_is_counted_once_in_either_form() -> None:
    shipping = {"id": 1, "subtotal_amount_set": EUR.bag("4.90"), "tax_amount_set": EUR.bag("0.93")}
    adjustment = {"kind": "shipping_refund", "amount_set": EUR.bag("-4.90"), "tax_amount_set": EUR.bag("-0.93")}
    for parts in (
        {"refund_shipping_lines": [shipping]},
        {"order_adjustments": [adjustment]},
        {"refund_shipping_lines": [shipping], "order_adjustments": [adjustment]},
    ):
        (item,) = read(EUR.order(refunds=[EUR.refund(**parts)])).refunds[0].adjustments
        assert (item.kind, item.amount, item.tax) == ("shipping_refund", euros("-4.90"), euros("-0.93"))


def test_an_order_after_a_refund_is_proven_as_it_stands() -> None:
    line = EUR.line(price="10.00", quantity=2, current_quantity=1)
    refund = EUR.refund(refund_line_items=[EUR.refund_line(line)])
    body = EUR.order(line, refunds=[refund]) | {
        "subtotal_price": "10.00",
        "subtotal_price_set": EUR.bag("10.00"),
        "current_subtotal_price_set": EUR.bag("10.00"),
        "current_total_price_set": EUR.bag("14.90"),
    }
    assert prove_totals(read(body)).proven


@pytest.mark.parametrize("currency", [None, "XXX"])
def test_a_refund_without_currency_is_in_that_of_the_order(currency: str | None) -> None:
    refund = EUR.refund(
        refund_line_items=[
            EUR.refund_line(EUR.line(), subtotal_set={"shop_money": {"amount": "1.0", "currency_code": currency}})
        ],
        transactions=[EUR.transaction(kind="refund", amount="3.00", currency=currency)],
    )
    read_refund = read(EUR.order(refunds=[refund])).refunds[0]
    assert read_refund.amount == euros("3.00")
    assert read_refund.lines[0].subtotal == euros("1.0")


def test_a_refund_told_in_the_buyers_currency_alone_has_to_be_fetched() -> None:
    line = CHF_TO_EUR.line(price=("10.00", "10.61"))
    paid_back = CHF_TO_EUR.transaction(911, ("10.00", "10.61"), kind="refund")
    body = CHF_TO_EUR.order(line, shipping_lines=[], refunds=[CHF_TO_EUR.refund(transactions=[paid_back])])
    reading = hint(body)
    assert reading.reason == "amount_in_one_currency"
    assert reading.partial is not None
    assert reading.partial.refunds[0].amount == both("0", "10.61")
    paid_back["amount_set"] = CHF_TO_EUR.bag(("10.00", "10.61"))
    assert read(body).refunds[0].amount == both("10.00", "10.61")


# Ids


def test_rounded_ids_are_taken_from_the_global_ids() -> None:
    line = EUR.line(866550311766439020)
    line["id"] = 866550311766439000
    copy = dict(line)
    del copy["admin_graphql_api_id"]
    refund = EUR.refund(refund_line_items=[EUR.refund_line(copy)])
    body = EUR.order(line, refunds=[refund], fulfillments=[EUR.fulfilment(copy)])
    body |= {"id": 820982911946154500, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"}
    order = read(body)
    assert order.order_id == "820982911946154508"
    exact = "866550311766439020"
    assert order.lines[0].id == exact
    assert order.refunds[0].lines[0].line_id == exact
    assert order.fulfilments[0].lines[0].line_id == exact


def test_a_rounded_id_of_two_lines_has_to_be_fetched_unless_the_global_id_tells() -> None:
    lines = [EUR.line(866550311766439020), EUR.line(866550311766439021)]
    for line in lines:
        line["id"] = 866550311766439000
    copy = dict(lines[1])
    body = EUR.order(*lines, fulfillments=[EUR.fulfilment(copy)])
    assert read(body).fulfilments[0].lines[0].line_id == "866550311766439021"
    del copy["admin_graphql_api_id"]
    body["fulfillments"] = [EUR.fulfilment(copy)]
    assert hint(body).reason == "ambiguous_line_ids"
    for line in lines:
        line.pop("admin_graphql_api_id")
    assert hint(EUR.order(*lines)).reason == "ambiguous_line_ids"


# States, the buyer, and what nobody knows


@pytest.mark.parametrize(
    ("vendor", "state", "unknown"),
    [
        ("pending", PaymentState.PENDING, ()),
        ("authorized", PaymentState.AUTHORISED, ()),
        ("AUTHORIZED", PaymentState.AUTHORISED, ()),
        ("partially_paid", PaymentState.PARTIALLY_PAID, ()),
        ("paid", PaymentState.PAID, ()),
        ("partially_refunded", PaymentState.PARTIALLY_REFUNDED, ()),
        ("refunded", PaymentState.REFUNDED, ()),
        ("voided", PaymentState.VOIDED, ()),
        ("expired", PaymentState.VOIDED, ()),
        (None, PaymentState.PENDING, ()),
        ("levitating", PaymentState.PENDING, ("financial_status:levitating",)),
    ],
)
def test_payment_states(vendor: str | None, state: PaymentState, unknown: tuple[str, ...]) -> None:
    order = read(EUR.order(financial_status=vendor))
    assert (order.payment, order.vendor_payment_status, order.unknown_statuses) == (state, vendor, unknown)


def test_an_unknown_fulfilment_status_is_reported() -> None:
    assert read(EUR.order(fulfillment_status="teleported")).unknown_statuses == ("fulfillment_status:teleported",)
    assert read(EUR.order(fulfillment_status="partial")).unknown_statuses == ()


@pytest.mark.parametrize(
    ("recommendation", "level"),
    [("ACCEPT", "low"), ("INVESTIGATE", "medium"), ("CANCEL", "high"), ("NONE", "none"), ("NEW_WORD", None)],
)
def test_the_storefronts_own_judgement_of_risk(recommendation: str, level: str | None) -> None:
    assert read(EUR.order(risk={"recommendation": recommendation})).risk_level == level
    assert read(EUR.order()).risk_level is None


def test_the_buyer_is_kept_apart_from_the_order() -> None:
    order = read(
        EUR.order(
            EUR.line(properties=[{"name": "Engraving", "value": "For Ada"}, {"name": "Gift", "value": True}]),
            note="Ring twice",
            note_attributes=[{"name": "Door", "value": "red"}, {"name": "Door", "value": 2}],
            tags="vip, first order",
        )
    )
    personal = order.personal
    assert (personal.customer_id, personal.email, personal.phone) == ("207", "zoe@example.test", "+49 30 2")
    assert personal.shipping_address is not None
    assert (personal.shipping_address.postal_code, personal.shipping_address.country_code) == ("10115", "DE")
    assert personal.line_properties == {"1": {"Engraving": "For Ada", "Gift": True}}
    assert personal.attributes == {"Door": ["red", 2]}
    assert (personal.note, personal.ip_address, personal.user_agent) == ("Ring twice", "203.0.113.7", "Browser/1")
    assert order.tags == ("vip", "first order")
    apart = order.model_dump_json(exclude={"personal"})
    for secret in ("Zoë", "zoe@", "Hauptstr", "203.0.113.7", "Ada", "Ring twice", "Browser/1", "+49"):
        assert secret not in apart


def test_what_no_field_holds_is_kept_by_its_path() -> None:
    order = read(EUR.order(EUR.line(novelty={"weight": 1.5}), tomorrow=[1, "two"]))
    unknown = order.personal.unknown_fields
    assert unknown["tomorrow"] == [1, "two"]
    assert unknown["line_items.0.novelty"] == {"weight": "1.5"}
    assert unknown["customer.state"] == "disabled"


def test_a_buyer_whose_data_is_withheld() -> None:
    withheld = dict.fromkeys(shopify.customer(), None) | {"id": 207}
    order = read(EUR.order(customer=withheld, email=None, contact_email=None, phone=None, shipping_address=None))
    assert (order.personal.customer_id, order.personal.email, order.personal.first_name) == ("207", None, None)


def test_the_bodys_own_word_on_being_a_test_outweighs_the_header() -> None:
    assert not read(EUR.order(test=False), test=True).test
    assert read(EUR.order(test=None), test=True).test


# Hints


def test_an_edit_is_a_hint_to_its_order() -> None:
    edit = {"order_edit": {"id": 789, "order_id": 5001, "line_items": {"additions": [{"id": 1, "delta": 1}]}}}
    assert hint(edit, topic="orders/edited") == OrderHint("5001", "delta")


@pytest.mark.parametrize(
    ("body", "topic"),
    [
        (EUR.refund(), "refunds/create"),
        (EUR.fulfilment(EUR.line()), "fulfillments/update"),
        (EUR.transaction(order_id=5001), "order_transactions/create"),
    ],
)
def test_a_part_of_an_order_is_a_hint_to_it(body: Json, topic: str) -> None:
    assert hint(body, topic=topic) == OrderHint("5001", "delta")


def test_an_exact_global_id_of_the_order_is_preferred() -> None:
    body = {"order_id": 820982911946154500, "admin_graphql_api_order_id": "gid://shopify/Order/820982911946154508"}
    assert hint(body).order_id == "820982911946154508"
    thin = {"id": 820982911946154500, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"}
    assert hint(thin).order_id == "820982911946154508"


def test_a_thin_body_is_a_hint_and_says_whether_it_was_a_deletion() -> None:
    assert hint({"id": 5001}) == OrderHint("5001", "thin")
    assert hint({"id": 5001}, topic="orders/delete") == OrderHint("5001", "deleted")


def test_an_altered_topic_changes_nothing_but_the_reason() -> None:
    assert read(EUR.order(), topic="orders/delete") == read(EUR.order(), topic="orders/updated")
    assert hint(EUR.refund(), topic="orders/create").order_id == "5001"


# Refusals


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": None}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"created_at": "soon"}, "created_at"),
        ({"updated_at": None}, "updated_at"),
        ({"id": None}, "id"),
        ({"total_price": None, "total_price_set": None}, "total_price"),
        ({"total_price_set": {"shop_money": {"amount": "NaN"}}}, "total_price"),
        ({"total_price_set": {"shop_money": {"amount": "1", "currency_code": "USD"}}}, "total_price"),
        ({"subtotal_price_set": {"shop_money": {}}}, "subtotal_price"),
        ({"line_items": {}}, "line_items"),
        ({"line_items": [EUR.line() | {"quantity": "many"}]}, "line_items.0.quantity"),
        ({"line_items": [EUR.line(quantity=10**40, price="9")]}, "minor"),
        ({"line_items": [EUR.line(price_set=None, price="-")]}, "line_items.0.price"),
        ({"refunds": [EUR.refund(created_at="x")]}, "refunds.0.created_at"),
        ({"fulfillments": [EUR.fulfilment({"quantity": 1})]}, "fulfillments.0.line_items.0.id"),
        ({"admin_graphql_api_id": "gid://shopify/DraftOrder/1"}, "admin_graphql_api_id"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(change: Json, field: str) -> None:
    assert refusal(EUR.order() | change).field == field


@pytest.mark.parametrize(
    "body", [[], "text", 5, None, {}, {"id": {}}, {"id": True}, {"order_id": []}, {"order_edit": {}}]
)
def test_what_is_no_order_at_all_is_refused(body: Any) -> None:
    assert refusal(body).code == "invalid_payload"


def test_a_refusal_quotes_nothing_of_the_buyer() -> None:
    error = refusal(EUR.order(shipping_address=shopify.address(city=["Secretville"]), note={"a": "Secretville"}))
    assert error.field in {"shipping_address.city", "note"}
    assert "Secretville" not in str(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(EUR.order())), inner, max_size=5)
        ),
        max_leaves=12,
    )
)
def test_no_shape_of_a_field_breaks_anything(value: Any) -> None:
    for body in (value, EUR.order() | (value if isinstance(value, dict) else {"line_items": value})):
        assert isinstance(reading_or_refusal(shopify.delivery(body)), CompleteOrder | OrderHint | Rejected)


# Totals, for any order


PRICES = st.integers(min_value=0, max_value=10**7)
TURNS = st.integers(min_value=1, max_value=10**7)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Shop, Json]:
    currency, presentment, places = draw(
        st.sampled_from(
            [("EUR", "EUR", (2, 2)), ("JPY", "JPY", (0, 0)), ("KWD", "KWD", (3, 3)), ("CHF", "JPY", (2, 0))]
        )
    )
    shop = Shop(currency, presentment)

    def price(strategy: st.SearchStrategy[int] = PRICES) -> tuple[str, str]:
        stated = draw(strategy)
        buyer = stated if currency == presentment else draw(strategy)
        return str(Decimal(stated).scaleb(-places[0])), str(Decimal(buyer).scaleb(-places[1]))

    lines = [
        shop.line(number, price=price(), quantity=draw(st.integers(1, 50)))
        | {"discount_allocations": [shop.allocation(price()) for _ in range(draw(st.integers(0, 2)))]}
        for number in range(1, draw(st.integers(1, 5)) + 1)
    ]
    tip = price() if currency == presentment else ("0", "0")
    body = shop.order(
        *lines,
        tax=price(),
        tip=tip,
        taxes_included=draw(st.booleans()),
        duties_included=draw(st.booleans()),
        original_total_duties_set=draw(st.none() | st.just(shop.bag(price()))),
        original_total_additional_fees_set=draw(st.none() | st.just(shop.bag(price()))),
        shipping_lines=[shop.shipping_line(price(), id=number) for number in range(draw(st.integers(0, 3)))],
    )
    return shop, body


@given(orders())
def test_a_well_formed_order_is_proven_in_both_currencies(made: tuple[Shop, Json]) -> None:
    order = read(made[1])
    assert prove_totals(order).proven
    assert read_order(shopify.delivery(made[1])) == CompleteOrder(order)


@given(orders(), TURNS, st.sampled_from(["shop_money", "presentment_money"]), st.data())
def test_one_wrong_figure_is_found(made: tuple[Shop, Json], by: int, side: str, data: st.DataObject) -> None:
    _, body = made
    figures = [body["total_price_set"], body["subtotal_price_set"], *(line["price_set"] for line in body["line_items"])]
    figures += [line["discounted_price_set"] for line in body["shipping_lines"]]
    figures += [allocation["amount_set"] for line in body["line_items"] for allocation in line["discount_allocations"]]
    figures += [] if body["taxes_included"] else [body["total_tax_set"]]
    wrong = data.draw(st.sampled_from(figures))[side]
    wrong["amount"] = str(Decimal(wrong["amount"]) + by)
    assert not prove_totals(read(body)).proven


# Bodies that Shopify really sent, where they are at hand


def genuine() -> list[Path]:
    return sorted(FIXTURES.glob("*order*.json"))


def bodies(path: Path) -> list[bytes]:
    """The bodies in a sample file: REST answers wrap what a webhook sends bare."""
    raw = path.read_bytes()
    content = json.loads(raw)
    if isinstance(content, dict) and set(content) == {"order"}:
        return [json.dumps(content["order"]).encode()]
    if isinstance(content, dict) and set(content) == {"orders"}:
        return [json.dumps(order).encode() for order in content["orders"]]
    return [raw]


def reading_or_refusal(delivery: Delivery) -> Reading | Rejected:
    try:
        return read_order(delivery)
    except Rejected as error:
        return error


@pytest.mark.parametrize("path", genuine(), ids=lambda path: path.stem)
def test_every_sample_is_read_hinted_or_refused_by_field(path: Path) -> None:
    for body in bodies(path):
        result = reading_or_refusal(shopify.delivery(body))
        assert not isinstance(result, NothingToDo)
        if isinstance(result, Rejected):
            assert result.field


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in genuine()
        if path.stem.startswith(("jpy_order", "hkd_order", "pln_order_1", "rest2022-04_order"))
    ],
    ids=lambda path: path.stem,
)
def test_every_genuine_order_is_proven(path: Path) -> None:
    for body in bodies(path):
        assert prove_totals(read(body)).proven
