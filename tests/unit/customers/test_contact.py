"""What can be told from how people write their addresses and numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.customers.contact import read_contact
from shared.customers.marks import normal_email
from shared.customers.models import PostalAddress, Profile

ANY_TEXT = st.none() | st.text(max_size=300) | st.text(alphabet="+@.-_0123456789 ()aé王\u202e\x00\ud800", max_size=80)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("eve@example.com", "eve@example.com"),
        (" Eve@Example.COM ", "eve@example.com"),
        ("müller@exämple.com", "müller@xn--exmple-cua.com"),
        ("eve+news@example.co.uk", "eve+news@example.co.uk"),
        ("eve@example.test", "eve@example.test"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("Eve@STRAẞE.example.com", "eve@xn--strae-oqa.example.com"),
        ("weiß@example.com", "weiß@example.com"),
    ],
)
def test_an_address_that_can_be_written_to(written: str, normal: str) -> None:
    contact = read_contact(Profile(email=written), "DE")
    assert (contact.email_normal, contact.email_fault) == (normal, None)
    assert contact.email_normal == normal_email(written)
    assert contact.email_domain == normal.rpartition("@")[2]


@pytest.mark.parametrize(
    ("one", "other"),
    [("eve@straße.example", "eve@strasse.example"), ("weiß@example.test", "weiss@example.test")],
)
def test_addresses_that_look_alike_may_be_two_peoples(one: str, other: str) -> None:
    assert normal_email(one) != normal_email(other)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("eve", "syntax"),
        ("eve@", "syntax"),
        ("@example.com", "syntax"),
        ("eve@example", "syntax"),
        ("eve@localhost", "syntax"),
        ("eve@example..com", "syntax"),
        ("eve@[192.0.2.1]", "syntax"),
        ("Eve <eve@example.com>", "syntax"),
        ("eve@example.com\nBcc: all@example.com", "syntax"),
        ("eve@example.com, eva@example.com", "syntax"),
        (f"{'e' * 64}@{'example.' * 24}com", "too_long"),
    ],
)
def test_an_address_that_cannot(written: str, fault: str) -> None:
    contact = read_contact(Profile(email=written), "DE")
    assert (contact.email_normal, contact.email_fault, contact.email_domain) == (None, fault, None)


def test_names_of_trials_are_accepted_unless_told_otherwise() -> None:
    trial = Profile(email="eve@example.test")
    assert read_contact(trial, None).email_fault is None
    assert read_contact(trial, None, accept_test_domains=False).email_fault == "syntax"


@pytest.mark.parametrize("written", [None, "", "   "])
def test_what_is_not_given_is_no_fault(written: str | None) -> None:
    contact = read_contact(Profile(email=written, phone=written), "DE")
    assert contact == read_contact(Profile(), "DE")
    assert (contact.email_fault, contact.phone_fault, contact.address_faults) == (None, None, ())


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("06 12345678", "NL", "+31612345678"),
        ("+31 6 1234 5678", None, "+31612345678"),
        ("0031612345678", "DE", "+31612345678"),
        ("+31 (0)6-12345678", "US", "+31612345678"),
        ("030 / 90 18 20", "DE", "+4930901820"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+31612345678 ext. 5", None, "+31612345678"),
    ],
)
def test_one_number_in_many_spellings(written: str, country: str | None, e164: str) -> None:
    contact = read_contact(Profile(phone=written), country)
    assert (contact.phone_e164, contact.phone_fault) == (e164, None)


@pytest.mark.parametrize(
    ("written", "country", "fault"),
    [
        ("06 12345678", None, "country_unknown"),
        ("06 12345678", "??", "country_unknown"),
        ("12", "NL", "not_a_number"),
        ("call me", "NL", "not_a_number"),
        ("+999 123", "NL", "not_a_number"),
        ("+31 6 1234", None, "not_a_number"),
        ("0" * 61, "NL", "not_a_number"),
    ],
)
def test_a_number_that_nobody_can_call(written: str, country: str | None, fault: str) -> None:
    contact = read_contact(Profile(phone=written), country)
    assert (contact.phone_e164, contact.phone_fault) == (None, fault)


def test_the_buyers_country_comes_before_the_shops() -> None:
    home = PostalAddress(country_code="nl")
    assert read_contact(Profile(phone="06 12345678", billing=home), "DE").phone_e164 == "+31612345678"
    assert read_contact(Profile(phone="06 12345678", shipping=home), "DE").phone_e164 == "+31612345678"


def test_a_number_that_is_none_in_one_country_may_be_one_in_the_next() -> None:
    profile = Profile(phone="06 12345678", billing=PostalAddress(country_code="BE"))
    assert read_contact(profile, "NL").phone_e164 == "+31612345678"


def test_the_number_of_an_address_counts_where_the_account_has_none() -> None:
    billing, shipping = (PostalAddress(phone=phone) for phone in ("+31612345678", "+31687654321"))
    assert read_contact(Profile(billing=billing, shipping=shipping), None).phone_e164 == "+31612345678"
    assert read_contact(Profile(shipping=shipping), None).phone_e164 == "+31687654321"
    own = Profile(phone="+4930901820", billing=billing)
    assert read_contact(own, None).phone_e164 == "+4930901820"


def _address(**parts: str) -> PostalAddress:
    return PostalAddress(**({"name": "Eve Shopper"} | parts))


@pytest.mark.parametrize(
    "complete",
    [
        _address(country_code="NL", address1="Straat 1", city="Delft", postal_code="2611 ab"),
        _address(country_code="NL", address1="Straat 1", city="Delft", postal_code="2611AB"),
        _address(country_code="NL", address1="Straat 1", city="Delft", postal_code="NL-2611 AB"),
        _address(country_code="DE", address1="Weg 2", city="Berlin", postal_code="D-10115"),
        _address(country_code="SE", address1="Gata 2", city="Lund", postal_code="SE-222 22"),
        _address(country_code="US", address1="1 Main St", city="Troy", province="New York", postal_code="12180-1234"),
        _address(country_code="US", address1="1 Main St", city="Troy", province_code="NY", postal_code="12180"),
        _address(country_code="GB", address2="10 Downing St", city="London", postal_code="sw1a 2aa"),
        _address(country_code="CN", address1="人民路1号", city="杭州市", province="浙江省", postal_code="310000"),
        _address(country_code="HK", address1="1 Peak Rd", province="Hong Kong Island"),
        _address(country_code="IE", address1="1 Quay", city="Cork"),
        _address(country_code="JP", address1="1-1", province="東京都", postal_code="１００-０００１"),
    ],
)
def test_a_complete_address_is_one_by_its_countrys_rules(complete: PostalAddress) -> None:
    assert read_contact(Profile(shipping=complete), None).address_faults == ()


@pytest.mark.parametrize(
    ("address", "faults"),
    [
        (_address(country_code="DE", address1="Weg 2"), "city, postal_code"),
        (_address(country_code="DE", address1="Weg 2", city="Berlin", postal_code="1011"), "postal_code"),
        (_address(country_code="NL", address1="Weg 2", city="Delft", postal_code="0611 AB"), "postal_code"),
        (_address(country_code="US", address1="1 Main St", city="Troy", postal_code="12180"), "province"),
        (_address(country_code="DE", address1="-", city=".", postal_code="10115"), "address1, city"),
        (_address(address1="Weg 2", city="Berlin"), "country_code"),
        (_address(country_code="XX", address1="Weg 2"), "country_code"),
        (_address(country_code="../zz", address1="Weg 2"), "country_code"),
    ],
)
def test_what_an_address_lacks_is_told_by_the_names_of_its_parts(address: PostalAddress, faults: str) -> None:
    assert read_contact(Profile(billing=address), None).address_faults == (f"billing: {faults}",)


def test_each_address_is_told_of_once() -> None:
    same, other = _address(country_code="DE"), _address(country_code="NL", address1="Straat 1", city="Delft")
    both = read_contact(Profile(billing=same, shipping=same), None).address_faults
    assert both == ("billing: address1, city, postal_code",)
    different = read_contact(Profile(billing=same, shipping=other), None).address_faults
    assert different == ("billing: address1, city, postal_code", "shipping: postal_code")


def test_an_address_that_the_platform_withholds_is_no_fault_of_the_buyers() -> None:
    withheld = PostalAddress(city="Berlin", country_code="DE", country="Germany")
    assert read_contact(Profile(billing=withheld, shipping=PostalAddress()), None).address_faults == ()


@given(
    email=ANY_TEXT,
    phone=ANY_TEXT,
    parts=st.dictionaries(st.sampled_from(sorted(PostalAddress.model_fields)), ANY_TEXT),
    country=ANY_TEXT | st.sampled_from(["DE", "US", "CN", "ZZ"]),
    of_address=st.none() | st.sampled_from(["DE", "gb", "CN", "US", "JP", "ZZ", "AQ"]),
)
def test_nothing_that_anybody_writes_breaks_it_or_comes_back_in_a_fault(
    email: str | None, phone: str | None, parts: dict[str, str | None], country: str | None, of_address: str | None
) -> None:
    address = PostalAddress(**(parts | ({"country_code": of_address} if of_address else {})))
    contact = read_contact(Profile(email=email, phone=phone, billing=address), country)
    assert contact.email_fault in (None, "syntax", "too_long")
    assert contact.phone_fault in (None, "country_unknown", "not_a_number")
    parts_named = {part for fault in contact.address_faults for part in fault.removeprefix("billing: ").split(", ")}
    assert parts_named <= {"address1", "city", "province", "postal_code", "country_code"}
    assert contact.email_normal is None or contact.email_fault is None
