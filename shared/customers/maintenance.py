"""Keep one person the same on both sides: what has to be written where, after edits on any of them. Pure.

One person is the customers at one or several shops that go by one leader, and one party in a back office. Each of them
is a side, and shows a value for each field, or none. Values are digests of normal forms here: all that counts is
whether two are equal, and a write only says which side's value another one is to take.

A side has changed a field when it shows something else than when it was last looked at: than its own base. So what a
back office writes in its own manner is no edit, and neither is the echo of what we wrote. A storefront side is *in
step* when it and the party were last seen, or made, to say the same: only then does what is changed in the back office
concern it. One shop's edit goes to the party, and never to another shop's account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.customers.models import ProfileField
from shared.customers.rules import MaintenanceRules, Owner
from shared.kernel.model import Canonical

NEVER = datetime.min.replace(tzinfo=UTC)


class Side(Canonical):
    """What one side shows now."""

    name: str
    """A customer's key, or `backoffice/erp`."""
    values: dict[ProfileField, str] = {}
    """Digests of normal forms. A field that is not in it has no value."""
    changed_at: dict[ProfileField, datetime] = {}
    """When each field last changed, by the side's own clock."""
    is_silent: bool = False
    """It tells nothing (withheld, deleted, expired): what is not there is unknown, and not cleared."""
    takes_writes: bool = True
    """False: a guest, a deleted account, a shop that is told nothing."""
    together: tuple[ProfileField, ...] = ()
    """Fields of which writing one may change what the side shows of the others: a shop that has one address for both,
    a back office that keeps the company within an address."""

    def changed(self, what: ProfileField) -> datetime:
        return self.changed_at.get(what, NEVER)


class SideBase(Canonical):
    """What one side showed when it was last looked at."""

    values: dict[ProfileField, str] = {}
    in_step: tuple[ProfileField, ...] = ()
    """Fields of a storefront side of which the party says the same, as far as it can hold it."""
    begun: tuple[ProfileField, ...] = ()
    """Fields that we set out to write and have not seen written: whatever the side shows there may be our own."""
    beside: tuple[ProfileField, ...] = ()
    """Fields that go together with those: what the side shows there may have come with our own, and is no edit."""


class Base(Canonical):
    """What is remembered of a person's sides between two looks. Nothing can be read from it."""

    sides: dict[str, SideBase] = {}
    taken: dict[ProfileField, str] = {}
    """By field the storefront side whose value the party holds: the value goes when that side goes."""


class Write(Canonical):
    """One side is to show what another one shows."""

    side: str
    field: ProfileField
    source: str | None
    """Whose value; None: it is to have none."""


class Clash(Canonical):
    """A field was changed by a side that does not own it, or on both sides at once."""

    field: ProfileField
    winner: str
    loser: str
    reason: str
    """`owner`, `newest`."""
    at: datetime
    """When the loser changed it: the same, however often this is worked out."""


class Plan(Canonical):
    writes: tuple[Write, ...] = ()
    clashes: tuple[Clash, ...] = ()
    base: Base
    """As it will be when all is written, and shown as it was written."""


def reconcile(storefronts: Iterable[Side], party: Side, base: Base, rules: MaintenanceRules) -> Plan:
    """Work out what both sides need.

    `storefronts` are the person's customers, the leader first. A party that is not there yet is a side without values
    that the base does not know. The plan of a plan that has been carried out is empty.
    """
    sides = tuple(storefronts)
    settled = [_settle(_Case(what, sides, party, base, rules.owner_of(what))) for what in ProfileField]
    return Plan(
        writes=tuple(write for one in settled for write in one.writes),
        clashes=tuple(clash for one in settled for clash in one.clashes),
        base=_base_after(sides, party, base, settled),
    )


