"""One Shopify shop's stock at one location, through the Admin GraphQL API.

Levels are set by compare-and-set under an idempotency key. One call is one transaction: an item that Shopify will
not take keeps all the others of its call from being written, so those are sent again without it, under a key that
is derived from the caller's and from what is sent. So whatever is repeated and whenever, the same writes go under
the same key and other writes do not.

Shopify does not take a key again whose attempt failed. A repetition that meets such a key cannot know what the first
call wrote after that attempt, and a level may meanwhile have come back to what was expected. So compare-and-sets are
stale then, and are decided again. Writes that expect nothing go in a call of their own: they are never stale, so what
is left of them is the same each time, and its key tells whether it was written.
Source: shopify.dev, `inventorySetQuantities` and "Implementing idempotency"; the codes are those of
`InventorySetQuantitiesUserErrorCode` in the published Admin schema 2026-10.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import httpx

from shared.inventory.channels import CataloguePage, ChannelItem, LevelWrite, WriteOutcome, WriteStatus
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Credentials
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi, Node, Pacer, Pause
from shared.storefronts.shopify.stock_query import CATALOGUE, LEVELS, MOST_ITEMS, SET_LEVELS

MOST_UNITS: Final = 1_000_000_000
"""The furthest from zero that Shopify counts."""
MOST_KEYS: Final = 16
"""How many keys the same writes may use up: Shopify does not take a key again whose attempt failed."""

_SCOPES: Final = "read_products, read_inventory, write_inventory, read_locations"
_STALE: Final = "CHANGE_FROM_QUANTITY_STALE"
_FAILED_BEFORE: Final = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
_ABOUT_THE_CALL: Final = frozenset(
    {"COMPARE_QUANTITY_REQUIRED", "INVALID_NAME", "INVALID_REASON", "INVALID_REFERENCE_DOCUMENT"}
)
"""Nothing is wrong with any item: the call itself is not what this version of the API takes."""


class _Fault(NamedTuple):
    code: str
    at: int | None
    """Which of the call's writes is at fault; None where Shopify does not say."""


class _Batch(NamedTuple):
    """Writes to send in one call."""

    writes: tuple[LevelWrite, ...]
    whole: bool
    """All that the caller wants written, and not a part of it."""


