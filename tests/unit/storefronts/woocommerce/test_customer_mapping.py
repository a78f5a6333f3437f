"""WooCommerce's customer in the canonical customer's words."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.samples import woocommerce as build
from shared.customers.models import AccountState, Customer, CustomerSource, PostalAddress, Profile
from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerHint, NothingToDo
from shared.kernel.errors import Rejected
from shared.kernel.versions import Comparison, compare
from shared.storefronts.port import CustomerReader
from shared.storefronts.woocommerce.customer_mapping import read_customer
from shared.webhooks.delivery import Delivery

FIXTURES = Path(__file__).parents[5] / "shared" / "fixtures"
CAPTURED = sorted((FIXTURES / "captured").glob("wc-customer.*.json"))
RECORDED = sorted((FIXTURES / "woocommerce").glob("*customer*.json"))
NEVER: dict[str, Any] = {"date_modified": None, "date_modified_gmt": None}


def delivery(body: Any, **overrides: Any) -> Delivery:
    return build.delivery(body, **({"topic": "customer.updated"} | overrides))


def complete(body: Any, **overrides: Any) -> Customer:
    reading = read_customer(delivery(body, **overrides))
    assert isinstance(reading, CompleteCustomer), reading
    return reading.customer


def mapped(**overrides: Any) -> Customer:
    return complete(build.customer(**overrides))


def rejection(body: Any) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        read_customer(delivery(body))
    return refusal.value


def test_the_function_is_a_reader() -> None:
    reader: CustomerReader = read_customer
    assert isinstance(reader(delivery(build.customer())), CompleteCustomer)


def test_an_account_is_read_whole() -> None:
    customer = mapped()
    home = PostalAddress(
        first_name="Zoë",
        last_name="Ünal",
        name="Zoë Ünal",
        address1="Hauptstr. 1",
        city="Berlin",
        province_code="DE-BE",
        postal_code="10115",
        country_code="DE",
        phone="030 1",
    )
    assert (customer.shop, customer.kind, customer.customer_id) == ("aurora", "customer", "3")
    assert (customer.platform, customer.source) == ("woocommerce", CustomerSource.REGISTRATION)
    assert customer.registered_at == datetime(2026, 11, 20, 9, 2, 9, tzinfo=UTC)
    assert customer.updated_at == datetime(2026, 11, 23, 9, 2, 9, tzinfo=UTC)
    assert (customer.state, customer.vendor_state) == (AccountState.UNKNOWN, "customer")
    assert customer.personal == Profile(
        email="zoe@example.test",
        phone="030 1",
        first_name="Zoë",
        last_name="Ünal",
        billing=home,
        shipping=home,
        username="zoe.unal",
        unknown_fields={
            "is_paying_customer": True,
            "avatar_url": "https://secure.gravatar.com/avatar/made-up?s=96&d=mm&r=g",
            "meta_data": [{"id": 44, "key": "wc_last_active", "value": "1795392000"}],
            "_links": {"self": [{"href": "https://shop.example/wp-json/wc/v3/customers/3"}]},
        },
    )


def test_what_woocommerce_does_not_tell_is_not_made_up() -> None:
    customer = mapped()
    assert customer.consents is None
    assert customer.email_verified_by_storefront is None
    assert customer.tax_exempt is None
    assert customer.personal.language is None


def test_the_version_says_what_was_read_and_when() -> None:
    first = complete(build.customer())
    assert first.version.updated_at == "2026-11-23T09:02:09.000000000Z"
    assert first.version.observed_at == build.RECEIVED_AT
    assert not first.version.fetched
    again = complete(build.customer(date_modified_gmt="2026-11-23T09:02:10"))
    assert compare(again.version, first.version) is Comparison.NEWER
    assert compare(first.version, first.version) is Comparison.SAME
    fetched = complete(build.customer(first_name="Zoe"), fetched=True, received_at="2026-11-23T09:02:12.000000000Z")
    assert compare(fetched.version, first.version) is Comparison.NEWER


def test_an_account_that_was_never_changed_is_as_old_as_it_is() -> None:
    customer = mapped(**NEVER)
    assert customer.updated_at == customer.registered_at


def test_local_times_serve_where_nothing_else_is_sent() -> None:
    body = {name: value for name, value in build.customer().items() if not name.endswith("_gmt")}
    assert complete(body).updated_at == datetime(2026, 11, 23, 10, 2, 9, tzinfo=UTC)


def test_an_account_without_any_time_is_refused() -> None:
    body = {name: value for name, value in build.customer().items() if not name.startswith("date_")}
    assert (rejection(body).code, rejection(body).field) == ("invalid_payload", "date_modified_gmt")


def test_a_time_that_is_none_is_refused() -> None:
    assert rejection(build.customer(date_modified_gmt="yesterday")).code == "invalid_time"


def test_blank_is_nothing() -> None:
    blank = dict.fromkeys(build.address(), "")
    personal = mapped(first_name="", last_name=" ", email="", username="", billing=blank, shipping=blank).personal
    assert personal.model_copy(update={"unknown_fields": {}}) == Profile()


@pytest.mark.parametrize("absent", [None, [], ""])
def test_an_address_may_be_absent_as_php_writes_it(absent: Any) -> None:
    personal = mapped(billing=absent, shipping=absent).personal
    assert (personal.billing, personal.shipping, personal.phone) == (None, None, None)


def test_the_company_is_the_billing_addresss() -> None:
    assert mapped(billing=build.address(company="Ünal GmbH")).personal.company == "Ünal GmbH"


def test_an_address_to_write_to_is_kept_where_it_is_another() -> None:
    personal = mapped(billing=build.address(email="accounts@example.test")).personal
    assert personal.email == "zoe@example.test"
    assert personal.unknown_fields["billing.email"] == "accounts@example.test"
    assert mapped(email="").personal.email == "zoe@example.test"


def test_what_a_plugin_adds_is_kept() -> None:
    body = build.customer(vat_number="DE1", billing=build.address(house_number="7"))
    unknown = complete(body).personal.unknown_fields
    assert unknown["vat_number"] == "DE1"
    assert unknown["billing.house_number"] == "7"


def test_a_fraction_in_meta_is_kept_to_the_digit() -> None:
    body = build.encode(build.customer(meta_data=[{"id": 1, "key": "score", "value": 0.5}])).replace(b"0.5", b"0.10")
    assert complete(body).personal.unknown_fields["meta_data"] == [{"id": 1, "key": "score", "value": "0.10"}]


@pytest.mark.parametrize("role", ["administrator", "shop_manager", "author"])
def test_the_shops_staff_are_no_customers(role: str) -> None:
    assert read_customer(delivery(build.customer(role=role))) == NothingToDo("staff")


@pytest.mark.parametrize("role", ["customer", "subscriber", "", None])
def test_everybody_else_is(role: str | None) -> None:
    assert mapped(role=role).customer_id == "3"


def test_a_deletion_is_of_when_we_heard_of_it() -> None:
    reading = read_customer(delivery({"id": 14}, topic="customer.deleted"))
    assert reading == CustomerDeleted("14", datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC))


@pytest.mark.parametrize("topic", ["customer.updated", "customer.created"])
def test_a_thin_body_is_a_hint(topic: str) -> None:
    assert read_customer(delivery({"id": 14}, topic=topic)) == CustomerHint("14", "thin")


def test_a_whole_account_is_never_a_deletion_whatever_the_unsigned_topic_says() -> None:
    assert complete(build.customer(), topic="customer.deleted").customer_id == "3"


@pytest.mark.parametrize("code", ["wc_user_invalid_id", "woocommerce_rest_invalid_id"])
def test_an_account_that_is_gone_by_now(code: str) -> None:
    body = {"code": code, "message": "Invalid user ID.", "data": {"status": 404}}
    assert read_customer(delivery(body)) == NothingToDo("gone")


@pytest.mark.parametrize(
    "body",
    [
        {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 403}},
        {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": []},
        {"code": "rest_no_route", "message": "No route.", "data": {"status": 404}},
        {"webhook_id": 1},
        {},
        [],
    ],
)
def test_any_other_error_must_not_pass_quietly(body: Any) -> None:
    assert rejection(body).code == "invalid_payload"


@pytest.mark.parametrize("id_", [0, -1, "x", None, 1.5, ""])
def test_an_id_that_is_none_is_refused(id_: Any) -> None:
    assert rejection(build.customer(id=id_)).field == "id"


def test_a_refusal_names_the_field_and_not_its_content() -> None:
    refusal = rejection(build.customer(email=["canary@example.test"]))
    assert refusal.field == "email"
    assert "canary" not in refusal.describe()


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_delivery_is_read(path: Path) -> None:
    record = json.loads(path.read_text("utf-8"))
    customer = complete(base64.b64decode(record["body_base64"]), topic="customer.created")
    sent = json.loads(base64.b64decode(record["body_base64"]))
    assert customer.customer_id == str(sent["id"])
    assert customer.personal.email == sent["email"]
    assert customer.personal.username == sent["username"]
    assert (customer.personal.billing is None) == (not any(sent["billing"].values()))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_customer_is_read(path: Path) -> None:
    found = json.loads(path.read_text("utf-8"))
    for body in found if isinstance(found, list) else [found]:
        customer = complete(body)
        assert customer.personal.email == body["email"]
        assert customer.personal.billing is not None
        assert customer.personal.billing.city == body["billing"]["city"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(changed=st.dictionaries(st.sampled_from(sorted(build.customer())), JSON, max_size=4))
@settings(max_examples=150)
def test_nothing_that_is_sent_makes_the_reader_fail_otherwise_than_by_refusing(changed: dict[str, Any]) -> None:
    with suppress(Rejected):
        read_customer(delivery(build.customer() | changed))
