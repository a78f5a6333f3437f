"""A WooCommerce shop's stock (a `StockChannel`).

Facts are from WooCommerce 10.0.2, measured or read in its source. A stock write is a blind absolute number: there is
no compare-and-set and no idempotency key. (An undocumented `inventory_delta` exists, and loses updates: eight
parallel decrements of 100 left 95.) Each write makes the shop send us `product.updated`, even one of the same number.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from shared.inventory.channels import CataloguePage, ChannelItem, LevelWrite, WriteOutcome, WriteStatus
from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.errors import Retry
from shared.storefronts.http import odd_answer
from shared.storefronts.lenient import read
from shared.storefronts.port import Credentials
from shared.storefronts.woocommerce.catalogue import Cursor, Listing, read_page
from shared.storefronts.woocommerce.pace import Pace, Pause
from shared.storefronts.woocommerce.products import FIELDS, Counting, Product
from shared.storefronts.woocommerce.rest import (
    PAGE_SIZE,
    RestApi,
    error_code,
    json_body,
    plain_code,
    require_ok,
    unexpected,
)

_T = TypeVar("_T")
_R = TypeVar("_R")

_WOOCOMMERCE_ERROR = "woocommerce_rest_"
_MAX_ID_DIGITS = 20
_UNCOUNTED = {Counting.NONE: "not_tracked", Counting.PARENT: "stock_kept_by_parent"}


@misfits_are(odd_answer)
class WooCommerceStock:
    """One shop's stock over its REST key. Not shared between threads.

    `expected` is compared with what the shop shows just before the write. That narrows the race with the shop's own
    sales to the time between two requests, and cannot close it: a sale between the two is overwritten, until the
    order's webhook or the next sweep corrects the number.

    An item that the shop does not count is refused as `not_tracked`, a variation that is counted with its product as
    `stock_kept_by_parent`, and what the shop does not list as `not_found`: nothing but the number is ever changed.
    """

    most_writes = 100
    """WooCommerce's own limit of a batch, which a shop's host or plugins may lower."""

    def __init__(
        self, shop: str, address: str, credentials: Credentials, http: httpx.Client, clock: Clock, pause: Pause
    ) -> None:
        self.shop = shop
        self._clock = clock
        self._pace = Pace(self.most_writes, clock, pause)
        self._rest = RestApi(address, credentials, http, self._pace.observe)
        self._key = ""
        self._sent: set[str] = set()
        self._done: dict[LevelWrite, WriteOutcome] = {}

    def write(self, writes: Sequence[LevelWrite], *, key: str) -> Sequence[WriteOutcome]:
        """Write absolute numbers, products in one batch and variations in one for each product (a `StockChannel`).

        After `Retry` some may have been written. Repeated under its key, this object goes on where it stopped, and
        what it had sent and the shop now shows counts as applied; another object cannot know who wrote that number,
        and calls it stale.
        """
        if key != self._key:
            self._key, self._sent, self._done = key, set(), {}
        self._pace.begin()
        waiting = [write for write in writes if write not in self._done]
        for path, group in _by_path(waiting, lambda write: write.item).items():
            self._in_batches(group, partial(self._write_batch, path))
        return [self._done.get(write) or _refused(write, "invalid_id") for write in writes]

    def read(self, items: Sequence[ChannelItem]) -> Sequence[ChannelItem]:
        """What the shop shows now: one request for a hundred products, and one for each variable product."""
        self._pace.begin()
        found: dict[tuple[str | None, str], Product] = {}
        for path, group in _by_path(items, lambda item: item).items():
            for listed in self._in_batches(group, partial(self._listed, path)):
                found |= {(path, product_id): product for product_id, product in listed.items()}
        shown = ((item, found.get((_path(item), item.item_id))) for item in items)
        return [item.model_copy(update={"shown": product.shown}) for item, product in shown if product is not None]

    def catalogue(self, cursor: str | None) -> CataloguePage:
        """A hundred products or fewer, with their variations, by ascending id. What is deleted meanwhile hides nothing.

        Raises:
            Rejected: `invalid_cursor`.
        """
        self._pace.begin()
        return read_page(self._list_from, Cursor() if cursor is None else Cursor.parse(cursor))

    def _write_batch(self, path: str, writes: Sequence[LevelWrite]) -> None:
        self._settle(path, [write for write in writes if write.expected is not None])
        self._send(path, [write for write in writes if write not in self._done])

    def _settle(self, path: str, guarded: Sequence[LevelWrite]) -> None:
        """Note the outcomes of those that need no writing, or must not be written, as the shop is now."""
        if not guarded:
            return
        listed = self._listed(path, [write.item for write in guarded])
        for write in guarded:
            outcome = self._without_writing(write, listed.get(write.item.item_id))
            if outcome is not None:
                self._done[write] = outcome

    def _without_writing(self, write: LevelWrite, product: Product | None) -> WriteOutcome | None:
        if product is None:
            return _refused(write, "not_found")
        if product.counting in _UNCOUNTED:
            return _refused(write, _UNCOUNTED[product.counting])
        ours = write.item.item_id in self._sent and product.shown == write.quantity
        if ours or product.shown == write.expected == write.quantity:
            return _outcome(write, WriteStatus.APPLIED)
        return None if product.shown == write.expected else _outcome(write, WriteStatus.STALE)

    def _send(self, path: str, writes: Sequence[LevelWrite]) -> None:
        if not writes:
            return
        self._sent |= {write.item.item_id for write in writes}
        update = [{"id": int(write.item.item_id), "stock_quantity": write.quantity} for write in writes]
        response = self._rest.post(f"{path}/batch", {"update": update})
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            self._send_in_halves(path, writes)
        elif response.status_code == HTTPStatus.NOT_FOUND and (code := _woocommerce_code(response)) is not None:
            self._done |= {write: _refused(write, code) for write in writes}
        else:
            replies = _replies(require_ok(response))
            self._done |= {write: _judge(write, replies.get(write.item.item_id)) for write in writes}

    def _send_in_halves(self, path: str, writes: Sequence[LevelWrite]) -> None:
        if len(writes) == 1:
            raise unexpected("the shop takes no batch, not even of one", hint="ask the shop's host for its limits")
        self._pace.too_many(len(writes))
        half = len(writes) // 2
        for some in (writes[:half], writes[half:]):
            self._pace.rest()
            self._send(path, some)

    def _listed(self, path: str, items: Sequence[ChannelItem]) -> dict[str, Product]:
        include = ",".join(item.item_id for item in items)
        response = self._rest.get(path, {"include": include, "per_page": str(PAGE_SIZE), "_fields": FIELDS})
        if response.status_code == HTTPStatus.NOT_FOUND and _woocommerce_code(response) is not None:
            return {}
        return {product.id: product for product in _products(require_ok(response))}

    def _list_from(self, path: str, offset: int) -> Listing:
        params = {
            "per_page": str(PAGE_SIZE),
            "offset": str(offset),
            "orderby": "id",
            "order": "asc",
            "_fields": FIELDS,
        }
        response = self._patiently(lambda: require_ok(self._rest.get(path, params)))
        products = _products(response)
        return Listing(products, _total(response, offset, len(products)))

    def _in_batches(self, items: Sequence[_T], request: Callable[[Sequence[_T]], _R]) -> list[_R]:
        """Make a request for as many as the shop bears at a time, and again after a passing failure with fewer."""
        answers = []
        done = 0
        while done < len(items):
            number, answer = self._patiently(partial(self._batch, items[done:], request))
            answers.append(answer)
            done += number
        return answers

    def _batch(self, items: Sequence[_T], request: Callable[[Sequence[_T]], _R]) -> tuple[int, _R]:
        batch = items[: self._pace.size]
        return len(batch), request(batch)

    def _patiently(self, request: Callable[[], _R]) -> _R:
        while True:
            self._pace.rest()
            started = self._clock()
            try:
                answer = request()
            except Retry as failure:
                self._pace.failed(failure)
            else:
                self._pace.succeeded(started)
                return answer


def _by_path(things: Sequence[_T], item_of: Callable[[_T], ChannelItem]) -> dict[str, list[_T]]:
    """By the collection that they are in; what has no id that WooCommerce could have given is left out."""
    groups: dict[str, list[_T]] = {}
    for thing in things:
        path = _path(item_of(thing))
        if path is not None:
            groups.setdefault(path, []).append(thing)
    return groups


def _path(item: ChannelItem) -> str | None:
    if not _is_id(item.item_id) or not (item.parent_id is None or _is_id(item.parent_id)):
        return None
    return "/products" if item.parent_id is None else f"/products/{item.parent_id}/variations"


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and text[0] != "0" and len(text) <= _MAX_ID_DIGITS


def _judge(write: LevelWrite, reply: Mapping[str, Any] | None) -> WriteOutcome:
    """What a batch says of one item: an error in its place, or the item as it is now."""
    if reply is None:
        raise Retry("outcome_unknown", "the shop's answer to a batch leaves out some of it")
    if "error" in reply:
        error = reply["error"]
        return _refused(write, (plain_code(error.get("code")) if isinstance(error, dict) else None) or "unknown_error")
    product = read(Product, reply)
    if product.counting in _UNCOUNTED:
        return _refused(write, _UNCOUNTED[product.counting])
    return _outcome(write, WriteStatus.APPLIED if product.shown == write.quantity else WriteStatus.STALE)


def _replies(response: httpx.Response) -> dict[str, Mapping[str, Any]]:
    body = json_body(response)
    replies = body.get("update") if isinstance(body, dict) else None
    if not isinstance(replies, list):
        raise unexpected("the shop answers with something other than a batch")
    return {str(reply.get("id")): reply for reply in replies if isinstance(reply, dict)}


def _products(response: httpx.Response) -> list[Product]:
    body = json_body(response)
    if not isinstance(body, list):
        raise unexpected("the shop answers with something other than a list of products")
    return [read(Product, product) for product in body]


def _total(response: httpx.Response, offset: int, listed: int) -> int:
    """How many there are in all. A page may be short of products that a plugin hides, so its length says little."""
    text = response.headers.get("X-WP-Total", "")
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_ID_DIGITS:
        return int(text)
    return offset + listed + (1 if listed >= PAGE_SIZE else 0)


def _woocommerce_code(response: httpx.Response) -> str | None:
    """WooCommerce's own error, as against a route that does not exist or a page of something else."""
    code = error_code(response)
    return code if code is not None and code.startswith(_WOOCOMMERCE_ERROR) else None


def _refused(write: LevelWrite, reason: str) -> WriteOutcome:
    return _outcome(write, WriteStatus.REFUSED, reason)


def _outcome(write: LevelWrite, status: WriteStatus, reason: str = "") -> WriteOutcome:
    return WriteOutcome(sku=write.item.sku, item_id=write.item.item_id, status=status, reason=reason)
