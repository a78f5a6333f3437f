"""The documents with which an order's shipments are read and told through the Admin GraphQL API.

Page sizes keep each question below the 1,000 points that Shopify grants one: an object costs a point, a connection
two and its items. What is longer than a page is asked for by further documents.
Source of the names: Shopify's published Admin schema 2026-10; a contract test checks every document against it.
"""

from collections.abc import Mapping
from typing import Final

FULFILMENT_ORDERS_PAGE: Final = 10
FIRST_LINES: Final = 25
"""Lines read with each fulfilment order; the rest of them come in pages of their own."""
LINES_PAGE: Final = 150
EVENTS_PAGE: Final = 100

_OPEN_LINES = """pageInfo { hasNextPage endCursor }
        nodes { id remainingQuantity line: lineItem { id } }"""

ORDER: Final = f"""query OrderToShip($id: ID!, $after: String) {{
  order(id: $id) {{
    cancelledAt
    closed
    fulfillments {{ id status displayStatus trackingInfo {{ company number url }} }}
    fulfillmentOrders(first: {FULFILMENT_ORDERS_PAGE}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id
        status
        deliveryMethod {{ methodType }}
        assignedLocation {{ location {{ id }} }}
        lineItems(first: {FIRST_LINES}) {{ {_OPEN_LINES} }}
      }}
    }}
  }}
}}"""

OPEN_LINES: Final = f"""query OpenLines($id: ID!, $after: String) {{
  found: fulfillmentOrder(id: $id) {{ page: lineItems(first: {LINES_PAGE}, after: $after) {{ {_OPEN_LINES} }} }}
}}"""

SHIPPED_LINES: Final = f"""query ShippedLines($id: ID!, $after: String) {{
  found: fulfillment(id: $id) {{ page: fulfillmentLineItems(first: {LINES_PAGE}, after: $after) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ quantity line: lineItem {{ id }} }}
  }} }}
}}"""

EVENTS: Final = f"""query Events($id: ID!, $after: String) {{
  found: fulfillment(id: $id) {{ page: events(first: {EVENTS_PAGE}, after: $after) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ status }}
  }} }}
}}"""

STATE: Final = "query OrderState($id: ID!) { order(id: $id) { cancelledAt closed } }"

CREATE: Final = """mutation Ship($fulfillment: FulfillmentInput!) {
  result: fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}"""

TRACK: Final = """mutation Track($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean!) {
  result: fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) {
    userErrors { field message }
  }
}"""

DELIVERED: Final = """mutation Delivered($id: ID!, $at: DateTime!) {
  result: fulfillmentEventCreate(fulfillmentEvent: { fulfillmentId: $id, status: DELIVERED, happenedAt: $at }) {
    userErrors { field message }
  }
}"""

CANCEL: Final = """mutation Cancel($id: ID!, $note: String!) {
  result: orderCancel(
    orderId: $id
    reason: OTHER
    restock: false
    refundMethod: { originalPaymentMethodsRefund: false }
    notifyCustomer: false
    staffNote: $note
  ) { userErrors: orderCancelUserErrors { code field message } }
}"""

CLOSE: Final = """mutation Close($id: ID!) {
  result: orderClose(input: { id: $id }) { userErrors { field message } }
}"""

DOCUMENTS: Final[Mapping[str, str]] = {
    "order": ORDER,
    "open_lines": OPEN_LINES,
    "shipped_lines": SHIPPED_LINES,
    "events": EVENTS,
    "state": STATE,
    "create": CREATE,
    "track": TRACK,
    "delivered": DELIVERED,
    "cancel": CANCEL,
    "close": CLOSE,
}
"""Every document that fulfilment sends, by what it asks for."""
