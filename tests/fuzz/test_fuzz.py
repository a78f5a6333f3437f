"""A short run of each target, the same one each time. `make fuzz` runs them longer, guided where that is possible."""

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

import pytest

from shared.kernel.errors import StorebridgeError
from tests.fuzz.engine import CORPUS, Target, attempt, inputs, remembered
from tests.fuzz.targets import TARGETS

_RUNS = 300
_RUNS_OF_CLIENTS = 20
"""Each builds a shop or a back office, and asks it some fifteen questions."""


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    runs = _RUNS_OF_CLIENTS if name.startswith("answers_") else _RUNS
    for data in islice(inputs(name, TARGETS[name], 1), runs + len(remembered(name))):
        attempt(TARGETS[name], data)


def test_the_samples_are_valid_and_what_is_grown_repeats() -> None:
    """Else every run would try how nonsense is refused, and nothing behind that."""
    for name, target in TARGETS.items():
        accepted = 0
        for sample in target.samples():
            with suppress(StorebridgeError):
                target.run(sample)
                accepted += 1
        assert accepted, name
    target = Target(lambda _data: None, lambda: [b'{"a": 1, "b": [2, 3]}', b"x,y\n1,2\n"])
    first, second = (list(islice(inputs("none", target, 7), 200)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 100


def test_a_broken_promise_is_found() -> None:
    def trips(data: bytes) -> None:
        if b"1e400" in data:
            raise OverflowError

    target = Target(trips, lambda: [b'{"amount": 1}'])
    tried = islice(inputs("none", target, 1), 5_000)
    with pytest.raises(OverflowError):
        _try_all(target, tried)


def test_what_is_remembered_belongs_to_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} <= set(TARGETS)


def _try_all(target: Target, tried: Iterable[bytes]) -> None:
    for data in tried:
        attempt(target, data)
