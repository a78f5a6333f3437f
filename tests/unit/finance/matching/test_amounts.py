"""Where only amounts speak: unique on both sides, within the account's habit, contradicted by nothing."""

from datetime import timedelta

import pytest

from shared.finance.inputs import Reconciliation
from shared.finance.matching.references import contradict, shape
from shared.finance.models import Bucket, DiscrepancyKind, OrderStatement, Rule, SettlementLine, Subject
from tests.builders.finance import NOON, line, line_of, movement, statement
from tests.unit.finance.matching.told import bucket, kinds, only, run

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def nameless(order_id: str, amount: int, at_days: float = 0, **more: object) -> OrderStatement:
    """An order whose storefront knows no id of its charge."""
    at = NOON + at_days * DAY
    return statement(
        order_id,
        amount,
        at=at,
        movements=[movement(amount, movement_id=f"t{order_id}", at=at, **more)],  # type: ignore[arg-type]
    )


def rules_of(result: Reconciliation) -> set[Rule]:
    return {one.rule for one in result.matches}


def habitual(count: int = 30) -> tuple[OrderStatement | SettlementLine, ...]:
    """So many orders whose lines name them and come within a minute or two."""
    orders = [statement(str(9000 + number), 100 + number) for number in range(count)]
    return (*orders, *(line_of(order, at=NOON + (1 + n % 2) * MINUTE) for n, order in enumerate(orders)))


@pytest.mark.parametrize(("currency", "amount"), [("EUR", 4999), ("JPY", 1250), ("KWD", 12345)])
def test_the_only_two_of_an_amount_are_matched(currency: str, amount: int) -> None:
    order = nameless("1", amount, currency=currency)
    order = order.model_copy(update={"currency": currency, "buyer_currency": currency})
    result = run(order, line(gross=amount, currency=currency, payment_id="ch_x", at=NOON + 3 * DAY))
    assert result.order_of == {"stripe-eu/txn_1": "aurora/1"}
    assert rules_of(result) == {Rule.UNIQUE_AMOUNT}
    assert kinds(result) == []


@pytest.mark.parametrize("days", [-1.01, 30.01])
def test_outside_the_window_an_amount_says_nothing(days: float) -> None:
    order = nameless("1", 4999, 5)
    result = run(order, line(gross=4999, at=NOON + (5 + days) * DAY), as_of=NOON + 60 * DAY)
    assert result.order_of == {}


def test_another_minor_unit_or_currency_is_no_match() -> None:
    assert run(nameless("1", 4999), line(gross=4998)).order_of == {}
    assert run(nameless("1", 4999), line(gross=4999, currency="USD")).order_of == {}


def test_two_payments_for_one_order_are_not_guessed() -> None:
    result = run(nameless("1", 4999), line("a", 4999), line("b", 4999))
    assert result.order_of == {}
    surplus = only(result, DiscrepancyKind.MISSING_ORDER)
    assert {item.id for item in (surplus.subject, *surplus.others)} == {"stripe-eu/a", "stripe-eu/b", "aurora/1"}
    assert len(result.discrepancies) == 1


def test_two_orders_for_one_payment_are_one_exception_about_a_payment() -> None:
    result = run(nameless("1", 4999), nameless("2", 4999), line("a", 4999))
    assert result.order_of == {}
    short = only(result, DiscrepancyKind.MISSING_PAYMENT)
    assert {item.id for item in (short.subject, *short.others)} == {"stripe-eu/a", "aurora/1", "aurora/2"}
    assert len(result.discrepancies) == 1


def test_payments_in_doubt_wait_for_orders_that_are_not_late() -> None:
    order = nameless("1", 4999, 17)
    result = run(order, *(line(name, 4999, at=NOON + 17 * DAY) for name in "ab"))
    assert result.order_of == {}
    assert result.discrepancies == ()
    assert set(result.buckets.values()) == {Bucket.WAITING}


def test_an_order_waits_while_the_payment_that_may_be_its_own_is_young() -> None:
    result = run(nameless("1", 4999, 14), line("a", 4999, at=NOON + 20 * DAY))
    assert result.order_of == {}
    assert result.discrepancies == ()
    assert set(result.buckets.values()) == {Bucket.WAITING}


def test_two_orders_for_one_payment_are_not_guessed() -> None:
    result = run(nameless("1", 4999), nameless("2", 4999), line("a", 4999))
    assert result.order_of == {}


def test_as_many_payments_as_orders_are_one_exception_when_nobody_can_tell_them_apart() -> None:
    result = run(nameless("1", 4999), nameless("2", 4999), line("a", 4999), line("b", 4999))
    assert result.order_of == {}
    tie = only(result, DiscrepancyKind.MISSING_ORDER)
    assert {item.id for item in (tie.subject, *tie.others)} == {"stripe-eu/a", "stripe-eu/b", "aurora/1", "aurora/2"}
    assert bucket(result, Subject.ORDER, "aurora/1") is Bucket.EXCEPTION


def test_where_there_is_one_way_alone_it_is_taken() -> None:
    """The first payment is too early for the second order, so it is the first's, and the second payment is left."""
    first, second = nameless("1", 4999), nameless("2", 4999, 5)
    lines = [line("a", 4999, at=NOON + MINUTE), line("b", 4999, at=NOON + 5 * DAY + MINUTE)]
    result = run(first, second, *lines)
    assert result.order_of == {"stripe-eu/a": "aurora/1", "stripe-eu/b": "aurora/2"}


def test_two_equal_tenders_of_one_order_need_not_be_told_apart() -> None:
    order = statement("1", 5000, movements=[movement(2500, movement_id="a"), movement(2500, movement_id="b")])
    result = run(order, line("x", 2500), line("y", 2500))
    assert set(result.order_of.values()) == {"aurora/1"}
    assert kinds(result) == []


