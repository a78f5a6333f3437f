"""The webhooks of one WooCommerce shop, through its REST API: ours and everybody else's.

WooCommerce disables a webhook after its sixth failure in a row, and setting it active again keeps the count: the next
failure disables it anew. So one is mended by making another in its place. The secret is never told, and one that is
not sent is made up by the shop. Source: WooCommerce 10.0.2 as it was observed (see `infra/fakes/woocommerce_webhooks`),
and its REST API documentation, "Webhooks".
"""

import re
from http import HTTPStatus
from typing import Any, Final

import httpx

from shared.kernel.answers import misfits_are
from shared.kernel.errors import Rejected
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Credentials, Subscription, SubscriptionState
from shared.storefronts.woocommerce.rest import PAGE_SIZE, RestApi, error_code, json_body, require_ok, unexpected

ORDER_TOPICS: Final = ("order.created", "order.updated", "order.deleted", "order.restored")
CUSTOMER_TOPICS: Final = ("customer.created", "customer.updated", "customer.deleted")
"""For the endpoint for customers. An account that the shop's staff delete is announced only where its role is
`customer`. Source: `WC_Webhook::is_valid_user_action`."""

_NAME: Final = "Storebridge"
_ID: Final = re.compile(r"[1-9][0-9]{0,19}")
_GONE: Final = "woocommerce_rest_shop_webhook_invalid_id"
_MOST_PAGES: Final = 20
"""No shop has two thousand webhooks."""
_STATES: Final = {
    "active": SubscriptionState.ACTIVE,
    "paused": SubscriptionState.PAUSED,
    "disabled": SubscriptionState.DISABLED,
}


@misfits_are(odd_answer)
class WooCommerceSubscriptions:
    """A `SubscriptionDesk`. The REST key needs the permission to write."""

    def __init__(self, address: str, credentials: Credentials, http: httpx.Client) -> None:
        self._rest = RestApi(address, credentials, http)

    def list(self) -> tuple[Subscription, ...]:
        found: list[Subscription] = []
        for page in range(1, _MOST_PAGES + 1):
            params = {"per_page": str(PAGE_SIZE), "page": str(page), "orderby": "id", "order": "asc"}
            body = json_body(require_ok(self._rest.get("/webhooks", params)))
            if not isinstance(body, list):
                raise unexpected("the shop answers with something other than a list of webhooks")
            found += map(_subscription, body)
            if len(body) < PAGE_SIZE:
                break
        return tuple(found)

    def create(self, topic: str, url: str, secret: str) -> Subscription:
        wanted = {"name": f"{_NAME} {topic}", "topic": topic, "delivery_url": url, "secret": secret, "status": "active"}
        response = self._rest.post("/webhooks", wanted)
        if response.status_code == HTTPStatus.BAD_REQUEST:
            raise Rejected(
                "subscription_refused",
                f"the shop takes no webhook for {topic} ({error_code(response) or 'no code'})",
                field="subscriptions",
                hint="the endpoint must be a public URL over https",
            )
        created = response if response.status_code == HTTPStatus.CREATED else require_ok(response)
        return _subscription(json_body(created))

    def delete(self, subscription_id: str) -> None:
        """For good: webhooks know no bin."""
        if _ID.fullmatch(subscription_id) is None:
            raise Rejected("invalid_subscription_id", "a WooCommerce webhook's id is a positive number", field="id")
        response = self._rest.delete(f"/webhooks/{subscription_id}", {"force": "true"})
        if response.status_code == HTTPStatus.NOT_FOUND and error_code(response) == _GONE:
            return
        require_ok(response)


def _subscription(webhook: Any) -> Subscription:
    if not isinstance(webhook, dict) or _ID.fullmatch(str(webhook.get("id"))) is None:
        raise unexpected("the shop lists something other than webhooks")
    # A word that is new to us is no reason to make a webhook beside the one that there is.
    state = _STATES.get(str(webhook.get("status")), SubscriptionState.PAUSED)
    return Subscription(str(webhook["id"]), str(webhook.get("topic")), str(webhook.get("delivery_url")), state)
