"""Amounts, prices and times: what a bill is added up from."""

from datetime import timedelta

import pytest

from infra.costs.counting import Counts, chunks, log_bytes
from infra.costs.durations import OF_ONE_CORE_MB, RUNTIME_MS, with_time
from infra.costs.idle import interval_of
from infra.costs.prices import cost_of, free_of
from infra.costs.topology import Topology
from infra.costs.usage import Item, Usage, summed
from infra.local.template import Schedule

_ONE = Usage({("intake", Item.WRITE_UNITS): 8, ("intake", Item.INVOCATIONS): 1, ("relay", Item.INVOCATIONS): 1})


def test_usages_add_up_and_can_be_taken_apart() -> None:
    both = summed([_ONE, _ONE])
    assert both == _ONE.times(2)
    assert both - _ONE == _ONE
    assert both.total(Item.INVOCATIONS) == 4
    assert both.of("relay").total(Item.WRITE_UNITS) == 0
    assert both.functions == ("intake", "relay")


def test_eight_write_units_and_two_runs_cost_what_the_price_list_says() -> None:
    assert cost_of(_ONE) * 1_000_000 == pytest.approx(8 * 0.625 + 2 * 0.20)
    assert cost_of(_ONE, Item.INVOCATIONS) * 1_000_000 == pytest.approx(0.40)


def test_mails_are_not_in_the_sum() -> None:
    mails = Usage({("notify", Item.MAILS): 2})
    assert cost_of(mails) == 0
    assert cost_of(mails, Item.MAILS) * 1_000_000 == pytest.approx(200)


def test_the_free_tier_takes_off_what_it_covers_and_no_more() -> None:
    assert free_of(Usage({("a", Item.INVOCATIONS): 500_000})) == pytest.approx(0.10)
    assert free_of(Usage({("a", Item.INVOCATIONS): 3_000_000})) == pytest.approx(0.20)


@pytest.mark.parametrize(("size", "billed"), [(0, 1), (1, 1), (65_536, 1), (65_537, 2), (1_000_000, 16)])
def test_a_request_is_billed_for_each_64_kb_begun(size: int, billed: int) -> None:
    assert chunks(size) == billed


def test_a_log_line_costs_its_bytes_and_26_more_wherever_it_stands_in_the_code() -> None:
    near, far = '{"location":"report:9"}', '{"location":"report:1009"}'
    assert log_bytes([near]) == log_bytes([far]) == len('{"location":"report:100"}') + 26
    assert log_bytes(["é"]) == 2 + 26


def test_what_happens_while_no_function_runs_is_nobodys() -> None:
    counts = Counts()
    counts.consumed("PutItem", "storebridge-orders", 0.0, 1.0)
    counts.function = "intake"
    counts.consumed("PutItem", "storebridge-orders", 0.0, 2.0)
    assert counts.take() == Usage({("intake", Item.WRITE_UNITS): 2.0})
    assert counts.take() == Usage()


def test_waiting_costs_by_memory_and_cpu_does_not() -> None:
    topology = Topology.load()
    small, large = "order-relay", "order-intake"
    assert topology.functions[small].memory_mb * 2 == topology.functions[large].memory_mb

    def seconds(function: str, wait_ms: float, cpu_ms: float) -> float:
        usage = Usage({(function, Item.INVOCATIONS): 1, (function, Item.WAIT_MS): wait_ms})
        return with_time(usage, {function: cpu_ms}, {}, topology, cold=0.0).total(Item.GB_SECONDS)

    idle = {name: seconds(name, 0, 0) for name in (small, large)}
    assert idle[small] == pytest.approx(RUNTIME_MS / 1000 * 256 / 1024)
    assert seconds(large, 100, 0) == pytest.approx(2 * seconds(small, 100, 0))
    assert seconds(large, 0, 10) - idle[large] == pytest.approx(seconds(small, 0, 10) - idle[small])
    assert seconds(small, 0, 10) - idle[small] == pytest.approx(0.010 * OF_ONE_CORE_MB / 1024)


@pytest.mark.parametrize(
    ("expression", "interval"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(15 minutes)", timedelta(minutes=15)),
        ("rate(3 hours)", timedelta(hours=3)),
        ("cron(0 7 * * ? *)", timedelta(days=1)),
    ],
)
def test_schedules_come_round_as_often_as_they_say(expression: str, interval: timedelta) -> None:
    assert interval_of(Schedule("s", expression, "f", None)) == interval
