"""One order explained to the cent: what was owed and for what, what was received, what is left of it, and where it is.

Pure. All figures are minor units; what cannot be explained is said, with the cases that are open about it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from shared.finance.cases import Case
from shared.finance.journal import JournalEntry, Role, Topic
from shared.finance.models import (
    LineKind,
    Match,
    Minor,
    OrderStatement,
    Payout,
    PayoutState,
    SettlementLine,
    Subject,
    line_key,
    payout_key,
)
from shared.kernel.model import Canonical
from shared.kernel.money import CurrencyCode


class DocumentMoney(Canonical):
    """The sale, or what lowered it (negative)."""

    id: str
    at: datetime
    goods: Minor
    charges: Minor
    """Shipping, fees, duties, tips, adjustment."""
    taxes: Minor
    gift_cards: Minor
    """Deducted by the storefront itself; negative on a sale."""
    total: Minor


class MovementMoney(Canonical):
    """What one movement on a provider's balance was, and where it went."""

    line: str
    """`stripe-eu/txn_1`."""
    kind: LineKind
    at: datetime
    currency: CurrencyCode
    gross: Minor
    fee: Minor
    net: Minor
    payout: str | None = None
    """`stripe-eu/po_1`; None while it is not paid out, or where the provider does not tell."""
    matched_by: str | None = None
    """The rule by which it belongs to the order."""
    evidence: tuple[str, ...] = ()


class PayoutShare(Canonical):
    """The order's part of a payout."""

    payout: str | None
    """None: not paid out yet."""
    state: PayoutState | None = None
    currency: CurrencyCode
    net: Minor
    """What the order's movements contribute."""
    amount: Minor | None = None
    """The payout's whole."""
    arrives_on: date | None = None
    bank_line: str | None = None
    """`main/…`, once it is known at the bank."""


class Reason(Canonical):
    """Why something is unexplained: an open case."""

    case: str
    kind: str
    currency: CurrencyCode
    difference: Minor
    evidence: tuple[str, ...] = ()


class OrderMoney(Canonical):
    """An order's money. It closes to zero where `unexplained` is empty."""

    order: str
    name: str
    currency: CurrencyCode
    buyer_currency: CurrencyCode
    buyer_total: Minor
    documents: tuple[DocumentMoney, ...]
    owed: Minor
    """The storefront's total: the sum of the documents."""
    movements: tuple[MovementMoney, ...]
    receipts: Mapping[CurrencyCode, Minor]
    """Captures less refunds at providers, by the balance's currency."""
    fees: Mapping[CurrencyCode, Minor]
    net: Mapping[CurrencyCode, Minor]
    """What is left of the receipts for the merchant: the sum of the shares of payouts."""
    payouts: tuple[PayoutShare, ...]
    paid: Minor
    """What the ledger counts as paid of what is owed, in `currency`: feeds, gift cards, cash, write-offs."""
    written_off: Minor
    """The part of `paid` that was written off."""
    unexplained: Mapping[CurrencyCode, Minor]
    """What stands open: owed and not paid (positive) or paid and not owed, and what disputes hold. By currency."""
    reasons: tuple[Reason, ...]

    @property
    def closes(self) -> bool:
        return not self.unexplained


def explain_order(
    statement: OrderStatement,
    lines: Iterable[SettlementLine],
    matches: Iterable[Match],
    entries: Iterable[JournalEntry],
    payouts: Iterable[Payout],
    cases: Iterable[Case],
) -> OrderMoney:
    """Explain one order.

    Args:
        statement: what its storefront says.
        lines: those that belong to it.
        matches: that have the order, and those that have one of its payouts.
        entries: all journal entries of its sources; reversals included, or left out together with what they undo.
        payouts: those that its lines name.
        cases: open ones about the order, its lines and payouts; others are not looked at.
    """
    key = str(statement.key)
    of_order = sorted((line for line in lines if not line.test), key=lambda line: (line.occurred_at, line_key(line)))
    joined = sorted(matches, key=lambda match: match.id)
    booked = tuple(entries)
    posted = _posted(key, booked)
    receipts = (entry for entry in booked if entry.topic not in _DOCUMENTS)
    shares = tuple(_shares(of_order, {payout_key(one): one for one in payouts}, joined))
    return OrderMoney(
        order=key,
        name=statement.name,
        currency=statement.currency,
        buyer_currency=statement.buyer_currency,
        buyer_total=statement.buyer_total,
        documents=tuple(_documents(statement)),
        owed=statement.owed,
        movements=tuple(_movement(line, joined) for line in of_order),
        receipts=_by_currency((line.currency, line.gross) for line in of_order),
        fees=_by_currency((line.currency, line.fee) for line in of_order),
        net=_by_currency((line.currency, line.net) for line in of_order),
        payouts=shares,
        paid=-_posted(key, receipts)[Role.RECEIVABLE, statement.currency],
        written_off=posted[Role.WRITE_OFF, statement.currency],
        unexplained=_by_currency((currency, amount) for (role, currency), amount in posted.items() if role in _OPEN),
        reasons=tuple(_reasons({key, *map(line_key, of_order), *(one.payout for one in shares if one.payout)}, cases)),
    )


