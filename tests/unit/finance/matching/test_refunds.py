"""Refunds, fees and disputes of an order."""

from datetime import timedelta

import pytest

from shared.finance.models import (
    Action,
    Bucket,
    DiscrepancyKind,
    LineKind,
    MovementKind,
    OrderStatement,
    PaymentKind,
    PaymentState,
    Rule,
    SettlementLine,
    Subject,
)
from shared.finance.rules import AccountRules, FeeModel
from tests.builders.finance import NOON, document, line, line_of, movement, payment, statement
from tests.unit.finance.matching.told import bucket, kinds, only, run

LATER = NOON + timedelta(days=3)


def refunded(*amounts: int, gateway: str = "stripe") -> OrderStatement:
    given = [
        movement(one, kind=MovementKind.REFUND, movement_id=f"r{n}", at=LATER, gateway=gateway)
        for n, one in enumerate(amounts)
    ]
    reductions = tuple(document(one, f"refund/{n}") for n, one in enumerate(amounts))
    return statement(movements=[movement(5000, references=("ch_5001",)), *given], reductions=reductions)


def given_back(amount: int, name: str = "re_1", **more: object) -> SettlementLine:
    fields = {"kind": LineKind.REFUND, "payment_id": "ch_5001", "source_id": name, "at": LATER} | more
    return line(f"txn_{name}", -amount, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((5000,), (5000,)), ((1000, 500), (500, 1000)), ((1500,), (500, 1000)), ((500, 1000), (1500,))],
)
def test_refunds_that_are_the_same_or_come_to_the_same_tie_out(ours: tuple[int, ...], theirs: tuple[int, ...]) -> None:
    order = refunded(*ours)
    result = run(order, line_of(order), *(given_back(one, f"re_{n}") for n, one in enumerate(theirs)))
    assert kinds(result) == []
    assert {one.rule for one in result.matches} == {Rule.REFERENCE, Rule.PARENT}
    assert result.closed_orders == {"aurora/5001"}


def test_a_refund_that_the_storefront_does_not_know() -> None:
    order = refunded()
    result = run(order, line_of(order), given_back(700))
    stated = only(result, DiscrepancyKind.REFUND_NOT_IN_STORE)
    assert (stated.expected, stated.found) == (0, -700)
    assert stated.subject.id == "stripe-eu/txn_re_1"
    fresh = run(order, line_of(order), given_back(700), as_of=LATER + timedelta(hours=20))
    assert kinds(fresh) == []
    assert bucket(fresh, Subject.LINE, "stripe-eu/txn_re_1") is Bucket.WAITING
    assert fresh.closed_orders == frozenset()


def test_a_refund_that_the_provider_does_not_know() -> None:
    order = refunded(700)
    stated = only(run(order, line_of(order)), DiscrepancyKind.REFUND_NOT_AT_PROCESSOR)
    assert (stated.expected, stated.found) == (-700, 0)
    assert kinds(run(order, line_of(order), as_of=LATER + timedelta(days=5))) == []


def test_the_provider_s_word_of_a_refund_is_enough() -> None:
    order = refunded(700)
    said = payment("re_1", 700, kind=PaymentKind.REFUND, parent_id="ch_5001", at=LATER)
    assert kinds(run(order, line_of(order), said)) == []
    assert kinds(run(order, line_of(order), given_back(700), said)) == []
    assert kinds(run(order, line_of(order), given_back(700, source_id=None), said)) == []


def test_a_refund_of_another_amount_is_one_exception() -> None:
    order = refunded(700)
    stated = only(run(order, line_of(order), given_back(650)), DiscrepancyKind.AMOUNT_MISMATCH)
    assert (stated.expected, stated.found) == (-700, -650)


def test_a_refund_that_came_back_is_none() -> None:
    order = refunded()
    back = line("txn_back", 700, kind=LineKind.REFUND_REVERSED, payment_id="ch_5001", source_id="re_1", at=LATER)
    assert kinds(run(order, line_of(order), given_back(700), back)) == []


def test_a_refund_that_came_back_in_the_balance_s_currency_alone_is_none() -> None:
    refund = given_back(700, buyer_currency="USD", buyer_amount=-800)
    back = line("txn_back", 700, kind=LineKind.REFUND_REVERSED, payment_id="ch_5001", source_id="re_1", at=LATER)
    order = refunded()
    assert kinds(run(order, line_of(order), refund, back)) == []


