"""Going through a back office's changes: with overlap, page by page, resumed where it stopped; outages; counts."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.backoffices.port import Feed
from shared.inventory.ledger import Movement
from shared.inventory.models import Cause
from shared.kernel.errors import Rejected, Retry
from shared.sync.backoffice.counts import count_of, is_superseded
from shared.sync.backoffice.feed import OVERLAP, feed_step
from shared.sync.backoffice.outage import PAUSE_SECONDS, Outages
from shared.sync.backoffice.tell_count import tell_count
from shared.sync.jobs import Job, Worker, work
from tests.builders.books import SteppingClock, company
from tests.builders.orders import NOON
from tests.builders.stock import counted
from tests.fakes.order_desk import FakeStockRoom
from tests.fakes.sync import FakeJobs


class Pages:
    def __init__(self, *pages: tuple[str, ...]) -> None:
        self.pages = pages
        self.asked: list[tuple[datetime, str | None]] = []

    def __call__(self, since: datetime, cursor: str | None) -> Feed[str]:
        self.asked.append((since, cursor))
        number = int(cursor or 0)
        return Feed(self.pages[number], str(number + 1) if number + 1 < len(self.pages) else None)


def go(jobs: FakeJobs, pages: Pages, taken: list[str], *, steps: int = 9, clock: SteppingClock | None = None) -> Job:
    left = iter([True] * (steps - 1) + [False] * 9)

    def take(items: tuple[str, ...]) -> dict[str, int]:
        taken.extend(items)
        return {"taken": len(items)}

    worker = Worker(jobs, "run", clock or SteppingClock(), timedelta(minutes=5), lambda: next(left))
    return work("feed", feed_step(jobs.find("feed"), pages, take), worker)


def test_every_page_is_taken_and_the_next_look_begins_a_little_before_the_last() -> None:
    jobs, taken = FakeJobs(), list[str]()
    clock = SteppingClock()
    pages = Pages(("a", "b"), (), ("c",))
    first = go(jobs, pages, taken, clock=clock)
    assert taken == ["a", "b", "c"]
    assert first.counts == {"named": 3, "taken": 3}
    assert {since for since, _ in pages.asked} == {first.started_at - timedelta(days=1)}
    again = Pages(())
    go(jobs, again, taken, clock=clock)
    assert again.asked == [(first.started_at - OVERLAP, None)]


def test_a_look_that_ran_out_of_time_goes_on_at_its_page() -> None:
    jobs, taken = FakeJobs(), list[str]()
    pages = Pages(("a",), ("b",), ("c",))
    assert go(jobs, pages, taken, steps=1).finished_at is None
    go(jobs, pages, taken)
    assert taken == ["a", "b", "c"]
    assert len({since for since, _ in pages.asked}) == 1


def test_nobody_asks_a_back_office_that_did_not_answer_a_moment_ago() -> None:
    now = 0.0
    outages = Outages(lambda: now)
    tried = []

    def ask(code: str | None = "backoffice_unreachable", name: str = "erp") -> None:
        with outages.unless_down(name):
            tried.append(name)
            if code:
                raise Retry(code, "no answer")

    for _ in range(3):
        with pytest.raises(Retry):
            ask()
    assert tried == ["erp"]
    ask(None, "other")
    now += PAUSE_SECONDS
    ask(None)
    ask(None)
    with pytest.raises(Retry):
        ask("backoffice_busy")
    ask(None)
    assert tried == ["erp", "other", "erp", "erp", "erp", "erp"]


def test_a_refusal_is_no_outage() -> None:
    outages = Outages(lambda: 0.0)
    for _ in range(2):
        with pytest.raises(Rejected), outages.unless_down("erp"):
            raise Rejected("backoffice_refused", "a rule")


def movement(kind: str, *, seq: int = 7, on_hand_after: int = 5) -> Movement:
    return Movement(
        sku="MUG £",
        location="main",
        seq=seq,
        on_hand=-2,
        reserved=0,
        on_hand_after=on_hand_after,
        reserved_after=0,
        cause=Cause(kind=kind, reference="x"),
        at=NOON,
    )


@pytest.mark.parametrize("kind", ["order", "receipt", "backoffice", "cancel"])
def test_only_counts_are_told(kind: str) -> None:
    assert count_of(movement(kind)) is None


@pytest.mark.parametrize("kind", ["count", "stocktake"])
def test_a_count_is_told_once(kind: str) -> None:
    shop = company()
    shop.office.add_product("MUG £", 9)
    found = count_of(movement(kind))
    assert found is not None
    tell_count(found, shop.office, "WH")
    shop.office.add_product("MUG £", 1)
    tell_count(found, shop.office, "WH")
    assert shop.office.on_hand["MUG £", "WH"] == 6


def test_a_count_that_a_later_one_replaced_is_not_told() -> None:
    found = count_of(movement("count"))
    assert found is not None
    room = FakeStockRoom()
    assert not is_superseded(found, None)
    assert not is_superseded(found, room.set_level(counted("MUG", 5, at=NOON)))
    assert is_superseded(found, room.set_level(counted("MUG", 5, at=datetime(2026, 11, 23, 13, tzinfo=UTC))))
