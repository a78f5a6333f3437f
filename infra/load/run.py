"""One run: open up, send, crash in the middle as often as asked, let it come to rest, and count up."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from botocore.exceptions import BotoCoreError

from infra.load.evidence import Inspector
from infra.load.sender import Sent, send_all
from infra.load.traffic import SKUS, Sending, plan
from infra.load.verdict import Check, Evidence, judge
from infra.load.victim import NotReady, Victim
from infra.load.world import World, world
from shared.kernel.clock import utc_now

SETTLING_SWEEP: Final = "stock-sync"
"""Raises levels that were lowered with care; after it every shop shows what the pool holds."""
_HEAD_START: Final = 1.0
"""Seconds between the plan and its first delivery."""
_UNITS_PER_ORDER: Final = {"MUG": 2.0, "CAP": 1.0, "LAMP": 0.5}
"""Counted in. An order asks for 4/3 of each on average: enough mugs for all, too few caps, a rush for the lamps."""


@dataclass(frozen=True)
class Load:
    """What to send."""

    orders: int
    per_second: float
    """Deliveries, repeats and forgeries included."""
    seed: int
    crashes: int = 1
    with_backoffice: bool = True

    @property
    def opening(self) -> dict[str, int]:
        return {sku: int(self.orders * _UNITS_PER_ORDER[sku]) for sku in SKUS}


@dataclass(frozen=True)
class Crash:
    """Seconds."""

    at: float
    """From the start of the traffic."""
    until_ready: float
    """From the kill until the stack answered again."""


@dataclass
class Outcome:
    load: Load
    sent: list[Sent] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)
    first_start: float = 0.0
    drained: float = 0.0
    """Seconds from the last answer until every queue and stream was quiet."""
    evidence: Evidence | None = None
    """What was found at the end."""
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


@dataclass(frozen=True)
class Listener:
    """Hears how far a run is."""

    step: Callable[[str], None] = lambda _what: None
    sent: Callable[[Sent], None] = lambda _sent: None


def run(load: Load, data: Path, listener: Listener | None = None) -> Outcome:
    """Play the whole run on a data folder that is empty yet.

    Raises:
        NotReady: the stack does not come up, or does not come to rest.
    """
    hearing = listener or Listener()
    outcome = Outcome(load)
    sendings = plan(load.orders, load.per_second, load.seed)
    with (
        world(with_backoffice=load.with_backoffice) as around,
        Victim(data, around.contents, _environment(around)) as victim,
    ):
        hearing.step("starting the stack")
        outcome.first_start = victim.start()
        Inspector(victim).open_up(load.opening)
        victim.fire(SETTLING_SWEEP)
        victim.drain()
        hearing.step(f"sending {len(sendings)} deliveries")
        outcome.sent, outcome.crashes = asyncio.run(_traffic(sendings, victim, load, hearing))
        try:
            hearing.step("waiting until all is quiet")
            outcome.drained = victim.drain()
            hearing.step("counting up")
            outcome.evidence = _evidence(victim, around)
        except (BotoCoreError, httpx.TransportError) as error:
            raise NotReady(f"the stack cannot be reached ({type(error).__name__}); {victim.last_words}") from error
        outcome.checks = judge(outcome.sent, outcome.evidence, load.opening)
    return outcome


def _environment(around: World) -> dict[str, str]:
    return around.shops.environment


async def _traffic(
    sendings: Sequence[Sending], victim: Victim, load: Load, hearing: Listener
) -> tuple[list[Sent], list[Crash]]:
    start = asyncio.get_running_loop().time() + _HEAD_START
    ends = sendings[-1].at
    moments = [ends * (number + 1) / (load.crashes + 1) for number in range(load.crashes)]
    sent, crashes = await asyncio.gather(
        send_all(sendings, victim.url, start=start, heard=hearing.sent), _crash(victim, start, moments, hearing)
    )
    return sent, crashes


async def _crash(victim: Victim, start: float, moments: Sequence[float], hearing: Listener) -> list[Crash]:
    """Kill and start again at each moment. The traffic goes on meanwhile: that is what the other thread is for."""
    loop = asyncio.get_running_loop()
    crashes = []
    for moment in moments:
        await asyncio.sleep(max(0.0, start + moment - loop.time()))
        at = loop.time()
        hearing.step(f"kill -9 at {at - start:.1f} s")
        crashes.append(Crash(at - start, await asyncio.to_thread(_kill_and_start, victim)))
        hearing.step(f"up again after {crashes[-1].until_ready:.1f} s")
    return crashes


def _kill_and_start(victim: Victim) -> float:
    victim.kill()
    killed_at = utc_now()
    seconds = victim.start()
    Inspector(victim).end_leases_of_the_dead(killed_at)
    return seconds


def _evidence(victim: Victim, around: World) -> Evidence:
    """After one more sweep: what a crash or an oversight left behind at a shop, a sweep must have mended."""
    victim.fire(SETTLING_SWEEP)
    victim.drain()
    return Inspector(victim).collect(around)
