"""What should be booked for payouts that no line of a feed tells, and for what arrives at the bank."""

from collections.abc import Iterator, Mapping

from shared.finance.due.drafting import Draft
from shared.finance.due.view import LedgerView
from shared.finance.journal import Dimensions, DueEntry, Role, Topic
from shared.finance.models import BankLine, LineKind, Payout, PayoutState, SettlementLine, Subject, bank_key, payout_key

_ON_ITS_WAY = frozenset({PayoutState.IN_TRANSIT, PayoutState.PAID})
_CAME_TO_NOTHING = frozenset({PayoutState.FAILED, PayoutState.CANCELLED})


def came_to_nothing(view: LedgerView) -> frozenset[str]:
    """Payouts that failed and that no line takes back: the line that paid them out counts no more."""
    reversed_by_line = {
        f"{line.account}/{name}"
        for line in view.lines
        if line.kind is LineKind.PAYOUT_REVERSED
        for name in (line.source_id, line.payout_id)
        if name
    }
    return frozenset(
        payout_key(payout)
        for payout in view.payouts
        if payout.state in _CAME_TO_NOTHING and payout_key(payout) not in reversed_by_line
    )


def paid_out_by(line: SettlementLine) -> frozenset[str]:
    """The payout that this line is, by either of its names."""
    return frozenset(f"{line.account}/{name}" for name in (line.source_id, line.payout_id) if name)


def entries_of_payouts(view: LedgerView) -> Iterator[DueEntry | None]:
    """Payouts that only the provider's list of payouts tells. One with a line in the feed is booked by the line.

    One that failed is taken back as if it had never left, for such a list does not say when it came back: a day in
    between that is still open does not tie to the balance that the provider stated for it.
    """
    by_line = frozenset(
        name for line in view.lines if line.kind is LineKind.PAYOUT and not line.test for name in paid_out_by(line)
    )
    arrived = {payout for payouts in _payouts_of_bank_lines(view).values() for payout in payouts}
    for payout in view.payouts:
        name = payout_key(payout)
        counts = payout.state in _ON_ITS_WAY or (name in arrived and payout.state not in _CAME_TO_NOTHING)
        if counts and name not in by_line:
            draft, dimensions = Draft(payout.currency), Dimensions(payout=payout.payout_id)
            draft.post(Role.IN_TRANSIT, payout.account, payout.amount, dimensions)
            draft.post(Role.CLEARING, payout.account, -payout.amount, dimensions)
            yield draft.entry(f"payout/{name}", Topic.PAYOUT, payout.issued_on, f"{name} paid out")


def entries_of_bank(view: LedgerView) -> Iterator[DueEntry | None]:
    """Bank lines that payouts explain; others only where nothing but payouts arrives, and then in suspense."""
    payouts = {payout_key(payout): payout for payout in view.payouts}
    joined = _payouts_of_bank_lines(view)
    for line in view.bank_lines:
        explained = [payouts[name] for name in joined.get(bank_key(line), ()) if name in payouts]
        if explained or line.bank in view.payout_banks:
            yield _arrival(line, explained)


def _arrival(line: BankLine, payouts: list[Payout]) -> DueEntry | None:
    draft, explained = Draft(line.currency), 0
    draft.post(Role.BANK, line.bank, line.amount)
    for payout in payouts:
        dimensions = Dimensions(payout=payout.payout_id)
        if payout.currency == line.currency:
            explained += payout.amount
        else:
            draft.post(Role.EXCHANGE, line.bank, payout.amount, dimensions, payout.currency)
        draft.post(Role.IN_TRANSIT, payout.account, -payout.amount, dimensions, payout.currency)
    in_one_currency = all(payout.currency == line.currency for payout in payouts)
    draft.post(Role.SUSPENSE if in_one_currency else Role.EXCHANGE, line.bank, explained - line.amount)
    names = ", ".join(payout_key(payout) for payout in payouts) or "unexplained"
    return draft.entry(f"bank/{bank_key(line)}", Topic.BANK, line.booked_on, f"{line.bank} {names}")


def _payouts_of_bank_lines(view: LedgerView) -> Mapping[str, tuple[str, ...]]:
    """A bank line's payouts, by the matches; a payout arrives once."""
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for match in sorted(view.matches, key=lambda match: match.id):
        banks = [item.id for item in match.items if item.subject is Subject.BANK]
        payouts = [item.id for item in match.items if item.subject is Subject.PAYOUT and item.id not in taken]
        if len(banks) == 1 and payouts:
            found[banks[0]] = tuple(sorted({*found.get(banks[0], ()), *payouts}))
            taken.update(payouts)
    return found
