"""What is Shopify's own about customers: what its schema says, its one usual address, and what it refuses."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema

from infra.fakes.shopify_admin import ShopifyAdmin
from infra.fakes.shopify_schema import admin_schema
from infra.local.shopify_schema import SCHEMA_FILE
from infra.samples.shopify import delivery
from shared.customers.models import AccountState, MarketingConsent, PostalAddress, Profile, ProfileField
from shared.customers.readings import CompleteCustomer
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.shopify import customer_mapping, subscriptions
from tests.contract.storefronts.customer_shops import BERLIN, UTRECHT, ZOE, ShopifyShop

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

Json = dict[str, Any]
SHIPPING, BILLING, COMPANY = ProfileField.SHIPPING, ProfileField.BILLING, ProfileField.COMPANY


@pytest.fixture
def shop() -> ShopifyShop:
    return ShopifyShop()


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return admin_schema()


def words(schema: GraphQLSchema, enum: str) -> set[str]:
    published = schema.type_map[enum]
    assert isinstance(published, GraphQLEnumType)
    return set(published.values)


def fetched(shop: ShopifyShop, customer_id: str) -> Any:
    delivery = shop.desk().fetch(customer_id)
    assert delivery is not None
    reading = shop.reader(delivery)
    assert isinstance(reading, CompleteCustomer)
    return reading.customer


def write(shop: ShopifyShop, customer_id: str, profile: Profile, *fields: ProfileField) -> None:
    shop.desk().write(customer_id, profile, frozenset(fields))


def usual(shop: ShopifyShop, customer_id: str) -> Json:
    found: Json = shop.fake.customers.kept[customer_id]["default_address"]
    return found


# The schema


def test_every_published_state_of_an_account_is_one_of_ours(schema: GraphQLSchema) -> None:
    assert {word.lower() for word in words(schema, "CustomerState")} == customer_mapping._STATES.keys()


@pytest.mark.parametrize(
    "enum",
    [
        *("CustomerEmailMarketingState", "CustomerSmsMarketingState", "CustomerEmailAddressMarketingState"),
        "CustomerMarketingConsentState",
    ],
)
def test_every_published_state_of_a_consent_is_judged(schema: GraphQLSchema, enum: str) -> None:
    """A new one needs a look: does it allow marketing?"""
    assert {word.lower() for word in words(schema, enum)} <= customer_mapping._CONSENTS.keys()


def test_the_outcomes_of_a_merge_are_published(schema: GraphQLSchema) -> None:
    assert words(schema, "CustomerMergeRequestStatus") == {"COMPLETED", "FAILED", "IN_PROGRESS", "REQUESTED"}


def test_the_topics_are_published_and_those_for_privacy_are_not(schema: GraphQLSchema) -> None:
    published = words(schema, "WebhookSubscriptionTopic")
    assert {topic.replace("/", "_").upper() for topic in subscriptions.CUSTOMER_TOPICS} <= published
    assert not {"CUSTOMERS_REDACT", "CUSTOMERS_DATA_REQUEST", "SHOP_REDACT"} & published


def test_the_mutations_tell_their_errors_by_no_code(schema: GraphQLSchema) -> None:
    """So they are told apart by the fields that they name."""
    for payload in ("CustomerUpdatePayload", "CustomerAddressUpdatePayload", "CustomerAddressCreatePayload"):
        published = schema.type_map[payload]
        assert isinstance(published, GraphQLObjectType)
        assert str(published.fields["userErrors"].type) == "[UserError!]!"


# Reading


def test_a_fetch_tells_what_webhooks_do_not(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.edit(customer_id, tags=["vip", "wholesale"], note="Likes blue.")
    shop.fake.customers.agree(customer_id, "subscribed")
    found = fetched(shop, customer_id)
    since = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert found.consents == (
        MarketingConsent(channel="email", state="subscribed", since=since, opt_in="single_opt_in"),
        MarketingConsent(channel="sms", state="not_subscribed"),
    )
    assert (found.personal.language, found.personal.tags) == ("de", ("vip", "wholesale"))
    assert (found.state, found.email_verified_by_storefront) == (AccountState.ENABLED, True)


def test_a_webhook_and_a_fetch_tell_the_same_of_the_person(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.move_in(customer_id, {"address1": "Other 2", "city": "Bonn", "country_code": "DE"})
    heard = shop.reader(delivery(shop.fake.customers.body(customer_id), topic="customers/update"))
    assert isinstance(heard, CompleteCustomer)
    asked = fetched(shop, customer_id)
    alike = {"unknown_fields", "language"}
    assert heard.customer.personal.model_dump(exclude=alike) == asked.personal.model_dump(exclude=alike)
    assert heard.customer.version.updated_at == asked.version.updated_at
    assert (heard.customer.gid, heard.customer.registered_at) == (asked.gid, asked.registered_at)
    assert (heard.customer.consents, len(asked.consents)) == (None, 2)


def test_an_address_book_of_many_pages_is_read_to_its_end(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    for number in range(120):
        shop.fake.customers.move_in(customer_id, {"address1": f"Street {number}", "country_code": "DE"})
    further = fetched(shop, customer_id).personal.further_addresses
    assert [address.address1 for address in further] == [f"Street {number}" for number in range(120)]


def test_an_account_that_changes_between_two_pages_is_asked_for_again(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    for number in range(60):
        shop.fake.customers.move_in(customer_id, {"address1": f"Street {number}", "country_code": "DE"})
    calls = 0

    def restless(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        answer = shop.handle(request)
        shop.clock.pause(2)
        shop.edit(customer_id, first_name=f"Zoe {calls}")
        return answer

    with pytest.raises(Retry, match="customer_changed"):
        shop.desk(restless).fetch(customer_id)


def test_a_shop_that_withholds_what_is_personal_still_has_the_customer(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.kept[customer_id] |= {
        **dict.fromkeys(("email", "phone", "first_name", "last_name", "default_address")),
        "addresses": [],
    }
    found = fetched(shop, customer_id)
    assert (found.customer_id, found.personal.email, found.personal.billing) == (customer_id, None, None)
    assert found.consents == ()


def test_a_list_of_a_period_ends_with_it(shop: ShopifyShop) -> None:
    """What came after is never paged through, be it years."""
    for number in range(170):
        shop.register(Profile(email=f"buyer{number}@example.test"))
        shop.clock.pause(86_400)
    calls = 0

    def counted(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return shop.handle(request)

    begin = shop.clock() - timedelta(days=150, hours=1)
    page = shop.desk(counted).changed(begin, begin + timedelta(days=2), None)
    assert (len(page.changes), page.cursor, calls) == (2, None, 1)


def test_a_fetched_address_book_marks_the_usual_one(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.move_in(customer_id, {"address1": "Other 2", "city": "Bonn", "country_code": "DE"})
    delivery_ = shop.desk().fetch(customer_id)
    assert delivery_ is not None
    body = json.loads(delivery_.body)
    assert [each["default"] for each in body["addresses"]] == [True, False]
    assert body["addresses"][0] == body["default_address"]


def test_a_telephone_number_differs_by_its_digits(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    spelled = ZOE.model_copy(update={"phone": "+49 (30) 200-0000"})
    write(shop, customer_id, spelled, ProfileField.PHONE)
    assert shop.writes == 0


# Its one usual address


def test_of_two_addresses_the_one_for_deliveries_is_written(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    write(shop, customer_id, ZOE.model_copy(update={"shipping": UTRECHT}), SHIPPING, BILLING)
    assert usual(shop, customer_id)["city"] == "Utrecht"


@pytest.mark.parametrize("named", [(BILLING,), (SHIPPING, BILLING)])
def test_the_one_for_invoices_is_written_where_it_is_named_alone_or_known_alone(
    shop: ShopifyShop, named: Sequence[ProfileField]
) -> None:
    customer_id = shop.register(ZOE)
    write(shop, customer_id, ZOE.model_copy(update={"billing": UTRECHT, "shipping": None}), *named)
    assert usual(shop, customer_id)["city"] == "Utrecht"


def test_a_usual_address_is_not_taken_away(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    write(shop, customer_id, Profile(), SHIPPING, BILLING)
    assert (usual(shop, customer_id)["city"], shop.writes) == ("Berlin", 0)


def test_it_is_changed_in_place_and_the_others_stay(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.move_in(customer_id, {"address1": "Other 2", "city": "Bonn", "country_code": "DE"})
    before = usual(shop, customer_id)["id"]
    write(shop, customer_id, ZOE.model_copy(update={"shipping": UTRECHT}), SHIPPING)
    book = shop.fake.customers.kept[customer_id]["addresses"]
    assert [(each["id"] == before, each["city"], each["default"]) for each in book] == [
        (True, "Utrecht", True),
        (False, "Bonn", False),
    ]


def test_what_others_do_not_keep_with_an_address_stays(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.edit(customer_id, address={"phone": "+49301111111"})
    bare = UTRECHT.model_copy(update={"first_name": None, "last_name": None, "company": None})
    write(shop, customer_id, ZOE.model_copy(update={"shipping": bare}), SHIPPING)
    kept = usual(shop, customer_id)
    assert (kept["city"], kept["name"], kept["company"], kept["phone"]) == (
        "Utrecht",
        "Zoë Ünal",
        "Ünal GmbH",
        "+49301111111",
    )


@pytest.mark.parametrize(
    ("name", "parts"),
    [("Zoë Ünal", ("Zoë", "Ünal")), ("Ana de la Cruz", ("Ana de la", "Cruz")), ("王小明", (None, "王小明"))],
)
def test_an_address_of_one_name_gets_its_last_word_as_last_name(
    shop: ShopifyShop, name: str, parts: tuple[str | None, str]
) -> None:
    customer_id = shop.register(ZOE)
    named = UTRECHT.model_copy(update={"first_name": None, "last_name": None, "name": name})
    write(shop, customer_id, ZOE.model_copy(update={"shipping": named}), SHIPPING)
    kept = usual(shop, customer_id)
    assert (kept["first_name"] or None, kept["last_name"]) == parts


def test_a_name_that_the_shop_shows_the_same_is_not_parted_anew(shop: ShopifyShop) -> None:
    de_la = {"first_name": "Ana", "last_name": "de la Cruz", "address1": "Hauptstr. 1", "city": "Berlin"}
    customer_id = shop.fake.customers.register(email="ana@example.test", address=de_la | {"country_code": "DE"})
    same = PostalAddress(name="Ana de la Cruz", address1="Hauptstr. 1", city="Berlin", country_code="DE")
    write(shop, customer_id, Profile(shipping=same), SHIPPING)
    assert shop.writes == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"province_code": "DE-BE"}, "BE"),
        ({"province_code": "BE"}, "BE"),
        ({"province": "be "}, "BE"),
        ({"province": "Hessen"}, None),
        ({"province": None}, None),
    ],
)
def test_a_province_is_said_by_shopifys_code(shop: ShopifyShop, given: Json, code: str | None) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.edit(customer_id, address={"province_code": "BE"})
    write(shop, customer_id, ZOE.model_copy(update={"shipping": BERLIN.model_copy(update=given)}), SHIPPING)
    assert usual(shop, customer_id)["province_code"] == code


def test_a_first_address_is_made_under_the_persons_name(shop: ShopifyShop) -> None:
    customer_id = shop.register(Profile(email="zoe@example.test"))
    bare = UTRECHT.model_copy(update={"first_name": None, "last_name": None, "company": None})
    write(shop, customer_id, ZOE.model_copy(update={"shipping": bare, "billing": None}), SHIPPING, COMPANY)
    made = usual(shop, customer_id)
    assert (made["name"], made["company"], made["city"]) == ("Zoë Ünal", "Ünal GmbH", "Utrecht")
    assert len(shop.fake.customers.kept[customer_id]["addresses"]) == 1


def test_a_company_without_an_address_has_no_place(shop: ShopifyShop) -> None:
    customer_id = shop.register(Profile(email="zoe@example.test"))
    with pytest.raises(Rejected) as caught:
        write(shop, customer_id, ZOE, COMPANY, ProfileField.NAME)
    assert (caught.value.code, caught.value.field) == ("customer_refused", COMPANY)
    assert shop.fake.customers.kept[customer_id]["first_name"] == "Zoë"
    write(shop, customer_id, Profile(), COMPANY)
    assert usual(shop, customer_id) is None


# What it refuses


@pytest.mark.parametrize(
    ("change", "fields", "refused"),
    [
        ({"phone": "call me"}, [ProfileField.PHONE], ProfileField.PHONE),
        ({"phone": "+49301234567"}, [ProfileField.PHONE, ProfileField.NAME], ProfileField.PHONE),
        ({"email": "nobody"}, [ProfileField.EMAIL], ProfileField.EMAIL),
        ({"shipping": BERLIN.model_copy(update={"country_code": "US"})}, [SHIPPING], SHIPPING),
        ({"billing": BERLIN.model_copy(update={"phone": "call me"})}, [BILLING], BILLING),
        ({"shipping": BERLIN.model_copy(update={"country_code": "Germany"})}, [SHIPPING], SHIPPING),
    ],
)
def test_what_it_refuses_is_told_by_our_field_and_quotes_nothing(
    shop: ShopifyShop, change: Json, fields: list[ProfileField], refused: ProfileField
) -> None:
    shop.register(Profile(email="other@example.test", phone="+49301234567"))
    customer_id = shop.register(ZOE)
    before = shop.state(customer_id)
    with pytest.raises(Rejected) as caught:
        write(shop, customer_id, ZOE.model_copy(update=change), *fields)
    assert (caught.value.code, caught.value.field) == ("customer_refused", refused)
    assert not {"call me", "nobody", "+49301234567"} & set(str(caught.value).split())
    assert shop.state(customer_id) == before


def test_a_customer_that_would_have_nothing_is_refused_as_a_whole(shop: ShopifyShop) -> None:
    customer_id = shop.fake.customers.register(first_name="Zoë")
    with pytest.raises(Rejected) as caught:
        write(shop, customer_id, Profile(), ProfileField.NAME)
    assert (caught.value.code, caught.value.field) == ("customer_refused", ProfileField.NAME)


def test_the_reason_is_in_our_own_words(shop: ShopifyShop) -> None:
    shop.register(Profile(email="other@example.test"))
    customer_id = shop.register(ZOE)
    with pytest.raises(Rejected, match="another account of the shop has it"):
        write(shop, customer_id, ZOE.model_copy(update={"email": "OTHER@example.test"}), ProfileField.EMAIL)


def test_an_account_that_goes_between_look_and_write_is_unknown(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)

    def vanishing(request: httpx.Request) -> httpx.Response:
        answer = shop.handle(request)
        shop.fake.customers.kept.pop(customer_id, None)
        return answer

    with pytest.raises(Rejected, match="unknown_customer"):
        shop.desk(vanishing).write(customer_id, Profile(first_name="Zoe"), frozenset({ProfileField.NAME}))


def test_a_scope_that_is_missing_is_a_matter_of_access(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.denied.add("customerUpdate")
    with pytest.raises(Rejected, match=r"api_access.*write_customers"):
        write(shop, customer_id, Profile(first_name="Zoe"), ProfileField.NAME)


def test_a_write_comes_back_as_one_webhook_and_no_write_as_none(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    shop.fake.customers.take_webhooks()
    for _ in range(2):
        write(shop, customer_id, Profile(first_name="Zoe", last_name="Ünal"), ProfileField.NAME)
    assert [each.topic for each in shop.fake.customers.take_webhooks()] == ["customers/update"]


def test_the_fake_shop_answers_our_documents_within_its_points(shop: ShopifyShop) -> None:
    customer_id = shop.register(ZOE)
    fake: ShopifyAdmin = shop.fake
    fetched(shop, customer_id)
    write(shop, customer_id, ZOE.model_copy(update={"first_name": "Zoe", "shipping": UTRECHT}), *ProfileField)
    assert fake.counters.throttled == 0
    assert fake.customers.writes == 2
