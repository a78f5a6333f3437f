"""Payouts against what arrived at the bank."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from shared.finance.matching.calendar import add_business_days
from shared.finance.matching.discrepancies import Figures, Place, discrepancy, short_id
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import NOTHING, Worksheet, bank_item, payout_item
from shared.finance.models import BankLine, Bucket, DiscrepancyKind, Match, Payout, PayoutState, Rule, payout_key

_TAKEN_BACK = frozenset({PayoutState.FAILED, PayoutState.CANCELLED})
_TO_PAYOUT = "payout:"
_NAMED_EARLY, _NAMED_LATE = timedelta(days=7), timedelta(days=60)
"""How far from its days a bank line may name a payout."""
_SHORTEST_REFERENCE = 5
"""Characters of a word in the bank's text that may be a reference."""
_MOST_AT_ONCE = 6
"""Payouts of one day that a bank may have put into one line."""
_WORD = re.compile(r"[^\s,;:/]+")


class Expected(NamedTuple):
    """A payout that has to arrive at a bank account."""

    payout: Payout
    bank: str
    first: date
    last: date
    """The days on which the bank may book it."""


def examine_bank(sheet: Worksheet) -> None:
    """Match payouts with bank lines by reference, then by amount; state what is late, and what looks like a provider's
    and is explained by nothing."""
    expected = {payout_key(one.payout): one for one in _expected(sheet)}
    free = dict(sheet.bank_lines)
    _match_by_staff(sheet, expected, free)
    _match_by_reference(sheet, expected, free)
    _match_by_amount(sheet, expected, free)
    _match_together(sheet, expected, free)
    _state_missing(sheet, expected.values())
    _sort_the_rest(sheet, free)


def _expected(sheet: Worksheet) -> Iterator[Expected]:
    for payout in sheet.payouts.values():
        rules = sheet.inputs.accounts.get(payout.account)
        if rules is None or rules.bank is None or payout.state in _TAKEN_BACK or not payout.amount:
            continue
        last = max(payout.issued_on, payout.arrives_on or payout.issued_on)
        yield Expected(
            payout,
            rules.bank,
            add_business_days(payout.issued_on, -1),
            add_business_days(last, rules.calendar.bank_days),
        )


# ---- matching ----


def _match_by_staff(sheet: Worksheet, expected: dict[str, Expected], free: dict[str, BankLine]) -> None:
    for key, line in sheet.bank_lines.items():
        link = sheet.inputs.links.get(key)
        if link is None:
            continue
        free.pop(key)
        payout = sheet.payouts.get(link.removeprefix(_TO_PAYOUT)) if link.startswith(_TO_PAYOUT) else None
        if payout is None:
            sheet.put(bank_item(line), Bucket.OUTSIDE if link == NOTHING else Bucket.MATCHED)
            continue
        expected.pop(payout_key(payout), None)
        _match(sheet, Rule.STAFF, [payout], line, "somebody said so")


def _match_by_reference(sheet: Worksheet, expected: dict[str, Expected], free: dict[str, BankLine]) -> None:
    """A bank line that names one payout alone, and comes to its amount. One that comes to another amount is the payout
    all the same, less what a bank kept."""
    names: dict[tuple[str, str], set[str]] = {}
    for key, one in expected.items():
        for word in (*one.payout.references, one.payout.payout_id):
            names.setdefault((one.bank, word.casefold()), set()).add(key)
    found: dict[str, list[str]] = {}
    for key, line in free.items():
        named: set[str] = set()
        for word in _words(line):
            hits = names.get((line.bank, word), set())
            if len(hits) == 1:
                named |= hits
        if len(named) == 1 and _may_name(expected[min(named)], line):
            found.setdefault(named.pop(), []).append(key)
    for payout_name, lines in found.items():
        payout = expected[payout_name].payout
        exact = [key for key in lines if free[key].amount == payout.amount]
        if len(lines) == 1 or len(exact) == 1:
            line = free.pop(exact[0] if exact else lines[0])
            del expected[payout_name]
            _match(sheet, Rule.BANK_REFERENCE, [payout], line, "the bank line names the payout")
            if line.amount != payout.amount:
                _state_other_amount(sheet, payout, line)


