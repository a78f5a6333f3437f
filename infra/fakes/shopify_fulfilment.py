"""How orders are shipped, cancelled and closed in a Shopify shop that is not there.

Orders are kept in the webhook's REST shape, their fulfilment orders beside them under GraphQL's name. What the
mutations refuse, and why, is what the published schema 2026-10 says of them; their words are ours, for Shopify gives
no codes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from infra.samples.shopify import gid
from shared.kernel.clock import Clock

Json = dict[str, Any]

_NOT_IN_WEBHOOKS: Final = frozenset({"fulfillmentOrders", "variant", "order", "events", "__typename"})
_OPEN: Final = frozenset({"OPEN", "IN_PROGRESS"})


class Mail(NamedTuple):
    """What the shop wrote to a buyer."""

    order: str
    fulfilment: str
    numbers: tuple[str, ...]
    """Of tracking; none were known when it is empty."""


@dataclass
class Fulfilment:
    """The shop's shipping desk. `numbers` are the shop's, for whatever it creates."""

    clock: Clock
    numbers: Iterator[int]
    objects: dict[str, Json]
    location: str
    """Where everything ships from, unless an order is routed otherwise."""
    mails: list[Mail] = field(default_factory=list)
    caused: list[Json] = field(default_factory=list)
    """Bodies of `orders/updated`, oldest first, as they were at the time: Shopify does not build them later."""
    give_back: Callable[[Json], None] = lambda _order: None
    """Restock a cancelled order's goods."""

    def roots(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "fulfillmentCreate": self._create,
            "fulfillmentEventCreate": self._event,
            "fulfillmentOrder": lambda _info, id: self.objects.get(id),  # noqa: A006 - the argument's name
            "fulfillmentTrackingInfoUpdate": self._track,
            "orderCancel": self._cancel,
            "orderClose": self._close,
        }

    # What people do in the shop

    def take_in(self, order: Json) -> None:
        """One fulfilment order for all that is still to be shipped."""
        units = {str(line["id"]): line.get("fulfillable_quantity", 0) for line in order["line_items"]}
        self.route(order, {self.location: {line_id: number for line_id, number in units.items() if number}})

    def route(self, order: Json, units: Mapping[str, Mapping[str, int]], *, method: str = "SHIPPING") -> None:
        """Assign an order's units, by line id, to locations: a fulfilment order for each."""
        order["fulfillmentOrders"] = [
            self._fulfilment_order(order, location, share, method) for location, share in units.items() if share
        ]

    def _fulfilment_order(self, order: Json, location: str, units: Mapping[str, int], method: str) -> Json:
        lines = {str(line["id"]): line for line in order["line_items"]}
        made: Json = {
            "__typename": "FulfillmentOrder",
            "id": gid("FulfillmentOrder", next(self.numbers)),
            "status": "OPEN",
            "order": order,
            "deliveryMethod": {"__typename": "DeliveryMethod", "methodType": method},
            "assignedLocation": {
                "__typename": "FulfillmentOrderAssignedLocation",
                "location": {"__typename": "Location", "id": gid("Location", location)},
            },
            "lineItems": [
                {
                    "__typename": "FulfillmentOrderLineItem",
                    "id": gid("FulfillmentOrderLineItem", next(self.numbers)),
                    "totalQuantity": number,
                    "remainingQuantity": number,
                    "lineItem": lines[line_id],
                }
                for line_id, number in units.items()
            ],
        }
        self.objects[made["id"]] = made
        return made

    def ship(self, order: Json, units: Mapping[str, int], *, numbers: Sequence[str] = (), notify: bool = False) -> Json:
        """Staff ship units by hand, in the shop's admin, from whichever fulfilment orders have them.

        Raises:
            ValueError: the shop refuses.
        """
        left = Counter(units)
        asked: list[Json] = []
        for fulfilment_order in order["fulfillmentOrders"]:
            taken = []
            for line in fulfilment_order["lineItems"]:
                line_id = str(line["lineItem"]["id"])
                quantity = min(line["remainingQuantity"], left[line_id])
                left[line_id] -= quantity
                taken += [{"id": line["id"], "quantity": quantity}] if quantity else []
            if taken:
                asked.append({"fulfillmentOrderId": fulfilment_order["id"], "fulfillmentOrderLineItems": taken})
        fulfilment = {
            "lineItemsByFulfillmentOrder": asked,
            "notifyCustomer": notify,
            "trackingInfo": {"company": "DHL", "numbers": list(numbers)} if numbers else {},
        }
        payload = self._create(None, fulfillment=fulfilment)
        if payload["userErrors"]:
            raise ValueError(payload["userErrors"][0]["message"])
        made: Json = payload["fulfillment"]
        return made

    def undo(self, fulfilment: Json) -> None:
        """Staff cancel a fulfilment: its units are open again, in a fulfilment order of their own."""
        order = fulfilment["order"]
        fulfilment["status"] = "cancelled"
        units = {str(line["id"]): line["quantity"] for line in fulfilment["line_items"]}
        order["fulfillmentOrders"].append(self._fulfilment_order(order, self.location, units, "SHIPPING"))
        for line in order["line_items"]:
            line["fulfillable_quantity"] += units.get(str(line["id"]), 0)
        self._changed(order)

    def take_webhooks(self) -> list[Json]:
        """The bodies that wait to be sent."""
        caused, self.caused = self.caused, []
        return caused

    # What the API is asked

    def _create(self, _info: Any, *, fulfillment: Json, **_others: Any) -> Json:
        wanted = list(self._wanted(fulfillment["lineItemsByFulfillmentOrder"]))
        error = _refusal(fulfillment["lineItemsByFulfillmentOrder"], wanted)
        if error is not None:
            return {"fulfillment": None, "userErrors": [error]}
        fulfilment_orders = [each for each, _, _ in wanted]
        order = fulfilment_orders[0]["order"]
        units_of: Counter[str] = Counter()
        for _, line, units in wanted:
            units_of[str(line["lineItem"]["id"])] += units
        made = self._made(order, fulfilment_orders[0], units_of)
        _write_tracking(made, fulfillment.get("trackingInfo") or {})
        for fulfilment_order, line, units in wanted:
            line["remainingQuantity"] -= units
            line["lineItem"]["fulfillable_quantity"] -= units
            left = sum(each["remainingQuantity"] for each in fulfilment_order["lineItems"])
            fulfilment_order["status"] = "IN_PROGRESS" if left else "CLOSED"
        self._notify(made, wanted=fulfillment.get("notifyCustomer"))
        self._changed(order)
        return {"fulfillment": made, "userErrors": []}

    def _wanted(self, asked: Sequence[Json]) -> Iterator[tuple[Json, Json, int]]:
        """Fulfilment order, its line and the units; all that remains where no lines are named."""
        for each in asked:
            fulfilment_order = self.objects.get(each["fulfillmentOrderId"])
            if fulfilment_order is None:
                continue
            lines = {line["id"]: line for line in fulfilment_order["lineItems"]}
            named = each.get("fulfillmentOrderLineItems") or [
                {"id": id_, "quantity": line["remainingQuantity"]} for id_, line in lines.items()
            ]
            for item in named:
                if item["id"] in lines:
                    yield fulfilment_order, lines[item["id"]], item["quantity"]

    def _made(self, order: Json, fulfilment_order: Json, units: Mapping[str, int]) -> Json:
        number = next(self.numbers)
        now = self.clock().isoformat()
        made: Json = {
            "id": number,
            "admin_graphql_api_id": gid("Fulfillment", number),
            "created_at": now,
            "updated_at": now,
            "line_items": [
                {**line, "quantity": units[str(line["id"])]} for line in order["line_items"] if str(line["id"]) in units
            ],
            "location_id": int(fulfilment_order["assignedLocation"]["location"]["id"].rpartition("/")[2]),
            "order": order,
            "order_id": order["id"],
            "service": "manual",
            "shipment_status": None,
            "status": "success",
            "events": [],
        }
        self.objects[made["admin_graphql_api_id"]] = made
        order["fulfillments"].append(made)
        return made

    def _track(self, _info: Any, **asked: Any) -> Json:
        fulfilment = self.objects.get(asked["fulfillmentId"])
        if fulfilment is None or fulfilment["status"] == "cancelled":
            return {"fulfillment": None, "userErrors": [_error("Fulfillment does not exist.", "fulfillmentId")]}
        _write_tracking(fulfilment, asked["trackingInfoInput"])
        fulfilment["updated_at"] = self.clock().isoformat()
        self._notify(fulfilment, wanted=asked.get("notifyCustomer"))
        self._changed(fulfilment["order"])
        return {"fulfillment": fulfilment, "userErrors": []}

    def _event(self, _info: Any, **asked: Any) -> Json:
        event = asked["fulfillmentEvent"]
        fulfilment = self.objects.get(event["fulfillmentId"])
        if fulfilment is None:
            return {"fulfillmentEvent": None, "userErrors": [_error("Fulfillment does not exist.", "fulfillmentId")]}
        now = self.clock().isoformat()
        made: Json = {
            "__typename": "FulfillmentEvent",
            "id": gid("FulfillmentEvent", next(self.numbers)),
            "status": event["status"],
            "createdAt": now,
            "happenedAt": event.get("happenedAt") or now,
        }
        fulfilment.setdefault("events", []).append(made)
        fulfilment["shipment_status"] = event["status"].lower()
        self._changed(fulfilment["order"])
        return {"fulfillmentEvent": made, "userErrors": []}

    def _cancel(self, _info: Any, **asked: Any) -> Json:
        order = self.objects.get(asked["orderId"])
        refused = _cancel_refusal(order)
        if order is None or refused:
            return {"job": None, "orderCancelUserErrors": [refused], "userErrors": [refused]}
        now = self.clock().isoformat()
        order |= {"cancelled_at": now, "cancel_reason": asked["reason"].lower(), "closed_at": now}
        order["cancellation"] = {"staffNote": asked.get("staffNote"), "refundMethod": asked.get("refundMethod")}
        for fulfilment_order in order["fulfillmentOrders"]:
            if fulfilment_order["status"] != "CLOSED":
                fulfilment_order["status"] = "CANCELLED"
            for line in fulfilment_order["lineItems"]:
                line["remainingQuantity"] = 0
        if asked["restock"]:
            self.give_back(order)
        for line in order["line_items"]:
            line["fulfillable_quantity"] = 0
        if asked.get("notifyCustomer"):
            self.mails.append(Mail(order["admin_graphql_api_id"], "", ()))
        self._changed(order)
        job = {"__typename": "Job", "id": gid("Job", next(self.numbers)), "done": True}
        return {"job": job, "orderCancelUserErrors": [], "userErrors": []}

    def _close(self, _info: Any, **asked: Any) -> Json:
        order = self.objects.get(asked["input"]["id"])
        if order is None:
            return {"order": None, "userErrors": [_error("Order does not exist.", "id")]}
        order["closed_at"] = order["closed_at"] or self.clock().isoformat()
        self._changed(order)
        return {"order": order, "userErrors": []}

    def _notify(self, fulfilment: Json, *, wanted: bool | None) -> None:
        if wanted:
            order = fulfilment["order"]["admin_graphql_api_id"]
            numbers = tuple(fulfilment["tracking_numbers"])
            self.mails.append(Mail(order, fulfilment["admin_graphql_api_id"], numbers))

    def _changed(self, order: Json) -> None:
        """Words for how far the order is shipped, and the webhook that follows."""
        for line in order["line_items"]:
            shipped = _shipped(order, line["id"])
            line["fulfillment_status"] = _word(shipped, line["fulfillable_quantity"])
        left = sum(line["fulfillable_quantity"] for line in order["line_items"])
        order["fulfillment_status"] = _word(sum(_shipped(order, line["id"]) for line in order["line_items"]), left)
        order["updated_at"] = self.clock().isoformat()
        self.caused.append(webhook_body(order))


