"""What a finance book keeps: one fact of each kind, a case, a match, an entry, a record of the trail."""

from datetime import date, datetime
from typing import Any

from shared.finance.audit import next_record
from shared.finance.cases import AuditRecord, Case
from shared.finance.journal import JournalEntry, Posting, Role, Topic
from shared.finance.models import (
    Action,
    BankLine,
    Discrepancy,
    DiscrepancyKind,
    Feed,
    Item,
    LineKind,
    Match,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    PayoutState,
    ProviderBalance,
    Rule,
    SettlementLine,
    Subject,
)
from tests.builders.orders import NOON

DAY = NOON.date()


def line(**told: Any) -> SettlementLine:
    usual: dict[str, Any] = {
        "account": "stripe-eu",
        "line_id": "txn_1",
        "kind": LineKind.CAPTURE,
        "category": "charge",
        "occurred_at": NOON,
        "currency": "EUR",
        "gross": 1250,
        "fee": 43,
        "net": 1207,
        "feed": Feed.API,
    }
    return SettlementLine(**usual | told)


def payment(**told: Any) -> Payment:
    usual: dict[str, Any] = {
        "account": "stripe-eu",
        "payment_id": "ch_1",
        "kind": PaymentKind.CAPTURE,
        "state": PaymentState.SUCCEEDED,
        "vendor_state": "succeeded",
        "currency": "EUR",
        "amount": 1250,
        "occurred_at": NOON,
        "stated_at": NOON,
        "feed": Feed.WEBHOOK,
    }
    return Payment(**usual | told)


def payout(**told: Any) -> Payout:
    usual: dict[str, Any] = {
        "account": "stripe-eu",
        "payout_id": "po_1",
        "state": PayoutState.PAID,
        "vendor_state": "paid",
        "currency": "EUR",
        "amount": 98_000,
        "issued_on": DAY,
        "stated_at": NOON,
        "feed": Feed.API,
    }
    return Payout(**usual | told)


def bank_line(**told: Any) -> BankLine:
    usual: dict[str, Any] = {
        "bank": "main",
        "line_id": "NTRF1",
        "booked_on": DAY,
        "currency": "EUR",
        "amount": 98_000,
        "text": "STRIPE PAYOUT",
        "feed": Feed.REPORT,
    }
    return BankLine(**usual | told)


def balance(**told: Any) -> ProviderBalance:
    usual: dict[str, Any] = {"account": "stripe-eu", "currency": "EUR", "as_of": NOON, "amount": 5_000}
    return ProviderBalance(**usual | told)


def order(**told: Any) -> OrderStatement:
    usual: dict[str, Any] = {
        "shop": "aurora",
        "order_id": "5001",
        "name": "#1001",
        "channel": "web",
        "placed_at": NOON,
        "stated_at": NOON,
        "revision": 1,
        "currency": "EUR",
        "buyer_currency": "EUR",
        "buyer_total": 1250,
        "sale": None,
    }
    return OrderStatement(**usual | told)


def match(match_id: str = "m1", **told: Any) -> Match:
    usual: dict[str, Any] = {
        "rule": Rule.REFERENCE,
        "items": (
            Item(subject=Subject.LINE, id="stripe-eu/txn_1"),
            Item(subject=Subject.ORDER, id="aurora/5001"),
        ),
        "currency": "EUR",
        "amount": 1250,
        "evidence": ("transaction 551 names ch_1",),
    }
    return Match(id=match_id, **usual | told)


def discrepancy(discrepancy_id: str = "d1", **told: Any) -> Discrepancy:
    """Somebody paid 5.00 EUR more than was asked for."""
    usual: dict[str, Any] = {
        "kind": DiscrepancyKind.AMOUNT_MISMATCH,
        "subject": Item(subject=Subject.LINE, id="stripe-eu/txn_1"),
        "account": "stripe-eu",
        "currency": "EUR",
        "expected": 1250,
        "found": 1750,
        "since": DAY,
        "action": Action.REVIEW,
        "blocks_close": False,
    }
    return Discrepancy(id=discrepancy_id, **usual | told)


def case(case_id: str = "d1", *, about: dict[str, Any] | None = None, **told: Any) -> Case:
    usual: dict[str, Any] = {"discrepancy": discrepancy(case_id, **about or {}), "opened_at": NOON}
    return Case(**usual | told)


def entry(source: str = "line/stripe-eu/txn_1", number: int = 1, *, on: date = DAY, minor: int = 1250) -> JournalEntry:
    return JournalEntry(
        source=source,
        topic=Topic.RECEIPT,
        on=on,
        narration="capture",
        postings=(
            Posting(role=Role.CLEARING, of="stripe-eu", currency="EUR", amount=minor),
            Posting(role=Role.RECEIVABLE, of="aurora", currency="EUR", amount=-minor),
        ),
        number=number,
        posted_on=on,
        digest=f"{source}/{minor}",
    )


def record(last: AuditRecord | None = None, *, subject: str = "d1", at: datetime = NOON) -> AuditRecord:
    return next_record(last, at, "mia", "case.resolved", subject, {"reason": "rounding"})
