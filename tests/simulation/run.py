"""Play histories by their seeds, in as many processes as there are cores, and gather what broke."""

import gc
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from typing import Final

from tests.simulation import mutants
from tests.simulation.books import BooksHistory
from tests.simulation.cloud.installation import Installation
from tests.simulation.history import History, Played
from tests.simulation.rush import RushHistory
from tests.simulation.shelf import ShelfHistory

CASTS: Final[dict[str, type[History]]] = {
    "order desk": History,
    "shelf": ShelfHistory,
    "books": BooksHistory,
    "rush": RushHistory,
}
_WEIGHTS: Final = (190, 3, 2, 5)
_CHUNK: Final = 500


@dataclass
class Tally:
    """What came of many histories."""

    histories: int = 0
    switches: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    casts: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.histories += other.histories
        self.switches += other.switches
        self.faults += other.faults
        self.casts += other.casts
        self.broken += other.broken

    def note(self, played: Played) -> None:
        self.histories += 1
        self.switches += played.switches
        self.casts[played.cast] += 1
        self.faults.update(fate.name.lower() for _, fate in played.faults)
        if played.broken is not None:
            self.broken.append((played.seed, str(played.broken)))


@cache
def installation() -> Installation:
    return Installation()


def cast_of(seed: int) -> type[History]:
    """Which history a seed is of: drawn apart from the history's own dice."""
    dice = random.Random(f"cast {seed}")  # noqa: S311 - repeatable by its seed
    return dice.choices(tuple(CASTS.values()), _WEIGHTS)[0]


def play(seed: int, *, mutant: str | None = None) -> Played:
    """One history, from nothing."""
    with installation().installed(), mutants.installed(mutant):
        return cast_of(seed)(seed, installation()).play()


def play_all(
    seeds: Sequence[int], *, mutant: str | None = None, cast: str | None = None, until_broken: bool = False
) -> Tally:
    """These histories one after the other, in this process; all of one cast, or each of its seed's."""
    tally = Tally()
    with installation().installed(), mutants.installed(mutant), _rare_collections():
        for seed in seeds:
            history = CASTS[cast] if cast else cast_of(seed)
            tally.note(history(seed, installation()).play())
            if until_broken and tally.broken:
                break
    return tally


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Collect what is young only: an eighth of their time goes into looking through what still lives."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(20_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def play_everywhere(seeds: range, *, processes: int) -> Iterator[Tally]:
    """The same in so many processes; yields what each portion came to, as it comes."""
    portions = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(play_all, portions)
