"""Take a customer that is to be erased out of the person it was merged into. The others stay together."""

from collections.abc import Sequence

from shared.customers.commits import MergeCommit
from shared.customers.merges import Merge, MergeReason, Moved, precedence
from shared.customers.ports import CustomerBook
from shared.customers.record import CustomerRecord
from shared.inventory.models import Cause
from shared.kernel.clock import Clock
from shared.kernel.identifiers import CustomerKey

BY = "erasure"
_REASON = MergeReason(kind=BY, weight=0)


def leave(record: CustomerRecord, book: CustomerBook, clock: Clock) -> CustomerRecord:
    """Afterwards the customer goes by itself, and nobody by it; the record as it is then. Repeated, it changes nothing.

    Whoever joins somebody to it meanwhile changes its record, so that a commit on the returned one is refused.

    Raises:
        Conflict: one of the records changed meanwhile. Read again, do it again.
    """
    if not record.is_leader:
        record = _part(record, book, clock)
    followers = [key for key in book.members(record.key) if key != record.key]
    if followers:
        _hand_over(record, followers, book, clock)
    _undo(record.key, book, clock)
    return record


def _part(record: CustomerRecord, book: CustomerBook, clock: Clock) -> CustomerRecord:
    """A member goes by itself again; the merges that it was part of stand for the others."""
    alone = _going_by(record, str(record.key))
    book.commit_merge(MergeCommit(_merge(record.leader, [record], clock, undone=True, name=f"{record.key}"), (alone,)))
    return alone


def _hand_over(leader: CustomerRecord, followers: Sequence[CustomerKey], book: CustomerBook, clock: Clock) -> None:
    """The one who has been known longest becomes the leader of those who are left.

    Why they go by it is written first, as if each had come by itself: undoing that merge sends nobody back to the one
    who is gone.
    """
    found = book.find_many(followers).values()
    left = sorted(found, key=precedence)
    if not left:
        return
    heir, *rest = left
    name = f"{leader.key}#{leader.revision}"
    if rest:
        book.commit_merge(MergeCommit(_merge(str(heir.key), rest, clock, undone=False, name=name), ()))
    moved = tuple(_going_by(one, str(heir.key)) for one in left)
    book.commit_merge(MergeCommit(_merge(str(leader.key), left, clock, undone=True, name=name), moved))


def _undo(key: CustomerKey, book: CustomerBook, clock: Clock) -> None:
    """Nobody is to look as if they went by the one who is gone."""
    for merge in list(book.merges_of(key)):
        if merge.stands:
            undone = merge.model_copy(update={"undone_by": BY, "undone_at": clock()})
            book.commit_merge(MergeCommit(undone, ()))


def _going_by(record: CustomerRecord, leader: str) -> CustomerRecord:
    revision = record.revision + 1
    cause = Cause(kind=BY, reference=f"{record.key}#{revision}")
    return record.model_copy(update={"leader": leader, "revision": revision, "cause": cause})


def _merge(leader: str, records: Sequence[CustomerRecord], clock: Clock, *, undone: bool, name: str) -> Merge:
    now = clock()
    return Merge(
        id=f"{BY}-{name}",
        leader=leader,
        moved=tuple(Moved(customer=str(record.key), from_leader=str(record.key)) for record in records),
        reasons=(_REASON,),
        by=BY,
        at=now,
        undone_by=BY if undone else None,
        undone_at=now if undone else None,
    )
