"""Take in what the back office's warehouse has sent: the goods leave the stock, and the storefront is to hear of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.kernel.errors import Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import decide
from shared.orders.dispatch import Dispatch, digest, units_by_line
from shared.orders.intake import circumstances
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord
from shared.orders.release import required


def note_dispatches(key: OrderKey, dispatches: Sequence[Dispatch], desk: Desk) -> OrderRecord:
    """Bring the record up to all consignments so far. Called again with the same it writes nothing.

    Raises:
        Rejected: `unknown_order`.
        Retry: the order's newest account is still on its way into the record, or the store is out of reach.
    """
    told = digest(dispatches)
    while True:
        record = desk.retrying()(_note, key, dispatches, told, desk)
        if record.settled:
            return record


def _note(key: OrderKey, dispatches: Sequence[Dispatch], told: str, desk: Desk) -> OrderRecord:
    stored = required(key, desk)
    if stored.dispatches == told and stored.settled:
        return stored
    order = desk.book.find_account(key)
    if order is None or not order.version.states_the_same(stored.version):
        raise Retry("account_ahead", f"a newer account of order {key} is on its way into the record")
    around = replace(circumstances(desk, order, stored), occasion="dispatch", dispatched=_left(dispatches))
    delivered = bool(dispatches) and all(dispatch.delivered for dispatch in dispatches)
    informed = stored.model_copy(update={"dispatches": told, "delivered": delivered})
    commit = decide(order, informed, around)
    desk.book.commit(commit)
    return commit.record


def _left(dispatches: Sequence[Dispatch]) -> dict[str, tuple[int, datetime | None]]:
    """Units by line, and when the last of them left."""
    times = {
        line.line_id: max(one.left_at for one in dispatches if line.line_id in {each.line_id for each in one.lines})
        for dispatch in dispatches
        for line in dispatch.lines
    }
    return {line_id: (units, times.get(line_id)) for line_id, units in units_by_line(dispatches).items()}
