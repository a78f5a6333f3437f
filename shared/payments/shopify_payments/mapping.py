"""Shopify Payments' movements, payouts and balances as the API tells them, to facts. Pure."""

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.finance.models import Feed, LineKind, Payout, PayoutState, ProviderBalance, SettlementLine
from shared.kernel.clock import parse_time
from shared.payments.amounts import minor_units
from shared.payments.lenient import each_once
from shared.payments.port import AccountContext
from shared.payments.shopify_payments.categories import kind_of
from shared.payments.shopify_payments.identity import MovementMark, movement_ids
from shared.payments.shopify_payments.schemas import MoneyNode, MovementNode, PayoutNode

STATES: Final = {
    "SCHEDULED": PayoutState.PENDING,
    "IN_TRANSIT": PayoutState.IN_TRANSIT,
    "PAID": PayoutState.PAID,
    "FAILED": PayoutState.FAILED,
    "CANCELED": PayoutState.CANCELLED,
    "CANCELLED": PayoutState.CANCELLED,
}
"""Any other word is pending: nothing is final that Shopify does not say."""
_REFUNDS: Final = frozenset({LineKind.REFUND, LineKind.REFUND_REVERSED})
_OF_CHARGES: Final = frozenset(
    {LineKind.CAPTURE, LineKind.CAPTURE_REVERSED, LineKind.DISPUTE, LineKind.DISPUTE_REVERSED}
)


def lines_of(
    nodes: Sequence[MovementNode], parents: Mapping[str, str], context: AccountContext
) -> tuple[SettlementLine, ...]:
    """A line for each movement. Those of one second must come together (see `identity`).

    A charge goes by the number of its order's transaction, for that is what the order names too; `parents` says which
    charge's transaction a refund's belongs to. A dispute's movement is taken to name the charge's own [general
    knowledge].

    Raises:
        Rejected: `invalid_money`, `invalid_time`.
    """
    lines = [_line(node, parents, context) for node in nodes]
    marks = [
        MovementMark(line.occurred_at, _order_name(node), line.currency, line.net, line.gross, line.kind)
        for line, node in zip(lines, nodes, strict=True)
    ]
    ids = movement_ids(marks)
    return tuple(line.model_copy(update={"line_id": one}) for line, one in zip(lines, ids, strict=True))


def _line(node: MovementNode, parents: Mapping[str, str], context: AccountContext) -> SettlementLine:
    """The fee is what is between gross and net: by itself, the API signs it now one way and now the other."""
    currency = node.gross.currency
    gross = minor_units(node.gross.amount, currency, field="amount")
    net = minor_units(node.net.amount, currency, field="net")
    kind = kind_of(node.type, node.source_type, gross)
    payout = number_in(node.payout.id) if node.payout else None
    order = number_in(node.order.id) if node.order else None
    others = (other.name for other in node.other_orders)
    return SettlementLine(
        account=context.account,
        line_id="",
        kind=kind,
        category=node.type,
        occurred_at=parse_time(node.at, field="transactionDate"),
        currency=currency,
        gross=gross,
        fee=gross - net,
        net=net,
        payment_id=_charge_of(node, kind, parents),
        source_id=node.source_id,
        payout_id=payout or (node.source_id if kind is LineKind.PAYOUT else None),
        references=each_once((node.order_transaction_id, _order_name(node), order, *others)),
        test=node.test,
        feed=Feed.API,
    )


def refund_transactions(nodes: Iterable[MovementNode]) -> tuple[str, ...]:
    """Numbers of the transactions whose parents have to be asked for."""
    told = (node.order_transaction_id for node in nodes if kind_of(node.type, node.source_type, 0) in _REFUNDS)
    return each_once(told)


def _charge_of(node: MovementNode, kind: LineKind, parents: Mapping[str, str]) -> str | None:
    own = node.order_transaction_id
    if kind in _REFUNDS:
        return parents.get(own) if own else None
    return own if kind in _OF_CHARGES else None


def _order_name(node: MovementNode) -> str | None:
    return node.order.name if node.order else None


def payout_of(node: PayoutNode, context: AccountContext, stated_at: datetime) -> Payout:
    """A withdrawal, by which Shopify collects a debt, is negative.

    Raises:
        Rejected: `invalid_money`, `invalid_time`.
    """
    amount = minor_units(node.net.amount, node.net.currency, field="net")
    issued_at = parse_time(node.issued_at, field="issuedAt")
    return Payout(
        account=context.account,
        payout_id=node.id,
        state=STATES.get(node.status.upper(), PayoutState.PENDING),
        vendor_state=node.status,
        currency=node.net.currency,
        amount=-abs(amount) if node.direction.upper() == "WITHDRAWAL" else amount,
        issued_on=issued_at.astimezone(zoneinfo.ZoneInfo(context.time_zone)).date(),
        references=each_once((node.trace, node.id)),
        stated_at=stated_at,
        feed=Feed.API,
    )


def balance_of(node: MoneyNode, context: AccountContext, as_of: datetime) -> ProviderBalance:
    amount = minor_units(node.amount, node.currency, field="balance")
    return ProviderBalance(account=context.account, currency=node.currency, as_of=as_of, amount=amount)


def number_in(gid: str | None) -> str | None:
    """`gid://shopify/Order/5001` is 5001."""
    return gid.rpartition("/")[2].partition("?")[0] if gid else None
