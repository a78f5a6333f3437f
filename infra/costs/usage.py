"""What AWS bills, as amounts by function: a value that can be added, taken apart and divided by orders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Item(StrEnum):
    """One thing that has a price, or (the last ones) that lengthens a run of a function."""

    API_REQUESTS = "HTTP API requests"
    INVOCATIONS = "Lambda requests"
    GB_SECONDS = "Lambda GB-seconds"
    WRITE_UNITS = "DynamoDB write units"
    READ_UNITS = "DynamoDB read units"
    QUEUE_REQUESTS = "SQS requests"
    EVENTS = "EventBridge events"
    SCHEDULED = "EventBridge schedules fired"
    OBJECT_WRITES = "S3 writes"
    OBJECT_READS = "S3 reads"
    LOG_BYTES = "log bytes"
    TRACES = "X-Ray traces"
    SECRET_READS = "Secrets Manager reads"  # noqa: S105 - a name
    MAILS = "SES mails"
    CALLS_TO_VENDORS = "calls to vendors"
    WAIT_MS = "ms of waiting"
    SDK_MS = "ms of the SDK"


Place = tuple[str, Item]
"""The function that caused it, by its short name, and what it is."""


@dataclass(frozen=True)
class Usage:
    """Amounts by function and item. Items that are not there are nought."""

    amounts: Mapping[Place, float] = field(default_factory=dict)

    def __add__(self, other: "Usage") -> "Usage":
        places = sorted({*self.amounts, *other.amounts})
        return Usage({place: self.amounts.get(place, 0) + other.amounts.get(place, 0) for place in places})

    def __sub__(self, other: "Usage") -> "Usage":
        return self + other.times(-1)

    def times(self, factor: float) -> "Usage":
        return Usage({place: amount * factor for place, amount in self.amounts.items()})

    def total(self, item: Item) -> float:
        return sum(amount for (_, one), amount in self.amounts.items() if one is item)

    def of(self, function: str) -> "Usage":
        return Usage({place: amount for place, amount in self.amounts.items() if place[0] == function})

    @property
    def functions(self) -> tuple[str, ...]:
        return tuple(sorted({function for function, _ in self.amounts}))


def summed(parts: Iterable[Usage]) -> Usage:
    total = Usage()
    for part in parts:
        total += part
    return total
