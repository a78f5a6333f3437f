"""Stage 3: the same amount, unique on both sides.

A pair must be of one account, currency and amount, lie within the merchant's window around the order and within the
account's own habit, and no word of one may contradict the other's: an order that knows its charge is not paid by
another charge. What is left is matched where each is the only one for the other, or where a few of both can be each
other's in one way alone; and only once the feed had time for all of them: else the payment that is meant may still be
on its way. Who is left with others like it is in doubt together with them: that is one exception.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from copy import copy
from datetime import datetime, timedelta
from itertools import islice, permutations
from typing import NamedTuple, Self, TypeVar

from shared.finance.matching.charges import pairing_of
from shared.finance.matching.gateways import Standing
from shared.finance.matching.habits import Habits
from shared.finance.matching.references import contradict, own_references, shape
from shared.finance.matching.shared_names import words_of_charge
from shared.finance.matching.worksheet import OrderSheet, Told, Worksheet, buyer_money, is_capture, words_of
from shared.finance.models import Rule, SettlementLine, line_key

_MOST_SUITORS = 8
"""Counterparts up to which it is looked for who may be whose; what has more of them is not unique in any way."""
_LARGEST_GROUP = 5
"""Payments and as many orders of which every assignment is tried."""
_LARGEST_TIE = 20
"""Payments and orders that are told in one exception; of more, each is told by itself."""

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
    """Payments and orders of one amount, each of which may be several others': who paid which is not to be told, nor,
    where there are more of one side, which is the one too many."""

    wanted: tuple[Wanted, ...]
    lines: tuple[SettlementLine, ...]

    @property
    def orders(self) -> tuple[OrderSheet, ...]:
        return tuple({one.order.key: one.order for one in self.wanted}.values())


class Fitting:
    """Whether a line may pay for an order at all where only amounts speak."""

    def __init__(self, sheet: Worksheet, habits: Habits) -> None:
        self._sheet = sheet
        self.habits = habits
        self._naming = _ways_of_naming(sheet)
        rules = sheet.inputs.rules
        self.before = timedelta(days=rules.before_order_days)
        self.after = timedelta(days=rules.after_order_days)

    def within(self, habits: Habits) -> Self:
        """The same by other habits."""
        other = copy(self)
        other.habits = habits
        return other

    def may_pay(self, wanted: Wanted, line: SettlementLine) -> bool:
        if line.account not in wanted.told.route.accounts:
            return False
        if not -self.before <= line.occurred_at - wanted.around <= self.after:
            return False
        habit = self.habits.of(line.account, wanted.told)
        if habit is not None and not habit.allows(line.occurred_at - wanted.told.movement.at):
            return False
        if self._is_one_meant(wanted.order, line):
            return not _is_another_charge(wanted.told, line)
        return not self.is_contradicted(wanted.order, line) and not self._means_another(line)

    def _is_one_meant(self, order: OrderSheet, line: SettlementLine) -> bool:
        """Whether it is among the orders of several shops that the line names alike."""
        words = words_of_charge(self._sheet, line)
        return bool(words) and order.key in self._sheet.index.sharing(line.account, words)

    def _means_another(self, line: SettlementLine) -> bool:
        """Whether it names an order, as this account's lines name theirs, and that is none of those that are here."""
        ways = self._naming.get(line.account, set())
        return any(shape(word) in ways for word in line.references)

    def window(self, wanted: Wanted) -> tuple[datetime, datetime]:
        """Outside of which no line may pay: the merchant's window, or less where every account has a habit."""
        first, last = wanted.around - self.before, wanted.around + self.after
        habits = [self.habits.of(account, wanted.told) for account in wanted.told.route.accounts]
        known = [habit for habit in habits if habit is not None]
        if not known or len(known) < len(habits):
            return first, last
        at = wanted.told.movement.at
        shortest, longest = min(one.shortest for one in known), max(one.longest for one in known)
        return max(first, at + shortest), min(last, at + longest)

    def is_contradicted(self, order: OrderSheet, line: SettlementLine) -> bool:
        payment = self._sheet.payments.get(f"{line.account}/{line.payment_id}") if line.payment_id else None
        theirs = {*words_of((line,)), *(payment.references if payment else ())}
        return contradict(own_references(order.statement), theirs)

    def decides(self, wanted: Wanted) -> bool:
        """Whether habits say enough of every account where it is looked for."""
        return all(self.habits.decides(account, wanted.told) for account in wanted.told.route.accounts)

    def is_ripe(self, wanted: Wanted, line: SettlementLine) -> bool:
        """Whether the feed had time for both sides."""
        account = self._sheet.inputs.accounts[line.account]
        newest = max(wanted.told.movement.at, line.occurred_at)
        return self._sheet.as_of - newest >= timedelta(days=account.calendar.feed_days)

    def is_awaited(self, wanted: Wanted) -> bool:
        """Whether it is not late yet."""
        return not self._sheet.feed_should_have(wanted.told.route.accounts, wanted.told.movement.at)


