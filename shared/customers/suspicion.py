"""What a person should look at before a customer is trusted: addresses that cannot be right, registrations in a burst.

`flags_of` is the pure rule; `look_into` gathers what it needs to know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.customers.contact import Contact, read_contact
from shared.customers.models import Customer
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerFlag, Flag
from shared.customers.rules import SuspicionRules
from shared.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class SignupCircumstances:
    """What is known around a registration."""

    takes_mail: bool | None = None
    """What the DNS says of the address's domain; None where it was not asked, or could not answer."""
    registrations_at_shop: int = 0
    """Within the period of the rules, this one included; 0 where this is no registration of now."""
    registrations_of_domain: int = 0
    """The same for those that share the e-mail domain; 0 for a large provider's."""


def flags_of(contact: Contact, rules: SuspicionRules, circumstances: SignupCircumstances) -> tuple[CustomerFlag, ...]:
    """All that is to be looked at, in the order of `Flag`. What the DNS did not answer is no ground for suspicion."""
    return tuple(_flags(contact, rules, circumstances))


def _flags(contact: Contact, rules: SuspicionRules, around: SignupCircumstances) -> Iterator[CustomerFlag]:
    if contact.email_fault:
        yield CustomerFlag(flag=Flag.EMAIL_INVALID, detail=contact.email_fault)
    if rules.check_mail_domain and around.takes_mail is False:
        yield CustomerFlag(flag=Flag.EMAIL_UNDELIVERABLE)
    if rules.flag_disposable and contact.email_domain and is_disposable(contact.email_domain):
        yield CustomerFlag(flag=Flag.EMAIL_DISPOSABLE)
    if contact.phone_fault:
        yield CustomerFlag(flag=Flag.PHONE_INVALID, detail=contact.phone_fault)
    if contact.address_faults:
        yield CustomerFlag(flag=Flag.ADDRESS_INCOMPLETE, detail="; ".join(contact.address_faults))
    bursts = ", ".join(_bursts(rules, around))
    if bursts:
        yield CustomerFlag(flag=Flag.SIGNUP_BURST, detail=bursts)


def _bursts(rules: SuspicionRules, around: SignupCircumstances) -> Iterator[str]:
    if around.registrations_at_shop > rules.burst_registrations:
        yield "shop"
    if around.registrations_of_domain > rules.burst_same_domain:
        yield "domain"


def is_disposable(domain: str) -> bool:
    """Whether a domain, or one above it, is of those that give out addresses to throw away."""
    from disposable_email_domains import blocklist  # noqa: PLC0415 - ten thousand names, for few functions

    labels = domain.split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


# ---- what has to be asked for ----

IS_RECENT = timedelta(hours=1)
"""Older registrations are imported, or came late: they are no burst."""

LARGE_PROVIDERS = frozenset(
    {
        "126.com", "139.com", "163.com", "aliyun.com", "aol.com", "bol.com.br", "btinternet.com", "comcast.net",
        "daum.net", "fastmail.com", "foxmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net",
        "googlemail.com", "hanmail.net", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr",
        "hotmail.it", "icloud.com", "kpnmail.nl", "laposte.net", "libero.it", "live.com", "live.nl", "mac.com",
        "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de",
        "outlook.fr", "proton.me", "protonmail.com", "qq.com", "rediffmail.com", "sina.com", "sohu.com", "t-online.de",
        "uol.com.br", "vip.qq.com", "web.de", "wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br",
        "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.ru", "yeah.net", "ziggo.nl", "zoho.com",
    }
)  # fmt: skip
"""Domains that many registrations share by chance, and that are known to take mail."""


def look_into(customer: Customer, desk: CustomerDesk, is_new: bool) -> tuple[CustomerFlag, ...]:
    """The flags of an account as it is now.

    A new registration is counted each time that this is called, so call it once for a delivery, and not again after a
    conflict. A burst shows only then: the caller keeps that flag.

    Raises:
        Retry: the counters are out of reach.
    """
    contact = read_contact(customer.personal, desk.country)
    rules = desk.rules.suspicion
    around = SignupCircumstances(takes_mail=_takes_mail(contact, desk))
    at = _registered_just_now(customer, desk.clock) if is_new else None
    if at is not None:
        at_shop, of_domain = _count(contact, desk, at)
        around = SignupCircumstances(around.takes_mail, at_shop, of_domain)
    return flags_of(contact, rules, around)


def _takes_mail(contact: Contact, desk: CustomerDesk) -> bool | None:
    domain = contact.email_domain
    if not desk.rules.suspicion.check_mail_domain or domain is None or domain in LARGE_PROVIDERS:
        return None
    return desk.takes_mail(domain)


def _registered_just_now(customer: Customer, clock: Clock) -> datetime | None:
    """When, for a registration of the last hour; None for guests, imports and what came late."""
    at = customer.registered_at
    return at if customer.kind == "customer" and at is not None and clock() - at <= IS_RECENT else None


def _count(contact: Contact, desk: CustomerDesk, at: datetime) -> tuple[int, int]:
    minutes = desk.rules.suspicion.burst_minutes
    at_shop = desk.book.count_registration(desk.shop, at, minutes=minutes)
    domain = contact.email_domain
    if domain is None or domain in LARGE_PROVIDERS:
        return at_shop, 0
    counter = f"{desk.shop}/{desk.marker.digest('signups', domain)}"
    return at_shop, desk.book.count_registration(counter, at, minutes=minutes)
