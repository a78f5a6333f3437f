"""Shopify's account of an order, turned into the canonical order without loss.

The body decides what a delivery is, because the topic is not signed: a whole order is read, everything else that
names an order is a hint to fetch it. One mapping serves webhooks and fetched orders: the client puts what it fetched
into the webhook's shape.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any

from pydantic import JsonValue, ValidationError

from shared.kernel import strict_json
from shared.kernel.clock import parse_time, sortable_time
from shared.kernel.errors import Rejected
from shared.kernel.money import Amount, Money
from shared.orders.models import (
    CashRounding,
    CurrentTotals,
    DiscountAllocation,
    DiscountApplication,
    Duty,
    Fee,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderLine,
    Parcel,
    PaymentState,
    PersonalData,
    PostalAddress,
    Refund,
    RefundAdjustment,
    RefundLine,
    RestockKind,
    ShippingLine,
    TaxLine,
    Tender,
    Totals,
    Transaction,
)
from shared.orders.versions import OrderVersion
from shared.storefronts.delivery import Delivery
from shared.storefronts.lenient import read, unknown_fields
from shared.storefronts.port import CompleteOrder, OrderHint, Reading
from shared.storefronts.shopify import schemas

PLATFORM = "shopify"
_GID = re.compile(r"gid://shopify/(?P<type>\w+)/(?P<id>[A-Za-z0-9_-]{1,64})(?:\?.*)?", re.ASCII)
_NO_CURRENCY = (None, "XXX")
_STATUS_LENGTH = 40

_PAYMENT_STATES = {
    "pending": PaymentState.PENDING,
    "authorized": PaymentState.AUTHORISED,
    "partially_paid": PaymentState.PARTIALLY_PAID,
    "paid": PaymentState.PAID,
    "partially_refunded": PaymentState.PARTIALLY_REFUNDED,
    "refunded": PaymentState.REFUNDED,
    "voided": PaymentState.VOIDED,
    "expired": PaymentState.VOIDED,  # the authorisation lapsed: no money will come
}
_FULFILMENT_STATUSES = frozenset(
    {
        *("fulfilled", "fulfillment_not_required", "in_progress", "not_eligible", "on_hold", "open", "partial"),
        *("partially_fulfilled", "pending", "pending_fulfillment", "request_declined", "restocked", "scheduled"),
        *("unfulfilled", "unshipped"),
    }
)
_RESTOCK_KINDS = {
    "cancel": RestockKind.CANCELLED_BEFORE_SHIPPING,
    "return": RestockKind.RETURNED,
    "legacy_restock": RestockKind.RETURNED,
    "no_restock": RestockKind.NOT_RESTOCKED,
}
_TENDER_KINDS = {
    "gift_card": "gift_card",
    "shopify_store_credit": "store_credit",
    "store_credit": "store_credit",
}
_RISK_LEVELS = {"none": "none", "accept": "low", "investigate": "medium", "cancel": "high"}


def read_order(delivery: Delivery) -> Reading:
    """Read a delivery as an `OrderReader`.

    A body that leaves something open which only the API can tell (an amount stated in one of two currencies, the
    share that a gift card paid, a line id that rounding made ambiguous) is a hint with the order as far as known.

    Raises:
        Rejected: `invalid_json`, or `invalid_payload` and its kin with the path of the first field at fault.
    """
    body = strict_json.parse(delivery.body)
    if not isinstance(body, dict):
        raise _invalid("the body is not an object", "")
    _refuse_other_resources(body)
    if "line_items" not in body or body.get("order_id") is not None or "order_edit" in body:
        return _hint(body, delivery.topic)
    payload = read(schemas.Order, body)
    context = Context.of(payload)
    try:
        order = _order(payload, delivery, context)
    except ValidationError as error:  # what our own models refuse, such as a sum beyond any sane size
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise _invalid(first["type"], ".".join(str(part) for part in first["loc"])) from error
    if context.gaps and not delivery.fetched:
        return OrderHint(order.order_id, context.gaps[0], partial=order)
    return CompleteOrder(order)


# What a delivery is about


def _refuse_other_resources(body: dict[str, Any]) -> None:
    """A draft order looks like an order; its global id does not."""
    found = _GID.fullmatch(_text(body.get("admin_graphql_api_id")))
    if found and found["type"] != "Order" and "line_items" in body and body.get("order_id") is None:
        raise _invalid("the body is another resource than an order", "admin_graphql_api_id")


def _hint(body: dict[str, Any], topic: str) -> OrderHint:
    if isinstance(body.get("order_edit"), dict):
        return OrderHint(_named_order(body["order_edit"], "order_id", "order_edit."), "delta")
    if body.get("order_id") is not None or "admin_graphql_api_order_id" in body:
        return OrderHint(_named_order(body, "order_id"), "delta")
    reason = "deleted" if topic == "orders/delete" else "thin"
    return OrderHint(_order_gid(body.get("admin_graphql_api_id")) or _plain_id(body, "id"), reason)


def _named_order(body: dict[str, Any], key: str, path: str = "") -> str:
    return _order_gid(body.get("admin_graphql_api_order_id")) or _plain_id(body, key, path)


def _plain_id(body: dict[str, Any], key: str, path: str = "") -> str:
    value = body.get(key)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text, re.ASCII) is None:
        raise _invalid("no id of an order", path + key)
    return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _order_gid(value: Any) -> str | None:
    found = _GID.fullmatch(_text(value))
    return found["id"] if found and found["type"] == "Order" else None


def _exact(gid: str | None) -> str | None:
    """The id inside a global id, which no tool rounds."""
    found = _GID.fullmatch(gid or "")
    return found["id"] if found else None


def _id(resource: schemas.Resource) -> str:
    return _exact(resource.admin_graphql_api_id) or resource.id


# What all parts of one order share


@dataclass(frozen=True, slots=True)
class Context:
    """The currencies and line ids of one order, and what its body leaves open."""

    shop: str
    presentment: str
    exact_line_ids: dict[str, tuple[str, ...]]
    gaps: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, payload: schemas.Order) -> "Context":
        """Old bodies state one amount only; then the order is kept in the shop's currency alone."""
        has_sets = payload.total_price_set is not None
        candidates: dict[str, list[str]] = defaultdict(list)
        for line in payload.line_items:
            candidates[line.id].append(_id(line))
        context = cls(
            shop=payload.currency,
            presentment=(payload.presentment_currency if has_sets else None) or payload.currency,
            exact_line_ids={numeric: tuple(exact) for numeric, exact in candidates.items()},
        )
        if max(Counter(_id(line) for line in payload.line_items).values(), default=1) > 1:
            context.miss("ambiguous_line_ids")
        return context

    def miss(self, gap: str) -> None:
        self.gaps.append(gap)

    def line_id(self, numeric: str | None, reference: schemas.LineReference | None, path: str) -> str:
        """The exact id of a line that a refund or a fulfilment names, perhaps by a rounded number only."""
        exact = _exact(reference.admin_graphql_api_id) if reference else None
        if exact:
            return exact
        given = numeric or (reference.id if reference else None)
        if given is None:
            raise _invalid("no id of a line", path)
        candidates = self.exact_line_ids.get(given, (given,))
        if len(candidates) > 1:
            self.miss("ambiguous_line_ids")
        return candidates[0]

    def amount(self, given: schemas.MoneySet | None, bare: str | None, path: str) -> Amount | None:
        """The figure in both currencies; None where it is not stated."""
        if given is None or given.shop_money is None:
            return self._bare(bare, path)
        shop = _money(given.shop_money, self.shop, path)
        if given.presentment_money is not None:
            return Amount(shop=shop, presentment=_money(given.presentment_money, self.presentment, path))
        return self._in_shop_currency(shop)

    def stated(self, given: schemas.MoneySet | None, bare: str | None, path: str) -> Amount:
        """The figure, which must be there."""
        amount = self.amount(given, bare, path)
        if amount is None:
            raise _invalid("no amount", path)
        return amount

    def or_zero(self, given: schemas.MoneySet | None, bare: str | None, path: str) -> Amount:
        return self.amount(given, bare, path) or self.zero

    @property
    def zero(self) -> Amount:
        return Amount.zero(self.shop, self.presentment)

    def total(self, amounts: Iterable[Amount]) -> Amount:
        return sum(amounts, self.zero)

    def _bare(self, bare: str | None, path: str) -> Amount | None:
        return None if bare is None else self._in_shop_currency(Money.parse(bare, self.shop, field=path))

    def _in_shop_currency(self, shop: Money) -> Amount:
        """The buyer's side is never computed: nothing is nothing in any currency, and the rest has to be fetched."""
        if self.shop == self.presentment:
            return Amount.single(shop)
        if shop:
            self.miss("amount_in_one_currency")
        return Amount(shop=shop, presentment=Money.zero(self.presentment))