@dataclass
class _Case:
    """One field of one person, and what is found to be done about it."""

    what: ProfileField
    sides: tuple[Side, ...]
    party: Side
    base: Base
    owner: Owner
    writes: list[Write] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    source: Side | None = None
    """The side that the party takes its value from."""
    spared: set[str] = field(default_factory=set)
    """Accounts that keep what the party is without now. What it says next is still meant for them."""
    void: bool = False
    """The party's value came from somebody who is not of the person any more."""

    @property
    def speaking(self) -> tuple[Side, ...]:
        return tuple(side for side in self.sides if not side.is_silent)

    @property
    def held(self) -> str | None:
        return self.shown(self.party)

    def shown(self, side: Side) -> str | None:
        return side.values.get(self.what)

    def is_met(self, side: Side) -> bool:
        return side.name in self.base.sides

    def is_begun(self, side: Side) -> bool:
        return self.is_met(side) and self.what in self.base.sides[side.name].begun

    def is_in_step(self, side: Side) -> bool:
        return self.is_met(side) and self.what in self.base.sides[side.name].in_step

    def before(self, side: Side) -> str | None:
        return self.base.sides[side.name].values.get(self.what) if self.is_met(side) else None

    def has_changed(self, side: Side) -> bool:
        if not self.is_met(side):
            return False
        base = self.base.sides[side.name]
        may_be_ours = self.what in base.begun or (self.what in base.beside and not self._lost_its_address(side))
        return not may_be_ours and self.shown(side) != self.before(side)

    def _lost_its_address(self, side: Side) -> bool:
        """A company that we wrote may change how the party's address reads, and never takes the address away."""
        is_gone = self.shown(side) is None and self.before(side) is not None
        return side is self.party and self.what is ProfileField.BILLING and is_gone

    @property
    def changed(self) -> tuple[Side, ...]:
        return tuple(side for side in self.speaking if self.has_changed(side))

    def counts(self, side: Side) -> bool:
        """A value counts. That one is gone counts only where the party's was the same, and nobody else says it still:
        the telephone number that is taken out of one shop's account may still be that of another's."""
        if self.shown(side) is not None:
            return True
        still_said = any(self._still_says(other) for other in self.speaking if other is not side)
        return self.what not in _NEVER_UNSAID and self.is_in_step(side) and not still_said

    def _still_says(self, other: Side) -> bool:
        is_as_before = self.is_in_step(other) and not self.has_changed(other)
        return self.shown(other) is not None and (is_as_before or self.shown(other) == self.held)

    @property
    def edited(self) -> tuple[Side, ...]:
        """Storefront sides with an edit that counts."""
        return tuple(side for side in self.changed if self.counts(side))

    @property
    def newest(self) -> Side | None:
        """Of two edits at once that of whom the person goes by."""
        return max(self.edited, key=lambda side: side.changed(self.what), default=None)

    def take_from(self, source: Side | None) -> None:
        """The party is to show this side's value; without a side, none."""
        self.source = source
        wanted = self.shown(source) if source else None
        if wanted is None and self.what is ProfileField.NAME:
            self.source = None
            return
        if self.held != wanted:
            named = source.name if source is not None and wanted is not None else None
            self.writes.append(Write(side=self.party.name, field=self.what, source=named))

    def is_anothers(self, side: Side) -> bool:
        """Whether the party's value is that of another account, which is nobody's business at this one's shop."""
        taken_from = self.base.taken.get(self.what)
        return taken_from not in (None, side.name) and not self.has_changed(self.party)

    def give_to(self, side: Side) -> None:
        """The side is to show the party's value. An account keeps what it cannot be without."""
        if not side.takes_writes or self.is_anothers(side):
            return
        if self.held is None and self.what in _KEPT_BY_ACCOUNTS:
            self.spared.add(side.name)
            return
        if self.shown(side) != self.held:
            named = self.party.name if self.held is not None else None
            self.writes.append(Write(side=side.name, field=self.what, source=named))

    def note(self, winner: Side, loser: Side, reason: str) -> None:
        self.clashes.append(
            Clash(
                field=self.what,
                winner=winner.name,
                loser=loser.name,
                reason=reason,
                at=loser.changed(self.what),
            )
        )


_NEVER_UNSAID = frozenset({ProfileField.NAME, ProfileField.LANGUAGE})
"""A party has a name, and an account without a language does not tell it."""
_KEPT_BY_ACCOUNTS = frozenset({ProfileField.EMAIL, ProfileField.NAME, ProfileField.LANGUAGE})


def _settle(case: _Case) -> _Case:
    case.void = _is_void(case)
    newest = case.newest
    party_changed = case.has_changed(case.party)
    if case.void:
        case.take_from(newest or _first_with_value(case, case.speaking))
    elif newest is not None and party_changed:
        _both_changed(case, newest)
    elif newest is not None:
        _storefront_changed(case, newest)
    elif party_changed:
        _party_changed(case)
    else:
        _nobody_changed(case)
    _finish_begun(case)
    return case


