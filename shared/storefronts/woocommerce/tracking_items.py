"""Tracking numbers where WooCommerce's Shipment Tracking extension reads them, and its many lookalikes.

One meta entry of the order holds a list of items: `tracking_provider` is one of the extension's own, by its short
name, and otherwise `custom_tracking_provider` and `custom_tracking_link` say whatever they say; `date_shipped` is in
seconds, as text; `tracking_id` is an opaque hash. WooCommerce itself knows nothing of it.
Source: the extension's order meta, as it is read by several plugins and clients published under free licences.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from shared.orders.models import Parcel

META_KEY: Final = "_wc_shipment_tracking_items"

_ID_LENGTH: Final = 32
Item = Any
"""As it was found; one of ours is an object of strings."""


def items_in(values: Iterable[Any]) -> list[Item]:
    """The items of all entries under the key. PHP turns a list with gaps into an object, whose values they are then."""
    found: list[Item] = []
    for value in values:
        listed = list(value.values()) if isinstance(value, dict) else value
        found += listed if isinstance(listed, list) else []
    return [json.loads(json.dumps(item, default=str)) for item in found]


def plain_number(number: Any) -> str:
    """A tracking number, however people put spaces and capitals; empty for what is none."""
    return "".join(str(number).split()).casefold() if isinstance(number, str | int) else ""


def numbers_of(parcels: Iterable[Parcel]) -> frozenset[str]:
    return frozenset(number for parcel in parcels if (number := plain_number(parcel.number or "")))


def tracking_id(key: str, number: str) -> str:
    """Ours, the same each time, so that our item of a consignment is known again."""
    return hashlib.sha256(f"{key}\n{number}".encode()).hexdigest()[:_ID_LENGTH]


def ids_of(key: str, parcels: Iterable[Parcel]) -> frozenset[str]:
    return frozenset(tracking_id(key, number) for number in numbers_of(parcels))


def entered_by_others(items: Iterable[Item], parcels: Sequence[Parcel], ours: Iterable[str]) -> str | None:
    """The id of an item with one of these numbers that is not ours; its number where it has no id."""
    wanted, known = numbers_of(parcels), frozenset(ours)
    for item in items:
        number = plain_number(_field(item, "tracking_number"))
        if number in wanted and _field(item, "tracking_id") not in known:
            return str(_field(item, "tracking_id") or number)
    return None


def merged(items: Sequence[Item], key: str, old: Sequence[Parcel], new: Sequence[Parcel], left: datetime) -> list[Item]:
    """With our items for the new parcels of a consignment, and without those for old ones. Others' stay as they are."""
    obsolete = ids_of(key, old) - ids_of(key, new)
    kept = [item for item in items if _field(item, "tracking_id") not in obsolete]
    for parcel in new:
        number = plain_number(parcel.number or "")
        if not number:
            continue
        item = _item(parcel, tracking_id(key, number), left)
        place = next((at for at, one in enumerate(kept) if _field(one, "tracking_id") == item["tracking_id"]), None)
        if place is not None:
            kept[place] |= item
        elif all(plain_number(_field(one, "tracking_number")) != number for one in kept):
            kept.append(item)
    return kept


def _item(parcel: Parcel, id_: str, left: datetime) -> dict[str, str]:
    return {
        "tracking_provider": "",
        "custom_tracking_provider": (parcel.carrier or "").strip(),
        "custom_tracking_link": (parcel.url or "").strip(),
        "tracking_number": (parcel.number or "").strip(),
        "date_shipped": str(int(left.timestamp())),
        "tracking_id": id_,
    }


def _field(item: Item, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else None
