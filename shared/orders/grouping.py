"""Which of the orders at hand are worth one transaction: those that meet at the same stock. Pure."""

from collections.abc import Collection, Sequence

MOST_ACTIONS = 100
"""Records and stock lines in one transaction of DynamoDB."""


def groups(wanted: Sequence[Collection[str]]) -> list[list[int]]:
    """Places of orders that share a SKU, directly or through others between them; each list and their order as given.

    `wanted`: the SKUs of each order. One that shares nothing with any other is in none of the groups.
    """
    found: list[tuple[set[str], list[int]]] = []
    for place, skus in enumerate(wanted):
        meeting = [group for group in found if not group[0].isdisjoint(skus)]
        apart = [group for group in found if group[0].isdisjoint(skus)]
        together = set(skus).union(*(group[0] for group in meeting))
        places = sorted([place, *(member for group in meeting for member in group[1])])
        found = [*apart, (together, places)]
    return sorted(places for _, places in found if len(places) > 1)