def _is_another_charge(told: Told, line: SettlementLine) -> bool:
    return line.payment_id is not None and contradict(told.movement.references, (line.payment_id,))


def _ways_of_naming(sheet: Worksheet) -> dict[str, set[str]]:
    """The shapes of the words by which each account's lines name orders as a whole: `#1001`, `D1001`, a number."""
    ways: dict[str, set[str]] = {}
    for order in sheet.orders.values():
        names = order.statement.references
        for line in order.lines:
            for word in line.references:
                if is_capture(line) and word in names:
                    ways.setdefault(line.account, set()).add(shape(word))
    return ways


def wanted_captures(sheet: Worksheet) -> Iterator[Wanted]:
    """What is still to be found for orders, by order and then as the storefront lists it."""
    sheet.wanting = [order for order in sheet.wanting if any(_missed(order))]
    for order in sheet.wanting:
        for told in _missed(order):
            yield Wanted(order, told)


def _missed(order: OrderSheet) -> Iterator[Told]:
    if not order.statement.test:
        for told in pairing_of(order).told:
            if told.route.standing is Standing.EXPECTED:
                yield told


def spare_lines(sheet: Worksheet) -> Iterator[SettlementLine]:
    """Captures that belong to no order yet."""
    sheet.spare = [line for line in sheet.spare if _is_spare(sheet, line)]
    yield from sheet.spare


def _is_spare(sheet: Worksheet, line: SettlementLine) -> bool:
    key = line_key(line)
    if not is_capture(line) or line.test or key in sheet.order_of or key in sheet.linked_to_nothing:
        return False
    return line.account in sheet.inputs.accounts and buyer_money(line)[1] > 0


def match_unique_amounts(sheet: Worksheet, fitting: Fitting, unsure: Collection[str]) -> list[Tie]:
    """Link what is unique; return what ties.

    Args:
        unsure: Keys of orders that may be paid in another way, and of payments that may be a part of another order's.
    """
    wanted = _by_sum((one, (one.told.movement.currency, one.told.movement.amount)) for one in wanted_captures(sheet))
    lines = _by_sum((line, buyer_money(line)) for line in spare_lines(sheet))
    ties: list[Tie] = []
    for money in sorted(wanted.keys() & lines.keys()):
        for group in _groups(_Suitors(fitting, wanted[money], lines[money])):
            tie = _match_group(sheet, fitting, group, unsure)
            if tie is not None:
                ties.append(tie)
    return ties


def _by_sum(things: Iterable[tuple[_T, _Sum]]) -> dict[_Sum, list[_T]]:
    groups: dict[_Sum, list[_T]] = {}
    for thing, money in things:
        groups.setdefault(money, []).append(thing)
    return groups


