"""Order notes and order meta of the fake shop, as WooCommerce 10.0.2 keeps them.

Notes are listed as a whole, newest first, with no pages. One for the customer is mailed when it is made, over REST as
in the admin, and a note alone makes no event. Source: WooCommerce's REST API documentation, "Order notes", and the
source of `WC_Order::add_order_note` and `WC_Data::update_meta_data`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from infra.fakes.woocommerce_requests import Json, invalid_parameter

_KINDS = {"any": (True, False), "customer": (True,), "internal": (False,)}


class Mail(NamedTuple):
    """What the shop wrote to a buyer."""

    order: int
    text: str


def new_note(note_id: int, wanted: Json, now: datetime) -> Json:
    """A note as the API shows it.

    Raises:
        RestError: 400 for one without a text.
    """
    text = wanted.get("note")
    if not isinstance(text, str) or not text.strip():
        raise invalid_parameter("note")
    created = now.replace(tzinfo=None, microsecond=0).isoformat()
    return {
        "id": note_id,
        "author": "system",
        "date_created": created,
        "date_created_gmt": created,
        "note": text,
        "customer_note": bool(wanted.get("customer_note", False)),
    }


def notes_of_kind(notes: Sequence[Json], kind: str) -> list[Json]:
    if kind not in _KINDS:
        raise invalid_parameter("type")
    return [note for note in reversed(notes) if note["customer_note"] in _KINDS[kind]]


def merge_meta(kept: list[Json], changes: Sequence[Json], ids: Iterator[int]) -> None:
    """By id where one is given, else by key: of several with one key the first takes the value, the others go.

    A value of null removes the entry.
    """
    for change in changes:
        key, value, wanted = str(change.get("key", "")), change.get("value"), change.get("id")
        if not wanted and not key:
            continue
        matches = [each for each in kept if (each["id"] == wanted if wanted else each["key"] == key)]
        entry = matches[0] if matches else _added(kept, next(ids))
        entry |= {"key": key or entry["key"], "value": value}
        for other in matches[1:]:
            other["value"] = None
        kept[:] = [each for each in kept if each["value"] is not None]


def _added(kept: list[Json], meta_id: int) -> dict[str, Any]:
    entry: Json = {"id": meta_id, "key": "", "value": None}
    kept.append(entry)
    return entry
