"""What the measurement promises, and that a miss is a miss. Nothing here looks at a clock."""

from dataclasses import dataclass, replace

import pytest

from infra.bench.finance import (
    FALSE_IN_TEN_THOUSAND,
    MEGABYTES,
    NOT_FOUND_PERCENT,
    NOT_NAMED_PERCENT,
    SECONDS,
    as_document,
    targets,
)
from infra.bench.finance_month import Month, month
from infra.bench.finance_run import Measured
from infra.bench.finance_score import FaultScore, Score, digest, score, shuffled
from shared.finance.inputs import Reconciliation
from shared.finance.matching.reconcile import reconcile

FAULTS = FaultScore("fee_variance", planted=1_000, found=995, named=970, other_names=(("none", 5),))
GOOD = Measured(
    score=Score(
        orders=40_000,
        payments=41_000,
        faults=(FAULTS,),
        wrong_matches=(),
        unmatched=3,
        false_exceptions=("missing_payment order:aurora/1",) * 20,
        impatient=(),
        lost=0,
    ),
    cpu_seconds=SECONDS,
    inputs_megabytes=400,
    peak_megabytes=MEGABYTES,
    identical=True,
)


def missed(measured: Measured) -> list[str]:
    return [target.what for target in targets(measured) if not target.met]


def test_what_is_just_as_promised_misses_nothing() -> None:
    assert missed(GOOD) == []


@pytest.mark.parametrize(
    "measured",
    [
        replace(GOOD, score=replace(GOOD.score, wrong_matches=("a line",))),
        replace(GOOD, score=replace(GOOD.score, faults=(replace(FAULTS, found=994),))),
        replace(GOOD, score=replace(GOOD.score, faults=(replace(FAULTS, named=969),))),
        replace(GOOD, score=replace(GOOD.score, false_exceptions=("an order",) * 21)),
        replace(GOOD, score=replace(GOOD.score, lost=1)),
        replace(GOOD, identical=False),
        replace(GOOD, cpu_seconds=SECONDS + 1),
        replace(GOOD, peak_megabytes=MEGABYTES + 1),
    ],
    ids=["wrong match", "not found", "not named", "false exception", "no bucket", "differs", "slow", "large"],
)
def test_each_miss_is_one(measured: Measured) -> None:
    assert len(missed(measured)) == 1


def test_the_document_says_what_was_missed() -> None:
    document = as_document(7, replace(GOOD, identical=False))
    assert document["seed"] == 7
    assert (document["planted"], document["found"], document["named"]) == (1_000, 995, 970)
    assert [target["what"] for target in document["targets"] if not target["met"]] == ["reruns that differ"]


@dataclass(frozen=True)
class Played:
    seed: int
    month: Month
    outcome: Reconciliation
    score: Score


@pytest.fixture(scope="module")
def played() -> list[Played]:
    """A few months that are small enough for the ordinary tests."""
    months = [(seed, month(seed, 2_000)) for seed in (1, 2, 3, 4)]
    outcomes = [(seed, made_up, reconcile(made_up.inputs())) for seed, made_up in months]
    return [Played(seed, made_up, outcome, score(made_up, outcome)) for seed, made_up, outcome in outcomes]


def test_no_payment_is_given_to_an_order_that_it_does_not_belong_to(played: list[Played]) -> None:
    assert [one.score.wrong_matches for one in played] == [(), (), (), ()]


def test_faults_are_found_and_named_right(played: list[Played]) -> None:
    for one in played:
        assert one.score.not_found_percent <= NOT_FOUND_PERCENT, one.score.faults
        assert one.score.not_named_percent <= NOT_NAMED_PERCENT, one.score.faults


def test_what_is_right_is_no_exception(played: list[Played]) -> None:
    """Over all of them together: in 2,000 orders a single one would be the whole allowance."""
    false = [told for one in played for told in one.score.false_exceptions]
    assert 10_000 * len(false) <= FALSE_IN_TEN_THOUSAND * sum(one.score.orders for one in played), false


def test_what_is_only_waiting_is_no_exception(played: list[Played]) -> None:
    assert [one.score.impatient for one in played] == [(), (), (), ()]


def test_everything_ends_in_one_bucket(played: list[Played]) -> None:
    assert [one.score.lost for one in played] == [0, 0, 0, 0]


def test_the_same_in_another_order_comes_to_the_same_to_the_byte(played: list[Played]) -> None:
    for one in played:
        assert digest(reconcile(shuffled(one.month.inputs(), one.seed))) == digest(one.outcome)
