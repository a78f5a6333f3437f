"""Runs of the manual sync: how long one takes, how another follows it, and who is told when one fails."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from shared.kernel.errors import Retry
from shared.platform.settings import Settings, parse_settings
from shared.wiring import manual_sync
from shared.wiring.manual_sync import Run, answer
from tests.builders.orders import NOON
from tests.fakes.sync import FakeDriftLog, FakeJobs
from tests.unit.sync.test_push import Shop

SETTINGS = {
    "locations": {"main": {"name": "Main"}},
    "shops": {"aurora": {"platform": "shopify", "address": "a.example", "locations": ["main"]}},
}
JOB = "stock_sync/aurora"
SWEEP = {"what": "stock", "shop": "aurora", "wait_seconds": 0}


class World:
    """A shop of 450 SKUs, five pages; Lambda keeps what is invoked later until `lambda_runs`."""

    def __init__(self) -> None:
        self.shop = Shop({f"S{number:03}": 5 for number in range(450)})
        self.shop.channel.shown |= {f"S{number:03}": 1 for number in range(450)}
        self.jobs, self.log = FakeJobs(), FakeDriftLog()
        self.invoked: list[Mapping[str, Any]] = []
        self.lambda_is_down = False
        self._runs = count(1)

    def settings(self) -> Settings:
        return parse_settings(SETTINGS)

    def invoke_later(self, function: str, event: Mapping[str, Any]) -> None:
        assert function == "manual-sync"
        if self.lambda_is_down:
            raise Retry("not_invoked", "down")
        self.invoked.append(json.loads(json.dumps(event)))

    def run(self, event: Mapping[str, Any], seconds_left: Callable[[], float] = lambda: 900.0) -> dict[str, Any]:
        return answer(event, Run(f"run-{next(self._runs)}", "manual-sync", seconds_left, 120.0, 900.0))

    def lambda_runs(self) -> Iterator[dict[str, Any]]:
        while self.invoked:
            yield self.run(self.invoked.pop(0))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Test")
    monkeypatch.setattr(manual_sync, "settings", made.settings)
    monkeypatch.setattr(manual_sync, "channel_desk", lambda _: made.shop.desk)
    monkeypatch.setattr(manual_sync, "job_table", lambda: made.jobs)
    monkeypatch.setattr(manual_sync, "drift_table", lambda: made.log)
    monkeypatch.setattr(manual_sync, "invoke_later", made.invoke_later)
    monkeypatch.setattr(manual_sync, "utc_now", lambda: made.shop.now)
    return made


def test_whoever_waits_long_enough_gets_it_whole(world: World) -> None:
    done = world.run(SWEEP | {"wait_seconds": 20})
    assert (done["done"], done["counts"]["written"], world.invoked) == (True, 450, [])
    assert len(done["changes"]) == 450


def test_long_work_goes_on_in_another_run_to_its_end(world: World) -> None:
    first = world.run(SWEEP)
    assert (first["done"], first["goes_on"], first["job"], first["counts"]["items"]) == (False, True, JOB, 100)
    (last,) = world.lambda_runs()
    assert (last["done"], last["counts"]["items"]) == (True, 450)
    assert set(world.shop.channel.shown.values()) == {5}


def test_a_run_whose_time_is_short_hands_over_again(world: World) -> None:
    world.run(SWEEP)
    for number in (2, 3, 4):
        event = world.invoked.pop()
        assert event["continuing"]["number"] == number - 1
        world.run(event, lambda: 119.9)
    assert world.jobs.jobs[JOB].step == 4
    assert list(world.lambda_runs())[-1]["done"]


def test_what_another_run_finished_is_not_begun_again(world: World) -> None:
    world.run(SWEEP)
    world.run(SWEEP | {"wait_seconds": 600})
    pages = world.jobs.jobs[JOB].step
    world.shop.later()
    (last,) = world.lambda_runs()
    assert last["done"]
    assert world.jobs.jobs[JOB].step == pages


def test_where_nobody_can_go_on_the_asker_is_told_to_ask_again(world: World) -> None:
    world.lambda_is_down = True
    answers = [world.run(SWEEP)]
    while not answers[-1]["done"]:
        assert answers[-1]["goes_on"] is False
        answers.append(world.run(SWEEP))
    assert [given["counts"]["items"] for given in answers] == [100, 200, 300, 400, 450]


def test_a_run_that_cannot_hand_over_fails_so_that_lambda_tries_it_again(world: World) -> None:
    world.run(SWEEP)
    event = world.invoked.pop()
    world.lambda_is_down = True
    with pytest.raises(Retry, match="not_invoked"):
        world.run(event, lambda: 0.0)
    world.lambda_is_down = False
    assert world.run(event)["done"]


def test_trouble_is_answered_to_an_operator_and_raised_where_nobody_listens(world: World) -> None:
    world.run(SWEEP)
    event = world.invoked.pop()

    def fails(_cursor: str | None) -> Any:
        raise Retry("storefront_failed", "the shop fails with HTTP 503")

    world.shop.channel.catalogue = fails  # type: ignore[method-assign, assignment]
    told = world.run(SWEEP)
    assert told == {
        "error": "storefront_failed",
        "field": None,
        "message": "the shop fails with HTTP 503",
        "hint": None,
    }
    with pytest.raises(Retry, match="storefront_failed"):
        world.run(event)


def test_a_second_run_at_once_is_told_and_one_that_goes_on_leaves_it_to_the_first(world: World) -> None:
    world.run(SWEEP)
    event = world.invoked.pop()
    world.jobs.take(JOB, "another", now=NOON, until=NOON + timedelta(minutes=10))
    for asked in (SWEEP, event):
        assert world.run(asked)["error"] == "taken"
    assert world.jobs.leases[JOB][0] == "another"


def test_a_push_of_given_skus_takes_the_lease_of_the_pushing_function(world: World) -> None:
    given = SWEEP | {"skus": ["S001"]}
    world.jobs.take("stock_push/aurora", "another", now=NOON, until=NOON + timedelta(minutes=10))
    assert world.run(given)["error"] == "taken"
    world.jobs.let_go("stock_push/aurora", "another")
    assert world.run(given)["skipped"] == {"S001": "not_found_by_a_sweep"}
    assert "stock_push/aurora" not in world.jobs.leases


@pytest.mark.parametrize("event", [{}, [], "stock", {"what": "stock", "shop": "x", "continuing": {}}])
def test_what_is_no_request_is_answered_as_such(world: World, event: Any) -> None:
    assert world.run(event)["error"] == "invalid_request"
