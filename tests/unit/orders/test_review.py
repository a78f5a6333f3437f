"""The review rules, one by one."""

from decimal import Decimal
from typing import Any

import pytest

from shared.customers.models import PostalAddress
from shared.kernel.identifiers import OrderKey
from shared.kernel.money import Amount, Money
from shared.orders.models import Order, PaymentState, PersonalData
from shared.orders.record import HoldReason, LineKind, LineState
from shared.orders.review import ReviewRules, find_holds
from tests.builders.orders import ADDRESS, order

OPEN = (LineState(line_id="1", sku="MUG", kind=LineKind.STOCKED, open=1, allocated={"main": 1}),)
LEFT = (LineState(line_id="1", sku="MUG", kind=LineKind.STOCKED, open=0, shipped={"main": 1}),)


def reasons(account: Order, lines: tuple[LineState, ...] = OPEN, **rules: Any) -> list[HoldReason]:
    return [hold.reason for hold in find_holds(account, lines, ReviewRules(**rules))]


def bought_by(**fields: Any) -> dict[str, Any]:
    return {"personal": PersonalData(**({"shipping_address": ADDRESS} | fields))}


def test_nothing_speaks_against_a_good_order() -> None:
    assert reasons(order()) == []


@pytest.mark.parametrize(
    ("payment", "release_when", "expected"),
    [
        (PaymentState.PENDING, "paid", [HoldReason.PAYMENT_PENDING]),
        (PaymentState.AUTHORISED, "paid", [HoldReason.PAYMENT_PENDING]),
        (PaymentState.AUTHORISED, "authorised", []),
        (PaymentState.PARTIALLY_PAID, "authorised", [HoldReason.PAYMENT_PENDING]),
        (PaymentState.PENDING, "any", []),
        (PaymentState.PARTIALLY_REFUNDED, "paid", []),
        (PaymentState.VOIDED, "any", [HoldReason.PAYMENT_LOST]),
        (PaymentState.REFUNDED, "any", [HoldReason.PAYMENT_LOST]),
        (PaymentState.DISPUTED, "paid", [HoldReason.PAYMENT_LOST]),
    ],
)
def test_payment(payment: PaymentState, release_when: str, expected: list[HoldReason]) -> None:
    assert reasons(order(payment=payment), release_when=release_when) == expected


def test_cash_on_delivery_need_not_be_paid() -> None:
    assert reasons(order(payment=PaymentState.PENDING, payment_methods=("cod",))) == []


def test_an_order_free_of_charge_need_not_be_paid() -> None:
    free = order()
    zero = Amount.zero("EUR")
    totals = free.totals.model_copy(update={"subtotal": zero, "total": zero})
    gift = free.model_copy(update={"totals": totals, "lines": (), "payment": PaymentState.PENDING})
    assert reasons(gift) == []


def test_a_lost_payment_does_not_matter_once_all_has_left() -> None:
    assert reasons(order(payment=PaymentState.REFUNDED), LEFT) == []


def test_totals_that_do_not_add_up_are_named_in_figures() -> None:
    wrong = order()
    totals = wrong.totals.model_copy(update={"total": Amount.single(Money.parse("9.99", "EUR"))})
    (hold,) = find_holds(wrong.model_copy(update={"totals": totals}), OPEN, ReviewRules())
    assert (hold.reason, hold.detail) == (HoldReason.TOTAL_MISMATCH, "total: 9.99 EUR claimed, 10.00 EUR computed")


def test_test_orders_are_held_as_such_and_not_for_their_sums() -> None:
    wrong = order(test=True)
    totals = wrong.totals.model_copy(update={"total": Amount.single(Money.parse("9.99", "EUR"))})
    assert reasons(wrong.model_copy(update={"totals": totals})) == [HoldReason.TEST_ORDER]
    assert reasons(wrong, hold_test_orders=False) == []


@pytest.mark.parametrize(
    ("address", "missing"),
    [
        (None, "missing: address"),
        (PostalAddress(name="Eve", address1="Weg 2", city="Berlin"), "missing: country"),
        (PostalAddress(country_code="DE"), "missing: name, street, city"),
    ],
)
def test_an_incomplete_address(address: PostalAddress | None, missing: str) -> None:
    (hold,) = find_holds(order(**bought_by(shipping_address=address)), OPEN, ReviewRules())
    assert (hold.reason, hold.detail) == (HoldReason.ADDRESS_INCOMPLETE, missing)
    assert reasons(order(**bought_by(shipping_address=address)), require_address=False) == []


def test_risk() -> None:
    assert reasons(order(risk_level="high")) == [HoldReason.RISK_HIGH]
    assert reasons(order(risk_level="low")) == []
    assert reasons(order(), max_total={"EUR": Decimal("9.99")}) == [HoldReason.RISK_TOTAL]
    assert reasons(order(), max_total={"EUR": Decimal(10)}) == []
    assert reasons(order(), blocked_countries=("DE",)) == [HoldReason.RISK_COUNTRY]


def test_addresses_in_two_countries() -> None:
    abroad = order(**bought_by(billing_address=PostalAddress(country_code="FR")))
    assert reasons(abroad) == []
    assert reasons(abroad, hold_differing_countries=True) == [HoldReason.RISK_ADDRESSES_DIFFER]


def test_short_stock_names_at_most_three_skus() -> None:
    short = tuple(
        LineState(line_id=str(number), sku=f"S{number}", kind=LineKind.STOCKED, open=2) for number in range(5)
    )
    (hold,) = find_holds(order(), short, ReviewRules())
    assert hold.detail == "units short: S0 2, S1 2, S2 2 and 2 more"
    assert find_holds(order(), short, ReviewRules(hold_when_short=False)) == ()


def test_a_twin_is_named() -> None:
    (hold,) = find_holds(order(), OPEN, ReviewRules(), twin=OrderKey("aurora", "4999"))
    assert (hold.reason, "aurora/4999" in hold.detail) == (HoldReason.POSSIBLE_DUPLICATE, True)
