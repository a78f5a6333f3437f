"""Levels in step: lowered at once, raised with care, each write once whatever fails."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inventory.bundles import Bundles
from shared.kernel.errors import Retry
from shared.sync.jobs import Job
from shared.sync.levels.bindings import Binding
from shared.sync.levels.push import ChannelDesk, push
from shared.sync.levels.sweep import sweep_page
from tests.builders.orders import NOON
from tests.builders.stock import counted
from tests.fakes.channel import FakeChannel
from tests.fakes.order_desk import FakeStockRoom
from tests.fakes.sync import FakeBindings, FakeDriftLog


class Shop:
    """A shop that sells what the pool has, with a clock of its own."""

    def __init__(self, levels: Mapping[str, int], *, buffer: int = 0, bundles: Bundles | None = None) -> None:
        self.now = NOON
        self.pool, self.channel, self.bindings = FakeStockRoom(), FakeChannel(), FakeBindings()
        for sku, units in levels.items():
            self.have(sku, units)
        self.desk = ChannelDesk(
            shop="aurora",
            channel=self.channel,
            bindings=self.bindings,
            stock=self.pool,
            bundles=lambda: bundles or {},
            locations=("main",),
            buffer=buffer,
            clock=lambda: self.now,
        )

    def have(self, sku: str, units: int) -> None:
        self.pool.set_level(counted(sku, units))

    def sells(self, sku: str, shown: int | None) -> None:
        self.channel.shown[sku] = shown
        self.bindings.keep([Binding(shop="aurora", item=self.channel.item(sku))])

    def later(self, pause: timedelta = timedelta(seconds=60)) -> datetime:
        self.now += pause
        return self.now


def test_shows_the_pool_less_the_buffer() -> None:
    shop = Shop({"MUG": 10}, buffer=3)
    shop.sells("MUG", 2)
    report = push(shop.desk, ["MUG"])
    assert shop.channel.shown["MUG"] == 7
    assert [(change.before, change.after) for change in report.written] == [(2, 7)]


def test_what_shows_the_right_number_costs_no_call() -> None:
    shop = Shop({"MUG": 10})
    shop.sells("MUG", 10)
    push(shop.desk, ["MUG"])
    assert shop.channel.calls == 0


def test_a_shop_is_not_told_of_what_it_does_not_sell() -> None:
    shop = Shop({"MUG": 10})
    push(shop.desk, ["MUG"])
    assert shop.channel.calls == 0


def test_many_levels_go_in_few_calls() -> None:
    shop = Shop({f"S{number}": 5 for number in range(600)})
    for number in range(600):
        shop.sells(f"S{number}", 0)
    push(shop.desk, [f"S{number}" for number in range(600)])
    assert (shop.channel.calls, shop.channel.writes) == (3, 600)


def test_a_sale_that_is_known_already_needs_no_write() -> None:
    shop = Shop({"MUG": 10})
    shop.sells("MUG", 10)
    shop.channel.sell("MUG", 1)
    shop.have("MUG", 9)
    push(shop.desk, ["MUG"])
    assert (shop.channel.shown["MUG"], shop.channel.writes) == (9, 0)


def test_fewer_than_believed_is_not_raised_at_once() -> None:
    shop = Shop({"MUG": 10})
    shop.sells("MUG", 10)
    shop.channel.sell("MUG", 2)
    shop.have("MUG", 11)  # something came in; two were sold that we have not heard of
    report = push(shop.desk, ["MUG"])
    assert (shop.channel.shown["MUG"], report.later) == (8, {"MUG"})
    shop.have("MUG", 9)  # the order arrives
    shop.later()
    push(shop.desk, ["MUG"])
    assert shop.channel.shown["MUG"] == 9


def test_more_than_there_is_is_lowered_at_once() -> None:
    shop = Shop({"MUG": 5})
    shop.sells("MUG", 7)
    shop.channel.shown["MUG"] = 20  # somebody typed it in
    push(shop.desk, ["MUG"])
    assert shop.channel.shown["MUG"] == 5


def test_one_bad_item_never_stops_the_rest() -> None:
    shop = Shop({"MUG": 5, "CAP": 5})
    shop.sells("MUG", 0)
    shop.sells("CAP", 0)
    shop.channel.refused["CAP"] = "ITEM_NOT_STOCKED"
    report = push(shop.desk, ["MUG", "CAP"])
    assert shop.channel.shown["MUG"] == 5
    assert report.set_aside == {"CAP": "ITEM_NOT_STOCKED"}
    push(shop.desk, ["CAP"])
    assert shop.channel.calls == 1


def test_an_untracked_item_is_left_alone() -> None:
    shop = Shop({"MUG": 5})
    shop.sells("MUG", None)
    push(shop.desk, ["MUG"])
    assert shop.channel.calls == 0


def test_a_lost_answer_is_asked_for_again_under_the_same_key() -> None:
    shop = Shop({"MUG": 5})
    shop.sells("MUG", 0)
    shop.channel.lose_answers = 1
    with pytest.raises(Retry):
        push(shop.desk, ["MUG"])
    assert len(shop.bindings.calls) == 1
    shop.later()
    push(shop.desk, [])
    assert (shop.channel.shown["MUG"], shop.channel.writes, shop.bindings.calls) == (5, 1, {})


def test_a_bundle_shows_what_its_scarcest_component_makes() -> None:
    shop = Shop({"MUG": 10, "CAP": 3}, bundles={"SET": {"MUG": 2, "CAP": 1}})
    shop.sells("SET", 0)
    push(shop.desk, ["SET"])
    assert shop.channel.shown["SET"] == 3


@given(st.lists(st.sampled_from(["sale", "order", "receipt", "typed", "lost", "push", "wait"]), max_size=40))
def test_once_quiet_the_shop_shows_the_pool(happenings: list[str]) -> None:
    """I9, whatever happened before; and the shop never shows more than pool and unheard sales allow for long."""
    shop = Shop({"MUG": 10})
    shop.sells("MUG", 10)
    pool, unheard = 10, 0
    for happening in happenings:
        shown = shop.channel.shown["MUG"] or 0
        if happening == "sale" and shown > 0:
            shop.channel.sell("MUG", 1)
            unheard += 1
        elif happening == "order" and unheard and pool:
            pool, unheard = pool - 1, unheard - 1
            shop.have("MUG", pool)
        elif happening == "receipt":
            pool += 3
            shop.have("MUG", pool)
        elif happening == "typed":
            shop.channel.shown["MUG"] = 7
        elif happening == "lost":
            shop.channel.lose_answers = 1
        elif happening == "wait":
            shop.later()
        else:
            try:
                push(shop.desk, ["MUG"])
            except Retry:
                continue
    shop.channel.lose_answers = 0
    shop.have("MUG", max(0, pool - unheard))
    for _ in range(3):
        shop.later()
        sweep_page(shop.desk, FakeDriftLog(), Job(name="sweep", started_at=shop.now))
    assert shop.channel.shown["MUG"] == max(0, pool - unheard)
    assert not shop.bindings.calls
