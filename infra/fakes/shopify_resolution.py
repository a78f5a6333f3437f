"""How the fake shop's objects answer the fields of Shopify's schema.

Orders are kept in the webhook's REST shape, whose names differ from GraphQL's by little more than their case. What an
object does not say is null where the schema allows it, and otherwise the type's own nothing: no text, zero, an empty
list.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_named_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_scalar_type,
)

from infra.fakes.shopify_inventory import Item

Json = dict[str, Any]

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_RENAMED: Final[Mapping[tuple[str, str], str]] = {
    ("Customer", "defaultEmailAddress"): "email",
    ("Customer", "defaultPhoneNumber"): "phone",
    ("Fulfillment", "displayStatus"): "shipment_status",
    ("Fulfillment", "fulfillmentLineItems"): "line_items",
    ("LineItem", "customAttributes"): "properties",
    ("LineItem", "isGiftCard"): "gift_card",
    ("LineItem", "originalUnitPriceSet"): "price_set",
    ("LineItem", "unfulfilledQuantity"): "fulfillable_quantity",
    ("MailingAddress", "countryCodeV2"): "country_code",
    ("Order", "clientIp"): "browser_ip",
    ("Order", "currencyCode"): "currency",
    ("Order", "customAttributes"): "note_attributes",
    ("Order", "customerAcceptsMarketing"): "buyer_accepts_marketing",
    ("Order", "displayFinancialStatus"): "financial_status",
    ("Order", "displayFulfillmentStatus"): "fulfillment_status",
    ("Order", "presentmentCurrencyCode"): "presentment_currency",
    ("ShippingLine", "originalPriceSet"): "price_set",
}
_NOTHING: Final[Mapping[str, Any]] = {
    "Boolean": False,
    "DateTime": "1970-01-01T00:00:00Z",
    "Decimal": "0.0",
    "Float": 0.0,
    "ID": "gid://shopify/Nothing/0",
    "Int": 0,
    "Money": "0.0",
    "UnsignedInt64": "0",
}
_WORDS: Final[Mapping[tuple[str, Any], str]] = {
    ("OrderDisplayFulfillmentStatus", None): "UNFULFILLED",
    ("OrderDisplayFulfillmentStatus", "partial"): "PARTIALLY_FULFILLED",
}
"""Where GraphQL has another word than the webhook."""
MADE_UP_CURRENCY: Final = "EUR"
_GID: Final = "gid://shopify/"


def type_of(source: Any, info: GraphQLResolveInfo[Any], abstract: Any) -> str:
    """The name of an object's own type, for an interface or a union."""
    if isinstance(source, Item):
        return "InventoryItem"
    stated: str = (
        source.get("__typename") or str(source.get("admin_graphql_api_id")).removeprefix(_GID).partition("/")[0]
    )
    return stated if stated in info.schema.type_map else info.schema.get_possible_types(abstract)[0].name


def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """A field of an inventory item, or of an object in the webhook's shape; a list may be made by the arguments."""
    value = _item_field(source, info.field_name, arguments) if isinstance(source, Item) else _stated(source, info)
    if callable(value):
        value = value(**arguments)
    return _fitted(value, info.return_type, arguments)


def _item_field(item: Item, name: str, arguments: Mapping[str, Any]) -> Any:
    if name == "id":
        return item.gid
    if name == "inventoryLevel":
        return level(item, arguments["locationId"])
    return {"sku": item.sku, "tracked": item.tracked, "legacyResourceId": item.number}.get(name)


def level(item: Item, location: str) -> Json | None:
    available = item.available.get(location)
    if available is None:
        return None
    return {
        "__typename": "InventoryLevel",
        "id": f"gid://shopify/InventoryLevel/{location.rpartition('/')[2]}?inventory_item_id={item.number}",
        "isActive": True,
        "item": item,
        "location": {"__typename": "Location", "id": location},
        "quantities": [{"__typename": "InventoryQuantity", "name": "available", "quantity": available}],
    }


