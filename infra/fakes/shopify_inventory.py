"""The stock of a Shopify shop that is not there: inventory items, their levels, and how levels are set.

What `inventorySetQuantities` does is what the published schema 2026-10 says of it and its error codes; what the
schema leaves open can be chosen by `StockRules`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from shared.kernel.clock import Clock

Json = dict[str, Any]

MOST_UNITS: Final = 1_000_000_000
REASONS: Final = frozenset(
    {
        *("correction", "cycle_count_available", "damaged", "movement_created", "movement_received", "other"),
        *("promotion", "quality_control", "received", "reservation_created", "restock", "safety_stock", "shrinkage"),
    }
)


class FailedKeys(Enum):
    """What becomes of an idempotency key whose attempt ended in user errors."""

    REFUSED = auto()
    """`IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED`, as the published codes suggest."""
    REPLAYED = auto()
    """The same errors again."""
    FORGOTTEN = auto()
    """The attempt is made again."""


class Blame(Enum):
    """Which of the faulty quantities an answer names."""

    EACH = auto()
    FIRST = auto()
    NOBODY = auto()


@dataclass(frozen=True)
class StockRules:
    failed_keys: FailedKeys = FailedKeys.REFUSED
    blame: Blame = Blame.EACH
    retention: timedelta = timedelta(hours=24)
    """How long a key is remembered. Shopify has a window and third parties say this one."""


@dataclass(slots=True)
class Item:
    number: str
    sku: str | None
    tracked: bool
    mutable: bool
    available: dict[str, int]
    """By the location's global id; an item without a level at a location is not stocked there."""

    @property
    def gid(self) -> str:
        return f"gid://shopify/InventoryItem/{self.number}"


@dataclass(slots=True)
class _Attempt:
    parameters: str
    made_at: datetime
    result: Json | None = None
    """None while it is at work."""


@dataclass
class Inventory:
    """Levels are set by one call as a whole or not at all."""

    clock: Clock
    rules: StockRules = field(default_factory=StockRules)
    locations: set[str] = field(default_factory=set)
    items: dict[str, Item] = field(default_factory=dict)
    """By global id."""
    writes: Counter[str] = field(default_factory=Counter)
    """How often each item was written, by its global id."""
    attempts: dict[str, _Attempt] = field(default_factory=dict)
    groups: int = 0

    def set_quantities(self, asked: Json, key: str, defer: Callable[[Callable[[], None]], None] | None) -> Json:
        """The mutation's payload. With `defer` the work is handed there, and its caller does not hear of the end."""
        parameters = json.dumps(asked, sort_keys=True)
        known = self._remembered(key)
        if known is not None:
            answer = self._again(known, parameters)
            if answer is not None:
                return answer
        attempt = self.attempts[key] = _Attempt(parameters, self.clock())
        if defer is None:
            self._carry_out(attempt, asked)
        else:
            defer(lambda: self._carry_out(attempt, asked))
        return attempt.result or {}

    def _remembered(self, key: str) -> _Attempt | None:
        known = self.attempts.get(key)
        return known if known and self.clock() - known.made_at < self.rules.retention else None

    def _again(self, known: _Attempt, parameters: str) -> Json | None:
        """The answer to a key that was used before; None to make the attempt again."""
        if known.parameters != parameters:
            return _failure([_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")])
        if known.result is None:
            return _failure([_error("IDEMPOTENCY_CONCURRENT_REQUEST")])
        if not known.result["userErrors"] or self.rules.failed_keys is FailedKeys.REPLAYED:
            return known.result
        if self.rules.failed_keys is FailedKeys.FORGOTTEN:
            return None
        return _failure([_error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")])

    def _carry_out(self, attempt: _Attempt, asked: Json) -> None:
        errors = [*_call_errors(asked), *self._quantity_errors(asked["quantities"])]
        if errors:
            attempt.result = _failure(self._reported(errors))
            return
        for quantity in asked["quantities"]:
            gid = quantity["inventoryItemId"]
            self.items[gid].available[quantity["locationId"]] = quantity["quantity"]
            self.writes[gid] += 1
        attempt.result = {"userErrors": [], "inventoryAdjustmentGroup": self._group(asked)}

    def _group(self, asked: Json) -> Json:
        self.groups += 1
        return {
            "__typename": "InventoryAdjustmentGroup",
            "id": f"gid://shopify/InventoryAdjustmentGroup/{self.groups}",
            "createdAt": self.clock().isoformat(),
            "reason": asked["reason"],
            "referenceDocumentUri": asked.get("referenceDocumentUri"),
        }

    def _quantity_errors(self, quantities: Sequence[Json]) -> Iterator[Json]:
        seen: set[tuple[str, str]] = set()
        for index, quantity in enumerate(quantities):
            pair = (quantity["inventoryItemId"], quantity["locationId"])
            if pair in seen:
                yield _error("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "input", "quantities", str(index))
            seen.add(pair)
            fault = self._fault(quantity)
            if fault:
                yield _error(fault[0], "input", "quantities", str(index), fault[1])

    def _fault(self, quantity: Json) -> tuple[str, str] | None:
        """The code of what is wrong with one quantity, and the field that it is wrong in."""
        item = self.items.get(quantity["inventoryItemId"])
        if item is None:
            return "INVALID_INVENTORY_ITEM", "inventoryItemId"
        if quantity["locationId"] not in self.locations:
            return "INVALID_LOCATION", "locationId"
        if not item.mutable:
            return "NON_MUTABLE_INVENTORY_ITEM", "inventoryItemId"
        if abs(quantity["quantity"]) > MOST_UNITS:
            return f"INVALID_QUANTITY_TOO_{'HIGH' if quantity['quantity'] > 0 else 'LOW'}", "quantity"
        expected = quantity["changeFromQuantity"]
        if expected is not None and expected != item.available.get(quantity["locationId"], 0):
            return "CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity"
        return None

    def _reported(self, errors: list[Json]) -> list[Json]:
        if self.rules.blame is Blame.FIRST:
            return errors[:1]
        if self.rules.blame is Blame.NOBODY:
            return [{**errors[0], "field": ["input", "quantities"]}]
        return errors


def _call_errors(asked: Json) -> Iterator[Json]:
    if asked["name"] not in {"available", "on_hand"}:
        yield _error("INVALID_NAME", "input", "name")
    if asked["reason"] not in REASONS:
        yield _error("INVALID_REASON", "input", "reason")
    scheme, _, content = (asked.get("referenceDocumentUri") or "any:thing").partition(":")
    if not scheme.isascii() or not content.strip("/"):
        yield _error("INVALID_REFERENCE_DOCUMENT", "input", "referenceDocumentUri")


def _error(code: str, *path: str) -> Json:
    return {"code": code, "field": list(path) or None, "message": code.replace("_", " ").capitalize()}


def _failure(errors: list[Json]) -> Json:
    return {"userErrors": errors, "inventoryAdjustmentGroup": None}
