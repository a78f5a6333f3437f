"""Customers for tests: a registered customer with a full address, unless a test says otherwise. All made up."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.customers.commits import CustomerCommit
from shared.customers.contact import read_contact
from shared.customers.marks import Mark, Marker, marks_of
from shared.customers.models import Customer, CustomerSource, PostalAddress, Profile, ProfileField
from shared.customers.ports import CustomerBook, CustomerDesk
from shared.customers.record import CustomerRecord, ProfileDigest, Verification, VerificationState
from shared.customers.rules import AskFor, CustomerRules, MatchRules, SuspicionRules, VerificationRules
from shared.inventory.models import Cause
from shared.kernel.identifiers import CustomerKey
from tests.builders.orders import NOON, version
from tests.fakes.customers import FakeCustomerBook, FakeCustomerSide
from tests.fakes.order_desk import retry_at_once

MARKER = Marker(b"a key of the tests, of no other use")
HOME = PostalAddress(
    first_name="Eve",
    last_name="Shopper",
    name="Eve Shopper",
    address1="Weg 2",
    city="Berlin",
    postal_code="10115",
    country_code="DE",
)
PHONE = "+4930901820"


def profile(**overrides: Any) -> Profile:
    fields: dict[str, Any] = {
        "email": "eve@example.test",
        "phone": PHONE,
        "first_name": "Eve",
        "last_name": "Shopper",
        "language": "en",
        "billing": HOME,
        "shipping": HOME,
    }
    return Profile(**(fields | overrides))


def customer(key: str = "aurora/customer/17", minute: int = 0, body: str = "a", **overrides: Any) -> Customer:
    """`customer("aurora/guest/9f", personal=profile(email=None))`"""
    shop, kind, customer_id = CustomerKey.parse(key)
    fields: dict[str, Any] = {
        "shop": shop,
        "kind": kind,
        "customer_id": customer_id,
        "platform": "shopify",
        "version": version(minute, body),
        "source": CustomerSource.ORDER if kind == "guest" else CustomerSource.REGISTRATION,
        "registered_at": None if kind == "guest" else NOON,
        "updated_at": NOON + timedelta(minutes=minute),
        "personal": profile(),
    }
    return Customer(**(fields | overrides))


def record(key: str = "aurora/customer/17", **overrides: Any) -> CustomerRecord:
    """The first revision of a customer who goes by itself."""
    shop, kind, customer_id = CustomerKey.parse(key)
    fields: dict[str, Any] = {
        "shop": shop,
        "kind": kind,
        "customer_id": customer_id,
        "platform": "shopify",
        "revision": 1,
        "version": version(),
        "source": CustomerSource.ORDER if kind == "guest" else CustomerSource.REGISTRATION,
        "registered_at": None if kind == "guest" else NOON,
        "leader": key,
        "cause": Cause(kind="registration", reference=f"{key}#1"),
    }
    return CustomerRecord(**(fields | overrides))


def revised(old: CustomerRecord, **changes: Any) -> CustomerRecord:
    """The next revision of a record."""
    return old.model_copy(update={"revision": old.revision + 1, **changes})


def proven(email: str = "eve@example.test", *, by: str = "link", at: datetime = NOON) -> Verification:
    """A verification of this address."""
    return Verification(state=VerificationState.VERIFIED, by=by, at=at, mark=MARKER.email(email))


def marks_borne(personal: Profile) -> frozenset[Mark]:
    return marks_of(personal, read_contact(personal, "DE").phone_e164, MARKER)


def kept(book: CustomerBook, account: Customer, **of_record: Any) -> CustomerRecord:
    """Put a customer into the book as the intake would: record, profile and marks; its first revision."""
    email = account.personal.email
    fields = {
        "version": account.version,
        "platform": account.platform,
        "registered_at": account.registered_at,
        "verification": Verification(mark=MARKER.email(email) if email else None),
        "digest": ProfileDigest(values={ProfileField.EMAIL: MARKER.email(email)} if email else {}),
    }
    made = record(str(account.key), **(fields | of_record))
    book.commit(CustomerCommit(made, replaces=None, customer=account, marks=marks_borne(account.personal)))
    return made


def rules(
    *,
    ask: AskFor = AskFor.FIRST_ORDER,
    verification: dict[str, Any] | None = None,
    suspicion: dict[str, Any] | None = None,
    automatically: tuple[Any, ...] = ("verified_email",),
) -> CustomerRules:
    return CustomerRules(
        verification=VerificationRules(ask=ask, **(verification or {})),
        suspicion=SuspicionRules(**(suspicion or {})),
        matching=MatchRules(automatically=automatically),
    )


def customer_desk(
    book: CustomerBook | None = None,
    *,
    shop: str = "aurora",
    storefront: FakeCustomerSide | None = None,
    policy: CustomerRules | None = None,
    now: datetime = NOON,
    **overrides: Any,
) -> CustomerDesk:
    """One shop's desk at noon; `replace` its clock, or make another with the same book, for a later time."""
    desk = CustomerDesk(
        shop=shop,
        book=book or FakeCustomerBook(),
        storefront=storefront,
        marker=MARKER,
        rules=policy or rules(),
        clock=lambda: now,
        retrying=retry_at_once,
        country="DE",
    )
    return replace(desk, **overrides)


def at(desk: CustomerDesk, moment: datetime) -> CustomerDesk:
    """The same desk at another time."""
    return replace(desk, clock=lambda: moment)
