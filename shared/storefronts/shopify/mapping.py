"""Shopify's account of an order, turned into the canonical order without loss.

The body decides what a delivery is, because the topic is not signed: a whole order is read, everything else that
names an order is a hint to fetch it. One mapping serves webhooks and fetched orders: the client puts what it fetched
into the webhook's shape.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from shared.kernel import strict_json
from shared.kernel.clock import parse_time, sortable_time
from shared.kernel.model import faults_of
from shared.kernel.money import Amount
from shared.kernel.versions import Version
from shared.orders.models import (
    Order,
    PaymentState,
)
from shared.storefronts.lenient import read
from shared.storefronts.port import CompleteOrder, OrderHint, Reading
from shared.storefronts.shopify import schemas
from shared.storefronts.shopify.figures import (
    GID,
    Context,
    as_text,
    exact_id,
    id_of,
    invalid,
    observed_at,
    order_gid,
    plain_id,
    time_of,
)
from shared.storefronts.shopify.lines import application_of, fees_of, lines_of, shipping_line_of, taxes_of
from shared.storefronts.shopify.payments import refund_of, tenders_of, transaction_of
from shared.storefronts.shopify.personal import personal_data_of
from shared.storefronts.shopify.shipments import fulfilment_of
from shared.storefronts.shopify.totals import cash_rounding_of, current_totals_of, totals_of
from shared.webhooks.delivery import Delivery

PLATFORM = "shopify"
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
        raise invalid("the body is not an object", "")
    _refuse_other_resources(body)
    if "line_items" not in body or body.get("order_id") is not None or "order_edit" in body:
        return _hint(body, delivery.topic)
    payload = read(schemas.Order, body)
    context = Context.of(payload)
    try:
        order = _order(payload, delivery, context)
    except ValidationError as error:  # what our own models refuse, such as a sum beyond any sane size
        first = faults_of(error)[0]
        raise invalid(first.kind, first.field) from error
    if context.gaps and not delivery.fetched:
        return OrderHint(order.order_id, context.gaps[0], partial=order)
    return CompleteOrder(order)


def _refuse_other_resources(body: dict[str, Any]) -> None:
    """A draft order looks like an order; its global id does not."""
    found = GID.fullmatch(as_text(body.get("admin_graphql_api_id")))
    if found and found["type"] != "Order" and "line_items" in body and body.get("order_id") is None:
        raise invalid("the body is another resource than an order", "admin_graphql_api_id")


def _hint(body: dict[str, Any], topic: str) -> OrderHint:
    if isinstance(body.get("order_edit"), dict):
        return OrderHint(_named_order(body["order_edit"], "order_id", "order_edit."), "delta")
    if body.get("order_id") is not None or "admin_graphql_api_order_id" in body:
        return OrderHint(_named_order(body, "order_id"), "delta")
    reason = "deleted" if topic == "orders/delete" else "thin"
    return OrderHint(order_gid(body.get("admin_graphql_api_id")) or plain_id(body, "id", "an order"), reason)


def _named_order(body: dict[str, Any], key: str, path: str = "") -> str:
    return order_gid(body.get("admin_graphql_api_order_id")) or plain_id(body, key, "an order", path)


def _order(payload: schemas.Order, delivery: Delivery, context: Context) -> Order:
    refunds = tuple(refund_of(refund, context, f"refunds.{index}") for index, refund in enumerate(payload.refunds))
    fulfilments = tuple(
        fulfilment_of(fulfilment, context, f"fulfillments.{index}")
        for index, fulfilment in enumerate(payload.fulfillments)
    )
    digest = hashlib.sha256(delivery.body).hexdigest()
    gid = payload.admin_graphql_api_id
    return Order(
        shop=delivery.shop,
        order_id=id_of(payload),
        platform=PLATFORM,
        gid=gid if exact_id(gid) else None,
        name=payload.name or f"#{id_of(payload)}",
        version=Version(
            updated_at=sortable_time(payload.updated_at, field="updated_at"),
            observed_at=observed_at(delivery),
            body_sha256=digest,
            fetched=delivery.fetched,
        ),
        api_version=delivery.api_version,
        raw_sha256=digest,
        created_at=parse_time(payload.created_at, field="created_at"),
        processed_at=time_of(payload.processed_at, "processed_at"),
        updated_at=parse_time(payload.updated_at, field="updated_at"),
        cancelled_at=time_of(payload.cancelled_at, "cancelled_at"),
        cancel_reason=payload.cancel_reason,
        closed_at=time_of(payload.closed_at, "closed_at"),
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
        lines=lines_of(payload, refunds, fulfilments, context),
        shipping_lines=tuple(
            shipping_line_of(line, context, index) for index, line in enumerate(payload.shipping_lines)
        ),
        discount_applications=tuple(application_of(application) for application in payload.discount_applications),
        discount_codes=tuple(code.code for code in payload.discount_codes if code.code),
        taxes=taxes_of(payload.tax_lines, context, "tax_lines"),
        fees=fees_of(payload, context),
        tenders=tenders_of(payload, context),
        transactions=tuple(
            transaction_of(transaction, context, f"transactions.{index}")
            for index, transaction in enumerate(payload.transactions or ())
        ),
        refunds=refunds,
        fulfilments=fulfilments,
        totals=totals_of(payload, context),
        current_totals=current_totals_of(payload, context),
        cash_rounding=cash_rounding_of(payload, context),
        risk_level=_RISK_LEVELS.get((payload.risk.recommendation or "").lower()) if payload.risk else None,
        personal=personal_data_of(payload),
    )


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
