"""Manual syncs end to end: command line, function, tables and queues of the local stack, and a WooCommerce shop."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.cli import sync
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake
from infra.fakes.woocommerce_requests import failing
from infra.local.provision import Contents
from infra.local.stack import ROOT, LocalStack, Options
from shared.sync.manual import parse_request
from tests.integration.cli.conftest import CommandLine, disconnect

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHOP = {"platform": "woocommerce", "address": "borealis.example", "locations": ["main"], "stock_buffer": 1}
SETTINGS: dict[str, Any] = {
    "merchant": "Example Goods",
    "locations": {"main": {"name": "Main"}, "annexe": {"name": "Annexe"}},
    "shops": {
        "borealis": {**SHOP, "order_delay_seconds": 1},
        "quiet": {**SHOP, "address": "quiet.example", "push_stock": False},
        "closed": {**SHOP, "address": "closed.example", "api_access": False},
    },
}
SECRETS = {"webhooks": {}, "api": {"borealis": {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}}}
MANY = [f"S{number:03}" for number in range(230)]


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def shop() -> WooCommerceFake:
    fake = WooCommerceFake(Clock(), address="borealis.example")
    for sku in ("MUG-BLUE", "MUG-RED", "TEAPOT", *MANY):
        fake.add_product(sku, 3)
    return fake


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def stack(shop: WooCommerceFake) -> Iterator[LocalStack]:
    """Serves on a port that is known before, so that a function can be told where to invoke itself."""
    port, server = free_port(), shop.serve()
    environment = {
        "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{port}",
        "STOREBRIDGE_LOCAL_STOREFRONTS": json.dumps({"borealis.example": server.port}),
    }
    options = Options(port=port, contents=Contents(SETTINGS, SECRETS), environment=environment, retry_after=0)
    try:
        with LocalStack(options) as running:
            disconnect()
            yield running
    finally:
        server.close()
    disconnect()


Ask = Callable[..., Any]


@pytest.fixture
def ask(stack: LocalStack) -> Ask:
    """Invoke the function as an operator's program does."""

    def invoke(**request: Any) -> Any:
        outcome = stack.lambdas.invoke("storebridge-manual-sync", json.dumps({"shop": "borealis"} | request).encode())
        assert not outcome.failed, outcome.payload
        return json.loads(outcome.payload)

    return invoke


