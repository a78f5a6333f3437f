"""What we tell one Shopify shop of its orders, through the Admin GraphQL API.

Shopify ships by fulfilment orders: each line's units wait in one or several of them, at a location. A consignment
becomes a fulfilment, or one for each location that its units are assigned to. There is no idempotency key for any of
these mutations, so before each the shop is asked what it shows, and only what is missing is told. A mutation whose
answer was lost may still be under way when it is repeated at once: callers leave some time between.
Source: shopify.dev, `FulfillmentOrder`, `fulfillmentCreate`, `fulfillmentTrackingInfoUpdate`, `orderCancel`, and the
published Admin schema 2026-10.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.orders.dispatch import Dispatch
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Credentials
from shared.storefronts.shopify.consignments import (
    OpenLine,
    Part,
    Recognised,
    Shipment,
    Units,
    assign,
    covers,
    joined,
    recognise,
    still_missing,
    take_parts,
    units_of,
)
from shared.storefronts.shopify.fulfilment_account import Account, Accounts, gid, shipment_id, unknown_order
from shared.storefronts.shopify.fulfilment_query import CANCEL, CLOSE, CREATE, DELIVERED, TRACK
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi, Node
from shared.storefronts.shopify.tracking import is_up_to_date, tracking_input

LONGEST_STAFF_NOTE: Final = 255

_SCOPES: Final = (
    "read_orders, write_orders, read_fulfillments, write_fulfillments, read_merchant_managed_fulfillment_orders, "
    "write_merchant_managed_fulfillment_orders"
)
_NOT_SHIPPABLE: Final = "not_shippable"
_WAITING: Final = {
    "ON_HOLD": ("the shop holds the lines back", "release the hold in the shop's admin, then send this again"),
    "SCHEDULED": ("the shop has scheduled the lines for later", "send this again when the shop has opened them"),
    "INCOMPLETE": ("the shop's fulfilment service gave the lines back", "assign them to a location again"),
}
_REASONS: Final = (
    ("delivery method", "its lines are delivered in different ways"),
    ("tracking", "the shop does not take the tracking number or link"),
    ("url", "the shop does not take the tracking number or link"),
    ("quantity", "the shop has fewer units open"),
    ("status", "the shop's fulfilment order is not open"),
    ("hold", "the shop holds the lines back"),
    ("location", "the shop does not ship from this location"),
)
"""What Shopify's messages speak of. They carry no code, and are not passed on: they may quote the order."""


@dataclass(slots=True)
class _Order:
    """One order while it is told of its consignments."""

    account: Account
    dispatches: Sequence[Dispatch]
    known: Mapping[str, str]
    recognised: Recognised

    def shown(self, dispatch: Dispatch) -> list[Shipment]:
        return self.recognised.shown[dispatch.key]

    def shown_in(self, shipment: Shipment) -> list[Dispatch]:
        """The consignments that this fulfilment stands for: staff may have entered several as one."""
        return [dispatch for dispatch in self.dispatches if shipment in self.shown(dispatch)]

    def ids(self) -> dict[str, str]:
        found = {dispatch.key: joined(self.shown(dispatch)) for dispatch in self.dispatches}
        return {key: ids for key, ids in found.items() if ids} | dict(self.known)


