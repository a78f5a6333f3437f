"""What left the warehouse for an order, as the warehouse or the back office tells it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.kernel.model import Canonical
from shared.orders.models import FulfilmentLine, Parcel


class Dispatch(Canonical):
    """One consignment of one order."""

    key: str
    """Ours, the same each time this consignment is spoken of: `main/stock.shipment.out/12`."""
    lines: tuple[FulfilmentLine, ...]
    """Units by the storefront's line ids. A line is named once at most."""
    parcels: tuple[Parcel, ...] = ()
    left_at: datetime
    delivered: bool = False
    """Whether the buyer has it."""
    by_storefront: bool = False
    """It is the storefront's own shipment, which the back office heard of from us: no news to the storefront."""


def units_by_line(dispatches: Iterable[Dispatch]) -> Mapping[str, int]:
    """Running totals over consignments, by the storefront's line id."""
    units: dict[str, int] = {}
    for dispatch in dispatches:
        for line in dispatch.lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units


def digest(dispatches: Iterable[Dispatch]) -> str:
    """A short text that changes when a consignment, its tracking or its delivery does, and only then."""
    told = sorted((dispatch.model_dump(mode="json") for dispatch in dispatches), key=lambda one: str(one["key"]))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