def event(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def _stocked(storebridge: CommandLine, stack: LocalStack) -> None:
    """Counted, swept, and quiet."""
    for sku, units in (("MUG-BLUE", 10), ("MUG-RED", 5)):
        storebridge.json("stock", "set", sku, "main", str(units))
    stack.drain()
    swept = storebridge.json("sync", "stock", "--shop", "borealis")
    assert swept["done"], swept
    stack.drain()


def count_in(storebridge: CommandLine, sku: str, units: int) -> None:
    storebridge.json("stock", "set", sku, "main", str(units))


def retype(shop: WooCommerceFake, sku: str, units: int) -> None:
    """Somebody types another number into the shop."""
    product = shop.shop.by_sku(sku)
    assert product is not None
    product.stock = units


def writes(shop: WooCommerceFake) -> int:
    return sum(shop.shop.stock_writes.values())


@pytest.mark.usefixtures("_stocked")
def test_given_skus_are_looked_at_and_corrected_and_no_others(storebridge: CommandLine, shop: WooCommerceFake) -> None:
    retype(shop, "MUG-BLUE", 90)
    retype(shop, "MUG-RED", 90)
    done = storebridge.json("sync", "stock", "--shop", "borealis", "--sku", "MUG-BLUE", "--sku", "NOT-SOLD")
    assert done["changes"] == [{"sku": "MUG-BLUE", "before": 90, "after": 9}]
    assert done["skipped"] == {"NOT-SOLD": "not_found_by_a_sweep"}
    assert (shop.shown("MUG-BLUE"), shop.shown("MUG-RED")) == (9, 90)


@pytest.mark.usefixtures("_stocked")
@pytest.mark.parametrize("words", [("--sku", "MUG-BLUE", "--sku", "MUG-RED"), ()], ids=["given", "sweep"])
def test_a_dry_run_tells_exactly_what_is_then_written(
    storebridge: CommandLine, shop: WooCommerceFake, stack: LocalStack, words: tuple[str, ...]
) -> None:
    retype(shop, "MUG-BLUE", 50)
    retype(shop, "MUG-RED", 60)
    bindings = [item for item in storebridge.contents()["storebridge-sync"] if '"binding/' in item]
    before = writes(shop)
    foreseen = storebridge.json("sync", "stock", "--shop", "borealis", "--dry-run", *words)
    stack.drain()
    assert writes(shop) == before
    assert [item for item in storebridge.contents()["storebridge-sync"] if '"binding/' in item] == bindings
    done = storebridge.json("sync", "stock", "--shop", "borealis", *words)
    expected = [{"sku": "MUG-BLUE", "before": 50, "after": 9}, {"sku": "MUG-RED", "before": 60, "after": 4}]
    assert foreseen["changes"] == done["changes"] == expected
    assert writes(shop) == before + 2
    nothing = storebridge.json("sync", "stock", "--shop", "borealis", "--dry-run", *words)
    assert nothing["changes"] == []


@pytest.mark.usefixtures("_stocked")
def test_a_dry_run_is_printed_as_differences(storebridge: CommandLine, shop: WooCommerceFake) -> None:
    retype(shop, "MUG-BLUE", 77)
    printed = storebridge("sync", "stock", "--shop", "borealis", "--sku", "MUG-BLUE", "--dry-run").stdout
    assert "77 → 9" in printed
    assert "dry run" in printed
    storebridge.json("sync", "stock", "--shop", "borealis", "--sku", "MUG-BLUE")


def test_a_sweep_that_takes_long_goes_on_by_itself(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake, ask: Ask
) -> None:
    for sku in MANY:
        retype(shop, sku, 3)
    stack.drain()
    first = ask(what="stock", wait_seconds=0, dry_run=True)
    assert (first["done"], first["goes_on"], first["job"]) == (False, True, "stock_sync/borealis/dry_run")
    assert first["counts"]["items"] == 100
    stack.drain()
    (kept,) = [item for item in storebridge.contents()["storebridge-sync"] if '"stock_sync/borealis/dry_run"' in item]
    job = json.loads(json.loads(kept)["job"]["S"])
    assert (job["step"], job["counts"]["items"]) == (3, len(MANY) + 3)
    assert job["finished_at"]


def test_the_command_line_follows_a_sweep_to_its_end(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sku in MANY[::10]:
        count_in(storebridge, sku, 8)
    stack.drain()
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        stack.drain()

    monkeypatch.setattr(sync, "pause", wait)
    monkeypatch.setattr(sync, "parse_request", lambda given: parse_request({**given, "wait_seconds": 0}))
    done = storebridge.json("sync", "stock", "--shop", "borealis")
    assert pauses == [2.0]
    assert done["done"]
    assert (done["counts"]["items"], done["more"]) == (len(MANY) + 3, 0)
    assert {change["sku"] for change in done["changes"]} >= set(MANY[::10])
    assert all(shop.shown(sku) == 7 for sku in MANY[::10])


def test_a_second_sync_of_the_same_shop_is_told_so(storebridge: CommandLine, stack: LocalStack) -> None:
    now = datetime.now(UTC)
    stack.clients.dynamodb.put_item(
        TableName="storebridge-sync",
        Item={
            "pk": {"S": "job"},
            "sk": {"S": "stock_sync/borealis"},
            "holder": {"S": "another"},
            "held_until": {"S": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.%f}000Z"},
        },
    )
    refused = storebridge.refusal("sync", "stock", "--shop", "borealis")
    assert (refused["error"], refused["hint"]) == ("taken", "wait until it is done")
    stack.clients.dynamodb.delete_item(
        TableName="storebridge-sync", Key={"pk": {"S": "job"}, "sk": {"S": "stock_sync/borealis"}}
    )


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ({"what": "stock", "shop": "nowhere"}, "unknown_shop", "shop"),
        ({"what": "stock", "shop": "quiet"}, "stock_not_pushed", "shop"),
        ({"what": "stock", "shop": "closed"}, "no_api_access", "shop"),
        ({"what": "customers"}, "synchronised_elsewhere", "what"),
        ({"what": "orders", "ids": ["x y"]}, "invalid_request", "ids.0"),
        ({"what": "orders", "ids": ["abc"]}, "invalid_order_id", "order_id"),
    ],
)
def test_what_cannot_be_done_is_answered_and_not_raised(
    ask: Ask, request_: dict[str, Any], code: str, field: str
) -> None:
    answer = ask(**request_)
    assert (answer["error"], answer["field"]) == (code, field)
    assert set(answer) == {"error", "field", "message", "hint"}


