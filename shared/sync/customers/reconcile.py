"""Bring one person's storefronts and a back office together: both ways at once, because both need what the other shows.

Called after every change of one of the person's customers, after every change of the party that a feed names, and by
operators; any number of times. One person is worked on in one place at a time: the caller holds the lease.

It may die between any two calls. What it sets out to write is noted first, and whoever comes next finds out what is
still to be written; so the party's own manner of showing what we wrote is not taken for an edit of its staff.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.backoffices.documents import KnownCustomer
from shared.backoffices.port import BackOffice
from shared.customers.conflicts import EditConflict
from shared.customers.maintenance import Base, Clash, Plan, SideBase, Write, as_seen, reconcile, with_begun
from shared.customers.marks import Marker
from shared.customers.models import ProfileField
from shared.customers.ports import CustomerBook
from shared.customers.record import CustomerRecord, Flag, VerificationState
from shared.customers.rules import AskFor, MaintenanceRules
from shared.kernel.clock import Clock
from shared.kernel.errors import Rejected, Retry
from shared.kernel.identifiers import CustomerKey
from shared.kernel.versions import Version
from shared.sync.backoffice.mirror import Stop
from shared.sync.customers.card import Changes, card_for, line_of, profile_for
from shared.sync.customers.mirror import REFUSED, PersonMirror, PersonMirrors
from shared.sync.customers.sides import (
    Shop,
    Shown,
    is_up_to_date,
    shown_by_account,
    shown_by_party,
    shown_freshly,
    with_language_of,
)


@dataclass(frozen=True)
class PersonDesk:
    """One back office and the shops whose customers it holds: everything that bringing together works with."""

    name: str
    """The back office's, in the settings."""
    office: BackOffice
    rehearsal: bool
    """Write nothing anywhere; only work out what would be written."""
    shops: dict[str, Shop]
    """Those of this back office alone."""
    book: CustomerBook
    mirrors: PersonMirrors
    marker: Marker
    clock: Clock


@dataclass(frozen=True)
class Together:
    written: tuple[str, ...] = ()
    """`backoffice/erp phone`: sides and fields, never content. In a rehearsal what would be written."""
    clashes: int = 0
    reason: str = ""
    """Why nothing was done, where something might have been."""


def bring_together(leader: CustomerKey, desk: PersonDesk) -> Together:
    """Have the party and the person's accounts show the same, as the shops' rules say. What stops it is noted on the
    person's mirror and raised.

    Raises:
        Rejected: a person must act; see `PersonMirror.stop`.
        Retry, Conflict: it is to be tried again.
    """
    run = _Run.of(leader, desk)
    if not run.shown and run.saved is None:
        return Together(reason="nobody of the person is the back office's")
    try:
        return _bring_together(run)
    except (Rejected, Retry) as error:
        if not desk.rehearsal:
            run.save(run.mirror.model_copy(update={"stop": _stopped_by(error, run)}))
        raise


def _stopped_by(error: Rejected | Retry, run: "_Run") -> Stop:
    """An outage passes by itself, and does not hide what a person must mend."""
    before = run.mirror.stop
    if before is not None and before.code == REFUSED and isinstance(error, Retry):
        return before
    return Stop.of(error, before, run.desk.clock())


