"""Whoever knows the truth scores in full, and each kind of mistake costs what it should."""

import random
from dataclasses import replace

import pytest

from infra.bench.finance_month import FIRST, Month, month
from infra.bench.finance_score import Score, digest, items_of, score, shuffled
from shared.finance.inputs import Reconciliation
from shared.finance.models import Action, Bucket, Discrepancy, DiscrepancyKind, Item, Subject


@pytest.fixture(scope="module")
def made_up() -> Month:
    return month(5, 400)


def discrepancy(kind: DiscrepancyKind, subject: Item, *others: Item) -> Discrepancy:
    return Discrepancy(
        id=f"{kind}:{subject}",
        kind=kind,
        subject=subject,
        others=others,
        currency="EUR",
        since=FIRST,
        action=Action.REVIEW,
        blocks_close=False,
    )


def oracle(made_up: Month) -> Reconciliation:
    """A reconciliation that knows the truth."""
    said = [discrepancy(fault.kind, min(fault.items, key=str)) for fault in made_up.truth]
    return Reconciliation(
        matches=(),
        discrepancies=tuple(sorted(said, key=lambda one: one.id)),
        buckets=dict.fromkeys(items_of(made_up.inputs()), Bucket.MATCHED),
        order_of=dict(made_up.belongs),
        closed_orders=frozenset(),
    )


def innocent(made_up: Month) -> Item:
    faulty = {item for fault in made_up.truth for item in fault.items}
    return next(item for item in items_of(made_up.inputs()) if item not in faulty)


def of_kind(result: Score, kind: DiscrepancyKind) -> tuple[int, int, int]:
    fault = next(fault for fault in result.faults if fault.kind == kind)
    return fault.planted - fault.found, fault.planted - fault.named, len(fault.other_names)


def test_the_truth_scores_in_full(made_up: Month) -> None:
    result = score(made_up, oracle(made_up))
    assert (result.planted, result.found, result.named) == (len(made_up.truth),) * 3
    assert (result.not_found_percent, result.not_named_percent, result.false_in_ten_thousand) == (0, 0, 0)
    assert (result.wrong_matches, result.false_exceptions, result.impatient) == ((), (), ())
    assert (result.unmatched, result.lost) == (0, 0)


def test_a_line_of_another_order_is_a_wrong_match(made_up: Month) -> None:
    truth = oracle(made_up)
    line, order = next(iter(made_up.belongs.items()))
    other = next(key for key in made_up.belongs.values() if key != order)
    result = score(made_up, replace(truth, order_of={**truth.order_of, line: other}))
    assert result.wrong_matches == (f"{line}: {other} in place of {order}",)


def test_an_order_for_money_of_no_order_is_a_wrong_match(made_up: Month) -> None:
    truth = oracle(made_up)
    orphans = (fault for fault in made_up.truth if fault.kind is DiscrepancyKind.MISSING_ORDER)
    line = next(item.id for item in next(orphans).items if item.subject is Subject.LINE)
    result = score(made_up, replace(truth, order_of={**truth.order_of, line: str(made_up.orders[0].key)}))
    assert len(result.wrong_matches) == 1
    assert result.wrong_matches[0].endswith("in place of none")


def test_a_line_that_is_given_to_nobody_is_no_wrong_match(made_up: Month) -> None:
    truth = oracle(made_up)
    line = next(iter(made_up.belongs))
    left = {known: order for known, order in truth.order_of.items() if known != line}
    result = score(made_up, replace(truth, order_of=left))
    assert (result.wrong_matches, result.unmatched) == ((), 1)


def test_a_fault_without_an_exception_is_not_found(made_up: Month) -> None:
    truth = oracle(made_up)
    kept = tuple(one for one in truth.discrepancies if one.kind is not DiscrepancyKind.FX_ROUNDING)
    result = score(made_up, replace(truth, discrepancies=kept))
    planted = sum(fault.kind is DiscrepancyKind.FX_ROUNDING for fault in made_up.truth)
    assert planted
    assert of_kind(result, DiscrepancyKind.FX_ROUNDING) == (planted, planted, 1)
    assert result.found == result.planted - planted


