"""The whole way of WooCommerce's customers: announced, let in, read, written, and announced again."""

from typing import Any

import pytest

from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerReading
from shared.kernel.versions import Comparison, compare
from tests.contract.storefronts.woocommerce_customer_shop import WooCommerceShop

PLACE = PostalAddress(
    first_name="Can",
    last_name="Öz",
    name="Can Öz",
    company="Öz GmbH",
    address1="Weg 2",
    address2="Hof",
    city="Hamburg",
    province_code="DE-HH",
    postal_code="20095",
    country_code="DE",
    phone="040 1",
)
WANTED = Profile(
    email="can@example.test",
    phone="040 1",
    first_name="Can",
    last_name="Öz",
    company="Öz GmbH",
    billing=PLACE,
    shipping=PLACE,
)
PARTS: dict[ProfileField, tuple[str, ...]] = {
    ProfileField.NAME: ("first_name", "last_name"),
    ProfileField.COMPANY: ("company",),
    ProfileField.EMAIL: ("email",),
    ProfileField.PHONE: ("phone",),
    ProfileField.BILLING: ("billing",),
    ProfileField.SHIPPING: ("shipping",),
}


HOME = PostalAddress(
    first_name="Zoë", last_name="Ünal", address1="Hauptstr. 1", city="Berlin", postal_code="10115", country_code="DE"
)
ZOE = Profile(email="zoe@example.test", phone="030 1", first_name="Zoë", last_name="Ünal", billing=HOME, shipping=HOME)


@pytest.fixture
def shop() -> WooCommerceShop:
    return WooCommerceShop()


def registered(shop: WooCommerceShop) -> str:
    """Who registered a minute ago, and was announced."""
    customer_id = shop.register(ZOE)
    shop.deliver()
    shop.clock.pause(60)
    return customer_id


def personal(reading: CustomerReading) -> Profile:
    assert isinstance(reading, CompleteCustomer)
    return reading.customer.personal


def parts(profile: Profile, field: ProfileField) -> tuple[Any, ...]:
    return tuple(getattr(profile, name) for name in PARTS[field])


def test_what_the_shop_sends_is_what_it_answers_with(shop: WooCommerceShop) -> None:
    customer_id = shop.register(ZOE)
    created, updated = shop.deliver()
    assert personal(created) == personal(updated) == shop.shown(customer_id).personal


def test_an_edit_is_newer_than_the_registration(shop: WooCommerceShop) -> None:
    customer_id = registered(shop)
    before = shop.shown(customer_id)
    shop.edit(customer_id, first_name="Zoe")
    [reading] = shop.deliver()
    assert isinstance(reading, CompleteCustomer)
    assert compare(reading.customer.version, before.version) is Comparison.NEWER
    assert reading.customer.personal.first_name == "Zoe"


@pytest.mark.parametrize("field", sorted(PARTS))
def test_a_field_that_is_written_is_read_and_the_others_are_as_they_were(
    shop: WooCommerceShop, field: ProfileField
) -> None:
    """But for what WooCommerce keeps in the address for bills: the telephone number and the company."""
    customer_id = registered(shop)
    before = shop.shown(customer_id).personal
    shop.write(customer_id, WANTED, field)
    after = shop.shown(customer_id).personal
    shared = {ProfileField.BILLING, ProfileField.PHONE, ProfileField.COMPANY}
    if field is not ProfileField.BILLING:
        assert parts(after, field) == parts(WANTED, field) != parts(before, field)
    else:
        assert after.billing == PLACE.model_copy(update={"phone": before.phone})
        assert after.phone == before.phone
    for other in PARTS.keys() - {field} - (shared if field in shared else set()):
        assert parts(after, other) == parts(before, other)


def test_all_fields_at_once_are_one_write_and_one_echo(shop: WooCommerceShop) -> None:
    customer_id = registered(shop)
    shop.write(customer_id, WANTED, *ProfileField)
    [echo] = shop.deliver()
    for field in PARTS:
        assert parts(personal(echo), field) == parts(WANTED, field)
    assert shop.writes == 1


def test_an_echo_that_is_written_back_writes_nothing(shop: WooCommerceShop) -> None:
    customer_id = registered(shop)
    shop.write(customer_id, WANTED, *ProfileField)
    [echo] = shop.deliver()
    shop.write(customer_id, personal(echo), *ProfileField)
    assert shop.deliver() == []
    assert shop.writes == 1


def test_all_that_can_be_cleared_is(shop: WooCommerceShop) -> None:
    customer_id = registered(shop)
    shop.write(customer_id, Profile(), *ProfileField)
    left = shop.shown(customer_id).personal
    assert left.email == ZOE.email
    for field in PARTS.keys() - {ProfileField.EMAIL}:
        assert not any(parts(left, field))


def test_an_account_that_is_deleted_is_told_and_gone(shop: WooCommerceShop) -> None:
    customer_id = registered(shop)
    shop.delete(customer_id)
    assert shop.deliver() == [CustomerDeleted(customer_id, shop.clock())]
    assert shop.desk().fetch(customer_id) is None
