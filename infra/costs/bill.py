"""Everything that was counted, put together: what the page says and what tests hold it to."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.costs.counting import Metric
from infra.costs.durations import COLD, Measured, with_time
from infra.costs.idle import IdleRuns, play_idle, runs_a_month
from infra.costs.lives import ALONE, TOGETHER, Life, Played, play, play_books
from infra.costs.topology import Topology
from infra.costs.usage import Item, Usage

PARTS: Final = {
    f"{what}-{who}-{batch}": (what, who == "connected", batch)
    for what, who, batch in (
        ("lives", "shops", ALONE),
        ("lives", "shops", TOGETHER),
        ("lives", "connected", ALONE),
        ("lives", "connected", TOGETHER),
        ("idle", "shops", ALONE),
        ("idle", "connected", ALONE),
        ("books", "connected", TOGETHER),
    )
}
"""Each is counted in a process of its own: functions keep what they once read."""


@dataclass(frozen=True)
class Bill:
    lives: Mapping[tuple[str, int], Life]
    """By name, and how many orders come together."""
    idle: Mapping[bool, IdleRuns]
    """By whether back office and payments are connected."""
    metrics: tuple[Metric, ...]

    def timed(self, name: str, batch: int, measured: Measured, topology: Topology) -> Usage:
        """A life's usage with its GB-seconds."""
        life = self.lives[name, batch]
        return with_time(life.usage, measured.of_life(name, batch), measured.start, topology, cold=COLD[batch])


COUNTS: Final = Path(__file__).with_name("counts.json")
Part = Mapping[str, Any]
"""What one process counted, as JSON has it."""


def count_all(*, processes: int = 2, rounds: int = 1) -> dict[str, Part]:
    """Count every part. `rounds`: of the lives with one order at a time, for whoever wants CPU times."""
    with ThreadPoolExecutor(processes) as workers:
        return dict(zip(PARTS, workers.map(lambda part: count_part(part, rounds=rounds), PARTS), strict=True))


def kept_counts(path: Path = COUNTS) -> dict[str, Part]:
    """As they were counted last."""
    told: dict[str, Part] = json.loads(path.read_text(encoding="utf-8"))
    return told


def exact(part: Part) -> Part:
    """Without CPU times, which no two runs share."""
    lives = [{**life, "cpu_ms": {}} for life in part.get("lives", ())]
    return {**part, "cpu_ms": {}, "lives": lives}


def as_text(told: Mapping[str, Part]) -> str:
    """Of the file that keeps the counts."""
    return json.dumps({name: exact(part) for name, part in told.items()}, indent=1, sort_keys=True) + "\n"


def bill_of(told: Mapping[str, Part]) -> Bill:
    """Put the parts together."""
    lives = [life for part in told.values() for life in map(_life, part.get("lives", ()))]
    return Bill(
        lives={(life.name, life.batch): life for life in lives},
        idle={PARTS[name][1]: _idle(part) for name, part in told.items() if PARTS[name][0] == "idle"},
        metrics=tuple(sorted({metric for part in told.values() for metric in part["metrics"]})),
    )


def count_part(part: str, *, rounds: int = 1) -> Part:
    """Count one part, in a process of its own."""
    command = [sys.executable, "-m", "infra.costs.bill", part, str(rounds)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STOREBRIDGE_"))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise RuntimeError(f"{part} could not be counted:\n{done.stderr[-4000:]}")
    found: Part = json.loads(done.stdout)
    return found


def _count(part: str, rounds: int) -> Part:
    what, connected, batch = PARTS[part]
    if what == "idle":
        runs = play_idle(connected=connected)
        return {
            "usage": {name: _rows(usage) for name, usage in runs.usage.items()},
            "cpu_ms": runs.cpu_ms,
            "metrics": runs.metrics,
        }
    if what == "books":
        return _as_json(play_books())
    played = play(connected=connected, batch=batch, rounds=rounds if batch == ALONE else 1)
    return _as_json(played)


def _as_json(played: Played) -> Part:
    lives = [
        {
            "name": life.name,
            "batch": life.batch,
            "usage": _rows(life.usage),
            "cpu_ms": life.cpu_ms,
            "stored": life.stored,
        }
        for life in played.lives
    ]
    return {"lives": lives, "metrics": dict.fromkeys(played.metrics, "")}


def _rows(usage: Usage) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for (function, item), amount in sorted(usage.amounts.items()):
        rows.setdefault(function, {})[item.name] = round(amount, 6)
    return rows


def _usage(rows: Mapping[str, Mapping[str, float]]) -> Usage:
    return Usage({(function, Item[item]): amount for function, row in rows.items() for item, amount in row.items()})


def _life(told: Part) -> Life:
    return Life(told["name"], told["batch"], _usage(told["usage"]), told["cpu_ms"], told["stored"])


def _idle(told: Part) -> IdleRuns:
    usage = {name: _usage(rows) for name, rows in told["usage"].items()}
    return IdleRuns(usage, told["cpu_ms"], told["metrics"])


def measured_of(bill: Bill, start_ms: Mapping[str, float], when: str, how: str) -> Measured:
    """CPU times of these runs, for the file that keeps them."""
    lives: dict[str, dict[str, Mapping[str, float]]] = {}
    for (name, batch), life in bill.lives.items():
        lives.setdefault(name, {})[str(batch)] = life.cpu_ms
    idle = {_who(connected): runs.cpu_ms for connected, runs in bill.idle.items()}
    return Measured(when=when, how=how, lives=lives, idle=idle, start=start_ms)


def _who(connected: bool) -> str:
    return "connected" if connected else "shops"


def idle_months(bill: Bill, measured: Measured, topology: Topology) -> Iterator[tuple[bool, IdleRuns]]:
    """The idle runs with their GB-seconds. A run that comes rarer than every ten minutes starts an environment."""
    often = runs_a_month(topology)
    for connected, runs in bill.idle.items():
        spent = measured.idle[_who(connected)]
        timed = {
            name: with_time(usage, {name: spent[name]}, measured.start, topology, cold=float(often[name] < _WARM))
            for name, usage in runs.usage.items()
        }
        yield connected, IdleRuns(timed, runs.cpu_ms, runs.metrics)


_WARM: Final = 6 * 730
"""Runs a month from which on an environment stays: every ten minutes. Assumed; AWS does not publish it."""


if __name__ == "__main__":
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    out = sys.stdout
    json.dump(_count(sys.argv[1], int(sys.argv[2])), out)
