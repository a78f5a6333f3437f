"""What a flash sale is played with, and what comes of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from infra.bench.target import Target

DEPLOYED: Final = "as deployed"
"""Name of the design that the template has."""
ORDERS_PER_SECOND: Final = 500.0
MOST_REFUSED_PER_ORDER: Final = 0.01
"""Of the hot lane's transactions on the stock line, per order that it commits."""


@dataclass(frozen=True)
class Design:
    """How orders of a hot SKU are committed."""

    name: str
    tries: int = 10
    """In place, of an order that lost against others, before its message is put off."""
    together: bool = False
    """Whether orders of one batch share a transaction."""
    hot_writers: int = 0
    """Workers of the hot lane; without any there is no hot lane."""
    hot_batch: int = 99
    workers: int = 10
    """Of the ordinary lane."""
    memory_mb: int = 512
    """Of an environment: how much of a processor it gets."""


@dataclass(frozen=True)
class Scene:
    orders: int
    units: int
    per_second: float = 2_000.0
    """Orders that arrive."""
    partitions: int = 16
    """Of the orders' table: whoever knows of a sale tells DynamoDB beforehand. A new table has four."""
    heated: bool = False
    """Whether all environments run already, and have met the SKU's heat."""
    seed: int = 1


@dataclass(frozen=True)
class Tally:
    """Transactions on the stock line in one lane, how many of them were refused, and the orders that were committed."""

    transactions: int
    refused: int
    orders: int

    @property
    def refused_per_order(self) -> float:
        return self.refused / self.orders if self.orders else 0.0


@dataclass(frozen=True)
class Figures:
    """What came of it, in virtual time."""

    design: Design
    scene: Scene
    allocated: int
    seconds: float
    """From the first arrival until the last commit."""
    contended_seconds: float
    """From the first arrival until the last unit was allocated: for so long, orders meet at the stock line."""
    latencies: Sequence[float]
    """Seconds from arrival to commit, sorted."""
    ordinary: Tally
    hot: Tally
    written: float
    """Write units."""
    throttled: int
    """Calls that a partition put off."""
    sound: bool
    """The ledger of movements has no gap, and adds up to the line and to what the orders hold."""

    @property
    def committed(self) -> int:
        return len(self.latencies)

    @property
    def orders_per_second(self) -> float:
        return self.committed / self.seconds

    @property
    def allocated_per_second(self) -> float:
        return self.allocated / self.contended_seconds

    @property
    def refused_per_order(self) -> float:
        return (self.ordinary.refused + self.hot.refused) / self.committed

    @property
    def refused_share(self) -> float:
        """Of all transactions on the stock line."""
        return (self.ordinary.refused + self.hot.refused) / (self.ordinary.transactions + self.hot.transactions)

    @property
    def written_per_order(self) -> float:
        return self.written / self.committed

    def latency(self, share: float) -> float:
        """The time within which this share of the orders was committed."""
        return self.latencies[min(self.committed - 1, int(share * self.committed))]


def targets(figures: Iterable[Figures]) -> Iterator[Target]:
    """What the sale must show. Virtual time is the same on every machine, so all of it is exact."""
    for found in figures:
        scene = found.scene
        what = f"{found.design.name}, {scene.orders:,} orders for {scene.units:,} units"
        yield Target(f"{what}: units allocated too many or too few", abs(found.allocated - scene.units), 0, exact=True)
        yield Target(f"{what}: faults of the ledger", int(not found.sound), 0, exact=True)
        if found.design.name == DEPLOYED:
            seconds = ORDERS_PER_SECOND / found.orders_per_second
            yield Target(f"{what}: seconds for {ORDERS_PER_SECOND:.0f} orders", seconds, 1.0, exact=True)
            refused = found.hot.refused_per_order
            yield Target(f"{what}: refusals per order in the hot lane", refused, MOST_REFUSED_PER_ORDER, exact=True)


COLUMNS: Final = (
    "design", "orders for units", "orders/s", "allocated/s", "allocated", "refused, % of transactions",
    "refused/100 orders", "hot lane: orders, tx, refused", "write units/order", "p50 s", "p99 s",
)  # fmt: skip


def row(found: Figures) -> tuple[str, ...]:
    return (
        found.design.name,
        f"{found.scene.orders:,} for {found.scene.units:,}",
        f"{found.orders_per_second:.0f}",
        f"{found.allocated_per_second:.0f}",
        f"{found.allocated:,}" + ("" if found.sound else " (ledger unsound)"),
        f"{100 * found.refused_share:.0f}",
        f"{100 * found.refused_per_order:.1f}",
        f"{found.hot.orders:,}, {found.hot.transactions}, {found.hot.refused}" if found.hot.orders else "",
        f"{found.written_per_order:.1f}",
        f"{found.latency(0.5):.1f}",
        f"{found.latency(0.99):.1f}",
    )


def document(found: Figures) -> dict[str, Any]:
    told = {name: value for name, value in asdict(found).items() if name != "latencies"}
    derived = ("orders_per_second", "allocated_per_second", "refused_share", "refused_per_order", "written_per_order")
    return {
        **told,
        **{name: getattr(found, name) for name in derived},
        "p50_seconds": found.latency(0.5),
        "p99_seconds": found.latency(0.99),
    }
