"""Shopify's webhook payloads about customers, in the REST shape of 2025-01 to 2026-10. All of it is made up."""

from collections.abc import Sequence
from typing import Any

from infra.samples.shopify import ADDRESS, UPDATED_AT, address, gid

Json = dict[str, Any]

CUSTOMER_ID = 207
OTHER_ID = 208


def book_entry(number: int = 71, *, default: bool = False, **overrides: Any) -> Json:
    """One address of a customer's address book."""
    return (
        {name: value for name, value in address().items() if name not in {"latitude", "longitude"}}
        | {"id": number, "customer_id": CUSTOMER_ID, "country_name": "Germany", "default": default}
        | overrides
    )


def account(**overrides: Any) -> Json:
    """A whole customer, as `customers/create`, `update`, `enable` and `disable` state it: without consents."""
    usual = book_entry(default=True)
    return {
        "id": CUSTOMER_ID,
        "admin_graphql_api_id": gid("Customer", CUSTOMER_ID),
        "created_at": "2026-11-20T08:00:00+01:00",
        "updated_at": UPDATED_AT,
        "first_name": "Zoë",
        "last_name": "Ünal",
        "state": "enabled",
        "note": "Likes blue.",
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": "zoe@example.test",
        "phone": "+49302000000",
        "currency": "EUR",
        "addresses": [usual],
        "tax_exemptions": [],
        "default_address": usual,
    } | overrides


def withheld(**overrides: Any) -> Json:
    """The same for an app that is not approved for protected customer data."""
    nothing = dict.fromkeys(("first_name", "last_name", "email", "phone", "note", "default_address"))
    return account(**nothing, addresses=[]) | overrides


def consent(state: str | None = "subscribed", **overrides: Any) -> Json:
    return {
        "state": state,
        "opt_in_level": "confirmed_opt_in",
        "consent_updated_at": "2026-11-20T08:01:00+01:00",
    } | overrides


def deleted(number: int = CUSTOMER_ID) -> Json:
    return {"id": number, "tax_exemptions": [], "admin_graphql_api_id": gid("Customer", number)}


def merge(status: str = "completed", *, kept: int = CUSTOMER_ID, gone: int = OTHER_ID) -> Json:
    fault = {"customer_ids": [kept], "field": "merge_in_progress", "message": "Zoë Ünal is currently being merged."}
    return {
        "admin_graphql_api_customer_kept_id": gid("Customer", kept),
        "admin_graphql_api_customer_deleted_id": gid("Customer", gone),
        "admin_graphql_api_job_id": None,
        "status": status,
        "errors": [fault] if status == "failed" else [],
    }


def email_consent(state: str = "subscribed") -> Json:
    """`customers_email_marketing_consent/update`."""
    return {
        "customer_id": CUSTOMER_ID,
        "email_address": "zoe@example.test",
        "email_marketing_consent": consent(state),
    }


def sms_consent(state: str | None = "subscribed") -> Json:
    """`customers_marketing_consent/update`, which is about text messages."""
    return {
        "id": CUSTOMER_ID,
        "phone": "+49302000000",
        "sms_marketing_consent": consent(state, consent_collected_from="other"),
    }


def data_request(orders: Sequence[int] = (5001, 5002), *, shop: str = ADDRESS) -> Json:
    return _privacy_call(shop) | {"orders_requested": list(orders), "data_request": {"id": 9999}}


def redact(orders: Sequence[int] = (5001, 5002), *, shop: str = ADDRESS) -> Json:
    return _privacy_call(shop) | {"orders_to_redact": list(orders)}


def shop_redact(*, shop: str = ADDRESS) -> Json:
    return {"shop_id": 954889, "shop_domain": shop}


def _privacy_call(shop: str) -> Json:
    person = {"id": CUSTOMER_ID, "email": "zoe@example.test", "phone": "+49302000000"}
    return {"shop_id": 954889, "shop_domain": shop, "customer": person}
