"""What we wrote into a WooCommerce order of its consignments: our own meta entry, for WooCommerce knows none.

It is kept as JSON text, which PHP hands back as it was: of arrays and objects it would not know which is which. The
entry says which notes are meant to be there before they are, with the mark that each bears, so that a note whose
answer was lost is looked for and not written twice.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from shared.kernel.model import QUIET, Canonical
from shared.orders.dispatch import Dispatch
from shared.orders.models import FulfilmentLine, Parcel

META_KEY: Final = "_storebridge_dispatches"

_MARK_LENGTH: Final = 12


class Note(Canonical):
    """A note of the order, written or to be written."""

    mark: str
    to_buyer: bool
    """WooCommerce mails such a note to the buyer when it is made."""
    intended_at: AwareDatetime
    id: str | None = None
    """The shop's; None until the note was seen there."""


class Entry(Canonical):
    """One consignment as the shop was told of it."""

    key: str
    lines: tuple[FulfilmentLine, ...]
    parcels: tuple[Parcel, ...]
    found: str | None = None
    """The shop's id of what others had entered, where we wrote no note of the dispatch."""
    notes: tuple[Note, ...] = ()
    """That of the dispatch first, unless it was found; then one for each change of tracking."""

    @property
    def shown_as(self) -> str | None:
        """The shop's own id for it."""
        return self.found or (self.notes[0].id if self.notes else None)

    def is_of_dispatch(self, note: Note) -> bool:
        return self.found is None and note == self.notes[0]

    def with_note(self, note: Note) -> "Entry":
        """With this note in place of the one with its mark, or as the last."""
        others = [each.mark for each in self.notes]
        if note.mark not in others:
            return self.model_copy(update={"notes": (*self.notes, note)})
        notes = tuple(note if each.mark == note.mark else each for each in self.notes)
        return self.model_copy(update={"notes": notes})


_ENTRIES: Final = TypeAdapter(tuple[Entry, ...], config=QUIET)


def entries_in(values: Iterable[Any]) -> dict[str, Entry]:
    """Our entries by key. What cannot be read counts as absent: the notes' marks are still in the shop."""
    entries: dict[str, Entry] = {}
    for value in values:
        try:
            entries |= {entry.key: entry for entry in _ENTRIES.validate_json(str(value))}
        except ValidationError:
            continue
    return entries


def as_text(entries: Mapping[str, Entry]) -> str:
    return json.dumps(_ENTRIES.dump_python(tuple(entries.values()), mode="json"), separators=(",", ":"))


def mark_of(shop: str, order_id: str, dispatch: Dispatch, *, tracking: bool = False) -> str:
    """What a note bears, so that it is found again: the same each time for the same dispatch, or its same tracking."""
    parcels = [parcel.model_dump() for parcel in dispatch.parcels] if tracking else None
    return mark_for(shop, order_id, dispatch.key, parcels)


def mark_for(*parts: object) -> str:
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"Ref. {digest[:_MARK_LENGTH].upper()}"


def new_note(mark: str, now: datetime, *, to_buyer: bool) -> Note:
    return Note(mark=mark, to_buyer=to_buyer, intended_at=now)


def new_entry(dispatch: Dispatch, *, found: str | None = None, notes: Sequence[Note] = ()) -> Entry:
    return Entry(key=dispatch.key, lines=dispatch.lines, parcels=dispatch.parcels, found=found, notes=tuple(notes))
