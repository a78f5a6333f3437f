"""What staff are shown where no rule may decide: scored, at most three, the same in every run."""

from datetime import timedelta

from shared.finance.models import DiscrepancyKind
from tests.builders.finance import NOON, line, statement
from tests.unit.finance.matching.told import run

DAY = timedelta(days=1)


def suggested(result: object, kind: DiscrepancyKind) -> list[tuple[str, int]]:
    return [
        (one.item.id, one.score)
        for stated in result.discrepancies  # type: ignore[attr-defined]
        if stated.kind is kind
        for one in stated.suggestions
    ]


def test_the_same_amount_on_another_day_goes_before_a_near_one() -> None:
    """The order knows its charge, so that neither of the payments may be matched with it by amount."""
    lines = [
        line("near", 4980, payment_id="ch_x", at=NOON),
        line("same", 5000, payment_id="ch_y", at=NOON + 5 * DAY),
        line("far", 5100, payment_id="ch_z", at=NOON),
    ]
    result = run(statement(), *lines)
    assert suggested(result, DiscrepancyKind.MISSING_PAYMENT) == [("stripe-eu/same", 75), ("stripe-eu/near", 65)]
    assert result.order_of == {}


def test_a_reference_that_looks_alike_is_enough_to_be_shown() -> None:
    result = run(statement(), line("typed", 7700, references=("ch 5001",), payment_id=None, at=NOON))
    assert suggested(result, DiscrepancyKind.MISSING_ORDER) == [("aurora/5001", 75)]


def test_there_are_three_at_most() -> None:
    lines = [line(f"l{number}", 5000, payment_id=f"ch_x{number}", at=NOON + number * DAY) for number in range(6)]
    shown = suggested(run(statement(), *lines), DiscrepancyKind.MISSING_PAYMENT)
    assert shown == [("stripe-eu/l0", 85), ("stripe-eu/l1", 85), ("stripe-eu/l2", 80)]
