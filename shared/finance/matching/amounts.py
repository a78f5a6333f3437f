"""Stage 3: the same amount, unique on both sides.

A pair must be of one account, currency and amount, lie within the merchant's window around the order and within the
account's own habit, and no word of one may contradict the other's: an order that knows its charge is not paid by
another charge. What is left is matched where each is the only one for the other, and only once the feed had time for
both: else the payment that is meant may still be on its way.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from shared.finance.matching.charges import pairing_of, words_of
from shared.finance.matching.gateways import Standing
from shared.finance.matching.habits import Habit
from shared.finance.matching.references import contradict, own_references
from shared.finance.matching.worksheet import OrderSheet, Told, Worksheet, buyer_money, is_capture, line_key
from shared.finance.models import Rule, SettlementLine

_TWO = 2
_LARGEST_TIE = 12
"""Payments and orders of one amount up to which it is worked out whether they are each other's."""

_Sum = tuple[str, int]
_T = TypeVar("_T")


class Wanted(NamedTuple):
    """A capture that the storefront tells of and no line was found for."""

    order: OrderSheet
    told: Told
    is_rest: bool = False
    """What is missing of a movement of which a part was found."""

    @property
    def around(self) -> datetime:
        return self.order.statement.placed_at


class Tie(NamedTuple):
    """As many payments as orders of one amount, each of which may be each other's: the money is all there, and who
    paid which is not to be told."""

    orders: tuple[OrderSheet, ...]
    lines: tuple[SettlementLine, ...]


class Fitting:
    """Whether a line may pay for an order at all where only amounts speak."""

    def __init__(self, sheet: Worksheet, habits: Mapping[str, Habit]) -> None:
        self._sheet = sheet
        self._habits = habits
        rules = sheet.inputs.rules
        self.before = timedelta(days=rules.before_order_days)
        self.after = timedelta(days=rules.after_order_days)

    def may_pay(self, wanted: Wanted, line: SettlementLine) -> bool:
        if line.account not in wanted.told.route.accounts:
            return False
        if not -self.before <= line.occurred_at - wanted.around <= self.after:
            return False
        habit = self._habits.get(line.account)
        if habit is not None and not habit.allows(line.occurred_at - wanted.told.movement.at):
            return False
        return not self.is_contradicted(wanted.order, line)

    def is_contradicted(self, order: OrderSheet, line: SettlementLine) -> bool:
        payment = self._sheet.payments.get(f"{line.account}/{line.payment_id}") if line.payment_id else None
        theirs = {*words_of((line,)), *(payment.references if payment else ())}
        return contradict(own_references(order.statement), theirs)

    def is_ripe(self, wanted: Wanted, line: SettlementLine) -> bool:
        """Whether the feed had time for both sides."""
        account = self._sheet.inputs.accounts[line.account]
        newest = max(wanted.told.movement.at, line.occurred_at)
        return self._sheet.as_of - newest >= timedelta(days=account.calendar.feed_days)


def wanted_captures(sheet: Worksheet) -> Iterator[Wanted]:
    """What is still to be found for orders, by order and then as the storefront lists it."""
    for order in sheet.orders.values():
        if order.statement.test or not order.expects():
            continue
        for told in pairing_of(order).told:
            if told.route.standing is Standing.EXPECTED:
                yield Wanted(order, told)


def spare_lines(sheet: Worksheet) -> Iterator[SettlementLine]:
    """Captures that belong to no order yet."""
    for key, line in sheet.lines.items():
        if not is_capture(line) or line.test or key in sheet.order_of or key in sheet.linked_to_nothing:
            continue
        if line.account in sheet.inputs.accounts and buyer_money(line)[1] > 0:
            yield line


def match_unique_amounts(sheet: Worksheet, fitting: Fitting) -> list[Tie]:
    """Link what is unique; return what ties."""
    wanted = _by_sum((one, (one.told.movement.currency, one.told.movement.amount)) for one in wanted_captures(sheet))
    lines = _by_sum((line, buyer_money(line)) for line in spare_lines(sheet))
    ties: list[Tie] = []
    for money in sorted(wanted.keys() & lines.keys()):
        ties.extend(_match_sum(sheet, fitting, wanted[money], lines[money]))
    return ties


def _by_sum(things: Iterable[tuple[_T, _Sum]]) -> dict[_Sum, list[_T]]:
    groups: dict[_Sum, list[_T]] = {}
    for thing, money in things:
        groups.setdefault(money, []).append(thing)
    return groups


def _match_sum(sheet: Worksheet, fitting: Fitting, wanted: list[Wanted], lines: list[SettlementLine]) -> Iterator[Tie]:
    wanted = sorted(wanted, key=lambda one: (one.around, one.order.key, one.told.movement.id))
    lines = sorted(lines, key=lambda line: (line.occurred_at, line_key(line)))
    if max(len(wanted), len(lines)) <= _LARGEST_TIE:
        yield from _match_few(sheet, fitting, wanted, lines)
        return
    starts = [one.around for one in wanted]
    times = [line.occurred_at for line in lines]
    pairs: list[tuple[Wanted, SettlementLine]] = []
    for line in lines:
        low = bisect_left(starts, line.occurred_at - fitting.after)
        high = bisect_right(starts, line.occurred_at + fitting.before)
        able = _at_most_two(one for one in wanted[low:high] if fitting.may_pay(one, line))
        if len(able) != 1:
            continue
        only = able[0]
        low = bisect_left(times, only.around - fitting.before)
        high = bisect_right(times, only.around + fitting.after)
        if len(_at_most_two(one for one in lines[low:high] if fitting.may_pay(only, one))) == 1:
            pairs.append((only, line))
    for only, line in pairs:
        if fitting.is_ripe(only, line):
            sheet.link(line, only.order.key, Rule.UNIQUE_AMOUNT)
        else:
            sheet.unripe.add(line_key(line))


def _at_most_two(found: Iterator[_T]) -> list[_T]:
    """Enough to tell whether there is one: never walks a long list to its end."""
    return [one for one, _ in zip(found, range(_TWO), strict=False)]


# ---- a handful of one amount: groups that have to do with each other ----


def _match_few(sheet: Worksheet, fitting: Fitting, wanted: list[Wanted], lines: list[SettlementLine]) -> Iterator[Tie]:
    able = [[fitting.may_pay(one, line) for line in lines] for one in wanted]
    for ours, theirs in _groups(able, len(lines)):
        group = [wanted[row] for row in ours]
        candidates = [lines[column] for column in theirs]
        orders = {one.order.key: one.order for one in group}
        is_whole = all(able[row][column] for row in ours for column in theirs) and len(ours) == len(theirs)
        if not all(fitting.is_ripe(one, line) for one in group for line in candidates):
            sheet.unripe.update(map(line_key, candidates))
        elif not is_whole:
            continue
        elif len(orders) == 1:
            for line in candidates:
                sheet.link(line, group[0].order.key, Rule.UNIQUE_AMOUNT)
        else:
            yield Tie(tuple(orders.values()), tuple(candidates))


def _groups(able: list[list[bool]], columns: int) -> Iterator[tuple[list[int], list[int]]]:
    """Rows and columns that hang together, those without any counterpart left out."""
    rows_left = set(range(len(able)))
    while rows_left:
        rows, found = {min(rows_left)}, set[int]()
        while True:
            reached = {column for column in range(columns) if any(able[row][column] for row in rows)}
            back = {row for row in rows_left if any(able[row][column] for column in reached)} | rows
            if reached == found and back == rows:
                break
            rows, found = back, reached
        rows_left -= rows
        if found:
            yield sorted(rows), sorted(found)
