"""Stage 4: several payments that together pay one order, and no other combination does.

Who pays with two cards does so in one sitting: the payments come within :data:`SITTING` of each other.

Sums of arbitrary amounts meet any figure sooner or later. So the search is bounded, and what it finds counts only
where chance could hardly have made it: the combinations that were possible, times :data:`CERTAINTY`, must not exceed
the amount in minor units; or times :data:`CERTAINTY_AT_ONCE`, where all came while the buyer placed the order. Where a
bound is hit nothing is matched; staff get suggestions.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import combinations, islice

from shared.finance.matching.amounts import Fitting, Wanted, spare_lines, wanted_captures
from shared.finance.matching.charges import pairing_of
from shared.finance.matching.worksheet import OrderSheet, Told, Worksheet, buyer_money
from shared.finance.models import LineKind, Rule, SettlementLine, line_key

CERTAINTY = 1000
CERTAINTY_AT_ONCE = 100
"""Payments within minutes of an order that belong to no other are seldom strangers to it."""
SITTING = timedelta(hours=1)
MOST_CANDIDATES = 24
"""Payments that may belong to one order; with more of them no combination is unique in earnest."""


_Combination = tuple[SettlementLine, ...]


def match_split_tenders(sheet: Worksheet, fitting: Fitting) -> None:
    """Link combinations that only one order wants, and that share no payment with another combination."""
    left, courted = _without_suitors(sheet, fitting)
    spare = _Spare(left)
    found: list[tuple[OrderSheet, _Combination]] = []
    for order, wanted in _open_orders(sheet):
        if order.key in courted or not all(map(fitting.decides, wanted)):
            continue
        combination = _only_combination(sheet, fitting, wanted, spare)
        if combination:
            found.append((order, combination))
    uses: dict[str, int] = {}
    for _, lines in found:
        for line in lines:
            uses[line_key(line)] = uses.get(line_key(line), 0) + 1
    for order, lines in found:
        if all(uses[line_key(line)] == 1 for line in lines):
            for line in lines:
                sheet.link(line, order.key, Rule.SPLIT_TENDER)


def find_split_tenders(sheet: Worksheet, fitting: Fitting) -> frozenset[str]:
    """Keys of orders that some payments of one sitting may pay together, however unsure, and of those payments: for
    them a pair of just the amount that is asked for is not the only way."""
    spare = _Spare(spare_lines(sheet))
    unsure: set[str] = set()
    for order, wanted in _open_orders(sheet):
        for lines in _possible(sheet, fitting, wanted, spare):
            if _comes_to(lines, wanted) and not _are_asked_for(lines, wanted):
                unsure.update((order.key, *map(line_key, lines)))
    return frozenset(unsure)


def _are_asked_for(lines: _Combination, wanted: list[Wanted]) -> bool:
    return sorted(buyer_money(line)[1] for line in lines) == sorted(one.told.movement.amount for one in wanted)


class _Spare:
    """Payments by time."""

    def __init__(self, lines: Iterable[SettlementLine]) -> None:
        self._lines = sorted(lines, key=lambda line: (line.occurred_at, line_key(line)))
        self._times = [line.occurred_at for line in self._lines]

    def between(self, first: datetime, last: datetime) -> list[SettlementLine]:
        return self._lines[bisect_left(self._times, first) : bisect_right(self._times, last)]


def _without_suitors(sheet: Worksheet, fitting: Fitting) -> tuple[list[SettlementLine], set[str]]:
    """Payments that no order wants for itself alone, and the keys of orders that want one: what is in doubt there is
    no part of a sum either."""
    wanted: dict[tuple[str, int], list[Wanted]] = {}
    for one in wanted_captures(sheet):
        wanted.setdefault((one.told.movement.currency, one.told.movement.amount), []).append(one)
    left: list[SettlementLine] = []
    courted: set[str] = set()
    for line in spare_lines(sheet):
        suitors = [one.order.key for one in wanted.get(buyer_money(line), ()) if fitting.may_pay(one, line)]
        courted.update(suitors)
        if not suitors:
            left.append(line)
    return left, courted


def _open_orders(sheet: Worksheet) -> Iterator[tuple[OrderSheet, list[Wanted]]]:
    """Orders of which something is still to be found, with what that is."""
    groups: dict[str, list[Wanted]] = {}
    for wanted in wanted_captures(sheet):
        groups.setdefault(wanted.order.key, []).append(wanted)
    for key, group in groups.items():
        yield sheet.orders[key], group
    for order in sheet.orders.values():
        if order.pairing is not None and order.pairing.differing and order.key not in groups:
            rest = _rest_of_a_tender(order)
            if rest is not None:
                yield order, [rest]


def _rest_of_a_tender(order: OrderSheet) -> Wanted | None:
    """What is missing of an order that names one of its payments: the others may name nothing."""
    pairing = pairing_of(order)
    if len(pairing.differing) != 1 or pairing.told or pairing.charged or order.statement.test:
        return None
    told, charge = pairing.differing[0]
    has_reversal = any(line.kind is LineKind.CAPTURE_REVERSED for line in charge.lines)
    left = told.movement.amount - charge.net
    if has_reversal or charge.currency != told.movement.currency or left <= 0:
        return None
    return Wanted(order, Told(told.movement.model_copy(update={"amount": left}), told.route), is_rest=True)


def _near(spare: _Spare, wanted: list[Wanted], fitting: Fitting) -> list[SettlementLine]:
    """Payments that may be a part of it, one more than may be at most."""
    windows = [fitting.window(one) for one in wanted]
    currency, open_amount = wanted[0].told.movement.currency, _open_amount(wanted)
    able = (
        line
        for line in spare.between(min(first for first, _ in windows), max(last for _, last in windows))
        if _is_part(line, currency, open_amount) and any(fitting.may_pay(one, line) for one in wanted)
    )
    return list(islice(able, MOST_CANDIDATES + 1))


def _open_amount(wanted: list[Wanted]) -> int:
    return sum(one.told.movement.amount for one in wanted)


def _is_part(line: SettlementLine, currency: str, whole: int) -> bool:
    told, amount = buyer_money(line)
    return told == currency and amount <= whole


def _possible(sheet: Worksheet, fitting: Fitting, wanted: list[Wanted], spare: _Spare) -> list[_Combination]:
    """Combinations of payments that may pay what is open, whatever they come to; none where there are too many."""
    near = _near(spare, wanted, fitting)
    is_mixed = any(one.told.movement.currency != wanted[0].told.movement.currency for one in wanted)
    if is_mixed or len(near) > MOST_CANDIDATES:
        return []
    fewest = 1 if len(wanted) > 1 or wanted[0].is_rest else 2
    sizes = range(fewest, min(sheet.inputs.rules.most_tenders, len(near)) + 1)
    return [lines for size in sizes for lines in combinations(near, size) if _is_one_sitting(lines)]


def _comes_to(lines: _Combination, wanted: list[Wanted]) -> bool:
    return sum(buyer_money(line)[1] for line in lines) == _open_amount(wanted)


def _only_combination(sheet: Worksheet, fitting: Fitting, wanted: list[Wanted], spare: _Spare) -> _Combination | None:
    """The one combination of payments that comes to what is open; None for none, several, or too many to tell."""
    possible = _possible(sheet, fitting, wanted, spare)
    certainty = CERTAINTY_AT_ONCE if _is_at_once(fitting, wanted) else CERTAINTY
    if len(possible) * certainty > _open_amount(wanted):
        return None
    sums = [lines for lines in possible if _comes_to(lines, wanted)]
    if len(sums) != 1:
        return None
    if not all(fitting.is_ripe(wanted[0], line) for line in sums[0]):
        sheet.unripe.update(map(line_key, sums[0]))
        return None
    return sums[0]


def _is_at_once(fitting: Fitting, wanted: list[Wanted]) -> bool:
    """Whether only what came around the order may pay it."""
    return all(last - first <= SITTING for first, last in map(fitting.window, wanted))


def _is_one_sitting(lines: _Combination) -> bool:
    times = [line.occurred_at for line in lines]
    return max(times) - min(times) <= SITTING
