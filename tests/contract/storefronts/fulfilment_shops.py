"""Shops of each vendor for the suite of fulfilment desks: what buyers and staff do there, and what they see."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from infra.fakes.shopify_admin import TOKEN, ShopifyAdmin
from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.samples import shopify
from shared.orders.dispatch import Dispatch
from shared.orders.models import FulfilmentLine, Parcel
from shared.storefronts.port import FulfilmentDesk
from shared.storefronts.shopify.fulfilment import ShopifyFulfilment
from shared.storefronts.woocommerce import dispatch_record, tracking_items
from shared.storefronts.woocommerce.fulfilment import WooCommerceFulfilment

Handler = Callable[[httpx.Request], httpx.Response]
Shown = list[tuple[dict[str, int], tuple[str, ...]]]
"""Units by line id and tracking numbers, for each consignment."""

LEFT_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def dispatch(
    number: int, units: Mapping[str, int], *tracking: str, delivered: bool = False, carrier: str | None = "DHL"
) -> Dispatch:
    return Dispatch(
        key=f"main/stock.shipment.out/{number}",
        lines=tuple(FulfilmentLine(line_id=line_id, quantity=quantity) for line_id, quantity in units.items()),
        parcels=tuple(Parcel(carrier=carrier, number=each, url=f"https://track.example/{each}") for each in tracking),
        left_at=LEFT_AT,
        delivered=delivered,
    )


class FulfilmentShop(ABC):
    """One vendor's shop with one order: two units of its first line, three of its second."""

    clock: VirtualClock
    order_id: str
    lines: tuple[str, str]

    @abstractmethod
    def handle(self, request: httpx.Request) -> httpx.Response: ...

    @abstractmethod
    def desk(self, handler: Handler | None = None) -> FulfilmentDesk:
        """One that knows nothing of earlier calls."""

    @abstractmethod
    def shown(self) -> Shown:
        """Of consignments that the buyer can see."""

    @abstractmethod
    def mails(self) -> Sequence[Any]:
        """What the shop wrote to the buyer of shipments, in order."""

    @abstractmethod
    def state(self) -> Any:
        """All that could differ."""

    @abstractmethod
    def enter_by_hand(self, units: Mapping[str, int], number: str) -> None: ...

    @abstractmethod
    def cancel_by_hand(self) -> None: ...

    @property
    @abstractmethod
    def completed(self) -> bool: ...

    @property
    @abstractmethod
    def cancelled(self) -> bool: ...

    @property
    @abstractmethod
    def writes(self) -> int:
        """How often something was written over the API."""


class ShopifyShop(FulfilmentShop):
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.fake = ShopifyAdmin(self.clock)
        self.writes_seen = 0
        shop = shopify.Shop()
        lines = [shop.line(11, quantity=2, sku="MUG"), shop.line(12, quantity=3, sku="PLATE")]
        self.fake.put_order(shop.order(*lines))
        self.order_id = str(shopify.ORDER_ID)
        self.lines = ("11", "12")
        self.order = self.fake.order(self.order_id)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.writes_seen += b'"query":"mutation' in request.content
        return self.fake.handler(request)

    def desk(self, handler: Handler | None = None) -> FulfilmentDesk:
        http = httpx.Client(transport=httpx.MockTransport(handler or self.handle))
        return ShopifyFulfilment("aurora", "aurora.myshopify.com", _token, http, self.clock)

    def shown(self) -> Shown:
        return [
            (
                {str(line["id"]): line["quantity"] for line in fulfilment["line_items"]},
                tuple(fulfilment["tracking_numbers"]),
            )
            for fulfilment in self.order["fulfillments"]
            if fulfilment["status"] == "success"
        ]

    def mails(self) -> Sequence[Any]:
        return list(self.fake.fulfilment.mails)

    def state(self) -> Any:
        events = [fulfilment["events"] for fulfilment in self.order["fulfillments"]]
        return self.fake.body(self.order_id), [list(each) for each in events]

    def enter_by_hand(self, units: Mapping[str, int], number: str) -> None:
        self.fake.fulfilment.ship(self.order, units, numbers=[number], notify=True)

    def cancel_by_hand(self) -> None:
        self.order |= {"cancelled_at": self.clock().isoformat(), "cancel_reason": "customer"}
        for line in self.order["line_items"]:
            line["fulfillable_quantity"] = 0
        for fulfilment_order in self.order["fulfillmentOrders"]:
            fulfilment_order["status"] = "CANCELLED"

    @property
    def completed(self) -> bool:
        return self.order["closed_at"] is not None and not self.cancelled

    @property
    def cancelled(self) -> bool:
        return self.order["cancelled_at"] is not None

    @property
    def writes(self) -> int:
        return self.writes_seen


class WooCommerceShop(FulfilmentShop):
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.fake = WooCommerceFake(self.clock)
        goods = [(self.fake.add_product("MUG", 9), 2), (self.fake.add_product("PLATE", 9), 3)]
        self.order = self.fake.shop.create_order(goods, "processing", "checkout")
        self.order_id = str(self.order.id)
        first, second = (str(line["id"]) for line in self.order.body["line_items"])
        self.lines = (first, second)

    def handle(self, request: httpx.Request) -> httpx.Response:
        return self.fake(request)

    def desk(self, handler: Handler | None = None) -> FulfilmentDesk:
        http = httpx.Client(transport=httpx.MockTransport(handler or self.handle))
        return WooCommerceFulfilment("borealis", "shop.example", _keys, http, self.clock)

    def shown(self) -> Shown:
        """As our record says; the extension must show the same numbers."""
        entries = dispatch_record.entries_in(self._meta(dispatch_record.META_KEY)).values()
        listed = [tracking_items.plain_number(item["tracking_number"]) for item in self.items()]
        told = [
            (
                {line.line_id: line.quantity for line in entry.lines},
                tuple(parcel.number for parcel in entry.parcels if parcel.number),
            )
            for entry in entries
        ]
        assert sorted(listed) == sorted(tracking_items.plain_number(each) for _, numbers in told for each in numbers)
        return told

    def items(self) -> list[Any]:
        return [item for value in self._meta(tracking_items.META_KEY) for item in value]

    def _meta(self, key: str) -> list[Any]:
        return [meta["value"] for meta in self.order.body["meta_data"] if meta["key"] == key]

    def mails(self) -> Sequence[Any]:
        return list(self.fake.shop.mails)

    def state(self) -> Any:
        return {**self.order.body, "date_modified": None, "date_modified_gmt": None}, list(self.order.notes)

    def enter_by_hand(self, units: Mapping[str, int], number: str) -> None:
        """The extension knows no lines."""
        del units
        item = {
            "tracking_provider": "dhl",
            "custom_tracking_provider": "",
            "custom_tracking_link": "",
            "tracking_number": number,
            "date_shipped": "1795392000",
            "tracking_id": "0cc175b9c0f1b6a831c399e269772661",
        }
        entry = {"key": tracking_items.META_KEY, "value": [*self.items(), item]}
        self.fake.shop.set_meta(self.order, [entry])

    def cancel_by_hand(self) -> None:
        self.fake.shop.set_status(self.order, "cancelled")

    @property
    def completed(self) -> bool:
        return self.order.status == "completed"

    @property
    def cancelled(self) -> bool:
        return self.order.status == "cancelled"

    @property
    def writes(self) -> int:
        return sum(request.method != "GET" for request in self.fake.requests)


def _token(*, fresh: bool = False) -> Mapping[str, str]:
    return {"access_token": TOKEN}


def _keys(*, fresh: bool = False) -> Mapping[str, str]:
    return {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