def test_a_fault_by_another_name_is_found_and_not_named(made_up: Month) -> None:
    truth = oracle(made_up)
    said = tuple(
        one.model_copy(update={"kind": DiscrepancyKind.AMOUNT_MISMATCH})
        if one.kind is DiscrepancyKind.PARTIAL_CAPTURE
        else one
        for one in truth.discrepancies
    )
    result = score(made_up, replace(truth, discrepancies=said))
    missed, misnamed, names = of_kind(result, DiscrepancyKind.PARTIAL_CAPTURE)
    assert (missed, names) == (0, 1)
    assert misnamed == sum(fault.kind is DiscrepancyKind.PARTIAL_CAPTURE for fault in made_up.truth)


def test_an_exception_about_nothing_is_false(made_up: Month) -> None:
    truth = oracle(made_up)
    about = innocent(made_up)
    more = discrepancy(DiscrepancyKind.MISSING_PAYMENT, about)
    result = score(made_up, replace(truth, discrepancies=(*truth.discrepancies, more)))
    assert result.false_exceptions == (f"missing_payment {about}",)
    assert result.false_in_ten_thousand == pytest.approx(10_000 / len(made_up.orders))


def test_a_payouts_exception_does_not_find_what_is_wrong_with_its_lines(made_up: Month) -> None:
    truth = oracle(made_up)
    late = next(one for one in truth.discrepancies if one.kind is DiscrepancyKind.FEE_VARIANCE)
    fault = next(fault for fault in made_up.truth if late.subject in fault.items)
    line = next(item for item in fault.items if item.subject is Subject.LINE)
    payout = Item(subject=Subject.PAYOUT, id=f"{made_up.payouts[0].account}/{made_up.payouts[0].payout_id}")
    kept = tuple(one for one in truth.discrepancies if one is not late)
    more = discrepancy(DiscrepancyKind.PAYOUT_SHORT, payout, line)
    result = score(made_up, replace(truth, discrepancies=(*kept, more)))
    assert of_kind(result, DiscrepancyKind.FEE_VARIANCE) == (1, 1, 1)


def test_an_order_that_waits_is_no_exception(made_up: Month) -> None:
    truth = oracle(made_up)
    waiting = min(made_up.waiting, key=str)
    result = score(made_up, replace(truth, buckets={**truth.buckets, waiting: Bucket.EXCEPTION}))
    assert result.impatient == (str(waiting),)


def test_everything_has_to_be_in_a_bucket_and_nothing_else(made_up: Month) -> None:
    truth = oracle(made_up)
    stranger = Item(subject=Subject.LINE, id="stripe-eu/txn_of_nobody")
    about = innocent(made_up)
    buckets = {item: bucket for item, bucket in truth.buckets.items() if item != about} | {stranger: Bucket.MATCHED}
    assert score(made_up, replace(truth, buckets=buckets)).lost == 2


def test_shuffled_inputs_are_the_same_in_another_order(made_up: Month) -> None:
    inputs = made_up.inputs()
    mixed = shuffled(inputs, 1)
    assert mixed.lines != inputs.lines
    assert sorted(mixed.lines, key=repr) == sorted(inputs.lines, key=repr)
    assert set(items_of(mixed)) == set(items_of(inputs))
    assert (mixed.known_charges, mixed.accounts) == (inputs.known_charges, inputs.accounts)


def test_a_digest_tells_any_difference_and_no_order_of_mappings(made_up: Month) -> None:
    truth = oracle(made_up)
    buckets = list(truth.buckets.items())
    random.Random(1).shuffle(buckets)  # noqa: S311 - a repeatable shuffle
    assert digest(replace(truth, buckets=dict(buckets))) == digest(truth)
    assert digest(replace(truth, discrepancies=truth.discrepancies[::-1])) != digest(truth)
    assert digest(replace(truth, buckets=dict(buckets[1:]))) != digest(truth)
    assert digest(replace(truth, closed_orders=frozenset({"aurora/1"}))) != digest(truth)
