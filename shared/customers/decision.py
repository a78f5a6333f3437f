"""Decide what an account of a customer makes of the record we keep. Pure: values in, a commit out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.customers.commits import CustomerCommit
from shared.customers.fields import texts_of
from shared.customers.marks import Mark, Marker, marks_of
from shared.customers.models import Customer, CustomerSource, MarketingConsent, Profile, ProfileField
from shared.customers.record import CustomerFlag, CustomerRecord, Flag, ProfileDigest
from shared.customers.rules import CustomerRules
from shared.customers.verification import of_account
from shared.inventory.models import Cause

PhoneReader = Callable[[Profile], str | None]
"""A profile's telephone number in E.164, where it has a valid one."""


@dataclass(frozen=True)
class Known:
    """What is kept of a customer before a decision."""

    record: CustomerRecord
    customer: Customer | None
    """None where its personal data has expired."""


@dataclass(frozen=True)
class Circumstances:
    """What a decision needs beside the account and what is known."""

    rules: CustomerRules
    marker: Marker
    flags: tuple[CustomerFlag, ...]
    """What this account gives reason to look at."""
    phone_of: PhoneReader
    now: datetime


def decide(account: Customer, known: Known | None, around: Circumstances) -> CustomerCommit:
    """Apply an account that is known to be newer than the record."""
    customer = _filled(account, known.customer if known else None)
    stored = known.record if known else None
    phone = around.phone_of(customer.personal)
    revision = stored.revision + 1 if stored else 1
    trusted = around.rules.verification.trust_storefront and bool(account.email_verified_by_storefront)
    record = CustomerRecord(
        shop=customer.shop,
        kind=customer.kind,
        customer_id=customer.customer_id,
        platform=customer.platform,
        revision=revision,
        version=account.version,
        source=customer.source,
        state=customer.state,
        registered_at=customer.registered_at or (stored.registered_at if stored else None),
        leader=stored.leader if stored else str(customer.key),
        verification=of_account(
            stored.verification if stored else None,
            mark=around.marker.email(customer.personal.email) if customer.personal.email else None,
            said_by_storefront=trusted,
            now=around.now,
        ),
        consents=_consents(customer, stored),
        flags=_flags(stored, around.flags),
        overruled=stored.overruled if stored else (),
        digest=_digest(customer, phone, stored, around.marker),
        attention_since=None,
        cause=Cause(kind=customer.source.value, reference=f"{customer.key}#{revision}"),
    )
    return CustomerCommit(
        record=with_attention(record, stored, around.now),
        replaces=stored.revision if stored else None,
        customer=customer,
        marks=marks_of(customer.personal, phone, around.marker),
        bore=_bore(known, around.marker, around.phone_of),
    )


def forget_account(known: Known, marker: Marker, phone_of: PhoneReader, now: datetime) -> CustomerCommit:
    """The storefront has deleted the account: its personal data goes, and what it was found by. Orders keep theirs."""
    record = known.record.model_copy(
        update={
            "revision": known.record.revision + 1,
            "flags": (),
            "consents": (),
            "digest": ProfileDigest(),
            "deleted_at": now,
            "attention_since": None,
            "cause": Cause(kind="deleted", reference=f"{known.record.key}#{known.record.revision + 1}"),
        }
    )
    return CustomerCommit(
        record=record,
        replaces=known.record.revision,
        forget=True,
        marks=frozenset(),
        bore=_bore(known, marker, phone_of),
    )


def with_attention(record: CustomerRecord, stored: CustomerRecord | None, now: datetime) -> CustomerRecord:
    """Mark since when a person must look; cleared as soon as nothing is open."""
    since = (stored.attention_since if stored else None) or now
    return record.model_copy(update={"attention_since": since if record.open_flags else None})


def _filled(account: Customer, before: Customer | None) -> Customer:
    """What orders tell adds up: a later one that lacks a field does not unsay it. A storefront's own account does."""
    if before is None:
        return account
    if account.source is not CustomerSource.ORDER or before.source is not CustomerSource.ORDER:
        return keeping_language(before, account)
    said = {name: value for name in Profile.model_fields if (value := getattr(account.personal, name))}
    return account.model_copy(update={"personal": before.personal.model_copy(update=said)})


def keeping_language(before: Customer, account: Customer) -> Customer:
    """The account, with the language that was known where it tells none: not to tell is not to unsay. Shopify's
    webhooks do not tell the language that its API does."""
    if account.personal.language is not None or before.personal.language is None:
        return account
    language = {"language": before.personal.language}
    return account.model_copy(update={"personal": account.personal.model_copy(update=language)})


def _flags(stored: CustomerRecord | None, found: tuple[CustomerFlag, ...]) -> tuple[CustomerFlag, ...]:
    """A burst is seen once, when the customer registers; everything else is judged anew by each account."""
    names = {flag.flag for flag in found}
    bursts = [flag for flag in (stored.flags if stored else ()) if flag.flag is Flag.SIGNUP_BURST]
    return (*found, *(flag for flag in bursts if flag.flag not in names))


def _consents(customer: Customer, stored: CustomerRecord | None) -> tuple[MarketingConsent, ...]:
    if customer.consents is not None:
        return customer.consents
    return stored.consents if stored else ()


def _digest(customer: Customer, phone: str | None, stored: CustomerRecord | None, marker: Marker) -> ProfileDigest:
    texts = texts_of(customer.personal, phone)
    values = {field: marker.digest(field, text) for field, text in texts.items()}
    before = stored.digest if stored else ProfileDigest()
    changed = {field for field in ProfileField if values.get(field) != before.values.get(field)}
    times = {**before.changed_at, **dict.fromkeys(changed, customer.updated_at)}
    return ProfileDigest(values=values, changed_at=times)


def _bore(known: Known | None, marker: Marker, phone_of: PhoneReader) -> frozenset[Mark]:
    if known is None or known.customer is None:
        return frozenset()
    return marks_of(known.customer.personal, phone_of(known.customer.personal), marker)
