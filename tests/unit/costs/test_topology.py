"""What the template says that costs, or spares costs."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from infra.costs.topology import Topology, meets
from shared.customers import table as customers
from shared.orders import table as orders


@pytest.fixture(scope="module")
def topology() -> Topology:
    return Topology.load()


@pytest.mark.parametrize(
    ("table", "function", "is_record"),
    [("orders", "order-relay", orders.is_record), ("customers", "customer-relay", customers.is_record)],
)
@pytest.mark.parametrize("sort_key", ["record", "account", "personal", "profile", "customer", "order/aurora/5001", ""])
def test_a_relay_hears_of_records_and_of_nothing_else(
    topology: Topology, table: str, function: str, is_record: Callable[[Any], bool], sort_key: str
) -> None:
    keys = {"pk": {"S": "aurora/5001"}, "sk": {"S": sort_key}}
    (pattern,) = topology.filters[f"storebridge-{table}", function]
    assert meets(pattern, {"eventName": "MODIFY", "dynamodb": {"Keys": keys}}) is is_record(keys)


@pytest.mark.parametrize(
    ("pattern", "is_met"),
    [
        ({}, True),
        ({"a": ["x"]}, True),
        ({"a": ["y"]}, False),
        ({"a": ["y", "x"]}, True),
        ({"a": [{"prefix": "x"}]}, True),
        ({"a": [{"prefix": "xx"}]}, False),
        ({"b": {"c": [1]}}, True),
        ({"b": {"c": [2]}}, False),
        ({"b": ["x"]}, False),
        ({"d": ["x"]}, False),
        ({"d": {"e": ["x"]}}, False),
        ({"d": [{"exists": False}]}, True),
        ({"a": [{"exists": False}]}, False),
        ({"a": [{"exists": True}], "b": {"c": [1]}}, True),
        ({"a": ["x"], "b": {"c": [2]}}, False),
    ],
)
def test_a_record_meets_a_pattern(pattern: Mapping[str, Any], is_met: bool) -> None:
    assert meets(pattern, {"a": "x", "b": {"c": 1}}) is is_met


def test_a_pattern_that_is_not_understood_is_no_match_by_chance() -> None:
    with pytest.raises(ValueError, match="anything-but"):
        meets({"a": [{"anything-but": ["x"]}]}, {"a": "y"})


def test_lambda_says_nothing_of_runs_that_went_well_and_nobody_traces_them(topology: Topology) -> None:
    assert not [name for name in topology.functions if topology.logs_platform(name) or topology.traces(name)]