def webhook_body(order: Json) -> Json:
    """The order as a webhook states it: without what only GraphQL tells."""
    body: Json = _stated(order)
    return body


def _stated(value: Any) -> Any:
    if isinstance(value, list):
        return [_stated(item) for item in value]
    if isinstance(value, dict):
        return {name: _stated(item) for name, item in value.items() if name not in _NOT_IN_WEBHOOKS}
    return value


def _shipped(order: Json, line_id: int) -> int:
    return sum(
        line["quantity"]
        for fulfilment in order["fulfillments"]
        if fulfilment["status"] == "success"
        for line in fulfilment["line_items"]
        if line["id"] == line_id
    )


def _word(shipped: int, left: int) -> str | None:
    if not shipped:
        return None
    return "partial" if left else "fulfilled"


def _write_tracking(fulfilment: Json, tracking: Json) -> None:
    """One or many; a company that Shopify knows would make links of its own."""
    numbers = tracking.get("numbers") or ([tracking["number"]] if tracking.get("number") else [])
    urls = tracking.get("urls") or ([tracking["url"]] if tracking.get("url") else [])
    fulfilment |= {
        "tracking_company": tracking.get("company"),
        "tracking_number": numbers[0] if numbers else None,
        "tracking_numbers": numbers,
        "tracking_url": urls[0] if urls else None,
        "tracking_urls": urls,
    }


