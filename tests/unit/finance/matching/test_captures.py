"""An order's captures: linked by name, by amount, in parts; what differs, came twice, or never came."""

from datetime import timedelta

import pytest

from shared.finance.models import (
    Action,
    Bucket,
    DiscrepancyKind,
    Item,
    LineKind,
    PaymentState,
    Rule,
    Subject,
)
from shared.finance.rules import AccountRules
from tests.builders.finance import ACCOUNT, NOON, document, line, line_of, movement, payment, statement
from tests.unit.finance.matching.told import bucket, kinds, only, run

ORDER = statement()
LINE = "stripe-eu/txn_5001"


def test_a_charge_that_names_its_order_is_matched_and_closes_it() -> None:
    result = run(ORDER, line_of(ORDER))
    assert kinds(result) == []
    assert result.order_of == {LINE: "aurora/5001"}
    assert result.closed_orders == {"aurora/5001"}
    (match,) = result.matches
    assert (match.rule, match.currency, match.amount) == (Rule.REFERENCE, "EUR", 5000)
    assert [str(item) for item in match.items] == [f"line:{LINE}", "order:aurora/5001", "payment:stripe-eu/ch_5001"]


@pytest.mark.parametrize("references", [("#5001",), ("5001",), ("t5001",), ("ch_5001",)])
def test_every_word_of_the_order_names_it(references: tuple[str, ...]) -> None:
    result = run(ORDER, line_of(ORDER, payment_id=None, references=references))
    assert [one.rule for one in result.matches] == [Rule.REFERENCE]


def test_the_provider_s_word_of_the_charge_names_the_order_for_its_line() -> None:
    order = statement(movements=[movement()])
    result = run(order, line_of(order, payment_id="ch_9"), payment("ch_9", references=("5001",)))
    assert result.order_of == {LINE: "aurora/5001"}
    assert bucket(result, Subject.PAYMENT, "stripe-eu/ch_9") is Bucket.MATCHED


def test_a_reference_that_two_orders_share_names_neither() -> None:
    other = statement("5002", references=("#5001", "5002"))
    result = run(ORDER, other, line("txn_1", 7777, references=("#5001",)))
    assert "stripe-eu/txn_1" not in result.order_of


def test_an_order_is_only_looked_for_in_the_shops_of_the_account() -> None:
    twin = statement(shop="borealis", movements=[movement(references=("ch_other",))])
    account = AccountRules(gateways=("stripe",), shops=("aurora",))
    result = run(ORDER, twin, line("txn_1", references=("#5001",)), account=account)
    assert result.order_of == {"stripe-eu/txn_1": "aurora/5001"}


# ---- money that differs ----


def test_another_amount_is_linked_all_the_same_and_stated_once() -> None:
    result = run(ORDER, line_of(ORDER, gross=4999))
    stated = only(result, DiscrepancyKind.AMOUNT_MISMATCH)
    assert (stated.expected, stated.found, stated.difference) == (5000, 4999, -1)
    assert stated.subject == Item(subject=Subject.ORDER, id="aurora/5001")
    assert result.order_of == {LINE: "aurora/5001"}
    assert bucket(result, Subject.LINE, LINE) is Bucket.EXCEPTION
    assert result.closed_orders == frozenset()


def test_another_currency_is_no_amount() -> None:
    stated = only(run(ORDER, line_of(ORDER, currency="USD")), DiscrepancyKind.CURRENCY_MISMATCH)
    assert (stated.currency, stated.expected, stated.found) == ("EUR", 5000, None)


def test_the_part_that_was_not_captured_comes_back_as_a_reversal() -> None:
    back = line("txn_2", -2000, kind=LineKind.CAPTURE_REVERSED, payment_id="ch_5001")
    stated = only(run(ORDER, line_of(ORDER), back), DiscrepancyKind.PARTIAL_CAPTURE)
    assert (stated.expected, stated.found, stated.action) == (5000, 3000, Action.RECEIVABLE)


def test_a_storefront_that_captured_a_part_is_told_what_is_open() -> None:
    order = statement(movements=[movement(3000, references=("ch_5001",))])
    stated = only(run(order, line_of(order)), DiscrepancyKind.PARTIAL_CAPTURE)
    assert (stated.expected, stated.found) == (5000, 3000)


def test_an_edit_that_lowers_the_order_leaves_nothing_open() -> None:
    order = statement(movements=[movement(3000, references=("ch_5001",))], reductions=(document(2000, "edit/1"),))
    result = run(order, line_of(order))
    assert kinds(result) == []
    assert result.closed_orders == {"aurora/5001"}


