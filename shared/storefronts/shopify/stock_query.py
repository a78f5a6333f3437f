"""The documents with which stock is read and written through the Admin GraphQL API.

Page sizes keep each question below the 1,000 points that Shopify grants one: an object costs a point, a connection
two and its items. Shopify has charged less for long pages since; what counts is what it says with each answer.
Source of the names: Shopify's published Admin schema 2026-10; a contract test checks every document against it.
"""

from collections.abc import Mapping
from typing import Final

MOST_ITEMS: Final = 250
"""What Shopify takes in one array of an input, as ids or as quantities."""
CATALOGUE_PAGE: Final = 199
"""Five points for each variant (its node, page info if that is counted, item, level, quantity), two for the page."""

_LEVEL = """id
    tracked
    inventoryLevel(locationId: $location) { quantities(names: ["available"]) { quantity } }"""

LEVELS: Final = f"""query Levels($ids: [ID!]!, $location: ID!) {{
  nodes(ids: $ids) {{ ... on InventoryItem {{
    {_LEVEL}
  }} }}
}}"""

CATALOGUE: Final = f"""query Catalogue($location: ID!, $after: String) {{
  productVariants(first: {CATALOGUE_PAGE}, after: $after, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ sku inventoryItem {{
    {_LEVEL}
    }} }}
  }}
}}"""

SET_LEVELS: Final = """mutation SetLevels($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code field } }
}"""

DOCUMENTS: Final[Mapping[str, str]] = {"levels": LEVELS, "catalogue": CATALOGUE, "set_levels": SET_LEVELS}
"""Every document that stock sends, by what it asks for."""