@misfits_are(odd_answer)
class ShopifyFulfilment:
    """A `FulfilmentDesk`. `address` is the shop's own (`name.myshopify.com`), `shop` its name in the settings.

    The app needs the scopes `read_orders`, `write_orders`, `read_fulfillments`, `write_fulfillments`,
    `read_merchant_managed_fulfillment_orders` and `write_merchant_managed_fulfillment_orders`, and the permission
    `fulfill_and_ship_orders`. Lines that a fulfilment service ships are not seen with them: they count as not open.

    What we tell comes back as `orders/updated`, like any other change.
    """

    def __init__(
        self,
        shop: str,
        address: str,
        credentials: Credentials,
        http: httpx.Client,
        clock: Clock,
        *,
        api_version: str = API_VERSION,
    ) -> None:
        self.shop = shop
        self._clock = clock
        self._api = AdminApi(address, credentials, http, api_version, scopes=_SCOPES)
        self._accounts = Accounts(self._api)

    def tell_dispatched(
        self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str], notify_buyer: bool
    ) -> Mapping[str, str]:
        """Have the shop show the consignments (a `FulfilmentDesk`): ids are those of its fulfilments.

        An id is a webhook's number of a fulfilment, or several with commas between. One that staff cancelled stays
        as it is. When a number comes later, the buyer is told of it if the shop showed none before.

        Consignments that the shop refuses keep no other from being told; the first refusal is raised in the end.

        Raises:
            Retry: as `AdminApi.ask`; `storefront_outcome_unknown`.
            Rejected: `api_access`, `api_error`, `unknown_order`, `not_shippable`.
        """
        order = self._order(order_id, dispatches, known)
        refusals: list[Rejected] = []
        for dispatch in dispatches:
            try:
                self._show(order, dispatch, notify_buyer=notify_buyer)
                self._tell_delivery(order, dispatch)
            except Rejected as error:
                if error.code != _NOT_SHIPPABLE:
                    raise
                refusals.append(error)
        if refusals:
            raise refusals[0]
        return order.ids()

    def complete(self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str]) -> None:
        """Show as delivered what was, and archive the order: Shopify has no completed orders.

        Raises:
            Retry, Rejected: as above; `not_shippable` when the order is cancelled.
        """
        order = self._order(order_id, dispatches, known)
        if order.account.cancelled:
            raise _cancelled()
        for dispatch in dispatches:
            self._tell_delivery(order, dispatch)
        if not order.account.closed:
            _judge(self._change(CLOSE, {"id": gid("Order", order_id)}))

    def cancel(self, order_id: str, reason: str) -> None:
        """Cancel the order; Shopify does so in a job of its own, shortly after.

        Authorised payments are voided by Shopify with every cancellation; what was paid stays where it is.

        Raises:
            Retry, Rejected: as above; `not_shippable` when the shop refuses, as it does what was shipped as a whole.
        """
        if self._accounts.state(order_id).cancelled:
            return
        errors = self._change(CANCEL, {"id": gid("Order", order_id), "note": reason[:LONGEST_STAFF_NOTE]})
        if not errors or self._accounts.state(order_id).cancelled:  # staff, or an earlier job of ours, came first
            return
        codes = {error.get("code") for error in errors}
        if "INTERNAL_ERROR" in codes:
            raise Retry("storefront_failed", "the shop fails to cancel the order")
        if "NOT_FOUND" in codes:
            raise unknown_order()
        raise _not_shippable("the shop refuses to cancel the order", hint="look at the order in the shop's admin")

    # Reading

    def _order(self, order_id: str, dispatches: Sequence[Dispatch], known: Mapping[str, str]) -> _Order:
        account = self._accounts.read(order_id)
        if any(dispatch.key not in known for dispatch in dispatches):
            for shipment in account.shipments:
                shipment.units = self._accounts.units_in(shipment)
        order = _Order(account, dispatches, known, recognise(dispatches, known, account.shipments))
        for dispatch in dispatches:
            _missing(order, dispatch)
        return order

    # Telling

    def _show(self, order: _Order, dispatch: Dispatch, *, notify_buyer: bool) -> None:
        missing = _missing(order, dispatch)
        self._update_tracking(order, dispatch, notify_buyer=notify_buyer)
        if missing:
            heard = bool(order.shown(dispatch))
            self._create(order, dispatch, missing, notify_buyer=notify_buyer and not heard)

    def _create(self, order: _Order, dispatch: Dispatch, missing: Units, *, notify_buyer: bool) -> None:
        """A fulfilment for each place; the buyer hears of the first alone, which is one consignment to them."""
        _require_open(order.account, missing)
        for parts in assign(missing, order.account.open_lines):
            tracking = tracking_input(dispatch.parcels)
            asked: Node = {
                "lineItemsByFulfillmentOrder": _by_fulfilment_order(parts),
                "notifyCustomer": notify_buyer,
                **({"trackingInfo": tracking} if tracking else {}),
            }
            result = self._ask(CREATE, {"fulfillment": asked})
            _judge(result["userErrors"])
            order.shown(dispatch).append(_created(result, dispatch))
            for part in parts:
                part.line.units -= part.units
            notify_buyer = False

    def _update_tracking(self, order: _Order, dispatch: Dispatch, *, notify_buyer: bool) -> None:
        standing = [shipment for shipment in order.shown(dispatch) if shipment.stands]
        notify = notify_buyer and not any(shipment.numbers for shipment in standing)
        for shipment in standing:
            parcels = tuple(parcel for each in order.shown_in(shipment) for parcel in each.parcels)
            if is_up_to_date(shipment, parcels):
                continue
            tracking = tracking_input(parcels)
            _judge(self._change(TRACK, {"id": gid("Fulfillment", shipment.id), "tracking": tracking, "notify": notify}))
            shipment.parcels = parcels
            notify = False

    def _tell_delivery(self, order: _Order, dispatch: Dispatch) -> None:
        for shipment in order.shown(dispatch):
            arrived = shipment.stands and all(each.delivered for each in order.shown_in(shipment))
            if arrived and not self._accounts.has_arrived(shipment):
                known_since = self._clock().isoformat()  # nobody says when it arrived
                _judge(self._change(DELIVERED, {"id": gid("Fulfillment", shipment.id), "at": known_since}))

    def _change(self, document: str, variables: Mapping[str, object]) -> list[Node]:
        """The mutation's user errors."""
        errors: list[Node] = self._ask(document, variables)["userErrors"]
        return errors

    def _ask(self, document: str, variables: Mapping[str, object]) -> Node:
        try:
            result = self._api.ask(document, variables).get("result")
        except Retry as error:
            if error.code == "storefront_throttled":
                raise
            raise _outcome_unknown() from error
        if not isinstance(result, dict):
            raise _outcome_unknown()
        return result


