"""Parcels in the words of Shopify's tracking information."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from shared.orders.models import Parcel
from shared.storefronts.shopify.consignments import Shipment, numbers_of
from shared.storefronts.shopify.graphql import Node


def tracking_input(parcels: Sequence[Parcel]) -> Node | None:
    """A `FulfillmentTrackingInput`; None where there is nothing to say.

    Addresses belong to numbers by their place in the list, so numbers without one go last. Shopify knows one carrier
    for all parcels: several are named together, and then it makes no links of its own.
    """
    by_number = {number: parcel for parcel in parcels for number in numbers_of((parcel,))}
    numbered = sorted(by_number.values(), key=lambda parcel: _link(parcel) is None)
    carriers = dict.fromkeys(parcel.carrier.strip() for parcel in parcels if parcel.carrier and parcel.carrier.strip())
    stated: Node = {
        "company": " / ".join(carriers),
        "numbers": [parcel.number.strip() for parcel in numbered if parcel.number],
        "urls": [link for parcel in numbered if (link := _link(parcel))],
    }
    return {name: value for name, value in stated.items() if value} or None


def is_up_to_date(shipment: Shipment, parcels: Sequence[Parcel]) -> bool:
    """Whether the shop shows these numbers, and these links where we have some.

    Another name of the carrier is no change, for staff may have picked the one that makes links; and nothing that the
    shop shows is taken away when we have no number.
    """
    if not numbers_of(parcels):
        return True
    shown = {(number, parcel.url) for parcel in shipment.parcels for number in numbers_of((parcel,))}
    wanted = {(number, _link(parcel)) for parcel in parcels for number in numbers_of((parcel,))}
    return _numbers(shown) == _numbers(wanted) and {pair for pair in wanted if pair[1]} <= shown


def _numbers(pairs: Iterable[tuple[str, str | None]]) -> set[str]:
    return {number for number, _ in pairs}


def _link(parcel: Parcel) -> str | None:
    """An address that Shopify takes; any other would have it refuse the whole shipment."""
    text = (parcel.url or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.hostname and " " not in text else None
