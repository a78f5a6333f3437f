"""An account's profile and a party's card, there and back: names, addresses, and what is the same to people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoffices.documents import Address, CardField, CustomerCard
from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.kernel.identifiers import CustomerKey
from shared.sync.customers.card import (
    Content,
    card_for,
    content_of_card,
    content_of_profile,
    line_of,
    normal_of,
    profile_for,
    split_name,
)
from tests.builders.customers import HOME, profile

KEY = CustomerKey("aurora", "customer", "17")


def normals(content: Content, country: str | None = "DE") -> dict[ProfileField, str]:
    return {what: normal_of(what, value, content, country) for what, value in content.items()}


@pytest.mark.parametrize(
    ("name", "first", "last", "split"),
    [
        ("Eve Shopper", None, None, ("Eve", "Shopper")),
        ("Eve Anne Shopper", "Eve", "Shopper", ("Eve Anne", "Shopper")),
        ("Anna van der Berg", "Ann", "van der Berg", ("Anna", "van der Berg")),
        ("Madonna", "Eve", "Shopper", ("Madonna", None)),
        ("Madonna", None, "Shopper", (None, "Madonna")),
        ("王伟", None, None, ("王伟", None)),
        ("王伟", None, "王", (None, "王伟")),
        ("王小伟", "伟", "王", ("小伟", "王")),
        ("李伟", "伟", "王", ("伟", "李")),
        ("欧阳娜娜", "伟", "王", ("娜娜", "欧阳")),
        ("김민수", "민호", "김", ("민수", "김")),
    ],
)
def test_one_name_becomes_first_and_last_as_the_storefront_has_them(
    name: str, first: str | None, last: str | None, split: tuple[str | None, str | None]
) -> None:
    assert split_name(name, first, last) == split


@given(st.text(min_size=1, max_size=30).filter(str.strip), st.none() | st.just("Eve"), st.none() | st.just("Shopper"))
def test_no_name_is_lost_when_it_is_split(name: str, first: str | None, last: str | None) -> None:
    parts = split_name(name, first, last)
    written = profile_for(Profile(first_name=first, last_name=last), {ProfileField.NAME: name})
    assert (written.first_name, written.last_name) == parts
    assert sorted("".join("".join(part or "" for part in parts).split())) == sorted("".join(name.split()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (profile(phone="030 901820"), profile(phone="+49 30 901820")),
        (profile(email="Eve@EXAMPLE.test"), profile(email="eve@example.test ")),
        (profile(language="zh-CN"), profile(language="zh_TW")),
        (profile(first_name=" EVE"), profile(first_name="Eve")),
        (profile(first_name="伟", last_name="王"), profile(first_name="王伟", last_name=None)),
        (
            profile(billing=HOME.model_copy(update={"country_code": "de", "city": "BERLIN", "postal_code": "10 115"})),
            profile(),
        ),
        (
            profile(billing=HOME.model_copy(update={"address1": "Weg", "address2": "2"})),
            profile(),
        ),
    ],
)
def test_spellings_of_the_same_are_equal(one: Profile, other: Profile) -> None:
    assert normals(content_of_profile(one)) == normals(content_of_profile(other))


@pytest.mark.parametrize(
    ("what", "other"),
    [
        (ProfileField.PHONE, profile(phone="+4930901821")),
        (ProfileField.NAME, profile(last_name="Buyer")),
        (ProfileField.BILLING, profile(billing=HOME.model_copy(update={"address1": "Weg 3"}))),
        (ProfileField.COMPANY, profile(company="Lamps Ltd")),
        (ProfileField.SHIPPING, profile(shipping=HOME.model_copy(update={"company": "Lamps Ltd"}))),
    ],
)
def test_what_differs_to_people_differs_in_its_own_field_alone(what: ProfileField, other: Profile) -> None:
    one, two = normals(content_of_profile(profile())), normals(content_of_profile(other))
    assert {field for field in ProfileField if one.get(field) != two.get(field)} == {what}


def test_a_town_without_a_street_is_an_address_that_is_withheld() -> None:
    town = PostalAddress(city="Berlin", country_code="DE", country="Germany")
    assert content_of_profile(Profile(billing=town, shipping=town)) == {}


def test_a_name_without_a_place_is_no_address() -> None:
    """WooCommerce copies the account's name into an address for invoices that the buyer never gave."""
    assert ProfileField.BILLING not in content_of_profile(Profile(billing=PostalAddress(name="Eve", first_name="Eve")))


@pytest.mark.parametrize("name", ["Customer of aurora", "Guest of aurora", "Erased customer", "Erased customer 17"])
def test_a_name_that_stands_in_for_one_is_none(name: str) -> None:
    assert content_of_card(CustomerCard(key=str(KEY), name=name)) == {}


