"""What an order comes to in money: every document adds up, and owed is what the storefront says."""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import shopify, woocommerce
from infra.samples.shopify import Shop
from shared.finance.models import Document, OrderStatement, TaxShare
from shared.finance.parting import apportion, proportion
from shared.finance.statements import EDIT, statement_of
from shared.kernel.errors import Rejected
from shared.kernel.money import Amount, Money, currency_exponent
from shared.orders.models import (
    CashRounding,
    CurrentTotals,
    DiscountAllocation,
    Duty,
    Fee,
    Order,
    PaymentState,
    PersonalData,
    Refund,
    RefundAdjustment,
    RefundLine,
    RestockKind,
    ShippingLine,
    TaxLine,
    Tender,
    Totals,
    Transaction,
)
from shared.storefronts.port import CompleteOrder, OrderHint
from shared.storefronts.shopify.mapping import read_order as read_shopify
from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce
from tests.builders import orders

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"


def eur(text: str) -> Amount:
    return Amount.single(Money.parse(text, "EUR"))


def totals(total: str, **parts: str) -> Totals:
    names = ("subtotal", "discounts", "shipping", "fees", "duties", "tips", "tax", "gift_cards")
    return Totals(**{name: eur(parts.get(name, "0")) for name in names}, total=eur(total))


def vat(amount: str, rate: str = "0.190", **overrides: Any) -> TaxLine:
    return TaxLine(**({"title": "VAT", "rate": rate, "amount": eur(amount)} | overrides))


def sale(number: str, amount: str, gateway: str = "stripe", **overrides: Any) -> Transaction:
    fields = {"id": number, "parent_id": None, "kind": "sale", "status": "success", "gateway": gateway}
    return Transaction(**(fields | {"amount": Money.parse(amount, "EUR"), "processed_at": orders.NOON} | overrides))


def paid_back(number: str, amount: str, **overrides: Any) -> Refund:
    money = sale(f"t{number}", amount, kind="refund", parent_id="t1")
    fields: dict[str, Any] = {"id": number, "created_at": orders.NOON, "amount": eur(amount), "transactions": (money,)}
    return Refund(**(fields | overrides))


def in_currencies(shop: str, buyer: str, sums: Totals) -> Order:
    line = orders.line(subtotal=sums.total)
    changes = {"lines": (line,), "currency": shop, "presentment_currency": buyer, "totals": sums}
    return orders.order().model_copy(update=changes)


def sum_of(document: Document) -> int:
    charges = document.shipping + document.fees + document.duties + document.tips + document.adjustment
    goods = sum(line.net for line in document.lines)
    return goods + charges + sum(tax.amount for tax in document.taxes) - document.gift_cards_deducted


def rounded(money: Money) -> int:
    return round(Fraction(money.minor, 10 ** (money.exponent - currency_exponent(money.currency))))


def require_sound(statement: OrderStatement, order: Order) -> None:
    for document in (*([statement.sale] if statement.sale else []), *statement.reductions):
        assert sum_of(document) == document.total, document.id
    if statement.sale is None:
        assert order.test or order.cancelled_at
        assert statement.owed == 0
        return
    assert order.cash_rounding or statement.sale.total == rounded(order.totals.total.shop)
    less_refunds = statement.sale.total - sum(rounded(refund.amount.shop) for refund in order.refunds)
    now = order.current_totals.total
    expected = less_refunds if now is None else min(less_refunds, rounded(now.shop))
    assert order.cash_rounding or statement.owed == expected
    text = statement.model_dump_json()
    for personal in (order.personal.email, order.personal.last_name, order.personal.phone):
        assert not personal or personal not in text


# ---- a sale ---------------------------------------------------------------------------------------------------------


def test_tax_is_taken_out_of_prices_that_contain_it() -> None:
    mug = orders.line(units=2, subtotal=eur("23.80"), discounts=(DiscountAllocation(amount=eur("5"), application=0),))
    mug = mug.model_copy(update={"taxes": (vat("3.00"),)})
    shipping = ShippingLine(id="1", title="DHL", price=eur("5.95"), discounted_price=eur("5.95"), taxes=(vat("0.95"),))
    order = orders.order(mug, shipping_lines=(shipping,), totals=totals("24.75", tax="3.95"))

    document = statement_of(order, 3).sale

    assert document is not None
    assert [(line.units, line.net) for line in document.lines] == [(2, 1580)]
    assert document.shipping == 500
    assert document.taxes == (TaxShare(country="DE", region=None, title="VAT", rate="0.19", amount=395),)
    assert (document.adjustment, document.total) == (0, 2475)