def _money(figure: schemas.MoneyFigure, currency: str, path: str) -> Money:
    code = figure.currency_code or figure.currency
    if code not in _NO_CURRENCY and code != currency:
        raise _invalid("the amount is in another currency than the order", path)
    if figure.amount is None:
        raise _invalid("no amount", path)
    return Money.parse(figure.amount, currency, field=path)


def _invalid(message: str, path: str) -> Rejected:
    return Rejected(
        "invalid_payload",
        message,
        field=path or None,
        hint="the storefront or one of its apps sends a shape that is not known here",
    )


def _time(text: str | None, path: str) -> datetime | None:
    return None if text is None else parse_time(text, field=path)


# The order


def _order(payload: schemas.Order, delivery: Delivery, context: Context) -> Order:
    refunds = tuple(_refund(refund, context, f"refunds.{index}") for index, refund in enumerate(payload.refunds))
    fulfilments = tuple(
        _fulfilment(fulfilment, context, f"fulfillments.{index}")
        for index, fulfilment in enumerate(payload.fulfillments)
    )
    digest = hashlib.sha256(delivery.body).hexdigest()
    gid = payload.admin_graphql_api_id
    return Order(
        shop=delivery.shop,
        order_id=_id(payload),
        platform=PLATFORM,
        gid=gid if _exact(gid) else None,
        name=payload.name or f"#{_id(payload)}",
        version=OrderVersion(
            updated_at=sortable_time(payload.updated_at, field="updated_at"),
            observed_at=_observed_at(delivery),
            body_sha256=digest,
            fetched=delivery.fetched,
        ),
        api_version=delivery.api_version,
        raw_sha256=digest,
        created_at=parse_time(payload.created_at, field="created_at"),
        processed_at=_time(payload.processed_at, "processed_at"),
        updated_at=parse_time(payload.updated_at, field="updated_at"),
        cancelled_at=_time(payload.cancelled_at, "cancelled_at"),
        cancel_reason=payload.cancel_reason,
        closed_at=_time(payload.closed_at, "closed_at"),
        source=payload.source_name,
        test=delivery.test if payload.test is None else payload.test,
        confirmed=payload.confirmed is not False,
        tags=payload.tags,
        payment=_PAYMENT_STATES.get((payload.financial_status or "").lower(), PaymentState.PENDING),
        vendor_payment_status=payload.financial_status,
        vendor_fulfilment_status=payload.fulfillment_status,
        unknown_statuses=tuple(_unknown_statuses(payload)),
        payment_methods=payload.payment_gateway_names,
        outstanding=_outstanding(payload, context),
        currency=context.shop,
        presentment_currency=context.presentment,
        exchange_rate=None,  # Shopify states none for an order, and none is computed
        taxes_included=bool(payload.taxes_included),
        duties_included=bool(payload.duties_included),
        estimated_taxes=bool(payload.estimated_taxes),
        tax_exempt=payload.tax_exempt,
        lines=_lines(payload, refunds, fulfilments, context),
        shipping_lines=tuple(_shipping_line(line, context, index) for index, line in enumerate(payload.shipping_lines)),
        discount_applications=tuple(_application(application) for application in payload.discount_applications),
        discount_codes=tuple(code.code for code in payload.discount_codes if code.code),
        taxes=_taxes(payload.tax_lines, context, "tax_lines"),
        fees=_fees(payload, context),
        tenders=_tenders(payload, context),
        transactions=tuple(
            _transaction(transaction, context, f"transactions.{index}")
            for index, transaction in enumerate(payload.transactions or ())
        ),
        refunds=refunds,
        fulfilments=fulfilments,
        totals=_totals(payload, context),
        current_totals=_current_totals(payload, context),
        cash_rounding=_cash_rounding(payload, context),
        risk_level=_RISK_LEVELS.get((payload.risk.recommendation or "").lower()) if payload.risk else None,
        personal=_personal(payload),
    )


