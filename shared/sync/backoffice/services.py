"""Which SKUs a back office sells but does not ship: asked once in a while, for products seldom change their nature."""

from collections.abc import Callable, Iterable

from shared.backoffices.port import BackOffice

_KEEP_SECONDS = 600.0


class ServiceCatalogue:
    """What one process knows of one back office's products. Unknown SKUs are asked for each time: they may come."""

    def __init__(self, office: BackOffice, monotonic: Callable[[], float]) -> None:
        self._office = office
        self._monotonic = monotonic
        self._stocked: dict[str, tuple[bool, float]] = {}

    def among(self, skus: Iterable[str]) -> frozenset[str]:
        """Those of the SKUs that are services."""
        wanted = frozenset(skus)
        now = self._monotonic()
        unknown = sorted(sku for sku in wanted if now >= self._stocked.get(sku, (True, float("-inf")))[1])
        if unknown:
            for sku, product in self._office.products(unknown).items():
                self._stocked[sku] = product.stocked, now + _KEEP_SECONDS
        return frozenset(sku for sku in wanted if not self._stocked.get(sku, (True, 0.0))[0])
