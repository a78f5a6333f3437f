"""What every customer book promises: the fake in memory, and DynamoDB's table on a real engine."""

from datetime import timedelta

import pytest
from pynamodb.connection import Connection

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.conflicts import EditConflict
from shared.customers.marks import Mark, MarkKind
from shared.customers.matching import Proposal, ProposalState
from shared.customers.merges import Merge, MergeReason, Moved
from shared.customers.merging import merge, unmerge
from shared.customers.models import ProfileField
from shared.customers.ports import CustomerBook
from shared.customers.record import CustomerRecord
from shared.customers.table import CustomerTable
from shared.kernel.errors import Conflict
from shared.kernel.identifiers import CustomerKey, OrderKey
from tests.builders.customers import MARKER, at, customer, customer_desk, kept, marks_borne, profile, revised
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook

EVE, EVA, EVI = (CustomerKey.parse(text) for text in ("aurora/customer/17", "borealis/customer/4", "aurora/guest/9f"))
EMAIL = MARKER.mark(MarkKind.EMAIL, "eve@example.test")


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def book(request: pytest.FixtureRequest) -> CustomerBook:
    if request.param == "fake":
        return FakeCustomerBook()
    connection: Connection = request.getfixturevalue("connection")
    names: dict[str, str] = request.getfixturevalue("table_names")
    return CustomerTable(connection, names["customers"], clock=lambda: NOON)


# ---- customers ----


def test_reads_back_what_was_committed(book: CustomerBook) -> None:
    account = customer()
    made = kept(book, account)
    assert book.find(EVE) == made
    assert book.find_customer(EVE) == account
    assert book.find(EVA) is None
    assert book.find_customer(EVA) is None


def test_finds_many_at_once_and_leaves_out_what_there_is_not(book: CustomerBook) -> None:
    made = [kept(book, customer(f"aurora/customer/{number}")) for number in range(1, 111)]
    asked = [CustomerKey.of_account("aurora", str(number)) for number in [*range(150), 1, 2]]
    assert book.find_many(asked) == {one.key: one for one in made}
    assert book.find_many([]) == {}


def test_refuses_a_second_first_commit_and_writes_nothing_of_it(book: CustomerBook) -> None:
    account = customer()
    made = kept(book, account)
    other = customer(personal=profile(email="other@example.test"))
    late = CustomerCommit(made, replaces=None, customer=other, marks=marks_borne(other.personal))
    with pytest.raises(Conflict):
        book.commit(late)
    assert book.find_customer(EVE) == account
    assert book.bearers(MARKER.mark(MarkKind.EMAIL, "other@example.test"), most=5) == ()


def test_refuses_a_commit_on_an_old_revision(book: CustomerBook) -> None:
    made = kept(book, customer())
    second = revised(made, deleted_at=NOON)
    book.commit(CustomerCommit(second, replaces=1))
    with pytest.raises(Conflict):
        book.commit(CustomerCommit(revised(made), replaces=1, forget=True, marks=frozenset(), bore=frozenset({EMAIL})))
    assert book.find(EVE) == second
    assert book.find_customer(EVE) is not None
    assert book.bearers(EMAIL, most=5) == (EVE,)


def test_a_commit_without_account_or_marks_leaves_them(book: CustomerBook) -> None:
    account = customer()
    made = kept(book, account)
    book.commit(CustomerCommit(revised(made), replaces=1))
    assert book.find_customer(EVE) == account
    assert book.bearers(EMAIL, most=5) == (EVE,)


def test_marks_are_given_and_taken_with_the_record(book: CustomerBook) -> None:
    account = customer()
    made = kept(book, account)
    moved = profile(email="eve@new.example.test")
    later = CustomerCommit(
        revised(made),
        replaces=1,
        customer=customer(personal=moved),
        marks=marks_borne(moved),
        bore=marks_borne(account.personal),
    )
    book.commit(later)
    assert book.bearers(EMAIL, most=5) == ()
    assert book.bearers(MARKER.mark(MarkKind.EMAIL, "eve@new.example.test"), most=5) == (EVE,)
    assert book.bearers(MARKER.mark(MarkKind.PHONE, str(moved.phone)), most=5) == (EVE,)


def test_takes_away_what_is_to_be_forgotten(book: CustomerBook) -> None:
    account = customer()
    made = kept(book, account)
    borne = marks_borne(account.personal)
    erased = revised(made, erased_at=NOON)
    book.commit(CustomerCommit(erased, replaces=1, forget=True, marks=frozenset(), bore=borne))
    assert book.find(EVE) == erased
    assert book.find_customer(EVE) is None
    assert [book.bearers(mark, most=5) for mark in borne] == [()] * len(borne)


