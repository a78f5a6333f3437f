"""The answers of `storebridge desk`, as people read them: tables of the facts and nothing else."""

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType

from infra.cli.order_facts import Json
from infra.cli.output import pairs, table


def listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["stopped"]:
        yield "Nothing is stopped."
        return
    columns = ("order", "name", "office", "since", "attempts", "reason", "who", "command")
    yield table(*columns, rows=[[row[name] for name in columns] for row in facts["stopped"]])
    if facts["more"]:
        yield f"{facts['more']} more: raise --limit."
    yield _codes(facts["codes"])
    yield "What to do about one: storebridge desk show SHOP/ORDER"


def _codes(codes: dict[str, int]) -> str:
    return ", ".join(f"{code} {count}" for code, count in codes.items())


def shown(facts: Json) -> Iterator[RenderableType]:
    office = facts["backoffice"] or {}
    shop = facts["storefront"] or {}
    yield pairs(
        {
            "order": f"{facts['order']}  {facts['name']}",
            "stage": facts["stage"]["text"],
            "next": facts["stage"]["command"],
            "back office": office.get("backoffice"),
            "sale": " ".join(part for part in (office.get("sale_number"), office.get("state")) if part),
            "warehouse": office.get("warehouse"),
            "looked at": office.get("looked_at"),
            "brought to": f"revision {office['pushed']} of {facts['revision']}" if office else None,
            "shop": _told(shop),
        }
    )
    for stop in facts["stops"]:
        yield _stop(stop)
    if office.get("documents"):
        yield table("document", "in the back office", rows=sorted(office["documents"].items()))
    if office.get("consignments"):
        yield table("consignment", "left", "", "goods", "parcels", rows=map(_consignment, office["consignments"]))


def _told(shop: Json) -> str | None:
    if not shop:
        return None
    told = [f"{len(shop['fulfilments'])} consignments shown"]
    told += [word for word in ("completed", "cancelled") if shop[word]]
    return ", ".join([*told, *(() if shop["is_current"] else ("not all told yet",))])


def _stop(stop: Json) -> RenderableType:
    return pairs(
        {
            "stopped at": stop["office"],
            "why": stop["reason"],
            "exactly": f"{stop['code']}{' [' + stop['field'] + ']' if stop['field'] else ''}: {stop['message']}",
            "what to do": stop["todo"],
            "hint": stop["hint"],
            "who": stop["who"],
            "since": f"{stop['since']}, {stop['attempts']} attempts",
            "then": stop["command"],
        }
    )


def _consignment(one: Json) -> tuple[Any, ...]:
    goods = ", ".join(f"{line['quantity']} x {line['sku'] or line['line_id']}" for line in one["lines"])
    parcels = ", ".join(" ".join(part for part in (p["carrier"], p["number"]) if part) for p in one["parcels"])
    return one["key"], one["left_at"], "delivered" if one["delivered"] else "", goods, parcels


def asked(facts: Json) -> Iterator[RenderableType]:
    if facts["dry_run"] and facts["errands"]:
        yield table("order", "office", rows=[(row["order"], row["office"]) for row in facts["errands"]])
        yield f"{facts['selected']} would be sent."
    else:
        yield f"{facts['sent']} sent."


def behind_listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["orders"]:
        yield "Back offices and shops are up to date."
        return
    rows = [(row["order"], row["name"], row["status"], ", ".join(row["offices"])) for row in facts["orders"]]
    yield table("order", "name", "status", "behind", rows=rows)
    if facts["more"]:
        yield "There are more: raise --limit."
    yield f"{facts['sent']} sent." if facts["sent"] else "Those of a moment ago are on their way; the others: --retry"


def redriven(facts: Json) -> Iterator[RenderableType]:
    if facts["dry_run"] and facts["errands"]:
        rows = [(row["office"], row["subject"], row["code"], row["message_id"]) for row in facts["errands"]]
        yield table("office", "about", "given up for", "message", rows=rows)
    if facts["dry_run"]:
        yield f"{facts['found'] - facts['unreadable']} of {facts['found']} messages would be put back."
    else:
        yield f"{facts['sent']} of {facts['found']} messages put back."
    if facts["unreadable"]:
        yield f"{facts['unreadable']} are no errands, and stay."


def rehearsed(facts: Json) -> Iterator[RenderableType]:
    for one in facts["rehearsals"]:
        yield from _rehearsal(one)
    if not facts["rehearsals"]:
        yield "There are no orders to rehearse."
        return
    yield f"{facts['pass']} would go through, {facts['stop']} would stop. Nothing was written."
    if facts["codes"]:
        yield _codes(facts["codes"])


def _rehearsal(one: Json) -> Iterator[RenderableType]:
    planned = one["planned"] or {}
    yield pairs(
        {
            "order": f"{one['order']}  {one['name']}",
            "sale": " ".join(part for part in (one["sale_number"], one["sale_state"]) if part) or "none yet",
            "steps": ", then ".join(one["steps"]) or ("nothing to do" if planned else None),
            "warehouse": planned.get("warehouse"),
            "customer": _customer(planned["customer"]) if planned else None,
            "total": _sum(planned["total"]) if planned else None,
            "invoice": planned.get("invoice"),
            "payments": _payments(planned.get("payments", ())),
            "returns": ", ".join(_units(back) for back in planned.get("returns", ())),
            "credits": ", ".join(_credit(credit) for credit in planned.get("credits", ())),
        }
    )
    if planned:
        rows = [
            (line["key"], line["sku"], line["quantity"], _sum(line["net"]), ", ".join(line["taxes"]))
            for line in planned["lines"]
        ]
        yield table("line", "sku", "units", "net", "taxes", rows=rows)
    if one["problems"]:
        problems = [("stops" if p["stops"] else "note", p["code"], p["message"], p["hint"]) for p in one["problems"]]
        yield table("", "problem", "what is wrong", "how to mend it", rows=problems)


def _customer(customer: Json) -> str:
    if "given" in customer:
        return f"given: {', '.join(customer['given'])}"
    return "; ".join(f"{name} {value}" for name, value in customer.items())


def _payments(payments: Any) -> str:
    return ", ".join(f"{_sum(one['amount'])} by {one['method']}" for one in payments)


def _units(back: Json) -> str:
    return " and ".join(f"{line['quantity']} x {line['sku']}" for line in back["lines"])


def _credit(credit: Json) -> str:
    return f"{credit['name']}: {' and '.join(_sum(line['net']) for line in credit['lines'])}"


def _sum(amount: Json) -> str:
    return f"{amount['amount']} {amount['currency']}"
