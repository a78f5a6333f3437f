"""The sides of one person: what each customer's account and the party in the back office show now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from shared.backoffices.documents import KnownCustomer
from shared.customers.decision import keeping_language
from shared.customers.maintenance import Side, SideBase
from shared.customers.marks import Marker
from shared.customers.models import Customer, CustomerSource, Profile, ProfileField
from shared.customers.ports import CustomerSide
from shared.customers.record import CustomerRecord
from shared.customers.rules import CustomerRules
from shared.kernel.versions import Comparison, Version, compare
from shared.sync.customers.card import Content, content_of_card, content_of_profile, normal_of


class Accounts(CustomerSide, Protocol):
    """One shop's accounts: `storefronts.port.CustomerRegister` in canonical words."""

    def write(self, customer_id: str, profile: Profile, fields: frozenset[ProfileField]) -> None:
        """As `CustomerRegister.write`."""
        ...


@dataclass(frozen=True)
class Shop:
    """One shop of the back office, as far as its customers are kept."""

    rules: CustomerRules
    accounts: Accounts | None
    """None where the shop has no API access: it is told nothing."""
    country: str | None = None
    has_one_address: bool = False
    """Whether the one for invoices, the one for deliveries and the company are one and the same to it."""


@dataclass(frozen=True)
class Shown:
    """What one side shows: to be compared, and to be written elsewhere."""

    side: Side
    content: Content
    customer: Customer | None = None
    """Of a storefront side the account that it is read from."""
    record: CustomerRecord | None = None
    is_fresh: bool = False
    """Asked of the storefront in this very run."""


def party_name(backoffice: str) -> str:
    """How a back office is called among the sides."""
    return f"backoffice/{backoffice}"


def shown_by_account(record: CustomerRecord, customer: Customer | None, shop: Shop, marker: Marker) -> Shown:
    """A customer as our book has it. An account that is gone, and one of which all is withheld, tells nothing."""
    content = content_of_profile(customer.personal) if customer and record.deleted_at is None else {}
    updated_at = customer.updated_at if customer else None
    side = Side(
        name=str(record.key),
        values=digests_of(content, shop.country, marker),
        changed_at={**_all_at(updated_at), **record.digest.changed_at},
        is_silent=not content,
        takes_writes=_takes_writes(record, shop),
        together=(ProfileField.BILLING, ProfileField.SHIPPING, ProfileField.COMPANY) if shop.has_one_address else (),
    )
    return Shown(side, content, customer, record)


def with_language_of(base: SideBase | None, shown: Shown) -> Shown:
    """An account that tells no language has the one that it was last seen with: Shopify's webhooks never tell it. Its
    content is for the storefront to tell."""
    known = base.values.get(ProfileField.LANGUAGE) if base else None
    if known is None or shown.side.is_silent or ProfileField.LANGUAGE in shown.side.values:
        return shown
    values = {**shown.side.values, ProfileField.LANGUAGE: known}
    return replace(shown, side=shown.side.model_copy(update={"values": values}))


def shown_freshly(before: Shown, customer: Customer | None, shop: Shop, marker: Marker) -> Shown:
    """The same side as its storefront shows it now; None: there is no such account any more."""
    if customer is None:
        side = before.side.model_copy(update={"values": {}, "is_silent": True, "takes_writes": False})
        return Shown(side, {}, None, before.record, is_fresh=True)
    customer = keeping_language(before.customer, customer) if before.customer else customer
    content = content_of_profile(customer.personal)
    values = digests_of(content, shop.country, marker)
    moved = [what for what in ProfileField if values.get(what) != before.side.values.get(what)]
    changed_at = {**before.side.changed_at, **dict.fromkeys(moved, customer.updated_at)}
    side = before.side.model_copy(update={"values": values, "changed_at": changed_at, "is_silent": not content})
    return Shown(side, content, customer, before.record, is_fresh=True)


def shown_by_party(known: KnownCustomer | None, backoffice: str, country: str | None, marker: Marker) -> Shown:
    """The party as the back office holds it; None: it is not there yet."""
    content = content_of_card(known.card) if known else {}
    side = Side(
        name=party_name(backoffice),
        values=digests_of(content, country, marker),
        changed_at=_all_at(known.changed_at if known else None),
        together=(ProfileField.BILLING, ProfileField.COMPANY),
    )
    return Shown(side, content)


def digests_of(content: Content, country: str | None, marker: Marker) -> dict[ProfileField, str]:
    """Keyed digests of normal forms: they can be kept, and tell nobody anything."""
    return {
        what: marker.digest(f"maintenance/{what}", normal_of(what, value, content, country))
        for what, value in content.items()
    }


def is_up_to_date(customer: Customer, seen: Version | None) -> bool:
    """Whether our book knows an account no older than what we have seen at the storefront ourselves. After we wrote
    there, the echo takes its time, and what the book says until then looks like an edit that undoes ours."""
    if seen is None:
        return True
    is_account = customer.source is CustomerSource.REGISTRATION
    return is_account and compare(customer.version, seen) in (Comparison.NEWER, Comparison.SAME)


def _takes_writes(record: CustomerRecord, shop: Shop) -> bool:
    may = record.kind == "customer" and record.deleted_at is None
    return may and shop.accounts is not None and shop.rules.maintenance.tell_storefront


def _all_at(moment: datetime | None) -> Mapping[ProfileField, datetime]:
    return dict.fromkeys(ProfileField, moment) if moment else {}
