"""One shop's trouble postpones that shop and no other; what waits is asked for again, each time later."""

from collections.abc import Iterable
from typing import Any

import pytest

from shared.kernel.clock import utc_now
from shared.kernel.errors import Conflict, Retry
from shared.platform.push_queue import MOST_ATTEMPTS, PushRequest, delay_of
from shared.platform.settings import parse_settings
from shared.sync.levels.push import PushReport
from shared.wiring import stock_push
from tests.fakes.sync import FakeJobs

SETTINGS = parse_settings(
    {
        "locations": {"main": {"name": "Main"}},
        "shops": {
            name: {"platform": "woocommerce", "address": f"{name}.example", "locations": ["main"]}
            for name in ("aurora", "borealis")
        },
    }
)


class Surroundings:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs = FakeJobs()
        self.pushed: list[tuple[str, tuple[str, ...]]] = []
        self.asked: list[tuple[PushRequest, int]] = []
        self.trouble: dict[str, Exception] = {}
        self.later: dict[str, set[str]] = {}
        replacements: dict[str, Any] = {
            "settings": lambda: SETTINGS,
            "pushed_shops": lambda: ("aurora", "borealis"),
            "channel_desk": lambda shop: shop,
            "job_table": lambda: self.jobs,
            "push": self.push,
            "request_push": self.request,
            "count": lambda *_, **__: None,
        }
        for name, replacement in replacements.items():
            monkeypatch.setattr(stock_push, name, replacement)

    def push(self, shop: str, skus: Iterable[str]) -> PushReport:
        if shop in self.trouble:
            raise self.trouble[shop]
        self.pushed.append((shop, tuple(sorted(skus))))
        return PushReport(later=self.later.get(shop, set()))

    def request(self, requests: Iterable[PushRequest], *, at_least: int = 0) -> None:
        self.asked += [(request, at_least) for request in requests]

    def run(self, *requests: PushRequest, time: Iterable[bool] = (True, True)) -> None:
        left = iter(time)
        stock_push.push_all(requests, run="run-1", has_time=lambda: next(left))


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings(monkeypatch)


def test_every_shop_looks_at_what_changed_and_one_only_at_its_own(around: Surroundings) -> None:
    around.run(PushRequest(sku="MUG"), PushRequest(sku="MUG"), PushRequest(sku="CAP", shop="borealis"))
    assert around.pushed == [("aurora", ("MUG",)), ("borealis", ("CAP", "MUG"))]
    assert around.asked == []
    assert around.jobs.leases == {}


@pytest.mark.parametrize("trouble", [Retry("storefront_unreachable", "gone"), Conflict("taken", "busy")])
def test_one_shops_trouble_postpones_it_alone(around: Surroundings, trouble: Exception) -> None:
    around.trouble["aurora"] = trouble
    around.run(PushRequest(sku="MUG"), PushRequest(sku="CAP", shop="aurora", attempt=3))
    assert around.pushed == [("borealis", ("MUG",))]
    assert [request for request, _ in around.asked] == [
        PushRequest(sku="MUG", shop="aurora", attempt=1),
        PushRequest(sku="CAP", shop="aurora", attempt=4),
    ]
    assert around.jobs.leases == {}


def test_another_worker_at_the_same_shop_is_left_alone(around: Surroundings) -> None:
    around.jobs.leases["stock_push/aurora"] = ("run-0", utc_now() + stock_push._LEASE)
    around.run(PushRequest(sku="MUG", shop="aurora"))
    assert around.pushed == []
    assert [request.attempt for request, _ in around.asked] == [1]
    assert around.jobs.leases["stock_push/aurora"][0] == "run-0"


def test_when_time_is_up_the_other_shops_are_asked_for_anew(around: Surroundings) -> None:
    around.run(PushRequest(sku="MUG"), time=(True, False))
    assert around.pushed == [("aurora", ("MUG",))]
    assert around.asked == [(PushRequest(sku="MUG", shop="borealis"), 0)]


def test_a_sale_on_its_way_is_looked_at_again_after_the_orders_delay(around: Surroundings) -> None:
    around.later["aurora"] = {"MUG"}
    around.run(PushRequest(sku="MUG", shop="aurora"))
    assert around.asked == [(PushRequest(sku="MUG", shop="aurora"), 61)]


def test_the_pauses_double_and_end(around: Surroundings) -> None:
    delays = [delay_of(PushRequest(sku="MUG", attempt=attempt)) for attempt in range(12)]
    assert delays[:5] == [0, 5, 10, 20, 40]
    assert delays[-1] == 900
    around.trouble["aurora"] = Retry("storefront_unreachable", "gone")
    around.run(PushRequest(sku="MUG", shop="aurora", attempt=MOST_ATTEMPTS))
    assert around.asked == []


def test_a_message_that_is_no_request_goes_to_the_dead_letter_queue_alone() -> None:
    records = [
        {"messageId": "1", "body": PushRequest(sku="MUG").model_dump_json()},
        {"messageId": "2", "body": "nonsense"},
        {"messageId": "3", "body": '{"sku": 5}'},
    ]
    requests, unreadable = stock_push.read_requests(records)
    assert (requests, unreadable) == ([PushRequest(sku="MUG")], ["2", "3"])