@dataclass
class _Run:
    """One person's sides, as they are known so far."""

    leader: CustomerKey
    desk: PersonDesk
    shown: dict[str, Shown]
    """Storefront sides by name, the leader first."""
    saved: PersonMirror | None
    mirror: PersonMirror
    party: KnownCustomer | None = None
    base: Base = field(default_factory=Base)
    stop: Stop | None = None
    """Why a storefront refused what it was to show."""

    @classmethod
    def of(cls, leader: CustomerKey, desk: PersonDesk) -> "_Run":
        saved = desk.mirrors.find(leader, desk.name)
        mirror = saved or PersonMirror(leader=str(leader), backoffice=desk.name)
        known = mirror.base.sides
        shown = {name: with_language_of(known.get(name), one) for name, one in _accounts(leader, desk)}
        return cls(leader, desk, shown, saved, mirror, base=mirror.base)

    @property
    def office_side(self) -> Shown:
        return shown_by_party(self.party, self.desk.name, self._country, self.desk.marker)

    @property
    def records(self) -> tuple[CustomerRecord, ...]:
        return tuple(shown.record for shown in self.shown.values() if shown.record)

    @property
    def _country(self) -> str | None:
        return next((self.shop_of(name).country for name in self.shown), None)

    @property
    def rules(self) -> MaintenanceRules:
        """Of whom the person goes by, or of the first of its customers here."""
        return next((self.shop_of(name).rules.maintenance for name in self.shown), MaintenanceRules())

    def shop_of(self, name: str) -> Shop:
        return self.desk.shops[CustomerKey.parse(name).shop]

    def side(self, name: str) -> Shown:
        return self.shown.get(name) or self.office_side

    def plan(self) -> Plan:
        return reconcile((one.side for one in self.shown.values()), self.office_side.side, self.base, self.rules)

    def changes(self, name: str, plan: Plan) -> Changes:
        """What a side is to show, with the content of the sides that it is taken from."""
        writes = [write for write in plan.writes if write.side == name]
        return {write.field: self.side(write.source).content[write.field] if write.source else None for write in writes}

    def has_content(self, write: Write) -> bool:
        return write.source is not None and write.field in self.side(write.source).content

    def save(self, mirror: PersonMirror) -> None:
        """Keep the mirror where it says something new."""
        if mirror.model_copy(update={"looked_at": self.mirror.looked_at}) != self.mirror or self.saved is None:
            kept = mirror.model_copy(update={"looked_at": self.desk.clock()})
            self.mirror = self.saved = self.desk.mirrors.save(kept, self.saved)


def _accounts(leader: CustomerKey, desk: PersonDesk) -> Iterator[tuple[str, Shown]]:
    members = [key for key in desk.book.members(leader) if key.shop in desk.shops]
    records = desk.book.find_many(members)
    for key in members:
        record = records.get(key)
        if record is None or record.erased_at is not None or record.leader != str(leader):
            continue
        customer = desk.book.find_customer(key)
        yield str(key), shown_by_account(record, customer, desk.shops[key.shop], desk.marker)


def _bring_together(run: _Run) -> Together:
    run.party = run.desk.office.find_customer(str(run.leader))
    if run.party is None:
        if not any(_may_have_a_party(record, run.shop_of(str(record.key))) for record in run.records):
            if run.mirror.stop is not None and not run.desk.rehearsal:
                run.save(run.mirror.model_copy(update={"stop": None}))
            return Together(reason="the policy lets the back office have no such customer yet")
        run.base = Base()
    _catch_up(run)
    plan = _with_company(_look_before_writing(run), run)
    if run.desk.rehearsal:
        return _together(plan)
    _keep_clashes(plan.clashes, run)
    if plan.writes or run.party is None:
        _write(plan, run)
    run.save(
        run.mirror.model_copy(
            update={
                "party_id": run.party.id if run.party else None,
                "base": _as_seen(plan, run),
                "seen": _seen(run),
                "stop": _stop_after(plan, run),
            }
        )
    )
    return _together(plan)


def _together(plan: Plan) -> Together:
    return Together(tuple(f"{write.side} {write.field}" for write in plan.writes), len(plan.clashes))


def _may_have_a_party(record: CustomerRecord, shop: Shop) -> bool:
    """Whether an account alone makes a party. An order makes one in any case."""
    if record.kind == "guest" or record.deleted_at is not None:
        return False
    if record.verification.state is VerificationState.REJECTED:
        return False
    if any(flag.flag in (Flag.SIGNUP_BURST, Flag.EMAIL_DISPOSABLE) for flag in record.open_flags):
        return False
    is_verified = record.verification.state is VerificationState.VERIFIED
    return is_verified or shop.rules.verification.ask is not AskFor.REGISTRATION


# ---- reading ----