def _refusal(asked: Sequence[Json], wanted: Sequence[tuple[Json, Json, int]]) -> Json | None:
    named = sum(len(each.get("fulfillmentOrderLineItems") or [None]) for each in asked)
    if not wanted or len(wanted) < named:
        return _error("Fulfillment order does not exist.", "fulfillment")
    orders = [each for each, _, _ in wanted]
    if any(each["status"] not in _OPEN for each in orders):
        return _error("Fulfillment order has an unfulfillable status.", "fulfillment")
    if len({each["assignedLocation"]["location"]["id"] for each in orders}) > 1:
        return _error("All fulfillment orders must have the same assigned location.", "fulfillment")
    if len({each["deliveryMethod"]["methodType"] for each in orders}) > 1:
        return _error("All fulfillment orders must have the same delivery method type.", "fulfillment")
    if any(not 0 < units <= line["remainingQuantity"] for _, line, units in wanted):
        return _error("Invalid fulfillment order line item quantity requested.", "fulfillment")
    return None


def _cancel_refusal(order: Json | None) -> Json | None:
    if order is None:
        return {"code": "NOT_FOUND", **_error("Order does not exist.", "orderId")}
    if order["cancelled_at"]:
        return {"code": "INVALID", **_error("Order has already been cancelled.", "orderId")}
    if order["fulfillment_status"] == "fulfilled":
        return {"code": "INVALID", **_error("Cannot cancel a fulfilled order.", "orderId")}
    return None


def _error(message: str, *path: str) -> Json:
    return {"field": list(path), "message": message}