def _observed_at(delivery: Delivery) -> str:
    """A trigger time is unsigned: one that is no time at all must not cost us the order."""
    if delivery.fetched or delivery.triggered_at is None:
        return delivery.received_at
    try:
        return sortable_time(delivery.triggered_at)
    except Rejected:
        return delivery.received_at


def _unknown_statuses(payload: schemas.Order) -> Iterable[str]:
    payment, fulfilment = payload.financial_status, payload.fulfillment_status
    if payment is not None and payment.lower() not in _PAYMENT_STATES:
        yield f"financial_status:{payment[:_STATUS_LENGTH]}"
    if fulfilment is not None and fulfilment.lower() not in _FULFILMENT_STATUSES:
        yield f"fulfillment_status:{fulfilment[:_STATUS_LENGTH]}"


def _outstanding(payload: schemas.Order, context: Context) -> Amount | None:
    """Webhooks state it in the shop's currency only: without the buyer's side it is left out, not fetched."""
    if payload.total_outstanding_set is None and context.shop != context.presentment:
        return None
    return context.amount(payload.total_outstanding_set, payload.total_outstanding, "total_outstanding")


# Lines


def _lines(
    payload: schemas.Order, refunds: Sequence[Refund], fulfilments: Sequence[Fulfilment], context: Context
) -> tuple[OrderLine, ...]:
    refunded = _units(line for refund in refunds for line in refund.lines)
    shipped = _units(line for shipment in fulfilments if shipment.counts_as_shipped for line in shipment.lines)
    lines = []
    for index, given in _goods(payload):
        line = _line(given, context, f"line_items.{index}", refunded[_id(given)])
        still_open = 0 if payload.cancelled_at else _open(line, given, shipped[line.id])
        lines.append(line.model_copy(update={"open_quantity": still_open}))
    return tuple(lines)


