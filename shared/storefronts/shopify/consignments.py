"""Our consignments and Shopify's fulfilments: which is which, and what is still to be shipped from where.

Shopify has no key of ours on a fulfilment, so a consignment is recognised by what it holds. Nothing here asks anybody.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from shared.orders.dispatch import Dispatch, units_by_line
from shared.orders.models import Parcel

Units = Counter[str]
"""Units by line id."""

_SEPARATOR: Final = ","
_OPEN: Final = frozenset({"OPEN", "IN_PROGRESS"})
_UNDONE: Final = frozenset({"CANCELLED", "ERROR", "FAILURE"})


@dataclass(slots=True)
class Shipment:
    """One of the shop's fulfilments."""

    id: str
    status: str
    delivered: bool
    parcels: tuple[Parcel, ...]
    units: Units = field(default_factory=Counter)

    @property
    def stands(self) -> bool:
        """Whether it counts: a cancelled one was undone by the shop's staff, and others never came about."""
        return self.status not in _UNDONE

    @property
    def numbers(self) -> frozenset[str]:
        return numbers_of(self.parcels)


@dataclass(slots=True)
class OpenLine:
    """Units of one line that a fulfilment order has still to ship."""

    fulfilment_order: str
    id: str
    line_id: str
    status: str
    """The fulfilment order's."""
    place: tuple[str, str]
    """Location and delivery method: one fulfilment takes the lines of one place only."""
    units: int

    @property
    def ready(self) -> bool:
        return self.status in _OPEN and self.units > 0


class Recognised(NamedTuple):
    shown: Mapping[str, list[Shipment]]
    """What the shop shows of each consignment, by its key."""
    spare: list[Shipment]
    """Standing fulfilments that are no consignment's."""


def numbers_of(parcels: Iterable[Parcel]) -> frozenset[str]:
    """The tracking numbers, however people put spaces and capitals."""
    return frozenset("".join(parcel.number.split()).casefold() for parcel in parcels if parcel.number)


def units_of(dispatch: Dispatch) -> Units:
    return +Counter(units_by_line((dispatch,)))


def joined(shipments: Iterable[Shipment]) -> str:
    """The ids of a consignment's fulfilments, as callers keep them: more than one where it left several locations."""
    return _SEPARATOR.join(shipment.id for shipment in shipments)


def recognise(dispatches: Sequence[Dispatch], known: Mapping[str, str], shipments: Sequence[Shipment]) -> Recognised:
    """Find each consignment's fulfilments: as known, else the likest of those that are nobody's.

    A known one that the shop's staff cancelled stays known: what they undid is not done again.
    """
    by_id = {shipment.id: shipment for shipment in shipments}
    told = {key: ids.split(_SEPARATOR) for key, ids in known.items()}
    claimed = {each for ids in told.values() for each in ids}
    shown = {key: [by_id[each] for each in ids if each in by_id] for key, ids in told.items()}
    spare = [shipment for shipment in shipments if shipment.stands and shipment.id not in claimed]
    unknown = [dispatch for dispatch in dispatches if dispatch.key not in known]
    unknown.sort(key=lambda dispatch: bool(numbers_of(dispatch.parcels)))  # those without take what has none
    shown |= {dispatch.key: [] for dispatch in unknown}
    for alike in _LIKENESSES:
        for dispatch in unknown:
            _take(dispatch, shown[dispatch.key], spare, alike)
    return Recognised(shown, spare)


def still_missing(dispatch: Dispatch, shown: Iterable[Shipment]) -> Units:
    return units_of(dispatch) - sum((shipment.units for shipment in shown), Units())


def take_parts(missing: Units, spare: list[Shipment]) -> list[Shipment]:
    """Fulfilments that may be parts of a consignment without a number to know them by. They are spare no longer."""
    parts: list[Shipment] = []
    for shipment in list(spare):
        if shipment.units and shipment.units <= missing:
            missing = missing - shipment.units
            spare.remove(shipment)
            parts.append(shipment)
    return parts


class Part(NamedTuple):
    line: OpenLine
    units: int


def covers(lines: Iterable[OpenLine], units: Units) -> bool:
    ready: Units = Counter()
    for line in lines:
        if line.ready:
            ready[line.line_id] += line.units
    return units <= ready


def assign(units: Units, lines: Sequence[OpenLine]) -> list[list[Part]]:
    """Take the units from as few places as may be, the fullest first: one list for each fulfilment to create."""
    left = Counter(units)
    shares: list[list[Part]] = []
    places = dict.fromkeys(line.place for line in lines if line.ready)
    while +left and places:
        offers = {place: _share(left, lines, place) for place in places}
        best = max(offers, key=lambda place: sum(part.units for part in offers[place]))
        del places[best]
        if offers[best]:
            shares.append(offers[best])
            left.subtract(_units_of(offers[best]))
    return shares


def _share(units: Units, lines: Iterable[OpenLine], place: tuple[str, str]) -> list[Part]:
    left = Counter(units)
    parts = []
    for line in lines:
        taken = min(left[line.line_id], line.units) if line.ready and line.place == place else 0
        if taken > 0:
            left[line.line_id] -= taken
            parts.append(Part(line, taken))
    return parts


def _units_of(parts: Iterable[Part]) -> Units:
    units: Units = Counter()
    for part in parts:
        units[part.line.line_id] += part.units
    return units


# What makes a fulfilment a consignment, the surest sign first

_Alike = Callable[[Dispatch, Shipment, Units, bool], bool]
"""Of a consignment, a fulfilment, the consignment's units that are not found yet, and whether none is."""


def _take(dispatch: Dispatch, found: list[Shipment], spare: list[Shipment], alike: _Alike) -> None:
    for shipment in list(spare):
        missing = still_missing(dispatch, found)
        if missing and alike(dispatch, shipment, missing, not found):
            found.append(shipment)
            spare.remove(shipment)


def _same_parcel(dispatch: Dispatch, shipment: Shipment, missing: Units, none_yet: bool) -> bool:
    return none_yet and _same_number(dispatch, shipment) and shipment.units == missing


def _part_of_parcel(dispatch: Dispatch, shipment: Shipment, missing: Units, _none_yet: bool) -> bool:
    return _same_number(dispatch, shipment) and shipment.units <= missing


def _other_lines(dispatch: Dispatch, shipment: Shipment, _missing: Units, none_yet: bool) -> bool:
    return none_yet and _same_number(dispatch, shipment)


def _unnumbered(_dispatch: Dispatch, shipment: Shipment, missing: Units, none_yet: bool) -> bool:
    return none_yet and not shipment.numbers and shipment.units == missing


def _same_units(_dispatch: Dispatch, shipment: Shipment, missing: Units, none_yet: bool) -> bool:
    return none_yet and shipment.units == missing


def _same_number(dispatch: Dispatch, shipment: Shipment) -> bool:
    return not shipment.numbers.isdisjoint(numbers_of(dispatch.parcels))


_LIKENESSES: Final[tuple[_Alike, ...]] = (_same_parcel, _part_of_parcel, _other_lines, _unnumbered, _same_units)
