"""The webhooks that our app has at one Shopify shop, through the Admin GraphQL API.

Shopify removes a subscription that was made by the API after its deliveries failed for long: a list that lacks it is
all that tells. Those of the app's configuration file (`shopify.app.toml`) are in no list, and neither are those of
other apps. All of them are signed with the app's client secret, so that there is none to choose.
Source: Shopify's published Admin schema 2026-10 (`webhookSubscriptions`, `webhookSubscriptionCreate`); shopify.dev,
"Troubleshooting webhooks".
"""

from collections.abc import Iterator, Mapping
from typing import Final

import httpx

from shared.kernel.answers import misfits_are
from shared.kernel.errors import Rejected, Retry
from shared.storefronts.http import odd_answer
from shared.storefronts.port import Credentials, Subscription
from shared.storefronts.shopify.graphql import API_VERSION, AdminApi, Node

ORDER_TOPICS: Final = ("orders/create", "orders/updated", "orders/delete")
"""Whatever else happens to an order is an `orders/updated` too."""
CUSTOMER_TOPICS: Final = (
    "customers/create",
    "customers/update",
    "customers/delete",
    "customers/merge",
    "customers/enable",
    "customers/disable",
    "customers_email_marketing_consent/update",
    "customers_marketing_consent/update",
)
"""Consents have topics of their own: since API version 2025-01 they are not in an account.

The topics for privacy (`customers/data_request`, `customers/redact`, `shop/redact`) are in no schema: only the app's
configuration file can subscribe to them.
"""

LIST: Final = """query Subscriptions($after: String) {
  found: webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri }
    pageInfo { hasNextPage endCursor }
  }
}"""

CREATE: Final = """mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  result: webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id }
    userErrors { field }
  }
}"""

DELETE: Final = """mutation Unsubscribe($id: ID!) {
  result: webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field } }
}"""

DOCUMENTS: Final[Mapping[str, str]] = {"list": LIST, "create": CREATE, "delete": DELETE}

_SCOPES: Final = "read_orders, read_customers, read_customer_merge"
_TOPIC_OF_NAME: Final = {topic.replace("/", "_").upper(): topic for topic in ORDER_TOPICS + CUSTOMER_TOPICS}


@misfits_are(odd_answer)
class ShopifySubscriptions:
    """A `SubscriptionDesk`. `address` is the shop's own (`name.myshopify.com`)."""

    def __init__(
        self, address: str, credentials: Credentials, http: httpx.Client, api_version: str = API_VERSION
    ) -> None:
        self._api = AdminApi(address, credentials, http, api_version, scopes=_SCOPES)

    def list(self) -> tuple[Subscription, ...]:
        """Every subscription that the app made by the API. Topics that are none of ours keep the schema's names."""
        return tuple(Subscription(node["id"], _topic(node["topic"]), node["uri"]) for node in self._nodes())

    def create(self, topic: str, url: str, secret: str) -> Subscription:  # noqa: ARG002 - the port's
        """Subscribe to a topic, or find that somebody just did: Shopify takes each topic and URL once."""
        name = topic.replace("/", "_").upper()
        result = self._write(CREATE, {"topic": name, "subscription": {"uri": url, "format": "JSON"}})
        made = result["webhookSubscription"]
        if made is not None:
            return Subscription(made["id"], topic, url)
        standing = (each for each in self.list() if (each.topic, each.url) == (topic, url))
        found = next(standing, None)
        if found is None:
            raise _refused(topic)
        return found

    def delete(self, subscription_id: str) -> None:
        result = self._write(DELETE, {"id": subscription_id})
        if result["userErrors"] and any(each.id == subscription_id for each in self.list()):
            raise _refused(subscription_id)

    def _nodes(self) -> Iterator[Node]:
        after: str | None = None
        while True:
            found = self._api.ask(LIST, {"after": after}).get("found")
            if not isinstance(found, dict):
                raise Retry("storefront_failed", "the shop's answer holds no list of subscriptions")
            yield from found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    def _write(self, document: str, variables: Mapping[str, object]) -> Node:
        result = self._api.ask(document, variables).get("result")
        if not isinstance(result, dict):
            raise Retry("storefront_failed", "the shop's answer does not tell what became of the subscription")
        return result


def _topic(name: str) -> str:
    return _TOPIC_OF_NAME.get(name, name)


def _refused(what: str) -> Rejected:
    return Rejected(
        "subscription_refused",
        f"the shop refuses to change the subscription {what}",
        field="subscriptions",
        hint="the endpoint must be public over https, and the app needs the scope that reads the topic's resource",
    )
