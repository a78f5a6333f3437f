"""The rules of a stocktake: who counts what and when, what a count proves, and what may be written of it. Pure.

Selling goes on while people count. So a count is never set as the new level. It is compared with the book *at the time
of the count*, and the difference (the variance) is what is posted later, on top of whatever was sold or received since.
A variance is void once another count has corrected the same line: each count remembers the line's `counted_at` that it
was taken under, and posting demands that it is still the same.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.inventory.models import Cause, LocationId, Quantity, Sku, StockLine
from shared.inventory.stocktake_scope import Scope
from shared.kernel.errors import Conflict, Rejected
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode, Money

CAUSE = "stocktake"
"""`Cause.kind` of the movements that a stocktake posts."""
MOST_COUNTS = 3
"""The third count decides."""

Person = Annotated[str, Field(min_length=1, max_length=100)]
SessionId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]


class StocktakeState(StrEnum):
    DRAFT = "draft"
    COUNTING = "counting"
    COUNTED = "counted"
    APPROVED = "approved"
    POSTED = "posted"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[StocktakeState, frozenset[StocktakeState]] = {
    StocktakeState.DRAFT: frozenset({StocktakeState.COUNTING, StocktakeState.CANCELLED}),
    StocktakeState.COUNTING: frozenset({StocktakeState.COUNTED, StocktakeState.CANCELLED}),
    StocktakeState.COUNTED: frozenset({StocktakeState.APPROVED, StocktakeState.CANCELLED}),
    # Approved again: a count that was on its way while the session was closed came in after the approval.
    StocktakeState.APPROVED: frozenset({StocktakeState.APPROVED, StocktakeState.POSTED, StocktakeState.CANCELLED}),
    StocktakeState.POSTED: frozenset(),
    StocktakeState.CANCELLED: frozenset(),
}
BLIND = frozenset({StocktakeState.DRAFT, StocktakeState.COUNTING})
"""While people count, nobody is shown what the book says."""


class Tolerance(Canonical):
    """How far a count may be off before another person counts again. Outside of any limit given is outside."""

    units: Quantity | None = 0
    percent: Annotated[Decimal, Field(ge=0, le=100)] | None = None
    """Of the book at the time of the count."""
    value: Money | None = None
    """Looked at where the unit cost is known."""

    def covers(self, units: int, *, book: int, unit_cost: Money | None) -> bool:
        """Whether a difference of so many units needs no further count."""
        off = abs(units)
        if self.units is not None and off > self.units:
            return False
        if self.percent is not None and 100 * off > self.percent * book:
            return False
        return self.value is None or unit_cost is None or not (unit_cost * off).exceeds(self.value)


class ApprovalLimit(Canonical):
    """Up to here, whoever counted may also approve. Compared with the sum of all variances, each taken as positive."""

    value: Money | None = None
    units: Quantity = 10
    """For lines without a unit cost, and for all lines while there is no limit in value."""


class Opening(Canonical):
    """The stock line as it was when the session was opened."""

    on_hand: Quantity
    seq: int


class Count(Canonical):
    """What one person counted, with the book at that time."""

    counter: Person
    counted: Quantity
    counted_at: datetime
    recorded_at: datetime
    book: Quantity
    """Units on hand by the book at `counted_at`."""
    seq: int
    """Of the stock line when the count was recorded; 0 where there was none."""
    taken_under: datetime | None = None
    """The stock line's own `counted_at` at that time."""
    source: str | None = None
    """The file and row that it came from: the same row is taken in once."""

    @property
    def variance(self) -> int:
        return self.counted - self.book


class LineOutcome(StrEnum):
    POSTED = "posted"
    SUPERSEDED = "superseded"
    """The line was corrected by another count meanwhile: this variance is void."""
    LEFT = "left"
    """It would break promises to orders, and somebody decided to leave it as it is."""


class StocktakeLine(Canonical):
    """One SKU of a session. All its counts are kept, whichever decided."""

    sku: Sku
    zone: str | None = None
    unit_cost: Money | None = None
    opening: Opening | None = None
    found: bool = False
    """It was not in the session's scope; a counter found it and confirmed it."""
    counts: tuple[Count, ...] = ()
    outcome: LineOutcome | None = None
    posted_units: int | None = None
    settled_at: datetime | None = None
    settled_by: Person | None = None
    revision: int = 1


class Stocktake(Canonical):
    """One session: a location, what it covers, its rules, and how far it has come."""

    id: SessionId
    location: LocationId
    scope: Scope
    currency: CurrencyCode | None = None
    """Of unit costs and limits."""
    tolerance: Tolerance = Tolerance()
    approval: ApprovalLimit = ApprovalLimit()
    state: StocktakeState = StocktakeState.DRAFT
    opened_at: datetime
    opened_by: Person
    closed_at: datetime | None = None
    closed_by: Person | None = None
    approved_at: datetime | None = None
    approved_by: Person | None = None
    approved_figures: str | None = None
    """Digest of the counts that were approved: nothing else is posted."""
    posting_since: datetime | None = None
    posted_at: datetime | None = None
    posted_by: Person | None = None
    cancelled_at: datetime | None = None
    cancelled_by: Person | None = None
    revision: int = 1


