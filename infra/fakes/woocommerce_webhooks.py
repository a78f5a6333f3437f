"""How the fake shop sends webhooks: late, once, in an order of its own, and not for long to an endpoint that fails.

Facts are from WooCommerce 10.0.2, measured on 476 deliveries.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from infra.fakes.woocommerce_requests import Json
from infra.samples.woocommerce import encode
from shared.kernel.clock import Clock
from shared.storefronts.woocommerce.signature import request_headers

Send = Callable[[str, Mapping[str, str], bytes], int]
"""Send a POST to a URL and return the answer's status; 0 when there is no answer."""
Permute = Callable[[Sequence["Pending"]], Sequence["Pending"]]

TOLERATED_FAILURES = 5
"""`failure_count` must exceed this before a failure disables the webhook: it is 6 after six, and the 7th disables."""

_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#039;", "'"), ("&amp;", "&"))
_DELIVERED = range(200, 303)
"""301 and 302 count as delivered, though a redirect is not followed: the event is lost."""
_SECRET_LENGTH = 50


@dataclass(slots=True)
class Webhook:
    id: int
    topic: str
    delivery_url: str
    secret: str
    name: str
    created: datetime
    status: str = "active"
    failure_count: int = 0
    """Not shown by the REST API, and not reset by setting the status."""

    def body(self) -> Json:
        """The REST resource. The secret is never told."""
        resource, _, event = self.topic.partition(".")
        created = self.created.replace(tzinfo=None, microsecond=0).isoformat()
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "topic": self.topic,
            "resource": resource,
            "event": event,
            "delivery_url": self.delivery_url,
            "date_created_gmt": created,
            "date_modified_gmt": created,
        }


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that waits for WordPress's queue to run. It names the resource only: the body is built at the end."""

    webhook_id: int
    resource_id: int
    due: datetime


@dataclass(slots=True)
class Mishaps:
    """What is done to the next deliveries on their way."""

    drop: int = 0
    duplicate: int = 0
    reorder: Permute | None = None

    def times(self) -> int:
        """How often the next delivery arrives."""
        if self.drop:
            self.drop -= 1
            return 0
        if self.duplicate:
            self.duplicate -= 1
            return 2
        return 1


@dataclass(slots=True)
class Webhooks:
    """The shop's webhooks and its queue of deliveries."""

    clock: Clock
    send: Send
    source: str
    payload: Callable[[str, int], Json]
    """The REST resource by topic and id as it is now, or the REST error in its place."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held over the shop's data, never while a delivery is under way: its receiver may ask the shop something."""
    latency: timedelta = timedelta(0)
    """Until the queue runs; 0.6 s to 55 s were measured."""
    mishaps: Mishaps = field(default_factory=Mishaps)
    registered: dict[int, Webhook] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)
    sent: int = 0
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def register(self, topic: str, url: str, *, secret: str = "", name: str = "", status: str = "active") -> Webhook:
        """Create a webhook, and ping its URL. It is active whatever the ping meets."""
        number = next(self._ids)
        generated = hashlib.sha256(f"{self.source}{number}".encode()).hexdigest()[:_SECRET_LENGTH]
        webhook = Webhook(number, topic, url, secret or generated, name or topic, self.clock(), status)
        self.registered[number] = webhook
        self.ping(webhook)
        return webhook

    def ping(self, webhook: Webhook) -> None:
        """Form-encoded, unsigned and without a topic."""
        headers = {
            "user-agent": "WooCommerce/10.0.2 Hookshot (WordPress/6.8.12)",
            "content-type": "application/x-www-form-urlencoded",
        }
        self.send(webhook.delivery_url, headers, f"webhook_id={webhook.id}".encode())

    def happened(self, topic: str, resource_id: int) -> None:
        """Queue an event for every active webhook of its topic, unless one for the same resource waits already."""
        waiting = {(each.webhook_id, each.resource_id) for each in self.pending}
        for webhook in self.registered.values():
            if webhook.topic == topic and webhook.status == "active" and (webhook.id, resource_id) not in waiting:
                self.pending.append(Pending(webhook.id, resource_id, self.clock() + self.latency))

    def deliver(self) -> int:
        """Run the queue: all that is due, one after the other. Returns how many deliveries were sent."""
        return sum(self._carry(each) for each in self._due())

    def _due(self) -> Sequence[Pending]:
        with self.lock:
            now = self.clock()
            due = [each for each in self.pending if each.due <= now]
            self.pending = [each for each in self.pending if each.due > now]
            reorder, self.mishaps.reorder = self.mishaps.reorder, None
        return due if reorder is None else reorder(due)

    def _carry(self, pending: Pending) -> int:
        webhook = self.registered.get(pending.webhook_id)
        times = self.mishaps.times() if webhook is not None else 0
        if webhook is None or times == 0:
            return 0
        with self.lock:
            headers, body = self._request(webhook, pending.resource_id)
        for _ in range(times):
            self._note(webhook, self.send(webhook.delivery_url, headers, body))
        return times

    def _request(self, webhook: Webhook, resource_id: int) -> tuple[dict[str, str], bytes]:
        body = encode(self.payload(webhook.topic, resource_id))
        second = int(self.clock().timestamp())
        delivery_id = hashlib.sha256(f"{webhook.id}{second}".encode()).hexdigest()[:32]
        headers = request_headers(
            body,
            _decoded(webhook.secret),
            source=self.source,
            topic=webhook.topic,
            webhook_id=webhook.id,
            delivery_id=delivery_id,
        )
        return headers, body

    def _note(self, webhook: Webhook, status: int) -> None:
        """There is no second attempt, whatever the answer was."""
        self.sent += 1
        if status in _DELIVERED:
            webhook.failure_count = 0
        elif webhook.failure_count > TOLERATED_FAILURES:
            webhook.status = "disabled"
        else:
            webhook.failure_count += 1


def _decoded(secret: str) -> str:
    """WooCommerce decodes HTML entities in a secret before it signs."""
    for entity, character in _ENTITIES:
        secret = secret.replace(entity, character)
    return secret
