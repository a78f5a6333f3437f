"""One reconciliation of a made-up month, measured in a process of its own: `infra.bench.finance` starts it.

Nothing else is imported here, so that the memory of the process is the memory of the work.
"""

import json
import resource
import sys
from dataclasses import asdict, dataclass
from time import process_time
from typing import Final

from infra.bench.finance_month import month
from infra.bench.finance_score import Score, digest, score, shuffled
from shared.finance.matching.reconcile import reconcile

_UNIT: Final = 1024 if sys.platform != "darwin" else 1
"""Bytes of what the system counts the resident set in."""
_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    score: Score
    cpu_seconds: float
    inputs_megabytes: float
    """At most, while the month was made up: what lies in memory before the work begins is less."""
    peak_megabytes: float
    """At most, when the work was done: the facts, all that was worked out of them, and Python itself."""
    identical: bool
    """Whether the same facts in another order came to the same, to the byte."""


def measure(seed: int, orders: int) -> Measured:
    made_up = month(seed, orders)
    inputs = made_up.inputs()
    before = _peak()
    start = process_time()
    outcome = reconcile(inputs)
    seconds = process_time() - start
    peak = _peak()
    result, first = score(made_up, outcome), digest(outcome)
    del outcome
    again = digest(reconcile(shuffled(inputs, seed)))
    return Measured(result, seconds, before, peak, identical=first == again)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / _MEGABYTE


if __name__ == "__main__":
    measured = measure(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(asdict(measured)))
