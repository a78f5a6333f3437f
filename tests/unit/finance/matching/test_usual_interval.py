"""A payment seconds after its order is not in doubt because another of its amount came days later."""

from datetime import timedelta

import pytest

from shared.finance.inputs import Reconciliation
from shared.finance.matching.reconcile import reconcile
from shared.finance.models import OrderStatement, Rule, SettlementLine
from tests.builders.finance import NOON, inputs, line, line_of, movement, statement

MINUTE = timedelta(minutes=1)
LATER = timedelta(days=3)


def known(number: int, interval: timedelta = MINUTE) -> tuple[OrderStatement, SettlementLine]:
    """An order that is told as paid as a whole, and a line that names it."""
    order = statement(str(6000 + number), 1000 + number, movements=[movement(1000 + number, movement_id="all")])
    return order, line_of(order, at=NOON + interval, references=(order.name,))


def habit() -> list[OrderStatement | SettlementLine]:
    """Most pay within a minute; a few orders are captured when the goods leave, days later."""
    pairs = [known(number) for number in range(60)] + [known(60 + number, timedelta(days=6)) for number in range(4)]
    return [fact for pair in pairs for fact in pair]


def unnamed(line_id: str, amount: int, interval: timedelta) -> SettlementLine:
    return line(line_id, amount, at=NOON + interval, payment_id=f"x{line_id}")


def of_interest(outcome: Reconciliation) -> dict[str, str]:
    return {key: order for key, order in outcome.order_of.items() if order == "aurora/7001"}


@pytest.fixture
def order() -> OrderStatement:
    return statement("7001", 77_770, movements=[movement(77_770, movement_id="all")])


def test_the_one_at_the_usual_interval_is_meant(order: OrderStatement) -> None:
    lines = [unnamed("a", 77_770, MINUTE), unnamed("b", 77_770, LATER)]
    outcome = reconcile(inputs(*habit(), order, *lines))
    assert of_interest(outcome) == {"stripe-eu/a": "aurora/7001"}
    assert {match.rule for match in outcome.matches if "aurora/7001" in str(match.items)} == {Rule.UNIQUE_AMOUNT}


def test_two_at_the_usual_interval_are_in_doubt(order: OrderStatement) -> None:
    lines = [unnamed("a", 77_770, MINUTE), unnamed("b", 77_770, 2 * MINUTE)]
    assert of_interest(reconcile(inputs(*habit(), order, *lines))) == {}


def test_one_that_comes_later_is_meant_where_there_is_no_other(order: OrderStatement) -> None:
    outcome = reconcile(inputs(*habit(), order, unnamed("b", 77_770, LATER)))
    assert of_interest(outcome) == {"stripe-eu/b": "aurora/7001"}


def test_two_cards_at_the_usual_interval_are_meant(order: OrderStatement) -> None:
    soon = [unnamed("a", 30_000, MINUTE), unnamed("b", 47_770, MINUTE)]
    later = [unnamed("c", 20_000, LATER), unnamed("d", 57_770, LATER)]
    outcome = reconcile(inputs(*habit(), order, *soon, *later))
    assert of_interest(outcome) == {"stripe-eu/a": "aurora/7001", "stripe-eu/b": "aurora/7001"}


def test_where_many_come_days_later_none_is_meant_for_coming_sooner(order: OrderStatement) -> None:
    often_later = [known(number, timedelta(days=number % 5)) for number in range(100)]
    facts = [fact for pair in often_later for fact in pair]
    lines = [unnamed("a", 77_770, MINUTE), unnamed("b", 77_770, LATER)]
    assert of_interest(reconcile(inputs(*facts, order, *lines))) == {}


def test_an_order_of_which_no_interval_is_known_may_be_the_one_meant_as_well(order: OrderStatement) -> None:
    told = movement(77_770, movement_id="t7002", at=NOON + 2 * MINUTE)
    other = statement("7002", 77_770, at=NOON + 2 * MINUTE, movements=[told])
    outcome = reconcile(inputs(*habit(), order, other, unnamed("a", 77_770, 3 * MINUTE)))
    assert "stripe-eu/a" not in outcome.order_of