def _finish_begun(case: _Case) -> None:
    """Where the party's value stands, accounts that were to get it and perhaps did not get it now."""
    written = {write.side for write in case.writes}
    if case.party.name not in written:
        for side in case.speaking:
            if case.is_begun(side) and side.name not in written:
                case.give_to(side)


def _is_void(case: _Case) -> bool:
    """Whether the party still holds what it took from somebody who has left the person, by an un-merge or erased."""
    taken_from = case.base.taken.get(case.what)
    has_left = taken_from is not None and all(side.name != taken_from for side in case.sides)
    return has_left and not case.has_changed(case.party)


def _storefront_changed(case: _Case, newest: Side) -> None:
    if case.owner is not Owner.BACKOFFICE or case.held is None or case.is_begun(case.party):
        case.take_from(newest)
        return
    for side in case.changed:
        if case.shown(side) != case.held:
            case.give_to(side)
            case.note(case.party, side, "owner")


def _party_changed(case: _Case) -> None:
    owned = _first_with_value(case, case.speaking, in_step=True) or _first_with_value(case, case.speaking)
    if case.owner is not Owner.STOREFRONT:
        _tell_all_in_step(case)
    elif owned is not None and case.shown(owned) != case.held:
        case.take_from(owned)
        case.note(owned, case.party, "owner")


def _both_changed(case: _Case, newest: Side) -> None:
    """The newest storefront edit counts against the party's; of the other ones only that they have lost."""
    is_same = case.shown(newest) == case.held
    is_later = newest.changed(case.what) > case.party.changed(case.what)
    reason = "newest" if case.owner is Owner.NEWEST else "owner"
    if case.owner is Owner.STOREFRONT or (case.owner is Owner.NEWEST and is_later and not is_same):
        case.take_from(newest)
        if not is_same:
            case.note(newest, case.party, reason)
        return
    for side in case.edited:
        if case.shown(side) != case.held:
            case.note(case.party, side, reason)
    _tell_all_in_step(case)


def _tell_all_in_step(case: _Case) -> None:
    """What the back office says goes to every account that said the same before, and to whom the person goes by if it
    was changed at the same time."""
    for side in case.speaking:
        has_lost = side is case.sides[0] and case.has_changed(side)
        if case.is_in_step(side) or has_lost:
            case.give_to(side)


def _nobody_changed(case: _Case) -> None:
    """First meetings, and writes that were begun and perhaps never made."""
    if case.is_begun(case.party):
        _write_party_again(case)
        return
    newcomers = [side for side in case.speaking if not (case.is_met(side) and case.is_met(case.party))]
    if case.held is None:
        if (first := _first_with_value(case, newcomers)) is not None:
            case.take_from(first)
    elif not case.is_met(case.party):
        _meet(case, newcomers)


def _write_party_again(case: _Case) -> None:
    """Nobody knows whether the party shows ours: it is brought to what the storefronts say now."""
    in_step = [side for side in case.speaking if case.is_in_step(side)]
    newcomers = [side for side in case.speaking if not case.is_met(side)]
    taken_from = case.base.taken.get(case.what)
    giver = next((side for side in case.sides if side.name == taken_from), None)
    if giver is not None and giver.is_silent:
        return
    source = giver or next(iter(in_step), None) or _first_with_value(case, newcomers or case.speaking)
    if source is not None:
        case.take_from(source)


def _meet(case: _Case, newcomers: list[Side]) -> None:
    """A party that an order made before the account was known. A value that is certainly older gives way to that of
    the account whom the person goes by; otherwise each keeps its own until somebody edits it."""
    leader = next((side for side in newcomers if side is case.sides[0]), None)
    if leader is None or case.shown(leader) in (None, case.held):
        return
    is_later = leader.changed(case.what) > case.party.changed(case.what)
    if case.owner is Owner.STOREFRONT or (case.owner is Owner.NEWEST and is_later):
        case.take_from(leader)
        case.note(leader, case.party, "newest" if case.owner is Owner.NEWEST else "owner")


