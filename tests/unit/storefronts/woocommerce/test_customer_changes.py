"""What is written to a WooCommerce account, and what is left alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.fakes.woocommerce_customers import Account, Customers
from infra.samples import woocommerce as build
from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.storefronts.woocommerce.addresses import postal_address
from shared.storefronts.woocommerce.customer_changes import changes
from shared.storefronts.woocommerce.customer_schemas import Customer

EVERYTHING = frozenset(ProfileField)
HOME = PostalAddress(
    first_name="Zoë",
    last_name="Ünal",
    address1="Hauptstr. 1",
    city="Berlin",
    province_code="DE-BE",
    postal_code="10115",
    country_code="DE",
    phone="030 1",
)


def shown(**overrides: Any) -> Customer:
    return Customer.model_validate(build.customer(**overrides))


def profile(**overrides: Any) -> Profile:
    same = {
        "email": "zoe@example.test",
        "phone": "030 1",
        "first_name": "Zoë",
        "last_name": "Ünal",
        "billing": HOME,
        "shipping": HOME,
    }
    return Profile.model_validate(same | overrides)


def to_write(*fields: ProfileField, shows: Customer | None = None, **wanted: Any) -> dict[str, Any]:
    return changes(profile(**wanted), frozenset(fields), shows or shown())


def in_billing(shows: Customer | None = None, **members: Any) -> dict[str, Any]:
    """What is written of the address for bills when some of its members are others."""
    address = HOME.model_copy(update=members)
    written = to_write(ProfileField.BILLING, shows=shows, billing=address)
    assert written.keys() <= {"billing"}
    return dict(written.get("billing", {}))


def test_what_is_shown_already_is_not_written() -> None:
    assert changes(profile(), EVERYTHING, shown()) == {}


def test_what_is_not_named_is_not_written() -> None:
    everything_else = Profile(email="other@example.test", first_name="A", phone="1", company="B")
    assert changes(everything_else, frozenset(), shown()) == {}


def test_only_the_members_that_differ() -> None:
    assert to_write(ProfileField.NAME, first_name="Zoe") == {"first_name": "Zoe"}
    assert in_billing(city="Potsdam", postal_code="14467") == {"city": "Potsdam", "postcode": "14467"}


def test_space_around_a_value_makes_no_difference() -> None:
    assert to_write(ProfileField.NAME, first_name=" Zoë ") == {}


def test_a_field_that_is_none_is_cleared() -> None:
    assert to_write(ProfileField.NAME, first_name=None, last_name=None) == {"first_name": "", "last_name": ""}
    assert to_write(ProfileField.PHONE, phone=None) == {"billing": {"phone": ""}}
    shows = shown(billing=build.address(company="Ünal GmbH"))
    assert to_write(ProfileField.COMPANY, shows=shows) == {"billing": {"company": ""}}


def test_an_email_address_is_never_cleared() -> None:
    assert to_write(ProfileField.EMAIL, email=None) == {}


def test_a_language_has_no_place() -> None:
    assert to_write(ProfileField.LANGUAGE, language="de") == {}


def test_the_address_to_write_bills_to_goes_with_the_accounts() -> None:
    new = "zoe@new.example"
    assert to_write(ProfileField.EMAIL, email=new) == {"email": new, "billing": {"email": new}}


@pytest.mark.parametrize("other", ["accounts@example.test", ""])
def test_but_not_where_it_is_another_or_none(other: str) -> None:
    shows = shown(billing=build.address(email=other))
    assert to_write(ProfileField.EMAIL, shows=shows, email="zoe@new.example") == {"email": "zoe@new.example"}


def test_the_case_of_an_email_address_is_no_change() -> None:
    assert to_write(ProfileField.EMAIL, email="Zoe@Example.TEST") == {}


def test_the_telephone_and_the_company_are_of_the_address_for_bills() -> None:
    assert to_write(ProfileField.PHONE, phone="030 2") == {"billing": {"phone": "030 2"}}
    assert to_write(ProfileField.COMPANY, company="Ünal GmbH") == {"billing": {"company": "Ünal GmbH"}}


def test_an_address_for_bills_leaves_the_telephone_alone_and_names_a_company_if_any() -> None:
    shows = shown(billing=build.address(company="Ünal GmbH"))
    assert in_billing(shows, phone=None, company=None) == {}
    assert in_billing(shows, phone="030 2", company="Ünal AG") == {"company": "Ünal AG"}


def test_their_own_fields_have_the_last_word() -> None:
    named = (ProfileField.BILLING, ProfileField.PHONE, ProfileField.COMPANY)
    billing = HOME.model_copy(update={"phone": "030 3", "company": "Else"})
    written = to_write(*named, billing=billing, phone="030 2", company=None)
    assert written == {"billing": {"phone": "030 2"}}


def test_an_address_that_is_none_is_emptied_but_for_what_has_fields_of_its_own() -> None:
    shows = shown(billing=build.address(company="Ünal GmbH"))
    gone = to_write(ProfileField.BILLING, ProfileField.SHIPPING, shows=shows, billing=None, shipping=None)
    names = {"first_name", "last_name", "address_1", "city", "state", "postcode", "country"}
    assert gone == {"billing": dict.fromkeys(names, ""), "shipping": dict.fromkeys(names | {"phone"}, "")}


def test_an_address_for_deliveries_has_a_company_of_its_own() -> None:
    shows = shown(shipping=build.address(company="Ünal GmbH"))
    assert to_write(ProfileField.SHIPPING, shows=shows) == {"shipping": {"company": ""}}


# The recipient


@pytest.mark.parametrize(
    ("whole", "written"),
    [
        (None, {}),
        ("Zoë Ünal", {}),
        ("Zoë  Ünal ", {}),
        ("Zoë Maria Ünal", {"first_name": "Zoë Maria"}),
        ("王小明", {"first_name": "", "last_name": "王小明"}),
    ],
)
def test_a_recipient_in_one_name(whole: str | None, written: dict[str, str]) -> None:
    assert in_billing(first_name=None, last_name=None, name=whole) == written


def test_a_recipient_in_two() -> None:
    assert in_billing(first_name="Can", name="Somebody Else") == {"first_name": "Can"}
    assert in_billing(first_name=None) == {"first_name": ""}


# The state


def address(state: str, country: str) -> Customer:
    return shown(billing=build.address(state=state, country=country))


@pytest.mark.parametrize("code", ["DE-BE", "BE"])
def test_a_state_that_only_spells_its_country_too_is_the_same(code: str) -> None:
    assert in_billing(province_code=code) == {}


@pytest.mark.parametrize(
    ("before", "country", "code", "written"),
    [
        ("DE-BE", "DE", "BY", "DE-BY"),
        ("DE-BE", "DE", "DE-BY", "DE-BY"),
        ("CA", "US", "US-NY", "NY"),
        ("CA", "US", "NY", "NY"),
        ("", "US", "NY", "NY"),
        ("", "US", "US-NY", "US-NY"),
        ("Berlin", "DE", "BY", "BY"),
    ],
)
def test_a_state_is_written_as_the_shop_writes_that_countrys(
    before: str, country: str, code: str, written: str
) -> None:
    assert in_billing(address(before, country), country_code=country, province_code=code) == {"state": written}


def test_a_state_of_another_country_is_written_as_it_comes() -> None:
    assert in_billing(country_code="US", province_code="NY") == {"country": "US", "state": "NY"}


def test_a_state_that_is_not_told_stays_with_its_place() -> None:
    assert in_billing(province_code=None) == {}
    assert in_billing(province_code=None, address1="Hauptstr. 2") == {"address_1": "Hauptstr. 2"}
    assert in_billing(province_code=None, city="Hamburg") == {"city": "Hamburg", "state": ""}
    assert in_billing(province_code=None, province="Berlin") == {"state": "Berlin"}


def test_a_country_is_written_in_capitals_and_never_taken_away() -> None:
    assert in_billing(country_code="de") == {}
    assert in_billing(country_code=None) == {}


# For every account and every profile

TEXT = st.text(st.sampled_from("abÄé 王1"), max_size=6)
MAYBE = st.none() | TEXT
COUNTRY = st.none() | st.sampled_from(["DE", "US", "de"])
STATE = st.none() | st.sampled_from(["DE-BE", "BE", "NY", "US-NY", "Berlin"])
ADDRESS = st.builds(
    PostalAddress,
    first_name=MAYBE,
    last_name=MAYBE,
    name=MAYBE,
    company=MAYBE,
    address1=MAYBE,
    address2=MAYBE,
    city=MAYBE,
    province=STATE,
    province_code=STATE,
    postal_code=MAYBE,
    country_code=COUNTRY,
    phone=MAYBE,
)
EMAIL = st.sampled_from(["zoe@example.test", "Zoe@example.test", "new@example.test"])
PROFILE = st.builds(
    Profile,
    email=st.none() | EMAIL,
    phone=MAYBE,
    first_name=MAYBE,
    last_name=MAYBE,
    company=MAYBE,
    language=MAYBE,
    billing=st.none() | ADDRESS,
    shipping=st.none() | ADDRESS,
)
FIELDS = st.frozensets(st.sampled_from(ProfileField))
MEMBERS = st.fixed_dictionaries(
    {name: TEXT for name in build.address() if name not in ("email", "country", "state")}
    | {"country": COUNTRY.map(lambda code: code or ""), "state": STATE.map(lambda state: state or "")}
)


def account_of(billing: dict[str, str], shipping: dict[str, str], own_email: bool) -> tuple[Customers, Account]:
    customers = Customers(lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC), lambda _topic, _id: None)
    account = customers.register("zoe@example.test", first_name="Zoë", last_name="Ünal")
    account.billing.update(billing | {"email": account.email if own_email else ""})
    account.shipping.update(shipping)
    return customers, account


@given(profile=PROFILE, fields=FIELDS, billing=MEMBERS, shipping=MEMBERS, own_email=st.booleans())
def test_once_written_there_is_nothing_left_to_write_and_the_rest_is_as_it_was(
    profile: Profile,
    fields: frozenset[ProfileField],
    billing: dict[str, str],
    shipping: dict[str, str],
    own_email: bool,
) -> None:
    customers, account = account_of(billing, shipping, own_email)
    before = Customer.model_validate(account.body())
    customers.update(account, changes(profile, fields, before))
    after = Customer.model_validate(account.body())
    assert changes(profile, fields, after) == {}
    assert after.email
    _require_untouched(fields, before, after)


def _require_untouched(fields: frozenset[ProfileField], before: Customer, after: Customer) -> None:
    if ProfileField.NAME not in fields:
        assert (after.first_name, after.last_name) == (before.first_name, before.last_name)
    if ProfileField.EMAIL not in fields:
        assert after.email == before.email
    if ProfileField.SHIPPING not in fields:
        assert after.shipping == before.shipping
    phones = [address.phone if address else None for address in (before.billing, after.billing)]
    assert ProfileField.PHONE in fields or phones[0] == phones[1]
    if not fields & {ProfileField.BILLING, ProfileField.PHONE, ProfileField.COMPANY, ProfileField.EMAIL}:
        assert postal_address(after.billing) == postal_address(before.billing)
