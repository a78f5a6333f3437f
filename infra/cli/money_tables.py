"""The answers of `storebridge money`, as people read them: tables of the facts and nothing else."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from infra.cli.order_facts import Json
from infra.cli.output import cell, pairs, printable, table
from shared.finance.models import DiscrepancyKind
from shared.finance.reports.words import KINDS

_NOTHING_WRITTEN = "Dry run: nothing is written."
_SHORT_HASH = 12


def money(amount: Json | None) -> str | None:
    """`12.50 EUR`; None where it was not told."""
    return f"{amount['amount']} {amount['currency']}" if amount else None


def moneys(amounts: Iterable[Json]) -> str:
    return ", ".join(str(money(one)) for one in amounts) or "0"


def kind_in_words(kind: str) -> str:
    return KINDS[DiscrepancyKind(kind)].en


def _good(text: str) -> Text:
    return Text(printable(text), style="bold green")


def _bad(text: str) -> Text:
    return Text(printable(text), style="bold red")


def _dry(facts: Json) -> Iterator[RenderableType]:
    if facts.get("dry_run"):
        yield _NOTHING_WRITTEN


# ---- status ----


def status_shown(facts: Json) -> Iterator[RenderableType]:
    if not facts["accounts"]:
        yield "There is no payment account: name one in the settings (payments.…)."
    else:
        rows = [
            (
                one["account"],
                one["vendor"],
                feed["by"],
                feed["read_until"] or "never",
                feed["last_run_at"],
                feed["last_error"],
            )
            for one in facts["accounts"]
            for feed in [one["feed"]]
        ]
        yield table("account", "provider", "feed by", "read until", "last look", "last error", rows=rows)
        yield from _ties(facts)
    yield from _case_counts(facts["cases"])
    yield pairs(
        {"last day closed": facts["last_closed"] or "none", "next": facts["next"]["day"] or "nothing is over yet"}
    )
    if facts["next"]["day"]:
        yield from _missing(facts["next"])


def _ties(facts: Json) -> Iterator[RenderableType]:
    rows = [
        (
            one["account"],
            money(tie["books"]),
            money(tie["provider"]),
            money(tie["difference"]),
            _tied(tie),
            tie["as_of"],
        )
        for one in facts["accounts"]
        for tie in one["ties"]
    ]
    rows += [
        (one["account"], money(held), None, None, "not told" if one["tells_balance"] else "not asked", None)
        for one in facts["accounts"]
        for held in one["held_untold"]
    ]
    if rows:
        yield table("account", "our books", "the provider", "difference", "", "as of", rows=rows)


def _tied(tie: Json) -> str:
    return "ok" if tie["ties"] else "fault"


def _case_counts(counts: list[Json]) -> Iterator[RenderableType]:
    if not counts:
        yield "No case is open."
        return
    rows = [
        (kind_in_words(one["kind"]), one["open"], one["proposed"], one["blocking"], one["oldest_days"])
        for one in counts
    ]
    yield table("cases", "open", "to approve", "block the close", "oldest, days", rows=rows)


def _missing(stopped: Json) -> Iterator[RenderableType]:
    if not stopped["missing"]:
        yield _good(f"{stopped['day']} can be closed.")
        return
    yield _bad(f"{stopped['day']} does not close:")
    rows = [
        (one["kind"].replace("_", " "), one["subject"], one["what"], money(one["expected"]), money(one["found"]))
        for one in stopped["missing"]
    ]
    yield table("missing", "of", "", "our books", "the provider", rows=rows)


# ---- reconcile ----


def reconciled(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    if facts["read"]:
        yield table("feed", "", "new", "changed", rows=[_feed_row(one) for one in facts["read"]])
    yield pairs(
        {
            "as of": facts["as_of"],
            "judged since": facts["judged_since"],
            **facts["buckets"],
            "matches": facts["matches"],
            "dropped": facts["dropped"] or None,
            "cases": _counts(facts["cases"]),
            "entries": _counts(facts["posted"]),
        }
    )
    if not facts["discrepancies"]:
        yield _good("Everything ties out.")
        return
    rows = [(kind_in_words(one["kind"]), one["number"], one["blocking"]) for one in facts["discrepancies"]]
    yield table("does not tie out", "", "block the close", rows=rows)
    yield "One by one: storebridge money cases"


def _feed_row(read: Json) -> tuple[Any, ...]:
    return read["account"], read["error"] or ("read" if read["finished"] else "goes on"), read["new"], read["changed"]


def _counts(counts: Json) -> str:
    return ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in counts.items() if number)


# ---- cases ----


def cases_listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["cases"]:
        yield "There is no such case."
        return
    rows = [
        (
            one["id"][:_SHORT_HASH],
            kind_in_words(one["kind"]),
            one["subject"],
            money(one["difference"]),
            one["age_days"],
            one["state"] + (", blocks" if one["blocks"] else ""),
            one["owner"],
        )
        for one in facts["cases"]
    ]
    yield table("case", "what does not tie out", "of", "difference", "days", "state", "owner", rows=rows)
    if facts["more"]:
        yield f"{facts['more']} more: raise --limit."
    yield "All about one: storebridge money case ID"


def case_shown(facts: Json) -> Iterator[RenderableType]:
    yield pairs(
        {
            "case": facts["id"],
            "what": kind_in_words(facts["kind"]),
            "of": facts["subject"],
            "and of": ", ".join(facts["others"]),
            "account": facts["account"],
            "expected": money(facts["expected"]),
            "found": money(facts["found"]),
            "difference": money(facts["difference"]),
            "since": f"{facts['since']} ({facts['age_days']} days)",
            "state": facts["state"] + (", blocks the close" if facts["blocks"] else ""),
            "owner": facts["owner"],
            "approved by": facts["approved_by"],
            "closed": facts["closed_at"],
            "came back": f"{facts['reopened']} times" if facts["reopened"] else None,
        }
    )
    if facts["proposal"]:
        yield from _proposal(facts["proposal"])
    if facts["evidence"]:
        yield table("evidence", rows=[(one,) for one in facts["evidence"]])
    if facts["suggestions"]:
        rows = [(one["score"], one["item"], "; ".join(one["evidence"])) for one in facts["suggestions"]]
        yield table("score", "may belong to", "because", rows=rows)
    if facts["comments"]:
        yield table("comment", "by", "at", rows=[(one["text"], one["by"], one["at"]) for one in facts["comments"]])
    yield table("what to do next", rows=[(one,) for one in facts["todo"]])


def _proposal(proposal: Json) -> Iterator[RenderableType]:
    yield pairs(
        {
            "resolution": proposal["resolution"].replace("_", " "),
            "amount": money(proposal["amount"]),
            "belongs to": proposal["link"] if proposal["link"] != "" else "nothing",
            "because": proposal["reason"],
            "by": f"{proposal['by']}, {proposal['at']}",
        }
    )


def case_changed(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    case = facts["case"]
    yield pairs(
        {
            "case": case["id"],
            "what": f"{kind_in_words(case['kind'])}, {case['subject']}",
            "difference": money(case["difference"]),
            "state": case["state"],
            "owner": case["owner"],
            "approved by": case["approved_by"],
            "by": facts["by"],
        }
    )
    if case["proposal"]:
        yield from _proposal(case["proposal"])
    if facts.get("task"):
        yield f"{'Would open' if facts['dry_run'] else 'Opened'} the task {facts['task']}"
    if case["todo"]:
        yield table("what to do next", rows=[(one,) for one in case["todo"]])


# ---- one order ----


def explained(facts: Json) -> Iterator[RenderableType]:
    yield pairs({"order": f"{facts['order']} {facts['name']}", "the buyer saw": money(facts["buyer_total"])})
    names = ("goods", "charges", "taxes", "gift_cards", "total")
    documents: list[tuple[Any, ...]] = [
        (one["document"], *(money(one[name]) for name in names)) for one in facts["documents"]
    ]
    documents.append(("owed", *([""] * (len(names) - 1)), money(facts["owed"])))
    yield table("document", "goods", "charges", "taxes", "gift cards", "total", rows=documents)
    if facts["movements"]:
        rows = [
            (
                one["line"],
                one["kind"].replace("_", " "),
                *map(money, (one["gross"], one["fee"], one["net"])),
                one["matched_by"],
            )
            for one in facts["movements"]
        ]
        rows.append(("receipts", "", moneys(facts["receipts"]), moneys(facts["fees"]), moneys(facts["net"]), ""))
        yield table("movement", "", "gross", "fee", "net", "matched by", rows=rows)
    if facts["payouts"]:
        rows = [
            (
                one["payout"] or "not paid out yet",
                one["state"],
                money(one["net"]),
                money(one["whole"]),
                one["bank_line"],
            )
            for one in facts["payouts"]
        ]
        yield table("payout", "", "share of it", "the whole", "at the bank", rows=rows)
    yield pairs(
        {
            "owed": money(facts["owed"]),
            "counted as paid": money(facts["paid"]),
            "of it written off": money(facts["written_off"]) if facts["written_off"]["amount"].strip("-0.") else None,
        }
    )
    yield from _remainder(facts)
    for entry in facts.get("entries", ()):
        yield from _entry(entry)


def _remainder(facts: Json) -> Iterator[RenderableType]:
    if facts["closes"]:
        yield _good("The order closes to zero.")
        return
    yield _bad(f"Not explained: {moneys(facts['unexplained'])}")
    rows = [
        (one["case"][:_SHORT_HASH], kind_in_words(one["kind"]), money(one["difference"]), "; ".join(one["evidence"]))
        for one in facts["reasons"]
    ]
    if rows:
        yield table("case", "because", "difference", "evidence", rows=rows)


def _entry(entry: Json) -> Iterator[RenderableType]:
    reverses = f", reverses #{entry['reverses']}" if entry["reverses"] else ""
    rows = [(one["account"], money(one["amount"])) for one in entry["postings"]]
    title = f"{entry['posted_on']} {entry['entry']}: {entry['narration']}{reverses}"
    yield table("account", "debit (+) or credit (-)", rows=rows, title=printable(title))


# ---- files and costs ----


def imported(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    names = ("read", "new", "changed", "same", "restated_in_all", "skipped", "faults_in_all")
    rows = [
        (one["file"], one["kind"] or one["error"]["error"], *(one[name] for name in names), one["last_at"])
        for one in facts["files"]
    ]
    yield table(
        "file", "kind", "read", "new", "changed", "same", "restated", "skipped", "faults", "newest movement", rows=rows
    )
    for one in facts["files"]:
        if one["error"]:
            yield _bad(f"{one['file']}: {one['error']['message']}")
            yield cell(one["error"]["hint"] or "")
        if one["restated"]:
            yield table("stated before with other money", rows=[(name,) for name in one["restated"]])
        if one["faults"]:
            faults = [(fault["where"], fault["code"], fault["message"]) for fault in one["faults"]]
            yield table("could not be read", "", "", rows=faults, title=printable(one["file"]))
            yield "The rest of the file was kept." if not facts["dry_run"] else "The rest of the file would be kept."
        if one["reconcile_since"]:
            since = one["reconcile_since"]
            yield f"{printable(one['file'])} reaches back further than reconciliations judge by themselves. Now:"
            yield f"  storebridge money reconcile --since {since}"


def costs_kept(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    word = "would be" if facts["dry_run"] else "are"
    yield f"{facts['read']} prices were read, of which {facts['changed']} {word} new or changed."


def costs_listed(facts: Json) -> Iterator[RenderableType]:
    if not facts["costs"]:
        yield "No cost is known of it."
        return
    yield table(
        "sku", "a unit costs", "since", rows=[(one["sku"], money(one["cost"]), one["since"]) for one in facts["costs"]]
    )


# ---- days and the trail ----


def closed(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    word = "would be closed" if facts["dry_run"] else "closed"
    if facts["closed"]:
        yield table("day", "", rows=[(day, word) for day in facts["closed"]])
    elif not facts["stopped_at"]:
        yield "Every day that is over is closed already."
    if facts["stopped_at"]:
        yield from _missing(facts["stopped_at"])


def reopened(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    word = "would be open again" if facts["dry_run"] else "open again"
    yield table("day", "", rows=[(day, word) for day in facts["opened"]])


def days_listed(facts: Json) -> Iterator[RenderableType]:
    rows = [
        (
            one["day"],
            one["state"],
            one["entries"],
            (one["digest"] or "")[:_SHORT_HASH],
            one["closed_by"],
            one["closed_at"],
            len(one["documents"]) or None,
            "; ".join(f"{again['by']}: {again['reason']}" for again in one["reopened"]),
        )
        for one in facts["days"]
    ]
    yield table("day", "state", "entries", "digest", "closed by", "at", "documents", "reopened by", rows=rows)


def audit_listed(facts: Json) -> Iterator[RenderableType]:
    rows = [
        (one["number"], one["at"], one["actor"], one["action"], one["subject"][:40], _detail(one["detail"]))
        for one in facts["records"]
    ]
    if rows:
        yield table("record", "at", "by", "what", "of", "", rows=rows)
    if facts["faults"]:
        yield _bad("The trail is not whole:")
        yield table("fault", rows=[(fault,) for fault in facts["faults"]])
    elif not facts["verified"]:
        yield f"{facts['number']} records. Whether they are whole: storebridge money audit --verify"
    else:
        yield _good(f"The trail is whole: {facts['number']} records, {facts['days_checked']} closed days as they were.")


def _detail(detail: Json) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items() if name != "digest" and value)


# ---- backfill ----


def backfilled(facts: Json) -> Iterator[RenderableType]:
    yield from _dry(facts)
    yield f"{facts['selected']} orders placed from {facts['since']} to {facts['until']}; {facts['sent']} errands sent."
