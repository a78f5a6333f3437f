"""Bundles: SKUs that are not on a shelf themselves but made up of others. Pure."""

from collections.abc import Iterable, Mapping

Components = Mapping[str, int]
"""Units of each component SKU in one bundle; each at least 1. A component is never a bundle itself."""
Bundles = Mapping[str, Components]
"""Every bundle by its SKU."""


def parts_of(sku: str, bundles: Bundles) -> Components:
    """What one unit of `sku` takes from the shelf: its components, or itself."""
    return bundles.get(sku) or {sku: 1}


def shelf_skus(skus: Iterable[str], bundles: Bundles) -> frozenset[str]:
    """The SKUs that really lie on a shelf behind these."""
    return frozenset(part for sku in skus for part in parts_of(sku, bundles))


def affected(skus: Iterable[str], bundles: Bundles) -> frozenset[str]:
    """These SKUs and every bundle that one of them is part of: what may sell differently when their stock changes."""
    changed = frozenset(skus)
    return changed | {bundle for bundle, components in bundles.items() if not changed.isdisjoint(components)}