def _may_name(one: Expected, line: BankLine) -> bool:
    """A descriptor may be a common word: of another season, or in another currency, it says nothing."""
    is_near = one.first - _NAMED_EARLY <= line.booked_on <= one.last + _NAMED_LATE
    return is_near and one.payout.currency == line.currency


def _words(line: BankLine) -> set[str]:
    """What a bank line may name a payout by: its references, and longer words of its text."""
    text = {word for word in _WORD.findall(line.text) if len(word) >= _SHORTEST_REFERENCE}
    return {word.casefold() for word in (*line.references, *text)}


def _match_by_amount(sheet: Worksheet, expected: dict[str, Expected], free: dict[str, BankLine]) -> None:
    by_sum: dict[tuple[str, str, int], list[str]] = {}
    for key, line in free.items():
        by_sum.setdefault((line.bank, line.currency, line.amount), []).append(key)
    able: dict[str, list[str]] = {}
    suitors: dict[str, int] = {}
    for name, one in expected.items():
        keys = by_sum.get((one.bank, one.payout.currency, one.payout.amount), ())
        able[name] = [key for key in keys if _may_be(sheet, one, free[key])]
        for key in able[name]:
            suitors[key] = suitors.get(key, 0) + 1
    for name, keys in able.items():
        if len(keys) == 1 and suitors[keys[0]] == 1:
            text = f"the only {amount_text(free[keys[0]].currency, free[keys[0]].amount)} in its days"
            _match(sheet, Rule.BANK_AMOUNT, [expected.pop(name).payout], free.pop(keys[0]), text)


def _may_be(sheet: Worksheet, one: Expected, line: BankLine) -> bool:
    return one.first <= line.booked_on <= one.last and _speaks_of(sheet, one.payout.account, line)


def _speaks_of(sheet: Worksheet, account: str, line: BankLine) -> bool:
    words = sheet.inputs.accounts[account].bank_words
    text = line.text.casefold()
    return not words or any(word.casefold() in text for word in words)


def _match_together(sheet: Worksheet, expected: dict[str, Expected], free: dict[str, BankLine]) -> None:
    """Payouts of one account and day that the bank booked as one line, where only one combination comes to it."""
    days: dict[tuple[str, str, date], list[str]] = {}
    for name, one in expected.items():
        arrives = one.payout.arrives_on or one.payout.issued_on
        days.setdefault((one.payout.account, one.payout.currency, arrives), []).append(name)
    crowds = [names for names in days.values() if 1 < len(names) <= _MOST_AT_ONCE]
    found: dict[str, list[tuple[str, ...]]] = {}
    for names in crowds:
        for key, line in free.items():
            if line.currency == expected[names[0]].payout.currency and line.bank == expected[names[0]].bank:
                found.setdefault(key, []).extend(_sums_to(sheet, expected, names, line))
    uses: dict[str, int] = {}
    for groups in found.values():
        for name in {name for group in groups for name in group}:
            uses[name] = uses.get(name, 0) + 1
    for key, groups in found.items():
        if len(groups) == 1 and all(uses[name] == 1 for name in groups[0]):
            payouts = [expected.pop(name).payout for name in groups[0]]
            text = f"{len(payouts)} payouts of a day come to it"
            _match(sheet, Rule.BANK_AMOUNT, payouts, free.pop(key), text)


def _sums_to(
    sheet: Worksheet, expected: dict[str, Expected], names: list[str], line: BankLine
) -> Iterator[tuple[str, ...]]:
    able = [name for name in names if _may_be(sheet, expected[name], line)]
    for size in range(2, len(able) + 1):
        for group in combinations(able, size):
            if sum(expected[name].payout.amount for name in group) == line.amount:
                yield group


