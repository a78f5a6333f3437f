"""The answers of `storebridge customers`, as people read them: tables of the facts and nothing else."""

import json
from collections.abc import Iterable, Iterator

from rich.console import RenderableType

from infra.cli.order_facts import Json
from infra.cli.output import pairs, table


def listed(facts: Json) -> Iterator[RenderableType]:
    rows = [
        (one["customer"], one["account"], one["verification"], _flags(one["flags"]), _other(one), one["since"])
        for one in facts["customers"]
    ]
    if rows:
        yield table("customer", "account", "verification", "flags", "goes by", "since", rows=rows)
    else:
        yield "No customer needs anyone." if facts["read"] == "attention_index" else "There are no customers."
    if facts["more"]:
        yield "There are more: raise --limit."
    if facts["stopped"]:
        columns = ("customer", "backoffice", "since", "attempts", "reason", "todo", "command")
        stopped = [[row[name] for name in columns] for row in facts["stopped"]]
        yield table(*columns, rows=stopped, title="Not in step with the back office")
        yield "In the back office's own words: storebridge customers show KEY --personal"
    if facts["more_stopped"]:
        yield f"{facts['more_stopped']} more are stopped: raise --limit."


def _other(one: Json) -> str | None:
    """Whom a customer goes by, where that is another one."""
    return None if one["leader"] == one["customer"] else str(one["leader"])


def _flags(flags: Iterable[Json]) -> str:
    return "; ".join(f"{flag['flag']} ({flag['detail']})" if flag["detail"] else flag["flag"] for flag in flags)


def shown(facts: Json) -> Iterator[RenderableType]:
    verified = facts["verified"]
    yield pairs(
        {
            "customer": facts["customer"],
            "goes by": _other(facts),
            "platform": facts["platform"],
            "account": facts["account"],
            "registered": facts["registered_at"],
            "verification": verification(verified),
            "links sent": _links(verified),
            "flags": _flags(facts["flags"]),
            "waiting since": facts["since"],
            "overruled": ", ".join(facts["overruled"]),
            "marketing": "; ".join(_consent(consent) for consent in facts["consents"]),
            "deleted": facts["deleted_at"],
            "erased": facts["erased_at"],
            "profile": None if facts["has_profile"] else "none is kept",
            "revision": f"{facts['revision']} ({facts['cause']['kind']} by {facts['cause']['actor']})",
            "orders": ", ".join(facts["orders"]),
        }
    )
    if len(facts["members"]) > 1:
        rows = [
            (one["customer"], "leader" if one["is_leader"] else "", one["account"], one["verification"])
            for one in facts["members"]
        ]
        yield table("one person", "", "account", "verification", rows=rows)
    if facts["merges"]:
        yield table("merge", "into", "of", "because", "by", "at", "undone", rows=map(_merge_row, facts["merges"]))
    if facts["conflicts"]:
        yield _conflicts(facts["conflicts"])
    for office in facts["back_offices"]:
        yield _back_office(office)
    if "personal" in facts:
        personal = facts["personal"] or {}
        yield table("personal", "", rows=[(name, json.dumps(personal[name], ensure_ascii=False)) for name in personal])


def verification(known: Json) -> str:
    by = f" by {known['by']}" if known["by"] else ""
    at = f", {known['at']}" if known["at"] else ""
    return f"{known['state']}{by}{at}"


def _links(known: Json) -> str | None:
    if not known["links_sent"]:
        return None
    last = f", last {known['last_sent_at']}" if known["last_sent_at"] else ""
    return f"{known['links_sent']}{last}"


def _consent(consent: Json) -> str:
    since = f" since {consent['since']}" if consent["since"] else ""
    return f"{consent['channel']}: {consent['state']}{since}"


def _merge_row(merge: Json) -> tuple[str | None, ...]:
    undone = f"{merge['undone_at']} by {merge['undone_by']}" if not merge["stands"] else ""
    moved = ", ".join(one["customer"] for one in merge["moved"])
    return merge["id"], merge["leader"], moved, reasons(merge["reasons"]), merge["by"], merge["at"], undone


def reasons(found: Iterable[Json]) -> str:
    return ", ".join(f"{reason['kind']} {reason['weight']:+d}" for reason in found)


def _conflicts(conflicts: list[Json]) -> RenderableType:
    columns = [name for name in ("field", "winner", "loser", "reason", "at", "kept", "lost") if name in conflicts[0]]
    return table(*columns, rows=[[one[name] for name in columns] for one in conflicts], title="Edits that lost")