@misfits_are(odd_answer)
class ShopifyStock:
    """A `StockChannel`: the stock at location `location_id` (digits) of the shop at `address`.

    Keeps the shop's rate limit for one thread: what others spend shows in the shop's next answer. `pause` waits so
    many seconds; what it waits shall pass on `clock`.
    """

    most_writes = MOST_ITEMS

    def __init__(  # noqa: PLR0913 - the composition root says each by its name
        self,
        shop: str,
        address: str,
        credentials: Credentials,
        http: httpx.Client,
        clock: Clock,
        pause: Pause,
        *,
        location_id: str,
        api_version: str = API_VERSION,
    ) -> None:
        self._shop = shop
        self._location_id = location_id
        self._location = f"gid://shopify/Location/{location_id}"
        self._api = AdminApi(address, credentials, http, api_version, scopes=_SCOPES, pacer=Pacer(clock, pause))

    def write(self, writes: Sequence[LevelWrite], *, key: str) -> Sequence[WriteOutcome]:
        """Set the levels, and tell what became of each, in their order.

        A repetition under the same key has no second effect. After a first call whose answers were lost in part, it
        may find writes stale that were applied: the channel shows what they say.

        Raises:
            Retry: the outcome is unknown, or part of it: repeat the same writes under the same key.
            Rejected: `api_access`, `api_error`; `idempotency_mismatch` when the key was used for other writes.
        """
        if len(writes) > self.most_writes:
            raise AssertionError(f"at most {self.most_writes} writes in one call")
        first: dict[str, LevelWrite] = {}
        for write in writes:
            first.setdefault(write.item.item_id, write)
        outcomes = {item_id: outcome for item_id, write in first.items() if (outcome := _unsendable(write))}
        batches = _batches([write for item_id, write in first.items() if item_id not in outcomes])
        while batches:
            batch = batches.pop()
            faults = self._set(batch, key)
            outcomes |= {outcome.item_id: outcome for outcome in _settled(batch.writes, faults)}
            batches += _unsettled(batch.writes, faults)
        return [
            # Shopify takes each item once in a call. What another write to it expects, the first makes stale.
            outcomes[write.item.item_id] if first[write.item.item_id] is write else _outcome(write, _STALE)
            for write in writes
        ]

    def read(self, items: Sequence[ChannelItem]) -> Sequence[ChannelItem]:
        """The same items with what this location shows now; those that the shop no longer has are left out."""
        return [
            item.model_copy(update={"location_id": self._location_id, "shown": _shown(level)})
            for page in _pages(items)
            for item, level in zip(page, self._levels(page), strict=True)
            if level is not None
        ]

    def catalogue(self, cursor: str | None) -> CataloguePage:
        """One page of the shop's variants that have a SKU. Variants may share an inventory item: it is told once."""
        found = self._api.ask(CATALOGUE, {"location": self._location, "after": cursor})["productVariants"]
        page = found["pageInfo"]
        items = {item.item_id: item for node in found["nodes"] if (item := self._item(node))}
        return CataloguePage(items=tuple(items.values()), cursor=page["endCursor"] if page["hasNextPage"] else None)

    def _item(self, variant: Node) -> ChannelItem | None:
        sku, level = variant.get("sku"), variant["inventoryItem"]
        if not sku:
            return None
        return ChannelItem(sku=sku, item_id=_numeric(level["id"]), location_id=self._location_id, shown=_shown(level))

    def _levels(self, items: Sequence[ChannelItem]) -> list[Node | None]:
        ids = [_item_gid(item) for item in items]
        nodes = self._api.ask(LEVELS, {"ids": ids, "location": self._location})["nodes"]
        return [node or None for node in nodes]

    def _set(self, batch: _Batch, key: str) -> Sequence[_Fault]:
        """Send one call, under the first of its keys that no failed attempt has used up. No fault: all is written."""
        for attempt in range(MOST_KEYS):
            faults = self._call(batch, key, attempt)
            if all(fault.code != _FAILED_BEFORE for fault in faults):
                _judge(faults)
                return faults
            if any(write.expected is not None for write in batch.writes):
                return [_Fault(_STALE, at) for at in range(len(batch.writes))]
        raise Retry("storefront_failed", "the shop has failed this call too often to take it again")

    def _call(self, batch: _Batch, key: str, attempt: int) -> Sequence[_Fault]:
        quantities = [self._quantity(write) for write in batch.writes]
        variables = {
            "key": self._derived_key(key, attempt, None if batch.whole else quantities),
            "input": {
                "name": "available",
                "reason": "correction",
                "referenceDocumentUri": f"storebridge://push/{quote(key, safe='')}",
                "quantities": quantities,
            },
        }
        result = self._api.ask(SET_LEVELS, variables).get("inventorySetQuantities")
        if not isinstance(result, dict):
            raise Retry("storefront_failed", "the shop's answer does not tell what became of the call")
        return [_fault(error, len(quantities)) for error in result["userErrors"]]

    def _derived_key(self, key: str, attempt: int, part: Sequence[Node] | None) -> str:
        """A part is named by what it writes: what is left over may differ when the caller repeats."""
        return str(uuid5(NAMESPACE_URL, json.dumps(["storebridge", self._shop, key, attempt, part])))

    def _quantity(self, write: LevelWrite) -> Node:
        """`changeFromQuantity` is said even if null: without it Shopify refuses the call."""
        return {
            "inventoryItemId": _item_gid(write.item),
            "locationId": self._location,
            "quantity": write.quantity,
            "changeFromQuantity": write.expected,
        }


def _batches(writes: Sequence[LevelWrite]) -> list[_Batch]:
    """Those that expect nothing apart from those that compare."""
    parts = [tuple(write for write in writes if (write.expected is None) is blind) for blind in (True, False)]
    return [_Batch(part, whole=len(part) == len(writes)) for part in parts if part]