# Orders


def stored(stack: LocalStack, order_id: int) -> bool:
    key = {"pk": {"S": f"borealis/{order_id}"}, "sk": {"S": "order"}}
    items = stack.clients.dynamodb.scan(TableName="storebridge-orders")["Items"]
    return any(item["pk"] == key["pk"] for item in items)


def test_orders_are_fetched_by_id_and_taken_in(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake
) -> None:
    order = shop.sell("TEAPOT", 1)
    words = ("sync", "orders", "--shop", "borealis", "--id", str(order.id), "--id", "999999")
    foreseen = storebridge.json(*words, "--dry-run")
    expected = [
        {"order_id": str(order.id), "state": "new", "queued": True},
        {"order_id": "999999", "state": "unknown", "queued": False},
    ]
    assert foreseen["orders"] == expected
    stack.drain()
    assert not stored(stack, order.id)
    assert storebridge.json(*words)["orders"] == expected
    stack.drain()
    assert storebridge.json("orders", "show", f"borealis/{order.id}")["platform"] == "woocommerce"
    again = storebridge.json(*words)
    assert again["orders"][0]["state"] == "same"


def test_an_order_that_the_shop_no_longer_has_is_cancelled_here(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake
) -> None:
    order = shop.sell("TEAPOT", 1)
    words = ("sync", "orders", "--shop", "borealis", "--id", str(order.id))
    storebridge.json(*words)
    stack.drain()
    shop.shop.delete_order(order, force=True)
    assert storebridge.json(*words)["orders"] == [{"order_id": str(order.id), "state": "gone", "queued": True}]
    stack.drain()
    assert storebridge.json("orders", "show", f"borealis/{order.id}")["review"] == "cancelled"


def test_a_shop_that_fails_leaves_the_order_to_intake(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake
) -> None:
    shop.shop.add_product("SPOON", 5)
    order = shop.sell("SPOON", 1)
    shop.troubles.plan(failing())
    done = storebridge.json("sync", "orders", "--shop", "borealis", "--id", str(order.id))
    assert done["orders"] == [{"order_id": str(order.id), "state": "postponed", "queued": True}]
    stack.drain()
    assert stored(stack, order.id)


def test_orders_of_a_period_are_found_and_taken_in(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake
) -> None:
    clock = shop.shop._clock
    assert isinstance(clock, Clock)
    clock.now = NOON + timedelta(days=2)
    shop.shop.add_product("PLATE", 500)
    placed = [shop.sell("PLATE", 1) for _ in range(60)]
    open_checkout = shop.open_checkout("PLATE", 1)
    clock.now = NOON + timedelta(days=4)
    shop.sell("PLATE", 1)
    words = ("--shop", "borealis", "--since", "2026-11-25T00:00:00Z", "--until", "2026-11-26T00:00:00Z")
    done = storebridge.json("sync", "orders", *words)
    states = {row["order_id"]: row["state"] for row in done["orders"]}
    assert states.keys() == {str(order.id) for order in (*placed, open_checkout)}
    # One second fills a page, so some are listed twice, and intake may have taken them in between.
    assert {states[str(order.id)] for order in placed} <= {"new", "same"}
    assert states[str(open_checkout.id)] == "draft"
    stack.drain()
    assert all(stored(stack, order.id) for order in placed)
    again = storebridge.json("sync", "orders", *words, "--dry-run")
    assert again["counts"]["same"] >= 60


# What stock explains


def test_a_level_is_explained_movement_by_movement_and_shop_by_shop(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake
) -> None:
    shop.add_product("BOWL", 0)
    storebridge.json("stock", "set", "BOWL", "main", "20", "--buffer", "3", "--by", "mia")
    stack.drain()
    storebridge.json("sync", "stock", "--shop", "borealis")
    order = shop.sell("BOWL", 4)
    storebridge.json("sync", "orders", "--shop", "borealis", "--id", str(order.id))
    stack.drain()
    told = storebridge.json("stock", "explain", "BOWL", "--shop", "borealis")
    (place,) = told["locations"]
    assert [(move["cause"], move["on_hand"], move["reserved"]) for move in place["movements"]] == [
        ("count", 20, 0),
        ("order", 0, 4),
    ]
    assert place["movements"][0]["actor"] == "mia"
    assert place["audit"]["agrees"]
    (seen,) = told["shops"]
    assert (seen["sum"], seen["buffer"], seen["sells"]) == (13, 1, 12)
    assert seen["binding"]["item_id"]
    printed = storebridge("stock", "explain", "BOWL").stdout
    assert "main 16 - 3 = 13; - buffer 1 = 12" in printed
    assert "The ledger agrees" in printed
    past = storebridge.json("stock", "explain", "BOWL", "--at", "2020-01-01T00:00:00Z")
    assert (past["locations"][0]["movements"], past["shops"]) == ([], [])
    assert storebridge.refusal("stock", "explain", "NO-SUCH")["error"] == "unknown_sku"


