"""From WooCommerce's order to the canonical one.

WooCommerce knows one currency per order, writes the amounts of lines without tax (whatever `prices_include_tax` says:
that only tells what the buyer was shown), and has no shipments, no cancellation time and no refund lines in the order.
Observed on WooCommerce 10.0.2 and on recorded orders of 3.x to 7.x.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from typing import Any

from pydantic import JsonValue

from shared.kernel import strict_json
from shared.kernel.clock import parse_time, sortable_time
from shared.kernel.errors import Rejected
from shared.kernel.money import MAX_EXPONENT, Amount, Money
from shared.kernel.versions import Version
from shared.orders.models import (
    DiscountAllocation,
    DiscountApplication,
    Fee,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderLine,
    Parcel,
    PaymentState,
    PersonalData,
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
from shared.storefronts.lenient import read, unknown_fields
from shared.storefronts.port import CompleteOrder, NothingToDo, OrderHint, Reading
from shared.storefronts.woocommerce import schemas
from shared.storefronts.woocommerce.addresses import postal_address
from shared.storefronts.woocommerce.rest_errors import require_gone
from shared.webhooks.delivery import Delivery

PLATFORM = "woocommerce"

_DRAFTS = frozenset({"checkout-draft", "auto-draft", "draft"})
_UNPAID = frozenset({"pending", "failed", "on-hold"})
_ACCEPTED = frozenset({"processing", "completed"})
_CANCELLED = frozenset({"cancelled", "trash"})
_KNOWN = _UNPAID | _ACCEPTED | _CANCELLED | {"refunded"}
_NOTHING_LEFT_TO_SHIP = _CANCELLED | {"completed", "refunded"}

_TRACKING_KEY = "_wc_shipment_tracking_items"
_REFUNDED_ITEM_KEY = "_refunded_item_id"
_VAT_EXEMPT = {"yes": True, "no": False}
_PRECISE = Context(prec=60, rounding=ROUND_HALF_EVEN)


def read_order(delivery: Delivery) -> Reading:
    """Turn a delivery into the canonical order (an `OrderReader`).

    Deliveries name refunds without their lines, so an order with refunds is a hint unless our client fetched it.

    Raises:
        Rejected: `invalid_json`, `invalid_payload`, `invalid_money` or `invalid_time`, naming the field at fault.
    """
    body = strict_json.parse(delivery.body)
    if not isinstance(body, dict):
        raise _invalid("the body is not one order", hint="subscribe the webhook to order topics only")
    if "id" not in body:
        require_gone(body, resource="order")
        return NothingToDo("gone")
    if len(body) == 1:
        thin = read(schemas.ThinOrder, body)
        return OrderHint(thin.id, "deleted" if delivery.topic == "order.deleted" else "thin")
    status = body.get("status")
    if isinstance(status, str) and status in _DRAFTS:
        return NothingToDo("draft")
    source = read(schemas.Order, body)
    order = _Mapping(source, delivery).order()
    if any(not refund.lines_known for refund in order.refunds) and not _refunds_were_fetched(source, delivery):
        return OrderHint(order.order_id, "refund_lines_missing", partial=order)
    return CompleteOrder(order)


def _invalid(message: str, *, hint: str) -> Rejected:
    return Rejected("invalid_payload", message, hint=hint)


def _refunds_were_fetched(source: schemas.Order, delivery: Delivery) -> bool:
    """Only our own client may vouch for refund lines: in a delivery the field would be some plugin's."""
    return delivery.fetched and source.refund_details is not None


