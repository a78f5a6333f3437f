"""Put the webhooks together. Imports nothing beyond the standard library and its own light rooms."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.errors import Retry, StorebridgeError
from shared.platform import emf, http
from shared.platform.aws_http import AwsService
from shared.platform.ingress_queue import IngressQueue
from shared.platform.webhook_settings import EndpointDirectory, WebhookSecrets
from shared.webhooks.ingress import Ingress
from shared.webhooks.reception import Reception, receive

_log = logging.getLogger(__name__)


def answer(event: Mapping[str, Any], reception: Reception) -> http.Response:
    """Take one delivery in and answer it: 200 once the queue has it, else what the sender is to do."""
    refusal = received(event["pathParameters"]["shop"], event, reception)
    return http.refused(refusal) if refusal else http.accepted()


def received(name: str, event: Mapping[str, Any], reception: Reception) -> StorebridgeError | None:
    """Take one delivery in; what stands against it is returned."""
    try:
        receive(name, http.webhook_request(event), reception)
    except StorebridgeError as error:
        _log.warning("webhook refused", extra={"code": error.code, "field": error.field, "reason": error.message})
        emf.count("WebhookRefused", code=error.code)
        return error
    emf.count("WebhookAccepted")
    return None


@cache
def order_reception() -> Reception:
    """Made on the first request and kept for the environment's life."""
    return reception_of(_of_orders, "ORDERS_QUEUE_URL")


@cache
def registration_reception() -> Reception:
    """Likewise."""
    return reception_of(_of_customers, "CUSTOMERS_QUEUE_URL")


def reception_of(
    ingress: Callable[[str], Ingress], queue: str, *, endpoints: EndpointDirectory | None = None
) -> Reception:
    """`queue`: the environment variable that names it."""
    return Reception(
        endpoints=endpoints or EndpointDirectory(AwsService("ssm")),
        ingress=ingress,
        secrets=WebhookSecrets(AwsService("secretsmanager")),
        enqueue=IngressQueue(AwsService("sqs"), AwsService("s3"), queue),
        now=lambda: as_sortable(utc_now()),
    )


def _of_orders(platform: str) -> Ingress:
    """Load one vendor's signature check and no other's."""
    if platform == "shopify":
        from shared.storefronts.shopify.signature import authenticate  # noqa: PLC0415 - cold start

        return authenticate
    if platform == "woocommerce":
        from shared.storefronts.woocommerce.signature import authenticate as authenticate_woocommerce  # noqa: PLC0415

        return authenticate_woocommerce
    raise unknown_platform()


def _of_customers(platform: str) -> Ingress:
    if platform == "shopify":
        from shared.storefronts.shopify.signature import authenticate_customers  # noqa: PLC0415 - cold start

        return authenticate_customers
    if platform == "woocommerce":
        from shared.storefronts.woocommerce.signature import (  # noqa: PLC0415
            authenticate_customers as authenticate_woocommerce_customers,
        )

        return authenticate_woocommerce_customers
    raise unknown_platform()


def unknown_platform() -> Retry:
    """Nothing was wrong with the delivery: it may come again once the settings are mended."""
    return Retry("bad_configuration", "the settings name a platform that is not known here", field="platform")
