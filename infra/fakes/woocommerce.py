"""A WooCommerce shop that behaves as 10.0.2 was measured to: its REST API, its checkout and its webhooks.

It keeps its state in memory, takes the time from a clock that it is given, and hands each webhook delivery to `send`,
so that tests, simulations and demonstrations decide where it goes. As an `httpx.MockTransport` handler it is called in
process; `serve` puts it on loopback.
"""

import base64
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from infra.fakes.woocommerce_customers import Account, CustomerRoutes, Customers, buyer_members
from infra.fakes.woocommerce_requests import Json, Kind, Request, RestError, Trouble, Troubles, answer
from infra.fakes.woocommerce_rest import Routes
from infra.fakes.woocommerce_state import Order, OutOfStock, Product, Shop
from infra.fakes.woocommerce_webhooks import Send, Webhooks
from infra.local.answers import Answer
from infra.local.http_server import LoopbackServer, QuietHandler
from shared.kernel.clock import Clock

CONSUMER_KEY = "ck_made_up"
CONSUMER_SECRET = "cs_made_up"  # noqa: S105  # opens nothing but this fake

_API = "/wp-json/wc/v3"
_Handle = Callable[[str, str, str, bytes], Answer | None]
_TIMEOUT = 20.0
"""Seconds after which the caller no longer waits, in process."""


def _nowhere(_url: str, _headers: Mapping[str, str], _body: bytes) -> int:
    return 0


def _no_pause(_seconds: float) -> None:
    pass


