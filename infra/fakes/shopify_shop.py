"""What the Shopify shop that is not there says of itself: its currency, its locations, and our app's scopes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.fakes.shopify_resolution import page

Json = dict[str, Any]

ALL_SCOPES = frozenset(
    {
        *("write_customers", "read_customer_merge", "read_products", "read_locations", "read_all_orders"),
        *("write_inventory", "write_orders", "write_fulfillments", "write_merchant_managed_fulfillment_orders"),
    }
)
"""What our app asks for; a write scope holds its read scope, and is listed alone."""


@dataclass
class Profile:
    locations: dict[str, str]
    """Names by global id."""
    name: str = "Example Goods"
    currency: str = "EUR"
    taxes_included: bool = True
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    closed: set[str] = field(default_factory=set)
    """Global ids of locations that are switched off."""

    def roots(self) -> dict[str, Callable[..., Any]]:
        return {
            "currentAppInstallation": lambda _info: {
                "__typename": "AppInstallation",
                "access_scopes": [{"__typename": "AccessScope", "handle": scope} for scope in sorted(self.scopes)],
            },
            "locations": self._listed,
            "shop": lambda _info: {
                "__typename": "Shop",
                "name": self.name,
                "currency_code": self.currency,
                "taxes_included": self.taxes_included,
            },
        }

    def _listed(self, _info: Any, **arguments: Any) -> Json:
        found = [
            {"__typename": "Location", "id": one, "name": name, "is_active": one not in self.closed}
            for one, name in self.locations.items()
            if arguments.get("includeInactive") or one not in self.closed
        ]
        return page(found, arguments)