@dataclass(frozen=True, slots=True)
class _Mapping:
    """One order on its way: what was sent, and the account it came with."""

    source: schemas.Order
    delivery: Delivery

    def order(self) -> Order:
        source, delivery = self.source, self.delivery
        refunds = self._refunds()
        updated = self._updated()
        digest = hashlib.sha256(delivery.body).hexdigest()
        return Order(
            shop=delivery.shop,
            order_id=source.id,
            platform=PLATFORM,
            gid=None,
            name=f"#{source.number or source.id}",
            version=Version(
                updated_at=sortable_time(updated, field="date_modified_gmt"),
                observed_at=delivery.received_at,
                body_sha256=digest,
                fetched=delivery.fetched,
            ),
            api_version=delivery.api_version,
            raw_sha256=digest,
            created_at=parse_time(self._created(), field="date_created_gmt"),
            processed_at=self._paid_at(),
            updated_at=parse_time(updated, field="date_modified_gmt"),
            cancelled_at=self._cancelled_at(),
            cancel_reason="trashed" if source.status == "trash" else None,
            source=source.created_via,
            test=delivery.test,
            payment=self._payment_state(),
            vendor_payment_status=source.status,
            vendor_fulfilment_status=source.status,
            unknown_statuses=() if source.status in _KNOWN else (source.status,),
            payment_methods=(source.payment_method,) if source.payment_method else (),
            currency=source.currency,
            presentment_currency=source.currency,
            taxes_included=False,
            prices_shown_with_tax=source.prices_include_tax,
            tax_exempt=self._tax_exempt(),
            lines=self._lines(refunds),
            shipping_lines=self._shipping_lines(),
            discount_applications=tuple(_discount_application(coupon) for coupon in source.coupon_lines),
            discount_codes=tuple(coupon.code for coupon in source.coupon_lines if coupon.code),
            taxes=self._order_taxes(),
            fees=self._fees(),
            tenders=self._tenders(),
            transactions=self._transactions(),
            refunds=refunds,
            fulfilments=self._fulfilments(refunds),
            totals=self._totals(),
            personal=self._personal(),
        )

    # -- times ---------------------------------------------------------------------------------------------------

    def _created(self) -> str:
        """The local time is taken for UTC where no `*_gmt` is sent (old plugins trim it): hours off, never lost."""
        return self.source.date_created_gmt or self.source.date_created or self._updated()

    def _updated(self) -> str:
        source = self.source
        text = source.date_modified_gmt or source.date_modified or source.date_created_gmt or source.date_created
        if text is None:
            raise Rejected(
                "invalid_payload",
                "the order has no time of change",
                field="date_modified_gmt",
                hint="do not trim the webhook's payload",
            )
        return text

    def _paid_at(self) -> datetime | None:
        return _optional_time(self.source.date_paid_gmt or self.source.date_paid, "date_paid_gmt")

    def _completed_at(self) -> datetime | None:
        return _optional_time(self.source.date_completed_gmt or self.source.date_completed, "date_completed_gmt")

    def _cancelled_at(self) -> datetime | None:
        """WooCommerce keeps no time of cancellation, so the last change stands for it.

        A trashed order is cancelled: staff took it off their list, it may be deleted for good any day, and one that
        is restored comes back as a newer version. A failed payment cancels nothing: the buyer may try again.
        """
        if self.source.status not in _CANCELLED:
            return None
        return parse_time(self._updated(), field="date_modified_gmt")

    # -- money ---------------------------------------------------------------------------------------------------

    def _amount(self, value: Decimal, field: str) -> Amount:
        return Amount.single(Money.parse(value, self.source.currency, field=field))

    def _float_amount(self, value: Decimal, field: str) -> Amount:
        """An amount that PHP computed as a float: past twelve decimals it holds noise and no money."""
        if _exponent(value) < -MAX_EXPONENT and value.adjusted() < _PRECISE.prec - MAX_EXPONENT:
            value = value.quantize(Decimal(1).scaleb(-MAX_EXPONENT), context=_PRECISE)
        return self._amount(value, field)

    def _total(self, amounts: Iterable[Amount]) -> Amount:
        total = Amount.zero(self.source.currency)
        for amount in amounts:
            total = total + amount
        return total

    def _totals(self) -> Totals:
        """`subtotal` is summed here: WooCommerce sends no sum of its lines."""
        source, zero = self.source, Amount.zero(self.source.currency)
        return Totals(
            subtotal=self._total(self._amount(line.total, "line_items.total") for line in source.line_items),
            discounts=self._amount(source.discount_total, "discount_total"),
            shipping=self._amount(source.shipping_total, "shipping_total"),
            fees=self._total(self._amount(fee.total, "fee_lines.total") for fee in source.fee_lines),
            duties=zero,
            tips=zero,
            tax=self._amount(source.total_tax, "total_tax"),
            gift_cards=self._total(tender.amount for tender in self._tenders()),
            total=self._amount(source.total, "total"),
        )

    def _tenders(self) -> tuple[Tender, ...]:
        return tuple(
            Tender(
                kind="gift_card",
                id=card.id,
                amount=self._float_amount(card.amount, "gift_cards.amount"),
                last_characters=card.code[-4:] if card.code else None,
            )
            for card in self.source.gift_cards
        )

    # -- tax -----------------------------------------------------------------------------------------------------

    def _order_taxes(self) -> tuple[TaxLine, ...]:
        return tuple(
            TaxLine(
                title=_tax_title(tax),
                rate=_tax_rate(tax),
                amount=self._amount(tax.tax_total, "tax_lines.tax_total")
                + self._amount(tax.shipping_tax_total, "tax_lines.shipping_tax_total"),
            )
            for tax in self.source.tax_lines
        )

    def _tax_shares(self, shares: Iterable[schemas.TaxShare]) -> tuple[TaxLine, ...]:
        """A line's part of each tax: unrounded, so their sum may differ from the line's own tax by less than a unit."""
        rates = {tax.rate_id: tax for tax in self.source.tax_lines}
        return tuple(
            TaxLine(
                title=_tax_title(rates.get(share.id)),
                rate=_tax_rate(rates.get(share.id)),
                amount=self._float_amount(share.total, "taxes.total"),
            )
            for share in shares
        )

    def _tax_exempt(self) -> bool | None:
        flags = [meta.value for meta in self.source.meta_data if meta.key == "is_vat_exempt"]
        return _VAT_EXEMPT.get(str(flags[-1])) if flags else None

    # -- lines ---------------------------------------------------------------------------------------------------

    def _lines(self, refunds: tuple[Refund, ...]) -> tuple[OrderLine, ...]:
        refunded = _units_refunded(refunds)
        return tuple(self._line(line, refunded[line.id]) for line in self.source.line_items)

    def _line(self, line: schemas.LineItem, refunded: int) -> OrderLine:
        current = max(0, line.quantity - refunded)
        subtotal = self._amount(line.subtotal, "line_items.subtotal")
        return OrderLine(
            id=line.id,
            product_id=line.product_id,
            variant_id=line.variation_id,
            sku=line.sku,
            title=line.parent_name or line.name or "",
            variant_title=line.name if line.parent_name else None,
            quantity=line.quantity,
            current_quantity=current,
            open_quantity=0 if self.source.status in _NOTHING_LEFT_TO_SHIP else current,
            unit_price=self._unit_price(line),
            subtotal=subtotal,
            discounts=self._discounts(subtotal - self._amount(line.total, "line_items.total")),
            taxes=self._tax_shares(line.taxes),
        )

    def _unit_price(self, line: schemas.LineItem) -> Amount | None:
        """The price of one before discounts, where the subtotal divides exactly; otherwise the subtotal is the truth.

        WooCommerce's own `price` is a PHP float of total / quantity, so after discounts: 32.40 / 3 arrives as
        10.799999999999999. The quotient of the exact amounts is the figure that it stands for.
        """
        if line.quantity <= 0:
            return None
        with localcontext(_PRECISE) as context:
            context.traps[Inexact] = True
            try:
                price = line.subtotal / line.quantity
            except Inexact:
                return None
        if _exponent(price.normalize(_PRECISE)) < -MAX_EXPONENT:
            return None
        return self._amount(price, "line_items.subtotal")

    def _discounts(self, amount: Amount) -> tuple[DiscountAllocation, ...]:
        """Negative where staff raised the line above its list price. Only a single coupon is known to be the cause."""
        if not amount:
            return ()
        return (DiscountAllocation(amount=amount, application=0 if len(self.source.coupon_lines) == 1 else None),)

    def _shipping_lines(self) -> tuple[ShippingLine, ...]:
        """Coupons lower shipping before it is written, so there is one price."""
        return tuple(
            ShippingLine(
                id=line.id,
                title=line.method_title or "",
                code=line.method_id,
                price=self._amount(line.total, "shipping_lines.total"),
                discounted_price=self._amount(line.total, "shipping_lines.total"),
                taxes=self._tax_shares(line.taxes),
            )
            for line in self.source.shipping_lines
        )

    def _fees(self) -> tuple[Fee, ...]:
        """A negative fee is a reduction that a plugin or staff wrote as a fee."""
        return tuple(
            Fee(
                id=fee.id,
                title=fee.name or "",
                amount=self._amount(fee.total, "fee_lines.total"),
                taxes=self._tax_shares(fee.taxes),
            )
            for fee in self.source.fee_lines
        )

    # -- payment -------------------------------------------------------------------------------------------------

    def _payment_state(self) -> PaymentState:
        """`completed` without a payment date is cash on delivery that nobody booked yet: not paid.

        `failed` is pending too, because the buyer may pay again. A cancelled order that was paid still holds the
        buyer's money, until it is refunded. A refund of an order that was never paid moves no money.
        """
        status = self.source.status
        if status == "refunded":
            return PaymentState.REFUNDED
        if status in _CANCELLED | _ACCEPTED and self._paid_at():
            return self._state_of_paid()
        return PaymentState.VOIDED if status in _CANCELLED else PaymentState.PENDING

    def _state_of_paid(self) -> PaymentState:
        given_back = self._given_back()
        if not given_back:
            return PaymentState.PAID
        total = self._amount(self.source.total, "total")
        return PaymentState.PARTIALLY_REFUNDED if total.shop.exceeds(given_back.shop) else PaymentState.REFUNDED

    def _given_back(self) -> Amount:
        return self._total(self._returned(refund.total, "refunds.total") for refund in self.source.refunds)

    def _returned(self, value: Decimal, field: str) -> Amount:
        """A refund's figure as a positive amount: refunds are written as negative sales."""
        return Amount.zero(self.source.currency) - self._amount(value, field)

    def _transactions(self) -> tuple[Transaction, ...]:
        """The gateway's one reference that WooCommerce keeps; without a payment date it may be a mere authorisation."""
        source, paid_at = self.source, self._paid_at()
        if source.transaction_id is None:
            return ()
        return (
            Transaction(
                id=source.transaction_id,
                parent_id=None,
                kind="sale",
                status="success" if paid_at else "pending",
                gateway=source.payment_method,
                amount=Money.parse(source.total, source.currency, field="total"),
                processed_at=paid_at,
            ),
        )

    # -- refunds -------------------------------------------------------------------------------------------------

    def _refunds(self) -> tuple[Refund, ...]:
        details = {}
        if _refunds_were_fetched(self.source, self.delivery):
            details = {detail.id: detail for detail in self.source.refund_details or ()}
        return tuple(self._refund(summary, details.get(summary.id)) for summary in self.source.refunds)

    def _refund(self, summary: schemas.RefundSummary, detail: schemas.RefundDetail | None) -> Refund:
        if detail is None:
            amount = self._returned(summary.total, "refunds.total")
            return Refund(id=summary.id, created_at=None, amount=amount, lines_known=False)
        lines = tuple(self._refund_line(line) for line in detail.line_items)
        linked = tuple(line for line in lines if line.line_id)
        amount = self._amount(detail.amount, "refund_details.amount")
        return Refund(
            id=detail.id,
            created_at=_optional_time(
                detail.date_created_gmt or detail.date_created, "refund_details.date_created_gmt"
            ),
            amount=amount,
            lines=linked,
            adjustments=self._adjustments(detail, amount, linked),
        )

    def _refund_line(self, line: schemas.RefundedItem) -> RefundLine:
        """What became of the goods is not told: `api_restock` leaves no trace in the refund."""
        return RefundLine(
            line_id=self._refunded_line_id(line),
            quantity=abs(line.quantity),
            restock=RestockKind.UNKNOWN,
            subtotal=self._returned(line.total, "refund_details.line_items.total"),
            tax=self._returned(line.total_tax, "refund_details.line_items.total_tax"),
        )

    def _refunded_line_id(self, line: schemas.RefundedItem) -> str:
        """The order's line by its link, else by its product if only one line sells it, else ""."""
        known = {item.id for item in self.source.line_items}
        links = [str(meta.value) for meta in line.meta_data if meta.key == _REFUNDED_ITEM_KEY]
        for link in links:
            if link in known:
                return link
        same = [item.id for item in self.source.line_items if _article(item) == _article(line)]
        return same[0] if len(same) == 1 else ""

    def _adjustments(
        self, detail: schemas.RefundDetail, amount: Amount, lines: tuple[RefundLine, ...]
    ) -> tuple[RefundAdjustment, ...]:
        """Shipping and fees given back, and what no line explains; negative, as money that leaves."""
        named = [
            *(self._adjustment("shipping_refund", line) for line in detail.shipping_lines),
            *(self._adjustment("fee_refund", line) for line in detail.fee_lines),
        ]
        explained = self._total(line.subtotal + line.tax for line in lines) - self._total(
            item.amount + item.tax for item in named
        )
        if amount - explained:
            named.append(
                RefundAdjustment(
                    kind="refund_discrepancy",
                    reason=None,
                    amount=explained - amount,
                    tax=Amount.zero(self.source.currency),
                )
            )
        return tuple(item for item in named if item.amount or item.tax)

    def _adjustment(self, kind: str, line: schemas.RefundedExtra) -> RefundAdjustment:
        return RefundAdjustment(
            kind=kind,
            reason=None,
            amount=self._amount(line.total, f"refund_details.{kind}.total"),
            tax=self._amount(line.total_tax, f"refund_details.{kind}.total_tax"),
        )

    # -- fulfilment ----------------------------------------------------------------------------------------------

    def _fulfilments(self, refunds: tuple[Refund, ...]) -> tuple[Fulfilment, ...]:
        """`completed` is WooCommerce's word for shipped; a refund afterwards does not unship.

        Units refunded before completion never left; those refunded later did, and stay in the shipment.
        """
        completed_at = self._completed_at()
        status = self.source.status
        if status != "completed" and not (status == "refunded" and completed_at):
            return ()
        shipped_at = completed_at or parse_time(self._updated(), field="date_modified_gmt")
        kept_back = _units_refunded(
            refund for refund in refunds if refund.created_at is None or refund.created_at < shipped_at
        )
        quantities = ((line.id, line.quantity - kept_back[line.id]) for line in self.source.line_items)
        return (
            Fulfilment(
                id="completed",
                status="success",
                created_at=shipped_at,
                lines=tuple(FulfilmentLine(line_id=id_, quantity=units) for id_, units in quantities if units > 0),
                parcels=self._parcels(),
            ),
        )

    def _parcels(self) -> tuple[Parcel, ...]:
        """From the Shipment Tracking plugin's meta entry, where it has the plugin's shape."""
        entries = [meta.value for meta in self.source.meta_data if meta.key == _TRACKING_KEY]
        items = [item for entry in entries if isinstance(entry, list) for item in entry if isinstance(item, dict)]
        return tuple(
            Parcel(
                carrier=_text(item, "tracking_provider") or _text(item, "custom_tracking_provider"),
                number=_text(item, "tracking_number"),
                url=_text(item, "custom_tracking_link"),
            )
            for item in items
        )

    # -- the buyer -----------------------------------------------------------------------------------------------

    def _personal(self) -> PersonalData:
        source, billing = self.source, self.source.billing or schemas.Address()
        return PersonalData(
            customer_id=source.customer_id,
            email=billing.email,
            phone=billing.phone,
            first_name=billing.first_name,
            last_name=billing.last_name,
            ip_address=source.customer_ip_address,
            user_agent=source.customer_user_agent,
            billing_address=postal_address(source.billing),
            shipping_address=postal_address(source.shipping),
            note=source.customer_note,
            attributes=_by_key(source.meta_data),
            line_properties={line.id: _by_key(line.meta_data) for line in source.line_items if line.meta_data},
            refund_notes={refund.id: refund.reason for refund in source.refunds if refund.reason},
            unknown_fields=dict(unknown_fields(source)),
        )


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def _optional_time(text: str | None, field: str) -> datetime | None:
    return parse_time(text, field=field) if text else None