def _catch_up(run: _Run) -> None:
    """Ask a storefront where our book is behind what we have seen there ourselves, and seems to say something new.

    Of the language it always may be: webhooks do not tell it, so what the book says of it is older than the account.
    """
    for name, shown in run.shown.items():
        known = run.base.sides.get(name)
        seen = run.mirror.seen.get(name)
        if known is None or shown.customer is None or shown.side.is_silent or shown.side.values == known.values:
            continue
        of_language = shown.side.values.get(_LANGUAGE) != known.values.get(_LANGUAGE)
        if of_language or not is_up_to_date(shown.customer, seen):
            _ask(name, run)


_LANGUAGE = ProfileField.LANGUAGE


def _look_before_writing(run: _Run) -> Plan:
    """The plan, once every account that it writes to was read from its storefront in this run, and every one of which
    only a digest is known of what it gives."""
    while True:
        plan = run.plan()
        needed = (*_written(plan), *(one.source for one in plan.writes if one.source and not run.has_content(one)))
        unread = [name for name in dict.fromkeys(needed) if name in run.shown and not run.shown[name].is_fresh]
        if not unread:
            return plan
        for name in unread:
            _ask(name, run)


def _ask(name: str, run: _Run) -> None:
    shown, shop = run.shown[name], run.shop_of(name)
    if shop.accounts is not None:
        customer = shop.accounts.fetch(CustomerKey.parse(name).id)
        run.shown[name] = shown_freshly(shown, customer, shop, run.desk.marker)


def _with_company(plan: Plan, run: _Run) -> Plan:
    """A back office keeps the company within the address for invoices. A party that had no address had no place for it
    until now: it comes with the address."""
    party = run.office_side
    billing = next((one for one in plan.writes if one.side == party.side.name and one.field is _BILLING), None)
    has_company = any(one.field is _COMPANY for one in plan.writes)
    if billing is None or billing.source is None or has_company or _BILLING in party.content:
        return plan
    value = run.side(billing.source).side.values.get(_COMPANY)
    if value is None:
        return plan
    company = Write(side=billing.side, field=_COMPANY, source=billing.source)
    apart = {name for name, one in run.shown.items() if one.side.values.get(_COMPANY) != value}
    sides = {
        name: side.model_copy(update={"in_step": tuple(what for what in side.in_step if what is not _COMPANY)})
        for name, side in plan.base.sides.items()
        if name in apart
    }
    base = Base(sides={**plan.base.sides, **sides}, taken={**plan.base.taken, _COMPANY: billing.source})
    return plan.model_copy(update={"writes": (*plan.writes, company), "base": base})


_BILLING, _COMPANY = ProfileField.BILLING, ProfileField.COMPANY


def _written(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(write.side for write in plan.writes))


# ---- writing ----


def _write(plan: Plan, run: _Run) -> None:
    """Note what is begun, write the party, then the accounts; all from what the sides showed before."""
    party = run.office_side
    begun = with_begun(run.base, party.side, plan.writes, [one.side for one in run.shown.values()])
    run.save(run.mirror.model_copy(update={"base": begun, "seen": _seen(run)}))
    changes = {name: run.changes(name, plan) for name in (party.side.name, *run.shown)}
    before = {party.side.name: party, **run.shown}
    if changes[party.side.name] or run.party is None:
        card = card_for(run.leader, run.party.card if run.party else None, changes[party.side.name])
        run.desk.office.save_customer(card)
        run.party = run.desk.office.find_customer(str(run.leader))
    for name in run.shown:
        if changes[name]:
            _write_account(name, changes[name], run)
    after = {party.side.name: run.office_side, **run.shown}
    _keep_what_was_lost(plan, before, after, run)


def _write_account(name: str, changes: Changes, run: _Run) -> None:
    """Write what the storefront takes. What it refuses is not tried again until somebody edits it."""
    shown, accounts = run.shown[name], run.shop_of(name).accounts
    if accounts is None or shown.customer is None:
        return
    left = dict(changes)
    while left:
        try:
            profile = profile_for(shown.customer.personal, left)
            accounts.write(shown.customer.customer_id, profile, frozenset(left))
        except Rejected as error:
            fields = _refused(error, left)
            if error.code == REFUSED:
                run.stop = Stop.of(error, run.mirror.stop, run.desk.clock())
                _keep_refused(name, fields, changes, run)
            left = {what: value for what, value in left.items() if what not in fields}
        else:
            break
    _ask(name, run)


