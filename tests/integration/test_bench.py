"""What the benchmark says that customers and their money cost is what the engine counted."""

import pytest
from pynamodb.connection import Connection

from infra.bench import money
from infra.bench.bodies import VENDORS, Vendor
from infra.bench.customers import Counter, desk_of, joined, story
from infra.bench.units import Meter
from shared.customers.table import CustomerTable
from shared.finance.table import FinanceTable


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


def test_the_books_pay_for_news_only(connection: Connection, table_names: dict[str, str]) -> None:
    book = FinanceTable(connection, table_names["finance"], money.ZONE)
    costs = {cost.account: cost for cost in money.story(money.Ledgers(book, Meter(connection.client)))}
    again = {account for account in costs if account.endswith(money.AGAIN)}
    assert len(again) == 11
    for account, cost in costs.items():
        # `x, the same again` comes after `x`, which is the one that was paid for.
        assert (cost.written == 0) is (cost.items == 0) is (account in again)
        assert account not in again or costs[account.removesuffix(money.AGAIN)].written > 0
    # Each fact is one item, and once more in the index.
    assert {costs[name].items for name in ("an order's statement", "a charge by webhook", "a payout")} == {1}
    assert costs["a paid order reconciled"].result == "1 matches, 3 entries"
    assert costs["its payout reconciled with the bank"].result == "3 matches, 2 entries"
    # The match, what it is found from (order, line, payment, charge), three entries and their sources, the day, and as
    # of when all was reconciled.
    assert costs["a paid order reconciled"].items == 1 + 4 + 2 * 3 + 1 + 1
    # Case, queue twice, record and head of the trail.
    assert costs["a case resolved"].items == 5
    assert costs["a day closed"].result == "closed"
