"""How an order is asked for through the Admin GraphQL API, and how the answer gets the webhook's shape.

Aliases give the answer the names that webhooks use; :func:`webhook_shape` does what aliases cannot. So one mapping
reads both, and what a webhook and a fetch say of the same order can be compared.

Page sizes keep each document below the 1,000 points that Shopify grants one query. Connections are paged to their
end; `transactions`, `refunds`, `fulfillments` and the lists inside a line are no connections and come whole.
Source of the names: Shopify's published Admin schema 2026-10; a contract test checks every document against it.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.storefronts.shopify.graphql import Node
from shared.storefronts.shopify.resource import PLACE, Connection, Resource

_FRAGMENTS: Final = {
    "Bag": """fragment Bag on MoneyBag {
  shop_money: shopMoney { amount currency_code: currencyCode }
  presentment_money: presentmentMoney { amount currency_code: currencyCode }
}""",
    "Tax": """fragment Tax on TaxLine {
  title
  rate
  channel_liable: channelLiable
  price_set: priceSet { ...Bag }
}""",
    "Allocation": """fragment Allocation on DiscountAllocation {
  amount_set: allocatedAmountSet { ...Bag }
  application: discountApplication { index }
}""",
    "Fee": """fragment Fee on AdditionalFee {
  admin_graphql_api_id: id
  name
  price_set: price { ...Bag }
  tax_lines: taxLines { ...Tax }
}""",
    "Line": """fragment Line on LineItem {
  admin_graphql_api_id: id
  product_id: product { id }
  variant { id inventory: inventoryItem { tracked } }
  sku
  title
  variant_title: variantTitle
  vendor
  quantity
  current_quantity: currentQuantity
  fulfillable_quantity: unfulfilledQuantity
  price_set: originalUnitPriceSet { ...Bag }
  discount_allocations: discountAllocations { ...Allocation }
  tax_lines: taxLines { ...Tax }
  duties {
    admin_graphql_api_id: id
    harmonized_system_code: harmonizedSystemCode
    country_code_of_origin: countryCodeOfOrigin
    price { ...Bag }
    tax_lines: taxLines { ...Tax }
  }
  taxable
  gift_card: isGiftCard
  requires_shipping: requiresShipping
  properties: customAttributes { name: key value }
}""",
    "Shipping": """fragment Shipping on ShippingLine {
  admin_graphql_api_id: id
  title
  code
  carrier_identifier: carrierIdentifier
  price_set: originalPriceSet { ...Bag }
  discounted_price_set: discountedPriceSet { ...Bag }
  discount_allocations: discountAllocations { ...Allocation }
  tax_lines: taxLines { ...Tax }
  is_removed: isRemoved
}""",
    "Discount": """fragment Discount on DiscountApplication {
  type: __typename
  target_type: targetType
  target_selection: targetSelection
  allocation_method: allocationMethod
  value { ... on MoneyV2 { amount } ... on PricingPercentageValue { percentage } }
  ... on DiscountCodeApplication { code }
  ... on AutomaticDiscountApplication { title }
  ... on ManualDiscountApplication { title description }
  ... on ScriptDiscountApplication { title }
}""",
    "Payment": """fragment Payment on OrderTransaction {
  admin_graphql_api_id: id
  parent_id: parentTransaction { id }
  kind
  status
  gateway
  account: accountNumber
  amount_set: amountSet { ...Bag }
  test
  created_at: createdAt
  processed_at: processedAt
}""",
    "RefundedLine": """fragment RefundedLine on RefundLineItem {
  line_item: lineItem { admin_graphql_api_id: id }
  quantity
  restock_type: restockType
  location_id: location { id }
  subtotal_set: subtotalSet { ...Bag }
  total_tax_set: totalTaxSet { ...Bag }
}""",
    "Adjustment": """fragment Adjustment on OrderAdjustment {
  reason
  amount_set: amountSet { ...Bag }
  tax_amount_set: taxAmountSet { ...Bag }
}""",
    "RefundedShipping": """fragment RefundedShipping on RefundShippingLine {
  subtotal_amount_set: subtotalAmountSet { ...Bag }
  tax_amount_set: taxAmountSet { ...Bag }
}""",
    "ShippedLine": """fragment ShippedLine on FulfillmentLineItem {
  quantity
  line: lineItem { admin_graphql_api_id: id }
}""",
    "Place": PLACE,
}

_UPDATED = "updated_at: updatedAt"
_OF_ORDER = "state: order { updated_at: updatedAt }"

ORDER = Resource(
    field="order",
    of="order",
    fragments=_FRAGMENTS,
    state=_UPDATED,
    selection="""admin_graphql_api_id: id
  name
  created_at: createdAt
  updated_at: updatedAt
  processed_at: processedAt
  cancelled_at: cancelledAt
  cancel_reason: cancelReason
  closed_at: closedAt
  source_name: sourceName
  test
  confirmed
  tags
  financial_status: displayFinancialStatus
  fulfillment_status: displayFulfillmentStatus
  payment_gateway_names: paymentGatewayNames
  currency: currencyCode
  presentment_currency: presentmentCurrencyCode
  taxes_included: taxesIncluded
  duties_included: dutiesIncluded
  estimated_taxes: estimatedTaxes
  tax_exempt: taxExempt
  discount_codes: discountCodes
  po_number: poNumber
  confirmation_number: confirmationNumber
  tax_lines: taxLines { ...Tax }
  additional_fees: additionalFees { ...Fee }
  risk { recommendation }
  subtotal_price_set: subtotalPriceSet { ...Bag }
  total_discounts_set: totalDiscountsSet { ...Bag }
  total_shipping_price_set: totalShippingPriceSet { ...Bag }
  total_tax_set: totalTaxSet { ...Bag }
  total_tip_received_set: totalTipReceivedSet { ...Bag }
  total_price_set: totalPriceSet { ...Bag }
  total_outstanding_set: totalOutstandingSet { ...Bag }
  original_total_duties_set: originalTotalDutiesSet { ...Bag }
  original_total_additional_fees_set: originalTotalAdditionalFeesSet { ...Bag }
  current_subtotal_price_set: currentSubtotalPriceSet { ...Bag }
  current_total_discounts_set: currentTotalDiscountsSet { ...Bag }
  current_total_tax_set: currentTotalTaxSet { ...Bag }
  current_total_price_set: currentTotalPriceSet { ...Bag }
  current_total_duties_set: currentTotalDutiesSet { ...Bag }
  current_total_additional_fees_set: currentTotalAdditionalFeesSet { ...Bag }
  rounding: totalCashRoundingAdjustment { payment: paymentSet { ...Bag } refund: refundSet { ...Bag } }
  email
  phone
  buyer_accepts_marketing: customerAcceptsMarketing
  customer_locale: customerLocale
  browser_ip: clientIp
  note
  note_attributes: customAttributes { name: key value }
  customer {
    admin_graphql_api_id: id
    first_name: firstName
    last_name: lastName
    email: defaultEmailAddress { text: emailAddress }
    phone: defaultPhoneNumber { text: phoneNumber }
  }
  billing_address: billingAddress { ...Place }
  shipping_address: shippingAddress { ...Place }
  transactions { ...Payment }
  refunds { id }
  fulfillments { id }""",
    connections=(
        Connection("line_items", "lineItems", "Line", 20),
        Connection("shipping_lines", "shippingLines", "Shipping", 5, "includeRemovals: true"),
        Connection("discount_applications", "discountApplications", "Discount", 25),
    ),
)
REFUND = Resource(
    field="refund",
    of="order",
    fragments=_FRAGMENTS,
    state=_OF_ORDER,
    selection=f"""{_OF_ORDER}
  admin_graphql_api_id: id
  created_at: createdAt
  note
  duties {{ original: originalDuty {{ id }} amount_set: amountSet {{ ...Bag }} }}""",
    connections=(
        Connection("refund_line_items", "refundLineItems", "RefundedLine", 40),
        Connection("order_adjustments", "orderAdjustments", "Adjustment", 10),
        Connection("refund_shipping_lines", "refundShippingLines", "RefundedShipping", 10),
        Connection("transactions", "transactions", "Payment", 20),
    ),
)
FULFILMENT = Resource(
    field="fulfillment",
    of="order",
    fragments=_FRAGMENTS,
    state=_OF_ORDER,
    selection=f"""{_OF_ORDER}
  admin_graphql_api_id: id
  status
  shipment_status: displayStatus
  created_at: createdAt
  location_id: location {{ id }}
  tracking: trackingInfo {{ company number url }}""",
    connections=(Connection("line_items", "fulfillmentLineItems", "ShippedLine", 100),),
)
CHANGED_ORDERS: Final = """query ChangedOrders($query: String!, $after: String) {
  found: orders(first: 50, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { admin_graphql_api_id: id updated_at: updatedAt created_at: createdAt }
    pageInfo { hasNextPage endCursor }
  }
}"""
"""The orders that a search finds, by id and times, oldest change first."""

DOCUMENTS: Final[Mapping[str, str]] = {
    "changed_orders": CHANGED_ORDERS,
} | {
    name: text
    for resource in (ORDER, REFUND, FULFILMENT)
    for name, text in (
        (resource.field, resource.document),
        *((f"{resource.field}.{item.name}", resource.next_page(item)) for item in resource.connections),
    )
}
"""Every document that this package sends, by what it asks for."""


# From the answer to the webhook's shape

_ENUMS = frozenset(
    {
        *("financial_status", "cancel_reason", "kind", "status", "restock_type", "reason"),
        *("target_type", "target_selection", "allocation_method", "shipment_status"),
    }
)
_STATUS_WORDS = {"unfulfilled": None, "partially_fulfilled": "partial"}
"""Where webhooks have another word for the fulfilment status."""
_NO_SHIPMENT_WORDS = frozenset({"fulfilled", "submitted", "marked_as_fulfilled"})
"""Display states that say nothing of the parcel; webhooks leave the shipment status null."""
_DISCOUNT_TYPES = {
    "DiscountCodeApplication": "discount_code",
    "AutomaticDiscountApplication": "automatic",
    "ManualDiscountApplication": "manual",
    "ScriptDiscountApplication": "script",
}


def webhook_shape(order: Node) -> Node:
    """The order, with all pages, refunds and fulfilments filled in, as a webhook would state it."""
    shaped: Node = _plain(order)
    rounding = shaped.pop("rounding", None) or {}
    return {
        **shaped,
        "fulfillment_status": _fulfilment_status(shaped.get("fulfillment_status")),
        "discount_codes": [{"code": code} for code in shaped.get("discount_codes") or ()],
        "total_cash_rounding_payment_adjustment_set": rounding.get("payment"),
        "total_cash_rounding_refund_adjustment_set": rounding.get("refund"),
        "customer": _customer(shaped.get("customer")),
        "line_items": [_line(line) for line in shaped["line_items"]],
        "shipping_lines": [_with_indexes(line) for line in shaped["shipping_lines"]],
        "discount_applications": [_discount(item) for item in shaped["discount_applications"]],
        "transactions": [_payment(item) for item in shaped["transactions"]],
        "refunds": [_refund(item) for item in shaped["refunds"]],
        "fulfillments": [_fulfilment(item) for item in shaped["fulfillments"]],
    }


def _plain(value: Any, name: str = "") -> Any:
    """Without GraphQL's ways: numeric ids beside global ones, `{id}` as the id itself, enums in lower case."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and name in _ENUMS:
        return value.lower()
    if not isinstance(value, dict):
        return value
    if set(value) == {"id"}:
        return _numeric(value["id"])
    plain = {key: _plain(item, key) for key, item in value.items()}
    if plain.get("admin_graphql_api_id"):
        plain["id"] = _numeric(plain["admin_graphql_api_id"])
    return plain


