"""The shop that is not there bites where Shopify does."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.fakes.shopify_admin import LOCATION, PATH, TOKEN, Plan, ShopifyAdmin, SoldOut, serve
from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.shopify_faults import Fault
from infra.fakes.shopify_inventory import Blame, FailedKeys, StockRules
from infra.local.shopify_schema import SCHEMA_FILE
from infra.samples.shopify import delivery, gid
from shared.kernel.errors import Retry
from shared.orders.models import Order
from shared.storefronts.port import CompleteOrder
from shared.storefronts.shopify.client import ShopifyClient
from shared.storefronts.shopify.mapping import read_order
from shared.webhooks.delivery import Delivery

pytestmark = pytest.mark.skipif(not SCHEMA_FILE.exists(), reason="run python -m infra.local.fetch")

Json = dict[str, Any]

SET = """mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id reason referenceDocumentUri }
    userErrors { code field message }
  }
}"""
VARIANTS = """query Variants($after: String) { productVariants(first: 2, after: $after) {
  edges { cursor node { id sku inventoryItem { id legacyResourceId } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }"""


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def shop(clock: VirtualClock) -> ShopifyAdmin:
    return ShopifyAdmin(clock)


def ask(shop: ShopifyAdmin, query: str, variables: Json | None = None, **headers: str) -> Json:
    answer = post(shop, {"query": query, "variables": variables or {}}, **headers)
    assert answer.status_code == 200
    told: Json = answer.json()
    return told


def post(shop: ShopifyAdmin, body: Any, path: str = PATH, token: str = TOKEN) -> httpx.Response:
    with httpx.Client(transport=httpx.MockTransport(shop.handler), base_url="https://aurora.myshopify.com") as http:
        return http.post(path, json=body, headers={"X-Shopify-Access-Token": token})


def quantity(item: str, units: int, **others: Any) -> Json:
    return {
        "inventoryItemId": gid("InventoryItem", item),
        "locationId": gid("Location", LOCATION),
        "quantity": units,
        "changeFromQuantity": None,
    } | others


def set_levels(shop: ShopifyAdmin, quantities: Sequence[Json], key: str = "key-1", **others: Any) -> Json:
    asked = {"name": "available", "reason": "correction", "quantities": list(quantities)} | others
    return ask(shop, SET, {"input": asked, "key": key})


def errors(answer: Json) -> list[tuple[str, list[str] | None]]:
    found = answer["data"]["inventorySetQuantities"]["userErrors"]
    return [(error["code"], error["field"]) for error in found]


def code(answer: Json) -> str:
    (error,) = answer["errors"]
    stated: str = error["extensions"]["code"]
    return stated


# Who may ask, and what


def test_a_wrong_token_is_unauthorised_and_another_address_is_not_found(shop: ShopifyAdmin) -> None:
    assert post(shop, {"query": "{ __typename }"}, token="shpat-2").status_code == 401
    assert post(shop, {"query": "{ __typename }"}, path="/admin/api/2019-01/graphql.json").status_code == 404
    assert post(shop, ["not a question"]).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "{ productVariants(first: 1) { nodes { barkode } } }",
        '{ order(id: "gid://shopify/Order/1") { id(short: true) } }',
        "{ nodes { id } }",
        "mutation { inventorySetQuantities(input: {name: 1}) { userErrors { code } } }",
        "{ unclosed",
    ],
)
def test_what_the_schema_does_not_know_is_refused(shop: ShopifyAdmin, query: str) -> None:
    answer = ask(shop, query)
    assert answer["errors"]
    assert "data" not in answer
    assert shop.counters.points == 0


def test_variables_of_another_type_are_refused(shop: ShopifyAdmin) -> None:
    number = shop.stock("MUG", 5)
    assert set_levels(shop, [quantity(number, 2**31)])["errors"]
    assert set_levels(shop, [quantity(number, 3, comment="more")])["errors"]
    assert shop.shown("MUG") == 5


def test_what_is_not_modelled_says_so_instead_of_inventing(shop: ShopifyAdmin) -> None:
    assert code(ask(shop, '{ appByHandle(handle: "x") { id } }')) == "NOT_MODELLED"
    assert code(ask(shop, '{ productVariants(first: 1, query: "sku:MUG") { nodes { id } } }')) == "NOT_MODELLED"


def test_a_field_without_a_scope_is_denied(shop: ShopifyAdmin) -> None:
    shop.denied.add("productVariants")
    assert code(ask(shop, VARIANTS)) == "ACCESS_DENIED"


# Points


def test_each_answer_tells_its_cost_and_the_bucket(shop: ShopifyAdmin) -> None:
    for number in range(3):
        shop.stock(f"MUG-{number}", 5)
    cost = ask(shop, "{ productVariants(first: 50) { nodes { sku inventoryItem { id } } } }")["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + 50 * 2
    assert 0 < cost["actualQueryCost"] < 20
    left = 2000 - cost["actualQueryCost"]
    assert cost["throttleStatus"] == {"maximumAvailable": 2000.0, "currentlyAvailable": left, "restoreRate": 100.0}


def test_a_query_beyond_a_thousand_points_is_refused(shop: ShopifyAdmin) -> None:
    ids = [gid("InventoryItem", number) for number in range(250)]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on InventoryItem { variants(first: 3) { nodes { id } } } } }"
    assert code(ask(shop, query, {"ids": ids})) == "MAX_COST_EXCEEDED"
    assert code(ask(shop, "{ productVariants { nodes { id } } }")) == "BAD_REQUEST"


def test_of_several_types_the_dearest_counts(shop: ShopifyAdmin) -> None:
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) {
      ... on InventoryItem { measurement { id } }
      ... on Order { customer { id } risk { recommendation } }
    } }"""
    cost = ask(shop, query, {"ids": [gid("Order", 1)] * 2})["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 * (1 + 2)


def test_an_empty_bucket_throttles_until_it_has_refilled(clock: VirtualClock) -> None:
    shop = ShopifyAdmin(clock, Plan(15.0, 10.0))
    number = shop.stock("MUG", 5)
    assert errors(set_levels(shop, [quantity(number, 4)], key="key-1")) == []
    refused = set_levels(shop, [quantity(number, 3)], key="key-2")
    assert (code(refused), shop.shown("MUG"), shop.counters.throttled) == ("THROTTLED", 4, 1)
    assert "data" not in refused
    assert refused["extensions"]["cost"] == {
        "requestedQueryCost": 10,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 15.0, "currentlyAvailable": 5, "restoreRate": 10.0},
    }
    clock.pause(0.49)
    assert code(set_levels(shop, [quantity(number, 3)], key="key-2")) == "THROTTLED"
    clock.pause(0.01)
    assert errors(set_levels(shop, [quantity(number, 3)], key="key-2")) == []
    clock.pause(3600)
    assert shop.bucket.available() == 15.0


# Setting levels


def test_levels_are_set_together_and_counted(shop: ShopifyAdmin) -> None:
    mug, cup = shop.stock("MUG", 5), shop.stock("CUP", None)
    answer = set_levels(shop, [quantity(mug, 7, changeFromQuantity=5), quantity(cup, 2)], referenceDocumentUri="a://b")
    assert answer["data"]["inventorySetQuantities"] == {
        "inventoryAdjustmentGroup": {
            "id": "gid://shopify/InventoryAdjustmentGroup/1",
            "reason": "correction",
            "referenceDocumentUri": "a://b",
        },
        "userErrors": [],
    }
    assert (shop.shown("MUG"), shop.shown("CUP")) == (7, 2)
    assert (shop.written("MUG"), shop.counters.calls, shop.counters.points) == (1, 1, 10)
    assert shop.counters.bytes_in > 200
    assert shop.counters.bytes_out > 200


def test_one_fault_keeps_all_from_being_set(shop: ShopifyAdmin) -> None:
    mug, cup, bundle = shop.stock("MUG", 5), shop.stock("CUP", 5), shop.stock("SET", 5, mutable=False)
    asked = [
        quantity(mug, 7),
        quantity(cup, 7, changeFromQuantity=4),
        quantity(bundle, 7),
        quantity("404", 7),
        quantity(mug, 8, locationId=gid("Location", 404)),
        quantity(mug, 8),
        quantity(cup, 1_000_000_001, locationId=gid("Location", 404)),
    ]
    assert errors(set_levels(shop, asked)) == [
        ("CHANGE_FROM_QUANTITY_STALE", ["input", "quantities", "1", "changeFromQuantity"]),
        ("NON_MUTABLE_INVENTORY_ITEM", ["input", "quantities", "2", "inventoryItemId"]),
        ("INVALID_INVENTORY_ITEM", ["input", "quantities", "3", "inventoryItemId"]),
        ("INVALID_LOCATION", ["input", "quantities", "4", "locationId"]),
        ("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", ["input", "quantities", "5"]),
        ("INVALID_LOCATION", ["input", "quantities", "6", "locationId"]),
    ]
    assert [shop.shown(sku) for sku in ("MUG", "CUP", "SET")] == [5, 5, 5]


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"name": "committed"}, ("INVALID_NAME", ["input", "name"])),
        ({"reason": "because"}, ("INVALID_REASON", ["input", "reason"])),
        ({"referenceDocumentUri": "push"}, ("INVALID_REFERENCE_DOCUMENT", ["input", "referenceDocumentUri"])),
    ],
)
def test_a_call_is_refused_for_what_it_says_of_itself(
    shop: ShopifyAdmin, others: Json, told: tuple[str, list[str]]
) -> None:
    assert errors(set_levels(shop, [quantity(shop.stock("MUG", 5), 7)], **others)) == [told]
    assert shop.shown("MUG") == 5


