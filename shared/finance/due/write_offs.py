"""What staff wrote off: booked against what is open of the thing, and never more than that.

Should what was missing come after all, less is open, and the write-off shrinks or goes by itself.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.finance.cases import Case
from shared.finance.due.drafting import Draft
from shared.finance.due.view import LedgerView, business_day
from shared.finance.journal import Dimensions, DueEntry, Posting, Role, Topic
from shared.finance.models import DiscrepancyKind, OrderStatement, Subject, bank_key, line_key, payout_key
from shared.finance.parting import proportion

_DISPUTES = frozenset({DiscrepancyKind.DISPUTE_OPEN, DiscrepancyKind.DISPUTE_WON, DiscrepancyKind.DISPUTE_LOST})
_OWN_PAYOUT = frozenset({DiscrepancyKind.PAYOUT_SHORT, DiscrepancyKind.PAYOUT_OVER})


class _Place(NamedTuple):
    """An account, and the part of it that belongs to one thing."""

    role: Role
    of: str | None
    part: str
    """The order's key, the payout's id, or the source of the entries."""


def about_the_view(view: LedgerView) -> Iterator[Case]:
    """Cases about something that is in the view, by id; of the others it is not known what is open."""
    there = {
        *(f"{Subject.ORDER}:{order.key}" for order in view.orders),
        *(f"{Subject.LINE}:{line_key(line)}" for line in view.lines),
        *(f"{Subject.PAYOUT}:{payout_key(payout)}" for payout in view.payouts),
        *(f"{Subject.BANK}:{bank_key(line)}" for line in view.bank_lines),
    }
    yield from (case for case in sorted(view.cases, key=lambda case: case.id) if str(case.discrepancy.subject) in there)


def entries_of_write_offs(view: LedgerView, entries: Iterable[DueEntry]) -> Iterator[DueEntry | None]:
    """`entries`: all others that are due; what is open is their sum."""
    cases = [case for case in about_the_view(view) if case.is_written_off]
    if not cases:
        return
    orders = {str(order.key): order for order in view.orders}
    wanted = {_place(case, view) for case in cases}
    still_open = _open_amounts(entries, wanted)
    for case in cases:
        place = _place(case, view)
        order = orders.get(place.part) if place.role is Role.RECEIVABLE else None
        currency = order.currency if order else case.discrepancy.currency  # buyers owe in the shop's
        left = still_open.get((place, currency), 0)
        amount = _amount(case, left, order)
        still_open[place, currency] = left - amount
        yield _entry(case, place, amount, currency, view)


def _entry(case: Case, place: _Place, amount: int, currency: str, view: LedgerView) -> DueEntry | None:
    """`amount` is what was open: it goes from its account to the write-offs."""
    draft = Draft(currency)
    subject = case.discrepancy.subject
    order = subject.id if subject.subject is Subject.ORDER else view.order_of.get(subject.id)
    payout = place.part if subject.subject is Subject.PAYOUT else None
    dimensions = Dimensions(order=order, shop=order.partition("/")[0] if order else None, payout=payout)
    draft.post(Role.WRITE_OFF, place.of, amount, dimensions)
    draft.post(place.role, place.of, -amount, dimensions)
    decided = case.closed_at or (case.proposal.at if case.proposal else case.opened_at)
    day = business_day(decided, view.rules.zone)
    return draft.entry(f"case/{case.id}/write_off", Topic.WRITE_OFF, day, f"{case.discrepancy.kind} written off")


def _amount(case: Case, left: int, order: OrderStatement | None) -> int:
    """As much of what is open as the case is about. Of a payout that is short, nothing says what is open but the case:
    the balance holds the difference that the provider does not have."""
    proposal = case.proposal
    told = proposal.amount if proposal and proposal.amount is not None else case.discrepancy.difference
    if case.discrepancy.kind in _OWN_PAYOUT:
        return -told
    size = min(_in_books(abs(told), case.discrepancy.currency, order), abs(left))
    return size if left > 0 else -size


def _in_books(amount: int, currency: str, order: OrderStatement | None) -> int:
    """An amount of the buyer's in the currency of the shop's books, by the order's own two totals."""
    if order is None or currency == order.currency or not order.buyer_total or order.sale is None:
        return amount
    return proportion(order.sale.total, amount, order.buyer_total)


def _place(case: Case, view: LedgerView) -> _Place:
    subject, account = case.discrepancy.subject, case.discrepancy.subject.id.partition("/")[0]
    if subject.subject is Subject.ORDER:
        return _Place(Role.RECEIVABLE, account, subject.id)
    if case.discrepancy.kind in _OWN_PAYOUT:
        return _Place(Role.CLEARING, account, subject.id.partition("/")[2])
    if subject.subject is Subject.PAYOUT:
        return _Place(Role.IN_TRANSIT, account, subject.id.partition("/")[2])
    order = view.order_of.get(subject.id)
    if case.discrepancy.kind in _DISPUTES:
        return _Place(Role.DISPUTED, account, order or f"{subject.subject}/{subject.id}")
    if order:
        return _Place(Role.RECEIVABLE, order.partition("/")[0], order)
    return _Place(Role.SUSPENSE, account, f"{subject.subject}/{subject.id}")


def _open_amounts(entries: Iterable[DueEntry], wanted: set[_Place]) -> dict[tuple[_Place, str], int]:
    found: dict[tuple[_Place, str], int] = {}
    for entry in entries:
        for posting in entry.postings:
            for part in _parts(entry, posting):
                place = _Place(posting.role, posting.of, part)
                if place in wanted:
                    key = (place, posting.currency)
                    found[key] = found.get(key, 0) + posting.amount
    return found


def _parts(entry: DueEntry, posting: Posting) -> Iterator[str]:
    yield entry.source
    if posting.dimensions.order:
        yield posting.dimensions.order
    if posting.dimensions.payout:
        yield posting.dimensions.payout
