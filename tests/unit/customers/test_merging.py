"""Joining customers that are one person, and parting them again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.customers.commits import CustomerCommit, MergeCommit
from shared.customers.matching import ProposalState, propose
from shared.customers.merges import Merge, MergeReason
from shared.customers.merging import (
    MOST_MEMBERS,
    accept,
    dismiss,
    follow_storefront,
    merge,
    orders_of_person,
    person_of,
    unmerge,
)
from shared.customers.ports import CustomerDesk
from shared.customers.readings import CustomersMerged
from shared.customers.record import CustomerRecord
from shared.kernel.errors import Conflict, Rejected, Retry
from shared.kernel.identifiers import CustomerKey, OrderKey
from tests.builders.customers import at, customer, customer_desk, kept, profile, revised
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook

REASONS = (MergeReason(kind="same_phone", weight=40),)
EVE, EVA, EVI, EDA = (
    CustomerKey.parse(text)
    for text in ("aurora/customer/1", "borealis/customer/2", "aurora/guest/3", "borealis/customer/4")
)
OLDEST_FIRST = (EVE, EVA, EDA, EVI)


def _desk(book: FakeCustomerBook | None = None, *keys: CustomerKey) -> CustomerDesk:
    """A desk with customers, the first of whom registered first."""
    desk = customer_desk(book)
    for days, key in enumerate(keys or OLDEST_FIRST):
        registered = None if key.is_guest else NOON - timedelta(days=100 - days)
        personal = profile(email=f"e{key.id}@example.test")
        kept(desk.book, customer(str(key), registered_at=registered, personal=personal))
    return desk


def _record(desk: CustomerDesk, key: CustomerKey) -> CustomerRecord:
    found = desk.book.find(key)
    assert found is not None
    return found


def _leaders(desk: CustomerDesk) -> dict[str, str]:
    return {str(record.key): record.leader for record in desk.book.all_records()}


def _alone(*keys: CustomerKey) -> dict[str, str]:
    return {str(key): str(key) for key in keys}


def _join(desk: CustomerDesk, a: CustomerKey, b: CustomerKey, by: str = "mia") -> Merge:
    return merge(a, b, desk, reasons=REASONS, by=by)


# ---- who leads ----


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"registered_at": NOON}, {"registered_at": NOON + timedelta(seconds=1)}),
        ({"registered_at": NOON}, {"registered_at": None}),
        ({"registered_at": None}, {"deleted_at": NOON, "registered_at": NOON}),
        ({"registered_at": NOON}, {"registered_at": NOON}),
    ],
)
def test_the_one_who_registered_first_and_is_still_there_leads(one: dict[str, Any], other: dict[str, Any]) -> None:
    for first, second in ((EVE, EVA), (EVA, EVE)):
        desk = customer_desk()
        kept(desk.book, customer(str(EVE)), **one)
        kept(desk.book, customer(str(EVA)), **other)
        made = _join(desk, first, second)
        assert (made.leader, [moved.customer for moved in made.moved]) == (str(EVE), [str(EVA)])


def test_an_account_leads_a_guest_who_was_seen_before_it() -> None:
    desk = customer_desk()
    kept(desk.book, customer(str(EVI)), registered_at=NOON - timedelta(days=9))
    kept(desk.book, customer(str(EVE)), registered_at=NOON)
    assert _join(desk, EVI, EVE).leader == str(EVE)


# ---- joining ----


def test_a_merge_says_who_moved_why_by_whom_and_when() -> None:
    desk = _desk()
    made = _join(desk, EVI, EVE)
    assert (made.leader, made.reasons, made.by, made.at, made.stands) == (str(EVE), REASONS, "mia", NOON, True)
    assert list(desk.book.merges_of(EVE)) == [made]
    leader, member = _record(desk, EVE), _record(desk, EVI)
    assert (leader.leader, member.leader) == (str(EVE), str(EVE))
    assert (leader.revision, member.revision) == (2, 2)
    assert (member.cause.kind, member.cause.reference, member.cause.actor) == ("merge", made.id, "mia")
    assert desk.book.members(EVE) == (EVE, EVI)


def test_all_members_of_both_persons_move_together() -> None:
    desk = _desk()
    _join(desk, EDA, EVI)
    _join(desk, EVE, EVA)
    made = _join(desk, EVI, EVA)
    assert made.leader == str(EVE)
    assert {moved.customer: moved.from_leader for moved in made.moved} == {str(EDA): str(EDA), str(EVI): str(EDA)}
    assert set(_leaders(desk).values()) == {str(EVE)}
    assert set(desk.book.members(EVE)) == set(OLDEST_FIRST)
    assert desk.book.members(EDA) == (EDA,)


def test_two_who_are_one_already_stay_so() -> None:
    desk = _desk()
    first = _join(desk, EVE, EVA)
    second = _join(desk, EVA, EVI)
    before = _leaders(desk)
    assert _join(desk, EVA, EVE) == _join(desk, EVE, EVA) == first
    assert _join(desk, EVE, EVI) == second
    assert _join(desk, EVA, EVI) in (first, second)
    assert _leaders(desk) == before


@pytest.mark.parametrize(
    ("a", "b", "code"),
    [(EVE, EVE, "same_customer"), (EVE, CustomerKey.parse("aurora/guest/0"), "unknown_customer")],
)
def test_who_cannot_be_merged(a: CustomerKey, b: CustomerKey, code: str) -> None:
    for one, other in ((a, b), (b, a)):
        with pytest.raises(Rejected, match=code):
            _join(_desk(), one, other)


def test_nobody_is_merged_with_an_erased_customer() -> None:
    desk = _desk()
    desk.book.commit(CustomerCommit(revised(_record(desk, EVA), erased_at=NOON), replaces=1))
    with pytest.raises(Rejected, match="customer_erased"):
        _join(desk, EVE, EVA)


def test_too_many_are_hardly_one_person() -> None:
    keys = [CustomerKey.of_account("aurora", f"{number:03}") for number in range(MOST_MEMBERS + 1)]
    desk = _desk(None, *keys)
    for key in keys[1:MOST_MEMBERS]:
        _join(desk, keys[0], key)
    assert len(desk.book.members(keys[0])) == MOST_MEMBERS
    with pytest.raises(Rejected, match="too_many_members"):
        _join(desk, keys[0], keys[-1])


def test_orders_follow_their_customers() -> None:
    desk = _desk()
    numbers = {EVE: "1", EVA: "2", EVI: "3"}
    orders = {key: OrderKey(key.shop, number) for key, number in numbers.items()}
    for key, order in orders.items():
        desk.book.link_order(key, order, NOON)
    made = _join(desk, EVE, EVA)
    for key in (EVE, EVA):
        assert set(orders_of_person(key, desk.book)) == {orders[EVE], orders[EVA]}
    unmerge(made.id, EVE, desk, by="mia")
    assert list(orders_of_person(EVA, desk.book)) == [orders[EVA]]
    assert [desk.book.customer_of(order) for order in orders.values()] == list(orders)


# ---- parting ----


def test_an_undone_merge_is_as_if_it_had_never_been_and_is_remembered() -> None:
    desk = _desk()
    before = _leaders(desk)
    made = _join(desk, EVE, EVA)
    later = at(desk, NOON + timedelta(hours=1))
    undone = unmerge(made.id, EVE, later, by="noa")
    assert (undone.undone_by, undone.undone_at, undone.stands) == ("noa", NOON + timedelta(hours=1), False)
    assert _leaders(desk) == before
    assert list(desk.book.merges_of(EVE)) == [undone]
    assert _record(desk, EVA).cause.kind == "unmerge"
    assert unmerge(made.id, EVE, later, by="zoe") == undone
    again = _join(desk, EVE, EVA)
    assert again.id != made.id
    assert unmerge(made.id, EVE, later, by="zoe") == undone
    assert _leaders(desk)[str(EVA)] == str(EVE)


def test_members_go_back_to_whom_they_went_by_before() -> None:
    desk = _desk()
    _join(desk, EVA, EDA)
    made = _join(desk, EVE, EVA)
    assert set(desk.book.members(EVE)) == {EVE, EVA, EDA}
    unmerge(made.id, EVE, desk, by="mia")
    assert desk.book.members(EVA) == (EVA, EDA)
    assert desk.book.members(EVE) == (EVE,)


def test_only_a_merges_own_moves_are_undone() -> None:
    desk = _desk()
    first = _join(desk, EVE, EVA)
    _join(desk, EVA, EDA)
    unmerge(first.id, EVE, desk, by="mia")
    assert _leaders(desk) == _alone(EVE, EVA, EVI) | {str(EDA): str(EVE)}


def test_a_merge_of_the_whole_person_must_be_undone_first() -> None:
    desk = _desk()
    first = _join(desk, EVA, EDA)
    second = _join(desk, EVE, EVA)
    with pytest.raises(Rejected, match="merged_since") as refused:
        unmerge(first.id, EVA, desk, by="mia")
    assert str(EVE) in refused.value.describe()
    unmerge(second.id, EVE, desk, by="mia")
    unmerge(first.id, EVA, desk, by="mia")
    assert _leaders(desk) == _alone(*OLDEST_FIRST)


def test_a_former_leader_who_has_left_meanwhile_takes_nobody_back() -> None:
    """EVA left for EDA by another way; EVI, who followed her, does not follow her there."""
    desk = _desk()
    _join(desk, EVA, EVI)
    made = _join(desk, EVE, EVA)
    _leave(desk, EVA, EDA)
    unmerge(made.id, EVE, desk, by="mia")
    assert _leaders(desk) == _alone(EVE, EVI, EDA) | {str(EVA): str(EDA)}


def test_a_former_leader_who_was_erased_takes_nobody_back() -> None:
    desk = _desk()
    _join(desk, EVA, EVI)
    made = _join(desk, EVE, EVA)
    _leave(desk, EVA, EVA)
    gone = _record(desk, EVA)
    desk.book.commit(CustomerCommit(revised(gone, erased_at=NOON), replaces=gone.revision, forget=True))
    unmerge(made.id, EVE, desk, by="mia")
    assert _leaders(desk) == _alone(EVE, EVA, EVI, EDA)


def test_a_former_leader_who_leads_again_takes_them_back() -> None:
    desk = _desk()
    _join(desk, EVA, EVI)
    made = _join(desk, EVE, EVA)
    _leave(desk, EVA, EVA)
    unmerge(made.id, EVE, desk, by="mia")
    assert desk.book.members(EVA) == (EVA, EVI)
    assert _leaders(desk) == _alone(EVE, EVA, EDA) | {str(EVI): str(EVA)}


def _leave(desk: CustomerDesk, key: CustomerKey, to: CustomerKey) -> None:
    """Somebody leaves a person by itself, as one does who is erased."""
    move = Merge(id=f"leave-{key}", leader=str(to), moved=(), reasons=(), by="test", at=NOON)
    desk.book.commit_merge(MergeCommit(move, (revised(_record(desk, key), leader=str(to)),)))


def test_an_unknown_merge_is_refused() -> None:
    desk = _desk()
    made = _join(desk, EVE, EVA)
    for merge_id, leader in (("0" * 16, EVE), (made.id, EVA), (made.id, CustomerKey.parse("aurora/guest/0"))):
        with pytest.raises(Rejected, match="unknown_merge"):
            unmerge(merge_id, leader, desk, by="mia")


# ---- without loss, whatever is done ----


@dataclass
class _Life:
    """A book in which merges are made and undone, an hour apart."""

    desk: CustomerDesk = field(default_factory=_desk)
    hours: int = 0

    def tick(self) -> CustomerDesk:
        self.hours += 1
        return at(self.desk, NOON + timedelta(hours=self.hours))

    def standing(self) -> list[Merge]:
        found = [made for key in _keys(self.desk) for made in self.desk.book.merges_of(key) if made.stands]
        return sorted(found, key=lambda made: made.at)

    def check(self) -> None:
        """Whoever goes by somebody goes by a leader, and is among its members."""
        for record in self.desk.book.all_records():
            leader = _record(self.desk, CustomerKey.parse(record.leader))
            assert leader.is_leader
            assert record.key in self.desk.book.members(leader.key)
        members = [member for key in _keys(self.desk) for member in self.desk.book.members(key)]
        followers = [str(key) for key in members if members.count(key) > 1]
        assert len(followers) == 2 * len([key for key, leader in _leaders(self.desk).items() if key != leader])


def _keys(desk: CustomerDesk) -> list[CustomerKey]:
    return [record.key for record in desk.book.all_records()]


_MANY = tuple(CustomerKey.of_account(shop, str(number)) for number in range(4) for shop in ("aurora", "borealis"))
_PAIRS = st.tuples(st.sampled_from(_MANY), st.sampled_from(_MANY)).filter(lambda pair: pair[0] != pair[1])


def _content(desk: CustomerDesk) -> dict[Any, Any]:
    assert isinstance(desk.book, FakeCustomerBook)
    records: dict[Any, Any] = {
        one.key: one.model_dump(exclude={"revision", "cause"}) for one in desk.book.all_records()
    }
    marks = {mark: sorted(keys) for mark, keys in desk.book.borne.items()}
    return (
        records | {key: (records[key], desk.book.find_customer(key), desk.book.members(key)) for key in records} | marks
    )


@given(st.lists(_PAIRS | st.integers(min_value=0, max_value=7), max_size=30))
def test_undoing_all_in_reverse_order_restores_everything(steps: list[Any]) -> None:
    life = _Life(_desk(None, *_MANY))
    before = _content(life.desk)
    for step in steps:
        if isinstance(step, tuple):
            _join(life.tick(), *step)
        elif life.standing():
            chosen = life.standing()[step % len(life.standing())]
            _undo_if_it_is_on_top(life, chosen)
        life.check()
    for made in reversed(life.standing()):
        unmerge(made.id, CustomerKey.parse(made.leader), life.tick(), by="mia")
        life.check()
    assert _content(life.desk) == before
    assert life.standing() == []


def _undo_if_it_is_on_top(life: _Life, chosen: Merge) -> None:
    leader = CustomerKey.parse(chosen.leader)
    if _record(life.desk, leader).is_leader:
        unmerge(chosen.id, leader, life.tick(), by="mia")
        return
    with pytest.raises(Rejected, match="merged_since"):
        unmerge(chosen.id, leader, life.tick(), by="mia")


class _RacingBook(FakeCustomerBook):
    """Runs something else just before the next merge is written."""

    meanwhile: Callable[[], Any] | None = None

    def commit_merge(self, commit: MergeCommit) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        super().commit_merge(commit)


@given(_PAIRS, st.lists(_PAIRS, max_size=3), _PAIRS, st.booleans())
def test_of_two_who_merge_at_once_both_are_heard(
    ours: Any, before: list[Any], theirs: Any, their_merge_is_undone: bool
) -> None:
    book = _RacingBook()
    life = _Life(_desk(book, *_MANY))
    for pair in before:
        _join(life.tick(), *pair)

    def rival() -> None:
        made = _join(life.tick(), *theirs)
        if their_merge_is_undone and _record(life.desk, CustomerKey.parse(made.leader)).is_leader:
            unmerge(made.id, CustomerKey.parse(made.leader), life.tick(), by="noa")

    book.meanwhile = rival
    _join(life.tick(), *ours)
    life.check()
    leaders = _leaders(life.desk)
    assert leaders[str(ours[0])] == leaders[str(ours[1])]


class _DyingBook(FakeCustomerBook):
    """The answer to a write is lost: it was written, and the worker does not hear of it."""

    dies = False

    def commit_merge(self, commit: MergeCommit) -> None:
        super().commit_merge(commit)
        if self.dies:
            self.dies = False
            raise Retry("database_unreachable", "the outcome is unknown")


def test_a_merge_that_was_written_unheard_is_found_by_the_next_try() -> None:
    book = _DyingBook()
    desk = _desk(book)
    book.dies = True
    with pytest.raises(Retry):
        _join(desk, EVE, EVA)
    made = _join(desk, EVE, EVA)
    assert list(book.merges_of(EVE)) == [made]
    book.dies = True
    with pytest.raises(Retry):
        unmerge(made.id, EVE, desk, by="mia")
    assert not unmerge(made.id, EVE, desk, by="mia").stands
    assert _leaders(desk) == _alone(*OLDEST_FIRST)


def test_a_person_read_while_it_changes_is_read_again() -> None:
    desk = _desk()
    stale = _record(desk, EVA)
    _join(desk, EVE, EVA)
    _join(desk, EVA, EDA)
    with pytest.raises(Conflict):
        person_of(stale, desk.book)
    assert person_of(_record(desk, EVA), desk.book).keys == {str(EVE), str(EVA), str(EDA)}


def test_who_has_left_is_none_of_them_although_still_listed() -> None:
    book = FakeCustomerBook()
    desk = _desk(book)
    _join(desk, EVE, EVA)
    book.following[EVE] |= {EDA, CustomerKey.parse("aurora/guest/0")}
    assert person_of(_record(desk, EVA), book).keys == {str(EVE), str(EVA)}


# ---- proposals ----


def _proposed(desk: CustomerDesk, a: CustomerKey = EVE, b: CustomerKey = EVA) -> str:
    proposal = propose(a, b, REASONS, NOON)
    desk.book.keep_proposal(proposal)
    return proposal.id


def test_an_accepted_proposal_joins_for_its_reasons() -> None:
    desk = _desk()
    proposal_id = _proposed(desk)
    made = accept(proposal_id, desk, by="mia")
    assert (made.leader, made.by, made.reasons) == (str(EVE), "mia", REASONS)
    decided = desk.book.find_proposal(proposal_id)
    assert decided is not None
    assert (decided.state, decided.decided_by, decided.decided_at) == (ProposalState.ACCEPTED, "mia", NOON)
    assert accept(proposal_id, desk, by="noa") == made
    with pytest.raises(Rejected, match="already_decided"):
        dismiss(proposal_id, desk, by="noa")


def test_a_dismissed_proposal_joins_nobody() -> None:
    desk = _desk()
    proposal_id = _proposed(desk)
    dismissed = dismiss(proposal_id, desk, by="mia")
    assert dismissed.state is ProposalState.DISMISSED
    assert dismiss(proposal_id, desk, by="noa") == dismissed
    with pytest.raises(Rejected, match="already_decided"):
        accept(proposal_id, desk, by="noa")
    assert _leaders(desk) == _alone(*OLDEST_FIRST)


def test_a_yes_that_was_parted_since_does_not_join_again() -> None:
    desk = _desk()
    proposal_id = _proposed(desk)
    made = accept(proposal_id, desk, by="mia")
    unmerge(made.id, EVE, desk, by="noa")
    with pytest.raises(Rejected, match="already_decided"):
        accept(proposal_id, desk, by="mia")
    assert _leaders(desk) == _alone(*OLDEST_FIRST)


def test_a_yes_that_was_cut_short_is_finished_by_the_next_try() -> None:
    book = _RacingBook()
    desk = _desk(book)
    proposal_id = _proposed(desk)

    def killed() -> None:
        raise KeyboardInterrupt

    book.meanwhile = killed
    with pytest.raises(KeyboardInterrupt):
        accept(proposal_id, desk, by="mia")
    assert _leaders(desk) == _alone(*OLDEST_FIRST)
    assert accept(proposal_id, desk, by="mia").leader == str(EVE)


def test_an_unknown_proposal_is_refused() -> None:
    for decide in (accept, dismiss):
        with pytest.raises(Rejected, match="unknown_proposal"):
            decide("0" * 16, _desk(), by="mia")


def test_what_cannot_be_merged_is_not_accepted() -> None:
    desk = _desk()
    proposal_id = _proposed(desk)
    desk.book.commit(CustomerCommit(revised(_record(desk, EVA), erased_at=NOON), replaces=1))
    with pytest.raises(Rejected, match="customer_erased"):
        accept(proposal_id, desk, by="mia")
    open_still = desk.book.find_proposal(proposal_id)
    assert open_still is not None
    assert open_still.state is ProposalState.OPEN


# ---- the storefront's own merge ----

KEPT, GONE = CustomerKey.of_account("aurora", "1"), CustomerKey.of_account("aurora", "2")


def _reading(moment: datetime = NOON) -> CustomersMerged:
    return CustomersMerged(kept=KEPT.id, gone=GONE.id, at=moment)


def test_what_the_shop_merged_is_one_person_and_one_account_less() -> None:
    desk = _desk(None, GONE, KEPT)
    flagged = revised(_record(desk, GONE), attention_since=NOON)
    desk.book.commit(CustomerCommit(flagged, replaces=flagged.revision - 1))
    made = follow_storefront(_reading(), desk)
    assert made is not None
    assert (made.leader, made.by) == (str(KEPT), "storefront")
    assert [reason.kind for reason in made.reasons] == ["storefront"]
    assert (_record(desk, GONE).deleted_at, _record(desk, GONE).attention_since) == (NOON, None)
    assert _record(desk, KEPT).deleted_at is None
    before = _record(desk, GONE)
    assert follow_storefront(_reading(), desk) == made
    assert _record(desk, GONE) == before


@pytest.mark.parametrize("known", [(KEPT,), (GONE,), ()])
def test_what_we_do_not_know_cannot_be_joined(known: tuple[CustomerKey, ...]) -> None:
    desk = customer_desk()
    for key in known:
        kept(desk.book, customer(str(key)))
    assert follow_storefront(_reading(), desk) is None
    assert _leaders(desk) == _alone(*known)
    assert all((_record(desk, key).deleted_at is not None) == (key == GONE) for key in known)


def test_what_somebody_here_parted_since_is_not_joined_by_the_same_delivery() -> None:
    desk = _desk(None, GONE, KEPT)
    made = follow_storefront(_reading(), desk)
    assert made is not None
    unmerge(made.id, KEPT, desk, by="mia")
    assert follow_storefront(_reading(), desk) is None
    assert _leaders(desk) == _alone(KEPT, GONE)
