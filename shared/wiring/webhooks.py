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


def answer(event: Mapping[str, Any], reception: Reception, *, function: str) -> http.Response:
    """Take one delivery in and answer it: 200 once the queue has it, else what the sender is to do."""
    shop = event["pathParameters"]["shop"]
    try:
        receive(shop, http.webhook_request(event), reception)
    except StorebridgeError as error:
        _log.warning("webhook refused", extra={"code": error.code, "field": error.field, "reason": error.message})
        emf.count("WebhookRefused", code=error.code)
        return http.refused(error)
    emf.count("WebhookAccepted", function=function)
    return http.accepted()


@cache
def order_reception() -> Reception:
    """Made on the first request and kept for the environment's life."""
    return _reception(_of_orders, "ORDERS_QUEUE_URL")


@cache
def registration_reception() -> Reception:
    """Likewise."""
    return _reception(_of_customers, "CUSTOMERS_QUEUE_URL")


def _reception(ingress: Callable[[str], Ingress], queue: str) -> Reception:
    return Reception(
        endpoints=EndpointDirectory(AwsService("ssm")),
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
    raise _unknown_platform()


def _of_customers(platform: str) -> Ingress:
    if platform == "shopify":
        from shared.storefronts.shopify.signature import authenticate_customers  # noqa: PLC0415 - cold start

        return authenticate_customers
    if platform == "woocommerce":
        from shared.storefronts.woocommerce.signature import (  # noqa: PLC0415
            authenticate_customers as authenticate_woocommerce_customers,
        )

        return authenticate_woocommerce_customers
    raise _unknown_platform()


def _unknown_platform() -> Retry:
    return Retry("bad_configuration", "the settings name a platform that is not known here", field="platform")
