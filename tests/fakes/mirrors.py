"""The stands of orders in memory: the same promises as the table, which pass the same contract suite."""

from collections import Counter
from collections.abc import Iterable, Mapping

from shared.kernel.errors import Conflict
from shared.kernel.identifiers import OrderKey
from shared.orders.errands import Office
from shared.sync.backoffice.mirror import Mirror, Stop, Stopped, Told


class FakeMirrors:
    def __init__(self) -> None:
        self.mirrors: dict[OrderKey, Mirror] = {}
        self.told: dict[OrderKey, Told] = {}
        self.promises: Counter[tuple[str, str, str]] = Counter()
        self.stops: dict[tuple[OrderKey, Office], Stop] = {}

    def find(self, key: OrderKey) -> Mirror | None:
        return self.mirrors.get(key)

    def save(self, mirror: Mirror, before: Mirror | None) -> Mirror:
        saved = mirror.model_copy(update={"revision": _next(self.mirrors.get(mirror.key), before)})
        for change, sign in ((before, -1), (saved, 1)):
            for key, count in _promises(change):
                self.promises[key] += sign * count
        self.mirrors[mirror.key] = saved
        self._stop(mirror.key, Office.BACKOFFICE, mirror.stop)
        return saved

    def find_told(self, key: OrderKey) -> Told | None:
        return self.told.get(key)

    def save_told(self, told: Told, before: Told | None) -> Told:
        saved = told.model_copy(update={"revision": _next(self.told.get(told.key), before)})
        self.told[told.key] = saved
        self._stop(told.key, Office.STOREFRONT, told.stop)
        return saved

    def stopped(self, shop: str) -> Iterable[Stopped]:
        return [
            Stopped(shop=key.shop, order_id=key.order_id, office=office, stop=stop)
            for (key, office), stop in sorted(self.stops.items())
            if key.shop == shop
        ]

    def promised(self, backoffice: str, location: str, skus: Iterable[str]) -> Mapping[str, int]:
        kept = {sku: self.promises.get((backoffice, location, sku)) for sku in skus}
        return {sku: units for sku, units in kept.items() if units is not None}

    def _stop(self, key: OrderKey, office: Office, stop: Stop | None) -> None:
        if stop:
            self.stops[key, office] = stop
        else:
            self.stops.pop((key, office), None)


def _next(kept: Mirror | Told | None, before: Mirror | Told | None) -> int:
    known = before.revision if before else 0
    if (kept.revision if kept else 0) != known:
        raise Conflict("changed_meanwhile", "somebody else worked on it")
    return known + 1


def _promises(mirror: Mirror | None) -> Iterable[tuple[tuple[str, str, str], int]]:
    if mirror is None:
        return []
    return [
        ((mirror.backoffice, location, sku), count)
        for location, units in mirror.promised.items()
        for sku, count in units.items()
    ]