def _units(lines: Iterable[RefundLine | FulfilmentLine]) -> Counter[str]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line.line_id] += line.quantity
    return units


def _goods(payload: schemas.Order) -> Iterable[tuple[int, schemas.LineItem]]:
    """The lines without gratuities, which `total_tip_received` states already."""
    return ((index, line) for index, line in enumerate(payload.line_items) if not _is_counted_tip(payload, line))


def _is_counted_tip(payload: schemas.Order, line: schemas.LineItem) -> bool:
    return line.tip and (payload.total_tip_received is not None or payload.total_tip_received_set is not None)


def _open(line: OrderLine, given: schemas.LineItem, shipped: int) -> int:
    if given.fulfillable_quantity is None:
        return max(0, line.current_quantity - shipped)
    return max(0, min(given.fulfillable_quantity, line.current_quantity))


def _line(line: schemas.LineItem, context: Context, path: str, refunded: int) -> OrderLine:
    price = context.stated(line.price_set, line.price, f"{path}.price")
    current = line.current_quantity
    return OrderLine(
        id=_id(line),
        gid=line.admin_graphql_api_id if _exact(line.admin_graphql_api_id) else None,
        product_id=line.product_id,
        variant_id=line.variant_id,
        sku=line.sku,
        title=line.title or "",
        variant_title=line.variant_title,
        vendor=line.vendor,
        quantity=line.quantity,
        current_quantity=max(0, line.quantity - refunded) if current is None else current,
        open_quantity=0,
        unit_price=price,
        subtotal=price * line.quantity,
        discounts=_allocations(line.discount_allocations, context, path),
        taxes=_taxes(line.tax_lines, context, f"{path}.tax_lines"),
        duties=_duties(line.duties, context, f"{path}.duties"),
        taxable=line.taxable,
        gift_card=bool(line.gift_card),
        requires_shipping=line.requires_shipping is not False,
        stock_tracked=_stock_tracked(line),
        fulfilment_service=line.fulfillment_service,
    )


