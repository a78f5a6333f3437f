"""Canonical orders for tests: a paid order with a full address, unless a test says otherwise. All made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.customers.models import PostalAddress
from shared.kernel.clock import as_sortable
from shared.kernel.money import Amount, Money
from shared.kernel.versions import Version
from shared.orders.models import (
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderLine,
    PaymentState,
    PersonalData,
    Refund,
    RefundLine,
    RestockKind,
    Totals,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PRICE = Amount.single(Money.parse("10.00", "EUR"))
ZERO = Amount.zero("EUR")
ADDRESS = PostalAddress(name="Eve Shopper", address1="Weg 2", city="Berlin", postal_code="10115", country_code="DE")


def line(sku: str | None = "MUG", units: int = 1, **overrides: Any) -> OrderLine:
    fields: dict[str, Any] = {
        "id": f"line-{sku}",
        "product_id": "p1",
        "variant_id": "v1",
        "sku": sku,
        "title": "A thing",
        "quantity": units,
        "current_quantity": units,
        "open_quantity": units,
        "unit_price": PRICE,
        "subtotal": PRICE * units,
    }
    return OrderLine(**(fields | overrides))


def version(minute: int = 0, body: str = "a", *, observed: int | None = None, fetched: bool = False) -> Version:
    return Version(
        updated_at=as_sortable(NOON + timedelta(minutes=minute)),
        observed_at=as_sortable(NOON + timedelta(minutes=minute if observed is None else observed)),
        body_sha256=body * 64,
        fetched=fetched,
    )


def order(*lines: OrderLine, order_id: str = "5001", minute: int = 0, body: str = "a", **overrides: Any) -> Order:
    chosen = lines or (line(),)
    total = ZERO
    for item in chosen:
        total = total + item.subtotal
    fields: dict[str, Any] = {
        "shop": "aurora",
        "order_id": order_id,
        "platform": "shopify",
        "gid": None,
        "name": f"#{order_id}",
        "version": version(minute, body),
        "api_version": "2026-10",
        "raw_sha256": body * 64,
        "created_at": NOON,
        "processed_at": NOON,
        "updated_at": NOON + timedelta(minutes=minute),
        "payment": PaymentState.PAID,
        "vendor_payment_status": "paid",
        "vendor_fulfilment_status": None,
        "currency": "EUR",
        "presentment_currency": "EUR",
        "taxes_included": True,
        "lines": chosen,
        "totals": Totals(
            subtotal=total,
            discounts=ZERO,
            shipping=ZERO,
            fees=ZERO,
            duties=ZERO,
            tips=ZERO,
            tax=ZERO,
            gift_cards=ZERO,
            total=total,
        ),
        "personal": PersonalData(customer_id="77", email="eve@example.test", shipping_address=ADDRESS),
    }
    return Order(**(fields | overrides))


def shipment(*shipped: tuple[str, int], status: str = "success", at: datetime = NOON, **overrides: Any) -> Fulfilment:
    """`shipment(("line-MUG", 2))`"""
    lines = tuple(FulfilmentLine(line_id=line_id, quantity=units) for line_id, units in shipped)
    return Fulfilment(id="ship-1", status=status, created_at=at, lines=lines, **overrides)


def refund(line_id: str, units: int, restock: RestockKind, at: datetime = NOON) -> Refund:
    return Refund(
        id="refund-1",
        created_at=at,
        amount=PRICE * units,
        lines=(RefundLine(line_id=line_id, quantity=units, restock=restock, subtotal=PRICE * units, tax=ZERO),),
    )
