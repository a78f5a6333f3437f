"""All that a Shopify order says of its buyer."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from shared.orders.models import (
    PersonalData,
)
from shared.storefronts.lenient import unknown_fields
from shared.storefronts.shopify import schemas
from shared.storefronts.shopify.addresses import address_of
from shared.storefronts.shopify.figures import exact_id, id_of
from shared.storefronts.shopify.lines import is_counted_tip


def personal_data_of(payload: schemas.Order) -> PersonalData:
    customer = payload.customer or schemas.Customer()
    client = payload.client_details or schemas.ClientDetails()
    return PersonalData(
        customer_id=exact_id(customer.admin_graphql_api_id) or customer.id,
        email=payload.email or payload.contact_email or customer.email,
        phone=payload.phone or customer.phone,
        first_name=customer.first_name,
        last_name=customer.last_name,
        accepts_marketing=payload.buyer_accepts_marketing,
        locale=payload.customer_locale,
        ip_address=payload.browser_ip or client.browser_ip,
        user_agent=client.user_agent,
        billing_address=address_of(payload.billing_address),
        shipping_address=address_of(payload.shipping_address),
        note=payload.note,
        attributes=_attributes(payload.note_attributes),
        line_properties={id_of(line): _attributes(line.properties) for line in payload.line_items if line.properties},
        refund_notes={id_of(refund): refund.note for refund in payload.refunds if refund.note},
        unknown_fields={**dict(unknown_fields(payload)), **_tip_lines(payload)},
    )


def _tip_lines(payload: schemas.Order) -> dict[str, JsonValue]:
    """Gratuities are no order lines, yet what was said of them is kept."""
    return {
        f"tip_lines.{id_of(line)}": {"title": line.title, "quantity": line.quantity, "price": line.price}
        for line in payload.line_items
        if is_counted_tip(payload, line)
    }


def _attributes(attributes: Sequence[schemas.Attribute]) -> dict[str, JsonValue]:
    """By name; a name that occurs more than once keeps all its values."""
    values: dict[str, list[JsonValue]] = defaultdict(list)
    for attribute in attributes:
        values[attribute.name or ""].append(_json(attribute.value))
    return {name: items[0] if len(items) == 1 else items for name, items in values.items()}


def _json(value: Any) -> JsonValue:
    """JSON of our own standard, which has no fractions: those are kept as their text."""
    if isinstance(value, dict):
        return {str(name): _json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
