"""Every recorded trigger under `events/` does its work on the local stack, with the real functions."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.provision import Contents
from infra.local.stack import HERE, ROOT, LocalStack, Options

EVENTS = ROOT / "events"
ORDERS = {"shopify": "aurora/5001", "woocommerce": "borealis/727"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    settings = tomllib.loads((HERE / "settings.toml").read_text(encoding="utf-8"))
    settings["shops"]["aurora"]["buyers"] = {"sender": "shop@example.test", "sender_name": "Aurora"}
    contents = Contents(
        settings=settings,
        secrets=tomllib.loads((HERE / "secrets.example.toml").read_text(encoding="utf-8")),
    )
    closed = json.dumps({shop["address"]: 9 for shop in contents.settings["shops"].values()})
    nowhere = {"STOREBRIDGE_LOCAL_STOREFRONTS": closed}
    with LocalStack(Options(contents=contents, retry_after=0, environment=nowhere)) as running:
        yield running


def read(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def invoke(stack: LocalStack, function: str, event: dict[str, Any]) -> Any:
    outcome = stack.lambdas.invoke(f"storebridge-{function}", json.dumps(event).encode())
    assert not outcome.failed, outcome.payload
    return json.loads(outcome.payload)


def orders(stack: LocalStack) -> set[str]:
    items = stack.clients.dynamodb.scan(TableName="storebridge-orders", ConsistentRead=True)["Items"]
    return {item["pk"]["S"] for item in items}


def left_over(stack: LocalStack) -> dict[str, int]:
    """Messages on each queue, where there are any."""
    counts = {}
    for queue in stack.deployment.queues:
        url = stack.clients.sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
        found = stack.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        counts[queue.name] = int(found["Attributes"]["ApproximateNumberOfMessages"])
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("platform", sorted(ORDERS))
def test_a_webhook_event_becomes_an_order(stack: LocalStack, platform: str) -> None:
    event = read(f"order_webhook_{platform}")
    reply = invoke(stack, "order-webhook", event)
    assert 200 <= reply["statusCode"] < 300
    stack.drain()
    assert ORDERS[platform] in orders(stack)
    assert left_over(stack) == {}


@pytest.mark.parametrize("platform", sorted(ORDERS))
def test_a_webhook_event_that_was_changed_is_refused(stack: LocalStack, platform: str) -> None:
    event = read(f"order_webhook_{platform}")
    event["body"] = event["body"].replace("Utrecht", "Antwerp")
    assert invoke(stack, "order-webhook", event)["statusCode"] == 401


def test_the_queue_event_is_taken_in_whole(stack: LocalStack) -> None:
    assert invoke(stack, "order-intake", read("order_intake_sqs")) == {"batchItemFailures": []}
    assert set(ORDERS.values()) <= orders(stack)


def test_the_stream_event_is_relayed_whole(stack: LocalStack) -> None:
    assert invoke(stack, "order-relay", read("order_relay_stream")) == {"batchItemFailures": []}


def test_the_schedule_event_runs_to_its_end(stack: LocalStack) -> None:
    invoke(stack, "order-review", read("order_review_schedule"))
    stack.drain()
    assert left_over(stack) == {}


@pytest.mark.parametrize("function", ["backoffice-push", "storefront-push"])
def test_the_errand_events_are_run_whole(stack: LocalStack, function: str) -> None:
    """Neither a back office nor a shop to tell is connected here: the errands end at once, and nothing is set aside."""
    event = read(f"{function.replace('-', '_')}_sqs")
    assert invoke(stack, function, event) == {"batchItemFailures": []}
    stack.drain()
    assert left_over(stack) == {}


def test_the_look_at_back_offices_ends_where_there_are_none(stack: LocalStack) -> None:
    assert invoke(stack, "backoffice-pull", read("backoffice_pull_schedule")) == {}


def test_the_repair_event_looks_after_every_shop_and_says_what_stands_in_its_way(stack: LocalStack) -> None:
    out_of_reach = dict.fromkeys(("orders", "customers"), "storefront_unreachable")
    verdict = {"subscriptions": "no_base_url", **out_of_reach}
    found = invoke(stack, "order-repair", read("order_repair_schedule"))
    assert found == {"aurora": verdict, "borealis": verdict}


@pytest.mark.parametrize(("platform", "customer"), [("shopify", "aurora/"), ("woocommerce", "borealis/")])
def test_a_registration_event_becomes_a_customer(stack: LocalStack, platform: str, customer: str) -> None:
    event = read(f"registration_webhook_{platform}")
    assert invoke(stack, "registration-webhook", event)["statusCode"] == 200
    stack.drain()
    items = stack.clients.dynamodb.scan(TableName="storebridge-customers", ConsistentRead=True)["Items"]
    assert [
        item for item in items if item["pk"]["S"].startswith(f"{customer}customer/") and item["sk"]["S"] == "record"
    ]
    assert left_over(stack) == {}


@pytest.mark.parametrize(
    "event", ["customer_intake_sqs", "customer_relay_stream", "notify_order", "notify_verification"]
)
def test_the_events_of_customers_and_buyers_are_taken_whole(stack: LocalStack, event: str) -> None:
    function = event.rpartition("_")[0].replace("_", "-")
    assert invoke(stack, function, read(event)) == {"batchItemFailures": []}
    stack.drain()
    assert left_over(stack) == {}


def test_the_page_of_an_order_shows_it(stack: LocalStack) -> None:
    invoke(stack, "order-webhook", read("order_webhook_shopify"))
    stack.drain()
    page = invoke(stack, "order-tracking", read("order_tracking_get"))
    assert page["statusCode"] == 200
    assert 'lang="zh-Hans"' in page["body"]


@pytest.mark.parametrize("event", ["customer_verification_get", "customer_verification_post"])
def test_a_link_whose_customer_nobody_knows_is_answered_politely(stack: LocalStack, event: str) -> None:
    page = invoke(stack, "customer-verification", read(event))
    assert 200 <= page["statusCode"] < 500
    assert page["headers"]["content-type"].startswith("text/html")


def test_the_work_on_erasures_ends_where_nobody_asked_for_any(stack: LocalStack) -> None:
    invoke(stack, "customer-privacy", read("customer_privacy_schedule"))
    stack.drain()
    assert left_over(stack) == {}


def facts(stack: LocalStack) -> set[str]:
    items = stack.clients.dynamodb.scan(TableName="storebridge-finance", ConsistentRead=True)["Items"]
    return {item["pk"]["S"] for item in items}


def test_a_payment_event_becomes_a_payment_and_the_provider_hears_what_it_wants(stack: LocalStack) -> None:
    reply = invoke(stack, "payment-webhook", read("payment_webhook_alipay"))
    assert (reply["statusCode"], reply["body"]) == (200, "success")
    stack.drain()
    assert "payment:alipay-cn/2026112322001400000000000001" in " ".join(facts(stack))
    assert left_over(stack) == {}


def test_a_payment_event_that_was_changed_is_refused(stack: LocalStack) -> None:
    event = read("payment_webhook_alipay")
    event["body"] = event["body"].replace("total_amount=", "total_amount=9")
    reply = invoke(stack, "payment-webhook", event)
    assert (reply["statusCode"], reply["body"]) == (401, "fail")


def test_the_events_of_payments_are_taken_whole(stack: LocalStack) -> None:
    invoke(stack, "order-webhook", read("order_webhook_shopify"))
    stack.drain()
    assert invoke(stack, "payment-intake", read("payment_intake_sqs")) == {"batchItemFailures": []}
    assert "order:aurora/5001" in " ".join(facts(stack))
    assert left_over(stack) == {}


def test_the_reconciliation_and_the_close_run_to_their_end(stack: LocalStack) -> None:
    done = invoke(stack, "payment-reconciliation", read("payment_reconciliation_schedule"))
    assert done["dry_run"] is False
    closed = invoke(stack, "daily-close", read("daily_close_schedule"))
    assert closed["closed"] == []
    assert "stripe-eu" in closed["missing"]  # no file of this account was ever imported


def test_each_function_has_an_event_and_each_event_a_function() -> None:
    named = {path.stem for path in EVENTS.glob("*.json")}
    owners = {path.parent.name for path in Path(ROOT / "functions").glob("*/handler.py")}
    assert {owner for owner in owners if any(name.startswith(owner) for name in named)} == owners
    assert all(any(name.startswith(owner) for owner in owners) for name in named)