def test_an_order_that_knows_its_charge_does_not_take_another_one() -> None:
    """Its own line is missing, and an orphan of its amount came on the same day."""
    result = run(statement("1", 4999), line(gross=4999, payment_id="ch_of_somebody"))
    assert result.order_of == {}
    assert kinds(result) == ["missing_order", "missing_payment"]


def test_a_line_that_names_another_order_pays_no_order_by_amount() -> None:
    assert run(nameless("1", 4999), line(gross=4999, references=("#77",))).order_of == {}


def test_a_line_that_names_orders_as_its_account_does_means_another_one() -> None:
    """`D77` is an order of a shop that numbers like that, and it is not here; `pi_77` names no order at all."""
    known = statement("6", 1234, references=("D6", "6"))
    named = line("known", 1234, references=("D6",))
    order = nameless("1", 4999)
    assert "stripe-eu/txn_1" not in run(known, named, order, line(gross=4999, references=("D77",))).order_of
    assert "stripe-eu/txn_1" in run(known, named, order, line(gross=4999, references=("pi_77",))).order_of


def test_what_may_still_come_is_waited_for() -> None:
    """A day later the order whose payment this is may be here."""
    order = nameless("1", 4999)
    result = run(order, line(gross=4999, at=NOON + MINUTE), as_of=NOON + 1.5 * DAY)
    assert result.order_of == {}
    assert kinds(result) == []
    assert bucket(result, Subject.LINE, "stripe-eu/txn_1") is Bucket.WAITING
    assert run(order, line(gross=4999, at=NOON + MINUTE), as_of=NOON + 2.1 * DAY).order_of


def test_an_account_that_tells_within_minutes_is_not_believed_a_week_later() -> None:
    strange = run(*habitual(), nameless("1", 4999), line(gross=4999, at=NOON + 7 * DAY))
    assert "stripe-eu/txn_1" not in strange.order_of
    usual = run(*habitual(), nameless("1", 4999), line(gross=4999, at=NOON + 5 * MINUTE))
    assert usual.order_of["stripe-eu/txn_1"] == "aurora/1"


def test_habit_tells_apart_what_the_window_alone_does_not() -> None:
    things = [nameless("1", 4999), nameless("2", 4999, 1), line("a", 4999, at=NOON + MINUTE)]
    later = line("b", 4999, at=NOON + DAY + MINUTE)
    result = run(*habitual(), *things, later)
    assert result.order_of["stripe-eu/a"] == "aurora/1"
    assert result.order_of["stripe-eu/b"] == "aurora/2"


def test_a_method_is_only_looked_for_at_its_account() -> None:
    assert run(nameless("1", 4999, gateway="paypal"), line(gross=4999)).order_of == {}


def test_hundreds_of_one_amount_are_left_alone() -> None:
    orders = [nameless(str(number), 999, number / 50) for number in range(300)]
    lines = [line(f"l{number}", 999, at=NOON + number / 50 * DAY) for number in range(300)]
    assert run(*orders, *lines).order_of == {}


# ---- several payments for one order ----


def test_the_only_combination_pays_the_order() -> None:
    result = run(nameless("1", 9000), line("a", 6000), line("b", 3000), line("c", 1700))
    assert result.order_of == {"stripe-eu/a": "aurora/1", "stripe-eu/b": "aurora/1"}
    assert rules_of(result) == {Rule.SPLIT_TENDER}
    assert kinds(result) == ["missing_order"]
    assert result.closed_orders == {"aurora/1"}


def test_two_combinations_are_not_guessed() -> None:
    result = run(nameless("1", 9000), line("a", 6000), line("b", 3000), line("c", 5000), line("d", 4000))
    assert result.order_of == {}


def test_two_orders_do_not_share_a_combination() -> None:
    result = run(nameless("1", 9000), nameless("2", 9000), line("a", 6000), line("b", 3000))
    assert result.order_of == {}


def test_what_chance_could_have_summed_is_not_believed() -> None:
    lines = [line(f"l{number}", 1000 + 37 * number) for number in range(20)]
    assert run(nameless("1", 2000 + 37), *lines).order_of == {}


def test_the_rest_of_a_named_tender_is_found() -> None:
    order = statement(movements=[movement(5000)])
    result = run(order, line("a", 3000, references=("5001",)), line("b", 2000))
    assert result.order_of == {"stripe-eu/a": "aurora/5001", "stripe-eu/b": "aurora/5001"}
    assert kinds(result) == []


# ---- kinds of ids ----


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("ch_3Nq", "ch_"),
        ("#1001", "#"),
        ("1001", "digits"),
        ("2026112422001", "digits13"),
        ("ORD123", "ord"),
        ("5O190127TN364715T", "word17"),
        ("", "word0"),
    ],
)
def test_shapes(reference: str, kind: str) -> None:
    assert shape(reference) == kind


def test_only_ids_of_one_kind_are_held_against_each_other() -> None:
    assert contradict(["ch_1", "#1001"], ["ch_2"])
    assert not contradict(["#1001", "1001"], ["ch_2", "pi_3"])
    assert not contradict([], ["ch_2"])


def test_one_payment_is_not_the_only_way_where_two_may_pay_as_well() -> None:
    cards = [line("b", 2000), line("c", 2999, at=NOON + MINUTE)]
    result = run(nameless("1", 4999), line("a", 4999, at=NOON + DAY), *cards)
    assert result.order_of == {}


def test_what_may_be_a_part_of_another_order_is_not_unique() -> None:
    cards = [line("b", 2000), line("c", 2999, at=NOON + MINUTE)]
    result = run(nameless("1", 4999), nameless("2", 2000), *cards)
    assert result.order_of == {}
