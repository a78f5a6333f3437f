"""What the benchmark says that a customer costs is what the engine counted."""

import pytest
from pynamodb.connection import Connection

from infra.bench.bodies import VENDORS, Vendor
from infra.bench.customers import Counter, desk_of, joined, story
from infra.bench.units import Meter
from shared.customers.table import CustomerTable


def counter(vendor: Vendor, connection: Connection, table: str) -> Counter:
    return Counter(vendor, desk_of(vendor.shop, CustomerTable(connection, table)), Meter(connection.client))


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.platform)
def test_only_news_is_paid_for(vendor: Vendor, connection: Connection, table_names: dict[str, str]) -> None:
    costs = {cost.account: cost for cost in story(counter(vendor, connection, table_names["customers"]))}
    results = {account: cost.result for account, cost in costs.items()}
    assert results == {
        "registration": "applied",
        "the same again": "duplicate",
        "another telephone": "applied",
        "a guest's order": "applied",
        "the same order again": "duplicate",
        "an order of the account": "superseded",
    }
    for account in ("the same again", "the same order again"):
        assert (costs[account].written, costs[account].items, costs[account].messages) == (0, 0, 0)
    # Which order is whose, from both ends; the account itself knows better than an order.
    assert costs["an order of the account"].items == 2
    assert costs["registration"].messages > costs["another telephone"].messages == 1
    assert costs["registration"].written > costs["another telephone"].written > 0


def test_joining_and_parting_cost_the_same(connection: Connection, table_names: dict[str, str]) -> None:
    shops = [counter(vendor, connection, table_names["customers"]) for vendor in VENDORS]
    one, other = joined(shops)
    assert (one.items, one.written) == (other.items, other.written)
    assert one.messages == other.messages == 2
