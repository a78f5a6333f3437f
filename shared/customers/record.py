"""The customer as we keep it: states, links to the same person's other accounts, flags. No personal data.

Its stream is the outbox: all that has to happen elsewhere follows from the record before and after a change.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.customers.models import AccountState, CustomerSource, MarketingConsent, ProfileField
from shared.inventory.models import Cause
from shared.kernel.identifiers import CustomerKey
from shared.kernel.model import Canonical
from shared.kernel.versions import Version


class VerificationState(StrEnum):
    """How far we know that the e-mail address is the person's own."""

    UNVERIFIED = "unverified"
    PENDING = "pending"
    """A link was sent, and has not been followed yet."""
    VERIFIED = "verified"
    REJECTED = "rejected"
    """The owner of the address said that it was not them, or staff refused the customer."""


class Verification(Canonical):
    state: VerificationState = VerificationState.UNVERIFIED
    by: str | None = None
    """Who brought it there: `link`, `storefront`, `owner` (of the address, who said no), or an operator's name."""
    at: datetime | None = None
    mark: str | None = None
    """Digest of the address that it is about: another address is not verified by it."""
    asked: int = 0
    """How many links were asked for so far. Only the newest one holds."""
    asked_at: tuple[datetime, ...] = ()
    """When, within the last day before the last one."""


class Flag(StrEnum):
    """Something that a person should look at before the customer is trusted."""

    EMAIL_INVALID = "email_invalid"
    EMAIL_UNDELIVERABLE = "email_undeliverable"
    """Its domain takes no mail."""
    EMAIL_DISPOSABLE = "email_disposable"
    PHONE_INVALID = "phone_invalid"
    ADDRESS_INCOMPLETE = "address_incomplete"
    SIGNUP_BURST = "signup_burst"
    """Registered among improbably many others."""


class CustomerFlag(Canonical):
    flag: Flag
    detail: str = ""
    """Names of parts, never their content: `shipping: postal_code, city`."""


class ProfileDigest(Canonical):
    """What the profile's fields were, as keyed digests, and when each last changed. Nothing can be read from it."""

    values: dict[ProfileField, str] = {}
    """Fields that have a value."""
    changed_at: dict[ProfileField, datetime] = {}
    """By the storefront's own clock."""


class CustomerRecord(Canonical):
    shop: str
    kind: Literal["customer", "guest"]
    customer_id: str
    platform: str
    revision: Annotated[int, Field(ge=1)]
    """Grows by one with every commit, whoever caused it: effects are keyed by it."""
    version: Version
    """The newest account by the storefront that this record was built from."""
    source: CustomerSource
    state: AccountState = AccountState.UNKNOWN
    registered_at: datetime | None = None
    leader: str
    """Key of the customer whom the person goes by: its own, until it is merged with another."""
    verification: Verification = Verification()
    consents: tuple[MarketingConsent, ...] = ()
    flags: tuple[CustomerFlag, ...] = ()
    overruled: tuple[Flag, ...] = ()
    """Flags that an operator has overruled for this customer."""
    digest: ProfileDigest = ProfileDigest()
    deleted_at: datetime | None = None
    """The storefront has no such account any more."""
    erased_at: datetime | None = None
    """Its personal data was erased, and is never taken in again."""
    attention_since: datetime | None = None
    """Since when a person must look; None when nothing is open."""
    cause: Cause

    @property
    def key(self) -> CustomerKey:
        return CustomerKey(self.shop, self.kind, self.customer_id)

    @property
    def is_leader(self) -> bool:
        return self.leader == str(self.key)

    @property
    def open_flags(self) -> tuple[CustomerFlag, ...]:
        return tuple(flag for flag in self.flags if flag.flag not in self.overruled)
