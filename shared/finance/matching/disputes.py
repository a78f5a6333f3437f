"""Disputes: open, won, lost. What the provider says of one decides; before it says anything, its money does."""

from dataclasses import dataclass, field

from shared.finance.matching.discrepancies import Figures, Place, discrepancy
from shared.finance.matching.wording import amount_text
from shared.finance.matching.worksheet import Worksheet, buyer_money, line_item, payment_item
from shared.finance.models import (
    Bucket,
    DiscrepancyKind,
    Item,
    LineKind,
    Payment,
    PaymentKind,
    PaymentState,
    SettlementLine,
    Subject,
    line_key,
)

_KINDS = frozenset({LineKind.DISPUTE, LineKind.DISPUTE_REVERSED})
_DECIDED = {
    PaymentState.WON: DiscrepancyKind.DISPUTE_WON,
    PaymentState.LOST: DiscrepancyKind.DISPUTE_LOST,
}
_NOT_EVEN_OPEN = frozenset({PaymentState.CANCELLED, PaymentState.FAILED})


@dataclass(slots=True)
class _Dispute:
    account: str
    charge: str | None
    lines: list[SettlementLine] = field(default_factory=list)
    word: Payment | None = None


def examine_disputes(sheet: Worksheet) -> None:
    """State every dispute with what became of it. One that nothing decides stays open, however long it takes."""
    for _, dispute in sorted(_disputes(sheet).items()):
        _state(sheet, dispute)


def _disputes(sheet: Worksheet) -> dict[str, _Dispute]:
    found: dict[str, _Dispute] = {}
    for key, line in sheet.lines.items():
        if line.kind not in _KINDS or line.test or key in sheet.linked_to_nothing:
            continue
        name = f"{line.account}/{line.source_id or line.payment_id or line.line_id}"
        found.setdefault(name, _Dispute(line.account, line.payment_id)).lines.append(line)
    by_charge = {f"{one.account}/{one.charge}": name for name, one in sorted(found.items()) if one.charge}
    for key, payment in sheet.payments.items():
        if payment.kind is not PaymentKind.DISPUTE or payment.test:
            continue
        same_charge = by_charge.get(f"{payment.account}/{payment.parent_id}")
        name = key if key in found or same_charge is None or found[same_charge].word else same_charge
        dispute = found.setdefault(name, _Dispute(payment.account, payment.parent_id))
        dispute.word = payment
    return found


def _kind(dispute: _Dispute) -> DiscrepancyKind | None:
    state = dispute.word.state if dispute.word else None
    if state in _DECIDED:
        return _DECIDED[state]
    if dispute.lines and sum(buyer_money(line)[1] for line in dispute.lines) == 0:
        return DiscrepancyKind.DISPUTE_WON
    if not dispute.lines and state in _NOT_EVEN_OPEN:
        return None
    return DiscrepancyKind.DISPUTE_OPEN


def _state(sheet: Worksheet, dispute: _Dispute) -> None:
    kind = _kind(dispute)
    lines = sorted(dispute.lines, key=lambda line: (line.occurred_at, line.kind is not LineKind.DISPUTE, line.line_id))
    items = [*(line_item(line) for line in lines), *([payment_item(dispute.word)] if dispute.word else [])]
    _sort_into(sheet, lines, items, kind)
    if kind is None:
        return
    order = _order_of(sheet, dispute)
    if kind is DiscrepancyKind.DISPUTE_OPEN and order in sheet.orders:
        sheet.orders[order].is_pending = True
    others = [*items, *([Item(subject=Subject.ORDER, id=order)] if order else [])]
    stated = discrepancy(
        kind,
        items[0],
        _figures(lines, dispute.word),
        Place(sheet.day(lines[0].occurred_at if lines else _word(dispute).occurred_at), dispute.account),
        _evidence(lines, dispute.word),
        others,
    )
    sheet.discrepancies.append(stated)


def _sort_into(sheet: Worksheet, lines: list[SettlementLine], items: list[Item], kind: DiscrepancyKind | None) -> None:
    is_over = kind is DiscrepancyKind.DISPUTE_WON or kind is None
    for item, line in zip(items, lines, strict=False):
        is_linked = line_key(line) in sheet.order_of
        settled = Bucket.MATCHED if is_linked else Bucket.NEUTRAL
        sheet.put(item, settled if is_over else Bucket.EXCEPTION)
    if len(items) > len(lines):
        sheet.put(items[-1], Bucket.MATCHED if is_over else Bucket.EXCEPTION)


def _order_of(sheet: Worksheet, dispute: _Dispute) -> str | None:
    for line in dispute.lines:
        if line_key(line) in sheet.order_of:
            return sheet.order_of[line_key(line)]
    return sheet.charge_orders.get(f"{dispute.account}/{dispute.charge}")


def _word(dispute: _Dispute) -> Payment:
    if dispute.word is None:  # a dispute is made of lines, of a word, or of both
        raise AssertionError("a dispute of nothing")
    return dispute.word


def _figures(lines: list[SettlementLine], word: Payment | None) -> Figures:
    if lines:
        return Figures(lines[0].currency, 0, sum(one.gross for one in lines if one.currency == lines[0].currency))
    return Figures(word.currency, 0, -word.amount) if word else Figures("XXX")


def _evidence(lines: list[SettlementLine], word: Payment | None) -> list[str]:
    moved = [f"{line.category}: {amount_text(line.currency, line.gross)}" for line in lines]
    return [*moved, *([f"provider says {word.vendor_state}"] if word else [])]
