"""How the Shopify that is not there keeps customers: what it refuses, what its webhooks say, and when it is silent."""

from typing import Any

import httpx
import pytest

from infra.fakes.shopify_admin import PATH, TOKEN, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.shopify_customers import Customers, Refused
from infra.local.shopify_schema import SCHEMA_FILE
from infra.samples.shopify import delivery, gid
from infra.samples.shopify_customers import account
from shared.customers.readings import (
    CompleteCustomer,
    CustomerDeleted,
    CustomerHint,
    CustomerReading,
    CustomersMerged,
    PrivacyCall,
    PrivacyTopic,
)
from shared.storefronts.shopify.customer_mapping import read_customer
from shared.storefronts.shopify.subscriptions import CUSTOMER_TOPICS

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

Json = dict[str, Any]

UPDATE = """mutation Update($input: CustomerInput!) { customerUpdate(input: $input) {
  customer { id firstName } userErrors { field message }
} }"""
BERLIN = {"address1": "Hauptstr. 1", "city": "Berlin", "zip": "10115", "country_code": "DE"}


@pytest.fixture
def shop() -> ShopifyAdmin:
    return ShopifyAdmin(VirtualClock())


@pytest.fixture
def customers(shop: ShopifyAdmin) -> Customers:
    return shop.customers


def readings(customers: Customers) -> list[CustomerReading]:
    return [read_customer(delivery(each.body, topic=each.topic)) for each in customers.take_webhooks()]


def ask(shop: ShopifyAdmin, query: str, **variables: Any) -> Json:
    with httpx.Client(transport=httpx.MockTransport(shop.handler), base_url="https://a.myshopify.com") as http:
        headers = {"X-Shopify-Access-Token": TOKEN}
        answer: Json = http.post(PATH, json={"query": query, "variables": variables}, headers=headers).json()
    return answer


def test_a_body_has_the_members_of_shopifys_own(customers: Customers) -> None:
    number = customers.register(email="zoe@example.test", address=BERLIN)
    body = customers.body(number)
    assert body.keys() == account().keys()
    assert body["default_address"].keys() == account()["default_address"].keys()


def test_a_life_in_webhooks(customers: Customers) -> None:
    number = customers.register(email="zoe@example.test", first_name="Zoë", address=BERLIN)
    customers.edit(number, last_name="Ünal", address={"zip": "10117"})
    customers.edit(number, last_name="Ünal")
    customers.agree(number, "subscribed")
    customers.agree(number, "subscribed", channel="sms")
    customers.switch(number, "disabled")
    customers.delete(number)
    registered, edited, email, sms, disabled, deleted = readings(customers)
    assert isinstance(registered, CompleteCustomer)
    assert isinstance(edited, CompleteCustomer)
    assert (registered.customer.personal.name, edited.customer.personal.name) == ("Zoë", "Zoë Ünal")
    assert edited.customer.personal.billing is not None
    assert edited.customer.personal.billing.postal_code == "10117"
    assert email == sms == CustomerHint(number, "consent")
    assert isinstance(disabled, CompleteCustomer)
    assert disabled.customer.vendor_state == "disabled"
    assert isinstance(deleted, CustomerDeleted)
    assert customers.take_webhooks() == []


def test_a_merge_leaves_one_that_knows_what_both_knew(customers: Customers) -> None:
    kept = customers.register(email="zoe@example.test", first_name="Zoë")
    gone = customers.register(email="z@example.test", phone="+49 30 2000000", address=BERLIN)
    customers.take_webhooks()
    customers.merge(kept=kept, gone=gone)
    merged, changed = readings(customers)
    assert isinstance(merged, CustomersMerged)
    assert (merged.kept, merged.gone) == (kept, gone)
    assert isinstance(changed, CompleteCustomer)
    assert changed.customer.customer_id == kept
    assert (changed.customer.personal.email, changed.customer.personal.phone) == ("zoe@example.test", "+49302000000")
    assert gone not in customers.kept


def test_calls_for_privacy_name_who_may_be_gone(customers: Customers) -> None:
    number = customers.register(email="zoe@example.test")
    customers.take_webhooks()
    customers.ask_for_privacy(number, erase=False, orders=(5001,))
    customers.delete(number)
    customers.ask_for_privacy(number, erase=True, orders=(5001,))
    customers.leave()
    asked, _deleted, erased, left = readings(customers)
    assert isinstance(asked, PrivacyCall)
    assert isinstance(erased, PrivacyCall)
    assert isinstance(left, PrivacyCall)
    assert (asked.topic, asked.email, asked.orders) == (PrivacyTopic.DATA_REQUEST, "zoe@example.test", ("5001",))
    assert (erased.topic, erased.customer_id, erased.email) == (PrivacyTopic.REDACT, number, None)
    assert left.topic is PrivacyTopic.SHOP_REDACT


def test_what_it_sends_are_topics_that_we_subscribe_to(customers: Customers) -> None:
    number = customers.register(email="zoe@example.test")
    other = customers.register(email="z@example.test")
    customers.edit(number, first_name="Zoë")
    for channel in ("email", "sms"):
        customers.agree(number, "subscribed", channel=channel)
    for state in ("disabled", "enabled"):
        customers.switch(number, state)
    customers.merge(kept=number, gone=other)
    customers.delete(number)
    assert {each.topic for each in customers.take_webhooks()} == set(CUSTOMER_TOPICS)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ZOE@example.test"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"phone": "+49 30 2000000"}, "phone"),
        ({"phone": "call me"}, "phone"),
        ({}, None),
    ],
)
def test_what_it_does_not_take(customers: Customers, fields: Json, field: str | None) -> None:
    customers.register(email="zoe@example.test", phone="+49302000000")
    with pytest.raises(Refused) as caught:
        customers.register(**fields)
    assert caught.value.args[1] == field
    assert len(customers.kept) == 1


def test_the_api_tells_a_refusal_by_its_field_and_changes_nothing(shop: ShopifyAdmin) -> None:
    shop.customers.register(email="taken@example.test")
    number = shop.customers.register(email="zoe@example.test", first_name="Zoë")
    shop.customers.take_webhooks()
    asked = {"id": gid("Customer", number), "firstName": "Zoe", "email": "taken@example.test"}
    told = ask(shop, UPDATE, input=asked)["data"]["customerUpdate"]
    assert told == {"customer": None, "userErrors": [{"field": ["email"], "message": "Email has already been taken"}]}
    assert (shop.customers.kept[number]["first_name"], shop.customers.take_webhooks()) == ("Zoë", [])
    told = ask(shop, UPDATE, input={"id": gid("Customer", number), "firstName": "Zoe"})["data"]["customerUpdate"]
    assert told == {"customer": {"id": gid("Customer", number), "firstName": "Zoe"}, "userErrors": []}
    assert [each.topic for each in shop.customers.take_webhooks()] == ["customers/update"]


def test_a_country_that_is_none_is_no_input_at_all(shop: ShopifyAdmin) -> None:
    number = shop.customers.register(email="zoe@example.test")
    query = """mutation Create($id: ID!, $address: MailingAddressInput!) {
      customerAddressCreate(customerId: $id, address: $address) { userErrors { field } }
    }"""
    answer = ask(shop, query, id=gid("Customer", number), address={"countryCode": "QQ"})
    assert "errors" in answer
    assert shop.customers.kept[number]["addresses"] == []
