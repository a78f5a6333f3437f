"""From WooCommerce's customer to the canonical one.

An account is a WordPress user. WooCommerce keeps one address for bills and one for deliveries, the telephone number and
the company in that for bills, and neither consent to marketing, nor a language, nor whether an address was proven.
Observed on WooCommerce 10.0.2.
"""

import hashlib
from collections.abc import Iterator

from pydantic import JsonValue

from shared.customers.models import Customer, Profile
from shared.customers.readings import CompleteCustomer, CustomerDeleted, CustomerHint, CustomerReading, NothingToDo
from shared.kernel import strict_json
from shared.kernel.clock import parse_time, sortable_time
from shared.kernel.errors import Rejected
from shared.kernel.versions import Version
from shared.storefronts.lenient import read, unknown_fields
from shared.storefronts.woocommerce import customer_schemas as schemas
from shared.storefronts.woocommerce.addresses import postal_address
from shared.storefronts.woocommerce.mapping import PLATFORM
from shared.storefronts.woocommerce.rest_errors import require_gone
from shared.storefronts.woocommerce.schemas import Address
from shared.webhooks.delivery import Delivery

DELETED_TOPIC = "customer.deleted"


def read_customer(delivery: Delivery) -> CustomerReading:
    """Turn a delivery into the canonical customer (a `CustomerReader`).

    Accounts of the shop's staff are nothing to us: WooCommerce announces their changes like any customer's.

    Raises:
        Rejected: `invalid_json`, `invalid_payload` or `invalid_time`, naming the field at fault.
    """
    body = strict_json.parse(delivery.body)
    if not isinstance(body, dict):
        raise Rejected(
            "invalid_payload", "the body is not one customer", hint="subscribe the webhook to customer topics only"
        )
    if "id" not in body:
        require_gone(body, resource="customer")
        return NothingToDo("gone")
    if len(body) == 1:
        return _read_thin(read(schemas.ThinCustomer, body), delivery)
    source = read(schemas.Customer, body)
    return NothingToDo("staff") if source.is_staff else CompleteCustomer(_customer(source, delivery))


def _read_thin(thin: schemas.ThinCustomer, delivery: Delivery) -> CustomerReading:
    """When it was deleted is not told, so it is when we heard of it."""
    if delivery.topic == DELETED_TOPIC:
        return CustomerDeleted(thin.id, parse_time(delivery.received_at, field="received_at"))
    return CustomerHint(thin.id, "thin")


def _customer(source: schemas.Customer, delivery: Delivery) -> Customer:
    created = source.date_created_gmt or source.date_created
    updated = _updated(source)
    return Customer(
        shop=delivery.shop,
        kind="customer",
        customer_id=source.id,
        platform=PLATFORM,
        version=Version(
            updated_at=sortable_time(updated, field="date_modified_gmt"),
            observed_at=delivery.received_at,
            body_sha256=hashlib.sha256(delivery.body).hexdigest(),
            fetched=delivery.fetched,
        ),
        api_version=delivery.api_version,
        registered_at=parse_time(created, field="date_created_gmt") if created else None,
        updated_at=parse_time(updated, field="date_modified_gmt"),
        vendor_state=source.role,
        personal=_profile(source),
    )


def _updated(source: schemas.Customer) -> str:
    """An account that was never changed has no time of change. Local time is taken for UTC where nothing else is sent
    (old plugins trim it): hours off, never lost."""
    text = source.date_modified_gmt or source.date_modified or source.date_created_gmt or source.date_created
    if text is None:
        raise Rejected(
            "invalid_payload",
            "the customer has no time of change",
            field="date_modified_gmt",
            hint="do not trim the webhook's payload",
        )
    return text


def _profile(source: schemas.Customer) -> Profile:
    billing = source.billing or Address()
    return Profile(
        email=source.email or billing.email,
        phone=billing.phone,
        first_name=source.first_name,
        last_name=source.last_name,
        company=billing.company,
        billing=postal_address(source.billing),
        shipping=postal_address(source.shipping),
        username=source.username,
        unknown_fields=dict(_further_fields(source)),
    )


def _further_fields(source: schemas.Customer) -> Iterator[tuple[str, JsonValue]]:
    """Addresses to write to that differ from the account's have no other place."""
    yield from unknown_fields(source)
    for name, address in (("billing", source.billing), ("shipping", source.shipping)):
        if address and address.email and address.email != source.email:
            yield f"{name}.email", address.email
