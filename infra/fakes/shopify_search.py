"""How a Shopify shop that is not there lists what changed: by the time of the last change, within a period."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from infra.fakes.shopify_resolution import page_info

Json = dict[str, Any]

_PERIOD: Final = re.compile(r"updated_at:>='([^']+)' AND updated_at:<='([^']+)'")
_BEGIN: Final = re.compile(r"updated_at:>='([^']+)'")
_ORDER: Final = "gid://shopify/Order/"


class _Listed(NamedTuple):
    changed: datetime
    number: str
    node: Json

    @property
    def place(self) -> str:
        return f"{self.changed.isoformat()}/{self.number:>020}"


def orders_changed(objects: Mapping[str, Json], arguments: Mapping[str, Any]) -> Json:
    """One page. A cursor names an order and its time of change, so that what changes meanwhile moves nobody else.

    Raises:
        ValueError: for any other order or search than the one that Storebridge asks for.
    """
    since, until = (datetime.fromisoformat(edge) for edge in _searched(_PERIOD, arguments))
    listed = (
        _Listed(_second(order["updated_at"]), str(order["id"]), order)
        for gid, order in objects.items()
        if gid.startswith(_ORDER)
    )
    return _page([each for each in listed if since <= each.changed <= until], arguments)


def customers_changed(nodes: Iterable[Json], arguments: Mapping[str, Any]) -> Json:
    """One page of customers, given in GraphQL's names. They are searched by whole days.

    Raises:
        ValueError: as :func:`orders_changed`.
    """
    (begin,) = _searched(_BEGIN, arguments)
    since = datetime.fromisoformat(begin).replace(hour=0, minute=0, second=0)
    listed = (_Listed(_second(node["updatedAt"]), node["id"].rpartition("/")[2], node) for node in nodes)
    return _page([each for each in listed if since <= each.changed], arguments)


def _searched(form: re.Pattern[str], arguments: Mapping[str, Any]) -> tuple[str, ...]:
    found = form.fullmatch(arguments.get("query") or "")
    if found is None or arguments.get("sortKey") != "UPDATED_AT":
        raise ValueError("the fake shop lists by the time of the last change only")
    return found.groups()


def _page(found: Sequence[_Listed], arguments: Mapping[str, Any]) -> Json:
    after = arguments.get("after") or ""
    following = [each for each in sorted(found, key=lambda each: each.place) if each.place > after]
    shown = following[: arguments["first"]]
    places = [each.place for each in shown]
    return {
        "nodes": [each.node for each in shown],
        "edges": [{"node": each.node, "cursor": each.place} for each in shown],
        "pageInfo": page_info(places, before=bool(after), after=len(following) > len(shown)),
    }


def _second(moment: str) -> datetime:
    """To the second: Shopify's search knows no less."""
    return datetime.fromisoformat(moment).replace(microsecond=0)
