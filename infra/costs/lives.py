"""The lives of orders whose costs are counted. Each is played for one order at a time, or for ten side by side, after
the same buyers have bought the same goods before: a function that runs for the first time reads settings and secrets,
and what the thousandth order costs is asked here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final, NamedTuple

from infra.costs.counting import Metric
from infra.costs.usage import Item, Usage
from infra.costs.world import World, world
from shared.finance.rules import FinanceRules
from shared.finance.window import CONTEXT_DAYS
from shared.sync.backoffice.feed import OVERLAP

ALONE: Final = 1
TOGETHER: Final = 10


@dataclass(frozen=True)
class Life:
    """What one order of this life uses, by function."""

    name: str
    batch: int
    usage: Usage
    cpu_ms: Mapping[str, float]
    """CPU of this machine for one order, by function. Not exact."""
    stored: Mapping[str, float]
    """Bytes that one order leaves behind, in `tables` and as `objects`."""


@dataclass(frozen=True)
class Played:
    lives: tuple[Life, ...]
    metrics: tuple[Metric, ...]
    """The custom metrics that they counted."""


Phase = Callable[[World, range], None]
"""Something that happens to each of these orders; afterwards everything that follows from it has followed."""


@dataclass(frozen=True)
class Story:
    """`before` is not counted."""

    before: tuple[Phase, ...]
    counted: tuple[Phase, ...]


def play(*, connected: bool, batch: int, rounds: int = 1) -> Played:
    """Play the lives at a deployment that is `connected` to everything, or to its shops alone. `rounds`: how often,
    for CPU times; every round uses the same.

    Raises:
        AssertionError: two rounds do not use the same.
    """
    stories = CONNECTED if connected else SHOPS_ALONE
    with world(connected=connected, batch=batch) as around:
        around.furnish()
        numbers = _batches(batch)
        for story in _WARMING[connected]:
            _play(story, around, next(numbers))
        around.cloud.forget()
        lives = tuple(
            _lived(name, [_play(story, around, next(numbers)) for _ in range(rounds)], batch)
            for name, story in stories.items()
        )
        return Played(lives, tuple(sorted(around.cloud.metrics)))


def _batches(size: int) -> Iterator[range]:
    """Numbers of orders, so many at a time."""
    first = 0
    while True:
        yield range(first, first + size)
        first += size


class _Round(NamedTuple):
    usage: Usage
    cpu_ms: Mapping[str, float]
    stored: Mapping[str, float]


def _play(story: Story, around: World, numbers: range) -> _Round:
    _quiet(around)
    for phase in story.before:
        phase(around, numbers)
        around.cloud.settle()
    _quiet(around)
    around.cloud.forget()
    before = around.cloud.stored()
    for phase in story.counted:
        phase(around, numbers)
        around.cloud.settle()
    after = around.cloud.stored()
    return _Round(*around.cloud.take(), {where: after[where] - before[where] for where in after})


def _quiet(around: World) -> None:
    """Wait until the back office has nothing to tell any more, not even what we told it ourselves."""
    for _ in range(_LOOKS):
        around.cloud.pass_time(_LONG)
        around.cloud.fire(_LOOK)
        around.cloud.settle()


_LOOKS: Final = 2
_LONG: Final = timedelta(minutes=20)


def _lived(name: str, rounds: Sequence[_Round], batch: int) -> Life:
    usages = [one.usage for one in rounds]
    for usage in usages[1:]:
        differs = {place: more for place, more in (usage - usages[0]).amounts.items() if more and place[1] not in _VARY}
        if differs:
            raise AssertionError(f"{name}: two rounds do not use the same: {differs}")
    spent = {
        function: median(one.cpu_ms.get(function, 0.0) for one in rounds) / batch
        for function in sorted({function for one in rounds for function in one.cpu_ms})
    }
    stored = {where: size / batch for where, size in rounds[0].stored.items()}
    return Life(name, batch, usages[0].times(1 / batch), spent, stored)


_VARY: Final = frozenset({Item.LOG_BYTES})
"""A revision's number becomes longer."""


# ---- what happens ----


def _placed(around: World, numbers: range) -> None:
    for number in numbers:
        around.tell(around.order(number), topic="orders/create")


def _placed_by_strangers(around: World, numbers: range) -> None:
    for number in numbers:
        around.tell(around.order(number, buyer=number + _STRANGERS), topic="orders/create")


_STRANGERS: Final = 1000


def _told_again(around: World, numbers: range) -> None:
    for number in numbers:
        around.tell_again(around.bodies[number], "orders/create")


