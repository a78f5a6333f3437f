"""Each test of this folder runs against the back office in memory and against every vendor that can be had here.

A vendor adds a module `<vendor>_world.py` beside this one, with a context manager `world()` and a function
`unavailable()` that says why it cannot be run here, or nothing.
"""

import importlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.contract.backoffices.memory_world import MemoryWorld
from tests.contract.backoffices.world import World

_VENDORS = sorted(path.stem.removesuffix("_world") for path in Path(__file__).parent.glob("*_world.py"))
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def worlds() -> Iterator[Callable[[str], World]]:
    """One company of each vendor for the whole session: starting a real one takes seconds."""
    made: dict[str, World] = {}
    with ExitStack() as stack:

        def make(vendor: str) -> World:
            if vendor not in made:
                module = importlib.import_module(f"tests.contract.backoffices.{vendor}_world")
                reason = module.unavailable()
                if reason:
                    pytest.skip(reason)
                made[vendor] = stack.enter_context(module.world())
            return made[vendor]

        yield make


@pytest.fixture(params=_VENDORS)
def world(request: pytest.FixtureRequest, worlds: Callable[[str], World]) -> World:
    return MemoryWorld() if request.param == "memory" else worlds(request.param)


@pytest.fixture
def key() -> str:
    """An order's key that no other test of this session uses."""
    return f"aurora/{9000 + next(_numbers)}"