def test_several_may_bear_a_mark_and_no_more_are_told_than_asked_for(book: CustomerBook) -> None:
    made = {kept(book, customer(f"aurora/customer/{number}")).key for number in range(1, 8)}
    assert set(book.bearers(EMAIL, most=20)) == made
    some = book.bearers(EMAIL, most=3)
    assert len(some) == 3
    assert set(some) < made
    assert book.bearers(Mark(MarkKind.PHONE, EMAIL.digest), most=20) == ()


def test_finds_who_needs_attention_longest_waiting_first(book: CustomerBook) -> None:
    for minutes, customer_id in ((0, "2"), (5, "1")):
        since = NOON + timedelta(minutes=minutes)
        kept(book, customer(f"aurora/customer/{customer_id}"), attention_since=since)
    settled = kept(book, customer("aurora/customer/3"), attention_since=NOON)
    book.commit(CustomerCommit(revised(settled, attention_since=None), replaces=1))
    kept(book, customer("aurora/customer/4"))
    expected = [CustomerKey.of_account("aurora", customer_id) for customer_id in ("2", "1")]
    assert list(book.needing_attention("aurora")) == expected
    assert list(book.needing_attention("borealis")) == []


def test_reads_every_record_of_one_shop_or_of_all(book: CustomerBook) -> None:
    keys = ("aurora/customer/1", "aurora/guest/a", "aurora-two/customer/1", "borealis/customer/1")
    made = {kept(book, customer(key)).key for key in keys}
    book.link_order(EVE, OrderKey("aurora", "5001"), NOON)
    assert {one.key for one in book.all_records()} == made
    assert {str(one.key) for one in book.all_records("aurora")} == set(keys[:2])


# ---- one person's customers ----


def test_everyone_goes_by_themselves_at_first(book: CustomerBook) -> None:
    kept(book, customer())
    assert book.members(EVE) == (EVE,)
    assert list(book.merges_of(EVE)) == []


def test_a_merge_moves_members_and_is_kept_with_its_leader(book: CustomerBook) -> None:
    commit = _merge(book, EVE, EVA, EVI)
    book.commit_merge(commit)
    assert book.members(EVE) == (EVE, EVI, EVA)
    assert book.members(EVA) == (EVA,)
    assert list(book.merges_of(EVE)) == [commit.merge]
    assert list(book.merges_of(EVA)) == []
    assert book.find_many([EVE, EVA, EVI]) == {one.key: one for one in commit.records}


def test_a_merge_is_refused_whole_when_one_record_changed(book: CustomerBook) -> None:
    commit = _merge(book, EVE, EVA, EVI)
    book.commit(CustomerCommit(revised(_known(book, EVA)), replaces=1))
    with pytest.raises(Conflict):
        book.commit_merge(commit)
    assert book.members(EVE) == (EVE,)
    assert list(book.merges_of(EVE)) == []
    leaders = {found.key: found.leader for found in book.find_many([EVE, EVA, EVI]).values()}
    assert leaders == {key: str(key) for key in (EVE, EVA, EVI)}


def test_a_merge_is_refused_when_its_leader_was_merged_away_meanwhile(book: CustomerBook) -> None:
    late = _merge(book, EVE, EVI)
    other = kept(book, customer(str(EVA)))
    gone = revised(_known(book, EVE), leader=str(EVA))
    book.commit_merge(MergeCommit(_merge_of(EVA, EVE), (revised(other), gone)))
    with pytest.raises(Conflict):
        book.commit_merge(late)
    assert book.members(EVE) == (EVE,)
    assert book.members(EVA) == (EVA, EVE)


def test_an_undone_merge_gives_the_members_back(book: CustomerBook) -> None:
    commit = _merge(book, EVE, EVA, EVI)
    book.commit_merge(commit)
    undone = commit.merge.model_copy(update={"undone_by": "mia", "undone_at": NOON + timedelta(hours=1)})
    back = tuple(revised(one, leader=str(one.key)) for one in commit.records)
    book.commit_merge(MergeCommit(undone, back))
    assert [book.members(key) for key in (EVE, EVA, EVI)] == [(EVE,), (EVA,), (EVI,)]
    assert list(book.merges_of(EVE)) == [undone]


