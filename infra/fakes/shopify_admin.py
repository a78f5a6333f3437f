"""A Shopify shop that is not there: it runs Admin GraphQL on the published schema, keeps state, and bites.

Shape is Shopify's own: fields, arguments, inputs and variables are judged by its schema 2026-10. Behaviour is ours by
what is published: points, compare-and-set, idempotency, limits, error codes. It answers in process, as the handler of
an `httpx.MockTransport`, or on loopback (:func:`serve`), and misbehaves when told to (:class:`Fault`).
Source: shopify.dev, "Shopify API limits", "Implementing idempotency", `inventorySetQuantities`; the codes for a missing
key and a missing `changeFromQuantity` are as callers of live shops report them.
"""

import json
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo, execute_sync, get_directive_values

from infra.fakes.shopify_bucket import Bucket
from infra.fakes.shopify_cost import QueryCost, objects_in
from infra.fakes.shopify_customers import Customers
from infra.fakes.shopify_faults import Counters, Fault, Lost
from infra.fakes.shopify_fulfilment import Fulfilment, webhook_body
from infra.fakes.shopify_inventory import Inventory, Item, StockRules
from infra.fakes.shopify_payments import Payments
from infra.fakes.shopify_resolution import page_info, resolve, type_of
from infra.fakes.shopify_schema import admin_schema, checked
from infra.fakes.shopify_search import orders_changed
from infra.fakes.shopify_shop import Profile
from infra.fakes.shopify_subscriptions import Subscriptions
from infra.local.answers import Answer, json_answer
from infra.local.http_server import LoopbackServer, QuietHandler
from infra.local.shopify_schema import API_VERSION
from infra.samples.shopify import Shop, gid
from shared.kernel.clock import Clock

Json = dict[str, Any]
Info = GraphQLResolveInfo[Any]

LOCATION: Final = "61"
TOKEN: Final = "shpat-1"  # noqa: S105 - made up
MOST_POINTS: Final = 1000
"""What one query may ask for."""
LONGEST_INPUT: Final = 250
PATH: Final = f"/admin/api/{API_VERSION}/graphql.json"


class SoldOut(Exception):
    """The shop sells no more than it shows."""


@dataclass(frozen=True)
class Plan:
    """The shop's plan: its bucket of points. Shopify's Standard unless said otherwise."""

    maximum_available: float = 2000.0
    restore_rate: float = 100.0
    slow_work: timedelta = timedelta(seconds=30)
    """How long after its caller gave up slow work is done."""


