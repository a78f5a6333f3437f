"""Twenty thousand histories of the whole order desk, the shelf and the back office, under storms of faults.

`make simulate SEEDS=…` plays others; a seed that fails is named and replays exactly.
"""

import os
from typing import Final

import pytest

from tests.simulation.run import Tally, cast_of, installation, play, play_everywhere

SEEDS: Final = int(os.environ.get("SEEDS", "20000"))
ONCE_BROKEN: Final = (808, 2988, 1830, 12873, 401, 489, 736, 494, 1181)
"""Seeds that found something while the simulation was written; their histories have changed since."""


def test_every_invariant_holds_in_every_history() -> None:
    total = Tally()
    for tally in play_everywhere(range(SEEDS), processes=2):
        total.add(tally)
    assert total.histories == SEEDS
    told = [f"make simulate SEEDS={seed}-{seed}    # {what}" for seed, what in sorted(total.broken)]
    assert not told, "\n".join(told[:20])
    assert len(total.faults) > 1, "no faults: nothing was tried"


@pytest.mark.parametrize("seed", [*range(6), *ONCE_BROKEN])
def test_a_history_replays_exactly(seed: int) -> None:
    first, second = _stream_of(seed), _stream_of(seed)
    assert first == second


def _stream_of(seed: int) -> tuple[object, ...]:
    """Everything that was said, committed and befell in one history."""
    played = play(seed)
    database = installation().database
    changes = [record["dynamodb"] for record in database.stream("storebridge-orders")]
    images = [(change.get("OldImage"), change.get("NewImage")) for change in changes]
    heard = [(level, words, dict(facts)) for level, words, facts in installation().heard]
    return played.trace, played.faults, played.switches, str(played.broken), images, heard


def test_all_casts_take_part() -> None:
    casts = {cast_of(seed).NAME for seed in range(200)}
    assert casts == {"order desk", "shelf", "books", "rush"}
