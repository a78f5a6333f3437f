"""The fake shop's products and orders, and how stock moves in it. Facts are from WooCommerce 10.0.2."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from infra.fakes.woocommerce_notes import Mail, merge_meta, new_note
from infra.fakes.woocommerce_requests import Json, RestError, invalid_parameter
from infra.samples import woocommerce as build
from shared.kernel.clock import Clock

SITE_OFFSET = timedelta(hours=1)
"""The shop's own time zone. Dates without `_gmt` are in it."""
STATUSES = frozenset(
    {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash", "checkout-draft"}
)

_TAKES_STOCK = frozenset({"processing", "completed", "on-hold"})
_GIVES_STOCK_BACK = frozenset({"cancelled", "pending"})
_CENTS = Decimal("0.01")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

Event = Callable[[str, int], None]
"""Told of a topic and the resource's id."""


class OutOfStock(Exception):
    """The shop's checkout sells no more than there is. (Its REST API does.)"""


@dataclass(slots=True)
class Product:
    """A product, or a variation of one."""

    id: int
    sku: str
    created: datetime
    modified: datetime
    type: str = "simple"
    parent: "Product | None" = None
    manage_stock: bool = True
    stock: int | float = 0
    """A plugin may sell by the fraction."""
    price: Decimal = Decimal("12.50")
    status: str = "publish"

    @property
    def counted_with(self) -> "Product | None":
        """Whose number is this one's: its own, its parent's, or nobody's."""
        if self.manage_stock:
            return self
        return self.parent if self.parent is not None and self.parent.manage_stock else None

    def listed_sku(self) -> str:
        """A variation without a SKU is listed under its parent's."""
        return self.sku or (self.parent.sku if self.parent is not None else "")

    def body(self) -> Json:
        counted = self.counted_with
        shared = counted is not None and counted is not self
        quantity = counted.stock if counted is not None else None
        return {
            "id": self.id,
            "name": f"Product {self.id}",
            "type": self.type,
            "status": self.status,
            "parent_id": self.parent.id if self.parent is not None else 0,
            "sku": self.listed_sku(),
            "price": str(self.price),
            "regular_price": str(self.price),
            "manage_stock": "parent" if shared else self.manage_stock,
            "stock_quantity": quantity,
            "stock_status": "instock" if quantity is None or quantity > 0 else "outofstock",
            "backorders": "no",
            "backorders_allowed": False,
            "meta_data": [],
            **dates("created", self.created),
            **dates("modified", self.modified),
        }


@dataclass(slots=True)
class Order:
    body: Json
    stock_taken: bool = False
    refunds: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)

    @property
    def id(self) -> int:
        return int(self.body["id"])

    @property
    def status(self) -> str:
        return str(self.body["status"])


