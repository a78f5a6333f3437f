"""Answers of vendors, spoilt: real clients speak to the fakes, and some of what comes back is altered on the way.

The input seeds which answers are altered, and how. Whatever comes, a client ends after a bounded number of requests,
with a value or one of our own errors.
"""

import json
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from infra.fakes.odoo import DATABASE, OUR_KEY, FakeOdoo
from infra.fakes.paypal import CLIENT_ID, CLIENT_SECRET, FakePayPal
from infra.fakes.stripe import FakeStripe
from shared.backoffices.odoo.backoffice import OdooBackOffice
from shared.backoffices.port import BackOffice
from shared.kernel.errors import StorebridgeError
from shared.payments.paypal.client import PayPalClient
from shared.payments.port import AccountContext, PaymentFeed
from shared.payments.stripe.client import StripeClient
from shared.storefronts.port import CustomerRegister, FulfilmentDesk, StorefrontClient
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.inspection import ShopifyInspection
from shared.storefronts.shopify.mapping import read_order as read_shopify
from shared.storefronts.shopify.subscriptions import ShopifySubscriptions
from shared.storefronts.woocommerce.client import WooCommerceClient
from shared.storefronts.woocommerce.inspection import WooCommerceInspection
from shared.storefronts.woocommerce.mapping import read_order as read_woocommerce
from shared.storefronts.woocommerce.subscriptions import WooCommerceSubscriptions
from tests.contract.backoffices.erpnext_world import ErpNextWorld
from tests.contract.backoffices.jiandaoyun_world import JiandaoyunWorld
from tests.contract.backoffices.world import card
from tests.contract.storefronts import customer_shops, fulfilment_shops, woocommerce_customer_shop
from tests.contract.storefronts.customer_shops import ZOE
from tests.contract.storefronts.fulfilment_shops import dispatch
from tests.fuzz.engine import Target, altered, altered_json

Handler = Callable[[httpx.Request], httpx.Response]
_MOST_REQUESTS: Final = 400
_NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SINCE: Final = datetime(2026, 11, 20, tzinfo=UTC)
_STATUSES: Final = (200, 200, 200, 200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 417, 422, 429, 500, 502, 503)


class Endless(AssertionError):
    """The client goes on asking, for as long as it is answered."""


def spoilt(handler: Handler, seed: bytes) -> Handler:
    chance = random.Random(seed)  # noqa: S311 - repeats, and protects nothing
    share = chance.choice((0.1, 0.3, 1.0))
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked > _MOST_REQUESTS:
            raise Endless(f"{request.method} {request.url.path}")
        genuine = handler(request)
        if chance.random() > share:
            return genuine
        content = altered_json(genuine.content, chance)
        if chance.random() < 0.2:
            content = altered(content, b'{"a":[]}', chance)
        headers = {name: value for name, value in genuine.headers.items() if name.startswith(("content-type", "x-wp"))}
        if chance.random() < 0.2:
            headers |= {name: chance.choice(("", "-1", "9" * 30, "é", "x")) for name in headers}
        headers = {name: value.encode("utf-8") for name, value in headers.items()}  # type: ignore[misc]
        status = chance.choice(_STATUSES) if chance.random() < 0.2 else genuine.status_code
        return httpx.Response(status, content=content, headers=headers)

    return answer


def _http(handler: Handler) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handler))


def _tried(*calls: Callable[[], Any]) -> None:
    """Each by itself: that one is refused is no reason not to ask the next."""
    for call in calls:
        with suppress(StorebridgeError):
            call()


def _feed(feed: PaymentFeed, payment_id: str) -> None:
    def walk() -> None:
        cursor = None
        for _ in range(20):
            page = feed.settled(_SINCE, _NOW, cursor)
            cursor = page.cursor
            if cursor is None:
                return

    _tried(walk, feed.balances, lambda: feed.payment(payment_id))


def _stripe(data: bytes) -> None:
    fake = FakeStripe("sk_made_up_1")
    paid = [fake.charge(1000 + number, "EUR", _SINCE + timedelta(minutes=number)) for number in range(3)]
    fake.refund(paid[0], 10, _SINCE + timedelta(hours=1))
    fake.pay_out("EUR", _SINCE + timedelta(days=1), arrives=_SINCE + timedelta(days=2))
    keys = lambda **_: {"secret_key": "sk_made_up_1"}  # noqa: E731
    http = _http(spoilt(fake, data))
    _feed(StripeClient(AccountContext("stripe-eu"), None, keys, http, lambda: _NOW), paid[0])


def _paypal(data: bytes) -> None:
    fake = FakePayPal(lambda: _NOW)
    paid = [fake.pay(1000 + number, "EUR", _SINCE + timedelta(minutes=number)) for number in range(3)]
    keys = lambda **_: {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}  # noqa: E731
    http = _http(spoilt(fake, data))
    _feed(PayPalClient(AccountContext("paypal-eu"), None, keys, http, lambda: _NOW), paid[0])


