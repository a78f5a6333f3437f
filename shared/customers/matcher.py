"""Find who may be the same person as one customer: join them where the rules allow it, propose the rest."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import product

from shared.customers.contact import phone_of
from shared.customers.marks import Mark, marks_of
from shared.customers.matching import (
    Decision,
    Proposal,
    ProposalState,
    Side,
    Verdict,
    is_matched,
    proposal_id,
    propose,
    verdict_of,
)
from shared.customers.merges import Merge
from shared.customers.merging import MOST_MEMBERS, RULE, Person, merge_once, person_of, were_parted
from shared.customers.ports import CustomerBook, CustomerDesk
from shared.customers.record import CustomerRecord
from shared.customers.rules import CustomerRules
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import CustomerKey

MOST_BEARERS = 20
"""A mark that more customers bear is no sign of one person: a company's telephone, a shop's own address."""

_MOST_PAIRS = 64
"""Looked through for a dismissed one before two persons are joined; with more, a person decides."""

RulesOf = Callable[[str], CustomerRules]
"""The rules of a shop by its name, also of one that is connected no more."""


@dataclass(frozen=True, slots=True)
class Matched:
    joined: tuple[Merge, ...] = ()
    proposed: tuple[Proposal, ...] = ()
    """Those that are new."""


def match(key: CustomerKey, desk: CustomerDesk, *, rules_of: RulesOf) -> Matched:
    """Look for the same person among all shops' customers. To be called whenever a customer's account or
    verification has changed, any number of times.

    Raises:
        Retry: the records kept changing, or the store is out of reach.
    """
    joined: list[Merge] = []
    while True:
        found = desk.retrying()(_match, key, desk, rules_of)
        if not isinstance(found, Merge):
            return Matched(tuple(joined), found)
        joined.append(found)


def open_proposals(book: CustomerBook) -> Iterator[Proposal]:
    """Those that somebody still has to decide, the oldest first: without people who have become one since, or of whom
    one is no more."""
    for proposal in book.proposals():
        records = book.find_many(map(CustomerKey.parse, proposal.customers)).values()
        if len({record.leader for record in records if is_matched(record)}) == len(proposal.customers):
            yield proposal


def _match(key: CustomerKey, desk: CustomerDesk, rules_of: RulesOf) -> Merge | tuple[Proposal, ...]:
    """The next merge, or, where there is none left, the proposals."""
    side = _side_of(key, desk)
    if side is None:
        return ()
    verdicts = [(other, _verdict(side, other, rules_of)) for other in _others(side, desk)]
    doubtful: list[tuple[Side, Verdict]] = []
    for other, verdict in verdicts:
        if verdict.decision is Decision.NOTHING:
            continue
        ours, theirs = (person_of(one.record, desk.book) for one in (side, other))
        if were_parted(ours, theirs, desk.book):
            continue
        if verdict.decision is Decision.JOIN and _may_join(ours, theirs, desk.book):
            _check_unchanged((side, other), desk.book)
            return merge_once(key, other.record.key, desk, verdict.reasons, RULE, seen=(side.record, other.record))
        doubtful.append((other, verdict))
    proposals = (propose(key, other.record.key, verdict.reasons, desk.clock()) for other, verdict in doubtful)
    return tuple(proposal for proposal in proposals if desk.book.keep_proposal(proposal))


def _side_of(key: CustomerKey, desk: CustomerDesk) -> Side | None:
    record = desk.book.find(key)
    customer = desk.book.find_customer(key)
    if record is None or customer is None or not is_matched(record):
        return None
    marks = marks_of(customer.personal, phone_of(customer.personal, desk.country), desk.marker)
    return Side(record, customer.personal, marks)


def _others(side: Side, desk: CustomerDesk) -> Iterator[Side]:
    """Everyone who bears a mark of this customer's and does not go by the same leader, with the marks in common."""
    shared: dict[CustomerKey, set[Mark]] = {}
    for mark in sorted(side.marks):
        bearers = desk.book.bearers(mark, most=MOST_BEARERS + 1)
        for key in bearers if len(bearers) <= MOST_BEARERS else ():
            shared.setdefault(key, set()).add(mark)
    shared.pop(side.record.key, None)
    records = desk.book.find_many(shared)
    for key in sorted(records, key=str):
        record = records[key]
        if record.leader == side.record.leader or not is_matched(record):
            continue
        customer = desk.book.find_customer(key)
        if customer is not None:
            yield Side(record, customer.personal, frozenset(shared[key]))


def _verdict(a: Side, b: Side, rules_of: RulesOf) -> Verdict:
    """Both shops must let their customers be joined."""
    allowed: set[str] = set.intersection(*(_automatically(side.record, rules_of) for side in (a, b)))
    return verdict_of(a, b, allowed)


def _automatically(record: CustomerRecord, rules_of: RulesOf) -> set[str]:
    return set(rules_of(record.shop).matching.automatically)


def _may_join(a: Person, b: Person, book: CustomerBook) -> bool:
    """Whether nobody has said that one of these is not one of those, and they are not too many to be one person."""
    pairs = tuple(product(_keys(a.members), _keys(b.members)))
    if len(pairs) > _MOST_PAIRS or len(a.members) + len(b.members) > MOST_MEMBERS:
        return False
    return not any(_is_dismissed(*pair, book) for pair in pairs)


def _keys(members: Collection[CustomerRecord]) -> tuple[CustomerKey, ...]:
    return tuple(member.key for member in members)


def _is_dismissed(a: CustomerKey, b: CustomerKey, book: CustomerBook) -> bool:
    found = book.find_proposal(proposal_id(a, b))
    return found is not None and found.state is ProposalState.DISMISSED


def _check_unchanged(sides: tuple[Side, ...], book: CustomerBook) -> None:
    """The reasons hold for the records that they were found in: an address may have become another since."""
    now = book.find_many(side.record.key for side in sides)
    if any(now.get(side.record.key) != side.record for side in sides):
        raise Conflict("changed_meanwhile", "a customer changed while it was compared")