class Shop:
    """The shop's data. Ids are WordPress's: one row of numbers for everything."""

    def __init__(self, clock: Clock, happened: Event) -> None:
        self._clock = clock
        self._happened = happened
        self._ids = count(10)
        self.products: dict[int, Product] = {}
        self._by_sku: dict[str, Product] = {}
        self._variations: dict[int, dict[int, Product]] = {}
        self.orders: dict[int, Order] = {}
        self.mails: list[Mail] = []
        """What buyers were written by notes."""
        self.stock_writes: dict[int, int] = {}
        """How often each product's number was set over REST."""
        self.between_read_and_write: Callable[[], None] | None = None
        """Runs once, in the middle of a relative change of stock, as a parallel request would."""

    def add_product(self, sku: str, stock: int | float = 0, **details: Any) -> Product:
        """A product or, with `parent=`, a variation.

        Raises:
            RestError: `product_invalid_sku`, when another has the SKU.
        """
        if sku and self.by_sku(sku) is not None:
            raise RestError(400, "product_invalid_sku")
        now = self._clock()
        product = Product(next(self._ids), sku, now, now, stock=stock, **details)
        if product.parent is not None:
            product.type = "variation"
        self.products[product.id] = product
        if sku:
            self._by_sku[sku] = product
        if product.parent is not None:
            self._variations.setdefault(product.parent.id, {})[product.id] = product
        self._happened("product.created", product.id)
        return product

    def by_sku(self, sku: str) -> Product | None:
        return self._by_sku.get(sku)

    def variations(self, parent: int) -> Iterator[Product]:
        return iter(self._variations.get(parent, {}).values())

    def update_product(self, product: Product, changes: Json, *, checked: bool) -> None:
        """`checked`: by the route's schema. A batch's items are not, and PHP cuts a fraction off them."""
        if "manage_stock" in changes:
            product.manage_stock = bool(changes["manage_stock"])
        if changes.get("stock_quantity") is not None:
            self._set_stock(product, _units(changes["stock_quantity"], "stock_quantity", checked=checked))
        elif changes.get("inventory_delta") is not None:
            self._change_stock(product, _units(changes["inventory_delta"], "inventory_delta", checked=checked))
        product.status = str(changes.get("status", product.status))
        self.touch(product)

    def touch(self, product: Product) -> None:
        """Saved, so that `product.updated` fires, whether or not anything differs."""
        product.modified = self._clock()
        self._happened("product.updated", product.id)

    def delete_product(self, product: Product) -> None:
        for gone in [*self.variations(product.id), product]:
            del self.products[gone.id]
            self._by_sku.pop(gone.sku, None)
            if gone.parent is not None:
                del self._variations[gone.parent.id][gone.id]
            self._happened("product.deleted", gone.id)

    def _set_stock(self, product: Product, quantity: int) -> None:
        """Blindly absolute. What is not counted, or with its parent, keeps showing what it did."""
        self.stock_writes[product.id] = self.stock_writes.get(product.id, 0) + 1
        if product.manage_stock:
            product.stock = quantity

    def _change_stock(self, product: Product, delta: int) -> None:
        """Read, then write: not atomic, as measured (eight parallel -1 from 100 gave 95)."""
        was = product.stock
        meanwhile, self.between_read_and_write = self.between_read_and_write, None
        if meanwhile is not None:
            meanwhile()
        if product.manage_stock:
            product.stock = was + delta

    def create_order(
        self, lines: list[tuple[Product, int]], status: str, created_via: str, buyer: Json | None = None
    ) -> Order:
        """`buyer`: the members of the order that tell of who bought; a guest where none are given."""
        now = self._clock()
        order_id = next(self._ids)
        body = build.order(
            id=order_id,
            number=str(order_id),
            status=status,
            created_via=created_via,
            line_items=[self._line(product, units) for product, units in lines],
            **dates("created", now),
            **dates("modified", now),
            **_paid(status, now),
            **(buyer or {"customer_id": 0}),
        )
        order = self.orders[order_id] = Order(body)
        self._move_stock(order)
        return order

    def set_status(self, order: Order, status: str) -> None:
        if status not in STATUSES:
            raise invalid_parameter("status")
        order.body["status"] = status
        order.body |= _paid(status, self._clock()) if order.body["date_paid"] is None else {}
        self._move_stock(order)
        self.save(order)

    def set_meta(self, order: Order, changes: Sequence[Json]) -> None:
        merge_meta(order.body["meta_data"], changes, self._ids)

    def add_note(self, order: Order, wanted: Json) -> Json:
        """A note for the customer is mailed at once."""
        note = new_note(next(self._ids), wanted, self._clock())
        order.notes.append(note)
        if note["customer_note"]:
            self.mails.append(Mail(order.id, note["note"]))
        return note

    def save(self, order: Order) -> None:
        order.body |= dates("modified", self._clock())
        self._happened("order.updated", order.id)

    def announce(self, order: Order, *topics: str) -> None:
        for topic in topics:
            self._happened(topic, order.id)

    def delete_order(self, order: Order, *, force: bool) -> None:
        """Into the bin, or for good. The event fires once, at the first of the two."""
        if order.status != "trash":
            self._happened("order.deleted", order.id)
        if force:
            del self.orders[order.id]
        else:
            order.body["status"] = "trash"
            order.body |= dates("modified", self._clock())

    def refund(self, order: Order, wanted: Json) -> Json:
        """Give money back, and stock where lines are named.

        Raises:
            RestError: 500 `woocommerce_rest_cannot_create_order_refund`, for more than is left, or through a gateway
                that cannot refund (no gateway of this shop can).
        """
        amount = Decimal(str(wanted.get("amount", "0")))
        if not {item["id"] for item in wanted.get("line_items", [])} <= {
            line["id"] for line in order.body["line_items"]
        }:
            raise invalid_parameter("line_items")
        left = Decimal(order.body["total"]) - sum((Decimal(each["amount"]) for each in order.refunds), Decimal(0))
        if wanted.get("api_refund", True) or not 0 < amount <= left:
            raise RestError(500, "woocommerce_rest_cannot_create_order_refund")
        refund = self._refund(order, wanted, amount)
        order.refunds.append(refund)
        total = str((-amount).quantize(_CENTS))
        order.body["refunds"] = [
            {"id": refund["id"], "reason": refund["reason"], "total": total},
            *order.body["refunds"],
        ]
        if wanted.get("api_restock", True):
            self._restock(order, wanted.get("line_items", []))
        if amount == left:
            order.body["status"] = "refunded"
        self.save(order)
        return refund

    def _refund(self, order: Order, wanted: Json, amount: Decimal) -> Json:
        lines = {line["id"]: line for line in order.body["line_items"]}
        return build.refund_detail(
            id=next(self._ids),
            amount=str(amount.quantize(_CENTS)),
            reason=wanted.get("reason", ""),
            **dates("created", self._clock()),
            line_items=[_refunded(lines[item["id"]], item, next(self._ids)) for item in wanted.get("line_items", [])],
        )

    def _restock(self, order: Order, items: list[Json]) -> None:
        lines = {line["id"]: line for line in order.body["line_items"]}
        for item in items:
            self._move(lines[item["id"]], int(item.get("quantity", 0)))

    def _line(self, product: Product, units: int) -> Json:
        total = str((product.price * units).quantize(_CENTS))
        return build.line(
            id=next(self._ids),
            name=f"Product {product.id}",
            product_id=product.parent.id if product.parent is not None else product.id,
            variation_id=product.id if product.parent is not None else 0,
            quantity=units,
            subtotal=total,
            total=total,
            sku=product.listed_sku(),
            price=float(product.price),
        )

    def _move_stock(self, order: Order) -> None:
        """Taken once when the order is accepted, given back once when it is cancelled."""
        takes = order.status in _TAKES_STOCK and not order.stock_taken
        if not takes and not (order.status in _GIVES_STOCK_BACK and order.stock_taken):
            return
        order.stock_taken = takes
        for line in order.body["line_items"]:
            self._move(line, -line["quantity"] if takes else line["quantity"])

    def _move(self, line: Json, units: int) -> None:
        """A sale is atomic (eight parallel orders of 100 left 92), and may go below nothing."""
        product = self.products.get(line["variation_id"] or line["product_id"])
        counted = product.counted_with if product is not None else None
        if product is None or counted is None:
            return
        counted.stock += units
        for touched in (product, product.parent):
            if touched is not None:
                self.touch(touched)


