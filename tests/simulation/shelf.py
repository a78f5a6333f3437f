"""A history with the shelf in it: every movement in the ledger, every level in the shop, every shortage told once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from shared.inventory.ledger import audit
from shared.inventory.low_stock import StockAlert, observe
from shared.inventory.models import StockLine
from shared.inventory.table import MovementTable, line_of_image
from shared.wiring import channel_desk, low_stock_notification, tables
from tests.simulation.cloud.installation import swapped
from tests.simulation.history import SKUS, History
from tests.simulation.invariants import STOCK, require
from tests.simulation.neighbours import FarChannel, Topic

_POINT = 2
"""The reorder point of every SKU."""


class ShelfHistory(History):
    NAME = "shelf"
    FUNCTIONS = History.FUNCTIONS | {"stock-relay", "stock-push", "stock-sync", "low-stock-notification"}
    ALWAYS_API = True
    typed = False
    """Whether somebody typed a level into the shop."""

    @contextmanager
    def _neighbours(self) -> Iterator[None]:
        self.topic = Topic(self.cloud)
        channel = FarChannel(self.cloud, self.shop)
        with (
            super()._neighbours(),
            swapped(channel_desk, _channel=lambda _shop, _connected: channel),
            swapped(low_stock_notification, _notifiers=lambda _chosen: {"topic": self.topic}),
        ):
            yield

    def _begin(self) -> None:
        for sku, units in self.plan.stock.items():
            self.shop.channel.shown[sku] = units
            self._on_the_shelf(sku, units, reorder_point={"N": str(_POINT)})
        self.shop.counts_itself = self.dice.random() < 0.5
        self.storm.is_over = True
        self._schedule("stock-sync", after=1.0)
        self.storm.is_over = False

    def _acts(self) -> tuple[Callable[[], None], ...]:
        return (*super()._acts(), self._restock, self._sell_elsewhere, self._sweep)

    def _sell_elsewhere(self) -> None:
        """Somebody of the shop's staff types another level into the shop."""
        sku = self.dice.choice(SKUS)
        level = self.dice.randint(0, 9)
        self._told(f"{sku}: the shop is made to show {level}")
        self.shop.channel.shown[sku] = level
        self.typed = True

    def _sweep(self) -> None:
        self._told("a sweep")
        self.cloud.act("stock-sync", lambda: self.installation.handlers["stock-sync"]({}, self._context()))

    def _calm_down(self) -> None:
        super()._calm_down()
        if not self.typed and not self.shop.counts_itself:
            self._levels_agree()  # before any sweep: every change was pushed
        self._schedule("stock-sync", after=86_400.0)
        self._schedule("stock-sync", after=86_400.0)

    def _check(self) -> None:
        super()._check()
        self._levels_agree()
        for sku, line in self._lines():
            movements = MovementTable(tables.connection(), "storebridge-movements").of(sku, "main")
            checked = audit(list(movements), line)
            require(checked.agrees, "I5", f"{sku}: movements come to {checked.level}, missing {checked.missing}")
        self._one_alert_for_each_crossing()

    def _lines(self) -> Iterator[tuple[str, StockLine]]:
        return ((sku, lines["main"]) for sku, lines in tables.stock_table().read(SKUS).items())

    def _levels_agree(self) -> None:
        for sku, line in self._lines():
            shown = self.shop.channel.shown[sku]
            require(shown == line.available, "I9", f"{sku}: the shop shows {shown} of {line.available}")

    def _one_alert_for_each_crossing(self) -> None:
        due = set(self._crossings())
        told = self.topic.told
        require(told.keys() >= due, "I10", f"nobody was told of {sorted(due - told.keys())}")
        require(told.keys() <= due, "I10", f"told of {sorted(told.keys() - due)}, which never happened")
        # A notice is sent again by whoever follows a worker that died, or lost its way, between sending and noting it.
        mine = [point for point, _ in self.storm.happened if point.startswith("low-stock-notification")]
        excused = len(mine) + self.cloud.deaths["low-stock-notification"]
        twice = sum(told.values()) - len(told)
        require(twice <= excused, "I10", f"told {dict(told)}, with {excused} mishaps")

    def _crossings(self) -> Iterator[str]:
        """What the movements alone say that people are to be told of."""
        kept: dict[str, StockAlert] = {}
        for record in self.installation.database.stream(STOCK):
            image = record["dynamodb"].get("NewImage")
            if image is None or "on_hand" not in image:
                continue
            line = line_of_image(image)
            at = datetime.fromtimestamp(record["dynamodb"]["ApproximateCreationDateTime"], UTC)
            seen = observe(kept.get(line.sku), line, point=line.reorder_point, margin=1, at=at)
            if seen is not None:
                if seen.pending is not None:
                    yield seen.pending.key
                    seen = seen.told(at)
                kept[line.sku] = seen