def _stock_tracked(line: schemas.LineItem) -> bool | None:
    if line.gift_card:
        return False
    managed = line.variant_inventory_management is not None
    # A variant that was deleted since is no longer said to be counted, and yet its goods are still to be shipped.
    says_nothing = "variant_inventory_management" not in line.model_fields_set or line.variant_id is None
    return None if says_nothing and not managed else managed


def _shipping_line(line: schemas.ShippingLine, context: Context, index: int) -> ShippingLine:
    path = f"shipping_lines.{index}"
    price = context.stated(line.price_set, line.price, f"{path}.price")
    discounts = _allocations(line.discount_allocations, context, path)
    discounted = context.amount(line.discounted_price_set, line.discounted_price, f"{path}.discounted_price")
    return ShippingLine(
        id=line.id or str(index),
        title=line.title or "",
        code=line.code,
        carrier=line.carrier_identifier,
        price=price,
        discounted_price=discounted or (price - context.total(discount.amount for discount in discounts)),
        discounts=discounts,
        taxes=_taxes(line.tax_lines, context, f"{path}.tax_lines"),
        removed=bool(line.is_removed),
    )


def _application(application: schemas.DiscountApplication) -> DiscountApplication:
    return DiscountApplication(
        kind=application.type or "",
        title=application.title or application.description,
        code=application.code,
        value=application.value,
        value_type=application.value_type,
        target=application.target_type,
        selection=application.target_selection,
        allocation=application.allocation_method,
    )


def _allocations(
    allocations: Sequence[schemas.DiscountAllocation], context: Context, path: str
) -> tuple[DiscountAllocation, ...]:
    return tuple(
        DiscountAllocation(
            amount=context.stated(item.amount_set, item.amount, f"{path}.discount_allocations.{index}.amount"),
            application=item.discount_application_index,
        )
        for index, item in enumerate(allocations)
    )


def _taxes(taxes: Sequence[schemas.TaxLine], context: Context, path: str) -> tuple[TaxLine, ...]:
    return tuple(
        TaxLine(
            title=tax.title or "",
            rate=tax.rate,
            amount=context.stated(tax.price_set, tax.price, f"{path}.{index}.price"),
            channel_liable=tax.channel_liable,
        )
        for index, tax in enumerate(taxes)
    )


def _duties(duties: Sequence[schemas.Duty], context: Context, path: str) -> tuple[Duty, ...]:
    return tuple(
        Duty(
            id=duty.id or str(index),
            amount=context.stated(duty, None, f"{path}.{index}"),
            harmonised_code=duty.harmonized_system_code,
            country_of_origin=duty.country_code_of_origin,
            taxes=_taxes(duty.tax_lines, context, f"{path}.{index}.tax_lines"),
        )
        for index, duty in enumerate(duties)
    )


# Totals and what else makes up the price


def _fees(payload: schemas.Order, context: Context) -> tuple[Fee, ...]:
    """Itemised where the body does so; otherwise one fee of the stated sum."""
    itemised = tuple(
        Fee(
            id=fee.id or str(index),
            title=fee.name or "",
            amount=context.stated(fee.price_set, None, f"additional_fees.{index}.price"),
            taxes=_taxes(fee.tax_lines, context, f"additional_fees.{index}.tax_lines"),
        )
        for index, fee in enumerate(payload.additional_fees)
    )
    total = context.or_zero(payload.original_total_additional_fees_set, None, "original_total_additional_fees_set")
    if itemised or not total:
        return itemised
    return (Fee(id="additional_fees", title="Additional fees", amount=total),)