def test_a_refund_by_cash_is_looked_for_nowhere() -> None:
    order = refunded(700, gateway="cash")
    assert kinds(run(order, line_of(order))) == []


def test_a_refund_whose_payment_is_missing_as_well_is_one_exception() -> None:
    assert kinds(run(refunded(700))) == ["missing_payment"]


def test_a_refund_without_any_name_is_matched_where_it_is_the_only_one() -> None:
    order = refunded(700)
    result = run(order, line_of(order), given_back(700, payment_id=None, source_id=None))
    assert kinds(result) == []
    assert Rule.UNIQUE_AMOUNT in {one.rule for one in result.matches}


def test_a_refund_of_an_unknown_charge_is_not_in_the_store() -> None:
    assert kinds(run(given_back(700))) == ["refund_not_in_store"]


# ---- fees ----

CONTRACT = AccountRules(gateways=("stripe",), fees=FeeModel(percent="1.4", fixed={"EUR": 25}, also=("2.9",)))


@pytest.mark.parametrize(
    ("gross", "fee", "is_right"),
    [
        (5000, 95, True),  # 1.4 % and 25
        (5000, 97, True),  # two cents are within 0.05 %
        (5000, 98, False),
        (5000, 170, True),  # the other percentage
        (100, 27, True),  # one cent off a small charge
        (100, 30, False),
    ],
)
def test_fees_are_held_against_the_contract(gross: int, fee: int, is_right: bool) -> None:
    order = statement(total=gross)
    result = run(order, line_of(order, fee=fee), account=CONTRACT)
    assert kinds(result) == ([] if is_right else ["fee_variance"])
    assert bucket(result, Subject.LINE, "stripe-eu/txn_5001") is Bucket.MATCHED


def test_a_currency_without_a_fixed_part_is_not_judged() -> None:
    order = statement(currency="JPY")
    assert kinds(run(order, line_of(order, fee=999), account=CONTRACT)) == []


def test_a_wrong_amount_is_not_a_wrong_fee_as_well() -> None:
    order = statement()
    assert kinds(run(order, line_of(order, gross=9000, fee=95), account=CONTRACT)) == ["amount_mismatch"]


# ---- disputes ----


def disputed(kind: LineKind, gross: int, name: str) -> SettlementLine:
    return line(name, gross, kind=kind, payment_id="ch_5001", source_id="dp_1", at=LATER)


TAKEN = disputed(LineKind.DISPUTE, -5000, "d1")
RETURNED = disputed(LineKind.DISPUTE_REVERSED, 5000, "d2")


def word(state: PaymentState) -> object:
    return payment("dp_1", kind=PaymentKind.DISPUTE, parent_id="ch_5001", state=state, at=LATER)


def test_a_dispute_stays_open_however_long() -> None:
    order = statement()
    result = run(order, line_of(order), TAKEN, as_of=LATER + timedelta(days=300))
    stated = only(result, DiscrepancyKind.DISPUTE_OPEN)
    assert (stated.found, stated.action) == (-5000, Action.RECEIVABLE)
    assert result.order_of["stripe-eu/d1"] == "aurora/5001"
    assert result.closed_orders == frozenset()


def test_money_that_came_back_won_it() -> None:
    order = statement()
    result = run(order, line_of(order), TAKEN, RETURNED)
    assert only(result, DiscrepancyKind.DISPUTE_WON).found == 0
    assert bucket(result, Subject.LINE, "stripe-eu/d1") is Bucket.MATCHED
    assert result.closed_orders == {"aurora/5001"}


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (PaymentState.LOST, DiscrepancyKind.DISPUTE_LOST),
        (PaymentState.WON, DiscrepancyKind.DISPUTE_WON),
        (PaymentState.OPEN, DiscrepancyKind.DISPUTE_OPEN),
    ],
)
def test_the_provider_s_word_decides(state: PaymentState, kind: DiscrepancyKind) -> None:
    order = statement()
    assert only(run(order, line_of(order), TAKEN, word(state)), kind).subject.id == "stripe-eu/d1"
    assert only(run(order, line_of(order), word(state)), kind).subject.id == "stripe-eu/dp_1"
