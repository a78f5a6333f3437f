"""What Shopify says of customers, in our own words."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.samples import shopify, shopify_customers
from infra.samples.shopify import gid
from infra.samples.shopify_customers import account, book_entry, consent, withheld
from shared.customers.models import AccountState, Customer, CustomerSource, MarketingConsent, Profile
from shared.customers.readings import (
    CompleteCustomer,
    CustomerDeleted,
    CustomerHint,
    CustomerReading,
    CustomersMerged,
    NothingToDo,
    PrivacyCall,
    PrivacyTopic,
)
from shared.kernel.errors import Rejected
from shared.kernel.versions import Comparison, compare
from shared.storefronts.port import CustomerReader
from shared.storefronts.shopify import customer_mapping
from shared.storefronts.shopify.customer_mapping import read_customer
from shared.storefronts.shopify.signature import authenticate_customers
from shared.webhooks.ingress import WebhookRequest

Json = dict[str, Any]

FIXTURES = Path(__file__).parents[5] / "shared" / "fixtures" / "shopify"
TRIGGERED = datetime(2026, 11, 23, 9, 2, 10, 290670, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 23, 9, 2, 11, tzinfo=UTC)

reader: CustomerReader = read_customer


def read(body: Any, *, topic: str = "customers/update", **overrides: Any) -> CustomerReading:
    return reader(shopify.delivery(body, topic=topic, **overrides))


def customer(body: Any, **overrides: Any) -> Customer:
    reading = read(body, **overrides)
    assert isinstance(reading, CompleteCustomer)
    return reading.customer


def refusal(body: Any, **overrides: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        read(body, **overrides)
    return caught.value


# A whole account


def test_a_registration_is_read_as_a_customer() -> None:
    found = customer(account(), topic="customers/create")
    assert str(found.key) == "aurora/customer/207"
    assert (found.platform, found.gid) == ("shopify", gid("Customer", 207))
    assert (found.source, found.state, found.vendor_state) == (
        CustomerSource.REGISTRATION,
        AccountState.ENABLED,
        "enabled",
    )
    assert found.registered_at == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 11, 23, 9, 2, 9, tzinfo=UTC)
    assert (found.email_verified_by_storefront, found.tax_exempt) == (True, False)
    personal = found.personal
    assert (personal.first_name, personal.last_name, personal.email, personal.phone, personal.note) == (
        "Zoë",
        "Ünal",
        "zoe@example.test",
        "+49302000000",
        "Likes blue.",
    )


def test_its_version_is_the_shops_time_of_change_and_when_we_heard_of_it() -> None:
    found = customer(account())
    assert found.version.updated_at == "2026-11-23T09:02:09.000000000Z"
    assert found.version.observed_at == "2026-11-23T09:02:10.290670248Z"
    later = customer(account(updated_at="2026-11-23T10:02:10+01:00"))
    assert compare(later.version, found.version) is Comparison.NEWER
    asked = customer(account(note="Other"), fetched=True)
    assert asked.version.observed_at == shopify.RECEIVED_AT
    assert compare(asked.version, found.version) is Comparison.NEWER


def test_a_trigger_time_that_is_none_costs_us_nothing() -> None:
    assert customer(account(), triggered_at="soon").version.observed_at == shopify.RECEIVED_AT


def test_an_id_that_a_number_cannot_hold_is_taken_from_the_global_id() -> None:
    body = account(id=706405506930370000, admin_graphql_api_id=gid("Customer", 706405506930370084))
    assert customer(body).customer_id == "706405506930370084"
    assert customer(account(admin_graphql_api_id=None)).customer_id == "207"


def test_the_one_usual_address_is_for_invoices_and_for_deliveries() -> None:
    usual, other = book_entry(71, company="Ünal GmbH", default=True), book_entry(72, city="Bonn")
    personal = customer(account(default_address=usual, addresses=[other, usual])).personal
    assert personal.billing is not None
    assert personal.billing == personal.shipping
    assert (personal.billing.city, personal.billing.postal_code, personal.billing.country_code) == (
        "Berlin",
        "10115",
        "DE",
    )
    assert personal.company == "Ünal GmbH"
    assert [address.city for address in personal.further_addresses] == ["Bonn"]


def test_the_usual_address_may_be_marked_in_the_book_alone() -> None:
    usual, other = book_entry(71, default=True), book_entry(72, city="Bonn")
    personal = customer(account(default_address=None, addresses=[other, usual])).personal
    assert personal.billing is not None
    assert (personal.billing.city, len(personal.further_addresses)) == ("Berlin", 1)


def test_without_an_address_there_is_no_company_either() -> None:
    personal = customer(account(default_address=None, addresses=[])).personal
    assert (personal.billing, personal.shipping, personal.company, personal.further_addresses) == (None, None, None, ())


def test_an_account_whose_personal_data_is_withheld_is_a_whole_one() -> None:
    found = customer(withheld())
    assert found.customer_id == "207"
    kept = {name: value for name, value in found.personal if value and name != "unknown_fields"}
    assert kept == {}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("enabled", AccountState.ENABLED),
        ("DISABLED", AccountState.DISABLED),
        ("invited", AccountState.INVITED),
        ("declined", AccountState.DECLINED),
        ("frozen", AccountState.UNKNOWN),
        (None, AccountState.UNKNOWN),
    ],
)
def test_the_state_of_an_account_is_never_guessed(word: str | None, state: AccountState) -> None:
    found = customer(account(state=word))
    assert (found.state, found.vendor_state) == (state, word)


@pytest.mark.parametrize(
    ("tags", "read_as"), [("vip, wholesale,", ("vip", "wholesale")), (["vip"], ("vip",)), (None, ())]
)
def test_tags_are_one_text_in_webhooks_and_a_list_elsewhere(tags: Any, read_as: tuple[str, ...]) -> None:
    assert customer(account(tags=tags)).personal.tags == read_as


def test_what_no_field_holds_is_kept() -> None:
    body = account(loyalty={"points": 12}, default_address=book_entry(default=True, floor="3"))
    assert customer(body).personal.unknown_fields == {
        "currency": "EUR",
        "default_address.floor": "3",
        "loyalty": {"points": 12},
    }


# Consents


def test_an_account_that_states_no_consents_leaves_what_was_known() -> None:
    assert customer(account()).consents is None


def test_consents_are_carried_with_how_and_when_they_were_given() -> None:
    found = customer(account(email_marketing_consent=consent(), sms_marketing_consent=consent("pending")))
    since = datetime(2026, 11, 20, 7, 1, tzinfo=UTC)
    assert found.consents == (
        MarketingConsent(channel="email", state="subscribed", since=since, opt_in="confirmed_opt_in"),
        MarketingConsent(channel="sms", state="pending", since=since, opt_in="confirmed_opt_in"),
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *(("subscribed", "subscribed"), ("unsubscribed", "unsubscribed"), ("pending", "pending")),
        *(("not_subscribed", "not_subscribed"), ("NEVER_SUBSCRIBED", "not_subscribed")),
        *(("redacted", "unsubscribed"), ("invalid", "unsubscribed")),
    ],
)
def test_nothing_that_forbids_marketing_is_read_as_leave(word: str, state: str) -> None:
    (found,) = customer(account(email_marketing_consent=consent(word))).consents or ()
    assert found.state == state


@pytest.mark.parametrize("stated", [None, consent(None)])
def test_a_channel_without_a_consent_allows_nothing(stated: Json | None) -> None:
    assert customer(account(email_marketing_consent=stated, sms_marketing_consent=None)).consents == ()


def test_a_word_that_is_unknown_allows_nothing_and_is_kept() -> None:
    found = customer(account(email_marketing_consent=consent("presumed")))
    assert found.consents == ()
    assert found.personal.unknown_fields["email_marketing_consent.state"] == "presumed"


@given(word=st.text(max_size=20))
def test_only_the_word_itself_is_leave_for_marketing(word: str) -> None:
    consents = customer(account(email_marketing_consent=consent(word))).consents or ()
    assert ("subscribed" in {each.state for each in consents}) is (word.strip().lower() == "subscribed")


def test_a_consent_of_its_own_is_a_hint_to_fetch_the_customer() -> None:
    hint = CustomerHint("207", "consent")
    assert read(shopify_customers.email_consent(), topic="customers_email_marketing_consent/update") == hint
    assert read(shopify_customers.sms_consent(None), topic="customers_marketing_consent/update") == hint


# Deletions, merges, hints


def test_a_deletion_names_the_account_and_says_nothing_else() -> None:
    assert read(shopify_customers.deleted(), topic="customers/delete") == CustomerDeleted("207", TRIGGERED)
    bare: Json = {"id": 207, "phone": None, "addresses": [], "sms_marketing_consent": None}
    assert read(bare, topic="customers/delete") == CustomerDeleted("207", TRIGGERED)


def test_an_account_under_a_topic_that_was_altered_is_no_deletion() -> None:
    """The topic is not signed: a captured account must not delete its customer."""
    assert isinstance(read(account(), topic="customers/delete"), CompleteCustomer)
    assert read(shopify_customers.email_consent(), topic="customers/delete") == CustomerHint("207", "consent")


@pytest.mark.parametrize("topic", ["customers/create", "customers/update", "customers/redact"])
def test_a_thin_body_is_a_hint(topic: str) -> None:
    assert read({"id": 207}, topic=topic) == CustomerHint("207", "thin")


def test_a_merge_tells_who_is_left() -> None:
    reading = read(shopify_customers.merge(), topic="customers/merge")
    assert reading == CustomersMerged(kept="207", gone="208", at=TRIGGERED)


def test_a_merge_that_failed_is_nothing_to_do() -> None:
    assert read(shopify_customers.merge("failed"), topic="customers/merge") == NothingToDo("merge_failed")


@pytest.mark.parametrize("status", ["in_progress", "requested", "", "of_another_kind"])
def test_a_merge_whose_end_is_not_told_asks_for_the_account_that_is_to_go(status: str) -> None:
    reading = read(shopify_customers.merge(status), topic="customers/merge")
    assert reading == CustomerHint("208", "merge_unfinished")


# Privacy


def test_a_data_request_names_the_person_and_the_orders() -> None:
    reading = read(shopify_customers.data_request(), topic="customers/data_request")
    assert reading == PrivacyCall(
        PrivacyTopic.DATA_REQUEST,
        RECEIVED,
        customer_id="207",
        email="zoe@example.test",
        phone="+49302000000",
        orders=("5001", "5002"),
        reference="9999",
    )


def test_a_redaction_names_the_person_and_the_orders() -> None:
    reading = read(shopify_customers.redact([5001]), topic="customers/redact")
    assert isinstance(reading, PrivacyCall)
    assert (reading.topic, reading.customer_id, reading.orders) == (PrivacyTopic.REDACT, "207", ("5001",))


@pytest.mark.parametrize("orders", [None, []])
def test_a_redaction_may_name_no_orders(orders: Any) -> None:
    reading = read(shopify_customers.redact() | {"orders_to_redact": orders}, topic="customers/redact")
    assert isinstance(reading, PrivacyCall)
    assert reading.orders == ()


def test_a_whole_shop_is_erased_only_where_topic_and_body_say_so() -> None:
    call = PrivacyCall(PrivacyTopic.SHOP_REDACT, RECEIVED, customer_id=None)
    assert read(shopify_customers.shop_redact(), topic="shop/redact") == call
    assert refusal(shopify_customers.shop_redact(), topic="customers/redact").code == "invalid_payload"
    redaction = read(shopify_customers.redact(), topic="shop/redact")
    assert isinstance(redaction, PrivacyCall)
    assert redaction.topic is PrivacyTopic.REDACT


def test_a_request_under_the_topic_of_a_redaction_erases_nothing() -> None:
    reading = read(shopify_customers.data_request(), topic="customers/redact")
    assert isinstance(reading, PrivacyCall)
    assert reading.topic is PrivacyTopic.DATA_REQUEST


def test_the_deadline_of_a_privacy_call_does_not_hang_on_a_time_that_nobody_signed() -> None:
    reading = read(shopify_customers.redact(), topic="customers/redact", triggered_at="2099-01-01T00:00:00Z")
    assert isinstance(reading, PrivacyCall)
    assert reading.at == RECEIVED


# What cannot be read


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], None),
        ({}, "id"),
        ({"id": "x y"}, "id"),
        ({"id": True}, "id"),
        ({"customer_id": "../5"}, "customer_id"),
        (account(id={}), "id"),
        (account(default_address=[1]), "default_address"),
        (account(admin_graphql_api_id=gid("Company", 1)), "admin_graphql_api_id"),
        (shopify_customers.merge() | {"admin_graphql_api_customer_kept_id": "1"}, "admin_graphql_api_customer_kept_id"),
        (
            shopify_customers.merge() | {"admin_graphql_api_customer_deleted_id": gid("Order", 1)},
            "admin_graphql_api_customer_deleted_id",
        ),
        (shopify_customers.redact() | {"customer": None}, "customer"),
        (shopify_customers.redact() | {"orders_to_redact": [{}]}, "orders_to_redact.0"),
        (shopify_customers.redact() | {"data_request": {"id": 1}}, None),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_path(body: Any, field: str | None) -> None:
    refused = refusal(body)
    assert (refused.code, refused.field) == ("invalid_payload", field)


def test_a_time_that_is_none_is_refused_by_its_path() -> None:
    assert refusal(account(updated_at="yesterday")).field == "updated_at"


@pytest.mark.parametrize("name", ["email", "first_name", "phone", "note", "tags"])
def test_no_refusal_quotes_the_person(name: str) -> None:
    assert "canary" not in str(refusal(account(**{name: {"canary": "canary"}})))


_FIELDS = st.sampled_from([*account(), "tags", "locale", "email_marketing_consent", "sms_marketing_consent"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    changes=st.dictionaries(_FIELDS, _VALUES, max_size=4),
    topic=st.sampled_from(["customers/update", "customers/delete"]),
)
def test_whatever_is_sent_is_read_or_refused(changes: Json, topic: str) -> None:
    outcome = "read"
    try:
        read(account(**changes), topic=topic)
    except Rejected as error:
        outcome = error.code
    assert outcome in {"read", "invalid_payload", "invalid_time", "invalid_json"}


def test_the_recorded_trigger_is_a_registration_that_is_signed() -> None:
    root = Path(__file__).parents[4]
    event = json.loads((root / "events" / "registration_webhook_shopify.json").read_text(encoding="utf-8"))
    secrets = tomllib.loads((root / "infra" / "local" / "secrets.example.toml").read_text(encoding="utf-8"))
    shops = tomllib.loads((root / "infra" / "local" / "settings.toml").read_text(encoding="utf-8"))["shops"]
    request = WebhookRequest(event["headers"], event["body"].encode())
    stated = authenticate_customers(
        request, secrets=secrets["webhooks"]["aurora"], shop_address=shops["aurora"]["address"]
    )
    assert int(event["headers"]["content-length"]) == len(request.body)
    found = customer(request.body, topic=stated.topic)
    assert str(found.key) == "aurora/customer/7001"
    assert found.personal.email == "buyer@example.com"


# The platform's own samples

SAMPLES = sorted(FIXTURES.glob("*_customers_*.json")) + sorted(FIXTURES.glob("*_shop_redact.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_shopifys_own_samples_are_read(sample: Path) -> None:
    topic = sample.stem.split("_", 2)[2].replace("_", "/", 1)
    reading = read(sample.read_bytes(), topic=topic)
    expected = {
        "customers/create": CompleteCustomer,
        "customers/update": CompleteCustomer,
        "customers/delete": CustomerDeleted,
        "customers/merge": NothingToDo,
        "customers/data_request": PrivacyCall,
        "customers/redact": PrivacyCall,
        "shop/redact": PrivacyCall,
    }
    assert isinstance(reading, expected[topic])
    if isinstance(reading, CompleteCustomer):
        assert reading.customer.customer_id == "706405506930370084"
        assert reading.customer.personal.name == "Bob Biller"
    if isinstance(reading, CustomerDeleted):
        assert reading.customer_id == "706405506930370084"


def test_a_sample_loses_nothing() -> None:
    """Each value of a whole account is in the canonical customer, in one form or another."""
    body = account(
        tags="vip",
        locale="de",
        note="Likes green.",
        addresses=[book_entry(73, city="Bonn", province=None, province_code="NW")],
        email_marketing_consent=consent("unsubscribed", opt_in_level="single_opt_in"),
        extra={"deep": ["value"]},
    )
    kept = json.dumps(customer(body).model_dump(mode="json"), ensure_ascii=False)
    known_in_other_words = {gid("Customer", 207), 207, 71, 73, *(body[name] for name in ("created_at", "updated_at"))}
    for value in _leaves(body):
        if value in (None, True, False, "") or value in known_in_other_words:
            continue
        assert str(value) in kept or value == consent()["consent_updated_at"]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list) else [value]


def test_every_state_of_a_consent_that_the_reader_knows_is_one_of_ours() -> None:
    allowed = MarketingConsent.model_json_schema()["properties"]["state"]["enum"]
    assert set(customer_mapping._CONSENTS.values()) == set(allowed)


def test_the_profile_of_an_account_is_all_of_a_profile_that_shopify_knows() -> None:
    personal = customer(account(tags="vip", locale="de")).personal
    missing = {name for name in Profile.model_fields if not getattr(personal, name)}
    assert missing == {"company", "further_addresses", "username"}
