"""What a flash sale is played with, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass


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