def test_a_charge_that_failed_and_was_made_again_ties_out() -> None:
    failed = line_of(ORDER, line_id="a", payment_id="ch_old", references=("#5001",))
    back = line("b", -5000, kind=LineKind.CAPTURE_REVERSED, payment_id="ch_old")
    assert kinds(run(ORDER, failed, back, line_of(ORDER))) == []


def test_a_second_capture_is_a_refund_to_propose_and_no_missing_order() -> None:
    again = line("txn_2", payment_id="ch_again", references=("#5001",))
    result = run(ORDER, line_of(ORDER), again)
    stated = only(result, DiscrepancyKind.DUPLICATE_CAPTURE)
    assert (stated.expected, stated.found, stated.action) == (5000, 10000, Action.PROPOSE_REFUND)
    assert [item.id for item in stated.others] == ["stripe-eu/txn_2"]
    assert bucket(result, Subject.LINE, LINE) is Bucket.MATCHED


def test_a_second_capture_that_was_given_back_is_over() -> None:
    again = line("txn_2", payment_id="ch_again", references=("#5001",))
    back = line("txn_3", -5000, kind=LineKind.REFUND, payment_id="ch_again", source_id="re_1")
    assert kinds(run(ORDER, line_of(ORDER), again, back)) == []


def test_two_captures_that_the_storefront_knows_are_still_one_too_many() -> None:
    paid = [movement(movement_id=name, references=(f"ch_{name}",)) for name in ("a", "b")]
    lines = [line(f"txn_{name}", payment_id=f"ch_{name}") for name in ("a", "b")]
    stated = only(run(statement(movements=paid), *lines), DiscrepancyKind.DUPLICATE_CAPTURE)
    assert [item.id for item in stated.others] == ["stripe-eu/txn_b"]


def test_a_split_tender_that_names_the_order_is_right() -> None:
    order = statement(movements=[movement()])
    parts = [line("a", 3000, references=("5001",)), line("b", 2000, references=("5001",))]
    result = run(order, *parts)
    assert kinds(result) == []
    assert result.closed_orders == {"aurora/5001"}


def test_the_rest_is_paid_by_what_no_feed_tells_of() -> None:
    order = statement(movements=[movement(3000, references=("ch_5001",)), movement(2000, gateway="Gift_Card")])
    result = run(order, line_of(order))
    assert kinds(result) == []
    assert result.closed_orders == {"aurora/5001"}


# ---- what did not come ----


def test_a_payment_waits_for_its_feed_and_is_missing_then() -> None:
    early = run(ORDER, as_of=NOON + timedelta(days=5))
    assert kinds(early) == []
    assert bucket(early, Subject.ORDER, "aurora/5001") is Bucket.WAITING
    late = run(ORDER, as_of=NOON + timedelta(days=5, minutes=1))
    stated = only(late, DiscrepancyKind.MISSING_PAYMENT)
    assert (stated.expected, stated.found, stated.action) == (5000, 0, Action.HOLD)
    assert stated.since == NOON.date()


def test_a_discrepancy_keeps_its_name_while_its_figures_change() -> None:
    first = only(run(ORDER, line_of(ORDER, gross=4999)), DiscrepancyKind.AMOUNT_MISMATCH)
    second = only(run(ORDER, line_of(ORDER, gross=4000)), DiscrepancyKind.AMOUNT_MISMATCH)
    assert first.id == second.id
    assert first != second


def test_what_the_provider_says_of_a_failed_charge_is_evidence() -> None:
    failed = payment(state=PaymentState.FAILED)
    stated = only(run(ORDER, failed), DiscrepancyKind.MISSING_PAYMENT)
    assert "provider says failed of ch_5001" in stated.evidence


def test_a_charge_that_no_line_settles_is_late_and_not_missing() -> None:
    other = statement("5002")
    at_once = run(ORDER, payment(), other, line_of(other), as_of=NOON + timedelta(days=9))
    assert kinds(at_once) == []
    assert bucket(at_once, Subject.ORDER, "aurora/5001") is Bucket.WAITING
    result = run(ORDER, payment(), other, line_of(other))
    assert only(result, DiscrepancyKind.LATE_SETTLEMENT).subject.id == "stripe-eu/ch_5001"


def test_without_a_feed_of_lines_the_provider_s_word_is_enough() -> None:
    result = run(ORDER, payment())
    assert kinds(result) == []
    assert result.closed_orders == {"aurora/5001"}


def test_a_method_that_no_setting_knows_is_asked_about() -> None:
    order = statement(movements=[movement(gateway="klarna")])
    stated = only(run(order), DiscrepancyKind.UNKNOWN_TXN)
    assert not stated.blocks_close


