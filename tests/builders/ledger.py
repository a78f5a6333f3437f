"""A small trade for tests of the ledger: orders in EUR, one payment account, one bank. All made up."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.finance.cases import Case, CaseState, Proposal, Resolution
from shared.finance.due.view import LedgerView
from shared.finance.journal import DueEntry, Role
from shared.finance.models import (
    Action,
    BankLine,
    Discrepancy,
    DiscrepancyKind,
    Document,
    Feed,
    Item,
    LineKind,
    Match,
    MovementKind,
    OrderStatement,
    Payment,
    PaymentKind,
    PaymentState,
    Payout,
    PayoutState,
    ProviderBalance,
    Rule,
    SettlementLine,
    SoldLine,
    StoreMovement,
    Subject,
    TaxShare,
)
from shared.finance.rules import AccountRules, FinanceRules

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
DAY = NOON.date()
RULES = FinanceRules(time_zone="Europe/Amsterdam")
ACCOUNTS = {"stripe-eu": AccountRules(gateways=("stripe",), bank="main")}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def sold(net: int, units: int = 1, sku: str | None = "MUG", **overrides: Any) -> SoldLine:
    return SoldLine(**({"key": f"line-{sku}", "sku": sku, "title": "A mug", "units": units, "net": net} | overrides))


def document(name: str, *lines: SoldLine, tax: int = 0, at: datetime = NOON, **parts: int) -> Document:
    share = TaxShare(country="DE", region=None, title="VAT", rate="0.19", amount=tax)
    total = sum(line.net for line in lines) + tax + sum(parts.values()) - 2 * parts.get("gift_cards_deducted", 0)
    return Document(id=name, at=at, lines=lines, taxes=(share,) if tax else (), total=total, **parts)


def movement(name: str, amount: int, gateway: str = "stripe", **overrides: Any) -> StoreMovement:
    fields = {"kind": MovementKind.CAPTURE, "at": NOON, "currency": "EUR"}
    return StoreMovement(**({"id": name, "gateway": gateway, "amount": amount} | fields | overrides))


def statement(order_id: str = "5001", total: int = 1190, **overrides: Any) -> OrderStatement:
    """One mug with 19 % of tax, paid by card."""
    net = total * 100 // 119
    fields: dict[str, Any] = {
        "shop": "aurora",
        "order_id": order_id,
        "name": f"#{order_id}",
        "channel": "web",
        "placed_at": NOON,
        "stated_at": NOON,
        "revision": 1,
        "currency": "EUR",
        "buyer_currency": "EUR",
        "buyer_total": total,
        "sale": document("sale", sold(net), tax=total - net, at=overrides.get("placed_at", NOON)),
        "movements": (movement(f"t{order_id}", total),),
    }
    return OrderStatement(**(fields | overrides))


def line(line_id: str, gross: int, fee: int = 0, kind: LineKind = LineKind.CAPTURE, **overrides: Any) -> SettlementLine:
    fields: dict[str, Any] = {
        "account": "stripe-eu",
        "line_id": line_id,
        "kind": kind,
        "category": kind.value,
        "occurred_at": NOON,
        "currency": "EUR",
        "gross": gross,
        "fee": fee,
        "net": gross - fee,
        "feed": Feed.API,
    }
    return SettlementLine(**(fields | overrides))


def payout(payout_id: str, amount: int, state: PayoutState = PayoutState.PAID, **overrides: Any) -> Payout:
    fields: dict[str, Any] = {
        "account": "stripe-eu",
        "payout_id": payout_id,
        "state": state,
        "vendor_state": state.value,
        "currency": "EUR",
        "amount": amount,
        "issued_on": DAY,
        "stated_at": NOON,
        "feed": Feed.API,
    }
    return Payout(**(fields | overrides))


def bank_line(line_id: str, amount: int, **overrides: Any) -> BankLine:
    fields = {"bank": "main", "booked_on": DAY, "currency": "EUR", "text": "STRIPE", "feed": Feed.REPORT}
    return BankLine(**({"line_id": line_id, "amount": amount} | fields | overrides))


def balance(amount: int, as_of: datetime = NOON, account: str = "stripe-eu", currency: str = "EUR") -> ProviderBalance:
    return ProviderBalance(account=account, currency=currency, as_of=as_of, amount=amount)


def dispute(payment_id: str, state: PaymentState, **overrides: Any) -> Payment:
    fields: dict[str, Any] = {
        "account": "stripe-eu",
        "payment_id": payment_id,
        "kind": PaymentKind.DISPUTE,
        "state": state,
        "vendor_state": state.value,
        "currency": "EUR",
        "amount": 1,
        "occurred_at": NOON,
        "stated_at": NOON,
        "feed": Feed.API,
    }
    return Payment(**(fields | overrides))


def arrival(bank: str, *payouts: str) -> Match:
    """A match of a bank line with payouts."""
    items = [Item(subject=Subject.BANK, id=bank), *(Item(subject=Subject.PAYOUT, id=name) for name in payouts)]
    return Match(id=f"m-{bank}", rule=Rule.BANK_AMOUNT, items=tuple(items), currency="EUR", amount=0, evidence=())


def case(kind: DiscrepancyKind, subject: str, expected: int, found: int, **overrides: Any) -> Case:
    """`subject`: `order:aurora/5001`."""
    what, _, name = subject.partition(":")
    currency = overrides.pop("currency", "EUR")
    discrepancy = Discrepancy(
        id=overrides.pop("id", f"{kind}-{name}"),
        kind=kind,
        subject=Item(subject=Subject(what), id=name),
        account=overrides.pop("account", None),
        currency=currency,
        expected=expected,
        found=found,
        since=overrides.pop("since", DAY),
        action=overrides.pop("action", Action.REVIEW),
        blocks_close=overrides.pop("blocks_close", False),
    )
    return Case(discrepancy=discrepancy, opened_at=NOON, **overrides)


def written_off(kind: DiscrepancyKind, subject: str, expected: int, found: int, **overrides: Any) -> Case:
    amount = overrides.pop("amount", None)
    proposal = Proposal(resolution=Resolution.WRITE_OFF, reason="small", amount=amount, by="ann", at=NOON)
    fields = {"state": CaseState.RESOLVED, "proposal": proposal, "closed_at": NOON + days(1)}
    return case(kind, subject, expected, found, **(fields | overrides))


def view(**parts: Any) -> LedgerView:
    fields: dict[str, Any] = {"rules": RULES, "accounts": ACCOUNTS}
    return LedgerView(**(fields | parts))


def balances(entries: Iterable[DueEntry]) -> dict[str, int]:
    """What each account comes to, zeros left out: `{"clearing/stripe-eu EUR": 1160}`."""
    sums: dict[str, int] = {}
    for entry in entries:
        for posting in entry.postings:
            name = f"{posting.role}{'/' + posting.of if posting.of else ''} {posting.currency}"
            sums[name] = sums.get(name, 0) + posting.amount
    return {name: amount for name, amount in sorted(sums.items()) if amount}


def receivable(entries: Iterable[DueEntry], order: str) -> int:
    return sum(
        posting.amount
        for entry in entries
        for posting in entry.postings
        if posting.role is Role.RECEIVABLE and posting.dimensions.order == order
    )


def on(number: int) -> date:
    return DAY + timedelta(days=number)
