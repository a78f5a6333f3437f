"""Decide which location gives which units: pure, and never more than is available."""

from collections.abc import Mapping, Sequence

Demand = Mapping[str, int]
"""Units wanted by SKU."""
Availability = Mapping[str, Mapping[str, int]]
"""Units free by SKU, then location."""
Allocation = dict[str, dict[str, int]]
"""Units given by SKU, then location."""


def allocate(demand: Demand, available: Availability, locations: Sequence[str]) -> Allocation:
    """Give as much of the demand as there is, from as few parcels as can be.

    One location that can serve everything wins, in the order of preference. Otherwise each SKU comes from the first
    location that has all of it, and is split only when none has. What is missing is simply not in the result.
    """
    wanted = {sku: units for sku, units in demand.items() if units > 0}
    for location in locations:
        if wanted and all(_free(available, sku, location) >= units for sku, units in wanted.items()):
            return {sku: {location: units} for sku, units in wanted.items()}
    return {
        sku: given
        for sku, units in wanted.items()
        if (given := _allocate_one(units, [(place, _free(available, sku, place)) for place in locations]))
    }


def _allocate_one(units: int, offers: Sequence[tuple[str, int]]) -> dict[str, int]:
    for location, free in offers:
        if free >= units:
            return {location: units}
    given: dict[str, int] = {}
    for location, free in offers:
        taken = min(free, units)
        if taken > 0:
            given[location] = taken
            units -= taken
    return given


def _free(available: Availability, sku: str, location: str) -> int:
    return max(0, available.get(sku, {}).get(location, 0))