def _first_with_value(case: _Case, sides: Iterable[Side], *, in_step: bool = False) -> Side | None:
    found = (side for side in sides if case.shown(side) is not None and (case.is_in_step(side) or not in_step))
    return next(found, None)


# ---- the base afterwards ----


def _base_after(sides: tuple[Side, ...], party: Side, base: Base, settled: list[_Case]) -> Base:
    bases = {party.name: SideBase(values=_values_after(party, settled))}
    for side in sides:
        if not side.is_silent:
            in_step = tuple(case.what for case in settled if _is_in_step_after(case, side))
            bases[side.name] = SideBase(values=_values_after(side, settled), in_step=in_step)
        elif side.name in base.sides:
            bases[side.name] = base.sides[side.name]
    return Base(sides=bases, taken=dict(_taken_after(settled)))


def _values_after(side: Side, settled: list[_Case]) -> dict[ProfileField, str]:
    after = ((case.what, _after(case, side)) for case in settled)
    return {what: value for what, value in after if value is not None}


def _after(case: _Case, side: Side) -> str | None:
    written = next((write for write in case.writes if write.side == side.name), None)
    if written is None:
        return case.shown(side)
    return next((case.shown(one) for one in (*case.sides, case.party) if one.name == written.source), None)


def _is_in_step_after(case: _Case, side: Side) -> bool:
    if _after(case, side) == _after(case, case.party) or case.source is side or side.name in case.spared:
        return True
    written = {write.side for write in case.writes}
    if side.name in written:
        return True
    may_have_moved = case.party.name in written or case.is_begun(case.party) or case.has_changed(case.party)
    return case.is_in_step(side) and not case.has_changed(side) and not may_have_moved


def _taken_after(settled: Iterable[_Case]) -> Iterator[tuple[ProfileField, str]]:
    for case in settled:
        before = case.base.taken.get(case.what)
        if case.source is not None:
            if case.shown(case.source) is not None:
                yield case.what, case.source.name
        elif before is not None and not (case.void or case.has_changed(case.party) or _is_cleared(case)):
            yield case.what, before


def _is_cleared(case: _Case) -> bool:
    return any(write.side == case.party.name and write.source is None for write in case.writes)


def with_begun(base: Base, party: Side, writes: Iterable[Write], accounts: Iterable[Side] = ()) -> Base:
    """The base as it is kept before a plan's writes are made: whoever dies meanwhile leaves it to the next one.

    An account that is to be written is in step from then on: the party's value is meant for it.
    """
    sides = {party.name: SideBase(values=party.values), **base.sides}
    taken, to_make = dict(base.taken), tuple(writes)
    for write in to_make:
        side = sides[write.side]
        sides[write.side] = side.model_copy(
            update={"begun": _with(side.begun, write.field), "in_step": _with(side.in_step, write.field)}
        )
        if write.side == party.name and write.source is not None:
            taken[write.field] = write.source
    for one in (party, *accounts):
        if beside := _beside(one, to_make):
            side = sides[one.name]
            sides[one.name] = side.model_copy(update={"beside": _with(side.beside, *beside)})
    return Base(sides=sides, taken=taken)


def _with(fields: tuple[ProfileField, ...], *what: ProfileField) -> tuple[ProfileField, ...]:
    return tuple(dict.fromkeys((*fields, *what)))


def _beside(side: Side, writes: Iterable[Write]) -> tuple[ProfileField, ...]:
    """What these writes may change at a side beside what they are to change."""
    written = {write.field for write in writes if write.side == side.name}
    return tuple(what for what in side.together if what not in written) if written & {*side.together} else ()


def as_seen(base: Base, seen: Iterable[Side], writes: Iterable[Write]) -> Base:
    """The base with what sides really show of what was written to them, each in its own manner, and of what goes
    together with that.

    What was not written stays as the plan saw it: if it is different now, somebody has edited it meanwhile.
    """
    sides, made = dict(base.sides), tuple(writes)
    for side in seen:
        written = {write.field for write in made if write.side == side.name}
        if written and side.name in sides:
            moved = {*written, *_beside(side, made)}
            kept = {what: value for what, value in sides[side.name].values.items() if what not in moved}
            shown = {what: value for what, value in side.values.items() if what in moved}
            sides[side.name] = sides[side.name].model_copy(update={"values": kept | shown})
    return base.model_copy(update={"sides": sides})
