"""Put the payment providers' webhook together, apart from the shops' ones: some providers' signatures need more than
the standard library. Each vendor's check is loaded when its first delivery comes.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from shared.kernel.errors import StorebridgeError
from shared.platform import http
from shared.platform.aws_http import AwsService
from shared.platform.webhook_settings import PAYMENTS, EndpointDirectory
from shared.webhooks.ingress import Ingress
from shared.webhooks.reception import Reception
from shared.wiring.webhooks import received, reception_of, unknown_platform


def answer_provider(event: Mapping[str, Any], reception: Reception) -> http.Response:
    """Take one delivery in and answer it in the words that its provider wants to hear."""
    account = event["pathParameters"]["account"]
    refusal = received(account, event, reception)
    words = _words_of(reception, account)
    if refusal is None:
        return http.accepted(words.accepted if words else None)
    return http.refused(refusal, words.refused if words else None)


@cache
def payment_reception() -> Reception:
    """Made on the first request and kept for the environment's life."""
    return reception_of(_of_payments, "PAYMENTS_QUEUE_URL", endpoints=EndpointDirectory(AwsService("ssm"), PAYMENTS))


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
    raise unknown_platform()


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
