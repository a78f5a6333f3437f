"""What a stocktake covers: all of a location, a zone, a list, an ABC class, or a random sample. Pure.

A sample is drawn by hashing the seed with each SKU, not by a random generator: the seed that is kept with the session
draws the same sample again on any machine and any version of Python.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shared.inventory.models import Quantity, Sku
from shared.kernel.errors import Rejected
from shared.kernel.model import Canonical
from shared.kernel.money import Money

A_SHARE = Decimal("0.80")
"""Class A: the SKUs that make up the first 80 % of the value or of the movement."""
B_SHARE = Decimal("0.95")
"""Class B: those up to 95 %. The rest, and whatever has no figures, is class C."""

_MOST_SKUS = 5000


class CatalogueEntry(Canonical):
    """What the merchant says about a SKU for a stocktake. Nothing of it is known to the stock line."""

    zone: str | None = None
    unit_cost: Money | None = None
    moved: Quantity | None = None
    """Units that left in the period which the merchant looks at, for ABC classes."""


Catalogue = Mapping[str, CatalogueEntry]


class AllScope(Canonical):
    kind: Literal["all"] = "all"


class PrefixScope(Canonical):
    """SKUs that begin alike, where the SKU tells the place."""

    kind: Literal["prefix"] = "prefix"
    prefix: Sku


class ZoneScope(Canonical):
    """SKUs that the catalogue puts in one zone."""

    kind: Literal["zone"] = "zone"
    zone: Annotated[str, Field(min_length=1, max_length=200)]


class SkuScope(Canonical):
    kind: Literal["skus"] = "skus"
    skus: Annotated[tuple[Sku, ...], Field(min_length=1, max_length=_MOST_SKUS)]


class AbcScope(Canonical):
    kind: Literal["abc"] = "abc"
    abc_class: Literal["A", "B", "C"]
    by: Literal["value", "rate"] = "value"
    """`value`: units moved times unit cost. `rate`: units moved."""


class RandomScope(Canonical):
    kind: Literal["random"] = "random"
    size: Annotated[int, Field(ge=1, le=10**6)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]


Scope = Annotated[
    AllScope | PrefixScope | ZoneScope | SkuScope | AbcScope | RandomScope,
    Field(discriminator="kind"),
]


def select(scope: Scope, known: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The SKUs of a location that the scope covers, sorted.

    Raises:
        Rejected: `unknown_sku`, when a list names one that the location does not keep; `empty_scope`.
    """
    skus = sorted(set(known))
    chosen = tuple(_chosen(scope, skus, catalogue))
    if not chosen:
        raise Rejected("empty_scope", "the scope covers no SKU that this location keeps", field="scope")
    return chosen


def _chosen(scope: Scope, skus: list[str], catalogue: Catalogue) -> Iterable[str]:
    match scope:
        case AllScope():
            return skus
        case PrefixScope():
            return [sku for sku in skus if sku.startswith(scope.prefix)]
        case ZoneScope():
            return [sku for sku in skus if sku in catalogue and catalogue[sku].zone == scope.zone]
        case SkuScope():
            return _listed(scope, skus)
        case AbcScope():
            classes = abc_classes(skus, catalogue, by=scope.by)
            return [sku for sku in skus if classes[sku] == scope.abc_class]
        case RandomScope():
            return sorted(sorted(skus, key=lambda sku: _lot(scope.seed, sku))[: scope.size])


def _listed(scope: SkuScope, skus: list[str]) -> list[str]:
    missing = sorted(set(scope.skus) - set(skus))
    if missing:
        named = ", ".join(missing[:5])
        raise Rejected("unknown_sku", f"{len(missing)} of the SKUs are not kept here: {named}", field="skus")
    return sorted(set(scope.skus))


def _lot(seed: int, sku: str) -> bytes:
    return hashlib.sha256(f"{seed}:{sku}".encode()).digest()


def abc_classes(
    skus: Iterable[str], catalogue: Catalogue, *, by: Literal["value", "rate"]
) -> dict[str, Literal["A", "B", "C"]]:
    """The class of each SKU by its share of the whole, largest first; a SKU belongs where its first unit of share lies.

    Raises:
        Rejected: `mixed_currencies`, when values cannot be compared.
    """
    weigh = _value if by == "value" else _rate
    weights = {sku: weigh(catalogue[sku]) if sku in catalogue else Decimal(0) for sku in skus}
    if by == "value":
        _check_currency(catalogue)
    whole = sum(weights.values(), Decimal(0))
    classes: dict[str, Literal["A", "B", "C"]] = {}
    before = Decimal(0)
    for sku, weight in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0])):
        if not weight or before >= B_SHARE * whole:
            classes[sku] = "C"
        else:
            classes[sku] = "A" if before < A_SHARE * whole else "B"
        before += weight
    return classes


_Weigh = Callable[[CatalogueEntry], Decimal]


def _rate(entry: CatalogueEntry) -> Decimal:
    return Decimal(entry.moved or 0)


def _value(entry: CatalogueEntry) -> Decimal:
    return (entry.unit_cost * (entry.moved or 0)).decimal if entry.unit_cost else Decimal(0)


def _check_currency(catalogue: Catalogue) -> None:
    if len({entry.unit_cost.currency for entry in catalogue.values() if entry.unit_cost}) > 1:
        raise Rejected("mixed_currencies", "the unit costs are in several currencies", field="unit_cost")
