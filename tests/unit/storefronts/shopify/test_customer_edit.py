"""What is written to a Shopify customer: no more than what differs, and nothing once it was written."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.customers.models import PostalAddress, Profile, ProfileField
from shared.storefronts.shopify.customer_edit import FIELD_OF, account_input, address_field, address_input

Json = dict[str, Any]

_ADDRESS_PARTS = (
    *("firstName", "lastName", "company", "address1", "address2", "city", "province", "provinceCode", "zip"),
    *("countryCode", "phone"),
)
texts = st.none() | st.sampled_from(["", " ", "Zoë", "Ünal", "zoë", "Ana de la Cruz", "A  B", "10115", "1011 5", "BE"])
phones = st.none() | st.sampled_from(["+49302000000", "+49 30 2000000", "030 2", "call me", ""])
emails = st.none() | st.sampled_from(["zoe@example.test", "Zoe@Example.test", "z@example.test"])
countries = st.none() | st.sampled_from(["DE", "de", "NL"])
addresses = st.builds(
    PostalAddress,
    first_name=texts,
    last_name=texts,
    name=texts,
    company=texts,
    address1=texts,
    address2=texts,
    city=texts,
    province=texts,
    province_code=st.none() | st.sampled_from(["BE", "DE-BE", "NL-UT"]),
    postal_code=texts,
    country_code=countries,
    phone=phones,
)
profiles = st.builds(
    Profile,
    email=emails,
    phone=phones,
    first_name=texts,
    last_name=texts,
    company=texts,
    language=st.none() | st.sampled_from(["de", "DE", "zh-CN"]),
    billing=st.none() | addresses,
    shipping=st.none() | addresses,
)
fields = st.frozensets(st.sampled_from(ProfileField))


@st.composite
def accounts(draw: st.DrawFn) -> Json:
    """As the shop shows one."""
    email, phone = draw(emails), draw(phones)
    entry = st.fixed_dictionaries(dict.fromkeys(_ADDRESS_PARTS, texts) | {"countryCode": countries, "phone": phones})
    return {
        "firstName": draw(texts),
        "lastName": draw(texts),
        "locale": draw(st.sampled_from(["en", "de"])),
        "email": email and {"emailAddress": email},
        "phone": phone and {"phoneNumber": phone},
        "address": draw(st.none() | entry),
    }


def after(shown: Json, account: Json, address: Json) -> Json:
    """What the shop shows once both inputs were taken."""
    parts = {**account}
    taken = {**shown}
    if "email" in parts:
        taken["email"] = {"emailAddress": parts.pop("email")}
    if "phone" in parts:
        phone = parts.pop("phone")
        taken["phone"] = phone and {"phoneNumber": phone}
    return {**taken, **parts, "address": {**(shown["address"] or {}), **address} if address else shown["address"]}


@given(shown=accounts(), profile=profiles, named=fields)
def test_what_was_written_is_not_written_again(shown: Json, profile: Profile, named: frozenset[ProfileField]) -> None:
    account, address = account_input(profile, named, shown), address_input(profile, named, shown["address"])
    then = after(shown, account, address)
    assert account_input(profile, named, then) == {}
    assert address_input(profile, named, then["address"]) == {}


@given(shown=accounts(), profile=profiles, named=fields)
def test_only_what_is_named_is_touched(shown: Json, profile: Profile, named: frozenset[ProfileField]) -> None:
    account, address = account_input(profile, named, shown), address_input(profile, named, shown["address"])
    assert {FIELD_OF[name] for name in account} <= named
    assert not address or named & {ProfileField.COMPANY, ProfileField.BILLING, ProfileField.SHIPPING}
    if address_field(profile, named) is None and shown["address"]:
        assert address.keys() <= {"company"}


@given(shown=accounts(), profile=profiles, named=fields)
def test_neither_email_nor_language_is_ever_taken_away(
    shown: Json, profile: Profile, named: frozenset[ProfileField]
) -> None:
    account = account_input(profile, named, shown)
    assert all(account[name] for name in ("email", "locale") if name in account)


@given(shown=accounts(), profile=profiles, named=fields)
def test_values_come_from_the_profile_and_nowhere_else(
    shown: Json, profile: Profile, named: frozenset[ProfileField]
) -> None:
    said = " ".join(str(value) for value in profile.model_dump(mode="json").values()).upper()
    account, address = account_input(profile, named, shown), address_input(profile, named, shown["address"])
    for value in (*account.values(), *address.values()):
        assert not value or value.upper().strip() in said


def test_a_language_differs_by_more_than_case() -> None:
    shown = {"firstName": None, "lastName": None, "locale": "zh-cn", "email": None, "phone": None}
    assert account_input(Profile(language="zh-CN"), {ProfileField.LANGUAGE}, shown) == {}
    assert account_input(Profile(language="zh-TW"), {ProfileField.LANGUAGE}, shown) == {"locale": "zh-TW"}


def test_what_the_shop_shows_is_kept_where_the_address_says_nothing_of_it() -> None:
    shown = {"countryCode": "DE", "province": "Berlin", "provinceCode": "BE", "phone": "+4930", "company": "Ünal GmbH"}
    given_ = PostalAddress(province="berlin ", city="Berlin")
    wanted = address_input(Profile(shipping=given_), {ProfileField.SHIPPING}, shown)
    assert wanted == {"city": "Berlin"}
    other = address_input(Profile(shipping=PostalAddress(province="Hessen")), {ProfileField.SHIPPING}, shown)
    assert other == {"provinceCode": None}
