"""Buyers of orders as customers, and what their standing means for the order."""

from datetime import timedelta
from typing import Any

import pytest

from shared.customers.commits import CustomerCommit
from shared.customers.guests import guest_key
from shared.customers.intake import Result, take_in
from shared.customers.models import CustomerSource, MarketingConsent
from shared.customers.readings import CompleteCustomer
from shared.customers.rules import AskFor, VerificationRules
from shared.customers.verification import Standing
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.orders.buyer import buyer_of
from shared.orders.models import Order, PersonalData
from shared.orders.record import HoldReason, LineKind, LineState
from shared.orders.review import ReviewRules, find_holds
from shared.sync.customers.learn import learn
from shared.sync.customers.standing import BuyerStandings
from tests.builders.customers import MARKER, customer, customer_desk, kept, proven, revised
from tests.builders.orders import ADDRESS, NOON, order
from tests.fakes.customers import FakeCustomerBook

ACCOUNT = CustomerKey("aurora", "customer", "17")
ASKS = VerificationRules(ask=AskFor.FIRST_ORDER)


def bought(order_id: str = "5001", **personal: Any) -> Order:
    fields: dict[str, Any] = {"email": "eve@example.test", "billing_address": ADDRESS, **personal}
    return order(order_id=order_id, personal=PersonalData(**fields))


def test_a_guest_is_one_customer_whatever_the_case_of_the_address() -> None:
    desk = customer_desk()
    for number, email in enumerate(["eve@example.test", "EVE@Example.Test "]):
        learn(bought(str(number), email=email), desk)
    (record,) = desk.book.all_records()
    assert (record.kind, record.source) == ("guest", CustomerSource.ORDER)
    assert list(desk.book.orders_of(record.key)) == [OrderKey("aurora", "0"), OrderKey("aurora", "1")]


def test_a_guests_key_tells_nobody_without_the_deployments_own_key() -> None:
    key = guest_key("aurora", "eve@example.test", None, MARKER)
    assert key is not None
    assert "eve" not in str(key)
    assert key != guest_key("borealis", "eve@example.test", None, MARKER)
    by_phone = {guest_key("aurora", None, phone, MARKER) for phone in ("+49 30 901820", "+4930901820")}
    assert len(by_phone) == 1
    assert guest_key("aurora", " ", "", MARKER) is None


def test_an_order_of_an_account_is_that_accounts_and_changes_nothing_of_it() -> None:
    desk = customer_desk()
    take_in(CompleteCustomer(customer()), desk)
    outcome = learn(bought(customer_id="17", first_name="Somebody"), desk)
    assert outcome.result is Result.SUPERSEDED
    found = desk.book.find_customer(ACCOUNT)
    assert found is not None
    assert found.personal.first_name == "Eve"
    assert desk.book.customer_of(OrderKey("aurora", "5001")) == ACCOUNT


def test_whoever_was_erased_buys_again_unknown_but_the_order_is_theirs() -> None:
    desk = customer_desk()
    made = kept(desk.book, customer())
    desk.book.commit(CustomerCommit(revised(made, erased_at=NOON), replaces=1, forget=True, marks=frozenset()))
    assert learn(bought(customer_id="17"), desk).result is Result.ERASED
    assert desk.book.find_customer(ACCOUNT) is None
    assert list(desk.book.orders_of(ACCOUNT)) == [OrderKey("aurora", "5001")]


def test_woocommerces_nobody_is_a_guest() -> None:
    key = buyer_of(bought(customer_id="0"), MARKER)
    assert key is not None
    assert key.is_guest


def test_who_left_nothing_is_nobody() -> None:
    outcome = learn(order(personal=PersonalData()), customer_desk())
    assert (outcome.result, outcome.key) == (Result.IGNORED, None)


def test_consent_at_the_checkout_is_carried_and_its_absence_says_nothing() -> None:
    desk = customer_desk()
    learn(bought(accepts_marketing=True), desk)
    learn(order(order_id="2", minute=5, personal=PersonalData(email="eve@example.test", accepts_marketing=False)), desk)
    (record,) = desk.book.all_records()
    assert record.consents == (MarketingConsent(channel="email", state="subscribed"),)


def test_the_order_that_was_placed_last_says_who_a_guest_is() -> None:
    desk = customer_desk()
    late = order(
        order_id="2",
        created_at=NOON + timedelta(days=1),
        processed_at=NOON + timedelta(days=1),
        personal=PersonalData(email="eve@example.test", first_name="Eve", last_name="New"),
    )
    early = order(order_id="1", minute=9999, personal=PersonalData(email="eve@example.test", last_name="Old"))
    learn(late, desk)
    learn(early, desk)
    (record,) = desk.book.all_records()
    found = desk.book.find_customer(record.key)
    assert found is not None
    assert found.personal.last_name == "New"


# ---- what their standing means ----


def standing(book: FakeCustomerBook, rules: VerificationRules = ASKS, **personal: Any) -> Standing:
    return BuyerStandings(book, MARKER, rules)(bought(**personal))


def test_a_buyer_whom_nobody_told_of_is_waited_for() -> None:
    assert standing(FakeCustomerBook(), customer_id="17") is Standing.WAITING
    assert standing(FakeCustomerBook(), VerificationRules(ask=AskFor.REGISTRATION)) is Standing.NOT_ASKED


def test_a_proven_buyer_is_not() -> None:
    book = FakeCustomerBook()
    kept(book, customer(), verification=proven())
    assert standing(book, customer_id="17") is Standing.VERIFIED


@pytest.mark.parametrize(
    ("buyer", "reasons"),
    [
        (Standing.WAITING, [HoldReason.CUSTOMER_UNVERIFIED]),
        (Standing.REJECTED, [HoldReason.CUSTOMER_REJECTED]),
        (Standing.VERIFIED, []),
        (Standing.NOT_ASKED, []),
    ],
)
def test_an_order_waits_for_its_buyer_while_something_is_to_be_shipped(
    buyer: Standing, reasons: list[HoldReason]
) -> None:
    account = order()
    lines = _lines(account)
    assert [hold.reason for hold in find_holds(account, lines, ReviewRules(), buyer=buyer)] == reasons
    done = [line.model_copy(update={"open": 0}) for line in lines]
    assert find_holds(account, done, ReviewRules(), buyer=buyer) == ()


def _lines(account: Order) -> list[LineState]:
    return [
        LineState(line_id=line.id, sku=line.sku, kind=LineKind.STOCKED, open=1, allocated={"main": 1})
        for line in account.lines
    ]
