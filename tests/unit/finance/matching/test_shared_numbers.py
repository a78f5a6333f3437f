"""Shops that number their orders alike and share an account: a name alone names nobody, the money may."""

from datetime import timedelta

from shared.finance.matching.reconcile import reconcile
from shared.finance.models import DiscrepancyKind, LineKind, OrderStatement, Rule, SettlementLine
from tests.builders.finance import NOON, inputs, line, movement, payment, statement


def sold(shop: str, total: int, days: float = 0) -> OrderStatement:
    """An order 7001 that is known by its number alone."""
    at = NOON + timedelta(days=days)
    return statement("7001", total, shop=shop, at=at, movements=[movement(total, movement_id="all", at=at)])


def test_the_money_tells_which_of_two_orders_of_one_number_is_meant() -> None:
    charged = line("txn_1", 5000, payment_id="ch_1", references=("7001",))
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 4000), charged))
    assert outcome.order_of == {"stripe-eu/txn_1": "aurora/7001"}
    assert [match.rule for match in outcome.matches] == [Rule.REFERENCE]


def test_the_word_of_a_webhook_counts_as_much() -> None:
    charged = line("txn_1", 6000, payment_id="ch_1")
    told = payment("ch_1", 6000, references=("#7001",))
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 6000), charged, told))
    assert outcome.order_of == {"stripe-eu/txn_1": "borealis/7001"}


def test_two_orders_of_one_number_and_one_amount_are_not_told_apart_by_it() -> None:
    charged = line("txn_1", 5000, payment_id="ch_1", references=("7001",))
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 5000), charged))
    assert outcome.order_of == {}


def test_an_order_of_that_number_and_amount_long_before_is_not_meant() -> None:
    charged = line("txn_1", 5000, payment_id="ch_1", references=("7001",))
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 5000, days=-40), charged))
    assert outcome.order_of == {"stripe-eu/txn_1": "aurora/7001"}


def test_a_second_charge_by_that_number_is_a_duplicate_of_the_order_of_its_amount() -> None:
    charges = [line(f"txn_{n}", 5000, payment_id=f"ch_{n}", references=("7001",)) for n in (1, 2)]
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 4000), *charges))
    kinds = {
        discrepancy.kind
        for discrepancy in outcome.discrepancies
        if "aurora" in str(discrepancy.others) + str(discrepancy.subject)
    }
    assert DiscrepancyKind.DUPLICATE_CAPTURE in kinds
    assert set(outcome.order_of.values()) == {"aurora/7001"}


def test_words_that_name_different_orders_are_not_settled_by_money() -> None:
    others = [
        statement("7002", total, shop=shop, movements=[movement(total, movement_id="all")])
        for shop, total in (("aurora", 5000), ("borealis", 7000))
    ]
    charged = line("txn_1", 5000, payment_id="ch_1", references=("7001", "7002"))
    outcome = reconcile(inputs(sold("aurora", 4000), sold("borealis", 6000), *others, charged))
    assert outcome.order_of == {}


def by_two_cards(*amounts: int) -> list[SettlementLine]:
    charged = enumerate(amounts, 1)
    return [line(f"txn_{n}", amount, payment_id=f"ch_{n}", references=("7001",)) for n, amount in charged]


def test_two_cards_together_tell_which_of_two_orders_of_one_number_is_meant() -> None:
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 6000), *by_two_cards(2000, 4000)))
    assert outcome.order_of == {"stripe-eu/txn_1": "borealis/7001", "stripe-eu/txn_2": "borealis/7001"}
    assert {match.rule for match in outcome.matches} == {Rule.REFERENCE}


def test_two_cards_that_come_to_neither_or_to_both_tell_nothing() -> None:
    neither = reconcile(inputs(sold("aurora", 5000), sold("borealis", 6000), *by_two_cards(2000, 4001)))
    both = reconcile(inputs(sold("aurora", 6000), sold("borealis", 6000), *by_two_cards(2000, 4000)))
    assert neither.order_of == both.order_of == {}


def test_an_order_that_has_its_charge_is_not_paid_by_two_more() -> None:
    charged = line("txn_0", 6000, payment_id="ch_0", references=("7001",))
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 6000), charged, *by_two_cards(2000, 4000)))
    assert outcome.order_of == {"stripe-eu/txn_0": "borealis/7001"}


def known(shop: str, total: int, charge_id: str, days: float = 0) -> OrderStatement:
    """An order 7001 that knows the id of its charge."""
    at = NOON + timedelta(days=days)
    moved = movement(total, movement_id=f"t{shop}", at=at, references=(charge_id,))
    return statement("7001", total, shop=shop, at=at, movements=[moved])


def test_of_two_orders_of_one_number_and_amount_the_one_without_its_charge_is_meant() -> None:
    charges = [line(f"txn_{n}", 5000, payment_id=f"ch_{n}", references=("7001",)) for n in (1, 2)]
    outcome = reconcile(inputs(known("aurora", 5000, "ch_1"), sold("borealis", 5000), *charges))
    assert outcome.order_of == {"stripe-eu/txn_1": "aurora/7001", "stripe-eu/txn_2": "borealis/7001"}
    assert outcome.discrepancies == ()


def test_where_both_have_their_charges_a_third_is_nobodys() -> None:
    charges = [line(f"txn_{n}", 5000, payment_id=f"ch_{n}", references=("7001",)) for n in (1, 2, 3)]
    outcome = reconcile(inputs(known("aurora", 5000, "ch_1"), known("borealis", 5000, "ch_2"), *charges))
    assert outcome.order_of == {"stripe-eu/txn_1": "aurora/7001", "stripe-eu/txn_2": "borealis/7001"}


def test_what_was_left_of_a_charge_tells_which_of_two_orders_of_one_number_is_meant() -> None:
    charged = line("txn_1", 6000, payment_id="ch_1", references=("7001",))
    back = line("txn_2", -1000, kind=LineKind.CAPTURE_REVERSED, payment_id="ch_1")
    outcome = reconcile(inputs(sold("aurora", 5000), sold("borealis", 4000), charged, back))
    assert outcome.order_of == {"stripe-eu/txn_1": "aurora/7001", "stripe-eu/txn_2": "aurora/7001"}


def test_a_part_of_one_order_is_not_the_whole_of_another_one_of_its_number() -> None:
    own = line("txn_1", 1000, payment_id="ch_1", references=("7001",))
    parts = [
        line(f"txn_{n}", amount, payment_id=f"ch_{n}", references=("7001",)) for n, amount in ((2, 1000), (3, 2000))
    ]
    outcome = reconcile(inputs(sold("aurora", 1000), sold("borealis", 3000), own, *parts))
    assert outcome.order_of == {}


def test_an_order_that_names_another_charge_is_not_meant_by_its_number() -> None:
    charges = [line(f"txn_{n}", 5000, payment_id=f"ch_{n}", references=("7001",)) for n in (1, 2)]
    outcome = reconcile(inputs(known("aurora", 5000, "ch_1"), known("borealis", 5000, "ch_9"), *charges))
    assert outcome.order_of == {"stripe-eu/txn_1": "aurora/7001"}
