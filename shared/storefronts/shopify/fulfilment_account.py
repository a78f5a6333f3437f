"""What a shop shows of an order's shipments, and what it has still to ship: read through the Admin GraphQL API."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.kernel.errors import Rejected, Retry
from shared.orders.models import Parcel
from shared.storefronts.shopify.consignments import OpenLine, Shipment, Units
from shared.storefronts.shopify.fulfilment_query import EVENTS, OPEN_LINES, ORDER, SHIPPED_LINES, STATE
from shared.storefronts.shopify.graphql import AdminApi, Node


@dataclass(slots=True)
class Account:
    """One order as the shop has it."""

    cancelled: bool
    closed: bool
    shipments: list[Shipment]
    open_lines: list[OpenLine]


class Accounts:
    """Reads from one shop.

    Raises (every method):
        Retry, Rejected: as `AdminApi.ask`; `unknown_order`.
    """

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    def read(self, order_id: str) -> Account:
        """With all fulfilment orders that our scopes let us see; the fulfilments' units are left to `units_in`."""
        pages = list(self._orders(order_id))
        first = pages[0]
        return Account(
            cancelled=first["cancelledAt"] is not None,
            closed=first["closed"],
            shipments=[_shipment(node) for node in first["fulfillments"]],
            open_lines=[
                line
                for page in pages
                for fulfilment_order in page["fulfillmentOrders"]["nodes"]
                for line in self._open_lines(fulfilment_order)
            ],
        )

    def state(self, order_id: str) -> Account:
        """Whether it is cancelled or closed, and nothing else."""
        order = self._order(STATE, order_id, None)
        return Account(order["cancelledAt"] is not None, order["closed"], [], [])

    def units_in(self, shipment: Shipment) -> Units:
        units: Units = Counter()
        for node in self._nodes(SHIPPED_LINES, gid("Fulfillment", shipment.id)):
            units[_digits(node["line"]["id"])] += node["quantity"] or 0
        return units

    def has_arrived(self, shipment: Shipment) -> bool:
        """Whether one of its events, ours or the carrier's, says that it was delivered."""
        if shipment.delivered:
            return True
        return any(node["status"] == "DELIVERED" for node in self._nodes(EVENTS, gid("Fulfillment", shipment.id)))

    def _orders(self, order_id: str) -> Iterator[Node]:
        after: str | None = None
        while True:
            order = self._order(ORDER, order_id, after)
            yield order
            page = order["fulfillmentOrders"]["pageInfo"]
            if not page["hasNextPage"]:
                return
            after = page["endCursor"]

    def _order(self, document: str, order_id: str, after: str | None) -> Node:
        variables = {"id": gid("Order", order_id)} | ({"after": after} if after else {})
        order = self._api.ask(document, variables).get("order")
        if not isinstance(order, dict):
            raise unknown_order()
        return order

    def _open_lines(self, fulfilment_order: Node) -> Iterator[OpenLine]:
        page = fulfilment_order["lineItems"]
        nodes = list(page["nodes"])
        if page["pageInfo"]["hasNextPage"]:
            nodes += self._nodes(OPEN_LINES, fulfilment_order["id"], page["pageInfo"]["endCursor"])
        location = fulfilment_order["assignedLocation"]["location"] or {}
        method = fulfilment_order["deliveryMethod"] or {}
        for node in nodes:
            yield OpenLine(
                fulfilment_order=fulfilment_order["id"],
                id=node["id"],
                line_id=_digits(node["line"]["id"]),
                status=fulfilment_order["status"],
                place=(location.get("id", ""), method.get("methodType", "")),
                units=node["remainingQuantity"],
            )

    def _nodes(self, document: str, id_: str, after: str | None = None) -> Iterator[Any]:
        while True:
            found = self._api.ask(document, {"id": id_, "after": after}).get("found")
            if not isinstance(found, dict):
                raise Retry("order_changed", "the order changed while it was read")
            yield from found["page"]["nodes"]
            page = found["page"]["pageInfo"]
            if not page["hasNextPage"]:
                return
            after = page["endCursor"]


def gid(kind: str, number: str) -> str:
    return f"gid://shopify/{kind}/{number}"


def unknown_order() -> Rejected:
    return Rejected("unknown_order", "the shop has no such order", field="order_id")


def shipment_id(node: Node) -> str:
    """The number by which webhooks call a fulfilment."""
    return _digits(node["id"])


def _shipment(node: Node) -> Shipment:
    return Shipment(
        id=shipment_id(node),
        status=node["status"],
        delivered=node["displayStatus"] == "DELIVERED",
        parcels=tuple(
            Parcel(carrier=item["company"] or None, number=item["number"] or None, url=item["url"] or None)
            for item in node["trackingInfo"]
        ),
    )


def _digits(global_id: str) -> str:
    return global_id.rpartition("/")[2].partition("?")[0]