def _numeric(gid: str) -> str:
    return gid.rpartition("/")[2].partition("?")[0]


def _fulfilment_status(word: str | None) -> str | None:
    lower = (word or "").lower()
    return _STATUS_WORDS.get(lower, lower or None)


def _customer(customer: Node | None) -> Node | None:
    if customer is None:
        return None
    return {**customer, **{key: (customer.get(key) or {}).get("text") for key in ("email", "phone")}}


def _line(line: Node) -> Node:
    variant = line.pop("variant", None)
    tracked = bool(variant and (variant.get("inventory") or {}).get("tracked"))
    return {
        **_with_indexes(line),
        "variant_id": _numeric(variant["id"]) if variant else None,
        "variant_inventory_management": "shopify" if tracked else None,
        "duties": [{**duty, **(duty.pop("price", None) or {})} for duty in line.get("duties") or ()],
    }


def _with_indexes(line: Node) -> Node:
    """Allocations name their discount by its index, as in a webhook."""
    allocations = [
        {"amount_set": item["amount_set"], "discount_application_index": item["application"]["index"]}
        for item in line.get("discount_allocations") or ()
    ]
    return {**line, "discount_allocations": allocations}


def _discount(application: Node) -> Node:
    value = application.get("value") or {}
    percentage = value.get("percentage")
    return {
        **application,
        "type": _DISCOUNT_TYPES.get(application["type"], application["type"]),
        "value": value.get("amount") if percentage is None else percentage,
        "value_type": "fixed_amount" if percentage is None else "percentage",
    }