def test_every_part_of_a_total_has_its_place() -> None:
    mug = orders.line(subtotal=eur("10"), taxes=(vat("1.90"), vat("0.50", "0.05", title="City")))
    mug = mug.model_copy(update={"duties": (Duty(id="d", amount=eur("2"), taxes=()),)})
    order = orders.order(
        mug,
        taxes_included=False,
        fees=(Fee(id="f", title="Wrap", amount=eur("3"), taxes=(vat("0.57"),)),),
        totals=totals("17.00", tips="1.03", gift_cards="4", duties="2", fees="3", tax="2.97"),
    )

    document = statement_of(order, 1).sale

    assert document is not None
    figures = (document.fees, document.duties, document.tips, document.gift_cards_deducted, document.adjustment)
    assert figures == (300, 200, 103, 400, 200)
    assert [(tax.title, tax.rate, tax.amount) for tax in document.taxes] == [("City", "0.05", 50), ("VAT", "0.19", 247)]
    assert document.total == sum_of(document) == 1700


def test_tax_that_a_marketplace_remits_is_none_of_the_merchants() -> None:
    mug = orders.line(subtotal=eur("10"), taxes=(vat("1.90", channel_liable=True),))
    document = statement_of(orders.order(mug, taxes_included=False, totals=totals("11.90", tax="1.90")), 1).sale
    assert document is not None
    assert (document.taxes, document.fees, document.adjustment) == ((), 190, 0)


def test_what_does_not_add_up_is_an_adjustment() -> None:
    document = statement_of(orders.order(totals=totals("10.50")), 1).sale
    assert document is not None
    assert (document.adjustment, document.total) == (50, 1050)


def test_amounts_finer_than_a_cent_are_parted_without_loss() -> None:
    lines = [orders.line(f"S{number}", subtotal=eur("0.3333")) for number in range(3)]
    document = statement_of(orders.order(*lines, totals=totals("0.9999")), 1).sale
    assert document is not None
    assert [line.net for line in document.lines] == [34, 33, 33]
    assert document.adjustment == 0


def test_cash_is_rounded_as_the_storefront_says() -> None:
    rounding = CashRounding(payment=eur("-0.02"), refund=eur("0"))
    order = orders.order(
        totals=totals("10.02"),
        cash_rounding=rounding,
        payment_methods=("cash",),
        current_totals=CurrentTotals(total=eur("10.02")),
    )
    statement = statement_of(order, 1)
    assert statement.owed == statement.movements[0].amount == statement.buyer_total == 1000


@pytest.mark.parametrize(("currency", "total", "minor"), [("JPY", "1250", 1250), ("KWD", "1.250", 1250)])
def test_each_currency_has_its_own_minor_unit(currency: str, total: str, minor: int) -> None:
    money = Amount.single(Money.parse(total, currency))
    zero = Amount.zero(currency)
    sums = dict.fromkeys(Totals.model_fields, zero) | {"total": money}
    order = in_currencies(currency, currency, Totals(**sums))
    assert statement_of(order, 1).owed == minor


def test_an_order_without_an_address_still_has_its_tax() -> None:
    order = orders.order(
        orders.line(subtotal=eur("11.90"), taxes=(vat("1.90"),)), totals=totals("11.90"), personal=PersonalData()
    )
    document = statement_of(order, 1).sale
    assert document is not None
    assert document.taxes[0].country is None


# ---- what is owed no more ------------------------------------------------------------------------------------------


def refund_line(subtotal: str, tax: str = "0", units: int = 1, line_id: str = "line-MUG") -> RefundLine:
    return RefundLine(
        line_id=line_id, quantity=units, restock=RestockKind.RETURNED, subtotal=eur(subtotal), tax=eur(tax)
    )


def test_a_refund_names_what_it_gives_back() -> None:
    mug = orders.line(units=2, subtotal=eur("23.80"), taxes=(vat("2.00"), vat("1.80", title="City")))
    shipping = ShippingLine(id="1", title="DHL", price=eur("5"), discounted_price=eur("5"))
    back = RefundAdjustment(kind="shipping_refund", reason=None, amount=eur("-2.00"), tax=eur("-0.38"))
    refund = paid_back("77", "14.00", lines=(refund_line("11.90", "1.90"),), adjustments=(back,))
    order = orders.order(mug, shipping_lines=(shipping,), refunds=(refund,), totals=totals("28.80"))

    (document,) = statement_of(order, 1).reductions

    assert (document.id, document.total, document.shipping, document.adjustment) == ("refund/77", 1400, 200, -28)
    assert [(line.units, line.net) for line in document.lines] == [(1, 1000)]
    assert {tax.title: tax.amount for tax in document.taxes} == {"VAT": 100, "City": 90, "Tax": 38}


def test_a_refund_without_lines_is_goodwill() -> None:
    refund = paid_back("77", "3.00", lines_known=False)
    (document,) = statement_of(orders.order(refunds=(refund,)), 1).reductions
    assert (document.lines, document.adjustment, document.total) == ((), 300, 300)