@pytest.mark.parametrize(("units", "word"), [(1_000_000_001, "HIGH"), (-1_000_000_001, "LOW")])
def test_quantities_have_bounds(shop: ShopifyAdmin, units: int, word: str) -> None:
    ((found, _path),) = errors(set_levels(shop, [quantity(shop.stock("MUG", 5), units)]))
    assert found == f"INVALID_QUANTITY_TOO_{word}"


def test_what_was_left_out_fails_at_run_time_though_the_schema_allows_it(shop: ShopifyAdmin) -> None:
    number = shop.stock("MUG", 5)
    silent = quantity(number, 7)
    del silent["changeFromQuantity"]
    assert code(set_levels(shop, [silent])) == "INVALID_FIELD_ARGUMENTS"
    without_key = SET.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    asked = {"name": "available", "reason": "correction", "quantities": [quantity(number, 7)]}
    assert code(ask(shop, without_key, {"input": asked})) == "BAD_REQUEST"
    assert code(set_levels(shop, [quantity(number, 7)], key=" ")) == "BAD_REQUEST"
    assert code(set_levels(shop, [quantity(number, 7)] * 251)) == "MAX_INPUT_SIZE_EXCEEDED"
    assert (shop.shown("MUG"), shop.written("MUG")) == (5, 0)


