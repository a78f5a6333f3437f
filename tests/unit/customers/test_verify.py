"""Asking customers, their answers by link, and what staff decide."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.customers.commits import CustomerCommit
from shared.customers.ports import CustomerDesk
from shared.customers.record import CustomerFlag, CustomerRecord, Flag, ProfileDigest, Verification, VerificationState
from shared.customers.rules import AskFor
from shared.customers.verification import of_account
from shared.customers.verify import (
    VERIFY,
    Occasion,
    approve,
    ask,
    ask_again,
    confirm,
    decline,
    nonce_of,
    overrule_flags,
    reject,
    reopen,
)
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.identifiers import CustomerKey, OrderKey
from shared.kernel.links import Link
from tests.builders.customers import MARKER, at, customer, customer_desk, kept, revised, rules
from tests.builders.orders import NOON
from tests.fakes.customers import FakeCustomerBook

EVE = CustomerKey.parse("aurora/customer/17")
LATER = NOON + timedelta(hours=1)


def _desk(policy: AskFor = AskFor.FIRST_ORDER, **of_record: Any) -> CustomerDesk:
    desk = customer_desk(policy=rules(ask=policy))
    kept(desk.book, customer(), **of_record)
    return desk


def _asked() -> CustomerDesk:
    desk = _desk()
    ask(EVE, desk, occasion=Occasion.ORDER)
    return desk


def _found(desk: CustomerDesk, key: CustomerKey = EVE) -> CustomerRecord:
    found = desk.book.find(key)
    assert found is not None
    return found


def _link(desk: CustomerDesk, key: CustomerKey = EVE) -> Link:
    """What the newest mail carries."""
    return Link(VERIFY, str(key), NOON + timedelta(days=2), nonce_of(_found(desk, key), MARKER))


def _state(desk: CustomerDesk) -> VerificationState:
    return _found(desk).verification.state


def _change(desk: CustomerDesk, **changes: Any) -> None:
    stored = _found(desk)
    desk.book.commit(CustomerCommit(revised(stored, **changes), replaces=stored.revision))


# ---- asking ----


def test_an_order_has_the_customer_asked_once() -> None:
    desk = _desk()
    assert ask(EVE, desk, occasion=Occasion.REGISTRATION) == _found(desk)
    assert _state(desk) is VerificationState.UNVERIFIED
    first = ask(EVE, desk, occasion=Occasion.ORDER)
    again = ask(EVE, desk, occasion=Occasion.ORDER)
    assert first == again == _found(desk)
    assert first is not None
    assert (first.verification.state, first.verification.asked, first.revision) == (VerificationState.PENDING, 1, 2)
    assert (first.cause.kind, first.cause.actor) == ("verification", "system")


def test_who_ordered_before_registering_is_asked_at_the_registration() -> None:
    desk = _desk()
    desk.book.link_order(EVE, OrderKey("aurora", "5001"), NOON)
    ask(EVE, desk, occasion=Occasion.REGISTRATION)
    assert _state(desk) is VerificationState.PENDING


def test_a_missed_link_is_sent_anew_for_the_next_order_and_not_for_an_account() -> None:
    desk = _asked()
    desk.book.link_order(EVE, OrderKey("aurora", "5001"), NOON)
    later = at(desk, NOON + timedelta(days=3))
    ask(EVE, later, occasion=Occasion.REGISTRATION)
    assert _found(desk).verification.asked == 1
    ask(EVE, later, occasion=Occasion.ORDER)
    assert _found(desk).verification.asked == 2


def test_nobody_is_asked_where_the_policy_is_off_or_the_customer_unknown() -> None:
    desk = _desk(AskFor.OFF)
    ask(EVE, desk, occasion=Occasion.ORDER)
    assert _state(desk) is VerificationState.UNVERIFIED
    assert ask(CustomerKey.parse("aurora/guest/0"), desk, occasion=Occasion.ORDER) is None


# ---- answering ----


@pytest.mark.parametrize(
    ("answer", "state", "by"),
    [(confirm, VerificationState.VERIFIED, "link"), (decline, VerificationState.REJECTED, "owner")],
)
def test_the_link_answers_once(answer: Any, state: VerificationState, by: str) -> None:
    desk = _asked()
    link = _link(desk)
    answered = answer(link, desk, LATER)
    assert answered == _found(desk)
    assert (answered.verification.state, answered.verification.by, answered.verification.at) == (state, by, LATER)
    assert answered.verification.mark == MARKER.email("eve@example.test")
    for again in (confirm, decline):
        with pytest.raises(Rejected, match="link_used"):
            again(link, desk, LATER)
    assert _found(desk) == answered


def _new_address(desk: CustomerDesk) -> None:
    moved = of_account(_found(desk).verification, mark="another", said_by_storefront=False, now=NOON)
    _change(desk, verification=moved)


def _another_address_and_back(desk: CustomerDesk) -> None:
    mark = _found(desk).verification.mark
    _new_address(desk)
    _change(desk, verification=of_account(_found(desk).verification, mark=mark, said_by_storefront=False, now=NOON))


@pytest.mark.parametrize(
    "meanwhile",
    [
        _new_address,
        _another_address_and_back,
        lambda desk: ask_again(EVE, desk, by="mia"),
        lambda desk: approve(EVE, desk, by="mia"),
        lambda desk: reject(EVE, desk, by="mia"),
        lambda desk: reopen(EVE, desk, by="mia"),
        lambda desk: _change(desk, erased_at=NOON),
        lambda desk: _change(desk, deleted_at=NOON),
        lambda desk: desk.book.records.clear(),
    ],
)
def test_a_link_holds_no_more_once_something_else_happened(meanwhile: Callable[[Any], Any]) -> None:
    desk = _asked()
    link = _link(desk)
    meanwhile(desk)
    before = desk.book.find(EVE)
    for answer in (confirm, decline):
        with pytest.raises(Rejected, match="link_invalid"):
            answer(link, desk, LATER)
    assert desk.book.find(EVE) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": "track"},
        {"nonce": ""},
        {"nonce": "é" * 40},
        {"subject": "aurora/customer/18"},
        {"subject": "aurora/5001"},
        {"subject": ""},
    ],
)
def test_a_link_of_another_purpose_or_person_shows_nothing(changed: dict[str, Any]) -> None:
    desk = _asked()
    kept(desk.book, customer("aurora/customer/18"), verification=_found(desk).verification)
    with pytest.raises(Rejected, match="link_invalid"):
        confirm(_link(desk)._replace(**changed), desk, LATER)
    assert _state(desk) is VerificationState.PENDING


def test_a_link_is_answered_at_its_own_shops_desk() -> None:
    desk = _asked()
    with pytest.raises(Rejected, match="link_invalid"):
        confirm(_link(desk), customer_desk(desk.book, shop="borealis"), LATER)


def test_a_refusal_says_nothing_of_anybody() -> None:
    desk = _asked()
    with pytest.raises(Rejected) as refused:
        confirm(_link(desk)._replace(nonce="no"), desk, LATER)
    assert "aurora" not in refused.value.describe()


class _BusyBook(FakeCustomerBook):
    """Somebody else commits just before we do, a few times."""

    rivals = 0

    def commit(self, commit: CustomerCommit) -> None:
        if self.rivals and commit.replaces is not None:
            self.rivals -= 1
            stored = self.records[commit.record.key]
            super().commit(CustomerCommit(revised(stored), replaces=stored.revision))
        super().commit(commit)


def test_of_many_who_write_at_once_each_is_heard() -> None:
    book = _BusyBook()
    desk = customer_desk(book)
    kept(book, customer())
    book.rivals = 3
    ask(EVE, desk, occasion=Occasion.ORDER)
    book.rivals = 3
    assert confirm(_link(desk), desk, LATER).verification.state is VerificationState.VERIFIED
    assert _found(desk).revision == 1 + 4 + 4


def test_a_conflict_that_does_not_end_is_passed_on() -> None:
    book = _BusyBook()
    kept(book, customer())
    book.rivals = 10_000
    with pytest.raises(Conflict):
        ask(EVE, customer_desk(book), occasion=Occasion.ORDER)


# ---- staff ----


@pytest.mark.parametrize("start", list(VerificationState))
def test_staff_decide_at_any_time_and_twice_is_once(start: VerificationState) -> None:
    for action, state in (
        (approve, VerificationState.VERIFIED),
        (reject, VerificationState.REJECTED),
        (reopen, VerificationState.UNVERIFIED),
    ):
        desk = _desk(verification=Verification(state=start, mark="m1", by="noa"))
        decided = action(EVE, desk, by="mia")
        assert decided.verification.state is state
        assert decided.verification.by == ("noa" if start is state else "mia")
        assert action(EVE, desk, by="zoe") == decided == _found(desk)


def test_staff_may_make_an_owners_no_their_own() -> None:
    desk = _asked()
    decline(_link(desk), desk, LATER)
    assert reject(EVE, desk, by="mia").verification.by == "mia"


def test_flags_are_overruled_for_good_and_the_customer_is_asked_then() -> None:
    flags = (CustomerFlag(flag=Flag.SIGNUP_BURST), CustomerFlag(flag=Flag.PHONE_INVALID))
    desk = _desk(AskFor.REGISTRATION, flags=flags, attention_since=NOON)
    ask(EVE, desk, occasion=Occasion.REGISTRATION)
    assert _state(desk) is VerificationState.UNVERIFIED
    overruled = overrule_flags(EVE, desk, by="mia")
    assert overruled == _found(desk)
    assert (overruled.open_flags, overruled.attention_since) == ((), None)
    assert set(overruled.overruled) == {Flag.SIGNUP_BURST, Flag.PHONE_INVALID}
    assert overruled.verification.state is VerificationState.PENDING
    assert overrule_flags(EVE, desk, by="mia") == overruled


def test_staff_send_another_link_as_often_as_the_rules_allow() -> None:
    desk = _desk(AskFor.OFF)
    for number in range(1, 4):
        assert ask_again(EVE, desk, by="mia").verification.asked == number
    with pytest.raises(Rejected, match="too_many_links"):
        ask_again(EVE, desk, by="mia")
    assert ask_again(EVE, at(desk, NOON + timedelta(days=1)), by="mia").verification.asked == 4


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"verification": Verification(), "digest": ProfileDigest()}, "no_email"),
        ({"verification": Verification(state=VerificationState.VERIFIED, mark="m1")}, "already_verified"),
        ({"verification": Verification(state=VerificationState.REJECTED, mark="m1")}, "customer_rejected"),
        ({"erased_at": NOON}, "customer_erased"),
    ],
)
def test_who_cannot_be_asked_again_is_told_why(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Rejected, match=code):
        ask_again(EVE, _desk(**fields), by="mia")


@pytest.mark.parametrize("action", [approve, reject, reopen, overrule_flags, ask_again])
def test_an_unknown_customer_is_refused_by_name(action: Any) -> None:
    with pytest.raises(Rejected, match="there is no customer aurora/customer/17"):
        action(EVE, customer_desk(), by="mia")


# ---- whatever happens in whatever order ----

_STEPS: list[Callable[[CustomerDesk, list[Link]], Any]] = [
    lambda desk, _: ask(EVE, desk, occasion=Occasion.ORDER),
    lambda desk, links: links.append(_link(desk)),
    lambda desk, links: confirm(links[-1], desk, LATER),
    lambda desk, links: confirm(links[0], desk, LATER),
    lambda desk, links: decline(links[-1], desk, LATER),
    lambda desk, _: approve(EVE, desk, by="mia"),
    lambda desk, _: reject(EVE, desk, by="mia"),
    lambda desk, _: reopen(EVE, desk, by="mia"),
    lambda desk, _: ask_again(EVE, desk, by="mia"),
    lambda desk, _: _new_address(desk),
]


@given(st.lists(st.sampled_from(_STEPS), max_size=25))
def test_a_link_verifies_only_the_address_it_was_sent_to_and_only_once(steps: list[Any]) -> None:
    desk = _desk()
    links: list[Link] = []
    used: list[str] = []
    for step in steps:
        before = _found(desk)
        try:
            step(desk, links or [_link(desk)])
        except Rejected:
            assert _found(desk) == before
            continue
        after = _found(desk)
        if after.verification.by == "link" != before.verification.by:
            assert before.verification.state is VerificationState.PENDING
            assert after.verification.mark == before.verification.mark
            used.append(nonce_of(before, MARKER))
        assert after.revision in (before.revision, before.revision + 1)
    assert len(used) == len(set(used))
