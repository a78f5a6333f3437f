"""What follows from a change of a customer."""

import json
from typing import Any

import pytest

from shared.customers.effects import (
    CustomerEventKind,
    changes_standing,
    events_of,
    persons_to_bring_together,
    wants_link,
)
from shared.customers.models import CustomerSource, ProfileField
from shared.customers.record import CustomerFlag, CustomerRecord, Flag, ProfileDigest, Verification, VerificationState
from shared.kernel.identifiers import CustomerKey
from tests.builders.customers import proven, record, revised
from tests.builders.orders import NOON, version

KEY = CustomerKey("aurora", "customer", "17")
PENDING = Verification(state=VerificationState.PENDING, mark="m", asked=1, asked_at=(NOON,), at=NOON)
REFUSED = Verification(state=VerificationState.REJECTED, by="owner", mark="m", at=NOON)


def kinds(old: CustomerRecord | None, new: CustomerRecord) -> list[CustomerEventKind]:
    return [event.kind for event in events_of(old, new)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": version(1, "b")}, [CustomerEventKind.REVISED]),
        ({"verification": PENDING}, [CustomerEventKind.VERIFICATION_ASKED]),
        ({"verification": proven()}, [CustomerEventKind.VERIFIED]),
        ({"verification": REFUSED}, [CustomerEventKind.REJECTED]),
        ({"flags": (CustomerFlag(flag=Flag.SIGNUP_BURST),)}, [CustomerEventKind.FLAGGED]),
        ({"flags": (CustomerFlag(flag=Flag.SIGNUP_BURST),), "overruled": (Flag.SIGNUP_BURST,)}, []),
        ({"leader": "borealis/customer/4"}, [CustomerEventKind.MERGED]),
        ({"deleted_at": NOON}, [CustomerEventKind.DELETED]),
        ({"erased_at": NOON, "deleted_at": NOON}, [CustomerEventKind.ERASED]),
        ({}, []),
    ],
)
def test_a_change_is_told_as_what_it_is(change: dict[str, Any], expected: list[CustomerEventKind]) -> None:
    assert kinds(record(), revised(record(), **change)) == expected


def test_a_new_customer_is_registered_or_seen() -> None:
    assert kinds(None, record()) == [CustomerEventKind.REGISTERED]
    guest = record("aurora/guest/9f")
    assert kinds(None, guest) == [CustomerEventKind.SEEN]
    in_order = record(source=CustomerSource.ORDER)
    assert kinds(in_order, revised(in_order, source=CustomerSource.REGISTRATION)) == [CustomerEventKind.REGISTERED]


def test_the_same_change_has_the_same_ids_and_names_nobody() -> None:
    old, new = record(), revised(record(), verification=proven())
    assert events_of(old, new) == events_of(old, new)
    (event,) = events_of(old, new)
    assert event.id == "aurora/customer/17#2/CustomerVerified"
    assert set(json.loads(event.model_dump_json())) == {
        *("id", "kind", "shop", "customer", "leader", "revision", "verification", "flags", "cause", "actor")
    }


def test_a_link_is_sent_once_for_each_time_that_it_is_asked_for() -> None:
    asked = revised(record(), verification=PENDING)
    again = revised(asked, verification=PENDING.model_copy(update={"asked": 2}))
    assert [wants_link(record(), asked), wants_link(asked, asked), wants_link(asked, again)] == [True, False, True]
    assert not wants_link(asked, revised(asked, verification=proven().model_copy(update={"asked": 2})))


DIGEST = ProfileDigest(values={ProfileField.EMAIL: "x"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"digest": DIGEST}, [KEY]),
        ({"verification": proven()}, [KEY]),
        ({"deleted_at": NOON}, [KEY]),
        ({"leader": "borealis/customer/4"}, [CustomerKey("borealis", "customer", "4"), KEY]),
        ({"version": version(1, "b")}, []),
        ({"erased_at": NOON}, []),
    ],
)
def test_both_sides_are_brought_together_when_something_kept_in_step_changed(
    change: dict[str, Any], expected: list[CustomerKey]
) -> None:
    assert list(persons_to_bring_together(record(), revised(record(), **change))) == expected


def test_a_new_customer_is_brought_to_the_back_office() -> None:
    assert persons_to_bring_together(None, record()) == (KEY,)


@pytest.mark.parametrize(("verification", "expected"), [(proven(), True), (REFUSED, True), (Verification(), False)])
def test_a_customers_standing_changes_when_the_answer_is_there(verification: Verification, *, expected: bool) -> None:
    assert changes_standing(record(), revised(record(), verification=verification)) is expected
