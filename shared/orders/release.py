"""An operator overrules what holds an order."""

from shared.kernel.errors import Rejected
from shared.kernel.identifiers import OrderKey
from shared.orders import decision
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord


def release(key: OrderKey, desk: Desk, *, by: str) -> OrderRecord:
    """Send a held or approved order to the warehouse. The overruled reasons will not hold it again.

    Raises:
        Rejected: `unknown_order`, or `not_releasable` when it is cancelled or already released.
        Retry: the record kept changing, or the store is out of reach.
    """
    return desk.retrying()(_release, key, desk, by)


def _release(key: OrderKey, desk: Desk, by: str) -> OrderRecord:
    commit = decision.release(required(key, desk), desk.clock(), by=by)
    desk.book.commit(commit)
    return commit.record


def required(key: OrderKey, desk: Desk) -> OrderRecord:
    """The record, or `Rejected` with code `unknown_order`."""
    stored = desk.book.find(key)
    if stored is None:
        raise Rejected("unknown_order", f"there is no order {key}", field="order")
    return stored