def test_members_that_had_a_leader_before_leave_that_one_and_come_back(book: CustomerBook) -> None:
    """EVA follows EVI; both then go by EVE; undone, EVA follows EVI again."""
    first = _merge(book, EVI, EVA)
    book.commit_merge(first)
    leader = kept(book, customer(str(EVE)))
    followed = {one.key: one for one in first.records}
    second = Merge(
        id="second",
        leader=str(EVE),
        moved=(Moved(customer=str(EVI), from_leader=str(EVI)), Moved(customer=str(EVA), from_leader=str(EVI))),
        reasons=(MergeReason(kind="same_phone", weight=40),),
        by="mia",
        at=NOON + timedelta(hours=1),
    )
    records = (revised(leader), *(revised(followed[key], leader=str(EVE)) for key in (EVI, EVA)))
    book.commit_merge(MergeCommit(second, records))
    assert (book.members(EVE), book.members(EVI)) == ((EVE, EVI, EVA), (EVI,))
    undone = second.model_copy(update={"undone_by": "mia", "undone_at": NOON + timedelta(hours=2)})
    back = (revised(records[0]), *(revised(one, leader=str(EVI)) for one in records[1:]))
    book.commit_merge(MergeCommit(undone, back))
    assert (book.members(EVE), book.members(EVI)) == ((EVE,), (EVI, EVA))
    assert [merge.stands for merge in book.merges_of(EVI)] == [True]


def test_as_many_as_one_merge_may_move_fit_into_one_transaction(book: CustomerBook) -> None:
    keys = [CustomerKey.of_account("aurora", str(number)) for number in range(34)]
    commit = _merge(book, *keys)
    book.commit_merge(commit)
    assert set(book.members(keys[0])) == set(keys)
    undone = commit.merge.model_copy(update={"undone_by": "mia", "undone_at": NOON})
    book.commit_merge(MergeCommit(undone, tuple(revised(one, leader=str(one.key)) for one in commit.records)))
    assert book.members(keys[0]) == (keys[0],)


def test_merges_are_told_newest_first(book: CustomerBook) -> None:
    book.commit_merge(_merge(book, EVE, EVA))
    later = _merge_of(EVE, EVI).model_copy(update={"id": "later", "at": NOON + timedelta(minutes=1)})
    records = (revised(_known(book, EVE)), revised(kept(book, customer(str(EVI))), leader=str(EVE)))
    book.commit_merge(MergeCommit(later, records))
    assert [merge.id for merge in book.merges_of(EVE)] == ["later", "first"]


def test_people_who_are_joined_and_parted_in_turn_are_as_before(book: CustomerBook) -> None:
    """The use cases over the book itself: EVA leads EVI, EVE leads both; undone the other way round."""
    desk = customer_desk(book)
    for key in (EVE, EVA, EVI):
        kept(book, customer(str(key)))
    first = merge(EVA, EVI, desk, reasons=(), by="mia")
    later = at(desk, NOON + timedelta(hours=1))
    second = merge(EVI, EVE, later, reasons=(), by="mia")
    assert set(book.members(EVE)) == {EVE, EVA, EVI}
    assert merge(EVA, EVE, later, reasons=(), by="mia") == second
    unmerge(second.id, EVE, later, by="noa")
    assert book.members(EVA) == (EVA, EVI)
    unmerge(first.id, EVA, later, by="noa")
    assert [book.members(key) for key in (EVE, EVA, EVI)] == [(EVE,), (EVA,), (EVI,)]
    assert all(one.is_leader for one in book.find_many([EVE, EVA, EVI]).values())
    assert not any(made.stands for key in (EVE, EVA) for made in book.merges_of(key))


# ---- proposals ----


def test_a_proposal_is_kept_once(book: CustomerBook) -> None:
    proposal = _proposal()
    assert book.keep_proposal(proposal)
    again = proposal.model_copy(update={"found_at": NOON + timedelta(hours=1)})
    assert not book.keep_proposal(again)
    assert book.find_proposal(proposal.id) == proposal
    assert book.find_proposal("unknown") is None
    assert list(book.proposals()) == [proposal]


@pytest.mark.parametrize("state", [ProposalState.ACCEPTED, ProposalState.DISMISSED])
def test_a_decided_proposal_is_open_no_more_and_never_comes_back(book: CustomerBook, state: ProposalState) -> None:
    proposal = _proposal()
    book.keep_proposal(proposal)
    decided = proposal.model_copy(update={"state": state, "decided_by": "mia", "decided_at": NOON})
    book.decide_proposal(decided)
    assert not book.keep_proposal(proposal)
    assert list(book.proposals()) == []
    assert book.find_proposal(proposal.id) == decided


def test_a_proposal_is_decided_once(book: CustomerBook) -> None:
    proposal = _proposal()
    book.keep_proposal(proposal)
    decided = proposal.model_copy(update={"state": ProposalState.DISMISSED, "decided_by": "mia", "decided_at": NOON})
    book.decide_proposal(decided)
    with pytest.raises(Conflict):
        book.decide_proposal(decided.model_copy(update={"state": ProposalState.ACCEPTED}))
    assert book.find_proposal(proposal.id) == decided


