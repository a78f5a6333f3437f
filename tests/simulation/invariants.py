"""What must hold: at each commit, and once everything is quiet. I1 to I13 of the design, §6.

Each check reads what is stored as it is stored, apart from the code that stored it, and names the invariant it is of.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.fakes.aws.dynamodb.engine import MemoryDynamoDb
from shared.orders.effects import events_of
from shared.orders.record import OrderRecord
from shared.orders.table import record_of_image
from tests.simulation.shop import CANARY, SHOP, Account, Shop

ORDERS: Final = "storebridge-orders"
STOCK: Final = "storebridge-stock"
NEWER: Final = "said_by_newer"
"""An attribute that only a newer version of the code knows: this one has to leave it alone."""


class Broken(BaseException):
    """An invariant does not hold. No handler's `except Exception` may swallow that."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


def require(truth: object, invariant: str, what: str) -> None:
    if not truth:
        raise Broken(invariant, what)


@dataclass
class Watchman:
    """Looks at every commit: what the streams of the tables say that has changed."""

    database: MemoryDynamoDb
    can_ask: bool
    """Whether ties of one second are settled by asking the shop. Without, the account seen last counts, and one that
    is delivered again may count again."""
    positions: Counter[str] = field(default_factory=Counter)
    versions: dict[str, set[str]] = field(default_factory=dict)
    """By order: the accounts that have had their effect."""

    def look(self) -> None:
        for table, check in ((STOCK, self._stock), (ORDERS, self._order)):
            records = self.database.stream(table)
            for record in records[self.positions[table] :]:
                check(record["dynamodb"])
            self.positions[table] = len(records)

    def _stock(self, change: Mapping[str, Any]) -> None:
        new = change.get("NewImage")
        if new is None or "on_hand" not in new:
            return
        name = new["sku"]["S"]
        on_hand, reserved, available = (int(new[part]["N"]) for part in ("on_hand", "reserved", "available"))
        require(0 <= reserved <= on_hand, "I4", f"{name}: {reserved} promised of {on_hand}")
        require(available == on_hand - reserved, "I4", f"{name}: {available} available of {on_hand} less {reserved}")
        old = change.get("OldImage")
        before = int(old["seq"]["N"]) if old else 0
        require(int(new["seq"]["N"]) > before, "I5", f"{name}: a movement without a number of its own")

    def _order(self, change: Mapping[str, Any]) -> None:
        new, old = change.get("NewImage"), change.get("OldImage")
        if new is None or new["sk"]["S"] != "record":
            return
        key, version = new["pk"]["S"], _version(new)
        revision = int(new["revision"]["N"])
        if old is None:
            require(revision == 1, "I2", f"{key}: begins with revision {revision}")
        else:
            require(revision == int(old["revision"]["N"]) + 1, "I2", f"{key}: revision {revision} after another")
            require(_may_follow(version, _version(old)), "I3", f"{key}: went back to {version['updated_at']}")
        if old is None or _version(old) != version:
            seen = self.versions.setdefault(key, set())
            mark = f"{version['updated_at']}|{version['body_sha256']}"
            require(mark not in seen or not self.can_ask, "I2", f"{key}: one account had its effect twice")
            seen.add(mark)


