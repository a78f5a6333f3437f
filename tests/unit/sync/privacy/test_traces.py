"""Whose raw delivery is whose: by number, by e-mail address and telephone, on either platform."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.customers.marks import MarkKind
from shared.kernel.errors import Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.sync.privacy.traces import Searcher, Traces
from shared.webhooks.delivery import Delivery
from tests.builders.customers import MARKER, PHONE
from tests.builders.orders import NOON
from tests.fakes.privacy import phone_of

EVE = CustomerKey("aurora", "customer", "17")
EMAIL = str(MARKER.mark(MarkKind.EMAIL, "eve@example.test"))
NUMBER = str(MARKER.mark(MarkKind.PHONE, PHONE))


def searcher(**overrides: Any) -> Searcher:
    fields: dict[str, Any] = {
        "shops": frozenset({"aurora"}),
        "customers": frozenset({EVE}),
        "named": frozenset({OrderKey("aurora", "5001")}),
        "orders": frozenset({OrderKey("aurora", "5001"), OrderKey("aurora", "5002")}),
        "marks": frozenset({EMAIL, NUMBER}),
        "asked_at": NOON,
    }
    return Searcher(Traces(**(fields | overrides)), MARKER, phone_of)


def delivery(topic: str, body: Any, shop: str = "aurora") -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(shop, "shopify", topic, "2026-11-23T09:02:11.000000000Z", raw)


THEIRS = [
    ("orders/updated", {"id": 5001}),
    ("orders/updated", {"id": 5002, "created_at": "2026-11-23T08:00:00+01:00"}),
    ("refunds/create", {"id": 1, "order_id": 5001}),
    ("order.updated", {"id": 9, "customer_id": 17}),
    ("orders/create", {"id": 9, "customer": {"id": 17}}),
    ("customers/update", {"id": 17}),
    ("customer.updated", {"id": 17}),
    ("customers/redact", {"customer": {"id": 17}, "shop_id": 1}),
    ("customers/merge", {"admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/17"}),
    ("customers_marketing_consent/update", {"customer_id": 17}),
    ("orders/create", {"id": 9, "contact_email": "EVE@Example.test"}),
    ("order.created", {"id": 9, "billing": {"email": "eve@example.test"}}),
    ("order.created", {"id": 9, "meta_data": [{"key": "x", "value": "write to <eve@example.test>, please"}]}),
    ("orders/create", {"id": 9, "shipping_address": {"phone": "030 901820"}}),
    ("orders/create", {"id": 9, "addresses": [{"phone": "+49 30 901820"}]}),
]


@pytest.mark.parametrize(("topic", "body"), THEIRS)
def test_finds_a_person_in_a_delivery(topic: str, body: dict[str, Any]) -> None:
    assert searcher()(delivery(topic, body))


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/updated", {"id": 17}),  # an order with the customer's number
        ("customers/update", {"id": 5001}),  # a customer with the order's number
        ("order.updated", {"id": 9, "customer_id": 0}),
        ("orders/create", {"id": 9, "email": "eva@example.test"}),
        ("orders/create", {"id": 9, "note": "030 901820"}),
        ("orders/create", {"id": 9, "email": "adam@example.test", "shipping_address": {"phone": "030 901820"}}),
        ("app/uninstalled", {"id": 5001}),
        ("orders/create", {"id": 9, "confirmed": True, "customer": None}),
    ],
)
def test_leaves_what_is_somebody_elses(topic: str, body: dict[str, Any]) -> None:
    assert not searcher()(delivery(topic, body))


@pytest.mark.parametrize(("topic", "body"), THEIRS)
def test_another_shop_is_another_matter(topic: str, body: dict[str, Any]) -> None:
    assert not searcher()(delivery(topic, body, shop="borealis"))


def test_whoever_buys_again_later_is_left_alone_unless_the_order_was_named() -> None:
    later = (NOON + timedelta(hours=1)).isoformat()
    new = {"id": 5002, "created_at": later, "email": "eve@example.test", "customer": {"id": 17}}
    assert not searcher()(delivery("orders/create", new))
    assert searcher()(delivery("orders/create", {**new, "id": 5001}))
    assert searcher()(delivery("order.created", {"id": 9, "date_created_gmt": "nonsense", "customer_id": 17}))


@pytest.mark.parametrize("raw", [b"\xff", b"[1]", b"{", b"[" * 100_000])
def test_says_so_when_nobody_can_tell(raw: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        searcher()(delivery("orders/create", raw))
    assert refused.value.code == "invalid_json"


_leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
_bodies = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(st.dictionaries(st.text(max_size=8), _bodies, max_size=4), st.lists(st.sampled_from("abc"), max_size=5))
def test_an_address_is_found_however_deep_it_is(body: dict[str, Any], path: list[str]) -> None:
    inner: Any = {"email": " Eve@EXAMPLE.test "}
    for name in path:
        inner = [{name: inner}] if name == "a" else {name: inner}
    assert searcher()(delivery("carts/update", {**body, "order_id": None, "found": inner}))


def payment(body: bytes, vendor: str = "stripe") -> Delivery:
    return Delivery("stripe-eu", vendor, "charge.succeeded", "2026-11-23T09:02:11.000000000Z", body)


def test_a_payment_is_theirs_by_the_address_in_it() -> None:
    search = searcher(accounts=frozenset({"stripe-eu"}))
    assert search(payment(b'{"data": {"object": {"receipt_email": "Eve@Example.test"}}}'))
    assert search(payment(b"buyer_logon_id=eve%40example.test&sign=x", "alipay"))
    assert not search(payment(b'{"data": {"object": {"receipt_email": "adam@example.test", "id": 17}}}'))
    assert not search(payment(b"\xff\xfe not text at all"))


def test_of_an_account_that_is_not_named_nothing_is_theirs() -> None:
    assert not searcher()(payment(b'{"receipt_email": "eve@example.test"}'))
