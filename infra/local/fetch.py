"""`python -m infra.local.fetch`: all that demo and tests need from outside, put below `.cache/` once.

Each piece is pinned by its hash. One that cannot be had is named, with what will not work without it.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.dynoxide import EngineUnavailable, fetch_engine
from infra.local.npm import NotFetched
from infra.local.shopify_schema import fetch_schema
from infra.local.wheels import WheelsUnavailable, fetch_wheels

_ROOT = Path(__file__).resolve().parents[2]
_CACHE = _ROOT / ".cache"
_REQUIREMENTS = _ROOT / "infra" / "lambda" / "requirements.txt"


def run() -> int:
    """Fetch everything; the exit status counts what is missing."""
    missing = 0
    pieces: dict[str, Callable[[], Path]] = {
        "the DynamoDB engine (local stack, demo, tests)": lambda: fetch_engine(_CACHE / "dynoxide"),
        "Shopify's schema (contract tests)": fetch_schema,
        "the functions' packages (test of the built artefact)": lambda: fetch_wheels(_CACHE / "wheels", _REQUIREMENTS),
    }
    for name, fetch in pieces.items():
        try:
            fetch()
        except (EngineUnavailable, NotFetched, WheelsUnavailable) as error:
            sys.stderr.write(f"missing: {name}: {error}\n")
            missing += 1
    return missing


if __name__ == "__main__":
    sys.exit(run())
