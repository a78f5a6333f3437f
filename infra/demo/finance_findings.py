"""What was found, held against what was planted. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from infra.demo.finance_providers import Planted
from shared.finance.models import Discrepancy, Item, Subject


class Finding(NamedTuple):
    planted: Planted
    found: Discrepancy | None
    """The exception that speaks of it."""

    @property
    def is_named_right(self) -> bool:
        return self.found is not None and self.found.kind is self.planted.kind


class Findings(NamedTuple):
    each: tuple[Finding, ...]
    """One for each thing that was planted, as it was planted."""
    false: tuple[Discrepancy, ...]
    """Exceptions that nothing was planted for, or one too many for what was."""

    @property
    def are_right(self) -> bool:
        return not self.false and all(finding.is_named_right for finding in self.each)


def held_against(planted: Sequence[Planted], found: Iterable[Discrepancy]) -> Findings:
    """Give each planted thing the exception that speaks of it: one of its own kind first, else any that is left."""
    left = list(found)
    given: dict[int, Discrepancy] = {}
    for fits in (_is_of_its_kind, _speaks_of_it):
        for number, thing in enumerate(planted):
            if number not in given:
                match = _taken(left, thing, fits)
                if match is not None:
                    given[number] = match
    return Findings(tuple(Finding(thing, given.get(number)) for number, thing in enumerate(planted)), tuple(left))


def named(item: Item) -> str:
    """An item as it is planted: of a bank line, the bank's own number without the digest that we add."""
    return str(item).partition("~")[0] if item.subject is Subject.BANK else str(item)


def _taken(left: list[Discrepancy], thing: Planted, fits: Callable[[Planted, Discrepancy], bool]) -> Discrepancy | None:
    for place, discrepancy in enumerate(left):
        if fits(thing, discrepancy):
            return left.pop(place)
    return None


def _is_of_its_kind(thing: Planted, discrepancy: Discrepancy) -> bool:
    return discrepancy.kind is thing.kind and _speaks_of_it(thing, discrepancy)


def _speaks_of_it(thing: Planted, discrepancy: Discrepancy) -> bool:
    return not thing.items.isdisjoint(map(named, (discrepancy.subject, *discrepancy.others)))
