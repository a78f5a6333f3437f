"""Customers whose webhooks never came are found as orders are."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from shared.customers.models import CustomerSource, Profile, ProfileField
from shared.kernel.errors import Retry
from shared.kernel.identifiers import CustomerKey
from shared.storefronts.port import Change, ChangePage
from shared.sync.repair.customers import ShopCustomers
from shared.sync.repair.missed import compare
from shared.sync.repair.watch import Window
from shared.webhooks.delivery import Delivery
from tests.builders.customers import customer, kept
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook

WINDOW = Window(NOON - timedelta(hours=1), NOON)


class Register:
    def __init__(self, answer: Callable[[str], Delivery | None]) -> None:
        self._answer = answer

    def fetch(self, customer_id: str) -> Delivery | None:
        return self._answer(customer_id)

    def changed(self, since: datetime, until: datetime, cursor: str | None) -> ChangePage:
        assert (since, until, cursor) == (WINDOW.since, WINDOW.until, None)
        return ChangePage(tuple(Change(str(number), NOON, created_at=NOON) for number in (1, 2, 3)), None)

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        raise AssertionError(f"a repair writes nothing: {customer_id}, {profile}, {fields}")


def whole(customer_id: str) -> Delivery:
    return Delivery("aurora", "shopify", "customers/update", "now", json.dumps({"id": customer_id}).encode())


def side(
    book: FakeCustomerBook, sent: list[Delivery], answer: Callable[[str], Delivery | None] = whole, *, time: bool = True
) -> ShopCustomers:
    return ShopCustomers(
        shop="aurora",
        platform="shopify",
        register=Register(answer),
        finder=book,
        enqueue=sent.append,
        has_time=lambda: time,
        clock=lambda: NOON,
    )


def test_who_is_missing_or_known_from_orders_alone_is_asked_for() -> None:
    book = FakeCustomerBook()
    kept(book, customer("aurora/customer/1"))
    kept(book, customer("aurora/customer/2", source=CustomerSource.ORDER), source=CustomerSource.ORDER)
    looked_at = side(book, [])
    page = looked_at.changes(WINDOW, None)
    compared = compare(page.changes, looked_at.known(page.ids))
    assert (sorted(compared.missing), sorted(compared.newer), compared.same) == (["3"], ["2"], 1)
    assert CustomerKey.of_account("aurora", "1") in book.records


def test_registrations_have_no_rhythm() -> None:
    assert {change.created_at for change in side(FakeCustomerBook(), []).changes(WINDOW, None).changes} == {None}


def test_what_is_fetched_is_queued_and_what_is_gone_is_not() -> None:
    sent: list[Delivery] = []
    gone = side(FakeCustomerBook(), sent, lambda customer_id: whole(customer_id) if customer_id == "1" else None)
    assert gone.queue(["2", "1"]) == {"1"}
    assert [json.loads(delivery.body) for delivery in sent] == [{"id": "1"}]


def out_of_reach(_customer_id: str) -> Delivery:
    raise Retry("storefront_unreachable", "")


@pytest.mark.parametrize(("answer", "time"), [(out_of_reach, True), (whole, False)])
def test_what_cannot_be_fetched_now_becomes_a_hint(answer: Callable[[str], Delivery], *, time: bool) -> None:
    sent: list[Delivery] = []
    assert side(FakeCustomerBook(), sent, answer, time=time).queue(["17"]) == {"17"}
    assert [(delivery.topic, json.loads(delivery.body)) for delivery in sent] == [("customers/update", {"id": 17})]