class _Suitors:
    """Who may be whose among payments and orders of one amount. Each side is sorted by time, so that only what lies in
    the other's window is looked at, and nobody's list is walked beyond :data:`_MOST_SUITORS`."""

    def __init__(self, fitting: Fitting, wanted: list[Wanted], lines: list[SettlementLine]) -> None:
        self.wanted = sorted(wanted, key=lambda one: (one.around, one.order.key, one.told.movement.id))
        self.lines = sorted(lines, key=lambda line: (line.occurred_at, line_key(line)))
        self.of_wanted: list[set[int]] = [set() for _ in wanted]
        self.of_lines: list[set[int]] = [set() for _ in lines]
        starts = [one.around for one in self.wanted]
        times = [line.occurred_at for line in self.lines]
        for row, one in enumerate(self.wanted):
            low = bisect_left(times, one.around - fitting.before)
            high = bisect_right(times, one.around + fitting.after)
            near = (column for column in range(low, high) if fitting.may_pay(one, self.lines[column]))
            self._join((row, column) for column in islice(near, _MOST_SUITORS + 1))
        for column, line in enumerate(self.lines):
            low = bisect_left(starts, line.occurred_at - fitting.after)
            high = bisect_right(starts, line.occurred_at + fitting.before)
            able = (row for row in range(low, high) if fitting.may_pay(self.wanted[row], line))
            self._join((row, column) for row in islice(able, _MOST_SUITORS + 1))

    def _join(self, pairs: Iterator[tuple[int, int]]) -> None:
        for row, column in pairs:
            self.of_wanted[row].add(column)
            self.of_lines[column].add(row)


class _Group(NamedTuple):
    """Payments and orders that hang together, and who of them may be whose."""

    wanted: list[Wanted]
    lines: list[SettlementLine]
    able: list[list[int]]
    """For each of the orders' captures, the positions of lines."""


def _groups(suitors: _Suitors) -> Iterator[_Group]:
    seen: set[int] = set()
    for first in range(len(suitors.wanted)):
        if first in seen or not suitors.of_wanted[first]:
            continue
        rows, columns, new = {first}, set[int](), [first]
        while new:
            reached = suitors.of_wanted[new.pop()] - columns
            columns |= reached
            more = {row for column in reached for row in suitors.of_lines[column]} - rows
            rows |= more
            new.extend(sorted(more))
        seen |= rows
        in_order = sorted(columns)
        places = {column: place for place, column in enumerate(in_order)}
        yield _Group(
            [suitors.wanted[row] for row in sorted(rows)],
            [suitors.lines[column] for column in in_order],
            [sorted(places[column] for column in suitors.of_wanted[row]) for row in sorted(rows)],
        )


def _match_group(sheet: Worksheet, fitting: Fitting, group: _Group, unsure: Collection[str]) -> Tie | None:
    ways = _assignments(group)
    keys = (*(one.order.key for one in group.wanted), *map(line_key, group.lines))
    is_unique = len(ways) == 1 and all(key not in unsure for key in keys) and all(map(fitting.decides, group.wanted))
    if is_unique and all(fitting.is_ripe(one, line) for one in group.wanted for line in group.lines):
        for line, order in zip(group.lines, ways.pop(), strict=True):
            sheet.link(line, order, Rule.UNIQUE_AMOUNT)
        return None
    _let_wait(sheet, fitting, group)
    wanted = tuple(one for one in group.wanted if one.order.key not in sheet.unripe)
    lines = tuple(line for line in group.lines if line_key(line) not in sheet.unripe)
    return Tie(wanted, lines) if wanted and lines and len(wanted) + len(lines) <= _LARGEST_TIE else None


def _let_wait(sheet: Worksheet, fitting: Fitting, group: _Group) -> None:
    """Who may be each other's waits for as long as the feed may bring another: it would tell which are."""
    for one, able in zip(group.wanted, group.able, strict=True):
        for line in (group.lines[place] for place in able):
            is_ripe = fitting.is_ripe(one, line)
            if not is_ripe:
                sheet.unripe.add(one.order.key)
            if not is_ripe or fitting.is_awaited(one):
                sheet.unripe.add(line_key(line))


def _assignments(group: _Group) -> set[tuple[str, ...]]:
    """Every way to give each line to one of the captures: the orders' keys, in the order of the lines. None where
    there are more of one side, or too many of both to try."""
    found: set[tuple[str, ...]] = set()
    if len(group.wanted) != len(group.lines) or len(group.lines) > _LARGEST_GROUP:
        return found
    for lines in permutations(range(len(group.lines))):
        if all(line in able for line, able in zip(lines, group.able, strict=True)):
            keys = [""] * len(lines)
            for one, line in zip(group.wanted, lines, strict=True):
                keys[line] = one.order.key
            found.add(tuple(keys))
    return found
