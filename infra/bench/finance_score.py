"""How well a reconciliation did, against the truth of a made-up month."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from infra.bench.finance_month import Month
from shared.finance.inputs import Inputs, Reconciliation
from shared.finance.models import (
    Bucket,
    Discrepancy,
    DiscrepancyKind,
    Item,
    SettlementLine,
    Subject,
    line_key,
    payment_key,
    payout_key,
)

_OF_PAYOUTS: Final = frozenset(
    {
        DiscrepancyKind.PAYOUT_SHORT,
        DiscrepancyKind.PAYOUT_OVER,
        DiscrepancyKind.BANK_MISSING,
        DiscrepancyKind.UNEXPECTED_BANK_LINE,
    }
)
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class FaultScore:
    kind: str
    planted: int
    found: int
    """Those about which there is an exception of any kind."""
    named: int
    """Those about which there is an exception of this kind."""
    other_names: tuple[tuple[str, int], ...]
    """What the others were called instead; `none` for those that were not found."""


@dataclass(frozen=True, slots=True)
class Score:
    orders: int
    payments: int
    """Movements of buyers' money in the feeds: captures and what came after them."""
    faults: tuple[FaultScore, ...]
    wrong_matches: tuple[str, ...]
    """Lines that were given to an order whose money they are not."""
    unmatched: int
    """Lines of an order that were given to none. Each shows up elsewhere, as an exception or as waiting."""
    false_exceptions: tuple[str, ...]
    """Exceptions about nothing that is wrong."""
    impatient: tuple[str, ...]
    """Orders that are only waiting and were put among the exceptions."""
    lost: int
    """Things that went in and are in no bucket, or things in a bucket that never went in."""

    @property
    def planted(self) -> int:
        return sum(fault.planted for fault in self.faults)

    @property
    def found(self) -> int:
        return sum(fault.found for fault in self.faults)

    @property
    def named(self) -> int:
        return sum(fault.named for fault in self.faults)

    @property
    def not_found_percent(self) -> float:
        return 100 * (self.planted - self.found) / self.planted

    @property
    def not_named_percent(self) -> float:
        return 100 * (self.planted - self.named) / self.planted

    @property
    def false_in_ten_thousand(self) -> float:
        return 10_000 * len(self.false_exceptions) / self.orders


def score(month: Month, outcome: Reconciliation) -> Score:
    kinds_of: dict[Item, set[DiscrepancyKind]] = defaultdict(set)
    for discrepancy in outcome.discrepancies:
        for item in _about(discrepancy):
            kinds_of[item].add(discrepancy.kind)
    went_in = set(items_of(month.inputs()))
    return Score(
        orders=len(month.orders),
        payments=sum(line.payment_id is not None for line in month.lines),
        faults=tuple(_fault_scores(month, kinds_of)),
        wrong_matches=tuple(_wrong(month, outcome)),
        unmatched=sum(_is_left(month, outcome, line) for line in month.lines),
        false_exceptions=tuple(_false(month, outcome.discrepancies)),
        impatient=tuple(sorted(str(item) for item in month.waiting if _is_exception(outcome, item))),
        lost=len(went_in ^ set(outcome.buckets)),
    )


def items_of(inputs: Inputs) -> Iterator[Item]:
    """Everything that has to be in a bucket."""
    for order in inputs.orders:
        yield Item(subject=Subject.ORDER, id=str(order.key))
    for line in inputs.lines:
        yield Item(subject=Subject.LINE, id=line_key(line))
    for payment in inputs.payments:
        yield Item(subject=Subject.PAYMENT, id=payment_key(payment))
    for payout in inputs.payouts:
        yield Item(subject=Subject.PAYOUT, id=payout_key(payout))
    for booked in inputs.bank_lines:
        yield Item(subject=Subject.BANK, id=f"{booked.bank}/{booked.line_id}")


def shuffled(inputs: Inputs, seed: int) -> Inputs:
    """The same, in another order."""
    chance = random.Random(seed)  # noqa: S311 - an order that comes again
    return replace(
        inputs,
        orders=tuple(chance.sample(inputs.orders, len(inputs.orders))),
        payments=tuple(chance.sample(inputs.payments, len(inputs.payments))),
        lines=tuple(chance.sample(inputs.lines, len(inputs.lines))),
        payouts=tuple(chance.sample(inputs.payouts, len(inputs.payouts))),
        bank_lines=tuple(chance.sample(inputs.bank_lines, len(inputs.bank_lines))),
        accounts=dict(chance.sample(list(inputs.accounts.items()), len(inputs.accounts))),
        known_charges=dict(chance.sample(list(inputs.known_charges.items()), len(inputs.known_charges))),
    )


def digest(outcome: Reconciliation) -> str:
    """Of every byte of it: matches and discrepancies as they stand, mappings sorted."""
    total = hashlib.sha256()
    for text in _written(outcome):
        total.update(text.encode())
        total.update(b"\n")
    return total.hexdigest()


def _written(outcome: Reconciliation) -> Iterator[str]:
    for match in outcome.matches:
        yield match.model_dump_json()
    for discrepancy in outcome.discrepancies:
        yield discrepancy.model_dump_json()
    yield from sorted(f"{item} {bucket}" for item, bucket in outcome.buckets.items())
    yield from sorted(f"{line} {order}" for line, order in outcome.order_of.items())
    yield from sorted(outcome.closed_orders)


def _is_left(month: Month, outcome: Reconciliation, line: SettlementLine) -> bool:
    """Whether the line is an order's and was given to none. Tests need no order."""
    key = line_key(line)
    return key in month.belongs and key not in outcome.order_of and not line.test


def _about(discrepancy: Discrepancy) -> Iterable[Item]:
    """What an exception speaks of. One about a payout names the payout, not each of the hundred lines in it."""
    items = (discrepancy.subject, *discrepancy.others)
    if discrepancy.kind in _OF_PAYOUTS:
        return (item for item in items if item == discrepancy.subject or item.subject in _PAYOUT_SUBJECTS)
    return items


_PAYOUT_SUBJECTS: Final = frozenset({Subject.PAYOUT, Subject.BANK})


def _fault_scores(month: Month, kinds_of: Mapping[Item, set[DiscrepancyKind]]) -> Iterator[FaultScore]:
    called: dict[DiscrepancyKind, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for fault in month.truth:
        kinds = {kind for item in fault.items for kind in kinds_of.get(item, ())}
        name = fault.kind if fault.kind in kinds else "+".join(sorted(kinds)) or _NONE
        called[fault.kind][name] += 1
    for kind, names in sorted(called.items()):
        planted = sum(names.values())
        others = tuple(sorted((name, count) for name, count in names.items() if name != kind))
        yield FaultScore(kind, planted, planted - names.get(_NONE, 0), names.get(kind, 0), others)


def _wrong(month: Month, outcome: Reconciliation) -> Iterator[str]:
    for line, order in sorted(outcome.order_of.items()):
        if month.belongs.get(line) != order:
            yield f"{line}: {order} in place of {month.belongs.get(line, 'none')}"


def _false(month: Month, discrepancies: Iterable[Discrepancy]) -> Iterator[str]:
    faulty = {item for fault in month.truth for item in fault.items}
    for discrepancy in discrepancies:
        if faulty.isdisjoint(_about(discrepancy)):
            yield f"{discrepancy.kind} {discrepancy.subject}"


def _is_exception(outcome: Reconciliation, item: Item) -> bool:
    return outcome.buckets.get(item) is Bucket.EXCEPTION
