"""The buyer of an order as a card for the back office. Platforms withhold personal data, so anything may be missing."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.backoffices.cards import address_of
from shared.backoffices.documents import CustomerCard
from shared.customers.models import PostalAddress
from shared.orders.models import Order, PersonalData


class Buyer(NamedTuple):
    """Whom the back office knows as an order's buyer."""

    key: str
    is_kept_up: bool = False
    """Whether the customer is brought up to what accounts of theirs say. Nobody else is known but by orders."""


def customer_of(order: Order, buyer: Buyer) -> CustomerCard:
    """The card, under the key by which the back office knows the buyer: what is usual there stays as it is."""
    personal = order.personal
    return CustomerCard(
        key=buyer.key,
        name=_name(personal) or f"Guest of {order.shop}",
        email=personal.email,
        phone=personal.phone or next(_filled(_addresses(personal), "phone"), None),
        language=personal.locale.partition("-")[0].partition("_")[0].lower() if personal.locale else None,
        billing=address_of(personal.billing_address),
        shipping=address_of(personal.shipping_address),
        for_one_order=True,
        is_kept_up=buyer.is_kept_up,
    )


def _name(personal: PersonalData) -> str | None:
    own = " ".join(part for part in (personal.first_name, personal.last_name) if part)
    return (
        own or next(_filled(_addresses(personal), "name"), None) or next(_filled(_addresses(personal), "company"), None)
    )


def _addresses(personal: PersonalData) -> Iterator[PostalAddress]:
    return (address for address in (personal.billing_address, personal.shipping_address) if address)


def _filled(addresses: Iterable[PostalAddress], field: str) -> Iterator[str]:
    return (value for address in addresses if (value := getattr(address, field)))
