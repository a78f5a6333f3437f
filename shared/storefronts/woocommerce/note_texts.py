"""What notes of an order say, to its buyer or to the shop's staff.

WooCommerce shows a note as HTML and makes links of addresses, so nothing that looks like a tag goes in. A mark ends
each note, by which it is found again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.orders.models import FulfilmentLine, Parcel

_TAGS: Final = re.compile(r"[<>]")
_SPACES: Final = re.compile(r"\s+")


def of_dispatch(lines: Sequence[FulfilmentLine], names: Mapping[str, str], parcels: Sequence[Parcel], mark: str) -> str:
    """`names` are the products', by line id."""
    goods = ", ".join(f"{line.quantity} × {_plain(names[line.line_id])}" for line in lines if names.get(line.line_id))
    return _note(f"Shipped: {goods}" if goods else "Shipped", *_tracking(parcels), mark)


def of_tracking(parcels: Sequence[Parcel], mark: str) -> str:
    return _note("The tracking of a shipment of this order:", *_tracking(parcels), mark)


def of_cancellation(reason: str, mark: str) -> str:
    return _note(f"Cancelled by Storebridge: {_plain(reason)}", mark)


def _tracking(parcels: Iterable[Parcel]) -> Iterable[str]:
    for parcel in parcels:
        words = " ".join(_plain(part) for part in (parcel.carrier, parcel.number, parcel.url) if part)
        if words:
            yield f"Tracking: {words}"


def _note(*rows: str) -> str:
    return "\n".join(rows)


def _plain(text: str) -> str:
    return _SPACES.sub(" ", _TAGS.sub("", text)).strip()
