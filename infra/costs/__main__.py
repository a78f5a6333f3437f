"""`python -m infra.costs`: count what an order and an idle month cost, and write the page."""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer

from infra.bench.imports import LOADED
from infra.costs.bill import COUNTS, as_text, bill_of, count_all, measured_of
from infra.costs.durations import MEASURED, Measured, written
from infra.costs.page import page_of
from infra.costs.topology import Topology
from infra.local.stack import ROOT

PAGE: Final = ROOT / "infra" / "docs" / "costs.md"
_ROUNDS: Final = 3
_BARE_MS: Final = 84.0
"""A start of Python 3.13 with nothing in it: the middle of what maxday/lambda-perf found in August 2026."""
_PROCESSES: Final = 3
"""Fresh ones for each start."""


def costs(
    to: Annotated[Path, typer.Option(help="Where the page is written.")] = PAGE,
    measure: Annotated[bool, typer.Option(help="Measure CPU times anew too, on this machine.")] = False,
) -> None:
    """Count what an order and an idle month cost, and write the page."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    told = count_all(processes=1 if measure else 2, rounds=_ROUNDS if measure else 1)
    COUNTS.write_text(as_text(told), encoding="utf-8")
    bill = bill_of(told)
    if measure:
        now = datetime.now(UTC)
        how = f"medians of {_ROUNDS} orders one at a time, means of ten together, CPython on one core of x86-64"
        MEASURED.write_text(written(measured_of(bill, _starts(), f"{now:%Y-%m-%d}", how)), encoding="utf-8")
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page_of(bill, Measured.load(), Topology.load()), encoding="utf-8")


def _starts() -> dict[str, float]:
    """Milliseconds until an environment is there, by function: Python's own start, and CPU of the imports."""
    return {function.replace("_", "-"): _BARE_MS + _import_ms(modules) for function, modules in LOADED.items()}


def _import_ms(modules: Sequence[str]) -> float:
    script = (
        f"import time; began = time.process_time(); import {', '.join(modules)}; print(time.process_time() - began)"
    )
    environment = {**os.environ, "AWS_REGION": "eu-west-1"}

    def once() -> float:
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)  # noqa: S603 - ours
        return float(done.stdout)

    once()  # the first one compiles
    return median(once() for _ in range(_PROCESSES)) * 1000


if __name__ == "__main__":
    typer.run(costs)