def test_a_proposal_that_is_decided_while_it_is_made_again_stays_decided(
    connection: Connection, table_names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = CustomerTable(connection, table_names["customers"], clock=lambda: NOON)
    proposal = _proposal()
    table.keep_proposal(proposal)
    table.decide_proposal(proposal.model_copy(update={"state": ProposalState.DISMISSED}))
    monkeypatch.setattr(table, "find_proposal", lambda _proposal_id: None)  # read the moment before
    with pytest.raises(Conflict):
        table.keep_proposal(proposal)
    assert list(table.proposals()) == []


def test_open_proposals_are_told_oldest_first(book: CustomerBook) -> None:
    made = [
        _proposal().model_copy(update={"id": proposal_id, "found_at": NOON + timedelta(minutes=minutes)})
        for proposal_id, minutes in (("a", 2), ("b", 0), ("c", 1))
    ]
    for proposal in made:
        book.keep_proposal(proposal)
    assert [proposal.id for proposal in book.proposals()] == ["b", "c", "a"]


# ---- orders ----


def test_an_order_belongs_to_one_customer_and_moves(book: CustomerBook) -> None:
    first, second = OrderKey("aurora", "5001"), OrderKey("aurora", "5002")
    for order in (first, second):
        book.link_order(EVI, order, NOON)
        book.link_order(EVI, order, NOON)
    assert list(book.orders_of(EVI)) == [first, second]
    book.link_order(EVE, first, NOON)
    assert (book.customer_of(first), book.customer_of(second)) == (EVE, EVI)
    assert (list(book.orders_of(EVE)), list(book.orders_of(EVI))) == ([first], [second])
    assert book.customer_of(OrderKey("aurora", "5003")) is None


# ---- edits on both sides at once ----


def test_conflicts_are_kept_once_newest_first_and_forgotten(book: CustomerBook) -> None:
    older, newer = (_conflict(minutes) for minutes in (0, 5))
    for conflict in (newer, older, newer):
        book.keep_conflict(conflict)
    assert list(book.conflicts_of(EVE)) == [newer, older]
    assert list(book.conflicts_of(EVA)) == []
    assert book.forget_conflicts(EVE) == 2
    assert list(book.conflicts_of(EVE)) == []
    assert book.forget_conflicts(EVE) == 0


def test_conflicts_that_name_a_customer_are_found_by_it_whoever_led_it_then(book: CustomerBook) -> None:
    ours = _conflict(0).model_copy(update={"loser": str(EVA)})
    won = _conflict(1).model_copy(update={"winner": str(EVA), "loser": "backoffice/erp"})
    others = _conflict(2)
    for conflict in (ours, won, others):
        book.keep_conflict(conflict)
    assert book.forget_conflicts(EVA) == 2
    assert list(book.conflicts_of(EVE)) == [others]
    assert book.forget_conflicts(EVA) == 0


# ---- registrations in a row ----


def test_counts_registrations_by_counter_and_period(book: CustomerBook) -> None:
    counted = [book.count_registration("aurora", NOON + timedelta(minutes=m), minutes=10) for m in (0, 9, 9, 10)]
    assert counted == [1, 2, 3, 1]
    assert book.count_registration("borealis", NOON, minutes=10) == 1


# ---- what the tests are made of ----


def _known(book: CustomerBook, key: CustomerKey) -> CustomerRecord:
    found = book.find(key)
    assert found is not None
    return found


def _merge_of(leader: CustomerKey, *others: CustomerKey) -> Merge:
    return Merge(
        id="first",
        leader=str(leader),
        moved=tuple(Moved(customer=str(key), from_leader=str(key)) for key in others),
        reasons=(MergeReason(kind="verified_email", weight=100),),
        by="rule",
        at=NOON,
    )


def _merge(book: CustomerBook, leader: CustomerKey, *others: CustomerKey) -> MergeCommit:
    """A merge of customers that it puts into the book first."""
    records = [kept(book, customer(str(key))) for key in (leader, *others)]
    led = (revised(records[0]), *(revised(one, leader=str(leader)) for one in records[1:]))
    return MergeCommit(_merge_of(leader, *others), led)


def _proposal() -> Proposal:
    reasons = (MergeReason(kind="same_phone", weight=40), MergeReason(kind="similar_name", weight=20))
    return Proposal(id="eve-eva", customers=(str(EVE), str(EVA)), reasons=reasons, found_at=NOON)


def _conflict(minutes: int) -> EditConflict:
    return EditConflict(
        leader=str(EVE),
        field=ProfileField.PHONE,
        winner="backoffice/erp",
        loser=str(EVE),
        kept="+49 30 901820",
        lost="+49 30 901821",
        reason="newest",
        at=NOON + timedelta(minutes=minutes),
    )
