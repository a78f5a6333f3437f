"""Decide which location gives which units: pure, and never more than is available."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.inventory.bundles import Bundles, Components, parts_of

Availability = Mapping[str, Mapping[str, int]]
"""Units free by SKU, then location."""


class Want(NamedTuple):
    sku: str
    units: int


class Shelves:
    """The free units while an allocation is made. A bundle is as available as its scarcest component."""

    def __init__(self, available: Availability, bundles: Bundles) -> None:
        self._free = {sku: dict(at) for sku, at in available.items()}
        self._bundles = bundles

    def parts(self, sku: str) -> Components:
        return parts_of(sku, self._bundles)

    def available(self, sku: str, location: str) -> int:
        return max(0, min(self._at(part, location) // units for part, units in self.parts(sku).items()))

    def take(self, sku: str, location: str, units: int) -> None:
        for part, each in self.parts(sku).items():
            self._free.setdefault(part, {})[location] = self._at(part, location) - units * each

    def can_serve(self, wants: Sequence[Want], location: str) -> bool:
        """Whether one location has everything, components shared between the wants counted once."""
        needed: dict[str, int] = {}
        for want in wants:
            for part, each in self.parts(want.sku).items():
                needed[part] = needed.get(part, 0) + want.units * each
        return all(self._at(part, location) >= units for part, units in needed.items())

    def _at(self, part: str, location: str) -> int:
        return self._free.get(part, {}).get(location, 0)


def allocate(
    wants: Sequence[Want], available: Availability, locations: Sequence[str], bundles: Bundles
) -> list[dict[str, int]]:
    """Give as much of each want as there is, from as few parcels as can be: units by location, want by want.

    One location that can serve everything wins, in the order of preference. Otherwise each want comes from the first
    location that has all of it, and is split only when none has. What is missing is simply not in the result.
    """
    shelves = Shelves(available, bundles)
    for location in locations:
        if shelves.can_serve(wants, location):
            return [{location: want.units} if want.units else {} for want in wants]
    return [_allocate_one(want, shelves, locations) for want in wants]


def _allocate_one(want: Want, shelves: Shelves, locations: Sequence[str]) -> dict[str, int]:
    whole = [place for place in locations if shelves.available(want.sku, place) >= want.units]
    given: dict[str, int] = {}
    missing = want.units
    for location in whole[:1] or locations:
        taken = min(missing, shelves.available(want.sku, location))
        if taken:
            shelves.take(want.sku, location, taken)
            given[location] = taken
            missing -= taken
    return given
