"""What a call consumes, as DynamoDB bills it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Listener = Callable[[str, str, float, float], None]
"""Is told operation, table, read units and write units, indexes included."""


@dataclass
class Units:
    """Capacity units of one table in one call."""

    table: float = 0.0
    indexes: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return self.table + sum(self.indexes.values()) if self.indexes else self.table

    def add_index(self, name: str, units: float) -> None:
        self.indexes[name] = self.indexes.get(name, 0.0) + units


class Meter:
    """Sums up what is consumed, by table, and tells the listener."""

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.read: dict[str, float] = defaultdict(float)
        self.written: dict[str, float] = defaultdict(float)

    def clear(self) -> None:
        self.read.clear()
        self.written.clear()

    def count_read(self, operation: str, table: str, units: float) -> None:
        self.read[table] += units
        if self.listener:
            self.listener(operation, table, units, 0.0)

    def count_written(self, operation: str, table: str, units: float) -> None:
        self.written[table] += units
        if self.listener:
            self.listener(operation, table, 0.0, units)


def read_units(size: int, *, consistent: bool) -> float:
    """One for each four kilobytes begun, half of it for reads that may be behind."""
    units = -(-size // 4096) or 1
    return float(units) if consistent else units / 2


def consumed(mode: str | None, table: str, units: Units, *, kind: str | None = None) -> dict[str, Any] | None:
    """`ConsumedCapacity` of a table, if the request wants it. `kind`: of transactions, "Read" or "Write"."""
    if mode is None or mode == "NONE":
        return None
    answer: dict[str, Any] = {"TableName": table, **_shown(units.total, kind)}
    if mode == "INDEXES":
        answer["Table"] = _shown(units.table, kind)
        if units.indexes:
            answer["GlobalSecondaryIndexes"] = {name: _shown(spent, kind) for name, spent in units.indexes.items()}
    return answer


def _shown(units: float, kind: str | None) -> Mapping[str, float]:
    return {"CapacityUnits": units, f"{kind}CapacityUnits": units} if kind else {"CapacityUnits": units}