def dates(name: str, instant: datetime) -> Json:
    """A date in the shop's time, and as GMT without a `Z`."""
    gmt = instant.replace(tzinfo=None, microsecond=0)
    return {f"date_{name}": (gmt + SITE_OFFSET).isoformat(), f"date_{name}_gmt": gmt.isoformat()}


def _paid(status: str, now: datetime) -> Json:
    if status in {"processing", "completed"}:
        return dates("paid", now)
    return {"date_paid": None, "date_paid_gmt": None}


def _refunded(line: Json, item: Json, refund_line_id: int) -> Json:
    amount = str(-Decimal(str(item.get("refund_total", "0"))).quantize(_CENTS))
    return build.refunded_line(
        of=line["id"],
        id=refund_line_id,
        product_id=line["product_id"],
        variation_id=line["variation_id"],
        sku=line["sku"],
        quantity=-int(item.get("quantity", 0)),
        subtotal=amount,
        total=amount,
    )


def _units(value: Any, name: str, *, checked: bool) -> int:
    """Whole units. A route refuses a fraction; a batch hands it to PHP, which cuts it."""
    if isinstance(value, float) and not checked:
        return int(value)
    if _INTEGER.fullmatch(str(value)) is None:
        raise invalid_parameter(name)
    return int(value)
