"""The pure parts of the commands: differences of settings, batches of messages, foreseen counts, what a shop lacks."""

import json

import pytest

from infra.cli.mail import Letter, _batches, archive_prefix
from infra.cli.orders import ALWAYS_WAITING, STATUSES
from infra.cli.settings_document import differences, faults_of
from infra.cli.shops import checked
from infra.cli.stock import foreseen
from infra.cli.target import Target
from shared.inventory.models import Cause, LevelRequest, StockLine
from shared.kernel.errors import Conflict, Rejected
from shared.orders.lifecycle import FulfilmentState, ReviewState, status
from shared.orders.models import PaymentState
from shared.platform.settings import parse_settings

SETTINGS = {
    "locations": {"main": {"name": "Main"}},
    "shops": {
        "aurora": {"platform": "shopify", "address": "a.example", "locations": ["main"]},
        "borealis": {"platform": "woocommerce", "address": "b.example", "locations": ["main"]},
    },
}


def test_every_status_that_an_order_can_have_can_be_asked_for() -> None:
    possible = {status(r, f, p) for r in ReviewState for f in FulfilmentState for p in PaymentState}
    assert possible <= STATUSES
    assert possible >= ALWAYS_WAITING


def test_differences_are_told_by_field() -> None:
    before = {"merchant": "A", "shops": {"x": {"locations": ["main"]}}, "gone": 1}
    after = {"merchant": "B", "shops": {"x": {"locations": ["main"]}, "y": {}}}
    assert differences(before, after) == [
        {"field": "gone", "before": 1, "after": None},
        {"field": "merchant", "before": "A", "after": "B"},
        {"field": "shops.y", "before": None, "after": {}},
    ]
    assert differences(after, after) == []


def test_faults_are_told_one_by_one() -> None:
    assert faults_of(SETTINGS) == []
    assert [fault["field"] for fault in faults_of({"locations": {}, "colour": 1})] == ["locations", "colour"]


def test_what_a_shop_lacks_is_told_by_the_name_of_the_secret_and_never_by_its_value() -> None:
    credentials = {"aurora": {"token": "hidden-1"}, "borealis": {"consumer_key": "hidden-2"}}
    found = checked(parse_settings(SETTINGS), {"aurora": ["hidden-3"]}, credentials, Target("t", "https://x", {}))
    faults = [fault["field"] for shop in found for fault in shop["faults"]]
    assert faults == ["api.aurora.access_token", "webhooks.borealis", "api.borealis.consumer_secret"]
    assert [shop["ok"] for shop in found] == [False, False]
    assert "hidden" not in json.dumps(found)


def test_a_day_of_the_archive() -> None:
    assert archive_prefix("2026-11-23") == archive_prefix("2026/11/23") == "orders/2026/11/23/"
    assert archive_prefix("2026-11-23/ab") == "orders/2026/11/23/ab"
    for wrong in ("", "2026-11", "23-11-2026", "../2026-11-23", "2026-11-23x"):
        with pytest.raises(Rejected, match="invalid_day"):
            archive_prefix(wrong)


def letters(*sizes: int) -> list[Letter]:
    return [Letter(str(number), "x" * size) for number, size in enumerate(sizes)]


def test_batches_keep_to_what_sqs_takes() -> None:
    def shape(*sizes: int) -> list[int]:
        return [len(batch) for batch in _batches(letters(*sizes))]

    assert shape(*[1] * 23) == [10, 10, 3]
    assert shape(500_000, 500_000, 300_000) == [1, 2]
    assert shape(1_000_000, 1) == [1, 1]
    assert shape() == []


@pytest.mark.parametrize("text", ["no JSON", "[1]", "{}", '{"shop": 1, "topic": null}'])
def test_a_message_that_is_not_ours_says_nothing_of_itself(text: str) -> None:
    assert Letter("1", text).envelope() == {"shop": None, "topic": None}


def test_a_message_is_never_printed_whole() -> None:
    assert "secret body" not in repr(Letter("1", "secret body", "receipt"))


STORED = StockLine(
    sku="MUG",
    location="main",
    on_hand=9,
    reserved=4,
    available=5,
    safety_buffer=1,
    reorder_point=3,
    seq=7,
    cause=Cause(kind="count", reference="operator"),
)


def test_a_count_is_foreseen() -> None:
    found = foreseen(STORED, LevelRequest(sku="MUG", location="main", on_hand=6, reorder_point=0))
    figures = {"on_hand": 6, "reserved": 4, "available": 2, "safety_buffer": 1, "reorder_point": 0}
    assert found == {"sku": "MUG", "location": "main", **figures}


def test_a_count_of_less_than_is_promised_is_foreseen_to_fail() -> None:
    foreseen(STORED, LevelRequest(sku="MUG", location="main", on_hand=4))
    with pytest.raises(Conflict, match="reserved_exceeds_count"):
        foreseen(STORED, LevelRequest(sku="MUG", location="main", on_hand=3))
