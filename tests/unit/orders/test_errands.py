"""Who is to look at an order after a change, and why."""

from typing import Any

import pytest

from shared.orders.decision import Circumstances, cancel, decide, release
from shared.orders.errands import Errand, Office, Reason, errands_of
from shared.orders.models import Order, PaymentState
from shared.orders.record import OrderRecord
from shared.orders.review import ReviewRules
from tests.builders.orders import NOON, line, order, shipment
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom


def around() -> Circumstances:
    room = FakeStockRoom()
    room.set_level(counted("MUG", 9))
    return Circumstances(stock=room.read(["MUG"]), locations=("main",), rules=ReviewRules(), now=NOON)


def record_of(account: Order, stored: OrderRecord | None = None) -> OrderRecord:
    return decide(account, stored, around()).record


def reasons(errands: tuple[Errand, ...], office: Office = Office.BACKOFFICE) -> tuple[Reason, ...]:
    return next((errand.reasons for errand in errands if errand.office is office), ())


def unpaid(**overrides: Any) -> Order:
    return order(line("MUG", 2), **{"payment": PaymentState.PENDING, **overrides})


def test_a_new_order_is_recorded() -> None:
    errands = errands_of(None, record_of(order()))
    assert [errand.office for errand in errands] == [Office.BACKOFFICE, Office.CUSTOMERS, Office.BUYER, Office.FINANCE]
    assert {errand.reasons for errand in errands} == {(Reason.RECEIVED,)}
    assert errands[0].id == "aurora/5001#1/backoffice"


def test_the_same_change_gives_the_same_errands() -> None:
    old, new = record_of(unpaid()), record_of(unpaid(minute=1, body="b", payment=PaymentState.PAID))
    assert errands_of(old, new) == errands_of(old, new)


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (unpaid(minute=1, body="b"), {Reason.REVISED}),
        (unpaid(minute=1, body="b", payment=PaymentState.PAID), {Reason.REVISED, Reason.RELEASED, Reason.PAYMENT}),
        (unpaid(minute=1, body="b", cancelled_at=NOON), {Reason.REVISED, Reason.CANCELLED}),
        (
            unpaid(
                minute=1, body="b", fulfilments=(shipment(("line-MUG", 2)),), lines=(line("MUG", 2, open_quantity=0),)
            ),
            {Reason.REVISED, Reason.SHIPPED, Reason.RELEASED},
        ),
    ],
)
def test_a_change_says_why(account: Order, expected: set[Reason]) -> None:
    old = record_of(unpaid())
    assert set(reasons(errands_of(old, record_of(account, old)))) >= expected - {Reason.RELEASED}
    if Reason.PAYMENT in expected:
        assert set(reasons(errands_of(old, record_of(account, old)))) == expected


def test_an_operators_release_and_cancellation_are_passed_on() -> None:
    old = record_of(unpaid())
    assert reasons(errands_of(old, release(old, NOON, by="mia").record)) == (Reason.RELEASED,)
    gone = errands_of(old, cancel(old, around(), by="mia").record)
    assert reasons(gone) == (Reason.CANCELLED,)
    assert reasons(gone, Office.STOREFRONT) == (Reason.CANCELLED,)


def test_the_storefront_is_not_told_of_its_own_cancellation() -> None:
    old = record_of(unpaid())
    new = record_of(unpaid(minute=1, body="b", cancelled_at=NOON), old)
    assert reasons(errands_of(old, new), Office.STOREFRONT) == ()


def test_the_storefront_hears_of_dispatches_and_of_new_tracking_once() -> None:
    old = record_of(order())
    sent = old.model_copy(update={"dispatches": "abc"})
    tracked = old.model_copy(update={"dispatches": "def"})
    assert reasons(errands_of(old, sent), Office.STOREFRONT) == (Reason.DISPATCHED,)
    assert reasons(errands_of(sent, tracked), Office.STOREFRONT) == (Reason.DISPATCHED,)
    assert errands_of(tracked, tracked.model_copy(update={"revision": 9})) == ()


def test_a_review_that_changes_nothing_for_others_sends_nobody() -> None:
    old = record_of(unpaid())
    assert errands_of(old, old.model_copy(update={"attention_since": None, "revision": 2})) == ()


@pytest.mark.parametrize(
    ("account", "customers", "buyer"),
    [
        (unpaid(minute=1, body="b"), (Reason.REVISED,), (Reason.TOLD,)),
        (unpaid(), (), ()),
    ],
)
def test_buyers_are_learnt_of_and_told_by_what_the_storefront_says_anew(
    account: Order, customers: tuple[Reason, ...], buyer: tuple[Reason, ...]
) -> None:
    old = record_of(unpaid())
    errands = errands_of(old, record_of(account, old))
    assert (reasons(errands, Office.CUSTOMERS), reasons(errands, Office.BUYER)) == (customers, buyer)


def test_a_dispatch_is_told_to_the_buyer_and_says_nothing_new_of_them() -> None:
    old = record_of(order())
    new = old.model_copy(update={"revision": 2, "dispatches": "abc"})
    errands = errands_of(old, new)
    assert (reasons(errands, Office.CUSTOMERS), reasons(errands, Office.BUYER)) == ((), (Reason.TOLD,))
