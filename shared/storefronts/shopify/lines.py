"""A Shopify order's lines, shipping, discounts, taxes, duties and fees."""

from collections import Counter
from collections.abc import Iterable, Sequence

from shared.orders.models import (
    DiscountAllocation,
    DiscountApplication,
    Duty,
    Fee,
    Fulfilment,
    FulfilmentLine,
    OrderLine,
    Refund,
    RefundLine,
    ShippingLine,
    TaxLine,
)
from shared.storefronts.shopify import schemas
from shared.storefronts.shopify.figures import Context, exact_id, id_of


def lines_of(
    payload: schemas.Order, refunds: Sequence[Refund], fulfilments: Sequence[Fulfilment], context: Context
) -> tuple[OrderLine, ...]:
    refunded = _units(line for refund in refunds for line in refund.lines)
    shipped = _units(line for shipment in fulfilments if shipment.counts_as_shipped for line in shipment.lines)
    lines = []
    for index, given in _goods(payload):
        line = _line(given, context, f"line_items.{index}", refunded[id_of(given)])
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
    return ((index, line) for index, line in enumerate(payload.line_items) if not is_counted_tip(payload, line))


def is_counted_tip(payload: schemas.Order, line: schemas.LineItem) -> bool:
    return line.tip and (payload.total_tip_received is not None or payload.total_tip_received_set is not None)


def _open(line: OrderLine, given: schemas.LineItem, shipped: int) -> int:
    if given.fulfillable_quantity is None:
        return max(0, line.current_quantity - shipped)
    return max(0, min(given.fulfillable_quantity, line.current_quantity))


def _line(line: schemas.LineItem, context: Context, path: str, refunded: int) -> OrderLine:
    price = context.stated(line.price_set, line.price, f"{path}.price")
    current = line.current_quantity
    return OrderLine(
        id=id_of(line),
        gid=line.admin_graphql_api_id if exact_id(line.admin_graphql_api_id) else None,
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
        taxes=taxes_of(line.tax_lines, context, f"{path}.tax_lines"),
        duties=duties_of(line.duties, context, f"{path}.duties"),
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


def shipping_line_of(line: schemas.ShippingLine, context: Context, index: int) -> ShippingLine:
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
        taxes=taxes_of(line.tax_lines, context, f"{path}.tax_lines"),
        removed=bool(line.is_removed),
    )


def application_of(application: schemas.DiscountApplication) -> DiscountApplication:
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


def taxes_of(taxes: Sequence[schemas.TaxLine], context: Context, path: str) -> tuple[TaxLine, ...]:
    return tuple(
        TaxLine(
            title=tax.title or "",
            rate=tax.rate,
            amount=context.stated(tax.price_set, tax.price, f"{path}.{index}.price"),
            channel_liable=tax.channel_liable,
        )
        for index, tax in enumerate(taxes)
    )


def duties_of(duties: Sequence[schemas.Duty], context: Context, path: str) -> tuple[Duty, ...]:
    return tuple(
        Duty(
            id=duty.id or str(index),
            amount=context.stated(duty, None, f"{path}.{index}"),
            harmonised_code=duty.harmonized_system_code,
            country_of_origin=duty.country_code_of_origin,
            taxes=taxes_of(duty.tax_lines, context, f"{path}.{index}.tax_lines"),
        )
        for index, duty in enumerate(duties)
    )


def fees_of(payload: schemas.Order, context: Context) -> tuple[Fee, ...]:
    """Itemised where the body does so; otherwise one fee of the stated sum."""
    itemised = tuple(
        Fee(
            id=fee.id or str(index),
            title=fee.name or "",
            amount=context.stated(fee.price_set, None, f"additional_fees.{index}.price"),
            taxes=taxes_of(fee.tax_lines, context, f"additional_fees.{index}.tax_lines"),
        )
        for index, fee in enumerate(payload.additional_fees)
    )
    total = context.or_zero(payload.original_total_additional_fees_set, None, "original_total_additional_fees_set")
    if itemised or not total:
        return itemised
    return (Fee(id="additional_fees", title="Additional fees", amount=total),)
