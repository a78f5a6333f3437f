"""What has to be written where, after edits on either side: single cases, and promises that hold for any of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.customers.maintenance import Base, Clash, Plan, Side, Write, as_seen, reconcile, with_begun
from shared.customers.models import ProfileField
from shared.customers.rules import MaintenanceRules, Owner
from tests.builders.orders import NOON

PHONE = ProfileField.PHONE
A, B, OFFICE = "aurora/customer/1", "borealis/customer/2", "backoffice/erp"


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def side(name: str, value: str | None = "1", minute: int = 0, what: ProfileField = PHONE, **more: bool) -> Side:
    values = {} if value is None else {what: value}
    return Side.model_validate({"name": name, "values": values, "changed_at": {what: at(minute)}, **more})


def rules(owner: Owner = Owner.NEWEST, what: ProfileField = PHONE) -> MaintenanceRules:
    return MaintenanceRules(owners={what: owner})


def agreed(*sides: Side, party: Side) -> Base:
    """The base after a look at which nothing was written."""
    return reconcile(sides, party, Base(), rules()).base


def writes(plan: Plan) -> list[tuple[str, str | None]]:
    return [(one.side, one.source) for one in plan.writes]


BEFORE = agreed(side(A), party=side(OFFICE))


# ---- one storefront, one party ----


def test_where_nobody_changed_anything_nothing_is_written() -> None:
    plan = reconcile([side(A)], side(OFFICE), BEFORE, rules())
    assert plan == Plan(base=BEFORE)


@pytest.mark.parametrize("owner", [Owner.NEWEST, Owner.STOREFRONT])
@pytest.mark.parametrize("value", ["2", None])
def test_a_storefront_edit_goes_to_the_party(owner: Owner, value: str | None) -> None:
    plan = reconcile([side(A, value, 5)], side(OFFICE), BEFORE, rules(owner))
    assert writes(plan) == [(OFFICE, A if value else None)]
    assert not plan.clashes


def test_a_storefront_edit_of_what_the_back_office_owns_is_set_back_and_told() -> None:
    plan = reconcile([side(A, "2", 5)], side(OFFICE), BEFORE, rules(Owner.BACKOFFICE))
    assert writes(plan) == [(A, OFFICE)]
    assert plan.clashes == (Clash(field=PHONE, winner=OFFICE, loser=A, reason="owner", at=at(5)),)


def test_an_owner_that_has_nothing_takes_nothing_away() -> None:
    nothing = agreed(side(A, None), party=side(OFFICE, None))
    by_storefront = reconcile([side(A, "2", 5)], side(OFFICE, None), nothing, rules(Owner.BACKOFFICE))
    assert writes(by_storefront) == [(OFFICE, A)]
    by_office = reconcile([side(A, None)], side(OFFICE, "2", 5), nothing, rules(Owner.STOREFRONT))
    assert not by_office.writes
    assert not by_office.clashes


@pytest.mark.parametrize("owner", [Owner.NEWEST, Owner.BACKOFFICE])
@pytest.mark.parametrize("value", ["2", None])
def test_an_edit_in_the_back_office_goes_to_the_storefront(owner: Owner, value: str | None) -> None:
    plan = reconcile([side(A)], side(OFFICE, value, 5), BEFORE, rules(owner))
    assert writes(plan) == [(A, OFFICE if value else None)]
    assert not plan.clashes


def test_an_edit_in_the_back_office_of_what_the_storefront_owns_is_set_back_and_told() -> None:
    plan = reconcile([side(A)], side(OFFICE, "2", 5), BEFORE, rules(Owner.STOREFRONT))
    assert writes(plan) == [(OFFICE, A)]
    assert plan.clashes == (Clash(field=PHONE, winner=A, loser=OFFICE, reason="owner", at=at(5)),)


def test_the_same_edit_on_both_sides_is_no_clash() -> None:
    plan = reconcile([side(A, "2", 3)], side(OFFICE, "2", 5), BEFORE, rules())
    assert not plan.writes
    assert not plan.clashes
    assert reconcile([side(A, "2", 3)], side(OFFICE, "3", 9), plan.base, rules()).writes


@pytest.mark.parametrize(
    ("owner", "storefront", "office", "winner"),
    [
        (Owner.NEWEST, 6, 5, A),
        (Owner.NEWEST, 5, 6, OFFICE),
        (Owner.NEWEST, 5, 5, OFFICE),
        (Owner.STOREFRONT, 5, 6, A),
        (Owner.BACKOFFICE, 6, 5, OFFICE),
    ],
)
def test_of_two_edits_at_once_one_wins_and_the_other_is_told(
    owner: Owner, storefront: int, office: int, winner: str
) -> None:
    plan = reconcile([side(A, "2", storefront)], side(OFFICE, "3", office), BEFORE, rules(owner))
    loser = OFFICE if winner == A else A
    assert writes(plan) == [(loser, winner)]
    reason = "newest" if owner is Owner.NEWEST else "owner"
    lost_at = at(office if loser == OFFICE else storefront)
    assert plan.clashes == (Clash(field=PHONE, winner=winner, loser=loser, reason=reason, at=lost_at),)


@pytest.mark.parametrize("what", [ProfileField.EMAIL, ProfileField.NAME, ProfileField.LANGUAGE])
def test_an_account_is_never_left_without_its_address_or_its_name(what: ProfileField) -> None:
    both = agreed(side(A, what=what), party=side(OFFICE, what=what))
    plan = reconcile([side(A, what=what)], side(OFFICE, None, 5, what=what), both, rules(what=what))
    assert not plan.writes
    assert not reconcile([side(A, what=what)], side(OFFICE, None, 5, what=what), plan.base, rules(what=what)).writes
    told_anew = reconcile([side(A, what=what)], side(OFFICE, "2", 6, what=what), plan.base, rules(what=what))
    assert writes(told_anew) == [(A, OFFICE)]


def test_the_name_of_a_party_is_never_taken_away() -> None:
    name = ProfileField.NAME
    both = agreed(side(A, what=name), party=side(OFFICE, what=name))
    assert not reconcile([side(A, None, 5, what=name)], side(OFFICE, what=name), both, rules()).writes


def test_withheld_data_is_unknown_and_not_cleared() -> None:
    silent = side(A, None, 5, is_silent=True)
    plan = reconcile([silent], side(OFFICE), BEFORE, rules())
    assert not plan.writes
    assert plan.base == BEFORE


def test_a_guest_gives_and_takes_nothing() -> None:
    guest = side(A, takes_writes=False)
    both = agreed(guest, party=side(OFFICE))
    assert not reconcile([guest], side(OFFICE, "2", 5), both, rules()).writes
    assert writes(reconcile([side(A, "2", 5, takes_writes=False)], side(OFFICE), both, rules())) == [(OFFICE, A)]


# ---- first meetings ----


def test_a_new_party_takes_from_the_leader_and_what_he_lacks_from_the_others() -> None:
    sides = [side(A, None), side(B, "2")]
    assert writes(reconcile(sides, Side(name=OFFICE), Base(), rules())) == [(OFFICE, B)]
    assert writes(reconcile([side(A, "1"), side(B, "2")], Side(name=OFFICE), Base(), rules())) == [(OFFICE, A)]


def test_a_party_that_an_order_made_gives_way_to_a_newer_account_alone() -> None:
    newer = reconcile([side(A, "2", 5)], side(OFFICE, "1", 1), Base(), rules())
    assert writes(newer) == [(OFFICE, A)]
    assert newer.clashes
    older = reconcile([side(A, "2", 1)], side(OFFICE, "1", 5), Base(), rules())
    assert not older.writes


def test_an_account_that_never_said_the_same_is_left_alone_by_the_back_office() -> None:
    apart = agreed(side(A, "2", 1), party=side(OFFICE, "1", 5))
    assert not reconcile([side(A, "2", 1)], side(OFFICE, "3", 9), apart, rules()).writes


# ---- two shops ----


def test_the_newest_of_two_shops_counts_and_travels_to_no_other_shop() -> None:
    both = agreed(side(A), side(B), party=side(OFFICE))
    plan = reconcile([side(A, "2", 5), side(B, "3", 6)], side(OFFICE), both, rules())
    assert writes(plan) == [(OFFICE, B)]
    assert not plan.clashes


def test_an_edit_in_the_back_office_goes_to_all_accounts_that_said_the_same() -> None:
    both = agreed(side(A), side(B), party=side(OFFICE))
    assert writes(reconcile([side(A), side(B)], side(OFFICE, "2", 5), both, rules())) == [(A, OFFICE), (B, OFFICE)]
    apart = agreed(side(A), side(B, "9"), party=side(OFFICE))
    assert writes(reconcile([side(A), side(B, "9")], side(OFFICE, "2", 5), apart, rules())) == [(A, OFFICE)]


def test_what_one_shop_takes_out_stays_while_another_says_it() -> None:
    both = agreed(side(A), side(B), party=side(OFFICE))
    plan = reconcile([side(A), side(B, None, 5)], side(OFFICE), both, rules())
    assert not plan.writes
    assert writes(reconcile([side(A, None, 9), side(B, None, 5)], side(OFFICE), plan.base, rules())) == [(OFFICE, None)]


def test_what_came_from_a_customer_goes_with_him() -> None:
    alone = agreed(side(A, None), party=side(OFFICE, None))
    joined = reconcile([side(A, None), side(B, "2")], side(OFFICE, None), alone, rules())
    assert writes(joined) == [(OFFICE, B)]
    parted = reconcile([side(A, None)], side(OFFICE, "2"), joined.base, rules())
    assert writes(parted) == [(OFFICE, None)]
    assert parted.base == alone


def test_what_the_back_office_said_after_all_stays_when_a_customer_goes() -> None:
    alone = agreed(side(A, None), party=side(OFFICE, None))
    joined = reconcile([side(A, None), side(B, "2")], side(OFFICE, None), alone, rules()).base
    assert not reconcile([side(A, None)], side(OFFICE, "3", 5), joined, rules()).writes


def test_what_a_customer_changed_falls_back_to_the_leaders_when_he_goes() -> None:
    both = agreed(side(A), side(B), party=side(OFFICE))
    changed = reconcile([side(A), side(B, "2", 5)], side(OFFICE), both, rules()).base
    assert writes(reconcile([side(A)], side(OFFICE, "2", 6), changed, rules())) == [(OFFICE, A)]


# ---- writes that were begun ----


def test_what_a_back_office_wrote_in_its_own_manner_is_no_edit_though_nobody_saw_it_written() -> None:
    edited = [side(A, "2", 5)]
    plan = reconcile(edited, side(OFFICE), BEFORE, rules())
    begun = with_begun(BEFORE, side(OFFICE), plan.writes)
    again = reconcile(edited, side(OFFICE, "2, shortened", 6), begun, rules())
    assert writes(again) == [(OFFICE, A)]
    assert not again.clashes
    seen = as_seen(again.base, [side(OFFICE, "2, shortened", 6)], again.writes)
    assert not reconcile(edited, side(OFFICE, "2, shortened", 6), seen, rules()).writes
    told = reconcile(edited, side(OFFICE, "3", 9), seen, rules())
    assert writes(told) == [(A, OFFICE)]


def test_an_edit_that_is_taken_back_meanwhile_is_taken_back_in_the_party() -> None:
    plan = reconcile([side(A, "2", 5)], side(OFFICE), BEFORE, rules())
    begun = with_begun(BEFORE, side(OFFICE), plan.writes)
    assert writes(reconcile([side(A, "1", 6)], side(OFFICE, "2", 5), begun, rules())) == [(OFFICE, A)]


def test_an_account_that_may_have_been_written_is_written_again() -> None:
    told = [side(A)]
    plan = reconcile(told, side(OFFICE, "2", 5), BEFORE, rules())
    begun = with_begun(BEFORE, side(OFFICE, "2", 5), plan.writes)
    assert writes(reconcile([side(A, "1")], side(OFFICE, "2", 5), begun, rules())) == [(A, OFFICE)]
    assert not reconcile([side(A, "2", 6)], side(OFFICE, "2", 5), begun, rules()).writes
    assert writes(reconcile([side(A, "2", 6)], side(OFFICE, "1", 7), begun, rules())) == [(A, OFFICE)]


# ---- whatever happens ----

VALUES = st.one_of(st.none(), st.sampled_from(["1", "2", "3"]))
FIELDS = st.sampled_from([PHONE, ProfileField.EMAIL, ProfileField.NAME])
OWNERS = st.sampled_from(Owner)
NAMES = (A, B, "aurora/guest/3")


@st.composite
def looks(draw: st.DrawFn) -> tuple[ProfileField, Owner, list[tuple[list[Side], Side]]]:
    """What the sides of a person show at one look after another: any edits, members that come and go."""
    what, owner = draw(FIELDS), draw(OWNERS)
    seen = []
    for _ in range(draw(st.integers(1, 4))):
        members = [name for name in NAMES if name == A or draw(st.booleans())]
        sides = [
            side(
                name,
                draw(VALUES),
                draw(st.integers(0, 3)),
                what,
                takes_writes="guest" not in name,
                is_silent=draw(st.integers(0, 5)) == 0,
            )
            for name in members
        ]
        seen.append((sides, side(OFFICE, draw(VALUES), draw(st.integers(0, 3)), what)))
    return what, owner, seen


def carried_out(plan: Plan, sides: Iterable[Side]) -> list[Side]:
    """The sides as they show it when all writes of the plan are made."""
    before = {one.name: one for one in sides}
    after = dict(before)
    for write in plan.writes:
        values = dict(after[write.side].values)
        values.pop(write.field, None)
        if write.source is not None:
            values[write.field] = before[write.source].values[write.field]
        after[write.side] = after[write.side].model_copy(update={"values": values})
    return list(after.values())


@given(looks())
def test_the_plan_of_a_plan_that_was_carried_out_is_empty(
    life: tuple[ProfileField, Owner, list[tuple[list[Side], Side]]],
) -> None:
    what, owner, seen = life
    base = Base()
    for sides, party in seen:
        plan = reconcile(sides, party, base, rules(owner, what))
        *after, office = carried_out(plan, [*sides, party])
        again = reconcile(after, office, plan.base, rules(owner, what))
        assert again == Plan(base=plan.base)
        base = plan.base


@given(looks())
def test_it_comes_to_the_same_end_when_some_writes_were_made_and_nobody_knows(
    life: tuple[ProfileField, Owner, list[tuple[list[Side], Side]]],
) -> None:
    what, owner, seen = life
    base = Base()
    for sides, party in seen:
        plan = reconcile(sides, party, base, rules(owner, what))
        for made in range(len(plan.writes) + 1):
            begun = with_begun(base, party, plan.writes)
            part = plan.model_copy(update={"writes": plan.writes[:made]})
            *halfway, office = carried_out(part, [*sides, party])
            again = reconcile(halfway, office, begun, rules(owner, what))
            assert carried_out(again, [*halfway, office]) == carried_out(plan, [*sides, party])
            assert again.base == plan.base
        base = plan.base


@given(looks())
def test_nothing_is_written_that_need_not_be(
    life: tuple[ProfileField, Owner, list[tuple[list[Side], Side]]],
) -> None:
    what, owner, seen = life
    base = Base()
    for sides, party in seen:
        plan = reconcile(sides, party, base, rules(owner, what))
        shown = {one.name: one for one in [*sides, party]}
        for write in plan.writes:
            assert shown[write.side].takes_writes
            assert not shown[write.side].is_silent
            assert write.source is None or OFFICE in (write.side, write.source)
            given_value = shown[write.source].values[what] if write.source else None
            assert given_value != shown[write.side].values.get(what)
        assert len({write.side for write in plan.writes}) == len(plan.writes)
        base = plan.base


@given(looks())
def test_the_order_of_members_behind_the_leader_makes_no_difference(
    life: tuple[ProfileField, Owner, list[tuple[list[Side], Side]]],
) -> None:
    """Where nobody has to be asked first: at a first meeting, when somebody has left, and for what a storefront owns
    the order is the last resort."""
    what, owner, seen = life
    assume(owner is not Owner.STOREFRONT)
    base = Base()
    for sides, party in seen:
        plan = reconcile(sides, party, base, rules(owner, what))
        is_decided_by_time = len({one.changed(what) for one in sides}) == len(sides)
        if is_decided_by_time and not base.taken and all(one.name in base.sides for one in [*sides, party]):
            turned = reconcile([sides[0], *reversed(sides[1:])], party, base, rules(owner, what))
            assert set(turned.writes) == set(plan.writes)
            assert set(turned.clashes) == set(plan.clashes)
        base = plan.base


def test_a_write_names_sides_and_no_values() -> None:
    assert set(Write.model_fields) == {"side", "field", "source"}