# Keys


def test_a_key_has_one_effect_and_one_meaning_as_long_as_it_is_remembered(
    shop: ShopifyAdmin, clock: VirtualClock
) -> None:
    number = shop.stock("MUG", 5)
    first = set_levels(shop, [quantity(number, 7)])
    shop.sell("MUG", 2)
    assert set_levels(shop, [quantity(number, 7)])["data"] == first["data"]
    assert errors(set_levels(shop, [quantity(number, 8)])) == [("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)]
    assert (shop.shown("MUG"), shop.written("MUG")) == (5, 1)
    clock.pause(timedelta(hours=24).total_seconds())
    set_levels(shop, [quantity(number, 7)])
    assert (shop.shown("MUG"), shop.written("MUG")) == (7, 2)


@pytest.mark.parametrize(
    ("failed_keys", "told"),
    [
        (FailedKeys.REFUSED, ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]),
        (FailedKeys.REPLAYED, ["CHANGE_FROM_QUANTITY_STALE"]),
        (FailedKeys.FORGOTTEN, []),
    ],
)
def test_a_key_whose_attempt_failed(clock: VirtualClock, failed_keys: FailedKeys, told: list[str]) -> None:
    shop = ShopifyAdmin(clock, stock_rules=StockRules(failed_keys=failed_keys))
    asked = [quantity(shop.stock("MUG", 5), 7, changeFromQuantity=3)]
    assert [name for name, _path in errors(set_levels(shop, asked))] == ["CHANGE_FROM_QUANTITY_STALE"]
    shop.sell("MUG", 2)
    assert [name for name, _path in errors(set_levels(shop, asked))] == told


@pytest.mark.parametrize(
    ("blame", "fields"),
    [
        (Blame.EACH, [["input", "quantities", str(at), "inventoryItemId"] for at in (0, 1)]),
        (Blame.FIRST, [["input", "quantities", "0", "inventoryItemId"]]),
        (Blame.NOBODY, [["input", "quantities"]]),
    ],
)
def test_who_is_blamed(clock: VirtualClock, blame: Blame, fields: list[list[str]]) -> None:
    shop = ShopifyAdmin(clock, stock_rules=StockRules(blame=blame))
    found = errors(set_levels(shop, [quantity("404", 1), quantity("405", 1)]))
    assert [path for _name, path in found] == fields


# What goes wrong


@pytest.mark.parametrize(
    ("fault", "failure", "shown"),
    [
        (Fault.DROPPED, httpx.ConnectError, 5),
        (Fault.TIMED_OUT_BEFORE, httpx.ReadTimeout, 5),
        (Fault.TIMED_OUT_AFTER, httpx.ReadTimeout, 7),
        (Fault.SLOW, httpx.ReadTimeout, 5),
    ],
)
def test_an_answer_is_lost(shop: ShopifyAdmin, fault: Fault, failure: type[Exception], shown: int) -> None:
    number = shop.stock("MUG", 5)
    shop.expect(fault)
    with pytest.raises(failure):
        set_levels(shop, [quantity(number, 7)])
    assert shop.shown("MUG") == shown


@pytest.mark.parametrize(("fault", "status", "shown"), [(Fault.FAILED_BEFORE, 503, 5), (Fault.FAILED_AFTER, 502, 7)])
def test_a_server_fails(shop: ShopifyAdmin, fault: Fault, status: int, shown: int) -> None:
    asked = {"name": "available", "reason": "correction", "quantities": [quantity(shop.stock("MUG", 5), 7)]}
    shop.expect(fault)
    answer = post(shop, {"query": SET, "variables": {"input": asked, "key": "key-1"}})
    assert (answer.status_code, shop.shown("MUG")) == (status, shown)


def test_slow_work_holds_its_key_until_it_is_done(shop: ShopifyAdmin, clock: VirtualClock) -> None:
    asked = [quantity(shop.stock("MUG", 5), 7)]
    shop.expect(Fault.SLOW)
    with pytest.raises(httpx.ReadTimeout):
        set_levels(shop, asked)
    assert errors(set_levels(shop, asked)) == [("IDEMPOTENCY_CONCURRENT_REQUEST", None)]
    clock.pause(30)
    assert errors(set_levels(shop, asked)) == []
    assert (shop.shown("MUG"), shop.written("MUG")) == (7, 1)


def test_a_request_that_arrives_twice_is_answered_by_its_second_arrival(shop: ShopifyAdmin) -> None:
    asked = [quantity(shop.stock("MUG", 5), 7, changeFromQuantity=4)]
    shop.expect(Fault.DUPLICATED)
    assert errors(set_levels(shop, asked)) == [("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", None)]
    assert shop.counters.points == 20


def test_the_weather_is_asked_where_nothing_was_foreseen(shop: ShopifyAdmin) -> None:
    forecasts = iter([Fault.DROPPED, None])
    shop.weather = lambda: next(forecasts)
    shop.expect(None)
    set_levels(shop, [])
    with pytest.raises(httpx.ConnectError):
        set_levels(shop, [])
    set_levels(shop, [])
    shop.expect(Fault.DROPPED)
    shop.calm()
    set_levels(shop, [])


# What it sells


def test_variants_come_in_pages(shop: ShopifyAdmin) -> None:
    numbers = [shop.stock(f"MUG-{at}", 5) for at in range(3)]
    first = ask(shop, VARIANTS)["data"]["productVariants"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": numbers[0],
        "endCursor": numbers[1],
    }
    second = ask(shop, VARIANTS, {"after": first["pageInfo"]["endCursor"]})["data"]["productVariants"]
    assert [edge["node"] for edge in second["edges"]] == [
        {
            "id": gid("ProductVariant", numbers[2]),
            "sku": "MUG-2",
            "inventoryItem": {"id": gid("InventoryItem", numbers[2]), "legacyResourceId": numbers[2]},
        }
    ]
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)


