"""What people asked for under the law, as facts for JSON and tables. Pure. None of it holds personal data."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from infra.cli.order_facts import Json, time
from infra.cli.output import cell, pairs, table
from shared.sync.privacy.export import PersonExport
from shared.sync.privacy.models import ErasureProof, PartyState, PrivacyRequest, RequestState

Cells = tuple[Any, ...]


def summary(request: PrivacyRequest, now: datetime) -> Json:
    """One request in a list."""
    return {
        "id": request.id,
        "kind": request.kind.value,
        "shop": request.shop,
        "customers": list(request.subjects.customers),
        "asked_by": request.asked_by.model_dump(),
        "asked_at": time(request.asked_at),
        "due_at": time(request.due_at),
        "overdue": request.is_overdue(now),
        "state": request.state.value,
        "next": next_step(request),
    }


def next_step(request: PrivacyRequest) -> str | None:
    """What brings the request on; None where it is done."""
    if request.state is RequestState.DONE:
        return None
    if not request.is_erasure:
        return f"hand the data over (storebridge privacy export KEY), then: storebridge privacy answered {request.id}"
    if request.started_by is None:
        return f"storebridge privacy start {request.id}"
    if request.state is RequestState.FAILED:
        return f"mend what stopped it ({request.failed_code}), then: storebridge privacy start {request.id}"
    if request.state is RequestState.WATCHING:
        return f"nothing: all is gone through once more from {time(request.resume_at)}"
    return "nothing: it goes on by itself (at once: storebridge privacy run)"


def whole(request: PrivacyRequest, proof: ErasureProof | None, now: datetime) -> Json:
    """All that is known of one request, with the proof once it is done."""
    return {
        **summary(request, now),
        "orders_named": list(request.subjects.orders),
        "started_by": request.started_by,
        "started_at": time(request.started_at),
        "round": request.round,
        "stage": request.place.stage.value if request.is_erasure and request.state is not RequestState.DONE else None,
        "resume_at": time(request.resume_at),
        "failed_code": request.failed_code,
        "counts": request.counts,
        "parties": [party.model_dump(mode="json") for party in request.parties],
        "unread": list(request.unread),
        "closed_by": request.closed_by,
        "closed_at": time(request.closed_at),
        "proof": proof.model_dump(mode="json") if proof else None,
    }


def would_erase(request: PrivacyRequest) -> Json:
    """What a rehearsed first round found, as counts by place, and what stands against it."""
    found = [party for party in request.parties if party.state is PartyState.FORGOTTEN]
    refused = [party for party in request.parties if party.state is PartyState.REFUSED]
    return {
        "customers": list(request.subjects.customers),
        "due_at": time(request.due_at),
        "since": time(request.since),
        "would_erase": {**request.counts, **({"back_office_customers": len(found)} if found else {})},
        "by_hand": [{"where": party.backoffice, "what": party.key, "why": party.code} for party in refused],
        "unread": list(request.unread),
        "failed_code": request.failed_code,
    }


def exported(document: PersonExport) -> Json:
    """How much there is of what: the file has the content."""
    customers = document.customers
    return {
        "person": document.person,
        "customers": [str(one.record.key) for one in customers],
        "profiles": sum(one.customer is not None for one in customers),
        "orders": sum(len(one.orders) for one in customers),
        "conflicts": sum(len(one.conflicts) for one in customers),
        "back_office_customers": sum(len(one.back_offices) for one in customers),
    }


# As people read them


def listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["requests"]:
        yield "Nothing is open." if not facts["all"] else "Nobody has asked for anything yet."
        return
    made = table("request", "kind", "shop", "asked by", "asked", "due", "state", "next", rows=())
    for one in facts["requests"]:
        asker = one["asked_by"]
        made.add_row(
            *map(cell, (one["id"], one["kind"], one["shop"] or "all", f"{asker['by']} {asker['name']}")),
            cell(one["asked_at"]),
            _in_time(one["due_at"], overdue=one["overdue"]),
            _in_time(one["state"] + (", overdue" if one["overdue"] else ""), overdue=one["overdue"]),
            cell(one["next"]),
        )
    yield made
    if facts["more"]:
        yield f"{facts['more']} more: raise --limit."


def _in_time(text: str, *, overdue: bool) -> Text:
    return Text(text, style="bold red" if overdue else "")


def shown(facts: Json) -> Iterator[RenderableType]:
    asker = facts["asked_by"]
    number = f", number {asker['reference']}" if asker["reference"] else ""
    yield pairs(
        {
            "request": facts["id"],
            "kind": facts["kind"],
            "shop": facts["shop"] or "all",
            "customers": ", ".join(facts["customers"]),
            "orders named": ", ".join(facts["orders_named"]),
            "asked by": f"{asker['by']} {asker['name']}{number}",
            "asked": facts["asked_at"],
            "due": facts["due_at"] + ("  OVERDUE" if facts["overdue"] else ""),
            "state": facts["state"],
            "next": facts["next"],
            "started": f"{facts['started_at'] or 'not yet'} by {facts['started_by']}" if facts["started_by"] else None,
            "at": f"{facts['stage']}, round {facts['round']}" if facts["stage"] else None,
            "stopped by": facts["failed_code"],
            "closed": " by ".join(part for part in (facts["closed_at"], facts["closed_by"]) if part),
        }
    )
    proof = facts["proof"]
    if proof is None and facts["counts"]:
        yield counted(facts["counts"], "erased so far")
    if facts["parties"]:
        rows = [(party["backoffice"], party["key"], party["state"], party["code"]) for party in facts["parties"]]
        yield table("back office", "customer", "", "why", rows=rows)
    if proof is not None:
        yield from _proof(proof)
    elif facts["unread"]:
        yield table("cannot be read, so nobody knows whose it is", rows=[(name,) for name in facts["unread"]])


def _proof(proof: Json) -> Iterator[RenderableType]:
    yield pairs({"proof": proof["number"], "done": proof["done_at"], "digest": proof["digest"]})
    yield counted(proof["erased"], "erased")
    for what in ("kept", "not_done"):
        if proof[what]:
            rows = [(entry["where"], entry["what"]) for entry in proof[what]]
            yield table(what.replace("_", " "), "", rows=rows)


def counted(counts: dict[str, int], title: str) -> RenderableType:
    rows = [(word.replace("_", " "), number) for word, number in counts.items()]
    return table(title, "how many", rows=rows or [("nothing", 0)])


def foretold(facts: Json) -> Iterator[RenderableType]:
    yield pairs(
        {
            "customers": ", ".join(facts["customers"]),
            "archive from": facts["since"] or "its beginning",
            "due": facts["due_at"],
            "would stop at": facts["failed_code"],
        }
    )
    yield counted(facts["would_erase"], "would be erased (dry run)")
    if facts["by_hand"]:
        rows = [(one["where"], one["what"], one["why"]) for one in facts["by_hand"]]
        yield table("by hand in", "customer", "why", rows=rows)
    if facts["unread"]:
        yield table("cannot be read, so nobody knows whose it is", rows=[(name,) for name in facts["unread"]])


def opened(facts: Json) -> Iterator[RenderableType]:
    request = facts["request"]
    yield pairs(
        {
            "request": request["id"],
            "state": request["state"],
            "customers": ", ".join(request["customers"]),
            "due": request["due_at"],
            "next": request["next"],
        }
    )
    yield f"Where it stands: storebridge privacy show {request['id']}"


def written(facts: Json) -> Iterator[RenderableType]:
    yield pairs(
        {
            "person": facts["person"],
            "file": facts["file"],
            "customers": ", ".join(facts["customers"]),
            "profiles": facts["profiles"],
            "orders": facts["orders"],
            "edits that lost": facts["conflicts"],
            "in back offices": facts["back_office_customers"],
        }
    )
    yield "The file holds personal data: hand it over, then delete it."


def ran(facts: Json) -> Iterator[RenderableType]:
    if not facts["requests"]:
        yield "Nothing can go on now."
        return
    rows = [(one["id"], one["result"], _counts(one["counts"])) for one in facts["requests"]]
    yield table("request", "", "erased so far", rows=rows)
    if facts["stopped"]:
        yield f"{facts['stopped']} stopped: see storebridge privacy show ID; run again once it is mended."


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{word.replace('_', ' ')} {number}" for word, number in counts.items())


def verified(facts: Json) -> Iterator[RenderableType]:
    if not facts["faults"]:
        yield f"{facts['proofs']} proofs, none changed, none missing."
        return
    yield table("fault", rows=[(fault,) for fault in facts["faults"]], title=f"{facts['proofs']} proofs")


def in_order(requests: Iterable[PrivacyRequest]) -> list[PrivacyRequest]:
    """The one that is due first, first."""
    return sorted(requests, key=lambda request: (request.due_at, request.id))