@dataclass
class ShopifyAdmin:
    """One shop's Admin API. Not told otherwise, it has one location and no products."""

    clock: Clock
    plan: Plan = field(default_factory=Plan)
    stock_rules: StockRules = field(default_factory=StockRules)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    denied: set[str] = field(default_factory=set)
    """Root fields that our app has no scope for."""
    weather: Callable[[], Fault | None] = lambda: None
    """Asked at each request that no :meth:`expect` foresaw."""

    def __post_init__(self) -> None:
        self.bucket = Bucket(self.clock, self.plan.maximum_available, self.plan.restore_rate)
        self.inventory = Inventory(self.clock, self.stock_rules, {gid("Location", LOCATION)})
        self.profile = Profile({gid("Location", LOCATION): "Main warehouse"})
        self.counters = Counters()
        self._foreseen: deque[Fault | None] = deque()
        self._late: list[tuple[datetime, Callable[[], None]]] = []
        self._defers = False
        self._lock = threading.RLock()
        self._numbers = count(1001)
        self._catalogue: list[Item] = []
        self._by_sku: dict[str, Item] = {}
        self._objects: dict[str, Json] = {}
        self.fulfilment = Fulfilment(self.clock, self._numbers, self._objects, LOCATION, give_back=self._give_back)
        self.customers = Customers(self.clock, self._numbers)
        self.payments = Payments(self.clock, self._numbers)
        self.subscriptions = Subscriptions(self.clock, self._numbers)
        self._roots: dict[str, Callable[..., Any]] = {
            "fulfillment": self._object,
            "inventoryItem": self._object,
            "inventorySetQuantities": self._set_quantities,
            "node": self._object,
            "nodes": self._nodes,
            "order": self._object,
            "orders": lambda _info, **arguments: orders_changed(self._objects, arguments),
            "productVariants": self._variants,
            "refund": self._object,
            **self.customers.roots(),
            **self.fulfilment.roots(),
            **self.payments.roots(),
            **self.profile.roots(),
            **self.subscriptions.roots(),
        }

    # What the shop has

    def stock(self, sku: str | None, available: int | None, *, tracked: bool = True, mutable: bool = True) -> str:
        """Sell something new, and return its inventory item's number. None: it is not stocked at the location."""
        number = str(next(self._numbers))
        levels = {} if available is None else {gid("Location", LOCATION): available}
        item = Item(number, sku, tracked, mutable, levels)
        self.inventory.items[item.gid] = item
        self._catalogue.append(item)
        if sku:
            self._by_sku[sku] = item
        return number

    def delete(self, sku: str) -> None:
        item = self._by_sku.pop(sku)
        del self.inventory.items[item.gid]
        self._catalogue.remove(item)

    def shown(self, sku: str) -> int | None:
        return self._by_sku[sku].available.get(gid("Location", LOCATION))

    def written(self, sku: str) -> int:
        """How often this item was written by the API."""
        return self.inventory.writes[self._by_sku[sku].gid]

    def sell(self, sku: str, units: int) -> Json:
        """A buyer orders: the level falls at once, and this is the body of the webhook that follows.

        Raises:
            SoldOut: the shop shows fewer units, and counts them.
        """
        with self._lock:
            item = self._by_sku[sku]
            shown = self.shown(sku) or 0
            if item.tracked and shown < units:
                raise SoldOut(sku)
            item.available[gid("Location", LOCATION)] = shown - units
            order = self._order(item, units)
            self.put_order(order)
            # Not copied with the order: the variant's item is the shop's own.
            self.order(order["id"])["line_items"][0]["variant"] = _variant(item)
            return order

    def _order(self, item: Item, units: int) -> Json:
        shop, number = Shop(), next(self._numbers)
        line = shop.line(
            number,
            quantity=units,
            sku=item.sku,
            title=item.sku,
            name=item.sku,
            product_id=None,
            variant_id=int(item.number),
            variant_inventory_management="shopify" if item.tracked else None,
        )
        now = self.clock().isoformat()
        return shop.order(
            line,
            id=number,
            admin_graphql_api_id=gid("Order", number),
            name=f"#{number}",
            **dict.fromkeys(("created_at", "processed_at", "updated_at"), now),
        )

    def put_order(self, order: Json) -> None:
        """Know an order, given in the webhook's shape, with its refunds and fulfilments, but not its discounts.

        What can still be shipped of it waits in one fulfilment order at the shop's location.
        """
        kept = self._objects[order["admin_graphql_api_id"]] = deepcopy(order)
        for name in ("refunds", "fulfillments"):
            kept[name] = [{**part, "order": kept} for part in kept[name]]
            self._objects |= {part["admin_graphql_api_id"]: part for part in kept[name]}
        self.fulfilment.take_in(kept)

    def order(self, number: int | str) -> Json:
        """The order as the shop has it, in the webhook's shape with what GraphQL knows beyond. Not a copy."""
        return self._objects[gid("Order", number)]

    def body(self, number: int | str) -> Json:
        """The order as a webhook would state it now."""
        return webhook_body(self.order(number))

    def take_webhooks(self) -> list[Json]:
        """The bodies of `orders/updated` that shipping and cancelling caused since this was asked last."""
        with self._lock:
            return self.fulfilment.take_webhooks()

    def _give_back(self, order: Json) -> None:
        for line in order["line_items"]:
            item = self._by_sku.get(line["sku"])
            if item is not None:
                item.available[gid("Location", LOCATION)] += line["fulfillable_quantity"]

    # What goes wrong

    def expect(self, *faults: Fault | None) -> None:
        """Let the next requests meet these faults, one each; None lets one pass."""
        self._foreseen.extend(faults)

    def calm(self) -> None:
        """From now on all goes well."""
        self._foreseen.clear()
        self.weather = lambda: None

    def finish_late_work(self) -> None:
        """Do what slow requests left, as far as its time has come."""
        due = [work for at, work in self._late if at <= self.clock()]
        self._late = [(at, work) for at, work in self._late if at > self.clock()]
        for work in due:
            work()

    # How it answers

    def handler(self, request: httpx.Request) -> httpx.Response:
        """For `httpx.MockTransport`."""
        try:
            answer = self.answer(request.url.path, request.headers, request.content)
        except Lost as lost:
            failure = httpx.ReadTimeout if lost.waits_in_vain else httpx.ConnectError
            raise failure("the fake loses this answer", request=request) from lost
        return httpx.Response(answer.status, content=answer.body, headers=dict(answer.headers))

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one POST, or raise `Lost`. One at a time."""
        with self._lock:
            self.finish_late_work()
            self.counters.calls += 1
            self.counters.bytes_in += len(body)
            fault = self._foreseen.popleft() if self._foreseen else self.weather()
            answer = self._through(fault, path, headers, body)
            self.counters.bytes_out += len(answer.body)
            return answer

    def _through(self, fault: Fault | None, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if fault in {Fault.DROPPED, Fault.TIMED_OUT_BEFORE}:
            raise Lost(fault)
        if fault is Fault.FAILED_BEFORE:
            return _failed(HTTPStatus.SERVICE_UNAVAILABLE)
        if fault is Fault.THROTTLED:
            self.bucket.drain()
        self._defers = fault is Fault.SLOW
        answer = self._admitted(path, headers, body)
        if fault is Fault.DUPLICATED:
            answer = self._admitted(path, headers, body)
        if fault in {Fault.TIMED_OUT_AFTER, Fault.SLOW}:
            raise Lost(fault)
        return _failed(HTTPStatus.BAD_GATEWAY) if fault is Fault.FAILED_AFTER else answer

    def _admitted(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("x-shopify-access-token") not in self.tokens:
            return _failed(HTTPStatus.UNAUTHORIZED)
        if path != PATH:
            return _failed(HTTPStatus.NOT_FOUND)
        try:
            asked = json.loads(body)
            query, variables = asked["query"], asked.get("variables") or {}
        except (ValueError, TypeError, KeyError):
            return _failed(HTTPStatus.BAD_REQUEST)
        return json_answer(HTTPStatus.OK, self._run(query, variables), {"x-shopify-api-version": API_VERSION})

    def _run(self, query: str, variables: Mapping[str, Any]) -> Json:
        document = checked(query)
        if isinstance(document, tuple):
            return {"errors": [error.formatted for error in document]}
        cost = _cost(query)
        try:
            points = cost.points(variables)
        except GraphQLError as error:
            return {"errors": [error.formatted]}
        if points > MOST_POINTS:
            return _refused("MAX_COST_EXCEEDED", f"Query cost is {points}, which exceeds {MOST_POINTS}")
        if not self.bucket.take(points):
            self.counters.throttled += 1
            return {**_refused("THROTTLED", "Throttled"), **self._extensions(points, None)}
        result = execute_sync(
            admin_schema(),
            document,
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=type_of,
        )
        spent = points if cost.mutates else min(points, objects_in(result.data))
        self.bucket.give_back(points - spent)
        self.counters.points += spent
        return {**_formatted(result), **self._extensions(points, spent)}

    def _extensions(self, requested: int, actual: int | None) -> Json:
        cost = {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self.bucket.status(),
        }
        return {"extensions": {"cost": cost}}

    # How it resolves

    def _resolve(self, source: Any, info: Info, **arguments: Any) -> Any:
        if source is not None:
            return resolve(source, info, **arguments)
        if info.field_name in self.denied:
            raise _error("ACCESS_DENIED", f"Access denied for {info.field_name} field.")
        root = self._roots.get(info.field_name)
        if root is None:
            raise _not_modelled(info.field_name)
        return root(info, **arguments)

    def _object(self, _info: Info, id: str) -> Item | Json | None:  # noqa: A002 - the argument's name
        return self.inventory.items.get(id) or self._objects.get(id) or self.payments.transactions.get(id)

    def _nodes(self, info: Info, ids: list[str]) -> list[Item | Json | None]:
        _require_length(ids)
        return [self._object(info, one) for one in ids]

    def _variants(self, _info: Info, first: int, after: str | None = None, **others: Any) -> Json:
        """By number; a cursor is the number that it follows, so that no variant is missed or told twice."""
        if others.pop("sortKey", "ID") != "ID" or any(others.values()):
            raise _not_modelled("productVariants with a filter or another order")
        start = bisect_right(self._catalogue, int(after or 0), key=lambda item: int(item.number))
        found = self._catalogue[start : start + first]
        more = start + first < len(self._catalogue)
        return {
            "nodes": [_variant(item) for item in found],
            "edges": [{"node": _variant(item), "cursor": item.number} for item in found],
            "pageInfo": page_info([item.number for item in found], before=start > 0, after=more),
        }

    def _set_quantities(self, info: Info, input: Json) -> Json:  # noqa: A002 - the argument's name
        quantities = input["quantities"]
        _require_length(quantities)
        key = _idempotency_key(info)
        if not all("changeFromQuantity" in quantity for quantity in quantities):
            message = "InventoryQuantityInput must include the following argument: changeFromQuantity."
            raise _error("INVALID_FIELD_ARGUMENTS", message)
        if input["name"] == "on_hand":
            raise _not_modelled("stock on hand")
        return self.inventory.set_quantities(input, key, self._later if self._defers else None)

    def _later(self, work: Callable[[], None]) -> None:
        self._late.append((self.clock() + self.plan.slow_work, work))


@cache
def _cost(query: str) -> QueryCost:
    document = checked(query)
    if isinstance(document, tuple):
        raise TypeError("only a valid document has a cost")
    return QueryCost(admin_schema(), document)


def _variant(item: Item) -> Json:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", item.number),
        "sku": item.sku,
        "inventoryItem": item,
    }


def _idempotency_key(info: Info) -> str:
    """The key of the field's `@idempotent`, which the schema itself does not demand."""
    directive = info.schema.get_directive("idempotent")
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values) if directive else None
    if values is None:
        message = "The @idempotent directive is required for this mutation but was not provided."
        raise _error("BAD_REQUEST", message)
    key: str = values["key"]
    if not key.strip():
        raise _error("BAD_REQUEST", "The idempotency key cannot be empty.")
    return key


def _require_length(array: list[Any]) -> None:
    if len(array) > LONGEST_INPUT:
        message = f"The input array size of {len(array)} is greater than the maximum allowed of {LONGEST_INPUT}."
        raise _error("MAX_INPUT_SIZE_EXCEEDED", message)


def _error(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


def _not_modelled(what: str) -> GraphQLError:
    return _error("NOT_MODELLED", f"the fake shop does not model {what}")


def _refused(code: str, message: str) -> Json:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def _formatted(result: ExecutionResult) -> Json:
    formatted: Json = dict(result.formatted)
    return formatted


def _failed(status: HTTPStatus) -> Answer:
    return json_answer(status, {"errors": status.phrase})


def serve(shop: ShopifyAdmin, port: int = 0) -> LoopbackServer:
    """The shop on loopback, over plain HTTP. An answer that is lost closes the connection."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802  # http.server calls it so
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                self.answer(shop.answer(urlsplit(self.path).path, headers, self.read_body()))
            except Lost:
                self.close_connection = True

    return LoopbackServer(port, Handler)