def _version(image: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(image["version"]["S"])
    return found


def _may_follow(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    return bool(new["updated_at"] >= old["updated_at"])


@dataclass
class AtRest:
    """Everything that can be seen once all is quiet."""

    database: MemoryDynamoDb
    shop: Shop
    dead: frozenset[str]
    """Orders of which a message lies in a dead-letter queue."""
    can_ask: bool
    """Whether the shop's API can be asked."""
    is_repaired: bool
    """Whether missed orders were looked for, so that nothing may be missing."""

    def __post_init__(self) -> None:
        self.images = {image["pk"]["S"]: image for image in self._scan(ORDERS) if image["sk"]["S"] == "record"}
        self.records = {key: record_of_image(image) for key, image in self.images.items()}
        self.stock = [image for image in self._scan(STOCK) if "on_hand" in image]

    def _scan(self, table: str) -> list[Any]:
        return list(self.database.call("Scan", {"TableName": table})["Items"])

    # ---- I1, I3: nothing that was accepted is lost, and the newest counts ----

    def nothing_is_lost(self) -> None:
        accepted: dict[str, int] = {}
        for order_id, number in self.shop.accepted:
            accepted[order_id] = max(accepted.get(order_id, 0), number)
        newest = accepted
        if self.is_repaired:
            newest = {order_id: len(accounts) - 1 for order_id, accounts in self.shop.orders.items() if accounts}
        for order_id, number in newest.items():
            if order_id not in self.dead:
                self._is_taken_in(order_id, number, accepted.get(order_id, 0))

    def _is_taken_in(self, order_id: str, number: int, accepted: int) -> None:
        record = self.records.get(f"{SHOP}/{order_id}")
        require(record, "I1", f"{order_id}: accepted, and nowhere")
        assert record is not None
        accounts = self.shop.orders[order_id]
        shown = record.version.updated_at[:19]
        require(shown >= accounts[number].second, "I3", f"{order_id}: at {shown}, told at {accounts[number].second}")
        # Of two accounts of one second the shop was asked which is true, so that none may stand that is older than one
        # that was told of. Of one that was never told, the list of changes does not show that there are two.
        told = accounts[accepted:] if self.can_ask else accounts
        possible = [account for account in told if account.second == shown]
        require(any(_agrees(record, account) for account in possible), "I3", f"{order_id}: is what the shop never said")

    # ---- I4, I5: stock is what was counted, less what is promised ----

    def stock_is_explained(self, counted: Mapping[str, int]) -> None:
        promised: Counter[tuple[str, str]] = Counter()
        for record in self.records.values():
            for line in record.lines:
                for location, units in line.allocated.items():
                    promised[str(line.sku), location] += units
        for image in self.stock:
            sku, location = image["sku"]["S"], image["location"]["S"]
            reserved = int(image["reserved"]["N"])
            told = f"{sku}: {reserved} promised, orders hold {promised[sku, location]}"
            require(reserved == promised[sku, location], "I5", told)
            if sku in counted:
                gone = self._shipped(sku)
                require(int(image["on_hand"]["N"]) == counted[sku] - gone, "I5", f"{sku}: not what was counted")

    def _shipped(self, sku: str) -> int:
        lines = (line for record in self.records.values() for line in record.lines if line.sku == sku)
        return sum(sum(line.shipped.values()) - line.returned for line in lines)

    def nothing_waits_for_what_is_there(self) -> None:
        """I12's other half: no order is short of what lies free, once it was looked at again."""
        free: Counter[str] = Counter()
        for image in self.stock:
            free[image["sku"]["S"]] += int(image["available"]["N"])
        for key, record in self.records.items():
            waits = [line for line in record.lines if line.short and free[str(line.sku)] >= line.short]
            is_open = record.review.value != "cancelled"
            require(not (waits and is_open), "I12", f"{key}: waits for what is there")

    # ---- I7: what happened is told, and nothing else ----

    def events_are_those_of_the_commits(self, bus: Iterable[Mapping[str, Any]]) -> None:
        due = set(self._events_due())
        told = {json.loads(entry["Detail"])["id"] for entry in bus if entry["Source"] == "storebridge.orders"}
        require(told >= due, "I7", f"never told: {sorted(due - told)[:3]}")
        require(told <= due, "I7", f"told, and never happened: {sorted(told - due)[:3]}")

    def _events_due(self) -> Iterator[str]:
        for record in self.database.stream(ORDERS):
            change = record["dynamodb"]
            if "NewImage" in change and change["NewImage"]["sk"]["S"] == "record":
                old = record_of_image(change["OldImage"]) if "OldImage" in change else None
                for event in events_of(old, record_of_image(change["NewImage"])):
                    yield event.id

    # ---- I13: buyers' data stays where it belongs ----

    def nobody_is_named(self, said: Iterable[object]) -> None:
        for words in said:
            require(CANARY.lower() not in repr(words).lower(), "I13", f"names a buyer: {repr(words)[:200]}")

    # ---- two versions of the code at once ----

    def newer_attributes_are_left_alone(self, marked: Iterable[str]) -> None:
        for key in marked:
            require(NEWER in self.images.get(key, {NEWER: None}), "I3", f"{key}: lost what a newer version wrote")

    # ---- beside the invariants ----

    def buyers_belong_to_their_accounts(self) -> None:
        """Every record's account is kept, and is the one that the record was made of."""
        stored = {image["pk"]["S"]: image for image in self._scan(ORDERS) if image["sk"]["S"] == "account"}
        for key, record in self.records.items():
            account = stored.get(key)
            require(account, "I1", f"{key}: its account is not kept")
            assert account is not None
            if key.partition("/")[2] not in self.dead:
                kept = json.loads(unpacked(account))["version"]
                same = kept["body_sha256"] == record.version.body_sha256
                require(same, "I3", f"{key}: another account is kept than the record is made of")


def _agrees(record: OrderRecord, account: Account) -> bool:
    """Whether the record is what this account makes of an order, as far as the shop alone decides."""
    is_cancelled = record.review.value == "cancelled"
    if account.is_cancelled:
        return is_cancelled
    if is_cancelled:
        return record.cancelled_by != "storefront"
    shipped = {line.sku: sum(line.shipped.values()) for line in record.lines}
    units = {str(line.sku): line.open + shipped[line.sku] for line in record.lines if line.open or line.shipped}
    # What has left has left, whatever the shop says afterwards.
    wanted = {sku: most for sku, quantity in account.units.items() if (most := max(quantity, shipped.get(sku, 0)))}
    paid = record.payment.value in ("paid", "authorised") if account.is_paid else record.payment.value == "pending"
    return units == wanted and paid


def unpacked(image: Mapping[str, Any]) -> str:
    return zlib.decompress(image["body"]["B"]).decode()