@pytest.mark.parametrize("gateway", ["cod", "BACS", "store_credit"])
def test_methods_outside_are_expected_nowhere(gateway: str) -> None:
    result = run(statement(movements=[movement(gateway=gateway)]))
    assert kinds(result) == []
    assert bucket(result, Subject.ORDER, "aurora/5001") is Bucket.OUTSIDE


def test_tests_are_outside() -> None:
    result = run(statement(test=True), line(test=True), payment(test=True))
    assert kinds(result) == []
    assert set(result.buckets.values()) == {Bucket.OUTSIDE}


def test_money_that_no_order_asks_for_waits_a_day_for_its_order() -> None:
    charge = line(payment_id="ch_x")
    fresh = run(charge, as_of=NOON + timedelta(days=1))
    assert bucket(fresh, Subject.LINE, "stripe-eu/txn_1") is Bucket.WAITING
    assert only(run(charge), DiscrepancyKind.MISSING_ORDER).found == 5000


def test_a_refund_of_money_that_no_order_asks_for_is_said_with_it() -> None:
    back = line("txn_2", -5000, kind=LineKind.REFUND, payment_id="ch_x", source_id="re_1")
    stated = only(run(line(payment_id="ch_x"), back), DiscrepancyKind.MISSING_ORDER)
    assert Item(subject=Subject.LINE, id="stripe-eu/txn_2") in stated.others


# ---- staff and earlier runs ----


def test_what_staff_decided_goes_first() -> None:
    other = statement("5002", movements=[movement(movement_id="z")])
    result = run(ORDER, other, line_of(ORDER), links={LINE: "aurora/5002"})
    assert result.order_of == {LINE: "aurora/5002"}
    assert kinds(result) == [DiscrepancyKind.MISSING_PAYMENT]


def test_a_line_that_belongs_to_nothing_is_no_exception() -> None:
    result = run(line(kind=LineKind.ADJUSTMENT), links={"stripe-eu/txn_1": ""})
    assert kinds(result) == []
    assert bucket(result, Subject.LINE, "stripe-eu/txn_1") is Bucket.OUTSIDE


def test_a_refund_finds_a_charge_that_an_earlier_run_matched() -> None:
    old = NOON - timedelta(days=90)
    order = statement(
        at=old,
        movements=[
            movement(at=old, references=("ch_old",)),
            movement(5000, kind=movement().kind.REFUND, movement_id="r", at=NOON),
        ],
        reductions=(document(5000, "refund/1"),),
    )
    back = line("txn_2", -5000, kind=LineKind.REFUND, payment_id="ch_old", source_id="re_1", at=NOON)
    result = run(order, back, known_charges={f"{ACCOUNT}/ch_old": "aurora/5001"})
    assert kinds(result) == []
    assert result.order_of == {"stripe-eu/txn_2": "aurora/5001"}
    assert result.closed_orders == {"aurora/5001"}


def test_what_is_matched_comes_out_the_same_with_charges_of_earlier_runs() -> None:
    plain = run(ORDER, line_of(ORDER))
    assert run(ORDER, line_of(ORDER), known_charges={f"{ACCOUNT}/ch_5001": "aurora/5001"}) == plain


# ---- two currencies ----


def in_dollars(gross: int, rate: str | None = None) -> tuple[object, object]:
    """An order of USD 54.35 in books of EUR 50.00, and its line."""
    order = statement(
        buyer_currency="USD", buyer_total=5435, movements=[movement(5435, currency="USD", references=("ch_5001",))]
    )
    return order, line_of(
        order, gross=gross, currency="EUR", buyer_currency="USD", buyer_amount=5435, exchange_rate=rate
    )


def test_buyers_money_is_compared_and_what_it_settled_in_is_not() -> None:
    result = run(*in_dollars(4987))
    assert kinds(result) == []
    assert result.closed_orders == {"aurora/5001"}


@pytest.mark.parametrize(("gross", "rate"), [(5001, None), (4999, None), (4938, "0.90837")])
def test_a_minor_unit_of_an_exchange_is_rounding(gross: int, rate: str | None) -> None:
    stated = only(run(*in_dollars(gross, rate)), DiscrepancyKind.FX_ROUNDING)
    assert stated.action is Action.AUTO_ROUND
    assert abs(stated.difference) == 1


def test_a_rate_that_is_told_the_other_way_round_explains_as_well() -> None:
    assert kinds(run(*in_dollars(4937, "1.10087"))) == []


def test_a_provider_that_only_tells_what_it_settled_is_believed_within_what_rates_differ() -> None:
    order, _ = in_dollars(5000)
    near = line(currency="EUR", gross=5010, payment_id="ch_5001")
    assert kinds(run(order, near)) == []
    far = line(currency="EUR", gross=5400, payment_id="ch_5001")
    assert kinds(run(order, far)) == [DiscrepancyKind.CURRENCY_MISMATCH]