def _tax_title(tax: schemas.TaxLine | None) -> str:
    return (tax and (tax.label or tax.rate_code)) or "Tax"


def _tax_rate(tax: schemas.TaxLine | None) -> str | None:
    if tax is None or tax.rate_percent is None:
        return None
    return f"{tax.rate_percent.scaleb(-2, context=_PRECISE).normalize(_PRECISE):f}"


def _discount_application(coupon: schemas.CouponLine) -> DiscountApplication:
    """Before WooCommerce 8.7 a coupon tells what it took off, not how it reckons."""
    value, kind = coupon.discount, "fixed_amount"
    if coupon.discount_type is not None and coupon.nominal_amount is not None:
        value = coupon.nominal_amount
        kind = "percentage" if coupon.discount_type == "percent" else kind
    return DiscountApplication(
        kind="coupon",
        title=None,
        code=coupon.code,
        value=f"{value:f}",
        value_type=kind,
        target="line_item",
    )


def _units_refunded(refunds: Iterable[Refund]) -> Counter[str]:
    units: Counter[str] = Counter()
    for refund in refunds:
        for line in refund.lines:
            units[line.line_id] += line.quantity
    return units


def _article(line: schemas.LineItem) -> tuple[str | None, str | None]:
    return line.product_id, line.variation_id


def _by_key(entries: Iterable[schemas.Meta]) -> dict[str, JsonValue]:
    """Meta entries by key; a key that is used twice keeps all its values, in a list. A fraction becomes its text."""
    values: dict[str, list[JsonValue]] = {}
    for entry in entries:
        values.setdefault(entry.key or "", []).append(json.loads(json.dumps(entry.value, default=str)))
    return {key: items[0] if len(items) == 1 else items for key, items in values.items()}


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return str(value).strip() or None if isinstance(value, str | int) else None