def _payment(transaction: Node) -> Node:
    """A webhook states what moved at the gateway: the buyer's currency."""
    account = transaction.pop("account", None)
    moved = transaction["amount_set"]["presentment_money"]
    receipt = {"gift_card_last_characters": account[-4:]} if account and transaction["gateway"] == "gift_card" else {}
    return {**transaction, "amount": moved["amount"], "currency": moved["currency_code"], "receipt": receipt}


def _refund(refund: Node) -> Node:
    refund.pop("state", None)
    return {
        **refund,
        "refund_line_items": [
            {**line, "line_item_id": line["line_item"]["id"]} for line in refund["refund_line_items"]
        ],
        "order_adjustments": [{**item, "kind": "refund_discrepancy"} for item in refund["order_adjustments"]],
        "duties": [_refunded_duty(duty) for duty in refund.get("duties") or ()],
        "transactions": [_payment(item) for item in refund["transactions"]],
    }


def _refunded_duty(duty: Node) -> Node:
    return {"duty_id": duty.get("original"), "amount_set": duty["amount_set"]}


def _fulfilment(fulfilment: Node) -> Node:
    fulfilment.pop("state", None)
    tracking = fulfilment.pop("tracking", None) or []
    shipment = fulfilment.get("shipment_status")
    return {
        **fulfilment,
        "shipment_status": None if shipment in _NO_SHIPMENT_WORDS else shipment,
        "line_items": [{**item["line"], "quantity": item["quantity"]} for item in fulfilment["line_items"]],
        "tracking_company": tracking[0].get("company") if tracking else None,
        "tracking_companies": [item.get("company") for item in tracking],
        "tracking_numbers": [item.get("number") for item in tracking],
        "tracking_urls": [item.get("url") for item in tracking],
    }
