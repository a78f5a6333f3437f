"""How a Shopify shop that is not there lists its orders: by the time of their last change, within a period."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from infra.fakes.shopify_resolution import page_info

Json = dict[str, Any]

_PERIOD: Final = re.compile(r"updated_at:>='([^']+)' AND updated_at:<='([^']+)'")
_GID: Final = "gid://shopify/Order/"


def orders_changed(objects: Mapping[str, Json], arguments: Mapping[str, Any]) -> Json:
    """One page. A cursor names an order and its time of change, so that what changes meanwhile moves nobody else.

    Raises:
        ValueError: for any other order or search than the one that Storebridge asks for.
    """
    period = _PERIOD.fullmatch(arguments.get("query") or "")
    if period is None or arguments.get("sortKey") != "UPDATED_AT":
        raise ValueError("the fake shop lists orders by the time of their last change only")
    since, until = (datetime.fromisoformat(edge) for edge in period.groups())
    orders = (order for gid, order in objects.items() if gid.startswith(_GID))
    listed = sorted((_place(order), order["id"]) for order in orders if since <= _changed(order) <= until)
    following = [number for place, number in listed if place > (arguments.get("after") or "")]
    shown = [objects[f"{_GID}{number}"] for number in following[: arguments["first"]]]
    return {
        "nodes": shown,
        "edges": [{"node": order, "cursor": _place(order)} for order in shown],
        "pageInfo": page_info(
            [_place(order) for order in shown],
            before=bool(arguments.get("after")),
            after=len(following) > len(shown),
        ),
    }


def _changed(order: Json) -> datetime:
    """To the second: Shopify's search knows no less."""
    return datetime.fromisoformat(order["updated_at"]).replace(microsecond=0)


def _place(order: Json) -> str:
    return f"{_changed(order).isoformat()}/{order['id']:>020}"
