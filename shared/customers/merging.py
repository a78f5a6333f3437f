"""Join customers that are one person, and part them again. Only whom they go by changes, in one transaction.

The leader's record is written in each of these transactions, and read before its members are: so two of them about
the same person never pass each other, and whoever goes by somebody always goes by a leader.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.matching import Proposal, ProposalState
from shared.customers.merges import Merge, MergeReason, Moved, precedence
from shared.customers.ports import CustomerBook, CustomerDesk
from shared.customers.readings import CustomersMerged
from shared.customers.record import CustomerRecord
from shared.customers.verify import required
from shared.inventory.models import Cause
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey

MOST_MEMBERS = 34
"""Of one person. A transaction takes a hundred operations: three for each one moved, and two for the rest."""

RULE = "rule"
STOREFRONT = "storefront"


# ---- one person ----


@dataclass(frozen=True, slots=True)
class Person:
    """All customers that go by one leader, as they were at one moment."""

    leader: CustomerRecord
    members: tuple[CustomerRecord, ...]
    """The leader first."""

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(str(member.key) for member in self.members)


def person_of(record: CustomerRecord, book: CustomerBook) -> Person:
    """Everyone who goes by the same leader as this customer. The leader is read first, so that whoever comes or goes
    while the others are read makes a commit with this leader's record fail.

    Raises:
        Conflict: the customer goes by another leader than it did when `record` was read.
    """
    leader_key = CustomerKey.parse(record.leader)
    leader = book.find(leader_key)
    if leader is None or not leader.is_leader:
        raise _changed()
    keys = book.members(leader_key)
    found = book.find_many(key for key in keys if key != leader_key)
    return Person(
        leader, (leader, *(found[key] for key in keys if key in found and found[key].leader == record.leader))
    )


def orders_of_person(key: CustomerKey, book: CustomerBook) -> Iterator[OrderKey]:
    """The orders of everyone who goes by the same leader as this customer, each once."""
    record = book.find(key)
    leader = CustomerKey.parse(record.leader) if record else key
    for member in book.members(leader):
        yield from book.orders_of(member)


def were_parted(a: Person, b: Person, book: CustomerBook) -> bool:
    """Whether somebody has undone a merge of one of the two with the other: no rule joins them again."""
    return any(_was_undone(one, other, book) for one, other in ((a, b), (b, a)))


def _was_undone(one: Person, other: Person, book: CustomerBook) -> bool:
    for member in one.members:
        for merge in book.merges_of(member.key):
            if not merge.stands and any(moved.customer in other.keys for moved in merge.moved):
                return True
    return False


# ---- join ----


def merge(a: CustomerKey, b: CustomerKey, desk: CustomerDesk, *, reasons: tuple[MergeReason, ...], by: str) -> Merge:
    """Let everyone of the two persons go by one leader: the one who registered first, an account before a guest.

    Two that are one already stay so, and the merge that made them one is returned.

    Raises:
        Rejected: `unknown_customer`, `customer_erased`, `same_customer`, `too_many_members`.
        Retry: the records kept changing, or the store is out of reach.
    """
    return desk.retrying()(merge_once, a, b, desk, reasons, by)


def merge_once(
    a: CustomerKey,
    b: CustomerKey,
    desk: CustomerDesk,
    reasons: tuple[MergeReason, ...],
    by: str,
    *,
    seen: tuple[CustomerRecord, ...] = (),
) -> Merge:
    """`merge` without a further try: raises `Conflict` as well, and where those whom the reasons were found in are not
    any more as they were `seen` then."""
    plan = _plan(a, b, desk, seen)
    if isinstance(plan, Merge):
        return plan
    leader, moving = plan
    made = Merge(
        id=_merge_id(leader),
        leader=str(leader.key),
        moved=tuple(Moved(customer=str(one.key), from_leader=one.leader) for one in moving),
        reasons=reasons,
        by=by,
        at=desk.clock(),
    )
    cause = Cause(kind="merge", reference=made.id, actor=by)
    moved = (_led_by(made.leader, one, cause) for one in moving)
    desk.book.commit_merge(MergeCommit(made, (_led_by(made.leader, leader, cause), *moved)))
    return made


def _plan(
    a: CustomerKey, b: CustomerKey, desk: CustomerDesk, seen: tuple[CustomerRecord, ...] = ()
) -> tuple[CustomerRecord, tuple[CustomerRecord, ...]] | Merge:
    """Who is to lead, and who is to follow; or the merge that made them one already."""
    if a == b:
        raise Rejected("same_customer", "a customer cannot be merged with itself", field="customer")
    ours, theirs = (person_of(required(key, desk), desk.book) for key in (a, b))
    if ours.leader.key == theirs.leader.key:
        return _joining(ours, str(b) if str(a) == ours.leader.leader else str(a), desk)
    if any(record not in (*ours.members, *theirs.members) for record in seen):
        raise _changed()
    if len(ours.members) + len(theirs.members) > MOST_MEMBERS:
        raise Rejected(
            "too_many_members",
            f"together they would be more than {MOST_MEMBERS} customers",
            field="customer",
            hint="so many are hardly one person: undo some of the merges first",
        )
    first, second = sorted((ours, theirs), key=lambda person: precedence(person.leader))
    return first.leader, second.members


def _joining(person: Person, member: str, desk: CustomerDesk) -> Merge:
    """The merge by which a member came to go by the leader."""
    for known in desk.book.merges_of(person.leader.key):
        if known.stands and any(moved.customer == member for moved in known.moved):
            return known
    raise _changed()


def _merge_id(leader: CustomerRecord) -> str:
    """Sixteen hexadecimal digits: each revision of a leader is written once, so no two merges have the same."""
    return hashlib.sha256(f"{leader.key}#{leader.revision + 1}".encode()).hexdigest()[:16]


def _led_by(leader: str, record: CustomerRecord, cause: Cause) -> CustomerRecord:
    return record.model_copy(update={"leader": leader, "revision": record.revision + 1, "cause": cause})


def follow_storefront(reading: CustomersMerged, desk: CustomerDesk) -> Merge | None:
    """The shop's staff merged two accounts there: they are one person here too, and one account is gone.

    None where there is nothing to join: one of them is unknown to us (take in the one that is left first, then call
    this), or erased, or somebody here has parted the two since.

    Raises:
        Rejected: `too_many_members`.
        Retry: the records kept changing, or the store is out of reach.
    """
    return desk.retrying()(_follow_storefront, reading, desk)


def _follow_storefront(reading: CustomersMerged, desk: CustomerDesk) -> Merge | None:
    kept, gone = (CustomerKey.of_account(desk.shop, customer_id) for customer_id in (reading.kept, reading.gone))
    _mark_gone(gone, reading, desk)
    found = [desk.book.find(key) for key in (kept, gone)]
    records = [record for record in found if record is not None and record.erased_at is None]
    if len(records) < len(found) or kept == gone:
        return None
    ours, theirs = (person_of(record, desk.book) for record in records)
    if ours.leader.key != theirs.leader.key and were_parted(ours, theirs, desk.book):
        return None
    return merge_once(kept, gone, desk, (MergeReason(kind="storefront", weight=100),), STOREFRONT)


def _mark_gone(key: CustomerKey, reading: CustomersMerged, desk: CustomerDesk) -> None:
    stored = desk.book.find(key)
    if stored is None or stored.deleted_at is not None or stored.erased_at is not None or reading.kept == reading.gone:
        return
    revision = stored.revision + 1
    cause = Cause(kind="merged", reference=f"{key}#{revision}", actor=STOREFRONT)
    gone = {"revision": revision, "deleted_at": reading.at, "attention_since": None, "cause": cause}
    record = stored.model_copy(update=gone)
    desk.book.commit(CustomerCommit(record, replaces=stored.revision))


# ---- part ----


def unmerge(merge_id: str, leader: CustomerKey, desk: CustomerDesk, *, by: str) -> Merge:
    """Undo one merge: those that it moved, and that still go by its leader, go by whom they went by before.

    Only its own moves are undone; merges into the same person after it stand. Undone before, it stays so.

    Raises:
        Rejected: `unknown_merge`, or `merged_since`: the whole person went into another by a later merge, which must
            be undone first.
        Retry: the records kept changing, or the store is out of reach.
    """
    return desk.retrying()(_unmerge, merge_id, leader, desk, by)


def _unmerge(merge_id: str, leader_key: CustomerKey, desk: CustomerDesk, by: str) -> Merge:
    known = next((merge for merge in desk.book.merges_of(leader_key) if merge.id == merge_id), None)
    leader = desk.book.find(leader_key)
    if known is None or leader is None:
        raise Rejected("unknown_merge", f"there is no merge {merge_id[:40]} into {leader_key}", field="merge")
    if not known.stands:
        return known
    if not leader.is_leader:
        raise Rejected(
            "merged_since",
            f"{leader_key} goes by {leader.leader} since a later merge",
            field="merge",
            hint=f"undo the merge into {leader.leader} first",
        )
    undone = known.model_copy(update={"undone_by": by, "undone_at": desk.clock()})
    cause = Cause(kind="unmerge", reference=known.id, actor=by)
    records = (_led_by(known.leader, leader, cause), *_going_back(known, desk.book, cause))
    desk.book.commit_merge(MergeCommit(undone, records))
    return undone


def _going_back(merge: Merge, book: CustomerBook, cause: Cause) -> Iterator[CustomerRecord]:
    """The members as they are to be, and the one whom they go back to, so that it leads at that very moment."""
    came_from = {moved.customer: moved.from_leader for moved in merge.moved}
    found = book.find_many(CustomerKey.parse(key) for key in {*came_from, *came_from.values()})
    records = {str(key): record for key, record in found.items()}
    returning = {key for key in came_from if key in records and records[key].leader == merge.leader}
    for key in sorted(returning):
        origin = came_from[key]
        yield _led_by(origin if _leads(origin, returning, records) else key, records[key], cause)
    for origin in sorted({came_from[key] for key in returning} - returning):
        if _leads(origin, returning, records):
            yield _led_by(origin, records[origin], cause)


def _leads(origin: str, returning: set[str], records: Mapping[str, CustomerRecord]) -> bool:
    """Whether the former leader will be one again; else, and where it was erased since, each of its members goes by
    itself."""
    if origin not in records or records[origin].erased_at is not None:
        return False
    return origin in returning or records[origin].is_leader


# ---- proposals ----


def accept(proposal_id: str, desk: CustomerDesk, *, by: str) -> Merge:
    """Say that the two are one person, and join them. May be repeated until it is done.

    Raises:
        Rejected: `unknown_proposal`, `already_decided` (dismissed; or accepted, and parted again since), and what
            `merge` raises.
        Retry: the records kept changing, or the store is out of reach.
    """
    return desk.retrying()(_accept, proposal_id, desk, by)


def _accept(proposal_id: str, desk: CustomerDesk, by: str) -> Merge:
    """Decided first, joined then: of two people who decide at once one is told so, and nothing is joined after a no."""
    proposal = _proposal(proposal_id, desk)
    a, b = map(CustomerKey.parse, proposal.customers)
    plan = _plan(a, b, desk)
    if proposal.state is ProposalState.DISMISSED or (
        proposal.state is ProposalState.ACCEPTED and not isinstance(plan, Merge) and _were_parted(a, b, desk)
    ):
        raise _decided(proposal)
    if proposal.state is ProposalState.OPEN:
        desk.book.decide_proposal(_as_decided(proposal, ProposalState.ACCEPTED, desk, by))
    return merge_once(a, b, desk, proposal.reasons, by)


def _were_parted(a: CustomerKey, b: CustomerKey, desk: CustomerDesk) -> bool:
    ours, theirs = (person_of(required(key, desk), desk.book) for key in (a, b))
    return were_parted(ours, theirs, desk.book)


def dismiss(proposal_id: str, desk: CustomerDesk, *, by: str) -> Proposal:
    """Say that the two are two people: they are neither proposed nor joined by a rule again.

    Raises:
        Rejected: `unknown_proposal`, `already_decided` (accepted).
        Retry: the proposal kept changing, or the store is out of reach.
    """
    return desk.retrying()(_dismiss, proposal_id, desk, by)


def _dismiss(proposal_id: str, desk: CustomerDesk, by: str) -> Proposal:
    proposal = _proposal(proposal_id, desk)
    if proposal.state is ProposalState.ACCEPTED:
        raise _decided(proposal)
    if proposal.state is ProposalState.DISMISSED:
        return proposal
    decided = _as_decided(proposal, ProposalState.DISMISSED, desk, by)
    desk.book.decide_proposal(decided)
    return decided


def _proposal(proposal_id: str, desk: CustomerDesk) -> Proposal:
    found = desk.book.find_proposal(proposal_id)
    if found is None:
        raise Rejected("unknown_proposal", f"there is no proposal {proposal_id[:40]}", field="proposal")
    return found


def _as_decided(proposal: Proposal, state: ProposalState, desk: CustomerDesk, by: str) -> Proposal:
    return proposal.model_copy(update={"state": state, "decided_by": by, "decided_at": desk.clock()})


def _decided(proposal: Proposal) -> Rejected:
    return Rejected(
        "already_decided",
        f"the proposal was {proposal.state} by {proposal.decided_by}",
        field="proposal",
        hint="merge the two customers by their keys, or undo their merge",
    )


def _changed() -> Conflict:
    return Conflict("changed_meanwhile", "the customers changed while they were read")
