"""Notes and meta of the fake WooCommerce shop behave as 10.0.2's do."""

import json
from typing import Any

import httpx
import pytest

from infra.fakes.shopify_bucket import VirtualClock
from infra.fakes.woocommerce import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceFake

BASE = "https://shop.example/wp-json/wc/v3"


class Rig:
    def __init__(self) -> None:
        self.fake = WooCommerceFake(VirtualClock())
        self.fake.add_product("MUG", 5)
        self.order = self.fake.sell("MUG", 1)
        self.http = httpx.Client(
            transport=httpx.MockTransport(self.fake), auth=httpx.BasicAuth(CONSUMER_KEY, CONSUMER_SECRET)
        )

    def call(self, method: str, path: str = "", body: Any = None, **query: str) -> Any:
        url = f"{BASE}/orders/{self.order.id}{path}"
        answer = self.http.request(method, url, params=query, content=None if body is None else json.dumps(body))
        return answer.json()

    def write_meta(self, *entries: dict[str, Any], method: str = "PUT") -> list[tuple[str, Any]]:
        body = self.call(method, body={"meta_data": list(entries)})
        return [(entry["key"], entry["value"]) for entry in body["meta_data"] if entry["key"] != "is_vat_exempt"]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_notes_are_listed_newest_first_and_by_kind(rig: Rig) -> None:
    for number in range(25):
        rig.call("POST", "/notes", {"note": f"note {number}", "customer_note": number % 5 == 0})
    assert [note["note"] for note in rig.call("GET", "/notes")] == [f"note {number}" for number in range(24, -1, -1)]
    assert len(rig.call("GET", "/notes", type="customer")) == 5
    assert len(rig.call("GET", "/notes", type="internal")) == 20
    assert rig.call("GET", "/notes", type="any other")["code"] == "rest_invalid_param"


def test_a_customer_note_is_mailed_and_no_other(rig: Rig) -> None:
    rig.call("POST", "/notes", {"note": "packed"})
    rig.call("POST", "/notes", {"note": "sent", "customer_note": True})
    assert [(mail.order, mail.text) for mail in rig.fake.shop.mails] == [(rig.order.id, "sent")]


@pytest.mark.parametrize("body", [{}, {"note": " "}, {"note": 7}])
def test_a_note_has_a_text(rig: Rig, body: Any) -> None:
    assert rig.call("POST", "/notes", body)["code"] == "rest_invalid_param"
    assert rig.order.notes == []


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_meta_is_merged_by_key_and_one_of_several_is_left(rig: Rig, method: str) -> None:
    assert rig.write_meta({"key": "a", "value": 1}, {"key": "b", "value": [2]}) == [("a", 1), ("b", [2])]
    rig.order.body["meta_data"].append({"id": 99, "key": "a", "value": "again"})
    assert rig.write_meta({"key": "a", "value": 3}, method=method) == [("a", 3), ("b", [2])]


def test_meta_is_changed_by_id_and_removed_by_null(rig: Rig) -> None:
    rig.write_meta({"key": "a", "value": 1})
    number = rig.order.body["meta_data"][-1]["id"]
    assert rig.write_meta({"id": number, "value": 2}) == [("a", 2)]
    assert rig.write_meta({"id": number, "key": "renamed", "value": 2}) == [("renamed", 2)]
    assert rig.write_meta({"key": "renamed", "value": None}, {"value": "of no key"}) == []


def test_meta_comes_back_as_an_update(rig: Rig) -> None:
    rig.fake.webhooks.register("order.updated", "https://hooks.example/")
    rig.write_meta({"key": "a", "value": 1})
    rig.call("POST", "/notes", {"note": "packed"})
    assert rig.fake.deliver() == 1
