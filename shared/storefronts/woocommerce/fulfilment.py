"""What we tell one WooCommerce shop of its orders, through its REST API v3.

WooCommerce has no shipments. A consignment is a note of the order, which WooCommerce mails to the buyer where it is a
customer's note, and two meta entries of the order: our own record, and the tracking numbers where the Shipment
Tracking extension reads them. REST knows no idempotency key, so the record comes first and says which note is meant,
with a mark that the note bears; a repeated call looks for the mark before it writes.
Source: WooCommerce's REST API documentation, "Orders" and "Order notes", and 10.0.2 as it was observed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

import httpx

from shared.kernel.answers import misfits_are
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.orders.dispatch import Dispatch
from shared.orders.models import FulfilmentLine, Parcel
from shared.storefronts.http import odd_answer
from shared.storefronts.lenient import NULL_IS_EMPTY, Lenient, OptionalDecimal, OptionalText, read
from shared.storefronts.port import Credentials
from shared.storefronts.woocommerce import dispatch_record, note_texts, tracking_items
from shared.storefronts.woocommerce.dispatch_record import Entry, Note, mark_for, mark_of, new_entry, new_note
from shared.storefronts.woocommerce.rest import RestApi, error_code, json_body, plain_code, require_ok, unexpected

SETTLING: Final = timedelta(seconds=60)
"""How long a note whose answer was lost may still be under way: PHP is commonly stopped after 30 s."""

_NOT_SHIPPABLE: Final = "not_shippable"
_NO_SUCH_ORDER: Final = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_invalid_order_id"})
_ORDER_ID: Final = re.compile(r"[1-9][0-9]{0,19}")
_SHIPS_NOTHING: Final = frozenset({"cancelled", "refunded", "failed", "trash", "checkout-draft"})
_MAY_BE_COMPLETED: Final = frozenset({"processing", "on-hold"})
_PAST_CANCELLING: Final = frozenset({"cancelled", "refunded", "trash"})


class _Meta(Lenient):
    key: OptionalText = None
    value: Any = None


class _Line(Lenient):
    id: str
    name: OptionalText = None
    quantity: OptionalDecimal = None


class _Order(Lenient):
    status: str
    line_items: Annotated[tuple[_Line, ...], NULL_IS_EMPTY] = ()
    meta_data: Annotated[tuple[_Meta, ...], NULL_IS_EMPTY] = ()

    def meta(self, key: str) -> list[Any]:
        return [meta.value for meta in self.meta_data if meta.key == key]


class _ListedNote(Lenient):
    id: str
    note: str = ""


@dataclass(slots=True)
class _Telling:
    """An order while it is told of its consignments."""

    order: _Order
    entries: dict[str, Entry]
    items: list[tracking_items.Item]
    intended: set[str] = field(default_factory=set)
    """Marks of notes that nobody meant to write before this call."""
    changed: bool = False

    @classmethod
    def of(cls, order: _Order) -> "_Telling":
        return cls(
            order,
            dispatch_record.entries_in(order.meta(dispatch_record.META_KEY)),
            tracking_items.items_in(order.meta(tracking_items.META_KEY)),
        )

    def put(self, entry: Entry, old: Sequence[Parcel], left_at: datetime) -> None:
        self.entries[entry.key] = entry
        self.items = tracking_items.merged(self.items, entry.key, old, entry.parcels, left_at)
        self.changed = True

    def waiting(self) -> list[tuple[Entry, Note]]:
        return [(entry, note) for entry in self.entries.values() for note in entry.notes if note.id is None]

    def others(self, parcels: Sequence[Parcel]) -> str | None:
        ours = {id_ for each in self.entries.values() for id_ in tracking_items.ids_of(each.key, each.parcels)}
        return tracking_items.entered_by_others(self.items, parcels, ours)


@misfits_are(odd_answer)
class WooCommerceFulfilment:
    """A `FulfilmentDesk`. `address` is the shop's own, `shop` its name in the settings.

    The REST key needs read and write permission. Each of our writes comes back as `order.updated`: harmless, for the
    order is then as we told it. Meta is written as a whole: what staff enter between our reading and our writing, a
    fraction of a second, is lost. WooCommerce does not say which units are refunded with an order, so a shipment is
    measured by what was ordered.
    """

    def __init__(self, shop: str, address: str, credentials: Credentials, http: httpx.Client, clock: Clock) -> None:
        self.shop = shop
        self._rest = RestApi(address, credentials, http)
        self._clock = clock

    def tell_dispatched(
        self, order_id: str, dispatches: Sequence[Dispatch], *, known: Mapping[str, str], notify_buyer: bool
    ) -> Mapping[str, str]:
        """Have the shop show the consignments (a `FulfilmentDesk`): ids are those of the notes.

        Where others entered the tracking number already, there is no note, and the id is their item's. A number that
        comes later gets a note of its own, for the buyer if the shop showed none before.

        Consignments that the shop refuses keep no other from being told; the first refusal is raised in the end.

        Raises:
            Retry: the shop is out of reach, throttles or fails; `storefront_outcome_unknown`, also for a minute after
                an answer was lost, while the note may still come.
            Rejected: `api_access`, `api_error`, `invalid_payload`, `unknown_order`, `not_shippable`.
        """
        telling = _Telling.of(self._order(order_id))
        refusals: list[Rejected] = []
        for dispatch in dispatches:
            try:
                self._intend(telling, order_id, dispatch, known.get(dispatch.key), notify_buyer=notify_buyer)
            except Rejected as error:
                refusals.append(error)
        if telling.changed:
            self._write_meta(order_id, telling)
        if telling.waiting():
            self._write_notes(order_id, telling)
            self._write_record(order_id, telling)
        if refusals:
            raise refusals[0]
        told = {each.key: telling.entries[each.key].shown_as for each in dispatches}
        return {key: shown for key, shown in told.items() if shown} | dict(known)

    def complete(
        self,
        order_id: str,
        dispatches: Sequence[Dispatch],  # noqa: ARG002 - the port's; WooCommerce knows no shipments
        *,
        known: Mapping[str, str],  # noqa: ARG002
    ) -> None:
        """Set the status to `completed`, of which WooCommerce mails the buyer; the shipments are told already.

        Raises:
            Retry, Rejected: as above; `not_shippable` unless the order is in `processing` or `on-hold`.
        """
        status = self._order(order_id).status
        if status == "completed":
            return
        if status not in _MAY_BE_COMPLETED:
            raise _not_shippable(f"the order's status at the shop is {plain_code(status) or 'unknown'}")
        self._update(order_id, {"status": "completed"})

    def cancel(self, order_id: str, reason: str) -> None:
        """Set the status to `cancelled`, with a note of the reason for the staff. What is refunded stays so.

        WooCommerce gives an order's stock back when it is cancelled, and cannot be told not to: the next level that
        we push sets the number right.

        Raises:
            Retry, Rejected: as above; `not_shippable` when the order is completed: its goods have left.
        """
        status = self._order(order_id).status
        if status in _PAST_CANCELLING:
            return
        if status == "completed":
            raise _not_shippable("the order is completed at the shop")
        mark = mark_for(self.shop, order_id, "cancelled")
        if all(mark not in note.note for note in self._notes(order_id)):
            self._write_note(order_id, note_texts.of_cancellation(reason, mark), to_buyer=False)
        self._update(order_id, {"status": "cancelled"})

    # What is to be told

    def _intend(
        self, telling: _Telling, order_id: str, dispatch: Dispatch, known: str | None, *, notify_buyer: bool
    ) -> None:
        entry = telling.entries.get(dispatch.key)
        if entry is not None:
            self._intend_tracking(telling, order_id, entry, dispatch, notify_buyer=notify_buyer)
            return
        found = known or telling.others(dispatch.parcels)
        if found is not None:
            telling.put(new_entry(dispatch, found=found), (), dispatch.left_at)
            return
        _require_shippable(telling, dispatch)
        note = new_note(mark_of(self.shop, order_id, dispatch), self._clock(), to_buyer=notify_buyer)
        telling.intended.add(note.mark)
        telling.put(new_entry(dispatch, notes=(note,)), (), dispatch.left_at)

    def _intend_tracking(
        self, telling: _Telling, order_id: str, entry: Entry, dispatch: Dispatch, *, notify_buyer: bool
    ) -> None:
        """A change of tracking; nothing that the shop shows is taken away when we have no number."""
        if entry.parcels == dispatch.parcels or not tracking_items.numbers_of(dispatch.parcels):
            return
        to_buyer = notify_buyer and not tracking_items.numbers_of(entry.parcels)
        changed = entry.model_copy(update={"parcels": dispatch.parcels})
        mark = mark_of(self.shop, order_id, dispatch, tracking=True)
        if all(note.mark != mark for note in entry.notes):
            telling.intended.add(mark)
            changed = changed.with_note(new_note(mark, self._clock(), to_buyer=to_buyer))
        telling.put(changed, entry.parcels, dispatch.left_at)

    # Writing

    def _write_meta(self, order_id: str, telling: _Telling) -> None:
        """Our record and the tracking numbers, in one write."""
        record = {"key": dispatch_record.META_KEY, "value": dispatch_record.as_text(telling.entries)}
        items = {"key": tracking_items.META_KEY, "value": telling.items}
        self._update(order_id, {"meta_data": [record, items] if telling.items else [record]})

    def _write_record(self, order_id: str, telling: _Telling) -> None:
        record = {"key": dispatch_record.META_KEY, "value": dispatch_record.as_text(telling.entries)}
        self._update(order_id, {"meta_data": [record]})

    def _write_notes(self, order_id: str, telling: _Telling) -> None:
        """Write those notes that are not there yet, and remember all of them."""
        listed = self._notes(order_id)
        for entry, note in telling.waiting():
            id_ = next((each.id for each in listed if note.mark in each.note), None)
            if id_ is None:
                self._require_settled(note, telling)
                id_ = self._write_note(order_id, _text(telling, entry, note), to_buyer=note.to_buyer)
            seen = note.model_copy(update={"id": id_})
            telling.entries[entry.key] = telling.entries[entry.key].with_note(seen)

    def _require_settled(self, note: Note, telling: _Telling) -> None:
        if note.mark not in telling.intended and self._clock() - note.intended_at < SETTLING:
            raise _outcome_unknown()

    def _write_note(self, order_id: str, text: str, *, to_buyer: bool) -> str:
        body = self._send(f"/orders/{order_id}/notes", {"note": text, "customer_note": to_buyer})
        return read(_ListedNote, body).id

    def _update(self, order_id: str, changes: Mapping[str, Any]) -> None:
        """WordPress takes a POST to a resource for its update, as it does a PUT."""
        self._send(f"/orders/{order_id}", changes)

    def _send(self, path: str, body: Mapping[str, Any]) -> Any:
        try:
            response = self._rest.post(path, body)
        except Retry as error:
            if error.code == "storefront_throttled":
                raise
            raise _outcome_unknown() from error
        _require_order(response)
        return json_body(response if response.status_code == HTTPStatus.CREATED else require_ok(response))

    # Reading

    def _order(self, order_id: str) -> _Order:
        if _ORDER_ID.fullmatch(order_id) is None:
            raise _unknown_order()
        response = self._rest.get(f"/orders/{order_id}")
        _require_order(response)
        return read(_Order, json_body(require_ok(response)))

    def _notes(self, order_id: str) -> list[_ListedNote]:
        """All of them: WooCommerce lists notes without pages."""
        response = self._rest.get(f"/orders/{order_id}/notes")
        _require_order(response)
        body = json_body(require_ok(response))
        if not isinstance(body, list):
            raise unexpected("the shop answers with something other than a list of notes")
        return [read(_ListedNote, note) for note in body]


def _text(telling: _Telling, entry: Entry, note: Note) -> str:
    if not entry.is_of_dispatch(note):
        return note_texts.of_tracking(entry.parcels, note.mark)
    names = {line.id: line.name or "" for line in telling.order.line_items}
    return note_texts.of_dispatch(entry.lines, names, entry.parcels, note.mark)


# What the shop does not take


def _require_shippable(telling: _Telling, dispatch: Dispatch) -> None:
    status = telling.order.status
    if status in _SHIPS_NOTHING:
        raise _not_shippable(f"the order's status at the shop is {status}")
    ordered = {line.id: line.quantity or 0 for line in telling.order.line_items}
    for line in dispatch.lines:
        if line.line_id not in ordered:
            raise _not_shippable("a line of this shipment is not, or no longer, part of the order")
        if _shipped(telling, line) + line.quantity > ordered[line.line_id]:
            raise _not_shippable("more units are shipped than the order has")


def _shipped(telling: _Telling, line: FulfilmentLine) -> int:
    shipped = (each for entry in telling.entries.values() for each in entry.lines)
    return sum(each.quantity for each in shipped if each.line_id == line.line_id)


def _require_order(response: httpx.Response) -> None:
    if response.status_code == HTTPStatus.NOT_FOUND and error_code(response) in _NO_SUCH_ORDER:
        raise _unknown_order()


def _unknown_order() -> Rejected:
    return Rejected("unknown_order", "the shop has no such order", field="order_id")


def _not_shippable(reason: str) -> Rejected:
    return Rejected(_NOT_SHIPPABLE, reason, field="order_id", hint="look at the order in the shop's admin")


def _outcome_unknown() -> Retry:
    return Retry("storefront_outcome_unknown", "the shop may have done it, and did not say")