class Standing(StrEnum):
    """Where a line stands."""

    UNCOUNTED = "uncounted"
    """Nobody counted it. That says nothing about the shelf: the line stays as it is."""
    RECOUNT = "recount"
    """Another person is to count it."""
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Verdict:
    standing: Standing
    deciding: Count | None = None
    """The count whose variance stands, once accepted."""


@dataclass(frozen=True)
class Correction:
    """The movement that a variance becomes."""

    sku: str
    location: str
    on_hand: int
    """Units to add to what is on hand; zero is posted too, as proof of the count."""
    counted_at: datetime
    taken_under: datetime | None
    """The stock line's `counted_at` must still be this one."""
    creates: bool
    """There was no stock line when it was counted: it may have to be made."""
    cause: Cause


def moved_on(session: Stocktake, to: StocktakeState, **fields: object) -> Stocktake:
    """The session in its next state.

    Raises:
        Rejected: `wrong_state`.
    """
    if to not in TRANSITIONS[session.state]:
        allowed = ", ".join(sorted(TRANSITIONS[session.state])) or "nothing: it is done with"
        raise Rejected(
            "wrong_state", f"the stocktake is {session.state} and cannot become {to}", field="state", hint=allowed
        )
    return session.model_copy(update={**fields, "state": to, "revision": session.revision + 1})


def require_counting(session: Stocktake) -> None:
    """Refuse counts for a session that is past counting."""
    if session.state not in BLIND:
        raise Rejected(
            "wrong_state",
            f"the stocktake is {session.state}: it takes no more counts",
            field="state",
            hint="open another stocktake for these SKUs",
        )


def require_revealed(session: Stocktake) -> None:
    """Refuse to show the book to people who may still have to count."""
    if session.state in BLIND:
        raise Rejected(
            "blind_count",
            f"the stocktake is {session.state}: the book is shown when counting is over",
            field="state",
            hint=f"storebridge stocktake close {session.id}",
        )


