"""How long functions run, in GB-seconds: CPU as it was measured, waiting as it was published or assumed.

A function of M MB has M/1769 of a core, so that CPU costs the same at any memory below that, and waiting costs the less
the less memory there is.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.costs.topology import Topology
from infra.costs.usage import Item, Usage

MEASURED: Final = Path(__file__).with_name("measured.toml")
OF_ONE_CORE_MB: Final = 1769
"""Memory at which a function has one whole core (Lambda Developer Guide, "Configure Lambda function memory")."""
RUNTIME_MS: Final = 1.0
"""Of each run beside our code: what Lambda's runtime does with event and answer. Assumed."""
COLD: Final[Mapping[int, float]] = {1: 0.01, 10: 0.001}
"""Share of the runs that have to start an environment, by how many orders come together. Assumed. AWS bills it since
August 2025."""
_MB_PER_GB: Final = 1024


@dataclass(frozen=True)
class Measured:
    """CPU of one order, by life, batch and function; of one run of a schedule; of a start. Milliseconds of one core."""

    when: str
    how: str
    lives: Mapping[str, Mapping[str, Mapping[str, float]]]
    idle: Mapping[str, Mapping[str, float]]
    start: Mapping[str, float]

    @classmethod
    def load(cls, path: Path = MEASURED) -> "Measured":
        told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(told["when"], told["how"], told["lives"], told["idle"], told["start"])

    def of_life(self, name: str, batch: int) -> Mapping[str, float]:
        return self.lives[name][str(batch)]


def with_time(
    usage: Usage, cpu_ms: Mapping[str, float], start_ms: Mapping[str, float], topology: Topology, *, cold: float
) -> Usage:
    """The usage with its GB-seconds. `cold`: the share of runs that start an environment."""
    seconds = {
        (function, Item.GB_SECONDS): _gb_seconds(
            usage.of(function),
            cpu_ms.get(function, 0.0),
            cold * start_ms.get(function, 0.0),
            topology.functions[function].memory_mb,
        )
        for function in usage.functions
    }
    return usage + Usage(seconds)


def _gb_seconds(usage: Usage, cpu_ms: float, start_ms: float, memory_mb: int) -> float:
    runs = usage.total(Item.INVOCATIONS)
    cpu = cpu_ms + usage.total(Item.SDK_MS)
    waiting = usage.total(Item.WAIT_MS) + runs * (RUNTIME_MS + start_ms)
    measured = (cpu * max(memory_mb, OF_ONE_CORE_MB) + waiting * memory_mb) / 1000 / _MB_PER_GB
    return max(0.0, measured)  # of the difference of two short runs the clock may say less than nothing


def written(measured: Measured) -> str:
    """As the file has it."""
    head = f'# Written by `python -m infra.costs --measure`.\nwhen = "{measured.when}"\nhow = "{measured.how}"\n'
    tables = [_table("start", measured.start)]
    tables += [_table(f"idle.{_quoted(name)}", runs) for name, runs in measured.idle.items()]
    tables += [
        _table(f"lives.{_quoted(name)}.{batch}", spent)
        for name, batches in measured.lives.items()
        for batch, spent in batches.items()
    ]
    return head + "".join(tables)


def _table(name: str, values: Mapping[str, float]) -> str:
    return f"\n[{name}]\n" + "".join(f"{key} = {value:.2f}\n" for key, value in sorted(values.items()))


def _quoted(name: str) -> str:
    return f'"{name}"'
