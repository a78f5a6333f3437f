"""A flash sale, played small: exactly the units that there are, told order by order, and fast once the SKU is hot.

Time is virtual: orders a second say what the design does under DynamoDB's published latencies, on any machine.
"""

from dataclasses import replace
from functools import cache

import pytest

from infra.bench.flash_sale.figures import ORDERS_PER_SECOND, Design, Figures, Scene, document, row, targets
from infra.bench.flash_sale.sale import Sale
from infra.bench.flash_sale.tables import latency_of
from infra.bench.hot_sku import ALONE, GROUPS, decision, deployed, hot

HEATED = Scene(orders=2_000, units=200, heated=True)
COLD = Scene(orders=300, units=30)


@cache
def heated() -> Figures:
    return Sale(deployed(), HEATED).play()


def test_the_deployed_design_keeps_up_once_the_sku_is_hot() -> None:
    found = heated()
    assert (found.committed, found.allocated, found.sound) == (2_000, 200, True)
    assert found.orders_per_second >= ORDERS_PER_SECOND
    assert found.hot.refused_per_order < 0.01
    assert [target.what for target in targets([found]) if not target.met] == []


def test_the_same_seed_is_the_same_sale() -> None:
    first, again, other = (
        Sale(deployed(), replace(HEATED, orders=200, units=20, seed=seed)).play() for seed in (1, 1, 2)
    )
    assert first == again
    assert first.latencies != other.latencies


@pytest.mark.parametrize("design", [ALONE, GROUPS, hot(2, 25), deployed()], ids=lambda design: design.name)
def test_whatever_the_design_nothing_is_sold_twice(design: Design) -> None:
    found = Sale(design, COLD).play()
    assert (found.committed, found.allocated, found.sound) == (300, 30, True)
    assert found.ordinary.orders + found.hot.orders == 300


def test_a_cold_start_heats_up_by_itself() -> None:
    found = Sale(deployed(), Scene(orders=600, units=600)).play()
    assert (found.allocated, found.sound) == (600, True)
    assert found.ordinary.refused > 0
    assert found.hot.orders > 300


def test_groups_are_better_than_each_alone() -> None:
    alone, groups = (Sale(design, COLD).play() for design in (ALONE, GROUPS))
    assert groups.orders_per_second > 1.3 * alone.orders_per_second
    assert groups.refused_per_order < alone.refused_per_order / 5
    assert groups.written_per_order < alone.written_per_order


def test_larger_transactions_take_longer_as_published() -> None:
    assert [latency_of("TransactWriteItems", items).median for items in (2, 5, 25)] == [25.0, 25.0, 32.0]
    assert latency_of("TransactWriteItems", 100).median == pytest.approx(58.25)
    assert latency_of("TransactWriteItems", 100).p99 == pytest.approx(116.75)


def test_a_sale_that_goes_wrong_misses_its_targets() -> None:
    good = heated()
    slow = replace(good, seconds=good.committed / (ORDERS_PER_SECOND - 1))
    contended = replace(good, hot=replace(good.hot, refused=good.hot.orders // 50))
    for bad in (replace(good, allocated=201), replace(good, sound=False), slow, contended):
        assert len([target for target in targets([bad]) if not target.met]) == 1


def test_the_fewest_writers_that_keep_up_are_chosen() -> None:
    fast = heated()
    rates = {1: 200, 2: 490, 4: 520, 6: 700}
    played = [replace(fast, design=hot(writers), seconds=fast.committed / rate) for writers, rate in rates.items()]
    assert decision(played).startswith("Decision: hot lane, 4 × 99: 520 orders/s")
    assert decision(played[:2]) == "No design commits 500 orders a second."
    assert row(played[0])[0] == "hot lane, 1 × 99"
    assert document(played[0])["orders_per_second"] == pytest.approx(200)
