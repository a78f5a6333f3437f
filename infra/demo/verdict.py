"""The invariants of the design, checked on what the day left in tables, queues, bus and logs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.demo.stage import Stage
from shared.inventory.models import StockLine
from shared.orders.record import OrderRecord

_CANARIES = ("@example.test", "@gmail.com", "Ünal", "\\u00dcnal", "Lovelace", "Mueller", "Erpside", "901820")
"""Part of every buyer's e-mail address in this demo, the buyers' name as it is and as JSON may write it, and of those
who have accounts names and a telephone number."""


@dataclass(frozen=True)
class Check:
    invariant: str
    holds: bool
    found: str


def check_all(stage: Stage) -> Iterator[Check]:
    records = list(stage.orders.all_records())
    levels = list(stage.stock.read_all())
    events = stage.published()
    yield _nothing_lost(stage, records)
    yield _effects_once(records, events)
    yield _levels_sane(levels)
    yield _promises_match(records, levels)
    yield nothing_private(stage)


def _nothing_lost(stage: Stage, records: list[OrderRecord]) -> Check:
    kept = {record.key for record in records}
    missing = stage.accepted - kept
    aside = len(stage.set_aside())
    found = f"{len(stage.accepted)} orders answered with 2xx: {len(stage.accepted - missing)} kept, {aside} set aside"
    return Check("I1 every accepted delivery is applied, superseded or set aside", len(missing) == aside, found)


def _effects_once(records: list[OrderRecord], events: list[dict[str, object]]) -> Check:
    ids = Counter(str(_detail(event)["id"]) for event in events)
    announced = {str(identity).rpartition("#")[0] for identity in ids}
    silent = [record.key for record in records if str(record.key) not in announced]
    future = [
        identity
        for record in records
        for identity in ids
        if identity.startswith(f"{record.key}#") and _revision(identity) > record.revision
    ]
    found = f"{len(ids)} events of {len(records)} orders, {ids.total() - len(ids)} repeated under the same id"
    return Check("I7 every commit is announced, and nothing without a commit", not silent and not future, found)


def _levels_sane(levels: list[StockLine]) -> Check:
    bad = [
        level.sku
        for level in levels
        if not 0 <= level.reserved <= level.on_hand or level.available != level.on_hand - level.reserved
    ]
    return Check("I4 0 ≤ reserved ≤ on hand everywhere", not bad, f"{len(levels)} stock lines, faults: {bad or 'none'}")


def _promises_match(records: list[OrderRecord], levels: list[StockLine]) -> Check:
    promised: Counter[str] = Counter()
    for record in records:
        for line in record.lines:
            promised[str(line.sku)] += sum(line.allocated.values())
    differing = [level.sku for level in levels if level.reserved != promised[level.sku]]
    found = f"{promised.total()} units promised by orders, {sum(level.reserved for level in levels)} reserved"
    return Check("I5 Σ reserved = Σ what open orders hold", not differing, found)


def nothing_private(stage: Stage) -> Check:
    """The canary of every buyer is in no log of ours, and not on the dead-letter queue."""
    logs = [path for path in Path(stage.stack.logs).rglob("*") if path.is_file()]
    leaking = [path.name for path in logs if _names_a_buyer(path.read_text("utf-8", errors="replace"))]
    aside = [reason for reason in stage.set_aside() if _names_a_buyer(str(reason))]
    size = sum(path.stat().st_size for path in logs)
    return Check(
        "I13 no buyer's data in logs or on the dead-letter queue", not leaking and not aside, f"{size} bytes of logs"
    )


def _names_a_buyer(text: str) -> bool:
    return any(canary in text for canary in _CANARIES)


def _detail(event: dict[str, object]) -> dict[str, object]:
    detail = event["detail"]
    return detail if isinstance(detail, dict) else {}


def _revision(identity: str) -> int:
    return int(identity.rpartition("#")[2].partition("/")[0])