def _pages(items: Sequence[ChannelItem]) -> Iterator[Sequence[ChannelItem]]:
    for start in range(0, len(items), MOST_ITEMS):
        yield items[start : start + MOST_ITEMS]


def _item_gid(item: ChannelItem) -> str:
    return f"gid://shopify/InventoryItem/{item.item_id}"


def _numeric(gid: str) -> str:
    return gid.rpartition("/")[2]


def _shown(level: Node) -> int | None:
    """What the item shows; None where Shopify does not count it: untracked, or not stocked at the location."""
    stocked = level.get("inventoryLevel")
    if not level["tracked"] or not stocked:
        return None
    quantity: int = stocked["quantities"][0]["quantity"]
    return quantity


def _unsendable(write: LevelWrite) -> WriteOutcome | None:
    """A number that the API cannot carry would fail the whole call, so it is refused here, as Shopify would."""
    if abs(write.quantity) > MOST_UNITS:
        return _outcome(write, f"INVALID_QUANTITY_TOO_{'HIGH' if write.quantity > 0 else 'LOW'}")
    return _outcome(write, _STALE) if abs(write.expected or 0) > MOST_UNITS else None


def _settled(writes: Sequence[LevelWrite], faults: Sequence[_Fault]) -> Iterator[WriteOutcome]:
    """What one call decided: all writes if it took them, else those that it blames."""
    if not faults:
        yield from map(_outcome, writes)
    for index, code in _blamed(writes, faults).items():
        yield _outcome(writes[index], code)


def _unsettled(writes: Sequence[LevelWrite], faults: Sequence[_Fault]) -> Iterator[_Batch]:
    """What to send next of a call that failed: all but the blamed, or its halves while nobody is blamed."""
    blamed = _blamed(writes, faults)
    left = tuple(write for index, write in enumerate(writes) if index not in blamed)
    if blamed and left:
        yield _Batch(left, whole=False)
    elif left and faults:
        middle = len(left) // 2
        yield _Batch(left[:middle], whole=False)
        yield _Batch(left[middle:], whole=False)


def _blamed(writes: Sequence[LevelWrite], faults: Sequence[_Fault]) -> dict[int, str]:
    """Code by index. Who is alone in a call is blamed for its fault; of two codes of one item the final one counts."""
    blamed: dict[int, str] = {}
    for fault in faults:
        at = 0 if len(writes) == 1 else fault.at
        if at is not None and blamed.get(at, _STALE) == _STALE:
            blamed[at] = fault.code
    return blamed


def _fault(error: Any, writes: int) -> _Fault:
    """`field` leads to the write: `["input", "quantities", "17", "changeFromQuantity"]`."""
    steps = [str(step) for step in error.get("field") or ()]
    index = next((int(step) for step in steps if step.isdecimal()), None)
    return _Fault(error.get("code") or "UNKNOWN", index if index is not None and index < writes else None)


def _judge(faults: Iterable[_Fault]) -> None:
    """Raise for what is wrong with the call and not with its items."""
    codes = {fault.code for fault in faults}
    if "IDEMPOTENCY_CONCURRENT_REQUEST" in codes:
        raise Retry("storefront_failed", "the shop is still at work on the same call")
    if "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" in codes:
        raise Rejected("idempotency_mismatch", "the key was used for other writes", field="key", hint="use a new key")
    if codes & _ABOUT_THE_CALL:
        raise Rejected(
            "api_error",
            f"the shop refuses the call: {', '.join(sorted(codes))}",
            field="api",
            hint="check the API version in the settings",
        )


def _outcome(write: LevelWrite, code: str | None = None) -> WriteOutcome:
    """An unknown code of one item counts as final too: it is set aside under its name, and stops nobody else."""
    item = write.item
    if code is None:
        return WriteOutcome(sku=item.sku, item_id=item.item_id, status=WriteStatus.APPLIED)
    if code in {_STALE, "COMPARE_QUANTITY_STALE"}:
        return WriteOutcome(sku=item.sku, item_id=item.item_id, status=WriteStatus.STALE)
    return WriteOutcome(sku=item.sku, item_id=item.item_id, status=WriteStatus.REFUSED, reason=code)