class WooCommerceFake:
    """One shop. Safe to call from several threads: it does one thing at a time, as a small host does."""

    def __init__(
        self,
        clock: Clock,
        *,
        address: str = "shop.example",
        send: Send = _nowhere,
        pause: Callable[[float], None] = _no_pause,
    ) -> None:
        """`pause` passes the time that a slow answer takes: a virtual clock's advance, or a sleep when served."""
        self._pause = pause
        self._lock = threading.RLock()
        self.shop = Shop(clock, self._happened)
        self.webhooks = Webhooks(clock, send, f"https://{address}/", self._payload, self._lock)
        self.customers = Customers(clock, self._happened)
        self.routes = Routes(self.shop, self.webhooks, CustomerRoutes(self.customers))
        self.troubles = Troubles()
        self.seconds_per_item = 0.0
        """How long a request takes for each item of a batch; 0.026 was measured."""
        self.may_write = True
        """Whether our key has the permission to write."""
        self.requests: list[Request] = []
        """Every request that was made with the right key, throttled and failed ones too."""

    def _happened(self, topic: str, resource_id: int) -> None:
        self.webhooks.happened(topic, resource_id)

    def _payload(self, topic: str, resource_id: int) -> dict[str, object]:
        return self.routes.payload(topic, resource_id)

    # What people do in the shop

    def add_product(self, sku: str, stock: int = 0, *, manage_stock: bool = True, variable: bool = False) -> Product:
        with self._lock:
            kind = "variable" if variable else "simple"
            return self.shop.add_product(sku, stock, type=kind, manage_stock=manage_stock)

    def add_variation(self, parent: Product, sku: str, stock: int = 0, *, manage_stock: bool = True) -> Product:
        with self._lock:
            return self.shop.add_product(sku, stock, parent=parent, manage_stock=manage_stock)

    def shown(self, sku: str) -> int | float | None:
        """What the shop shows under a SKU; None where it does not count, or has no such SKU."""
        product = self.shop.by_sku(sku)
        counted = product.counted_with if product is not None else None
        return counted.stock if counted is not None else None

    def open_checkout(self, sku: str, units: int, buyer: Account | None = None) -> Order:
        """A buyer opens the block checkout: a draft exists and is announced, though it may never become an order.

        Raises:
            OutOfStock: the shop shows fewer units.
            LookupError: no product has the SKU.
        """
        with self._lock:
            lines = [(self._on_sale(sku, units), units)]
            order = self.shop.create_order(lines, "checkout-draft", "store-api", _members(buyer))
            self.shop.announce(order, "order.updated")
            return order

    def place(self, order: Order, *, status: str = "processing") -> Order:
        """The buyer pays: `order.updated` is announced before `order.created`."""
        with self._lock:
            self.shop.set_status(order, status)
            self.shop.announce(order, "order.created")
            return order

    def sell(
        self,
        sku: str,
        units: int,
        *,
        block_checkout: bool = True,
        status: str = "processing",
        buyer: Account | None = None,
    ) -> Order:
        """An order placed at the shop, by the block checkout or the classic one (see `open_checkout`).

        By a guest, or by a buyer who has an account, to where that says.
        """
        with self._lock:
            if block_checkout:
                return self.place(self.open_checkout(sku, units, buyer), status=status)
            lines = [(self._on_sale(sku, units), units)]
            order = self.shop.create_order(lines, status, "checkout", _members(buyer))
            self.shop.announce(order, "order.created", "order.updated")
            return order

    def _on_sale(self, sku: str, units: int) -> Product:
        product = self.shop.by_sku(sku)
        if product is None:
            raise LookupError(sku)
        counted = product.counted_with
        if counted is not None and counted.stock < units:
            raise OutOfStock(sku)
        return product

    def register(self, email: str, **members: str) -> Account:
        """A buyer makes an account.

        Raises:
            RestError: when another has the e-mail address.
        """
        with self._lock:
            return self.customers.register(email, **members)

    def edit_details(self, account: Account, **members: str) -> None:
        """The buyer changes `first_name`, `last_name` or `email`."""
        with self._lock:
            self.customers.edit_details(account, **members)

    def edit_address(self, account: Account, kind: str, **members: str) -> None:
        """The buyer changes the `billing` or `shipping` address, by WooCommerce's names."""
        with self._lock:
            self.customers.edit_address(account, kind, **members)

    def delete_account(self, account: Account) -> None:
        with self._lock:
            self.customers.delete(account)

    def deliver(self) -> int:
        """Run WordPress's queue once; the number of deliveries sent."""
        return self.webhooks.deliver()

    # What callers of its API meet

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """An `httpx.MockTransport` handler.

        Raises:
            httpx.ReadTimeout: where the shop was told to be silent, or to take longer than the caller waits.
        """
        reply = self._handle(request.method, str(request.url), request.headers.get("authorization", ""), request.read())
        if reply is None:
            raise httpx.ReadTimeout("the shop is silent", request=request)
        return httpx.Response(reply.status, content=reply.body, headers=dict(reply.headers))

    def serve(self, port: int = 0) -> LoopbackServer:
        """On loopback, until closed. Where the shop is silent, the connection is closed without an answer."""
        return LoopbackServer(port, partial(_Handler, self._handle))

    def _handle(self, method: str, url: str, authorization: str, body: bytes) -> Answer | None:
        with self._lock:
            if not _authorised(authorization):
                error = RestError(HTTPStatus.UNAUTHORIZED, "woocommerce_rest_authentication_error")
                return answer(error.body(), error.status)
            if method != "GET" and not self.may_write:
                error = RestError(HTTPStatus.UNAUTHORIZED, "woocommerce_rest_authentication_error")
                return answer(error.body(), error.status)
            parts = urlsplit(url)
            if not parts.path.startswith(_API):
                return answer(RestError(HTTPStatus.NOT_FOUND, "rest_no_route").body(), HTTPStatus.NOT_FOUND)
            query = dict(parse_qsl(parts.query))
            request = Request(method, parts.path.removeprefix(_API), query, json.loads(body) if body else {})
            self.requests.append(request)
            return self._troubled(request, self.troubles.next())

    def _troubled(self, request: Request, trouble: Trouble | None) -> Answer | None:
        reply = self._timed(request) if trouble is None or trouble.after else None
        if trouble is None:
            return reply
        match trouble.kind:
            case Kind.SILENT:
                self._pause(_TIMEOUT)
                return None
            case Kind.SLOW:
                self._pause(min(trouble.seconds, _TIMEOUT))
                return reply if trouble.seconds <= _TIMEOUT else None
            case Kind.THROTTLE | Kind.FAIL:
                headers = {"retry-after": trouble.retry_after} if trouble.retry_after is not None else {}
                return Answer(trouble.status, b"<html>Try again later</html>", {"content-type": "text/html", **headers})

    def _timed(self, request: Request) -> Answer | None:
        """Done, but not answered, when it takes longer than the caller waits: PHP goes on alone."""
        reply = self.routes.answer(request)
        seconds = self.seconds_per_item * len(request.body.get("update", [None]))
        if seconds:
            self._pause(min(seconds, _TIMEOUT))
        return reply if seconds <= _TIMEOUT else None


def _members(buyer: Account | None) -> Json | None:
    return buyer_members(buyer) if buyer is not None else None


class _Handler(QuietHandler):
    def __init__(self, handle: _Handle, *args: Any) -> None:
        self._handle = handle
        super().__init__(*args)

    def _reply(self) -> None:
        reply = self._handle(self.command, self.path, self.headers.get("Authorization", ""), self.read_body())
        if reply is None:
            self.close_connection = True
        else:
            self.answer(reply)

    do_GET = do_POST = do_PUT = do_DELETE = _reply  # noqa: N815  # http.server calls them so


def _authorised(header: str) -> bool:
    wanted = base64.b64encode(f"{CONSUMER_KEY}:{CONSUMER_SECRET}".encode()).decode()
    return hmac.compare_digest(header.encode(), f"Basic {wanted}".encode())