def test_an_account_comes_back_from_the_party_as_it_was() -> None:
    own = profile(company="Lamps Ltd", billing=HOME.model_copy(update={"province_code": "BE", "phone": "1"}))
    content = content_of_profile(own)
    party = content_of_card(card_for(KEY, None, content))
    assert normals(party) == normals(content)
    back = profile_for(own, party)
    assert normals(content_of_profile(back)) == normals(content)
    assert (back.first_name, back.last_name) == ("Eve", "Shopper")
    assert back.billing is not None
    assert (back.billing.province_code, back.billing.phone) == ("BE", "1")


def test_a_card_says_only_what_changes() -> None:
    known = card_for(KEY, None, content_of_profile(profile()))
    card = card_for(KEY, known, {ProfileField.PHONE: "+4930901821", ProfileField.EMAIL: None})
    expected = CustomerCard(key=str(KEY), name="Eve Shopper", phone="+4930901821", cleared=frozenset({CardField.EMAIL}))
    assert card == expected


def test_the_company_changes_within_the_address_for_invoices() -> None:
    known = card_for(KEY, None, content_of_profile(profile()))
    card = card_for(KEY, known, {ProfileField.COMPANY: "Lamps Ltd"})
    assert known.billing is not None
    assert card.billing == known.billing.model_copy(update={"company": "Lamps Ltd"})
    moved = Address(street=("Allee 7",), city="Hamburg", country="DE")
    assert card_for(KEY, card, {ProfileField.BILLING: moved}).billing == moved.model_copy(
        update={"company": "Lamps Ltd"}
    )
    assert card_for(KEY, None, {ProfileField.COMPANY: "Lamps Ltd"}).billing is None


def test_a_new_address_takes_nothing_of_another_country_along() -> None:
    own = profile(billing=HOME.model_copy(update={"province": "Berlin", "province_code": "BE", "country": "Germany"}))
    moved = Address(
        name="Eve Shopper",
        street=("1 Main St", "Apt 2", "Box 3"),
        city="Austin",
        subdivision="TX",
        postal_code="78701",
        country="US",
    )
    billing = profile_for(own, {ProfileField.BILLING: moved}).billing
    assert billing == PostalAddress(
        first_name="Eve",
        last_name="Shopper",
        name="Eve Shopper",
        address1="1 Main St",
        address2="Apt 2, Box 3",
        city="Austin",
        province_code="TX",
        postal_code="78701",
        country_code="US",
    )
    named = moved.model_copy(update={"subdivision": "Noord-Holland", "country": "NL"})
    province = profile_for(own, {ProfileField.BILLING: named}).billing
    assert province is not None
    assert (province.province, province.province_code) == ("Noord-Holland", None)


def test_an_address_made_out_to_nobody_keeps_whom_the_account_has_it_made_out_to() -> None:
    """Odoo has no name for an address for invoices; Tryton reads a company that no person goes with as one."""
    own = profile(company="Lamps Ltd", billing=HOME.model_copy(update={"name": "Accounts", "first_name": "Accounts"}))
    nobodys = Address(street=("Weg 3",), city="Berlin", postal_code="10115", country="DE")
    for told in (nobodys, nobodys.model_copy(update={"name": "LAMPS Ltd."})):
        written = profile_for(own, {ProfileField.BILLING: told}).billing
        assert written is not None
        assert (written.name, written.first_name, written.company) == ("Accounts", "Accounts", "Lamps Ltd")


def test_a_new_address_made_out_to_nobody_is_the_customers_own() -> None:
    told = Address(street=("Weg 3",), city="Berlin", postal_code="10115", country="DE")
    written = profile_for(profile(billing=None), {ProfileField.BILLING: told}).billing
    assert written is not None
    assert (written.first_name, written.last_name) == ("Eve", "Shopper")


def test_a_company_stays_with_an_address_until_somebody_moves() -> None:
    own = profile(shipping=HOME.model_copy(update={"company": "Lamps Ltd"}))
    told = Address(street=("Weg 3",), city="Berlin", postal_code="10115", country="DE")
    for postal_code, company in (("10115", "Lamps Ltd"), ("20095", None)):
        moved = told.model_copy(update={"postal_code": postal_code})
        written = profile_for(own, {ProfileField.SHIPPING: moved}).shipping
        assert written is not None
        assert written.company == company


def test_an_address_is_one_line_for_people() -> None:
    address = content_of_profile(profile())[ProfileField.SHIPPING]
    assert line_of(address) == "Eve Shopper, Weg 2, 10115 Berlin, DE"
    assert line_of(None) is None


@given(st.text(max_size=60))
def test_no_text_is_too_hostile_to_be_compared(text: str) -> None:
    content = content_of_profile(
        Profile(
            email=text,
            phone=text,
            first_name=text,
            language=text,
            company=text,
            billing=PostalAddress(address1=text, country_code=text),
        )
    )
    assert normals(content) == normals(content)
    assert all(normals(content).values())
