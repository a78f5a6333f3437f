"""Finance as facts for JSON and tables. Pure.

Amounts are decimal text in the currency's own decimals, beside their currency.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from infra.cli.order_facts import Json, time
from shared.finance.cases import AuditRecord, Case, DayClose, Proposal
from shared.finance.close import Missing
from shared.finance.explain import DocumentMoney, MovementMoney, OrderMoney, PayoutShare
from shared.finance.journal import JournalEntry, Posting
from shared.finance.models import Item, Suggestion
from shared.finance.reconcile_books import Reconciled
from shared.finance.reports.figures import plain
from shared.finance.trial import Tie
from shared.sync.finance.importing import ImportReport
from shared.sync.finance.progress import FeedProgress

_MOST_NAMED = 50


def amount(minor: int | None, currency: str) -> Json | None:
    """None where it was not told."""
    return None if minor is None else {"amount": plain(minor, currency), "currency": currency}


def amounts(by_currency: Mapping[str, int]) -> list[Json]:
    return [
        {"amount": plain(by_currency[currency], currency), "currency": currency} for currency in sorted(by_currency)
    ]


# ---- cases ----


def case_summary(case: Case, today: date, *, blocks: bool) -> Json:
    """One case in a list. `blocks`: whether it keeps today from closing as things are."""
    found = case.discrepancy
    return {
        "id": case.id,
        "kind": found.kind.value,
        "subject": str(found.subject),
        "account": found.account,
        "state": case.state.value,
        "owner": case.owner,
        "since": found.since.isoformat(),
        "age_days": max(0, case.age_days(today)),
        "expected": amount(found.expected, found.currency),
        "found": amount(found.found, found.currency),
        "difference": amount(found.difference, found.currency),
        "blocks": blocks,
    }


def whole_case(case: Case, today: date, *, blocks: bool, todo: Iterable[str]) -> Json:
    """All that is kept of a case, and what to do next in words."""
    found = case.discrepancy
    return {
        **case_summary(case, today, blocks=blocks),
        "action": found.action.value,
        "others": [str(item) for item in found.others],
        "evidence": list(found.evidence),
        "suggestions": [_suggestion(one) for one in sorted(found.suggestions, key=_by_score)],
        "comments": [{"at": time(one.at), "by": one.by, "text": one.text} for one in case.comments],
        "proposal": _proposal(case.proposal, found.currency) if case.proposal else None,
        "approved_by": case.approved_by,
        "opened_at": time(case.opened_at),
        "closed_at": time(case.closed_at),
        "reopened": case.reopened,
        "revision": case.revision,
        "todo": list(todo),
    }


def _by_score(suggestion: Suggestion) -> tuple[int, str]:
    return -suggestion.score, str(suggestion.item)


def _suggestion(suggestion: Suggestion) -> Json:
    return {
        "item": str(suggestion.item),
        "score": suggestion.score,
        "evidence": list(suggestion.evidence),
        "link": link_of(suggestion.item),
    }


def link_of(item: Item) -> str:
    """How `resolve --to` names it."""
    return f"payout:{item.id}" if item.subject == "payout" else item.id


def _proposal(proposal: Proposal, currency: str) -> Json:
    return {
        "resolution": proposal.resolution.value,
        "reason": proposal.reason,
        "amount": amount(proposal.amount, currency),
        "link": proposal.link,
        "by": proposal.by,
        "at": time(proposal.at),
    }


# ---- one order ----


def order_money_facts(money: OrderMoney, entries: Iterable[JournalEntry] | None) -> Json:
    """`entries`: None where they were not asked for."""
    own = money.currency
    facts: Json = {
        "order": money.order,
        "name": money.name,
        "closes": money.closes,
        "buyer_total": amount(money.buyer_total, money.buyer_currency),
        "documents": [_document(one, own) for one in money.documents],
        "owed": amount(money.owed, own),
        "movements": [_movement(one) for one in money.movements],
        "receipts": amounts(money.receipts),
        "fees": amounts(money.fees),
        "net": amounts(money.net),
        "payouts": [_share(one) for one in money.payouts],
        "paid": amount(money.paid, own),
        "written_off": amount(money.written_off, own),
        "unexplained": amounts(money.unexplained),
        "reasons": [
            {
                "case": one.case,
                "kind": one.kind,
                "difference": amount(one.difference, one.currency),
                "evidence": list(one.evidence),
            }
            for one in money.reasons
        ],
    }
    return facts if entries is None else facts | {"entries": [entry_facts(entry) for entry in entries]}


def _document(document: DocumentMoney, currency: str) -> Json:
    names = ("goods", "charges", "taxes", "gift_cards", "total")
    figures = {name: amount(getattr(document, name), currency) for name in names}
    return {"document": document.id, "at": time(document.at), **figures}


def _movement(movement: MovementMoney) -> Json:
    return {
        "line": movement.line,
        "kind": movement.kind.value,
        "at": time(movement.at),
        "gross": amount(movement.gross, movement.currency),
        "fee": amount(movement.fee, movement.currency),
        "net": amount(movement.net, movement.currency),
        "payout": movement.payout,
        "matched_by": movement.matched_by,
        "evidence": list(movement.evidence),
    }


def _share(share: PayoutShare) -> Json:
    return {
        "payout": share.payout,
        "state": share.state.value if share.state else None,
        "net": amount(share.net, share.currency),
        "whole": amount(share.amount, share.currency),
        "arrives_on": share.arrives_on.isoformat() if share.arrives_on else None,
        "bank_line": share.bank_line,
    }


def entry_facts(entry: JournalEntry) -> Json:
    return {
        "entry": entry.id,
        "topic": entry.topic.value,
        "on": entry.on.isoformat(),
        "posted_on": entry.posted_on.isoformat(),
        "narration": entry.narration,
        "reverses": entry.reverses,
        "postings": [_posting(posting) for posting in entry.postings],
    }


def _posting(posting: Posting) -> Json:
    name = f"{posting.role}/{posting.of}" if posting.of else posting.role.value
    return {"account": name, "amount": amount(posting.amount, posting.currency)}


# ---- days and the trail ----


def missing_facts(missing: Missing) -> Json:
    currency = missing.currency
    sides = (
        {"expected": amount(missing.expected, currency), "found": amount(missing.found, currency)} if currency else {}
    )
    return {
        "kind": missing.kind.value,
        "subject": missing.subject,
        "what": missing.what or None,
        "currency": currency,
        "expected": sides.get("expected"),
        "found": sides.get("found"),
    }


def day_facts(day: date, close: DayClose | None, entries: int) -> Json:
    """`entries`: how many it has now."""
    return {
        "day": day.isoformat(),
        "state": close.state.value if close else "open",
        "entries": entries,
        "revision": close.revision if close else 0,
        "closed_at": time(close.closed_at) if close else None,
        "closed_by": close.closed_by if close else None,
        "digest": close.digest if close else None,
        "documents": list(close.documents) if close else [],
        "posted_to_backoffice": list(close.posted_to_backoffice) if close else [],
        "reopened": [{"at": time(one.at), "by": one.by, "reason": one.text} for one in close.reopened] if close else [],
    }


def record_facts(record: AuditRecord) -> Json:
    return {
        "number": record.number,
        "at": time(record.at),
        "actor": record.actor,
        "action": record.action,
        "subject": record.subject,
        "detail": dict(record.detail),
        "hash": record.hash,
    }


# ---- feeds, files, and what a reconciliation came to ----


def feed_facts(progress: FeedProgress | None, *, api_access: bool) -> Json:
    return {
        "by": "api" if api_access else "files",
        "read_until": time(progress.read_until) if progress else None,
        "asked_until": time(progress.asked_until) if progress else None,
        "last_run_at": time(progress.last_run_at) if progress else None,
        "last_error": progress.last_error if progress else None,
    }


def tie_facts(tie: Tie) -> Json:
    return {
        "currency": tie.currency,
        "as_of": time(tie.as_of),
        "books": amount(tie.books, tie.currency),
        "provider": amount(tie.provider, tie.currency),
        "difference": amount(tie.difference, tie.currency),
        "ties": not tie.difference,
    }


def import_facts(report: ImportReport, judged_since: date) -> Json:
    """`judged_since`: the first day that reconciliations judge by themselves."""
    first = report.first_at.date() if report.first_at and (report.new or report.changed) else None
    return {
        "file": report.name,
        "kind": report.kind,
        "account": report.account,
        "sha256": report.sha256,
        "read": report.read,
        "new": report.new,
        "changed": report.changed,
        "same": report.same,
        "restated": list(report.restated[:_MOST_NAMED]),
        "restated_in_all": len(report.restated),
        "faults": [fault._asdict() for fault in report.faults[:_MOST_NAMED]],
        "faults_in_all": len(report.faults),
        "skipped": report.skipped,
        "last_at": time(report.last_at),
        "reconcile_since": first.isoformat() if first and first < judged_since else None,
        "error": None,
    }


def reconciled_facts(done: Reconciled) -> Json:
    kinds: dict[str, list[bool]] = {}
    for discrepancy in done.discrepancies:
        kinds.setdefault(discrepancy.kind.value, []).append(discrepancy.blocks_close)
    return {
        "as_of": time(done.as_of),
        "judged_since": done.judged.isoformat(),
        "buckets": {bucket.value: number for bucket, number in sorted(done.buckets.items())},
        "matches": done.matches,
        "dropped": done.dropped,
        "discrepancies": [
            {"kind": kind, "number": len(kinds[kind]), "blocking": sum(kinds[kind])} for kind in sorted(kinds)
        ],
        "cases": {change.value: number for change, number in sorted(done.cases.items())},
        "posted": done.posted._asdict(),
        "dry_run": done.dry_run,
    }
