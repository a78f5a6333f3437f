import random
from collections.abc import Callable

import pytest

from infra.fakes.virtual_time import Restless, VirtualTime


def _walk(time: VirtualTime, name: str, pauses: list[float], seen: list[tuple[str, float]]) -> Callable[[], None]:
    def work() -> None:
        for pause in pauses:
            time.sleep(pause)
            seen.append((name, time.now()))

    return work


def test_whoever_wakes_first_runs_first() -> None:
    time, seen = VirtualTime(100.0), list[tuple[str, float]]()
    time.spawn(_walk(time, "slow", [5, 5], seen))
    time.spawn(_walk(time, "quick", [2, 2, 2], seen))
    assert time.run_until_quiet()
    assert seen == [("quick", 102), ("quick", 104), ("slow", 105), ("quick", 106), ("slow", 110)]


def test_stops_before_what_is_later() -> None:
    time, seen = VirtualTime(0.0), list[tuple[str, float]]()
    time.spawn(_walk(time, "late", [10], seen))
    assert not time.run_until_quiet(until=7)
    assert (time.now(), seen) == (7, [])
    assert time.run_until_quiet()
    assert seen == [("late", 10)]


def test_the_same_seed_gives_the_same_order() -> None:
    def run(seed: int) -> list[tuple[str, float]]:
        time, seen = VirtualTime(0.0, order=random.Random(seed).random), list[tuple[str, float]]()  # noqa: S311
        for name in "abcdef":
            time.spawn(_walk(time, name, [1, 1], seen))
        time.run_until_quiet()
        return seen

    assert run(1) == run(1)
    assert len({str(run(seed)) for seed in range(20)}) > 10


def test_work_that_never_ends_is_found() -> None:
    time = VirtualTime(0.0)
    time.spawn(_walk(time, "restless", [1] * 1000, []))
    with pytest.raises(Restless):
        time.run_until_quiet(at_most=50)


def test_what_a_worker_raises_ends_the_run() -> None:
    time = VirtualTime(0.0)

    def fail() -> None:
        time.sleep(1)
        raise KeyError("broken")

    time.spawn(fail)
    with pytest.raises(KeyError):
        time.run_until_quiet()


def test_only_workers_sleep() -> None:
    with pytest.raises(RuntimeError):
        VirtualTime(0.0).sleep(1)
