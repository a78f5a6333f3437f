"""What a person is to look at before a customer is trusted."""

from datetime import timedelta
from typing import Any

import pytest

from shared.customers.contact import Contact
from shared.customers.models import Customer, CustomerSource, Profile
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerFlag, Flag
from shared.customers.rules import SuspicionRules
from shared.customers.suspicion import SignupCircumstances, flags_of, is_disposable, look_into
from tests.builders.customers import customer, customer_desk, profile, rules
from tests.builders.orders import NOON

FINE = Contact(email_normal="eve@example.com", phone_e164="+4930901820")
NOTHING_KNOWN = SignupCircumstances()


def _flags(
    contact: Contact = FINE, around: SignupCircumstances = NOTHING_KNOWN, policy: SuspicionRules | None = None
) -> dict[Flag, str]:
    return {flag.flag: flag.detail for flag in flags_of(contact, policy or SuspicionRules(), around)}


def test_nothing_is_wrong_with_most() -> None:
    assert _flags() == {}
    assert _flags(Contact()) == {}


def test_each_fault_is_flagged_with_the_names_of_its_parts() -> None:
    faulty = Contact(
        email_fault="syntax", phone_fault="not_a_number", address_faults=("billing: city", "shipping: city")
    )
    assert _flags(faulty) == {
        Flag.EMAIL_INVALID: "syntax",
        Flag.PHONE_INVALID: "not_a_number",
        Flag.ADDRESS_INCOMPLETE: "billing: city; shipping: city",
    }


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("mailinator.com", True),
        ("eve.mailinator.com", True),
        ("a.b.mailinator.com", True),
        ("mailinator.com.example", False),
        ("com", False),
        ("gmail.com", False),
        ("example.com", False),
        ("example.test", False),
    ],
)
def test_addresses_to_throw_away_are_known_by_their_domain_or_one_above(domain: str, expected: bool) -> None:
    assert is_disposable(domain) is expected
    contact = Contact(email_normal=f"eve@{domain}")
    assert (Flag.EMAIL_DISPOSABLE in _flags(contact)) is expected
    assert Flag.EMAIL_DISPOSABLE not in _flags(contact, policy=SuspicionRules(flag_disposable=False))


@pytest.mark.parametrize(("answer", "flagged"), [(False, True), (True, False), (None, False)])
def test_only_a_clear_no_of_the_dns_counts(answer: bool | None, flagged: bool) -> None:
    around = SignupCircumstances(takes_mail=answer)
    assert (Flag.EMAIL_UNDELIVERABLE in _flags(around=around, policy=SuspicionRules(check_mail_domain=True))) is flagged
    assert Flag.EMAIL_UNDELIVERABLE not in _flags(around=around)


def test_those_after_the_limit_are_a_burst() -> None:
    policy = SuspicionRules(burst_registrations=30, burst_same_domain=10)
    at_limit = SignupCircumstances(registrations_at_shop=30, registrations_of_domain=10)
    assert _flags(around=at_limit, policy=policy) == {}
    of_domain = SignupCircumstances(registrations_at_shop=30, registrations_of_domain=11)
    assert _flags(around=of_domain, policy=policy) == {Flag.SIGNUP_BURST: "domain"}
    both = SignupCircumstances(registrations_at_shop=31, registrations_of_domain=11)
    assert _flags(around=both, policy=policy) == {Flag.SIGNUP_BURST: "shop, domain"}


# ---- gathering what has to be known ----


def _registration(number: int, domain: str = "corp.example", **overrides: Any) -> Customer:
    return customer(f"aurora/customer/{number}", personal=profile(email=f"e{number}@{domain}"), **overrides)


def _bursts(desk: CustomerDesk, accounts: list[Customer], *, is_new: bool = True) -> list[str]:
    found = [look_into(account, desk, is_new=is_new) for account in accounts]
    return [flag.detail for flags in found for flag in flags if flag.flag is Flag.SIGNUP_BURST]


def _strict_desk(**overrides: Any) -> CustomerDesk:
    policy = rules(suspicion={"burst_registrations": 5, "burst_same_domain": 3, "burst_minutes": 10})
    return customer_desk(policy=policy, **overrides)


def test_registrations_of_one_domain_are_a_burst_before_those_of_the_shop() -> None:
    assert _bursts(_strict_desk(), [_registration(number) for number in range(6)]) == ["domain"] * 2 + ["shop, domain"]


def test_a_large_providers_customers_are_not_counted_together() -> None:
    assert _bursts(_strict_desk(), [_registration(number, "gmail.com") for number in range(6)]) == ["shop"]


def test_registrations_of_another_period_or_shop_begin_anew() -> None:
    accounts = [_registration(number, registered_at=NOON - timedelta(minutes=10 * number)) for number in range(6)]
    assert _bursts(_strict_desk(), accounts) == []
    desk = _strict_desk()
    for shop in ("borealis", "australis"):
        other = _strict_desk(book=desk.book, shop=shop)
        assert _bursts(other, [_registration(number) for number in range(3)]) == []


@pytest.mark.parametrize(
    "overrides",
    [
        {"registered_at": NOON - timedelta(hours=1, seconds=1)},
        {"registered_at": None, "source": CustomerSource.ORDER},
    ],
)
def test_imports_and_customers_of_orders_are_no_burst(overrides: dict[str, Any]) -> None:
    assert _bursts(_strict_desk(), [_registration(number, **overrides) for number in range(9)]) == []


def test_guests_and_known_customers_are_no_burst() -> None:
    guests = [customer(f"aurora/guest/{number}", registered_at=NOON) for number in range(9)]
    assert _bursts(_strict_desk(), guests) == []
    assert _bursts(_strict_desk(), [_registration(number) for number in range(9)], is_new=False) == []


def test_the_counter_does_not_tell_the_domain() -> None:
    desk = _strict_desk()
    look_into(_registration(1), desk, is_new=True)
    assert len(desk.book.counters) == 2  # type: ignore[attr-defined] # the fake's
    assert "corp.example" not in str(desk.book.counters)  # type: ignore[attr-defined]


def test_the_dns_is_asked_only_where_the_rules_want_it_and_somebody_could_be_reached() -> None:
    asked: list[str] = []

    def takes_mail(domain: str) -> bool | None:
        asked.append(domain)
        return False

    account = customer(personal=profile(email="eve@nowhere.example.com"))
    assert look_into(account, customer_desk(takes_mail=takes_mail), is_new=False) == ()
    strict = customer_desk(policy=rules(suspicion={"check_mail_domain": True}), takes_mail=takes_mail)
    assert look_into(account, strict, is_new=False) == (CustomerFlag(flag=Flag.EMAIL_UNDELIVERABLE),)
    for email in ("eve@gmail.com", "eve", None):
        look_into(customer(personal=profile(email=email)), strict, is_new=False)
    assert asked == ["nowhere.example.com"]


def test_the_shops_country_reads_a_number_that_lacks_one() -> None:
    account = customer(personal=Profile(phone="06 12345678"))
    assert look_into(account, customer_desk(country="NL"), is_new=False) == ()
    flagged = look_into(account, customer_desk(country=None), is_new=False)
    assert flagged == (CustomerFlag(flag=Flag.PHONE_INVALID, detail="country_unknown"),)
