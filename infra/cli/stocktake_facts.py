"""Stocktakes as facts for JSON and tables. Pure. What the book says is left out while people still count."""

from collections.abc import Iterator

from rich.console import RenderableType

from infra.cli.order_facts import Json, money, time
from infra.cli.output import pairs, table
from shared.inventory.stocktake import BLIND, Count, LineOutcome, Review, ReviewedLine, Standing, Stocktake
from shared.inventory.stocktake_posting import Posting


def session_facts(session: Stocktake) -> Json:
    return {
        "id": session.id,
        "location": session.location,
        "state": session.state.value,
        "scope": session.scope.model_dump(mode="json"),
        "currency": session.currency,
        "tolerance": {
            "units": session.tolerance.units,
            "percent": None if session.tolerance.percent is None else f"{session.tolerance.percent:f}",
            "value": money(session.tolerance.value) if session.tolerance.value else None,
        },
        "approval": {
            "value": money(session.approval.value) if session.approval.value else None,
            "units": session.approval.units,
        },
        "opened_at": time(session.opened_at),
        "opened_by": session.opened_by,
        "closed_at": time(session.closed_at),
        "closed_by": session.closed_by,
        "approved_at": time(session.approved_at),
        "approved_by": session.approved_by,
        "posted_at": time(session.posted_at),
        "posted_by": session.posted_by,
        "cancelled_at": time(session.cancelled_at),
        "cancelled_by": session.cancelled_by,
    }


def review_facts(found: Review) -> Json:
    blind = found.session.state in BLIND
    return {
        "stocktake": session_facts(found.session),
        "blind": blind,
        "tally": {standing.value: len(found.standing(standing)) for standing in Standing},
        "net_value": None if blind or found.net_value is None else money(found.net_value),
        "needs_another_approver": None if blind else found.needs_another,
        "lines": [line_facts(line, blind=blind) for line in found.lines],
    }


def line_facts(reviewed: ReviewedLine, *, blind: bool) -> Json:
    line, deciding = reviewed.line, reviewed.verdict.deciding
    facts: Json = {
        "sku": line.sku,
        "zone": line.zone,
        "found": line.found,
        "standing": reviewed.verdict.standing.value,
        "counters": [count.counter for count in line.counts],
    }
    if blind:
        return facts
    return facts | {
        "counts": [_count_facts(count) for count in line.counts],
        "counted": deciding.counted if deciding else None,
        "book": deciding.book if deciding else None,
        "variance": reviewed.variance,
        "unit_cost": money(line.unit_cost) if line.unit_cost else None,
        "value": money(reviewed.value) if reviewed.value is not None else None,
        "outcome": line.outcome.value if line.outcome else None,
        "posted_units": line.posted_units,
    }


def _count_facts(count: Count) -> Json:
    return {
        "counter": count.counter,
        "counted": count.counted,
        "counted_at": time(count.counted_at),
        "book": count.book,
        "variance": count.variance,
    }


def posting_facts(posting: Posting) -> Json:
    settled: dict[str, list[Json]] = {outcome.value: [] for outcome in LineOutcome}
    for line in posting.settled:
        if line.outcome is not None:
            settled[line.outcome.value].append({"sku": line.sku, "units": line.posted_units})
    refused = [
        {
            "sku": shortfall.sku,
            "reserved": shortfall.reserved,
            "left": shortfall.left,
            "reason": shortfall.conflict.message,
            "hint": shortfall.conflict.hint,
        }
        for shortfall in posting.refused
    ]
    untouched = [line.sku for line in posting.untouched]
    return {"stocktake": session_facts(posting.session), **settled, "refused": refused, "untouched": untouched}


def listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["stocktakes"]:
        yield "There is no stocktake yet: storebridge stocktake open LOCATION"
        return
    columns = ("id", "location", "state", "opened_at", "opened_by")
    yield table(*columns, rows=[[session[name] for name in columns] for session in facts["stocktakes"]])


def reviewed(facts: Json) -> Iterator[RenderableType]:
    yield from told(facts)
    names = ["sku", "zone", "standing", "counters"]
    if not facts["blind"]:
        names += ["counted", "book", "variance", "value", "outcome"]
    rows = [[_cell(line[name]) for name in names] for line in facts["lines"]]
    yield table(*names, rows=rows)
    if facts["blind"]:
        yield "What the book says is shown when counting is over."
    elif facts["needs_another_approver"]:
        yield "The variances are above the limit: somebody who counted nothing is to approve."


def told(facts: Json) -> Iterator[RenderableType]:
    """The head of a session."""
    session = facts["stocktake"]
    names = ("id", "location", "state", "opened_by", "approved_by", "posted_by", "cancelled_by")
    yield pairs({name.replace("_", " "): session[name] for name in names} | facts.get("tally", {}))
    if facts.get("dry_run"):
        yield "Dry run: nothing is written."


def waiting(facts: Json) -> Iterator[RenderableType]:
    if not facts["recounts"]:
        yield "No line waits for another count."
        return
    rows = [[line["sku"], line["zone"], _cell(line["counters"])] for line in facts["recounts"]]
    yield table("sku", "zone", "counted by: another person now", rows=rows)


def recorded(facts: Json) -> Iterator[RenderableType]:
    yield from told(facts)
    yield table("sku", "standing", rows=[[line["sku"], line["standing"]] for line in facts["lines"]])


def posted(facts: Json) -> Iterator[RenderableType]:
    yield from told(facts)
    rows = [(line["sku"], outcome.value, line["units"]) for outcome in LineOutcome for line in facts[outcome.value]]
    rows += [(line["sku"], "refused", f"{line['reason']}: {line['hint']}") for line in facts["refused"]]
    yield table("sku", "", "units", rows=rows)
    if facts["untouched"]:
        yield f"{len(facts['untouched'])} lines were not counted to the end, and stay as they are."


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return f"{value['amount']} {value['currency']}"
    return " / ".join(value) if isinstance(value, list) else value


def sheet_shown(facts: Json) -> Iterator[RenderableType]:
    if facts["file"]:
        yield pairs({"written to": facts["file"]})
        return
    yield table("sku", "zone", "counted", rows=[[line["sku"], line["zone"], ""] for line in facts["lines"]])
