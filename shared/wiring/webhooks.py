"""Put the webhooks together. Imports nothing beyond the standard library and its own light rooms."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from shared.kernel.clock import as_sortable, utc_now
from shared.kernel.errors import Retry, StorebridgeError
from shared.platform import emf, http
from shared.platform.aws_http import AwsService
from shared.platform.ingress_queue import IngressQueue
from shared.platform.webhook_settings import PAYMENTS, EndpointDirectory, WebhookSecrets
from shared.webhooks.ingress import Ingress
from shared.webhooks.reception import Reception, receive

_log = logging.getLogger(__name__)


def answer(event: Mapping[str, Any], reception: Reception, *, function: str) -> http.Response:
    """Take one delivery in and answer it: 200 once the queue has it, else what the sender is to do."""
    refusal = _received(event["pathParameters"]["shop"], event, reception, function=function)
    return http.refused(refusal) if refusal else http.accepted()


def answer_provider(event: Mapping[str, Any], reception: Reception, *, function: str) -> http.Response:
    """The same for a payment provider, in the words that it wants to hear."""
    account = event["pathParameters"]["account"]
    refusal = _received(account, event, reception, function=function)
    words = _words_of(reception, account)
    if refusal is None:
        return http.accepted(words.accepted if words else None)
    return http.refused(refusal, words.refused if words else None)


def _received(name: str, event: Mapping[str, Any], reception: Reception, *, function: str) -> StorebridgeError | None:
    """Take one delivery in; what stands against it is returned."""
    try:
        receive(name, http.webhook_request(event), reception)
    except StorebridgeError as error:
        _log.warning("webhook refused", extra={"code": error.code, "field": error.field, "reason": error.message})
        emf.count("WebhookRefused", code=error.code)
        return error
    emf.count("WebhookAccepted", function=function)
    return None


@cache
def order_reception() -> Reception:
    """Made on the first request and kept for the environment's life."""
    return _reception(_of_orders, "ORDERS_QUEUE_URL")


@cache
def registration_reception() -> Reception:
    """Likewise."""
    return _reception(_of_customers, "CUSTOMERS_QUEUE_URL")


@cache
def payment_reception() -> Reception:
    """Likewise."""
    return _reception(_of_payments, "PAYMENTS_QUEUE_URL", endpoints=EndpointDirectory(AwsService("ssm"), PAYMENTS))


def _reception(
    ingress: Callable[[str], Ingress], queue: str, *, endpoints: EndpointDirectory | None = None
) -> Reception:
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


def _of_payments(vendor: str) -> Ingress:
    if vendor == "stripe":
        from shared.payments.stripe.signature import authenticate as authenticate_stripe  # noqa: PLC0415 - cold start

        return authenticate_stripe
    if vendor == "paypal":
        from shared.payments.paypal.signature import authenticate as authenticate_paypal  # noqa: PLC0415

        return authenticate_paypal
    if vendor == "alipay":
        from shared.payments.alipay.signature import authenticate as authenticate_alipay  # noqa: PLC0415

        return authenticate_alipay
    if vendor == "wechatpay":
        from shared.payments.wechatpay.signature import authenticate as authenticate_wechatpay  # noqa: PLC0415

        return authenticate_wechatpay
    raise _unknown_platform()


class _Words(NamedTuple):
    """What a provider wants to hear: status, media type and body; and what it is told where it is refused."""

    accepted: http.Words
    refused: tuple[str, str] | None


def _words_of(reception: Reception, account: str) -> _Words | None:
    """None: any 2xx will do, and an error is any other."""
    try:
        endpoint = reception.endpoints(account)
    except StorebridgeError:  # then nothing was accepted either
        return None
    if endpoint is None:
        return None
    if endpoint.platform == "alipay":
        from shared.payments.alipay import signature as alipay  # noqa: PLC0415 - cold start

        return _Words(alipay.ACCEPTED, alipay.REFUSED)
    if endpoint.platform == "wechatpay":
        from shared.payments.wechatpay import signature as wechatpay  # noqa: PLC0415

        return _Words(wechatpay.ACCEPTED, wechatpay.REFUSED)
    return None


def _unknown_platform() -> Retry:
    return Retry("bad_configuration", "the settings name a platform that is not known here", field="platform")
