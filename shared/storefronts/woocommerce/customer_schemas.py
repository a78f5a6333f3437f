"""What WooCommerce's REST API v3 and its webhooks send of a customer, leniently.

Only what the canonical customer has a place for is named; all else (`meta_data`, `avatar_url`, `is_paying_customer`,
and what plugins add) stays in `model_extra` and is kept as an unknown field.
"""

from typing import Annotated, Final

from pydantic import BeforeValidator

from shared.storefronts.lenient import Lenient, OptionalText
from shared.storefronts.woocommerce.schemas import Address, ResourceId, absent_to_none

CUSTOMER_ROLES: Final = frozenset({"customer", "subscriber"})
"""Roles of people who buy. WooCommerce's own list of those whose accounts its REST API may change; everybody else who
has an account is of the shop's staff. Source: `WC_REST_Customers_V1_Controller::allowed_roles`, since 9.5.2."""


class Customer(Lenient):
    id: ResourceId
    date_created: OptionalText = None
    date_created_gmt: OptionalText = None
    date_modified: OptionalText = None
    date_modified_gmt: OptionalText = None
    """Null for an account that nobody has changed since it was made outside of WooCommerce."""
    email: OptionalText = None
    first_name: OptionalText = None
    last_name: OptionalText = None
    role: OptionalText = None
    """The first of the account's roles."""
    username: OptionalText = None
    billing: Annotated[Address | None, BeforeValidator(absent_to_none)] = None
    shipping: Annotated[Address | None, BeforeValidator(absent_to_none)] = None

    @property
    def is_staff(self) -> bool:
        return self.role is not None and self.role not in CUSTOMER_ROLES


class ThinCustomer(Lenient):
    """The whole body of `customer.deleted`."""

    id: ResourceId
