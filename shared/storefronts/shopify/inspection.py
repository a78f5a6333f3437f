"""What a Shopify shop says of itself, and which scopes its merchant granted to our app.

Source: shopify.dev, "Shopify API access scopes" (a write scope holds its read scope), `AppInstallation.accessScopes`,
`Shop`, `Location`, and the published Admin schema 2026-10.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import httpx
from pydantic import Field

from shared.kernel.answers import misfits_are
from shared.kernel.money import CurrencyCode
from shared.storefronts.http import odd_answer
from shared.storefronts.lenient import Lenient, read
from shared.storefronts.port import Credentials, Need, ShopFacts, ShopLocation, ShopRight
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi

LOCATIONS_PAGE: Final = 100
"""More locations than a plan below Plus has; of the rest nothing is said."""

SHOP: Final = """query Shop {
  currentAppInstallation { accessScopes { handle } }
  shop { name currencyCode taxesIncluded }
}"""

LOCATIONS: Final = f"""query Locations {{
  locations(first: {LOCATIONS_PAGE}, includeInactive: true) {{ nodes {{ id name isActive }} }}
}}"""

DOCUMENTS: Final[Mapping[str, str]] = {"shop": SHOP, "locations": LOCATIONS}
"""Every document that an inspection sends, by what it asks for."""

NEEDED: Final[Mapping[str, tuple[Need, ...]]] = {
    "read_orders": (Need.ORDERS, Need.FULFILMENT),
    "read_customers": (Need.ORDERS, Need.CUSTOMERS),
    "write_customers": (Need.CUSTOMERS,),
    "read_customer_merge": (Need.CUSTOMERS,),
    "read_products": (Need.ORDERS, Need.STOCK),
    "read_inventory": (Need.ORDERS, Need.STOCK),
    "read_fulfillments": (Need.ORDERS, Need.FULFILMENT),
    "read_locations": (Need.ORDERS, Need.STOCK),
    "write_inventory": (Need.STOCK,),
    "write_orders": (Need.FULFILMENT,),
    "write_fulfillments": (Need.FULFILMENT,),
    "read_merchant_managed_fulfillment_orders": (Need.FULFILMENT,),
    "write_merchant_managed_fulfillment_orders": (Need.FULFILMENT,),
    "read_all_orders": (),
}
"""Scopes by what they are needed for; webhooks need no more than reading does, but for those about merges."""
_WITHOUT: Final = {"read_all_orders": "orders older than 60 days cannot be read"}
_READS_LOCATIONS: Final = frozenset({"read_locations", "write_locations"})


class _Scope(Lenient):
    handle: str


class _Installation(Lenient):
    scopes: Annotated[tuple[_Scope, ...], Field(alias="accessScopes")]


class _Shop(Lenient):
    name: str | None = None
    currency: Annotated[CurrencyCode, Field(alias="currencyCode")]
    taxes_included: Annotated[bool, Field(alias="taxesIncluded")]


class _About(Lenient):
    installation: Annotated[_Installation, Field(alias="currentAppInstallation")]
    shop: _Shop


class _Location(Lenient):
    id: str
    name: str
    active: Annotated[bool, Field(alias="isActive")]


class _Nodes(Lenient):
    nodes: tuple[_Location, ...]


class _Locations(Lenient):
    locations: _Nodes


@misfits_are(odd_answer)
class ShopifyInspection:
    """An `Inspection`. `address` is the shop's own (`name.myshopify.com`)."""

    def __init__(
        self, address: str, credentials: Credentials, http: httpx.Client, api_version: str = API_VERSION
    ) -> None:
        self._api = AdminApi(address, credentials, http, api_version, scopes=", ".join(NEEDED))

    def facts(self) -> ShopFacts:
        about = read(_About, self._api.ask(SHOP, {}))
        granted = frozenset(scope.handle for scope in about.installation.scopes)
        return ShopFacts(
            name=about.shop.name,
            currency=about.shop.currency,
            prices_include_tax=about.shop.taxes_included,
            rights=tuple(_rights(granted)),
            locations=self._locations() if granted & _READS_LOCATIONS else None,
        )

    def _locations(self) -> tuple[ShopLocation, ...]:
        found = read(_Locations, self._api.ask(LOCATIONS, {})).locations.nodes
        return tuple(ShopLocation(id=one.id.rpartition("/")[2], name=one.name, active=one.active) for one in found)


def _rights(granted: frozenset[str]) -> Iterator[ShopRight]:
    for scope, needs in NEEDED.items():
        holds = scope in granted or scope.replace("read_", "write_", 1) in granted
        yield ShopRight(what=scope, needs=needs, granted=holds, without=_WITHOUT.get(scope, ""))
