"""The documents with which Shopify Payments are read through the Admin GraphQL API.

A movement costs eight points with its edge, a payout three: pages stay below the 1,000 points of one question.
Source of the names and of the filters: Shopify's published Admin schema 2026-10 (`ShopifyPaymentsAccount`); a test
checks every document against it. The app needs the scopes `read_shopify_payments_accounts` and
`read_shopify_payments_payouts` (shopify.dev, "Shopify API access scopes").
"""

from collections.abc import Mapping
from typing import Final

MOVEMENTS_PAGE: Final = 100
PAYOUTS_PAGE: Final = 100

MOVEMENTS: Final = f"""query Movements($query: String!, $after: String) {{
  account: shopifyPaymentsAccount {{
    movements: balanceTransactions(first: {MOVEMENTS_PAGE}, after: $after, query: $query, sortKey: PROCESSED_AT) {{
      pageInfo {{ hasNextPage endCursor }}
      edges {{ cursor node {{
        type
        sourceType
        sourceId
        sourceOrderTransactionId
        transactionDate
        test
        amount {{ amount currencyCode }}
        net {{ amount }}
        associatedOrder {{ id name }}
        associatedPayout {{ id }}
        adjustmentsOrders {{ name }}
      }} }}
    }}
  }}
}}"""

PAYOUTS: Final = f"""query Payouts($query: String!, $after: String) {{
  account: shopifyPaymentsAccount {{
    payouts(first: {PAYOUTS_PAGE}, after: $after, query: $query, sortKey: ISSUED_AT) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        legacyResourceId
        issuedAt
        status
        transactionType
        externalTraceId
        net {{ amount currencyCode }}
      }}
    }}
  }}
}}"""

PARENTS: Final = """query Parents($ids: [ID!]!) {
  found: nodes(ids: $ids) { ... on OrderTransaction { id parentTransaction { id } } }
}"""
"""Which charge a refund is of: its movement does not say. Needs `read_orders`, as reading orders does."""

BALANCE: Final = """query Balance {
  account: shopifyPaymentsAccount { balance { amount currencyCode } }
}"""

DOCUMENTS: Final[Mapping[str, str]] = {
    "movements": MOVEMENTS,
    "payouts": PAYOUTS,
    "parents": PARENTS,
    "balance": BALANCE,
}
"""Every document that is sent, by what it asks for."""
