"""What might belong together where no rule may say so: for staff to look at, never posted by itself.

Scores are out of 100: the amount counts most (60 for the same, 40 for near), then the days between (up to 25), then a
reference that looks alike (15, or 50 where only it speaks).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from shared.finance.matching.amounts import spare_lines, wanted_captures
from shared.finance.matching.references import own_references
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Worksheet, bank_item, buyer_money, line_item, payout_item, words_of
from shared.finance.models import Bucket, Discrepancy, DiscrepancyKind, Item, Suggestion

_MOST = 3
_LOOKED_AT = 40
"""Candidates nearest in amount; beyond them none is better."""
_NEAR_PARTS = 200
"""One part in so many of an amount, 0.5 %, is near."""
_SAME, _NEAR, _ALIKE, _ALIKE_ALONE = 60, 40, 15, 50
_BY_DAYS = ((1, 25), (3, 20), (7, 15), (30, 5))
_LEAST_ALIKE = 4
"""Characters of a reference below which likeness says nothing."""


class Candidate(NamedTuple):
    """Something that is left over, as far as it may be suggested or be looked for."""

    item: Item
    currency: str
    amount: int
    day: date
    words: frozenset[str]
    """Folded, without anything but letters and digits."""


class Shelf:
    """Left-over things of one kind, found by near amounts and alike words."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._by_currency: dict[str, list[Candidate]] = {}
        self._by_word: dict[str, list[Candidate]] = {}
        for one in candidates:
            self._by_currency.setdefault(one.currency, []).append(one)
            for word in one.words:
                self._by_word.setdefault(word, []).append(one)
        for group in self._by_currency.values():
            group.sort(key=lambda one: (one.amount, one.day, one.item.id))
        self._amounts = {currency: [one.amount for one in group] for currency, group in self._by_currency.items()}

    def suggest(self, sought: Candidate) -> tuple[Suggestion, ...]:
        found = {one.item: one for one in self._near(sought)}
        for word in sorted(sought.words):
            found.update((one.item, one) for one in self._by_word.get(word, ())[:_LOOKED_AT])
        scored = [_score(sought, one) for one in found.values() if one.item != sought.item]
        return tuple(sorted(scored, key=lambda one: (-one.score, one.item.id))[:_MOST])

    def _near(self, sought: Candidate) -> Sequence[Candidate]:
        group, amounts = self._by_currency.get(sought.currency, []), self._amounts.get(sought.currency, [])
        slack = max(1, abs(sought.amount) // _NEAR_PARTS)
        low = bisect_left(amounts, sought.amount - slack)
        high = bisect_right(amounts, sought.amount + slack)
        if high - low <= _LOOKED_AT:
            return group[low:high]
        same = group[bisect_left(amounts, sought.amount) : bisect_right(amounts, sought.amount)]
        return sorted(same, key=lambda one: (abs((one.day - sought.day).days), one.item.id))[:_LOOKED_AT]


def _score(sought: Candidate, one: Candidate) -> Suggestion:
    apart = abs((one.day - sought.day).days)
    is_alike = not sought.words.isdisjoint(one.words)
    slack = max(1, abs(sought.amount) // _NEAR_PARTS)
    off = one.amount - sought.amount
    is_near = one.currency == sought.currency and abs(off) <= slack
    evidence = [amount_text(one.currency, one.amount), "on the same day" if not apart else f"{apart} days apart"]
    if is_near:
        score = _SAME if off == 0 else _NEAR
        evidence[0] += ", the same amount" if off == 0 else f", {off:+d} minor units"
    else:
        score = _ALIKE_ALONE - _ALIKE
    score += next((points for days, points in _BY_DAYS if apart <= days), 0)
    if is_alike:
        score += _ALIKE
        evidence.append("a reference looks alike")
    return Suggestion(item=one.item, score=min(score, 100), evidence=tuple(evidence))


def add_suggestions(sheet: Worksheet) -> None:
    """Give every discrepancy that asks for a counterpart what may be it."""
    orders = {one.item: one for one in _orders(sheet)}
    lines = {one.item: one for one in _lines(sheet)}
    payouts = {one.item: one for one in _payouts(sheet)}
    banks = {one.item: one for one in _bank_lines(sheet)}
    asks = {
        DiscrepancyKind.MISSING_ORDER: (lines, Shelf(orders.values())),
        DiscrepancyKind.MISSING_PAYMENT: (orders, Shelf(lines.values())),
        DiscrepancyKind.BANK_MISSING: (payouts, Shelf(banks.values())),
        DiscrepancyKind.UNEXPECTED_BANK_LINE: (banks, Shelf(payouts.values())),
    }
    sheet.discrepancies = [_with_suggestions(one, asks) for one in sheet.discrepancies]


def _with_suggestions(
    one: Discrepancy, asks: dict[DiscrepancyKind, tuple[dict[Item, Candidate], Shelf]]
) -> Discrepancy:
    subjects, shelf = asks.get(one.kind, (None, None))
    if subjects is None or shelf is None or one.subject not in subjects:
        return one
    suggestions = shelf.suggest(subjects[one.subject])
    return one.model_copy(update={"suggestions": suggestions}) if suggestions else one


def _orders(sheet: Worksheet) -> Iterator[Candidate]:
    for wanted in wanted_captures(sheet):
        movement = wanted.told.movement
        if sheet.bucket_of(wanted.order.item) is Bucket.EXCEPTION:
            words = _folded(own_references(wanted.order.statement))
            yield Candidate(wanted.order.item, movement.currency, movement.amount, sheet.day(movement.at), words)


def _lines(sheet: Worksheet) -> Iterator[Candidate]:
    for line in spare_lines(sheet):
        currency, amount = buyer_money(line)
        yield Candidate(line_item(line), currency, amount, sheet.day(line.occurred_at), _folded(words_of((line,))))


def _payouts(sheet: Worksheet) -> Iterator[Candidate]:
    missing = {one.subject for one in sheet.discrepancies if one.kind is DiscrepancyKind.BANK_MISSING}
    for payout in sheet.payouts.values():
        item = payout_item(payout)
        if item in missing:
            day = payout.arrives_on or payout.issued_on
            yield Candidate(item, payout.currency, payout.amount, day, _folded((payout.payout_id, *payout.references)))


def _bank_lines(sheet: Worksheet) -> Iterator[Candidate]:
    for line in sheet.bank_lines.values():
        item = bank_item(line)
        if sheet.bucket_of(item) is not Bucket.MATCHED:
            yield Candidate(item, line.currency, line.amount, line.booked_on, _folded(line.references))


def _folded(words: Iterable[str]) -> frozenset[str]:
    letters = ("".join(filter(str.isalnum, word)).casefold().lstrip("0") for word in words)
    return frozenset(word for word in letters if len(word) >= _LEAST_ALIKE)
