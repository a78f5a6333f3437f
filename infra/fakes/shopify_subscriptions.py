"""How a Shopify shop that is not there keeps our app's webhooks, and drops those whose deliveries fail.

Only what was made by the API is listed. Shopify takes each topic and URL once, and no URL that is not https. How many
failures it bears is told by shopify.dev, "Troubleshooting webhooks": eight in a row.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.fakes.shopify_resolution import page
from infra.samples.shopify import gid
from shared.kernel.clock import Clock

Json = dict[str, Any]

TOLERATED_FAILURES: Final = 8


@dataclass
class Subscriptions:
    """`numbers` are the shop's, for whatever it creates."""

    clock: Clock
    numbers: Iterator[int]
    kept: dict[str, Json] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def roots(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "webhookSubscriptionCreate": self._create,
            "webhookSubscriptionDelete": self._delete,
            "webhookSubscriptions": lambda _info, **arguments: page(list(self.kept.values()), arguments),
        }

    def register(self, topic: str, url: str) -> str:
        """Subscribe to a topic, as deliveries name it; its id."""
        made = self._kept(topic.replace("/", "_").upper(), url)
        return str(made["id"])

    def urls(self, topic: str) -> list[str]:
        """Where a topic, as deliveries name it, is sent: once for each subscription."""
        name = topic.replace("/", "_").upper()
        return [each["uri"] for each in self.kept.values() if each["topic"] == name]

    def note(self, topic: str, url: str, *, delivered: bool) -> None:
        """How a delivery went. After too many failures the subscription is gone, and nobody is told."""
        name = topic.replace("/", "_").upper()
        for number in [number for number, each in self.kept.items() if (each["topic"], each["uri"]) == (name, url)]:
            self.failures[number] = 0 if delivered else self.failures[number] + 1
            if self.failures[number] >= TOLERATED_FAILURES:
                del self.kept[number]

    def _create(self, _info: Any, topic: str, webhookSubscription: Json) -> Json:  # noqa: N803 - the argument's name
        url = webhookSubscription.get("uri") or ""
        taken = any((each["topic"], each["uri"]) == (topic, url) for each in self.kept.values())
        if taken or not url.startswith("https://"):
            message = "Address for this topic has already been taken" if taken else "Address protocol is not supported"
            error = {"field": ["webhookSubscription", "callbackUrl"], "message": message}
            return {"webhookSubscription": None, "userErrors": [error]}
        return {"webhookSubscription": self._kept(topic, url), "userErrors": []}

    def _delete(self, _info: Any, id: str) -> Json:  # noqa: A002 - the argument's name
        if self.kept.pop(id, None) is None:
            error = {"field": ["id"], "message": "Webhook subscription does not exist"}
            return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}

    def _kept(self, topic: str, url: str) -> Json:
        now = self.clock().isoformat()
        made: Json = {
            "__typename": "WebhookSubscription",
            "id": gid("WebhookSubscription", next(self.numbers)),
            "topic": topic,
            "uri": url,
            "createdAt": now,
            "updatedAt": now,
        }
        self.kept[made["id"]] = made
        return made
