"""Whose order it is. Pure."""

from shared.customers.guests import guest_key
from shared.customers.marks import Marker
from shared.kernel.identifiers import CustomerKey
from shared.orders.models import Order

_NO_ACCOUNT = "0"
"""WooCommerce's number for a guest."""


def buyer_of(order: Order, marker: Marker) -> CustomerKey | None:
    """Key of the order's buyer: an account of the shop or a guest; None where nothing is known of them."""
    personal = order.personal
    if personal.customer_id and personal.customer_id != _NO_ACCOUNT:
        return CustomerKey.of_account(order.shop, personal.customer_id)
    return guest_key(order.shop, personal.email, personal.phone, marker)
