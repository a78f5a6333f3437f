"""Payouts against the lines that name them, and lines that no payout takes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from shared.finance.matching.discrepancies import Figures, Place, discrepancy, short_id
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Worksheet, charge_key, is_capture, line_item, payout_item
from shared.finance.models import (
    Bucket,
    DiscrepancyKind,
    Item,
    LineKind,
    Match,
    Payout,
    PayoutState,
    Rule,
    SettlementLine,
    Subject,
    line_key,
)

_PAYOUT_KINDS = frozenset({LineKind.PAYOUT, LineKind.PAYOUT_REVERSED})
_TAKEN_BACK = frozenset({PayoutState.FAILED, PayoutState.CANCELLED})
_CROWD = 10
"""So many late charges of one day are one cause, and are stated together."""


class PayoutLines:
    """Lines by the payout that they name."""

    def __init__(self, sheet: Worksheet) -> None:
        self.inside: dict[str, list[SettlementLine]] = {}
        self.itself: dict[str, list[SettlementLine]] = {}
        """The movement that takes the payout off the balance."""
        due: dict[str, list[int]] = {}
        for line in sheet.lines.values():
            if line.test:
                continue
            if line.kind in _PAYOUT_KINDS:
                self.itself.setdefault(f"{line.account}/{line.payout_id or line.source_id}", []).append(line)
                continue
            if line.payout_id:
                self.inside.setdefault(f"{line.account}/{line.payout_id}", []).append(line)
            if is_capture(line) and deadline(sheet, line) < sheet.as_of:
                counts = due.setdefault(line.account, [0, 0])
                counts[bool(line.payout_id)] += 1
        self.itemising = {account for account, (without, named) in due.items() if named >= without and named}
        """Accounts whose lines say which payout has them."""


def deadline(sheet: Worksheet, line: SettlementLine) -> datetime:
    """Until when a payout has to have the line; without a calendar, never."""
    rules = sheet.inputs.accounts.get(line.account)
    if rules is None:
        return datetime.max.replace(tzinfo=UTC)
    due = line.occurred_at + timedelta(days=rules.calendar.settles_days)
    if line.available_on is not None:
        due = max(due, datetime.combine(line.available_on, time(), sheet.zone))
    return due + timedelta(days=rules.calendar.grace_days)


def examine_payouts(sheet: Worksheet, lines: PayoutLines) -> None:
    """Match payouts with their lines; state those that come to something else."""
    names_payouts = {key.partition("/")[0] for key in lines.inside}
    for key, payout in sheet.payouts.items():
        own = lines.itself.get(key, [])
        for line in own:
            sheet.put(line_item(line), Bucket.MATCHED)
        item = payout_item(payout)
        if payout.state in _TAKEN_BACK:
            sheet.put(item, Bucket.NEUTRAL)
        elif payout.itemised and payout.account in names_payouts:
            inside = lines.inside.get(key, [])
            _examine(sheet, payout, inside, sum(one.net for one in inside if one.currency == payout.currency), own)
        elif own:
            _examine(sheet, payout, own, -sum(one.gross for one in own), [])
        else:
            sheet.put(item, Bucket.WAITING)
    for line in sheet.lines.values():
        if line.kind in _PAYOUT_KINDS and not line.test:
            sheet.put_if_nowhere(line_item(line), Bucket.NEUTRAL)


def _examine(
    sheet: Worksheet, payout: Payout, lines: list[SettlementLine], total: int, own: list[SettlementLine]
) -> None:
    item = payout_item(payout)
    if total == payout.amount and lines:
        _match(sheet, payout, [*lines, *own])
    elif _may_change(sheet, payout):
        sheet.put(item, Bucket.WAITING)
    elif total < payout.amount and _begins_before(sheet, payout, lines):
        sheet.put(item, Bucket.OUTSIDE)
    elif total != payout.amount:
        _state(sheet, payout, len(lines), total)


def _match(sheet: Worksheet, payout: Payout, lines: list[SettlementLine]) -> None:
    item = payout_item(payout)
    sheet.put(item, Bucket.MATCHED)
    of_lines = (sheet.named(Subject.LINE, key) for key in sorted(map(line_key, lines)))
    items = (*of_lines, sheet.named(item.subject, item.id))  # as they are sorted
    sheet.matches.append(
        Match(
            id=short_id(Rule.PAYOUT, *map(str, items)),
            rule=Rule.PAYOUT,
            items=items,
            currency=payout.currency,
            amount=payout.amount,
            evidence=(f"{len(lines)} lines come to {amount_text(payout.currency, payout.amount)}",),
        )
    )


def _may_change(sheet: Worksheet, payout: Payout) -> bool:
    """Whether its lines are still being put together, or have not all been told."""
    if payout.state is PayoutState.PENDING:
        return True
    rules = sheet.inputs.accounts.get(payout.account)
    days = rules.calendar.feed_days if rules else 0
    return payout.state is PayoutState.IN_TRANSIT and sheet.today <= payout.issued_on + timedelta(days=days)


def _begins_before(sheet: Worksheet, payout: Payout, lines: list[SettlementLine]) -> bool:
    """Whether some of its lines may be older than what this run looks at: an earlier run saw it whole."""
    start = sheet.starts.get(payout.account)
    if start is None:
        return False
    if lines:
        return min(line.occurred_at for line in lines) < start + timedelta(days=1)
    calendar = sheet.inputs.accounts[payout.account].calendar
    return payout.issued_on <= sheet.day(start) + timedelta(days=calendar.settles_days + calendar.grace_days)


def _state(sheet: Worksheet, payout: Payout, count: int, total: int) -> None:
    kind = DiscrepancyKind.PAYOUT_SHORT if payout.amount < total else DiscrepancyKind.PAYOUT_OVER
    told, sums = amount_text(payout.currency, payout.amount), amount_text(payout.currency, total)
    sheet.state(
        discrepancy(
            kind,
            payout_item(payout),
            Figures(payout.currency, total, payout.amount),
            Place(payout.issued_on, payout.account),
            [f"paid out {told}; its {count} lines come to {sums}"],
        )
    )


# ---- charges that no payout takes ----


def examine_settlement(sheet: Worksheet, lines: PayoutLines) -> None:
    """State charges that should have been in a payout by now, of accounts whose lines name their payouts."""
    covered = _in_unlinked_payouts(sheet, lines)
    left = _nets_of_charges(sheet)
    groups: dict[tuple[str, str, date], list[SettlementLine]] = {}
    for key, line in sheet.lines.items():
        if not is_capture(line) or line.test or line.payout_id or line.account not in lines.itemising:
            continue
        if deadline(sheet, line) < sheet.as_of and key not in covered and left[charge_key(line)]:
            groups.setdefault((line.account, line.currency, sheet.day(line.occurred_at)), []).append(line)
    for (account, currency, day), late in sorted(groups.items()):
        if len(late) > _CROWD:
            _state_late(sheet, late, day, f"{account} {currency} {day.isoformat()}")
        else:
            for line in late:
                _state_late(sheet, [line], day, None)


def _nets_of_charges(sheet: Worksheet) -> dict[str, int]:
    left: dict[str, int] = {}
    for line in sheet.lines.values():
        if line.kind in (LineKind.CAPTURE, LineKind.CAPTURE_REVERSED):
            left[charge_key(line)] = left.get(charge_key(line), 0) + line.gross
    return left


def _state_late(sheet: Worksheet, late: list[SettlementLine], day: date, lasting_name: str | None) -> None:
    items = [line_item(line) for line in late]
    gross = sum(line.gross for line in late)
    stated = discrepancy(
        DiscrepancyKind.LATE_SETTLEMENT,
        items[0],
        Figures(late[0].currency, gross, 0),
        Place(day, late[0].account),
        [f"{amount_text(late[0].currency, gross)} captured, in no payout"],
        [*items, *_orders_of(sheet, late)] if lasting_name is None else items,
        lasting_name,
    )
    sheet.state(stated, *items)


def _orders_of(sheet: Worksheet, lines: Iterable[SettlementLine]) -> list[Item]:
    keys = (sheet.order_of.get(line_key(line)) for line in lines)
    return [sheet.orders[key].item for key in keys if key in sheet.orders]


def _in_unlinked_payouts(sheet: Worksheet, lines: PayoutLines) -> set[str]:
    """Lines that payouts without items can have taken: of each, the oldest ones up to its amount."""
    manual = [one for one in sheet.payouts.values() if not one.itemised and one.state not in _TAKEN_BACK]
    if not manual:
        return set()
    loose: dict[tuple[str, str], list[tuple[datetime, str, int]]] = {}
    for key, line in sheet.lines.items():
        if not line.payout_id and line.kind not in _PAYOUT_KINDS and not line.test and line.account in lines.itemising:
            loose.setdefault((line.account, line.currency), []).append((line.occurred_at, key, line.net))
    covered: set[str] = set()
    for payout in sorted(manual, key=lambda one: (one.issued_on, one.payout_id)):
        left = payout.amount
        for at, key, net in sorted(loose.get((payout.account, payout.currency), ())):
            if key in covered:
                continue
            if net > left or sheet.day(at) > payout.issued_on:
                break
            covered.add(key)
            left -= net
    return covered
