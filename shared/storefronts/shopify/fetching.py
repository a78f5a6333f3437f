"""Whole resources of one state, and lists of what changed, through the Admin GraphQL API.

Every function raises as `AdminApi.ask`.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.kernel.errors import Retry
from shared.storefronts.shopify.graphql import AdminApi, Node
from shared.storefronts.shopify.resource import Resource

SEARCH_LAG: Final = timedelta(minutes=10)
"""Shopify's search follows its shops with a delay: a list begins that much earlier."""


def fetch_whole(api: AdminApi, resource: Resource, gid: str, changed: str | None = None) -> Node | None:
    """The resource with every page of its connections, all of one state of what it is a part of; None where the shop
    has no such thing.

    Raises:
        Retry: `order_changed`, `customer_changed` when that changed since `changed`, or between two pages.
    """
    found = found_in(api, resource.document, {"id": gid})
    if found is None:
        return None
    state = _same_state(found, changed, resource)
    for connection in resource.connections:
        page = found[connection.name]
        nodes = list(page["nodes"])
        while page["pageInfo"]["hasNextPage"]:
            variables: dict[str, str | None] = {"id": gid, "after": page["pageInfo"]["endCursor"]}
            following = found_in(api, resource.next_page(connection), variables)
            if following is None:
                raise changed_meanwhile(resource.of)
            _same_state(following, state, resource)
            page = following[connection.name]
            nodes += page["nodes"]
        found[connection.name] = nodes
    return found


def found_in(api: AdminApi, document: str, variables: Mapping[str, str | None]) -> Node | None:
    """The answer to one query: the object under `found`."""
    data = api.ask(document, variables)
    if "found" not in data:
        raise Retry("storefront_failed", "the shop's answer holds no data")
    found = data["found"]
    return found if isinstance(found, dict) else None


def changed_meanwhile(what: str) -> Retry:
    return Retry(f"{what}_changed", f"the {what} changed while it was read")


def in_search(moment: datetime) -> str:
    """A time as Shopify's search takes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def canonical(body: Node) -> bytes:
    """The same body gives the same bytes, whatever the order of the answer's keys."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8")


def _same_state(found: Node, changed: str | None, resource: Resource) -> str:
    """The time of change, of its own or of what it is a part of, which must not move while the pages are read."""
    state: str = (found if "updated_at" in found else found["state"])["updated_at"]
    if changed is not None and state != changed:
        raise changed_meanwhile(resource.of)
    return state