def _refused(error: Rejected, left: Changes) -> frozenset[ProfileField]:
    """The fields that the storefront does not take; all of them where the account is not there any more."""
    if error.code not in (REFUSED, "unknown_customer"):
        raise error
    named = frozenset(what for what in left if what == error.field)
    return named if named and error.code == REFUSED else frozenset(left)


# ---- what is remembered ----


def _seen(run: _Run) -> dict[str, Version]:
    fresh = {name: one.customer.version for name, one in run.shown.items() if one.is_fresh and one.customer}
    kept = {name: version for name, version in run.mirror.seen.items() if name in run.shown}
    news = {name: version for name, version in fresh.items() if name not in kept or not _is_same(version, kept[name])}
    return {**kept, **news}


def _is_same(one: Version, other: Version) -> bool:
    """Whenever it was looked at."""
    return (one.updated_at, one.body_sha256, one.fetched) == (other.updated_at, other.body_sha256, other.fetched)


def _as_seen(plan: Plan, run: _Run) -> Base:
    accounts = (one.side for one in run.shown.values() if not one.side.is_silent)
    return as_seen(plan.base, [run.office_side.side, *accounts], plan.writes)


def _stop_after(plan: Plan, run: _Run) -> Stop | None:
    """A refusal stays on the desk until its field is edited anew or written; everything else has passed."""
    if run.stop is not None:
        return run.stop
    before = run.mirror.stop
    if before is None or before.code != REFUSED:
        return None
    is_settled = any(
        what.value == (before.field or what.value) and side.values.get(what) != _values(run.base, name).get(what)
        for name, side in plan.base.sides.items()
        for what in ProfileField
    )
    return None if is_settled else before


def _values(base: Base, name: str) -> dict[ProfileField, str]:
    return base.sides[name].values if name in base.sides else {}


def _keep_clashes(clashes: tuple[Clash, ...], run: _Run) -> None:
    for clash in clashes:
        kept, lost = (run.side(name).content.get(clash.field) for name in (clash.winner, clash.loser))
        run.desk.book.keep_conflict(
            EditConflict(
                leader=str(run.leader),
                field=clash.field,
                winner=clash.winner,
                loser=clash.loser,
                kept=line_of(kept),
                lost=line_of(lost),
                reason=clash.reason,
                at=clash.at,
            )
        )


def _keep_refused(name: str, fields: frozenset[ProfileField], changes: Changes, run: _Run) -> None:
    party, own = run.office_side, run.shown[name]
    for what in sorted(fields):
        run.desk.book.keep_conflict(
            EditConflict(
                leader=str(run.leader),
                field=what,
                winner=name,
                loser=party.side.name,
                kept=line_of(own.content.get(what)),
                lost=line_of(changes[what]),
                reason="refused",
                at=party.side.changed(what),
            )
        )


def _keep_what_was_lost(plan: Plan, before: dict[str, Shown], after: dict[str, Shown], run: _Run) -> None:
    """Of a write that was begun earlier nobody knows whether a side showed ours or a newer edit. Where it showed what
    it shows after writing again it was ours; otherwise somebody's edit is gone, and is kept for people to see."""
    for write in plan.writes:
        base = run.base.sides.get(write.side, SideBase())
        value = before[write.side].side.values.get(write.field)
        ours = (base.values.get(write.field), after[write.side].side.values.get(write.field))
        if write.field not in base.begun or value is None or value in ours:
            continue
        winner = write.source or next((name for name in after if name != write.side), write.side)
        run.desk.book.keep_conflict(
            EditConflict(
                leader=str(run.leader),
                field=write.field,
                winner=winner,
                loser=write.side,
                kept=line_of(after[write.side].content.get(write.field)),
                lost=line_of(before[write.side].content.get(write.field)),
                reason="newest",
                at=before[write.side].side.changed(write.field),
            )
        )