def test_a_bundle_is_defined_explained_pushed_and_removed(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake
) -> None:
    shop.add_product("TEA-SET", 0)
    for sku, units in (("CUP", 9), ("JUG", 5)):
        count_in(storebridge, sku, units)
    words = ("stock", "bundle", "set", "TEA-SET", "CUP=4", "JUG=1")
    assert storebridge.json(*words, "--dry-run")["dry_run"]
    assert storebridge.json("stock", "bundle", "show") == {"bundles": [], "unknown": []}
    done = storebridge.json(*words)
    assert (done["before"], done["after"]) == (None, {"CUP": 4, "JUG": 1})
    stack.drain()
    storebridge.json("sync", "stock", "--shop", "borealis")
    assert shop.shown("TEA-SET") == 1
    told = storebridge.json("stock", "explain", "TEA-SET", "--shop", "borealis")
    assert told["made_of"] == {"CUP": 4, "JUG": 1}
    (seen,) = told["shops"]
    assert (seen["sells"], seen["locations"][0]["makes"]) == (1, 2)
    assert "CUP (9 - 0 = 9) / 4" in storebridge("stock", "explain", "TEA-SET").stdout
    assert storebridge.json("stock", "explain", "CUP")["part_of"] == ["TEA-SET"]
    storebridge.json("stock", "bundle", "set", "TEA-SET", "CUP=3", "JUG=1")
    stack.drain()
    assert shop.shown("TEA-SET") == 2
    assert storebridge.json("stock", "bundle", "remove", "TEA-SET")["after"] is None
    assert storebridge.refusal("stock", "bundle", "remove", "TEA-SET")["error"] == "unknown_bundle"


@pytest.mark.usefixtures("_stocked")
def test_what_drifted_is_listed_with_its_cause(storebridge: CommandLine, shop: WooCommerceFake) -> None:
    retype(shop, "MUG-RED", 44)
    storebridge.json("sync", "stock", "--shop", "borealis")
    newest = storebridge.json("stock", "drift", "--shop", "borealis", "--limit", "1")["drift"][0]
    del newest["found_at"]
    assert newest == {
        "sku": "MUG-RED",
        "shown": 44,
        "wanted": 4,
        "cause": "changed_in_shop",
        "corrected": True,
    }
    assert "changed_in_shop" in storebridge("stock", "drift", "--shop", "borealis").stdout
    assert storebridge.refusal("stock", "drift", "--shop", "nowhere")["error"] == "unknown_shop"


# The recorded events


def test_the_recorded_events_do_their_work(
    storebridge: CommandLine, stack: LocalStack, shop: WooCommerceFake, ask: Ask
) -> None:
    del storebridge
    invoke = stack.lambdas.invoke
    assert not invoke("storebridge-stock-relay", json.dumps(event("stock_relay_stream")).encode()).failed
    found = stack.clients.dynamodb.get_item(
        TableName="storebridge-movements",
        Key={"sku": {"S": "MUG-BLUE"}, "entry": {"S": "main/000000000008"}},
    )
    assert found["Item"]["reserved"] == {"N": "2"}
    stack.drain()
    pushed = invoke("storebridge-stock-push", json.dumps(event("stock_push_sqs")).encode())
    assert json.loads(pushed.payload) == {"batchItemFailures": []}
    job = {"pk": {"S": "job"}, "sk": {"S": "stock_sync/borealis"}}
    stack.clients.dynamodb.delete_item(TableName="storebridge-sync", Key=job)  # or it was swept lately enough
    swept = invoke("storebridge-stock-sync", json.dumps(event("stock_sync_schedule")).encode())
    assert json.loads(swept.payload) == {"borealis": "done"}
    assert ask(**event("manual_sync_stock"))["done"]
    assert ask(**event("manual_sync_orders"))["done"]
    assert shop.requests