def _back_office(office: Json) -> RenderableType:
    stop = office["stop"] or {}
    return pairs(
        {
            "back office": office["backoffice"],
            "party": office["party_id"] or "none yet",
            "in step": "yes" if office["in_step"] else "no",
            "looked at": office["looked_at"],
            "stopped": stop.get("reason"),
            "exactly": stop.get("message"),
            "what to do": stop.get("todo"),
            "who": stop.get("who"),
            "since": stop.get("since"),
        }
    )


def found_listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["customers"]:
        yield "Nobody is known by it."
        return
    rows = [
        (one["customer"], ", ".join(one["by"]), one["account"], one["verification"], _other(one))
        for one in facts["customers"]
    ]
    yield table("customer", "by", "account", "verification", "goes by", rows=rows)
    if facts["more"]:
        yield "So many have it that not all are shown."


def change(facts: Json) -> Iterator[RenderableType]:
    before, after = facts["before"], facts["after"]
    yield pairs(
        {
            "customer": facts["customer"] + _rehearsed(facts),
            "verification": f"{verification(before['verified'])} → {verification(after['verified'])}"
            if facts["changed"]
            else f"{verification(after['verified'])} (as it was)",
            "links sent": _links(after["verified"]),
            "flags": _flags(before["flags"]) if not facts["changed"] else None,
            "flags now": _flags(after["flags"]) or "none" if before["flags"] != after["flags"] else None,
            "by": facts["by"] if facts["changed"] else None,
        }
    )


def joined(facts: Json) -> Iterator[RenderableType]:
    merge = facts["merge"]
    yield pairs(
        {
            "merge": merge["id"] + _rehearsed(facts),
            "stands": "yes" if merge["stands"] else f"undone by {merge['undone_by']}, {merge['undone_at']}",
            "because": reasons(merge["reasons"]),
            "by": merge["by"],
            "changed": None if facts.get("changed", True) else "nothing: it was so already",
        }
    )
    yield table("customer", "goes by", rows=[(one["customer"], one["goes_by"]) for one in facts["customers"]])
    if merge["stands"] and not facts["dry_run"]:
        yield f"To undo it: storebridge customers unmerge {merge['leader']} {merge['id']}"


def _rehearsed(facts: Json) -> str:
    return "  (dry run: nothing is written)" if facts["dry_run"] else ""


def asked(facts: Json) -> Iterator[RenderableType]:
    if facts["dry_run"] and facts["customers"]:
        yield table("person", rows=[(leader,) for leader in facts["customers"]])
        yield f"{facts['selected']} would be sent."
    else:
        yield f"{facts['sent']} sent."


# ---- proposals ----


def proposals_listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["proposals"]:
        yield "Nobody is proposed."
        return
    rows = [
        (one["id"], *one["customers"], one["score"], reasons(one["reasons"]), one["found_at"])
        for one in facts["proposals"]
    ]
    yield table("proposal", "customer", "and customer", "score", "because", "found", rows=rows)
    if facts["more"]:
        yield f"{facts['more']} more: raise --limit."
    yield "Compare two: storebridge customers proposals show ID"


def compared(facts: Json) -> Iterator[RenderableType]:
    yield pairs(
        {
            "proposal": facts["id"],
            "because": f"{reasons(facts['reasons'])} (score {facts['score']})",
            "found": facts["found_at"],
            "state": facts["state"],
            "decided": f"{facts['decided_by']}, {facts['decided_at']}" if facts["decided_by"] else None,
        }
    )
    sides: list[tuple[str, ...]] = [(name, "", *values) for name, values in facts["sides"].items()]
    fields: list[tuple[str, ...]] = [
        (row["field"], row["likeness"].replace("_", " "), *row["values"]) for row in facts["fields"]
    ]
    yield table("", "", *facts["customers"], rows=[*sides, *fields])
    if facts["state"] == "open":
        yield f"storebridge customers proposals accept {facts['id']}   or   dismiss {facts['id']}"


def dismissed(facts: Json) -> Iterator[RenderableType]:
    word = "would be dismissed (dry run)" if facts["dry_run"] else facts["proposal"]["state"]
    yield table(
        "proposal",
        "customer",
        "and customer",
        "",
        rows=[(facts["proposal"]["id"], *facts["proposal"]["customers"], word)],
    )


def accepted(facts: Json) -> Iterator[RenderableType]:
    rows = [(one["proposal"], *one["customers"], one["merge"], one["result"]) for one in facts["accepted"]]
    if rows:
        yield table("proposal", "customer", "and customer", "merge", "", rows=rows)
    would = "would be joined" if facts["dry_run"] else "joined"
    yield f"{facts['joined']} {would}, {facts['failed']} could not be."
    if facts["left"]:
        yield f"{facts['left']} were left: something speaks against them. Accept each by its id."
