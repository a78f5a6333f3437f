"""An operator cancels an order."""

from shared.kernel.identifiers import OrderKey
from shared.orders import decision
from shared.orders.intake import circumstances
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord
from shared.orders.release import required


def cancel(key: OrderKey, desk: Desk, *, by: str) -> OrderRecord:
    """Cancel for good and give back what was allocated; later accounts by the storefront do not revive it.

    Raises:
        Rejected: `unknown_order` or `already_cancelled`.
        Retry: the record kept changing, or the store is out of reach.
    """
    while True:
        record = desk.retrying()(_cancel, key, desk, by)
        if record.settled:
            return record


def _cancel(key: OrderKey, desk: Desk, by: str) -> OrderRecord:
    stored = required(key, desk)
    commit = decision.cancel(stored, circumstances(desk, None, stored), by=by)
    desk.book.commit(commit)
    return commit.record