def _totals(payload: schemas.Order, context: Context) -> Totals:
    fees = context.amount(payload.original_total_additional_fees_set, None, "original_total_additional_fees_set")
    duties = context.amount(payload.original_total_duties_set, None, "original_total_duties_set")
    return Totals(
        subtotal=context.stated(payload.subtotal_price_set, payload.subtotal_price, "subtotal_price"),
        discounts=context.or_zero(payload.total_discounts_set, payload.total_discounts, "total_discounts"),
        shipping=_shipping_total(payload, context),
        fees=fees or context.total(fee.amount for fee in _fees(payload, context)),
        duties=duties or _line_duties(payload, context),
        tips=context.or_zero(payload.total_tip_received_set, payload.total_tip_received, "total_tip_received"),
        tax=context.or_zero(payload.total_tax_set, payload.total_tax, "total_tax"),
        gift_cards=context.zero,
        total=context.stated(payload.total_price_set, payload.total_price, "total_price"),
    )


def _shipping_total(payload: schemas.Order, context: Context) -> Amount:
    """After shipping discounts, which `total_shipping_price_set` leaves out."""
    lines = [_shipping_line(line, context, index) for index, line in enumerate(payload.shipping_lines)]
    if not lines:
        return context.or_zero(payload.total_shipping_price_set, None, "total_shipping_price_set")
    return context.total(line.discounted_price for line in lines if not line.removed)


def _line_duties(payload: schemas.Order, context: Context) -> Amount:
    return context.total(
        duty.amount
        for index, line in enumerate(payload.line_items)
        for duty in _duties(line.duties, context, f"line_items.{index}.duties")
    )


def _current_totals(payload: schemas.Order, context: Context) -> CurrentTotals:
    def current(name: str) -> Amount | None:
        return context.amount(getattr(payload, f"{name}_set"), getattr(payload, name, None), name)

    return CurrentTotals(
        subtotal=current("current_subtotal_price"),
        discounts=current("current_total_discounts"),
        fees=current("current_total_additional_fees"),
        duties=current("current_total_duties"),
        tax=current("current_total_tax"),
        total=current("current_total_price"),
    )


def _cash_rounding(payload: schemas.Order, context: Context) -> CashRounding | None:
    payment = payload.total_cash_rounding_payment_adjustment_set
    refund = payload.total_cash_rounding_refund_adjustment_set
    if payment is None and refund is None:
        return None
    return CashRounding(
        payment=context.or_zero(payment, None, "total_cash_rounding_payment_adjustment_set"),
        refund=context.or_zero(refund, None, "total_cash_rounding_refund_adjustment_set"),
    )


# Payments and refunds


def _transaction(transaction: schemas.Transaction, context: Context, path: str) -> Transaction:
    return Transaction(
        id=_id(transaction),
        parent_id=transaction.parent_id,
        kind=(transaction.kind or "").lower(),
        status=(transaction.status or "").lower(),
        gateway=transaction.gateway,
        amount=_gateway_money(transaction, context, path),
        test=bool(transaction.test),
        processed_at=_time(transaction.processed_at or transaction.created_at, f"{path}.processed_at"),
    )


def _gateway_money(transaction: schemas.Transaction, context: Context, path: str) -> Money:
    """What moved at the gateway. Shopify's samples leave the currency null; then it is the order's."""
    if transaction.amount is None:
        return context.stated(transaction.amount_set, None, f"{path}.amount").presentment
    currency = transaction.currency
    if currency is None or currency in _NO_CURRENCY:
        currency = context.shop
    if re.fullmatch(r"[A-Z]{3}", currency) is None:
        raise _invalid("no currency", f"{path}.currency")
    return Money.parse(transaction.amount, currency, field=f"{path}.amount")


def _moved(transaction: schemas.Transaction, context: Context, path: str) -> Amount:
    """The same in both currencies; a webhook tells one, and the other has to be fetched."""
    if transaction.amount_set is not None:
        return context.stated(transaction.amount_set, None, f"{path}.amount")
    money = _gateway_money(transaction, context, path)
    if money.currency == context.shop:
        return context.stated(None, transaction.amount, f"{path}.amount")
    context.miss("amount_in_one_currency")
    if money.currency == context.presentment:
        return Amount(shop=Money.zero(context.shop), presentment=money)
    return context.zero