def _noted(around: World, numbers: range) -> None:
    """Staff write something on the order, and nothing moves."""
    around.cloud.pass_time(_LATER)
    for number in numbers:
        around.tell(around.change(number, note="gift"))


def _paid(around: World, numbers: range) -> None:
    for number in numbers:
        around.pay(number)
    around.tell_of_payments()


def _looked(around: World, numbers: range) -> None:
    """The scheduled looks at the back office in which a change shows: each one looks five minutes further back than the
    one before. Less what looks cost where there is nothing to see: that is the standing cost of the schedule."""
    del numbers
    cloud = around.cloud
    for _ in range(_LOOKS_AT_A_CHANGE):
        cloud.pass_time(_MINUTE)
        cloud.fire(_LOOK)
        cloud.settle()
    cloud.pass_time(_LONG)
    with cloud.taken_off():
        for _ in range(_LOOKS_AT_A_CHANGE):
            cloud.fire(_LOOK)
            cloud.pass_time(_MINUTE)


def _shipped(around: World, numbers: range) -> None:
    for number in numbers:
        around.ship(number)


def _told_what_follows(around: World, numbers: range) -> None:
    del numbers
    around.tell_what_follows()


def _returned(around: World, numbers: range) -> None:
    """One piece comes back onto the shelf, and its money goes back."""
    around.cloud.pass_time(_LATER)
    for number in numbers:
        around.tell(around.give_back(number))
    around.tell_of_payments()


_LOOK: Final = "backoffice-pull"
_MINUTE: Final = timedelta(minutes=1)
_LOOKS_AT_A_CHANGE: Final = 1 + OVERLAP // _MINUTE
_LATER: Final = timedelta(minutes=2)
_WHOLE_WAY: Final = (_placed, _paid, _looked, _shipped, _looked, _told_what_follows, _looked)

SHOPS_ALONE: Final[Mapping[str, Story]] = {
    "ingest": Story((), (_placed,)),
    "ingest of a new buyer's order": Story((), (_placed_by_strangers,)),
}
CONNECTED: Final[Mapping[str, Story]] = {
    "usual order": Story((), _WHOLE_WAY),
    "the same again": Story((_placed, _paid), (_told_again,)),
    "update without stock": Story((_placed, _paid, _looked), (_noted, _looked)),
    "return": Story(_WHOLE_WAY, (_returned, _looked)),
}
_WARMING: Final[Mapping[bool, tuple[Story, ...]]] = {
    True: (CONNECTED["return"],),
    False: (*SHOPS_ALONE.values(), *SHOPS_ALONE.values()),
}
"""What is played before anything is counted. Of a buyer's second order something is written once that the third does
not."""


# ---- books ----

_RULES: Final = FinanceRules()
RECONCILIATION: Final = "payment-reconciliation"
AGES: Final[Mapping[str, tuple[timedelta, int]]] = {
    "judged": (timedelta(days=1), _RULES.look_back_days),
    "context": (timedelta(days=_RULES.look_back_days + 5), CONTEXT_DAYS),
    "orders alone": (timedelta(days=_RULES.look_back_days + CONTEXT_DAYS + 5), _RULES.after_order_days),
}
"""What a reconciliation does with an order that is so old, and for how many days: judges it, looks at it because what
is judged may belong to it, looks for late money for it."""


def play_books() -> Played:
    """What one run of the reconciliation uses for each order that it sees, by the order's age: ten paid orders, less
    what the same run uses without any. The first run of all, which posts, is not among them."""
    with world(connected=True, batch=TOGETHER) as around:
        around.furnish()
        _quiet(around)
        bare = _reconciled(around)
        numbers = range(TOGETHER)
        for phase in (_placed, _paid):
            phase(around, numbers)
            around.cloud.settle()
        around.pay_out()
        lives, passed = [], timedelta()
        for age, (since, _) in AGES.items():
            around.cloud.pass_time(since - passed)
            passed = since
            usage, cpu = _reconciled(around)
            per_order = (usage - bare[0]).times(1 / TOGETHER)
            spent = (cpu.get(RECONCILIATION, 0.0) - bare[1].get(RECONCILIATION, 0.0)) / TOGETHER
            lives.append(Life(f"books, {age}", TOGETHER, per_order, {RECONCILIATION: spent}, {}))
        return Played(tuple(lives), tuple(sorted(around.cloud.metrics)))


def _reconciled(around: World) -> tuple[Usage, Mapping[str, float]]:
    """The third run in a row: there is nothing to post any more."""
    for _ in range(3):
        around.cloud.pass_time(_LONG)
        around.cloud.settle()
        around.cloud.forget()
        around.cloud.fire(RECONCILIATION)
    return around.cloud.take()
