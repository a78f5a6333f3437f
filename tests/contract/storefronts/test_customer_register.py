"""What every vendor's register of customers promises, whatever stops it on its way."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.local.shopify_schema import SCHEMA_FILE
from shared.customers.models import Customer, PostalAddress, Profile, ProfileField
from shared.customers.readings import CompleteCustomer
from shared.kernel.clock import as_sortable
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.port import Change, CustomerRegister
from tests.contract.storefronts.customer_shops import BERLIN, UTRECHT, ZOE, CustomerShop, ShopifyShop
from tests.contract.storefronts.woocommerce_customer_shop import WooCommerceShop

needs_schema = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")
VENDORS = [
    pytest.param(ShopifyShop, marks=needs_schema, id="shopify"),
    pytest.param(WooCommerceShop, id="woocommerce"),
]

Vendor = Callable[[], CustomerShop]

MOVED = PostalAddress(
    first_name="Zoe",
    last_name="Uenal",
    company="Uenal BV",
    address1="Example Street 1",
    city="Utrecht",
    postal_code="3511 AA",
    country_code="NL",
    phone="+31302000000",
)
CHANGED = Profile(
    email="zoe.unal@example.test",
    phone="+31302000000",
    first_name="Zoe",
    last_name="Uenal",
    company="Uenal BV",
    language="nl",
    billing=MOVED,
    shipping=MOVED,
)
ALL = frozenset(ProfileField)
ADDRESSES = {ProfileField.BILLING, ProfileField.SHIPPING}


@pytest.fixture(params=VENDORS)
def shop(request: pytest.FixtureRequest) -> CustomerShop:
    made: CustomerShop = request.param()
    return made


def shown(shop: CustomerShop, customer_id: str) -> Customer:
    delivery = shop.desk().fetch(customer_id)
    assert delivery is not None
    reading = shop.reader(delivery)
    assert isinstance(reading, CompleteCustomer)
    return reading.customer


def values(shop: CustomerShop, profile: Profile) -> dict[ProfileField, Any]:
    """By field, as far as this shop has it; of an address what describes the place."""
    found: dict[ProfileField, Any] = {
        ProfileField.NAME: (profile.first_name, profile.last_name),
        ProfileField.COMPANY: profile.company,
        ProfileField.EMAIL: profile.email,
        ProfileField.PHONE: profile.phone,
        ProfileField.BILLING: place(profile.billing),
        ProfileField.SHIPPING: place(profile.shipping),
    }
    return found | ({ProfileField.LANGUAGE: profile.language} if shop.has_language else {})


def place(address: PostalAddress | None) -> tuple[str | None, ...] | None:
    if address is None:
        return None
    return (address.address1, address.address2, address.city, address.postal_code, address.country_code)


def code(caught: pytest.ExceptionInfo[Rejected]) -> tuple[str, str | None]:
    return caught.value.code, caught.value.field


# Reading


def test_who_registered_is_fetched_whole(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    found = shown(shop, customer_id)
    assert (found.kind, found.customer_id) == ("customer", customer_id)
    assert values(shop, found.personal) == values(shop, ZOE)
    assert found.registered_at == shop.clock()


def test_what_was_fetched_counts_as_seen_when_it_was_asked_for(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    asked = as_sortable(shop.clock())

    def slow(request: httpx.Request) -> httpx.Response:
        answer = shop.handle(request)
        shop.clock.pause(5)
        return answer

    delivery = shop.desk(slow).fetch(customer_id)
    assert delivery is not None
    assert (delivery.received_at, delivery.fetched) == (asked, True)


def test_the_same_account_is_the_same_bytes(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    first, second = (shop.desk().fetch(customer_id) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.body == second.body


def test_a_customer_that_is_gone_is_none(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    shop.delete(customer_id)
    assert shop.desk().fetch(customer_id) is None


# Listing


def listed(shop: CustomerShop, since: float, until: float) -> Iterator[Change]:
    """Within a period, in minutes from now."""
    edges = (shop.clock() + timedelta(minutes=minutes) for minutes in (since, until))
    begin, end = edges
    cursor = None
    for _ in range(100):
        page = shop.desk().changed(begin, end, cursor)
        yield from page.changes
        cursor = page.cursor
        if cursor is None:
            return
    raise AssertionError("the list does not end")


def test_all_of_many_that_registered_are_listed_each_once(shop: CustomerShop) -> None:
    made = []
    for number in range(130):
        made.append(shop.register(Profile(email=f"buyer{number}@example.test")))
        shop.clock.pause(1)
    found = list(listed(shop, -5, 0))
    assert sorted(change.id for change in found) == sorted(made)
    assert [change.changed_at for change in found] == sorted(change.changed_at for change in found)


def test_those_of_other_days_are_not_listed(shop: CustomerShop) -> None:
    shop.register(Profile(email="long.ago@example.test"))
    shop.clock.pause(3 * 86_400)
    inside = shop.register(Profile(email="inside@example.test"))
    shop.clock.pause(3 * 86_400)
    shop.register(Profile(email="later@example.test"))
    found = listed(shop, -4 * 1440, -2 * 1440)
    assert [change.id for change in found] == [inside]


def test_an_edit_is_listed_where_the_shop_lists_edits(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    shop.clock.pause(86_400)
    shop.edit(customer_id, first_name="Zoe")
    found = [change.id for change in listed(shop, -1, 1)]
    assert found == ([customer_id] if shop.lists_changes else [])


# Writing


@pytest.mark.parametrize("field", list(ProfileField))
def test_a_field_that_is_written_is_shown_and_all_others_stay(shop: CustomerShop, field: ProfileField) -> None:
    customer_id = shop.register(ZOE)
    before = values(shop, shown(shop, customer_id).personal)
    shop.desk().write(customer_id, CHANGED, frozenset({field}))
    after, wanted = (values(shop, profile) for profile in (shown(shop, customer_id).personal, CHANGED))
    touched = {field} | (ADDRESSES if field in ADDRESSES else set())
    assert {name: after[name] for name in after if name not in touched | {ProfileField.COMPANY}} == {
        name: before[name] for name in before if name not in touched | {ProfileField.COMPANY}
    }
    if field in after:
        assert after[field] == wanted[field]


def test_all_fields_are_written_together(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    shop.desk().write(customer_id, CHANGED, ALL)
    assert values(shop, shown(shop, customer_id).personal) == values(shop, CHANGED)


def test_an_account_that_has_nothing_yet_is_filled(shop: CustomerShop) -> None:
    customer_id = shop.register(Profile(email="zoe@example.test"))
    shop.desk().write(customer_id, CHANGED, ALL)
    assert values(shop, shown(shop, customer_id).personal) == values(shop, CHANGED)


def test_no_field_named_writes_nothing(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    before = shop.state(customer_id)
    shop.desk().write(customer_id, CHANGED, frozenset())
    assert (shop.state(customer_id), shop.writes) == (before, 0)


@pytest.mark.parametrize("field", [*ProfileField, None])
def test_the_same_again_costs_no_write(shop: CustomerShop, field: ProfileField | None) -> None:
    customer_id = shop.register(ZOE)
    fields = ALL if field is None else frozenset({field})
    shop.desk().write(customer_id, CHANGED, fields)
    before, writes = shop.state(customer_id), shop.writes
    shop.clock.pause(60)
    shop.desk().write(customer_id, CHANGED, fields)
    assert (shop.state(customer_id), shop.writes) == (before, writes)


def test_what_the_shop_shows_already_costs_no_write(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    shop.desk().write(customer_id, shown(shop, customer_id).personal, ALL)
    assert shop.writes == 0


def test_a_spelling_is_no_difference(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    spelled = ZOE.model_copy(update={"email": "Zoe@Example.test"})
    shop.desk().write(customer_id, spelled, frozenset({ProfileField.EMAIL}))
    assert shop.writes == 0


def test_a_telephone_number_can_be_taken_away_and_an_email_address_cannot(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    nothing = Profile()
    shop.desk().write(customer_id, nothing, frozenset({ProfileField.PHONE, ProfileField.EMAIL}))
    personal = shown(shop, customer_id).personal
    assert (personal.phone, personal.email) == (None, ZOE.email)


def test_a_company_can_be_taken_away(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    shop.desk().write(customer_id, ZOE.model_copy(update={"company": None}), frozenset({ProfileField.COMPANY}))
    personal = shown(shop, customer_id).personal
    assert personal.company is None
    assert place(personal.billing) == place(BERLIN)


def test_a_part_of_an_address_that_is_gone_is_cleared(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    moved = ZOE.model_copy(update={"billing": UTRECHT, "shipping": UTRECHT})
    shop.desk().write(customer_id, moved, frozenset(ADDRESSES))
    personal = shown(shop, customer_id).personal
    assert place(personal.shipping) == ("Example Street 1", None, "Utrecht", "3511 AA", "NL")
    assert place(personal.billing) == place(personal.shipping)


# What a shop does not take


def test_an_address_that_another_account_has_is_refused_by_its_field_and_nobody_is_named(shop: CustomerShop) -> None:
    shop.register(Profile(email="taken@example.test"))
    customer_id = shop.register(ZOE)
    with pytest.raises(Rejected) as caught:
        shop.desk().write(
            customer_id, ZOE.model_copy(update={"email": "taken@example.test"}), frozenset({ProfileField.EMAIL})
        )
    assert code(caught) == ("customer_refused", ProfileField.EMAIL)
    assert "taken@" not in str(caught.value)
    assert shown(shop, customer_id).personal.email == ZOE.email


def test_a_field_that_is_refused_keeps_no_other_from_being_written(shop: CustomerShop) -> None:
    shop.register(Profile(email="taken@example.test"))
    customer_id = shop.register(ZOE)
    wanted = CHANGED.model_copy(update={"email": "taken@example.test"})
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            shop.desk().write(customer_id, wanted, ALL)
        assert code(caught) == ("customer_refused", ProfileField.EMAIL)
        expected = values(shop, CHANGED) | {ProfileField.EMAIL: ZOE.email}
        assert values(shop, shown(shop, customer_id).personal) == expected


def test_a_customer_that_is_not_there_is_unknown(shop: CustomerShop) -> None:
    customer_id = shop.register(ZOE)
    shop.delete(customer_id)
    with pytest.raises(Rejected) as caught:
        shop.desk().write(customer_id, CHANGED, ALL)
    assert caught.value.code == "unknown_customer"


# Whatever stops it

CALLS: list[Callable[[CustomerRegister, str], Any]] = [
    lambda desk, customer_id: desk.fetch(customer_id),
    lambda desk, customer_id: desk.write(customer_id, CHANGED, ALL),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_shop_that_refuses_us_is_a_matter_of_access(
    shop: CustomerShop, call: Callable[[CustomerRegister, str], Any], status: int
) -> None:
    customer_id = shop.register(ZOE)
    with pytest.raises(Rejected, match="api_access"):
        call(shop.desk(lambda _: httpx.Response(status, json={})), customer_id)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_shop_that_fails_is_asked_again_later(
    shop: CustomerShop, call: Callable[[CustomerRegister, str], Any], status: int
) -> None:
    customer_id = shop.register(ZOE)
    with pytest.raises(Retry):
        call(shop.desk(lambda _: httpx.Response(status, json={})), customer_id)


class Killed(BaseException):
    """The function is stopped: nothing is caught, nothing is said."""


class Line:
    """The way to the shop, cut at one of the calls: before it arrives, or before its answer does."""

    def __init__(self, shop: CustomerShop, cut_at: int, *, after: bool) -> None:
        self._shop = shop
        self._cut_at = cut_at
        self._after = after
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.calls != self._cut_at:
            return self._shop.handle(request)
        if self._after:
            self._shop.handle(request)
        raise Killed


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("start", [ZOE, Profile(email="zoe@example.test")], ids=["filled", "empty"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_whichever_call_is_cut_the_end_is_the_same(vendor: Vendor, start: Profile, *, after: bool) -> None:
    undisturbed = vendor()
    customer_id = undisturbed.register(start)
    whole = Line(undisturbed, 0, after=after)
    undisturbed.desk(whole).write(customer_id, CHANGED, ALL)
    assert whole.calls > 1
    for cut_at in range(1, whole.calls + 1):
        shop = vendor()
        customer_id = shop.register(start)
        with pytest.raises(Killed):
            shop.desk(Line(shop, cut_at, after=after)).write(customer_id, CHANGED, ALL)
        shop.desk().write(customer_id, CHANGED, ALL)
        assert shop.state(customer_id) == undisturbed.state(customer_id)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_answer_that_is_lost_is_said_to_be_unknown(vendor: Vendor) -> None:
    shop = vendor()
    customer_id = shop.register(ZOE)

    def losing(request: httpx.Request) -> httpx.Response:
        writes = shop.writes
        answer = shop.handle(request)
        if shop.writes > writes:
            raise httpx.ReadTimeout("too slow", request=request)
        return answer

    with pytest.raises(Retry) as caught:
        shop.desk(losing).write(customer_id, CHANGED, frozenset({ProfileField.NAME}))
    assert caught.value.code == "storefront_outcome_unknown"
    writes = shop.writes
    shop.desk().write(customer_id, CHANGED, frozenset({ProfileField.NAME}))
    assert shop.writes == writes