def _missing(order: _Order, dispatch: Dispatch) -> Units:
    """What is still to be told of a consignment.

    Where too few units are open, they may have been shown before: in parts, or as part of more.
    """
    shown = order.shown(dispatch)
    missing = Units() if dispatch.key in order.known else still_missing(dispatch, shown)
    if covers(order.account.open_lines, missing):
        return missing
    shown += take_parts(still_missing(dispatch, shown), order.recognised.spare)
    for shipment in order.account.shipments:
        missing = still_missing(dispatch, shown)
        spoken_for = sum((units_of(each) for each in order.shown_in(shipment)), Units())
        if missing and shipment.stands and missing <= shipment.units - spoken_for:
            shown.append(shipment)
    return still_missing(dispatch, shown)


def _created(result: Node, dispatch: Dispatch) -> Shipment:
    node = result["fulfillment"]
    if not isinstance(node, dict):
        raise _outcome_unknown()
    return Shipment(shipment_id(node), "SUCCESS", delivered=False, parcels=dispatch.parcels)


def _by_fulfilment_order(parts: Sequence[Part]) -> list[Node]:
    orders = dict.fromkeys(part.line.fulfilment_order for part in parts)
    return [
        {
            "fulfillmentOrderId": order,
            "fulfillmentOrderLineItems": [
                {"id": part.line.id, "quantity": part.units} for part in parts if part.line.fulfilment_order == order
            ],
        }
        for order in orders
    ]


# What the shop does not take


def _require_open(account: Account, missing: Units) -> None:
    if account.cancelled:
        raise _cancelled()
    if covers(account.open_lines, missing):
        return
    lines = [line for line in account.open_lines if line.line_id in missing]
    if missing.keys() - {line.line_id for line in lines}:
        raise _not_shippable(
            "the shop does not ship a line of this shipment, or no longer",
            hint="look whether the line was removed, or a fulfilment service ships it",
        )
    raise _waiting(lines) or _not_shippable("the shop has fewer units open", hint="look what was shipped or refunded")


def _waiting(lines: Iterable[OpenLine]) -> Rejected | None:
    waiting = next((line.status for line in lines if line.units > 0 and line.status in _WAITING), None)
    if waiting is None:
        return None
    reason, hint = _WAITING[waiting]
    return _not_shippable(reason, hint=hint)


def _judge(errors: Sequence[Node]) -> None:
    if not errors:
        return
    said = " ".join(f"{' '.join(error.get('field') or ())} {error.get('message')}" for error in errors).lower()
    reason = next((reason for word, reason in _REASONS if word in said), "the shop refuses to show it")
    raise _not_shippable(reason, hint="look at the order in the shop's admin")


def _cancelled() -> Rejected:
    return _not_shippable("the order is cancelled at the shop", hint="stop the goods, or have them come back")


def _not_shippable(reason: str, *, hint: str) -> Rejected:
    return Rejected(_NOT_SHIPPABLE, reason, field="order_id", hint=hint)


def _outcome_unknown() -> Retry:
    return Retry("storefront_outcome_unknown", "the shop may have done it, and did not say")
