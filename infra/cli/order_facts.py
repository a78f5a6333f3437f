"""Orders as facts for JSON and tables. Pure. Personal data only where it is asked for."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.inventory.models import StockChange
from shared.kernel.money import Amount, Money
from shared.orders.decision import Commit
from shared.orders.models import Order
from shared.orders.record import LineState, OrderRecord

Json = dict[str, Any]


def time(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z") if instant else None


def money(amount: Money) -> Json:
    return {"amount": f"{amount.decimal:f}", "currency": amount.currency}


def both(amount: Amount) -> Json:
    return {"shop": money(amount.shop), "buyer": money(amount.presentment)}


def summary(record: OrderRecord) -> Json:
    """One order in a list."""
    return {
        "order": str(record.key),
        "shop": record.shop,
        "order_id": record.order_id,
        "name": record.name,
        "revision": record.revision,
        "status": record.status,
        "review": record.review.value,
        "fulfilment": record.fulfilment.value,
        "payment": record.payment.value,
        "total": money(record.total),
        "holds": [{"reason": hold.reason.value, "detail": hold.detail} for hold in record.holds],
        "unmapped": [line.sku or line.line_id for line in record.unmapped],
        "placed_at": time(record.placed_at),
        "since": time(record.attention_since),
    }


def whole(record: OrderRecord, account: Order | None, *, personal: bool) -> Json:
    """All that we keep of one order."""
    facts = {
        **summary(record),
        "platform": record.platform,
        "overridden": [reason.value for reason in record.overridden],
        "cancelled_by": record.cancelled_by,
        "settled": record.settled,
        "cause": record.cause.model_dump(),
        "version": record.version.model_dump(),
        "lines": [_line(line, account) for line in record.lines],
        "account": _account(record, account),
    }
    if personal:
        facts["personal"] = account.personal.model_dump(mode="json", exclude_defaults=True) if account else None
    return facts


def _line(line: LineState, account: Order | None) -> Json:
    sold = next((sold for sold in account.lines if sold.id == line.line_id), None) if account else None
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "title": sold.title if sold else None,
        "kind": line.kind.value,
        "sold": sold.quantity if sold else None,
        "open": line.open,
        "allocated": line.allocated,
        "shipped": line.shipped,
        "returned": line.returned,
        "short": line.short,
    }


def _account(record: OrderRecord, account: Order | None) -> Json | None:
    if account is None:
        return None
    return {
        "is_current": account.version.states_the_same(record.version),
        "updated_at": time(account.updated_at),
        "tags": list(account.tags),
        "test": account.test,
        "totals": {name: both(getattr(account.totals, name)) for name in type(account.totals).model_fields},
    }


def changed(before: OrderRecord, commits: Iterable[Commit]) -> Json:
    """What became, or would become, of one order."""
    commits = tuple(commits)
    after = commits[-1].record if commits else before
    return {
        "order": str(before.key),
        "before": summary(before),
        "after": summary(after),
        "stock": [_movement(change) for commit in commits for change in commit.changes],
        "lifted": [hold for hold in summary(before)["holds"] if hold not in summary(after)["holds"]],
        "cause": after.cause.model_dump(),
    }


def _movement(change: StockChange) -> Json:
    return {
        "sku": change.sku,
        "location": change.location,
        "on_hand": change.on_hand,
        "reserved": change.reserved,
        "available": change.available,
    }
