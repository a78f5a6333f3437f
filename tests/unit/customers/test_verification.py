"""The steps between the states of a verification, and what they mean for links and orders."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.customers.models import ProfileField
from shared.customers.record import CustomerFlag, CustomerRecord, Flag, ProfileDigest, Verification, VerificationState
from shared.customers.rules import AskFor, VerificationRules
from shared.customers.verification import (
    Standing,
    approved,
    asked,
    confirmed,
    declined,
    has_expired,
    may_ask,
    of_account,
    refused,
    reopened,
    standing_of,
    wants_link,
)
from tests.builders.customers import record
from tests.builders.orders import NOON

VERIFIED, PENDING, REJECTED, UNVERIFIED = (
    VerificationState.VERIFIED,
    VerificationState.PENDING,
    VerificationState.REJECTED,
    VerificationState.UNVERIFIED,
)
FIRST_ORDER = VerificationRules(ask=AskFor.FIRST_ORDER)
REGISTRATION = VerificationRules(ask=AskFor.REGISTRATION)
ASKED = asked(Verification(mark="m1"), "m1", NOON)


def _of(known: Verification | None, mark: str | None, *, said: bool = False) -> Verification:
    return of_account(known, mark=mark, said_by_storefront=said, now=NOON)


def _record(verification: Verification | None = None, key: str = "aurora/customer/17", **fields: Any) -> CustomerRecord:
    known = {"verification": verification or Verification(mark="m1")}
    return record(key, **({"digest": ProfileDigest(values={ProfileField.EMAIL: "d"})} | known | fields))


# ---- accounts ----


def test_a_new_customer_is_unverified_and_known_by_the_mark_of_the_address() -> None:
    assert _of(None, "m1") == Verification(mark="m1")
    assert _of(None, None) == Verification()


def test_the_storefronts_word_counts_where_it_is_taken() -> None:
    trusted = _of(None, "m1", said=True)
    assert (trusted.state, trusted.by, trusted.at, trusted.mark) == (VERIFIED, "storefront", NOON, "m1")
    assert _of(ASKED, "m1", said=True).state is VERIFIED
    assert _of(declined(ASKED, NOON), "m1", said=True).state is REJECTED
    assert _of(None, None, said=True).state is UNVERIFIED


@pytest.mark.parametrize(
    "known",
    [ASKED, confirmed(ASKED, NOON), declined(ASKED, NOON), refused(ASKED, "mia", NOON), Verification(mark="m1")],
)
@pytest.mark.parametrize("mark", ["m1", None])
def test_the_same_address_or_a_withheld_one_changes_nothing(known: Verification, mark: str | None) -> None:
    assert _of(known, mark) == known


@pytest.mark.parametrize("known", [ASKED, confirmed(ASKED, NOON), declined(ASKED, NOON), approved(ASKED, "mia", NOON)])
def test_another_address_begins_again_and_goes_on_counting(known: Verification) -> None:
    assert _of(known, "m2") == Verification(mark="m2", asked=1, asked_at=(NOON,))
    assert _of(_of(known, "m2"), "m1").state is UNVERIFIED


def test_whom_staff_refused_stays_refused_with_any_address() -> None:
    assert _of(refused(ASKED, "mia", NOON), "m2") == refused(ASKED, "mia", NOON).model_copy(update={"mark": "m2"})


def test_a_decision_of_staff_is_taken_back_by_staff() -> None:
    again = reopened(refused(ASKED, "mia", NOON), "noa", NOON + timedelta(days=1))
    assert (again.state, again.by, again.asked) == (UNVERIFIED, "noa", 1)


# ---- links ----


def test_asking_counts_up_and_remembers_one_day() -> None:
    later = asked(asked(ASKED, "m1", NOON + timedelta(hours=23)), "m1", NOON + timedelta(hours=25))
    assert (later.state, later.asked, later.at) == (PENDING, 3, NOON + timedelta(hours=25))
    assert later.asked_at == (NOON + timedelta(hours=23), NOON + timedelta(hours=25))


@given(st.lists(st.integers(min_value=0, max_value=2 * 24 * 60), max_size=40), st.integers(min_value=1, max_value=5))
def test_no_day_sees_more_links_than_the_rules_allow(waits: list[int], most: int) -> None:
    rules = VerificationRules(links_per_day=most)
    moment, known, sent = NOON, Verification(mark="m1"), list[datetime]()
    for wait in waits:
        moment += timedelta(minutes=wait)
        if may_ask(known, rules, moment):
            known = asked(known, "m1", moment)
            sent.append(moment)
    assert known.asked == len(sent)
    for start in sent:
        assert len([one for one in sent if start <= one < start + timedelta(days=1)]) <= most


def test_a_link_expires_after_the_hours_of_the_rules() -> None:
    rules = VerificationRules(link_hours=48)
    assert not has_expired(ASKED, rules, NOON + timedelta(hours=47, minutes=59))
    assert has_expired(ASKED, rules, NOON + timedelta(hours=48))
    assert not has_expired(confirmed(ASKED, NOON), rules, NOON + timedelta(hours=48))
    assert not has_expired(Verification(mark="m1"), rules, NOON)


@pytest.mark.parametrize(
    ("key", "ask", "has_ordered", "wanted"),
    [
        ("aurora/customer/17", AskFor.OFF, True, False),
        ("aurora/customer/17", AskFor.REGISTRATION, False, True),
        ("aurora/guest/9f", AskFor.REGISTRATION, True, False),
        ("aurora/customer/17", AskFor.FIRST_ORDER, False, False),
        ("aurora/customer/17", AskFor.FIRST_ORDER, True, True),
        ("aurora/guest/9f", AskFor.FIRST_ORDER, True, True),
    ],
)
def test_who_is_asked_and_when_is_the_shops_policy(key: str, ask: AskFor, has_ordered: bool, wanted: bool) -> None:
    rules = VerificationRules(ask=ask)
    assert wants_link(_record(key=key), rules, has_ordered=has_ordered, now=NOON) is wanted


@pytest.mark.parametrize("state", [VERIFIED, REJECTED, PENDING])
def test_who_was_asked_or_decided_about_is_not_asked_again(state: VerificationState) -> None:
    known = ASKED.model_copy(update={"state": state})
    for rules in (FIRST_ORDER, REGISTRATION):
        assert not wants_link(_record(known), rules, has_ordered=True, now=NOON + timedelta(hours=1))


def test_who_missed_the_link_is_asked_again_where_an_order_waits_for_it() -> None:
    later = NOON + timedelta(hours=48)
    assert wants_link(_record(ASKED), FIRST_ORDER, has_ordered=True, now=later)
    assert not wants_link(_record(ASKED), FIRST_ORDER, has_ordered=False, now=later)
    assert not wants_link(_record(ASKED), REGISTRATION, has_ordered=True, now=later)


@pytest.mark.parametrize(
    "fields",
    [
        {"deleted_at": NOON},
        {"erased_at": NOON},
        {"digest": ProfileDigest()},
        {"verification": Verification()},
        *({"flags": (CustomerFlag(flag=flag),)} for flag in list(Flag)[:3]),
        {"flags": (CustomerFlag(flag=Flag.SIGNUP_BURST),)},
        {"verification": Verification(mark="m1", asked=3, asked_at=(NOON, NOON, NOON))},
    ],
)
def test_who_cannot_be_reached_or_should_be_looked_at_first_is_not_asked(fields: dict[str, Any]) -> None:
    assert not wants_link(_record(**fields), FIRST_ORDER, has_ordered=True, now=NOON)
    assert not wants_link(_record(**fields), REGISTRATION, has_ordered=True, now=NOON)


def test_an_overruled_flag_or_one_of_another_kind_does_not_stop_a_link() -> None:
    burst = (CustomerFlag(flag=Flag.SIGNUP_BURST),)
    assert wants_link(_record(flags=burst, overruled=(Flag.SIGNUP_BURST,)), REGISTRATION, has_ordered=False, now=NOON)
    phone = (CustomerFlag(flag=Flag.PHONE_INVALID), CustomerFlag(flag=Flag.ADDRESS_INCOMPLETE))
    assert wants_link(_record(flags=phone), REGISTRATION, has_ordered=False, now=NOON)


# ---- orders ----


@pytest.mark.parametrize(
    ("state", "first_order", "otherwise"),
    [
        (UNVERIFIED, Standing.WAITING, Standing.NOT_ASKED),
        (PENDING, Standing.WAITING, Standing.NOT_ASKED),
        (VERIFIED, Standing.VERIFIED, Standing.NOT_ASKED),
        (REJECTED, Standing.REJECTED, Standing.REJECTED),
    ],
)
def test_orders_wait_by_policy_and_a_no_always_counts(
    state: VerificationState, first_order: Standing, otherwise: Standing
) -> None:
    known = _record(ASKED.model_copy(update={"state": state}))
    assert standing_of(known, FIRST_ORDER) is first_order
    for ask in (AskFor.OFF, AskFor.REGISTRATION):
        assert standing_of(known, VerificationRules(ask=ask)) is otherwise


def test_a_customer_without_an_address_waits_for_a_person() -> None:
    without = _record(Verification(), digest=ProfileDigest())
    assert standing_of(without, FIRST_ORDER) is Standing.WAITING
    assert standing_of(_record(approved(Verification(), "mia", NOON)), FIRST_ORDER) is Standing.VERIFIED
