"""The feed against a shop that runs our queries on Shopify's schema: payouts come late, and nothing is told twice."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.fakes.shopify_admin import TOKEN, Plan, ShopifyAdmin
from infra.local.shopify_schema import SCHEMA_FILE
from shared.finance.models import Fact, LineKind, Payout, PayoutState, SettlementLine
from shared.kernel.errors import Rejected, Retry
from shared.payments.shopify_payments.client import ShopifyPaymentsClient
from shared.payments.shopify_payments.exports import export_reader
from shared.payments.shopify_payments.queries import MOVEMENTS_PAGE
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi
from shared.sync.finance.pull import pull
from shared.sync.jobs import Worker
from tests.fakes.finance import FakeFinanceBook
from tests.fakes.payment_feeds import FakeFeedProgresses
from tests.fakes.sync import FakeJobs
from tests.unit.payments.shopify_payments.files import ACCOUNT, Row, export

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class World:
    def __init__(self) -> None:
        self.now = START
        self.shop = ShopifyAdmin(self.clock, Plan(maximum_available=1_000_000.0))
        self.payments = self.shop.payments
        self.payments.active = True
        http = httpx.Client(transport=httpx.MockTransport(self.shop.handler))
        api = AdminApi("aurora.myshopify.com", self.credentials, http, API_VERSION, scopes="some")
        self.feed = ShopifyPaymentsClient(ACCOUNT, api.ask, self.clock)

    def clock(self) -> datetime:
        return self.now

    def credentials(self, *, fresh: bool = False) -> Mapping[str, str]:  # noqa: ARG002 - there is but one
        return {"access_token": TOKEN}

    def read(self, since: datetime, until: datetime) -> list[Fact]:
        return list(self.walk(since, until))

    def walk(self, since: datetime, until: datetime) -> Iterator[Fact]:
        cursor = None
        while True:
            page = self.feed.settled(since, until, cursor)
            yield from page.facts
            cursor = page.cursor
            if cursor is None:
                return


@pytest.fixture
def world() -> World:
    return World()


def lines(facts: list[Fact]) -> dict[str, SettlementLine]:
    return {fact.line_id: fact for fact in facts if isinstance(fact, SettlementLine)}


def test_a_payout_is_written_into_the_movements_that_were_read_before_it_was_made(world: World) -> None:
    world.payments.move("CHARGE", "100.00", "97.10", order=("5001", "#1001"))
    world.now += HOUR
    before = lines(world.read(START - HOUR, world.now))
    assert [line.payout_id for line in before.values()] == [None]
    world.now += 24 * HOUR
    payout = world.payments.pay_out(trace="TRACE-1")
    world.now += HOUR
    facts = world.read(world.now - 2 * HOUR, world.now)
    after = lines(facts)
    number = payout["legacyResourceId"]
    assert {line.payout_id for line in after.values()} == {number}
    assert {line.kind: line.net for line in after.values()} == {LineKind.CAPTURE: 9710, LineKind.PAYOUT: -9710}
    assert before.keys() < after.keys()
    (told,) = {fact for fact in facts if isinstance(fact, Payout)}
    assert (told.payout_id, told.amount, told.state) == (number, 9710, PayoutState.PENDING)
    assert told.references == ("TRACE-1", number)
    world.now += 48 * HOUR
    payout["status"] = "PAID"
    (later,) = (fact for fact in world.read(world.now - HOUR, world.now) if isinstance(fact, Payout))
    assert later.state is PayoutState.PAID


def test_what_shopify_collects_is_a_negative_payout(world: World) -> None:
    world.payments.move("REFUND", "-10.00", order=("5001", "#1001"))
    world.payments.pay_out()
    world.now += HOUR
    facts = world.read(START - HOUR, world.now)
    assert [fact.amount for fact in facts if isinstance(fact, Payout)] == [-1000]


def test_every_pull_leaves_the_balance_in_the_book(world: World) -> None:
    """A month in hourly pulls, with the payouts of its days: lines add up to the balance, and each names its payout."""
    book, progresses, jobs = FakeFinanceBook(), FakeFeedProgresses(), FakeJobs()
    worker = Worker(jobs, "me", world.clock, HOUR, lambda: True)
    for hour in range(10 * 24):
        world.now = START + hour * HOUR
        number = f"{5000 + hour}"
        if hour % 3 == 0:
            charge = world.payments.move("CHARGE", "20.00", "19.30", order=(number, f"#{number}"))
            if hour % 9 == 0:
                world.payments.move("REFUND", "-5.00", order=(number, f"#{number}"), parent=charge)
        if hour % 24 == 20:
            world.payments.pay_out("PAID")
        if hour % 5 == 0:
            pull("shopify-eu", world.feed, book, progresses, worker)
    world.now += HOUR
    pull("shopify-eu", world.feed, book, progresses, worker)
    kept = list(book.lines("shopify-eu", START.date(), world.now.date()))
    assert len(kept) == len(world.payments.movements)
    assert sum(line.net for line in kept) == int(world.payments.held["EUR"] * 100)
    by_payout = {each["legacyResourceId"]: int(Decimal(each["net"]["amount"]) * 100) for each in world.payments.payouts}
    for payout, amount in by_payout.items():
        taken = [line for line in kept if line.payout_id == payout and line.kind is not LineKind.PAYOUT]
        assert sum(line.net for line in taken) == amount
    refunds = [line for line in kept if line.kind is LineKind.REFUND]
    charges = {line.payment_id for line in kept if line.kind is LineKind.CAPTURE}
    assert refunds
    assert {line.payment_id for line in refunds} <= charges
    balance = list(book.balances("shopify-eu", world.now.date(), world.now.date()))[-1]
    assert balance.amount == sum(line.net for line in kept)
    assert book.restatements() == {}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.integers(1, 4))
def test_movements_of_one_second_are_told_apart_wherever_a_page_ends(before: int, alike: int) -> None:
    world = World()
    for number in range(MOVEMENTS_PAGE - before):
        world.payments.move(
            "CHARGE", "1.00", at=START - timedelta(minutes=number + 5), order=(f"{number}", f"#{number}")
        )
    for _ in range(alike):
        world.payments.move("CHARGE", "7.00", at=START - timedelta(minutes=1), order=("9", "#9"))
    world.payments.move("CHARGE", "8.00", at=START - timedelta(seconds=30), order=("10", "#10"))
    told = lines(world.read(START - 24 * HOUR, START))
    assert len(told) == MOVEMENTS_PAGE - before + alike + 1


def test_a_second_that_fills_more_than_a_page_does_not_stop_the_walk(world: World) -> None:
    for number in range(MOVEMENTS_PAGE + 20):
        world.payments.move("CHARGE", "1.00", at=START - HOUR, order=(f"{number}", f"#{number}"))
    assert len(lines(world.read(START - 24 * HOUR, START))) == MOVEMENTS_PAGE + 20


def test_the_api_and_the_export_tell_the_same_movements(world: World) -> None:
    """So that whoever imports the file of a time that was read by the API posts nothing twice."""
    told: list[tuple[int, str, str, str, str]] = [
        (0, "CHARGE", "100.00", "97.10", "#1001"),
        (0, "CHARGE", "100.00", "97.10", "#1002"),
        (5, "CHARGE", "50.00", "48.00", "#1003"),
        (5, "CHARGE", "50.00", "48.00", "#1003"),
        (9, "REFUND", "-40.00", "-40.00", "#1001"),
        (11, "DISPUTE_WITHDRAWAL", "-100.00", "-115.00", "#1002"),
        (12, "SHIPPING_LABEL", "-4.00", "-4.00", ""),
    ]
    rows = []
    for minute, word, gross, net, order in told:
        at = START - HOUR + timedelta(minutes=minute)
        number = (order.lstrip("#"), order) if order else None
        world.payments.move(word, gross, net, at=at + timedelta(microseconds=250_000), order=number)
        local = at + HOUR
        word_there = "chargeback" if word == "DISPUTE_WITHDRAWAL" else word.lower()
        rows.append(Row(f"{local:%Y-%m-%d %H:%M:%S} +0100", word_there, gross, net, order))
    by_api = world.read(START - 24 * HOUR, START)
    by_file = export_reader(payouts_by_api=True)(export(reversed(rows)), ACCOUNT)
    assert lines(by_api).keys() == lines(list(by_file.facts)).keys()
    book = FakeFinanceBook()
    assert book.keep(by_api).new == len(told)
    kept = book.keep(by_file.facts)
    assert (kept.new, kept.restated) == (0, ())
    assert sum(line.net for line in book.lines("shopify-eu", START.date(), START.date())) == sum(
        int(Decimal(net) * 100) for _, _, _, net, _ in told
    )


def test_a_shop_without_shopify_payments_is_refused(world: World) -> None:
    world.payments.active = False
    with pytest.raises(Rejected, match="payments_refused"):
        world.feed.settled(START - HOUR, START, None)


def test_missing_scopes_are_named(world: World) -> None:
    world.shop.denied = {"shopifyPaymentsAccount"}
    with pytest.raises(Rejected) as refusal:
        world.feed.balances()
    assert refusal.value.code == "payments_auth"
    assert "read_shopify_payments" in refusal.value.message


def test_an_answer_without_data_is_asked_for_again() -> None:
    def nothing(document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}

    with pytest.raises(Retry):
        ShopifyPaymentsClient(ACCOUNT, nothing, lambda: START).balances()


@pytest.mark.parametrize(
    "cursor", ["", "{", "[]", '{"part":"all"}', '{"payouts":["1 OR id:2"],"part":"of_payout"}', '{"part":"of_payout"}']
)
def test_a_place_that_is_not_of_this_feed_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(Rejected, match="payments_refused"):
        world.feed.settled(START - HOUR, START, cursor)