def _match(sheet: Worksheet, rule: Rule, payouts: list[Payout], line: BankLine, evidence: str) -> None:
    items = tuple(sorted((bank_item(line), *map(payout_item, payouts)), key=str))
    sheet.put(bank_item(line), Bucket.MATCHED)
    for payout in payouts:
        if sheet.bucket_of(payout_item(payout)) in (None, Bucket.WAITING, Bucket.OUTSIDE, Bucket.NEUTRAL):
            sheet.put(payout_item(payout), Bucket.MATCHED)
    sheet.matches.append(
        Match(
            id=short_id(rule, *map(str, items)),
            rule=rule,
            items=items,
            currency=line.currency,
            amount=line.amount,
            evidence=(evidence, f"booked {line.booked_on.isoformat()}"),
        )
    )


# ---- what is left ----


def _state_other_amount(sheet: Worksheet, payout: Payout, line: BankLine) -> None:
    sent, arrived = amount_text(payout.currency, payout.amount), amount_text(line.currency, line.amount)
    sheet.state(
        discrepancy(
            DiscrepancyKind.AMOUNT_MISMATCH,
            payout_item(payout),
            Figures(payout.currency, payout.amount, line.amount),
            Place(line.booked_on, payout.account),
            [f"paid out {sent}, arrived {arrived}"],
            [bank_item(line)],
        ),
        bank_item(line),
    )


def _state_missing(sheet: Worksheet, expected: Iterable[Expected]) -> None:
    for one in expected:
        item = payout_item(one.payout)
        if sheet.today <= one.last or one.payout.state is PayoutState.PENDING:
            if sheet.bucket_of(item) is not Bucket.EXCEPTION:
                sheet.put(item, Bucket.WAITING)
            continue
        sheet.state(
            discrepancy(
                DiscrepancyKind.BANK_MISSING,
                item,
                Figures(one.payout.currency, one.payout.amount, 0),
                Place(one.payout.arrives_on or one.payout.issued_on, one.payout.account),
                [f"{amount_text(one.payout.currency, one.payout.amount)} not at {one.bank} by {one.last.isoformat()}"],
            )
        )


def _sort_the_rest(sheet: Worksheet, free: dict[str, BankLine]) -> None:
    """Lines that speak of a provider and belong to no payout, and every line of a bank where only payouts arrive; the
    others are none of ours."""
    for line in free.values():
        accounts = [name for name, rules in sorted(sheet.inputs.accounts.items()) if rules.bank == line.bank]
        speakers = [
            name for name in accounts if sheet.inputs.accounts[name].bank_words and _speaks_of(sheet, name, line)
        ]
        concerned = speakers or (accounts if line.bank in sheet.inputs.payout_banks else [])
        if not concerned or _is_of_an_earlier_payout(sheet, concerned, line):
            sheet.put(bank_item(line), Bucket.OUTSIDE)
            continue
        patience = max(sheet.inputs.accounts[name].calendar.feed_days for name in concerned)
        if (sheet.today - line.booked_on).days <= patience:
            sheet.put(bank_item(line), Bucket.WAITING)
            continue
        says = f"looks like a payout of {', '.join(speakers)}" if speakers else "only payouts are to arrive there"
        sheet.state(
            discrepancy(
                DiscrepancyKind.UNEXPECTED_BANK_LINE,
                bank_item(line),
                Figures(line.currency, 0, line.amount),
                Place(line.booked_on, line.bank),
                [f"{says}, and no payout explains it"],
            )
        )


def _is_of_an_earlier_payout(sheet: Worksheet, speakers: list[str], line: BankLine) -> bool:
    """Whether its payout may have been issued before this run's window."""
    for name in speakers:
        start = sheet.day(sheet.starts[name])
        if line.booked_on <= add_business_days(start, sheet.inputs.accounts[name].calendar.bank_days):
            return True
    return False