def _stated(source: Any, info: GraphQLResolveInfo[Any]) -> Any:
    """What the object says under GraphQL's name, the webhook's name, or the same name in snake case."""
    if not isinstance(source, dict):
        return None
    name = info.field_name
    if name in source and not (name == "id" and "admin_graphql_api_id" in source):
        return source[name]
    if name == "id":
        return source.get("admin_graphql_api_id")
    derived = _DERIVED.get((info.parent_type.name, name))
    if derived is not None:
        return derived(source)
    renamed = _RENAMED.get((info.parent_type.name, name)) or _CAPITAL.sub(r"_\1", name).lower()
    return source.get(renamed)


def _tracking(fulfilment: Json) -> list[Json]:
    """Webhooks have a list of numbers and one of addresses, which belong together by their place."""
    pairs = zip_longest(fulfilment.get("tracking_numbers") or (), fulfilment.get("tracking_urls") or ())
    company = fulfilment.get("tracking_company")
    return [
        {"__typename": "FulfillmentTrackingInfo", "company": company, "number": number, "url": url}
        for number, url in pairs
    ]


def _location(fulfilment: Json) -> Json | None:
    number = fulfilment.get("location_id")
    return {"__typename": "Location", "id": f"{_GID}Location/{number}"} if number else None


_DERIVED: Final[Mapping[tuple[str, str], Callable[[Json], Any]]] = {
    ("Fulfillment", "location"): _location,
    ("Fulfillment", "trackingInfo"): _tracking,
    ("FulfillmentLineItem", "lineItem"): lambda line: line,
    ("Order", "closed"): lambda order: bool(order.get("closed_at")),
}
"""What GraphQL tells in another shape than the webhook."""


def _fitted(value: Any, wanted: GraphQLOutputType, arguments: Mapping[str, Any]) -> Any:
    """The value as its type wants it: pages for connections, words for enums, nothing for what must not be null."""
    named = get_named_type(wanted)
    if named.name.endswith("Connection"):
        return page(value or [], arguments)
    if isinstance(named, GraphQLEnumType):
        value = _word(named, value)
    if value is None and is_non_null_type(wanted):
        return _nothing(wanted.of_type)
    if is_list_type(getattr(wanted, "of_type", wanted)):
        return [] if value in (None, "") else value
    return _wrapped(value, named)


def _word(wanted: GraphQLEnumType, value: Any) -> Any:
    if (wanted.name, value) in _WORDS:
        return _WORDS[wanted.name, value]
    return value.upper() if isinstance(value, str) else value


def _wrapped(value: Any, named: Any) -> Any:
    """An object for a webhook's plain text, such as a customer's address for mail."""
    if isinstance(value, str) and is_object_type(named):
        return {"__typename": named.name, "email_address": value, "phone_number": value}
    return value


def _nothing(wanted: GraphQLOutputType) -> Any:
    if is_list_type(wanted):
        return []
    if is_scalar_type(wanted):
        return _NOTHING.get(wanted.name, "")
    if is_enum_type(wanted):
        return MADE_UP_CURRENCY if wanted.name == "CurrencyCode" else next(iter(wanted.values))
    return {"__typename": wanted.name} if is_object_type(wanted) else {}


def page(found: Sequence[Any], arguments: Mapping[str, Any]) -> Json:
    """A page of a list whose order does not change; a cursor is the place of the item that it follows."""
    start = int(arguments.get("after") or 0)
    end = min(start + int(arguments.get("first") or len(found)), len(found))
    cursors = [str(place + 1) for place in range(start, end)]
    return {
        "nodes": list(found[start:end]),
        "edges": [{"node": node, "cursor": cursor} for node, cursor in zip(found[start:end], cursors, strict=True)],
        "pageInfo": page_info(cursors, before=start > 0, after=end < len(found)),
    }


def page_info(cursors: Sequence[str], *, before: bool, after: bool) -> Json:
    return {
        "hasNextPage": after,
        "hasPreviousPage": before,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
