"""The fake shop's accounts do what WooCommerce 10.0.2 was seen to do, or what its source says it does."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.fakes.woocommerce_requests import RestError
from shared.customers.readings import CompleteCustomer, CustomerDeleted, NothingToDo
from shared.storefronts.woocommerce.customer_mapping import read_customer
from shared.storefronts.woocommerce.signature import authenticate_customers
from shared.storefronts.woocommerce.subscriptions import CUSTOMER_TOPICS
from shared.webhooks.delivery import Delivery
from shared.webhooks.ingress import Authenticated, WebhookRequest
from tests.unit.fakes.test_woocommerce import SECRET, Rig, code

ZOE = "zoe@example.test"


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    made.subscribe(*CUSTOMER_TOPICS)
    return made


def created(response: httpx.Response) -> Any:
    assert response.status_code == 201
    return response.json()


# Webhooks


def test_a_registration_is_announced_twice(rig: Rig) -> None:
    account = rig.fake.register(ZOE)
    rig.fake.deliver()
    assert rig.inbox.topics() == ["customer.created", "customer.updated"]
    assert [body["id"] for body in rig.inbox.bodies()] == [account.id, account.id]


def test_a_delivery_is_signed_and_read_as_a_customers(rig: Rig) -> None:
    rig.fake.register(ZOE, first_name="Zoë")
    rig.fake.deliver()
    headers, body = rig.inbox.received[0]
    taken = authenticate_customers(WebhookRequest(headers, body), secrets=[SECRET], shop_address="shop.example")
    assert isinstance(taken, Authenticated)
    reading = read_customer(Delivery("borealis", "woocommerce", taken.topic, "2026-11-23T09:00:01.000000000Z", body))
    assert isinstance(reading, CompleteCustomer)
    assert (reading.customer.personal.email, reading.customer.personal.first_name) == (ZOE, "Zoë")


def test_a_customer_made_over_rest_is_announced_twice_too(rig: Rig) -> None:
    made = created(rig.call("POST", "/customers", {"email": ZOE, "first_name": "Zoë", "billing": {"city": "Berlin"}}))
    assert (made["username"], made["first_name"], made["billing"]["city"]) == ("zoe", "Zoë", "Berlin")
    rig.fake.deliver()
    assert rig.inbox.topics() == ["customer.created", "customer.updated"]


def test_a_payload_is_built_when_it_is_delivered(rig: Rig) -> None:
    account = rig.fake.register(ZOE)
    rig.fake.edit_details(account, first_name="Zoe")
    rig.fake.deliver()
    assert [body["first_name"] for body in rig.inbox.bodies()] == ["Zoe", "Zoe"]


def test_an_account_that_is_gone_by_then_is_a_signed_error(rig: Rig) -> None:
    account = rig.fake.register(ZOE)
    rig.fake.delete_account(account)
    rig.fake.deliver()
    readings = [
        read_customer(Delivery("borealis", "woocommerce", topic, "2026-11-23T09:00:01.000000000Z", body))
        for topic, (_, body) in zip(rig.inbox.topics(), rig.inbox.received, strict=True)
    ]
    assert readings[:2] == [NothingToDo("gone"), NothingToDo("gone")]
    assert isinstance(readings[2], CustomerDeleted)
    assert rig.inbox.bodies()[2] == {"id": account.id}


def test_a_write_comes_back_even_where_nothing_differs(rig: Rig) -> None:
    account = rig.fake.register(ZOE, first_name="Zoë")
    rig.fake.deliver()
    rig.inbox.received.clear()
    rig.call("PUT", f"/customers/{account.id}", {"first_name": "Zoë"})
    rig.fake.deliver()
    assert rig.inbox.topics() == ["customer.updated"]


def test_staffs_changes_are_announced_and_their_deletion_is_not(rig: Rig) -> None:
    clerk = rig.fake.customers.add_user("clerk@example.test", role="shop_manager")
    rig.fake.edit_details(clerk, first_name="Can")
    rig.fake.deliver()
    assert rig.inbox.topics() == ["customer.updated"]
    rig.fake.delete_account(clerk)
    assert rig.fake.deliver() == 0


def test_accounts_that_others_make_are_not_announced_and_know_no_change(rig: Rig) -> None:
    account = rig.fake.customers.add_user("imported@example.test")
    assert rig.fake.deliver() == 0
    body = rig.call("GET", f"/customers/{account.id}").json()
    assert (body["date_modified"], body["date_modified_gmt"]) == (None, None)
    assert (body["date_created"], body["date_created_gmt"]) == ("2026-11-23T10:00:00", "2026-11-23T09:00:00")


# What buyers do


def test_the_address_for_bills_goes_with_the_account_details(rig: Rig) -> None:
    account = rig.fake.register(ZOE, first_name="Zoë")
    rig.time.pass_(60)
    rig.fake.edit_details(account, email="zoe@new.example", first_name="Zoë")
    assert (account.billing["email"], account.billing["first_name"]) == ("zoe@new.example", "")
    assert account.changed_at == account.registered_at + timedelta(seconds=60)


def test_the_address_book(rig: Rig) -> None:
    account = rig.fake.register(ZOE)
    rig.fake.edit_address(account, "shipping", city="Berlin")
    assert (account.shipping["city"], account.billing["city"]) == ("Berlin", "")


def test_an_email_address_is_taken_once_whatever_its_case(rig: Rig) -> None:
    rig.fake.register(ZOE)
    with pytest.raises(RestError, match="registration-error-email-exists"):
        rig.fake.register("Zoe@example.test")
    other = rig.fake.register("can@example.test")
    with pytest.raises(RestError, match="registration-error-email-exists"):
        rig.fake.edit_details(other, email=ZOE)
    assert code(rig.call("POST", "/customers", {"email": ZOE})) == (400, "registration-error-email-exists")


def test_an_order_says_who_bought(rig: Rig) -> None:
    rig.fake.add_product("MUG", 5)
    account = rig.fake.register(ZOE)
    rig.fake.edit_address(account, "billing", city="Berlin")
    for block_checkout in (True, False):
        order = rig.fake.sell("MUG", 1, block_checkout=block_checkout, buyer=account)
        assert (order.body["customer_id"], order.body["billing"]["city"]) == (account.id, "Berlin")
        assert order.body["billing"]["email"] == ZOE
    assert rig.fake.sell("MUG", 1).body["customer_id"] == 0


# REST


def test_each_member_that_is_sent_is_set_and_no_other(rig: Rig) -> None:
    account = rig.fake.register(ZOE, first_name="Zoë", last_name="Ünal")
    rig.fake.edit_address(account, "billing", city="Berlin", phone="030 1")
    body = rig.call("PUT", f"/customers/{account.id}", {"last_name": "", "billing": {"phone": "030 2"}}).json()
    assert (body["first_name"], body["last_name"]) == ("Zoë", "")
    assert (body["billing"]["city"], body["billing"]["phone"]) == ("Berlin", "030 2")


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"email": ""}, "email"),
        ({"billing": {"email": ""}}, "billing"),
        ({"billing": {"phone": None}}, "billing"),
        ({"shipping": []}, "shipping"),
        ({"first_name": None}, "first_name"),
    ],
)
def test_what_is_invalid_is_refused_whole(rig: Rig, changes: Any, member: str) -> None:
    account = rig.fake.register(ZOE, last_name="Ünal")
    response = rig.call("PUT", f"/customers/{account.id}", {"last_name": "Else"} | changes)
    assert code(response) == (400, "rest_invalid_param")
    assert list(response.json()["data"]["params"]) == [member]
    assert account.last_name == "Ünal"


def test_a_taken_address_is_refused_and_so_is_ones_own_in_another_case(rig: Rig) -> None:
    account = rig.fake.register(ZOE)
    rig.fake.register("can@example.test")
    path = f"/customers/{account.id}"
    for email in ("CAN@example.test", "Zoe@example.test"):
        assert code(rig.call("PUT", path, {"email": email})) == (400, "woocommerce_rest_customer_invalid_email")
    assert rig.call("PUT", path, {"email": ZOE}).status_code == 200


def test_an_account_that_there_is_not(rig: Rig) -> None:
    assert code(rig.call("GET", "/customers/99")) == (404, "wc_user_invalid_id")
    assert code(rig.call("PUT", "/customers/99", {})) == (404, "wc_user_invalid_id")


def test_accounts_are_deleted_for_good_or_not_at_all(rig: Rig) -> None:
    path = f"/customers/{rig.fake.register(ZOE).id}"
    assert code(rig.call("DELETE", path)) == (501, "woocommerce_rest_trash_not_supported")
    assert rig.call("DELETE", path, force="true").status_code == 200
    assert rig.call("GET", path).status_code == 404


def test_the_list_is_of_customers_by_name_unless_told_otherwise(rig: Rig) -> None:
    for name in ("zoe", "can", "mia"):
        rig.fake.register(f"{name}@example.test")
        rig.time.pass_(60)
    listed = rig.call("GET", "/customers")
    assert [each["username"] for each in listed.json()] == ["can", "mia", "zoe"]
    newest = rig.call("GET", "/customers", role="all", orderby="registered_date", order="desc", offset="1")
    assert [each["username"] for each in newest.json()] == ["can", "zoe", "admin"]
    assert newest.headers["X-WP-Total"] == "4"
    assert code(rig.call("GET", "/customers", orderby="modified")) == (400, "rest_invalid_param")