def sources_of_order(
    statement: OrderStatement, lines: Iterable[SettlementLine], cases: Iterable[Case]
) -> tuple[str, ...]:
    """The sources whose entries may be about this order, to look them up by. A source that was withdrawn and is named
    no more has its reversal beside it, so that both are missed together."""
    key, names = statement.key, set[str]()
    documents = [*([statement.sale] if statement.sale else []), *statement.reductions]
    names.update(f"order/{key}/{document.id}" for document in documents)
    names.update(f"order/{key}/{document.id}/cost" for document in statement.reductions)
    names.add(f"order/{key}/cost")
    names.update(f"order/{key}/{how}/{one.id}" for one in statement.movements for how in ("gift_card", "receipt"))
    for line in lines:
        names.update((f"line/{line_key(line)}", f"line/{line_key(line)}/fee"))
        if line.source_id:
            names.add(f"dispute/{line.account}/{line.source_id}/lost")
    names.update(f"case/{case.id}/write_off" for case in cases)
    return tuple(sorted(names))


_DOCUMENTS = frozenset({Topic.SALE, Topic.REDUCTION})
_OPEN = frozenset({Role.RECEIVABLE, Role.DISPUTED, Role.SUSPENSE})


def _documents(statement: OrderStatement) -> Iterator[DocumentMoney]:
    signed = [(1, statement.sale)] if statement.sale else []
    for sign, document in [*signed, *((-1, reduction) for reduction in statement.reductions)]:
        goods = sum(line.net for line in document.lines)
        taxes = sum(tax.amount for tax in document.taxes)
        yield DocumentMoney(
            id=document.id,
            at=document.at,
            goods=sign * goods,
            charges=sign * (document.total - goods - taxes + document.gift_cards_deducted),
            taxes=sign * taxes,
            gift_cards=-sign * document.gift_cards_deducted,
            total=sign * document.total,
        )


def _movement(line: SettlementLine, matches: Sequence[Match]) -> MovementMoney:
    key = line_key(line)
    match = next((one for one in matches if _joins(one, Subject.LINE, key) and _has(one, Subject.ORDER)), None)
    return MovementMoney(
        line=key,
        kind=line.kind,
        at=line.occurred_at,
        currency=line.currency,
        gross=line.gross,
        fee=line.fee,
        net=line.net,
        payout=_payout_of(line),
        matched_by=match.rule.value if match else None,
        evidence=match.evidence if match else (),
    )


def _shares(
    lines: Sequence[SettlementLine], payouts: Mapping[str, Payout], matches: Sequence[Match]
) -> Iterator[PayoutShare]:
    """By payout and currency; what is not paid out comes last."""
    nets: Counter[tuple[bool, str, str]] = Counter()
    for line in lines:
        name = _payout_of(line)
        nets[name is None, name or "", line.currency] += line.net
    for (is_waiting, name, currency), net in sorted(nets.items()):
        payout = payouts.get(name)
        yield PayoutShare(
            payout=None if is_waiting else name,
            state=payout.state if payout else None,
            currency=currency,
            net=net,
            amount=payout.amount if payout else None,
            arrives_on=payout.arrives_on if payout else None,
            bank_line=None if is_waiting else _bank_line(name, matches),
        )


def _bank_line(payout: str, matches: Sequence[Match]) -> str | None:
    for match in matches:
        if _joins(match, Subject.PAYOUT, payout):
            for item in match.items:
                if item.subject is Subject.BANK:
                    return item.id
    return None


def _posted(order: str, entries: Iterable[JournalEntry]) -> Counter[tuple[Role, str]]:
    """What the ledger's accounts come to for this order alone."""
    sums: Counter[tuple[Role, str]] = Counter()
    for entry in entries:
        for posting in entry.postings:
            if posting.dimensions.order == order:
                sums[posting.role, posting.currency] += posting.amount
    return sums


def _reasons(items: set[str], cases: Iterable[Case]) -> Iterator[Reason]:
    for case in sorted(cases, key=lambda case: (case.discrepancy.since, case.id)):
        discrepancy = case.discrepancy
        about = {discrepancy.subject.id, *(item.id for item in discrepancy.others)}
        if case.is_open and about & items:
            yield Reason(
                case=case.id,
                kind=discrepancy.kind.value,
                currency=discrepancy.currency,
                difference=discrepancy.difference,
                evidence=discrepancy.evidence,
            )


def _joins(match: Match, subject: Subject, name: str) -> bool:
    return any(item.subject is subject and item.id == name for item in match.items)


def _has(match: Match, subject: Subject) -> bool:
    return any(item.subject is subject for item in match.items)


def _payout_of(line: SettlementLine) -> str | None:
    return f"{line.account}/{line.payout_id}" if line.payout_id else None


def _by_currency(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for currency, amount in amounts:
        sums[currency] += amount
    return {currency: amount for currency, amount in sorted(sums.items()) if amount}