def _succeeded(transaction: schemas.Transaction, *kinds: str) -> bool:
    return (transaction.status or "").lower() == "success" and (transaction.kind or "").lower() in kinds


def _tenders(payload: schemas.Order, context: Context) -> tuple[Tender, ...]:
    """Gift cards and store credit. A webhook names the gateway and not its share of the payment."""
    if payload.transactions is None:
        if any(_tender_kind(gateway) for gateway in payload.payment_gateway_names):
            context.miss("tender_amounts_missing")
        return ()
    tenders = []
    for index, transaction in enumerate(payload.transactions):
        kind = _tender_kind(transaction.gateway)
        if kind and _succeeded(transaction, "sale", "capture"):
            receipt = transaction.receipt or schemas.Receipt()
            tenders.append(
                Tender(
                    kind=kind,
                    id=receipt.gift_card_id or _id(transaction),
                    amount=_moved(transaction, context, f"transactions.{index}"),
                    last_characters=receipt.gift_card_last_characters,
                )
            )
    return tuple(tenders)


def _tender_kind(gateway: str | None) -> str | None:
    return _TENDER_KINDS.get((gateway or "").lower())


def _refund(refund: schemas.Refund, context: Context, path: str) -> Refund:
    return Refund(
        id=_id(refund),
        created_at=_time(refund.created_at, f"{path}.created_at"),
        amount=context.total(
            _moved(transaction, context, f"{path}.transactions.{index}")
            for index, transaction in enumerate(refund.transactions)
            if _succeeded(transaction, "refund")
        ),
        lines=tuple(
            _refund_line(line, context, f"{path}.refund_line_items.{index}")
            for index, line in enumerate(refund.refund_line_items)
        ),
        adjustments=_adjustments(refund, context, path),
        duties=tuple(
            Duty(
                id=duty.duty_id or str(index),
                amount=context.stated(duty.amount_set, None, f"{path}.duties.{index}.amount_set"),
            )
            for index, duty in enumerate(refund.duties)
        ),
        transactions=tuple(
            _transaction(transaction, context, f"{path}.transactions.{index}")
            for index, transaction in enumerate(refund.transactions)
        ),
    )


def _refund_line(line: schemas.RefundLineItem, context: Context, path: str) -> RefundLine:
    return RefundLine(
        line_id=context.line_id(line.line_item_id, line.line_item, f"{path}.line_item_id"),
        quantity=line.quantity,
        restock=_RESTOCK_KINDS.get((line.restock_type or "").lower(), RestockKind.UNKNOWN),
        location_id=line.location_id,
        subtotal=context.or_zero(line.subtotal_set, line.subtotal, f"{path}.subtotal"),
        tax=context.or_zero(line.total_tax_set, line.total_tax, f"{path}.total_tax"),
    )


def _adjustments(refund: schemas.Refund, context: Context, path: str) -> tuple[RefundAdjustment, ...]:
    """Shipping given back comes as an adjustment (negative) or as a refunded shipping line (positive): never twice."""
    stated = tuple(
        RefundAdjustment(
            kind=item.kind or "",
            reason=item.reason,
            amount=context.stated(item.amount_set, item.amount, f"{path}.order_adjustments.{index}.amount"),
            tax=context.or_zero(item.tax_amount_set, item.tax_amount, f"{path}.order_adjustments.{index}.tax_amount"),
        )
        for index, item in enumerate(refund.order_adjustments)
    )
    if any(item.kind == "shipping_refund" for item in stated):
        return stated
    return stated + tuple(
        _shipping_refund(item, context, f"{path}.refund_shipping_lines.{index}")
        for index, item in enumerate(refund.refund_shipping_lines)
    )


