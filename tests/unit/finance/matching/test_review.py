"""Wrong matches that a stranger found: each was made once, and none may be made again."""

from datetime import timedelta

import pytest

from shared.finance.matching.reconcile import reconcile
from shared.finance.models import LineKind, MovementKind, OrderStatement
from tests.builders.finance import NOON, inputs, line, movement, statement


def numbered(
    order_id: str, total: int, *, shop: str = "aurora", name: str | None = None, days: float = 0
) -> OrderStatement:
    """An order that is known by its id and its name alone."""
    at, name = NOON + timedelta(days=days), name or order_id
    moved = [movement(total, movement_id="all", at=at)]
    return statement(
        order_id, total, shop=shop, at=at, movements=moved, name=f"#{name}", references=(f"#{name}", name, order_id)
    )


# ---- numbers that two orders may have ----


@pytest.mark.parametrize("word", ["#7002", "7002"])
def test_the_payment_of_an_order_that_has_not_come_is_not_that_of_another_shops_order_of_its_number(word: str) -> None:
    """Both shops number alike: the other 7002 is the one that was paid, and its order was missed."""
    ours = [numbered("7001", 5000), numbered("7002", 5000), numbered("7003", 5000)]
    theirs = [numbered("7001", 6000, shop="borealis"), numbered("7003", 6000, shop="borealis")]
    charged = line("txn_1", 6000, payment_id="ch_1", references=(word,))
    assert reconcile(inputs(*ours, *theirs, charged)).order_of == {}


def test_where_only_one_of_both_shops_reaches_that_number_it_is_meant_whatever_the_money() -> None:
    ours = [numbered("7001", 5000), numbered("7099", 5000)]
    theirs = [numbered("7001", 6000, shop="borealis"), numbered("7003", 6000, shop="borealis")]
    charged = line("txn_1", 4000, payment_id="ch_1", references=("7099",))
    assert reconcile(inputs(*ours, *theirs, charged)).order_of == {"stripe-eu/txn_1": "aurora/7099"}


def test_a_number_that_is_one_orders_id_and_anothers_name_means_the_one_of_its_money() -> None:
    orders = (numbered("7002", 5000, name="7001"), numbered("7003", 6000, name="7002"))
    charged = line("txn_1", 6000, payment_id="ch_1", references=("7002",))
    assert reconcile(inputs(*orders, charged)).order_of == {"stripe-eu/txn_1": "aurora/7003"}


def test_a_number_that_may_be_a_name_or_an_id_does_not_name_the_only_order_that_is_here() -> None:
    """7003 is the id of the one, and was the name of an order that has not come."""
    orders = (numbered("7002", 5000, name="7001"), numbered("7003", 6000, name="7002"), numbered("7005", 7000))
    charged = line("txn_1", 4000, payment_id="ch_1", references=("7003",))
    assert reconcile(inputs(*orders, charged)).order_of == {}


def test_two_orders_of_one_number_in_one_shop_and_a_third_elsewhere_are_all_meant() -> None:
    """The money of two of them is the same: the third, of which it is not, does not make it one."""
    orders = (
        numbered("7002", 5000, name="7001"),
        numbered("7003", 6000, name="7002"),
        numbered("7002", 5000, shop="borealis"),
    )
    charged = line("txn_1", 5000, payment_id="ch_1", references=("7002",))
    assert reconcile(inputs(*orders, charged)).order_of == {}


def test_a_refund_by_a_number_of_two_shops_goes_to_the_one_that_gave_this_money_back() -> None:
    back = movement(1500, movement_id="re_1", kind=MovementKind.REFUND, at=NOON + timedelta(days=2))
    paid = [movement(5000, movement_id="all"), back]
    ours = statement("7001", 5000, movements=paid, references=("#7001", "7001"))
    given = line(
        "txn_1", -1500, kind=LineKind.REFUND, at=NOON + timedelta(days=2), source_id="x", references=("#7001",)
    )
    found = reconcile(inputs(ours, numbered("7001", 5000, shop="borealis"), given))
    assert found.order_of == {"stripe-eu/txn_1": "aurora/7001"}
