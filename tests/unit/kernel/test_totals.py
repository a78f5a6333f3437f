"""The proof of an order's figures (`shared.orders.totals`), beyond what a storefront's own tests show."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.kernel.money import Amount, Money
from shared.kernel.versions import Version
from shared.orders.models import (
    CurrentTotals,
    DiscountAllocation,
    Order,
    OrderLine,
    PaymentState,
    Refund,
    RefundAdjustment,
    ShippingLine,
    Totals,
)
from shared.orders.totals import prove_totals

NOW = datetime(2026, 11, 23, 9, 2, tzinfo=UTC)
TEXT_NOW = "2026-11-23T09:02:00.000000000Z"


def euros(text: str, yen: str | None = None) -> Amount:
    """An amount in a shop of euros, to a buyer who sees yen (a hundred for one, unless told)."""
    shop = Money.parse(text, "EUR")
    return Amount(shop=shop, presentment=Money.parse(shop.decimal * 100 if yen is None else yen, "JPY"))


def line(**changes: Any) -> OrderLine:
    fields: dict[str, Any] = {
        "id": "1",
        "product_id": None,
        "variant_id": None,
        "sku": "MUG",
        "title": "Mug",
        "quantity": 2,
        "current_quantity": 2,
        "open_quantity": 2,
        "unit_price": euros("10"),
        "subtotal": euros("20"),
    }
    return OrderLine(**(fields | changes))


def totals(**changes: Amount) -> Totals:
    names = ("subtotal", "discounts", "shipping", "fees", "duties", "tips", "tax", "gift_cards", "total")
    return Totals(**(dict.fromkeys(names, euros("0")) | {"subtotal": euros("20"), "total": euros("20")} | changes))


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "shop": "aurora",
        "order_id": "1",
        "platform": "woocommerce",
        "gid": None,
        "name": "#1",
        "version": Version(updated_at=TEXT_NOW, observed_at=TEXT_NOW, body_sha256="0"),
        "api_version": None,
        "raw_sha256": "0",
        "created_at": NOW,
        "processed_at": None,
        "updated_at": NOW,
        "payment": PaymentState.PAID,
        "vendor_payment_status": None,
        "vendor_fulfilment_status": None,
        "currency": "EUR",
        "presentment_currency": "JPY",
        "taxes_included": False,
        "lines": (line(),),
        "totals": totals(),
    }
    return Order(**(fields | changes))


def shipping(text: str, *, removed: bool = False) -> ShippingLine:
    return ShippingLine(id="9", title="Post", price=euros("9"), discounted_price=euros(text), removed=removed)


def test_plain_order() -> None:
    assert prove_totals(order()).proven


@pytest.mark.parametrize("field", ["tax", "fees", "tips", "duties"])
def test_each_extra_is_part_of_the_total(field: str) -> None:
    assert prove_totals(order(totals=totals(**{field: euros("3"), "total": euros("23")}))).proven
    assert not prove_totals(order(totals=totals(**{field: euros("3")}))).proven


@pytest.mark.parametrize(("flag", "field"), [("taxes_included", "tax"), ("duties_included", "duties")])
def test_what_prices_include_is_not_added_again(flag: str, field: str) -> None:
    assert prove_totals(order(**{flag: True}, totals=totals(**{field: euros("3")}))).proven
    assert not prove_totals(order(**{flag: True}, totals=totals(**{field: euros("3"), "total": euros("23")}))).proven


def test_gift_cards_lower_the_total() -> None:
    assert prove_totals(order(totals=totals(gift_cards=euros("5"), total=euros("15")))).proven


def test_shipping_counts_after_its_discount_unless_it_was_removed() -> None:
    lines = (shipping("4"), shipping("9", removed=True))
    assert prove_totals(order(shipping_lines=lines, totals=totals(total=euros("24")))).proven


def test_discounts_are_taken_off_the_lines() -> None:
    discounted = line(discounts=(DiscountAllocation(amount=euros("2.50"), application=None),))
    assert prove_totals(order(lines=(discounted,), totals=totals(subtotal=euros("17.50"), total=euros("17.50")))).proven
    proof = prove_totals(order(lines=(discounted,)))
    assert (proof.proven, proof.figure, proof.claimed, proof.computed) == (
        False,
        "subtotal",
        euros("20"),
        euros("17.50"),
    )


def test_a_mismatch_in_the_buyers_currency_alone_is_found() -> None:
    proof = prove_totals(order(totals=totals(total=euros("20", yen="2001"))))
    assert (proof.proven, proof.figure) == (False, "total")
    assert proof.computed == euros("20")


def test_the_last_minor_unit_counts() -> None:
    assert not prove_totals(order(totals=totals(total=euros("20.01", yen="2000")))).proven


def test_order_without_lines() -> None:
    nothing = totals(subtotal=euros("0"), total=euros("0"))
    assert prove_totals(order(lines=(), totals=nothing)).proven
    assert not prove_totals(order(lines=())).proven


def current(total: str) -> CurrentTotals:
    return CurrentTotals(subtotal=euros("10"), tax=euros("0"), total=euros(total))


def changed(**changes: Any) -> Order:
    """Placed with figures that do not add up any more, and edited down to one unit since."""
    fields: dict[str, Any] = {
        "lines": (line(current_quantity=1),),
        "totals": totals(total=euros("99")),
        "current_totals": current("10"),
    }
    return order(**(fields | changes))


def test_edited_order_may_stand_on_its_current_figures() -> None:
    assert prove_totals(changed()).proven
    assert not prove_totals(changed(current_totals=current("10.01"))).proven


def test_current_figures_count_only_for_an_order_that_was_changed() -> None:
    proof = prove_totals(changed(lines=(line(),)))
    assert (proof.proven, proof.figure, proof.claimed) == (False, "total", euros("99"))


def test_unknown_current_figures_prove_nothing() -> None:
    assert not prove_totals(changed(current_totals=CurrentTotals(subtotal=euros("10"), tax=euros("0")))).proven


def test_shipping_given_back_is_no_longer_part_of_the_current_total() -> None:
    given_back = Refund(
        id="1",
        created_at=NOW,
        amount=euros("4"),
        adjustments=(
            RefundAdjustment(kind="shipping_refund", reason=None, amount=euros("-4"), tax=euros("0")),
            RefundAdjustment(kind="refund_discrepancy", reason=None, amount=euros("-1"), tax=euros("0")),
        ),
    )
    assert prove_totals(changed(shipping_lines=(shipping("4"),), refunds=(given_back,))).proven
    assert not prove_totals(changed(shipping_lines=(shipping("4"),))).proven
