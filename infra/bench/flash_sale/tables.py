"""DynamoDB as several workers meet it at once: how long calls take, who is in whose way, how much a partition writes.

The tables are those in memory, under a virtual clock. What is published about DynamoDB decides about time:

* Latency as seen from Lambda (DeBrie, 2020): a put 7.6 ms at the median and 16 ms at the 99th percentile; transactions
  of 5 items 25 and 93 ms, of 25 items 32 and 98 ms; a refused one takes as long. Larger ones are extrapolated by the
  milliseconds that each item adds between these two (0.35 and 0.25), smaller ones take as long as five. Single reads
  are taken to be as fast as puts, and each key of a batch to add 0.1 ms: assumed, not published there.
* A transaction rejects another one, and a single write, at an item that it is at work on (`TransactionConflict`).
* A partition, and so an item, takes 1,000 write units a second. What it may burst beyond that is left out.

What it does not imitate: reads that are behind, transactions refused for what a single write does at the same moment.
"""

import math
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from infra.fakes.aws.dynamodb.errors import CANCELLED, client_error
from infra.fakes.virtual_time import VirtualTime

PARTITION_UNITS: Final = 1_000.0
"""Write units a second."""
_SIGMAS: Final = 2.326
"""From the median of a normal distribution to its 99th percentile, in standard deviations."""
_FEWEST_ITEMS, _MORE_ITEMS = 5, 25
_BUSY_TRIES: Final = 4
"""botocore's own tries at a partition that throttles, before it gives up."""


class Place(NamedTuple):
    """An item."""

    table: str
    key: str
    sort: str


@dataclass(frozen=True)
class Latency:
    """Log-normal, in milliseconds."""

    median: float
    p99: float

    def seconds(self, dice: random.Random) -> float:
        sigma = math.log(self.p99 / self.median) / _SIGMAS
        return dice.lognormvariate(math.log(self.median), sigma) / 1000


_PUT: Final = Latency(7.6, 16.0)
_FEW: Final = Latency(25.0, 93.0)
_MORE: Final = Latency(32.0, 98.0)


def latency_of(operation: str, items: int) -> Latency:
    """Of a call at so many items."""
    if operation == "TransactWriteItems":
        further = max(0, items - _FEWEST_ITEMS) / (_MORE_ITEMS - _FEWEST_ITEMS)
        return Latency(
            _FEW.median + further * (_MORE.median - _FEW.median), _FEW.p99 + further * (_MORE.p99 - _FEW.p99)
        )
    return Latency(_PUT.median + 0.1 * (items - 1), _PUT.p99 + 0.1 * (items - 1))


@dataclass
class Tables:
    """The tables, shared by workers that sleep while they wait for an answer."""

    time: VirtualTime
    dice: random.Random
    shared: str
    """The table whose items share partitions: that of the orders."""
    partitions: int
    """How many it has. A new one on demand has four, an older one as many as its warm throughput asks for."""
    busy: Callable[[str, int], float] = lambda _operation, _items: 0.0
    """Seconds of the worker's own work for a call at so many items."""
    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    _held: set[Place] = field(default_factory=set)
    _free_at: dict[str, float] = field(default_factory=dict)
    """By partition, when it has done what it has taken on."""

    def __post_init__(self) -> None:
        self.engine = MemoryDynamoDb(self.time.now)

    @property
    def written(self) -> float:
        """Write units of all tables."""
        return sum(written for _, written in self.engine.consumed.values())

    def call(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call of a worker; in between, others run."""
        writes = list(_writes(operation, request))
        items = len(writes) or _keys(request)
        self.calls[operation] += 1
        self.time.sleep(self.busy(operation, items))
        self._wait_for_partitions(operation, writes)
        wait = latency_of(operation, items).seconds(self.dice)
        taken = [place in self._held for place in writes]
        if any(taken):
            self.time.sleep(wait)
            raise _conflict(operation, taken)
        if operation != "TransactWriteItems":
            self.time.sleep(wait)
            return self._carry_out(operation, request, writes)
        self._held.update(writes)
        self.time.sleep(wait)
        try:
            return self._carry_out(operation, request, writes)
        finally:
            self._held.difference_update(writes)

    def _carry_out(self, operation: str, request: Mapping[str, Any], writes: list[Place]) -> Mapping[str, Any]:
        before = self.engine.consumed
        try:
            return self.engine.call(operation, request)
        finally:
            for table, (_, written) in self.engine.consumed.items() if writes else ():
                mine = [place for place in writes if place.table == table]
                for place in mine:
                    units = (written - before.get(table, (0.0, 0.0))[1]) / len(mine)
                    partition = self._partition(place)
                    started = max(self._free_at.get(partition, 0.0), self.time.now())
                    self._free_at[partition] = started + units / PARTITION_UNITS

    def _wait_for_partitions(self, operation: str, writes: list[Place]) -> None:
        """A partition that has more on its hands than it does in a second takes nothing; the client tries again."""
        for attempt in range(_BUSY_TRIES):
            free_at = max((self._free_at.get(self._partition(place), 0.0) for place in writes), default=0.0)
            if free_at <= self.time.now() + 1.0:
                return
            self.throttled += 1
            self.time.sleep(self.dice.uniform(0, 0.05 * 2**attempt))
        raise client_error(operation, "ProvisionedThroughputExceededException", "The partition is busy")

    def _partition(self, place: Place) -> str:
        """Items of few keys that are written all the time get partitions of their own; the others share."""
        if place.table == self.shared:
            return f"{place.table}/{zlib.crc32(place.key.encode()) % self.partitions}"
        return f"{place.table}/{place.key}"


def _conflict(operation: str, taken: list[bool]) -> Exception:
    if operation != "TransactWriteItems":
        return client_error(operation, "TransactionConflictException", "Transaction is ongoing for the item")
    reasons = [{"Code": "TransactionConflict" if one else "None"} for one in taken]
    return client_error(operation, CANCELLED, "Transaction cancelled", {"CancellationReasons": reasons})


def _writes(operation: str, request: Mapping[str, Any]) -> Iterator[Place]:
    if operation == "TransactWriteItems":
        for action in request["TransactItems"]:
            for kind, asked in action.items():
                yield _place(asked["TableName"], asked["Item" if kind == "Put" else "Key"])
    elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield _place(request["TableName"], request["Item" if operation == "PutItem" else "Key"])


def _place(table: str, item: Mapping[str, Any]) -> Place:
    """All our tables' keys are texts; what else an item holds is no part of it."""
    names = ("pk", "sk") if "pk" in item else ("sku", "location")
    key, sort = (str(item[name]["S"]) for name in names)
    return Place(table, key, sort)


def _keys(request: Mapping[str, Any]) -> int:
    return sum(len(asked["Keys"]) for asked in request.get("RequestItems", {}).values()) or 1
