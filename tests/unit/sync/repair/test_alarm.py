"""People are called once for each thing, and it is called off when it is over."""

from datetime import timedelta

from shared.sync.repair.alarm import call_at_silence, call_for_subscriptions
from shared.sync.repair.rules import RepairRules
from shared.sync.repair.silence import HOUR, WEEK, News, Rhythm
from shared.sync.repair.subscriptions import Repaired
from shared.sync.repair.watch import Watch
from tests.builders.orders import NOON
from tests.fakes.stock_watch import FakeTaskList
from tests.fakes.sync import FakeWatches

RULES = RepairRules()


class House:
    """A shop of ten orders an hour; the last came an hour ago."""

    def __init__(self, rules: RepairRules = RULES) -> None:
        self.watches, self.tasks, self.rules = FakeWatches(), FakeTaskList(), rules
        rhythm = Rhythm(begins=NOON - 7 * WEEK, counts=(10,) * (7 * 168 - 1))
        self.watches.keep(Watch(shop="aurora", listed_until=NOON, rhythm=rhythm, last_order_at=NOON - HOUR))

    def later(self, hours: int, *, last_order: int | None = None) -> None:
        """So many hours on; the last order came so many hours after noon."""
        watch = self.watches.kept["aurora"]
        changes = {"listed_until": NOON + hours * HOUR}
        if last_order is not None:
            changes["last_order_at"] = NOON + last_order * HOUR
        self.watches.keep(watch.model_copy(update=changes))

    def look(self) -> News:
        return call_at_silence("aurora", self.watches, self.tasks, self.rules)[0]


def test_a_silence_is_one_task_until_an_order_comes() -> None:
    house = House()
    assert house.look() is News.ALARM
    (task,) = house.tasks.all()
    assert task.id == "shop_silent/aurora/orders"
    assert "2026-11-23T11:00" in task.advice
    house.later(5)
    assert house.look() is News.NONE
    house.later(6, last_order=6)
    assert house.look() is News.ALL_CLEAR
    assert house.tasks.all() == []
    house.later(12)
    assert house.look() is News.ALARM


def test_a_task_that_somebody_closed_by_hand_does_no_harm() -> None:
    house = House()
    house.look()
    house.tasks.close("shop_silent/aurora/orders")
    house.later(1, last_order=1)
    assert house.look() is News.ALL_CLEAR


def test_a_run_that_died_between_the_task_and_its_memory_calls_the_same_one_again() -> None:
    house = House()
    before = house.watches.kept["aurora"]
    house.look()
    house.watches.kept["aurora"] = before
    assert house.look() is News.ALARM
    assert len(list(house.tasks.all())) == 1


def test_nobody_is_called_where_nobody_wants_it_or_nothing_is_known() -> None:
    assert House(RepairRules(watch_silence=False)).look() is News.NONE
    assert call_at_silence("other", FakeWatches(), FakeTaskList(), RULES) == (News.NONE, None)


def test_lost_subscriptions_are_one_task_until_all_is_sent_again() -> None:
    tasks = FakeTaskList()
    now = NOON + timedelta(days=1)
    call_for_subscriptions("aurora", Repaired(paused=("orders/create",), refused=("orders/delete",)), tasks, now)
    call_for_subscriptions("aurora", Repaired(paused=("orders/create",)), tasks, now)
    (task,) = tasks.all()
    assert "orders/create, orders/delete" in task.advice
    call_for_subscriptions("aurora", Repaired(kept=("orders/create", "orders/delete")), tasks, now)
    call_for_subscriptions("aurora", Repaired(kept=("orders/create", "orders/delete")), tasks, now)
    assert tasks.all() == []
