"""Shopify's account of a customer, turned into the canonical customer without loss; and its calls for privacy's sake.

The body decides what a delivery is, because the topic is not signed: only a body that says nothing is told apart by
its topic. One mapping serves webhooks and fetched customers: the client puts what it fetched into the webhook's shape.

A Shopify customer has one usual address. It is both the one for invoices and the one for deliveries; the company is
the one of that address, for the account itself has none.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import JsonValue, ValidationError

from shared.customers.models import AccountState, Customer, MarketingConsent, Profile
from shared.customers.readings import (
    CompleteCustomer,
    CustomerDeleted,
    CustomerHint,
    CustomerReading,
    CustomersMerged,
    NothingToDo,
    PrivacyCall,
    PrivacyTopic,
)
from shared.kernel import strict_json
from shared.kernel.clock import parse_time, sortable_time
from shared.kernel.model import faults_of
from shared.kernel.versions import Version
from shared.storefronts.lenient import read, unknown_fields
from shared.storefronts.shopify import customer_schemas as schemas
from shared.storefronts.shopify.addresses import address_of
from shared.storefronts.shopify.figures import (
    GID,
    as_text,
    exact_id,
    id_of,
    invalid,
    observed_at,
    plain_id,
    time_of,
)
from shared.webhooks.delivery import Delivery

PLATFORM: Final = "shopify"
_WORD_LENGTH: Final = 40

_Channel = Literal["email", "sms"]
_Consented = Literal["subscribed", "unsubscribed", "pending", "not_subscribed"]

_STATES: Final[Mapping[str, AccountState]] = {
    "enabled": AccountState.ENABLED,
    "disabled": AccountState.DISABLED,
    "invited": AccountState.INVITED,
    "declined": AccountState.DECLINED,
}
_CONSENTS: Final[Mapping[str, _Consented]] = {
    "subscribed": "subscribed",
    "unsubscribed": "unsubscribed",
    "pending": "pending",
    "not_subscribed": "not_subscribed",
    "never_subscribed": "not_subscribed",  # the newer word for it
    "redacted": "unsubscribed",  # the strictest word that we have: nobody is to ask again either
    "invalid": "unsubscribed",  # mail to the address came back; whatever was agreed to, nothing may be sent
}
_CONSENT_FIELDS: Final[Mapping[str, _Channel]] = {"email_marketing_consent": "email", "sms_marketing_consent": "sms"}
_IDS_OF_A_HINT: Final = ("customer_id", "id")
_WHOSE_ACCOUNT: Final = frozenset({"id", "admin_graphql_api_id"})
_SHOP_REDACT: Final = frozenset({"shop_id", "shop_domain"})


def read_customer(delivery: Delivery) -> CustomerReading:
    """Read a delivery as a `CustomerReader`.

    An account of which all that is personal is withheld is a whole one too.

    Raises:
        Rejected: `invalid_json`, or `invalid_payload` and its kin with the path of the first field at fault.
    """
    body = strict_json.parse(delivery.body)
    if not isinstance(body, dict):
        raise invalid("the body is not an object", "")
    if "shop_domain" in body:
        return _privacy_call(body, delivery)
    if "admin_graphql_api_customer_kept_id" in body:
        return _merge(read(schemas.Merge, body), delivery)
    _refuse_other_resources(body)
    if body.get("updated_at") is None:
        return _without_account(body, delivery)
    try:
        return CompleteCustomer(_customer(read(schemas.Customer, body), body.keys(), delivery))
    except ValidationError as error:  # what our own models refuse
        first = faults_of(error)[0]
        raise invalid(first.kind, first.field) from error


def _refuse_other_resources(body: Mapping[str, Any]) -> None:
    """Much has an id and a time of change."""
    found = GID.fullmatch(as_text(body.get("admin_graphql_api_id")))
    if found and found["type"] != "Customer":
        raise invalid("the body is another resource than a customer", "admin_graphql_api_id")


def _without_account(body: Mapping[str, Any], delivery: Delivery) -> CustomerReading:
    """Consents, and what was too large to be sent, name the customer; so does a deletion, which says nothing else."""
    key = next((name for name in _IDS_OF_A_HINT if body.get(name) is not None), "id")
    number = exact_id(as_text(body.get("admin_graphql_api_id"))) or plain_id(body, key, "a customer")
    says_nothing = not any(value for name, value in body.items() if name not in _WHOSE_ACCOUNT)
    if says_nothing and delivery.topic == "customers/delete":
        return CustomerDeleted(number, parse_time(observed_at(delivery)))
    return CustomerHint(number, "consent" if _states_consent(body) else "thin")


def _states_consent(body: Mapping[str, Any]) -> bool:
    return any(name.endswith("_marketing_consent") for name in body)


def _merge(merge: schemas.Merge, delivery: Delivery) -> CustomerReading:
    """What is under way may still fail: whether the account is gone is for the shop to tell."""
    status = (merge.status or "").lower()
    kept = _named(merge.admin_graphql_api_customer_kept_id, "admin_graphql_api_customer_kept_id")
    gone = _named(merge.admin_graphql_api_customer_deleted_id, "admin_graphql_api_customer_deleted_id")
    if status == "failed":
        return NothingToDo("merge_failed")
    if status != "completed":
        return CustomerHint(gone, "merge_unfinished")
    return CustomersMerged(kept=kept, gone=gone, at=parse_time(observed_at(delivery)))


def _named(gid: str, path: str) -> str:
    found = GID.fullmatch(gid)
    if found is None or found["type"] != "Customer":
        raise invalid("no id of a customer", path)
    return found["id"]


def _privacy_call(body: Mapping[str, Any], delivery: Delivery) -> PrivacyCall:
    """Told by our own clock: the trigger time is not signed, and a deadline hangs on it.

    That a whole shop is to be erased must be said by the topic too, for the body is little else than the shop's name.
    """
    at = parse_time(delivery.received_at)
    if body.keys() <= _SHOP_REDACT and delivery.topic == "shop/redact":
        return PrivacyCall(PrivacyTopic.SHOP_REDACT, at, customer_id=None)
    call = read(schemas.PrivacyTopics, body)
    asks, erases = "orders_requested" in body or "data_request" in body, "orders_to_redact" in body
    if asks is erases:
        raise invalid("neither a data request nor a redaction", "")
    return PrivacyCall(
        PrivacyTopic.DATA_REQUEST if asks else PrivacyTopic.REDACT,
        at,
        customer_id=call.customer.id,
        email=call.customer.email,
        phone=call.customer.phone,
        orders=call.orders_requested if asks else call.orders_to_redact,
        reference=call.data_request.id if call.data_request else None,
    )


def _customer(payload: schemas.Customer, stated: Collection[str], delivery: Delivery) -> Customer:
    return Customer(
        shop=delivery.shop,
        kind="customer",
        customer_id=id_of(payload),
        platform=PLATFORM,
        gid=payload.admin_graphql_api_id if exact_id(payload.admin_graphql_api_id) else None,
        version=Version(
            updated_at=sortable_time(payload.updated_at, field="updated_at"),
            observed_at=observed_at(delivery),
            body_sha256=hashlib.sha256(delivery.body).hexdigest(),
            fetched=delivery.fetched,
        ),
        api_version=delivery.api_version,
        registered_at=time_of(payload.created_at, "created_at"),
        updated_at=parse_time(payload.updated_at, field="updated_at"),
        state=_STATES.get((payload.state or "").lower(), AccountState.UNKNOWN),
        vendor_state=payload.state[:_WORD_LENGTH] if payload.state else None,
        email_verified_by_storefront=payload.verified_email,
        tax_exempt=payload.tax_exempt,
        consents=tuple(_consents(payload)) if _CONSENT_FIELDS.keys() & stated else None,
        personal=_profile(payload),
    )


def _consents(payload: schemas.Customer) -> Iterator[MarketingConsent]:
    """Of channels that Shopify knows a consent for; one that is null, or in a word unknown here, allows nothing."""
    for name, channel in _CONSENT_FIELDS.items():
        consent: schemas.Consent | None = getattr(payload, name)
        state = _CONSENTS.get((consent.state or "").lower()) if consent else None
        if consent and state:
            since = time_of(consent.consent_updated_at, f"{name}.consent_updated_at")
            yield MarketingConsent(channel=channel, state=state, since=since, opt_in=consent.opt_in_level)


def _profile(payload: schemas.Customer) -> Profile:
    usual = payload.default_address or next((each for each in payload.addresses if each.default), None)
    others = (each for each in payload.addresses if usual is None or not _is_same(each, usual))
    address = address_of(usual)
    return Profile(
        email=payload.email,
        phone=payload.phone,
        first_name=payload.first_name,
        last_name=payload.last_name,
        company=address.company if address else None,
        language=payload.locale,
        billing=address,
        shipping=address,
        further_addresses=tuple(known for each in others if (known := address_of(each))),
        note=payload.note,
        tags=payload.tags,
        unknown_fields={**dict(unknown_fields(payload)), **dict(_unknown_consents(payload))},
    )


def _is_same(one: schemas.CustomerAddress, other: schemas.CustomerAddress) -> bool:
    if one.id and other.id:
        return one.id == other.id
    return address_of(one) == address_of(other)


def _unknown_consents(payload: schemas.Customer) -> Iterator[tuple[str, JsonValue]]:
    for name in _CONSENT_FIELDS:
        consent: schemas.Consent | None = getattr(payload, name)
        if consent and consent.state and consent.state.lower() not in _CONSENTS:
            yield f"{name}.state", consent.state