def test_a_sale_lowers_the_level_and_no_more_is_sold_than_is_shown(shop: ShopifyAdmin) -> None:
    shop.stock("MUG", 5)
    shop.stock("E-BOOK", 0, tracked=False)
    body = shop.sell("MUG", 4)
    assert shop.shown("MUG") == 1
    assert [(line["sku"], line["quantity"]) for line in body["line_items"]] == [("MUG", 4)]
    with pytest.raises(SoldOut):
        shop.sell("MUG", 2)
    assert shop.shown("MUG") == 1
    shop.sell("E-BOOK", 3)


def client(shop: ShopifyAdmin) -> ShopifyClient:
    http = httpx.Client(transport=httpx.MockTransport(shop.handler))
    return ShopifyClient("aurora", "aurora.myshopify.com", token, http, shop.clock)


def token(*, fresh: bool = False) -> Mapping[str, str]:
    return {"access_token": TOKEN}


def read(given: Delivery | None) -> Order:
    assert given is not None
    reading = read_order(given)
    assert isinstance(reading, CompleteOrder)
    return reading.order


TOLD_BY_ONE_ONLY: Any = {
    "lines": {0: {"fulfilment_service"}},
    "personal": {"unknown_fields", "user_agent"},
    "raw_sha256": True,
    "risk_level": True,
    "version": True,
}
"""What the two cannot agree on: what only the webhook or only the API tells, and what is of the delivery itself."""