def test_goods_taken_out_without_money_lower_what_is_owed() -> None:
    taken_out = Refund(id="1", created_at=orders.NOON, amount=eur("0"), lines=(refund_line("10.00"),))
    order = orders.order(
        orders.line(units=2), refunds=(taken_out,), current_totals=CurrentTotals(total=eur("10")), transactions=()
    )
    statement = statement_of(order, 1)
    assert [(document.id, document.lines[0].net) for document in statement.reductions] == [(EDIT, 1000)]
    assert statement.owed == 1000


def test_the_refund_that_follows_an_edit_gives_back_what_was_taken_out() -> None:
    taken_out = Refund(id="1", created_at=orders.NOON, amount=eur("0"), lines=(refund_line("10.00"),))
    order = orders.order(
        orders.line(units=2),
        refunds=(taken_out, paid_back("2", "10.00")),
        current_totals=CurrentTotals(total=eur("10")),
    )
    statement = statement_of(order, 1)
    assert [document.id for document in statement.reductions] == ["refund/2"]
    assert [line.net for line in statement.reductions[0].lines] == [1000]
    assert statement.owed == 1000


def test_an_edit_keeps_its_day_however_often_the_order_changes() -> None:
    lowered = CurrentTotals(total=eur("5"))
    first, later = (
        statement_of(orders.order(minute=minute, current_totals=lowered), minute).reductions for minute in (1, 9)
    )
    assert first == later
    assert first[0].total == 500


def test_a_cancelled_order_that_nobody_paid_owes_nothing() -> None:
    order = orders.order(payment=PaymentState.VOIDED, cancelled_at=orders.NOON)
    assert statement_of(order, 1).sale is None
    paid = orders.order(cancelled_at=orders.NOON, transactions=(sale("t1", "10"),))
    assert statement_of(paid, 1).sale is not None


def test_a_test_owes_nothing() -> None:
    statement = statement_of(orders.order(test=True), 1)
    assert (statement.test, statement.sale, statement.movements) == (True, None, ())


# ---- what was moved ------------------------------------------------------------------------------------------------


def moved(order: Order) -> list[tuple[str, str, str, int]]:
    return [(item.id, item.kind.value, item.gateway, item.amount) for item in statement_of(order, 1).movements]


def test_only_what_succeeded_moved() -> None:
    transactions = (
        sale("t0", "10", kind="authorization"),
        sale("t1", "6", kind="capture", parent_id="t0"),
        sale("t2", "4", status="failure"),
        sale("t3", "4", test=True),
        sale("t4", "4", "shopify_store_credit"),
    )
    order = orders.order(transactions=transactions, refunds=(paid_back("77", "1"),))
    assert moved(order) == [
        ("t1", "capture", "stripe", 600),
        ("t4", "capture", "store_credit", 400),
        ("t77", "refund", "stripe", 100),
    ]
    statement = statement_of(order, 1)
    assert statement.movements[0].references == ("t0", "t1")
    assert {"5001", "#5001", "t0"} <= set(statement.references)
    assert "t2" not in statement.references


def test_an_order_that_is_only_said_to_be_paid_has_one_movement() -> None:
    refund = Refund(id="9", created_at=orders.NOON, amount=eur("4"), lines_known=False)
    order = orders.order(payment_methods=("cod",), outstanding=eur("1"), refunds=(refund,))
    assert moved(order) == [("all", "capture", "cod", 900), ("refund/9", "refund", "cod", 400)]
    assert moved(orders.order(payment=PaymentState.PENDING, refunds=(refund,))) == []


def test_a_tender_pays_unless_it_was_deducted() -> None:
    card = Tender(kind="gift_card", id="c1", amount=eur("4"))
    assert moved(orders.order(tenders=(card,), payment_methods=("gift_card", "stripe"))) == [
        ("all", "capture", "stripe", 600),
        ("tender/c1", "capture", "gift_card", 400),
    ]
    deducted = orders.order(tenders=(card,), payment_methods=("stripe",), totals=totals("6", gift_cards="4"))
    assert moved(deducted) == [("all", "capture", "stripe", 600)]


def test_movements_are_in_what_the_buyer_was_charged_in() -> None:
    total = Amount(shop=Money.parse("10.00", "CHF"), presentment=Money.parse("9.80", "EUR"))
    zero = Amount.zero("CHF", "EUR")
    sums = dict.fromkeys(Totals.model_fields, zero) | {"total": total}
    order = in_currencies("CHF", "EUR", Totals(**sums))
    statement = statement_of(order, 1)
    assert (statement.owed, statement.buyer_total, statement.buyer_currency) == (1000, 980, "EUR")
    assert [(item.currency, item.amount) for item in statement.movements] == [("EUR", 980)]


