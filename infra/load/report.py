"""Tell how a run went: figures of the traffic, then each thing that must hold, with what is lost or doubled."""

from collections import Counter
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.load.run import Outcome
from infra.load.sender import UNANSWERED, Sent
from infra.load.traffic import Kind
from infra.load.verdict import Check, Fault

_SHOWN_IDS: Final = 12
_GRACE: Final = 5.0
"""Seconds after a crash's end in which what piled up is still being worked off."""


def as_document(outcome: Outcome) -> dict[str, Any]:
    """Everything, for machines."""
    load = outcome.load
    return {
        "orders": load.orders,
        "seed": load.seed,
        "rate": load.per_second,
        "backoffice": load.with_backoffice,
        "traffic": _traffic(outcome),
        "crashes": [{"at": round(one.at, 2), "until_ready": round(one.until_ready, 2)} for one in outcome.crashes],
        "first_start": round(outcome.first_start, 2),
        "drained": round(outcome.drained, 2),
        "lost": _count(outcome.checks, Fault.LOST),
        "doubled": _count(outcome.checks, Fault.DOUBLED),
        "wrong": _count(outcome.checks, Fault.WRONG),
        "checks": [
            {"fault": check.fault, "what": check.what, "found": check.found, "ids": list(check.ids)}
            for check in outcome.checks
        ],
    }


def show(outcome: Outcome, console: Console) -> None:
    document = as_document(outcome)
    traffic = Table("figure", "value", title="The traffic", title_justify="left", header_style="bold")
    for name, value in _rows(outcome, document["traffic"]):
        traffic.add_row(name, value)
    console.print(traffic)
    checks = Table("", "what must hold", "found", title="Every id", title_justify="left", header_style="bold")
    for check in outcome.checks:
        checks.add_row("[green]✓[/]" if check.holds else "[red]✗[/]", check.what, check.found)
    console.print(checks)
    _show_faults(outcome, console)
    mood = "green" if outcome.holds else "red"
    counts = ", ".join(f"{document[fault]} {fault}" for fault in Fault)
    console.print(f"[bold {mood}]{counts}[/] over {len(outcome.crashes)} × kill -9", highlight=False)


def _show_faults(outcome: Outcome, console: Console) -> None:
    broken = [check for check in outcome.checks if not check.holds]
    if not broken:
        return
    table = Table("fault", "what", "ids", title="Lost, doubled, wrong", title_justify="left", header_style="bold red")
    for check in broken:
        more = f" … and {len(check.ids) - _SHOWN_IDS} more" if len(check.ids) > _SHOWN_IDS else ""
        table.add_row(check.fault, check.what, ", ".join(check.ids[:_SHOWN_IDS]) + more)
    console.print(table)
    load = outcome.load
    again = f"--orders {load.orders} --rate {load.per_second:g} --crashes {load.crashes} --seed {load.seed}"
    console.print(f"The same traffic again: make load ARGS='{again}'", highlight=False)


def _count(checks: Iterable[Check], fault: Fault) -> int:
    return sum(len(check.ids) for check in checks if check.fault is fault)


def _traffic(outcome: Outcome) -> dict[str, Any]:
    sent = outcome.sent
    genuine = [one for one in sent if one.sending.kind is not Kind.FORGED]
    calm, shaken = _apart(genuine, outcome)
    last = max((one.sending.at + one.seconds for one in sent), default=0.0)
    offered = max((one.sending.at for one in sent), default=0.0)
    statuses = Counter(status for one in sent for status in one.statuses)
    return {
        "deliveries": len(sent),
        "by_kind": dict(Counter(str(one.sending.kind) for one in sent)),
        "seconds": round(offered, 1),
        "offered_per_second": round(len(sent) / offered, 1) if offered else 0.0,
        "acknowledged_per_second": round(len(genuine) / last, 1) if last else 0.0,
        "attempts": sum(one.attempts for one in sent),
        "acknowledged": sum(one.acknowledged for one in genuine),
        "sent_again": sum(one.attempts > 1 for one in genuine),
        "refused": statuses[HTTPStatus.UNAUTHORIZED],
        "unanswered": statuses[UNANSWERED],
        "server_errors": sum(count for status, count in statuses.items() if status >= HTTPStatus.INTERNAL_SERVER_ERROR),
        "latency_ms": _percentiles([one.seconds for one in genuine]),
        "latency_away_from_crashes_ms": _percentiles([one.seconds for one in calm]),
        "latency_around_crash_ms": _percentiles([one.seconds for one in shaken]),
        "generator_lag_ms": _percentiles([one.lag for one in sent]),
    }


def _apart(genuine: Sequence[Sent], outcome: Outcome) -> tuple[list[Sent], list[Sent]]:
    """Deliveries away from the crashes, and those from a crash until what piled up meanwhile is worked off."""
    spans = [(one.at - _GRACE, one.at + one.until_ready + _GRACE) for one in outcome.crashes]
    calm: list[Sent] = []
    shaken: list[Sent] = []
    for one in genuine:
        hit = any(begin <= one.sending.at <= end for begin, end in spans)
        (shaken if hit else calm).append(one)
    return calm, shaken


def _percentiles(seconds: Iterable[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    if not ordered:
        return {}
    ranks = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(ordered[ceil(rank * len(ordered)) - 1] * 1000, 1) for name, rank in ranks.items()}


def _rows(outcome: Outcome, traffic: dict[str, Any]) -> Iterable[tuple[str, str]]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(traffic["by_kind"].items()))
    yield "deliveries", f"{traffic['deliveries']} of {outcome.load.orders} orders: {kinds}"
    yield "offered", f"{traffic['offered_per_second']} each second for {traffic['seconds']} s"
    yield "acknowledged", f"{traffic['acknowledged']}, {traffic['acknowledged_per_second']} each second"
    yield "attempts", f"{traffic['attempts']}; {traffic['sent_again']} deliveries were sent again"
    errors = f"{traffic['unanswered']} without an answer, {traffic['server_errors']} server errors"
    yield "refused", f"{traffic['refused']} forgeries; {errors}"
    for name, title in (
        ("latency_ms", "latency from the intended time, ms"),
        ("latency_away_from_crashes_ms", "away from crashes"),
        ("latency_around_crash_ms", "around a crash, until a repeat was acknowledged"),
        ("generator_lag_ms", "sent later than intended, ms"),
    ):
        yield title, " · ".join(f"{rank} {value:,.0f}" for rank, value in traffic[name].items()) or "-"
    for crash in outcome.crashes:
        yield "kill -9", f"at {crash.at:.1f} s; answering again after {crash.until_ready:.1f} s"
    yield "quiet", f"{outcome.drained:.1f} s after the last answer"