def _shipping_refund(item: schemas.RefundShippingLine, context: Context, path: str) -> RefundAdjustment:
    amount = context.stated(item.subtotal_amount_set, None, f"{path}.subtotal_amount_set")
    tax = context.or_zero(item.tax_amount_set, None, f"{path}.tax_amount_set")
    return RefundAdjustment(kind="shipping_refund", reason=None, amount=amount * -1, tax=tax * -1)


# Shipments


def _fulfilment(fulfilment: schemas.Fulfillment, context: Context, path: str) -> Fulfilment:
    return Fulfilment(
        id=_id(fulfilment),
        status=(fulfilment.status or "").lower(),
        shipment_status=fulfilment.shipment_status,
        created_at=_time(fulfilment.created_at, f"{path}.created_at"),
        location_id=fulfilment.location_id,
        lines=_fulfilment_lines(fulfilment, context, path),
        parcels=_parcels(fulfilment),
    )


def _fulfilment_lines(fulfilment: schemas.Fulfillment, context: Context, path: str) -> tuple[FulfilmentLine, ...]:
    return tuple(
        FulfilmentLine(
            line_id=context.line_id(None, line, f"{path}.line_items.{index}.id"),
            quantity=line.quantity or 0,
        )
        for index, line in enumerate(fulfilment.line_items)
    )


def _parcels(fulfilment: schemas.Fulfillment) -> tuple[Parcel, ...]:
    numbers = fulfilment.tracking_numbers or _one(fulfilment.tracking_number)
    urls = fulfilment.tracking_urls or _one(fulfilment.tracking_url)
    if not numbers and not urls:
        return (Parcel(carrier=fulfilment.tracking_company, number=None, url=None),) * bool(fulfilment.tracking_company)
    return tuple(
        Parcel(carrier=carrier or fulfilment.tracking_company, number=number, url=url)
        for carrier, number, url in zip_longest(fulfilment.tracking_companies, numbers, urls)
    )


def _one(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


# The buyer


def _personal(payload: schemas.Order) -> PersonalData:
    customer = payload.customer or schemas.Customer()
    client = payload.client_details or schemas.ClientDetails()
    return PersonalData(
        customer_id=_exact(customer.admin_graphql_api_id) or customer.id,
        email=payload.email or payload.contact_email or customer.email,
        phone=payload.phone or customer.phone,
        first_name=customer.first_name,
        last_name=customer.last_name,
        accepts_marketing=payload.buyer_accepts_marketing,
        locale=payload.customer_locale,
        ip_address=payload.browser_ip or client.browser_ip,
        user_agent=client.user_agent,
        billing_address=_address(payload.billing_address),
        shipping_address=_address(payload.shipping_address),
        note=payload.note,
        attributes=_attributes(payload.note_attributes),
        line_properties={_id(line): _attributes(line.properties) for line in payload.line_items if line.properties},
        refund_notes={_id(refund): refund.note for refund in payload.refunds if refund.note},
        unknown_fields={**dict(unknown_fields(payload)), **_tip_lines(payload)},
    )


def _tip_lines(payload: schemas.Order) -> dict[str, JsonValue]:
    """Gratuities are no order lines, yet what was said of them is kept."""
    return {
        f"tip_lines.{_id(line)}": {"title": line.title, "quantity": line.quantity, "price": line.price}
        for line in payload.line_items
        if _is_counted_tip(payload, line)
    }


def _attributes(attributes: Sequence[schemas.Attribute]) -> dict[str, JsonValue]:
    """By name; a name that occurs more than once keeps all its values."""
    values: dict[str, list[JsonValue]] = defaultdict(list)
    for attribute in attributes:
        values[attribute.name or ""].append(_json(attribute.value))
    return {name: items[0] if len(items) == 1 else items for name, items in values.items()}


def _json(value: Any) -> JsonValue:
    """JSON of our own standard, which has no fractions: those are kept as their text."""
    if isinstance(value, dict):
        return {str(name): _json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def _address(address: schemas.Address | None) -> PostalAddress | None:
    if address is None:
        return None
    known = address.model_dump(include=set(schemas.Address.model_fields))
    return PostalAddress(postal_code=known.pop("zip"), **known)
