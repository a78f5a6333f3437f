"""What a function loads before it can answer: modules and source bytes exactly, milliseconds as medians.

A cold start pays for every module. Counted is what the handler imports at once, and what its first event then loads
of one vendor.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

LOADED: Final = {
    "order_webhook": ("functions.order_webhook.handler", "shared.storefronts.shopify.signature"),
    "order_intake": ("functions.order_intake.handler", "shared.storefronts.shopify.mapping"),
    "registration_webhook": ("functions.registration_webhook.handler", "shared.storefronts.shopify.signature"),
    "customer_intake": ("functions.customer_intake.handler", "shared.storefronts.shopify.customer_mapping"),
    "customer_relay": ("functions.customer_relay.handler",),
    "customer_verification": ("functions.customer_verification.handler",),
    "customer_privacy": ("functions.customer_privacy.handler", "shared.backoffices.tryton.backoffice"),
    "order_tracking": ("functions.order_tracking.handler",),
    "notify": ("functions.notify.handler",),
    "order_relay": ("functions.order_relay.handler",),
    "order_review": ("functions.order_review.handler",),
    "order_repair": (
        "functions.order_repair.handler",
        "shared.storefronts.shopify.client",
        "shared.storefronts.shopify.mapping",
        "shared.storefronts.shopify.subscriptions",
    ),
    "backoffice_push": ("functions.backoffice_push.handler", "shared.backoffices.tryton.backoffice"),
    "backoffice_pull": ("functions.backoffice_pull.handler", "shared.backoffices.tryton.backoffice"),
    "storefront_push": ("functions.storefront_push.handler", "shared.storefronts.shopify.fulfilment"),
    "stock_relay": ("functions.stock_relay.handler",),
    "stock_push": ("functions.stock_push.handler", "shared.storefronts.shopify.stock"),
    "stock_sync": ("functions.stock_sync.handler", "shared.storefronts.shopify.stock"),
    "manual_sync": (
        "functions.manual_sync.handler",
        "shared.storefronts.shopify.stock",
        "shared.storefronts.shopify.client",
        "shared.storefronts.shopify.mapping",
    ),
    "payment_webhook": ("functions.payment_webhook.handler", "shared.payments.stripe.signature"),
    "payment_intake": ("functions.payment_intake.handler", "shared.payments.stripe.mapping"),
    "payment_reconciliation": ("functions.payment_reconciliation.handler", "shared.payments.stripe.client"),
    "daily_close": ("functions.daily_close.handler",),
    "low_stock_notification": ("functions.low_stock_notification.handler",),
}
"""By function: its handler, and what the first event makes it import beside."""

_PROBE = """
import sys
before = set(sys.modules)
for name in sys.argv[1:]:
    __import__(name)
import json, os
loaded = sorted(name for name in sys.modules if name not in before)
sizes = [os.path.getsize(f) for n in loaded if (f := getattr(sys.modules[n], "__file__", None)) and f.endswith(".py")]
print(json.dumps({"modules": loaded, "source_bytes": sum(sizes)}))
"""


@dataclass(frozen=True)
class Footprint:
    """What a fresh interpreter loads beyond what it has anyway."""

    modules: tuple[str, ...]
    source_bytes: int
    """Python source only: how an interpreter was built does not show in it."""

    @property
    def packages(self) -> frozenset[str]:
        return frozenset(module.partition(".")[0] for module in self.modules)


@dataclass(frozen=True)
class ImportCost:
    """One function's cold start, as far as imports make it."""

    function: str
    modules: int
    source_bytes: int
    ms_over_bare: float
    """Milliseconds more than an interpreter that does nothing. This machine's."""


def measure(processes: int) -> list[ImportCost]:
    """Every function's cost, each time the median of so many fresh processes."""
    bare = milliseconds((), processes)
    return [_cost(function, modules, milliseconds(modules, processes) - bare) for function, modules in LOADED.items()]


def _cost(function: str, modules: Sequence[str], ms_over_bare: float) -> ImportCost:
    loaded = footprint(modules)
    return ImportCost(function, len(loaded.modules), loaded.source_bytes, ms_over_bare)


def footprint(modules: Sequence[str]) -> Footprint:
    """Import the modules in a fresh interpreter and list what came with them."""
    found = json.loads(_python("-c", _PROBE, *modules))
    return Footprint(tuple(found["modules"]), found["source_bytes"])


def milliseconds(modules: Sequence[str], processes: int) -> float:
    """Wall clock of a fresh process that imports the modules, .pyc in place: the median. No modules: bare Python."""
    statement = f"import {', '.join(modules)}" if modules else "pass"
    _python("-c", statement)
    return median(_timed(statement) for _ in range(processes))


def _timed(statement: str) -> float:
    start = perf_counter()
    _python("-c", statement)
    return (perf_counter() - start) * 1000


def _python(*arguments: str) -> bytes:
    done = subprocess.run(  # noqa: S603 - this interpreter and our own modules
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AWS_REGION": "eu-west-1"},
        capture_output=True,
        check=True,
    )
    return done.stdout
