"""The merchant's policy for customers. Pure; the defaults write to nobody and merge nobody on a guess."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.customers.models import ProfileField
from shared.kernel.model import Canonical


class AskFor(StrEnum):
    """When a customer is asked to prove that the e-mail address is theirs."""

    OFF = "off"
    REGISTRATION = "registration"
    """When they register. Their orders are not held; the back office gets the customer once it is proven."""
    FIRST_ORDER = "first_order"
    """When they first order, guests too. The order is held until it is proven."""


class Owner(StrEnum):
    """Whose word counts for a field that is kept on both sides."""

    STOREFRONT = "storefront"
    BACKOFFICE = "backoffice"
    NEWEST = "newest"
    """Whoever changed it last."""


class VerificationRules(Canonical):
    ask: AskFor = AskFor.OFF
    link_hours: Annotated[int, Field(ge=1, le=720)] = 48
    """How long a link holds."""
    links_per_day: Annotated[int, Field(ge=1, le=20)] = 3
    """Most links sent to one customer within a day."""
    trust_storefront: bool = False
    """Take the storefront's word where it says that it had the address proven. Shopify says so too of accounts that
    its own staff made."""


class SuspicionRules(Canonical):
    """What is flagged for a person to look at."""

    flag_disposable: bool = True
    check_mail_domain: bool = False
    """Ask the DNS whether the address's domain takes mail at all: up to two seconds for each new domain."""
    burst_registrations: Annotated[int, Field(ge=2, le=100_000)] = 30
    """More registrations than this at one shop …"""
    burst_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """… within this time are a burst; those after it are flagged."""
    burst_same_domain: Annotated[int, Field(ge=2, le=100_000)] = 10
    """The same for registrations that share an e-mail domain that is not a large provider's."""


class MatchRules(Canonical):
    automatically: tuple[Literal["verified_email", "phone_and_name"], ...] = ("verified_email",)
    """What joins two customers without a person's yes. All other resemblance is proposed."""


class MaintenanceRules(Canonical):
    """How a customer is kept the same at the storefront and in the back office."""

    owners: dict[ProfileField, Owner] = {}
    """By field; `newest` where none is named."""
    tell_storefront: bool = True
    """Write to the storefront what was changed in the back office."""

    def owner_of(self, field: ProfileField) -> Owner:
        return self.owners.get(field, Owner.NEWEST)


class CustomerRules(Canonical):
    """One shop's."""

    verification: VerificationRules = VerificationRules()
    suspicion: SuspicionRules = SuspicionRules()
    matching: MatchRules = MatchRules()
    maintenance: MaintenanceRules = MaintenanceRules()


class PrivacyRules(Canonical):
    """Of the whole deployment."""

    erase_within_days: Annotated[int, Field(ge=1, le=30)] = 25
    """When an erasure that was asked for must be done. Shopify and the GDPR give thirty days."""
    erase_at_once: bool = True
    """Begin as soon as a storefront asks. False: an operator starts each erasure, and is reminded of it."""
    buyer_days: Annotated[int, Field(ge=30, le=7300)] | None = None
    """Forget an order's buyer after this many days. None: kept until erased."""
    profile_days: Annotated[int, Field(ge=30, le=7300)] | None = None
    """Forget a customer's profile when nothing was heard of it for this many days. None: kept until erased."""