# ---- properties ----------------------------------------------------------------------------------------------------


@given(st.lists(st.fractions(min_value=-1000, max_value=1000, max_denominator=1000), max_size=20))
def test_nothing_is_lost_when_parts_are_rounded(parts: list[Fraction]) -> None:
    shares = apportion(parts)
    assert sum(shares) == round(sum(parts))
    assert all(abs(share - part) < 1 for share, part in zip(shares, parts, strict=True))


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_growing_proportions_end_in_the_whole(amount: int, parts: list[int]) -> None:
    whole = sum(parts)
    reached = [proportion(amount, sum(parts[: count + 1]), whole) for count in range(len(parts))]
    assert reached == sorted(reached)
    assert reached[-1] == amount


cents = st.integers(0, 500_000).map(lambda number: f"{Decimal(number) / 10000:f}")


@st.composite
def any_orders(draw: st.DrawFn) -> Order:
    lines = []
    for number in range(draw(st.integers(1, 4))):
        taxes = tuple(vat(draw(cents), draw(st.sampled_from(["0.19", "0.07"]))) for _ in range(draw(st.integers(0, 2))))
        discounts = tuple(
            DiscountAllocation(amount=eur(draw(cents)), application=None) for _ in range(draw(st.integers(0, 1)))
        )
        lines.append(
            orders.line(
                f"S{number}", draw(st.integers(1, 5)), subtotal=eur(draw(cents)), taxes=taxes, discounts=discounts
            )
        )
    refunds = []
    for number in range(draw(st.integers(0, 3))):
        given_back = tuple(
            refund_line(draw(cents), draw(cents), line_id=draw(st.sampled_from(lines)).id)
            for _ in range(draw(st.integers(0, 2)))
        )
        refunds.append(paid_back(str(number), draw(st.sampled_from(["0", draw(cents)])), lines=given_back))
    current = draw(st.none() | cents)
    return orders.order(
        *lines,
        taxes_included=draw(st.booleans()),
        totals=totals(draw(cents), tips=draw(cents), shipping=draw(cents), gift_cards=draw(cents)),
        refunds=tuple(refunds),
        current_totals=CurrentTotals(total=eur(current) if current else None),
        cancelled_at=draw(st.none() | st.just(orders.NOON)),
        payment=draw(st.sampled_from(list(PaymentState))),
    )


@given(any_orders())
def test_every_order_adds_up(order: Order) -> None:
    require_sound(statement_of(order, 1), order)


def samples() -> Iterator[Order]:
    shop, foreign = Shop("EUR"), Shop("CHF", "EUR")
    bodies = [shop.order(), foreign.order(), shop.order(shop.line(quantity=3), tip="2.00")]
    bodies += [shop.order(refunds=[shop.refund(refund_line_items=[shop.refund_line(shop.line())])])]
    for body in bodies:
        reading = read_shopify(shopify.delivery(body, fetched=True))
        assert isinstance(reading, CompleteOrder)
        yield reading.order
    refunded = woocommerce.order(
        refunds=[woocommerce.refund_summary()],
        refund_details=[woocommerce.refund_detail(line_items=[woocommerce.refunded_line(1)])],
    )
    for body in (woocommerce.order(), refunded, woocommerce.order(status="cancelled", date_paid=None)):
        shown = read_woocommerce(woocommerce.delivery(body)._replace(fetched=True))
        assert isinstance(shown, CompleteOrder)
        yield shown.order


def test_sample_orders_add_up() -> None:
    for order in samples():
        require_sound(statement_of(order, 1), order)


def recorded() -> list[Path]:
    return sorted([*FIXTURES.glob("shopify/*order*.json"), *FIXTURES.glob("woocommerce/*order*.json")])


@pytest.mark.skipif(not recorded(), reason="recorded payloads are kept outside the project")
def test_recorded_orders_add_up() -> None:
    read = 0
    for path in recorded():
        body = json.loads(path.read_text("utf-8"))
        for one in body.get("orders", [body.get("order", body)]) if isinstance(body, dict) else []:
            if "line_items" not in one or not one.get("id") or "gid://shopify/Draft" in json.dumps(one):
                continue
            order = _order_in(path, one)
            if order is not None:
                read += 1
                require_sound(statement_of(order, 1), order)
    assert read >= 15, read


def _order_in(path: Path, body: dict[str, Any]) -> Order | None:
    read, samples_of = (read_shopify, shopify) if path.parent.name == "shopify" else (read_woocommerce, woocommerce)
    try:
        reading = read(samples_of.delivery(body))
    except Rejected:  # half a unit sold, and the like: no order of ours
        return None
    if isinstance(reading, CompleteOrder):
        return reading.order
    return reading.partial if isinstance(reading, OrderHint) else None
