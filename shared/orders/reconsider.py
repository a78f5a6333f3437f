"""Look again at the orders that wait: stock may have come in, a SKU may be known now, the rules may have changed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from shared.kernel.errors import Retry
from shared.kernel.identifiers import OrderKey
from shared.orders.decision import Commit, decide
from shared.orders.intake import circumstances
from shared.orders.lifecycle import ReviewState
from shared.orders.ports import Desk
from shared.orders.record import OrderRecord


@dataclass(frozen=True)
class Reconsidered:
    key: OrderKey
    before: OrderRecord | None
    after: OrderRecord | None
    """None when nothing changed, or when the order could not be looked at now."""
    postponed: str = ""
    """Why it was left for the next run."""


def reconsider_shop(shop: str, desk: Desk) -> Iterator[Reconsidered]:
    """Review every waiting order of the shop, longest waiting first, so that scarce stock goes to who waits longest."""
    for key in desk.book.needing_attention(shop):
        yield reconsider(key, desk)


def reconsider(key: OrderKey, desk: Desk) -> Reconsidered:
    """Review one order against today's stock and rules; nothing is written when nothing changes."""
    try:
        return desk.retrying()(_reconsider, key, desk)
    except Retry as error:
        return Reconsidered(key, None, None, postponed=error.code)


def _reconsider(key: OrderKey, desk: Desk) -> Reconsidered:
    stored = desk.book.find(key)
    order = desk.book.find_account(key)
    if stored is None or order is None or not order.version.states_the_same(stored.version):
        return Reconsidered(key, stored, None, postponed="a newer account is on its way")
    if stored.review is ReviewState.CANCELLED and stored.settled:
        return Reconsidered(key, stored, None)
    around = replace(circumstances(desk, order, stored), occasion="review")
    commit = decide(order, stored, around)
    if not _changes_anything(commit, stored):
        return Reconsidered(key, stored, None)
    desk.book.commit(commit)
    return Reconsidered(key, stored, commit.record)


def _changes_anything(commit: Commit, stored: OrderRecord) -> bool:
    unchanged = {"revision": stored.revision, "cause": stored.cause}
    return bool(commit.changes) or commit.record.model_copy(update=unchanged) != stored
