"""Finding the same person among the customers of all shops: what is joined, what is proposed, what is left alone."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.customers import matcher
from shared.customers.commits import CustomerCommit
from shared.customers.matcher import MOST_BEARERS, Matched, match, open_proposals
from shared.customers.matching import Proposal, proposal_id
from shared.customers.merging import accept, dismiss, merge, unmerge
from shared.customers.models import Profile
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerRecord, Verification
from shared.kernel.identifiers import CustomerKey
from tests.builders.customers import MARKER, at, customer, customer_desk, kept, marks_borne, proven, revised, rules
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook

EVE, EVA, EDA = (
    CustomerKey.parse(text) for text in ("aurora/customer/1", "borealis/customer/2", "australis/customer/3")
)
EMAIL: dict[str, Any] = {"email": "eve@example.test"}
PHONE: dict[str, Any] = {"phone": "+31612345678"}
SMITH: dict[str, Any] = {"first_name": "John", "last_name": "Smith"}


def _add(
    desk: CustomerDesk, key: CustomerKey, verification: Verification | None = None, **personal: Any
) -> CustomerRecord:
    of_record = {"verification": verification} if verification else {}
    days = timedelta(days=100 - int(key.id, 36))
    account = customer(str(key), personal=Profile(**personal), registered_at=NOON - days)
    return kept(desk.book, account, **of_record)


def _match(desk: CustomerDesk, key: CustomerKey = EVE, **policies: Any) -> Matched:
    return match(key, desk, rules_of=lambda shop: policies.get(shop, rules()))


def _leaders(desk: CustomerDesk) -> set[str]:
    return {record.leader for record in desk.book.all_records()}


def _reasons(proposal: Proposal) -> list[str]:
    return [reason.kind for reason in proposal.reasons]


def _set(desk: CustomerDesk, key: CustomerKey, **changes: Any) -> None:
    stored = desk.book.find(key)
    assert stored is not None
    desk.book.commit(CustomerCommit(revised(stored, **changes), replaces=stored.revision))


# ---- joined ----


def test_one_verified_address_in_two_shops_is_one_person() -> None:
    desk = customer_desk()
    _add(desk, EVE, proven(), **EMAIL)
    _add(desk, EVA, proven(), email="EVE@Example.test")
    found = _match(desk)
    assert [(made.leader, made.by) for made in found.joined] == [(str(EVE), "rule")]
    assert [reason.kind for reason in found.joined[0].reasons] == ["verified_email"]
    assert found.proposed == ()
    assert _match(desk) == _match(desk, EVA) == Matched()
    assert desk.book.members(EVE) == (EVE, EVA)


def test_all_of_one_person_are_joined_whoever_is_looked_at_first() -> None:
    for order in permutations((EVE, EVA, EDA)):
        desk = customer_desk()
        for key in (EVE, EVA, EDA):
            _add(desk, key, proven(), **EMAIL)
        assert sum(len(_match(desk, key).joined) for key in order) == 2
        assert _leaders(desk) == {str(EVE)}


def test_both_shops_must_let_their_customers_be_joined() -> None:
    policies: list[dict[str, Any]] = [{shop: rules(automatically=())} for shop in ("aurora", "borealis")]
    for policy in policies:
        desk = customer_desk()
        _add(desk, EVE, proven(), **EMAIL)
        _add(desk, EVA, proven(), **EMAIL)
        found = _match(desk, **policy)
        assert found.joined == ()
        assert list(map(_reasons, found.proposed)) == [["verified_email"]]


def test_telephone_and_name_join_where_both_shops_say_so() -> None:
    generous = rules(automatically=("phone_and_name",))
    desk = customer_desk()
    _add(desk, EVE, **PHONE, **SMITH)
    _add(desk, EVA, phone="+31 6 1234 5678", first_name="J.", last_name="Smith")
    assert _match(desk, aurora=generous).joined == ()
    assert len(_match(desk, aurora=generous, borealis=generous).joined) == 1


# ---- proposed ----


def test_a_resemblance_is_proposed_once_with_its_reasons() -> None:
    desk = customer_desk()
    _add(desk, EVE, **EMAIL, **PHONE)
    _add(desk, EVA, **EMAIL, **PHONE)
    proposed = _match(desk).proposed
    assert list(map(_reasons, proposed)) == [["same_email", "same_phone"]]
    assert proposed[0].customers == (str(EVE), str(EVA))
    assert _match(desk) == _match(at(desk, NOON + timedelta(days=1)), EVA) == Matched()
    assert list(open_proposals(desk.book)) == list(proposed)


def test_a_name_alone_is_no_sign() -> None:
    desk = customer_desk()
    _add(desk, EVE, **SMITH)
    _add(desk, EVA, **SMITH)
    assert _match(desk) == Matched()


@pytest.mark.parametrize(("bearers", "found"), [(MOST_BEARERS, MOST_BEARERS - 1), (MOST_BEARERS + 1, 0)])
def test_what_very_many_share_is_no_sign(bearers: int, found: int) -> None:
    desk = customer_desk()
    keys = [CustomerKey.of_account("aurora", str(number)) for number in range(bearers)]
    for key in keys:
        _add(desk, key, **PHONE)
    assert len(_match(desk, keys[0]).proposed) == found


@pytest.mark.parametrize("gone", [{"deleted_at": NOON}, {"erased_at": NOON}])
def test_who_is_gone_is_not_matched(gone: dict[str, Any]) -> None:
    desk = customer_desk()
    _add(desk, EVE, proven(), **EMAIL)
    _add(desk, EVA, proven(), **EMAIL)
    _set(desk, EVA, **gone)
    assert _match(desk) == _match(desk, EVA) == Matched()


def test_nobody_is_matched_without_a_profile_or_a_record() -> None:
    desk = customer_desk()
    _add(desk, EVE, proven(), **EMAIL)
    made = _add(desk, EVA, proven(), **EMAIL)
    desk.book.commit(CustomerCommit(revised(made), replaces=1, forget=True))
    assert _match(desk) == _match(desk, EVA) == _match(desk, EDA) == Matched()


# ---- what people have decided ----


def test_who_was_said_to_be_two_is_neither_proposed_nor_joined() -> None:
    desk = customer_desk()
    eve = _add(desk, EVE, **EMAIL)
    _add(desk, EVA, proven(), **EMAIL)
    dismiss(_match(desk).proposed[0].id, desk, by="mia")
    assert _match(desk) == Matched()
    _set(desk, eve.key, verification=proven())
    assert _match(desk) == _match(desk, EVA) == Matched()
    assert _leaders(desk) == {str(EVE), str(EVA)}


def test_a_no_to_one_of_a_person_is_asked_about_for_the_others() -> None:
    """EVE and EVA are two; EDA, who is one with EVE, is proven to be EVA: a person decides, no rule."""
    desk = customer_desk()
    _add(desk, EVE, **PHONE)
    _add(desk, EVA, proven(), **PHONE, **EMAIL)
    dismiss(_match(desk).proposed[0].id, desk, by="mia")
    _add(desk, EDA, proven(), **EMAIL)
    merge(EVE, EDA, desk, reasons=(), by="mia")
    found = _match(desk, EDA)
    assert found.joined == ()
    assert [proposal.customers for proposal in found.proposed] == [(str(EDA), str(EVA))]


def test_who_was_parted_by_somebody_is_not_joined_again() -> None:
    desk = customer_desk()
    _add(desk, EVE, proven(), **EMAIL)
    _add(desk, EVA, proven(), **EMAIL)
    made = _match(desk).joined[0]
    unmerge(made.id, EVE, desk, by="mia")
    assert _match(desk) == _match(desk, EVA) == Matched()
    _add(desk, EDA, proven(), **EMAIL)
    assert len(_match(desk, EDA).joined) == 1
    assert len(_leaders(desk)) == 2


def test_proposals_of_people_who_became_one_or_are_gone_are_done_with() -> None:
    desk = customer_desk()
    for key in (EVE, EVA, EDA):
        _add(desk, key, **EMAIL)
        _match(desk, key)
    assert len(list(open_proposals(desk.book))) == 3
    accept(proposal_id(EVE, EVA), desk, by="mia")
    assert len(list(open_proposals(desk.book))) == 2
    _set(desk, EDA, erased_at=NOON)
    assert list(open_proposals(desk.book)) == []


# ---- while others write ----


class _ChangingBook(FakeCustomerBook):
    """Runs something once, between what is found and what is done about it."""

    meanwhile: Callable[[], Any] | None = None

    def find_proposal(self, proposal_id: str) -> Proposal | None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().find_proposal(proposal_id)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_proof_that_is_gone_by_the_time_joins_nobody(is_late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the two are compared, or when they have been looked at once more."""
    book = _ChangingBook()
    desk = customer_desk(book)
    _add(desk, EVE, proven(), **EMAIL)
    _add(desk, EVA, proven(), **EMAIL)
    moved = Profile(email="eva@example.test")

    def new_address() -> None:
        stored = book.records[EVA]
        record = revised(stored, verification=Verification(mark=MARKER.email("eva@example.test")))
        account = customer(str(EVA), personal=moved)
        bore = marks_borne(Profile(**EMAIL))
        book.commit(
            CustomerCommit(record, replaces=stored.revision, customer=account, marks=marks_borne(moved), bore=bore)
        )

    if is_late:
        monkeypatch.setattr(matcher, "_check_unchanged", lambda *_: new_address())
    else:
        book.meanwhile = new_address
    assert _match(desk) == Matched()
    assert _leaders(desk) == {str(EVE), str(EVA)}


def test_two_who_match_at_once_join_once() -> None:
    book = _ChangingBook()
    desk = customer_desk(book)
    for key in (EVE, EVA, EDA):
        _add(desk, key, proven(), **EMAIL)
    book.meanwhile = lambda: _match(desk, EVA)
    _match(desk)
    assert _leaders(desk) == {str(EVE)}
    moved = [one.customer for key in (EVE, EVA, EDA) for made in book.merges_of(key) for one in made.moved]
    assert sorted(moved) == sorted([str(EVA), str(EDA)])
