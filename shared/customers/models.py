"""The canonical customer: one person's account at one shop, as its storefront states it.

Whatever identifies or describes the person is in :class:`Profile`, which is stored apart from the rest. Every field of
it may be missing: platforms withhold personal data. The same person at two shops is two customers, joined by their
records (see `record`), never by copying one's data into the other's.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

from shared.kernel.identifiers import CustomerKey
from shared.kernel.model import Canonical
from shared.kernel.versions import Version


class PostalAddress(Canonical):
    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    country: str | None = None
    phone: str | None = None


class ProfileField(StrEnum):
    """What is kept in step between a storefront and the back office, and may have an owner."""

    NAME = "name"
    """First and last name together: back offices have one field."""
    COMPANY = "company"
    EMAIL = "email"
    PHONE = "phone"
    LANGUAGE = "language"
    BILLING = "billing"
    """The usual address for invoices."""
    SHIPPING = "shipping"
    """The usual address for deliveries."""


class Profile(Canonical):
    """All that describes the person. A field that the storefront does not have, or withholds, is None."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    language: str | None = None
    """As the storefront writes it: `en`, `zh-CN`."""
    billing: PostalAddress | None = None
    shipping: PostalAddress | None = None
    further_addresses: tuple[PostalAddress, ...] = ()
    """Addresses of the storefront's address book beside the two usual ones."""
    username: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    unknown_fields: dict[str, JsonValue] = {}
    """What the storefront sent and no other field holds, by path. Kept so that nothing is lost."""

    @property
    def name(self) -> str | None:
        """The full name; that of an address where the account itself has none."""
        own = " ".join(part for part in (self.first_name, self.last_name) if part)
        addresses = (address for address in (self.billing, self.shipping) if address)
        return own or next((address.name for address in addresses if address.name), None)


class AccountState(StrEnum):
    """What the storefront says of the account itself."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    INVITED = "invited"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    """The storefront does not tell, or in a word that no table of ours knows."""


class MarketingConsent(Canonical):
    """Whether the person may be sent marketing, by one channel. Carried, never inferred and never widened."""

    channel: Literal["email", "sms"]
    state: Literal["subscribed", "unsubscribed", "pending", "not_subscribed"]
    """`not_subscribed`: never asked, or never answered."""
    since: datetime | None = None
    opt_in: str | None = None
    """How it was given, in the storefront's words: `confirmed_opt_in`."""


class CustomerSource(StrEnum):
    REGISTRATION = "registration"
    """The storefront's own account of the customer."""
    ORDER = "order"
    """Read from an order: a guest, or a registered customer whose own account has not come yet."""


class Customer(Canonical):
    """One version of one customer of one shop."""

    shop: str
    kind: Literal["customer", "guest"]
    customer_id: str
    """The storefront's own id of the account, as text; for a guest a keyed digest of what the guest is known by."""
    platform: str
    gid: str | None = None
    """The platform's global id, exact where JSON numbers get rounded."""
    version: Version
    api_version: str | None = None
    source: CustomerSource = CustomerSource.REGISTRATION
    registered_at: datetime | None = None
    updated_at: datetime
    state: AccountState = AccountState.UNKNOWN
    vendor_state: str | None = None
    email_verified_by_storefront: bool | None = None
    """Whether the storefront itself had the address proven; None where it does not tell."""
    tax_exempt: bool | None = None
    consents: tuple[MarketingConsent, ...] | None = None
    """None: this account does not tell; what was known stays."""
    personal: Profile = Profile()

    @property
    def key(self) -> CustomerKey:
        return CustomerKey(self.shop, self.kind, self.customer_id)
