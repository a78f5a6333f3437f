"""What a push (数据推送) says: which row of which form has changed. Pure.

A push is a hint. It is not sent for what is imported, changed or deleted in bulk (hc.jiandaoyun.com/doc/10732), and no
promise of its repetition is documented, so the feeds are read all the same.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shared.backoffices.jiandaoyun.mapping import text
from shared.backoffices.jiandaoyun.settings import JiandaoyunMapping
from shared.kernel import strict_json
from shared.kernel.errors import Rejected


class Subject(StrEnum):
    CUSTOMER = "customer"
    SALE = "sale"
    STOCK = "stock"


class PushedChange(NamedTuple):
    subject: Subject
    reference: str | None
    """The key of the customer or the sale, or the SKU; None for a row that has none."""
    removed: bool
    at: datetime | None


_REMOVES = {"data_create": False, "data_update": False, "data_recover": False, "data_remove": True}


def read_push(body: bytes, mapping: JiandaoyunMapping) -> PushedChange | None:
    """What changed; None where it is nothing that is mapped: another form, or another kind of event.

    Raises:
        Rejected: `invalid_json` and its like; `invalid_payload` when it is no push.
    """
    push = strict_json.parse(body)
    data = push.get("data") if isinstance(push, dict) else None
    operation = push.get("op") if isinstance(push, dict) else None
    if not isinstance(data, dict) or not isinstance(operation, str):
        raise Rejected("invalid_payload", "the body is no push of Jiandaoyun's", field="op")
    if operation not in _REMOVES:
        return None
    found = _subject(data, mapping)
    if found is None:
        return None
    subject, field = found
    return PushedChange(subject, text(data, field), _REMOVES[operation], _time(push.get("opTime")))


def _subject(data: dict[str, Any], mapping: JiandaoyunMapping) -> tuple[Subject, str] | None:
    fields = {
        "customers": (Subject.CUSTOMER, mapping.customers.key),
        "orders": (Subject.SALE, mapping.orders.key),
        "shipments": (Subject.SALE, mapping.shipments.order if mapping.shipments is not None else ""),
        "stock": (Subject.STOCK, mapping.stock.sku if mapping.stock is not None else ""),
    }
    form = (data.get("appId"), data.get("entryId"))
    return next(
        (
            fields[name]
            for name, mapped in mapping.forms.items()
            if (mapped.app, mapped.form) == form and name in fields
        ),
        None,
    )


def _time(milliseconds: Any) -> datetime | None:
    if not isinstance(milliseconds, int) or not 0 <= milliseconds < 10**14:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, UTC)