def test_what_was_sold_reads_the_same_from_its_webhook_and_from_the_api(shop: ShopifyAdmin) -> None:
    number = shop.stock("MUG", 5)
    body = shop.sell("MUG", 2)
    told, fetched = read(delivery(body)), read(client(shop).fetch_order(str(body["id"])))
    assert fetched.model_dump(exclude=TOLD_BY_ONE_ONLY) == told.model_dump(exclude=TOLD_BY_ONE_ONLY)
    assert [(line.variant_id, line.stock_tracked) for line in fetched.lines] == [(number, True)]


def test_an_order_that_is_not_there_is_not_found(shop: ShopifyAdmin) -> None:
    assert client(shop).fetch_order("1") is None


def test_a_throttled_order_is_asked_for_again_later(shop: ShopifyAdmin) -> None:
    shop.stock("MUG", 5)
    number = str(shop.sell("MUG", 1)["id"])
    shop.expect(Fault.THROTTLED)
    with pytest.raises(Retry):
        client(shop).fetch_order(number)


# On loopback


@pytest.fixture
def loopback(shop: ShopifyAdmin) -> Iterator[Callable[[Json], httpx.Response]]:
    server = serve(shop)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as http:
        yield lambda body: http.post(PATH, content=json.dumps(body), headers={"X-Shopify-Access-Token": TOKEN})
    server.close()


def test_it_is_served_on_loopback(shop: ShopifyAdmin, loopback: Callable[[Json], httpx.Response]) -> None:
    number = shop.stock("MUG", 5)
    question = {"query": f'{{ inventoryItem(id: "{gid("InventoryItem", number)}") {{ sku tracked }} }}'}
    assert loopback(question).json()["data"] == {"inventoryItem": {"sku": "MUG", "tracked": True}}
    shop.expect(Fault.TIMED_OUT_AFTER)
    with pytest.raises(httpx.RemoteProtocolError):
        loopback(question)
    assert loopback(question).status_code == 200
    assert shop.counters.calls == 3
