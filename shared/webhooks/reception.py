"""Receive a webhook: authenticate, look it over, hand it on. Standard library only: it is on the 5-second path."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from shared.kernel import strict_json
from shared.kernel.errors import Rejected, Retry
from shared.webhooks.delivery import MAX_BODY_BYTES, Delivery
from shared.webhooks.ingress import Authenticated, Ingress, Ping, WebhookRequest


class Endpoint(NamedTuple):
    """What the settings say of one shop, as far as its webhooks go."""

    shop: str
    platform: str
    address: str
    """The host that the storefront names itself by: `aurora.myshopify.com`."""


class SecretShelf(Protocol):
    """The webhook secrets, cached. `fresh=True` reads them again, at most every few seconds."""

    def __call__(self, shop: str, *, fresh: bool = False) -> Sequence[str]: ...


class Reception(NamedTuple):
    endpoints: Callable[[str], Endpoint | None]
    ingress: Callable[[str], Ingress]
    """By platform. Called once the platform is known, so that only one vendor's code is loaded."""
    secrets: SecretShelf
    enqueue: Callable[[Delivery], None]
    """Returns once the delivery is durable, or raises `Retry`."""
    now: Callable[[], str]
    """The time as sortable text."""


def receive(shop: str, request: WebhookRequest, reception: Reception) -> Delivery | Ping:
    """Take one delivery. When this returns a delivery, the queue has it; when it raises, nothing was written.

    Raises:
        Rejected: `unknown_shop`, `body_too_large`, what the vendor's ingress raises, or what `strict_json` raises.
        Retry: the queue, the settings or the secrets are out of reach, or no secret is set.
    """
    endpoint = reception.endpoints(shop)
    if endpoint is None:
        raise Rejected("unknown_shop", "no shop of this name is connected", field="shop")
    if len(request.body) > MAX_BODY_BYTES:
        raise Rejected("body_too_large", f"the body is larger than {MAX_BODY_BYTES} bytes")
    authenticated = _authenticate(request, endpoint, reception)
    if isinstance(authenticated, Ping):
        return authenticated
    if not authenticated.well_formed and not isinstance(strict_json.parse(request.body), dict):
        raise Rejected("invalid_json", "the body is not a JSON object")
    delivery = Delivery(
        shop=shop,
        platform=endpoint.platform,
        topic=authenticated.topic,
        received_at=reception.now(),
        body=request.body,
        delivery_id=authenticated.delivery_id,
        triggered_at=authenticated.triggered_at,
        api_version=authenticated.api_version,
        test=authenticated.test,
    )
    reception.enqueue(delivery)
    return delivery


def _authenticate(request: WebhookRequest, endpoint: Endpoint, reception: Reception) -> Authenticated | Ping:
    """Secrets may have been rotated since they were cached, so a refusal is checked once against fresh ones."""
    ingress = reception.ingress(endpoint.platform)
    try:
        return ingress(request, secrets=reception.secrets(endpoint.shop), shop_address=endpoint.address)
    except Rejected as refusal:
        if refusal.code != "unauthorised":
            raise
    fresh = reception.secrets(endpoint.shop, fresh=True)
    if not fresh:
        raise Retry("no_secret", "no webhook secret is set for this shop", field=f"webhooks.{endpoint.shop}")
    return ingress(request, secrets=fresh, shop_address=endpoint.address)
