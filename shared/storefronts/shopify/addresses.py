"""Shopify's postal addresses in canonical form."""

from shared.customers.models import PostalAddress
from shared.storefronts.shopify import schemas


def address_of(address: schemas.Address | None) -> PostalAddress | None:
    if address is None:
        return None
    known = address.model_dump(include=set(schemas.Address.model_fields))
    return PostalAddress(postal_code=known.pop("zip"), **known)