def person(name: str) -> str:
    """One spelling of a name: whoever writes it differently is still the same person."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def standing_counts(line: StocktakeLine) -> tuple[Count, ...]:
    """The counts that still say something: those taken since the line was last corrected from elsewhere."""
    if not line.counts:
        return ()
    return tuple(count for count in line.counts if count.taken_under == line.counts[-1].taken_under)


def verdict(line: StocktakeLine, tolerance: Tolerance) -> Verdict:
    """One count within tolerance stands; two that agree stand, and the later is taken; a third decides.

    Counts are compared by their variances and not by their units: selling went on between them.
    """
    counts = standing_counts(line)
    if not counts:
        return Verdict(Standing.UNCOUNTED)
    last = counts[-1]
    if len(counts) >= MOST_COUNTS:
        return Verdict(Standing.ACCEPTED, last)
    off = last.variance if len(counts) == 1 else last.variance - counts[0].variance
    if tolerance.covers(off, book=last.book, unit_cost=line.unit_cost):
        return Verdict(Standing.ACCEPTED, last)
    return Verdict(Standing.RECOUNT)


def with_count(line: StocktakeLine, count: Count) -> StocktakeLine:
    """The line with one more count; the very same row of the same file changes nothing.

    Raises:
        Rejected: `same_counter`, `counted_enough`, `superseded_count`.
    """
    if is_recorded(line, count.source):
        return line
    newer = line.model_copy(update={"counts": (*line.counts, count), "revision": line.revision + 1})
    earlier = standing_counts(newer)[:-1]
    if person(count.counter) in {person(other.counter) for other in earlier}:
        hint = "each count of a line is another person's"
        raise Rejected("same_counter", f"this person has counted {line.sku} already", field="counter", hint=hint)
    if len(earlier) >= MOST_COUNTS:
        raise Rejected("counted_enough", f"{line.sku} was counted {MOST_COUNTS} times: the third decides", field="sku")
    if count.taken_under is not None and count.counted_at <= count.taken_under:
        raise Rejected(
            "superseded_count", f"{line.sku} was counted again after that time", field="counted_at", hint="count it now"
        )
    return newer


def is_recorded(line: StocktakeLine, source: str | None) -> bool:
    """Whether this row of this file was taken in already."""
    return source is not None and source in {count.source for count in line.counts}


def check_time(session: Stocktake, counted_at: datetime, now: datetime) -> None:
    """A count belongs to the time between the opening of the session and now."""
    if counted_at > now:
        raise Rejected("counted_in_future", "the time of the count has not come yet", field="counted_at")
    if counted_at < session.opened_at:
        raise Rejected("counted_before_opening", "the count is older than the stocktake", field="counted_at")


@dataclass(frozen=True)
class ReviewedLine:
    line: StocktakeLine
    verdict: Verdict

    @property
    def variance(self) -> int | None:
        return self.verdict.deciding.variance if self.verdict.deciding else None

    @property
    def value(self) -> Money | None:
        """The variance at unit cost; negative where goods are missing."""
        if self.line.unit_cost is None or self.variance is None:
            return None
        return self.line.unit_cost * self.variance


@dataclass(frozen=True)
class Review:
    """A session as whoever approves it looks at it."""

    session: Stocktake
    lines: tuple[ReviewedLine, ...]

    def standing(self, standing: Standing) -> tuple[ReviewedLine, ...]:
        return tuple(line for line in self.lines if line.verdict.standing is standing)

    @property
    def net_value(self) -> Money | None:
        values = [line.value for line in self.lines if line.value is not None]
        return Money.total(values, values[0].currency) if values else None

    @property
    def counters(self) -> frozenset[str]:
        return frozenset(person(count.counter) for reviewed in self.lines for count in reviewed.line.counts)

    @property
    def needs_another(self) -> bool:
        """Whether only somebody who counted nothing may approve: the variances together are above the limit."""
        limit = self.session.approval
        accepted = self.standing(Standing.ACCEPTED)
        valued = [line.value for line in accepted if limit.value is not None and line.value is not None]
        if limit.value is not None:
            sizes = [-value if value.minor < 0 else value for value in valued]
            if Money.total(sizes, limit.value.currency).exceeds(limit.value):
                return True
        plain = [line.variance or 0 for line in accepted if limit.value is None or line.value is None]
        return sum(map(abs, plain)) > limit.units


def review(session: Stocktake, lines: Iterable[StocktakeLine]) -> Review:
    """Judge every line of the session."""
    return Review(session, tuple(ReviewedLine(line, verdict(line, session.tolerance)) for line in lines))


def figures(lines: Iterable[StocktakeLine]) -> str:
    """A digest of all counts: what is approved, and so what may be posted."""
    digest = hashlib.sha256()
    for line in sorted(lines, key=lambda line: line.sku):
        counted = [count.model_dump_json() for count in line.counts]
        digest.update("\n".join([line.sku, *counted, ""]).encode())
    return digest.hexdigest()


def approved(found: Review, approver: str, now: datetime) -> Stocktake:
    """The session as approved.

    Raises:
        Rejected: `self_approval`, when a counter approves more than the limit lets; `wrong_state`.
    """
    session = moved_on(
        found.session,
        StocktakeState.APPROVED,
        approved_at=now,
        approved_by=approver,
        approved_figures=figures(reviewed.line for reviewed in found.lines),
    )
    if found.needs_another and person(approver) in found.counters:
        raise Rejected(
            "self_approval",
            "the variances are above the limit, and this person counted some of them",
            field="by",
            hint="somebody who counted nothing of it is to approve",
        )
    return session


@dataclass(frozen=True)
class Shortfall:
    """A variance that would break promises: orders hold more than it would leave."""

    sku: str
    reserved: int
    """Units promised to orders."""
    left: int
    """Units that would be on hand."""

    @property
    def conflict(self) -> Conflict:
        """The same, as it is told to people."""
        return Conflict(
            "reserved_exceeds_count",
            f"{self.reserved} units of {self.sku} are promised to orders, but only {self.left} would be left",
            field="sku",
            hint="cancel or ship the orders that hold them and post again, or leave the line as it is",
        )


def correction_of(
    session: Stocktake, line: StocktakeLine, deciding: Count, stock: StockLine | None, actor: str
) -> Correction | LineOutcome | Shortfall:
    """What posting this line means for the stock line as it is now: a movement; a void count; or broken promises."""
    if (stock.counted_at if stock else None) != deciding.taken_under:
        return LineOutcome.SUPERSEDED
    variance = deciding.variance
    if stock is not None and variance < 0 and stock.on_hand + variance < stock.reserved:
        return Shortfall(line.sku, stock.reserved, max(0, stock.on_hand + variance))
    return Correction(
        sku=line.sku,
        location=session.location,
        on_hand=variance,
        counted_at=deciding.counted_at,
        taken_under=deciding.taken_under,
        creates=deciding.seq == 0,
        cause=Cause(kind=CAUSE, reference=session.id, actor=actor),
    )


def require_stock_line(sku: str, *, known: bool, stock: StockLine | None) -> None:
    """Refuse to take a stock line that was there, and is out of sight now, for one with nothing on it."""
    if known and stock is None:
        hint = "is its location still in the settings?"
        raise Rejected("unknown_stock_line", f"the stock line of {sku} cannot be found", field="sku", hint=hint)


def settled(
    line: StocktakeLine, outcome: LineOutcome, *, now: datetime, actor: str, units: int | None = None
) -> StocktakeLine:
    """The line when it is done with."""
    return line.model_copy(
        update={
            "outcome": outcome,
            "posted_units": units,
            "settled_at": now,
            "settled_by": actor,
            "revision": line.revision + 1,
        }
    )


def opened_lines(
    skus: Sequence[str], stock: Mapping[str, StockLine], zones: Mapping[str, str], costs: Mapping[str, Money]
) -> tuple[StocktakeLine, ...]:
    """The lines of a new session, each with the book as it is at the opening."""
    return tuple(
        StocktakeLine(
            sku=sku,
            zone=zones.get(sku),
            unit_cost=costs.get(sku),
            opening=Opening(on_hand=stock[sku].on_hand, seq=stock[sku].seq),
        )
        for sku in skus
    )