def _office(office: BackOffice) -> None:
    _tried(
        office.identify,
        office.missing_rights,
        office.warehouses,
        office.taxes,
        office.payment_methods,
        lambda: office.products(["MUG", "FEE"]),
        lambda: office.find_customer("aurora/customer/1"),
        lambda: office.save_customer(card("aurora/customer/2")),
        lambda: office.changed_customers(_SINCE, None),
        lambda: office.find_sale("aurora/5001"),
        lambda: office.changed_sales(_SINCE, None),
        office.accounts,
        lambda: office.posted_journal("2026-11-23"),
        lambda: office.stock(["MUG", "CAP"], "Stores - EX"),
        lambda: office.changed_stock(_SINCE, None),
    )


def _erpnext(data: bytes) -> None:
    world = ErpNextWorld()
    world.office.save_customer(card("aurora/customer/1"))
    _office(world._client(_http(spoilt(world.fake.answer, data))))


def _jiandaoyun(data: bytes) -> None:
    world = JiandaoyunWorld()
    world.office.save_customer(card("aurora/customer/1"))
    _office(world._client(_http(spoilt(world.fake.answer, data))))


def _odoo(data: bytes) -> None:
    fake = FakeOdoo(lambda: _NOW)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]})
        told = fake.answer(request.url.path, dict(request.headers), json.loads(request.content))
        return httpx.Response(told.status, content=told.body)

    keys = lambda **_: {"api_key": OUR_KEY}  # noqa: E731
    _office(OdooBackOffice("https://odoo.example.test", DATABASE, keys, _http(spoilt(answer, data))))


def _shop(client: StorefrontClient, order_id: str, read: Callable[[Any], Any]) -> None:
    def fetched() -> None:
        found = client.fetch_order(order_id)
        if found is not None:
            read(found)

    _tried(fetched, lambda: client.changed_orders(_SINCE - timedelta(days=30), _NOW, None))


def _desk(desk: FulfilmentDesk, order_id: str, lines: tuple[str, str]) -> None:
    gone = [dispatch(1, {lines[0]: 2}, "TRACK-1")]
    _tried(
        lambda: desk.tell_dispatched(order_id, gone, known={}, notify_buyer=False),
        lambda: desk.complete(order_id, gone, known={}),
        lambda: desk.cancel(order_id, "out of stock"),
    )


def _register(register: CustomerRegister, shop: customer_shops.CustomerShop, customer_id: str) -> None:
    def fetched() -> None:
        found = register.fetch(customer_id)
        if found is not None:
            shop.reader(found)

    _tried(fetched, lambda: register.changed(_SINCE - timedelta(days=30), _NOW, None))


def _shopify(data: bytes) -> None:
    shop = fulfilment_shops.ShopifyShop()
    handler = spoilt(shop.handle, data)
    http = _http(handler)
    address = "aurora.myshopify.com"
    _shop(ShopifyClient("aurora", address, _token, http, shop.clock), shop.order_id, read_shopify)
    _desk(shop.desk(handler), shop.order_id, shop.lines)
    subscriptions = ShopifySubscriptions(address, _token, http)
    _tried(
        subscriptions.list,
        lambda: subscriptions.create("orders/create", "https://hooks.example/webhooks/aurora/orders", ""),
        ShopifyInspection(address, _token, http).facts,
    )


def _woocommerce(data: bytes) -> None:
    shop = fulfilment_shops.WooCommerceShop()
    handler = spoilt(shop.handle, data)
    http = _http(handler)
    _shop(WooCommerceClient("borealis", "shop.example", _keys, http, shop.clock), shop.order_id, read_woocommerce)
    _desk(shop.desk(handler), shop.order_id, shop.lines)
    subscriptions = WooCommerceSubscriptions("shop.example", _keys, http)
    _tried(
        subscriptions.list,
        lambda: subscriptions.create("order.created", "https://hooks.example/webhooks/borealis/orders", "s"),
        WooCommerceInspection("shop.example", _keys, http).facts,
    )


def _persons(make: Callable[[], customer_shops.CustomerShop], data: bytes) -> None:
    shop = make()
    customer_id = shop.register(ZOE)
    _register(shop.desk(spoilt(shop.handle, data)), shop, customer_id)


def _token(*, fresh: bool = False) -> Mapping[str, str]:
    return fulfilment_shops._token(fresh=fresh)


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return fulfilment_shops._keys(fresh=fresh)


def _seeds() -> list[bytes]:
    return [b"0", b"1", b"2"]


TARGETS: Final[Mapping[str, Target]] = {
    f"answers_{name}": Target(run, _seeds)
    for name, run in {
        "stripe": _stripe,
        "paypal": _paypal,
        "erpnext": _erpnext,
        "jiandaoyun": _jiandaoyun,
        "odoo": _odoo,
        "shopify": _shopify,
        "woocommerce": _woocommerce,
        "persons_shopify": lambda data: _persons(customer_shops.ShopifyShop, data),
        "persons_woocommerce": lambda data: _persons(woocommerce_customer_shop.WooCommerceShop, data),
    }.items()
}
"""The input is a seed and nothing more: guiding it by coverage finds nothing, growing it is as good as counting."""
