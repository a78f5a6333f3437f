"""WooCommerce's customers by its REST API: fetched, listed, written."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_customers import Account
from infra.fakes.woocommerce_requests import failing, silent, throttled
from infra.samples import woocommerce as build
from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.customers.readings import CompleteCustomer
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import ChangePage, CustomerRegister
from shared.storefronts.woocommerce.customer_mapping import read_customer
from shared.storefronts.woocommerce.customers import PAGE, WooCommerceCustomers

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = START + timedelta(days=30)
KEYS = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
ZOE = "zoe@example.test"


def keys(*, fresh: bool = False) -> Mapping[str, str]:
    return KEYS


class Shop:
    def __init__(self) -> None:
        self.now = START
        self.fake = WooCommerceFake(lambda: self.now)
        http = httpx.Client(transport=httpx.MockTransport(self.fake))
        self.register: CustomerRegister = WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: self.now)
        self.zoe = self.fake.register(ZOE, first_name="Zoë", last_name="Ünal")
        self.zoe.billing.update({**build.address(), "email": ZOE})

    def write(self, *fields: ProfileField, **wanted: Any) -> None:
        self.register.write(str(self.zoe.id), Profile(**wanted), frozenset(fields))

    def refusal(self, *fields: ProfileField, **wanted: Any) -> Rejected:
        with pytest.raises(Rejected) as refused:
            self.write(*fields, **wanted)
        return refused.value

    def sent(self) -> list[Any]:
        """Bodies of the writes."""
        return [request.body for request in self.fake.requests if request.method != "GET"]

    def registers(self, number: int) -> list[Account]:
        """So many more, a minute apart."""
        made = []
        for _ in range(number):
            self.now += timedelta(minutes=1)
            made.append(self.fake.register(f"buyer{len(self.fake.customers.accounts)}@example.test"))
        return made


@pytest.fixture
def shop() -> Shop:
    return Shop()


def answering(status: int, body: bytes) -> CustomerRegister:
    """A shop that reads as it should and answers every write like this."""
    whole = build.encode(build.customer())

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=whole) if request.method == "GET" else httpx.Response(status, content=body)

    http = httpx.Client(transport=httpx.MockTransport(handle))
    return WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START)


# Fetch


def test_an_account_is_fetched_as_a_delivery_that_the_reader_reads(shop: Shop) -> None:
    delivery = shop.register.fetch(str(shop.zoe.id))
    assert delivery is not None
    assert (delivery.shop, delivery.platform, delivery.topic) == ("borealis", "woocommerce", "customer.updated")
    assert (delivery.fetched, delivery.received_at) == (True, "2026-11-23T09:00:00.000000000Z")
    reading = read_customer(delivery)
    assert isinstance(reading, CompleteCustomer)
    assert reading.customer.personal.email == ZOE
    assert reading.customer.version.fetched
    assert shop.register.fetch(str(shop.zoe.id)) == delivery


def test_an_account_that_there_is_not(shop: Shop) -> None:
    assert shop.register.fetch("4711") is None
    shop.fake.delete_account(shop.zoe)
    assert shop.register.fetch(str(shop.zoe.id)) is None


@pytest.mark.parametrize("customer_id", ["", "0", "x", "1/orders", "-1", "1?role=all"])
def test_an_id_that_is_none_goes_nowhere(shop: Shop, customer_id: str) -> None:
    with pytest.raises(Rejected, match="invalid_customer_id"):
        shop.register.fetch(customer_id)
    assert shop.fake.requests == []


def test_a_route_that_is_missing_is_no_missing_account() -> None:
    body = build.encode({"code": "rest_no_route", "message": "", "data": {"status": 404}})
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(404, content=body)))
    with pytest.raises(Rejected, match="api_error"):
        WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START).fetch("3")


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"null"])
def test_an_answer_that_is_no_account(body: bytes) -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    register = WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START)
    with pytest.raises(Rejected, match="api_error"):
        register.fetch("3")


def test_a_shop_that_fails_is_asked_again_later(shop: Shop) -> None:
    for trouble in (throttled(), failing(), silent(after=False)):
        shop.fake.troubles.plan(trouble)
        with pytest.raises(Retry):
            shop.register.fetch(str(shop.zoe.id))


# Changed


def pages(shop: Shop, since: datetime, until: datetime) -> list[ChangePage]:
    found = [shop.register.changed(since, until, None)]
    while found[-1].cursor is not None:
        found.append(shop.register.changed(since, until, found[-1].cursor))
    return found


def ids(found: list[ChangePage]) -> set[str]:
    return {each for page in found for each in page.ids}


def test_those_who_registered_within_the_period_are_listed(shop: Shop) -> None:
    early, within, late = shop.registers(3)
    assert late.registered_at > within.registered_at > early.registered_at
    found = pages(shop, within.registered_at, within.registered_at + timedelta(seconds=30))
    assert ids(found) == {str(within.id)}
    [change] = found[0].changes
    assert (change.changed_at, change.created_at) == (within.registered_at, within.registered_at)


def test_a_change_is_told_with_its_own_time(shop: Shop) -> None:
    shop.now += timedelta(hours=1)
    shop.fake.edit_details(shop.zoe, first_name="Zoe")
    [change] = pages(shop, START, LATER)[0].changes
    assert (change.id, change.changed_at, change.created_at) == (str(shop.zoe.id), shop.now, START)


def test_every_page_is_listed_and_no_more_than_needed(shop: Shop) -> None:
    before = len(shop.fake.requests)
    made = shop.registers(3 * PAGE)
    assert ids(pages(shop, START, LATER)) == {str(each.id) for each in (shop.zoe, *made)}
    assert len(shop.fake.requests) - before == 3 + 4
    pages(shop, made[-3].registered_at, LATER)
    assert len(shop.fake.requests) - before == 7 + 2
    pages(shop, made[0].registered_at, made[2].registered_at)
    assert len(shop.fake.requests) - before == 9 + 3 + 1


def test_the_first_who_registered_is_listed_first_and_each_once(shop: Shop) -> None:
    made = shop.registers(2 * PAGE + 10)
    found = [each for page in pages(shop, made[3].registered_at, LATER) for each in page.ids]
    assert found == [str(each.id) for each in made[3:]]


def test_all_of_one_second_are_listed_though_they_stand_in_no_order(shop: Shop) -> None:
    shop.registers(PAGE - 3)
    same = [shop.fake.register(f"burst{number}@example.test") for number in range(6)]
    first = shop.register.changed(START, LATER, None)
    for one, other in zip(same[:3], same[3:], strict=True):
        accounts = shop.fake.customers.accounts
        one.id, other.id = other.id, one.id
        accounts[one.id], accounts[other.id] = one, other
    second = shop.register.changed(START, LATER, first.cursor)
    assert {str(each.id) for each in same} <= ids([first, second])


def test_a_shop_that_does_not_hear_how_far_to_go_is_not_asked_for_ever() -> None:
    page = [build.customer(id=number, date_created_gmt="2026-11-23T09:00:00") for number in range(1, PAGE + 1)]
    answer = httpx.Response(200, content=build.encode(page), headers={"X-WP-Total": "1000"})
    http = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    register = WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START)
    cursor = register.changed(START, LATER, None).cursor
    for _ in range(30):
        cursor = register.changed(START, LATER, cursor).cursor if cursor is not None else None
    assert cursor is None


def test_a_shop_that_does_not_count_its_customers() -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"[]")))
    register = WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START)
    with pytest.raises(Rejected, match="api_error"):
        register.changed(START, LATER, None)


def test_an_account_that_is_deleted_meanwhile_hides_no_other(shop: Shop) -> None:
    made = shop.registers(PAGE + 20)
    first = shop.register.changed(START, LATER, None)
    for gone in made[:3]:
        shop.fake.delete_account(gone)
    second = shop.register.changed(START, LATER, first.cursor)
    assert ids([first, second]) == {str(each.id) for each in (shop.zoe, *made)}


def test_one_who_registers_meanwhile_hides_no_other(shop: Shop) -> None:
    made = shop.registers(PAGE + 20)
    first = shop.register.changed(START, LATER, None)
    shop.registers(3)
    second = shop.register.changed(START, LATER, first.cursor)
    assert {str(each.id) for each in (shop.zoe, *made)} <= ids([first, second])


def test_staff_are_not_listed_and_end_no_list(shop: Shop) -> None:
    shop.fake.customers.add_user("staff@example.test", role="shop_manager")
    subscriber = shop.fake.customers.add_user("reader@example.test", role="subscriber")
    assert ids(pages(shop, START, LATER)) == {str(shop.zoe.id), str(subscriber.id)}


def test_an_account_that_was_never_changed_or_never_registered(shop: Shop) -> None:
    listed = [
        {"id": 8, "role": "customer", "date_created_gmt": "2026-11-23T09:00:00", "date_modified_gmt": None},
        {"id": 7, "role": "customer", "date_created_gmt": None, "date_modified_gmt": "2026-11-23T09:00:00"},
    ]
    answer = httpx.Response(200, content=build.encode(listed), headers={"X-WP-Total": "2"})
    http = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    found = WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START).changed(START, LATER, None)
    assert [(change.id, change.changed_at) for change in found.changes] == [("8", START)]


@pytest.mark.parametrize("cursor", ["", "0", "-1", "x", "1:2", "1:2:0", "-1:2:3", "1:2:3:4", "9" * 10 + ":2:3"])
def test_a_cursor_of_something_else_is_refused(shop: Shop, cursor: str) -> None:
    with pytest.raises(Rejected, match="invalid_cursor"):
        shop.register.changed(START, LATER, cursor)


@pytest.mark.parametrize("body", [b"{}", b'[{"id": "x"}]'])
def test_a_list_of_something_else_is_refused(body: bytes) -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    with pytest.raises(Rejected):
        WooCommerceCustomers("borealis", "shop.example", keys, http, lambda: START).changed(START, LATER, None)


# Write


def test_what_changed_is_written_and_no_more(shop: Shop) -> None:
    shop.write(ProfileField.NAME, ProfileField.PHONE, first_name="Zoe", last_name="Ünal", phone="030 2")
    assert shop.sent() == [{"first_name": "Zoe", "billing": {"phone": "030 2"}}]
    assert (shop.zoe.first_name, shop.zoe.last_name, shop.zoe.billing["phone"]) == ("Zoe", "Ünal", "030 2")
    assert shop.zoe.billing["city"] == "Berlin"


def test_a_write_that_is_repeated_writes_nothing(shop: Shop) -> None:
    for _ in range(3):
        shop.write(ProfileField.EMAIL, ProfileField.NAME, email="zoe@new.example", first_name="Zoe")
    assert shop.fake.customers.writes == 1
    assert shop.zoe.billing["email"] == "zoe@new.example"


def test_a_language_costs_no_write(shop: Shop) -> None:
    shop.write(ProfileField.LANGUAGE, language="de")
    assert shop.sent() == []


def test_an_address_that_another_account_has(shop: Shop) -> None:
    shop.fake.register("can@example.test")
    refusal = shop.refusal(ProfileField.EMAIL, email="Can@example.test")
    assert (refusal.code, refusal.field) == ("customer_refused", "email")
    assert "can@" not in refusal.describe().casefold()
    assert shop.zoe.email == ZOE


def test_one_refused_field_keeps_no_other_from_being_written(shop: Shop) -> None:
    shop.fake.register("can@example.test")
    named = (ProfileField.EMAIL, ProfileField.NAME, ProfileField.PHONE)
    refusal = shop.refusal(*named, email="can@example.test", first_name="Zoe", phone="030 2")
    assert refusal.field == "email"
    assert (shop.zoe.email, shop.zoe.first_name, shop.zoe.billing["phone"]) == (ZOE, "Zoe", "030 2")
    assert shop.zoe.billing["email"] == ZOE


def test_when_all_are_refused_the_first_refusal_is_told() -> None:
    body = build.encode({"code": "customer_invalid_billing_email", "message": "", "data": {"status": 400}})
    wanted = Profile(email="a@example.test", first_name="A")
    with pytest.raises(Rejected) as refused:
        answering(400, body).write("3", wanted, frozenset({ProfileField.EMAIL, ProfileField.NAME}))
    assert (refused.value.field, refused.value.__cause__) == ("email", None)


def test_a_field_that_is_shown_already_is_not_blamed() -> None:
    body = build.encode({"code": "rest_invalid_param", "message": "", "data": {"params": {"billing": "x"}}})
    wanted = Profile(email=ZOE, phone="030 2")
    with pytest.raises(Rejected) as refused:
        answering(400, body).write("3", wanted, frozenset({ProfileField.EMAIL, ProfileField.PHONE}))
    assert refused.value.field == "phone"


def test_an_address_that_is_none(shop: Shop) -> None:
    refusal = shop.refusal(ProfileField.EMAIL, email="nowhere")
    assert (refusal.code, refusal.field) == ("customer_refused", "email")


@pytest.mark.parametrize(
    ("code", "params", "fields", "field"),
    [
        ("registration-error-email-exists", None, {ProfileField.EMAIL, ProfileField.NAME}, "email"),
        ("customer_invalid_billing_email", None, {ProfileField.EMAIL}, "email"),
        ("rest_invalid_param", {"billing": "x"}, {ProfileField.BILLING, ProfileField.NAME}, "billing"),
        ("rest_invalid_param", {"billing": "x"}, {ProfileField.PHONE, ProfileField.SHIPPING}, "phone"),
        ("rest_invalid_param", {"shipping": "x"}, {ProfileField.PHONE, ProfileField.SHIPPING}, "shipping"),
        ("rest_invalid_param", {"last_name": "x"}, {ProfileField.PHONE, ProfileField.NAME}, "name"),
        ("plugin_says_no", None, {ProfileField.SHIPPING}, "shipping"),
        ("plugin_says_no", None, {ProfileField.SHIPPING, ProfileField.PHONE}, None),
        ("rest_invalid_param", {"billing": "x"}, {ProfileField.EMAIL, ProfileField.PHONE}, "email"),
        ("plugin_says_no", None, {ProfileField.SHIPPING, ProfileField.LANGUAGE}, "shipping"),
        ("plugin_says_no", {"vat": "x"}, {ProfileField.SHIPPING, ProfileField.PHONE}, None),
    ],
)
def test_the_field_at_fault_is_named(
    code: str, params: dict[str, str] | None, fields: set[ProfileField], field: str | None
) -> None:
    body = build.encode({"code": code, "message": "canary", "data": {"status": 400, "params": params}})
    wanted = Profile(
        email="a@example.test", first_name="A", phone="1", billing=PostalAddress(city="A"), shipping=PostalAddress()
    )
    with pytest.raises(Rejected) as refused:
        answering(400, body).write("3", wanted, frozenset(fields))
    assert (refused.value.code, refused.value.field) == ("customer_refused", field)
    assert "canary" not in refused.value.describe()


def test_an_account_that_is_gone(shop: Shop) -> None:
    shop.fake.delete_account(shop.zoe)
    assert shop.refusal(ProfileField.NAME, first_name="Zoe").code == "unknown_customer"


@pytest.mark.parametrize(("status", "code"), [(404, "wc_user_invalid_id"), (400, "woocommerce_rest_invalid_id")])
def test_an_account_that_goes_meanwhile(status: int, code: str) -> None:
    body = build.encode({"code": code, "message": "", "data": {"status": status}})
    with pytest.raises(Rejected, match="unknown_customer"):
        answering(status, body).write("3", Profile(first_name="A"), frozenset({ProfileField.NAME}))


@pytest.mark.parametrize("role", ["administrator", "shop_manager"])
def test_the_shops_staff_are_left_alone(shop: Shop, role: str) -> None:
    shop.zoe.role = role
    assert shop.refusal(ProfileField.NAME, first_name="Zoe").code == "unknown_customer"
    assert shop.sent() == []


@pytest.mark.parametrize("trouble", [silent(after=True), failing(after=True), silent(after=False)])
def test_an_answer_that_is_lost_leaves_the_outcome_unknown_and_a_repeat_ends_the_same(shop: Shop, trouble: Any) -> None:
    shop.fake.troubles.plan(None, trouble)
    with pytest.raises(Retry, match="storefront_outcome_unknown"):
        shop.write(ProfileField.NAME, first_name="Zoe", last_name="Ünal")
    shop.write(ProfileField.NAME, first_name="Zoe", last_name="Ünal")
    assert (shop.zoe.first_name, shop.fake.customers.writes) == ("Zoe", 1)


def test_a_throttled_write_was_not_done(shop: Shop) -> None:
    shop.fake.troubles.plan(None, throttled())
    with pytest.raises(Retry, match="storefront_throttled"):
        shop.write(ProfileField.NAME, first_name="Zoe")
    assert shop.zoe.first_name == "Zoë"


def test_a_key_that_may_not_write(shop: Shop) -> None:
    shop.fake.may_write = False
    assert shop.refusal(ProfileField.NAME, first_name="Zoe").code == "api_access"


def test_our_write_comes_back_as_a_webhook_that_says_what_was_written(shop: Shop) -> None:
    received: list[tuple[str, Any]] = []

    def take(_url: str, headers: Mapping[str, str], body: bytes) -> int:
        if "x-wc-webhook-topic" in headers:
            received.append((headers["x-wc-webhook-topic"], json.loads(body)))
        return 200

    shop.fake.webhooks.send = take
    shop.fake.webhooks.register("customer.updated", "https://hooks.example/webhooks/borealis/customers", secret="s")
    shop.write(ProfileField.NAME, first_name="Zoe", last_name="Ünal")
    shop.fake.deliver()
    [(topic, body)] = received
    assert (topic, body["first_name"]) == ("customer.updated", "Zoe")
