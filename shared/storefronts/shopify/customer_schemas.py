"""What Shopify sends about customers and for their privacy, read leniently, in the REST shape of its webhooks.

All that describes the person may be null: without the approval for protected customer data Shopify withholds it.
Source: shopify.dev, "Webhooks" (sample payloads 2024-10 to 2026-10), "Protected customer data", "Privacy law
compliance".
"""

from typing import Annotated

from pydantic import BeforeValidator

from shared.storefronts.lenient import NULL_IS_EMPTY, Lenient, OptionalText
from shared.storefronts.shopify.schemas import Address, Id, Resource, split_tags

Ids = Annotated[tuple[Id, ...], NULL_IS_EMPTY]


class CustomerAddress(Address):
    """One of the customer's address book."""

    id: OptionalText = None
    customer_id: OptionalText = None
    default: bool | None = None
    country_name: OptionalText = None
    """Says what `country` says."""


class Consent(Lenient):
    """Of one channel of marketing. In webhooks since API version 2025-01 only where the topic is about it."""

    state: OptionalText = None
    opt_in_level: OptionalText = None
    consent_updated_at: OptionalText = None


class Customer(Resource):
    """A whole customer. Required is only what it cannot be without."""

    created_at: OptionalText = None
    updated_at: str
    email: OptionalText = None
    phone: OptionalText = None
    first_name: OptionalText = None
    last_name: OptionalText = None
    state: OptionalText = None
    note: OptionalText = None
    tags: Annotated[tuple[str, ...], BeforeValidator(split_tags)] = ()
    locale: OptionalText = None
    """Only in bodies that our client fetched: webhooks do not tell."""
    verified_email: bool | None = None
    tax_exempt: bool | None = None
    default_address: CustomerAddress | None = None
    addresses: Annotated[tuple[CustomerAddress, ...], NULL_IS_EMPTY] = ()
    email_marketing_consent: Consent | None = None
    sms_marketing_consent: Consent | None = None


class Merge(Lenient):
    """The outcome of a merge that somebody of the shop asked for."""

    admin_graphql_api_customer_kept_id: str
    admin_graphql_api_customer_deleted_id: str
    status: OptionalText = None


class Person(Lenient):
    id: Id | None = None
    email: OptionalText = None
    phone: OptionalText = None


class DataRequest(Lenient):
    id: OptionalText = None


class PrivacyTopics(Lenient):
    """`customers/data_request` and `customers/redact`."""

    customer: Person
    orders_requested: Ids = ()
    orders_to_redact: Ids = ()
    data_request: DataRequest | None = None
