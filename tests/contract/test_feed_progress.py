"""How far payment feeds were read: the fake in memory, and DynamoDB's table on a real engine."""

import pytest
from pynamodb.connection import Connection

from shared.kernel.errors import Conflict
from shared.sync.finance.progress import FeedProgress, FeedProgresses
from shared.sync.finance.table import FeedProgressTable
from tests.builders.orders import NOON
from tests.fakes.payment_feeds import FakeFeedProgresses


@pytest.fixture(params=["fake", "dynamodb", "memory"])
def progresses(request: pytest.FixtureRequest) -> FeedProgresses:
    if request.param == "fake":
        return FakeFeedProgresses()
    connection: Connection = request.getfixturevalue("connection")
    return FeedProgressTable(connection, request.getfixturevalue("table_names")["sync"])


def test_progress_comes_back_as_it_was_kept(progresses: FeedProgresses) -> None:
    assert progresses.find("stripe-eu") is None
    assert progresses.all() == ()
    first = progresses.keep(FeedProgress(account="stripe-eu").listed(NOON, NOON, NOON))
    second = progresses.keep(FeedProgress(account="paypal").stopped("payments_auth", NOON))
    assert first.revision == 1
    assert progresses.find("stripe-eu") == first
    assert progresses.all() == (second, first)


def test_only_one_of_two_keeps_its_change(progresses: FeedProgresses) -> None:
    first = progresses.keep(FeedProgress(account="stripe-eu"))
    with pytest.raises(Conflict):
        progresses.keep(FeedProgress(account="stripe-eu"))
    second = progresses.keep(first.stopped("payments_failed", NOON))
    with pytest.raises(Conflict):
        progresses.keep(first)
    assert progresses.find("stripe-eu") == second
