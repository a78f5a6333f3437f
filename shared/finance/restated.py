"""Facts whose senders state them with different money, as discrepancies. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from shared.finance.due.view import business_day
from shared.finance.inputs import Inputs
from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.models import Discrepancy, DiscrepancyKind, Item, Subject, bank_key, line_key, payout_key


def restated(figures: Mapping[str, tuple[str, ...]], inputs: Inputs) -> tuple[Discrepancy, ...]:
    """One for each of the facts that a run looks at and that was stated with different figures."""
    known = {str(item): (item, currency, place) for item, currency, place in _items(inputs)}
    return tuple(
        discrepancy(DiscrepancyKind.RESTATED, item, Figures(currency), place, figures[name])
        for name, (item, currency, place) in sorted(known.items())
        if name in figures
    )


def _items(inputs: Inputs) -> Iterable[tuple[Item, str, Place]]:
    zone: ZoneInfo = inputs.rules.zone
    for line in inputs.lines:
        yield _item(Subject.LINE, line_key(line), line.currency, business_day(line.occurred_at, zone), line.account)
    for payout in inputs.payouts:
        yield _item(Subject.PAYOUT, payout_key(payout), payout.currency, payout.issued_on, payout.account)
    for one in inputs.bank_lines:
        yield _item(Subject.BANK, bank_key(one), one.currency, one.booked_on, one.bank)


def _item(subject: Subject, name: str, currency: str, since: date, account: str) -> tuple[Item, str, Place]:
    return Item(subject=subject, id=name), currency, Place(since, account)
